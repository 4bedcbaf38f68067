//! What a Jacobian costs, told before anything is allocated.
//!
//! The price of a contraction is found by contracting: with a payload that has a shape and counts, in place of an
//! array.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::coef::Coef;
use crate::dag::Dag;
use crate::dim::{Dim, Label, distinct, extent, extent_of};
use crate::factor::{Factor, Value};
use crate::network::{Network, Term};
use crate::operator::{Map, Operator};
use crate::order::contraction_order;
use crate::table::{Error, Table};

/// The price of a Jacobian. Counts are floating point: they pass 2⁶⁴ easily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Entries of the Jacobian written out: the product of all sizes of output and input.
    pub dense_entries: f64,
    /// Numbers that it stores: the sum over its distinct payloads and index tables.
    pub stored_entries: f64,
    /// Multiply–adds of one vector–Jacobian product.
    pub vjp_flops: f64,
    /// Multiply–adds of one Jacobian–vector product.
    pub jvp_flops: f64,
    /// Multiply–adds of making payloads that are not values of the program, at most; they are made once.
    pub build_flops: f64,
    /// Terms.
    pub terms: usize,
}

impl<V: Value> Network<V> {
    /// The price of this network, without touching a payload.
    pub fn cost(&self) -> Cost {
        let mut dag = Dag::new(vec![self.inputs().to_vec(), self.outputs().to_vec()]);
        dag.add(1, 0, self.clone());
        dag.cost()
    }

    /// Multiply–adds of one Jacobian–vector product.
    pub fn jvp_flops(&self) -> f64 {
        self.transpose().vjp_flops()
    }

    /// Multiply–adds of one vector–Jacobian product.
    pub fn vjp_flops(&self) -> f64 {
        if self.terms().iter().all(is_dense) {
            let products = self.terms().iter().map(|term| term_vjp_flops(term, self.outputs().len()));
            let sums = self.terms().len().saturating_sub(1) as f64 * extent_of(self.inputs());
            return products.sum::<f64>() + sums;
        }
        let counter = Counter::default();
        counter.count(self.priced(&counter).vjp(&counter.payload(self.outputs())))
    }

    /// The same network with payloads that count.
    fn priced(&self, counter: &Counter) -> Network<Priced> {
        let priced = |value: &V| counter.payload(value.dims());
        let terms = self.terms().iter().map(|term| Term {
            coef: term.coef.clone(),
            slots: term.slots.clone(),
            factors: term
                .factors
                .iter()
                .map(|factor| match factor {
                    Factor::Dense(value, labels) => Factor::Dense(priced(value), labels.clone()),
                    Factor::Relation(relation) => Factor::Relation(relation.clone()),
                    Factor::Operator(operator) => Factor::Operator(operator.map_payload(priced)),
                })
                .collect(),
        });
        Network::zero(self.outputs(), self.inputs()).with_terms(terms.collect())
    }
}

impl<V: Value> Dag<V> {
    /// The price of this DAG, without touching a payload.
    pub fn cost(&self) -> Cost {
        let payloads: HashMap<PayloadId, f64> =
            self.edges().flat_map(|(_, _, network)| stored(network)).collect();
        let counter = Counter::default();
        let priced = self.priced(&counter);
        let vjp_flops = counter.count(priced.vjp(&counter.payload(self.outputs())));
        Cost {
            dense_entries: extent_of(self.outputs()) * extent_of(self.inputs()),
            // Not `sum`, whose empty sum of floats is −0.
            stored_entries: payloads.values().fold(0.0, |sum, size| sum + size),
            vjp_flops,
            build_flops: 0.0,
            jvp_flops: counter.count(priced.jvp(&counter.payload(self.inputs()))) - vjp_flops,
            terms: self.edges().map(|(_, _, network)| network.terms().len()).sum(),
        }
    }

    /// Multiply–adds of one vector–Jacobian product.
    pub(crate) fn vjp_flops(&self) -> f64 {
        let counter = Counter::default();
        counter.count(self.priced(&counter).vjp(&counter.payload(self.outputs())))
    }

    /// The same DAG with payloads that count.
    fn priced(&self, counter: &Counter) -> Dag<Priced> {
        let mut priced = Dag::new((0..=self.output()).map(|vertex| self.dims(vertex).to_vec()).collect());
        for (to, from, network) in self.edges() {
            // Payloads that count are all different: nothing is merged, so that what is priced is what is there.
            priced.add(to, from, network.priced(counter));
        }
        priced
    }
}

/// Does the term consist of dense factors alone?
pub(crate) fn is_dense<V>(term: &Term<V>) -> bool {
    term.factors.iter().all(|factor| matches!(factor, Factor::Dense(..)))
}

/// Multiply–adds of contracting a term of dense factors with a cotangent. `outputs`: how many of its slots are outputs.
pub(crate) fn term_vjp_flops<V>(term: &Term<V>, outputs: usize) -> f64 {
    let (cotangent, inputs) = term.slots.split_at(outputs);
    let operands: Vec<Vec<Label>> =
        [cotangent.to_vec()].into_iter().chain(term.factors.iter().map(Factor::labels)).collect();
    match operands.as_slice() {
        [labels] if labels.iter().all(|label| inputs.contains(label)) => 0.0,
        [labels] => extent(&distinct(labels.iter().copied())),
        _ => contraction_order(&operands, inputs).flops,
    }
}

/// What identifies something that is stored: is it a payload (else an index table), and which?
pub(crate) type PayloadId = (bool, u64);

/// The payloads and index tables of a network, each once, with the number of their entries.
pub(crate) fn stored<V: Value>(network: &Network<V>) -> HashMap<PayloadId, f64> {
    let factors = network.terms().iter().flat_map(|term| &term.factors);
    factors
        .filter_map(|factor| match factor {
            Factor::Dense(value, _) => Some(((true, value.id()), extent_of(value.dims()))),
            Factor::Operator(operator) => {
                operator.payload().map(|value| ((true, value.id()), extent_of(value.dims())))
            }
            Factor::Relation(relation) => relation
                .table
                .as_ref()
                .map(|(table, _)| ((false, table.identity() as u64), table.entries().len() as f64)),
        })
        .collect()
}

/// Counts multiply–adds.
#[derive(Clone, Default)]
struct Counter(Rc<Cell<f64>>);

impl Counter {
    fn payload(&self, dims: &[Dim]) -> Priced {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Priced { id, dims: dims.to_vec(), counter: self.clone() }
    }

    /// What was counted, when all is done.
    fn count<T>(&self, done: Result<T, Error>) -> f64 {
        match done {
            Ok(_) => self.0.get(),
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
    counter: Counter,
}

impl Priced {
    fn made(&self, dims: Vec<Dim>, flops: f64) -> Priced {
        self.counter.0.set(self.counter.0.get() + flops);
        self.counter.payload(&dims)
    }

    fn entries(&self) -> f64 {
        extent_of(&self.dims)
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

    fn pick(&self, index: &Priced, batch: usize) -> Result<Priced, Error> {
        Ok(self.made(index.dims.iter().chain(&self.dims[batch + 1..]).copied().collect(), 0.0))
    }

    fn put(&self, _: &Priced, batch: usize, size: Dim) -> Result<Priced, Error> {
        let last = self.dims[self.dims.len() - 1];
        Ok(self.made(self.dims[..batch].iter().copied().chain([size, last]).collect(), self.entries()))
    }

    fn running_sum(&self, _: usize, _: bool) -> Result<Priced, Error> {
        Ok(self.made(self.dims.clone(), self.entries()))
    }

    fn recur(&self, right: &Priced, _: bool) -> Result<Priced, Error> {
        Ok(self.made(right.dims.clone(), right.entries()))
    }

    fn local(operator: &Operator<Priced>, right: &Priced, transposed: bool) -> Result<Priced, Error> {
        let times = right.dims.last().map_or(1.0, |dim| dim.size() as f64);
        let flops = match operator.map {
            Map::Local { flops, .. } => flops * times,
            _ => 0.0,
        };
        Ok(right.made(operator.yields(&right.dims, transposed), flops))
    }

    fn operand(&self, _: usize) -> String {
        String::new()
    }

    fn add(&self, other: &Priced) -> Result<Priced, Error> {
        Ok(self.made(other.dims.clone(), self.entries()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The closed form of a price is the price that contracting counts, for terms of dense factors over labels drawn at
    /// random: repeated, shared, summed, in slots alone, and of size 0 and 1.
    #[test]
    fn the_closed_form_is_what_contracting_counts() {
        let mut state = 1u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        for case in 0..2000 {
            let labels: Vec<Label> = [2, 3, 1, 5, if case % 9 == 0 { 0 } else { 4 }].map(Label::new).to_vec();
            let mut chosen = |most: usize| -> Vec<Label> {
                (0..draw(most + 1)).map(|_| labels[draw(labels.len())]).collect()
            };
            let (outputs, inputs) = (chosen(2), chosen(2));
            let factors: Vec<Vec<Label>> = (0..case % 5).map(|_| chosen(3)).collect();
            let counter = Counter::default();
            let dims = |labels: &[Label]| labels.iter().map(|label| label.dim()).collect::<Vec<Dim>>();
            let dense =
                factors.iter().map(|labels| Factor::Dense(counter.payload(&dims(labels)), labels.clone()));
            let network = Network::zero(&dims(&outputs), &dims(&inputs)).plus_term(
                Coef::one(),
                &outputs,
                &inputs,
                dense.collect::<Vec<_>>(),
            );
            let counted = counter.count(network.vjp(&counter.payload(&dims(&outputs))));
            assert_eq!(network.vjp_flops(), counted, "{outputs:?} by {inputs:?}: {factors:?}");
        }
    }
}
