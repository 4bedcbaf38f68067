//! Several axes as one.
//!
//! # Formula
//! y_(…, k, …) = x_(…, i, j, …) with k = n_j i + j
//!
//! # Jacobian
//! ∂y_k/∂x_mn = `[k = n_j m + n]`, with a delta on every other axis.
//!
//! # Domain
//! All reals. Without axes all of them become one, as in `vec`.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: elements keep their order.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "flatten(x, start_dim: axis = 0, end_dim: axis = -1)",
    aliases: &["ravel"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if x.ndim() == 0 {
            return x.vec_rows();
        }
        let last = x.ndim() - 1;
        x.flatten(
            args.axis("start_dim", x.ndim())?.unwrap_or(0),
            args.axis("end_dim", x.ndim())?.unwrap_or(last),
        )
    },
    samples: || {
        vec![
            Sample::normal("flatten: all", [&[2, 3]], |x| x[0].flatten(0, 1)),
            Sample::normal("flatten: the last two", [&[2, 3, 2]], |x| x[0].flatten(1, 2)?.powf(2.0)),
        ]
    },
};

impl Val {
    /// The axes from `start` to `end`, that one too, as one.
    ///
    /// # Errors
    /// Where there are no such axes.
    pub fn flatten(&self, start: usize, end: usize) -> Result<Val> {
        if start == 0 && end + 1 == self.ndim() {
            return self.vec_rows();
        }
        if start > end || end >= self.ndim() {
            return Err(Error::new(format!("flatten: {:?} has no axes from {start} to {end}", self.dims())));
        }
        let joined: usize = self.dims()[start..=end].iter().map(|dim| dim.size()).product();
        let dims = [&self.dims()[..start], &[Dim::new(joined)], &self.dims()[end + 1..]].concat();
        self.reshape(&dims)
    }
}
