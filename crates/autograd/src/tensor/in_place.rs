//! Changes in place.
//!
//! Inside of `no_grad` a change is one of the numbers and of nothing else. Outside of it, it is an operation like any other,
//! whose result takes the tensor's place in the graph; a leaf that requires gradients has no such place to give.

use std::sync::{Arc, Mutex};

use pullback_array::Array;

use super::storage::Storage;
use super::{Error, History, Inner, Node, Result, Tensor, is_grad_enabled, locked};

impl Tensor {
    /// Puts `f` of the tensor in its place: `w.update(|w| w - &step)`. What was detached from it sees the change.
    ///
    /// # Errors
    /// On a leaf that requires gradients, outside of `no_grad`; where the result has another shape or dtype; and those of `f`.
    pub fn update(&self, f: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<()> {
        if is_grad_enabled() && self.requires_grad() && self.is_leaf() {
            return Err(Error::leaf_in_place());
        }
        // What `f` reads is the tensor as it was, a copy as PyTorch's operations in place keep one; its gradient is the tensor's.
        let before = Tensor(Arc::new(Inner {
            values: Arc::new(Storage::new(self.array())),
            history: Mutex::new(locked(&self.0.history).clone()),
            slot: self.0.slot.clone(),
        }));
        let after = f(&before)?;
        let (place, value) = (self.array(), after.array());
        if place.shape() != value.shape() || place.dtype() != value.dtype() {
            return Err(Error::place((place.shape(), place.dtype()), (value.shape(), value.dtype())));
        }
        let successor = match (is_grad_enabled(), after.requires_grad()) {
            (false, _) => None,
            // The result of `f` may be a tensor that somebody holds: its node is not ours to take.
            (true, true) if Arc::strong_count(&after.0) > 1 => after.map(|x| Ok(x.clone()))?.edge(),
            (true, true) => after.edge(),
            // The tensor depends no longer on what it was computed from, and requires gradients all the same: they are zero.
            (true, false) if before.requires_grad() => before.map(|x| x * 0.0)?.edge(),
            (true, false) => None,
        };
        self.0.values.replace(value);
        if let Some(node) = successor {
            self.succeed(node);
        }
        Ok(())
    }

    /// Makes `node` the one that this tensor comes from.
    fn succeed(&self, node: Arc<Node>) {
        node.lies_in(&self.0.values);
        let mut history = locked(&self.0.history);
        if let Some(before) = &history.node
            && let Some(slot) = before.take_slot()
        {
            node.fill(&slot);
        }
        *history = History { requires_grad: true, node: Some(node) };
    }

    /// Puts zeros in the tensor's place.
    ///
    /// # Errors
    /// Those of [`Tensor::update`].
    pub fn zero_(&self) -> Result<()> {
        self.update(|x| Ok(Tensor::new(Array::zeros(&x.shape(), x.dtype())?)))
    }

    /// Puts another tensor's values in this one's place, stretched to its shape.
    ///
    /// # Errors
    /// Those of [`Tensor::update`].
    pub fn copy_(&self, other: &Tensor) -> Result<()> {
        // What this tensor was computed from gets a gradient of zero, as in PyTorch: subtracted is 0, whatever stood here.
        self.update(|x| match x.dtype().is_float() {
            true => x.zip(other, |x, other| other - &(&x.step()? * 0.0)?),
            false => Ok(other.detach()),
        })
    }

    /// Adds in place.
    ///
    /// # Errors
    /// Those of [`Tensor::update`] and of the operation.
    pub fn add_(&self, other: &Tensor) -> Result<()> {
        self.update(|x| x + other)
    }

    /// Subtracts in place.
    ///
    /// # Errors
    /// Those of [`Tensor::update`] and of the operation.
    pub fn sub_(&self, other: &Tensor) -> Result<()> {
        self.update(|x| x - other)
    }

    /// Multiplies in place.
    ///
    /// # Errors
    /// Those of [`Tensor::update`] and of the operation.
    pub fn mul_(&self, other: &Tensor) -> Result<()> {
        self.update(|x| x * other)
    }
}
