//! The cosine, element by element, in radians.
//!
//! # Formula
//! y_i = cos(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = −δ_im sin(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The limit of (cos(x+h) − cos x)/h, by the addition theorem.

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static COS: Unary = Unary {
    name: "cos",
    lines: each!(f32::cos, f64::cos),
    derivative: |x, _| Ok(Slope::times(Coef::minus_one(), x.sin()?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "cos(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.cos(),
    samples: || {
        vec![
            Sample::normal("cos: a matrix", [&[2, 3]], |x| x[0].cos()),
            Sample::given("cos: a scalar", [(&[], &[0.7])], |x| x[0].cos()),
        ]
    },
};

impl Val {
    /// The cosine, element by element, in radians. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn cos(&self) -> Result<Val> {
        Val::apply(Elementwise(&COS), &[self])
    }
}
