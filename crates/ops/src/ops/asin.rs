//! The inverse sine, element by element.
//!
//! # Formula
//! y_i = arcsin(x_i), in [−π/2, π/2]
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / √(1 − x_i²)
//!
//! # Domain
//! From −1 to 1; outside, the result is NaN. At ±1 the slope is infinite.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! sin(y) = x; so cos(y) y′ = 1, and cos(y) = √(1 − x²) is not negative there.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ASIN: Unary = Unary {
    name: "asin",
    lines: each!(f32::asin, f64::asin),
    derivative: |x, _| Ok(Slope::value((1.0 - &x.powf(2.0)?)?.powf(-0.5)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "asin(x)",
    aliases: &["arcsin"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.asin(),
    samples: || vec![Sample::given("asin: inside", [(&[4], &[-0.8, -0.1, 0.0, 0.6])], |x| x[0].asin())],
};

impl Val {
    /// The inverse sine, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn asin(&self) -> Result<Val> {
        Val::apply(Elementwise(&ASIN), &[self])
    }
}
