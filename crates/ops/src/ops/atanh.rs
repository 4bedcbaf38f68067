//! The inverse hyperbolic tangent, element by element.
//!
//! # Formula
//! y_i = artanh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (1 − x_i²)
//!
//! # Domain
//! Between −1 and 1; at ±1 it is infinite, outside NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! tanh(y) = x; so (1 − x²) y′ = 1.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ATANH: Unary = Unary {
    name: "atanh",
    lines: each!(f32::atanh, f64::atanh),
    derivative: |x, _| Ok(Slope::value((1.0 / &(1.0 - &x.powf(2.0)?)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "atanh(x)",
    aliases: &["arctanh"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.atanh(),
    samples: || vec![Sample::given("atanh: inside", [(&[4], &[-0.6, -0.1, 0.0, 0.5])], |x| x[0].atanh())],
};

impl Val {
    /// The inverse hyperbolic tangent, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn atanh(&self) -> Result<Val> {
        Val::apply(Elementwise(&ATANH), &[self])
    }
}
