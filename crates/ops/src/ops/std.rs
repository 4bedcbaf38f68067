//! The standard deviation over some axes.
//!
//! # Formula
//! y = √(1/(n − c) Σ (x − μ)²), where μ is the mean over the n elements and c the correction
//!
//! # Jacobian
//! ∂y/∂x_m = (x_m − μ) / ((n − c) y)
//!
//! # Domain
//! All reals. It is divided by n unless `correction=1`, as in NumPy; PyTorch's own default is 1.
//!
//! # At kinks and ties
//! Where all elements are alike the rule gives 0, as in PyTorch and as that of a norm at 0.
//!
//! # Why
//! A definition: the root of the variance, by the chain rule.

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "std(x, axis: axes = none, keepdims: flag = false, correction: count = 0)",
    aliases: &[],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        let axes = args.axes("axis", x.ndim())?;
        x.std(&axes, args.flag("keepdims")?, args.count("correction", 0)?)
    },
    samples: || {
        vec![
            Sample::normal("std: all", [&[2, 3]], |x| x[0].std(&[0, 1], false, 0)),
            Sample::normal("std: one axis, kept, corrected", [&[4, 3]], |x| x[0].std(&[0], true, 1)),
        ]
    },
};

impl Val {
    /// The root of the variance over `axes`: see [`Val::var`].
    ///
    /// # Errors
    /// Those of [`Val::var`].
    pub fn std(&self, axes: &[usize], keepdims: bool, correction: usize) -> Result<Val> {
        self.var(axes, keepdims, correction)?.root_of_squares()
    }
}
