//! The windows of an image as columns: PyTorch's `F.unfold`.
//!
//! # Formula
//! y_(n, (c, k, l), (o, p)) = x_(n, c, s·o + d·k − padding, s·p + d·l − padding), with 0 outside
//!
//! # Jacobian
//! ∂y_((k, l), (o, p))/∂x_(h, w) = `[s·o + d·k − padding = h]` and the same for w
//!
//! # Domain
//! All reals; x is `[batch, channels, height, width]`. (`unfold` is that of one axis.)
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: windows along both axes, and their axes in another order.

use pullback_network::Dim;

use super::conv::Strided;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "im2col(x, kernel_size: counts, dilation: counts = 1, padding: counts = 0, stride: counts = 1)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let along = Strided {
            stride: args.counts("stride", 1, 2)?,
            padding: args.counts("padding", 0, 2)?,
            dilation: args.counts("dilation", 1, 2)?,
        };
        args.value("x")?.im2col(&args.counts("kernel_size", 1, 2)?, &along)
    },
    samples: || {
        vec![Sample::normal("im2col: padded, strided", [&[2, 1, 3, 4]], |x| {
            x[0].im2col(&[2, 2], &Strided::alike(2, 2, 1, 1))?.powf(2.0)
        })]
    },
};

impl Val {
    /// The windows of the last two axes as columns.
    ///
    /// # Errors
    /// Where windows do not fit, or there are not four axes.
    pub fn im2col(&self, kernel: &[usize], along: &Strided) -> Result<Val> {
        if self.ndim() != 4 {
            return Err(Error::new(format!(
                "im2col: {:?} is not [batch, channels, height, width]",
                self.dims()
            )));
        }
        let windows = self.pool_windows("im2col", kernel, along, false, 0.0)?.permute(&[0, 1, 4, 5, 2, 3])?;
        let size = |axes: &[usize]| Dim::new(axes.iter().map(|&axis| windows.dims()[axis].size()).product());
        windows.reshape(&[self.dims()[0], size(&[1, 2, 3]), size(&[4, 5])])
    }
}
