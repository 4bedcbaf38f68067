//! [`Array::contract`]: one or two arrays with labelled axes, multiplied, summed and written out.
//!
//! This is einsum with three extensions that make it closed under Kronecker deltas: a label that is repeated in an
//! operand reads a diagonal, one that is repeated in the output writes a diagonal, and one that stands in the
//! output alone is broadcast. A label that is summed must stand in an operand.
//!
//! Two operands that have the same labels are multiplied element by element and summed. Any others become one matrix product. Each label falls into a group: *batch* (in both operands and the
//! output), *rows* (left and output), *columns* (right and output) or *inner* (both operands only); a label that
//! only one operand has and the output lacks is summed beforehand. Each group is one axis of the product if the
//! strides let its axes join; an operand whose axes do not join is copied, and no other is.

use crate::array::exact;
use crate::dtype::with_type;
use crate::gemm::{Product, gemm};
use crate::shape::{self, Axis, Shape, Strides};
use crate::{Array, DType, Element, Error, Result};

impl Array {
    /// `coef · Σ Π operands`: the product of one or two arrays, summed over every label that `out` lacks.
    ///
    /// Each operand comes with one label per axis. `sizes` gives the size of every label that occurs; others are
    /// ignored. A repeated label in an operand reads the diagonal; in `out`, it writes the diagonal and zeros
    /// elsewhere; a label of `out` that no operand has is broadcast. Without operands the result is `coef`,
    /// as f64, in `out`'s shape. The dtype is that of both operands; a float and i64 give that float, f32 and f64
    /// give f64, and so do integers times a fraction. The result may be a view of an operand.
    ///
    /// # Errors
    /// Where labels and shapes don't agree, a label has no size, there are more than two operands, or memory is
    /// refused.
    ///
    /// ```
    /// use pullback_array::{Array, DType};
    /// let [i, j, k] = [0, 1, 2];
    /// let sizes = [(i, 2), (j, 3), (k, 5)];
    /// let (x, w) = (Array::ones(&[2, 5], DType::F64)?, Array::ones(&[5, 3], DType::F64)?);
    /// // Z_ij = 2 Σ_k x_ik w_kj
    /// let z = Array::contract(2.0, &[(&x, &[i, k]), (&w, &[k, j])], &[i, j], &sizes)?;
    /// assert_eq!(z.to_vec_f64(), [10.0; 6]);
    /// // D_iij = z_ij: the rows of z on a diagonal
    /// let d = Array::contract(1.0, &[(&z, &[i, j])], &[i, i, j], &sizes)?;
    /// assert_eq!(d.to_vec_f64(), [10.0, 10.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 10.0, 10.0, 10.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn contract(
        coef: f64,
        operands: &[(&Array, &[u32])],
        out: &[u32],
        sizes: &[(u32, usize)],
    ) -> Result<Array> {
        let sizes = Sizes::new(sizes)?;
        let out_shape = sizes.shape(out)?;
        shape::len("contract", &out_shape)?;
        let dtype = operands.iter().map(|(array, _)| array.dtype()).reduce(DType::promote);
        // An integer times a fraction is none.
        let dtype = dtype.filter(|dtype| dtype.is_float() || coef.fract() == 0.0).unwrap_or(DType::F64);
        let fits = |&(array, labels): &(&Array, &[u32])| {
            sizes.shape(labels).is_ok_and(|shape| shape[..] == *array.shape())
        };
        if operands.iter().any(|(array, _)| array.is_empty()) && operands.iter().all(fits) {
            // A sum of nothing: no loop over a large axis beside an empty one. A mean of nothing is 0/0.
            return Array::full(&out_shape, if coef.is_finite() { 0.0 } else { f64::NAN }, dtype);
        }
        let read = |position: usize| {
            let (array, labels) = operands[position];
            Labelled::new(&array.cast(dtype)?, labels, position, &sizes)
        };
        let result = match operands.len() {
            0 => Labelled { array: Array::scalar(coef, dtype)?, labels: Vec::new() },
            1 => {
                let sum = read(0)?.sum_to(|label| out.contains(&label))?;
                with_type!(dtype, T => sum.scale(exact::<T>("contract", coef)?)?)
            }
            2 => {
                let (left, right) = (read(0)?, read(1)?);
                let left = left.sum_to(|label| out.contains(&label) || right.labels.contains(&label))?;
                let right = right.sum_to(|label| out.contains(&label) || left.labels.contains(&label))?;
                with_type!(dtype, T => multiply::<T>(exact("contract", coef)?, &left, &right, out, &sizes)?)
            }
            n => return Err(Error::new(format!("contract: {n} operands; one or two at a time"))),
        };
        with_type!(dtype, T => result.spread::<T>(out, &sizes))
    }
}

/// The size of each label: a list, since there are few and looking through it beats hashing.
struct Sizes<'a>(&'a [(u32, usize)]);

impl<'a> Sizes<'a> {
    fn new(sizes: &'a [(u32, usize)]) -> Result<Sizes<'a>> {
        for (i, &(label, size)) in sizes.iter().enumerate() {
            if let Some((_, other)) = sizes[..i].iter().find(|&&(l, other)| l == label && other != size) {
                return Err(Error::new(format!("contract: label {label} has the sizes {other} and {size}")));
            }
        }
        Ok(Sizes(sizes))
    }

    fn get(&self, label: u32) -> Result<usize> {
        let entry = self.0.iter().find(|&&(l, _)| l == label);
        entry.map(|&(_, size)| size).ok_or_else(|| Error::new(format!("contract: label {label} has no size")))
    }

    /// The size of a label that stood in an operand's shape or the output's before.
    fn of(&self, label: u32) -> usize {
        self.get(label).expect("operands and output were checked")
    }

    fn shape(&self, labels: &[u32]) -> Result<Shape> {
        labels.iter().map(|&label| self.get(label)).collect()
    }
}

/// An array with one label for each axis, no two of them equal.
struct Labelled {
    array: Array,
    labels: Vec<u32>,
}

impl Labelled {
    /// Reads repeated labels as diagonals; `position` names the operand in errors.
    fn new(array: &Array, labels: &[u32], position: usize, sizes: &Sizes<'_>) -> Result<Labelled> {
        let expected = sizes.shape(labels)?;
        if expected[..] != *array.shape() {
            return Err(Error::new(format!(
                "contract: operand {position} has the shape {:?}, its labels {labels:?} say {expected:?}",
                array.shape()
            )));
        }
        let unique = distinct(labels);
        let axes_of =
            |label: u32| labels.iter().enumerate().filter(move |&(_, &l)| l == label).map(|(axis, _)| axis);
        let strides =
            unique.iter().map(|&label| axes_of(label).map(|axis| array.strides()[axis]).sum()).collect();
        let array = array.restride(sizes.shape(&unique)?, strides, array.offset());
        Ok(Labelled { array, labels: unique })
    }

    /// Sums over every label that is not to be kept.
    fn sum_to(&self, keep: impl Fn(u32) -> bool) -> Result<Labelled> {
        let axes: Vec<usize> = (0..self.labels.len()).filter(|&axis| !keep(self.labels[axis])).collect();
        if axes.is_empty() {
            return Ok(Labelled { array: self.array.clone(), labels: self.labels.clone() });
        }
        let labels = self.labels.iter().copied().filter(|&label| keep(label)).collect();
        Ok(Labelled { array: self.array.sum(&axes, false)?, labels })
    }

    fn scale<T: Element>(&self, coef: T) -> Result<Labelled> {
        let array = if coef == T::ONE {
            self.array.clone()
        } else {
            self.array.map_as::<T>(|value| value.times(coef))?
        };
        Ok(Labelled { array, labels: self.labels.clone() })
    }

    /// The stride of a label; 0, that of a broadcast axis, where the array lacks it.
    fn stride(&self, label: u32) -> isize {
        let axis = self.labels.iter().position(|&l| l == label);
        axis.map_or(0, |axis| self.array.strides()[axis])
    }

    /// A view with these axes, distinct, among which are all of the array's; the others are broadcast.
    fn expand(&self, labels: &[u32], sizes: &Sizes<'_>) -> Result<Array> {
        let strides = labels.iter().map(|&label| self.stride(label)).collect();
        Ok(self.array.restride(sizes.shape(labels)?, strides, self.array.offset()))
    }

    /// The same array with its axes one after another in memory in the order of `labels`.
    fn packed(&self, labels: &[u32], sizes: &Sizes<'_>) -> Result<Labelled> {
        Ok(Labelled { array: self.expand(labels, sizes)?.contiguous()?, labels: labels.to_vec() })
    }

    /// The stride of all of `labels` as a single axis, if in this order their axes join to one.
    fn joined(&self, labels: &[u32], sizes: &Sizes<'_>) -> Option<isize> {
        let axis = |&label: &u32| Axis { size: sizes.of(label), strides: [self.stride(label)] };
        match shape::merge(labels.iter().map(axis))[..] {
            [] => Some(1),
            [Axis { strides: [stride], .. }] => Some(stride),
            _ => None,
        }
    }

    /// Lays the axes out as `out` says: new ones broadcast, repeated ones on a diagonal.
    fn spread<T: Element>(&self, out: &[u32], sizes: &Sizes<'_>) -> Result<Array> {
        let unique = distinct(out);
        let array = self.expand(&unique, sizes)?;
        if unique.len() == out.len() {
            return Ok(array);
        }
        let out_shape = sizes.shape(out)?;
        let steps = shape::row_major(&out_shape);
        let along =
            |label: u32| out.iter().zip(&steps).filter(move |&(&l, _)| l == label).map(|(_, &step)| step);
        let strides: Strides = unique.iter().map(|&label| along(label).sum()).collect();
        // SAFETY: the zeros are written everywhere.
        unsafe {
            Array::write_with::<T>("contract", &out_shape, |elements| {
                elements.iter_mut().for_each(|element| {
                    element.write(T::ZERO);
                });
                if !array.is_empty() {
                    array.copy_into::<T>(elements, &strides);
                }
            })
        }
    }
}

/// `coef · left · right`, summed over the labels that both have and `out` lacks.
fn multiply<T: Element>(
    coef: T,
    left: &Labelled,
    right: &Labelled,
    out: &[u32],
    sizes: &Sizes<'_>,
) -> Result<Labelled> {
    let has = |operand: &Labelled, label: u32| operand.labels.contains(&label);
    let inner: Vec<u32> =
        left.labels.iter().copied().filter(|&l| has(right, l) && !out.contains(&l)).collect();
    let labels: Vec<u32> =
        distinct(out).into_iter().filter(|&label| has(left, label) || has(right, label)).collect();
    if inner.is_empty() {
        let (a, b) = (left.expand(&labels, sizes)?, right.expand(&labels, sizes)?);
        let array = if coef == T::ONE {
            a.zip_as::<T>(&b, "contract", |a, b| a.times(b))?
        } else {
            a.zip_as::<T>(&b, "contract", |a, b| a.times(b).times(coef))?
        };
        return Ok(Labelled { array, labels });
    }
    if left.labels.iter().all(|&label| has(right, label))
        && right.labels.iter().all(|&label| has(left, label))
    {
        // Both have all labels: no element is read twice, and there is nothing for a matrix product to gain.
        let (a, b) = (left.expand(&left.labels, sizes)?, right.expand(&left.labels, sizes)?);
        let axes: Vec<usize> = (0..left.labels.len()).filter(|&k| inner.contains(&left.labels[k])).collect();
        let kept = left.labels.iter().copied().filter(|label| !inner.contains(label)).collect();
        let sum = Labelled { array: a.sum_of_products::<T>(&b, &axes)?, labels: kept };
        return sum.scale(coef);
    }
    matrix_product(coef, left, right, &labels, &inner, sizes)
}

/// The matrix product over `inner`, which is not empty, with the axes `labels` in the result.
fn matrix_product<T: Element>(
    coef: T,
    left: &Labelled,
    right: &Labelled,
    labels: &[u32],
    inner: &[u32],
    sizes: &Sizes<'_>,
) -> Result<Labelled> {
    let group = |in_left: bool, in_right: bool| -> Vec<u32> {
        let fits =
            |label: &u32| left.labels.contains(label) == in_left && right.labels.contains(label) == in_right;
        labels.iter().copied().filter(fits).collect()
    };
    let (batch, rows, columns) = (group(true, true), group(true, false), group(false, true));
    let size = |labels: &[u32]| labels.iter().map(|label| sizes.of(*label)).product::<usize>();
    let len = shape::len("contract", &sizes.shape(labels)?)?;
    let (m, n, k) = (size(&rows), size(&columns), size(inner));
    if len == 0 || k == 0 {
        return Ok(Labelled {
            array: Array::zeros(&sizes.shape(labels)?, T::DTYPE)?,
            labels: labels.to_vec(),
        });
    }

    let inner = inner_order(left, right, &rows, &columns, inner, sizes);
    let pack = |operand: &Labelled, first: &[u32], second: &[u32]| -> Result<(Labelled, [isize; 2])> {
        if let (Some(i), Some(k)) = (operand.joined(first, sizes), operand.joined(second, sizes)) {
            let operand = Labelled { array: operand.array.clone(), labels: operand.labels.clone() };
            return Ok((operand, [i, k]));
        }
        let order = [&batch[..], first, second].concat();
        let packed = operand.packed(&order, sizes)?;
        let joined = |labels| packed.joined(labels, sizes).expect("neighbours in memory join");
        let strides = [joined(first), joined(second)];
        Ok((packed, strides))
    };
    let (left, left_strides) = pack(left, &rows, &inner)?;
    let (right, right_strides) = pack(right, &inner, &columns)?;

    // The result is written in the order asked for if rows and columns are single axes there, else in the order
    // batch, rows, columns, of which the order asked for is a view.
    let template = |order: &[u32]| -> Result<Labelled> {
        let shape = sizes.shape(order)?;
        let strides = shape::row_major(&shape);
        let array = Array::zeros(&[], T::DTYPE)?.restride(shape, strides, 0);
        Ok(Labelled { array, labels: order.to_vec() })
    };
    let mut layout = template(labels)?;
    if layout.joined(&rows, sizes).is_none() || layout.joined(&columns, sizes).is_none() {
        layout = template(&[&batch[..], &rows, &columns].concat())?;
    }
    let joined = |labels| layout.joined(labels, sizes).expect("neighbours in memory join");
    let out_strides = [joined(&rows), joined(&columns)];

    let batch = shape::merge(batch.iter().map(|&label| Axis {
        size: sizes.of(label),
        strides: [left.stride(label), right.stride(label), layout.stride(label)],
    }));
    let starts = (left.array.start::<T>(), right.array.start::<T>());
    let (Some(left_start), Some(right_start)) = starts else { unreachable!("both were cast to this dtype") };
    // SAFETY: batch, rows and columns together reach every element of the result, each once, and no index
    // leaves its array.
    let array = unsafe {
        Array::write_with::<T>("contract", layout.array.shape(), |out| {
            let out = out.as_mut_ptr().cast::<T>();
            shape::for_each_offset(&batch, |[l, r, o]| {
                gemm(Product {
                    m,
                    n,
                    k,
                    scale: coef,
                    left: left_start.offset(l),
                    left_strides,
                    right: right_start.offset(r),
                    right_strides,
                    out: out.offset(o),
                    out_strides,
                });
            });
        })?
    };
    Ok(Labelled { array, labels: layout.labels })
}

/// The order of the inner labels in which the fewest bytes must be copied: that of one operand's memory.
fn inner_order(
    left: &Labelled,
    right: &Labelled,
    rows: &[u32],
    columns: &[u32],
    inner: &[u32],
    sizes: &Sizes<'_>,
) -> Vec<u32> {
    let by = |operand: &Labelled| {
        let mut order = inner.to_vec();
        order.sort_by_key(|&label| std::cmp::Reverse(operand.stride(label)));
        order
    };
    let copied = |order: &[u32]| {
        let of = |operand: &Labelled, outer: &[u32]| {
            let joins = operand.joined(outer, sizes).is_some() && operand.joined(order, sizes).is_some();
            if joins { 0 } else { operand.array.len() }
        };
        of(left, rows) + of(right, columns)
    };
    let (left_order, right_order) = (by(left), by(right));
    if copied(&left_order) <= copied(&right_order) { left_order } else { right_order }
}

/// The labels without repetitions, in the order of their first occurrence.
fn distinct(labels: &[u32]) -> Vec<u32> {
    let mut unique = Vec::with_capacity(labels.len());
    for &label in labels {
        if !unique.contains(&label) {
            unique.push(label);
        }
    }
    unique
}
