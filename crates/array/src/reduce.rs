//! Sums and maxima over axes.
//!
//! Sums of f32 are held in f64 and rounded once; sums of f64 along the last axis are pairwise, so that their
//! error grows with the logarithm of its length (Higham, *The accuracy of floating point summation*, 1993); sums of
//! integers wrap.
//!
//! The order in which elements are taken in follows from the shape and the axes alone, and not from where the elements lie: a view
//! and a copy of it have the same sum, to the last bit. Axes that go behind the last one that stays are one line, folded by halves
//! ([`sum_line`]); where the last axis stays, whole lanes are added to lanes, one after another ([`add_lane`]).

use crate::buffer::Buffer;
use crate::dtype::{sealed::Arithmetic, with_type};
use crate::lines::wide;
use crate::shape::{self, Axis, Loop, Shape};
use crate::{Array, Element, Error, Result};

impl Array {
    /// The sum over `axes`, which stay as axes of size 1 if `keepdims`; a sum over nothing is 0, and one of a single element that element.
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
        let split = Split::new([self, self], "sum", axes)?;
        if axes.iter().all(|&axis| self.shape()[axis] == 1) {
            return split.finish(self.clone(), keepdims);
        }
        if self.is_empty() {
            // No loop over a large axis beside an empty one.
            let kept = |axis: &usize| keepdims || !axes.contains(axis);
            let size = |axis: usize| if axes.contains(&axis) { 1 } else { self.shape()[axis] };
            let shape: Vec<usize> = (0..self.ndim()).filter(kept).map(size).collect();
            return Array::zeros(&shape, self.dtype());
        }
        let sums = with_type!(self.dtype(), T => {
            let start = self.start::<T>().expect("the dtype was matched");
            split.fold::<T, Sum>("sum", &Elements(start))?.cast(self.dtype())?
        });
        split.finish(sums, keepdims)
    }

    /// The sum over `axes`, which go, of the products of two arrays of one shape and type, each rounded to that type.
    pub(crate) fn sum_of_products<T: Element>(&self, other: &Array, axes: &[usize]) -> Result<Array> {
        let split = Split::new([self, other], "sum", axes)?;
        if axes.iter().all(|&axis| self.shape()[axis] == 1) {
            return split.finish(self.zip_as::<T>(other, "contract", |a, b| a.times(b))?, false);
        }
        let (Some(left), Some(right)) = (self.start::<T>(), other.start::<T>()) else {
            unreachable!("the caller matched the dtypes")
        };
        split.fold::<T, Sum>("sum", &Products(left, right))?.cast(T::DTYPE)
    }

    /// The maximum over `axes`, which stay as axes of size 1 if `keepdims`. NaN where any element is NaN.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, there is nothing to take the maximum of, or memory is
    /// refused.
    pub fn max(&self, axes: &[usize], keepdims: bool) -> Result<Array> {
        let split = Split::new([self, self], "max", axes)?;
        if axes.iter().any(|&axis| self.shape()[axis] == 0) {
            return Err(Error::new(format!("max: nothing to take the maximum of in {:?}", self.shape())));
        }
        if axes.iter().all(|&axis| self.shape()[axis] == 1) {
            return split.finish(self.clone(), keepdims);
        }
        let maxima = with_type!(self.dtype(), T => {
            let start = self.start::<T>().expect("the dtype was matched");
            split.fold::<T, Largest>("max", &Elements(start))?
        });
        split.finish(maxima, keepdims)
    }
}

/// The sum of a line of elements, as an array's over its last axis.
pub(crate) fn sum_line<T: Element>(line: &[T]) -> T {
    T::from_f64(fold_line::<T, Sum>(line).to_f64())
}

/// The largest element of a line, as an array's over its last axis.
pub(crate) fn max_line<T: Element>(line: &[T]) -> T {
    fold_line::<T, Largest>(line)
}

fn fold_line<T: Element, F: Fold<T>>(line: &[T]) -> F::Of {
    let folded = fold_halves::<T, F>(0, line.len(), &mut |first, n| fold_block::<T, F>(&line[first..][..n]));
    F::join(F::START, folded)
}

/// Adds a lane to sums, as an array's over its first axis: they start at 0, and are rounded at the end.
pub(crate) fn add_lane<T: Element>(sums: &mut [T::Sum], lane: &[T]) {
    wide!(
        fn add<T: Element>(sums: &mut [T::Sum], lane: &[T]) {
            sums.iter_mut().zip(lane).for_each(|(sum, &value)| *sum = sum.plus(value.widen()));
        }
    )
}

/// What to do with elements: where to start, how to take one in, and how to join two parts.
trait Fold<T> {
    type Of: Element;
    const START: Self::Of;
    fn take(part: Self::Of, value: T) -> Self::Of;
    fn join(left: Self::Of, right: Self::Of) -> Self::Of;
}

struct Sum;

impl<T: Element> Fold<T> for Sum {
    type Of = T::Sum;
    const START: T::Sum = T::Sum::ZERO;

    #[inline(always)]
    fn take(sum: T::Sum, value: T) -> T::Sum {
        sum.plus(value.widen())
    }

    #[inline(always)]
    fn join(left: T::Sum, right: T::Sum) -> T::Sum {
        left.plus(right)
    }
}

struct Largest;

impl<T: Element> Fold<T> for Largest {
    type Of = T;
    const START: T = T::LOWEST;

    /// A NaN is never larger: it enters by name, and nothing displaces it.
    #[inline(always)]
    fn take(largest: T, value: T) -> T {
        if value > largest || value.is_nan() { value } else { largest }
    }

    #[inline(always)]
    fn join(left: T, right: T) -> T {
        Self::take(left, right)
    }
}

/// So many elements are folded in one go.
const BLOCK: usize = 256;
/// By so many running results: as many as the widest vector register there is holds, of f64, in which f32 is summed too.
const LANES: usize = 8;

/// Folds a few elements, in eight running results.
fn fold_block<T: Element, F: Fold<T>>(values: &[T]) -> F::Of {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let rest = rest.iter().fold(F::START, |part, &value| F::take(part, value));
    eight::<T, F>(blocks).into_iter().fold(rest, F::join)
}

/// Eight running results, of every eighth element each.
fn eight<T: Element, F: Fold<T>>(blocks: &[[T; LANES]]) -> [F::Of; LANES] {
    wide!(
        fn running<T: Element, F: Fold<T>>(blocks: &[[T; LANES]]) -> [F::Of; LANES] {
            let mut lanes = [F::START; LANES];
            for block in blocks {
                for (part, &value) in lanes.iter_mut().zip(block) {
                    *part = F::take(*part, value);
                }
            }
            lanes
        }
    )
}

/// Folds `n` elements from `first` by halves, down to blocks.
fn fold_halves<T: Element, F: Fold<T>>(
    first: usize,
    n: usize,
    block: &mut impl FnMut(usize, usize) -> F::Of,
) -> F::Of {
    if n <= BLOCK {
        return block(first, n);
    }
    let half = n / 2 / LANES * LANES;
    let left = fold_halves::<T, F>(first, half, block);
    F::join(left, fold_halves::<T, F>(first + half, n - half, block))
}

/// Where elements are read.
trait Read<T: Element> {
    /// Appends `n` elements to `block`, from these offsets on and so far apart.
    ///
    /// # Safety
    /// All of them must be readable.
    unsafe fn append(&self, at: [isize; 2], n: usize, steps: [isize; 2], block: &mut Vec<T>);

    /// `n` elements as a slice; `block` holds them where they do not lie side by side.
    ///
    /// # Safety
    /// All of them must be readable for as long as the slice is.
    unsafe fn line<'a>(&self, at: [isize; 2], n: usize, steps: [isize; 2], block: &'a mut Vec<T>) -> &'a [T] {
        block.clear();
        // SAFETY: the caller's promise.
        unsafe { self.append(at, n, steps, block) };
        block
    }
}

/// The elements of an array.
struct Elements<T>(*const T);

impl<T: Element> Read<T> for Elements<T> {
    unsafe fn append(&self, [at, _]: [isize; 2], n: usize, [step, _]: [isize; 2], block: &mut Vec<T>) {
        // SAFETY: the caller's promise.
        block.extend((0..n as isize).map(|i| unsafe { *self.0.offset(at + i * step) }));
    }

    unsafe fn line<'a>(&self, at: [isize; 2], n: usize, steps: [isize; 2], block: &'a mut Vec<T>) -> &'a [T] {
        if steps[0] == 1 {
            // SAFETY: the caller's promise.
            return unsafe { std::slice::from_raw_parts(self.0.offset(at[0]), n) };
        }
        block.clear();
        // SAFETY: the caller's promise.
        unsafe { self.append(at, n, steps, block) };
        block
    }
}

/// The products of the elements of two arrays.
struct Products<T>(*const T, *const T);

impl<T: Element> Read<T> for Products<T> {
    unsafe fn append(&self, [l, r]: [isize; 2], n: usize, steps: [isize; 2], block: &mut Vec<T>) {
        // SAFETY (all): the caller's promise.
        let (left, right) = unsafe { (self.0.offset(l), self.1.offset(r)) };
        if steps == [1, 1] {
            let line = |start| unsafe { std::slice::from_raw_parts(start, n) };
            block.extend(line(left).iter().zip(line(right)).map(|(l, r)| l.times(*r)));
        } else {
            let product =
                |i: isize| unsafe { (*left.offset(i * steps[0])).times(*right.offset(i * steps[1])) };
            block.extend((0..n as isize).map(product));
        }
    }
}

/// The axes of a reduction: those that stay, and those that go.
struct Split {
    /// Sizes of the result, without and with the reduced axes.
    shape: Shape,
    shape_with_ones: Shape,
    /// Strides in the two operands and in the result.
    kept: Loop<3>,
    /// Of the axes that go, those before the last one that stays: strides in the two operands.
    before: Loop<2>,
    /// And those behind it.
    behind: Loop<2>,
}

impl Split {
    /// Of one array, or of two of one shape.
    fn new([array, other]: [&Array; 2], op: &str, axes: &[usize]) -> Result<Split> {
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
        let sizes = array.shape();
        let shape: Shape = (0..sizes.len()).filter(|&axis| !goes[axis]).map(|axis| sizes[axis]).collect();
        let mut out = shape::row_major(&shape).into_iter();
        let (mut kept, mut before, mut behind) = (Loop::new(), Loop::<2>::new(), Loop::<2>::new());
        for (axis, (left, right)) in array.axes().zip(other.axes()).enumerate() {
            let (size, [left], [right]) = (left.size, left.strides, right.strides);
            if goes[axis] {
                behind.push(Axis { size, strides: [left, right] });
                continue;
            }
            let to = out.next().expect("an axis that stays");
            kept.push(Axis { size, strides: [left, right, to] });
            if size != 1 {
                before.append(&mut behind);
            }
        }
        let shape_with_ones = sizes.iter().zip(&goes).map(|(&size, &goes)| if goes { 1 } else { size });
        Ok(Split {
            kept: shape::merge(kept),
            before: shape::merge(before),
            behind: shape::merge(behind),
            shape_with_ones: shape_with_ones.collect(),
            shape,
        })
    }

    fn finish(&self, result: Array, keepdims: bool) -> Result<Array> {
        result.reshape(if keepdims { &self.shape_with_ones } else { &self.shape })
    }

    /// Folds the elements into one result for each index that is kept. None of the axes that go is empty.
    fn fold<T: Element, F: Fold<T>>(&self, op: &str, read: &impl Read<T>) -> Result<Array> {
        let mut folded = Buffer::<F::Of>::filled(shape::len(op, &self.shape)?, F::START)?;
        if folded.is_empty() {
            return Ok(Array::from_buffer(&self.shape, folded));
        }
        let out = folded.as_mut_slice();
        let mut block = Vec::new();
        // SAFETY (both loops): every index of the shape stays inside of the buffers.
        if let (true, Some((lane, kept))) = (self.behind.is_empty(), self.kept.split_last()) {
            // Neighbours belong to different results: fold whole lanes into lanes.
            let [left_step, right_step, _] = lane.strides;
            shape::for_each_offset(kept, |[left, right, to]| {
                let out = &mut out[to as usize..][..lane.size];
                shape::for_each_offset(&self.before, |[dl, dr]| {
                    for (part, out) in (0..).zip(out.chunks_mut(BLOCK)) {
                        let from = (part * BLOCK) as isize;
                        let at = [left + dl + from * left_step, right + dr + from * right_step];
                        let lane = unsafe { read.line(at, out.len(), [left_step, right_step], &mut block) };
                        out.iter_mut().zip(lane).for_each(|(out, &value)| *out = F::take(*out, value));
                    }
                });
            });
        } else {
            let n = self.behind.iter().map(|axis| axis.size).product();
            shape::for_each_offset(&self.kept, |[left, right, to]| {
                let out = &mut out[to as usize];
                shape::for_each_offset(&self.before, |[dl, dr]| {
                    let at = [left + dl, right + dr];
                    let mut part = |first: usize, n: usize| {
                        fold_block::<T, F>(unsafe { part_of(read, &self.behind, at, first, n, &mut block) })
                    };
                    *out = F::join(*out, fold_halves::<T, F>(0, n, &mut part));
                });
            });
        }
        Ok(Array::from_buffer(&self.shape, folded))
    }
}

/// Of the elements that `axes` visit, `n` from number `first` on.
///
/// # Safety
/// All of them must be readable for as long as the slice is.
unsafe fn part_of<'a, T: Element>(
    read: &impl Read<T>,
    axes: &[Axis<2>],
    at: [isize; 2],
    first: usize,
    n: usize,
    block: &'a mut Vec<T>,
) -> &'a [T] {
    let (inner, outer) = match axes {
        [] => (Axis { size: 1, strides: [0, 0] }, axes),
        [outer @ .., inner] => (*inner, outer),
    };
    let from = |first: usize| {
        let mut number = first / inner.size;
        let along = |axis: &Axis<2>, index: usize, k: usize| index as isize * axis.strides[k];
        let mut start = [0, 1].map(|k| at[k] + along(&inner, first % inner.size, k));
        for axis in outer.iter().rev() {
            let index = number % axis.size;
            number /= axis.size;
            start = [0, 1].map(|k| start[k] + along(axis, index, k));
        }
        start
    };
    if first % inner.size + n <= inner.size {
        // SAFETY: the caller's promise.
        return unsafe { read.line(from(first), n, inner.strides, block) };
    }
    block.clear();
    let mut done = 0;
    while done < n {
        let count = (inner.size - (first + done) % inner.size).min(n - done);
        // SAFETY: the caller's promise.
        unsafe { read.append(from(first + done), count, inner.strides, block) };
        done += count;
    }
    block
}
