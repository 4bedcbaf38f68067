//! The cross-entropy of logits, the mean over all rows.
//!
//! # Formula
//! y = 1/N Σ_n (logsumexp(z_n) − Σ_c t_nc z_nc); a target of integers stands for the rows that are 1 there and 0 elsewhere
//!
//! # Jacobian
//! ∂y/∂z_nc = (softmax(z_n)_c − t_nc) / N, where each row of t adds up to 1
//!
//! # Domain
//! All reals. Classes are the last axis; integers are classes, from 0 on. Rows of a target that adds up to 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: −Σ t log softmax(z), where the logarithm of the softmax is z − logsumexp(z). The slope of logsumexp is the softmax.

use pullback_array::{Array, DType};

use super::cumsum::called;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "cross_entropy(z, target)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("z")?.cross_entropy(&args.value("target")?),
    samples: || {
        vec![
            Sample::normal("cross_entropy: soft targets", [&[3, 4], &[3, 4]], |x| {
                x[0].cross_entropy(&x[1].softmax(1)?)
            }),
            Sample::normal("cross_entropy: classes", [&[3, 4]], |x| {
                x[0].cross_entropy(&Val::new(Array::from_slice(&[3], &[2i64, 0, 2])?))
            }),
            Sample::normal("cross_entropy: one row", [&[4]], |x| {
                x[0].cross_entropy(&Val::new(Array::from_slice(&[], &[1i64])?))
            }),
        ]
    },
};

impl Val {
    /// The cross-entropy of logits, whose classes are the last axis, the mean over all rows.
    ///
    /// # Errors
    /// Where the target is neither of the shape of the logits nor, as integers, of that of their rows.
    pub fn cross_entropy(&self, target: &Val) -> Result<Val> {
        let Some((&classes, rows)) = self.dims().split_last() else {
            return Err(Error::new("cross_entropy: a scalar has no classes"));
        };
        let target = match target.dtype() {
            // Shares that happen to be whole numbers.
            DType::I64 if target.dims() == self.dims() => (target * &Val::number(1.0, self.dtype()))?,
            // A row of the unit matrix for each.
            DType::I64 => {
                let unit = Val::with_dims(Array::eye(classes.size(), self.dtype())?, &[classes, classes])?;
                unit.named(&format!("eye({})", called(classes))).gather(target, 0)?
            }
            _ => target.clone(),
        };
        if target.dims() != self.dims() {
            return Err(Error::new(format!(
                "cross_entropy: a target of shape {:?} does not fit logits of shape {:?}",
                target.dims(),
                self.dims()
            ))
            .with_hint(format!("it is of that shape, or holds integers and has the shape {rows:?}")));
        }
        let last = rows.len();
        let own = (&target * self)?.sum(&[last], false)?;
        (&self.logsumexp(&[last], false)? - &own)?.mean_all()
    }
}
