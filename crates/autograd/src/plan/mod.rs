//! Plans: a program in the order and in the pieces in which it runs fast.
//!
//! A [`Function`](crate::Function) that is called more than once is run by a plan. It holds the program as kernels
//! ([`pullback_ops::kernel`]): what operations state about their forward passes, with what two of them compute alike computed once, and what
//! nobody reads left out. Kernels over one table of rows and columns become one pass over memory ([`pullback_array::tiles`], chosen in
//! `table.rs`): chains of functions of elements, whatever broadcasts into them, and the sums and maxima of rows and columns that they read
//! or make. So the forward and the backward pass of a layer normalisation are one pass. Matrix products and all operations that state
//! no kernels are run as they are, by arrays.
//!
//! What comes out is what the operations return one after another, to the last bit: a pass applies the same functions in the same
//! precision and takes sums in the same order. An error is the same too, where there is one.
//!
//! A value is freed after its last read, and its memory goes to the next of its size (`array/src/pool.rs`); what only a pass reads is never
//! written. A plan knows shapes and nothing of numbers. It runs on one thread, and watches nothing: who wants to see every operation
//! ([`Function::call_by`](crate::Function::call_by)) has them run one by one.

mod table;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use pullback_array::Array;
use pullback_array::tiles::Tiles;
use pullback_ops::kernel::{Kernel, Recipe};
use pullback_ops::{Op, Origin, Result, Val};

use crate::function::{Source, Step};
use table::Tables;

/// A program that is ready to run.
pub(crate) struct Plan {
    units: Vec<Unit>,
    /// Values are the inputs, then these, then what units write.
    constants: Vec<Array>,
    inputs: usize,
    outputs: Vec<usize>,
    written: usize,
}

/// What is run in one go.
struct Unit {
    run: Run,
    reads: Vec<usize>,
    writes: Vec<usize>,
    /// What nobody reads after it.
    done: Vec<usize>,
}

enum Run {
    /// An operation that the value comes from.
    Op(Val),
    /// A kernel, and the shape of its result.
    Kernel(Kernel, Vec<usize>),
    /// A pass; of each input, the axes in the order of the table where they are in another.
    Tiles(Tiles, Vec<Option<table::Order>>),
}

impl Plan {
    /// The plan of these steps, from so many inputs, to outputs.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub(crate) fn new(inputs: &[Val], steps: &[Step], outputs: &[Source]) -> Result<Plan> {
        let mut lowered = Lowered::default();
        for input in inputs {
            let value = lowered.recipe.given(input.shape(), input.dtype());
            lowered.of_slot.push(Some(value));
        }
        for step in steps {
            lowered.add(step);
        }
        let outputs: Vec<usize> = outputs.iter().map(|output| lowered.source(output)).collect();
        lowered.finish(inputs.len(), outputs)
    }

    /// The outputs where the inputs are these arrays, of the shapes that were told.
    ///
    /// # Errors
    /// Those of the operations.
    pub(crate) fn run(&self, arrays: &[Array]) -> Result<Vec<Array>> {
        let first = self.inputs + self.constants.len();
        let mut values: Vec<Option<Array>> = vec![None; self.written];
        for unit in &self.units {
            let results = {
                let read = |&value: &usize| self.value(value, arrays, &values);
                let operands: Vec<&Array> = unit.reads.iter().map(read).collect();
                unit.run.run(&operands)?
            };
            for (&value, result) in unit.writes.iter().zip(results) {
                values[value - first] = Some(result);
            }
            unit.done.iter().for_each(|&value| values[value - first] = None);
        }
        Ok(self.outputs.iter().map(|&value| self.value(value, arrays, &values).clone()).collect())
    }

    fn value<'a>(&'a self, value: usize, arrays: &'a [Array], values: &'a [Option<Array>]) -> &'a Array {
        match value.checked_sub(self.inputs) {
            None => &arrays[value],
            Some(at) => match at.checked_sub(self.constants.len()) {
                None => &self.constants[at],
                Some(at) => values[at].as_ref().expect("a unit comes after those it reads"),
            },
        }
    }
}

impl Run {
    fn run(&self, operands: &[&Array]) -> Result<Vec<Array>> {
        match self {
            Run::Op(value) => {
                let Origin::Call(op, _) = value.origin() else { unreachable!("a step applies an operation") };
                op.forward(operands)
            }
            Run::Kernel(kernel, shape) => {
                let dtype = operands[0].dtype();
                Ok(vec![kernel.run(operands, shape, dtype)?])
            }
            Run::Tiles(tiles, orders) if orders.iter().all(Option::is_none) => Ok(tiles.run(operands)?),
            Run::Tiles(tiles, orders) => {
                let ordered = operands.iter().zip(orders).map(|(&operand, order)| match order {
                    Some((axes, shape)) => operand.rearranged(axes, shape),
                    None => Ok(operand.clone()),
                });
                let ordered = ordered.collect::<pullback_array::Result<Vec<Array>>>()?;
                Ok(tiles.run(&ordered.iter().collect::<Vec<_>>())?)
            }
        }
    }
}

/// A program as kernels, on its way to a plan.
#[derive(Default)]
struct Lowered {
    recipe: Recipe,
    /// The value in each slot of the function.
    of_slot: Vec<Option<usize>>,
    constants: HashMap<usize, Array>,
    of_constant: HashMap<u64, usize>,
    /// Operations that stay what they are: one of their values, what they read and what they write.
    operations: Vec<(Val, Vec<usize>, Vec<usize>)>,
}

impl Lowered {
    fn source(&mut self, source: &Source) -> usize {
        match source {
            Source::Slot(slot) => self.of_slot[*slot].expect("a step comes after those it depends on"),
            Source::Constant(id, array) => match self.of_constant.get(id) {
                Some(&value) => value,
                None => {
                    let value = match (array.ndim(), array.dtype().is_float(), array.item()) {
                        (0, true, Ok(number)) => self.recipe.number(number, array.dtype()),
                        _ => self.recipe.given(array.shape().to_vec(), array.dtype()),
                    };
                    self.of_constant.insert(*id, value);
                    self.constants.insert(value, array.clone());
                    value
                }
            },
        }
    }

    fn add(&mut self, step: &Step) {
        let Origin::Call(op, _) = step.value.origin() else { unreachable!("a step applies an operation") };
        let inputs: Vec<usize> = step.inputs.iter().map(|source| self.source(source)).collect();
        self.of_slot.resize(self.of_slot.len().max(step.last + 1), None);
        if step.value.outputs().len() == 1
            && let Some(value) = self.kernels(op.as_ref(), &inputs)
        {
            debug_assert_eq!(self.recipe.shape(value), step.value.shape(), "{op:?}");
            self.of_slot[step.first] = Some(value);
            return;
        }
        let outputs = step.value.outputs();
        let mut given = |value: &Val| self.recipe.given(value.shape(), value.dtype());
        let written: Vec<usize> = outputs[..=step.last - step.first].iter().map(&mut given).collect();
        for (slot, &value) in (step.first..=step.last).zip(&written) {
            self.of_slot[slot] = Some(value);
        }
        self.operations.push((step.value.clone(), inputs, written));
    }

    fn kernels(&mut self, op: &dyn Op, inputs: &[usize]) -> Option<usize> {
        match inputs.iter().any(|&value| self.recipe.shape(value).contains(&0)) {
            true => None,
            false => op.recipe(inputs, &mut self.recipe),
        }
    }

    /// The numbers that kernels read, as arrays.
    fn numbers(&mut self) -> Result<()> {
        for (value, node) in self.recipe.nodes().iter().enumerate() {
            if let Kernel::Number(_) = node.kernel
                && !self.constants.contains_key(&value)
            {
                self.constants.insert(value, node.kernel.run(&[], &[], node.dtype)?);
            }
        }
        Ok(())
    }

    fn finish(mut self, inputs: usize, outputs: Vec<usize>) -> Result<Plan> {
        self.numbers()?;
        let nodes = self.recipe.nodes();
        // What is read by anybody who is read.
        let mut needed = vec![false; nodes.len()];
        outputs.iter().for_each(|&value| needed[value] = true);
        let written_by: HashMap<usize, usize> = (self.operations.iter().enumerate())
            .flat_map(|(at, (_, _, written))| written.iter().map(move |&value| (value, at)))
            .collect();
        let mut runs = vec![false; self.operations.len()];
        for value in (0..nodes.len())
            .rev()
            .filter(|&value| !nodes[value].operands.is_empty() || written_by.contains_key(&value))
        {
            if !needed[value] {
                continue;
            }
            let operands = match written_by.get(&value) {
                Some(&at) => {
                    runs[at] = true;
                    &self.operations[at].1
                }
                None => &nodes[value].operands,
            };
            operands.iter().for_each(|&operand| needed[operand] = true);
        }
        let mut tables = Tables::new(nodes, &needed, &outputs);
        for value in 0..nodes.len() {
            if let Some(&at) = written_by.get(&value) {
                let (_, reads, writes) = &self.operations[at];
                if runs[at] && writes[0] == value {
                    tables.operation(at, reads, writes);
                }
            } else if needed[value] && !nodes[value].operands.is_empty() {
                tables.kernel(value);
            }
        }
        let mut units = Vec::new();
        for piece in tables.finish()? {
            let run = match piece.run {
                table::Run::Operation(at) => Run::Op(self.operations[at].0.clone()),
                table::Run::Kernel(value) => {
                    Run::Kernel(nodes[value].kernel.clone(), nodes[value].shape.clone())
                }
                table::Run::Tiles(tiles, orders) => Run::Tiles(tiles, orders),
            };
            units.push(Unit { run, reads: piece.reads, writes: piece.writes, done: Vec::new() });
        }
        Ok(Plan::of(in_order(units), inputs, outputs, self.constants))
    }
}

/// Units in an order in which each comes after those it reads, and otherwise as they were written down, by the last of their values.
fn in_order(units: Vec<Unit>) -> Vec<Unit> {
    let key = |unit: &Unit| unit.writes.iter().max().copied();
    let mut by: HashMap<usize, usize> = HashMap::new();
    for (at, unit) in units.iter().enumerate() {
        unit.writes.iter().for_each(|&value| _ = by.insert(value, at));
    }
    let mut waits = vec![0; units.len()];
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        for source in unit.reads.iter().filter_map(|value| by.get(value)) {
            next[*source].push(at);
            waits[at] += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<(Option<usize>, usize)>> =
        (0..units.len()).filter(|&at| waits[at] == 0).map(|at| Reverse((key(&units[at]), at))).collect();
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    let mut ordered = Vec::with_capacity(units.len());
    while let Some(Reverse((_, at))) = ready.pop() {
        for &reader in &next[at] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse((units[reader].as_ref().and_then(key), reader)));
            }
        }
        ordered.extend(units[at].take());
    }
    ordered
}

impl Plan {
    /// The plan that runs these units, with values numbered anew.
    fn of(
        mut units: Vec<Unit>,
        inputs: usize,
        mut outputs: Vec<usize>,
        mut constants: HashMap<usize, Array>,
    ) -> Plan {
        let mut number: HashMap<usize, usize> = (0..inputs).map(|value| (value, value)).collect();
        let mut kept = Vec::new();
        for &value in units.iter().flat_map(|unit| &unit.reads).chain(&outputs) {
            if let Some(array) = constants.remove(&value) {
                number.insert(value, inputs + kept.len());
                kept.push(array);
            }
        }
        let first = inputs + kept.len();
        let mut written = 0;
        for &value in units.iter().flat_map(|unit| &unit.writes) {
            number.insert(value, first + written);
            written += 1;
        }
        for unit in &mut units {
            unit.reads.iter_mut().chain(&mut unit.writes).for_each(|value| *value = number[value]);
        }
        outputs.iter_mut().for_each(|value| *value = number[value]);
        // Who reads what last.
        let mut read = vec![false; first + written];
        outputs.iter().for_each(|&value| read[value] = true);
        for unit in units.iter_mut().rev() {
            let own = unit.reads.iter().chain(&unit.writes).copied().filter(|&value| value >= first);
            unit.done = own.filter(|&value| !std::mem::replace(&mut read[value], true)).collect();
        }
        Plan { units, constants: kept, inputs, outputs, written }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, grad, pullback};
    use expect_test::{Expect, expect};
    use pullback_array::DType;
    use pullback_network::Dim;

    fn symbol(name: &str, shape: &[usize]) -> Val {
        Val::symbol(name, &shape.iter().map(|&size| Dim::new(size)).collect::<Vec<_>>(), DType::F32)
    }

    /// What the plan of a program runs, in order.
    fn check(inputs: &[&Val], outputs: &[&Val], expected: Expect) {
        let function = Function::new(inputs, outputs, &[]).expect("symbols");
        let units = function.plan().expect("a plan").units.iter().map(|unit| match &unit.run {
            Run::Op(value) => value.expression(),
            Run::Kernel(kernel, shape) => format!("{kernel:?} {shape:?}"),
            Run::Tiles(tiles, _) => format!("{tiles}"),
        });
        let units: Vec<String> = units.collect();
        expected.assert_eq(&units.join("\n"));
    }

    fn gradients(y: &Val, wrt: &[&Val]) -> (Val, Vec<Val>) {
        let cotangent = Val::symbol("dy", y.dims(), y.dtype());
        let gradients = pullback(&[(y, &cotangent)], wrt, &[]).expect("rules");
        (cotangent, gradients.into_iter().flatten().chain([y.clone()]).collect())
    }

    #[test]
    fn norms_are_one_pass() {
        let (x, g, b) = (symbol("x", &[6, 5]), symbol("g", &[5]), symbol("b", &[5]));
        let y = x.layer_norm(Some(&g), Some(&b), 1e-5).expect("fits");
        let (dy, outputs) = gradients(&y, &[&x, &g, &b]);
        check(
            &[&x, &g, &b, &dy],
            &outputs.iter().collect::<Vec<_>>(),
            expect![[r#"
                31 steps over 6 by 5, 11 inputs, 4 outputs
                View([Some(1)]) [5]
                View([Some(1)]) [5]"#]],
        );
        let y = x.rms_norm(Some(&g), 1e-5).expect("fits");
        let (dy, outputs) = gradients(&y, &[&x, &g]);
        check(
            &[&x, &g, &dy],
            &outputs.iter().collect::<Vec<_>>(),
            expect![[r#"
            22 steps over 6 by 5, 9 inputs, 3 outputs
            View([Some(1)]) [5]"#]],
        );
        let y = x.softmax(1).expect("fits");
        let (dy, outputs) = gradients(&y, &[&x]);
        check(
            &[&x, &dy],
            &outputs.iter().collect::<Vec<_>>(),
            expect!["9 steps over 6 by 5, 3 inputs, 2 outputs"],
        );
    }

    #[test]
    fn a_loss_is_a_selection_a_pass_over_the_logits_and_one_over_rows() {
        let z = symbol("z", &[6, 5]);
        let target = Val::new(Array::from_slice(&[6], &[0i64, 4, 2, 2, 1, 3]).expect("six"));
        let loss = z.cross_entropy(&target).expect("fits");
        let dz = grad(&loss, &[&z]).expect("rules").remove(0);
        check(
            &[&z],
            &[&loss, &dz],
            expect![[r#"
                pick(z, ·, batch=1)
                9 steps over 6 by 5, 3 inputs, 2 outputs
                3 steps over 1 by 6, 3 inputs, 1 outputs"#]],
        );
    }

    /// The linear layer of seed 001 with its norm: a matrix times a vector is a product, all else passes.
    #[test]
    fn a_small_layer() {
        let (w, x, g, b) = (symbol("w", &[2, 3]), symbol("x", &[3]), symbol("g", &[2]), symbol("b", &[2]));
        let build = || {
            let a = w.matmul(&x)?;
            let u = a.powf(2.0)?.mean_all()?.sqrt()?;
            let v = (&(&g * &(&a / &u)?)? + &b)?;
            let loss = v.powf(2.0)?.sum_all()?;
            let mut outputs = grad(&loss, &[&w, &g, &b])?;
            outputs.push(loss);
            Ok::<_, pullback_ops::Error>(outputs)
        };
        let outputs = build().expect("rules");
        check(
            &[&w, &x, &g, &b],
            &outputs.iter().collect::<Vec<_>>(),
            expect![[r#"
            (w @ x)
            25 steps over 1 by 2, 8 inputs, 4 outputs
            View([]) []
            1 steps over 2 by 3, 2 inputs, 1 outputs"#]],
        );
    }

    #[test]
    fn layers_are_products_and_passes() {
        let (x, w, v) = (symbol("x", &[6, 5]), symbol("w", &[5, 5]), symbol("v", &[5, 5]));
        let mut y = x.clone();
        for w in [&w, &v] {
            y = (&y + &y.matmul(w).and_then(|a| a.tanh()).expect("fits")).expect("fits");
        }
        let loss = y.powf(2.0).and_then(|y| y.sum_all()).expect("fits");
        let found = grad(&loss, &[&w, &v]).expect("rules");
        check(
            &[&x, &w, &v],
            &[&found[0], &found[1], &loss],
            expect![[r#"
            (x @ w)
            4 steps over 1 by 30, 4 inputs, 2 outputs
            ((x + tanh((x @ w))) @ v)
            9 steps over 1 by 30, 5 inputs, 3 outputs
            View([]) []
            Contract { coef: 4607182418800017408, operands: [[0, 1], [2, 1]], out: [0, 2] } [6, 5]
            Contract { coef: 4607182418800017408, operands: [[0, 1], [0, 2]], out: [2, 1] } [5, 5]
            2 steps over 1 by 30, 3 inputs, 1 outputs
            Contract { coef: 4607182418800017408, operands: [[0, 1], [0, 2]], out: [2, 1] } [5, 5]"#]],
        );
    }
}
