//! The logistic function, element by element.
//!
//! # Formula
//! y_i = 1 / (1 + exp(−x_i))
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im y_i (1 − y_i)
//!
//! # Domain
//! All reals; evaluated without overflow on both sides.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! With e = exp(−x), dy/dx = e/(1+e)² = y (1 − y).

use super::exp::exp64;
use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static SIGMOID: Unary = Unary {
    name: "sigmoid",
    lines: each!(logistic32, logistic64),
    derivative: |_, y| Ok(Slope::value((y * &(1.0 - y)?)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sigmoid(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sigmoid(),
    samples: || {
        vec![
            Sample::normal("sigmoid: a matrix", [&[2, 3]], |x| x[0].sigmoid()),
            Sample::given("sigmoid: far out", [(&[3], &[-40.0, 0.0, 35.0])], |x| x[0].sigmoid()),
        ]
    },
};

impl Val {
    /// The logistic function, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sigmoid(&self) -> Result<Val> {
        Val::apply(Elementwise(&SIGMOID), &[self])
    }
}

fn logistic32(x: f32) -> f32 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

#[inline(always)]
fn logistic64(x: f64) -> f64 {
    let e = exp64(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
}
