//! The inverse cosine, element by element.
//!
//! # Formula
//! y_i = arccos(x_i), in [0, π]
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (−1) / √(1 − x_i²)
//!
//! # Domain
//! From −1 to 1; outside, the result is NaN. At ±1 the slope is infinite.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! arccos(x) = π/2 − arcsin(x).

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static ACOS: Unary = Unary {
    name: "acos",
    lines: each!(f32::acos, f64::acos),
    derivative: |x, _| Ok(Slope::times(Coef::minus_one(), (1.0 - &x.powf(2.0)?)?.powf(-0.5)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "acos(x)",
    aliases: &["arccos"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.acos(),
    samples: || vec![Sample::given("acos: inside", [(&[4], &[-0.8, -0.1, 0.0, 0.6])], |x| x[0].acos())],
};

impl Val {
    /// The inverse cosine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn acos(&self) -> Result<Val> {
        Val::apply(Elementwise(&ACOS), &[self])
    }
}
