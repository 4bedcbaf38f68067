//! A value summed to a shape that it would be broadcast from.
//!
//! # Formula
//! y_i… = Σ x_(k…, i…) over the axes in front, and over each that has the size 1 in the shape
//!
//! # Jacobian
//! ∂y/∂x is a delta on every axis that is not summed.
//!
//! # Domain
//! All reals; a shape that broadcasts to that of x.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: the adjoint of a broadcast, which every gradient of a stretched operand goes through.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sum_to_size(x, size: shape)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.sum_to_size(&args.shape("size", None)?)
    },
    samples: || {
        vec![
            Sample::normal("sum_to_size: a row", [&[2, 3, 5]], |x| x[0].sum_to_size(&[1.into(), 5.into()])),
            Sample::normal("sum_to_size: as it is", [&[3]], |x| x[0].sum_to_size(&[3.into()])?.powf(2.0)),
        ]
    },
};

impl Val {
    /// The value summed to a shape. Shape: `dims`.
    ///
    /// # Errors
    /// Where that shape does not broadcast to this one.
    pub fn sum_to_size(&self, dims: &[Dim]) -> Result<Val> {
        let wrong = || Error::new(format!("sum_to_size: {:?} is not stretched from {dims:?}", self.dims()));
        let lead = self.ndim().checked_sub(dims.len()).ok_or_else(wrong)?;
        let is_summed =
            |axis: &usize| *axis < lead || (dims[axis - lead].size() == 1 && self.dims()[*axis].size() != 1);
        let summed: Vec<usize> = (0..self.ndim()).filter(is_summed).collect();
        if (lead..self.ndim())
            .any(|axis| !is_summed(&axis) && self.dims()[axis].size() != dims[axis - lead].size())
        {
            return Err(wrong());
        }
        if summed.is_empty() { Ok(self.clone()) } else { self.sum(&summed, false)?.reshape(dims) }
    }
}
