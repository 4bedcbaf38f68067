//! The logarithm of a sum of exponentials, over some axes or all.
//!
//! # Formula
//! y_i = ln Σ_k exp(x_ik)
//!
//! # Jacobian
//! ∂y_i/∂x_mn = δ_im s_in, with s = exp(x − y) the softmax over the reduced axes
//!
//! # Domain
//! All reals; the largest x is subtracted first, so that nothing overflows.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! d ln S = dS / S, and dS/dx = exp x.

use pullback_array::Array;
use pullback_network::Coef;

use super::sum::{axes_written, reduced};
use crate::{Axes, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// log Σ exp over axes.
#[derive(Debug, Clone)]
struct LogSumExp {
    axes: Vec<usize>,
    keepdims: bool,
    /// What a call of it has behind the operand.
    arguments: String,
}

impl Op for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        super::max::reduction_spec(self.name(), inputs[0], &self.axes, self.keepdims)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let largest = inputs[0].max(&self.axes, true)?;
        // An infinite maximum is not subtracted: ∞ − ∞ has no value.
        let finite =
            largest.map(|m| if m.is_finite() { m } else { 0.0 }, |m| if m.is_finite() { m } else { 0.0 })?;
        let exps = inputs[0].zip(&finite, "logsumexp", |x, m| (x - m).exp(), |x, m| (x - m).exp())?;
        let total = exps.sum(&self.axes, true)?;
        let y = total.zip(&finite, "logsumexp", |t, m| t.ln() + m, |t, m| t.ln() + m)?;
        let kept = |axis: &usize| self.keepdims || !self.axes.contains(axis);
        let shape: Vec<usize> = (0..y.ndim()).filter(kept).map(|axis| y.shape()[axis]).collect();
        Ok(vec![y.reshape(&shape)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (labels, out) = reduced("logsumexp", at.x(), &self.axes, self.keepdims)?;
        let kept = at.x().logsumexp(&self.axes, true)?;
        let share = (at.x() - &kept)?.exp()?;
        Ok(at.network().plus_term(Coef::one(), &out, &labels, [Factor::Dense(share, labels.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("logsumexp({}{})", inputs[0], self.arguments)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "logsumexp(x, axis: axes = none, keepdims: flag = false)",
    aliases: &[],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.logsumexp(&args.axes("axis", x.ndim())?, args.flag("keepdims")?)
    },
    samples: || {
        vec![
            Sample::normal("logsumexp: one axis", [&[2, 3]], |x| x[0].logsumexp(&[1], false)),
            Sample::normal("logsumexp: all, kept", [&[2, 3]], |x| x[0].logsumexp(&[0, 1], true)),
        ]
    },
};

impl Val {
    /// ln Σ exp over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist, is named twice or is empty.
    pub fn logsumexp(&self, axes: &[usize], keepdims: bool) -> Result<Val> {
        let arguments = axes_written(self, axes, keepdims);
        Val::apply(LogSumExp { axes: axes.to_vec(), keepdims, arguments }, &[self])
    }
}
