//! The elements where a mask is not 0, in row-major order.
//!
//! # Formula
//! y_k = x_i, where i is the k-th place that is not 0 in the mask
//!
//! # Jacobian
//! ∂y_k/∂x_m = `[m is the k-th place]`
//!
//! # Domain
//! All reals; a mask that is known when the program is built, and that broadcasts to x: how many elements there are depends on it.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a selection by an index.

use pullback_array::{Array, DType};

use crate::{Axes, Entry, Error, Result, Sample, Val, broadcast};

pub(crate) static ENTRY: Entry = Entry {
    signature: "masked_select(x, mask)",
    aliases: &["compress"],
    axes: Axes::Own,
    call: |args| args.value("x")?.masked_select(&args.value("mask")?),
    samples: || {
        vec![Sample::normal("masked_select: a matrix", [&[2, 3]], |x| {
            x[0].masked_select(&Val::new(Array::from_slice(&[2, 3], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0])?))?
                .powf(2.0)
        })]
    },
};

impl Val {
    /// The elements where `mask` is not 0, as a vector.
    ///
    /// # Errors
    /// Where the mask has no numbers yet, or does not broadcast to this shape.
    pub fn masked_select(&self, mask: &Val) -> Result<Val> {
        if broadcast("masked_select", self.dims(), mask.dims())?.len() != self.ndim() {
            return Err(Error::new(format!(
                "masked_select: a mask of shape {:?} for {:?}",
                mask.dims(),
                self.dims()
            )));
        }
        let mask = mask.array()?.broadcast_to(&self.shape())?.to_vec_f64();
        let places: Vec<i64> = (0..mask.len() as i64).filter(|&at| mask[at as usize] != 0.0).collect();
        let index = Val::new(Array::from_vec(&[places.len()], places)?.cast(DType::I64)?);
        self.vec_rows()?.gather(&index, 0)
    }
}
