//! Normalisation of the last axis by its root mean square.
//!
//! # Formula
//! y_i = x_i / √(1/n Σ x² + ε) · weight_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = weight_i/s (δ_im − x̂_i x̂_m / n), where s is the root and x̂ = x/s
//!
//! # Domain
//! All reals; ε > 0, 1e-6 where nothing is said of it.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: the root moves with all elements of the axis, by the chain rule.

use super::layer_norm::affine;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "rms_norm(x, weight = none, eps: number = 1e-6)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.rms_norm(args.value_or_none("weight")?.as_ref(), args.number("eps", 1e-6)?),
    samples: || {
        vec![
            Sample::normal("rms_norm: rows", [&[2, 5]], |x| x[0].rms_norm(None, 1e-6)),
            Sample::normal("rms_norm: with weight", [&[2, 5], &[5]], |x| x[0].rms_norm(Some(&x[1]), 1e-3)),
        ]
    },
};

impl Val {
    /// The elements in units of the root mean square of the last axis; times a weight, where it is given.
    ///
    /// # Errors
    /// On a scalar; where the weight does not broadcast.
    pub fn rms_norm(&self, weight: Option<&Val>, eps: f64) -> Result<Val> {
        let last = [self.ndim().saturating_sub(1)];
        let size = (&self.powf(2.0)?.mean(&last, true)? + eps)?.sqrt()?;
        affine((self / &size)?, weight, None)
    }
}
