//! The mean over some axes, or all.
//!
//! # Formula
//! y_i = 1/n Σ_k x_ik
//!
//! # Jacobian
//! ∂y_i/∂x_mn = 1/n δ_im, with n the number of elements averaged.
//!
//! # Domain
//! All reals. The mean over no element is NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear, with slope 1/n in each element that is averaged.

use pullback_network::Coef;

use super::sum::{axes_written, reduced};
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "mean(x, axis: axes = none, keepdims: flag = false)",
    aliases: &[],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.mean(&args.axes("axis", x.ndim())?, args.flag("keepdims")?)
    },
    samples: || {
        vec![
            Sample::normal("mean: all", [&[2, 3]], |x| x[0].mean(&[0, 1], false)),
            Sample::normal("mean: the last axis, kept", [&[2, 3]], |x| x[0].mean(&[1], true)),
        ]
    },
};

impl Val {
    /// The mean over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice.
    pub fn mean(&self, axes: &[usize], keepdims: bool) -> Result<Val> {
        let (labels, out) = reduced("mean", self, axes, keepdims)?;
        let share =
            axes.iter().fold(Coef::one(), |coef, &axis| coef.times(&Coef::size(self.dims()[axis], -1)));
        self.relabelled("mean", axes_written(self, axes, keepdims), share, &labels, &out)
    }

    /// The mean over all axes.
    ///
    /// # Errors
    /// On a value that cannot be averaged.
    pub fn mean_all(&self) -> Result<Val> {
        self.mean(&(0..self.ndim()).collect::<Vec<_>>(), false)
    }
}
