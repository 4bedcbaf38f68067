//! The cofactors of a matrix: the slopes of its determinant.
//!
//! # Formula
//! y_ij = (−1)^(i+j) det(x without row i and column j); of a matrix that is not singular y = det(x) x⁻ᵀ
//!
//! # Jacobian
//! ∂y_ij/∂x_mn = second_cofactor(x)_ijmn
//!
//! # Domain
//! Square matrices, singular or not.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A cofactor is a determinant, so that its slopes are cofactors again, of two rows and two columns.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::logdet::of_matrices;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The cofactors; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cofactor;

impl Op for Cofactor {
    fn name(&self) -> &'static str {
        "cofactor"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        of_matrices("cofactor", inputs[0])?;
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].cofactors()?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        inputs[0].shape().last().map_or(1.0, |&size| (size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.y().dims());
        let mut x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        x[..batch].copy_from_slice(&out[..batch]);
        let labels = [&out[..], &x[batch..]].concat();
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Dense(at.x().second_cofactor()?, labels)]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cofactor(x)",
    aliases: &[],
    axes: Axes::Square,
    call: |args| args.value("x")?.cofactor(),
    samples: || {
        let entries = &[1.5, 0.5, -1.0, 0.2, 1.0, 0.7, 1.1, -0.3, 0.6];
        vec![
            Sample::given("cofactor: a matrix", [(&[3, 3], entries)], |x| x[0].cofactor()),
            Sample::given(
                "cofactor: a batch",
                [(&[2, 2, 2], &[3.0, 0.5, -1.0, 2.0, 1.0, 2.0, 3.0, 4.0])],
                |x| x[0].cofactor(),
            ),
        ]
    },
};

impl Val {
    /// The cofactors of the last two axes.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn cofactor(&self) -> Result<Val> {
        Val::apply(Cofactor, &[self])
    }
}
