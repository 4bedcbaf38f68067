//! A value with other elements at places along an axis: put there, or added.
//!
//! # Formula
//! y_(b…, n) = x_(b…, n) + Σ_(t: index_(b…, t) = n) source_(b…, t) where `reduce="add"`; else the last source there takes the place of x
//!
//! # Jacobian
//! ∂y/∂x is the identity, without the places that are taken; ∂y_n/∂source_t = `[n = index_t]`
//!
//! # Domain
//! All reals; integers and a source of one shape, whose other sizes are those of x, or one number for all. An index that repeats is
//! added, or refused: which source were the last is not stated by anybody.
//!
//! # At kinks and ties
//! Smooth where the index does not change.
//!
//! # Why
//! A definition: what is put at places, and what is left where nothing is.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "scatter(x, axis: axis, index: indices, source, reduce: none|add = none)",
    aliases: &["put_along_axis"],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        x.scatter(axis, &args.value("index")?, &args.value("source")?, args.word("reduce")? == "add")
    },
    samples: || {
        use pullback_array::Array;
        vec![
            Sample::normal("scatter: in place", [&[2, 4], &[2, 2]], |x| {
                x[0].scatter(1, &Val::new(Array::from_slice(&[2, 2], &[3i64, 0, 1, 2])?), &x[1], false)
            }),
            Sample::normal("scatter: added, repeated", [&[3, 2], &[2, 2]], |x| {
                x[0].scatter(0, &Val::new(Array::from_slice(&[2, 2], &[0i64, 2, 0, 1])?), &x[1], true)?
                    .powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// The value with the elements of `source` at the places along `axis` that `index` names, or with them added there.
    ///
    /// # Errors
    /// Where the shapes do not fit, or a place that is taken is named twice.
    pub fn scatter(&self, axis: usize, index: &Val, source: &Val, adds: bool) -> Result<Val> {
        if axis >= self.ndim() || index.ndim() != self.ndim() {
            return Err(Error::new(format!(
                "scatter: {:?} by an index of shape {:?} along axis {axis}",
                self.dims(),
                index.dims()
            ))
            .with_hint("the index has as many axes as what it is put into"));
        }
        let last = self.ndim() - 1;
        let sizes: Vec<_> = index.dims().iter().copied().map(Some).collect();
        let source = source.broadcast_to(&sizes)?;
        // Of fewer rows than x has, the others have nothing put into them.
        let put = |what: &Val| -> Result<Val> {
            let rows = what.movedim(axis, last)?.put(&index.movedim(axis, last)?, last, self.dims()[axis])?;
            let placed = rows.movedim(last, axis)?;
            let behind = |k: usize| (self.dims()[k].size() as i64) - (placed.dims()[k].size() as i64);
            let widths: Vec<(i64, i64)> = (0..self.ndim()).map(|k| (0, behind(k))).collect();
            let is_whole = widths.iter().all(|width| *width == (0, 0));
            if is_whole { Ok(placed) } else { placed.pad(&widths, 0.0) }
        };
        if adds {
            return self + &put(&source)?;
        }
        let ones = (&(&source * 0.0)?.stop_gradient()? + 1.0)?;
        let taken = put(&ones)?.stop_gradient()?;
        if taken.has_numbers() && taken.array()?.max_abs() > 1.0 {
            return Err(Error::new("scatter: a place is named twice")
                .with_hint("`reduce=\"add\"` adds what is put there"));
        }
        taken.choose(&put(&source)?, self)
    }
}
