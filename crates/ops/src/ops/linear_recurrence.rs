//! The solution of a first-order linear recurrence along an axis: a linear state-space model, a running product, an exponential average.
//!
//! # Formula
//! y_i = a_i y_(i−1) + b_i, with y before the first being 0; where `reverse`, its adjoint y_i = a_(i+1) y_(i+1) + b_i, from the end
//!
//! # Jacobian
//! ∂y_i/∂b_m = M_im with M = (I − diag(a) S)⁻¹, where S shifts by one: an operator, applied by running the recurrence and never written
//! out; its transpose is the recurrence from the other end. ∂y_i/∂a_m = M_im y_(m−1). Every other axis has a delta.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! From y = diag(a) S y + b: dy = M (db + diag(S y) da).

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Map, Operator, Relation};

use super::sort::moved_last;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// y of a, `[batch…, n]`, and b, `[batch…, n, k]`; or the adjoint of the map from b to y. See the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LinearRecurrence {
    transposed: bool,
}

impl Op for LinearRecurrence {
    fn name(&self) -> &'static str {
        "linear_recurrence"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (a, b) = (inputs[0], inputs[1]);
        let fits = !a.dims.is_empty()
            && b.dims.len() == a.dims.len() + 1
            && b.shape().starts_with(&a.shape())
            && a.dtype == b.dtype
            && a.dtype.is_float();
        if !fits {
            return Err(Error::new(format!(
                "linear_recurrence: {} {:?} and {} {:?} are no coefficients and terms",
                a.dtype, a.dims, b.dtype, b.dims
            ))
            .with_hint("both have one shape, of one float type"));
        }
        Ok(vec![b.clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (a, b) = (inputs[0], inputs[1]);
        let rank = a.ndim();
        let (steps, inner) = (a.shape()[rank - 1], b.shape()[rank]);
        let (coefficients, mut y) = (a.to_vec_f64(), b.to_vec_f64());
        let single = b.dtype() == DType::F32;
        let round = |x: f64| if single { f64::from(x as f32) } else { x };
        let rows = coefficients.chunks(steps.max(1)).zip(y.chunks_mut((steps * inner).max(1)));
        for (coefficients, y) in rows {
            for step in 1..steps {
                // Into which row, from which, times the coefficient of which.
                let (to, from, by) = match self.transposed {
                    true => (steps - 1 - step, steps - step, steps - step),
                    false => (step, step - 1, step),
                };
                for k in 0..inner {
                    let product = round(coefficients[by] * y[from * inner + k]);
                    y[to * inner + k] = round(product + y[to * inner + k]);
                }
            }
        }
        Ok(vec![Array::from_vec(b.shape(), y)?.cast(b.dtype())?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // As many as there are steps, which have nothing to do with one another.
        inputs[0].shape().last().map_or(1.0, |&steps| (steps.max(1) as f64).sqrt())
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let y = at.y();
        let out = Label::for_dims(y.dims());
        let last = out.len() - 2;
        let (batch, i, k) = (&out[..last], out[last], out[last + 1]);
        let m = Label::new(i.dim());
        let (rows, columns) = if self.transposed { (m, i) } else { (i, m) };
        let operator = Factor::Operator(Operator {
            map: Map::Recurrence(at.inputs()[0].clone()),
            batch: batch.to_vec(),
            rows: vec![rows],
            columns: vec![columns],
        });
        if at.input() == 1 {
            let slots = [batch, &[m, k]].concat();
            return Ok(at.network().plus_term(Coef::one(), &out, &slots, [operator]));
        }
        // y_(m−1) belongs to a_m; of the transpose, y_m to a_m in the equation for y_(m−1).
        let p = Label::new(i.dim());
        let before = Relation::affine([(1, m), (-1, p)], -1);
        let (slot, from) = if self.transposed { (p, p) } else { (m, p) };
        let (at_slot, equation) = match self.transposed {
            // y_i = a_(i+1) y_(i+1) + b_i: slot p = m + 1.
            true => (slot, Relation::affine([(1, p), (-1, m)], -1)),
            false => (slot, before),
        };
        let y = Factor::Dense(y.clone(), [batch, &[from, k]].concat());
        let slots = [batch, &[at_slot]].concat();
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [operator, Factor::Relation(equation), y]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "linear_recurrence(a, b, axis: axis = 0, reverse: flag = false)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let b = args.value("b")?;
        let (axis, reversed) = (args.axis("axis", b.ndim())?.unwrap_or(0), args.flag("reverse")?);
        args.value("a")?.recurrence_from(&b, axis, reversed)
    },
    samples: || {
        vec![
            Sample::normal("linear_recurrence: vectors", [&[5], &[5]], |x| x[0].linear_recurrence(&x[1], 0)),
            Sample::normal("linear_recurrence: the first axis", [&[4, 3], &[4, 3]], |x| {
                x[0].linear_recurrence(&x[1], 0)
            }),
            Sample::normal("linear_recurrence: the last axis", [&[2, 4], &[2, 4]], |x| {
                x[0].linear_recurrence(&x[1], 1)?.powf(2.0)
            }),
            Sample::normal("linear_recurrence: several terms", [&[2, 3], &[2, 3, 2]], |x| {
                x[0].recur(&x[1], false)
            }),
            Sample::normal("linear_recurrence: its adjoint", [&[2, 4], &[2, 4, 2]], |x| {
                x[0].recur(&x[1], true)
            }),
            Sample::normal("linear_recurrence: one step", [&[1], &[1]], |x| x[0].linear_recurrence(&x[1], 0)),
        ]
    },
};

impl Val {
    /// y with `y_i = self_i · y_(i−1) + b_i` along `axis`, starting at 0. Shape: that of both.
    ///
    /// # Errors
    /// Where the shapes or types differ, or there is no such axis.
    pub fn linear_recurrence(&self, b: &Val, axis: usize) -> Result<Val> {
        self.recurrence_from(b, axis, false)
    }

    /// The same, or where `reversed` its adjoint, from the end: `y_i = self_(i+1) · y_(i+1) + b_i`.
    ///
    /// # Errors
    /// As [`linear_recurrence`](Val::linear_recurrence).
    pub fn recurrence_from(&self, b: &Val, axis: usize, reversed: bool) -> Result<Val> {
        if self.shape() != b.shape() || axis >= b.ndim() {
            return Err(Error::new(format!(
                "linear_recurrence: coefficients {:?} and terms {:?} along axis {axis}",
                self.dims(),
                b.dims()
            ))
            .with_hint("both have one shape"));
        }
        let (to, back) = moved_last(b.ndim(), axis);
        let is_last = axis + 1 == b.ndim();
        let there = |value: &Val| if is_last { Ok(value.clone()) } else { value.permute(&to) };
        let terms = there(b)?;
        let with_column = [terms.dims(), &[Dim::new(1)]].concat();
        let y = there(self)?.recur(&terms.reshape(&with_column)?, reversed)?.reshape(terms.dims())?;
        if is_last { Ok(y) } else { y.permute(&back) }
    }

    /// y with `y_i = self_i · y_(i−1) + b_i` for `self` of shape `[batch…, n]` and b of shape `[batch…, n, k]`; where `transposed`, what
    /// the adjoint of that map makes of b.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    pub fn recur(&self, b: &Val, transposed: bool) -> Result<Val> {
        Val::apply(LinearRecurrence { transposed }, &[self, b])
    }
}
