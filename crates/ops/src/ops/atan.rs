//! The inverse tangent, element by element.
//!
//! # Formula
//! y_i = arctan(x_i), in (−π/2, π/2)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (1 + x_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! tan(y) = x; so (1 + x²) y′ = 1.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ATAN: Unary = Unary {
    name: "atan",
    lines: each!(f32::atan, f64::atan),
    derivative: |x, _| Ok(Slope::value((1.0 / &(1.0 + &x.powf(2.0)?)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "atan(x)",
    aliases: &["arctan"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.atan(),
    samples: || vec![Sample::normal("atan: a matrix", [&[2, 3]], |x| x[0].atan())],
};

impl Val {
    /// The inverse tangent, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn atan(&self) -> Result<Val> {
        Val::apply(Elementwise(&ATAN), &[self])
    }
}
