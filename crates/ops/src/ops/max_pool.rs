//! The largest element of each window over the last axes: pooling.
//!
//! # Formula
//! y_(…, o) = max_k x_(…, s·o + d·k − p), with −∞ outside; stride s (the window's size where nothing is said), dilation d, padding p
//!
//! # Jacobian
//! ∂y_o/∂x_m = 1 where m is the place of the largest element of window o, else 0
//!
//! # Domain
//! All reals; the last axes, all but two where `spatial` says nothing, are pooled. With `ceil_mode` a last window may reach beyond the
//! padding, where it begins before it.
//!
//! # At kinks and ties
//! The first of several largest elements, in row-major order of the window, has all of the gradient, as in PyTorch; `ties="share"` shares
//! it.
//!
//! # Why
//! A definition: the maximum over windows.

use super::conv::Strided;
use super::tie_share::Ties;
use crate::{Args, Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "max_pool(x, kernel_size: counts, stride: counts = none, padding: counts = 0, dilation: counts = 1, ceil_mode: flag = false, spatial: count = none, ties: share|first = first)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let (size, along) = pooled(args, &x)?;
        x.max_pool(&size, &along, args.flag("ceil_mode")?, Ties::called(args.word("ties")?))
    },
    samples: || {
        vec![
            Sample::normal("max_pool: two axes", [&[1, 2, 4, 6]], |x| {
                x[0].max_pool(
                    &[2, 2],
                    &Strided { stride: vec![2, 2], ..Strided::alike(2, 2, 0, 1) },
                    false,
                    Ties::First,
                )
            }),
            Sample::normal("max_pool: overlapping, padded, dilated, reused", [&[2, 1, 7]], |x| {
                x[0].max_pool(&[3], &Strided::alike(1, 2, 1, 2), true, Ties::First)?.powf(2.0)
            }),
            Sample::given("max_pool: ties", [(&[1, 1, 4], &[2.0, 2.0, 1.0, 1.0])], |x| {
                x[0].max_pool(&[2], &Strided::alike(1, 1, 0, 1), false, Ties::First)
            })
            .at_kink(),
        ]
    },
};

/// The sizes of a pooling's windows and how they go along, from a call. Without a stride windows stand side by side.
pub(super) fn pooled(args: &Args, x: &Val) -> Result<(Vec<usize>, Strided)> {
    let axes = args.count("spatial", x.ndim().saturating_sub(2))?;
    if axes == 0 || axes > x.ndim() {
        return Err(Error::new(format!("pooling over {axes} of the axes of {:?}", x.dims()))
            .with_hint("the last axes are pooled, behind those of a batch and of channels"));
    }
    let size = args.counts("kernel_size", 1, axes)?;
    // PyTorch's `[]` says nothing.
    let is_empty = args.several("stride").is_some_and(|given| given.is_ok_and(|given| given.is_empty()));
    let is_said = args.has("stride") && !is_empty;
    let stride = if is_said { args.counts("stride", 1, axes)? } else { size.clone() };
    let padding = args.counts("padding", 0, axes)?;
    if padding.iter().zip(&size).any(|(&padding, &size)| padding.saturating_mul(2) > size) {
        return Err(Error::new(format!("pooling with the padding {padding:?} of windows of {size:?}"))
            .with_hint("the padding is at most half of the window, so that each window sees an element"));
    }
    let dilation = if args.takes("dilation") { args.counts("dilation", 1, axes)? } else { vec![1; axes] };
    Ok((size, Strided { stride, padding, dilation }))
}

/// Where windows along an axis lie: how far the padding reaches behind it, and how many there are.
pub(super) fn windows_along(
    op: &str,
    whole: usize,
    size: usize,
    (stride, padding, dilation): (usize, usize, usize),
    ceil: bool,
) -> Result<(i64, usize)> {
    let wrong = |why: &str| {
        Error::new(format!(
            "{op}: windows of {size} with stride {stride}, padding {padding}, dilation {dilation} along {whole}: {why}"
        ))
    };
    if stride == 0 || dilation == 0 || size == 0 {
        return Err(wrong("sizes, stride and dilation are at least 1"));
    }
    let reach = dilation.saturating_mul(size - 1).saturating_add(1);
    let room = (whole + 2 * padding)
        .checked_sub(reach)
        .ok_or_else(|| wrong("the window is larger than the padded input"))?;
    let mut count = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
    // A window that would begin in the padding behind is none.
    if ceil && (count - 1) * stride >= whole + padding {
        count -= 1;
    }
    let end = (count - 1) * stride + reach;
    Ok((end as i64 - (whole + padding) as i64, count))
}

impl Val {
    /// The largest element of windows over the last axes, as many as there are `size`s.
    ///
    /// # Errors
    /// Where windows do not fit.
    pub fn max_pool(&self, size: &[usize], along: &Strided, ceil: bool, ties: Ties) -> Result<Val> {
        let windows = self.pool_windows("max_pool", size, along, ceil, f64::NEG_INFINITY)?;
        let rank = windows.ndim();
        windows.max_by(&(rank - size.len()..rank).collect::<Vec<_>>(), false, ties)
    }

    /// All windows of a pooling, with a number outside of the value; as many new last axes as there are `size`s go through them.
    pub(super) fn pool_windows(
        &self,
        op: &str,
        size: &[usize],
        along: &Strided,
        ceil: bool,
        outside: f64,
    ) -> Result<Val> {
        let Some(lead) = self.ndim().checked_sub(size.len()).filter(|_| along.stride.len() == size.len())
        else {
            return Err(Error::new(format!(
                "{op}: {} windows for the axes of {:?}",
                size.len(),
                self.dims()
            )));
        };
        let mut widths = vec![(0, 0); self.ndim()];
        for (axis, &size) in size.iter().enumerate() {
            let numbers = (along.stride[axis], along.padding[axis], along.dilation[axis]);
            let (behind, _) = windows_along(op, self.dims()[lead + axis].size(), size, numbers, ceil)?;
            widths[lead + axis] = (along.padding[axis] as i64, behind);
        }
        let is_padded = widths.iter().any(|width| *width != (0, 0));
        let mut windows = if is_padded { self.pad(&widths, outside)? } else { self.clone() };
        for (axis, &size) in size.iter().enumerate() {
            windows = windows.windows(lead + axis, size, along.stride[axis], along.dilation[axis])?;
        }
        Ok(windows)
    }
}
