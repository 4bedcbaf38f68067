//! The pseudo-inverse of a matrix, by Moore and Penrose.
//!
//! # Formula
//! y = v diag(1/s) uᵀ where x = u diag(s) vᵀ, over the last two axes; (xᵀx)⁻¹ xᵀ of full column rank
//!
//! # Jacobian
//! dy = −y dx y + y yᵀ dxᵀ (I − x y) + (I − y x) dxᵀ yᵀ y
//!
//! # Domain
//! All matrices. Singular values below the rounding of the largest one count as zero, or, with rtol, those of at most so many times the
//! largest; where the rank changes there is no derivative. A matrix that is said to be hermitian is treated like any other.
//!
//! # At kinks and ties
//! Smooth where the rank stays; it jumps where it does not.
//!
//! # Why
//! From x y x = x and y x y = y, with x y and y x symmetric; Golub and Pereyra.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::svd::matrix;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The pseudo-inverse; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pinv;

impl Op for Pinv {
    fn name(&self) -> &'static str {
        "pinv"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let (batch, rows, columns) = matrix("pinv", inputs[0])?;
        Ok(vec![Spec::new([&batch[..], &[columns, rows]].concat(), inputs[0].dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].pseudo_inverse()?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        inputs[0].shape().last().map_or(1.0, |&size| (size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (x, y) = (at.x(), at.y());
        let rank = x.ndim();
        let mut swapped: Vec<usize> = (0..rank).collect();
        swapped.swap(rank - 2, rank - 1);
        let turned = y.permute(&swapped)?;
        let (left, right) = (y.matmul(&turned)?, turned.matmul(y)?);
        let (outer, inner) = (x.matmul(y)?, y.matmul(x)?);
        let labels = Label::for_dims(x.dims());
        let (lead, a, b) = (&labels[..rank - 2], labels[rank - 2], labels[rank - 1]);
        let (i, j) = (Label::new(b.dim()), Label::new(a.dim()));
        let with = |pair: [Label; 2]| [lead, &pair].concat();
        let dense = |value: &Val, pair: [Label; 2]| Factor::Dense(value.clone(), with(pair));
        let (one, less) = (Coef::one, Coef::minus_one);
        Ok(at
            .network()
            .plus_term(less(), &with([i, j]), &labels, [dense(y, [i, a]), dense(y, [b, j])])
            .plus_term(one(), &with([i, a]), &labels, [dense(&left, [i, b])])
            .plus_term(less(), &with([i, j]), &labels, [dense(&left, [i, b]), dense(&outer, [a, j])])
            .plus_term(one(), &with([b, j]), &labels, [dense(&right, [a, j])])
            .plus_term(less(), &with([i, j]), &labels, [dense(&inner, [i, b]), dense(&right, [a, j])]))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "pinv(x, rtol: number = none, hermitian: flag = false)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if args.has("rtol") { x.pinv_beyond(args.number("rtol", 0.0)?) } else { x.pinv() }
    },
    samples: || {
        let entries = &[2.0, 0.5, -0.3, 0.2, 1.1, 0.9];
        vec![
            Sample::given("pinv: a tall matrix", [(&[3, 2], entries)], |x| x[0].pinv()),
            Sample::given("pinv: a wide matrix", [(&[2, 3], entries)], |x| x[0].pinv()),
            Sample::given("pinv: a batch", [(&[2, 2, 2], &[3.0, 0.5, 0.5, 1.0, 1.0, -0.2, 0.9, 4.0])], |x| {
                x[0].pinv()
            }),
        ]
    },
};

impl Val {
    /// The pseudo-inverse of the last two axes.
    ///
    /// # Errors
    /// Where they are no matrix of floats; on evaluation, where the iteration for singular values does not end.
    pub fn pinv(&self) -> Result<Val> {
        Val::apply(Pinv, &[self])
    }

    /// The pseudo-inverse that leaves out what has a singular value of at most so many times the largest.
    ///
    /// # Errors
    /// Those of `svd`.
    pub fn pinv_beyond(&self, rtol: f64) -> Result<Val> {
        let [u, s, v] = &self.svd()?[..] else { return self.pinv() };
        let (rank, columns) = (u.ndim(), [s.ndim() - 1]);
        let kept = (s - &(&s.max(&columns, true)? * rtol)?)?.step()?;
        let inverse = kept.choose(&s.powf(-1.0)?, &Val::number(0.0, s.dtype()))?;
        (v * &inverse.unsqueeze(rank - 2)?)?.matmul(&u.movedim(rank - 1, rank - 2)?)
    }
}
