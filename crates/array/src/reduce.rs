//! Sums and maxima over axes.
//!
//! Sums of f32 are held in f64 and rounded once; sums of f64 along a line of memory are pairwise, so that their
//! error grows with the logarithm of its length (Higham, *The accuracy of floating point summation*, 1993); sums of
//! integers wrap.

use crate::buffer::Buffer;
use crate::dtype::{sealed::Arithmetic, with_type};
use crate::shape::{self, Axis};
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
        let sums = with_type!(self.dtype(), T => split.sum::<T>(self)?.cast(self.dtype())?);
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
        let maxima = with_type!(self.dtype(), T => split.max::<T>(self)?);
        split.finish(maxima, keepdims)
    }
}

/// The axes of a reduction: those that stay, and those that go.
struct Split {
    /// Sizes of the result, without and with the reduced axes.
    shape: Vec<usize>,
    shape_with_ones: Vec<usize>,
    /// Strides in the operand and in the result.
    kept: Vec<Axis<2>>,
    /// Strides in the operand.
    reduced: Vec<Axis<1>>,
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
        let shape: Vec<usize> = of(false).map(|axis| axis.size).collect();
        let out = shape::row_major(&shape);
        let kept = of(false)
            .zip(out)
            .map(|(Axis { size, strides: [stride] }, out)| Axis { size, strides: [stride, out] });
        let mut reduced: Vec<Axis<1>> = of(true).collect();
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

    fn sum<T: Element>(&self, array: &Array) -> Result<Array> {
        let start = array.start::<T>().expect("the caller matched the dtype");
        let mut sums = Buffer::<T::Sum>::zeroed(shape::len("sum", &self.shape)?)?;
        let out = sums.as_mut_slice();
        let (mut kept, mut reduced) = (self.kept.clone(), self.reduced.clone());
        let lies_closer =
            |kept: &Axis<2>| reduced.last().is_none_or(|line| kept.strides[0] < line.strides[0]);
        if let Some(lane) = kept.pop_if(|lane| lies_closer(lane)) {
            let [step, out_step] = lane.strides;
            shape::for_each_offset(&kept, |[from, to]| {
                shape::for_each_offset(&reduced, |[offset]| {
                    for i in 0..lane.size as isize {
                        // SAFETY: every index of the shape stays inside of the buffer.
                        let value = unsafe { *start.offset(from + offset + i * step) };
                        let sum = &mut out[(to + i * out_step) as usize];
                        *sum = sum.plus(value.widen());
                    }
                });
            });
        } else {
            let line = reduced.pop().unwrap_or(Axis { size: 1, strides: [0] });
            shape::for_each_offset(&kept, |[from, to]| {
                let sum = &mut out[to as usize];
                shape::for_each_offset(&reduced, |[offset]| {
                    // SAFETY: every index of the shape stays inside of the buffer.
                    let part = unsafe { pairwise(start.offset(from + offset), line.size, line.strides[0]) };
                    *sum = sum.plus(part);
                });
            });
        }
        Ok(Array::from_buffer(self.shape.clone(), sums))
    }

    fn max<T: Element>(&self, array: &Array) -> Result<Array> {
        let start = array.start::<T>().expect("the caller matched the dtype");
        let mut maxima = Buffer::<T>::zeroed(shape::len("max", &self.shape)?)?;
        let out = maxima.as_mut_slice();
        let mut reduced = self.reduced.clone();
        let line = reduced.pop().unwrap_or(Axis { size: 1, strides: [0] });
        shape::for_each_offset(&self.kept, |[from, to]| {
            // SAFETY (here and below): every index of the shape stays inside of the buffer, and there is one.
            let mut largest = unsafe { *start.offset(from) };
            shape::for_each_offset(&reduced, |[offset]| {
                for i in 0..line.size as isize {
                    let value = unsafe { *start.offset(from + offset + i * line.strides[0]) };
                    // A NaN is never greater: it enters by name, and nothing displaces it.
                    if value > largest || value.is_nan() {
                        largest = value;
                    }
                }
            });
            out[to as usize] = largest;
        });
        Ok(Array::from_buffer(self.shape.clone(), maxima))
    }
}

/// The sum of `n` elements, `step` apart, by halves down to blocks that eight running sums take in.
///
/// # Safety
/// All of the elements must be readable.
unsafe fn pairwise<T: Element>(start: *const T, n: usize, step: isize) -> T::Sum {
    const LANES: usize = 8;
    // SAFETY (all of the function): offsets stay below `n * step`.
    if n > 256 {
        let half = n / 2 / LANES * LANES;
        let (left, right) = unsafe {
            (pairwise(start, half, step), pairwise(start.offset(half as isize * step), n - half, step))
        };
        return left.plus(right);
    }
    let at = |i: usize| unsafe { *start.offset(i as isize * step) }.widen();
    let mut lanes = [T::Sum::ZERO; LANES];
    let whole = n / LANES * LANES;
    for block in (0..whole).step_by(LANES) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum = sum.plus(at(block + lane));
        }
    }
    let rest = (whole..n).fold(T::Sum::ZERO, |sum, i| sum.plus(at(i)));
    let [a, b, c, d, e, f, g, h] = lanes;
    let (left, right) = (a.plus(b).plus(c.plus(d)), e.plus(f).plus(g.plus(h)));
    left.plus(right).plus(rest)
}
