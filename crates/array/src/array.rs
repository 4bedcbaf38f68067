//! The [`Array`] itself: what it holds, how one is made, and what can be read from it.

use crate::buffer::{Buffer, Data};
use crate::dtype::{sealed::Arithmetic, with_type};
use crate::shape::{self, Axis, Shape, Strides};
use crate::{DType, Element, Error, Result};
use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};
use std::borrow::Cow;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// An immutable n-d array of `f32`, `f64` or `i64`.
///
/// Cloning is cheap, and so are the views that [`permute`](Array::permute), [`broadcast_to`](Array::broadcast_to)
/// and [`slice`](Array::slice) make: they share the elements and have strides of their own. The order in which
/// elements are told, everywhere, is row-major: the last axis fastest, whatever the strides.
#[derive(Clone)]
pub struct Array {
    data: Data,
    shape: Shape,
    /// In elements; never negative, 0 on a broadcast axis.
    strides: Strides,
    /// Of the first element, in elements.
    offset: usize,
}

/// # Making arrays
impl Array {
    /// An array of the given shape with `data` in row-major order.
    ///
    /// # Errors
    /// Where `data` has another length than `shape` asks for, or memory is refused.
    pub fn from_vec<T: Element>(shape: &[usize], data: Vec<T>) -> Result<Array> {
        Array::from_slice(shape, &data)
    }

    /// As [`from_vec`](Array::from_vec), from a slice.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(a.permute(&[1, 0])?.to_vec_f64(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn from_slice<T: Element>(shape: &[usize], data: &[T]) -> Result<Array> {
        let len = shape::len("array", shape)?;
        if len != data.len() {
            return Err(Error::new(format!("array: {shape:?} has {len} elements, not {}", data.len())));
        }
        Ok(Array::from_buffer(shape, Buffer::from_slice(data)?))
    }

    /// A 0-d array, its value rounded to `dtype`.
    pub fn scalar(value: f64, dtype: DType) -> Result<Array> {
        Array::full(&[], value, dtype)
    }

    /// An array of one value, rounded to `dtype`.
    ///
    /// # Errors
    /// Where memory is refused, or `dtype` is i64 and `value` is no integer of 64 bits.
    pub fn full(shape: &[usize], value: f64, dtype: DType) -> Result<Array> {
        let len = shape::len("full", shape)?;
        with_type!(dtype, T => {
            Ok(Array::from_buffer(shape, Buffer::filled(len, exact::<T>("full", value)?)?))
        })
    }

    /// An array of the next elements of an iterator, in row-major order.
    ///
    /// # Errors
    /// Where memory is refused, or there are fewer than the array has.
    pub fn of_next<T: Element>(shape: &[usize], elements: impl IntoIterator<Item = T>) -> Result<Array> {
        let len = shape::len("of_next", shape)?;
        // SAFETY: nobody gets it that is not written to its end.
        let mut buffer = unsafe { Buffer::<T>::unwritten(len)? };
        let (first, mut written) = (buffer.as_mut_ptr(), 0);
        for element in elements.into_iter().take(len) {
            // SAFETY: fewer than `len` were written before.
            unsafe { first.add(written).write(element) };
            written += 1;
        }
        match written == len {
            true => Ok(Array::from_buffer(shape, buffer)),
            false => Err(Error::new(format!("of_next: {written} elements for the shape {shape:?}"))),
        }
    }

    /// An array of zeros.
    pub fn zeros(shape: &[usize], dtype: DType) -> Result<Array> {
        Array::full(shape, 0.0, dtype)
    }

    /// An array of ones.
    pub fn ones(shape: &[usize], dtype: DType) -> Result<Array> {
        Array::full(shape, 1.0, dtype)
    }

    /// The identity matrix, `[n, n]`.
    pub fn eye(n: usize, dtype: DType) -> Result<Array> {
        let len = shape::len("eye", &[n, n])?;
        with_type!(dtype, T => {
            let mut buffer = Buffer::<T>::zeroed(len)?;
            buffer.as_mut_slice().iter_mut().step_by(n + 1).for_each(|one| *one = T::from_f64(1.0));
            Ok(Array::from_buffer(&[n, n], buffer))
        })
    }

    /// The integers 0, 1, …, n − 1 as i64.
    pub fn arange(n: usize) -> Result<Array> {
        let len = shape::len("arange", &[n])?;
        let mut buffer = Buffer::<i64>::zeroed(len)?;
        buffer.as_mut_slice().iter_mut().zip(0i64..).for_each(|(element, i)| *element = i);
        Ok(Array::from_buffer(&[n], buffer))
    }

    /// A row-major array; `buffer` has as many elements as `shape`, whose length was checked.
    pub(crate) fn from_buffer<T: Element>(shape: &[usize], buffer: Buffer<T>) -> Array {
        debug_assert_eq!(shape.iter().product::<usize>(), buffer.len());
        let strides = shape::row_major(shape);
        Array { data: T::wrap(Arc::new(buffer)), shape: shape.into(), strides, offset: 0 }
    }

    /// A row-major array whose elements `write` writes, in row-major order.
    ///
    /// # Safety
    /// `write` must write every element of the slice that it is given.
    pub(crate) unsafe fn write_with<T: Element>(
        op: &str,
        shape: &[usize],
        write: impl FnOnce(&mut [MaybeUninit<T>]),
    ) -> Result<Array> {
        let len = shape::len(op, shape)?;
        // SAFETY: the caller's promise.
        Ok(Array::from_buffer(shape, unsafe { Buffer::write_with(len, write)? }))
    }

    /// Another view of the same elements. Every index of the new shape must stay inside of the buffer.
    pub(crate) fn restride(&self, shape: Shape, strides: Strides, offset: usize) -> Array {
        debug_assert_eq!(shape.len(), strides.len());
        // An empty view points nowhere, so that a slice past the end needs no care.
        let offset = if shape.contains(&0) { 0 } else { offset };
        Array { data: self.data.clone(), shape, strides, offset }
    }
}

/// # Reading arrays
impl Array {
    /// The sizes of the axes; `[]` for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        match self.data {
            Data::F32(_) => DType::F32,
            Data::F64(_) => DType::F64,
            Data::I64(_) => DType::I64,
        }
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// The bytes that these elements take when each is stored; a broadcast view holds fewer.
    pub fn nbytes(&self) -> usize {
        self.len() * self.dtype().size_of()
    }

    /// The elements as an `ndarray` view, without a copy.
    ///
    /// # Errors
    /// Where `T` is not this array's [`dtype`](Array::dtype).
    pub fn view<T: Element>(&self) -> Result<ArrayViewD<'_, T>> {
        let Some(start) = self.start::<T>() else {
            return Err(Error::new(format!(
                "view: an array of {} has no view of {}",
                self.dtype(),
                T::DTYPE
            ))
            .with_hint("cast it first"));
        };
        let strides: Vec<usize> = self.strides.iter().map(|&stride| stride as usize).collect();
        // SAFETY: shape, strides and offset stay inside of the buffer, by the invariant of `restride`, and the
        // buffer outlives the view and is never written.
        Ok(unsafe { ArrayViewD::from_shape_ptr(IxDyn(&self.shape).strides(IxDyn(&strides)), start) })
    }

    /// The elements in row-major order, as f64.
    pub fn to_vec_f64(&self) -> Vec<f64> {
        with_type!(self.dtype(), T => {
            let mut values = Vec::with_capacity(self.len());
            self.for_each::<T>(|value| values.push(value.to_f64()));
            values
        })
    }

    /// Does something hold for all elements, as f64? The first of which it does not hold ends the search.
    pub fn all(&self, holds: impl Fn(f64) -> bool) -> bool {
        with_type!(self.dtype(), T => match self.as_slice::<T>() {
            Some(elements) => elements.iter().all(|element| holds(element.to_f64())),
            None => {
                let mut all = true;
                self.distinct().for_each::<T>(|element| all = all && holds(element.to_f64()));
                all
            }
        })
    }

    /// The elements in row-major order, as f64: where they are held so, they are not copied.
    pub fn as_f64(&self) -> Cow<'_, [f64]> {
        match &self.data {
            Data::F64(buffer) if self.is_contiguous() && !self.is_empty() => {
                Cow::Borrowed(&buffer[self.offset..self.offset + self.len()])
            }
            _ => Cow::Owned(self.to_vec_f64()),
        }
    }

    /// The elements in row-major order, as integers.
    ///
    /// # Errors
    /// Where the elements are floats.
    pub fn to_vec_i64(&self) -> Result<Vec<i64>> {
        if self.dtype() != DType::I64 {
            return Err(Error::new(format!("to_vec_i64: the array holds {}", self.dtype())));
        }
        let mut values = Vec::with_capacity(self.len());
        self.for_each::<i64>(|value| values.push(value));
        Ok(values)
    }

    /// The one element, as f64.
    ///
    /// # Errors
    /// Where there are more, or none.
    pub fn item(&self) -> Result<f64> {
        if self.len() != 1 {
            return Err(Error::new(format!("item: {:?} has {} elements, not one", self.shape, self.len())));
        }
        Ok(self.to_vec_f64()[0])
    }

    /// The same values in another type; f64 to f32 rounds to nearest, floats to i64 truncate.
    ///
    /// # Errors
    /// Where a float has no integer, or memory is refused.
    pub fn cast(&self, dtype: DType) -> Result<Array> {
        if dtype == self.dtype() {
            return Ok(self.clone());
        }
        let distinct = self.distinct();
        if dtype == DType::I64 {
            let values = distinct.to_vec_f64();
            let values: Vec<i64> =
                values.iter().map(|v| exact::<i64>("cast", v.trunc())).collect::<Result<_>>()?;
            return Array::from_vec(distinct.shape(), values)?.broadcast_to(&self.shape);
        }
        with_type!(self.dtype(), S => with_type!(dtype, T => {
            // SAFETY: `for_each` visits as many elements as the shape has.
            let cast = unsafe {
                Array::write_with::<T>("cast", distinct.shape(), |out| {
                    let mut out = out.iter_mut();
                    distinct.for_each::<S>(|value| {
                        out.next().expect("as many elements").write(T::from_f64(value.to_f64()));
                    });
                })?
            };
            cast.broadcast_to(&self.shape)
        }))
    }

    pub(crate) fn strides(&self) -> &[isize] {
        &self.strides
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// The address of the first element, or nothing if the elements are of another type.
    pub(crate) fn start<T: Element>(&self) -> Option<*const T> {
        // `wrapping_add`, since an empty array's offset points nowhere.
        T::unwrap(&self.data).map(|buffer| buffer.as_ptr().wrapping_add(self.offset))
    }

    /// Whether the elements lie one after another in row-major order.
    pub(crate) fn is_contiguous(&self) -> bool {
        let mut next = 1;
        let mut axes = self.shape.iter().zip(&self.strides).rev().filter(|(size, _)| **size != 1);
        self.is_empty()
            || axes.all(|(&size, &stride)| {
                let fits = stride == next;
                next *= size as isize;
                fits
            })
    }

    /// The elements as a slice, where they lie in row-major order and are of type `T`.
    pub(crate) fn as_slice<T: Element>(&self) -> Option<&[T]> {
        let buffer = T::unwrap(&self.data)?;
        self.is_contiguous().then(|| &buffer[self.offset..self.offset + self.len()])
    }

    /// The elements as a slice to be changed, where they lie in row-major order, are of type `T`, and nobody else has them.
    pub(crate) fn as_own_slice<T: Element>(&mut self) -> Option<&mut [T]> {
        let (offset, len) = (self.offset, self.len());
        let is_contiguous = self.is_contiguous();
        let buffer = T::unwrap_own(&mut self.data)?;
        is_contiguous.then(|| &mut buffer.as_mut_slice()[offset..offset + len])
    }

    /// The axes of a loop over this array.
    pub(crate) fn axes(&self) -> impl Iterator<Item = Axis<1>> {
        self.shape.iter().zip(&self.strides).map(|(&size, &stride)| Axis { size, strides: [stride] })
    }

    /// Visits every element in row-major order; the elements must be of type `T`.
    pub(crate) fn for_each<T: Element>(&self, mut visit: impl FnMut(T)) {
        if let Some(slice) = self.as_slice::<T>() {
            return slice.iter().for_each(|&value| visit(value));
        }
        let start = self.start::<T>().expect("the caller matched the dtype");
        let mut axes = shape::merge(self.axes());
        let inner = axes.pop().unwrap_or(Axis { size: 1, strides: [0] });
        shape::for_each_offset(&axes, |[offset]| {
            for i in 0..inner.size as isize {
                // SAFETY: every index of the shape stays inside of the buffer.
                visit(unsafe { *start.offset(offset + i * inner.strides[0]) });
            }
        });
    }

    /// This array with every broadcast axis cut to size 1: the elements that differ in memory.
    pub(crate) fn distinct(&self) -> Array {
        let cut = |(&size, &stride): (&usize, &isize)| if stride == 0 { size.min(1) } else { size };
        let shape = self.shape.iter().zip(&self.strides).map(cut).collect();
        self.restride(shape, self.strides.clone(), self.offset)
    }
}

/// A value of type `T`: rounded for floats, exact for integers.
pub(crate) fn exact<T: Element>(op: &str, value: f64) -> Result<T> {
    // 2⁶³ itself is a float and no i64; every float below it that is an integer is one.
    let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    if T::DTYPE.is_float() || (in_range && value.fract() == 0.0) {
        Ok(T::from_f64(value))
    } else {
        Err(Error::new(format!("{op}: {value:?} is no i64")))
    }
}

impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {self}", self.dtype(), self.shape)
    }
}
