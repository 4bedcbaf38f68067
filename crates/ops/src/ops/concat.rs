//! Values put one behind the other along an axis.
//!
//! # Formula
//! y_(…, start_k + m, …) = (x_k)_(…, m, …), where start_k is what the operands before x_k take of the axis
//!
//! # Jacobian
//! ∂y_i/∂(x_k)_m = `[i = start_k + m]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals. All axes but the one have the same sizes.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change; a cotangent is cut into the parts again.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// One behind the other along an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Concat {
    axis: usize,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let first = inputs[0];
        let mut dims = first.dims.clone();
        if self.axis >= dims.len() {
            return Err(Error::new(format!("concat: {dims:?} has no axis {}", self.axis))
                .with_hint("`stack` puts values of equal shapes along a new axis"));
        }
        let mut size = 0usize;
        for spec in inputs {
            let fits = |k: usize| k == self.axis || spec.dims[k] == dims[k];
            if spec.dims.len() != dims.len() || !(0..dims.len()).all(fits) {
                return Err(Error::new(format!(
                    "concat: cannot put {:?} behind {:?} along axis {}",
                    spec.dims, first.dims, self.axis
                ))
                .with_hint("all axes but that one have equal sizes"));
            }
            size = size.saturating_add(spec.dims[self.axis].size());
        }
        dims[self.axis] = if inputs.len() == 1 { first.dims[self.axis] } else { Dim::new(size) };
        let dtype = inputs.iter().map(|spec| spec.dtype).reduce(promote).unwrap_or(first.dtype);
        Ok(vec![Spec::new(dims, dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let dtype = inputs.iter().map(|array| array.dtype()).reduce(promote).unwrap_or(inputs[0].dtype());
        let arrays: pullback_array::Result<Vec<Array>> =
            inputs.iter().map(|array| array.cast(dtype)).collect();
        Ok(vec![Array::concat(&arrays?, self.axis)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let start: usize = at.inputs()[..at.input()].iter().map(|x| x.dims()[self.axis].size()).sum();
        let x = Label::for_dims(at.x().dims());
        let mut out = x.clone();
        out[self.axis] = Label::new(at.y().dims()[self.axis]);
        let relation = Relation::affine([(1, x[self.axis]), (-1, out[self.axis])], start as i64);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("concat([{}], axis={})", inputs.join(", "), self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "concat(*xs, axis: axis = 0)",
    aliases: &["cat", "concatenate"],
    axes: Axes::Own,
    call: |args| {
        let xs = args.values("xs")?;
        let rank = xs.first().map_or(0, Val::ndim);
        Val::concat(&xs.iter().collect::<Vec<_>>(), args.axis("axis", rank)?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("concat: rows", [&[2, 3], &[4, 3]], |x| Val::concat(&[&x[0], &x[1]], 0)),
            Sample::normal("concat: three, the last axis", [&[2, 1], &[2, 3], &[2, 2]], |x| {
                Val::concat(&[&x[0], &x[1], &x[2]], 1)
            }),
            Sample::normal("concat: with itself", [&[3]], |x| {
                Val::concat(&[&x[0], &x[0].powf(2.0)?, &x[0]], 0)
            }),
            Sample::normal("concat: with nothing", [&[2], &[0]], |x| Val::concat(&[&x[0], &x[1]], 0)),
        ]
    },
};

impl Val {
    /// Values one behind the other along `axis`.
    ///
    /// # Errors
    /// Where there are none, there is no such axis, or other axes differ.
    pub fn concat(xs: &[&Val], axis: usize) -> Result<Val> {
        Val::apply(Concat { axis }, xs)
    }
}
