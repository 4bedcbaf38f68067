//! The Kronecker product of two matrices.
//!
//! # Formula
//! y_(i·p + k),(j·q + l) = A_ij B_kl, with B of shape `[p, q]`
//!
//! # Jacobian
//! ∂y_rs/∂A_mn = Σ_kl `[r = m·p + k]` `[s = n·q + l]` B_kl, and the like for B
//!
//! # Domain
//! All reals; matrices or vectors. A vector beside a matrix is taken as a row.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear in each operand. The position in the result is an affine form of the positions in the operands.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label, Relation};

use super::cumsum::called;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// The Kronecker product of operands of one rank.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Kron;

impl Op for Kron {
    fn name(&self) -> &'static str {
        "kron"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (a, b) = (&inputs[0].dims, &inputs[1].dims);
        let size = |(a, b): (&Dim, &Dim)| match (a.size(), b.size()) {
            (1, _) => Ok(*b),
            (_, 1) => Ok(*a),
            (a, b) => a.checked_mul(b).map(Dim::new).ok_or_else(|| Error::new("kron: the sizes overflow")),
        };
        let dims: Result<Vec<Dim>> = a.iter().zip(b).map(size).collect();
        Ok(vec![Spec::new(dims?, promote(inputs[0].dtype, inputs[1].dtype))])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let rank = inputs[0].ndim() as u32;
        let a: Vec<u32> = (0..rank).collect();
        let b: Vec<u32> = (rank..2 * rank).collect();
        let out: Vec<u32> = a.iter().zip(&b).flat_map(|(&i, &k)| [i, k]).collect();
        let sizes: Vec<(u32, usize)> =
            (0..).zip(inputs[0].shape().iter().chain(inputs[1].shape()).copied()).collect();
        let product = Array::contract(1.0, &[(inputs[0], &a), (inputs[1], &b)], &out, &sizes)?;
        let shape: Vec<usize> = inputs[0].shape().iter().zip(inputs[1].shape()).map(|(m, p)| m * p).collect();
        Ok(vec![product.reshape(&shape)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let [a, b] = at.inputs() else { unreachable!("a product has two operands") };
        let out = Label::for_dims(at.y().dims());
        let (labels_a, labels_b) = (Label::for_dims(a.dims()), Label::for_dims(b.dims()));
        let axes = out.iter().zip(labels_a.iter().zip(&labels_b));
        let mut factors: Vec<Factor> = axes
            .map(|(&r, (&i, &k))| {
                Factor::Relation(Relation::affine([(1, r), (-(k.size() as i64), i), (-1, k)], 0))
            })
            .collect();
        let (slots, other) =
            if at.input() == 0 { (&labels_a, (b, &labels_b)) } else { (&labels_b, (a, &labels_a)) };
        factors.push(Factor::Dense(other.0.clone(), other.1.clone()));
        Ok(at.network().plus_term(Coef::one(), &out, slots, factors).simplified())
    }

    /// Block by block: of each block its product with the other operand, for the first one, and the sum of all blocks for the second.
    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let [a, b] = at.inputs() else { return None };
        let axes = a.dims().iter().zip(b.dims());
        let sizes: Vec<String> = axes.flat_map(|(&a, &b)| [called(a), called(b)]).collect();
        let blocks = format!("reshape({cotangent}, [{}])", sizes.join(", "));
        Some(match (a.ndim(), at.input()) {
            (1, 0) => format!("{blocks} @ {}", inputs[1]),
            (1, _) => format!("{} @ {blocks}", inputs[0]),
            (_, 0) => format!("einsum(\"ikjl,kl->ij\", {blocks}, {})", inputs[1]),
            _ => format!("einsum(\"ikjl,ij->kl\", {blocks}, {})", inputs[0]),
        })
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "kron(a, b)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("a")?.kron(&args.value("b")?),
    samples: || {
        vec![
            Sample::normal("kron: matrices", [&[2, 3], &[3, 2]], |x| x[0].kron(&x[1])),
            Sample::normal("kron: a matrix and a row", [&[2, 2], &[3]], |x| x[0].kron(&x[1])),
            Sample::normal("kron: vectors", [&[2], &[3]], |x| x[0].kron(&x[1])),
        ]
    },
};

impl Val {
    /// The Kronecker product. A vector beside a matrix is taken as a row.
    ///
    /// # Errors
    /// On scalars and on more than two axes.
    pub fn kron(&self, other: &Val) -> Result<Val> {
        if ![self, other].iter().all(|x| matches!(x.ndim(), 1 | 2)) {
            return Err(Error::new(format!(
                "kron: {:?} and {:?} are not matrices",
                self.dims(),
                other.dims()
            )));
        }
        let row = |x: &Val| x.reshape(&[Dim::new(1), x.dims()[0]]);
        match (self.ndim(), other.ndim()) {
            (1, 2) => Val::apply(Kron, &[&row(self)?, other]),
            (2, 1) => Val::apply(Kron, &[self, &row(other)?]),
            _ => Val::apply(Kron, &[self, other]),
        }
    }
}
