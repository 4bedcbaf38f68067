//! The diagonal of two axes, or one beside it, as a new last axis.
//!
//! # Formula
//! y_(…, i) = x_(…, i, …, i + offset, …)
//!
//! # Jacobian
//! ∂y_(…, i)/∂x_(…, m, …, n) = δ_im `[n = i + offset]`
//!
//! # Domain
//! All reals; two axes, the first and the second where nothing is said, as in NumPy and PyTorch.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: elements whose two indices go along with each other.

use pullback_network::{Coef, Label};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "diagonal(x, offset: integer = 0, axis1: axis = 0, axis2: axis = 1)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.diagonal(
            args.whole("offset", 0)?,
            args.axis("axis1", x.ndim())?.unwrap_or(0),
            args.axis("axis2", x.ndim())?.unwrap_or(1),
        )
    },
    samples: || {
        vec![
            Sample::normal("diagonal: the main one", [&[3, 4]], |x| x[0].diagonal(0, 0, 1)),
            Sample::normal("diagonal: above, of a batch", [&[2, 3, 3]], |x| x[0].diagonal(1, 1, 2)),
            Sample::normal("diagonal: below, reused", [&[4, 2, 3]], |x| x[0].diagonal(-1, 0, 2)?.powf(2.0)),
        ]
    },
};

impl Val {
    /// The diagonal of two axes, `offset` elements beside the main one, as a new last axis.
    ///
    /// # Errors
    /// Where there are no such axes.
    pub fn diagonal(&self, offset: i64, axis1: usize, axis2: usize) -> Result<Val> {
        if axis1 == axis2 || axis1.max(axis2) >= self.ndim() {
            return Err(Error::new(format!(
                "diagonal: {:?} has no two axes {axis1} and {axis2}",
                self.dims()
            )));
        }
        let (rows, columns) = (self.dims()[axis1].size(), self.dims()[axis2].size());
        let beside = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let (first, second) = if offset < 0 { (beside, 0) } else { (0, beside) };
        let length = rows.saturating_sub(first).min(columns.saturating_sub(second));
        // A square of which it is the main diagonal.
        let square = if (rows, columns) == (length, length) {
            self.clone()
        } else {
            self.narrow(axis1, first.min(rows) as i64, length)?.narrow(
                axis2,
                second.min(columns) as i64,
                length,
            )?
        };
        let mut labels = Label::for_dims(square.dims());
        labels[axis2] = labels[axis1];
        let mut out: Vec<Label> =
            (0..labels.len()).filter(|k| *k != axis1 && *k != axis2).map(|k| labels[k]).collect();
        out.push(labels[axis1]);
        // Of the square that is left it is the main one.
        let arguments = match (axis1, axis2) {
            (0, 1) => String::new(),
            _ => format!(", 0, {axis1}, {axis2}"),
        };
        square.relabelled("diagonal", arguments, Coef::one(), &labels, &out)
    }
}
