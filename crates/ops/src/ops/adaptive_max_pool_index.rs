//! Where the largest element of each part stands: what PyTorch returns beside an adaptive pooling.
//!
//! # Formula
//! y_(…, o) = the place, in the pooled axes row by row, of the largest element of part o
//!
//! # Jacobian
//! ∂y/∂x = 0
//!
//! # Domain
//! That of `adaptive_max_pool`. The places are numbers, with which nothing is selected.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere. Of several largest elements the first is told, as in `adaptive_max_pool`.
//!
//! # Why
//! A definition: of the places at which the largest element stands, the smallest.

use pullback_network::Dim;

use super::adaptive_max_pool::parts;
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "adaptive_max_pool_index(x, output_size: shape, spatial: count = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.adaptive_max_pool_index(&parts(args, &x)?)
    },
    samples: || {
        vec![Sample::normal("adaptive_max_pool_index: parts of two sizes", [&[1, 2, 5]], |x| {
            x[0].adaptive_max_pool_index(&[3])
        })]
    },
};

impl Val {
    /// The place of the largest element of each of so many parts of the last axes.
    ///
    /// # Errors
    /// Where there are fewer axes, or one is empty.
    pub fn adaptive_max_pool_index(&self, sizes: &[usize]) -> Result<Val> {
        let lead = self.ndim().saturating_sub(sizes.len());
        // The value and its places, cut alike.
        let dims: Vec<Option<Dim>> = self.dims().iter().copied().map(Some).collect();
        let both = Val::stack(&[self, &self.places(lead)?.broadcast_to(&dims)?], 0)?;
        both.over_parts(sizes, |part, axes| {
            let inner: Vec<usize> = axes.iter().map(|axis| axis - 1).collect();
            part.at(0)?.first_largest(&part.at(1)?, &inner)?.unsqueeze(0)
        })?
        .sum(&[0], false)
    }

    /// One of the elements of the first axis.
    fn at(&self, place: i64) -> Result<Val> {
        self.narrow(0, place, 1)?.reshape(&self.dims()[1..])
    }
}
