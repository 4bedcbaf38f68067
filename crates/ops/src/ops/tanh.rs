//! The hyperbolic tangent, element by element.
//!
//! # Formula
//! y_i = tanh(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (1 − y_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! tanh = sinh/cosh, and cosh² − sinh² = 1; the quotient rule leaves 1 − tanh².

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static TANH: Unary = Unary {
    name: "tanh",
    f32: f32::tanh,
    f64: f64::tanh,
    derivative: |_, y| Ok(Slope::value((1.0 - &y.powf(2.0)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "tanh(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.tanh(),
    samples: || {
        vec![
            Sample::normal("tanh: a matrix", [&[2, 3]], |x| x[0].tanh()),
            Sample::given("tanh: a scalar", [(&[], &[0.7])], |x| x[0].tanh()),
        ]
    },
};

impl Val {
    /// The hyperbolic tangent, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn tanh(&self) -> Result<Val> {
        Val::apply(Elementwise(&TANH), &[self])
    }
}
