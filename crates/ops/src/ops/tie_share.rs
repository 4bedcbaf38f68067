//! The share of each element in the maximum over some axes: 1/t for each of t tied largest elements, else 0.
//!
//! # Formula
//! s_ik = `[x_ik = max_l x_il]` / #{l : x_il is largest}; with `ties="first"` 1 for the first of the largest, and 0 for all others
//!
//! # Jacobian
//! ∂s_ik/∂x_mn = 0
//!
//! # Domain
//! All reals; at least one element.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at ties too.
//!
//! # Why
//! The derivative of max. It stands in the table so that second derivatives go through the graph.

use pullback_array::{Array, Pairs, pairs};

use super::div::DIV;
use crate::kernel::Recipe;
use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// Who has the gradient of a maximum, where several elements are the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// All of them, in equal shares.
    Shared,
    /// The first one, in row-major order.
    First,
}

impl Ties {
    /// By the word of a call.
    pub(crate) fn called(word: &str) -> Ties {
        if word == "first" { Ties::First } else { Ties::Shared }
    }

    /// How a call names what is not the default.
    pub(crate) fn written(self) -> &'static str {
        if self == Ties::First { ", ties=\"first\"" } else { "" }
    }
}

/// Is an element the largest one?
static TIED: Pairs = pairs!(|x, m| if x == m { 1.0 } else { 0.0 });

/// The share of each element in the maximum over axes.
#[derive(Debug, Clone, PartialEq)]
struct TieShare {
    axes: Vec<usize>,
    ties: Ties,
    /// What a call of it has behind the operand.
    arguments: String,
}

impl Op for TieShare {
    fn name(&self) -> &'static str {
        "tie_share"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        super::max::reduction_spec(self.name(), inputs[0], &self.axes, true)?;
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let largest = inputs[0].max(&self.axes, true)?;
        let ties = inputs[0].pairs(&largest, "tie_share", &TIED)?;
        if self.ties == Ties::First {
            return Ok(vec![first_of(&ties, &self.axes)?]);
        }
        let count = ties.sum(&self.axes, true)?;
        Ok(vec![ties.pairs(&count, "tie_share", &DIV.lines)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        if self.ties == Ties::First {
            return None;
        }
        let largest = recipe.max(inputs[0], &self.axes, true);
        let ties = recipe.pairs(&TIED, inputs[0], largest);
        let count = recipe.sum(ties, &self.axes, true);
        Some(recipe.pairs(&DIV.lines, ties, count))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("tie_share({}{})", inputs[0], self.arguments)
    }
}

/// Of ones along `axes`, in row-major order, the first.
fn first_of(ties: &Array, axes: &[usize]) -> Result<Array> {
    let mut inner = axes.to_vec();
    inner.sort_unstable();
    let rank = ties.ndim();
    let order: Vec<usize> =
        (0..rank).filter(|axis| !inner.contains(axis)).chain(inner.iter().copied()).collect();
    let moved = ties.permute(&order)?;
    let count: usize = inner.iter().map(|&axis| ties.shape()[axis]).product();
    let mut entries = moved.to_vec_f64();
    for group in entries.chunks_exact_mut(count.max(1)) {
        let first = group.iter().position(|&one| one != 0.0);
        group.iter_mut().enumerate().for_each(|(at, one)| *one = f64::from(u8::from(Some(at) == first)));
    }
    let mut back = vec![0; rank];
    order.iter().enumerate().for_each(|(to, &from)| back[from] = to);
    Ok(Array::from_vec(moved.shape(), entries)?.cast(ties.dtype())?.permute(&back)?)
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "tie_share(x, axis: axes = none, ties: share|first = share)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.tie_share_by(&args.axes("axis", x.ndim())?, Ties::called(args.word("ties")?))
    },
    samples: || {
        vec![
            Sample::normal("tie_share: one axis", [&[2, 3]], |x| x[0].tie_share(&[1])),
            Sample::given("tie_share: ties", [(&[4], &[1.0, 3.0, 3.0, 0.0])], |x| x[0].tie_share(&[0]))
                .at_kink(),
        ]
    },
};

impl Val {
    /// The share of each element in the maximum over `axes`.
    ///
    /// # Errors
    /// Where an axis does not exist, is named twice or is empty.
    pub fn tie_share(&self, axes: &[usize]) -> Result<Val> {
        self.tie_share_by(axes, Ties::Shared)
    }

    /// The share of each element in the maximum over `axes`, where that of several largest ones is as said.
    ///
    /// # Errors
    /// Those of [`Val::tie_share`].
    pub fn tie_share_by(&self, axes: &[usize], ties: Ties) -> Result<Val> {
        let arguments = super::sum::axes_written(self, axes, false) + ties.written();
        Val::apply(TieShare { axes: axes.to_vec(), ties, arguments }, &[self])
    }
}
