//! What a Jacobian costs, told before anything is allocated.
//!
//! The price of a contraction is found by contracting: with a payload that has a shape and counts, in place of an
//! array.

use std::cell::Cell;
use std::rc::Rc;

use crate::coef::Coef;
use crate::dim::{Dim, Label, distinct, extent};
use crate::factor::{Factor, Inverse, Value};
use crate::network::{Network, Term};
use crate::table::{Error, Table};

/// The price of a Jacobian. Counts are floating point: they pass 2⁶⁴ easily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Entries of the Jacobian written out: the product of all sizes of output and input.
    pub dense_entries: f64,
    /// Numbers that the network stores: the sum over its distinct payloads and index tables.
    pub stored_entries: f64,
    /// Multiply–adds of one vector–Jacobian product.
    pub vjp_flops: f64,
    /// Multiply–adds of one Jacobian–vector product.
    pub jvp_flops: f64,
    /// Terms.
    pub terms: usize,
}

impl<V: Value> Network<V> {
    /// The price of this network, without touching a payload.
    pub fn cost(&self) -> Cost {
        let size = |dims: &[Dim]| dims.iter().map(|dim| dim.size() as f64).product::<f64>();
        let mut stored: Vec<(bool, u64, f64)> = Vec::new();
        for factor in self.terms().iter().flat_map(|term| &term.factors) {
            let entry = match factor {
                Factor::Dense(value, _) => (true, value.id(), size(value.dims())),
                Factor::Inverse(inverse) => (true, inverse.matrix.id(), size(inverse.matrix.dims())),
                Factor::Relation(relation) => match &relation.table {
                    Some((table, _)) => (false, table.identity() as u64, table.entries().len() as f64),
                    None => continue,
                },
            };
            if !stored.iter().any(|known| (known.0, known.1) == (entry.0, entry.1)) {
                stored.push(entry);
            }
        }
        Cost {
            dense_entries: size(self.outputs()) * size(self.inputs()),
            stored_entries: stored.iter().map(|(_, _, entries)| entries).sum(),
            vjp_flops: self.price_of_vjp(),
            jvp_flops: self.transpose().price_of_vjp(),
            terms: self.terms().len(),
        }
    }

    fn price_of_vjp(&self) -> f64 {
        let flops = Rc::new(Cell::new(0.0));
        let priced = |value: &V| Priced { id: value.id(), dims: value.dims().to_vec(), flops: flops.clone() };
        let terms = self.terms().iter().map(|term| Term {
            coef: term.coef.clone(),
            slots: term.slots.clone(),
            factors: term
                .factors
                .iter()
                .map(|factor| match factor {
                    Factor::Dense(value, labels) => Factor::Dense(priced(value), labels.clone()),
                    Factor::Relation(relation) => Factor::Relation(relation.clone()),
                    Factor::Inverse(Inverse { matrix, batch, row, column }) => Factor::Inverse(Inverse {
                        matrix: priced(matrix),
                        batch: batch.clone(),
                        row: *row,
                        column: *column,
                    }),
                })
                .collect(),
        });
        let network: Network<Priced> =
            Network::zero(self.outputs(), self.inputs()).with_terms(terms.collect());
        let cotangent = Priced { id: u64::MAX, dims: self.outputs().to_vec(), flops: flops.clone() };
        match network.vjp(&cotangent) {
            Ok(_) => flops.get(),
            // An index table too large to build.
            Err(_) => f64::INFINITY,
        }
    }
}

/// A payload that has a shape and counts.
#[derive(Clone)]
struct Priced {
    id: u64,
    dims: Vec<Dim>,
    flops: Rc<Cell<f64>>,
}

impl Priced {
    fn made(&self, dims: Vec<Dim>, flops: f64) -> Priced {
        self.flops.set(self.flops.get() + flops);
        Priced { id: u64::MAX, dims, flops: self.flops.clone() }
    }

    fn entries(&self) -> f64 {
        self.dims.iter().map(|dim| dim.size() as f64).product()
    }
}

impl Value for Priced {
    type Error = Error;

    fn id(&self) -> u64 {
        self.id
    }

    fn dims(&self) -> &[Dim] {
        &self.dims
    }

    fn symbol(&self) -> String {
        String::new()
    }

    fn one(&self) -> Priced {
        self.made(Vec::new(), 0.0)
    }

    fn contract(_: &Coef, operands: &[(Priced, Vec<Label>)], out: &[Label]) -> Result<Priced, Error> {
        let labels = distinct(operands.iter().flat_map(|(_, labels)| labels.iter().copied()));
        let only_moves = operands.len() == 1 && labels.iter().all(|label| out.contains(label));
        let flops = if only_moves { 0.0 } else { extent(&labels) };
        Ok(operands[0].0.made(out.iter().map(|label| label.dim()).collect(), flops))
    }

    fn gather(&self, _: &Table, dims: &[Dim]) -> Result<Priced, Error> {
        Ok(self.made(dims.iter().chain(&self.dims[1..]).copied().collect(), 0.0))
    }

    fn scatter_add(&self, table: &Table, size: usize) -> Result<Priced, Error> {
        let rest = &self.dims[table.shape().len()..];
        let dims = [Dim::new(size)].into_iter().chain(rest.iter().copied()).collect();
        Ok(self.made(dims, self.entries()))
    }

    fn reshape(&self, dims: &[Dim]) -> Result<Priced, Error> {
        Ok(self.made(dims.to_vec(), 0.0))
    }

    /// An LU decomposition takes n³/3 multiply–adds, a pair of substitutions n² for each right side.
    fn solve(&self, right: &Priced, _: bool) -> Result<Priced, Error> {
        let n = self.dims[self.dims.len() - 1].size() as f64;
        Ok(self.made(right.dims.clone(), self.entries() * n / 3.0 + right.entries() * n))
    }

    fn inverse(&self) -> Result<Priced, Error> {
        let n = self.dims[self.dims.len() - 1].size() as f64;
        Ok(self.made(self.dims.clone(), self.entries() * n))
    }

    fn add(&self, other: &Priced) -> Result<Priced, Error> {
        Ok(self.made(other.dims.clone(), self.entries()))
    }
}
