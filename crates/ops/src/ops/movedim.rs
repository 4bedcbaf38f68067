//! One axis, or several, at another place, the others in their order.
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
    signature: "movedim(x, source: axes, destination: axes)",
    aliases: &["moveaxis"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.movedims(&args.axes("source", x.ndim())?, &args.axes("destination", x.ndim())?)
    },
    samples: || {
        vec![
            Sample::normal("movedim: the first to the end", [&[2, 3, 5]], |x| x[0].movedim(0, 2)),
            Sample::normal("movedim: two", [&[2, 3, 5]], |x| x[0].movedims(&[0, 1], &[2, 0])),
        ]
    },
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
        if source == destination {
            return Ok(self.clone());
        }
        let mut axes: Vec<usize> = (0..self.ndim()).filter(|&axis| axis != source).collect();
        axes.insert(destination, source);
        self.permute(&axes)
    }

    /// Each axis of `source` at a place of `destination`, the others in their order.
    ///
    /// # Errors
    /// Where there are no such axes, one is named twice, or there are not as many of both.
    pub fn movedims(&self, source: &[usize], destination: &[usize]) -> Result<Val> {
        let is_twice = |axes: &[usize]| (1..axes.len()).any(|at| axes[..at].contains(&axes[at]));
        if source.len() != destination.len() || is_twice(source) || is_twice(destination) {
            let message = format!("movedim: the axes {source:?} at the places {destination:?}");
            return Err(Error::new(message).with_hint("one place for each axis, none of them twice"));
        }
        let mut left = (0..self.ndim()).filter(|axis| !source.contains(axis));
        let at = |place: usize| destination.iter().position(|&to| to == place).map(|at| source[at]);
        let axes: Vec<usize> =
            (0..self.ndim()).filter_map(|place| at(place).or_else(|| left.next())).collect();
        self.permute(&axes)
    }
}
