//! The hyperbolic cosine, element by element.
//!
//! # Formula
//! y_i = cosh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im sinh(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The derivative of (e^x + e^−x)/2 is (e^x − e^−x)/2.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static COSH: Unary = Unary {
    name: "cosh",
    lines: each!(f32::cosh, f64::cosh),
    derivative: |x, _| Ok(Slope::value(x.sinh()?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "cosh(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.cosh(),
    samples: || vec![Sample::normal("cosh: a matrix", [&[2, 3]], |x| x[0].cosh())],
};

impl Val {
    /// The hyperbolic cosine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn cosh(&self) -> Result<Val> {
        Val::apply(Elementwise(&COSH), &[self])
    }
}
