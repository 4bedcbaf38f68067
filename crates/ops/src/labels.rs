//! Shapes and labels that broadcast as in NumPy.

use pullback_network::{Dim, Label};

use crate::{Error, Result};

/// The dims of the result of an element-wise operation `op` on two shapes, aligned at their last axes.
///
/// # Errors
/// Where two sizes differ and neither is 1; the message names the operation and both shapes.
pub fn broadcast(op: &str, a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>> {
    let rank = a.len().max(b.len());
    let axis = |dims: &[Dim], k: usize| (k + dims.len()).checked_sub(rank).map(|k| dims[k]);
    (0..rank)
        .map(|k| match (axis(a, k), axis(b, k)) {
            (Some(a), Some(b)) if a == b => Ok(a.or_name_of(b)),
            (Some(one), Some(other)) | (Some(other), Some(one)) if one.size() == 1 => Ok(other),
            (Some(only), None) | (None, Some(only)) => Ok(only),
            (Some(x), Some(y)) => {
                Err(Error::new(format!("{op}: the shapes {a:?} and {b:?} do not broadcast: {x} ≠ {y}"))
                    .with_hint(
                        "shapes are aligned at their last axes; two sizes must be equal, or one of them 1",
                    ))
            }
            (None, None) => unreachable!("an axis is one of the longer shape"),
        })
        .collect()
}

/// The labels with which a broadcast operand of shape `dims` stands under the labels `out` of the result: those of the
/// axes it has, and one of its own for an axis that is stretched.
pub(crate) fn aligned(out: &[Label], dims: &[Dim]) -> Vec<Label> {
    let own = &out[out.len() - dims.len()..];
    own.iter()
        .zip(dims)
        .map(|(&label, &dim)| if label.dim() == dim { label } else { Label::new(dim) })
        .collect()
}
