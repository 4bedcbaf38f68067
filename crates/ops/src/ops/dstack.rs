//! Values behind each other, along a third axis.
//!
//! # Formula
//! y_ijk = (x_k)_ij, where a vector is a matrix of one row
//!
//! # Jacobian
//! That of `concat`.
//!
//! # Domain
//! All reals; all with the same first two axes.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition, as in NumPy.

use super::hstack::vectors;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "dstack(*xs)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Val::dstack(&args.values("xs")?),
    samples: || {
        vec![
            Sample::normal("dstack: vectors", [&[3], &[3]], Val::dstack),
            Sample::normal("dstack: a matrix, and two", [&[2, 3], &[2, 3, 2]], |x| Val::dstack(x)?.powf(2.0)),
        ]
    },
};

impl Val {
    /// Values along a third axis.
    ///
    /// # Errors
    /// Where there is none, or shapes do not fit.
    pub fn dstack(xs: &[Val]) -> Result<Val> {
        let deep = |x: &Val| match x.ndim() {
            1 => x.unsqueeze(0)?.unsqueeze(2),
            2 => x.unsqueeze(2),
            _ => Ok(x.clone()),
        };
        let deep: Vec<Val> = vectors(xs)?.iter().map(deep).collect::<Result<_>>()?;
        Val::concat(&deep.iter().collect::<Vec<_>>(), 2)
    }
}
