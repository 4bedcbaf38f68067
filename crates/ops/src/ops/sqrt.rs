//! The square root, element by element.
//!
//! # Formula
//! y_i = √x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (2 y_i)
//!
//! # Domain
//! x ≥ 0; the derivative is infinite at 0. Below 0 the value is NaN.
//!
//! # At kinks and ties
//! At 0 the slope is +∞, as in PyTorch.
//!
//! # Why
//! From y² = x: 2y dy = dx.

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static SQRT: Unary = Unary {
    name: "sqrt",
    lines: each!(f32::sqrt, f64::sqrt),
    derivative: |_, y| Ok(Slope::times(Coef::ratio(1, 2), (1.0 / y)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sqrt(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sqrt(),
    samples: || {
        vec![
            Sample::normal("sqrt: a matrix", [&[2, 3]], |x| x[0].sqrt()).positive(),
            Sample::given("sqrt: a scalar", [(&[], &[0.7])], |x| x[0].sqrt()),
        ]
    },
};

impl Val {
    /// The square root, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sqrt(&self) -> Result<Val> {
        Val::apply(Elementwise(&SQRT), &[self])
    }
}
