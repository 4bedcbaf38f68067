//! The whole number next towards 0, element by element.
//!
//! # Formula
//! y_i = trunc(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jumps too.
//!
//! # Why
//! It does not change between two jumps.

use crate::{Axes, Elementwise, Entry, Result, Sample, Unary, Val};
use pullback_array::each;

pub(crate) static TRUNC: Unary =
    Unary { name: "trunc", lines: each!(f32::trunc, f64::trunc), derivative: |_, _| Ok(None) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "trunc(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.trunc(),
    samples: || {
        vec![
            Sample::given("trunc: between", [(&[4], &[-1.3, 0.2, 0.8, 2.6])], |x| x[0].trunc()),
            Sample::given("trunc: at whole numbers", [(&[6], &[-2.0, -0.5, 0.0, 0.5, 1.5, 3.0])], |x| {
                x[0].trunc()
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The whole number next towards 0, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn trunc(&self) -> Result<Val> {
        Val::apply(Elementwise(&TRUNC), &[self])
    }
}
