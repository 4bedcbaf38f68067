//! The share of each element in the maximum over some axes: 1/t for each of t tied largest elements, else 0.
//!
//! # Formula
//! s_ik = `[x_ik = max_l x_il]` / #{l : x_il is largest}
//!
//! # Jacobian
//! ∂s_ik/∂x_mn = 0
//!
//! # Domain
//! All reals; at least one element.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at ties too.
//!
//! # Why
//! The derivative of max. It stands in the table so that second derivatives go through the graph.

use pullback_array::Array;

use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// The share of each element in the maximum over axes.
#[derive(Debug, Clone)]
struct TieShare {
    axes: Vec<usize>,
    /// What a call of it has behind the operand.
    arguments: String,
}

impl Op for TieShare {
    fn name(&self) -> &'static str {
        "tie_share"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        super::max::reduction_spec(self.name(), inputs[0], &self.axes, true)?;
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let largest = inputs[0].max(&self.axes, true)?;
        let tied = |x: f64, m: f64| if x == m { 1.0 } else { 0.0 };
        let ties = inputs[0].zip(&largest, "tie_share", |x, m| tied(x.into(), m.into()) as f32, tied)?;
        let count = ties.sum(&self.axes, true)?;
        Ok(vec![ties.zip(&count, "tie_share", |t, n| t / n, |t, n| t / n)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("tie_share({}{})", inputs[0], self.arguments)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "tie_share(x, axis=none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.tie_share(&args.axes("axis", x.ndim())?)
    },
    samples: || {
        vec![
            Sample::normal("tie_share: one axis", [&[2, 3]], |x| x[0].tie_share(&[1])),
            Sample::given("tie_share: ties", [(&[4], &[1.0, 3.0, 3.0, 0.0])], |x| x[0].tie_share(&[0]))
                .at_kink(),
        ]
    },
};

impl Val {
    /// The share of each element in the maximum over `axes`.
    ///
    /// # Errors
    /// Where an axis does not exist, is named twice or is empty.
    pub fn tie_share(&self, axes: &[usize]) -> Result<Val> {
        let arguments = super::sum::axes_written(self, axes, false);
        Val::apply(TieShare { axes: axes.to_vec(), arguments }, &[self])
    }
}
