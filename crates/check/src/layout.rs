//! The shapes that a claim may have.

use pullback_array::Array;
use pullback_ops::Result;

/// How a claimed derivative is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ClaimLayout {
    /// The tensor `[y…, x…]` (for a scalar y: x's shape), or the matrix `[|y|, |x|]` by rows; the shape tells.
    #[default]
    Either,
    /// The matrix with both in row-major vec; for a scalar y x's shape too.
    Row,
    /// The matrix with both in column-major vec; for a scalar y x's shape too.
    Column,
}

/// The shapes that a claim of this layout may have, the usual one first.
pub fn shapes(y: &[usize], x: &[usize], layout: ClaimLayout) -> Vec<Vec<usize>> {
    let count = |shape: &[usize]| shape.iter().fold(1usize, |product, &size| product.saturating_mul(size));
    let tensor: Vec<usize> = y.iter().chain(x).copied().collect();
    let matrix = vec![count(y), count(x)];
    match layout {
        ClaimLayout::Either if y.is_empty() => vec![tensor],
        ClaimLayout::Either => vec![tensor, matrix],
        ClaimLayout::Row | ClaimLayout::Column if y.is_empty() => vec![tensor, matrix],
        ClaimLayout::Row | ClaimLayout::Column => vec![matrix],
    }
}

/// A claim, whose shape is one of [`shapes`], as the tensor `[y…, x…]`.
pub(crate) fn to_tensor(claim: &Array, y: &[usize], x: &[usize], layout: ClaimLayout) -> Result<Array> {
    let tensor: Vec<usize> = y.iter().chain(x).copied().collect();
    if layout != ClaimLayout::Column || (y.is_empty() && claim.shape() == tensor) {
        return Ok(claim.reshape(&tensor)?);
    }
    // Column-major: the axes of y reversed, then those of x reversed, by rows.
    let reversed: Vec<usize> = y.iter().rev().chain(x.iter().rev()).copied().collect();
    Ok(claim.reshape(&reversed)?.permute(&reversing(y.len(), x.len()))?)
}

/// The tensor `[y…, x…]` with the shape and the layout of a claim.
pub(crate) fn from_tensor(tensor: &Array, y: usize, shape: &[usize], layout: ClaimLayout) -> Result<Array> {
    if layout != ClaimLayout::Column || (y == 0 && shape == tensor.shape()) {
        return Ok(tensor.reshape(shape)?);
    }
    Ok(tensor.permute(&reversing(y, tensor.ndim() - y))?.reshape(shape)?)
}

/// The permutation that reverses the first `y` axes and the other `x` axes; its own inverse.
fn reversing(y: usize, x: usize) -> Vec<usize> {
    (0..y).rev().chain((y..y + x).rev()).collect()
}

/// The index in a claim's shape of an entry of the tensor, given by its row-major position.
pub(crate) fn index_in_claim(
    position: usize,
    y: &[usize],
    x: &[usize],
    shape: &[usize],
    layout: ClaimLayout,
) -> Vec<usize> {
    let tensor: Vec<usize> = y.iter().chain(x).copied().collect();
    let index = unravel(position, &tensor);
    if layout == ClaimLayout::Column && !(y.is_empty() && shape == x) {
        let reversed = |part: &[usize], sizes: &[usize]| {
            part.iter().zip(sizes).rev().fold(0, |flat, (&i, &size)| flat * size + i)
        };
        return vec![reversed(&index[..y.len()], y), reversed(&index[y.len()..], x)];
    }
    unravel(position, shape)
}

/// The index of an entry by its place in row-major order.
pub(crate) fn unravel(mut position: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for axis in (0..shape.len()).rev() {
        index[axis] = position % shape[axis].max(1);
        position /= shape[axis].max(1);
    }
    index
}
