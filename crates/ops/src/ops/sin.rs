//! The sine, element by element, in radians.
//!
//! # Formula
//! y_i = sin(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im cos(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The limit of (sin(x+h) − sin x)/h, by the addition theorem.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static SIN: Unary =
    Unary { name: "sin", lines: each!(f32::sin, f64::sin), derivative: |x, _| Ok(Slope::value(x.cos()?)) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "sin(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sin(),
    samples: || {
        vec![
            Sample::normal("sin: a matrix", [&[2, 3]], |x| x[0].sin()),
            Sample::given("sin: a scalar", [(&[], &[0.7])], |x| x[0].sin()),
        ]
    },
};

impl Val {
    /// The sine, element by element, in radians. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sin(&self) -> Result<Val> {
        Val::apply(Elementwise(&SIN), &[self])
    }
}
