//! The error function, element by element.
//!
//! # Formula
//! y_i = 2/√π ∫₀^x_i e^(−t²) dt
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im 2/√π e^(−x_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The derivative of an integral by its upper end is the integrand there.

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static ERF: Unary = Unary {
    name: "erf",
    lines: each!(libm::erff, libm::erf),
    derivative: |x, _| {
        let square = x.powf(2.0)?;
        Ok(Slope::times(Coef::number(std::f64::consts::FRAC_2_SQRT_PI), (-&square)?.exp()?))
    },
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "erf(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.erf(),
    samples: || vec![Sample::normal("erf: a matrix", [&[2, 3]], |x| x[0].erf())],
};

impl Val {
    /// The error function, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn erf(&self) -> Result<Val> {
        Val::apply(Elementwise(&ERF), &[self])
    }
}
