//! The mean of each window over the last axes: pooling.
//!
//! # Formula
//! y_(…, o) = 1/n_o Σ_k x_(…, s·o + k − p), with 0 outside; stride s (the window's size where nothing is said), padding p
//!
//! # Jacobian
//! ∂y_o/∂x_m = 1/n_o where m lies in window o, else 0
//!
//! # Domain
//! All reals; the last axes, all but two where `spatial` says nothing, are pooled. n counts what is padded too, but for
//! `count_include_pad=false`, and never what a last window of `ceil_mode` reaches beyond it, as in PyTorch; or it is `divisor_override`.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a mean over windows.

use pullback_array::Array;

use super::conv::Strided;
use super::max_pool::{pooled, windows_along};
use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "avg_pool(x, kernel_size: counts, stride: counts = none, padding: counts = 0, ceil_mode: flag = false, count_include_pad: flag = true, divisor_override: number = none, spatial: count = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let (size, along) = pooled(args, &x)?;
        let padding_counts = args.flag("count_include_pad")?;
        if args.has("divisor_override") {
            let windows = x.pool_windows("avg_pool", &size, &along, args.flag("ceil_mode")?, 0.0)?;
            let rank = windows.ndim();
            let sum = windows.sum(&(rank - size.len()..rank).collect::<Vec<_>>(), false)?;
            return &sum / args.number("divisor_override", 1.0)?;
        }
        x.avg_pool(&size, &along, args.flag("ceil_mode")?, padding_counts)
    },
    samples: || {
        vec![
            Sample::normal("avg_pool: two axes", [&[1, 2, 4, 6]], |x| {
                x[0].avg_pool(
                    &[2, 3],
                    &Strided { stride: vec![2, 3], ..Strided::alike(2, 1, 0, 1) },
                    false,
                    true,
                )
            }),
            Sample::normal("avg_pool: padded, what is padded does not count", [&[2, 1, 6]], |x| {
                x[0].avg_pool(&[3], &Strided::alike(1, 2, 1, 1), true, false)?.powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// The mean of windows over the last axes, as many as there are `size`s.
    ///
    /// # Errors
    /// Where windows do not fit.
    pub fn avg_pool(&self, size: &[usize], along: &Strided, ceil: bool, padding_counts: bool) -> Result<Val> {
        let windows = self.pool_windows("avg_pool", size, along, ceil, 0.0)?;
        let (rank, lead) = (windows.ndim(), self.ndim() - size.len());
        let axes: Vec<usize> = (rank - size.len()..rank).collect();
        // How many elements count in each window: a product over the axes.
        let mut counts = Array::scalar(1.0, self.dtype())?;
        for (axis, &size) in size.iter().enumerate() {
            let whole = self.dims()[lead + axis].size();
            let (stride, padding) = (along.stride[axis], along.padding[axis]);
            let (_, windows) = windows_along("avg_pool", whole, size, (stride, padding, 1), ceil)?;
            let bounds = if padding_counts { (0, whole + 2 * padding) } else { (padding, padding + whole) };
            let within =
                |o: usize| (o * stride + size).min(bounds.1).saturating_sub((o * stride).max(bounds.0));
            let along_axis = Array::from_vec(&[windows], (0..windows).map(|o| within(o) as f64).collect())?
                .cast(self.dtype())?;
            let mut shape = counts.shape().to_vec();
            shape.push(1);
            counts = counts.reshape(&shape)?.zip(&along_axis, "avg_pool", |a, b| a * b, |a, b| a * b)?;
        }
        let full: usize = size.iter().product();
        if counts.to_vec_f64().iter().all(|&count| count == full as f64) {
            return windows.mean(&axes, false);
        }
        &windows.sum(&axes, false)? / &Val::new(counts)
    }
}
