//! Where a value is no number: 1 there, and 0 elsewhere.
//!
//! # Formula
//! y_i = `[x_i is NaN]`
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals, and NaN.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere.
//!
//! # Why
//! What is a number stays one when it is moved a little.

use crate::{Axes, Elementwise, Entry, Result, Sample, Unary, Val};
use pullback_array::each;

pub(crate) static ISNAN: Unary = Unary {
    name: "isnan",
    lines: each!(|x| if x.is_nan() { 1.0 } else { 0.0 }),
    derivative: |_, _| Ok(None),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "isnan(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.isnan(),
    samples: || vec![Sample::normal("isnan: numbers", [&[3]], |x| x[0].isnan())],
};

impl Val {
    /// 1 where the value is NaN, 0 elsewhere. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn isnan(&self) -> Result<Val> {
        Val::apply(Elementwise(&ISNAN), &[self])
    }
}
