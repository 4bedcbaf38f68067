//! e to a power, less 1, exact near 0, element by element.
//!
//! # Formula
//! y_i = e^x_i − 1
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (y_i + 1)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The derivative of e^x is e^x, and that is y + 1.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static EXPM1: Unary = Unary {
    name: "expm1",
    lines: each!(f32::exp_m1, f64::exp_m1),
    derivative: |_, y| Ok(Slope::value((y + 1.0)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "expm1(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.expm1(),
    samples: || {
        vec![
            Sample::normal("expm1: a matrix", [&[2, 3]], |x| x[0].expm1()),
            Sample::given("expm1: small", [(&[3], &[-1e-09, 0.0, 1e-07])], |x| x[0].expm1()),
        ]
    },
};

impl Val {
    /// e to a power, less 1, exact near 0, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn expm1(&self) -> Result<Val> {
        Val::apply(Elementwise(&EXPM1), &[self])
    }
}
