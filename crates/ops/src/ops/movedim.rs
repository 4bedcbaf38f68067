//! One axis at another place, the others in their order.
//!
//! # Formula
//! y_(…, i, …) = x_(…, i, …) with i at another place
//!
//! # Jacobian
//! A delta on every axis.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a permutation of axes.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "movedim(x, source: axis, destination: axis)",
    aliases: &["moveaxis"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = |name| Ok::<_, Error>(args.axis(name, x.ndim())?.unwrap_or(0));
        x.movedim(axis("source")?, axis("destination")?)
    },
    samples: || vec![Sample::normal("movedim: the first to the end", [&[2, 3, 5]], |x| x[0].movedim(0, 2))],
};

impl Val {
    /// The axis `source` at the place `destination`.
    ///
    /// # Errors
    /// Where there are no such axes.
    pub fn movedim(&self, source: usize, destination: usize) -> Result<Val> {
        if source.max(destination) >= self.ndim() {
            return Err(Error::new(format!(
                "movedim: {:?} has no axes {source} and {destination}",
                self.dims()
            )));
        }
        let mut axes: Vec<usize> = (0..self.ndim()).filter(|&axis| axis != source).collect();
        axes.insert(destination, source);
        self.permute(&axes)
    }
}
