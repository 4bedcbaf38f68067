//! Joining networks, and merging terms that are alike.

use std::collections::HashMap;

use crate::dim::Label;
use crate::factor::{Factor, Value};
use crate::network::{Network, Term};
use crate::operator::Map;

impl<V: Value> Network<V> {
    /// The chain rule: `self ∘ inner`, where `self` maps what `inner` yields. Every pair of terms is joined, its deltas
    /// eliminated, and like terms are merged.
    ///
    /// # Panics
    /// Where `self` does not start at the shape at which `inner` ends.
    #[track_caller]
    pub fn compose(&self, inner: &Network<V>) -> Network<V> {
        assert!(self.inputs() == inner.outputs(), "{:?} cannot follow {:?}", self.inputs(), inner.outputs());
        let mut terms = Vec::with_capacity(self.terms().len() * inner.terms().len());
        for outer in self.terms() {
            for inner in inner.terms() {
                terms.extend(join(outer, inner, self.outputs().len(), self.inputs().len()));
            }
        }
        Network::zero(self.outputs(), inner.inputs()).with_terms(merged(terms))
    }
}

/// The product of two terms over the `middle` axes between them. `None`: it is zero.
fn join<V: Value>(outer: &Term<V>, inner: &Term<V>, outputs: usize, middle: usize) -> Option<Term<V>> {
    let mut outer = with_fresh_labels(outer);
    let mut inner = with_fresh_labels(inner);
    for axis in 0..middle {
        let (kept, gone) = (outer.slots[outputs + axis], inner.slots[axis]);
        let rename = |label: Label| if label == gone { kept } else { label };
        outer.rename(&rename);
        inner.rename(&rename);
    }
    let between = outer.slots.split_off(outputs);
    let mut term = outer;
    term.slots.extend(&inner.slots[middle..]);
    term.coef = term.coef.times(&inner.coef);
    term.factors.append(&mut inner.factors);
    term.simplified(&between)
}

fn with_fresh_labels<V: Value>(term: &Term<V>) -> Term<V> {
    let fresh: HashMap<Label, Label> =
        term.labels().into_iter().map(|label| (label, Label::new(label.dim()))).collect();
    let mut term = term.clone();
    term.rename(&|label| fresh[&label]);
    term
}

/// Adds up terms that differ in their coefficient only, and drops those that cancel.
pub(crate) fn merged<V: Value>(terms: Vec<Term<V>>) -> Vec<Term<V>> {
    let mut keys: HashMap<Vec<FactorKey>, usize> = HashMap::with_capacity(terms.len());
    let mut kept: Vec<Term<V>> = Vec::with_capacity(terms.len());
    for term in terms {
        let key = canonical(&term);
        let like = keys.get(&key).copied();
        match like.and_then(|at| kept[at].coef.plus(&term.coef).map(|sum| (at, sum))) {
            Some((at, sum)) => kept[at].coef = sum,
            None => {
                keys.insert(key, kept.len());
                kept.push(term);
            }
        }
    }
    kept.retain(|term| !term.coef.is_zero());
    kept
}

/// What identifies a factor, and its labels as numbers.
pub(crate) type FactorKey = (Vec<i64>, Vec<usize>);

/// A key such that terms with equal keys are equal up to the names of summed labels. (Equal terms may have unequal
/// keys where several factors hold the same payload; they then stay two terms, which is no error.)
pub(crate) fn canonical<V: Value>(term: &Term<V>) -> Vec<FactorKey> {
    let mut numbers: HashMap<Label, usize> = HashMap::new();
    let mut number = |label: Label| {
        let next = numbers.len();
        *numbers.entry(label).or_insert(next)
    };
    let slots: Vec<usize> = term.slots.iter().map(|&label| number(label)).collect();
    let free = slots.iter().max().map_or(0, |&most| most + 1);

    let mut factors: Vec<&Factor<V>> = term.factors.iter().collect();
    // Labels that are summed must not decide the order of factors.
    factors.sort_by_cached_key(|factor| {
        let seen: Vec<usize> = factor.labels().into_iter().map(|label| number(label).min(free)).collect();
        (identity(factor), seen)
    });
    let mut summed: HashMap<Label, usize> = HashMap::new();
    let mut keys: Vec<FactorKey> = vec![(Vec::new(), slots)];
    for factor in factors {
        let labels = factor.labels().into_iter().map(|label| {
            if term.is_free(label) {
                return number(label);
            }
            let next = free + summed.len();
            *summed.entry(label).or_insert(next)
        });
        keys.push((identity(factor), labels.collect()));
    }
    // A label that only a relation has is told from another one by its range alone.
    let mut ranges = vec![0; summed.len()];
    summed.iter().for_each(|(label, &number)| ranges[number - free] = label.size());
    keys.push((vec![3], ranges));
    keys
}

fn identity<V: Value>(factor: &Factor<V>) -> Vec<i64> {
    match factor {
        Factor::Dense(value, _) => vec![0, value.id() as i64],
        Factor::Operator(operator) => {
            let payload = operator.payload().map_or(-1, |value| value.id() as i64);
            let (kind, input) = match operator.map {
                Map::Inverse(_) => (2, 0),
                Map::Selection(_) => (4, 0),
                Map::RunningSum => (5, 0),
                Map::Recurrence(_) => (6, 0),
                Map::Local { input, .. } => (7, input),
            };
            vec![kind, payload, input as i64, operator.batch.len() as i64, operator.rows.len() as i64]
        }
        Factor::Relation(relation) => {
            let table = relation.table.as_ref().map_or(0, |(table, _)| table.identity() as i64);
            let coefficients = relation.linear.iter().map(|&(c, _)| c);
            [1, relation.constant, table].into_iter().chain(coefficients).collect()
        }
    }
}
