//! The product of several matrices.
//!
//! # Formula
//! y = x_1 x_2 … x_n, where the first and the last may be vectors
//!
//! # Jacobian
//! ∂y/∂x_k is the product of those before and of those behind, side by side.
//!
//! # Domain
//! All reals; sizes that fit.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition. From which end it is begun changes the work, and no number but for rounding.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "multi_dot(*xs)",
    aliases: &["chain_matmul"],
    axes: Axes::Own,
    call: |args| Val::multi_dot(&args.values("xs")?),
    samples: || {
        vec![
            Sample::normal("multi_dot: three", [&[2, 3], &[3, 5], &[5, 2]], Val::multi_dot),
            Sample::normal("multi_dot: a vector at both ends", [&[3], &[3, 2], &[2]], Val::multi_dot),
        ]
    },
};

impl Val {
    /// The product of all of them.
    ///
    /// # Errors
    /// Where there is none, or sizes do not fit.
    pub fn multi_dot(xs: &[Val]) -> Result<Val> {
        let Some((first, rest)) = xs.split_first() else {
            return Err(Error::new("multi_dot: of no matrices there is no product"));
        };
        rest.iter().try_fold(first.clone(), |product, x| product.matmul(x))
    }
}
