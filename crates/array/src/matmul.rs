//! The matrix product as NumPy's `@` means it.

use crate::dtype::with_type;
use crate::gemm::{Product, gemm};
use crate::{Array, Element, Error, Result, shape};

impl Array {
    /// `self @ other`: 1-d operands are a row at the left and a column at the right, and their axis goes; axes before
    /// the last two are batches, which broadcast.
    ///
    /// # Errors
    /// Where an operand is 0-d, the contracted sizes differ, the batches can't be broadcast, or memory is refused.
    ///
    /// ```
    /// use pullback_array::{Array, DType};
    /// let a = Array::ones(&[2, 3], DType::F64)?;
    /// assert_eq!(a.matmul(&Array::ones(&[5, 3, 7], DType::F64)?)?.shape(), [5, 2, 7]);
    /// let error = a.matmul(&Array::ones(&[4, 5], DType::F64)?).unwrap_err();
    /// assert_eq!(error.message(), "matmul: cannot multiply [2, 3] by [4, 5]: 3 ≠ 4");
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn matmul(&self, other: &Array) -> Result<Array> {
        let (left, right) = (self.shape(), other.shape());
        let error = |why: String| Error::new(format!("matmul: cannot multiply {left:?} by {right:?}: {why}"));
        let (batch_left, rows, inner) = match left {
            [] => return Err(error("a scalar is no matrix".into()).with_hint("`*` multiplies by a scalar")),
            [inner] => (&[][..], None, *inner),
            [batch @ .., rows, inner] => (batch, Some(*rows), *inner),
        };
        let (batch_right, inner_right, columns) = match right {
            [] => return Err(error("a scalar is no matrix".into()).with_hint("`*` multiplies by a scalar")),
            [inner] => (&[][..], *inner, None),
            [batch @ .., inner, columns] => (batch, *inner, Some(*columns)),
        };
        if inner != inner_right {
            return Err(error(format!("{inner} ≠ {inner_right}")));
        }
        let batch = shape::broadcast("matmul", batch_left, batch_right)
            .map_err(|_| error(format!("batches {batch_left:?} and {batch_right:?} do not broadcast")))?;

        if batch.is_empty() && self.dtype() == other.dtype() && !self.is_empty() && !other.is_empty() {
            with_type!(self.dtype(), T => if let Some(product) = self.product_of_two::<T>(other)? {
                return Ok(product);
            });
        }
        // Batch axis b has the label b; rows, contracted axis and columns have the three that follow.
        let [row, contracted, column] = [0, 1, 2].map(|k| (batch.len() + k) as u32);
        let left_last: Vec<u32> = rows.map(|_| row).into_iter().chain([contracted]).collect();
        let right_last: Vec<u32> = [contracted].into_iter().chain(columns.map(|_| column)).collect();
        let (a, a_labels) = self.label_batches(&batch, &left_last);
        let (b, b_labels) = other.label_batches(&batch, &right_last);
        let mut sizes: Vec<(u32, usize)> = (0..).zip(batch).collect();
        sizes.extend(rows.map(|size| (row, size)));
        sizes.extend(columns.map(|size| (column, size)));
        let out: Vec<u32> = sizes.iter().map(|&(label, _)| label).collect();
        sizes.push((contracted, inner));
        Array::contract(1.0, &[(&a, &a_labels), (&b, &b_labels)], &out, &sizes)
    }

    /// The product of arrays of one or two axes whose sizes fit and are not 0, where one has two: what [`Array::contract`] comes to
    /// then.
    fn product_of_two<T: Element>(&self, other: &Array) -> Result<Option<Array>> {
        let (Some(left), Some(right)) = (self.start::<T>(), other.start::<T>()) else { return Ok(None) };
        let (a, b) = (self.strides(), other.strides());
        let (m, n, left_strides, right_strides) = match (self.shape(), other.shape()) {
            ([m, _], [_, n]) => (*m, *n, [a[0], a[1]], [b[0], b[1]]),
            ([m, _], [_]) => (*m, 1, [a[0], a[1]], [b[0], 1]),
            ([_], [_, n]) => (1, *n, [1, a[0]], [b[0], b[1]]),
            _ => return Ok(None),
        };
        let kept = [(self.ndim() == 2).then_some(m), (other.ndim() == 2).then_some(n)];
        let shape: Vec<usize> = kept.into_iter().flatten().collect();
        // SAFETY: rows and columns reach every element of the result, and no index leaves its array.
        let product = unsafe {
            Array::write_with::<T>("matmul", &shape, |out| {
                gemm(Product {
                    m,
                    n,
                    k: other.shape()[0],
                    scale: T::ONE,
                    left,
                    left_strides,
                    right,
                    right_strides,
                    out: out.as_mut_ptr().cast(),
                    out_strides: [n as isize, 1],
                });
            })?
        };
        Ok(Some(product))
    }

    /// Labels the last axes with `last` and those before them with their places in `batch`. An axis that has to be
    /// repeated for the batch is taken away: one larger product serves all of its repetitions.
    fn label_batches(&self, batch: &[usize], last: &[u32]) -> (Array, Vec<u32>) {
        let own = self.ndim() - last.len();
        let place = |axis: usize| axis + batch.len() - own;
        let kept =
            || (0..self.ndim()).filter(|&axis| axis >= own || self.shape()[axis] == batch[place(axis)]);
        let label = |axis: usize| axis.checked_sub(own).map_or(place(axis) as u32, |k| last[k]);
        let shape = kept().map(|axis| self.shape()[axis]).collect();
        let strides = kept().map(|axis| self.strides()[axis]).collect();
        (self.restride(shape, strides, self.offset()), kept().map(label).collect())
    }
}
