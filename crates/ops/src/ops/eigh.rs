//! The eigenvalues and eigenvectors of a symmetric matrix: two results.
//!
//! # Formula
//! ½ (x + xᵀ) v = v diag(w), over the last two axes; the eigenvalues w ascend, and the columns of v are orthonormal
//!
//! # Jacobian
//! ∂w_k/∂x_ab = v_ak v_bk and ∂v_ik/∂x_ab = Σ_(p ≠ k) v_ip v_ap v_bk / (w_k − w_p), for the symmetric part
//!
//! # Domain
//! All matrices; of one that is not symmetric its symmetric part is taken. Where eigenvalues are equal their vectors have no derivative, and
//! it is infinite or NaN. The largest component of each vector is positive. UPLO says nothing here: both triangles count.
//!
//! # At kinks and ties
//! Where two eigenvalues meet they have kinks, since they are sorted; a vector jumps where another component becomes its largest.
//!
//! # Why
//! From x v = v w: vᵀ dx v = diag(dw) + (vᵀ dv) diag(w) − diag(w) (vᵀ dv), and vᵀ dv has no symmetric part.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label};

use super::cumsum::called;
use super::logdet::of_matrices;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Eigenvalues and eigenvectors; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Eigh;

impl Op for Eigh {
    fn name(&self) -> &'static str {
        "eigh"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let batch = of_matrices("eigh", inputs[0])?;
        let x = inputs[0];
        let values = [&batch.dims[..], &x.dims[x.dims.len() - 1..]].concat();
        Ok(vec![Spec::new(values, x.dtype), x.clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (values, vectors) = inputs[0].symmetric_eigen()?;
        Ok(vec![values, vectors])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // QR takes some two steps for each eigenvalue, each of which turns an entry twice; their errors have nothing to do with one another.
        inputs[0].shape().last().map_or(1.0, |&size| (4.0 * size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (values, vectors) = (at.sibling(0), at.sibling(1));
        let x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        let lead = &x[..batch];
        let with = |labels: &[Label]| lead.iter().copied().chain(labels.iter().copied()).collect::<Vec<_>>();
        let dim = at.x().dims()[batch];
        let (i, k, p) = (Label::new(dim), Label::new(dim), Label::new(dim));
        let dense = |value: &Val, labels: &[Label]| Factor::Dense(value.clone(), with(labels));
        let (a, b) = (x[batch], x[batch + 1]);
        if at.output() == 0 {
            let factors = [dense(&vectors, &[a, k]), dense(&vectors, &[b, k])];
            return Ok(at.network().plus_term(Coef::one(), &with(&[k]), &x, factors));
        }
        let gaps = reciprocal_gaps(&values, dim)?;
        let (out, half) = (with(&[i, k]), Coef::ratio(1, 2));
        let factors = |a: Label, b: Label| {
            [
                dense(&vectors, &[i, p]),
                dense(&vectors, &[a, p]),
                dense(&vectors, &[b, k]),
                dense(&gaps, &[p, k]),
            ]
        };
        let network = at.network().plus_term(half.clone(), &out, &x, factors(a, b));
        Ok(network.plus_term(half, &out, &x, factors(b, a)))
    }

    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        let function = ["eigvalsh", "eigh_v"][result.output()];
        Some(format!("{function}({})", inputs[0]))
    }
}

/// 1/(w_k − w_p) in row p and column k, and 0 on the diagonal.
fn reciprocal_gaps(values: &Val, dim: Dim) -> Result<Val> {
    let rank = values.ndim();
    let unit = Val::with_dims(Array::eye(dim.size(), values.dtype())?, &[dim, dim])?;
    let unit = unit.named(&format!("eye({})", called(dim)));
    let gaps = (&values.unsqueeze(rank - 1)? - &values.unsqueeze(rank)?)?;
    &(1.0 / &(&gaps + &unit)?)? - &unit
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "eigh(x, UPLO: L|U = L)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Ok(args.value("x")?.eigh()?[0].clone()),
    samples: || {
        let entries = &[3.0, 0.5, -1.0, 0.5, 2.0, 0.7, -1.0, 0.7, 4.5];
        vec![
            Sample::given("eigh: values", [(&[3, 3], entries)], |x| Ok(x[0].eigh()?[0].clone())),
            Sample::given("eigh: vectors", [(&[3, 3], entries)], |x| Ok(x[0].eigh()?[1].clone())),
            Sample::given(
                "eigh: both, of a batch",
                [(&[2, 2, 2], &[3.0, 0.5, 0.5, 1.0, 1.0, -0.2, -0.2, 4.0])],
                |x| {
                    let results = x[0].eigh()?;
                    &results[0].unsqueeze(1)? * &results[1]
                },
            ),
        ]
    },
};

impl Val {
    /// The eigenvalues, ascending, and the eigenvectors, as columns, of the symmetric part of the last two axes.
    ///
    /// # Errors
    /// Where they are not square; on evaluation, where the iteration does not end.
    pub fn eigh(&self) -> Result<Vec<Val>> {
        Val::apply_all(Eigh, &[self])
    }
}
