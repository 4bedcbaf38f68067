//! The elements of an axis moved on, those that leave it at the end coming back at the start.
//!
//! # Formula
//! y_(…, i, …) = x_(…, (i − shift) mod n, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[i = m + s] + [i = m + s − n]` along the axis, with s = shift mod n and a delta on every other one.
//!
//! # Domain
//! All reals; any shift, or one for each of several axes. Without an axis the elements of all of them are one row.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change: two slices change places. What moves them back is the transpose.

use pullback_array::{Array, SliceAxis};
use pullback_network::{Coef, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// One axis moved on by so many places, fewer than it has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Roll {
    axis: usize,
    on: usize,
}

impl Op for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let x = inputs[0];
        let stays = x.shape()[self.axis] - self.on;
        let part = |start: usize, len: usize| {
            let whole = x.shape().iter().map(|&len| SliceAxis { start: 0, step: 1, len });
            let mut slices: Vec<SliceAxis> = whole.collect();
            slices[self.axis] = SliceAxis { start, step: 1, len };
            x.slice(&slices)
        };
        Ok(vec![Array::concat(&[part(stays, self.on)?, part(0, stays)?], self.axis)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (x, size) = (Label::for_dims(at.x().dims()), at.x().dims()[self.axis].size());
        let mut out = x.clone();
        out[self.axis] = Label::new(at.y().dims()[self.axis]);
        // From m to m + on, or round the end.
        let to = |on: i64| Factor::Relation(Relation::affine([(1, x[self.axis]), (-1, out[self.axis])], on));
        let (on, size) = (self.on as i64, size as i64);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [to(on)]).plus_term(
            Coef::one(),
            &out,
            &x,
            [to(on - size)],
        ))
    }

    fn adjoint(&self, _at: &Site<'_>, cotangent: &str, _inputs: &[String]) -> Option<String> {
        Some(format!("roll({cotangent}, -{}, axis={})", self.on, self.axis))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("roll({}, {}, axis={})", inputs[0], self.on, self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "roll(x, shift: integers, axis: axes = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let (x, shifts) = (args.value("x")?, args.integers("shift")?);
        if !args.has("axis") {
            // All elements, one behind the other.
            let row = x.vec_rows()?;
            return shifts.into_iter().try_fold(row, |row, shift| row.roll(shift, 0))?.reshape(x.dims());
        }
        let axes = args.axes("axis", x.ndim())?;
        // One for all axes, or one for each.
        let (count, each) = (axes.len().max(shifts.len()), |of: usize, k: usize| if of == 1 { 0 } else { k });
        if [axes.len(), shifts.len()].iter().any(|&of| of != 1 && of != count) {
            let (shifts, axes) = (shifts.len(), axes.len());
            return Err(Error::new(format!("roll: {shifts} shifts do not fit {axes} axes"))
                .with_hint("give one shift for each axis, or one for all"));
        }
        (0..count).try_fold(x, |x, k| x.roll(shifts[each(shifts.len(), k)], axes[each(axes.len(), k)]))
    },
    samples: || {
        vec![
            Sample::normal("roll: on", [&[5]], |x| x[0].roll(2, 0)),
            Sample::normal("roll: back, the last axis", [&[2, 3]], |x| x[0].roll(-1, 1)),
            Sample::normal("roll: round", [&[3]], |x| x[0].roll(3, 0)),
        ]
    },
};

impl Val {
    /// The elements of `axis` moved on by `shift` places, round the end. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn roll(&self, shift: i64, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("roll: {:?} has no axis {axis}", self.dims())));
        };
        let on = if size == 0 { 0 } else { shift.rem_euclid(size as i64) as usize };
        if on == 0 {
            return Ok(self.clone());
        }
        Val::apply(Roll { axis, on }, &[self])
    }
}
