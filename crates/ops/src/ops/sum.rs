//! The sum over some axes, or all.
//!
//! # Formula
//! y_i = Σ_k x_ik
//!
//! # Jacobian
//! ∂y_i/∂x_mn = δ_im: a summed axis of the input carries no delta, so that a vjp repeats the cotangent along it.
//!
//! # Domain
//! All reals. The sum over no element is 0.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear, with slope 1 in each element that is summed.

use pullback_network::{Coef, Dim, Label};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sum(x, axis: axes = none, keepdims: flag = false)",
    aliases: &[],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.sum(&args.axes("axis", x.ndim())?, args.flag("keepdims")?)
    },
    samples: || {
        vec![
            Sample::normal("sum: all", [&[2, 3]], |x| x[0].sum(&[0, 1], false)),
            Sample::normal("sum: a middle axis", [&[2, 3, 5]], |x| x[0].sum(&[1], false)),
            Sample::normal("sum: kept axes", [&[2, 3, 5]], |x| x[0].sum(&[0, 2], true)),
            Sample::normal("sum: over nothing", [&[0, 3]], |x| x[0].sum(&[0], false)),
        ]
    },
};

impl Val {
    /// The sum over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice.
    pub fn sum(&self, axes: &[usize], keepdims: bool) -> Result<Val> {
        let (labels, out) = reduced("sum", self, axes, keepdims)?;
        self.relabelled("sum", axes_written(self, axes, keepdims), Coef::one(), &labels, &out)
    }

    /// The sum over all axes.
    ///
    /// # Errors
    /// On a value that cannot be summed.
    pub fn sum_all(&self) -> Result<Val> {
        self.sum(&(0..self.ndim()).collect::<Vec<_>>(), false)
    }
}

/// The labels of the axes of `x`, and those of what a reduction over `axes` leaves.
pub(crate) fn reduced(op: &str, x: &Val, axes: &[usize], keepdims: bool) -> Result<(Vec<Label>, Vec<Label>)> {
    for (k, axis) in axes.iter().enumerate() {
        if *axis >= x.ndim() || axes[..k].contains(axis) {
            return Err(Error::new(format!("{op}: the axes {axes:?} do not fit the shape {:?}", x.dims())));
        }
    }
    let labels = Label::for_dims(x.dims());
    let keep = |(axis, &label): (usize, &Label)| match (axes.contains(&axis), keepdims) {
        (false, _) => Some(label),
        (true, true) => Some(Label::new(Dim::new(1))),
        (true, false) => None,
    };
    let out = labels.iter().enumerate().filter_map(keep).collect();
    Ok((labels, out))
}

/// How a call of a reduction names what is not the default: `, axis=0, keepdims=true`.
pub(crate) fn axes_written(x: &Val, axes: &[usize], keepdims: bool) -> String {
    let axis = match axes {
        all if all.len() == x.ndim() => String::new(),
        [one] => format!(", axis={one}"),
        several => format!(", axis={several:?}"),
    };
    format!("{axis}{}", if keepdims { ", keepdims=true" } else { "" })
}
