//! The logarithms of running sums of exponentials, along an axis.
//!
//! # Formula
//! y_(…, i, …) = ln Σ_{m ≤ i} exp(x_(…, m, …))
//!
//! # Jacobian
//! ∂y_i/∂x_m = M_im exp(x_m − y_m) with M = (I − diag(a) S)⁻¹, a_i = exp(y_(i−1) − y_i), where S shifts by one: an operator, applied by running
//! the recurrence and never written out. Every other axis has a delta.
//!
//! # Domain
//! All reals; each sum is taken relative to its largest term, so that nothing overflows.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! exp(y_i) = exp(y_(i−1)) + exp(x_i), so dy_i = exp(y_(i−1) − y_i) dy_(i−1) + exp(x_i − y_i) dx_i: a linear recurrence whose coefficients and
//! terms lie between 0 and 1, since y does not fall and no x is above its y.

use pullback_array::Array;

use super::cumsum::{along, beginning, moved_on, recurring, running};
use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// Logarithms of running sums of exponentials along an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LogCumSumExp {
    axis: usize,
}

impl Op for LogCumSumExp {
    fn name(&self) -> &'static str {
        "logcumsumexp"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        along(self.name(), inputs[0], self.axis)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let sum = |before: f64, own: f64| {
            let (less, more) = if before < own { (before, own) } else { (own, before) };
            // Of two that are infinite the difference is no number.
            if less == more { more + std::f64::consts::LN_2 } else { more + (less - more).exp().ln_1p() }
        };
        Ok(vec![running(inputs[0], self.axis, false, sum)?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // One for each term, which have nothing to do with one another.
        (inputs[0].shape()[self.axis].max(1) as f64).sqrt()
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (x, y) = (at.x(), at.y());
        let first = beginning(y, self.axis, y.dims()[self.axis].size().min(1))?;
        let kept = (&moved_on(y, self.axis, &first)? - y)?.exp()?;
        recurring(at, self.axis, &kept, (x - y)?.exp()?)
    }

    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let (x, axis, dims) = (&inputs[0], self.axis, at.x().dims());
        if dims[axis].size() < 2 {
            return Some(cotangent.to_owned());
        }
        let y = self.written(inputs);
        let along = |own: &str| {
            let each = (0..dims.len()).map(|k| if k == axis { own } else { ":" });
            each.collect::<Vec<_>>().join(", ")
        };
        let before = format!("concat([{y}[{}], {y}[{}]], axis={axis})", along(":1"), along(":-1"));
        Some(format!(
            "exp({x} - {y}) * linear_recurrence(exp({before} - {y}), {cotangent}, axis={axis}, reverse=true)"
        ))
    }

    fn adjoint_reason(&self) -> Option<&'static str> {
        Some(
            "each sum has its own exponential and those of the sum before, so that cotangents run from the end by the share that is the sum before",
        )
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("logcumsumexp({}, axis={})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "logcumsumexp(x, axis: axis = 0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.logcumsumexp(args.axis("axis", x.ndim())?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("logcumsumexp: a vector", [&[5]], |x| x[0].logcumsumexp(0)),
            Sample::normal("logcumsumexp: the first of two axes", [&[3, 2]], |x| x[0].logcumsumexp(0)),
            Sample::normal("logcumsumexp: in the middle", [&[2, 3, 2]], |x| x[0].logcumsumexp(1)),
            Sample::given("logcumsumexp: far apart", [(&[3], &[-800.0, 700.0, 699.0])], |x| {
                x[0].logcumsumexp(0)
            }),
            Sample::normal("logcumsumexp: one", [&[2, 1]], |x| x[0].logcumsumexp(1)),
            Sample::normal("logcumsumexp: nothing", [&[0]], |x| x[0].logcumsumexp(0)),
        ]
    },
};

impl Val {
    /// The logarithms of the running sums of exponentials along `axis`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn logcumsumexp(&self, axis: usize) -> Result<Val> {
        Val::apply(LogCumSumExp { axis }, &[self])
    }
}
