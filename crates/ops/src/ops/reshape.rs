//! The same elements in row-major order under another shape.
//!
//! # Formula
//! y_(k,l) = x_(i,j) where the positions in row-major order are equal: `[k·n′ + l = i·n + j]`
//!
//! # Jacobian
//! ∂y_kl/∂x_ij = `[n′k + l = n i + j]`: an affine relation between labels. Where axes fall together it splits into deltas.
//!
//! # Domain
//! All reals; equal numbers of elements.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label, Relation};

use crate::kernel::Recipe;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// A change of shape; see the page of this module.
#[derive(Debug, Clone, PartialEq)]
pub struct Reshape {
    dims: Vec<Dim>,
}

impl Reshape {
    /// The operation that gives its input these dims.
    pub fn new(dims: Vec<Dim>) -> Reshape {
        Reshape { dims }
    }
}

/// The number of elements, where it does not overflow.
fn count(dims: &[Dim]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, dim| product.checked_mul(dim.size()))
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (before, after) = (count(&inputs[0].dims), count(&self.dims));
        if before.is_none() || before != after {
            let size = |count: Option<usize>| count.map_or_else(|| "too many".to_string(), |n| n.to_string());
            return Err(Error::new(format!(
                "reshape: {:?} has {} elements and {:?} has {}",
                inputs[0].dims,
                size(before),
                self.dims,
                size(after),
            )));
        }
        Ok(vec![Spec::new(self.dims.clone(), inputs[0].dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].reshape(&self.dims.iter().map(|dim| dim.size()).collect::<Vec<_>>())?])
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        // Axes of size 1 come and go.
        let mut left = recipe.shape(inputs[0]).iter().enumerate().filter(|(_, size)| **size != 1);
        let mut axis = |dim: &Dim| match dim.size() {
            1 => Some(None),
            size => left.next().filter(|(_, other)| **other == size).map(|(axis, _)| Some(axis)),
        };
        let axes = self.dims.iter().map(&mut axis).collect::<Option<Vec<_>>>()?;
        if left.next().is_some() {
            return None;
        }
        Some(recipe.view(inputs[0], axes, self.dims.iter().map(|dim| dim.size()).collect()))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (out, x) = (Label::for_dims(&self.dims), Label::for_dims(at.x().dims()));
        let positions = place(&out, 1).into_iter().chain(place(&x, -1));
        let relation = Relation::affine(positions.collect::<Vec<_>>(), 0);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]).simplified())
    }

    fn adjoint(&self, at: &Site<'_>, cotangent: &str, _inputs: &[String]) -> Option<String> {
        Some(Reshape::new(at.x().dims().to_vec()).written(&[cotangent.to_owned()]))
    }

    fn written(&self, inputs: &[String]) -> String {
        let size = |dim: &Dim| dim.name().map_or_else(|| dim.size().to_string(), |name| name.to_string());
        format!("reshape({}, [{}])", inputs[0], self.dims.iter().map(size).collect::<Vec<_>>().join(", "))
    }
}

/// The position in row-major order, as an affine form of the labels.
fn place(labels: &[Label], sign: i64) -> Vec<(i64, Label)> {
    let mut stride = sign;
    let mut place = Vec::new();
    for &label in labels.iter().rev() {
        place.push((stride, label));
        stride = stride.saturating_mul(label.size() as i64);
    }
    place
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "reshape(x, shape: shape)",
    aliases: &["view"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.reshape(&args.shape("shape", Some(&x))?)
    },
    samples: || {
        vec![
            Sample::normal("reshape: splits and merges", [&[2, 6]], |x| x[0].reshape(&[3.into(), 4.into()])),
            Sample::normal("reshape: keeps an axis", [&[5, 2, 6]], |x| {
                x[0].reshape(&[5.into(), 3.into(), 4.into()])
            }),
            Sample::normal("reshape: there and back", [&[7, 6]], |x| {
                x[0].reshape(&[7.into(), 2.into(), 3.into()])?.reshape(&[7.into(), 6.into()])
            }),
            Sample::normal("reshape: one element", [&[1, 1]], |x| x[0].reshape(&[])),
        ]
    },
};

impl Val {
    /// The same elements in row-major order under other dims.
    ///
    /// # Errors
    /// Where the numbers of elements differ.
    pub fn reshape(&self, dims: &[Dim]) -> Result<Val> {
        Val::apply(Reshape::new(dims.to_vec()), &[self])
    }
}
