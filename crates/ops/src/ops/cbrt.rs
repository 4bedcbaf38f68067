//! The cube root, element by element.
//!
//! # Formula
//! y_i = x_i^(1/3), with the sign of x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (3 y_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! At 0 the slope is infinite.
//!
//! # Why
//! y³ = x; so 3 y² y′ = 1.

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static CBRT: Unary = Unary {
    name: "cbrt",
    lines: each!(f32::cbrt, f64::cbrt),
    derivative: |_, y| Ok(Slope::times(Coef::number(1.0 / 3.0), y.powf(-2.0)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "cbrt(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.cbrt(),
    samples: || vec![Sample::given("cbrt: both signs", [(&[4], &[-2.0, -0.5, 0.7, 3.0])], |x| x[0].cbrt())],
};

impl Val {
    /// The cube root, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn cbrt(&self) -> Result<Val> {
        Val::apply(Elementwise(&CBRT), &[self])
    }
}
