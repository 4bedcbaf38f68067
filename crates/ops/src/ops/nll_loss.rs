//! The negative log-likelihood of classes, from logarithms of their probabilities.
//!
//! # Formula
//! y = −Σ_n w_(t_n) z_(n, t_n) / Σ_n w_(t_n), with a weight of 1 where none is given; the sum alone, or each row, by `reduction`
//!
//! # Jacobian
//! ∂y/∂z_nc = −w_c `[c = t_n]` / Σ_n w_(t_n)
//!
//! # Domain
//! All reals. Classes are the last axis, or `axis`; integers are classes, from 0 on. Rows whose class is `ignore_index` count nothing.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: entries are selected, and weighed.

use super::cross_entropy::{Classes, Selected, reduced, shares_of};
use crate::{Args, Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "nll_loss(z, target: indices, weight = none, ignore_index: integer = -100, reduction: mean|sum|none = mean, axis: axis = -1)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let z = args.value("z")?;
        z.nll_loss(&args.value("target")?, &classes(args, &z)?)
    },
    samples: || {
        use pullback_array::Array;
        vec![Sample::normal("nll_loss: classes, one ignored", [&[3, 4]], |x| {
            let target = Val::new(Array::from_slice(&[3], &[2i64, -100, 0])?);
            x[0].powf(2.0)?.nll_loss(&target, &Classes { ignored: -100, ..Classes::default() })
        })]
    },
};

/// What a call says of classes.
pub(super) fn classes(args: &Args, z: &Val) -> Result<Classes> {
    Ok(Classes {
        weight: args.value_or_none("weight")?,
        ignored: args.whole("ignore_index", -100)?,
        smoothing: if args.takes("label_smoothing") { args.number("label_smoothing", 0.0)? } else { 0.0 },
        reduction: args.word("reduction")?,
        axis: args.axis("axis", z.ndim())?,
    })
}

impl Val {
    /// The negative log-likelihood of classes.
    ///
    /// # Errors
    /// Where the target does not fit.
    pub fn nll_loss(&self, target: &Val, how: &Classes) -> Result<Val> {
        let logarithms = self.with_classes_last("nll_loss", how)?;
        if let Some(selected) = Selected::of("nll_loss", &logarithms, target, how)? {
            let rows = selected.weighed(&selected.own.negated()?)?;
            return reduced(&rows, selected.total()?.as_ref(), how);
        }
        let (_, weighted) = shares_of("nll_loss", &logarithms, target, how)?;
        let rows = (&weighted * &logarithms)?.sum(&[logarithms.ndim() - 1], false)?.negated()?;
        reduced(&rows, None, how)
    }
}
