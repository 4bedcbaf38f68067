//! Sums and maxima over axes.
//!
//! Sums of f32 are held in f64 and rounded once; sums of f64 along a line of memory are pairwise, so that their
//! error grows with the logarithm of its length (Higham, *The accuracy of floating point summation*, 1993); sums of
//! integers wrap.

use crate::buffer::Buffer;
use crate::dtype::{sealed::Arithmetic, with_type};
use crate::shape::{self, Axis, Loop, Shape};
use crate::{Array, Element, Error, Result};

impl Array {
    /// The sum over `axes`, which stay as axes of size 1 if `keepdims`; a sum over nothing is 0.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, or memory is refused.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::arange(6)?.reshape(&[2, 3])?;
    /// assert_eq!(a.sum(&[0], false)?.to_vec_i64()?, [3, 5, 7]);
    /// assert_eq!(a.sum(&[0, 1], true)?.shape(), [1, 1]);
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn sum(&self, axes: &[usize], keepdims: bool) -> Result<Array> {
        let split = Split::new(self, "sum", axes)?;
        if axes.is_empty() {
            return Ok(self.clone());
        }
        if self.is_empty() {
            // No loop over a large axis beside an empty one.
            let kept = |axis: &usize| keepdims || !axes.contains(axis);
            let size = |axis: usize| if axes.contains(&axis) { 1 } else { self.shape()[axis] };
            let shape: Vec<usize> = (0..self.ndim()).filter(kept).map(size).collect();
            return Array::zeros(&shape, self.dtype());
        }
        let sums = with_type!(self.dtype(), T => {
            type Sum = <T as Arithmetic>::Sum;
            let fold = Fold { start: Sum::ZERO, take: |sum: Sum, value: T| sum.plus(value.widen()), join: Sum::plus };
            split.fold(self, "sum", fold)?.cast(self.dtype())?
        });
        split.finish(sums, keepdims)
    }

    /// The maximum over `axes`, which stay as axes of size 1 if `keepdims`. NaN where any element is NaN.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, there is nothing to take the maximum of, or memory is
    /// refused.
    pub fn max(&self, axes: &[usize], keepdims: bool) -> Result<Array> {
        let split = Split::new(self, "max", axes)?;
        if split.reduced.iter().any(|axis| axis.size == 0) {
            return Err(Error::new(format!("max: nothing to take the maximum of in {:?}", self.shape())));
        }
        let maxima = with_type!(self.dtype(), T => {
            split.fold(self, "max", Fold { start: T::LOWEST, take: larger::<T>, join: larger::<T> })?
        });
        split.finish(maxima, keepdims)
    }
}

/// The axes of a reduction: those that stay, and those that go.
struct Split {
    /// Sizes of the result, without and with the reduced axes.
    shape: Shape,
    shape_with_ones: Shape,
    /// Strides in the operand and in the result.
    kept: Loop<2>,
    /// Strides in the operand.
    reduced: Loop<1>,
}

impl Split {
    fn new(array: &Array, op: &str, axes: &[usize]) -> Result<Split> {
        let mut goes = vec![false; array.ndim()];
        for &axis in axes {
            match goes.get_mut(axis) {
                Some(seen @ false) => *seen = true,
                Some(_) => {
                    return Err(Error::new(format!(
                        "{op}: axis {axis} of {:?} is named twice",
                        array.shape()
                    )));
                }
                None => return Err(Error::new(format!("{op}: {:?} has no axis {axis}", array.shape()))),
            }
        }
        let of = |goes_is: bool| {
            array.axes().zip(&goes).filter(move |&(_, &goes)| goes == goes_is).map(|(axis, _)| axis)
        };
        let shape: Shape = of(false).map(|axis| axis.size).collect();
        let out = shape::row_major(&shape);
        let kept = of(false)
            .zip(out)
            .map(|(Axis { size, strides: [stride] }, out)| Axis { size, strides: [stride, out] });
        let mut reduced: Loop<1> = of(true).collect();
        // A sum may be taken in any order: the order of memory reads the longest lines.
        reduced.sort_by_key(|axis| std::cmp::Reverse(axis.strides[0]));
        let shape_with_ones =
            array.shape().iter().zip(&goes).map(|(&size, &goes)| if goes { 1 } else { size });
        Ok(Split {
            kept: shape::merge(kept),
            reduced: shape::merge(reduced),
            shape_with_ones: shape_with_ones.collect(),
            shape,
        })
    }

    fn finish(&self, result: Array, keepdims: bool) -> Result<Array> {
        if keepdims { result.reshape(&self.shape_with_ones) } else { Ok(result) }
    }

    /// Folds the elements of type `T` into one `A` for each index that is kept.
    fn fold<T, A, F, G>(&self, array: &Array, op: &str, fold: Fold<A, F, G>) -> Result<Array>
    where
        T: Element,
        A: Element,
        F: Fn(A, T) -> A,
        G: Fn(A, A) -> A,
    {
        let start = array.start::<T>().expect("the caller matched the dtype");
        let mut folded = Buffer::<A>::filled(shape::len(op, &self.shape)?, fold.start)?;
        if folded.is_empty() {
            return Ok(Array::from_buffer(&self.shape, folded));
        }
        let out = folded.as_mut_slice();
        let (mut kept, mut reduced) = (self.kept.clone(), self.reduced.clone());
        let lies_closer =
            |kept: &Axis<2>| reduced.last().is_none_or(|line| kept.strides[0] < line.strides[0]);
        // SAFETY (both loops): every index of the shape stays inside of the buffer.
        if let Some(lane) = kept.last().copied().filter(lies_closer) {
            kept.pop();
            // Neighbours in memory belong to different results: fold whole lanes into lanes.
            let [step, out_step] = lane.strides;
            debug_assert_eq!(out_step, 1, "the last axis of a row-major array");
            shape::for_each_offset(&kept, |[from, to]| {
                let out = &mut out[to as usize..][..lane.size];
                shape::for_each_offset(&reduced, |[offset]| unsafe {
                    let lane = start.offset(from + offset);
                    if step == 1 {
                        let values = std::slice::from_raw_parts(lane, out.len());
                        out.iter_mut().zip(values).for_each(|(out, &value)| *out = (fold.take)(*out, value));
                    } else {
                        let values = (0..out.len() as isize).map(|i| *lane.offset(i * step));
                        out.iter_mut().zip(values).for_each(|(out, value)| *out = (fold.take)(*out, value));
                    }
                });
            });
        } else {
            let line = reduced.pop().unwrap_or(Axis { size: 1, strides: [0] });
            shape::for_each_offset(&kept, |[from, to]| {
                let out = &mut out[to as usize];
                shape::for_each_offset(&reduced, |[offset]| {
                    let part = unsafe { fold.line(start.offset(from + offset), line.size, line.strides[0]) };
                    *out = (fold.join)(*out, part);
                });
            });
        }
        Ok(Array::from_buffer(&self.shape, folded))
    }
}

/// What to do with the elements: where to start, how to take one in, and how to join two parts.
struct Fold<A, F, G> {
    start: A,
    take: F,
    join: G,
}

impl<A: Element, F, G: Fn(A, A) -> A> Fold<A, F, G> {
    /// Folds `n` elements, `step` apart, by halves down to blocks that eight running results take in.
    ///
    /// # Safety
    /// All of the elements must be readable.
    unsafe fn line<T: Element>(&self, start: *const T, n: usize, step: isize) -> A
    where
        F: Fn(A, T) -> A,
    {
        const LANES: usize = 8;
        if n > 256 {
            let half = n / 2 / LANES * LANES;
            // SAFETY: the two halves are parts of the line.
            let (left, right) = unsafe {
                (self.line(start, half, step), self.line(start.offset(half as isize * step), n - half, step))
            };
            return (self.join)(left, right);
        }
        let mut lanes = [self.start; LANES];
        let mut take_block = |block: [T; LANES]| {
            for (result, value) in lanes.iter_mut().zip(block) {
                *result = (self.take)(*result, value);
            }
        };
        let rest = if step == 1 {
            // SAFETY: the caller's promise.
            let (blocks, rest) = unsafe { std::slice::from_raw_parts(start, n) }.as_chunks::<LANES>();
            blocks.iter().for_each(|&block| take_block(block));
            rest.iter().fold(self.start, |result, &value| (self.take)(result, value))
        } else {
            // SAFETY: the caller's promise, for i < n.
            let at = |i: usize| unsafe { *start.offset(i as isize * step) };
            let whole = n / LANES * LANES;
            (0..whole)
                .step_by(LANES)
                .for_each(|block| take_block(std::array::from_fn(|lane| at(block + lane))));
            (whole..n).fold(self.start, |result, i| (self.take)(result, at(i)))
        };
        lanes.into_iter().fold(rest, &self.join)
    }
}

/// The larger of two. A NaN is never larger: it enters by name, and nothing displaces it.
#[inline(always)]
fn larger<T: Element>(largest: T, value: T) -> T {
    if value > largest || value.is_nan() { value } else { largest }
}
