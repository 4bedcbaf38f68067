//! Vectors as the columns of a matrix.
//!
//! # Formula
//! y_ik = (x_k)_i; what is a matrix already is put beside them
//!
//! # Jacobian
//! That of `concat`.
//!
//! # Domain
//! All reals; all with as many rows.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition, as in NumPy.

use super::hstack::vectors;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "column_stack(*xs)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Val::column_stack(&args.values("xs")?),
    samples: || {
        vec![Sample::normal("column_stack: vectors, and a matrix", [&[3], &[3, 2]], Val::column_stack)]
    },
};

impl Val {
    /// Vectors as columns.
    ///
    /// # Errors
    /// Where there is none, or shapes do not fit.
    pub fn column_stack(xs: &[Val]) -> Result<Val> {
        let column = |x: &Val| if x.ndim() == 1 { x.unsqueeze(1) } else { Ok(x.clone()) };
        let columns: Vec<Val> = vectors(xs)?.iter().map(column).collect::<Result<_>>()?;
        Val::concat(&columns.iter().collect::<Vec<_>>(), 1)
    }
}
