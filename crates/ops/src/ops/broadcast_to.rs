//! A value repeated along new axes, and along those of size 1.
//!
//! # Formula
//! y_(k…, i…) = x_i…, where an axis of size 1 is read at 0
//!
//! # Jacobian
//! ∂y/∂x_m is a delta on every axis that is not stretched.
//!
//! # Domain
//! All reals; a shape that x broadcasts to, aligned at the last axes. A −1 is the size that there is.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements are repeated and do not change: what comes back for one of them adds up.

use pullback_network::{Coef, Dim, Label};

use crate::labels::aligned;
use crate::{Axes, Entry, Error, Result, Sample, Val, broadcast};

pub(crate) static ENTRY: Entry = Entry {
    signature: "broadcast_to(x, shape: shape)",
    aliases: &["expand"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.broadcast_to(&args.sizes("shape")?)
    },
    samples: || {
        vec![
            Sample::normal("broadcast_to: new and stretched", [&[2, 1]], |x| {
                x[0].broadcast_to(&[Some(3.into()), None, Some(4.into())])?.powf(2.0)
            }),
            Sample::normal("broadcast_to: a scalar", [&[]], |x| x[0].broadcast_to(&[Some(2.into())])),
        ]
    },
};

impl Val {
    /// The value under other sizes that it broadcasts to; `None` is the size that there is.
    ///
    /// # Errors
    /// Where it does not broadcast so.
    pub fn broadcast_to(&self, sizes: &[Option<Dim>]) -> Result<Val> {
        let wrong = || {
            Error::new(format!(
                "broadcast_to: {:?} does not broadcast to the shape that is asked for",
                self.dims()
            ))
        };
        let before = sizes.len().checked_sub(self.ndim()).ok_or_else(wrong)?;
        let kept = |(at, size): (usize, &Option<Dim>)| match size {
            Some(dim) => Ok(*dim),
            None => at.checked_sub(before).map(|at| self.dims()[at]).ok_or_else(wrong),
        };
        let dims = sizes.iter().enumerate().map(kept).collect::<Result<Vec<Dim>>>()?;
        let result = broadcast("broadcast_to", self.dims(), &dims)?;
        if result.iter().zip(&dims).any(|(one, other)| one.size() != other.size()) {
            return Err(wrong());
        }
        if result == self.dims() {
            return Ok(self.clone());
        }
        let out = Label::for_dims(&result);
        let labels = aligned(&out, self.dims());
        let sizes = dims.iter().map(|dim| super::cumsum::called(*dim)).collect::<Vec<_>>().join(", ");
        self.relabelled("broadcast_to", format!(", [{sizes}]"), Coef::one(), &labels, &out)
    }
}
