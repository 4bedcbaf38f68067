//! Joining the networks of a DAG as long as nothing grows.
//!
//! Expanded, the Jacobian of a program is a sum over paths, and paths multiply: eight residual blocks have 256. So a vertex
//! is eliminated only where, of the edges it touches,
//!
//! - the work of one vector–Jacobian product does not grow,
//! - the numbers stored do not grow, each payload counted once however often it stands,
//! - the terms do not become more,
//!
//! and where making all payloads once and applying the whole once takes no more work than reverse mode does. So a product
//! never costs more than in reverse mode, the first one not even with all that was made for it; terms stay linear in the
//! length of a program; and a vertex that many paths share stays where it is shared.
//!
//! Vertices are tried from the output down, and once more whenever an edge beside them has changed.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::cost::{PayloadId, stored};
use crate::dag::{Dag, Edges};
use crate::dim::{Dim, extent_of};
use crate::factor::Value;
use crate::shorten::Workshop;

/// A vertex with more pairs of edges around it, or whose edges would join to more terms than this, is not tried.
const MOST_PAIRS: usize = 16;
const MOST_TERMS: usize = 64;

impl<V: Value> Dag<V> {
    /// The DAG with each vertex eliminated for which nothing grows; see the page of this module.
    ///
    /// # Errors
    /// What the payload's operations return.
    pub fn descended(&self) -> Result<Descended<V>, V::Error> {
        let mut descent = Descent::new(self.pruned());
        let mut pending = descent.dag.inner();
        while let Some(vertex) = pending.pop_last() {
            let below: Vec<usize> = descent.dag.below(vertex).map(|(from, _)| from).collect();
            let beside: BTreeSet<usize> = descent.dag.above(vertex).iter().copied().chain(below).collect();
            if descent.eliminates(vertex)? {
                let ends = [0, descent.dag.output()];
                pending.extend(beside.into_iter().filter(|vertex| !ends.contains(vertex)));
            }
        }
        Ok(Descended { dag: descent.dag, build_flops: descent.built })
    }
}

/// What a descent ends with.
#[derive(Clone, Debug)]
pub struct Descended<V> {
    /// The networks that are left.
    pub dag: Dag<V>,
    /// Multiply–adds of making the payloads that were made on the way, at most.
    pub build_flops: f64,
}

struct Descent<V> {
    dag: Dag<V>,
    workshop: Workshop<V>,
    /// The work of one product by each edge, without adding up what arrives at its end.
    apply: HashMap<(usize, usize), f64>,
    /// In how many edges each payload stands, and its size.
    payloads: HashMap<PayloadId, (usize, f64)>,
    /// Payloads made so far, and the work of it.
    known: HashSet<u64>,
    built: f64,
    /// The work of one product by the whole DAG.
    total: f64,
    /// What reverse mode takes.
    budget: f64,
}

/// What is not to grow.
struct Weight {
    flops: f64,
    stored: f64,
    terms: usize,
}

impl<V: Value> Descent<V> {
    fn new(dag: Dag<V>) -> Descent<V> {
        let mut apply = HashMap::new();
        let mut payloads: HashMap<PayloadId, (usize, f64)> = HashMap::new();
        for (to, from, network) in dag.edges() {
            apply.insert((to, from), network.vjp_flops());
            for (id, size) in stored(network) {
                payloads.entry(id).or_insert((0, size)).0 += 1;
            }
        }
        let sums: f64 =
            (0..=dag.output()).map(|vertex| sum_at(dag.dims(vertex), dag.above(vertex).len())).sum();
        let total = apply.values().sum::<f64>() + sums;
        // An edge that turns out to be zero adds nothing up: reverse mode itself takes a little less than edge by edge.
        let budget = total.min(dag.vjp_flops());
        Descent {
            dag,
            workshop: Workshop::new(),
            apply,
            payloads,
            known: HashSet::new(),
            built: 0.0,
            total,
            budget,
        }
    }

    /// Eliminates a vertex if nothing grows by it.
    fn eliminates(&mut self, vertex: usize) -> Result<bool, V::Error> {
        let old = self.dag.around(vertex);
        let (above, below): (Vec<_>, Vec<_>) = old.iter().copied().partition(|&(_, from)| from == vertex);
        let below: Vec<(usize, usize)> = below.into_iter().filter(|&(to, _)| to == vertex).collect();
        let terms = |edges: &[(usize, usize)]| -> usize {
            edges.iter().filter_map(|&(to, from)| self.dag.edge(to, from)).map(|n| n.terms().len()).sum()
        };
        if above.len() * below.len() > MOST_PAIRS || terms(&above) * terms(&below) > MOST_TERMS {
            return Ok(false);
        }
        let mut plain: Edges<V> = self.dag.bypass(vertex);
        for (_, network) in &mut plain {
            *network = self.workshop.multiplied(network)?;
        }
        let before = self.weight_before(vertex, &old);
        let mut gathered = plain.clone();
        for (_, network) in &mut gathered {
            *network = self.workshop.gathered(network)?;
        }
        for edges in [gathered, plain] {
            if self.replaces(vertex, &old, &before, edges) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn weight_before(&self, vertex: usize, old: &[(usize, usize)]) -> Weight {
        let below: Vec<usize> = self.dag.below(vertex).map(|(from, _)| from).collect();
        let sum = |at: usize| sum_at(self.dag.dims(at), self.dag.above(at).len());
        Weight {
            flops: old.iter().filter_map(|edge| self.apply.get(edge)).sum::<f64>()
                + sum(vertex)
                + below.iter().map(|&from| sum(from)).sum::<f64>(),
            stored: self.stored_by(old),
            terms: old
                .iter()
                .filter_map(|&(to, from)| self.dag.edge(to, from))
                .map(|network| network.terms().len())
                .sum(),
        }
    }

    /// The numbers that only these edges store.
    fn stored_by(&self, edges: &[(usize, usize)]) -> f64 {
        self.held(edges)
            .iter()
            .filter(|(id, count)| self.payloads[*id].0 == **count)
            .map(|(id, _)| self.payloads[id].1)
            .sum()
    }

    /// The payloads of some edges, with the number of these edges in which each stands.
    fn held(&self, edges: &[(usize, usize)]) -> HashMap<PayloadId, usize> {
        let mut held = HashMap::new();
        for &(to, from) in edges {
            for (id, _) in self.dag.edge(to, from).into_iter().flat_map(stored) {
                *held.entry(id).or_insert(0) += 1;
            }
        }
        held
    }

    /// Puts edges in the place of a vertex, if nothing grows by it.
    fn replaces(&mut self, vertex: usize, old: &[(usize, usize)], before: &Weight, new: Edges<V>) -> bool {
        let terms: usize = new.iter().map(|(_, network)| network.terms().len()).sum();
        if terms > before.terms {
            return false;
        }
        let held = self.held(old);
        let elsewhere = |id: &PayloadId| {
            self.payloads.get(id).is_some_and(|(count, _)| *count > held.get(id).copied().unwrap_or(0))
        };
        let mut fresh: HashMap<PayloadId, f64> = HashMap::new();
        new.iter().flat_map(|(_, network)| stored(network)).for_each(|(id, size)| {
            fresh.insert(id, size);
        });
        if fresh.iter().filter(|(id, _)| !elsewhere(id)).map(|(_, size)| size).sum::<f64>() > before.stored {
            return false;
        }
        let prices: Vec<f64> = new.iter().map(|(_, network)| network.vjp_flops()).collect();
        let mut arriving: HashMap<usize, usize> = HashMap::new();
        for (from, _) in self.dag.below(vertex) {
            arriving.insert(from, self.dag.above(from).len() - 1);
        }
        for ((to, from), network) in &new {
            if !network.is_zero() && self.dag.edge(*to, *from).is_none() {
                *arriving.entry(*from).or_insert(0) += 1;
            }
        }
        let sums: f64 = arriving.iter().map(|(&at, &count)| sum_at(self.dag.dims(at), count)).sum();
        let flops = prices.iter().sum::<f64>() + sums;
        let (made, ids) = self.workshop.price(new.iter().map(|(_, network)| network), &self.known);
        let total = self.total - before.flops + flops;
        if flops > before.flops || total + self.built + made > self.budget {
            return false;
        }
        for (id, count) in held {
            if let Some(entry) = self.payloads.get_mut(&id) {
                entry.0 -= count;
            }
        }
        for edge in old {
            self.apply.remove(edge);
        }
        for ((edge, network), price) in new.iter().zip(prices) {
            self.apply.insert(*edge, price);
            for (id, size) in stored(network) {
                self.payloads.entry(id).or_insert((0, size)).0 += 1;
            }
        }
        self.known.extend(ids);
        self.built += made;
        self.total = total;
        self.dag.eliminate(vertex, new);
        true
    }
}

/// The work of adding up what arrives at a vertex over several edges.
fn sum_at(dims: &[Dim], edges: usize) -> f64 {
    extent_of(dims) * edges.saturating_sub(1) as f64
}
