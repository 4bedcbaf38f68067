//! The logarithm of the size of the gamma function, element by element.
//!
//! # Formula
//! y_i = ln |Γ(x_i)|
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im ψ(x_i), the digamma function
//!
//! # Domain
//! All reals but 0 and the negative whole numbers, where it is infinite.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! ψ is defined as Γ′/Γ.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static LGAMMA: Unary = Unary {
    name: "lgamma",
    lines: each!(|x| libm::lgamma(f64::from(x)) as f32, libm::lgamma),
    derivative: |x, _| Ok(Slope::value(x.polygamma(0)?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "lgamma(x)",
    aliases: &["gammaln"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.lgamma(),
    samples: || {
        vec![
            Sample::given("lgamma: positive", [(&[4], &[0.3, 1.0, 2.5, 30.0])], |x| x[0].lgamma()),
            Sample::given("lgamma: negative", [(&[2], &[-0.4, -2.6])], |x| x[0].lgamma()),
        ]
    },
};

impl Val {
    /// The logarithm of the size of the gamma function, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn lgamma(&self) -> Result<Val> {
        Val::apply(Elementwise(&LGAMMA), &[self])
    }
}
