//! Elements along an axis, each by an index of its own: NumPy's `take_along_axis`, and what PyTorch calls `gather`.
//!
//! # Formula
//! y_(b…, t) = x_(b…, index_(b…, t)), with t along the axis
//!
//! # Jacobian
//! ∂y_t/∂x_n = `[n = index_t]`, with a delta on every other axis. An index that repeats makes the vjp add.
//!
//! # Domain
//! All reals; integers of the rank of x, whose other sizes are at most those of x. The index is not differentiated.
//!
//! # At kinks and ties
//! Smooth where the index does not change.
//!
//! # Why
//! A definition: a selection with all other axes in common.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Origin, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "take_along_axis(x, index: indices, axis: axis = -1)",
    aliases: &["take_along_dim"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let index = args.value("index")?;
        if x.ndim() == 0 {
            // As in PyTorch: a scalar as often as an index says so.
            return x.unsqueeze(0)?.gather(&index.vec_rows()?, 0)?.reshape(index.dims());
        }
        let axis = args.axis("axis", x.ndim())?.unwrap_or(x.ndim() - 1);
        x.take_along_axis(&index, axis)
    },
    samples: || {
        use pullback_array::Array;
        vec![
            Sample::normal("take_along_axis: columns", [&[2, 4]], |x| {
                x[0].take_along_axis(&Val::new(Array::from_slice(&[2, 3], &[3i64, 0, 0, 1, 2, 1])?), 1)
            }),
            Sample::normal("take_along_axis: fewer rows, reused", [&[4, 3]], |x| {
                x[0].take_along_axis(&Val::new(Array::from_slice(&[1, 2], &[3i64, 0])?), 0)?.powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// The elements along `axis` that an index of the same rank names.
    ///
    /// # Errors
    /// Where the shapes do not fit, or the index holds no integers.
    pub fn take_along_axis(&self, index: &Val, axis: usize) -> Result<Val> {
        if axis >= self.ndim() || index.ndim() != self.ndim() {
            return Err(Error::new(format!(
                "take_along_axis: {:?} by {:?} along axis {axis}",
                self.dims(),
                index.dims()
            ))
            .with_hint("the index has as many axes as what it selects from; `gather` selects whole rows"));
        }
        let mut x = self.clone();
        for other in (0..self.ndim()).filter(|&other| other != axis) {
            if index.dims()[other].size() < x.dims()[other].size() {
                x = x.narrow(other, 0, index.dims()[other].size())?;
            }
        }
        let last = self.ndim() - 1;
        let (x, index) = (x.movedim(axis, last)?, index.movedim(axis, last)?);
        if index.dims()[last] == Dim::new(1) {
            // One of each row: by the index that was given an axis for it, `k[:, None]`, where there is one.
            let bare = match index.origin() {
                Origin::Call(op, of) if op.keeps_order() && of[0].dims() == &index.dims()[..last] => {
                    of[0].clone()
                }
                _ => index.reshape(&index.dims()[..last])?,
            };
            return x.pick(&bare, last)?.unsqueeze(axis);
        }
        x.pick(&index, last)?.movedim(last, axis)
    }
}
