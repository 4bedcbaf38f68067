//! The softmax along an axis: positive numbers that sum to 1.
//!
//! # Formula
//! a_i = exp(z_i) / Σ_k exp(z_k)
//!
//! # Jacobian
//! ∂a_i/∂z_m = δ_im a_i − a_i a_m, with a delta on every other axis
//!
//! # Domain
//! All reals; the largest z along the axis is subtracted first, so that nothing overflows.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! ln a_i = z_i − ln Σ exp z, so ∂a_i/∂z_m = a_i (δ_im − a_m).

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::div::DIV;
use super::exp::EXP_OF_DIFFERENCE;
use crate::kernel::Recipe;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The softmax along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Softmax {
    axis: usize,
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        if self.axis >= inputs[0].dims.len() || !inputs[0].dtype.is_float() {
            let Spec { dims, dtype } = inputs[0];
            return Err(Error::new(format!(
                "softmax: no axis {} to normalise along in {dtype} {dims:?}",
                self.axis
            )));
        }
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        if inputs[0].is_empty() {
            return Ok(vec![inputs[0].clone()]);
        }
        let largest = inputs[0].max(&[self.axis], true)?;
        let exps = inputs[0].pairs(&largest, "softmax", &EXP_OF_DIFFERENCE)?;
        let total = exps.sum(&[self.axis], true)?;
        Ok(vec![exps.pairs(&total, "softmax", &DIV.lines)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        let largest = recipe.max(inputs[0], &[self.axis], true);
        let exps = recipe.pairs(&EXP_OF_DIFFERENCE, inputs[0], largest);
        let total = recipe.sum(exps, &[self.axis], true);
        Some(recipe.pairs(&DIV.lines, exps, total))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let a = at.y();
        let i = Label::for_dims(a.dims());
        let mut m = i.clone();
        m[self.axis] = Label::new(a.dims()[self.axis]);
        let own = Factor::Dense(a.clone(), i.clone());
        Ok(at.network().plus_term(Coef::one(), &i, &i, [own.clone()]).plus_term(
            Coef::minus_one(),
            &i,
            &m,
            [own, Factor::Dense(a.clone(), m.clone())],
        ))
    }

    fn backward_is_whole(&self) -> bool {
        true
    }

    fn definition(&self, z: &str) -> Option<String> {
        Some(format!("exp({z}) / sum(exp({z}), axis={}, keepdims=true)", self.axis))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("softmax({}, axis={})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "softmax(x, axis: axis = -1)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let last = x.ndim().saturating_sub(1);
        x.softmax(args.axis("axis", x.ndim())?.unwrap_or(last))
    },
    samples: || {
        vec![
            Sample::normal("softmax: a vector", [&[5]], |x| x[0].softmax(0)),
            Sample::normal("softmax: a middle axis", [&[2, 3, 2]], |x| x[0].softmax(1)),
            Sample::given("softmax: large", [(&[3], &[1000.0, 1001.0, 998.0])], |x| x[0].softmax(0)),
        ]
    },
};

impl Val {
    /// The softmax along `axis`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn softmax(&self, axis: usize) -> Result<Val> {
        Val::apply(Softmax { axis }, &[self])
    }
}
