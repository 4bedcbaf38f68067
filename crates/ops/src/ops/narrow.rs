//! Some elements of an axis, one behind the other.
//!
//! # Formula
//! y_(…, i, …) = x_(…, start + i, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = start + i]`, with a delta on every other axis.
//!
//! # Domain
//! All reals; a negative start counts from the end.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a slice.

use crate::{Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "narrow(x, axis: axis, start: integer, length: count)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        x.narrow(axis, args.whole("start", 0)?, args.count("length", 0)?)
    },
    samples: || {
        vec![
            Sample::normal("narrow: a middle axis", [&[2, 5, 3]], |x| x[0].narrow(1, 1, 3)),
            Sample::normal("narrow: from the end", [&[5]], |x| x[0].narrow(0, -2, 2)),
        ]
    },
};

impl Val {
    /// `length` elements of `axis` from `start` on.
    ///
    /// # Errors
    /// Where there is no such axis, or it has fewer elements.
    pub fn narrow(&self, axis: usize, start: i64, length: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("narrow: {:?} has no axis {axis}", self.dims())));
        };
        let from =
            usize::try_from(if start < 0 { start.saturating_add_unsigned(size as u64) } else { start });
        let Some(from) = from.ok().filter(|from| from.checked_add(length).is_some_and(|end| end <= size))
        else {
            return Err(Error::new(format!(
                "narrow: {length} elements from {start} on lie outside axis {axis} of {:?}",
                self.dims()
            )));
        };
        let mut axes: Vec<AxisIndex> = self.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
        axes[axis] = AxisIndex::range(from, 1, length);
        self.index(&axes)
    }
}
