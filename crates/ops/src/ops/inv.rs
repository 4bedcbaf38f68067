//! The inverse of a square matrix.
//!
//! # Formula
//! Y = A⁻¹, so that Σ_k Y_ik A_kj = δ_ij
//!
//! # Jacobian
//! ∂Y_ij/∂A_mn = −Y_im Y_nj, with a delta on every leading (batch) axis
//!
//! # Domain
//! Regular square matrices. A singular one is an error.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! From Y A = I: dY A + Y dA = 0, so dY = −Y dA Y.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The inverse of the last two axes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Inv;

impl Op for Inv {
    fn name(&self) -> &'static str {
        "inv"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        match inputs[0].dims.as_slice() {
            [.., rows, columns] if rows == columns && inputs[0].dtype.is_float() => {
                Ok(vec![inputs[0].clone()])
            }
            dims => {
                Err(Error::new(format!("inv: {} {dims:?} is not a square matrix of floats", inputs[0].dtype)))
            }
        }
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].inverse()?])
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let y = at.y();
        let out = Label::for_dims(y.dims());
        let mut x = Label::for_dims(y.dims());
        let matrix = y.ndim() - 2;
        x[..matrix].copy_from_slice(&out[..matrix]);
        let with_batch =
            |row: Label, column: Label| out[..matrix].iter().copied().chain([row, column]).collect();
        let left = Factor::Dense(y.clone(), with_batch(out[matrix], x[matrix]));
        let right = Factor::Dense(y.clone(), with_batch(x[matrix + 1], out[matrix + 1]));
        Ok(at.network().plus_term(Coef::minus_one(), &out, &x, [left, right]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "inv(x)",
    aliases: &[],
    axes: Axes::Square,
    call: |args| args.value("x")?.inv(),
    samples: || {
        vec![
            Sample::given(
                "inv: a matrix",
                [(&[3, 3], &[3.0, 0.5, -1.0, 0.2, 2.0, 0.7, 1.1, -0.3, 4.0])],
                |x| x[0].inv(),
            ),
            Sample::given("inv: a batch", [(&[2, 2, 2], &[3.0, 0.5, -1.0, 2.0, 2.0, 0.7, 1.1, -3.0])], |x| {
                x[0].inv()
            }),
        ]
    },
};

impl Val {
    /// The inverse of the last two axes.
    ///
    /// # Errors
    /// Where they are not square; on evaluation, where the matrix is singular.
    pub fn inv(&self) -> Result<Val> {
        Val::apply(Inv, &[self])
    }
}
