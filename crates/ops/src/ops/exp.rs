//! The exponential, element by element.
//!
//! # Formula
//! y_i = exp(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im y_i
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! exp is its own derivative, so the forward result is the payload.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static EXP: Unary =
    Unary { name: "exp", f32: f32::exp, f64: f64::exp, derivative: |_, y| Ok(Slope::value(y.clone())) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "exp(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.exp(),
    samples: || {
        vec![
            Sample::normal("exp: a matrix", [&[2, 3]], |x| x[0].exp()),
            Sample::given("exp: a scalar", [(&[], &[0.7])], |x| x[0].exp()),
        ]
    },
};

impl Val {
    /// The exponential, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn exp(&self) -> Result<Val> {
        Val::apply(Elementwise(&EXP), &[self])
    }
}
