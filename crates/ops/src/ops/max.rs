//! The largest element over some axes, or all.
//!
//! # Formula
//! y_i = max_k x_ik
//!
//! # Jacobian
//! ∂y_i/∂x_mn = δ_im s_in, with s the share of each element in the maximum: 1 for the largest, 0 for the others
//!
//! # Domain
//! All reals; at least one element. A NaN makes the result NaN.
//!
//! # At kinks and ties
//! Elements that tie share the gradient equally, as PyTorch's `amax` does; with `ties="first"` the first of them has all of it, as in
//! PyTorch's pooling.
//!
//! # Why
//! Where one element is the largest, the result is that element. At a tie the subgradients are the weighted means of the
//! tied unit vectors; equal weights are the one choice that treats them alike.

use pullback_array::Array;
use pullback_network::Coef;

use super::sum::{axes_written, reduced};
use super::tie_share::Ties;
use crate::kernel::Recipe;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The maximum over axes.
#[derive(Debug, Clone, PartialEq)]
struct Max {
    axes: Vec<usize>,
    keepdims: bool,
    ties: Ties,
    /// What a call of it has behind the operand.
    arguments: String,
}

/// The shape rule of a reduction that needs at least one element.
pub(crate) fn reduction_spec(op: &str, x: &Spec, axes: &[usize], keepdims: bool) -> Result<Vec<Spec>> {
    fit(op, x, axes)?;
    if axes.iter().any(|&axis| x.dims[axis].size() == 0) {
        return Err(Error::new(format!("{op}: over no element of {:?}, where it has no value", x.dims)));
    }
    Ok(vec![kept(x, axes, keepdims)])
}

/// Axes that are those of an array of floats, each named once.
pub(crate) fn fit(op: &str, x: &Spec, axes: &[usize]) -> Result<()> {
    if !x.dtype.is_float() {
        return Err(Error::new(format!("{op}: an array of {} is not differentiable", x.dtype))
            .with_hint("draw or load it as a float"));
    }
    match axes.iter().enumerate().any(|(k, axis)| *axis >= x.dims.len() || axes[..k].contains(axis)) {
        true => Err(Error::new(format!("{op}: the axes {axes:?} do not fit {} {:?}", x.dtype, x.dims))),
        false => Ok(()),
    }
}

/// What a reduction over `axes` leaves.
pub(crate) fn kept(x: &Spec, axes: &[usize], keepdims: bool) -> Spec {
    let keep = |axis: usize| match (axes.contains(&axis), keepdims) {
        (false, _) => Some(x.dims[axis]),
        (true, true) => Some(1.into()),
        (true, false) => None,
    };
    Spec::new((0..x.dims.len()).filter_map(keep).collect(), x.dtype)
}

impl Op for Max {
    fn name(&self) -> &'static str {
        "max"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        reduction_spec(self.name(), inputs[0], &self.axes, self.keepdims)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].max(&self.axes, self.keepdims)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        Some(recipe.max(inputs[0], &self.axes, self.keepdims))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (labels, out) = reduced("max", at.x(), &self.axes, self.keepdims)?;
        let share = at.x().tie_share_by(&self.axes, self.ties)?;
        Ok(at.network().plus_term(Coef::one(), &out, &labels, [Factor::Dense(share, labels.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("max({}{})", inputs[0], self.arguments)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "max(x, axis: axes = none, keepdims: flag = false, ties: share|first = share)",
    aliases: &["amax"],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        let axes = args.axes("axis", x.ndim()).map_err(|error| match args.several("axis") {
            Some(Ok(_)) if !args.is_list("axis") => {
                error.with_hint("of two values the larger is `maximum(a, b)`")
            }
            _ => error,
        })?;
        x.max_by(&axes, args.flag("keepdims")?, Ties::called(args.word("ties")?))
    },
    samples: || {
        vec![
            Sample::normal("max: all", [&[2, 3]], |x| x[0].max(&[0, 1], false)),
            Sample::normal("max: one axis, kept", [&[2, 3, 2]], |x| x[0].max(&[1], true)),
            Sample::given("max: ties", [(&[2, 4], &[1.0, 3.0, 3.0, 0.0, 2.0, 2.0, 2.0, 2.0])], |x| {
                x[0].max(&[1], false)
            })
            .at_kink(),
            Sample::given("max: the first of ties", [(&[2, 3], &[1.0, 3.0, 3.0, 2.0, 2.0, 2.0])], |x| {
                x[0].max_by(&[1], false, Ties::First)
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The largest element over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist, is named twice or is empty.
    pub fn max(&self, axes: &[usize], keepdims: bool) -> Result<Val> {
        self.max_by(axes, keepdims, Ties::Shared)
    }

    /// The largest element over `axes`, and who of several has the gradient.
    ///
    /// # Errors
    /// Those of [`Val::max`].
    pub fn max_by(&self, axes: &[usize], keepdims: bool, ties: Ties) -> Result<Val> {
        let arguments = axes_written(self, axes, keepdims) + ties.written();
        Val::apply(Max { axes: axes.to_vec(), keepdims, ties, arguments }, &[self])
    }
}
