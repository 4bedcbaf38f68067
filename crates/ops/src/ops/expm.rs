//! The exponential of a square matrix.
//!
//! # Formula
//! y = Σ_k x^k / k!, over the last two axes
//!
//! # Jacobian
//! dy = ∫₀¹ exp(s x) dx exp((1 − s) x) ds
//!
//! # Domain
//! Square matrices, of a norm up to 170: beyond it digits are lost.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: exp(x) = exp(x/2^s)^(2^s), where exp(x/2^s) is a quotient of polynomials that has all digits for norms up to 5.37: that of
//! Padé of degree 13, as Higham has it. Each squaring loses digits, so that there are as few as the norm of x asks for; those that are not
//! taken are chosen away.

use pullback_array::Array;

use super::logdet::of_matrices;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "expm(x)",
    aliases: &["matrix_exp"],
    axes: Axes::Square,
    call: |args| args.value("x")?.expm(),
    samples: || {
        vec![
            Sample::given("expm: a matrix", [(&[2, 2], &[0.5, -0.3, 0.8, 1.1])], |x| x[0].expm()),
            Sample::given("expm: of zeros", [(&[2, 2], &[0.0; 4])], |x| x[0].expm()),
        ]
    },
};

/// How often it is squared at the most.
const SQUARED: i32 = 5;

/// Up to this norm the quotient has all digits (Higham, *The scaling and squaring method for the matrix exponential revisited*, 2005).
const NORM: f64 = 5.371_920_351_148_152;

/// The numerator's coefficients; those of the denominator have the other sign at odd powers.
const PADE: [f64; 14] = [
    64_764_752_532_480_000.0,
    32_382_376_266_240_000.0,
    7_771_770_303_897_600.0,
    1_187_353_796_428_800.0,
    129_060_195_264_000.0,
    10_559_470_521_600.0,
    670_442_572_800.0,
    33_522_128_640.0,
    1_323_241_920.0,
    40_840_800.0,
    960_960.0,
    16_380.0,
    182.0,
    1.0,
];

impl Val {
    /// The exponential of the matrices in the last two axes.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn expm(&self) -> Result<Val> {
        of_matrices("expm", self.spec())?;
        let dim = self.dims()[self.ndim() - 1];
        let unit = Val::with_dims(Array::eye(dim.size(), self.dtype())?, &[dim, dim])?;
        let axis = self.ndim() - 2;
        // How often it is squared changes nothing but digits.
        let norm = self.stop_gradient()?.abs()?.sum(&[axis], true)?.max(&[axis + 1], true)?;
        let squared: Vec<Val> =
            (0..SQUARED).map(|times| (&norm - NORM * 2f64.powi(times))?.step()).collect::<Result<_>>()?;
        let x = squared.iter().try_fold(self.clone(), |x, squared| &x * &(1.0 - &(squared * 0.5)?)?)?;
        let second = x.matmul(&x)?;
        let fourth = second.matmul(&second)?;
        let sixth = second.matmul(&fourth)?;
        // All but the first are divided by it, so that the numbers stay of one size.
        let b = |k: usize| PADE[k] / PADE[0];
        let sum = |high: usize| -> Result<Val> {
            let of = |k: usize, power: &Val| power * b(k);
            let beyond = (&(&of(high, &sixth)? + &of(high - 2, &fourth)?)? + &of(high - 4, &second)?)?;
            let low = high - 6;
            let first = (&(&of(low, &sixth)? + &of(low - 2, &fourth)?)? + &of(low - 4, &second)?)?;
            &(&sixth.matmul(&beyond)? + &first)? + &of(low - 6, &unit)?
        };
        let (odd, even) = (x.matmul(&sum(13)?)?, sum(12)?);
        let mut power = (&even - &odd)?.solve(&(&even + &odd)?, false)?;
        for squared in &squared {
            power = squared.choose(&power.matmul(&power)?, &power)?;
        }
        Ok(power)
    }
}
