//! A convolution (a cross-correlation, as deep learning calls it) over any number of spatial axes.
//!
//! # Formula
//! y_b,f,o = Σ_c,k w_f,c,k x_b,c,(s·o + d·k − p), with x read as 0 outside; stride s, dilation d, padding p
//!
//! # Jacobian
//! ∂y_bfo/∂x_bch = Σ_k w_fck `[s·o + d·k − p = h]`, ∂y_bfo/∂w_fck = Σ_h x_bch `[s·o + d·k − p = h]`: one affine relation for
//! each spatial axis
//!
//! # Domain
//! All reals; x is `[batch, channels, …]`, w is `[filters, channels, …]`, as in PyTorch.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear in x and in w; which elements meet is an affine relation between their positions.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// A convolution with the same stride, padding and dilation along each spatial axis.
#[derive(Debug, Clone, Copy)]
struct Conv {
    stride: usize,
    padding: usize,
    dilation: usize,
}

impl Conv {
    fn output(&self, input: Dim, kernel: Dim) -> Option<Dim> {
        let reach = self.dilation.checked_mul(kernel.size().checked_sub(1)?)?.checked_add(1)?;
        let padded = input.size().checked_add(self.padding.checked_mul(2)?)?;
        Some(Dim::new(padded.checked_sub(reach)? / self.stride + 1))
    }

    /// For each output position and kernel position, the input position or −1.
    fn positions(&self, input: usize, kernel: usize, output: usize) -> Result<Array> {
        let position = |o: usize, k: usize| {
            let h = (o * self.stride + k * self.dilation) as i64 - self.padding as i64;
            if (0..input as i64).contains(&h) { h } else { -1 }
        };
        // Refused here where memory does not suffice, before any position is computed.
        Array::zeros(&[output, kernel], DType::I64)?;
        let entries = (0..output).flat_map(|o| (0..kernel).map(move |k| position(o, k))).collect();
        Ok(Array::from_vec(&[output, kernel], entries)?)
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (x, w) = (&inputs[0].dims, &inputs[1].dims);
        let wrong = |why: &str| {
            Error::new(format!("conv: x {x:?} and w {w:?}: {why}"))
                .with_hint("x is [batch, channels, …] and w is [filters, channels, …]")
        };
        if x.len() < 3 || x.len() != w.len() {
            return Err(wrong("the ranks must be equal and at least 3"));
        }
        if x[1] != w[1] {
            return Err(wrong("the channels differ"));
        }
        if self.stride == 0 || self.dilation == 0 {
            return Err(wrong("stride and dilation are at least 1"));
        }
        let spatial = x[2..].iter().zip(&w[2..]).map(|(&h, &k)| self.output(h, k));
        let spatial: Option<Vec<Dim>> = spatial.collect();
        let spatial = spatial.ok_or_else(|| wrong("the kernel is larger than the padded input"))?;
        let dims = [x[0], w[0]].into_iter().chain(spatial).collect();
        Ok(vec![Spec::new(dims, promote(inputs[0].dtype, inputs[1].dtype))])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (x, w) = (inputs[0], inputs[1]);
        let spatial = x.ndim() - 2;
        // Labels: 0 batch, 1 channel, 2 filter, then per spatial axis its output and its kernel position.
        let mut patches = x.clone();
        let mut sizes = vec![(0u32, x.shape()[0]), (1, x.shape()[1]), (2, w.shape()[0])];
        let mut gathered: Vec<u32> = Vec::new();
        for axis in 0..spatial {
            let (input, kernel) = (x.shape()[2 + axis], w.shape()[2 + axis]);
            let output = (input + 2 * self.padding - self.dilation * (kernel - 1) - 1) / self.stride + 1;
            // The axis stands behind what has been gathered, the batch, the channel.
            let place = gathered.len() + 2;
            let front: Vec<usize> =
                std::iter::once(place).chain((0..patches.ndim()).filter(|&k| k != place)).collect();
            patches = patches.permute(&front)?.gather(&self.positions(input, kernel, output)?)?;
            let (o, k) = (3 + 2 * axis as u32, 4 + 2 * axis as u32);
            sizes.extend([(o, output), (k, kernel)]);
            gathered.splice(0..0, [o, k]);
        }
        let patch_labels: Vec<u32> = gathered.iter().copied().chain([0, 1]).collect();
        let kernel_labels: Vec<u32> =
            [2, 1].into_iter().chain((0..spatial as u32).map(|axis| 4 + 2 * axis)).collect();
        let out: Vec<u32> = [0, 2].into_iter().chain((0..spatial as u32).map(|axis| 3 + 2 * axis)).collect();
        Ok(vec![Array::contract(1.0, &[(&patches, &patch_labels), (w, &kernel_labels)], &out, &sizes)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let [x, w] = at.inputs() else { unreachable!("a convolution has two inputs") };
        let out = Label::for_dims(at.y().dims());
        let (mut of_x, mut of_w) = (Label::for_dims(x.dims()), Label::for_dims(w.dims()));
        of_x[0] = out[0];
        of_w[0] = out[1];
        of_w[1] = of_x[1];
        let axes = out[2..].iter().zip(of_x[2..].iter().zip(&of_w[2..]));
        let (stride, dilation) = (self.stride as i64, self.dilation as i64);
        let mut factors: Vec<Factor> = axes
            .map(|(&o, (&h, &k))| {
                Relation::affine([(stride, o), (dilation, k), (-1, h)], -(self.padding as i64))
            })
            .map(Factor::Relation)
            .collect();
        let (slots, other) = if at.input() == 0 { (&of_x, (w, &of_w)) } else { (&of_w, (x, &of_x)) };
        factors.push(Factor::Dense(other.0.clone(), other.1.clone()));
        Ok(at.network().plus_term(Coef::one(), &out, slots, factors).simplified())
    }

    fn written(&self, inputs: &[String]) -> String {
        let Conv { stride, padding, dilation } = self;
        let call = inputs.join(", ");
        format!("conv({call}, stride={stride}, padding={padding}, dilation={dilation})")
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "conv(x, w, stride=1, padding=0, dilation=1)",
    aliases: &["conv1d", "conv2d", "conv3d"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.conv(
            &args.value("w")?,
            args.count("stride", 1)?,
            args.count("padding", 0)?,
            args.count("dilation", 1)?,
        )
    },
    samples: || {
        vec![
            Sample::normal("conv: one axis", [&[2, 3, 7], &[2, 3, 3]], |x| x[0].conv(&x[1], 1, 0, 1)),
            Sample::normal("conv: stride, padding, dilation", [&[2, 2, 9], &[3, 2, 3]], |x| {
                x[0].conv(&x[1], 2, 3, 2)
            }),
            Sample::normal("conv: two axes", [&[1, 2, 5, 4], &[2, 2, 3, 2]], |x| x[0].conv(&x[1], 2, 1, 1)),
        ]
    },
};

impl Val {
    /// The convolution of `self`, [batch, channels, …], with the filters `w`, [filters, channels, …].
    ///
    /// # Errors
    /// Where ranks or channels differ, or the kernel is larger than the padded input.
    pub fn conv(&self, w: &Val, stride: usize, padding: usize, dilation: usize) -> Result<Val> {
        Val::apply(Conv { stride, padding, dilation }, &[self, w])
    }
}
