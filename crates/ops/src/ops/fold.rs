//! Columns of windows added up into the value that they are windows of, as PyTorch's `fold`: the adjoint of `im2col`.
//!
//! # Formula
//! y_(n, c, h, w) = Σ x_(n, (c, k, l), (o, p)) over all windows (o, p) and places (k, l) in them with s·o + d·k − padding = h, and so for w
//!
//! # Jacobian
//! ∂y_(h, w)/∂x_((k, l), (o, p)) = `[s·o + d·k − padding = h]` and the same for w
//!
//! # Domain
//! All reals; x is `[batch, channels · places, windows]`.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: elements are added at the places that they come from.

use pullback_array::{Array, DType, memory};
use pullback_network::Dim;

use super::conv::Strided;
use super::max_pool::windows_along;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "fold(x, output_size: counts, kernel_size: counts, dilation: counts = 1, padding: counts = 0, stride: counts = 1)",
    aliases: &["col2im"],
    axes: Axes::Own,
    call: |args| {
        let along = Strided {
            stride: args.counts("stride", 1, 2)?,
            padding: args.counts("padding", 0, 2)?,
            dilation: args.counts("dilation", 1, 2)?,
        };
        args.value("x")?.fold(&args.counts("output_size", 1, 2)?, &args.counts("kernel_size", 1, 2)?, &along)
    },
    samples: || {
        vec![
            Sample::normal("fold: overlapping", [&[1, 8, 6]], |x| {
                x[0].fold(&[3, 4], &[2, 2], &Strided::alike(2, 1, 0, 1))
            }),
            Sample::normal("fold: padded, strided", [&[2, 4, 4]], |x| {
                x[0].fold(&[3, 3], &[2, 2], &Strided::alike(2, 2, 1, 1))?.powf(2.0)
            }),
        ]
    },
};

impl Val {
    /// Windows of `kernel` added up into a value whose last two axes have these sizes.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    pub fn fold(&self, size: &[usize], kernel: &[usize], along: &Strided) -> Result<Val> {
        let places: usize = kernel.iter().product();
        let mut counts = Vec::new();
        for axis in 0..2 {
            let numbers = (along.stride[axis], along.padding[axis], along.dilation[axis]);
            counts.push(windows_along("fold", size[axis], kernel[axis], numbers, false)?.1);
        }
        let windows: usize = counts.iter().product();
        let [batch, columns, given] = self.dims() else {
            return Err(Error::new(format!(
                "fold: {:?} is not [batch, channels · places, windows]",
                self.dims()
            )));
        };
        if places == 0 || columns.size() % places != 0 || given.size() != windows {
            return Err(Error::new(format!(
                "fold: {:?} is not [batch, channels · {places}, {windows}]",
                self.dims()
            )));
        }
        let channels = columns.size() / places;
        memory::room(places.saturating_mul(windows).saturating_mul(size_of::<i64>()))?;
        let mut to = Vec::with_capacity(places * windows);
        for (k, l) in (0..kernel[0]).flat_map(|k| (0..kernel[1]).map(move |l| (k, l))) {
            for (o, p) in (0..counts[0]).flat_map(|o| (0..counts[1]).map(move |p| (o, p))) {
                let place = |axis: usize, window: usize, inside: usize| {
                    (window * along.stride[axis] + inside * along.dilation[axis])
                        .checked_sub(along.padding[axis])
                        .filter(|&place| place < size[axis])
                };
                to.push(place(0, o, k).zip(place(1, p, l)).map_or(-1, |(h, w)| (h * size[1] + w) as i64));
            }
        }
        // What lies in the padding goes to a row of its own, which is cut off.
        let whole = size[0] * size[1];
        to.iter_mut().filter(|to| **to < 0).for_each(|to| *to = whole as i64);
        let index = Val::new(Array::from_vec(&[places * windows], to)?.cast(DType::I64)?);
        let parted = [*batch, Dim::new(channels), Dim::new(places * windows)];
        let rows = self.reshape(&parted)?.permute(&[2, 0, 1])?.scatter_add(&index, Dim::new(whole + 1))?;
        let inside = rows.narrow(0, 0, whole)?.permute(&[1, 2, 0])?;
        inside.reshape(&[*batch, Dim::new(channels), Dim::new(size[0]), Dim::new(size[1])])
    }
}
