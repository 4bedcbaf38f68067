//! Two to a power, element by element.
//!
//! # Formula
//! y_i = 2^x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im ln(2) y_i
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! 2^x = e^(x ln 2).

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static EXP2: Unary = Unary {
    name: "exp2",
    lines: each!(f32::exp2, f64::exp2),
    derivative: |_, y| Ok(Slope::times(Coef::number(std::f64::consts::LN_2), y.clone())),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "exp2(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.exp2(),
    samples: || vec![Sample::normal("exp2: a matrix", [&[2, 3]], |x| x[0].exp2())],
};

impl Val {
    /// Two to a power, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn exp2(&self) -> Result<Val> {
        Val::apply(Elementwise(&EXP2), &[self])
    }
}
