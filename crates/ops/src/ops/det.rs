//! The determinant.
//!
//! # Formula
//! y = det(x), over the last two axes
//!
//! # Jacobian
//! ∂y/∂x_mn = cofactor(x)_mn, which is y (x⁻¹)_nm where x is not singular
//!
//! # Domain
//! Square matrices. Of one that is singular there are derivatives of the first and of the second order.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Jacobi's formula. The determinant is linear in each entry, with its cofactor as the slope, and Cramer's rule has the cofactors in the
//! inverse.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::logdet::of_matrices;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The determinant; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Det;

impl Op for Det {
    fn name(&self) -> &'static str {
        "det"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![of_matrices("det", inputs[0])?])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (signs, logarithms) = inputs[0].log_determinant()?;
        Ok(vec![signs.zip(&logarithms, "det", |sign, log| sign * log.exp(), |sign, log| sign * log.exp())?])
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        let cofactors = Factor::Dense(at.x().cofactor()?, x.clone());
        Ok(at.network().plus_term(Coef::one(), &x[..batch], &x, [cofactors]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "det(x)",
    aliases: &[],
    axes: Axes::OfSquare,
    call: |args| args.value("x")?.det(),
    samples: || {
        let entries = &[1.5, 0.5, -1.0, 0.2, 1.0, 0.7, 1.1, -0.3, 0.6];
        vec![
            Sample::given("det: a matrix", [(&[3, 3], entries)], |x| x[0].det()),
            Sample::given(
                "det: a batch, one negative",
                [(&[2, 2, 2], &[3.0, 0.5, -1.0, 2.0, 1.0, 2.0, 3.0, 4.0])],
                |x| x[0].det(),
            ),
        ]
    },
};

impl Val {
    /// The determinant of the last two axes.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn det(&self) -> Result<Val> {
        Val::apply(Det, &[self])
    }
}
