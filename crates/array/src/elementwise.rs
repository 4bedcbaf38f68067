//! Functions of one element, and of two at a time under broadcasting.

use crate::dtype::{sealed::Arithmetic, with_type};
use crate::lines::{Each, Line, Lines, Pairs, each_line, pairs_line};
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
            DType::I64 => Err(self.no_floats()),
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

    /// Applies a function to every element, by the loops that it is stated as.
    ///
    /// # Errors
    /// For integers, as [`map`](Array::map).
    pub fn each(&self, f: &Each) -> Result<Array> {
        match self.dtype() {
            DType::F32 => self.map_lines(f32::each(f)),
            DType::F64 => self.map_lines(f64::each(f)),
            DType::I64 => Err(self.no_floats()),
        }
    }

    fn no_floats(&self) -> Error {
        Error::new(format!("map: {:?} holds i64, not floats", self.shape()))
            .with_hint("cast it to f32 or f64 first")
    }

    /// [`map`](Array::map) on elements known to be of type `T`.
    pub(crate) fn map_as<T: Element>(&self, f: impl Fn(T) -> T) -> Result<Array> {
        self.map_lines(|x, out| each_line(x, out, &f))
    }

    /// The loop `f`, which writes as many elements as it is given, on elements known to be of type `T`.
    fn map_lines<T: Element>(&self, f: impl Fn(&[T], &mut [MaybeUninit<T>])) -> Result<Array> {
        let distinct = self.distinct();
        // SAFETY: `f` writes every element of the slices that it is given, and they cover the whole.
        let mapped = unsafe {
            Array::write_with::<T>("map", distinct.shape(), |out| match distinct.as_slice::<T>() {
                Some(values) => f(values, out),
                None => {
                    let (mut block, mut done) = (Vec::with_capacity(BLOCK), 0);
                    let mut flush = |block: &mut Vec<T>| {
                        f(block, &mut out[done..][..block.len()]);
                        done += block.len();
                        block.clear();
                    };
                    distinct.for_each::<T>(|value| {
                        block.push(value);
                        if block.len() == BLOCK {
                            flush(&mut block);
                        }
                    });
                    flush(&mut block);
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
        let (left, right) = self.promoted(other, op)?;
        match left.dtype() {
            DType::F32 => left.zip_as(&right, op, f32),
            _ => left.zip_as(&right, op, f64),
        }
    }

    /// Applies a function to every pair of elements under NumPy's broadcasting, by the loops that it is stated as; `op` names it in
    /// errors.
    ///
    /// # Errors
    /// Those of [`zip`](Array::zip).
    pub fn pairs(&self, other: &Array, op: &str, f: &Pairs) -> Result<Array> {
        let (left, right) = self.promoted(other, op)?;
        match left.dtype() {
            DType::F32 => left.zip_lines(&right, op, f32::pairs(f)),
            _ => left.zip_lines(&right, op, f64::pairs(f)),
        }
    }

    /// Both operands of a function of pairs, in the shape and the type of its result.
    fn promoted(&self, other: &Array, op: &str) -> Result<(Array, Array)> {
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
        Ok((self.cast(dtype)?.broadcast_to(&shape)?, other.cast(dtype)?.broadcast_to(&shape)?))
    }

    /// [`zip`](Array::zip) on arrays of one shape whose elements are known to be of type `T`.
    pub(crate) fn zip_as<T: Element>(&self, other: &Array, op: &str, f: impl Fn(T, T) -> T) -> Result<Array> {
        self.zip_lines(other, op, |a, b, out| pairs_line(a, b, out, &f))
    }

    /// The loop `f`, which writes every element that it is given, on arrays of one shape whose elements are known to be of type `T`.
    fn zip_lines<T: Element>(
        &self,
        other: &Array,
        op: &str,
        f: impl Fn(Line<'_, T>, Line<'_, T>, &mut [MaybeUninit<T>]),
    ) -> Result<Array> {
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
                let mut blocks = [Vec::new(), Vec::new()];
                shape::for_each_line(&axes, |[l, r, o], n, [l_step, r_step, _]| {
                    // The last axis of a row-major array has a stride of 1, where there is one.
                    let out = &mut out[o as usize..][..n];
                    let [left_block, right_block] = &mut blocks;
                    let is_line = [l_step, r_step].iter().all(|step| matches!(step, 0 | 1));
                    for (at, out) in (0..).zip(out.chunks_mut(if is_line { n } else { BLOCK })) {
                        let from = (at * BLOCK) as isize;
                        let a = line(left.offset(l + from * l_step), out.len(), l_step, left_block);
                        let b = line(right.offset(r + from * r_step), out.len(), r_step, right_block);
                        f(a, b, out);
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

/// How many elements that do not lie side by side are put so at a time.
const BLOCK: usize = 256;

/// `n` elements, `step` apart, as an operand; those that do not lie side by side are copied to `block`.
///
/// # Safety
/// All of them must be readable for as long as the line is.
unsafe fn line<T: Element>(start: *const T, n: usize, step: isize, block: &mut Vec<T>) -> Line<'_, T> {
    // SAFETY: the caller's promise.
    unsafe {
        match step {
            0 => Line::One(*start),
            1 => Line::Many(std::slice::from_raw_parts(start, n)),
            _ => {
                block.clear();
                block.extend((0..n as isize).map(|i| *start.offset(i * step)));
                Line::Many(block)
            }
        }
    }
}
