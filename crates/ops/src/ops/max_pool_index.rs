//! Where the largest element of each window stands: what PyTorch returns beside a pooling.
//!
//! # Formula
//! y_(…, o) = the place, in the pooled axes row by row, of the largest element of window o
//!
//! # Jacobian
//! ∂y/∂x = 0
//!
//! # Domain
//! That of `max_pool`. The places are numbers, with which nothing is selected.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere. Of several largest elements the first is told, as in `max_pool`.
//!
//! # Why
//! A definition: of the places at which the largest element stands, the smallest.

use pullback_array::Array;

use super::conv::Strided;
use super::max_pool::pooled;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "max_pool_index(x, kernel_size: counts, stride: counts = none, padding: counts = 0, dilation: counts = 1, ceil_mode: flag = false, spatial: count = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let (size, along) = pooled(args, &x)?;
        x.max_pool_index(&size, &along, args.flag("ceil_mode")?)
    },
    samples: || {
        vec![Sample::normal("max_pool_index: two axes", [&[1, 2, 4, 4]], |x| {
            x[0].max_pool_index(&[2, 2], &Strided { stride: vec![2, 2], ..Strided::alike(2, 2, 0, 1) }, false)
        })]
    },
};

impl Val {
    /// The place of the largest element of each window over the last axes.
    ///
    /// # Errors
    /// Where windows do not fit.
    pub fn max_pool_index(&self, size: &[usize], along: &Strided, ceil: bool) -> Result<Val> {
        let lead = self.ndim().saturating_sub(size.len());
        let windows = self.pool_windows("max_pool_index", size, along, ceil, f64::NEG_INFINITY)?;
        let places = self.places(lead)?.pool_windows("max_pool_index", size, along, ceil, f64::INFINITY)?;
        let rank = windows.ndim();
        windows.first_largest(&places, &(rank - size.len()..rank).collect::<Vec<_>>())
    }

    /// The number of each element of the axes behind `lead`, row by row.
    pub(super) fn places(&self, lead: usize) -> Result<Val> {
        let dims = &self.dims()[lead..];
        let count = dims.iter().map(|dim| dim.size()).product();
        Val::new(Array::arange(count)?.cast(self.dtype())?).reshape(dims)
    }

    /// The smallest of the `places` at which the largest element over `axes` stands.
    pub(super) fn first_largest(&self, places: &Val, axes: &[usize]) -> Result<Val> {
        let below = (&self.max(axes, true)? - self)?.truth()?;
        below
            .choose(&Val::number(f64::NEG_INFINITY, self.dtype()), &places.negated()?)?
            .max(axes, false)?
            .negated()
    }
}
