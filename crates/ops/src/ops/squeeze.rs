//! A value without an axis of size 1.
//!
//! # Formula
//! The elements stay as they are.
//!
//! # Jacobian
//! A delta on every axis that is left.
//!
//! # Domain
//! All reals. Without `axis` all axes of size 1 go.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A reshape.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "squeeze(x, axis: axes = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if !args.has("axis") {
            return x.squeeze(None);
        }
        // Those behind first, so that the others keep their numbers; of several, those of another size stay, as in PyTorch.
        let mut axes = args.axes("axis", x.ndim())?;
        axes.sort_unstable();
        let leaves = |axis: &&usize| axes.len() == 1 || x.dims()[**axis].size() == 1;
        axes.iter().filter(leaves).rev().try_fold(x.clone(), |x, &axis| x.squeeze(Some(axis)))
    },
    samples: || {
        vec![
            Sample::normal("squeeze: all", [&[1, 3, 1]], |x| x[0].squeeze(None)),
            Sample::normal("squeeze: one", [&[1, 3, 1]], |x| x[0].squeeze(Some(2))),
        ]
    },
};

impl Val {
    /// The value without `axis`, whose size is 1; without all such axes where none is named.
    ///
    /// # Errors
    /// Where the axis has another size.
    pub fn squeeze(&self, axis: Option<usize>) -> Result<Val> {
        if let Some(axis) = axis
            && self.dims().get(axis).is_none_or(|dim| dim.size() != 1)
        {
            return Err(Error::new(format!("squeeze: axis {axis} of {:?} has not the size 1", self.dims())));
        }
        let goes =
            |&(at, dim): &(usize, &pullback_network::Dim)| axis.map_or(dim.size() == 1, |axis| at == axis);
        let left: Vec<_> =
            self.dims().iter().enumerate().filter(|pair| !goes(pair)).map(|(_, dim)| *dim).collect();
        self.reshape(&left)
    }
}
