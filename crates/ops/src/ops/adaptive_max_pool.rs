//! The largest element of each of so many parts of the last axes: pooling to a given size.
//!
//! # Formula
//! y_(…, o) = max x_(…, i) over i from ⌊o·n/m⌋ up to ⌈(o + 1)·n/m⌉, of n elements m
//!
//! # Jacobian
//! ∂y_o/∂x_i = 1 where i is the place of the largest element of part o, else 0
//!
//! # Domain
//! All reals; `none` for an axis that stays as it is. (The mean of the same parts is `adaptive_avg_pool`.)
//!
//! # At kinks and ties
//! The first of several largest elements has all of the gradient, as in PyTorch.
//!
//! # Why
//! A definition: a maximum over each part.

use super::tie_share::Ties;
use crate::{Args, Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "adaptive_max_pool(x, output_size: shape, spatial: count = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.adaptive_max_pool(&parts(args, &x)?)
    },
    samples: || {
        vec![
            Sample::normal("adaptive_max_pool: parts of two sizes", [&[1, 2, 5]], |x| {
                x[0].adaptive_max_pool(&[3])
            }),
            Sample::normal("adaptive_max_pool: two axes", [&[1, 1, 4, 3]], |x| {
                x[0].adaptive_max_pool(&[2, 2])
            }),
        ]
    },
};

/// Into how many parts each of the last axes is cut: one number for all, or one for each, `none` where it stays as it is.
pub(super) fn parts(args: &Args, x: &Val) -> Result<Vec<usize>> {
    let axes = args.count("spatial", x.ndim().saturating_sub(2))?;
    let given = args.sizes("output_size")?;
    if axes > x.ndim() || !(given.len() == 1 || given.len() == axes) {
        return Err(Error::new(format!("adaptive_max_pool: {} sizes for {:?}", given.len(), x.dims())));
    }
    let own = &x.dims()[x.ndim() - axes..];
    let size = |at: usize| given[at % given.len()].unwrap_or(own[at]).size();
    Ok((0..axes).map(size).collect())
}

impl Val {
    /// The largest element of each of so many parts of the last axes.
    ///
    /// # Errors
    /// Where there are fewer axes, or one is empty.
    pub fn adaptive_max_pool(&self, sizes: &[usize]) -> Result<Val> {
        self.over_parts(sizes, |part, axes| part.max_by(axes, false, Ties::First))
    }

    /// What becomes of each of so many parts of the last axes, each part being an array of its own.
    pub(super) fn over_parts(
        &self,
        sizes: &[usize],
        of_part: impl Fn(&Val, &[usize]) -> Result<Val>,
    ) -> Result<Val> {
        let Some(lead) = self.ndim().checked_sub(sizes.len()).filter(|_| !sizes.is_empty()) else {
            return Err(Error::new(format!(
                "adaptive_max_pool: {} sizes for {:?}",
                sizes.len(),
                self.dims()
            )));
        };
        let axes: Vec<usize> = (lead..self.ndim()).collect();
        let count = sizes.iter().fold(1usize, |count, &size| count.saturating_mul(size));
        let whole: usize = self.dims()[lead..].iter().map(|dim| dim.size()).product();
        // A part is an operation of its own.
        const MOST: usize = 100_000;
        if count == 0 || whole == 0 || count > MOST {
            return Err(Error::new(format!("adaptive_max_pool: {count} parts of {:?}", self.dims())));
        }
        let mut parts = Vec::with_capacity(count);
        for number in 0..count {
            let mut left = number;
            let mut index: Vec<AxisIndex> = self.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
            for (axis, &to) in sizes.iter().enumerate().rev() {
                let (o, from) = (left % to, self.dims()[lead + axis].size());
                left /= to;
                let start = o * from / to;
                index[lead + axis] = AxisIndex::range(start, 1, ((o + 1) * from).div_ceil(to) - start);
            }
            parts.push(of_part(&self.index(&index)?, &axes)?);
        }
        let stacked = Val::stack(&parts.iter().collect::<Vec<_>>(), lead)?;
        let dims = stacked.dims()[..lead].iter().copied().chain(sizes.iter().map(|&size| size.into()));
        stacked.reshape(&dims.collect::<Vec<_>>())
    }
}
