//! The elements of an axis, each by itself: as many results as there are.
//!
//! # Formula
//! (y_k)_(…) = x_(…, k, …)
//!
//! # Jacobian
//! ∂(y_k)/∂x_m = `[m = k]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use pullback_array::{Array, SliceAxis, memory};
use pullback_network::{Coef, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The elements of an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unbind {
    axis: usize,
}

impl Op for Unbind {
    fn name(&self) -> &'static str {
        "unbind"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let size = x.dims.get(self.axis).map_or(0, |dim| dim.size());
        if size == 0 {
            return Err(Error::new(format!("unbind: {:?} has no elements along axis {}", x.dims, self.axis)));
        }
        let mut dims = x.dims.clone();
        dims.remove(self.axis);
        // Each is a value of its own.
        memory::room(size.saturating_mul(size_of::<Spec>() + size_of::<Val>()))?;
        Ok(vec![Spec::new(dims, x.dtype); size])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let shape = inputs[0].shape();
        let rest: Vec<usize> =
            shape.iter().enumerate().filter(|(axis, _)| *axis != self.axis).map(|(_, &size)| size).collect();
        let element = |k: usize| {
            let of_axis = |(axis, &len): (usize, &usize)| match axis == self.axis {
                true => SliceAxis { start: k, step: 1, len: 1 },
                false => SliceAxis { start: 0, step: 1, len },
            };
            Ok(inputs[0].slice(&shape.iter().enumerate().map(of_axis).collect::<Vec<_>>())?.reshape(&rest)?)
        };
        (0..shape[self.axis]).map(element).collect()
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.y().dims());
        let mut x = out.clone();
        let m = Label::new(at.x().dims()[self.axis]);
        x.insert(self.axis, m);
        let relation = Relation::affine([(1, m)], -(at.output() as i64));
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("unbind({}, axis={})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "unbind(x, axis: axis = 0)",
    aliases: &["unstack"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        Ok(x.unbind(args.axis("axis", x.ndim())?.unwrap_or(0))?[0].clone())
    },
    samples: || {
        vec![
            Sample::normal("unbind: rows", [&[2, 3]], |x| {
                let rows = x[0].unbind(0)?;
                &rows[0] * &rows[1]
            }),
            Sample::normal("unbind: columns", [&[3, 2]], |x| Ok(x[0].unbind(1)?[1].clone())),
        ]
    },
};

impl Val {
    /// The elements of `axis`, each by itself.
    ///
    /// # Errors
    /// Where there is no such axis, or it is empty.
    pub fn unbind(&self, axis: usize) -> Result<Vec<Val>> {
        Val::apply_all(Unbind { axis }, &[self])
    }
}
