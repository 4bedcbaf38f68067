//! What a recorded operation leaves behind: PyTorch's `grad_fn`.
//!
//! A node holds the operation as a small graph of values between leaves of its own, one for each operand, so that a tensor that
//! changes does not change it. Its edges lead to the nodes of the operands that require gradients.
//!
//! After a backward pass the graph is freed. If no rule in it reads anything (a sum, a shift, a reshape), the networks of its
//! Jacobians hold no numbers; they stay, and a second pass may come through.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pullback_array::{Array, DType};
use pullback_network::{Dim, Value};
use pullback_ops::{Origin, Val};

use super::reads::{Graph, Linear};
use super::storage::{Storage, locked};
use super::{Error, Result, Slot, Tensor};
use crate::walk::between;

/// A recorded operation, or the end of the graph at a leaf.
pub(super) struct Node {
    /// Larger than those of all that the node depends on.
    pub(super) id: u64,
    /// For each operand, where its share of the cotangent goes; none where the operand requires no gradient.
    pub(super) edges: Vec<Option<Arc<Node>>>,
    /// None for a leaf.
    call: Option<Call>,
    /// Where the gradient is put down: for a leaf while it is wanted, else where it is retained.
    slot: Mutex<Option<Slot>>,
}

struct Call {
    name: &'static str,
    kept: Mutex<Kept>,
}

/// What is left of an operation.
#[derive(Clone)]
pub(super) enum Kept {
    /// All of it.
    Graph(Arc<Graph>),
    /// After a pass that freed the graph of an operation whose rules read nothing: for each edge, the network.
    Networks(Vec<Option<Linear>>),
    /// After a pass that freed the graph.
    Nothing,
}

/// An operand of an operation: its numbers as they were, and where they came from.
#[derive(Clone)]
pub(super) struct Operand {
    pub(super) leaf: Val,
    pub(super) storage: Arc<Storage>,
    pub(super) version: u64,
}

impl Operand {
    pub(super) fn of(tensor: &Tensor) -> Operand {
        let (array, version) = tensor.0.values.read();
        Operand { leaf: Val::new(array), storage: tensor.0.values.clone(), version }
    }
}

/// The result of an operation. It is recorded where it depends on an operand with an edge.
pub(super) fn record(
    output: Val,
    operands: Vec<Operand>,
    mut edges: Vec<Option<Arc<Node>>>,
) -> Result<Tensor> {
    let values = Arc::new(Storage::new(output.array()?.clone()));
    let leaves: Vec<&Val> = operands
        .iter()
        .zip(&edges)
        .filter_map(|(operand, edge)| edge.as_ref().map(|_| &operand.leaf))
        .collect();
    if !leaves.is_empty() {
        let reached: HashSet<u64> = between(&[&output], &leaves, &[]).iter().map(Value::id).collect();
        for (operand, edge) in operands.iter().zip(&mut edges) {
            if !reached.contains(&operand.leaf.id()) {
                *edge = None;
            }
        }
    }
    if edges.iter().all(Option::is_none) {
        return Ok(Tensor::with_history(values, super::History::default()));
    }
    let name = match output.origin() {
        Origin::Call(op, _) => op.name(),
        _ => "alias",
    };
    let wanted = edges.iter().map(Option::is_some).collect();
    let graph = Arc::new(Graph::new(operands, wanted, output, values.clone()));
    let node = Node::new(edges, Some(Call { name, kept: Mutex::new(Kept::Graph(graph)) }), None);
    Ok(Tensor::from_node(values, Arc::new(node)))
}

impl Node {
    fn new(edges: Vec<Option<Arc<Node>>>, call: Option<Call>, slot: Option<Slot>) -> Node {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Node { id: NEXT.fetch_add(1, Ordering::Relaxed), edges, call, slot: Mutex::new(slot) }
    }

    /// The node of a leaf, which fills `slot`.
    pub(super) fn leaf(slot: Slot) -> Arc<Node> {
        Arc::new(Node::new(Vec::new(), None, Some(slot)))
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.call.is_none()
    }

    /// The name of the operation.
    pub(super) fn name(&self) -> &'static str {
        self.call.as_ref().map_or("leaf", |call| call.name)
    }

    /// Where the gradient is put down.
    pub(super) fn slot(&self) -> Option<Slot> {
        locked(&self.slot).clone()
    }

    /// Puts the gradient down in `slot` from now on.
    pub(super) fn fill(&self, slot: &Slot) {
        *locked(&self.slot) = Some(slot.clone());
    }

    /// Puts the gradient down nowhere from now on; returns where it did.
    pub(super) fn take_slot(&self) -> Option<Slot> {
        locked(&self.slot).take()
    }

    /// Says that the result lies in `values` now, as it is there.
    pub(super) fn lies_in(&self, values: &Arc<Storage>) {
        if let Some(call) = &self.call
            && let Kept::Graph(graph) = &*locked(&call.kept)
        {
            graph.lies_in(values);
        }
    }

    /// What the cotangent of the result gives to each edge that `follow` says to follow. With `create_graph` the shares are
    /// recorded as functions of the cotangent and of the operands.
    ///
    /// # Errors
    /// Where the graph was freed, or what a rule reads was changed; and those of the rules.
    pub(super) fn shares(
        &self,
        cotangent: &Tensor,
        create_graph: bool,
        follow: impl Fn(&Node) -> bool,
    ) -> Result<Vec<(Arc<Node>, Tensor)>> {
        let Some(call) = &self.call else { return Ok(Vec::new()) };
        let kept = locked(&call.kept).clone();
        let followed: Vec<(usize, &Arc<Node>)> = self
            .edges
            .iter()
            .enumerate()
            .filter_map(|(k, edge)| edge.as_ref().filter(|edge| follow(edge)).map(|edge| (k, edge)))
            .collect();

        // What the shares are functions of: the cotangent, and what the graph was recorded between.
        let mut operands = vec![Operand::of(cotangent)];
        let mut edges = vec![cotangent.edge()];
        let leaf = operands[0].leaf.clone();
        let finish =
            |share: Option<Val>, dims: &[Dim], dtype: DType, operands: &[Operand], edges: &[_]| match share {
                // The Jacobian is zero, as that of a sign is: a gradient of zero, and not none.
                None => {
                    let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
                    Ok(Tensor::new(Array::zeros(&shape, dtype)?))
                }
                Some(share) if create_graph => record(share, operands.to_vec(), edges.to_vec()),
                Some(share) => Ok(Tensor::new(share.array()?.cast(dtype)?)),
            };
        let mut shares = Vec::new();
        match kept {
            Kept::Nothing => return Err(Error::freed(call.name)),
            Kept::Networks(networks) => {
                for (k, edge) in followed {
                    let Some(Linear { network, dtype }) = &networks[k] else { continue };
                    let share = network.vjp(&leaf)?;
                    shares.push((edge.clone(), finish(share, network.inputs(), *dtype, &operands, &edges)?));
                }
            }
            Kept::Graph(graph) => {
                graph.check_unmodified(call.name)?;
                operands.extend(graph.operands.iter().cloned());
                edges.extend(self.edges.iter().cloned());
                let leaves: Vec<&Val> = followed.iter().map(|&(k, _)| &graph.operands[k].leaf).collect();
                let pulled = crate::pullback(&[(&graph.output, &leaf)], &leaves, &[])?;
                for (((_, edge), share), leaf) in followed.into_iter().zip(pulled).zip(leaves) {
                    let share = finish(share, leaf.dims(), leaf.dtype(), &operands, &edges)?;
                    shares.push((edge.clone(), share));
                }
            }
        }
        Ok(shares)
    }

    /// What is left once the graph is freed; it is left with [`Node::leave`].
    ///
    /// # Errors
    /// Those of the rules.
    pub(super) fn freed(&self) -> Result<Kept> {
        let Some(call) = &self.call else { return Ok(Kept::Nothing) };
        let kept = locked(&call.kept).clone();
        match kept {
            Kept::Graph(graph) => match graph.networks()? {
                Some(networks) => Ok(Kept::Networks(networks)),
                None => Ok(Kept::Nothing),
            },
            other => Ok(other),
        }
    }

    pub(super) fn leave(&self, kept: Kept) {
        if let Some(call) = &self.call {
            *locked(&call.kept) = kept;
        }
    }
}

/// A long chain of nodes is dropped in a loop: node by node it would recurse as deep as it is long.
impl Drop for Node {
    fn drop(&mut self) {
        let mut pending: Vec<Arc<Node>> = self.edges.drain(..).flatten().collect();
        while let Some(node) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(node) {
                pending.extend(node.edges.drain(..).flatten());
            }
        }
    }
}
