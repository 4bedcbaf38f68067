//! Values one below the other: along the first axis, vectors as rows.
//!
//! # Formula
//! y = concat(xs, axis=0), of vectors stack(xs, axis=0)
//!
//! # Jacobian
//! That of `concat`.
//!
//! # Domain
//! All reals; all of one rank, whose other sizes are equal.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition, as in NumPy.

use super::hstack::vectors;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "vstack(*xs)",
    aliases: &["row_stack"],
    axes: Axes::Own,
    call: |args| Val::vstack(&args.values("xs")?),
    samples: || {
        vec![
            Sample::normal("vstack: vectors", [&[3], &[3]], Val::vstack),
            Sample::normal("vstack: matrices", [&[2, 3], &[1, 3]], |x| Val::vstack(x)?.powf(2.0)),
        ]
    },
};

impl Val {
    /// Values one below the other.
    ///
    /// # Errors
    /// Where there is none, or shapes do not fit.
    pub fn vstack(xs: &[Val]) -> Result<Val> {
        let row = |x: &Val| if x.ndim() == 1 { x.unsqueeze(0) } else { Ok(x.clone()) };
        let rows: Vec<Val> = vectors(xs)?.iter().map(row).collect::<Result<_>>()?;
        Val::concat(&rows.iter().collect::<Vec<_>>(), 0)
    }
}
