//! Permuting, reshaping, broadcasting, slicing, taking diagonals and joining: which element stands where.
//!
//! All but [`Array::concat`] are views where strides can express them.

use crate::dtype::with_type;
use crate::shape::{self, Axis, Loop, Shape, Strides};
use crate::{Array, Element, Error, Result};
use smallvec::smallvec;
use std::mem::MaybeUninit;

/// What to take of one axis: `len` elements from `start`, `step` apart.
///
/// A negative step walks backwards from `start`: `{ start: 4, step: -2, len: 3 }` takes 4, 2 and 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct SliceAxis {
    /// The index of the first element taken.
    pub start: usize,
    /// The distance to the next one; not 0.
    pub step: isize,
    /// How many are taken.
    pub len: usize,
}

impl Array {
    /// The axes in another order: axis k of the result is axis `axes[k]` of `self`. A view.
    ///
    /// # Errors
    /// Where `axes` is no permutation of all axes.
    pub fn permute(&self, axes: &[usize]) -> Result<Array> {
        let mut seen = vec![false; self.ndim()];
        let new = |&axis: &usize| seen.get_mut(axis).is_some_and(|seen| !std::mem::replace(seen, true));
        if axes.len() != self.ndim() || !axes.iter().all(new) {
            return Err(Error::new(format!(
                "permute: {axes:?} does not permute the axes of {:?}",
                self.shape()
            ))
            .with_hint("name each axis once, counted from 0"));
        }
        let shape = axes.iter().map(|&axis| self.shape()[axis]).collect();
        let strides = axes.iter().map(|&axis| self.strides()[axis]).collect();
        Ok(self.restride(shape, strides, self.offset()))
    }

    /// The same elements in row-major order under another shape. A view where strides allow it, else a copy.
    ///
    /// # Errors
    /// Where the numbers of elements differ.
    pub fn reshape(&self, shape: &[usize]) -> Result<Array> {
        let len = shape::len("reshape", shape)?;
        if len != self.len() {
            return Err(Error::new(format!(
                "reshape: {:?} has {} elements, {shape:?} has {len}",
                self.shape(),
                self.len()
            )));
        }
        match split(shape::merge(self.axes()), shape) {
            Some(strides) => Ok(self.restride(shape.into(), strides, self.offset())),
            None => {
                let copy = self.contiguous()?;
                Ok(copy.restride(shape.into(), shape::row_major(shape), copy.offset()))
            }
        }
    }

    /// Repeats axes of size 1, and adds new ones at the left, as NumPy broadcasts. A view.
    ///
    /// # Errors
    /// Where a size differs from the one asked for and is not 1.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Array> {
        shape::len("broadcast_to", shape)?;
        let added = shape.len().checked_sub(self.ndim());
        let fits = |added: usize| {
            self.shape().iter().zip(&shape[added..]).all(|(&from, &to)| from == to || from == 1)
        };
        let Some(added) = added.filter(|&added| fits(added)) else {
            return Err(Error::new(format!(
                "broadcast_to: cannot broadcast {:?} to {shape:?}",
                self.shape()
            ))
            .with_hint("shapes are aligned at the right; only axes of size 1 can be repeated"));
        };
        let mut strides: Strides = smallvec![0; shape.len()];
        for (axis, (&size, &stride)) in self.shape().iter().zip(self.strides()).enumerate() {
            strides[added + axis] = if size == shape[added + axis] { stride } else { 0 };
        }
        Ok(self.restride(shape.into(), strides, self.offset()))
    }

    /// Axes in another order, left out or repeated: axis k of the result is axis `axes[k]` of `self`, or one along which it is repeated.
    /// Only axes of size 1 may be left out. A view.
    ///
    /// # Errors
    /// Where an axis does not exist, is named twice or has another size, or one of another size than 1 is left out.
    pub fn rearranged(&self, axes: &[Option<usize>], shape: &[usize]) -> Result<Array> {
        shape::len("rearranged", shape)?;
        let mut seen = vec![false; self.ndim()];
        let fits = axes.len() == shape.len()
            && axes.iter().zip(shape).all(|(axis, &size)| match *axis {
                None => true,
                Some(axis) => {
                    self.shape().get(axis) == Some(&size) && !std::mem::replace(&mut seen[axis], true)
                }
            })
            && seen.iter().zip(self.shape()).all(|(&seen, &size)| seen || size == 1);
        if !fits {
            return Err(Error::new(format!("rearranged: {axes:?} of {:?} is not {shape:?}", self.shape())));
        }
        let strides = axes.iter().map(|axis| axis.map_or(0, |axis| self.strides()[axis])).collect();
        Ok(self.restride(shape.into(), strides, self.offset()))
    }

    /// A part of the array, one [`SliceAxis`] for each axis. A view where all steps are positive.
    ///
    /// # Errors
    /// Where there are not as many slices as axes, a step is 0, or an index falls outside of its axis.
    pub fn slice(&self, slices: &[SliceAxis]) -> Result<Array> {
        if slices.len() != self.ndim() {
            return Err(Error::new(format!("slice: {} slices for {:?}", slices.len(), self.shape())));
        }
        let mut part = self.clone();
        for (axis, slice) in slices.iter().enumerate() {
            part = part.slice_axis(axis, *slice)?;
        }
        Ok(part)
    }

    fn slice_axis(&self, axis: usize, slice: SliceAxis) -> Result<Array> {
        let SliceAxis { start, mut step, len } = slice;
        let size = self.shape()[axis];
        let outside =
            || Error::new(format!("slice: {slice:?} falls outside of axis {axis} of {:?}", self.shape()));
        if step == 0 {
            return Err(Error::new("slice: a step of 0"));
        }
        let mut shape = Shape::from(self.shape());
        shape[axis] = len;
        if len == 0 {
            return Ok(self.restride(shape, self.strides().into(), self.offset()));
        }
        if len == 1 {
            // There is no next element, and so no distance to it.
            step = 1;
        }
        let last = isize::try_from(len - 1)
            .ok()
            .and_then(|n| n.checked_mul(step))
            .and_then(|distance| start.checked_add_signed(distance))
            .ok_or_else(outside)?;
        if start >= size || last >= size {
            return Err(outside());
        }
        if step > 0 {
            let mut strides = Strides::from(self.strides());
            let offset = self.offset() + start * strides[axis] as usize;
            strides[axis] *= step;
            return Ok(self.restride(shape, strides, offset));
        }
        // Strides are never negative, so a walk backwards is a copy: the same elements forwards, then reversed.
        let forwards = self.slice_axis(axis, SliceAxis { start: last, step: -step, len })?;
        let mut order: Vec<usize> = (0..self.ndim()).collect();
        order.swap(0, axis);
        let backwards: Vec<i64> = (0..len as i64).rev().collect();
        forwards.permute(&order)?.gather(&Array::from_vec(&[len], backwards)?)?.permute(&order)
    }

    /// Puts arrays one behind the other along `axis`.
    ///
    /// # Errors
    /// Where there are none, dtypes differ, or shapes differ in another axis.
    pub fn concat(arrays: &[Array], axis: usize) -> Result<Array> {
        let Some(first) = arrays.first() else { return Err(Error::new("concat: no arrays")) };
        if axis >= first.ndim() {
            return Err(Error::new(format!("concat: {:?} has no axis {axis}", first.shape())));
        }
        let mut shape = first.shape().to_vec();
        shape[axis] = 0;
        for array in arrays {
            let alike = array.ndim() == first.ndim()
                && (0..first.ndim()).all(|k| k == axis || array.shape()[k] == first.shape()[k]);
            if !alike {
                return Err(Error::new(format!(
                    "concat: cannot put {:?} behind {:?} along axis {axis}",
                    array.shape(),
                    first.shape()
                )));
            }
            if array.dtype() != first.dtype() {
                return Err(Error::new(format!(
                    "concat: dtypes {} and {} differ",
                    first.dtype(),
                    array.dtype()
                )));
            }
            let size = shape[axis].checked_add(array.shape()[axis]);
            shape[axis] = size.ok_or_else(|| Error::new("concat: the size overflows"))?;
        }
        let strides = shape::row_major(&shape);
        with_type!(first.dtype(), T => {
            // SAFETY: the arrays' parts of `out` follow each other along `axis` and fill it.
            unsafe {
                Array::write_with::<T>("concat", &shape, |out| {
                    let mut start = 0;
                    for array in arrays.iter().filter(|array| !array.is_empty()) {
                        array.copy_into::<T>(&mut out[start..], &strides);
                        start += array.shape()[axis] * strides[axis] as usize;
                    }
                })
            }
        })
    }

    /// The same elements in row-major order in memory: this array where they are so already, else a copy.
    pub(crate) fn contiguous(&self) -> Result<Array> {
        if self.is_contiguous() {
            return Ok(self.restride(self.shape().into(), shape::row_major(self.shape()), self.offset()));
        }
        let strides = shape::row_major(self.shape());
        with_type!(self.dtype(), T => {
            // SAFETY: row-major strides of the whole shape reach every element of `out`.
            unsafe { Array::write_with::<T>("copy", self.shape(), |out| self.copy_into::<T>(out, &strides)) }
        })
    }

    /// Writes every element to its place in `out` under `strides`. The elements must be of type `T`.
    pub(crate) fn copy_into<T: Element>(&self, out: &mut [MaybeUninit<T>], strides: &[isize]) {
        let start = self.start::<T>().expect("the caller matched the dtype");
        let axes = self
            .axes()
            .zip(strides)
            .map(|(axis, &out)| Axis { size: axis.size, strides: [axis.strides[0], out] });
        shape::for_each_line(&shape::merge(axes), |[from, to], n, [from_step, to_step]| {
            // SAFETY: every index of the shape stays inside of the buffer; the target is checked by the slice.
            let values = (0..n as isize).map(|i| unsafe { *start.offset(from + i * from_step) });
            let targets = out[to as usize..].iter_mut().step_by(to_step.max(1) as usize);
            for (target, value) in targets.zip(values) {
                target.write(value);
            }
        });
    }
}

/// The strides under which `shape` visits the same elements as `merged`, or nothing where a new axis would have
/// to go around a corner. Both have the same number of elements.
fn split(merged: Loop<1>, shape: &[usize]) -> Option<Strides> {
    if shape.contains(&0) {
        return Some(shape::row_major(shape));
    }
    let mut strides: Strides = smallvec![0; shape.len()];
    let mut from = merged.into_iter().rev();
    let (mut left, mut stride) = (1, 1);
    for (axis, &size) in shape.iter().enumerate().rev() {
        if size == 1 {
            continue;
        }
        if left == 1 {
            let next = from.next().expect("equal numbers of elements");
            (left, stride) = (next.size, next.strides[0]);
        }
        if left % size != 0 {
            return None;
        }
        strides[axis] = stride;
        stride *= size as isize;
        left /= size;
    }
    Some(strides)
}
