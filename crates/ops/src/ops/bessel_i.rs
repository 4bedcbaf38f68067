//! The modified Bessel functions of the first kind, of whole orders, element by element.
//!
//! # Formula
//! y_i = I_n(x_i) = Σ_k (x_i / 2)^(2k + n) / (k! (k + n)!)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im ½ (I_(n−1)(x_i) + I_(n+1)(x_i)), with I_(−1) = I_1
//!
//! # Domain
//! All reals, and n from 0 to 50; where it is larger than f64's largest number it is infinite, for n = 0 beyond ±713.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! From the series, term by term. What is computed is the series: all its terms have one sign, so that nothing cancels.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The highest order.
const MOST: usize = 50;

/// I_n; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct BesselI {
    n: usize,
}

impl Op for BesselI {
    fn name(&self) -> &'static str {
        "bessel_i"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        if self.n > MOST {
            return Err(Error::new(format!("bessel_i: an order of {}; {MOST} is the highest", self.n)));
        }
        if !inputs[0].dtype.is_float() {
            return Err(Error::new(format!(
                "bessel_i: an array of {} is not differentiable",
                inputs[0].dtype
            ))
            .with_hint("draw or load it as a float"));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let n = self.n;
        Ok(vec![inputs[0].map(|x| bessel_i(n, f64::from(x)) as f32, |x| bessel_i(n, x))?])
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.y().dims());
        let above = at.x().bessel_i(self.n + 1)?;
        if self.n == 0 {
            return Ok(at.network().plus_term(Coef::one(), &i, &i, [Factor::Dense(above, i.clone())]));
        }
        let slope = (&at.x().bessel_i(self.n - 1)? + &above)?;
        Ok(at.network().plus_term(Coef::ratio(1, 2), &i, &i, [Factor::Dense(slope, i.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("bessel_i({}, {})", self.n, inputs[0])
    }
}

/// I_n at a point.
fn bessel_i(n: usize, x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let sign = if x < 0.0 && !n.is_multiple_of(2) { -1.0 } else { 1.0 };
    let half = x.abs() / 2.0;
    let first: f64 = (1..=n).map(|k| half / k as f64).product();
    let (mut term, mut sum) = (first, first);
    // The terms fall once k is beyond x / 2, or else the sum is soon no number of f64, so that this ends.
    for k in 1.. {
        let k = f64::from(k);
        term *= half / k * (half / (k + n as f64));
        sum += term;
        if sum.is_infinite() || term <= f64::EPSILON / 8.0 * sum && k > half {
            break;
        }
    }
    sign * sum
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "bessel_i(n: count, x)",
    aliases: &["iv"],
    axes: Axes::Own,
    call: |args| args.value("x")?.bessel_i(args.count("n", 0)?),
    samples: || {
        vec![
            Sample::given("bessel_i: of order 0", [(&[4], &[-1.7, 0.0, 0.4, 3.0])], |x| x[0].bessel_i(0)),
            Sample::given("bessel_i: of order 2", [(&[3], &[-1.7, 0.9, 2.5])], |x| x[0].bessel_i(2)),
        ]
    },
};

impl Val {
    /// The modified Bessel function of the first kind of order `n`, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// Where n is more than 50, and on integers.
    pub fn bessel_i(&self, n: usize) -> Result<Val> {
        Val::apply(BesselI { n }, &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where f64 ends: mpmath has 8.6e307 of order 50 at 715, and 1.1e308 of order 0 at 713.5.
    #[test]
    fn the_last_numbers_and_what_is_beyond() {
        assert!((bessel_i(50, 715.0) / 8.608153434646724e307 - 1.0).abs() < 1e-13);
        assert!((bessel_i(0, 713.5) / 1.1051012081178279e308 - 1.0).abs() < 1e-13);
        for (n, x) in [(0, 720.0), (1, -1e300), (50, f64::INFINITY)] {
            assert_eq!(bessel_i(n, x).abs(), f64::INFINITY, "{n} at {x}");
        }
    }

    /// By mpmath 1.3: `[float(besseli(n, x)) for x in (-2.5, 0, .4, 7.5, 40)]`.
    #[test]
    fn the_numbers_are_those_of_mpmath() {
        let points = [-2.5, 0.0, 0.4, 7.5, 40.0];
        let known = [
            (0, [3.289839144050123, 1.0, 1.0404017822293412, 268.16131151518937, 1.48947747934199e16]),
            (1, [-2.5167162452886984, 0.0, 0.2040267557335706, 249.58436542268814, 1.4707396163259352e16]),
            (3, [-0.4743704087780356, 0.0, 0.0013467201186880004, 142.06144236359168, 1.329145566473366e16]),
        ];
        for (n, expected) in known {
            for (x, expected) in points.into_iter().zip(expected) {
                let found = bessel_i(n, x);
                assert!(
                    (found - expected).abs() <= 4e-15 * f64::abs(expected),
                    "{n} at {x}: {found}, not {expected}"
                );
            }
        }
    }
}
