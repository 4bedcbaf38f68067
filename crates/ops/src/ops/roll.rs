//! The elements of an axis moved on, those that leave it at the end coming back at the start.
//!
//! # Formula
//! y_(…, i, …) = x_(…, (i − shift) mod n, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = (i − shift) mod n]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals; any shift, or one for each of several axes. Without an axis the elements of all of them are one row.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change: two slices change places.

use crate::{Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "roll(x, shift: integers, axis: axes = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let (x, shifts) = (args.value("x")?, args.integers("shift")?);
        if !args.has("axis") {
            // All elements, one behind the other.
            let row = x.vec_rows()?;
            return shifts.into_iter().try_fold(row, |row, shift| row.roll(shift, 0))?.reshape(x.dims());
        }
        let axes = args.axes("axis", x.ndim())?;
        // One for all axes, or one for each.
        let (count, each) = (axes.len().max(shifts.len()), |of: usize, k: usize| if of == 1 { 0 } else { k });
        if [axes.len(), shifts.len()].iter().any(|&of| of != 1 && of != count) {
            let (shifts, axes) = (shifts.len(), axes.len());
            return Err(Error::new(format!("roll: {shifts} shifts do not fit {axes} axes"))
                .with_hint("give one shift for each axis, or one for all"));
        }
        (0..count).try_fold(x, |x, k| x.roll(shifts[each(shifts.len(), k)], axes[each(axes.len(), k)]))
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
