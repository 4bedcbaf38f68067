//! The Jacobian of a program before it is joined: a DAG of networks.
//!
//! A vertex is a value of the program, an edge the local Jacobian of one value by another. The first vertex is the input,
//! the last one the output; edges lead from a vertex to a later one. The map that the DAG stands for is the sum over all
//! paths from the input to the output of the product of the networks on the path, and it is never expanded to apply it:
//! [`Dag::vjp`] walks from the output down as reverse mode does, [`Dag::jvp`] from the input up.
//!
//! A vertex is *eliminated* by joining each network above it with each one below it (vertex elimination, Griewank &
//! Walther, *Evaluating Derivatives*, ch. 9). Which vertices are, depends on what the DAG is wanted for:
//!
//! | | a vertex is eliminated where | what for |
//! |---|---|---|
//! | [`Dag::descended`] | neither work, nor stored numbers, nor terms grow | being applied |
//! | [`Dag::joined`] | each network stays short enough to be read | formulas |
//! | [`Dag::collapsed`] | always; what becomes long is written out | being written out |
//!
//! ```
//! use pullback_network::{Dag, Dim};
//! # use pullback_network::Network;
//! # fn example<V: pullback_network::Value>(layer: Network<V>, loss: Network<V>) {
//! let dims = [layer.inputs(), layer.outputs(), loss.outputs()].map(<[Dim]>::to_vec);
//! let mut dag = Dag::new(dims.to_vec());
//! dag.add(1, 0, layer);
//! dag.add(2, 1, loss);
//! assert_eq!(dag.joined(|_| true, |network| network.terms().len() <= 16).edges().count(), 1);
//! # }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::dim::{Dim, extent_of};
use crate::factor::Value;
use crate::network::Network;
use crate::table::Error;

/// A linear map as a DAG of networks; see the page of this module.
#[derive(Clone, Debug)]
pub struct Dag<V> {
    /// The shape of each vertex.
    vertices: Vec<Vec<Dim>>,
    /// By the vertex that an edge leads to, then the one it comes from.
    edges: BTreeMap<(usize, usize), Network<V>>,
    /// The vertices that the edges of each vertex lead to.
    above: Vec<BTreeSet<usize>>,
}

/// Networks with the vertices that each leads to and comes from.
pub(crate) type Edges<V> = Vec<((usize, usize), Network<V>)>;

impl<V: Value> Dag<V> {
    /// Vertices of these shapes, and no edges.
    ///
    /// # Panics
    /// Where there is no vertex.
    #[track_caller]
    pub fn new(vertices: Vec<Vec<Dim>>) -> Dag<V> {
        assert!(!vertices.is_empty(), "a DAG has an input");
        let above = vec![BTreeSet::new(); vertices.len()];
        Dag { vertices, edges: BTreeMap::new(), above }
    }

    /// Adds what flows from one vertex to a later one. A zero map is no edge.
    ///
    /// # Panics
    /// Where there are no such vertices, or the network does not fit their shapes.
    #[track_caller]
    pub fn add(&mut self, to: usize, from: usize, network: Network<V>) {
        assert!(
            from < to && network.inputs() == self.vertices[from] && network.outputs() == self.vertices[to],
            "no edge {from} → {to} for {:?} by {:?}",
            network.outputs(),
            network.inputs(),
        );
        let sum = match self.edges.remove(&(to, from)) {
            Some(known) => known.plus(&network),
            None => network,
        };
        if sum.is_zero() {
            self.above[from].remove(&to);
        } else {
            self.above[from].insert(to);
            self.edges.insert((to, from), sum);
        }
    }

    /// The shape of the output.
    pub fn outputs(&self) -> &[Dim] {
        &self.vertices[self.output()]
    }

    /// The shape of the input.
    pub fn inputs(&self) -> &[Dim] {
        &self.vertices[0]
    }

    /// The networks, each with the vertex that it leads to and the one that it comes from; from the output down.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize, &Network<V>)> {
        self.edges.iter().rev().map(|(&(to, from), network)| (to, from, network))
    }

    /// The network, where the DAG is a single one from the input to the output; zero where nothing leads there.
    pub fn as_network(&self) -> Option<Network<V>> {
        match self.edges().collect::<Vec<_>>()[..] {
            [] if self.vertices.len() == 1 => Some(Network::identity(self.outputs())),
            [] => Some(Network::zero(self.outputs(), self.inputs())),
            [(to, 0, network)] if to == self.output() => Some(network.clone()),
            _ => None,
        }
    }

    /// The transposed map: every edge turned round.
    pub fn transpose(&self) -> Dag<V> {
        let last = self.output();
        let mut turned = Dag::new(self.vertices.iter().rev().cloned().collect());
        for (to, from, network) in self.edges() {
            turned.add(last - from, last - to, network.transpose());
        }
        turned
    }

    /// The composition `self ∘ inner`.
    ///
    /// # Panics
    /// Where `self` does not start at the shape at which `inner` ends.
    #[track_caller]
    pub fn compose(&self, inner: &Dag<V>) -> Dag<V> {
        assert!(self.inputs() == inner.outputs(), "{:?} cannot follow {:?}", self.inputs(), inner.outputs());
        let middle = inner.output();
        let mut both = Dag::new(inner.vertices.iter().chain(&self.vertices[1..]).cloned().collect());
        for (to, from, network) in inner.edges() {
            both.add(to, from, network.clone());
        }
        for (to, from, network) in self.edges() {
            both.add(to + middle, from + middle, network.clone());
        }
        both.pruned()
    }

    /// The vector–Jacobian product: a cotangent of the output, pulled back. `None`: zero.
    ///
    /// # Errors
    /// Where the cotangent has not the output's shape; what the payload's operations return.
    pub fn vjp(&self, cotangent: &V) -> Result<Option<V>, V::Error> {
        if cotangent.dims() != self.outputs() {
            let (given, wanted) = (cotangent.dims(), self.outputs());
            return Err(
                Error::new(format!("a vector of shape {given:?} for a side of shape {wanted:?}")).into()
            );
        }
        let mut pending: BTreeMap<usize, V> = BTreeMap::from([(self.output(), cotangent.clone())]);
        while let Some((vertex, cotangent)) = pending.pop_last() {
            if vertex == 0 {
                return Ok(Some(cotangent));
            }
            for (from, network) in self.below(vertex) {
                let Some(share) = network.vjp(&cotangent)? else { continue };
                let sum = match pending.remove(&from) {
                    Some(sum) => sum.add(&share)?,
                    None => share,
                };
                pending.insert(from, sum);
            }
        }
        Ok(None)
    }

    /// The Jacobian–vector product: a tangent of the input, pushed forward. `None`: zero.
    ///
    /// # Errors
    /// Where the tangent has not the input's shape; what the payload's operations return.
    pub fn jvp(&self, tangent: &V) -> Result<Option<V>, V::Error> {
        self.transpose().vjp(tangent)
    }

    /// The DAG with each vertex eliminated that is `open` to it and for which all networks that take its place are `short`,
    /// from the output down. If not all that are open can be, only those are whose place no more networks take than were
    /// there: so a long program has no more formulas than operations.
    pub fn joined(&self, open: impl Fn(usize) -> bool, short: impl Fn(&Network<V>) -> bool) -> Dag<V> {
        let pruned = self.pruned();
        let vertices: Vec<usize> = pruned.inner().into_iter().rev().filter(|&vertex| open(vertex)).collect();
        let joins = |dag: &mut Dag<V>, vertex: usize, most: usize| {
            let edges = dag.bypass(vertex);
            let joins = edges.len() <= most && edges.iter().all(|(_, network)| short(network));
            if joins {
                dag.eliminate(vertex, edges);
            }
            joins
        };
        let mut dag = pruned.clone();
        if vertices.iter().all(|&vertex| joins(&mut dag, vertex, usize::MAX)) {
            return dag;
        }
        let mut dag = pruned;
        for vertex in vertices {
            let most = dag.around(vertex).len();
            joins(&mut dag, vertex, most);
        }
        dag
    }

    /// The whole map as one network, joined from its smaller side, so that what has to be written out on the way is no
    /// larger than needed. `bounded` shortens what becomes long.
    ///
    /// # Errors
    /// Those of `bounded`.
    pub fn collapsed(
        &self,
        bounded: &impl Fn(Network<V>) -> Result<Network<V>, V::Error>,
    ) -> Result<Network<V>, V::Error> {
        if extent_of(self.inputs()) < extent_of(self.outputs()) {
            return Ok(self.transpose().top_down(bounded)?.transpose());
        }
        self.top_down(bounded)
    }

    fn top_down(
        &self,
        bounded: &impl Fn(Network<V>) -> Result<Network<V>, V::Error>,
    ) -> Result<Network<V>, V::Error> {
        let mut pending = BTreeMap::from([(self.output(), Network::identity(self.outputs()))]);
        while let Some((vertex, outer)) = pending.pop_last() {
            if vertex == 0 {
                return Ok(outer);
            }
            for (from, network) in self.below(vertex) {
                let joined = outer.compose(network);
                let sum = match pending.remove(&from) {
                    Some(known) => known.plus(&joined),
                    None => joined,
                };
                pending.insert(from, bounded(sum)?);
            }
        }
        Ok(Network::zero(self.outputs(), self.inputs()))
    }

    /// The DAG without the edges that lie on no path from the input to the output.
    pub(crate) fn pruned(&self) -> Dag<V> {
        let mut used = BTreeSet::from([self.output()]);
        for (to, from, _) in self.edges() {
            if used.contains(&to) {
                used.insert(from);
            }
        }
        let mut reached = BTreeSet::from([0]);
        let mut dag = Dag::new(self.vertices.clone());
        for (&(to, from), network) in &self.edges {
            if reached.contains(&from) && used.contains(&to) {
                reached.insert(to);
                dag.add(to, from, network.clone());
            }
        }
        dag
    }

    /// The number of the output.
    pub(crate) fn output(&self) -> usize {
        self.vertices.len() - 1
    }

    pub(crate) fn dims(&self, vertex: usize) -> &[Dim] {
        &self.vertices[vertex]
    }

    /// The vertices between input and output that edges lead to.
    pub(crate) fn inner(&self) -> BTreeSet<usize> {
        let output = self.output();
        self.edges.keys().map(|&(to, _)| to).filter(|&vertex| vertex != output).collect()
    }

    /// The vertices that the edges of a vertex lead to.
    pub(crate) fn above(&self, vertex: usize) -> &BTreeSet<usize> {
        &self.above[vertex]
    }

    /// The edges that lead to a vertex.
    pub(crate) fn below(&self, vertex: usize) -> impl Iterator<Item = (usize, &Network<V>)> {
        self.edges.range((vertex, 0)..(vertex + 1, 0)).map(|(&(_, from), network)| (from, network))
    }

    pub(crate) fn edge(&self, to: usize, from: usize) -> Option<&Network<V>> {
        self.edges.get(&(to, from))
    }

    /// The edges that eliminating a vertex changes: those above and below it, and those that lead past it.
    pub(crate) fn around(&self, vertex: usize) -> Vec<(usize, usize)> {
        let above = self.above(vertex);
        let below: Vec<usize> = self.below(vertex).map(|(from, _)| from).collect();
        let past = above.iter().flat_map(|&to| below.iter().map(move |&from| (to, from)));
        let past = past.filter(|&(to, from)| self.edge(to, from).is_some());
        let own = above.iter().map(|&to| (to, vertex)).chain(below.iter().map(|&from| (vertex, from)));
        own.chain(past).collect()
    }

    /// The edges that take the place of a vertex: each one above it joined with each one below, and with what goes past.
    pub(crate) fn bypass(&self, vertex: usize) -> Edges<V> {
        let mut edges = Vec::new();
        for &to in self.above(vertex) {
            let Some(outer) = self.edge(to, vertex) else { continue };
            for (from, inner) in self.below(vertex) {
                let joined = outer.compose(inner);
                let sum = match self.edge(to, from) {
                    Some(known) => known.plus(&joined),
                    None => joined,
                };
                edges.push(((to, from), sum));
            }
        }
        edges
    }

    /// Puts edges in the place of a vertex.
    pub(crate) fn eliminate(&mut self, vertex: usize, edges: Edges<V>) {
        for to in std::mem::take(&mut self.above[vertex]) {
            self.edges.remove(&(to, vertex));
        }
        let below: Vec<usize> = self.below(vertex).map(|(from, _)| from).collect();
        for from in below {
            self.edges.remove(&(vertex, from));
            self.above[from].remove(&vertex);
        }
        for ((to, from), network) in edges {
            self.edges.remove(&(to, from));
            self.above[from].remove(&to);
            self.add(to, from, network);
        }
    }
}
