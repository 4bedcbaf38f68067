//! Functions of one element, and of two at a time under broadcasting.

use crate::dtype::{sealed::Arithmetic, with_type};
use crate::{Array, DType, Element, Error, Result, shape};
use ndarray::{ArrayViewMutD, IxDyn, Zip};
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
        // SAFETY: both arms visit as many elements as the shape has.
        unsafe {
            Array::write_with::<T>(op, self.shape(), |out| {
                match (self.as_slice::<T>(), other.as_slice::<T>()) {
                    (Some(left), Some(right)) => {
                        for ((out, &left), &right) in out.iter_mut().zip(left).zip(right) {
                            out.write(f(left, right));
                        }
                    }
                    _ => {
                        let out = ArrayViewMutD::<MaybeUninit<T>>::from_shape(IxDyn(self.shape()), out);
                        Zip::from(out.expect("a row-major slice of the shape's length"))
                            .and(self.view::<T>().expect("the caller matched the dtype"))
                            .and(other.view::<T>().expect("the caller matched the dtype"))
                            .for_each(|out, &left, &right| {
                                out.write(f(left, right));
                            });
                    }
                }
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

    /// Whether no element is NaN or infinite.
    pub fn all_finite(&self) -> bool {
        with_type!(self.dtype(), T => {
            let mut all = true;
            self.distinct().for_each::<T>(|value| all &= value.is_finite());
            all
        })
    }
}
