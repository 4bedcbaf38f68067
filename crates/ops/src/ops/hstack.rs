//! Values side by side: along the second axis, vectors along their only one.
//!
//! # Formula
//! y = concat(xs, axis=1), of vectors concat(xs, axis=0)
//!
//! # Jacobian
//! That of `concat`.
//!
//! # Domain
//! All reals; all of one rank, whose other sizes are equal. A scalar counts as a vector of one.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition, as in NumPy.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "hstack(*xs)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Val::hstack(&args.values("xs")?),
    samples: || {
        vec![
            Sample::normal("hstack: vectors", [&[2], &[3]], Val::hstack),
            Sample::normal("hstack: matrices", [&[2, 1], &[2, 3]], |x| Val::hstack(x)?.powf(2.0)),
        ]
    },
};

/// Each as a value of at least one axis.
pub(super) fn vectors(xs: &[Val]) -> Result<Vec<Val>> {
    if xs.is_empty() {
        return Err(Error::new("stacked is one value at least"));
    }
    xs.iter().map(|x| if x.ndim() == 0 { x.vec_rows() } else { Ok(x.clone()) }).collect()
}

impl Val {
    /// Values side by side.
    ///
    /// # Errors
    /// Where there is none, or shapes do not fit.
    pub fn hstack(xs: &[Val]) -> Result<Val> {
        let xs = vectors(xs)?;
        let axis = usize::from(xs[0].ndim() > 1);
        Val::concat(&xs.iter().collect::<Vec<_>>(), axis)
    }
}
