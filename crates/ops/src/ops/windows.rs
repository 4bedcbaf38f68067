//! All windows of an axis: what a convolution or a pooling sees at each place.
//!
//! # Formula
//! y_(…, o, …, k) = x_(…, step·o + dilation·k, …), with k as the last axis
//!
//! # Jacobian
//! ∂y_(o, k)/∂x_m = `[m = step·o + dilation·k]`, with a delta on every other axis.
//!
//! # Domain
//! All reals; a window no longer than the axis.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move, some several times, and do not change. The adjoint adds up what overlaps: it is PyTorch's `fold`.

use pullback_array::{Array, DType, memory};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// All windows of an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Windows {
    axis: usize,
    size: usize,
    step: usize,
    dilation: usize,
}

impl Windows {
    /// How many there are.
    fn count(self, whole: usize) -> Option<usize> {
        let reach = self.dilation.checked_mul(self.size.checked_sub(1)?)?.checked_add(1)?;
        Some(whole.checked_sub(reach)?.checked_div(self.step)? + 1)
    }
}

impl Op for Windows {
    fn name(&self) -> &'static str {
        "windows"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let Some(dim) = x.dims.get(self.axis) else {
            return Err(Error::new(format!("windows: {:?} has no axis {}", x.dims, self.axis)));
        };
        let count = self.count(dim.size()).filter(|_| self.dilation > 0).ok_or_else(|| {
            let Windows { axis, size, step, dilation } = self;
            let message = format!(
                "windows: of {size} with the step {step} and dilation {dilation} along axis {axis} of {:?}",
                x.dims
            );
            Error::new(message)
                .with_hint("size, step and dilation are at least 1, and the window fits into the axis")
        })?;
        let mut dims = x.dims.clone();
        dims[self.axis] = Dim::new(count);
        dims.push(Dim::new(self.size));
        Ok(vec![Spec::new(dims, x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let x = inputs[0];
        let rank = x.ndim();
        let count = self.count(x.shape()[self.axis]).unwrap_or(0);
        memory::room(count.saturating_mul(self.size).saturating_mul(size_of::<i64>()))?;
        let places =
            (0..count).flat_map(|o| (0..self.size).map(move |k| (o * self.step + k * self.dilation) as i64));
        let places = Array::from_vec(&[count, self.size], places.collect::<Vec<i64>>())?.cast(DType::I64)?;
        // The axis to the front, and its two back: the place of the window to where the axis was, the place inside it to the end.
        let front: Vec<usize> =
            std::iter::once(self.axis).chain((0..rank).filter(|&k| k != self.axis)).collect();
        let windows = x.permute(&front)?.gather(&places)?;
        let mut back: Vec<usize> = (2..rank + 1).collect();
        back.insert(self.axis, 0);
        back.push(1);
        Ok(vec![windows.permute(&back)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let mut out = Label::for_dims(at.y().dims());
        let mut x = Label::for_dims(at.x().dims());
        for axis in (0..x.len()).filter(|&axis| axis != self.axis) {
            x[axis] = out[axis];
        }
        let inside = out.pop().expect("the place inside the window");
        let (step, dilation) = (self.step as i64, self.dilation as i64);
        let relation = Relation::affine([(step, out[self.axis]), (dilation, inside), (-1, x[self.axis])], 0);
        out.push(inside);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        let Windows { axis, size, step, dilation } = self;
        let dilation = if *dilation == 1 { String::new() } else { format!(", dilation={dilation}") };
        format!("windows({}, {axis}, {size}, step={step}{dilation})", inputs[0])
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "windows(x, axis: axis, size: count, step: count = 1, dilation: count = 1)",
    aliases: &["unfold"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        x.windows(axis, args.count("size", 1)?, args.count("step", 1)?, args.count("dilation", 1)?)
    },
    samples: || {
        vec![
            Sample::normal("windows: overlapping", [&[2, 5]], |x| x[0].windows(1, 3, 1, 1)),
            Sample::normal("windows: steps, dilated, reused", [&[7, 2]], |x| {
                x[0].windows(0, 2, 2, 3)?.powf(2.0)
            }),
            Sample::normal("windows: apart", [&[2, 4, 2]], |x| x[0].windows(1, 2, 2, 1)),
        ]
    },
};

impl Val {
    /// All windows of `size` elements along `axis`, `step` apart, whose elements are `dilation` apart. A new last axis goes through
    /// each.
    ///
    /// # Errors
    /// Where there is no such axis, a window does not fit into it, or one of the numbers is 0.
    pub fn windows(&self, axis: usize, size: usize, step: usize, dilation: usize) -> Result<Val> {
        Val::apply(Windows { axis, size, step, dilation }, &[self])
    }
}
