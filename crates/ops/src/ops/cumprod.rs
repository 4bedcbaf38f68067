//! Running products along an axis.
//!
//! # Formula
//! y_(…, i, …) = Π_{m ≤ i} x_(…, m, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = M_im y_(m−1) with M = (I − diag(x) S)⁻¹, where S shifts by one and y before the first is 1: an operator, applied by running the
//! recurrence and never written out. Every other axis has a delta.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth, also where a factor is zero.
//!
//! # Why
//! y_i = x_i y_(i−1), so dy = diag(x) S dy + diag(S y) dx: a linear recurrence in which nothing is divided by x.

use pullback_array::Array;
use pullback_network::{Dim, Value as _};

use super::cumsum::{along, called, moved_on, recurring, running};
use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// Running products along an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CumProd {
    axis: usize,
}

impl Op for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        along(self.name(), inputs[0], self.axis)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![running(inputs[0], self.axis, false, |before, own| before * own)?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // One for each factor, which have nothing to do with one another.
        (inputs[0].shape()[self.axis].max(1) as f64).sqrt()
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let y = at.y();
        let mut first: Vec<Option<Dim>> = y.dims().iter().copied().map(Some).collect();
        first[self.axis] = Some(Dim::new(1));
        recurring(at, self.axis, at.x(), moved_on(y, self.axis, &y.one().broadcast_to(&first)?)?)
    }

    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let (x, axis, dims) = (&inputs[0], self.axis, at.x().dims());
        let sums = format!("linear_recurrence({x}, {cotangent}, axis={axis}, reverse=true)");
        if dims[axis].size() < 2 {
            return Some(sums);
        }
        let of_axes = |own: &str, other: &dyn Fn(usize) -> String| {
            let each = (0..dims.len()).map(|k| if k == axis { own.to_owned() } else { other(k) });
            each.collect::<Vec<_>>().join(", ")
        };
        let (first, rest) = (of_axes("1", &|k| called(dims[k])), of_axes(":-1", &|_| ":".to_owned()));
        let before = format!("concat([ones({first}), cumprod({x}, axis={axis})[{rest}]], axis={axis})");
        Some(format!("{sums} * {before}"))
    }

    fn adjoint_reason(&self) -> Option<&'static str> {
        Some(
            "each product is the one before times its own factor, so that cotangents run from the end by the same factors",
        )
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("cumprod({}, axis={})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cumprod(x, axis: axis = 0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.cumprod(args.axis("axis", x.ndim())?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("cumprod: a vector", [&[5]], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: the first of two axes", [&[3, 2]], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: in the middle", [&[2, 3, 2]], |x| x[0].cumprod(1)),
            Sample::given("cumprod: zeros", [(&[4], &[1.5, 0.0, -0.5, 0.0])], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: one", [&[2, 1]], |x| x[0].cumprod(1)),
            Sample::normal("cumprod: nothing", [&[0]], |x| x[0].cumprod(0)),
        ]
    },
};

impl Val {
    /// The running products along `axis`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn cumprod(&self, axis: usize) -> Result<Val> {
        Val::apply(CumProd { axis }, &[self])
    }
}
