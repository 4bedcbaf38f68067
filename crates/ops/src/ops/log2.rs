//! The logarithm to the base 2, element by element.
//!
//! # Formula
//! y_i = log₂(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (ln(2) x_i)
//!
//! # Domain
//! Above 0; at 0 it is −∞, below NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! log₂(x) = ln(x) / ln(2).

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static LOG2: Unary = Unary {
    name: "log2",
    lines: each!(f32::log2, f64::log2),
    derivative: |x, _| Ok(Slope::times(Coef::number(std::f64::consts::LOG2_E), (1.0 / x)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "log2(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.log2(),
    samples: || vec![Sample::normal("log2: positive", [&[2, 3]], |x| x[0].log2()).positive()],
};

impl Val {
    /// The logarithm to the base 2, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn log2(&self) -> Result<Val> {
        Val::apply(Elementwise(&LOG2), &[self])
    }
}
