//! What a remembered structure evaluates in one go.
//!
//! A graph that is built anew step after step has the same values each time, on other numbers ([`crate::known`]). So what is asked of it
//! last, its outputs and their gradients, is a [`Function`] of its leaves that is made once and run by its plan. The values of a new graph are
//! told so ([`pullback_ops::Together`]), and who asks one of them for its numbers has those of all; what lies between is not evaluated,
//! unless somebody asks for it. Where an output has its numbers already, so has what lies on the way to it, and the others are evaluated
//! from that, one operation after another.

use std::sync::{Arc, OnceLock};

use pullback_array::Array;
use pullback_ops::{Origin, Result, Together, Val, WeakVal};

use crate::Function;

/// The values of a structure that are evaluated in one go.
pub(crate) struct Prepared {
    /// A graph of this structure whose leaves are symbols, and so without arrays.
    leaves: Vec<Val>,
    targets: Vec<Val>,
    function: OnceLock<Option<Function>>,
}

/// These of one graph.
struct Evaluation {
    prepared: Arc<Prepared>,
    leaves: Vec<Val>,
    targets: Vec<WeakVal>,
}

/// Can its numbers be set by themselves, and are they worth to be computed with others?
pub(crate) fn is_target(value: &Val) -> bool {
    matches!(value.origin(), Origin::Call(..)) && value.outputs().len() == 1
}

impl Prepared {
    /// Of a graph whose leaves are symbols.
    pub(crate) fn new(leaves: Vec<Val>, targets: Vec<Val>) -> Arc<Prepared> {
        Arc::new(Prepared { leaves, targets, function: OnceLock::new() })
    }

    /// Tells the values of another graph of this structure, in the same order.
    pub(crate) fn tell(self: &Arc<Prepared>, leaves: Vec<Val>, targets: &[Val]) {
        let weak = targets.iter().map(Val::downgrade).collect();
        let evaluation = Arc::new(Evaluation { prepared: self.clone(), leaves, targets: weak });
        targets.iter().for_each(|target| target.evaluated_by(evaluation.clone()));
    }

    /// `None`: what depends on no leaf cannot be evaluated, and whoever evaluates it is told why.
    fn function(&self) -> Option<&Function> {
        let [leaves, targets] = [&self.leaves, &self.targets].map(|values| values.iter().collect::<Vec<_>>());
        self.function.get_or_init(|| Function::new(&leaves, &targets, &[]).ok()).as_ref()
    }
}

impl Together for Evaluation {
    fn evaluate(&self) -> Result<Vec<(Val, Array)>> {
        let targets: Vec<Option<Val>> = self.targets.iter().map(WeakVal::upgrade).collect();
        let is_begun = targets.iter().flatten().any(Val::is_evaluated);
        let (false, true) = (is_begun, self.leaves.iter().all(Val::is_evaluated)) else {
            return Ok(Vec::new());
        };
        let Some(function) = self.prepared.function() else { return Ok(Vec::new()) };
        let arrays: Result<Vec<Array>> = self.leaves.iter().map(|leaf| leaf.array().cloned()).collect();
        let found = function.call(&arrays?)?;
        Ok(targets.into_iter().zip(found).filter_map(|(target, array)| Some((target?, array))).collect())
    }
}
