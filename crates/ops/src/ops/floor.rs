//! The largest whole number that is not above, element by element.
//!
//! # Formula
//! y_i = floor(x_i)
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

pub(crate) static FLOOR: Unary =
    Unary { name: "floor", lines: each!(f32::floor, f64::floor), derivative: |_, _| Ok(None) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "floor(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.floor(),
    samples: || {
        vec![
            Sample::given("floor: between", [(&[4], &[-1.3, 0.2, 0.8, 2.6])], |x| x[0].floor()),
            Sample::given("floor: at whole numbers", [(&[6], &[-2.0, -0.5, 0.0, 0.5, 1.5, 3.0])], |x| {
                x[0].floor()
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The largest whole number that is not above, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn floor(&self) -> Result<Val> {
        Val::apply(Elementwise(&FLOOR), &[self])
    }
}
