//! The logarithm of the size of a determinant.
//!
//! # Formula
//! y = ln |det(x)|, over the last two axes
//!
//! # Jacobian
//! ∂y/∂x_mn = (x⁻¹)_nm
//!
//! # Domain
//! Matrices that are not singular; of those the logarithm is −∞ and there is no derivative. (PyTorch's `logdet` is NaN where the determinant
//! is negative; that of NumPy's `slogdet` is this.)
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Jacobi's formula: d det(x) = det(x) tr(x⁻¹ dx).

use pullback_array::Array;
use pullback_network::{Coef, Label};

use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// ln |det|; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LogDet;

impl Op for LogDet {
    fn name(&self) -> &'static str {
        "logdet"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![of_matrices("logdet", inputs[0])?])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].log_determinant()?.1])
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        let transposed = x[..batch].iter().copied().chain([x[batch + 1], x[batch]]).collect();
        Ok(at.network().plus_term(Coef::one(), &x[..batch], &x, [Factor::Dense(at.x().inv()?, transposed)]))
    }
}

/// What is left of the shape of square matrices.
pub(super) fn of_matrices(op: &str, x: &Spec) -> Result<Spec> {
    match x.dims.as_slice() {
        [batch @ .., rows, columns] if rows == columns && x.dtype.is_float() => {
            Ok(Spec::new(batch.to_vec(), x.dtype))
        }
        dims => Err(Error::new(format!("{op}: {} {dims:?} is not a square matrix of floats", x.dtype))),
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "logdet(x)",
    aliases: &[],
    axes: Axes::OfSquare,
    call: |args| args.value("x")?.logdet(),
    samples: || {
        let entries = &[3.0, 0.5, -1.0, 0.2, 2.0, 0.7, 1.1, -0.3, 4.0];
        vec![
            Sample::given("logdet: a matrix", [(&[3, 3], entries)], |x| x[0].logdet()),
            Sample::given(
                "logdet: a batch, one negative",
                [(&[2, 2, 2], &[3.0, 0.5, -1.0, 2.0, 1.0, 2.0, 3.0, 4.0])],
                |x| x[0].logdet(),
            ),
        ]
    },
};

impl Val {
    /// The logarithm of the size of the determinant of the last two axes.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn logdet(&self) -> Result<Val> {
        Val::apply(LogDet, &[self])
    }
}
