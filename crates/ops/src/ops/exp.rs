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
    Unary { name: "exp", lines: each!(exp32, exp64), derivative: |_, y| Ok(Slope::value(y.clone())) };

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
pub(super) static EXP_OF_DIFFERENCE: Pairs = pairs!(|x, m| exp32(x - m), |x: f64, m: f64| exp64(x - m));

/// e^x in single precision: without a branch, so that a loop over many computes several at a time.
#[inline(always)]
pub(super) fn exp32(x: f32) -> f32 {
    exp_of(f64::from(x)) as f32
}

/// e^x in double precision: without a branch either, and off by hardly more than half a unit of its last place.
#[inline(always)]
pub(super) fn exp64(x: f64) -> f64 {
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    // ln 2 in two parts, of which a whole number times the first is exact (Cody and Waite, *Software manual for the elementary
    // functions*, 1980); the digits are those of FreeBSD's msun.
    const HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
    const LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
    // 2^−1075 is the half of the smallest number, and 2^1024 beyond the largest.
    let x = x.clamp(-746.0, 710.0);
    let shifted = x * std::f64::consts::LOG2_E + WHOLE;
    let power = shifted - WHOLE;
    let (high, low) = (x - power * HIGH, power * LOW);
    let r = high - low;
    let lost = (high - r) - low;
    // |r| ≤ ½ ln 2, so that the series to r¹³ / 13! leaves out 4e-18 of the result.
    // Even and odd powers are two sums, which do not wait for one another.
    let square = r * r;
    let [even, odd] =
        INVERSE_FACTORIALS.map(|inverses| inverses.iter().fold(0.0, |sum, inverse| sum * square + inverse));
    // What 1 + r loses is added with all that is smaller.
    let sum = 1.0 + r;
    let result = sum + ((r - (sum - 1.0)) + (square * (even + r * odd) + lost));
    // In two factors, neither of which leaves the normal numbers.
    let half = power * 0.5 + WHOLE;
    let of = |shifted: f64| f64::from_bits((shifted.to_bits() << 52).wrapping_add(1f64.to_bits()));
    result * of(half) * of(power - (half - WHOLE) + WHOLE)
}

/// 1 / 12!, 1 / 10!, … 1 / 2! and 1 / 13!, 1 / 11!, … 1 / 3!.
const INVERSE_FACTORIALS: [[f64; 6]; 2] = {
    let mut inverses = [[0.0; 6]; 2];
    let mut factorial = 1.0;
    let mut k = 2;
    while k <= 13 {
        factorial *= k as f64;
        inverses[k % 2][6 - k / 2] = 1.0 / factorial;
        k += 1;
    }
    inverses
};

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

    /// Against the C library, whose exponential is off by less than 0.52 units: the same, but for one in fifty, and never farther than a
    /// unit from it, over the whole range, and through subnormal numbers to 0.
    #[test]
    fn double_precision() {
        let mut x = -746.5f64;
        let (mut all, mut others) = (0, 0);
        while x < 710.5 {
            let (found, exact) = (exp64(x), x.exp());
            let unit = (f64::from_bits(exact.to_bits() + 1) - exact).min(f64::MAX);
            assert!(found == exact || (found - exact).abs() <= unit, "e^{x}: {found:e}, {exact:e}");
            (all, others) = (all + 1, others + i32::from(found != exact));
            x += 0.000_731_3;
        }
        assert!(others * 50 < all, "{others} of {all}");
        for (x, y) in [
            (f64::NEG_INFINITY, 0.0),
            (-1e300, 0.0),
            (-0.0, 1.0),
            (1e300, f64::INFINITY),
            (f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(exp64(x), y, "e^{x}");
        }
        assert!(exp64(f64::NAN).is_nan());
        // 709.78 is the last whose exponential is a number.
        assert!(exp64(709.782_712_893_383_9).is_finite() && exp64(709.782_712_893_384_1).is_infinite());
    }

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
