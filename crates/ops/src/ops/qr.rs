//! A matrix as the product of one with orthonormal columns and an upper triangular one: two results.
//!
//! # Formula
//! x = q r, over two axes, where qᵀ q is the unit matrix and r has zeros below its diagonal, which is positive
//!
//! # Jacobian
//! dr = (m − ω) r and dq = q ω + (1 − q qᵀ) dx r⁻¹, where m = qᵀ dx r⁻¹, and ω = Λ ⊙ m − (Λ ⊙ m)ᵀ with Λ 1 below the diagonal
//!
//! # Domain
//! Matrices with at least as many rows as columns, and columns that are linearly independent.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! dx = dq r + q dr; so m = qᵀ dq + dr r⁻¹, where the first is skew, since qᵀ q does not change, and the second upper triangular.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::cumsum::called;
use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Orthonormal columns, and an upper triangular matrix; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Qr;

impl Op for Qr {
    fn name(&self) -> &'static str {
        "qr"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        match inputs[0].dims.as_slice() {
            [rows, columns] if rows.size() >= columns.size() && inputs[0].dtype.is_float() => {
                Ok(vec![inputs[0].clone(), Spec::new(vec![*columns, *columns], inputs[0].dtype)])
            }
            dims => Err(Error::new(format!(
                "qr: {} {dims:?} is no matrix of floats with as many rows as columns",
                inputs[0].dtype
            ))
            .with_hint("of a wide matrix take the transpose")),
        }
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (q, r) = inputs[0].qr()?;
        Ok(vec![q, r])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // Each entry goes through as many rotations as the matrix has columns, and their errors have nothing to do with one another.
        inputs[0].shape().last().map_or(1.0, |&size| (size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (q, r) = (at.sibling(0), at.sibling(1));
        let (x, columns) = (Label::for_dims(at.x().dims()), r.dims()[0]);
        let [a, b] = [x[0], x[1]];
        let size = columns.size();
        let below = |at: usize| f64::from(u8::from(at / size > at % size));
        let below = Array::from_vec(&[size, size], (0..size * size).map(below).collect())?.cast(q.dtype())?;
        let name = format!("tril(ones({}, {0}), -1)", called(columns));
        let below = Val::with_dims(below, &[columns, columns])?.named(&name);
        let inverse = r.inv()?;
        let dense = |value: &Val, row: Label, column: Label| Factor::Dense(value.clone(), vec![row, column]);
        let (j, p) = (Label::new(columns), Label::new(columns));
        let one = Coef::one;
        if at.output() == 0 {
            let i = Label::new(at.x().dims()[0]);
            // Where i is a, and where it is not.
            let network = at.network().plus_term(one(), &[a, j], &x, [dense(&inverse, b, j)]);
            let out = [i, j];
            return Ok(network
                .plus_term(
                    Coef::minus_one(),
                    &out,
                    &x,
                    [dense(&q, i, p), dense(&q, a, p), dense(&inverse, b, j)],
                )
                .plus_term(
                    one(),
                    &out,
                    &x,
                    [dense(&q, i, p), dense(&below, p, j), dense(&q, a, p), dense(&inverse, b, j)],
                )
                .plus_term(
                    Coef::minus_one(),
                    &out,
                    &x,
                    [dense(&q, i, p), dense(&below, j, p), dense(&q, a, j), dense(&inverse, b, p)],
                ));
        }
        let i = Label::new(columns);
        let out = [i, j];
        Ok(at
            .network()
            .plus_term(one(), &[i, b], &x, [dense(&q, a, i)])
            .plus_term(
                Coef::minus_one(),
                &out,
                &x,
                [dense(&q, a, i), dense(&below, i, p), dense(&inverse, b, p), dense(&r, p, j)],
            )
            .plus_term(
                one(),
                &out,
                &x,
                [dense(&q, a, p), dense(&below, p, i), dense(&r, p, j), dense(&inverse, b, i)],
            ))
    }

    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        let function = ["qr", "qr_r"][result.output()];
        Some(format!("{function}({})", inputs[0]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "qr(x)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Ok(args.value("x")?.qr()?[0].clone()),
    samples: || {
        let tall = &[1.0, 0.5, -0.3, 2.0, 0.7, -1.1, 0.4, 0.2];
        vec![
            Sample::given("qr: q of a tall matrix", [(&[4, 2], tall)], |x| Ok(x[0].qr()?[0].clone())),
            Sample::given("qr: r of a tall matrix", [(&[4, 2], tall)], |x| Ok(x[0].qr()?[1].clone())),
            Sample::given("qr: both", [(&[3, 3], &[3.0, 0.5, -1.0, 0.2, 2.0, 0.7, 1.1, -0.3, 4.0])], |x| {
                let results = x[0].qr()?;
                &results[0] + &results[1].powf(2.0)?
            }),
        ]
    },
};

impl Val {
    /// Orthonormal columns, and the upper triangular matrix with a positive diagonal, whose product this is.
    ///
    /// # Errors
    /// Where it is no matrix with at least as many rows as columns.
    pub fn qr(&self) -> Result<Vec<Val>> {
        Val::apply_all(Qr, &[self])
    }
}
