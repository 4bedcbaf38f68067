//! One axis as several.
//!
//! # Formula
//! y_(…, i, j, …) = x_(…, k, …) with k = n_j i + j
//!
//! # Jacobian
//! ∂y_ij/∂x_m = `[m = n_j i + j]`, with a delta on every other axis.
//!
//! # Domain
//! All reals; sizes whose product is that of the axis, one of which may be −1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: elements keep their order.

use crate::{Axes, Entry, Error, Sample};

pub(crate) static ENTRY: Entry = Entry {
    signature: "unflatten(x, axis: axis, sizes: shape)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        let parts = args.sizes("sizes")?;
        let known: usize = parts.iter().flatten().map(|dim| dim.size()).product();
        let whole = x.dims()[axis].size();
        if parts.iter().filter(|part| part.is_none()).count() > 1 || known == 0 || whole % known != 0 {
            return Err(Error::new(format!("unflatten: axis {axis} of {:?} is not parted so", x.dims())));
        }
        let sizes = parts.iter().map(|part| part.unwrap_or((whole / known).into()));
        let dims: Vec<_> = x.dims()[..axis]
            .iter()
            .copied()
            .chain(sizes)
            .chain(x.dims()[axis + 1..].iter().copied())
            .collect();
        x.reshape(&dims)
    },
    samples: || {
        vec![Sample::normal("unflatten: the last axis", [&[2, 6]], |x| {
            x[0].reshape(&[2.into(), 2.into(), 3.into()])
        })]
    },
};
