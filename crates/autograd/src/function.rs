//! A program as a function of some of its values, for calling it on other numbers.
//!
//! It runs forward passes and nothing else: what finite differences see is independent of every rule.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pullback_array::Array;
use pullback_network::Value;
use pullback_ops::{Error, Forward, Op, Origin, Result, Val};

use crate::plan::Plan;
use crate::walk::depending;

/// The outputs of a program as a function of some of its values, all else as it is.
pub struct Function {
    inputs: Vec<Val>,
    steps: Vec<Step>,
    outputs: Vec<Source>,
    slots: usize,
    /// Was it called before?
    called: AtomicBool,
    plan: OnceLock<Plan>,
}

/// One application of an operation.
pub(crate) struct Step {
    pub(crate) value: Val,
    pub(crate) inputs: Vec<Source>,
    /// Where its outputs go: slot `first + k` for output `k`.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The slots that no later step reads.
    done: Vec<usize>,
}

/// Where an array comes from when the function runs.
#[derive(Clone)]
pub(crate) enum Source {
    Slot(usize),
    /// What depends on no input, with the number of its value.
    Constant(u64, Array),
}

impl Source {
    fn slot(&self) -> Option<usize> {
        match self {
            Source::Slot(slot) => Some(*slot),
            Source::Constant(..) => None,
        }
    }
}

/// The number of elements of a value.
fn elements(value: &Val) -> usize {
    value.shape().iter().fold(1, |product, &size| product.saturating_mul(size))
}

impl Function {
    /// `outputs` as a function of `inputs`, which may be inputs of the program or intermediate values; then all that is
    /// computed from them follows. `fixed` values keep what they are.
    ///
    /// # Errors
    /// Where what does not depend on the inputs cannot be evaluated.
    pub fn new(inputs: &[&Val], outputs: &[&Val], fixed: &[&Val]) -> Result<Function> {
        let mut slot_of: HashMap<u64, usize> = HashMap::new();
        for (slot, input) in inputs.iter().enumerate() {
            slot_of.insert(input.id(), slot);
        }
        let mut slots = inputs.len();
        let mut steps: Vec<Step> = Vec::new();
        let source = |slot_of: &HashMap<u64, usize>, value: &Val| match slot_of.get(&value.id()) {
            Some(&slot) => Ok(Source::Slot(slot)),
            None => value.array_alone().map(|array| Source::Constant(value.id(), array.clone())),
        };
        for value in depending(outputs, inputs, fixed) {
            let Origin::Call(..) = value.origin() else { continue };
            if slot_of.contains_key(&value.id()) {
                continue;
            }
            // The outputs of one application follow one another.
            if let Some(step) = steps.last_mut().filter(|step| step.value.order() == value.order()) {
                slot_of.insert(value.id(), step.first + value.output());
                step.last = step.last.max(step.first + value.output());
                slots = slots.max(step.last + 1);
                continue;
            }
            let arguments: Result<Vec<Source>> =
                value.inputs().iter().map(|input| source(&slot_of, input)).collect();
            let first = slots;
            slot_of.insert(value.id(), first + value.output());
            slots = first + value.output() + 1;
            steps.push(Step { inputs: arguments?, first, last: slots - 1, done: Vec::new(), value });
        }
        let outputs: Result<Vec<Source>> = outputs.iter().map(|output| source(&slot_of, output)).collect();
        let outputs = outputs?;
        let slots_of =
            |sources: &[Source]| -> Vec<usize> { sources.iter().filter_map(Source::slot).collect() };
        let mut read: HashSet<usize> = slots_of(&outputs).into_iter().collect();
        for step in steps.iter_mut().rev() {
            let own = slots_of(&step.inputs).into_iter().chain(step.first..=step.last);
            step.done = own.filter(|&slot| read.insert(slot)).collect();
        }
        Ok(Function {
            inputs: inputs.iter().map(|&input| input.clone()).collect(),
            steps,
            outputs,
            slots,
            called: AtomicBool::new(false),
            plan: OnceLock::new(),
        })
    }

    /// The number of elements that a call computes: its cost, to a factor.
    pub fn work(&self) -> usize {
        let inside = |step: &Step| match step.value.origin() {
            Origin::Call(op, _) => op.inner_work() as usize,
            _ => 0,
        };
        let step = |step: &Step| {
            let given = step.value.inputs().iter().map(elements).fold(inside(step), usize::saturating_add);
            given.saturating_add(elements(&step.value))
        };
        self.steps.iter().map(step).fold(0, usize::saturating_add)
    }

    /// The bytes of all that a call holds at once at the most, beside its inputs and what depends on none of them.
    pub fn peak(&self) -> usize {
        let mut bytes = vec![0usize; self.slots];
        let (mut live, mut peak) = (0usize, 0usize);
        for step in &self.steps {
            let Origin::Call(op, _) = step.value.origin() else { continue };
            for (slot, output) in (step.first..=step.last).zip(step.value.outputs()) {
                // The elements of its input in their order are those of its input.
                let elements = if op.keeps_order() { 0 } else { elements(&output) };
                bytes[slot] = elements.saturating_mul(output.dtype().size_of());
                live = live.saturating_add(bytes[slot]);
            }
            peak = peak.max(live);
            step.done.iter().for_each(|&slot| live -= std::mem::take(&mut bytes[slot]).min(live));
        }
        peak
    }

    /// The number of operations that a call runs.
    pub fn operations(&self) -> usize {
        self.steps.len()
    }

    /// The largest number among all that is computed where the inputs are these arrays.
    ///
    /// # Errors
    /// Those of [`Function::call`].
    pub fn largest(&self, arrays: &[Array]) -> Result<f64> {
        let mut largest = 0.0f64;
        let mut watched = |op: &dyn Op, _: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let results = op.forward(inputs)?;
            largest = results.iter().map(Array::max_abs).fold(largest, f64::max);
            Ok(results)
        };
        self.call_by(arrays, &mut watched)?;
        Ok(largest)
    }

    /// The outputs where the inputs are these arrays.
    ///
    /// # Errors
    /// Where there are not as many arrays as inputs, one has another shape, or a forward pass fails.
    pub fn call(&self, arrays: &[Array]) -> Result<Vec<Array>> {
        self.fit(arrays)?;
        let is_as_told = arrays.iter().zip(&self.inputs).all(|(array, input)| array.dtype() == input.dtype());
        // What a plan takes to be made is paid for by a few calls: one that is the only one runs as it is.
        if !is_as_told || !self.called.swap(true, Ordering::Relaxed) {
            return self.call_by(arrays, &mut |op, _, inputs| op.forward(inputs));
        }
        self.plan()?.run(arrays)
    }

    /// The plan, which is made once.
    pub(crate) fn plan(&self) -> Result<&Plan> {
        if let Some(plan) = self.plan.get() {
            return Ok(plan);
        }
        let plan = Plan::new(&self.inputs, &self.steps, &self.outputs)?;
        Ok(self.plan.get_or_init(|| plan))
    }

    /// Like [`Function::call`], with `forward` in the place of every operation's forward pass: it is given the operation, one
    /// of the values that this application of it made in the program, and its inputs. This is how rounding is simulated.
    ///
    /// # Errors
    /// Those of [`Function::call`], and those of `forward`.
    pub fn call_by(&self, arrays: &[Array], forward: &mut Forward<'_>) -> Result<Vec<Array>> {
        self.fit(arrays)?;
        let mut slots: Vec<Option<Array>> = arrays.iter().cloned().map(Some).collect();
        slots.resize(self.slots, None);
        for step in &self.steps {
            let results = {
                let inputs: Vec<&Array> = step.inputs.iter().map(|source| read(source, &slots)).collect();
                let Origin::Call(op, _) = step.value.origin() else {
                    unreachable!("a step applies an operation")
                };
                forward(op.as_ref(), &step.value, &inputs)?
            };
            for (slot, result) in (step.first..=step.last).zip(results) {
                slots[slot] = Some(result);
            }
            step.done.iter().for_each(|&slot| slots[slot] = None);
        }
        Ok(self.outputs.iter().map(|source| read(source, &slots).clone()).collect())
    }

    /// # Errors
    /// Where there are not as many arrays as inputs, or one has another shape.
    fn fit(&self, arrays: &[Array]) -> Result<()> {
        if arrays.len() != self.inputs.len() {
            return Err(Error::new(format!("{} arrays for {} inputs", arrays.len(), self.inputs.len())));
        }
        for (array, input) in arrays.iter().zip(&self.inputs) {
            if array.shape() != input.shape() {
                return Err(Error::new(format!(
                    "an array of shape {:?} for {:?}",
                    array.shape(),
                    input.dims()
                )));
            }
        }
        Ok(())
    }
}

fn read<'a>(source: &'a Source, slots: &'a [Option<Array>]) -> &'a Array {
    match source {
        Source::Constant(_, array) => array,
        Source::Slot(slot) => slots[*slot].as_ref().expect("a step comes after those it depends on"),
    }
}
