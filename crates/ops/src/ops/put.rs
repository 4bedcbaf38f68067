//! Elements added up at places that the program computes: the adjoint of `pick`.
//!
//! # Formula
//! y_(b…, n, r…) = Σ_(t: index_(b…, t…) = n) x_(b…, t…, r…)
//!
//! # Jacobian
//! ∂y_n/∂x_t = `[n = index_t]`, with a delta on every batch axis b and every other axis r.
//!
//! # Domain
//! All reals; indices from −n to n − 1, where a negative one counts from the end. The index is not differentiated.
//!
//! # At kinks and ties
//! Smooth where the index does not change.
//!
//! # Why
//! Every element goes to one place, and what goes to the same place is added.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Map, Operator};

use super::pick::flat_rows;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Sums at places along a new axis behind the batch axes; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Put {
    batch: usize,
    size: Dim,
}

impl Op for Put {
    fn name(&self) -> &'static str {
        "put"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (x, index) = (inputs[0], inputs[1]);
        let fits = index.dims.len() >= self.batch
            && x.shape().starts_with(&index.shape())
            && index.dtype == DType::I64;
        if !fits {
            return Err(Error::new(format!(
                "put: {:?} at {} {:?} with {} axes in common",
                x.dims, index.dtype, index.dims, self.batch
            ))
            .with_hint("the index holds integers, one for each of the first axes"));
        }
        let behind = &x.dims[index.dims.len()..];
        let dims: Vec<Dim> = x.dims[..self.batch].iter().chain([&self.size]).chain(behind).copied().collect();
        let count = dims.iter().fold(size_of::<f64>(), |count, dim| count.saturating_mul(dim.size()));
        pullback_array::memory::room(count)?;
        Ok(vec![Spec::new(dims, x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (x, index) = (inputs[0], inputs[1]);
        let lead = &x.shape()[..self.batch];
        let size = self.size.size();
        let rows = flat_rows(index, lead, size)?;
        let sums = x.scatter_add(&rows, lead.iter().product::<usize>() * size)?;
        let shape = [lead, &[size], &x.shape()[index.ndim()..]].concat();
        Ok(vec![sums.reshape(&shape)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (index, x) = (&at.inputs()[1], at.x());
        if at.input() != 0 {
            return Ok(at.network());
        }
        let slots = Label::for_dims(x.dims());
        let place = Label::new(self.size);
        let (lead, behind) = slots.split_at(index.ndim());
        let out = [&lead[..self.batch], &[place], behind].concat();
        let operator = Operator {
            map: Map::Selection(index.clone()),
            batch: lead[..self.batch].to_vec(),
            rows: lead[self.batch..].to_vec(),
            columns: vec![place],
        };
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [Factor::Operator(operator)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("put({}, {}, {})", inputs[0], inputs[1], super::cumsum::called(self.size))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "put(x, index: indices, size: shape, batch: count = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let [size] = args.shape("size", None)?[..] else {
            return Err(Error::new("put: `size` is one size"));
        };
        args.value("x")?.put(&args.value("index")?, args.count("batch", 0)?, size)
    },
    samples: || {
        vec![
            Sample::normal("put: repeated rows", [&[4, 3]], |x| {
                x[0].put(&Val::new(Array::from_slice(&[4], &[0i64, 2, 2, -1])?), 0, 5.into())
            }),
            Sample::normal("put: in a batch", [&[2, 3]], |x| {
                x[0].put(&Val::new(Array::from_slice(&[2, 3], &[3i64, 0, 0, 1, 2, 1])?), 1, 4.into())
            }),
            Sample::normal("put: reused", [&[2, 3, 2]], |x| {
                x[0].put(&Val::new(Array::from_slice(&[2, 3], &[3i64, 0, 0, 1, 2, 1])?), 1, 4.into())?
                    .powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// The elements `[b…, t…, r…]` of `self`, added up in an axis of `size` at the places that the index `[b…, t…]` names; `batch` axes
    /// are in common. Shape: `[b…, size, r…]`.
    ///
    /// # Errors
    /// Where the shapes do not fit or the index holds no integers; on evaluation, where one lies outside the axis.
    pub fn put(&self, index: &Val, batch: usize, size: Dim) -> Result<Val> {
        Val::apply(Put { batch, size }, &[self, index])
    }
}
