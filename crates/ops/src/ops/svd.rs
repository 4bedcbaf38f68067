//! The singular values and vectors of a matrix: three results, u, s and v.
//!
//! # Formula
//! x = u diag(s) vᵀ, over the last two axes; u and v have orthonormal columns, as many as the smaller size, and s descends
//!
//! # Jacobian
//! ∂s_k/∂x_ab = u_ak v_bk; and with P = uᵀ dx v, F_pk = 1/(s_k² − s_p²) off the diagonal: du = u (F ⊙ (P s + s Pᵀ)) + (I − u uᵀ) dx v s⁻¹,
//! dv = v (F ⊙ (s P + Pᵀ s)) + (I − v vᵀ) dxᵀ u s⁻¹
//!
//! # Domain
//! All matrices. Vectors have no derivative where singular values are equal, and those of the longer side none where one is zero: it is
//! infinite or NaN. The largest component of each left vector is positive.
//!
//! # At kinks and ties
//! Where two singular values meet, or one is zero, they have kinks; a vector jumps where another component becomes its largest.
//!
//! # Why
//! From dx = du s vᵀ + u ds vᵀ + u s dvᵀ: uᵀ du and vᵀ dv have no symmetric part, so that the diagonal of P is ds, and the rest of P and of
//! its transpose are two equations for both.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Label};

use super::cumsum::called;
use crate::{Axes, BackwardError, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Singular values and vectors; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Svd;

/// The axes before the two of a matrix, and those two.
pub(super) fn matrix(op: &str, x: &Spec) -> Result<(Vec<Dim>, Dim, Dim)> {
    match x.dims.as_slice() {
        [batch @ .., rows, columns] if x.dtype.is_float() => Ok((batch.to_vec(), *rows, *columns)),
        dims => Err(Error::new(format!("{op}: {} {dims:?} is no matrix of floats", x.dtype))),
    }
}

impl Op for Svd {
    fn name(&self) -> &'static str {
        "svd"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (batch, rows, columns) = matrix("svd", inputs[0])?;
        let size = if rows.size() <= columns.size() { rows } else { columns };
        let of = |dims: &[Dim]| Spec::new([&batch[..], dims].concat(), inputs[0].dtype);
        Ok(vec![of(&[rows, size]), of(&[size]), of(&[columns, size])])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (u, s, v) = inputs[0].svd()?;
        Ok(vec![u, s, v])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        inputs[0].shape().last().map_or(1.0, |&size| (size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (u, s, v) = (at.sibling(0), at.sibling(1), at.sibling(2));
        let x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        let (lead, a, b) = (&x[..batch], x[batch], x[batch + 1]);
        let dim = s.dims()[batch];
        let with = |labels: &[Label]| [lead, labels].concat();
        let dense = |value: &Val, labels: &[Label]| Factor::Dense(value.clone(), with(labels));
        let (k, p) = (Label::new(dim), Label::new(dim));
        if at.output() == 1 {
            let factors = [dense(&u, &[a, k]), dense(&v, &[b, k])];
            return Ok(at.network().plus_term(Coef::one(), &with(&[k]), &x, factors));
        }
        let is_left = at.output() == 0;
        // The vectors themselves, and where their entries stand in x; then those of the other side.
        let (own, other) = if is_left { ((&u, a), (&v, b)) } else { ((&v, b), (&u, a)) };
        let i = Label::new(own.1.dim());
        let out = with(&[i, k]);
        let gaps = reciprocal_gaps(&s, dim)?;
        let (row, column) = ((&gaps * &s.unsqueeze(batch)?)?, (&gaps * &s.unsqueeze(batch + 1)?)?);
        let mut network = at
            .network()
            .plus_term(
                Coef::one(),
                &out,
                &x,
                [
                    dense(own.0, &[i, p]),
                    dense(&row, &[p, k]),
                    dense(own.0, &[own.1, p]),
                    dense(other.0, &[other.1, k]),
                ],
            )
            .plus_term(
                Coef::one(),
                &out,
                &x,
                [
                    dense(own.0, &[i, p]),
                    dense(&column, &[p, k]),
                    dense(own.0, &[own.1, k]),
                    dense(other.0, &[other.1, p]),
                ],
            );
        if own.1.dim().size() > dim.size() {
            let scaled = (other.0 / &s.unsqueeze(batch)?)?;
            network = network
                .plus_term(Coef::one(), &with(&[own.1, k]), &x, [dense(&scaled, &[other.1, k])])
                .plus_term(
                    Coef::minus_one(),
                    &out,
                    &x,
                    [dense(own.0, &[i, p]), dense(own.0, &[own.1, p]), dense(&scaled, &[other.1, k])],
                );
        }
        Ok(network)
    }

    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        let transposed = if result.ndim() == 2 { "ᵀ" } else { ".mT" };
        let (function, after) = [("svd_u", ""), ("svdvals", ""), ("svd_vt", transposed)][result.output()];
        Some(format!("{function}({}){after}", inputs[0]))
    }
}

/// 1/(s_k² − s_p²) in row p and column k, and 0 on the diagonal.
fn reciprocal_gaps(values: &Val, dim: Dim) -> Result<Val> {
    let rank = values.ndim();
    let unit = Val::with_dims(Array::eye(dim.size(), values.dtype())?, &[dim, dim])?;
    let unit = unit.named(&format!("eye({})", called(dim)));
    let (row, column) = (values.unsqueeze(rank - 1)?, values.unsqueeze(rank)?);
    let gaps = (&(&row - &column)? * &(&row + &column)?)?;
    &(1.0 / &(&gaps + &unit)?)? - &unit
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "svd(x, full_matrices: flag = false, some: flag = true)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        if args.flag("full_matrices")? || !args.flag("some")? {
            let message =
                "svd: the columns beyond the smaller size are not determined, and have no derivative";
            return Err(Error::new(message).with_hint("`full_matrices=false` leaves them out"));
        }
        Ok(args.value("x")?.svd()?[0].clone())
    },
    samples: || {
        let tall = &[1.0, 0.5, -0.3, 2.0, 0.7, -1.1];
        let wide = &[2.0, 0.5, -0.3, 0.2, 1.1, 0.9];
        vec![
            Sample::given("svd: values", [(&[3, 2], tall)], |x| Ok(x[0].svd()?[1].clone())),
            Sample::given("svd: u of a tall matrix", [(&[3, 2], tall)], |x| Ok(x[0].svd()?[0].clone())),
            Sample::given("svd: v of a wide matrix", [(&[2, 3], wide)], |x| Ok(x[0].svd()?[2].clone())),
            Sample::given(
                "svd: all, of a batch",
                [(&[2, 2, 2], &[3.0, 0.5, 0.5, 1.0, 1.0, -0.2, 0.9, 4.0])],
                |x| {
                    let results = x[0].svd()?;
                    &(&results[0] * &results[1].unsqueeze(1)?)? + &results[2]
                },
            ),
        ]
    },
};

impl Val {
    /// u, s and v, of which the last two axes are u diag(s) vᵀ.
    ///
    /// # Errors
    /// Where they are no matrix of floats; on evaluation, where the iteration does not end.
    pub fn svd(&self) -> Result<Vec<Val>> {
        Val::apply_all(Svd, &[self])
    }
}
