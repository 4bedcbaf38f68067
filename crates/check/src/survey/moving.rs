//! Programs that are run on other numbers: as functions of leaves, and with values moved where they are computed.

use std::collections::{HashMap, HashSet};

use pullback_array::Array;
use pullback_autograd::Function;
use pullback_network::Value as _;
use pullback_ops::{Op, Result, Val};

use crate::graph::{ancestors_of, held};
use crate::rounding::float_leaves;
use crate::zero::Sizes;

/// A program that is run from its inputs on, so that nothing of it is held but what is still to be read.
pub(super) struct Whole {
    function: Function,
    leaves: Vec<Val>,
}

impl Whole {
    /// Values, as a function of some leaves; the others are as they are.
    pub(super) fn new(given: &[&Val], values: &[&Val]) -> Result<Whole> {
        let is_given = |leaf: &Val| given.iter().any(|given| given.id() == leaf.id());
        let leaves: Vec<Val> = float_leaves(values).into_iter().filter(|leaf| !is_given(leaf)).collect();
        let inputs: Vec<&Val> = given.iter().copied().chain(&leaves).collect();
        Ok(Whole { function: Function::new(&inputs, values, &[])?, leaves })
    }

    pub(super) fn call(&self, given: &[Array]) -> Result<Vec<Array>> {
        self.function.call(&self.arrays(given)?)
    }

    /// The values, and the size of each that they are computed from.
    pub(super) fn sized(&self) -> Result<(Vec<Array>, Sizes)> {
        let mut sizes = Sizes::default();
        for leaf in &self.leaves {
            sizes.of(leaf)?;
        }
        let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let results = op.forward(inputs)?;
            for (value, result) in value.outputs().iter().zip(&results) {
                if value.dtype().is_float() {
                    sizes.note(value, result, inputs);
                }
            }
            Ok(results)
        };
        let values = self.function.call_by(&self.arrays(&[])?, &mut forward)?;
        Ok((values, sizes))
    }

    fn arrays(&self, given: &[Array]) -> Result<Vec<Array>> {
        let mut arrays = given.to_vec();
        for leaf in &self.leaves {
            arrays.push(leaf.array()?.clone());
        }
        Ok(arrays)
    }
}

/// A program in which some values are moved where they are computed.
pub(super) struct Moving<'a> {
    function: Function,
    values: &'a [Val],
    /// Which of them are computed from none of the others, and the places of the rest.
    first: Vec<usize>,
    moved: HashMap<(u64, usize), usize>,
}

impl<'a> Moving<'a> {
    pub(super) fn new(outputs: &[&Val], values: &'a [Val]) -> Result<Moving<'a>> {
        let asked: HashMap<u64, usize> =
            values.iter().enumerate().map(|(k, value)| (value.id(), k)).collect();
        let mut changing: HashSet<u64> = HashSet::new();
        let (mut first, mut moved) = (Vec::new(), HashMap::new());
        // What the program holds stays where it is, unless it is moved itself.
        let mut held = held(outputs);
        held.retain(|value| !asked.contains_key(&value.id()));
        let stays: HashSet<u64> = held.iter().map(Val::id).collect();
        for value in ancestors_of(outputs).into_iter().filter(|value| !stays.contains(&value.id())) {
            let changes = value.inputs().iter().any(|input| changing.contains(&input.id()));
            let number = asked.get(&value.id());
            match number {
                Some(&number) if changes => {
                    moved.insert((value.order(), value.output()), number);
                }
                Some(&number) => first.push(number),
                None => {}
            }
            if changes || number.is_some() {
                changing.insert(value.id());
            }
        }
        let inputs: Vec<&Val> = first.iter().map(|&number| &values[number]).collect();
        let function = Function::new(&inputs, outputs, &held.iter().collect::<Vec<_>>())?;
        Ok(Moving { function, values, first, moved })
    }

    pub(super) fn inputs(&self) -> Vec<&Val> {
        self.first.iter().map(|&number| &self.values[number]).collect()
    }

    fn arrays(&self) -> Result<Vec<Array>> {
        self.inputs().into_iter().map(|input| input.array().cloned()).collect()
    }

    /// The outputs where each value is moved by t times its direction.
    pub(super) fn at(&self, t: f64, directions: &[Array]) -> Result<Vec<Array>> {
        let by = |array: &Array, number: usize| {
            array.zip(&directions[number], "move", |x, z| x + t as f32 * z, |x, z| x + t * z)
        };
        let inputs: pullback_array::Result<Vec<Array>> =
            self.arrays()?.iter().zip(&self.first).map(|(array, &number)| by(array, number)).collect();
        if self.moved.is_empty() {
            return self.function.call(&inputs?);
        }
        let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let mut results = op.forward(inputs)?;
            for (output, result) in results.iter_mut().enumerate() {
                if let Some(&number) = self.moved.get(&(value.order(), output)) {
                    *result = by(result, number)?;
                }
            }
            Ok(results)
        };
        self.function.call_by(&inputs?, &mut forward)
    }
}
