//! The elements of an axis moved on, those that leave it at the end coming back at the start.
//!
//! # Formula
//! y_(…, i, …) = x_(…, (i − shift) mod n, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = (i − shift) mod n]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals; any shift.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change: two slices change places.

use crate::{Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "roll(x, shift: integer, axis: axis = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        match args.axis("axis", x.ndim())? {
            Some(axis) => x.roll(args.whole("shift", 0)?, axis),
            None if x.ndim() == 0 => Ok(x),
            None if x.ndim() == 1 => x.roll(args.whole("shift", 0)?, 0),
            None => Err(Error::new(format!("roll: along which axis of {:?}?", x.dims())).with_hint(
                "write `roll(x, 1, axis=0)`; the elements of all axes in a row are `roll(vec(x), 1)`",
            )),
        }
    },
    samples: || {
        vec![
            Sample::normal("roll: on", [&[5]], |x| x[0].roll(2, 0)),
            Sample::normal("roll: back, the last axis", [&[2, 3]], |x| x[0].roll(-1, 1)),
            Sample::normal("roll: round", [&[3]], |x| x[0].roll(3, 0)),
        ]
    },
};

impl Val {
    /// The elements of `axis` moved on by `shift` places, round the end. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn roll(&self, shift: i64, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("roll: {:?} has no axis {axis}", self.dims())));
        };
        let on = if size == 0 { 0 } else { shift.rem_euclid(size as i64) as usize };
        if on == 0 {
            return Ok(self.clone());
        }
        let part = |start: usize, length: usize| {
            let mut axes: Vec<AxisIndex> = self.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
            axes[axis] = AxisIndex::range(start, 1, length);
            self.index(&axes)
        };
        Val::concat(&[&part(size - on, on)?, &part(0, size - on)?], axis)?.reshape(self.dims())
    }
}
