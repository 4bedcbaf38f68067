//! A value cut into parts along an axis: as many results as there are parts.
//!
//! # Formula
//! (y_k)_(…, i, …) = x_(…, k·size + i, …); the last part is what is left
//!
//! # Jacobian
//! ∂(y_k)_i/∂x_m = `[m = k·size + i]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals; a size of at least 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change; cotangents of the parts are put one behind the other again.

use pullback_array::{Array, SliceAxis, memory};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Cut along an axis into parts of a size; see the page of this module.
#[derive(Debug, Clone, Copy)]
struct Split {
    size: usize,
    axis: usize,
}

impl Split {
    /// The sizes of all parts of an axis.
    fn parts(self, whole: usize) -> Vec<usize> {
        (0..whole.div_ceil(self.size)).map(|k| self.size.min(whole - k * self.size)).collect()
    }
}

impl Op for Split {
    fn name(&self) -> &'static str {
        "split"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let Some(whole) = x.dims.get(self.axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("split: {:?} has no axis {}", x.dims, self.axis)));
        };
        if self.size == 0 || whole == 0 {
            let message = format!(
                "split: axis {} of {:?} cannot be cut into parts of {}",
                self.axis, x.dims, self.size
            );
            return Err(Error::new(message).with_hint("parts have a size of at least 1"));
        }
        let of = |size: usize| {
            let mut dims = x.dims.clone();
            dims[self.axis] = Dim::new(size);
            Spec::new(dims, x.dtype)
        };
        // Each part is a value of its own.
        memory::room(whole.div_ceil(self.size).saturating_mul(size_of::<Spec>() + size_of::<Val>()))?;
        Ok(self.parts(whole).into_iter().map(of).collect())
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let shape = inputs[0].shape();
        let part = |(k, size): (usize, usize)| {
            let of_axis = |(axis, &len): (usize, &usize)| match axis == self.axis {
                true => SliceAxis { start: k * self.size, step: 1, len: size },
                false => SliceAxis { start: 0, step: 1, len },
            };
            Ok(inputs[0].slice(&shape.iter().enumerate().map(of_axis).collect::<Vec<_>>())?)
        };
        self.parts(shape[self.axis]).into_iter().enumerate().map(part).collect()
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.y().dims());
        let mut x = out.clone();
        x[self.axis] = Label::new(at.x().dims()[self.axis]);
        let start = (at.output() * self.size) as i64;
        let relation = Relation::affine([(1, out[self.axis]), (-1, x[self.axis])], start);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("split({}, {}, axis={})", inputs[0], self.size, self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "split(x, size, axis=0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        let parts = x.split(args.count("size", 1)?, axis)?;
        Ok(parts[0].clone())
    },
    samples: || {
        vec![
            Sample::normal("split: what is left", [&[5, 2]], |x| {
                let parts = x[0].split(2, 0)?;
                &(&parts[0] * &parts[1])? + &parts[2]
            }),
            Sample::normal("split: the last axis", [&[2, 4]], |x| {
                let parts = x[0].split(2, 1)?;
                &parts[0].powf(2.0)? * &parts[1]
            }),
            Sample::normal("split: one part", [&[2, 3]], |x| Ok(x[0].split(7, 1)?[0].clone())),
        ]
    },
};

impl Val {
    /// The parts of a size along `axis`; the last one is what is left.
    ///
    /// # Errors
    /// Where there is no such axis, or it cannot be cut so.
    pub fn split(&self, size: usize, axis: usize) -> Result<Vec<Val>> {
        Val::apply_all(Split { size, axis }, &[self])
    }
}
