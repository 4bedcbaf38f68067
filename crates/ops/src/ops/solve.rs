//! The solution of a system of linear equations.
//!
//! # Formula
//! Σ_k A_ik X_kj = B_ij
//!
//! # Jacobian
//! ∂X_ij/∂B_mn = (A⁻¹)_im δ_jn, ∂X_ij/∂A_mn = −(A⁻¹)_im X_nj, with a delta on every leading (batch) axis. The inverse is
//! applied and never formed.
//!
//! # Domain
//! Regular square matrices. A singular one is an error.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! From A X = B: dA X + A dX = dB, so dX = A⁻¹ (dB − dA X).

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label, Operator};

use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// A⁻¹ B, or A⁻ᵀ B.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Solve {
    transposed: bool,
}

impl Op for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (a, b) = (inputs[0], inputs[1]);
        let fits = match (a.dims.as_slice(), b.dims.as_slice()) {
            ([batch @ .., rows, columns], [lead @ .., n, _]) => rows == columns && rows == n && batch == lead,
            _ => false,
        };
        if !fits || a.dtype != b.dtype || !a.dtype.is_float() {
            return Err(Error::new(format!(
                "solve: {:?} and {:?} are no system of equations",
                a.dims, b.dims
            ))
            .with_hint("the matrix is [n, n] and the right side [n] or [n, k], of one float type"));
        }
        Ok(vec![b.clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].solve(inputs[1], self.transposed)?])
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = at.y();
        let out = Label::for_dims(x.dims());
        let (batch, i, j) = (&out[..x.ndim() - 2], out[x.ndim() - 2], out[x.ndim() - 1]);
        let with_batch = |labels: [Label; 2]| -> Vec<Label> { batch.iter().copied().chain(labels).collect() };
        // The entry of A⁻¹, or of A⁻ᵀ, between row i of the result and row m of the right side.
        let m = Label::new(i.dim());
        let (row, column) = if self.transposed { (m, i) } else { (i, m) };
        let inverse = Factor::Operator(Operator::inverse(at.inputs()[0].clone(), batch, row, column));
        Ok(match at.input() {
            1 => at.network().plus_term(Coef::one(), &out, &with_batch([m, j]), [inverse]),
            _ => {
                let n = Label::new(i.dim());
                let slots = with_batch(if self.transposed { [n, m] } else { [m, n] });
                let factors = [inverse, Factor::Dense(x.clone(), with_batch([n, j]))];
                at.network().plus_term(Coef::minus_one(), &out, &slots, factors)
            }
        })
    }

    fn written(&self, inputs: &[String]) -> String {
        let transposed = if self.transposed { ".T" } else { "" };
        format!("solve({}{transposed}, {})", inputs[0], inputs[1])
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "solve(a, b)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("a")?.solve(&args.value("b")?, false),
    samples: || {
        const A: &[f64] = &[3.0, 0.5, -1.0, 0.2, 2.0, 0.7, 1.1, -0.3, 4.0];
        const B: &[f64] = &[1.0, -2.0, 0.5, 3.0, 0.3, -1.0];
        vec![
            Sample::given("solve: a vector", [(&[3, 3], A), (&[3], &B[..3])], |x| x[0].solve(&x[1], false)),
            Sample::given("solve: a matrix", [(&[3, 3], A), (&[3, 2], B)], |x| x[0].solve(&x[1], false)),
            Sample::given("solve: transposed", [(&[3, 3], A), (&[3, 2], B)], |x| x[0].solve(&x[1], true)),
            Sample::given("solve: a batch", [(&[2, 2, 2], &A[..8]), (&[2, 2, 1], &B[..4])], |x| {
                x[0].solve(&x[1], false)
            }),
        ]
    },
};

impl Val {
    /// The solution X of `self` X = `right`, or of `self`ᵀ X = `right`. The right side may be a vector where `self` is one
    /// matrix.
    ///
    /// # Errors
    /// Where the shapes do not fit; on evaluation, where the matrix is singular.
    pub fn solve(&self, right: &Val, transposed: bool) -> Result<Val> {
        if self.ndim() == 2 && right.ndim() == 1 {
            let n = right.dims()[0];
            let column = right.reshape(&[n, Dim::new(1)])?;
            return Val::apply(Solve { transposed }, &[self, &column])?.reshape(&[n]);
        }
        Val::apply(Solve { transposed }, &[self, right])
    }
}
