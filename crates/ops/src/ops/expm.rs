//! The exponential of a square matrix.
//!
//! # Formula
//! y = Σ_k x^k / k!, over the last two axes
//!
//! # Jacobian
//! dy = ∫₀¹ exp(s x) dx exp((1 − s) x) ds, the upper right block of exp([x dx; 0 x]); it is applied and never written out
//!
//! # Domain
//! Square matrices, of a norm up to 170: beyond it digits are lost.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! exp(x) = exp(x/2^s)^(2^s), where exp(x/2^s) is a quotient of polynomials that has all digits for norms up to 5.37: that of
//! Padé of degree 13, as Higham has it. Each squaring loses digits, so that there are as few as the norm of x asks for; those that are not
//! taken are chosen away. The powers of [x dx; 0 x] have there the sums of products in which dx stands once (Higham, *Functions of Matrices*,
//! theorem 3.6), and with xᵀ for x it is the transposed map.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label, Map, Operator};

use super::cumsum::called;
use super::logdet::of_matrices;
use crate::definition::by_definition;
use crate::op::Forward;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The exponential of the last two axes; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Expm;

impl Op for Expm {
    fn name(&self) -> &'static str {
        "expm"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        of_matrices("expm", inputs[0])?;
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        self.forward_by(inputs, &mut |op, _, inputs| op.forward(inputs))
    }

    fn forward_by(&self, inputs: &[&Array], inner: &mut Forward<'_>) -> Result<Vec<Array>> {
        Ok(vec![by_definition(exponential, inputs[0], inner)?])
    }

    /// Each squaring doubles what was lost before it, and others square as often as the whole norm asks for. The gradient is read from the
    /// exponential of a block that holds the cotangent, as PyTorch has it, so that it loses by the cotangent's norm.
    fn roundings(&self, inputs: &[&Array]) -> f64 {
        let sizes = inputs[0].map(f32::abs, f64::abs);
        let columns = sizes.and_then(|sizes| sizes.sum(&[sizes.ndim() - 2], false));
        columns.map_or(1.0, |columns| columns.max_abs().max(1.0))
    }

    /// That of squarings is one of the norm (Higham, *The scaling and squaring method for the matrix exponential revisited*, 2005), so that
    /// zeros of the result are as far off as its other entries.
    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (out, mut x) = (Label::for_dims(at.y().dims()), Label::for_dims(at.x().dims()));
        let batch = out.len() - 2;
        x[..batch].copy_from_slice(&out[..batch]);
        let entries = at.x().shape().iter().product::<usize>() as f64;
        let map = Map::Local {
            of: at.y().clone(),
            input: at.input(),
            flops: PRODUCTS * 8.0 * entries * x[batch].size() as f64,
        };
        let (rows, columns) = (out[batch..].to_vec(), x[batch..].to_vec());
        let operator = Operator { map, batch: out[..batch].to_vec(), rows, columns };
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Operator(operator)]))
    }

    fn apply_jacobian(&self, at: &Site<'_>, right: &Val, transposed: bool) -> Result<Val> {
        let batch = at.x().ndim() - 2;
        let (row, column, last) = (batch, batch + 1, batch + 2);
        let to: Vec<usize> = (0..batch).chain([last, row, column]).collect();
        let back: Vec<usize> = (0..batch).chain([column, last, row]).collect();
        let right = right.permute(&to)?;
        let turned: Vec<usize> = (0..batch).chain([column, row]).collect();
        let x = if transposed { at.x().permute(&turned)? } else { at.x().clone() };
        let dims: Vec<Option<Dim>> = right.dims().iter().copied().map(Some).collect();
        let x = x.unsqueeze(batch)?.broadcast_to(&dims)?;
        let zeros = Val::with_dims(Array::zeros(&right.shape(), right.dtype())?, right.dims())?;
        let above = Val::concat(&[&x, &right], last)?;
        let below = Val::concat(&[&zeros, &x], last)?;
        let size = right.dims()[last].size();
        let whole = Val::concat(&[&above, &below], column)?.expm()?;
        whole.narrow(column, 0, size)?.narrow(last, size as i64, size)?.permute(&back)
    }

    /// The upper right block of exp([xᵀ ȳ; 0 xᵀ]).
    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let [size, _] = at.x().dims() else { return None };
        let (x, size) = (&inputs[0], called(*size));
        let blocks = format!("kron(eye(2), {x}.T) + kron([[0, 1], [0, 0]], {cotangent})");
        Some(format!("expm({blocks})[:{size}, {size}:]"))
    }

    fn adjoint_reason(&self) -> Option<&'static str> {
        Some(
            "the Fréchet derivative of exp at X in a direction E is the upper right block of exp of [X, E; 0, X]; \
             transposed, of Xᵀ and of the cotangent for E",
        )
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "expm(x)",
    aliases: &["matrix_exp"],
    axes: Axes::Square,
    call: |args| args.value("x")?.expm(),
    samples: || {
        vec![
            Sample::given("expm: a matrix", [(&[2, 2], &[0.5, -0.3, 0.8, 1.1])], |x| x[0].expm()),
            Sample::given(
                "expm: a batch",
                [(&[2, 2, 2], &[0.5, -0.3, 0.8, 1.1, -2.0, 0.4, 0.1, 0.2])],
                |x| x[0].expm(),
            ),
            Sample::given("expm: of zeros", [(&[2, 2], &[0.0; 4])], |x| x[0].expm()),
        ]
    },
};

/// How many products of matrices it takes, roughly.
const PRODUCTS: f64 = 12.0;

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

/// As it is computed.
fn exponential(x: &Val) -> Result<Val> {
    let dim = x.dims()[x.ndim() - 1];
    let unit = Val::with_dims(Array::eye(dim.size(), x.dtype())?, &[dim, dim])?;
    let axis = x.ndim() - 2;
    // How often it is squared changes nothing but digits.
    let norm = x.stop_gradient()?.abs()?.sum(&[axis], true)?.max(&[axis + 1], true)?;
    let squared: Vec<Val> =
        (0..SQUARED).map(|times| (&norm - NORM * 2f64.powi(times))?.step()).collect::<Result<_>>()?;
    let x = squared.iter().try_fold(x.clone(), |x, squared| &x * &(1.0 - &(squared * 0.5)?)?)?;
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

impl Val {
    /// The exponential of the matrices in the last two axes.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn expm(&self) -> Result<Val> {
        Val::apply(Expm, &[self])
    }
}
