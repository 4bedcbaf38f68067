//! A value with one more axis, of size 1.
//!
//! # Formula
//! The elements stay as they are.
//!
//! # Jacobian
//! A delta on every axis that was there.
//!
//! # Domain
//! All reals. The new axis stands at `axis` of the result.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A reshape.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "unsqueeze(x, axis: axis)",
    aliases: &["expand_dims"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.unsqueeze(args.axis("axis", x.ndim() + 1)?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("unsqueeze: first", [&[3]], |x| x[0].unsqueeze(0)),
            Sample::normal("unsqueeze: last", [&[2, 3]], |x| x[0].unsqueeze(2)),
        ]
    },
};

impl Val {
    /// The value with an axis of size 1 at `axis`.
    ///
    /// # Errors
    /// Where there can be no such axis.
    pub fn unsqueeze(&self, axis: usize) -> Result<Val> {
        if axis > self.ndim() {
            return Err(Error::new(format!("unsqueeze: {:?} can have no new axis {axis}", self.dims())));
        }
        let mut dims = self.dims().to_vec();
        dims.insert(axis, Dim::new(1));
        self.reshape(&dims)
    }
}
