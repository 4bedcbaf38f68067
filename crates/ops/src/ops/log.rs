//! The natural logarithm, element by element.
//!
//! # Formula
//! y_i = ln(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / x_i
//!
//! # Domain
//! Above 0. At 0 the value is −∞, below it NaN, as in PyTorch.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The inverse of exp: y = ln x gives x = eʸ, so dy/dx = 1/eʸ = 1/x.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static LOG: Unary =
    Unary { name: "log", lines: each!(f32::ln, f64::ln), derivative: |x, _| Ok(Slope::value((1.0 / x)?)) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "log(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.log(),
    samples: || {
        vec![
            Sample::normal("log: a matrix", [&[2, 3]], |x| x[0].log()).positive(),
            Sample::given("log: a scalar", [(&[], &[0.7])], |x| x[0].log()),
        ]
    },
};

impl Val {
    /// The natural logarithm, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn log(&self) -> Result<Val> {
        Val::apply(Elementwise(&LOG), &[self])
    }
}
