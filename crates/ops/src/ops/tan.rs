//! The tangent, element by element.
//!
//! # Formula
//! y_i = tan(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (1 + y_i²)
//!
//! # Domain
//! All reals but the odd multiples of π/2.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! tan = sin/cos, and the quotient rule leaves (cos² + sin²)/cos² = 1 + tan².

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static TAN: Unary = Unary {
    name: "tan",
    lines: each!(f32::tan, f64::tan),
    derivative: |_, y| Ok(Slope::value((1.0 + &y.powf(2.0)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "tan(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.tan(),
    samples: || {
        vec![Sample::given("tan: within a branch", [(&[5], &[-1.2, -0.3, 0.0, 0.7, 1.1])], |x| x[0].tan())]
    },
};

impl Val {
    /// The tangent, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn tan(&self) -> Result<Val> {
        Val::apply(Elementwise(&TAN), &[self])
    }
}
