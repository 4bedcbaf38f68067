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

use pullback_array::{Array, Each, Pairs, each, pairs};
use pullback_network::Coef;

use super::exp::EXP_OF_DIFFERENCE;
use super::sum::{axes_written, reduced};
use crate::kernel::Recipe;
use crate::{Axes, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Stored, Val};

/// An infinite maximum is not subtracted: ∞ − ∞ has no value.
static FINITE: Each = each!(|m| if m.is_finite() { m } else { 0.0 });

/// The logarithm of the sum, and what was subtracted.
static LOG_PLUS: Pairs = pairs!(|t, m| t.ln() + m);

/// log Σ exp over axes.
#[derive(Debug, Clone, PartialEq)]
struct LogSumExp {
    axes: Vec<usize>,
    keepdims: bool,
    /// What a call of it has behind the operand.
    arguments: String,
    stored: Stored,
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
        let finite = largest.each(&FINITE)?;
        let exps = inputs[0].pairs(&finite, "logsumexp", &EXP_OF_DIFFERENCE)?;
        let total = exps.sum(&self.axes, true)?;
        let y = total.pairs(&finite, "logsumexp", &LOG_PLUS)?;
        let kept = |axis: &usize| self.keepdims || !self.axes.contains(axis);
        let shape: Vec<usize> = (0..y.ndim()).filter(kept).map(|axis| y.shape()[axis]).collect();
        Ok(vec![y.reshape(&shape)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        let largest = recipe.max(inputs[0], &self.axes, true);
        let finite = recipe.each(&FINITE, largest);
        let exps = recipe.pairs(&EXP_OF_DIFFERENCE, inputs[0], finite);
        let total = recipe.sum(exps, &self.axes, true);
        let y = recipe.pairs(&LOG_PLUS, total, finite);
        Some(if self.keepdims { y } else { recipe.without(y, &self.axes) })
    }

    fn stored(&self) -> Stored {
        self.stored
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (labels, out) = reduced("logsumexp", at.x(), &self.axes, self.keepdims)?;
        let kept = at.x().logsumexp_as(&self.axes, true, self.stored)?;
        let share = (at.x() - &kept)?.exp()?;
        Ok(at.network().plus_term(Coef::one(), &out, &labels, [Factor::Dense(share, labels.clone())]))
    }

    fn definition(&self, x: &str) -> Option<String> {
        Some(format!("log(sum(exp({x}){}))", self.arguments))
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
        self.logsumexp_as(axes, keepdims, Stored::Pieces)
    }

    fn logsumexp_as(&self, axes: &[usize], keepdims: bool, stored: Stored) -> Result<Val> {
        let arguments = axes_written(self, axes, keepdims);
        Val::apply(LogSumExp { axes: axes.to_vec(), keepdims, arguments, stored }, &[self])
    }

    /// The same as what a logarithm of a softmax subtracts, which kernels compute as a whole.
    pub(super) fn log_of_softmax(&self, axis: usize, keepdims: bool) -> Result<Val> {
        self.logsumexp_as(&[axis], keepdims, Stored::Nothing)
    }
}
