//! Each element of an axis several times.
//!
//! # Formula
//! y_(…, n·i + k, …) = x_(…, i, …) for k from 0 to n − 1
//!
//! # Jacobian
//! ∂y_(n·i + k)/∂x_m = δ_im, with a delta on every other axis.
//!
//! # Domain
//! All reals. Without an axis all elements are one row.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a new axis that the value is repeated along, and that becomes one with the one before it.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "repeat_interleave(x, repeats: count, axis: axis = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let repeats = args.count("repeats", 1)?;
        match args.axis("axis", x.ndim())? {
            Some(axis) => x.repeat_interleave(repeats, axis),
            None => x.vec_rows()?.repeat_interleave(repeats, 0),
        }
    },
    samples: || {
        vec![
            Sample::normal("repeat_interleave: a middle axis", [&[2, 3, 2]], |x| {
                x[0].repeat_interleave(2, 1)
            }),
            Sample::normal("repeat_interleave: a vector", [&[3]], |x| {
                x[0].repeat_interleave(3, 0)?.powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// Each element of `axis` so many times.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn repeat_interleave(&self, repeats: usize, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("repeat_interleave: {:?} has no axis {axis}", self.dims())));
        };
        let mut sizes: Vec<Option<Dim>> = self.dims().iter().copied().map(Some).collect();
        sizes.insert(axis + 1, Some(Dim::new(repeats)));
        let mut dims = self.dims().to_vec();
        dims[axis] = Dim::new(size.saturating_mul(repeats));
        self.unsqueeze(axis + 1)?.broadcast_to(&sizes)?.reshape(&dims)
    }
}
