//! The graph of one recorded operation, and what its backward pass reads.
//!
//! No operation declares what it keeps for the backward pass. It is what the Jacobians on the way from the result to the
//! operands read: the values from which the payloads of their networks are made. `exp` reads its result, a product reads its
//! operands, a sum reads nothing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};

use pullback_array::DType;
use pullback_network::Value;
use pullback_ops::{Factor, Network, Origin, Val};

use super::node::Operand;
use super::storage::{Storage, locked};
use super::{Error, Result};
use crate::walk::between;

/// An operation between leaves of its own.
pub(super) struct Graph {
    pub(super) operands: Vec<Operand>,
    /// Which operands a gradient flows to.
    wanted: Vec<bool>,
    pub(super) output: Val,
    /// Where the result lies, and its version there.
    result: Mutex<(Arc<Storage>, u64)>,
    reads: OnceLock<Reads>,
}

/// A Jacobian that holds no numbers, and the dtype of the operand that it is by.
#[derive(Clone)]
pub(super) struct Linear {
    pub(super) network: Network,
    pub(super) dtype: DType,
}

/// What the rules of a graph read.
#[derive(Default)]
struct Reads {
    operands: HashSet<usize>,
    result: bool,
    /// Values that the operation brought along.
    others: bool,
}

impl Graph {
    pub(super) fn new(operands: Vec<Operand>, wanted: Vec<bool>, output: Val, result: Arc<Storage>) -> Graph {
        let result = Mutex::new((result, 0));
        Graph { operands, wanted, output, result, reads: OnceLock::new() }
    }

    /// Says that the result lies in `values` now, as it is there.
    pub(super) fn lies_in(&self, values: &Arc<Storage>) {
        *locked(&self.result) = (values.clone(), values.version());
    }

    fn leaves(&self) -> Vec<&Val> {
        let wanted = self.operands.iter().zip(&self.wanted).filter(|(_, wanted)| **wanted);
        wanted.map(|(operand, _)| &operand.leaf).collect()
    }

    fn reads(&self) -> Result<&Reads> {
        if let Some(known) = self.reads.get() {
            return Ok(known);
        }
        let found = self.find_reads()?;
        Ok(self.reads.get_or_init(|| found))
    }

    fn find_reads(&self) -> Result<Reads> {
        let path = between(&[&self.output], &self.leaves(), &[]);
        let on_path: HashSet<u64> = path.iter().map(Value::id).collect();
        let mut pending: Vec<Val> = Vec::new();
        for value in &path {
            for (k, input) in value.inputs().iter().enumerate() {
                if on_path.contains(&input.id()) {
                    pending.extend(payloads(&value.jacobian(k)?));
                }
            }
        }
        let mut reads = Reads::default();
        let mut seen: HashSet<u64> = HashSet::new();
        while let Some(value) = pending.pop() {
            if !seen.insert(value.id()) {
                continue;
            }
            if let Some(k) = self.operands.iter().position(|operand| operand.leaf.id() == value.id()) {
                reads.operands.insert(k);
            } else if value.id() == self.output.id() {
                reads.result = true;
            } else {
                reads.others |= matches!(value.origin(), Origin::Leaf);
                pending.extend(value.inputs().iter().cloned());
            }
        }
        Ok(reads)
    }

    /// # Errors
    /// Where what a rule reads was changed in place after it was recorded.
    pub(super) fn check_unmodified(&self, name: &str) -> Result<()> {
        let changed = |storage: &Storage, version: u64| storage.version() != version;
        let result = locked(&self.result).clone();
        // Rules are asked only where anything changed.
        if !changed(&result.0, result.1) && !self.operands.iter().any(|x| changed(&x.storage, x.version)) {
            return Ok(());
        }
        let reads = self.reads()?;
        for (k, operand) in self.operands.iter().enumerate() {
            if reads.operands.contains(&k) && changed(&operand.storage, operand.version) {
                let (what, shape) = (format!("operand {k}"), operand.leaf.shape());
                return Err(Error::modified(name, &what, &shape, operand.version, operand.storage.version()));
            }
        }
        if reads.result && changed(&result.0, result.1) {
            let shape = self.output.shape();
            return Err(Error::modified(name, "its result", &shape, result.1, result.0.version()));
        }
        Ok(())
    }

    /// The Jacobians by the operands that a gradient flows to, where no rule reads anything: they hold no numbers.
    ///
    /// # Errors
    /// Those of the rules.
    pub(super) fn networks(&self) -> Result<Option<Vec<Option<Linear>>>> {
        let reads = self.reads()?;
        if reads.result || reads.others || !reads.operands.is_empty() {
            return Ok(None);
        }
        let network = |(operand, wanted): (&Operand, &bool)| match wanted {
            false => Ok(None),
            true => {
                let jacobian = crate::jacobian(&self.output, &operand.leaf, &[])?;
                Ok(Some(Linear { network: jacobian.network()?.clone(), dtype: operand.leaf.dtype() }))
            }
        };
        self.operands.iter().zip(&self.wanted).map(network).collect::<Result<_>>().map(Some)
    }
}

/// The values that stand in a network.
fn payloads(network: &Network) -> impl Iterator<Item = Val> {
    network.terms().iter().flat_map(|term| &term.factors).filter_map(Factor::payload).cloned()
}
