//! The derivatives of the digamma function ψ, itself among them, element by element.
//!
//! # Formula
//! y_i = ψ⁽ⁿ⁾(x_i), the derivative of order n + 1 of ln Γ
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im ψ⁽ⁿ⁺¹⁾(x_i)
//!
//! # Domain
//! Numbers above −10⁴ but 0 and the negative whole ones, and orders from 0 to 20; NaN elsewhere.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! By definition. What is computed: ψ⁽ⁿ⁾(x) = ψ⁽ⁿ⁾(x + 1) − (−1)ⁿ n! x^(−n−1) until x is large, and there the asymptotic series in
//! Bernoulli numbers (Abramowitz and Stegun, 6.3.18 and 6.4.11).

use pullback_array::Array;
use pullback_network::{Coef, Label};

use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The highest order: of a higher one the numbers have no digits left.
const MOST: usize = 20;

/// The recurrence goes step by step: from farther below it takes long, and has lost its digits.
const LEAST: f64 = -1e4;

/// The Bernoulli numbers B₂, B₄, …
const BERNOULLI: [f64; 12] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174_611.0 / 330.0,
    854_513.0 / 138.0,
    -236_364_091.0 / 2730.0,
];

/// ψ⁽ⁿ⁾; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Polygamma {
    n: usize,
}

impl Op for Polygamma {
    fn name(&self) -> &'static str {
        "polygamma"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        if self.n > MOST {
            return Err(Error::new(format!("polygamma: an order of {}; {MOST} is the highest", self.n)));
        }
        if !inputs[0].dtype.is_float() {
            return Err(Error::new(format!(
                "polygamma: an array of {} is not differentiable",
                inputs[0].dtype
            ))
            .with_hint("draw or load it as a float"));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let n = self.n;
        Ok(vec![inputs[0].map(|x| polygamma(n, f64::from(x)) as f32, |x| polygamma(n, x))?])
    }

    fn is_elementwise(&self) -> bool {
        true
    }

    /// Near the zero of the digamma function series and recurrences add up terms that cancel.
    fn backward_error(&self) -> BackwardError {
        BackwardError::OfEntries
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.y().dims());
        let slope = at.x().polygamma(self.n + 1)?;
        Ok(at.network().plus_term(Coef::one(), &i, &i, [Factor::Dense(slope, i.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("polygamma({}, {})", self.n, inputs[0])
    }
}

/// ψ⁽ⁿ⁾ at a point.
fn polygamma(n: usize, x: f64) -> f64 {
    let order = n as i32;
    let sign = if n.is_multiple_of(2) { -1.0 } else { 1.0 };
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    if x <= 0.0 && x.fract() == 0.0 || !x.is_finite() {
        return if x == f64::INFINITY { if n == 0 { f64::INFINITY } else { 0.0 } } else { f64::NAN };
    }
    // Far enough for the series to have all digits, and no further than costs time.
    let far = 20.0 + n as f64;
    if x < LEAST {
        return f64::NAN;
    }
    let steps = if x < far { (far - x).ceil() as usize } else { 0 };
    let below: f64 = (0..steps).map(|k| (x + k as f64).powi(-order - 1)).sum();
    let x = x + steps as f64;
    let series: f64 = (1..=BERNOULLI.len())
        .map(|k| {
            let k2 = 2 * k;
            // (2k + n − 1)! / (2k)!
            let ratio =
                if n == 0 { 1.0 / k2 as f64 } else { (k2 + 1..k2 + n).map(|k| k as f64).product::<f64>() };
            BERNOULLI[k - 1] * ratio * x.powi(-(k2 as i32) - order)
        })
        .sum();
    match n {
        0 => x.ln() - 0.5 / x - series - below,
        _ => {
            let leading = factorial(n - 1) * x.powi(-order) + 0.5 * factorial(n) * x.powi(-order - 1);
            sign * (leading + series + factorial(n) * below)
        }
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "polygamma(n: count, x)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("x")?.polygamma(args.count("n", 0)?),
    samples: || {
        vec![
            Sample::given("polygamma: digamma", [(&[4], &[0.4, 1.0, 2.5, 30.0])], |x| x[0].polygamma(0)),
            Sample::given("polygamma: of order 2", [(&[3], &[0.9, 2.5, 30.0])], |x| x[0].polygamma(2)),
        ]
    },
};

impl Val {
    /// The derivative of order `n` of the digamma function, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// Where n is more than 20, and on integers.
    pub fn polygamma(&self, n: usize) -> Result<Val> {
        Val::apply(Polygamma { n }, &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By mpmath 1.3: `[float(polygamma(n, x)) for x in (.4, 1.3, 2.2, 7.5)]`, and `loggamma`.
    #[test]
    fn the_numbers_are_those_of_mpmath() {
        let points = [0.4, 1.3, 2.2, 7.5];
        let known = [
            (0, [-2.561384544585116, -0.16919088886679962, 0.5442934367411452, 1.9467574842460869]),
            (1, [7.275356590529597, 1.1342534349966193, 0.5729327609793347, 0.1426158966967038]),
            (3, [236.19525903394705, 2.4010239143089263, 0.35147634620726154, 0.005772436656578694]),
        ];
        let close = |found: f64, known: f64| (found - known).abs() <= 4e-15 * known.abs().max(1.0);
        for (n, expected) in known {
            for (x, expected) in points.into_iter().zip(expected) {
                assert!(close(polygamma(n, x), expected), "{n} at {x}: {}", polygamma(n, x));
            }
        }
        let logarithms = [0.7966778177017837, -0.10817480950786047, 0.09694746679063887, 7.534364236758733];
        for (x, expected) in points.into_iter().zip(logarithms) {
            assert!(close(libm::lgamma(x), expected), "{x}");
        }
    }
}
