//! The inverse of the error function.
//!
//! # Formula
//! y_i = erf⁻¹(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im √π/2 exp(y_i²)
//!
//! # Domain
//! Between −1 and 1; ±∞ at the ends, and NaN beyond.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The slope of an inverse is one over that of the function, 2/√π exp(−y²).

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static ERFINV: Unary = Unary {
    name: "erfinv",
    lines: each!(|x| erfinv(f64::from(x)) as f32, erfinv),
    derivative: |_, y| {
        Ok(Slope::times(Coef::number(1.0 / std::f64::consts::FRAC_2_SQRT_PI), y.powf(2.0)?.exp()?))
    },
};

/// A first guess by a formula of Winitzki's, then steps of Halley's, of which each triples the digits.
fn erfinv(x: f64) -> f64 {
    let size = x.abs();
    if size >= 1.0 || size.is_nan() || size == 0.0 {
        return if size == 1.0 {
            x * f64::INFINITY
        } else if size < 1.0 {
            x
        } else {
            f64::NAN
        };
    }
    const A: f64 = 0.147;
    let logarithm = (-size * size).ln_1p();
    let middle = 2.0 / (std::f64::consts::PI * A) + logarithm / 2.0;
    let mut y = ((middle * middle - logarithm / A).sqrt() - middle).sqrt();
    for _ in 0..4 {
        // Near 1 the complement has the digits.
        let off = if size < 0.5 { libm::erf(y) - size } else { (1.0 - size) - libm::erfc(y) };
        let step = off / (std::f64::consts::FRAC_2_SQRT_PI * (-y * y).exp());
        y -= step / (1.0 + y * step);
    }
    y.copysign(x)
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "erfinv(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.erfinv(),
    samples: || {
        vec![Sample::given("erfinv: both signs", [(&[4], &[-0.5, 0.01, 0.3, 0.6])], |x| x[0].erfinv())]
    },
};

impl Val {
    /// The inverse of the error function, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn erfinv(&self) -> Result<Val> {
        Val::apply(Elementwise(&ERFINV), &[self])
    }
}

#[cfg(test)]
mod tests {
    /// The numbers are mpmath's, to 17 digits: `erfinv(x)`.
    #[test]
    fn it_has_the_digits_of_mpmath() {
        const EXPECTED: [(f64, f64); 8] = [
            (1e-9, 8.862269254527581e-10),
            (0.3, 0.272_462_714_726_754_4),
            (0.499, 0.47582428088309235),
            (0.501, 0.4780494522745675),
            (0.9, 1.1630871536766742),
            (0.99999, 3.123413274341571),
            (0.9999999999, 4.572824958544925),
            (-0.999999999999999, -5.675915739744713),
        ];
        for (x, expected) in EXPECTED {
            let found = super::erfinv(x);
            assert!(
                (found - expected).abs() <= 2e-15 * expected.abs(),
                "erfinv({x}) = {found}, not {expected}"
            );
        }
        assert_eq!([super::erfinv(1.0), super::erfinv(-1.0)], [f64::INFINITY, f64::NEG_INFINITY]);
        assert!(super::erfinv(1.5).is_nan());
    }
}
