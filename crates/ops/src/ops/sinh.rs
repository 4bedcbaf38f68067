//! The hyperbolic sine, element by element.
//!
//! # Formula
//! y_i = sinh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im cosh(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The derivative of (e^x − e^−x)/2 is (e^x + e^−x)/2.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static SINH: Unary = Unary {
    name: "sinh",
    lines: each!(f32::sinh, f64::sinh),
    derivative: |x, _| Ok(Slope::value(x.cosh()?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sinh(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sinh(),
    samples: || vec![Sample::normal("sinh: a matrix", [&[2, 3]], |x| x[0].sinh())],
};

impl Val {
    /// The hyperbolic sine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sinh(&self) -> Result<Val> {
        Val::apply(Elementwise(&SINH), &[self])
    }
}
