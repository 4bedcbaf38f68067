//! The lower triangular factor of a positive definite matrix.
//!
//! # Formula
//! ½ (x + xᵀ) = y yᵀ, over the last two axes, where y has zeros above its diagonal, which is positive; with upper, yᵀ
//!
//! # Jacobian
//! ∂y_ij/∂x_ab = ½ Σ_p y_ip Φ_pj (z_pa z_jb + z_pb z_ja), where z = y⁻¹, and Φ is 1 below the diagonal, ½ on it and 0 above
//!
//! # Domain
//! Positive definite matrices. Of a matrix that is not symmetric its symmetric part is taken, so that the derivative by each entry is
//! that of PyTorch, which is symmetric.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! dx = dy yᵀ + y dyᵀ; so z dx zᵀ = z dy + (z dy)ᵀ, and z dy is lower triangular: it is Φ ⊙ (z dx zᵀ).

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::cumsum::called;
use super::logdet::of_matrices;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The factor; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cholesky;

impl Op for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        of_matrices("cholesky", inputs[0])?;
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].cholesky()?])
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let y = at.y();
        let (out, x) = (Label::for_dims(y.dims()), Label::for_dims(y.dims()));
        let batch = out.len() - 2;
        let lead: Vec<Label> = out[..batch].to_vec();
        let [i, j, a, b] = [out[batch], out[batch + 1], x[batch], x[batch + 1]];
        let dim = y.dims()[batch];
        let (p, size) = (Label::new(dim), dim.size());
        let share = |at: usize| match (at / size).cmp(&(at % size)) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
        let halves =
            Array::from_vec::<f64>(&[size, size], (0..size * size).map(share).collect())?.cast(y.dtype())?;
        let ones = format!("ones({}, {0})", called(dim));
        let name = format!("((tril({ones}) + tril({ones}, -1)) / 2)");
        let halves = Val::with_dims(halves, &[dim, dim])?.named(&name);
        let inverse = y.inv()?;
        let with = |row: Label, column: Label| lead.iter().copied().chain([row, column]).collect::<Vec<_>>();
        let slots: Vec<Label> = lead.iter().copied().chain([a, b]).collect();
        let term = |network: Network, [first, second]: [Label; 2]| {
            let factors = [
                Factor::Dense(y.clone(), with(i, p)),
                Factor::Dense(halves.clone(), vec![p, j]),
                Factor::Dense(inverse.clone(), with(p, first)),
                Factor::Dense(inverse.clone(), with(j, second)),
            ];
            network.plus_term(Coef::ratio(1, 2), &out, &slots, factors)
        };
        Ok(term(term(at.network(), [a, b]), [b, a]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cholesky(x, upper: flag = false)",
    aliases: &[],
    axes: Axes::Square,
    call: |args| {
        let y = args.value("x")?.cholesky()?;
        if args.flag("upper")? { y.swapped() } else { Ok(y) }
    },
    samples: || {
        vec![
            Sample::given(
                "cholesky: a matrix",
                [(&[3, 3], &[3.0, 0.5, -1.0, 0.5, 2.0, 0.7, -1.0, 0.7, 4.0])],
                |x| x[0].cholesky(),
            ),
            Sample::given(
                "cholesky: a batch",
                [(&[2, 2, 2], &[3.0, 0.5, 0.5, 2.0, 1.0, -0.2, -0.2, 4.0])],
                |x| x[0].cholesky(),
            ),
        ]
    },
};

impl Val {
    /// The lower triangular factor of the symmetric part of the last two axes.
    ///
    /// # Errors
    /// Where they are not square; on evaluation, where the matrix is not positive definite.
    pub fn cholesky(&self) -> Result<Val> {
        Val::apply(Cholesky, &[self])
    }

    /// The last two axes exchanged.
    fn swapped(&self) -> Result<Val> {
        let last = self.ndim() - 1;
        self.movedim(last, last - 1)
    }
}
