//! The logarithm to the base 10, element by element.
//!
//! # Formula
//! y_i = log₁₀(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (ln(10) x_i)
//!
//! # Domain
//! Above 0; at 0 it is −∞, below NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! log₁₀(x) = ln(x) / ln(10).

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static LOG10: Unary = Unary {
    name: "log10",
    lines: each!(f32::log10, f64::log10),
    derivative: |x, _| Ok(Slope::times(Coef::number(std::f64::consts::LOG10_E), (1.0 / x)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "log10(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.log10(),
    samples: || vec![Sample::normal("log10: positive", [&[2, 3]], |x| x[0].log10()).positive()],
};

impl Val {
    /// The logarithm to the base 10, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn log10(&self) -> Result<Val> {
        Val::apply(Elementwise(&LOG10), &[self])
    }
}
