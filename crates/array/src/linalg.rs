//! The inverse of matrices, by LU decomposition with partial pivoting.
//!
//! `nalgebra` decomposes. `faer` is the faster of the two at large sizes, but takes two minutes to build on two
//! cores where `nalgebra` takes 14 seconds, and small matrices are what this crate is asked for.

use crate::buffer::Buffer;
use crate::{Array, DType, Error, Result, shape};
use nalgebra::{DMatrix, LU, RealField};

impl Array {
    /// The inverse of each matrix in the last two axes; the axes before them are batches.
    ///
    /// # Errors
    /// Where the last two sizes differ or are missing, the array holds integers, a matrix is singular (a pivot is
    /// exactly 0), or memory is refused.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2, 2], &[2.0, 0.0, 0.0, 4.0])?;
    /// assert_eq!(a.inverse()?.to_vec_f64(), [0.5, 0.0, 0.0, 0.25]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn inverse(&self) -> Result<Array> {
        match self.shape() {
            [.., rows, columns] if rows == columns => {}
            shape => {
                return Err(Error::new(format!("inverse: {shape:?} is no square matrix"))
                    .with_hint("the last two sizes must be equal"));
            }
        }
        match self.dtype() {
            DType::F32 => self.inverse_as::<f32>(),
            DType::F64 => self.inverse_as::<f64>(),
            DType::I64 => {
                Err(Error::new("inverse: integers have no inverse").with_hint("cast it to f32 or f64 first"))
            }
        }
    }

    fn inverse_as<T: crate::Element + RealField>(&self) -> Result<Array> {
        let n = self.shape()[self.ndim() - 1];
        let source = self.contiguous()?;
        let values = source.as_slice::<T>().expect("contiguous and of this dtype");
        let mut out = Buffer::<T>::zeroed(shape::len("inverse", self.shape())?)?;
        if n > 0 {
            let matrices = values.chunks_exact(n * n).zip(out.as_mut_slice().chunks_exact_mut(n * n));
            for (batch, (matrix, out)) in matrices.enumerate() {
                let inverse =
                    LU::new(DMatrix::from_row_slice(n, n, matrix)).try_inverse().ok_or_else(|| {
                        let which =
                            if values.len() > n * n { format!("matrix {batch} of ") } else { String::new() };
                        Error::new(format!("inverse: {which}{:?} is singular", self.shape()))
                    })?;
                // nalgebra is column-major: the transpose's columns are the rows.
                out.copy_from_slice(inverse.transpose().as_slice());
            }
        }
        Ok(Array::from_buffer(self.shape().to_vec(), out))
    }
}
