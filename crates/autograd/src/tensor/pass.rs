//! The backward pass over nodes: PyTorch's `backward` and `torch.autograd.grad`, with their flags.
//!
//! A node is visited once, after all that lie above it, with the sum of the cotangents that they gave it. What the pass leaves
//! behind (gradients, freed graphs) is put down at its end, so that one that fails leaves everything as it was.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use pullback_array::Array;

use super::mode::with_mode;
use super::node::{Kept, Node};
use super::{Error, Result, Slot, Tensor, locked};

/// The gradients of the sum of `outputs`, scalars all, by each of `inputs`: `torch.autograd.grad(outputs, inputs)`. The
/// flags are those of [`Pass`].
///
/// # Errors
/// Those of [`Pass::grad`].
pub fn grad(outputs: &[&Tensor], inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    Pass::of(outputs).grad(inputs)
}

/// A backward pass with its flags.
///
/// ```
/// use pullback_autograd::tensor::{Pass, Tensor};
///
/// let x = Tensor::from_slice(&[3], &[1.0, 2.0, 3.0])?.requires_grad_(true)?;
/// let y = x.pow(3.0)?;
/// let ones = Tensor::from_slice(&[3], &[1.0, 1.0, 1.0])?;
/// let first = Pass::of(&[&y]).grad_outputs(&[Some(&ones)]).create_graph(true).grad(&[&x])?.remove(0);
/// let second = Pass::of(&[&first]).grad_outputs(&[Some(&ones)]).grad(&[&x])?.remove(0);
/// assert_eq!(second.array().to_vec_f64(), [6.0, 12.0, 18.0]);
/// # Ok::<(), pullback_autograd::tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a pass does nothing before `backward` or `grad` is called"]
pub struct Pass {
    outputs: Vec<Tensor>,
    cotangents: Option<Vec<Option<Tensor>>>,
    retain_graph: Option<bool>,
    create_graph: bool,
}

/// What a walk over the graph found, before anything is put down.
#[derive(Default)]
struct Found {
    /// The cotangents of the nodes that were asked for.
    captured: HashMap<u64, Tensor>,
    /// What goes to which slot, and whether it is a leaf's.
    gradients: Vec<(Slot, Tensor, bool)>,
    /// The nodes whose rules were applied.
    walked: Vec<Arc<Node>>,
}

impl Pass {
    /// A pass from these outputs. Their cotangents are 1, for scalars, unless they are given.
    pub fn of(outputs: &[&Tensor]) -> Pass {
        Pass {
            outputs: outputs.iter().map(|&output| output.clone()).collect(),
            cotangents: None,
            retain_graph: None,
            create_graph: false,
        }
    }

    /// The cotangent of each output, of its shape; `None` is a scalar's implicit 1.
    pub fn grad_outputs(self, cotangents: &[Option<&Tensor>]) -> Pass {
        Pass { cotangents: Some(cotangents.iter().map(|one| one.cloned()).collect()), ..self }
    }

    /// Keeps what the rules read, for another pass. By default as `create_graph`.
    pub fn retain_graph(self, retain: bool) -> Pass {
        Pass { retain_graph: Some(retain), ..self }
    }

    /// Records the pass itself, so that the gradients can be differentiated again. `.grad` then holds what the leaf is a part
    /// of: clear it with [`Tensor::zero_grad`], or neither is ever freed.
    pub fn create_graph(self, create: bool) -> Pass {
        Pass { create_graph: create, ..self }
    }

    /// Adds gradients to the `.grad` of leaves and of tensors that retain it.
    ///
    /// # Errors
    /// See [`Tensor::backward`].
    pub fn backward(self) -> Result<()> {
        let found = self.walk(self.roots()?, None)?;
        self.settle(found)
    }

    /// The gradient by each input. The `.grad` of leaves stays as it is; that of tensors that retain it does not, as in PyTorch.
    ///
    /// # Errors
    /// Those of [`Tensor::backward`], and where an input does not require gradients or no output depends on it.
    pub fn grad(self, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
        self.grad_with(inputs, |input, gradient| gradient.ok_or_else(|| Error::unused(input)))
    }

    /// [`Pass::grad`] with `None` for an input on which no output depends: `allow_unused=True`.
    ///
    /// # Errors
    /// Those of [`Tensor::backward`], and where an input does not require gradients.
    pub fn grad_allow_unused(self, inputs: &[&Tensor]) -> Result<Vec<Option<Tensor>>> {
        self.grad_with(inputs, |_, gradient| Ok(gradient))
    }

    fn grad_with<T>(
        self,
        inputs: &[&Tensor],
        each: impl Fn(usize, Option<Tensor>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let roots = self.roots()?;
        let node = |(k, input): (usize, &&Tensor)| input.edge().ok_or_else(|| Error::input_without_grad(k));
        let wanted: Vec<Arc<Node>> = inputs.iter().enumerate().map(node).collect::<Result<_>>()?;
        let found = self.walk(roots, Some(&wanted))?;
        let gradient = |(k, node): (usize, &Arc<Node>)| each(k, found.captured.get(&node.id).cloned());
        let gradients = wanted.iter().enumerate().map(gradient).collect::<Result<_>>()?;
        self.settle(found)?;
        Ok(gradients)
    }

    /// The nodes of the outputs with their cotangents.
    fn roots(&self) -> Result<Vec<(Arc<Node>, Tensor)>> {
        if let Some(given) = &self.cotangents
            && given.len() != self.outputs.len()
        {
            return Err(Error::cotangent_count(self.outputs.len(), given.len()));
        }
        let root = |(k, output): (usize, &Tensor)| {
            let array = output.array();
            let cotangent = match self.cotangents.as_ref().and_then(|given| given[k].as_ref()) {
                Some(given) if given.shape() != array.shape() => {
                    return Err(Error::cotangent_shape(k, array.shape(), &given.shape()));
                }
                Some(given) if given.dtype() == array.dtype() => Some(given.clone()),
                Some(given) => Some(Tensor::new(given.array().cast(array.dtype())?)),
                None => None,
            };
            let node = output.edge().ok_or_else(|| Error::nothing_requires_grad(k))?;
            match cotangent {
                Some(cotangent) => Ok((node, cotangent)),
                None if array.len() == 1 => {
                    Ok((node, Tensor::new(Array::ones(array.shape(), array.dtype())?)))
                }
                None => Err(Error::not_scalar(k, array.shape())),
            }
        };
        self.outputs.iter().enumerate().map(root).collect()
    }

    /// Applies the rules from the outputs down: to all leaves, or on the way to the `wanted` nodes.
    fn walk(&self, roots: Vec<(Arc<Node>, Tensor)>, wanted: Option<&[Arc<Node>]>) -> Result<Found> {
        let ways = wanted.map(|wanted| ways(&roots, wanted));
        let leads = |node: &Node| ways.as_ref().is_none_or(|ways| ways.contains(&node.id));
        let captures = |node: &Node| wanted.is_some_and(|wanted| wanted.iter().any(|one| one.id == node.id));

        let mut found = Found::default();
        let mut pending: BTreeMap<u64, (Arc<Node>, Tensor)> = BTreeMap::new();
        for (node, cotangent) in roots {
            self.add(&mut pending, node, cotangent)?;
        }
        while let Some((_, (node, cotangent))) = pending.pop_last() {
            if !leads(&node) {
                continue;
            }
            if captures(&node) {
                found.captured.insert(node.id, cotangent.clone());
            }
            if let Some(slot) = node.slot().filter(|_| wanted.is_none() || !node.is_leaf()) {
                found.gradients.push((slot, cotangent.clone(), node.is_leaf()));
            }
            if node.edges.iter().flatten().any(|edge| leads(edge)) {
                for (edge, share) in node.shares(&cotangent, self.create_graph, leads)? {
                    self.add(&mut pending, edge, share)?;
                }
                found.walked.push(node);
            }
        }
        Ok(found)
    }

    fn add(
        &self,
        pending: &mut BTreeMap<u64, (Arc<Node>, Tensor)>,
        node: Arc<Node>,
        share: Tensor,
    ) -> Result<()> {
        let sum = match pending.remove(&node.id) {
            Some((_, sum)) => self.sum(&sum, &share)?,
            None => share,
        };
        pending.insert(node.id, (node, sum));
        Ok(())
    }

    fn sum(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        with_mode(self.create_graph, || a + b)
    }

    /// Puts gradients down and frees graphs: first whatever may fail, then the rest.
    fn settle(&self, found: Found) -> Result<()> {
        // Passes of several threads may add to the gradient of one leaf. One lock for all: several at once could wait for
        // each other, and what is done under it is a sum for each leaf.
        static SETTLING: Mutex<()> = Mutex::new(());
        let mut left: Vec<(Arc<Node>, Kept)> = Vec::new();
        if !self.retain_graph.unwrap_or(self.create_graph) {
            for node in found.walked {
                let kept = node.freed()?;
                left.push((node, kept));
            }
        }
        let _settling = locked(&SETTLING);
        let mut sums = Vec::new();
        for (slot, gradient, is_leaf) in found.gradients {
            let before = locked(&slot).clone();
            let sum = before.as_ref().map(|before| self.sum(before, &gradient)).transpose()?;
            // A gradient has a place of its own: it must not change where the cotangent does that it came from.
            let gradient = with_mode(self.create_graph, || gradient.map(|x| Ok(x.clone())))?;
            sums.push((slot, before, sum, gradient, is_leaf));
        }
        for (slot, before, sum, gradient, is_leaf) in sums {
            match (before, sum) {
                // Who holds a leaf's gradient sees it grow, as in PyTorch.
                (Some(before), Some(sum)) if is_leaf && !self.create_graph => {
                    before.0.values.replace(sum.array());
                }
                (_, sum) => *locked(&slot) = Some(sum.unwrap_or(gradient)),
            }
        }
        for (node, kept) in left {
            node.leave(kept);
        }
        Ok(())
    }
}

/// The ids of the nodes from which a way leads to one of `wanted`, those included.
fn ways(roots: &[(Arc<Node>, Tensor)], wanted: &[Arc<Node>]) -> HashSet<u64> {
    let mut reached: BTreeMap<u64, &Arc<Node>> = BTreeMap::new();
    let mut pending: Vec<&Arc<Node>> = roots.iter().map(|(node, _)| node).collect();
    while let Some(node) = pending.pop() {
        if reached.insert(node.id, node).is_none() {
            pending.extend(node.edges.iter().flatten());
        }
    }
    let mut ways: HashSet<u64> =
        wanted.iter().map(|node| node.id).filter(|id| reached.contains_key(id)).collect();
    // An output that stands alone is visited in any case, and puts its gradient down where it is retained; as in PyTorch.
    if let [(root, _)] = roots {
        ways.insert(root.id);
    }
    for (id, node) in reached {
        if node.edges.iter().flatten().any(|edge| ways.contains(&edge.id)) {
            ways.insert(id);
        }
    }
    ways
}
