//! A transposed convolution: the adjoint of a convolution, with its strides and padding, as in PyTorch.
//!
//! # Formula
//! y_b,f,h = Σ_c,o,k w_c,f,k x_b,c,o over all o and k with s·o + d·k − p = h
//!
//! # Jacobian
//! ∂y_bfh/∂x_bco = Σ_k w_cfk `[s·o + d·k − p = h]`, and that of a convolution by w
//!
//! # Domain
//! All reals; x is `[batch, channels, …]`, w is `[channels, filters / groups, …]`. `output_padding` adds to one side of the result.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a convolution with the flipped kernel of x with s − 1 zeros between its elements, and with d (k − 1) − p around it.

use pullback_network::Dim;

use super::conv::{Strided, biased};
use super::pad::Around;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "conv_transpose(x, w, bias = none, stride: counts = 1, padding: counts = 0, output_padding: counts = 0, groups: count = 1, dilation: counts = 1)",
    aliases: &["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axes = x.ndim().saturating_sub(2);
        let along = Strided {
            stride: args.counts("stride", 1, axes)?,
            padding: args.counts("padding", 0, axes)?,
            dilation: args.counts("dilation", 1, axes)?,
        };
        let beyond = args.counts("output_padding", 0, axes)?;
        let y = x.conv_transpose(&args.value("w")?, &along, &beyond, args.count("groups", 1)?)?;
        biased("conv_transpose", y, args.value_or_none("bias")?.as_ref())
    },
    samples: || {
        vec![
            Sample::normal("conv_transpose: one axis", [&[2, 3, 4], &[3, 2, 3]], |x| {
                x[0].conv_transpose(&x[1], &Strided::alike(1, 2, 1, 1), &[1], 1)
            }),
            Sample::normal("conv_transpose: groups", [&[1, 4, 3], &[4, 1, 2]], |x| {
                x[0].conv_transpose(&x[1], &Strided::alike(1, 1, 0, 2), &[0], 2)
            }),
        ]
    },
};

impl Val {
    /// The transposed convolution of `self`, [batch, channels, …], with `w`, [channels, filters / groups, …].
    ///
    /// # Errors
    /// Where ranks or channels do not fit.
    pub fn conv_transpose(&self, w: &Val, along: &Strided, beyond: &[usize], groups: usize) -> Result<Val> {
        let wrong = |why: &str| {
            Error::new(format!("conv_transpose: x {:?} and w {:?}: {why}", self.dims(), w.dims()))
                .with_hint("x is [batch, channels, …] and w is [channels, filters, …]")
        };
        let axes = self.ndim().saturating_sub(2);
        if axes == 0 || w.ndim() != self.ndim() || beyond.len() != axes || along.stride.len() != axes {
            return Err(wrong("the ranks must be equal and at least 3"));
        }
        if self.dims()[1] != w.dims()[0] {
            return Err(wrong("the channels differ"));
        }
        if along.stride.contains(&0) || along.dilation.contains(&0) {
            return Err(wrong("stride and dilation are at least 1"));
        }
        let channels = w.dims()[0].size();
        if groups == 0 || !channels.is_multiple_of(groups) {
            return Err(wrong("the channels are not parted into the groups"));
        }
        let mut around = vec![Around::default(); self.ndim()];
        let mut kernels = w.clone();
        for axis in 0..axes {
            let reach =
                along.dilation[axis].saturating_mul(w.dims()[2 + axis].size().saturating_sub(1)) as i64;
            let low = reach - along.padding[axis] as i64;
            around[2 + axis] =
                Around { low, high: low + beyond[axis] as i64, interior: along.stride[axis] - 1 };
            kernels = kernels.flip(2 + axis)?;
        }
        // [groups, channels, filters, …] to [groups · filters, channels, …].
        let (own, filters) = (channels / groups, w.dims()[1]);
        let parted = [&[Dim::new(groups), Dim::new(own), filters], &w.dims()[2..]].concat();
        let mut order: Vec<usize> = (0..parted.len()).collect();
        order.swap(1, 2);
        let filters = if groups == 1 { filters } else { Dim::new(groups * filters.size()) };
        let own = if groups == 1 { self.dims()[1] } else { Dim::new(own) };
        let joined = [&[filters, own], &w.dims()[2..]].concat();
        let kernels = kernels.reshape(&parted)?.permute(&order)?.reshape(&joined)?;
        let spread = self.pad_around(&around, 0.0)?;
        let plain =
            Strided { stride: vec![1; axes], padding: vec![0; axes], dilation: along.dilation.clone() };
        spread.conv_along(&kernels, plain, groups)
    }
}
