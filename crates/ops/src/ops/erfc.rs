//! What the error function lacks to 1, exact where that is little, element by element.
//!
//! # Formula
//! y_i = 1 − erf(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im (−2/√π) e^(−x_i²)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! That of the error function, with its sign turned.

use pullback_array::each;
use pullback_network::Coef;

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};

pub(crate) static ERFC: Unary = Unary {
    name: "erfc",
    lines: each!(libm::erfcf, libm::erfc),
    derivative: |x, _| {
        let square = x.powf(2.0)?;
        Ok(Slope::times(Coef::number(-std::f64::consts::FRAC_2_SQRT_PI), (-&square)?.exp()?))
    },
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "erfc(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.erfc(),
    samples: || vec![Sample::normal("erfc: a matrix", [&[2, 3]], |x| x[0].erfc())],
};

impl Val {
    /// What the error function lacks to 1, exact where that is little, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn erfc(&self) -> Result<Val> {
        Val::apply(Elementwise(&ERFC), &[self])
    }
}
