//! The hyperbolic tangent, element by element.
//!
//! # Formula
//! y_i = tanh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (1 − y_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! tanh = sinh/cosh, and cosh² − sinh² = 1; the quotient rule leaves 1 − tanh².

use super::exp::exp_of;
use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static TANH: Unary = Unary {
    name: "tanh",
    lines: each!(tanh32, f64::tanh),
    derivative: |_, y| Ok(Slope::value((1.0 - &y.powf(2.0)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "tanh(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.tanh(),
    samples: || {
        vec![
            Sample::normal("tanh: a matrix", [&[2, 3]], |x| x[0].tanh()),
            Sample::given("tanh: a scalar", [(&[], &[0.7])], |x| x[0].tanh()),
        ]
    },
};

/// tanh(x) in single precision: without a branch, so that a loop over many computes several at a time.
#[inline(always)]
fn tanh32(x: f32) -> f32 {
    let x = f64::from(x);
    // Near 0 the difference has few digits: x − x³/3 + 2x⁵/15, of which the next term is 4e-12 of the result.
    let square = x * x;
    let near = x * (1.0 - square * (1.0 / 3.0 - square * (2.0 / 15.0)));
    let far = (1.0 - 2.0 / (exp_of(2.0 * x.abs()) + 1.0)).copysign(x);
    (if x.abs() < 0.02 { near } else { far }) as f32
}

impl Val {
    /// The hyperbolic tangent, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn tanh(&self) -> Result<Val> {
        Val::apply(Elementwise(&TANH), &[self])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against double precision: the nearest number of single precision, or one beside it.
    #[test]
    fn single_precision() {
        let mut x = 1e-30f32;
        while x < 40.0 {
            for x in [x, -x] {
                let (found, exact) = (tanh32(x), f64::from(x).tanh());
                let off = (f64::from(found) - exact).abs();
                assert!(off <= 0.6 * f64::from(f32::EPSILON) * exact.abs(), "tanh {x}: {found}, {exact}");
            }
            x *= 1.000_9;
        }
        for x in [0.0, f32::INFINITY, f32::MAX] {
            assert_eq!((tanh32(x), tanh32(-x)), (x.tanh(), (-x).tanh()));
        }
        assert!(tanh32(f32::NAN).is_nan() && tanh32(-0.0).is_sign_negative());
    }
}
