//! The elements of one axis or several in the opposite order; of all, where none is named, as in NumPy.
//!
//! # Formula
//! y_(…, i, …) = x_(…, n − 1 − i, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = n − 1 − i]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change: a slice that goes backwards.

use crate::{Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "flip(x, axis: axes = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        args.axes("axis", x.ndim())?.into_iter().try_fold(x, |x, axis| x.flip(axis))
    },
    samples: || {
        vec![
            Sample::normal("flip: a vector", [&[3]], |x| x[0].flip(0)),
            Sample::normal("flip: the last axis", [&[2, 3]], |x| x[0].flip(1)),
            Sample::normal("flip: nothing", [&[0, 2]], |x| x[0].flip(0)),
        ]
    },
};

impl Val {
    /// The elements of `axis` in the opposite order. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn flip(&self, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("flip: {:?} has no axis {axis}", self.dims())));
        };
        if size == 0 {
            return Ok(self.clone());
        }
        let mut axes: Vec<AxisIndex> = self.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
        axes[axis] = AxisIndex::range(size - 1, -1, size);
        self.index(&axes)?.reshape(self.dims())
    }
}
