//! Running sums along an axis.
//!
//! # Formula
//! y_(…, i, …) = Σ_{m ≤ i} x_(…, m, …), or over m ≥ i where `reverse`
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[i ≥ m]` along the axis, with a delta on every other one: an operator, which is never written out where it is applied.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Each sum is linear in all that came before. The transpose of running sums are running sums from the other end, so a pass back takes
//! as long as a pass forward.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Map, Operator};

use super::sort::moved_last;
use crate::{Axes, AxisIndex, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Running sums along an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CumSum {
    axis: usize,
    reversed: bool,
}

impl Op for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        along(self.name(), inputs[0], self.axis)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![running(inputs[0], self.axis, self.reversed, |before, own| own + before)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let mut out = x.clone();
        out[self.axis] = Label::new(at.x().dims()[self.axis]);
        let (row, column) = (out[self.axis], x[self.axis]);
        let (row, column) = if self.reversed { (column, row) } else { (row, column) };
        let operator =
            Operator { map: Map::RunningSum, batch: Vec::new(), rows: vec![row], columns: vec![column] };
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Operator(operator)]))
    }

    fn adjoint(&self, _at: &Site<'_>, cotangent: &str, _inputs: &[String]) -> Option<String> {
        Some(CumSum { reversed: !self.reversed, ..*self }.written(&[cotangent.to_owned()]))
    }

    fn written(&self, inputs: &[String]) -> String {
        let reversed = if self.reversed { ", reverse=true" } else { "" };
        format!("cumsum({}, axis={}{reversed})", inputs[0], self.axis)
    }
}

/// What runs along an axis of floats has their shape.
pub(super) fn along(name: &str, x: &Spec, axis: usize) -> Result<Vec<Spec>> {
    if axis >= x.dims.len() {
        return Err(Error::new(format!("{name}: {:?} has no axis {axis}", x.dims)));
    }
    if !x.dtype.is_float() {
        return Err(Error::new(format!("{name}: an array of {} is not differentiable", x.dtype))
            .with_hint("draw or load it as a float"));
    }
    Ok(vec![x.clone()])
}

/// What is made of each element along an axis and of what was made of the one before it, in the precision of the array; from the end, where
/// `reversed`.
pub(super) fn running(
    x: &Array,
    axis: usize,
    reversed: bool,
    next: impl Fn(f64, f64) -> f64,
) -> Result<Array> {
    let shape = x.shape();
    let inner: usize = shape[axis + 1..].iter().product();
    let mut made = x.to_vec_f64();
    let single = x.dtype() == DType::F32;
    for block in made.chunks_exact_mut((inner * shape[axis]).max(1)) {
        let count = block.len();
        for step in inner..count {
            let (at, before) = match reversed {
                true => (count - 1 - step, count - 1 - step + inner),
                false => (step, step - inner),
            };
            let number = next(block[before], block[at]);
            block[at] = if single { f64::from(number as f32) } else { number };
        }
    }
    Ok(Array::from_vec(shape, made)?.cast(x.dtype())?)
}

/// The Jacobian of y with dy_i = kept_i dy_(i−1) + share_i dx_i along an axis: the recurrence, times the share.
pub(super) fn recurring(at: &Site<'_>, axis: usize, kept: &Val, share: Val) -> Result<Network> {
    let dims = at.x().dims();
    let slots = Label::for_dims(dims);
    let mut out = slots.clone();
    out[axis] = Label::new(dims[axis]);
    let (to, _) = moved_last(dims.len(), axis);
    let recurrence = Factor::Operator(Operator {
        map: Map::Recurrence(kept.permute(&to)?),
        batch: to[..to.len() - 1].iter().map(|&axis| slots[axis]).collect(),
        rows: vec![out[axis]],
        columns: vec![slots[axis]],
    });
    let share = Factor::Dense(share, slots.clone());
    Ok(at.network().plus_term(Coef::one(), &out, &slots, [recurrence, share]))
}

/// The elements of `axis` moved on by one place, the last one lost, and `first` in the place of the first.
pub(super) fn moved_on(x: &Val, axis: usize, first: &Val) -> Result<Val> {
    let Some(last) = x.dims()[axis].size().checked_sub(1) else { return Ok(x.clone()) };
    Val::concat(&[first, &beginning(x, axis, last)?], axis)?.reshape(x.dims())
}

/// The first elements of `axis`, so many.
pub(super) fn beginning(x: &Val, axis: usize, count: usize) -> Result<Val> {
    let mut axes: Vec<AxisIndex> = x.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
    axes[axis] = AxisIndex::range(0, 1, count);
    x.index(&axes)
}

/// A size as a program writes it.
pub(super) fn called(dim: Dim) -> String {
    dim.name().map_or_else(|| dim.size().to_string(), |name| name.as_str().to_string())
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cumsum(x, axis: axis = 0, reverse: flag = false)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.running_sums(args.axis("axis", x.ndim())?.unwrap_or(0), args.flag("reverse")?)
    },
    samples: || {
        vec![
            Sample::normal("cumsum: a vector", [&[5]], |x| x[0].cumsum(0)),
            Sample::normal("cumsum: the first of two axes", [&[3, 2]], |x| x[0].cumsum(0)),
            Sample::normal("cumsum: in the middle", [&[2, 3, 2]], |x| x[0].powf(2.0)?.cumsum(1)),
            Sample::normal("cumsum: from the end", [&[4, 2]], |x| x[0].powf(2.0)?.running_sums(0, true)),
            Sample::normal("cumsum: nothing", [&[0]], |x| x[0].cumsum(0)),
        ]
    },
};

impl Val {
    /// The running sums along `axis`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn cumsum(&self, axis: usize) -> Result<Val> {
        self.running_sums(axis, false)
    }

    /// The running sums along `axis`, from its end where `reversed`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn running_sums(&self, axis: usize, reversed: bool) -> Result<Val> {
        Val::apply(CumSum { axis, reversed }, &[self])
    }
}
