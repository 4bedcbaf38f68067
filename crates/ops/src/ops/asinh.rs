//! The inverse hyperbolic sine, element by element.
//!
//! # Formula
//! y_i = arsinh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / √(1 + x_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! sinh(y) = x; so cosh(y) y′ = 1, and cosh(y) = √(1 + x²).

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ASINH: Unary = Unary {
    name: "asinh",
    lines: each!(f32::asinh, f64::asinh),
    derivative: |x, _| Ok(Slope::value((1.0 + &x.powf(2.0)?)?.powf(-0.5)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "asinh(x)",
    aliases: &["arcsinh"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.asinh(),
    samples: || vec![Sample::normal("asinh: a matrix", [&[2, 3]], |x| x[0].asinh())],
};

impl Val {
    /// The inverse hyperbolic sine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn asinh(&self) -> Result<Val> {
        Val::apply(Elementwise(&ASINH), &[self])
    }
}
