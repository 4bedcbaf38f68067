//! The unit step, element by element: 1 above 0, else 0.
//!
//! # Formula
//! y_i = `[x_i > 0]`
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jump too.
//!
//! # Why
//! The derivative of relu. It stands in the table so that second derivatives go through the graph.

use crate::{Axes, Elementwise, Entry, Result, Sample, Unary, Val};
use pullback_array::each;

pub(crate) static STEP: Unary =
    Unary { name: "step", lines: each!(|x| if x > 0.0 { 1.0 } else { 0.0 }), derivative: |_, _| Ok(None) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "step(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.step(),
    samples: || {
        vec![
            Sample::normal("step: a matrix", [&[2, 3]], |x| x[0].step()),
            Sample::given("step: at 0", [(&[3], &[-2.0, 0.0, 3.0])], |x| x[0].step()).at_kink(),
        ]
    },
};

impl Val {
    /// The unit step, element by element: 1 above 0, else 0. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn step(&self) -> Result<Val> {
        Val::apply(Elementwise(&STEP), &[self])
    }
}
