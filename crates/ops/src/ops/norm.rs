//! A norm over some axes: of all elements there, as of a vector.
//!
//! # Formula
//! y = (Σ |x|^p)^(1/p); the largest |x| where p is infinite
//!
//! # Jacobian
//! ∂y/∂x_m = sign(x_m) |x_m|^(p−1) y^(1−p); for p = 2 it is x_m / y
//!
//! # Domain
//! All reals; any p (a norm from 1 on; 0 counts what is not 0), `inf` and `-inf`, or "fro", the norm with p = 2 of a matrix, and "nuc", the sum of its singular
//! values.
//!
//! # At kinks and ties
//! That of `abs` for p = 1, that of `max` for an infinite p. For p = 2 the rule gives 0 where all elements are 0, as in PyTorch: it is
//! the middle of the subgradients, all vectors of a length of 1 at the most.
//!
//! # Why
//! A definition, by the chain rule. For p = 2 the squares need no absolute value.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "norm(x, p: order = 2, axis: axes = none, keepdims: flag = false)",
    aliases: &["l2_norm"],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        let (axes, keepdims) = (args.axes("axis", x.ndim())?, args.flag("keepdims")?);
        match args.order("p")? {
            Ok(p) => x.norm(p, &axes, keepdims),
            Err("nuc") => {
                let [rows, columns] = axes[..] else {
                    return Err(Error::new("norm: the nuclear norm is one of a matrix")
                        .with_hint("`axis` names two axes"));
                };
                let last = x.ndim() - 1;
                let matrices = x.movedim(rows, last)?.movedim(columns - usize::from(columns > rows), last)?;
                matrices.svd()?[1].sum(&[last - 1], keepdims)
            }
            Err(_) => x.norm(2.0, &axes, keepdims),
        }
    },
    samples: || {
        vec![
            Sample::normal("norm: all", [&[2, 3]], |x| x[0].norm(2.0, &[0, 1], false)),
            Sample::normal("norm: of absolute values, one axis, kept", [&[4, 3]], |x| {
                x[0].norm(1.0, &[0], true)
            }),
            Sample::normal("norm: the largest", [&[4, 3]], |x| x[0].norm(f64::INFINITY, &[1], false)),
            Sample::normal("norm: a third power", [&[4]], |x| x[0].norm(3.0, &[0], false)),
        ]
    },
};

impl Val {
    /// The norm of the elements over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where p is NaN, or an axis does not exist or is named twice.
    pub fn norm(&self, p: f64, axes: &[usize], keepdims: bool) -> Result<Val> {
        match p {
            2.0 => self.powf(2.0)?.sum(axes, keepdims)?.root_of_squares(),
            1.0 => self.abs()?.sum(axes, keepdims),
            f64::INFINITY => self.abs()?.max(axes, keepdims),
            0.0 => self.truth()?.sum(axes, keepdims),
            f64::NEG_INFINITY => self.abs()?.negated()?.max(axes, keepdims)?.negated(),
            _ if p.is_finite() => self.abs()?.powf(p)?.sum(axes, keepdims)?.powf(1.0 / p),
            _ => Err(Error::new(format!("norm: {p} is no order of a norm"))
                .with_hint("p is a number, `inf`, `-inf`, `fro` or `nuc`")),
        }
    }
}
