//! The logarithm of the distribution function of the normal distribution.
//!
//! # Formula
//! y_i = ln Φ(x_i), with Φ(x) = erfc(−x/√2) / 2
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im exp(−y_i − x_i²/2) / √(2π)
//!
//! # Domain
//! All reals; far below 0 it is about −x²/2.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The density over the distribution function, Φ′/Φ, and Φ is exp(y). So the slope is written by the result, as other code has it, and what
//! rounding does to a large result is met there.

use pullback_array::each;
use pullback_network::Coef;

use super::erfcx::erfcx;
use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static LOG_NDTR: Unary = Unary {
    name: "log_ndtr",
    lines: each!(|x| log_ndtr(f64::from(x)) as f32, log_ndtr),
    derivative: |x, y| {
        let density = (std::f64::consts::FRAC_1_SQRT_2 * std::f64::consts::FRAC_2_SQRT_PI) / 2.0;
        Ok(Slope::times(Coef::number(density), (-&(y + &(0.5 * &x.powf(2.0)?)?)?)?.exp()?))
    },
};

fn log_ndtr(x: f64) -> f64 {
    let scaled = x * std::f64::consts::FRAC_1_SQRT_2;
    if x < -1.0 { (erfcx(-scaled) / 2.0).ln() - scaled * scaled } else { (-libm::erfc(scaled) / 2.0).ln_1p() }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "log_ndtr(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.log_ndtr(),
    samples: || {
        vec![Sample::given("log_ndtr: both tails", [(&[4], &[-3.0, -0.7, 0.2, 2.5])], |x| x[0].log_ndtr())]
    },
};

impl Val {
    /// `ln Φ(x)`, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn log_ndtr(&self) -> Result<Val> {
        Val::apply(Elementwise(&LOG_NDTR), &[self])
    }
}

#[cfg(test)]
mod tests {
    /// The numbers are mpmath's, to 17 digits: `log(ncdf(x))`.
    #[test]
    fn it_has_the_digits_of_mpmath() {
        for (x, expected) in EXPECTED {
            let found = super::log_ndtr(x);
            // Far above 0 it falls like exp(−x²/2), and so multiplies the rounding of x/√2 by x².
            let most = (4e-15 + f64::EPSILON * x.max(0.0).powi(2)) * expected.abs();
            assert!((found - expected).abs() <= most, "log_ndtr({x}) = {found}, not {expected}");
        }
    }

    const EXPECTED: [(f64, f64); 11] = [
        (-1000.0, -500_007.826_694_812_2),
        (-37.5, -707.668_989_317_507_2),
        (-9.0, -43.628_149_113_332_115),
        (-3.0, -6.607_726_221_510_35),
        (-1.0, -1.841_021_645_009_263_5),
        (-0.7, -1.418_967_761_531_531_6),
        (0.0, -std::f64::consts::LN_2),
        (0.3, -0.481_410_161_588_481_2),
        (2.0, -0.023_012_909_328_963_488),
        (6.5, -4.016_000_583_939_759_4e-11),
        (30.0, -4.906_713_927_148_187e-198),
    ];
}
