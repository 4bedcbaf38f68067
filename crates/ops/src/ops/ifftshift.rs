//! The first element of each axis back to the start, as `fftshift` moved it.
//!
//! # Formula
//! y_(…, i, …) = x_(…, (i + ⌊n/2⌋) mod n, …) along each axis
//!
//! # Jacobian
//! A delta, moved along each axis.
//!
//! # Domain
//! All reals; all axes where none is named, as in NumPy and PyTorch.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: elements move on by half of the axis, those that leave it at the end coming back at the start.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "ifftshift(x, axis: axes = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.ifftshift(&args.axes("axis", x.ndim())?)
    },
    samples: || {
        vec![
            Sample::normal("ifftshift: an odd axis", [&[5]], |x| x[0].ifftshift(&[0])),
            Sample::normal("ifftshift: two axes", [&[2, 3]], |x| x[0].ifftshift(&[0, 1])),
        ]
    },
};

impl Val {
    /// Each of `axes` moved back by half of its size, round the end. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn ifftshift(&self, axes: &[usize]) -> Result<Val> {
        axes.iter().try_fold(self.clone(), |x, &axis| {
            let size = x
                .dims()
                .get(axis)
                .map(|dim| dim.size())
                .ok_or_else(|| Error::new(format!("ifftshift: {:?} has no axis {axis}", self.dims())))?;
            x.roll(-((size / 2) as i64), axis)
        })
    }
}
