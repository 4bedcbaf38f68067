//! The slopes of the cofactors of a matrix: cofactors of two rows and two columns.
//!
//! # Formula
//! y_ijab = ∂cofactor(x)_ij/∂x_ab; of a matrix that is not singular det(x) (B_ji B_ba − B_ja B_bi), with B = x⁻¹
//!
//! # Jacobian
//! That of the formula: six terms of three entries of the inverse each.
//!
//! # Domain
//! Square matrices; there is no derivative where they are singular.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Second derivatives of a determinant exist where its inverse does not. Of those beyond only what follows from the inverse is stated.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use super::logdet::of_matrices;
use crate::{Axes, BackwardError, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Cofactors of pairs; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SecondCofactor;

impl Op for SecondCofactor {
    fn name(&self) -> &'static str {
        "second_cofactor"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        of_matrices("second_cofactor", inputs[0])?;
        let dims = &inputs[0].dims;
        Ok(vec![Spec::new([&dims[..], &dims[dims.len() - 2..]].concat(), inputs[0].dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].second_cofactors()?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        inputs[0].shape().last().map_or(1.0, |&size| (size as f64).sqrt())
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfColumns
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (det, inverse) = (at.x().det()?, at.x().inv()?);
        let out = Label::for_dims(at.y().dims());
        let mut x = Label::for_dims(at.x().dims());
        let batch = x.len() - 2;
        x[..batch].copy_from_slice(&out[..batch]);
        let [i, j, a, b] = [out[batch], out[batch + 1], out[batch + 2], out[batch + 3]];
        let [c, d] = [x[batch], x[batch + 1]];
        let entry = |(row, column): (Label, Label)| {
            Factor::Dense(inverse.clone(), [&out[..batch], &[row, column]].concat())
        };
        // d det = det B_dc, and dB_pq = −B_pc B_dq, by x_cd.
        let terms = [
            (Coef::one(), [(d, c), (j, i), (b, a)]),
            (Coef::minus_one(), [(d, c), (j, a), (b, i)]),
            (Coef::minus_one(), [(j, c), (d, i), (b, a)]),
            (Coef::minus_one(), [(j, i), (b, c), (d, a)]),
            (Coef::one(), [(j, c), (d, a), (b, i)]),
            (Coef::one(), [(j, a), (b, c), (d, i)]),
        ];
        let mut network = at.network();
        for (coef, entries) in terms {
            let scale = Factor::Dense(det.clone(), out[..batch].to_vec());
            network = network.plus_term(coef, &out, &x, std::iter::once(scale).chain(entries.map(entry)));
        }
        Ok(network)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "second_cofactor(x)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("x")?.second_cofactor(),
    samples: || {
        let entries = &[1.5, 0.5, -1.0, 0.2, 1.0, 0.7, 1.1, -0.3, 0.6];
        vec![Sample::given("second_cofactor: a matrix", [(&[3, 3], entries)], |x| x[0].second_cofactor())]
    },
};

impl Val {
    /// The cofactors of pairs of the last two axes: two axes more.
    ///
    /// # Errors
    /// Where they are not square.
    pub fn second_cofactor(&self) -> Result<Val> {
        Val::apply(SecondCofactor, &[self])
    }
}
