//! Rows of zeros with a one where an index says.
//!
//! # Formula
//! y_(i…, c) = `[c = index_i]`
//!
//! # Jacobian
//! None: the index is not differentiated.
//!
//! # Domain
//! Integers. An index outside of 0 … n − 1 gives a row of zeros.
//!
//! # At kinks and ties
//! Constant.
//!
//! # Why
//! The matrix of a selection: `one_hot(k, n) @ x` is `gather(x, k)`.

use pullback_array::{Array, DType, memory};
use pullback_network::Dim;

use crate::{Axes, Entry, Error, Network, Op, Result, Sample, Site, Spec, Val};

/// Rows with a one; see the page of this module.
#[derive(Debug, Clone, Copy)]
struct OneHot {
    size: Dim,
    dtype: DType,
}

impl Op for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let index = inputs[0];
        if index.dtype != DType::I64 {
            return Err(Error::new(format!("one_hot: the index is {} and must be integers", index.dtype)));
        }
        Ok(vec![Spec::new(index.dims.iter().copied().chain([self.size]).collect(), self.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (entries, size) = (inputs[0].to_vec_i64()?, self.size.size());
        let count = entries.len().saturating_mul(size);
        memory::room(count.saturating_mul(size_of::<f64>()))?;
        let mut ones = vec![0.0; count];
        for (row, entry) in entries.into_iter().enumerate() {
            if let Some(column) = usize::try_from(entry).ok().filter(|&column| column < size) {
                ones[row * size + column] = 1.0;
            }
        }
        Ok(vec![Array::from_vec(&[inputs[0].shape(), &[size]].concat(), ones)?.cast(self.dtype)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }

    fn written(&self, inputs: &[String]) -> String {
        let size = self.size.name().map_or_else(|| self.size.size().to_string(), |name| name.to_string());
        format!("one_hot({}, {size})", inputs[0])
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "one_hot(index: indices, n: shape)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| match args.shape("n", None)?.as_slice() {
        [size] => args.value("index")?.one_hot(*size, args.dtype()),
        _ => Err(Error::new("one_hot: the number of classes is one number")),
    },
    samples: || {
        vec![Sample::normal("one_hot: a mask", [&[2, 4]], |x| {
            let index = Val::new(Array::from_slice(&[2], &[3i64, 0])?);
            &x[0] * &index.one_hot(4.into(), x[0].dtype())?
        })]
    },
};

impl Val {
    /// For each of these integers a row of `size` zeros with a one in its place. Shape: that of `self`, then `size`.
    ///
    /// # Errors
    /// On numbers that are no integers.
    pub fn one_hot(&self, size: Dim, dtype: DType) -> Result<Val> {
        Val::apply(OneHot { size, dtype }, &[self])
    }
}
