//! Layer normalisation over the last axis.
//!
//! # Formula
//! y_i = (x_i − μ) / √(σ² + ε) · weight_i + bias_i, with the mean μ and the variance σ² of the last axis
//!
//! # Jacobian
//! ∂y_i/∂x_m = weight_i/s (δ_im − 1/n − x̂_i x̂_m / n), where s = √(σ² + ε) and x̂ = (x − μ)/s
//!
//! # Domain
//! All reals; ε > 0, 1e-5 where nothing is said of it.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: each of its parts moves all elements of the axis, by the chain rule.

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "layer_norm(x, weight = none, bias = none, eps: number = 1e-5)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let (weight, bias) = (args.value_or_none("weight")?, args.value_or_none("bias")?);
        args.value("x")?.layer_norm(weight.as_ref(), bias.as_ref(), args.number("eps", 1e-5)?)
    },
    samples: || {
        vec![
            Sample::normal("layer_norm: rows", [&[2, 5]], |x| x[0].layer_norm(None, None, 1e-5)),
            Sample::normal("layer_norm: with weight and bias", [&[2, 5], &[5], &[5]], |x| {
                x[0].layer_norm(Some(&x[1]), Some(&x[2]), 1e-3)
            }),
        ]
    },
};

impl Val {
    /// Deviations from the mean of the last axis, in units of their size; times a weight and plus a bias, where these are given.
    ///
    /// # Errors
    /// On a scalar; where weight or bias do not broadcast.
    pub fn layer_norm(&self, weight: Option<&Val>, bias: Option<&Val>, eps: f64) -> Result<Val> {
        let last = [self.ndim().saturating_sub(1)];
        let deviation = (self - &self.mean(&last, true)?)?;
        let size = (&self.var(&last, true, 0)? + eps)?.sqrt()?;
        affine((&deviation / &size)?, weight, bias)
    }
}

/// Times a weight and plus a bias, where they are given.
pub(super) fn affine(value: Val, weight: Option<&Val>, bias: Option<&Val>) -> Result<Val> {
    let scaled = weight.map_or(Ok(value.clone()), |weight| &value * weight)?;
    bias.map_or(Ok(scaled.clone()), |bias| &scaled + bias)
}
