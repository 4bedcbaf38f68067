//! The rectifier, element by element.
//!
//! # Formula
//! y_i = max(x_i, 0)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im `[x_i > 0]`
//!
//! # Domain
//! All reals. NaN stays NaN.
//!
//! # At kinks and ties
//! relu′(0) = 0, as in PyTorch.
//!
//! # Why
//! The identity above 0 and constant below.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static RELU: Unary = Unary {
    name: "relu",
    lines: each!(|x| if x < 0.0 { 0.0 } else { x }),
    derivative: |x, _| Ok(Slope::value(x.step()?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "relu(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.relu(),
    samples: || {
        vec![
            Sample::normal("relu: a matrix", [&[2, 3]], |x| x[0].relu()),
            Sample::given("relu: at 0", [(&[3], &[-2.0, 0.0, 3.0])], |x| x[0].relu()).at_kink(),
        ]
    },
};

impl Val {
    /// The rectifier, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn relu(&self) -> Result<Val> {
        Val::apply(Elementwise(&RELU), &[self])
    }
}
