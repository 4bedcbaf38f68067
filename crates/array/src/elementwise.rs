//! Functions of one element, and of two at a time under broadcasting.

use crate::dtype::{sealed::Arithmetic, with_type};
use crate::shape::{self, Axis};
use crate::{Array, DType, Element, Error, Result};
use std::mem::MaybeUninit;

impl Array {
    /// Applies a function to every element; the closure that fits the dtype is called.
    ///
    /// A broadcast array is computed once for each element that it holds, so the functions should be pure.
    ///
    /// # Errors
    /// For integers: their results would rarely be integers.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let x = Array::from_slice(&[2], &[0.0f32, 1.0])?;
    /// assert_eq!(x.map(f32::exp, f64::exp)?.to_vec_f64(), [1.0, f64::from(1f32.exp())]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn map(&self, f32: impl Fn(f32) -> f32, f64: impl Fn(f64) -> f64) -> Result<Array> {
        match self.dtype() {
            DType::F32 => self.map_as(f32),
            DType::F64 => self.map_as(f64),
            DType::I64 => Err(Error::new(format!("map: {:?} holds i64, not floats", self.shape()))
                .with_hint("cast it to f32 or f64 first")),
        }
    }

    /// [`map`](Array::map) of an array that is not needed any more: in its own memory, where nobody else has it.
    ///
    /// # Errors
    /// As for [`map`](Array::map).
    ///
    /// ```
    /// use pullback_array::Array;
    /// let x = Array::from_slice(&[2], &[0.0, 1.0])?;
    /// let other = x.clone();
    /// assert_eq!(x.map_into(|x| x + 1.0, |x| x + 1.0)?.to_vec_f64(), [1.0, 2.0]);
    /// assert_eq!(other.to_vec_f64(), [0.0, 1.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn map_into(mut self, f32: impl Fn(f32) -> f32, f64: impl Fn(f64) -> f64) -> Result<Array> {
        if let Some(own) = self.as_own_slice::<f32>() {
            own.iter_mut().for_each(|x| *x = f32(*x));
            return Ok(self);
        }
        if let Some(own) = self.as_own_slice::<f64>() {
            own.iter_mut().for_each(|x| *x = f64(*x));
            return Ok(self);
        }
        self.map(f32, f64)
    }

    /// [`map`](Array::map) on elements known to be of type `T`.
    pub(crate) fn map_as<T: Element>(&self, f: impl Fn(T) -> T) -> Result<Array> {
        let distinct = self.distinct();
        // SAFETY: as many elements are visited as the shape has.
        let mapped = unsafe {
            Array::write_with::<T>("map", distinct.shape(), |out| {
                if let Some(values) = distinct.as_slice::<T>() {
                    for (out, &value) in out.iter_mut().zip(values) {
                        out.write(f(value));
                    }
                } else {
                    let mut out = out.iter_mut();
                    distinct.for_each::<T>(|value| {
                        out.next().expect("as many elements").write(f(value));
                    });
                }
            })?
        };
        mapped.broadcast_to(self.shape())
    }

    /// Applies a function to every pair of elements under NumPy's broadcasting; `op` names it in errors.
    ///
    /// The result's dtype is that of both; a float and i64 give that float, f32 and f64 give f64.
    ///
    /// # Errors
    /// Where the shapes can't be broadcast together, or both arrays hold integers.
    ///
    /// ```
    /// use pullback_array::{Array, DType};
    /// let rows = Array::arange(2)?.reshape(&[2, 1])?;
    /// let sum = rows.zip(&Array::ones(&[3], DType::F64)?, "add", |a, b| a + b, |a, b| a + b)?;
    /// assert_eq!(sum.shape(), [2, 3]);
    /// assert_eq!(sum.to_vec_f64(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn zip(
        &self,
        other: &Array,
        op: &str,
        f32: impl Fn(f32, f32) -> f32,
        f64: impl Fn(f64, f64) -> f64,
    ) -> Result<Array> {
        let shape = shape::broadcast(op, self.shape(), other.shape())?;
        let dtype = self.dtype().promote(other.dtype());
        if dtype == DType::I64 {
            return Err(Error::new(format!(
                "{op}: {:?} and {:?} both hold i64, not floats",
                self.shape(),
                other.shape()
            ))
            .with_hint("cast one of them to f32 or f64 first"));
        }
        let left = self.cast(dtype)?.broadcast_to(&shape)?;
        let right = other.cast(dtype)?.broadcast_to(&shape)?;
        match dtype {
            DType::F32 => left.zip_as(&right, op, f32),
            _ => left.zip_as(&right, op, f64),
        }
    }

    /// [`zip`](Array::zip) on arrays of one shape whose elements are known to be of type `T`.
    pub(crate) fn zip_as<T: Element>(&self, other: &Array, op: &str, f: impl Fn(T, T) -> T) -> Result<Array> {
        debug_assert_eq!(self.shape(), other.shape());
        let starts = (self.start::<T>(), other.start::<T>());
        let (Some(left), Some(right)) = starts else { unreachable!("the caller matched the dtypes") };
        let axes = self.axes().zip(other.axes()).zip(shape::row_major(self.shape()));
        let axes = axes.map(|((left, right), out)| Axis {
            size: left.size,
            strides: [left.strides[0], right.strides[0], out],
        });
        let axes = shape::merge(axes);
        // SAFETY: the lines cover every index of the shape, and each stays inside of its buffer.
        unsafe {
            Array::write_with::<T>(op, self.shape(), |out| {
                shape::for_each_line(&axes, |[l, r, o], n, [l_step, r_step, o_step]| {
                    let (left, right) = (left.offset(l), right.offset(r));
                    let line = |start: *const T| std::slice::from_raw_parts(start, n);
                    if o_step != 1 {
                        // A single element: the last axis of a row-major array has a stride of 1.
                        out[o as usize].write(f(*left, *right));
                        return;
                    }
                    let out = &mut out[o as usize..][..n];
                    match (l_step, r_step) {
                        (1, 1) => fill(out, line(left).iter().zip(line(right)).map(|(&l, &r)| f(l, r))),
                        (1, 0) => fill(out, line(left).iter().map(|&l| f(l, *right))),
                        (0, 1) => fill(out, line(right).iter().map(|&r| f(*left, r))),
                        _ => fill(
                            out,
                            (0..n as isize).map(|i| f(*left.offset(i * l_step), *right.offset(i * r_step))),
                        ),
                    }
                });
            })
        }
    }

    /// The largest absolute value; 0 where there are no elements, NaN where any is NaN.
    pub fn max_abs(&self) -> f64 {
        with_type!(self.dtype(), T => {
            let mut largest = 0.0f64;
            self.distinct().for_each::<T>(|value| {
                let size = value.to_f64().abs();
                // A NaN is never less, and never greater: it enters here and nothing displaces it.
                if size > largest || size.is_nan() {
                    largest = size;
                }
            });
            largest
        })
    }

    /// Has it the shape of `other`, and no element that is further from it than the largest absolute value of `other` times
    /// `relative`? Never where a NaN is in either, nor of integers.
    ///
    /// ```
    /// use pullback_array::Array;
    ///
    /// let exact = Array::from_slice(&[2], &[1000.0, 0.0])?;
    /// let near = Array::from_slice(&[2], &[1000.0, 1e-6])?;
    /// assert!(near.is_near(&exact, 1e-8));
    /// assert!(!near.is_near(&exact, 1e-10));
    /// assert!(!near.reshape(&[1, 2])?.is_near(&exact, 1.0));
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn is_near(&self, other: &Array, relative: f64) -> bool {
        let difference = self.zip(other, "compare", |a, b| a - b, |a, b| a - b);
        self.shape() == other.shape()
            && difference.is_ok_and(|difference| difference.max_abs() <= relative * other.max_abs())
    }

    /// Whether no element is NaN or infinite.
    pub fn all_finite(&self) -> bool {
        with_type!(self.dtype(), T => {
            let mut all = true;
            self.distinct().for_each::<T>(|value| all &= value.is_finite());
            all
        })
    }
}

#[inline(always)]
fn fill<T>(out: &mut [MaybeUninit<T>], values: impl Iterator<Item = T>) {
    for (out, value) in out.iter_mut().zip(values) {
        out.write(value);
    }
}
