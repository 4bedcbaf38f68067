//! The first element of each axis to the middle: the zero frequency of a Fourier transform.
//!
//! # Formula
//! y_(…, i, …) = x_(…, (i − ⌊n/2⌋) mod n, …) along each axis
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
    signature: "fftshift(x, axis: axes = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.fftshift(&args.axes("axis", x.ndim())?)
    },
    samples: || {
        vec![
            Sample::normal("fftshift: an odd axis", [&[5]], |x| x[0].fftshift(&[0])),
            Sample::normal("fftshift: two axes", [&[2, 3]], |x| x[0].fftshift(&[0, 1])),
        ]
    },
};

impl Val {
    /// Each of `axes` moved on by half of its size, round the end. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn fftshift(&self, axes: &[usize]) -> Result<Val> {
        axes.iter().try_fold(self.clone(), |x, &axis| {
            let size = x
                .dims()
                .get(axis)
                .map(|dim| dim.size())
                .ok_or_else(|| Error::new(format!("fftshift: {:?} has no axis {axis}", self.dims())))?;
            x.roll((size / 2) as i64, axis)
        })
    }
}
