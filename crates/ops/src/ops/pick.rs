//! Elements selected by integers that the program computes.
//!
//! # Formula
//! y_(b…, t…, r…) = x_(b…, index_(b…, t…), r…)
//!
//! # Jacobian
//! ∂y_t/∂x_n = `[n = index_t]`, with a delta on every batch axis b and every other axis r. An index that repeats makes the vjp add.
//!
//! # Domain
//! All reals; indices from −n to n − 1, where a negative one counts from the end. The index is not differentiated.
//!
//! # At kinks and ties
//! Smooth where the index does not change; where it does, that is a jump or a kink of what computes it.
//!
//! # Why
//! Elements move, some several times, and do not change. Unlike those of `gather` the indices are a value of the program: it may be run on
//! other numbers, which may have other indices.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Label, Map, Operator};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Selection along the axis behind the batch axes; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pick {
    batch: usize,
}

impl Op for Pick {
    fn name(&self) -> &'static str {
        "pick"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (x, index) = (inputs[0], inputs[1]);
        let fits = x.dims.len() > self.batch
            && index.dims.len() >= self.batch
            && x.shape()[..self.batch] == index.shape()[..self.batch]
            && index.dtype == DType::I64;
        if !fits {
            return Err(Error::new(format!(
                "pick: {:?} by {} {:?} with {} axes in common",
                x.dims, index.dtype, index.dims, self.batch
            ))
            .with_hint("the index holds integers, and begins with the axes in common"));
        }
        let dims = index.dims.iter().chain(&x.dims[self.batch + 1..]).copied().collect();
        Ok(vec![Spec::new(dims, x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (x, index) = (inputs[0], inputs[1]);
        let (lead, rest) = x.shape().split_at(self.batch);
        let rows = flat_rows(index, lead, rest[0])?;
        let flat = [&[lead.iter().product::<usize>() * rest[0]], &rest[1..]].concat();
        Ok(vec![x.reshape(&flat)?.gather(&rows)?])
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
        let selected = Label::for_dims(&index.dims()[self.batch..]);
        let (batch, behind) = (&slots[..self.batch], &slots[self.batch + 1..]);
        let out = [batch, &selected, behind].concat();
        let operator = Operator {
            map: Map::Selection(index.clone()),
            batch: batch.to_vec(),
            rows: selected,
            columns: vec![slots[self.batch]],
        };
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [Factor::Operator(operator)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        match self.batch {
            0 => format!("pick({}, {})", inputs[0], inputs[1]),
            batch => format!("pick({}, {}, batch={batch})", inputs[0], inputs[1]),
        }
    }
}

/// The places that an index with batch axes `lead` names in the rows `[lead… · size]`.
pub(super) fn flat_rows(index: &Array, lead: &[usize], size: usize) -> Result<Array> {
    let batches = lead.iter().product::<usize>().max(1);
    let entries = index.to_vec_i64()?;
    let each = entries.len() / batches;
    let row = |(at, &entry): (usize, &i64)| {
        let from_start = if entry < 0 { entry.saturating_add(size as i64) } else { entry };
        match usize::try_from(from_start) {
            Ok(place) if place < size => Ok((at / each * size + place) as i64),
            _ => Err(Error::new(format!("the index {entry} lies outside an axis of size {size}"))),
        }
    };
    let rows: Result<Vec<i64>> = entries.iter().enumerate().map(row).collect();
    Ok(Array::from_vec(index.shape(), rows?)?)
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "pick(x, index: indices, batch: count = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("x")?.pick(&args.value("index")?, args.count("batch", 0)?),
    samples: || {
        vec![
            Sample::normal("pick: repeated rows", [&[4, 3]], |x| {
                x[0].pick(&indices(&[2, 2], &[0, 2, 2, -1])?, 0)
            }),
            Sample::normal("pick: in a batch", [&[2, 4]], |x| {
                x[0].pick(&indices(&[2, 3], &[3, 0, 0, 1, 2, 1])?, 1)
            }),
            Sample::normal("pick: reused", [&[2, 4, 2]], |x| {
                x[0].pick(&indices(&[2, 3], &[3, 0, 0, 1, 2, 1])?, 1)?.powf(2.0)
            }),
            Sample::normal("pick: one of a batch", [&[2, 4]], |x| x[0].pick(&indices(&[2], &[3, 1])?, 1)),
        ]
    },
};

fn indices(shape: &[usize], data: &[i64]) -> Result<Val> {
    Ok(Val::new(Array::from_slice(shape, data)?))
}

impl Val {
    /// `self[b…, index[b…, t…], r…]`, for integers with `batch` axes in common. Shape: that of the index, then the axes r.
    ///
    /// # Errors
    /// Where the shapes do not fit or the index holds no integers; on evaluation, where one lies outside its axis.
    pub fn pick(&self, index: &Val, batch: usize) -> Result<Val> {
        Val::apply(Pick { batch }, &[self, index])
    }
}
