//! The exponential, element by element.
//!
//! # Formula
//! y_i = exp(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im y_i
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! exp is its own derivative, so the forward result is the payload.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::{Pairs, each, pairs};

pub(crate) static EXP: Unary =
    Unary { name: "exp", lines: each!(exp32, f64::exp), derivative: |_, y| Ok(Slope::value(y.clone())) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "exp(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.exp(),
    samples: || {
        vec![
            Sample::normal("exp: a matrix", [&[2, 3]], |x| x[0].exp()),
            Sample::given("exp: a scalar", [(&[], &[0.7])], |x| x[0].exp()),
        ]
    },
};

/// e^(x − m).
pub(super) static EXP_OF_DIFFERENCE: Pairs = pairs!(|x, m| exp32(x - m), |x: f64, m: f64| (x - m).exp());

/// e^x in single precision: without a branch, so that a loop over many computes several at a time.
#[inline(always)]
pub(super) fn exp32(x: f32) -> f32 {
    exp_of(f64::from(x)) as f32
}

/// e^x with the digits of single precision and some beside, 0 or what is beyond that precision where it is. NaN of NaN.
#[inline(always)]
pub(super) fn exp_of(x: f64) -> f64 {
    // What is added and taken away again rounds to a whole number, which is then in the last bits.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    // Of single precision 2^−150 is the half of the smallest number, and 2^128 beyond the largest.
    let x = x.clamp(-110.0, 100.0);
    let shifted = x * std::f64::consts::LOG2_E + WHOLE;
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1f64.to_bits()));
    // x = k ln 2 + r with |r| ≤ ½ ln 2, so that the series to r⁸ / 8! leaves out 2e-10 of the result.
    let r = x - (shifted - WHOLE) * std::f64::consts::LN_2;
    let factorials = [5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0];
    power * factorials.iter().fold(1.0 / 40320.0, |sum, factorial| sum * r + 1.0 / factorial)
}

impl Val {
    /// The exponential, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn exp(&self) -> Result<Val> {
        Val::apply(Elementwise(&EXP), &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against double precision: the nearest number of single precision, or one beside it, over the whole range.
    #[test]
    fn single_precision() {
        let mut x = -105.0f32;
        while x < 89.5 {
            let (found, exact) = (exp32(x), f64::from(x).exp());
            let step = f64::from(exact as f32 * f32::EPSILON).max(f64::from(f32::from_bits(1)));
            let off = (f64::from(found) - exact).abs();
            assert!(
                off <= 0.51 * step || found.is_infinite() && exact > f64::from(f32::MAX),
                "e^{x}: {found}, {exact}"
            );
            x += 0.000_731;
        }
        for (x, y) in [
            (f32::NEG_INFINITY, 0.0),
            (-1e30, 0.0),
            (0.0, 1.0),
            (1e30, f32::INFINITY),
            (f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(exp32(x), y, "e^{x}");
        }
        assert!(exp32(f32::NAN).is_nan());
    }
}
