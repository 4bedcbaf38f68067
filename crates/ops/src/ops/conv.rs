//! A convolution over any number of spatial axes: a cross-correlation, as deep learning calls it.
//!
//! # Formula
//! y_b,f,o = Σ_c,k w_f,c,k x_b,c,(s·o + d·k − p) + bias_f, with x read as 0 outside; stride s, dilation d, padding p
//!
//! # Jacobian
//! ∂y_bfo/∂x_bch = Σ_k w_fck `[s·o + d·k − p = h]`, ∂y_bfo/∂w_fck = Σ_h x_bch `[s·o + d·k − p = h]`: one affine relation for
//! each spatial axis
//!
//! # Domain
//! All reals; x is `[batch, channels, …]`, or without the batch, w is `[filters, channels, …]`, as in PyTorch. Stride, padding and dilation are one number, or
//! one for each spatial axis; a padding may be `"same"` or `"valid"`. In `groups` the filters see the channels of their group alone.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear in x and in w; which elements meet is an affine relation between their positions.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// How a convolution goes along its spatial axes, one number for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strided {
    /// From one place to the next.
    pub stride: Vec<usize>,
    /// Zeros on both sides.
    pub padding: Vec<usize>,
    /// From one element of the kernel to the next.
    pub dilation: Vec<usize>,
}

impl Strided {
    /// The same along each of `axes` axes.
    pub fn alike(axes: usize, stride: usize, padding: usize, dilation: usize) -> Strided {
        Strided { stride: vec![stride; axes], padding: vec![padding; axes], dilation: vec![dilation; axes] }
    }

    /// As a call writes it.
    pub(crate) fn written(&self) -> String {
        let one = |numbers: &[usize]| match numbers {
            [first, rest @ ..] if rest.iter().all(|other| other == first) => first.to_string(),
            several => format!("{several:?}"),
        };
        let Strided { stride, padding, dilation } = self;
        format!("stride={}, padding={}, dilation={}", one(stride), one(padding), one(dilation))
    }

    fn output(&self, axis: usize, input: Dim, kernel: Dim) -> Option<Dim> {
        let reach = self.dilation[axis].checked_mul(kernel.size().checked_sub(1)?)?.checked_add(1)?;
        let padded = input.size().checked_add(self.padding[axis].checked_mul(2)?)?;
        Some(Dim::new(padded.checked_sub(reach)?.checked_div(self.stride[axis])? + 1))
    }

    /// For each output position and kernel position, the input position or −1.
    fn positions(&self, axis: usize, input: usize, kernel: usize, output: usize) -> Result<Array> {
        let position = |o: usize, k: usize| {
            let h = (o * self.stride[axis] + k * self.dilation[axis]) as i64 - self.padding[axis] as i64;
            if (0..input as i64).contains(&h) { h } else { -1 }
        };
        // Refused here where memory does not suffice, before any position is computed.
        Array::zeros(&[output, kernel], DType::I64)?;
        let entries = (0..output).flat_map(|o| (0..kernel).map(move |k| position(o, k))).collect();
        Ok(Array::from_vec(&[output, kernel], entries)?)
    }
}

/// A convolution; of groups, x is `[batch, groups, channels, …]` and w `[groups, filters, channels, …]`.
#[derive(Debug, Clone, PartialEq)]
struct Conv {
    along: Strided,
    grouped: bool,
}

impl Conv {
    /// How many axes stand before the spatial ones.
    fn lead(&self) -> usize {
        if self.grouped { 3 } else { 2 }
    }
}

impl Op for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (x, w, lead) = (&inputs[0].dims, &inputs[1].dims, self.lead());
        let wrong = |why: &str| {
            Error::new(format!("conv: x {x:?} and w {w:?}: {why}"))
                .with_hint("x is [batch, channels, …] and w is [filters, channels, …]")
        };
        if x.len() <= lead || x.len() != w.len() {
            return Err(wrong("the ranks must be equal and at least 3"));
        }
        if x[lead - 1] != w[lead - 1] || self.grouped && x[1] != w[0] {
            return Err(wrong("the channels differ"));
        }
        let Strided { stride, padding, dilation } = &self.along;
        if stride.iter().chain(dilation).any(|&number| number == 0) {
            return Err(wrong("stride and dilation are at least 1"));
        }
        if [stride, padding, dilation].iter().any(|numbers| numbers.len() != x.len() - lead) {
            return Err(wrong("stride, padding and dilation are one number for each spatial axis"));
        }
        let spatial = x[lead..]
            .iter()
            .zip(&w[lead..])
            .enumerate()
            .map(|(axis, (&h, &k))| self.along.output(axis, h, k));
        let spatial: Option<Vec<Dim>> = spatial.collect();
        let spatial = spatial.ok_or_else(|| wrong("the kernel is larger than the padded input"))?;
        let before = if self.grouped { vec![x[0], x[1], w[1]] } else { vec![x[0], w[0]] };
        let dims = before.into_iter().chain(spatial).collect();
        Ok(vec![Spec::new(dims, promote(inputs[0].dtype, inputs[1].dtype))])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        // Labels: 0 batch, 1 channel, 2 filter, 3 group, then per spatial axis its output and its kernel position.
        const FIRST: u32 = 4;
        let (x, w, lead) = (inputs[0], inputs[1], self.lead());
        let spatial = x.ndim() - lead;
        let mut patches = x.clone();
        let (channels, filters) = (x.shape()[lead - 1], w.shape()[lead - 2]);
        let mut sizes = vec![(0u32, x.shape()[0]), (1, channels), (2, filters)];
        let mut gathered: Vec<u32> = Vec::new();
        for axis in 0..spatial {
            let (input, kernel) = (x.shape()[lead + axis], w.shape()[lead + axis]);
            let output =
                self.along.output(axis, Dim::new(input), Dim::new(kernel)).map_or(0, |dim| dim.size());
            // The axis stands behind what has been gathered, and what leads.
            let place = gathered.len() + lead;
            let front: Vec<usize> =
                std::iter::once(place).chain((0..patches.ndim()).filter(|&k| k != place)).collect();
            patches = patches.permute(&front)?.gather(&self.along.positions(axis, input, kernel, output)?)?;
            let (o, k) = (FIRST + 2 * axis as u32, FIRST + 1 + 2 * axis as u32);
            sizes.extend([(o, output), (k, kernel)]);
            gathered.splice(0..0, [o, k]);
        }
        let group: &[u32] = if self.grouped { &[3] } else { &[] };
        if self.grouped {
            sizes.push((3, x.shape()[1]));
        }
        let places = |first: u32| (0..spatial as u32).map(move |axis| first + 2 * axis);
        let patch_labels = [&gathered, &[0][..], group, &[1]].concat();
        let kernel_labels: Vec<u32> = group.iter().copied().chain([2, 1]).chain(places(FIRST + 1)).collect();
        let out: Vec<u32> = [&[0][..], group, &[2]].concat().into_iter().chain(places(FIRST)).collect();
        Ok(vec![Array::contract(1.0, &[(&patches, &patch_labels), (w, &kernel_labels)], &out, &sizes)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let [x, w] = at.inputs() else { unreachable!("a convolution has two inputs") };
        let lead = self.lead();
        let out = Label::for_dims(at.y().dims());
        let (mut of_x, mut of_w) = (Label::for_dims(x.dims()), Label::for_dims(w.dims()));
        of_x[0] = out[0];
        of_w[lead - 2] = out[lead - 1];
        of_w[lead - 1] = of_x[lead - 1];
        if self.grouped {
            of_x[1] = out[1];
            of_w[0] = out[1];
        }
        let axes = out[lead..].iter().zip(of_x[lead..].iter().zip(&of_w[lead..]));
        let mut factors: Vec<Factor> = axes
            .enumerate()
            .map(|(axis, (&o, (&h, &k)))| {
                let (stride, dilation) = (self.along.stride[axis] as i64, self.along.dilation[axis] as i64);
                Relation::affine([(stride, o), (dilation, k), (-1, h)], -(self.along.padding[axis] as i64))
            })
            .map(Factor::Relation)
            .collect();
        let (slots, other) = if at.input() == 0 { (&of_x, (w, &of_w)) } else { (&of_w, (x, &of_x)) };
        factors.push(Factor::Dense(other.0.clone(), other.1.clone()));
        Ok(at.network().plus_term(Coef::one(), &out, slots, factors).simplified())
    }

    /// By x a transposed convolution; by w products with the windows of x.
    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let ([x, w], lead) = (at.inputs(), self.lead()) else { return None };
        if self.grouped {
            return None;
        }
        let size = |val: &Val, axis: usize| val.dims()[lead + axis].size();
        let Strided { stride, padding, dilation } = &self.along;
        let axes = 0..stride.len();
        if at.input() == 0 {
            // What a stride leaves over at the end.
            let reached = |axis: usize| {
                (size(at.y(), axis) - 1) * stride[axis] + dilation[axis] * (size(w, axis) - 1) + 1
            };
            let over = |axis: usize| (size(x, axis) + 2 * padding[axis]).checked_sub(reached(axis));
            let over: Vec<usize> = axes.map(over).collect::<Option<_>>()?;
            let over = match over.iter().all(|&over| over == 0) {
                true => String::new(),
                false => format!(", output_padding={over:?}"),
            };
            let along = self.along.written();
            return Some(format!("conv_transpose({cotangent}, {}, {along}{over})", inputs[1]));
        }
        let around: Vec<String> = padding.iter().map(|p| format!("[{p}, {p}]")).collect();
        let mut windows = match padding.iter().all(|&padding| padding == 0) {
            true => inputs[0].clone(),
            false => format!("pad({}, [[0, 0], [0, 0], {}])", inputs[0], around.join(", ")),
        };
        for axis in axes.clone() {
            let Strided { stride, dilation, .. } = &self.along;
            let dilation = match dilation[axis] {
                1 => String::new(),
                dilation => format!(", dilation={dilation}"),
            };
            let kernel = size(w, axis);
            windows =
                format!("windows({windows}, {}, {kernel}, step={}{dilation})", lead + axis, stride[axis]);
        }
        let letters =
            |from: char| -> String { axes.clone().map(|axis| (from as u8 + axis as u8) as char).collect() };
        let (places, kernel) = (letters('o'), letters('k'));
        Some(format!("einsum(\"bf{places},bc{places}{kernel}->fc{kernel}\", {cotangent}, {windows})"))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("conv({}, {})", inputs.join(", "), self.along.written())
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "conv(x, w, bias = none, stride: counts = 1, padding: counts = 0, dilation: counts = 1, groups: count = 1)",
    aliases: &["conv1d", "conv2d", "conv3d"],
    axes: Axes::Own,
    call: |args| {
        let (x, w) = (args.value("x")?, args.value("w")?);
        // One of a batch alone.
        let is_alone = x.ndim() + 1 == w.ndim();
        let x = if is_alone { x.unsqueeze(0)? } else { x };
        let axes = x.ndim().saturating_sub(2);
        let along = Strided {
            stride: args.counts("stride", 1, axes)?,
            padding: vec![0; axes],
            dilation: args.counts("dilation", 1, axes)?,
        };
        let (x, along) = match (args.is_word("padding", "same"), args.is_word("padding", "valid")) {
            (true, _) => (x.padded_for_same(&w, &along)?, along),
            (_, true) => (x, along),
            _ => (x, Strided { padding: args.counts("padding", 0, axes)?, ..along }),
        };
        let y = x.conv_along(&w, along, args.count("groups", 1)?)?;
        let y = biased("conv", y, args.value_or_none("bias")?.as_ref())?;
        if is_alone { y.reshape(&y.dims()[1..]) } else { Ok(y) }
    },
    samples: || {
        vec![
            Sample::normal("conv: one axis", [&[2, 3, 7], &[2, 3, 3]], |x| x[0].conv(&x[1], 1, 0, 1)),
            Sample::normal("conv: stride, padding, dilation", [&[2, 2, 9], &[3, 2, 3]], |x| {
                x[0].conv(&x[1], 2, 3, 2)
            }),
            Sample::normal("conv: two axes", [&[1, 2, 5, 4], &[2, 2, 3, 2]], |x| x[0].conv(&x[1], 2, 1, 1)),
            Sample::normal("conv: groups", [&[2, 4, 5], &[6, 2, 2]], |x| {
                x[0].conv_along(&x[1], Strided::alike(1, 2, 1, 1), 2)
            }),
        ]
    },
};

/// With a number for each channel of a result `[batch, channels, …]`.
pub(super) fn biased(op: &str, y: Val, bias: Option<&Val>) -> Result<Val> {
    let Some(bias) = bias else { return Ok(y) };
    if bias.dims() != &y.dims()[1..2] {
        return Err(Error::new(format!("{op}: a bias of shape {:?} for {:?}", bias.dims(), y.dims()))
            .with_hint("it has one number for each filter; what follows it has keywords: `stride=2`"));
    }
    let ones = std::iter::repeat_n(Dim::new(1), y.ndim() - 2);
    let column: Vec<Dim> = std::iter::once(bias.dims()[0]).chain(ones).collect();
    &y + &bias.reshape(&column)?
}

impl Val {
    /// With as many zeros around the spatial axes as leave their sizes, with a stride of 1; an odd one is behind.
    fn padded_for_same(&self, w: &Val, along: &Strided) -> Result<Val> {
        if w.ndim() != self.ndim() || along.stride.iter().any(|&stride| stride != 1) {
            return Err(Error::new(format!("conv: `same` for x {:?} and w {:?}", self.dims(), w.dims()))
                .with_hint("the stride is 1, and the ranks are equal"));
        }
        let reach = |axis: usize| {
            along.dilation[axis].saturating_mul(w.dims()[axis + 2].size().saturating_sub(1)) as i64
        };
        let around = (0..along.dilation.len()).map(|axis| (reach(axis) / 2, reach(axis) - reach(axis) / 2));
        self.pad(&[(0, 0), (0, 0)].into_iter().chain(around).collect::<Vec<_>>(), 0.0)
    }

    /// The convolution of `self`, [batch, channels, …], with the filters `w`, [filters, channels, …].
    ///
    /// # Errors
    /// Where ranks or channels differ, or the kernel is larger than the padded input.
    pub fn conv(&self, w: &Val, stride: usize, padding: usize, dilation: usize) -> Result<Val> {
        self.conv_along(w, Strided::alike(self.ndim().saturating_sub(2), stride, padding, dilation), 1)
    }

    /// The convolution with numbers for each axis, and in groups: `w` is [filters, channels / groups, …].
    ///
    /// # Errors
    /// Those of [`Val::conv`], and where channels or filters cannot be parted so.
    pub fn conv_along(&self, w: &Val, along: Strided, groups: usize) -> Result<Val> {
        if groups == 1 {
            return Val::apply(Conv { along, grouped: false }, &[self, w]);
        }
        let parts = |dim: Option<&Dim>| {
            dim.map(|dim| dim.size())
                .filter(|&size| groups > 0 && size % groups == 0)
                .map(|size| size / groups)
        };
        let (Some(channels), Some(filters)) = (parts(self.dims().get(1)), parts(w.dims().first())) else {
            return Err(Error::new(format!(
                "conv: channels and filters of {:?} and {:?} are not parted into {groups} groups",
                self.dims(),
                w.dims()
            )));
        };
        let (groups, channels, filters) = (Dim::new(groups), Dim::new(channels), Dim::new(filters));
        let x = [&[self.dims()[0], groups, channels], &self.dims()[2..]].concat();
        let kernels = [&[groups, filters], &w.dims()[1..]].concat();
        let y = Val::apply(Conv { along, grouped: true }, &[&self.reshape(&x)?, &w.reshape(&kernels)?])?;
        let joined = [&[y.dims()[0], w.dims()[0]], &y.dims()[3..]].concat();
        y.reshape(&joined)
    }
}
