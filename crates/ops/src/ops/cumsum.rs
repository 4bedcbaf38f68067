//! Running sums along an axis.
//!
//! # Formula
//! y_(…, i, …) = Σ_{m ≤ i} x_(…, m, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m ≤ i]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Each sum is linear in all that came before. The condition is a matrix of zeros and ones with the square of the axis's size in entries:
//! a pass forward is linear in that size, a derivative is not.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Running sums along an axis; see the page of this module.
#[derive(Debug, Clone, Copy)]
struct CumSum {
    axis: usize,
}

impl Op for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        if self.axis >= x.dims.len() {
            return Err(Error::new(format!("cumsum: {:?} has no axis {}", x.dims, self.axis)));
        }
        if !x.dtype.is_float() {
            return Err(Error::new(format!("cumsum: an array of {} is not differentiable", x.dtype))
                .with_hint("draw or load it as a float"));
        }
        Ok(vec![x.clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let x = inputs[0];
        let shape = x.shape();
        let inner: usize = shape[self.axis + 1..].iter().product();
        let mut sums = x.to_vec_f64();
        let single = x.dtype() == DType::F32;
        for block in sums.chunks_exact_mut((inner * shape[self.axis]).max(1)) {
            for at in inner..block.len() {
                let sum = block[at] + block[at - inner];
                block[at] = if single { f64::from(sum as f32) } else { sum };
            }
        }
        Ok(vec![Array::from_vec(shape, sums)?.cast(x.dtype())?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let mut out = x.clone();
        let dim = at.x().dims()[self.axis];
        out[self.axis] = Label::new(dim);
        let size = dim.size();
        pullback_array::memory::room(size.saturating_mul(size).saturating_mul(size_of::<f64>()))?;
        let entries = (0..size * size).map(|at| if at % size <= at / size { 1.0 } else { 0.0 }).collect();
        let before = Array::from_vec::<f64>(&[size, size], entries)?.cast(at.y().dtype())?;
        let before = Val::with_dims(before, &[dim, dim])?.named(&format!("tril(ones({}, {0}))", called(dim)));
        let factor = Factor::Dense(before, vec![out[self.axis], x[self.axis]]);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [factor]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("cumsum({}, axis={})", inputs[0], self.axis)
    }
}

/// A size as a program writes it.
pub(super) fn called(dim: Dim) -> String {
    dim.name().map_or_else(|| dim.size().to_string(), |name| name.as_str().to_string())
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cumsum(x, axis=0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.cumsum(args.axis("axis", x.ndim())?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("cumsum: a vector", [&[5]], |x| x[0].cumsum(0)),
            Sample::normal("cumsum: the first of two axes", [&[3, 2]], |x| x[0].cumsum(0)),
            Sample::normal("cumsum: in the middle", [&[2, 3, 2]], |x| x[0].powf(2.0)?.cumsum(1)),
            Sample::normal("cumsum: nothing", [&[0]], |x| x[0].cumsum(0)),
        ]
    },
};

impl Val {
    /// The running sums along `axis`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn cumsum(&self, axis: usize) -> Result<Val> {
        Val::apply(CumSum { axis }, &[self])
    }
}
