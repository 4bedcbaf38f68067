//! The variance over some axes.
//!
//! # Formula
//! y = 1/(n − c) Σ (x − μ)², where μ is the mean over the n elements and c the correction
//!
//! # Jacobian
//! ∂y/∂x_m = 2/(n − c) (x_m − μ)
//!
//! # Domain
//! All reals. It is divided by n unless `correction=1`, as in NumPy; PyTorch's own default is 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition. What the mean adds to the slope is −2/(n − c) Σ (x − μ) / n, and deviations from a mean add up to 0.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "var(x, axis: axes = none, keepdims: flag = false, correction: count = 0)",
    aliases: &["variance"],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.var(&args.axes("axis", x.ndim())?, args.flag("keepdims")?, args.count("correction", 0)?)
    },
    samples: || {
        vec![
            Sample::normal("var: all", [&[2, 3]], |x| x[0].var(&[0, 1], false, 0)),
            Sample::normal("var: one axis, kept, corrected", [&[4, 3]], |x| x[0].var(&[0], true, 1)),
        ]
    },
};

impl Val {
    /// The variance over `axes`, divided by their number of elements less `correction`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, or the correction leaves nothing to divide by.
    pub fn var(&self, axes: &[usize], keepdims: bool, correction: usize) -> Result<Val> {
        let square = (self - &self.mean(axes, true)?)?.powf(2.0)?;
        if correction == 0 {
            return square.mean(axes, keepdims);
        }
        let count: usize = axes.iter().map(|&axis| self.dims()[axis].size()).product();
        if count <= correction {
            return Err(Error::new(format!(
                "var: of {count} elements a correction of {correction} leaves none"
            )));
        }
        let sum = square.sum(axes, keepdims)?;
        &sum / &Val::number((count - correction) as f64, sum.dtype())
    }
}
