//! Each element of an axis several times.
//!
//! # Formula
//! y_(…, n·i + k, …) = x_(…, i, …) for k from 0 to n − 1
//!
//! # Jacobian
//! ∂y_(n·i + k)/∂x_m = δ_im, with a delta on every other axis.
//!
//! # Domain
//! All reals. Without an axis all elements are one row. A list has a number n for each element.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a new axis that the value is repeated along, and that becomes one with the one before it.

use pullback_array::{Array, DType};
use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "repeat_interleave(x, repeats: count, axis: axis = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if let Some(numbers) = args.several("repeats") {
            let axis = args.axis("axis", x.ndim())?;
            let x = if axis.is_none() { x.vec_rows()? } else { x };
            return x.repeat_each(&numbers?, axis.unwrap_or(0));
        }
        let repeats = args.count("repeats", 1)?;
        match args.axis("axis", x.ndim())? {
            Some(axis) => x.repeat_interleave(repeats, axis),
            None => x.vec_rows()?.repeat_interleave(repeats, 0),
        }
    },
    samples: || {
        vec![
            Sample::normal("repeat_interleave: a middle axis", [&[2, 3, 2]], |x| {
                x[0].repeat_interleave(2, 1)
            }),
            Sample::normal("repeat_interleave: a vector", [&[3]], |x| {
                x[0].repeat_interleave(3, 0)?.powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// Each element of `axis` as many times as its number says.
    ///
    /// # Errors
    /// Where there is no such axis, or there are not as many numbers from 0 on.
    pub fn repeat_each(&self, repeats: &[f64], axis: usize) -> Result<Val> {
        let size = self.dims().get(axis).map_or(0, |dim| dim.size());
        let total: f64 = repeats.iter().sum();
        // 2^32: an index of that many has no room.
        let fits = repeats.iter().all(|n| n.fract() == 0.0 && *n >= 0.0) && total < 4_294_967_296.0;
        if repeats.len() != size || !fits {
            return Err(Error::new(format!(
                "repeat_interleave: {} numbers of repeats for axis {axis} of {:?}",
                repeats.len(),
                self.dims()
            ))
            .with_hint("one whole number from 0 on for each element"));
        }
        let index =
            repeats.iter().enumerate().flat_map(|(at, &n)| std::iter::repeat_n(at as i64, n as usize));
        let index: Vec<i64> = index.collect();
        self.gather(&Val::new(Array::from_vec(&[index.len()], index)?.cast(DType::I64)?), axis)
    }

    /// Each element of `axis` so many times.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn repeat_interleave(&self, repeats: usize, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("repeat_interleave: {:?} has no axis {axis}", self.dims())));
        };
        let mut sizes: Vec<Option<Dim>> = self.dims().iter().copied().map(Some).collect();
        sizes.insert(axis + 1, Some(Dim::new(repeats)));
        let mut dims = self.dims().to_vec();
        dims[axis] = Dim::new(size.saturating_mul(repeats));
        self.unsqueeze(axis + 1)?.broadcast_to(&sizes)?.reshape(&dims)
    }
}
