//! The mean or the sum of all entries, or the entries themselves: what losses have as `reduction`.
//!
//! # Formula
//! y = 1/N Σ_i x_i for `mean`, Σ_i x_i for `sum`, x for `none`; for `batchmean` the sum over the first size
//!
//! # Jacobian
//! That of a mean or of a sum.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition.

use crate::{Axes, Entry, Error, Sample};

pub(crate) static ENTRY: Entry = Entry {
    signature: "reduce(x, reduction: mean|sum|none|batchmean = mean)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        match args.word("reduction")? {
            "mean" => x.mean_all(),
            "sum" => x.sum_all(),
            "none" => Ok(x),
            _ => match x.dims().first() {
                Some(batch) => &x.sum_all()? / batch.size() as f64,
                None => Err(Error::new("reduce: a scalar has no batch")),
            },
        }
    },
    samples: || {
        vec![
            Sample::normal("reduce: mean", [&[2, 3]], |x| x[0].mean_all()),
            Sample::normal("reduce: sum", [&[2, 3]], |x| x[0].sum_all()),
        ]
    },
};
