//! The scaled complement of the error function, which does not underflow.
//!
//! # Formula
//! y_i = exp(x_i²) erfc(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (2 x_i y_i − 2/√π)
//!
//! # Domain
//! All reals; below −26.6 it is too large for a number, and ∞.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The product rule: exp(x²) grows by 2x, and the slope of erfc is −2/√π exp(−x²), which exp(x²) cancels.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ERFCX: Unary = Unary {
    name: "erfcx",
    lines: each!(|x| erfcx(f64::from(x)) as f32, erfcx),
    derivative: |x, y| Ok(Slope::value((&(&(2.0 * x)? * y)? - std::f64::consts::FRAC_2_SQRT_PI)?)),
};

pub(super) fn erfcx(x: f64) -> f64 {
    // Beyond it the asymptotic series has all digits.
    const FAR: f64 = 12.0;
    if x < FAR {
        // The square in two parts, since an exponential multiplies the rounding of a large exponent.
        let square = x * x;
        let rest = x.mul_add(x, -square);
        return square.exp() * (1.0 + rest) * libm::erfc(x);
    }
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..=14 {
        term *= -f64::from(2 * k - 1) / (2.0 * x * x);
        sum += term;
    }
    sum / (x * std::f64::consts::PI.sqrt())
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "erfcx(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.erfcx(),
    samples: || vec![Sample::given("erfcx: both signs", [(&[4], &[-1.3, 0.0, 0.7, 3.0])], |x| x[0].erfcx())],
};

impl Val {
    /// `exp(x²) erfc(x)`, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn erfcx(&self) -> Result<Val> {
        Val::apply(Elementwise(&ERFCX), &[self])
    }
}

#[cfg(test)]
mod tests {
    /// The numbers are mpmath's, to 17 digits: `exp(x**2) * erfc(x)`.
    #[test]
    fn it_has_the_digits_of_mpmath() {
        for (x, expected) in EXPECTED {
            let found = super::erfcx(x);
            assert!((found - expected).abs() <= 4e-15 * expected, "erfcx({x}) = {found}, not {expected}");
        }
    }

    const EXPECTED: [(f64, f64); 9] = [
        (-3.0, 16205.988853999587),
        (-0.7, 2.738702102561317),
        (0.3, 0.734_599_334_567_655_1),
        (2.0, 0.255_395_676_310_505_74),
        (6.5, 0.085_805_670_104_894_6),
        (11.9, 0.047_245_232_484_087_67),
        (12.0, 0.046_854_221_014_893_76),
        (28.284271247461902, 0.019_934_670_376_602_62),
        (500.0, 0.001_128_376_910_350_718_8),
    ];
}
