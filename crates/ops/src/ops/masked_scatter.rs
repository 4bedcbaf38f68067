//! A value with the elements of another in the places that a mask names, one after the other.
//!
//! # Formula
//! y_i = source_k where i is the k-th place that is not 0 in the mask, row by row; x_i elsewhere
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im outside of the mask; ∂y_i/∂source_k is the one at the k-th place
//!
//! # Domain
//! All reals; a mask that is known when the program is built, that broadcasts to x, and has no more places than the source has elements.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a choice between the value and a selection of the source.

use pullback_array::{Array, DType};

use crate::{Axes, Entry, Error, Result, Sample, Val, broadcast};

pub(crate) static ENTRY: Entry = Entry {
    signature: "masked_scatter(x, mask, source)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.masked_scatter(&args.value("mask")?, &args.value("source")?),
    samples: || {
        vec![Sample::normal("masked_scatter: a matrix", [&[2, 3], &[4]], |x| {
            let mask = Array::from_slice(&[2, 3], &[1.0, 0.0, 1.0, 0.0, 0.0, 1.0])?;
            x[0].masked_scatter(&Val::new(mask), &x[1])?.powf(2.0)
        })]
    },
};

impl Val {
    /// The value with elements of `source` where `mask` is not 0. Shape: that of `self`.
    ///
    /// # Errors
    /// Where the mask has no numbers yet or does not broadcast to this shape, or the source has too few elements.
    pub fn masked_scatter(&self, mask: &Val, source: &Val) -> Result<Val> {
        let wrong = |what: &str, of: &Val| {
            Error::new(format!("masked_scatter: {what} of shape {:?} for {:?}", of.dims(), self.dims()))
        };
        if broadcast("masked_scatter", self.dims(), mask.dims())?.len() != self.ndim() {
            return Err(wrong("a mask", mask));
        }
        let chosen = mask.array()?.broadcast_to(&self.shape())?.to_vec_f64();
        let mut next = 0i64;
        let places: Vec<i64> = chosen
            .iter()
            .map(|&is_chosen| {
                let place = next;
                next += i64::from(is_chosen != 0.0);
                place
            })
            .collect();
        let elements = source.vec_rows()?;
        let count = elements.dims()[0].size();
        if next == 0 {
            return Ok(self.clone());
        }
        if next as usize > count {
            return Err(wrong("too small a source", source));
        }
        // What is not chosen reads any element.
        let places: Vec<i64> = places.into_iter().map(|place| place.min(count as i64 - 1)).collect();
        let index = Val::new(Array::from_vec(&[places.len()], places)?.cast(DType::I64)?);
        let mask = Val::new(mask.array()?.cast(self.dtype())?);
        mask.choose(&elements.gather(&index, 0)?.reshape(self.dims())?, self)
    }
}
