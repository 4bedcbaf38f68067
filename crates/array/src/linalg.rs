//! The inverse of matrices and systems of linear equations, by LU decomposition with partial pivoting.
//!
//! `nalgebra` decomposes. `faer` is the faster of the two at large sizes, but takes two minutes to build on two
//! cores where `nalgebra` takes 14 seconds, and small matrices are what this crate is asked for. What it solves triangular systems with goes row
//! by row; so rows are substituted here in blocks, with its own products of matrices between.

use crate::buffer::Buffer;
use crate::{Array, DType, Error, Result, shape};
use nalgebra::{Cholesky, DMatrix, Dyn, LU, RealField, SymmetricEigen};

/// Rows that are substituted at once: what they leave of all others is a product of matrices, which runs several times faster.
const BLOCK: usize = 32;

/// The solution of A X = B in the place of B, from the decomposition of A; `None` where a pivot is exactly 0.
fn substituted<T: RealField>(lu: &LU<T, Dyn, Dyn>, mut x: DMatrix<T>) -> Option<DMatrix<T>> {
    let (factors, n) = (lu.lu_internal(), x.nrows());
    lu.p().permute_rows(&mut x);
    let blocks = || (0..n).step_by(BLOCK).map(|start| start..(start + BLOCK).min(n));
    for block in blocks() {
        let (mut own, mut below) = x.rows_range_pair_mut(block.clone(), block.end..n);
        let diagonal = factors.view_range(block.clone(), block.clone());
        if !diagonal.solve_lower_triangular_with_diag_mut(&mut own, T::one()) {
            return None;
        }
        below.gemm(-T::one(), &factors.view_range(block.end..n, block), &own, T::one());
    }
    for block in blocks().rev() {
        let (mut above, mut own) = x.rows_range_pair_mut(0..block.start, block.clone());
        if !factors.view_range(block.clone(), block.clone()).solve_upper_triangular_mut(&mut own) {
            return None;
        }
        above.gemm(-T::one(), &factors.view_range(0..block.start, block), &own, T::one());
    }
    Some(x)
}

/// More than eigenvalues and singular values of any matrix take: two or three each are usual.
pub(crate) const MOST_ITERATIONS: usize = 100_000;

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

    /// The solution X of A X = B for each matrix A in the last two axes of `self`, `[…, n, n]`, and B in those of `rhs`,
    /// `[…, n, k]`; of Aᵀ X = B where `transposed`. The axes before them are batches, equal on both sides. The inverse is
    /// never formed.
    ///
    /// # Errors
    /// Where the shapes do not fit, the dtypes differ or are integers, a matrix is singular (a pivot is exactly 0), or
    /// memory is refused.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2, 2], &[2.0, 1.0, 0.0, 4.0])?;
    /// let b = Array::from_slice(&[2, 1], &[4.0, 8.0])?;
    /// assert_eq!(a.solve(&b, false)?.to_vec_f64(), [1.0, 2.0]);
    /// assert_eq!(a.solve(&b, true)?.to_vec_f64(), [2.0, 1.5]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn solve(&self, rhs: &Array, transposed: bool) -> Result<Array> {
        let fits = match (self.shape(), rhs.shape()) {
            ([batch @ .., rows, columns], [lead @ .., n, _]) => rows == columns && rows == n && batch == lead,
            _ => false,
        };
        if !fits {
            let shapes = (self.shape(), rhs.shape());
            return Err(Error::new(format!(
                "solve: {:?} and {:?} are no system of equations",
                shapes.0, shapes.1
            ))
            .with_hint("the matrix is […, n, n] and the right side […, n, k]"));
        }
        match (self.dtype(), rhs.dtype()) {
            (DType::F32, DType::F32) => self.solve_as::<f32>(rhs, transposed),
            (DType::F64, DType::F64) => self.solve_as::<f64>(rhs, transposed),
            (a, b) => Err(Error::new(format!("solve: {a} and {b} are not one float type"))),
        }
    }

    fn solve_as<T: crate::Element + RealField>(&self, rhs: &Array, transposed: bool) -> Result<Array> {
        let (n, columns) = (rhs.shape()[rhs.ndim() - 2], rhs.shape()[rhs.ndim() - 1]);
        let (matrices, right) = (self.contiguous()?, rhs.contiguous()?);
        let of_dtype = "contiguous and of this dtype";
        let matrices = matrices.as_slice::<T>().expect(of_dtype);
        let right = right.as_slice::<T>().expect(of_dtype);
        let mut out = Buffer::<T>::zeroed(shape::len("solve", rhs.shape())?)?;
        if n > 0 && columns > 0 {
            let systems = matrices.chunks_exact(n * n).zip(right.chunks_exact(n * columns));
            for ((matrix, right), out) in systems.zip(out.as_mut_slice().chunks_exact_mut(n * columns)) {
                // nalgebra reads columns first: what it reads of rows is the transpose.
                let matrix = match transposed {
                    true => DMatrix::from_column_slice(n, n, matrix),
                    false => DMatrix::from_row_slice(n, n, matrix),
                };
                let right = DMatrix::from_row_slice(n, columns, right);
                let solution = substituted(&LU::new(matrix), right).ok_or_else(|| {
                    Error::new(format!("solve: a matrix of {:?} is singular", self.shape()))
                })?;
                out.copy_from_slice(solution.transpose().as_slice());
            }
        }
        Ok(Array::from_buffer(rhs.shape(), out))
    }

    /// The lower triangular factor of the symmetric part of each matrix in the last two axes: L Lᵀ, with a positive diagonal.
    ///
    /// # Errors
    /// Where the last two sizes differ, the array holds integers, or a matrix is not positive definite.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2, 2], &[4.0, 2.0, 2.0, 5.0])?;
    /// assert_eq!(a.cholesky()?.to_vec_f64(), [2.0, 0.0, 1.0, 2.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn cholesky(&self) -> Result<Array> {
        let [batch @ .., rows, columns] = self.shape() else {
            return Err(Error::new(format!("cholesky: {:?} is no matrix", self.shape())));
        };
        if rows != columns || !self.dtype().is_float() {
            return Err(Error::new(format!(
                "cholesky: {} {:?} is no square matrix of floats",
                self.dtype(),
                self.shape()
            )));
        }
        let (count, n) = (shape::len("cholesky", batch)?, *rows);
        let mut entries = self.to_vec_f64();
        for number in 0..count {
            let matrix = &mut entries[number * n * n..(number + 1) * n * n];
            let given = DMatrix::from_row_slice(n, n, matrix);
            let symmetric = (&given + given.transpose()) * 0.5;
            let factor = Cholesky::new(symmetric).ok_or_else(|| {
                Error::new(format!("cholesky: {:?} is not positive definite", self.shape()))
                    .with_hint("draw it with `spd`, or add a multiple of `eye(n)`")
            })?;
            matrix.copy_from_slice(factor.l().transpose().as_slice());
        }
        Array::from_vec(self.shape(), entries)?.cast(self.dtype())
    }

    /// The eigenvalues, ascending, of the symmetric part of each matrix in the last two axes, and the eigenvectors as columns, of which the
    /// largest component is positive.
    ///
    /// # Errors
    /// Where the last two sizes differ, the array holds integers or what is not finite, or the iteration does not end.
    pub fn symmetric_eigen(&self) -> Result<(Array, Array)> {
        let [batch @ .., rows, columns] = self.shape() else {
            return Err(Error::new(format!("eigh: {:?} is no matrix", self.shape())));
        };
        if rows != columns || !self.dtype().is_float() {
            return Err(Error::new(format!(
                "eigh: {} {:?} is no square matrix of floats",
                self.dtype(),
                self.shape()
            )));
        }
        let (count, n) = (shape::len("eigh", batch)?, *rows);
        let mut vectors = self.to_vec_f64();
        let mut values = Vec::with_capacity(count * n);
        if vectors.iter().any(|entry| !entry.is_finite()) {
            return Err(Error::new(format!("eigh: {:?} holds what is not finite", self.shape())));
        }
        // A matrix without rows has no eigenvalues, and nalgebra does not take one.
        for number in (0..count).filter(|_| n > 0) {
            let matrix = &mut vectors[number * n * n..(number + 1) * n * n];
            let given = DMatrix::from_row_slice(n, n, matrix);
            let symmetric = (&given + given.transpose()) * 0.5;
            let found = SymmetricEigen::try_new(symmetric, f64::EPSILON, MOST_ITERATIONS)
                .ok_or_else(|| Error::new(format!("eigh: {:?} takes too many iterations", self.shape())))?;
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&a, &b| found.eigenvalues[a].total_cmp(&found.eigenvalues[b]));
            for (place, &k) in order.iter().enumerate() {
                let vector = found.eigenvectors.column(k);
                let largest = vector
                    .iter()
                    .copied()
                    .fold(0.0f64, |most, x| if x.abs() > most.abs() { x } else { most });
                (0..n).for_each(|row| matrix[row * n + place] = vector[row] * largest.signum());
                values.push(found.eigenvalues[k]);
            }
        }
        let values = Array::from_vec(&[batch, &[n]].concat(), values)?.cast(self.dtype())?;
        Ok((values, Array::from_vec(self.shape(), vectors)?.cast(self.dtype())?))
    }

    /// A matrix as q r: orthonormal columns, and an upper triangular matrix with a diagonal that is not negative.
    ///
    /// # Errors
    /// Where it is no matrix of floats with at least as many rows as columns.
    pub fn qr(&self) -> Result<(Array, Array)> {
        let &[rows, columns] = self.shape() else {
            return Err(Error::new(format!("qr: {:?} is no matrix", self.shape())));
        };
        if rows < columns || !self.dtype().is_float() {
            return Err(Error::new(format!(
                "qr: {} {:?} is no matrix of floats with at least as many rows as columns",
                self.dtype(),
                self.shape()
            )));
        }
        let found = DMatrix::from_row_slice(rows, columns, &self.to_vec_f64()).qr();
        let (mut q, mut r) = (found.q(), found.r());
        for k in 0..columns {
            if r[(k, k)] < 0.0 {
                q.column_mut(k).neg_mut();
                r.row_mut(k).neg_mut();
            }
        }
        let of = |shape: &[usize], matrix: DMatrix<f64>| {
            Array::from_slice(shape, matrix.transpose().as_slice())?.cast(self.dtype())
        };
        Ok((of(&[rows, columns], q)?, of(&[columns, columns], r)?))
    }

    /// The sign of the determinant of each matrix in the last two axes, and the logarithm of its size: 0 and −∞ of one that is singular.
    ///
    /// # Errors
    /// Where the last two sizes differ, or the array holds integers.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let (sign, logarithm) = Array::from_slice(&[2, 2], &[0.0, 2.0, 1.0, 0.0])?.log_determinant()?;
    /// assert_eq!((sign.item()?, logarithm.item()?), (-1.0, 2f64.ln()));
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn log_determinant(&self) -> Result<(Array, Array)> {
        let [batch @ .., rows, columns] = self.shape() else {
            return Err(Error::new(format!("determinant: {:?} is no matrix", self.shape())));
        };
        if rows != columns {
            return Err(Error::new(format!("determinant: {:?} is no square matrix", self.shape()))
                .with_hint("the last two sizes must be equal"));
        }
        if !self.dtype().is_float() {
            return Err(
                Error::new("determinant: integers have none").with_hint("cast it to f32 or f64 first")
            );
        }
        let count = shape::len("determinant", batch)?;
        let entries = self.to_vec_f64();
        let (mut signs, mut logarithms) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for number in 0..count {
            let matrix = &entries[number * rows * rows..(number + 1) * rows * rows];
            let lu = LU::new(DMatrix::from_row_slice(*rows, *rows, matrix));
            let pivots = lu.u().diagonal();
            let turned: f64 = lu.p().determinant();
            signs.push(
                pivots.iter().map(|pivot| if *pivot == 0.0 { 0.0 } else { pivot.signum() }).product::<f64>()
                    * turned,
            );
            logarithms.push(pivots.iter().map(|pivot| pivot.abs().ln()).sum::<f64>());
        }
        let of = |numbers: Vec<f64>| Array::from_vec(batch, numbers)?.cast(self.dtype());
        Ok((of(signs)?, of(logarithms)?))
    }

    fn inverse_as<T: crate::Element + RealField>(&self) -> Result<Array> {
        let n = self.shape()[self.ndim() - 1];
        let source = self.contiguous()?;
        let values = source.as_slice::<T>().expect("contiguous and of this dtype");
        let mut out = Buffer::<T>::zeroed(shape::len("inverse", self.shape())?)?;
        if n > 0 {
            let matrices = values.chunks_exact(n * n).zip(out.as_mut_slice().chunks_exact_mut(n * n));
            for (batch, (matrix, out)) in matrices.enumerate() {
                let lu = LU::new(DMatrix::from_row_slice(n, n, matrix));
                let inverse = substituted(&lu, DMatrix::identity(n, n)).ok_or_else(|| {
                    let which =
                        if values.len() > n * n { format!("matrix {batch} of ") } else { String::new() };
                    Error::new(format!("inverse: {which}{:?} is singular", self.shape()))
                })?;
                // nalgebra is column-major: the transpose's columns are the rows.
                out.copy_from_slice(inverse.transpose().as_slice());
            }
        }
        Ok(Array::from_buffer(self.shape(), out))
    }
}
