//! The logarithm of 1 + x, exact near 0, element by element.
//!
//! # Formula
//! y_i = ln(1 + x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (1 + x_i)
//!
//! # Domain
//! Above −1; at −1 it is −∞, below NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The derivative of ln(u) is 1/u.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static LOG1P: Unary = Unary {
    name: "log1p",
    lines: each!(f32::ln_1p, f64::ln_1p),
    derivative: |x, _| Ok(Slope::value((1.0 / &(1.0 + x)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "log1p(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.log1p(),
    samples: || vec![Sample::given("log1p: inside", [(&[4], &[-0.6, 1e-09, 0.0, 2.5])], |x| x[0].log1p())],
};

impl Val {
    /// The logarithm of 1 + x, exact near 0, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn log1p(&self) -> Result<Val> {
        Val::apply(Elementwise(&LOG1P), &[self])
    }
}
