//! Index tables on the leading axis: [`Array::gather`] reads rows, [`Array::scatter_add`] adds to them.
//!
//! The two are each other's adjoint: `⟨gather(x, t), y⟩ = ⟨x, scatter_add(y, t)⟩`. An index of −1 means "no row" to
//! both.

use crate::buffer::Buffer;
use crate::dtype::{sealed::Arithmetic, with_type};
use crate::{Array, DType, Error, Result, shape};

impl Array {
    /// The rows of `self` that `index` names: shape `index.shape ++ self.shape[1..]`; −1 gives zeros.
    ///
    /// # Errors
    /// Where `self` is 0-d, `index` is not i64, an index is outside of −1..n, or memory is refused.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let rows = Array::from_slice(&[2, 2], &[1.0, 2.0, 3.0, 4.0])?;
    /// let picked = rows.gather(&Array::from_slice(&[3], &[1i64, -1, 1])?)?;
    /// assert_eq!(picked.to_vec_f64(), [3.0, 4.0, 0.0, 0.0, 3.0, 4.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn gather(&self, index: &Array) -> Result<Array> {
        let Some((&rows, rest)) = self.shape().split_first() else {
            return Err(Error::new("gather: a scalar has no rows"));
        };
        let table = table("gather", index, rows)?;
        let mut out_shape = index.shape().to_vec();
        out_shape.extend(rest);
        let width = shape::len("gather", rest)?;
        let source = self.contiguous()?;
        with_type!(self.dtype(), T => {
            let values = source.as_slice::<T>().expect("contiguous and of this dtype");
            let mut out = Buffer::<T>::zeroed(shape::len("gather", &out_shape)?)?;
            if width > 0 {
                for (out, row) in out.as_mut_slice().chunks_exact_mut(width).zip(table) {
                    if let Some(row) = row {
                        out.copy_from_slice(&values[row * width..][..width]);
                    }
                }
            }
            Ok(Array::from_buffer(&out_shape, out))
        })
    }

    /// An array of `size` rows to which each row of `self` is added at the place that `index` names; −1 drops it.
    ///
    /// Shapes: `self` is `index.shape ++ rest`, the result `[size] ++ rest`. Rows are added in row-major order.
    ///
    /// # Errors
    /// Where `self` does not begin with `index`'s shape, `index` is not i64, an index is outside of −1..size, or
    /// memory is refused.
    pub fn scatter_add(&self, index: &Array, size: usize) -> Result<Array> {
        let Some(rest) = self.shape().strip_prefix(index.shape()) else {
            return Err(Error::new(format!(
                "scatter_add: {:?} does not begin with the index's shape {:?}",
                self.shape(),
                index.shape()
            )));
        };
        let table = table("scatter_add", index, size)?;
        let mut out_shape = vec![size];
        out_shape.extend(rest);
        let width = shape::len("scatter_add", rest)?;
        let source = self.contiguous()?;
        with_type!(self.dtype(), T => {
            let values = source.as_slice::<T>().expect("contiguous and of this dtype");
            let mut out = Buffer::<T>::zeroed(shape::len("scatter_add", &out_shape)?)?;
            if width > 0 {
                for (row, values) in table.into_iter().zip(values.chunks_exact(width)) {
                    let Some(row) = row else { continue };
                    for (sum, &value) in out.as_mut_slice()[row * width..][..width].iter_mut().zip(values) {
                        *sum = sum.plus(value);
                    }
                }
            }
            Ok(Array::from_buffer(&out_shape, out))
        })
    }
}

/// The index's entries as rows, each below `rows`; −1 is `None`.
fn table(op: &str, index: &Array, rows: usize) -> Result<Vec<Option<usize>>> {
    if index.dtype() != DType::I64 {
        return Err(Error::new(format!("{op}: the index holds {}, not i64", index.dtype())));
    }
    let row = |entry: i64| match usize::try_from(entry) {
        Ok(row) if row < rows => Ok(Some(row)),
        Err(_) if entry == -1 => Ok(None),
        _ => Err(Error::new(format!("{op}: index {entry} is outside of 0..{rows}"))),
    };
    index.to_vec_i64()?.into_iter().map(row).collect()
}
