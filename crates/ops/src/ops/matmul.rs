//! The matrix product of the last two axes, as `numpy.matmul`.
//!
//! # Formula
//! Z_ij = Σ_k X_ik W_kj
//!
//! # Jacobian
//! ∂Z_ij/∂X_mn = δ_im W_nj, ∂Z_ij/∂W_mn = δ_jn X_im, with a delta on every leading (batch) axis that is not stretched
//!
//! # Domain
//! All reals. A vector on the left is a row, on the right a column, and its axis is missing in the result; leading axes
//! broadcast.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear in each operand, with the other one as slope. Contracted with a cotangent Ḡ this is Ḡ Wᵀ and Xᵀ Ḡ.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label};

use crate::labels::{aligned, broadcast};
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// NumPy's matmul.
#[derive(Debug, Clone, Copy, PartialEq)]
struct MatMul;

/// The leading axes of an operand, and its one or two matrix axes.
fn split(dims: &[Dim]) -> (&[Dim], &[Dim]) {
    dims.split_at(dims.len().saturating_sub(2))
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (a, b) = (&inputs[0].dims, &inputs[1].dims);
        let ((batch_a, matrix_a), (batch_b, matrix_b)) = (split(a), split(b));
        let inner = (matrix_a.last(), if matrix_b.len() == 2 { matrix_b.first() } else { matrix_b.last() });
        match inner {
            (Some(k), Some(l)) if k == l => {}
            (Some(k), Some(l)) => {
                let error = Error::new(format!("matmul: {a:?} @ {b:?}: the inner sizes {k} and {l} differ"));
                let transposed = match (matrix_a, matrix_b) {
                    ([m, _], [n, _]) if m == n => Some("first"),
                    ([_, k], [_, n]) if k == n => Some("second"),
                    ([m, _], [n]) if m == n => Some("first"),
                    _ => None,
                };
                return Err(match transposed {
                    Some(which) => {
                        error.with_hint(format!("with the {which} one transposed, `.T`, they would fit"))
                    }
                    None => error,
                });
            }
            _ => {
                return Err(Error::new(format!("matmul: {a:?} @ {b:?}: a scalar is no matrix"))
                    .with_hint("multiply by a scalar with `*`"));
            }
        }
        let mut dims = broadcast("matmul", batch_a, batch_b)?;
        dims.extend((matrix_a.len() == 2).then(|| matrix_a[0]));
        dims.extend((matrix_b.len() == 2).then(|| matrix_b[1]));
        Ok(vec![Spec::new(dims, promote(inputs[0].dtype, inputs[1].dtype))])
    }

    fn sums_products(&self) -> bool {
        true
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].matmul(inputs[1])?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let [a, b] = at.inputs() else { unreachable!("a product has two operands") };
        let out = Label::for_dims(at.y().dims());
        let ((batch_a, matrix_a), (batch_b, matrix_b)) = (split(a.dims()), split(b.dims()));
        let batch = batch_a.len().max(batch_b.len());
        let inner = Label::new(matrix_a[matrix_a.len() - 1]);
        let mut matrix_axes = out[batch..].iter().copied();
        let row = if matrix_a.len() == 2 { matrix_axes.next() } else { None };
        let column = matrix_axes.next();
        let labels_a: Vec<Label> =
            aligned(&out[..batch], batch_a).into_iter().chain(row).chain([inner]).collect();
        let labels_b: Vec<Label> = aligned(&out[..batch], batch_b)
            .into_iter()
            .chain([inner])
            .chain(if matrix_b.len() == 2 { column } else { None })
            .collect();
        Ok(match at.input() {
            0 => at.network().plus_term(Coef::one(), &out, &labels_a, [Factor::Dense(b.clone(), labels_b)]),
            _ => at.network().plus_term(Coef::one(), &out, &labels_b, [Factor::Dense(a.clone(), labels_a)]),
        })
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("({} @ {})", inputs[0], inputs[1])
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "matmul(a, b)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("a")?.matmul(&args.value("b")?),
    samples: || {
        vec![
            Sample::normal("matmul: matrices", [&[2, 3], &[3, 5]], |x| x[0].matmul(&x[1])),
            Sample::normal("matmul: a vector on the right", [&[2, 3], &[3]], |x| x[0].matmul(&x[1])),
            Sample::normal("matmul: a vector on the left", [&[3], &[3, 2]], |x| x[0].matmul(&x[1])),
            Sample::normal("matmul: two vectors", [&[3], &[3]], |x| x[0].matmul(&x[1])),
            Sample::normal("matmul: batches stretched", [&[5, 1, 2, 3], &[2, 3, 2]], |x| x[0].matmul(&x[1])),
            Sample::normal("matmul: with itself", [&[3, 3]], |x| x[0].matmul(&x[0])),
        ]
    },
};

impl Val {
    /// The matrix product of the last two axes, as `numpy.matmul`.
    ///
    /// # Errors
    /// Where the inner sizes differ, the leading ones do not broadcast, or an operand is a scalar.
    pub fn matmul(&self, other: &Val) -> Result<Val> {
        Val::apply(MatMul, &[self, other])
    }
}
