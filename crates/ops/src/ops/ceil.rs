//! The smallest whole number that is not below, element by element.
//!
//! # Formula
//! y_i = ceil(x_i)
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

pub(crate) static CEIL: Unary =
    Unary { name: "ceil", lines: each!(f32::ceil, f64::ceil), derivative: |_, _| Ok(None) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "ceil(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.ceil(),
    samples: || {
        vec![
            Sample::given("ceil: between", [(&[4], &[-1.3, 0.2, 0.8, 2.6])], |x| x[0].ceil()),
            Sample::given("ceil: at whole numbers", [(&[6], &[-2.0, -0.5, 0.0, 0.5, 1.5, 3.0])], |x| {
                x[0].ceil()
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The smallest whole number that is not below, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn ceil(&self) -> Result<Val> {
        Val::apply(Elementwise(&CEIL), &[self])
    }
}
