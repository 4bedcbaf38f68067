//! The matrix product as NumPy's `@` means it.

use crate::{Array, Error, Result, shape};

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
        let error = |why: &str| Error::new(format!("matmul: cannot multiply {left:?} by {right:?}: {why}"));
        if left.is_empty() || right.is_empty() {
            return Err(error("a scalar is no matrix").with_hint("`*` multiplies by a scalar"));
        }
        let rows = left.len().checked_sub(2);
        let columns = if right.len() == 1 { None } else { Some(right.len() - 1) };
        let (inner_left, inner_right) = (left.len() - 1, right.len().saturating_sub(2));
        if left[inner_left] != right[inner_right] {
            return Err(error(&format!("{} ≠ {}", left[inner_left], right[inner_right])));
        }
        let batch_left = &left[..left.len().saturating_sub(2)];
        let batch_right = &right[..right.len().saturating_sub(2)];
        let batch = shape::broadcast("matmul", batch_left, batch_right)
            .map_err(|_| error(&format!("batches {batch_left:?} and {batch_right:?} do not broadcast")))?;

        // Labels: batch axis i is i, and rows, contracted and columns follow. A batch axis of size 1 beside a
        // longer one is no batch axis but a single matrix, which one larger product serves.
        let [row, inner, column] = [0, 1, 2].map(|k| (batch.len() + k) as u32);
        let mut sizes = vec![(inner, left[inner_left])];
        let mut out: Vec<u32> = (0..batch.len() as u32).collect();
        sizes.extend(out.iter().copied().zip(batch.iter().copied()));
        let label = |array: &Array, sub: &[usize], last: [Option<u32>; 2]| {
            let kept: Vec<bool> = sub
                .iter()
                .zip(&batch[batch.len() - sub.len()..])
                .map(|(&size, &whole)| size == whole)
                .collect();
            let mut labels: Vec<u32> = (batch.len() - sub.len()..batch.len()).map(|i| i as u32).collect();
            let mut axes = kept.clone();
            labels =
                labels.into_iter().zip(&kept).filter(|&(_, &kept)| kept).map(|(label, _)| label).collect();
            labels.extend(last.iter().flatten());
            axes.resize(array.ndim(), true);
            let keep =
                |from: &[isize]| from.iter().zip(&axes).filter(|&(_, &k)| k).map(|(&v, _)| v).collect();
            let shape = array.shape().iter().zip(&axes).filter(|&(_, &k)| k).map(|(&v, _)| v).collect();
            (array.restride(shape, keep(array.strides()), array.offset()), labels)
        };
        let (a, a_labels) = label(self, batch_left, [rows.map(|_| row), Some(inner)]);
        let (b, b_labels) = label(other, batch_right, [Some(inner), columns.map(|_| column)]);
        if let Some(axis) = rows {
            out.push(row);
            sizes.push((row, left[axis]));
        }
        if let Some(axis) = columns {
            out.push(column);
            sizes.push((column, right[axis]));
        }
        Array::contract(1.0, &[(&a, &a_labels), (&b, &b_labels)], &out, &sizes)
    }
}
