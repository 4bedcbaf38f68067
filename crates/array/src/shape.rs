//! Arithmetic of shapes and strides: sizes by checked multiplication, row-major strides, broadcasting, and the
//! merging of axes that lie in one line of memory.

use crate::{Error, Result};
use smallvec::{SmallVec, smallvec};

/// The most axes that an array has: as many as in NumPy and PyTorch.
pub const MOST_AXES: usize = 64;

/// Shape, strides, and axes of loops: one for each axis, of which most arrays have few, and these take no memory of their own.
pub type Shape = SmallVec<[usize; FEW]>;
pub type Strides = SmallVec<[isize; FEW]>;
pub type Loop<const N: usize> = SmallVec<[Axis<N>; FEW]>;

/// As many axes as a batch of images has, and one more.
const FEW: usize = 5;

/// The number of elements of a shape.
///
/// # Errors
/// Where the product of the non-zero dims passes `isize::MAX`, since no view of such a shape could be indexed, or
/// there are more than [`MOST_AXES`] of them.
pub fn len(op: &str, shape: &[usize]) -> Result<usize> {
    if shape.len() > MOST_AXES {
        let message = format!("{op}: an array of {} axes; {MOST_AXES} are the most", shape.len());
        return Err(Error::new(message).with_hint("join some of them with `reshape`"));
    }
    let product = shape.iter().filter(|&&dim| dim != 0).try_fold(1usize, |n, &dim| n.checked_mul(dim));
    match product {
        // Eight bytes for every element must fit too.
        Some(n) if n <= isize::MAX as usize / 8 => Ok(if shape.contains(&0) { 0 } else { n }),
        _ => {
            let message = format!("{op}: the number of elements of {shape:?} overflows");
            Err(Error::memory(message)
                .with_hint("no memory holds so many; is a size another one than was meant?"))
        }
    }
}

/// The strides, in elements, of a row-major array of this shape; its length must not overflow.
pub fn row_major(shape: &[usize]) -> Strides {
    let mut strides: Strides = smallvec![0; shape.len()];
    let mut stride = 1isize;
    for (s, &dim) in strides.iter_mut().zip(shape).rev() {
        *s = stride;
        stride *= dim.max(1) as isize;
    }
    strides
}

/// The shape of two operands after NumPy's broadcasting: aligned at the right, equal or one of them 1.
///
/// # Errors
/// Where two sizes differ and neither is 1; `op` names the operation.
pub fn broadcast(op: &str, left: &[usize], right: &[usize]) -> Result<Shape> {
    let ndim = left.len().max(right.len());
    let dim = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(ndim).map_or(1, |i| shape[i]);
    (0..ndim)
        .map(|axis| match (dim(left, axis), dim(right, axis)) {
            (l, r) if l == r => Ok(l),
            (1, r) => Ok(r),
            (l, 1) => Ok(l),
            (l, r) => Err(Error::new(format!("{op}: cannot broadcast {left:?} with {right:?}: {l} ≠ {r}"))
                .with_hint(
                    "shapes are aligned at the right; each pair of sizes must be equal or contain a 1",
                )),
        })
        .collect()
}

/// One axis of a strided loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<const N: usize> {
    pub size: usize,
    /// The stride of this axis in each of the `N` operands of the loop.
    pub strides: [isize; N],
}

/// The fewest axes that visit the same elements in the same order: axes of size 1 dropped, and neighbours joined
/// where in every operand the outer one goes on where the inner one ends.
pub fn merge<const N: usize>(axes: impl IntoIterator<Item = Axis<N>>) -> Loop<N> {
    let mut merged: Loop<N> = SmallVec::new();
    for axis in axes {
        if axis.size == 1 {
            continue;
        }
        match merged.last_mut() {
            Some(outer) if (0..N).all(|i| outer.strides[i] == axis.strides[i] * axis.size as isize) => {
                outer.size *= axis.size;
                outer.strides = axis.strides;
            }
            _ => merged.push(axis),
        }
    }
    merged
}

/// Calls `visit` with the offset of every index of `axes` in each operand, the last axis fastest.
pub fn for_each_offset<const N: usize>(axes: &[Axis<N>], mut visit: impl FnMut([isize; N])) {
    if axes.iter().any(|axis| axis.size == 0) {
        return;
    }
    let mut index: Shape = smallvec![0; axes.len()];
    let mut offsets = [0isize; N];
    loop {
        visit(offsets);
        let mut k = axes.len();
        loop {
            let Some(outer) = k.checked_sub(1) else { return };
            k = outer;
            index[k] += 1;
            for (offset, stride) in offsets.iter_mut().zip(axes[k].strides) {
                *offset += stride;
            }
            if index[k] < axes[k].size {
                break;
            }
            for (offset, stride) in offsets.iter_mut().zip(axes[k].strides) {
                *offset -= stride * axes[k].size as isize;
            }
            index[k] = 0;
        }
    }
}

/// The side of a tile: 16 lines still fit into a cache of few ways where a stride is a power of two and all of them
/// fall into one set. `cargo bench` copies a transpose; 8 and 16 were the fastest, 32 and 64 twice as slow.
const TILE: usize = 16;

/// Covers `axes` by lines along the last axis and calls `visit` with each line's offsets, length and strides.
///
/// Lines come in no order to rely on: where the last axis strides far in an operand whose neighbours lie along another
/// one, as in a transposition, that square is covered in tiles, so that what the cache has loaded is used.
pub fn for_each_line<const N: usize>(axes: &[Axis<N>], mut visit: impl FnMut([isize; N], usize, [isize; N])) {
    let Some((inner, outer)) = axes.split_last() else { return visit([0; N], 1, [0; N]) };
    if inner.size == 0 {
        return;
    }
    let crosses = |axis: &Axis<N>| (0..N).any(|i| axis.strides[i] == 1 && inner.strides[i] > TILE as isize);
    let Some(cross) = outer.iter().position(crosses) else {
        return for_each_offset(outer, |start| visit(start, inner.size, inner.strides));
    };
    let mut rest: Loop<N> = outer.into();
    let cross = rest.remove(cross);
    for_each_offset(&rest, |base| {
        for block in (0..cross.size).step_by(TILE) {
            for start in (0..inner.size).step_by(TILE) {
                for row in block..cross.size.min(block + TILE) {
                    let at = |i: usize| {
                        base[i] + row as isize * cross.strides[i] + start as isize * inner.strides[i]
                    };
                    visit(std::array::from_fn(at), TILE.min(inner.size - start), inner.strides);
                }
            }
        }
    });
}
