//! Singular values, and what is made of them: the pseudo-inverse, and the cofactors of a matrix, singular or not.

use nalgebra::{DMatrix, DVector};

use crate::linalg::MOST_ITERATIONS;
use crate::{Array, Error, Result, memory, shape};

/// A matrix of the last two axes as u diag(s) vᵀ.
struct Decomposed {
    u: DMatrix<f64>,
    s: Vec<f64>,
    v: DMatrix<f64>,
}

impl Decomposed {
    /// Descending values; the largest component of each column of u is positive.
    fn new(op: &str, matrix: DMatrix<f64>) -> Result<Decomposed> {
        let size = matrix.nrows().min(matrix.ncols());
        if matrix.iter().any(|entry| !entry.is_finite()) {
            return Err(Error::new(format!("{op}: the matrix holds what is not finite")));
        }
        if size == 0 {
            let of = |rows| DMatrix::zeros(rows, 0);
            return Ok(Decomposed { u: of(matrix.nrows()), s: Vec::new(), v: of(matrix.ncols()) });
        }
        // Squares of large numbers would overflow.
        let scale = if matrix.amax() > 0.0 { matrix.amax() } else { 1.0 };
        let is_wide = matrix.nrows() < matrix.ncols();
        let found = turned(if is_wide { matrix.transpose() } else { matrix } / scale);
        let (a, mut s, b) = found
            .ok_or_else(|| Error::new(format!("{op}: the iteration for singular values does not end")))?;
        s.iter_mut().for_each(|value| *value *= scale);
        let (mut u, mut v) = if is_wide { (b, a) } else { (a, b) };
        for k in 0..size {
            let largest = u
                .column(k)
                .iter()
                .copied()
                .fold(0.0f64, |most, x| if x.abs() > most.abs() { x } else { most });
            if largest < 0.0 {
                u.column_mut(k).neg_mut();
                v.column_mut(k).neg_mut();
            }
        }
        Ok(Decomposed { u, s, v })
    }
}

/// The parts of a matrix that has no fewer rows than columns; `None` where the turns do not end.
///
/// Pairs of columns are turned until all are orthogonal to the last digit (Hestenes, *Inversion of matrices by biorthogonalization
/// and related results*, 1958): their lengths are the singular values then, small ones with as many digits as large ones. Not nalgebra's:
/// its iteration (0.34) ends too early at elements of 10⁻¹⁰ beside the diagonal, and gives 3.52 for the 3.46 of a matrix that
/// is `[[-1, 0.5, 0.5], [2, 2, 2]]` but for its last two digits.
fn turned(mut columns: DMatrix<f64>) -> Option<(DMatrix<f64>, Vec<f64>, DMatrix<f64>)> {
    let size = columns.ncols();
    let mut v = DMatrix::identity(size, size);
    let least = f64::EPSILON * columns.norm() * size as f64;
    let mut is_turned = true;
    for _ in 0..MOST_ITERATIONS {
        if !std::mem::take(&mut is_turned) {
            break;
        }
        for (p, q) in (0..size).flat_map(|p| (p + 1..size).map(move |q| (p, q))) {
            let (a, b) = (columns.column(p).norm(), columns.column(q).norm());
            let both = columns.column(p).dot(&columns.column(q));
            // What is rounding of the largest has no direction of its own.
            if a.min(b) <= least || both.abs() <= ORTHOGONAL * a * b {
                continue;
            }
            is_turned = true;
            let slope = (b - a) / both * (b + a) / 2.0;
            let tangent = slope.signum() / (slope.abs() + slope.hypot(1.0));
            let cosine = tangent.hypot(1.0).recip();
            let sine = cosine * tangent;
            for matrix in [&mut columns, &mut v] {
                for row in 0..matrix.nrows() {
                    let (x, y) = (matrix[(row, p)], matrix[(row, q)]);
                    matrix[(row, p)] = cosine * x - sine * y;
                    matrix[(row, q)] = sine * x + cosine * y;
                }
            }
        }
    }
    if is_turned {
        return None;
    }
    let lengths: Vec<f64> = (0..size).map(|k| columns.column(k).norm()).collect();
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| lengths[b].total_cmp(&lengths[a]));
    let mut u = DMatrix::zeros(columns.nrows(), size);
    for (k, &from) in order.iter().enumerate() {
        let direction = match lengths[from] > least {
            true => columns.column(from) / lengths[from],
            false => beside(&u, k),
        };
        u.set_column(k, &direction);
    }
    let s = order.iter().map(|&from| lengths[from]).collect();
    Some((u, s, v.select_columns(&order)))
}

/// A direction that is orthogonal to the first columns: what is left of the axis that is farthest from them.
fn beside(u: &DMatrix<f64>, count: usize) -> DVector<f64> {
    let known = u.columns(0, count);
    let left = |axis: usize| 1.0 - known.row(axis).norm_squared();
    let farthest = (0..u.nrows()).max_by(|&a, &b| left(a).total_cmp(&left(b))).unwrap_or(0);
    let mut direction = DVector::zeros(u.nrows());
    direction[farthest] = 1.0;
    // Once more for the digits that cancel.
    for _ in 0..2 {
        direction -= known * known.tr_mul(&direction);
    }
    direction.normalize()
}

/// The cosine between columns that are orthogonal but for rounding.
const ORTHOGONAL: f64 = 4.0 * f64::EPSILON;

/// The matrices of the last two axes, with their sizes.
fn matrices(op: &str, x: &Array) -> Result<(Vec<DMatrix<f64>>, usize, usize)> {
    let [batch @ .., rows, columns] = x.shape() else {
        return Err(Error::new(format!("{op}: {:?} is no matrix", x.shape())));
    };
    if !x.dtype().is_float() {
        return Err(
            Error::new(format!("{op}: an array of {}", x.dtype())).with_hint("cast it to f32 or f64 first")
        );
    }
    let (count, size) = (shape::len(op, batch)?, rows * columns);
    let entries = x.to_vec_f64();
    let of = |number: usize| {
        DMatrix::from_row_slice(*rows, *columns, &entries[number * size..(number + 1) * size])
    };
    Ok(((0..count).map(of).collect(), *rows, *columns))
}

/// Up to this size cofactors are the determinants that they are defined by, which take n⁵ multiplications: each has the digits that its own
/// entries leave it, and is 0 where they make it so. Singular values leave all of them those of the largest one.
const MOST_MINORS: usize = 8;

/// The signed determinants of what is left without a row and a column.
fn minors(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    DMatrix::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
        let sign = if (row + column).is_multiple_of(2) { 1.0 } else { -1.0 };
        sign * matrix.clone().remove_row(row).remove_column(column).determinant()
    })
}

/// A matrix row by row, behind others.
fn append(entries: &mut Vec<f64>, matrix: &DMatrix<f64>) {
    entries.extend_from_slice(matrix.transpose().as_slice());
}

impl Array {
    /// Each matrix in the last two axes as u diag(s) vᵀ: u and v with orthonormal columns, as many as the smaller size, and s descending.
    /// The largest component of each column of u is positive.
    ///
    /// # Errors
    /// Where it is no matrix of finite floats, or the iteration does not end.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let (_, s, _) = Array::from_slice(&[2, 2], &[0.0, 2.0, -3.0, 0.0])?.svd()?;
    /// assert_eq!(s.to_vec_f64(), [3.0, 2.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn svd(&self) -> Result<(Array, Array, Array)> {
        let (found, rows, columns) = matrices("svd", self)?;
        let batch = &self.shape()[..self.ndim() - 2];
        let (mut u, mut s, mut v) = (Vec::new(), Vec::new(), Vec::new());
        for matrix in found {
            let parts = Decomposed::new("svd", matrix)?;
            append(&mut u, &parts.u);
            s.extend_from_slice(&parts.s);
            append(&mut v, &parts.v);
        }
        let size = rows.min(columns);
        let of = |shape: &[usize], entries: Vec<f64>| {
            Array::from_vec(&[batch, shape].concat(), entries)?.cast(self.dtype())
        };
        Ok((of(&[rows, size], u)?, of(&[size], s)?, of(&[columns, size], v)?))
    }

    /// The pseudo-inverse of each matrix in the last two axes, by Moore and Penrose. Singular values below the rounding of the largest
    /// one count as zero.
    ///
    /// # Errors
    /// Those of [`Array::svd`].
    pub fn pseudo_inverse(&self) -> Result<Array> {
        let (found, rows, columns) = matrices("pinv", self)?;
        let mut entries = Vec::new();
        for matrix in found {
            let Decomposed { u, s, v } = Decomposed::new("pinv", matrix)?;
            let least = rows.max(columns) as f64 * self.dtype().epsilon() * s.first().copied().unwrap_or(0.0);
            let mut scaled = v;
            for (k, &value) in s.iter().enumerate() {
                scaled.column_mut(k).scale_mut(if value > least { value.recip() } else { 0.0 });
            }
            append(&mut entries, &(scaled * u.transpose()));
        }
        let shape = [&self.shape()[..self.ndim() - 2], &[columns, rows]].concat();
        Array::from_vec(&shape, entries)?.cast(self.dtype())
    }

    /// The cofactors of each square matrix in the last two axes: the slopes of its determinant.
    ///
    /// # Errors
    /// Those of [`Array::svd`], and where it is not square.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let singular = Array::from_slice(&[2, 2], &[1.0, 2.0, 2.0, 4.0])?;
    /// assert!(singular.cofactors()?.is_near(&Array::from_slice(&[2, 2], &[4.0, -2.0, -2.0, 1.0])?, 1e-14));
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn cofactors(&self) -> Result<Array> {
        let (found, rows, columns) = matrices("cofactor", self)?;
        if rows != columns {
            return Err(Error::new(format!("cofactor: {:?} is no square matrix", self.shape())));
        }
        let mut entries = Vec::new();
        for matrix in found {
            if rows <= MOST_MINORS {
                append(&mut entries, &minors(&matrix));
                continue;
            }
            let Decomposed { mut u, s, v } = Decomposed::new("cofactor", matrix)?;
            let turned = u.determinant() * v.determinant();
            for k in 0..rows {
                // All values but one.
                let others: f64 =
                    s.iter().enumerate().filter(|(p, _)| *p != k).map(|(_, value)| value).product();
                u.column_mut(k).scale_mut(turned.signum() * others);
            }
            append(&mut entries, &(u * v.transpose()));
        }
        Array::from_vec(self.shape(), entries)?.cast(self.dtype())
    }

    /// The cofactors of pairs of each square matrix in the last two axes: the slopes of its cofactors, by each entry, `[…, n, n, n, n]`.
    ///
    /// # Errors
    /// Those of [`Array::cofactors`], and where memory does not suffice.
    pub fn second_cofactors(&self) -> Result<Array> {
        let (found, n, columns) = matrices("cofactor", self)?;
        if n != columns {
            return Err(Error::new(format!("cofactor: {:?} is no square matrix", self.shape())));
        }
        let count = found.len();
        let size = n.saturating_pow(4);
        memory::room(size.saturating_mul(count).saturating_mul(size_of::<f64>()))?;
        let mut entries = vec![0.0; size * count];
        for (matrix, out) in found.into_iter().zip(entries.chunks_exact_mut(size.max(1))) {
            let Decomposed { u, s, v } = Decomposed::new("cofactor", matrix)?;
            let turned = (u.determinant() * v.determinant()).signum();
            for p in 0..n {
                for q in (0..n).filter(|&q| q != p) {
                    let others: f64 = (0..n).filter(|&r| r != p && r != q).map(|r| s[r]).product();
                    for (i, a) in (0..n).flat_map(|i| (0..n).map(move |a| (i, a))) {
                        let minor = turned * others * (u[(i, p)] * u[(a, q)] - u[(a, p)] * u[(i, q)]);
                        for (j, b) in (0..n).flat_map(|j| (0..n).map(move |b| (j, b))) {
                            out[((i * n + j) * n + a) * n + b] += minor * v[(j, p)] * v[(b, q)];
                        }
                    }
                }
            }
        }
        let shape = [self.shape(), &[n, n]].concat();
        Array::from_vec(&shape, entries)?.cast(self.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Square roots of 12 and of 1.5, whatever the last digits, and however large the numbers are.
    #[test]
    fn singular_values_where_rows_are_nearly_orthogonal() {
        for (digits, scale) in (4..17).map(|digits| (digits, 1.0)).chain([(14, 1e200), (14, 1e-200)]) {
            let off = 10f64.powi(-digits);
            let rows =
                [-1.0 - 9.5 * off, 0.5 - 1.3 * off, 0.5 - 2.5 * off, 2.0, 2.0 - 2.4 * off, 2.0 + 1.2 * off];
            let matrix = Array::from_slice(&[2, 3], &rows.map(|x| x * scale)).expect("six numbers");
            let (u, s, v) = matrix.svd().expect("finite");
            let found = s.to_vec_f64();
            for (found, known) in found.iter().zip([12f64.sqrt(), 1.5f64.sqrt()]) {
                assert!(
                    (found / scale - known).abs() <= 10.0 * off + 1e-15,
                    "{digits}: {found} is not {known}"
                );
            }
            let (u, v) = (u.to_vec_f64(), v.to_vec_f64());
            for (row, column) in (0..2).flat_map(|row| (0..3).map(move |column| (row, column))) {
                let product: f64 = (0..2).map(|k| u[2 * row + k] * found[k] * v[2 * column + k]).sum();
                let off = (product / scale - rows[3 * row + column]).abs();
                assert!(off <= 1e-14, "{digits}: {product} at [{row}, {column}]");
            }
        }
    }
}
