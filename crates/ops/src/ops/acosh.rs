//! The inverse hyperbolic cosine, element by element.
//!
//! # Formula
//! y_i = arcosh(x_i), not negative
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / √(x_i² − 1)
//!
//! # Domain
//! From 1 on; below, the result is NaN. At 1 the slope is infinite.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! cosh(y) = x; so sinh(y) y′ = 1, and sinh(y) = √(x² − 1) is not negative there.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ACOSH: Unary = Unary {
    name: "acosh",
    lines: each!(f32::acosh, f64::acosh),
    derivative: |x, _| Ok(Slope::value((&x.powf(2.0)? - 1.0)?.powf(-0.5)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "acosh(x)",
    aliases: &["arccosh"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.acosh(),
    samples: || vec![Sample::given("acosh: inside", [(&[3], &[1.5, 2.0, 4.0])], |x| x[0].acosh())],
};

impl Val {
    /// The inverse hyperbolic cosine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn acosh(&self) -> Result<Val> {
        Val::apply(Elementwise(&ACOSH), &[self])
    }
}
