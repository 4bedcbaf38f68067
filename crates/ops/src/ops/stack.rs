//! Values of equal shapes put along a new axis.
//!
//! # Formula
//! y_(…, k, …) = (x_k)_(…)
//!
//! # Jacobian
//! ∂y_(…, i, …)/∂x_k = `[i = k]`, with a delta on every axis of x_k.
//!
//! # Domain
//! All reals. All shapes are equal.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Each operand gets an axis of size 1, and then they are put one behind the other along it.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "stack(*xs, axis: axis = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let xs = args.values("xs")?;
        let rank = xs.first().map_or(0, Val::ndim) + 1;
        Val::stack(&xs.iter().collect::<Vec<_>>(), args.axis("axis", rank)?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("stack: vectors", [&[3], &[3]], |x| Val::stack(&[&x[0], &x[1]], 0)),
            Sample::normal("stack: the last axis", [&[2, 3], &[2, 3]], |x| Val::stack(&[&x[0], &x[1]], 2)),
            Sample::normal("stack: scalars", [&[], &[]], |x| Val::stack(&[&x[0], &x[1], &x[0]], 0)),
        ]
    },
};

impl Val {
    /// Values of equal shapes along a new axis.
    ///
    /// # Errors
    /// Where there are none, shapes differ, or there can be no such axis.
    pub fn stack(xs: &[&Val], axis: usize) -> Result<Val> {
        let first = xs.first().ok_or_else(|| Error::new("stack: there are no values"))?;
        if let Some(other) = xs.iter().find(|x| x.dims() != first.dims()) {
            return Err(Error::new(format!(
                "stack: the shapes {:?} and {:?} differ",
                first.dims(),
                other.dims()
            ))
            .with_hint("`concat` puts values one behind the other along an axis that they have"));
        }
        if axis > first.ndim() {
            return Err(Error::new(format!("stack: {:?} can have no new axis {axis}", first.dims())));
        }
        let mut dims = first.dims().to_vec();
        dims.insert(axis, Dim::new(1));
        let rows: Result<Vec<Val>> = xs.iter().map(|x| x.reshape(&dims)).collect();
        Val::concat(&rows?.iter().collect::<Vec<_>>(), axis)
    }
}
