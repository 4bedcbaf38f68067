//! The negative, element by element.
//!
//! # Formula
//! y_i = −x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = −δ_im
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear, with slope −1.

use pullback_network::{Coef, Label};

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "neg(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.negated(),
    samples: || vec![Sample::normal("neg: a matrix", [&[2, 3]], |x| x[0].negated())],
};

impl Val {
    /// −self.
    ///
    /// # Errors
    /// On integers.
    pub fn negated(&self) -> Result<Val> {
        let i = Label::for_dims(self.dims());
        self.relabelled("neg", String::new(), Coef::minus_one(), &i, &i)
    }
}
