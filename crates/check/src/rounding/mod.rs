//! How far rounding errors may have moved a result, measured entry by entry.
//!
//! Stochastic arithmetic (Vignes, *A stochastic arithmetic for reliable scientific computation*, 1993) perturbs every
//! intermediate result at random, as rounding does, and watches how far the final one moves. Here the perturbations are
//! much larger than rounding errors and the effect is scaled down: it is linear in their size, and so measured well.
//! What is exact ([`Exact`]) is not perturbed: inputs that the precision can hold, masks, counts. In half of the samples numbers
//! that are the same are rounded the same way, as they are where one code computes them from the same numbers.
//!
//! An operation that adds up many products rounds inside, at every addition. So the inputs of a sum are perturbed once more for it
//! alone, and where other code may add up one by one, its result too ([`sums`]).
//!
//! What is piecewise constant (the sign of a value, which element is the largest) is held: a jump is no rounding error. Two
//! sizes are tried, since a badly conditioned program leaves its linear range, or its domain, at the larger one.

mod noise;
mod sums;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pullback_array::{Array, Precision, memory};
use pullback_autograd::Function;
use pullback_network::Value;
use pullback_ops::{BackwardError, Op, Origin, Result, Val};

use crate::exact::{Exact, is_held, keeps_whole};
use crate::graph::{ancestors, ancestors_of, piecewise_constant};
pub(crate) use noise::Noise;
pub(crate) use sums::Sums;
use sums::{SAMPLES, Sum, drift, products};

/// A value, and how far rounding moves it.
pub(crate) struct Measured {
    pub value: Array,
    /// How far each entry is moved by everything but being stored itself, in units of the relative perturbation; infinite where
    /// that cannot be told.
    pub moved: Vec<f64>,
    /// How far all entries are moved together in each of some samples, in the same units: Σ δ v, which over Σ v² is what makes a multiple
    /// of the value v, and Σ δ / s, where s is how far single entries are moved, being stored included. Nothing where that cannot be told.
    pub shared: Vec<[f64; 2]>,
    /// How coarsely it is stored itself, in the same units.
    pub stored: f64,
    /// Is nothing of it rounded, however it is computed?
    pub exact: bool,
}

impl Measured {
    /// How far each entry is moved, being stored included.
    pub(crate) fn spread(&self) -> Vec<f64> {
        self.spreads(&self.value.as_f64()).collect()
    }

    /// What is known of several values, with more samples of each.
    pub(crate) fn add(known: &mut Vec<Measured>, drawn: Vec<Measured>) {
        match known.is_empty() {
            true => *known = drawn,
            false => known.iter_mut().zip(drawn).for_each(|(known, drawn)| known.and(drawn)),
        }
    }

    /// What some samples and others tell together.
    fn and(&mut self, other: Measured) {
        self.moved.iter_mut().zip(other.moved).for_each(|(most, moved)| *most = most.max(moved));
        match other.shared.is_empty() || self.shared.is_empty() {
            true => self.shared.clear(),
            false => self.shared.extend(other.shared),
        }
    }

    /// The same, of these entries.
    pub(crate) fn spreads<'a>(&'a self, entries: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        entries.iter().zip(&self.moved).map(|(entry, moved)| of_both(*moved, self.stored * entry))
    }

    /// The same, of one entry at a position.
    pub(crate) fn spread_of(&self, position: usize, entry: f64) -> f64 {
        of_both(self.moved[position], self.stored * entry)
    }
}

/// The root of the sum of squares, without a call where these are numbers of common sizes.
fn of_both(a: f64, b: f64) -> f64 {
    let square = a * a + b * b;
    if square.is_normal() { square.sqrt() } else { a.hypot(b) }
}

/// Values as a function of some of those they depend on, for measuring how much they amplify rounding errors of every
/// intermediate result, and of those leaves that a precision cannot hold.
pub struct Simulation {
    function: Function,
    values: Vec<Val>,
    given: Vec<Val>,
    leaves: Vec<Val>,
    arrays: Vec<Array>,
    /// The number of products that an entry adds up, of each application that adds up any.
    sums: HashMap<u64, f64>,
    /// What stands for other numbers too, and so is neither exact nor whole.
    varying: HashSet<u64>,
    /// Does other code compute it as it stands here, operation by operation?
    stated: bool,
    /// What other code computes within a kernel, and never stores.
    within_kernels: HashSet<u64>,
}

impl Simulation {
    /// How often a run evaluates the value.
    pub const EVALUATIONS: usize = 1 + 2 * SAMPLES as usize;

    /// Of `value` as a function of `given`, which are exact.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn new(value: &Val, given: &[&Val]) -> Result<Simulation> {
        Simulation::of_all(&[value], given)
    }

    /// Of several values at once.
    ///
    /// # Errors
    /// Where one cannot be evaluated.
    pub(crate) fn of_all(values: &[&Val], given: &[&Val]) -> Result<Simulation> {
        let is_given = |leaf: &Val| given.iter().any(|given| given.id() == leaf.id());
        // A number that is a value of its own is one of the format.
        let is_number = |value: &Val| match value.origin() {
            Origin::Call(op, of) => op.is_copy() && matches!(of[0].origin(), Origin::Number(_)),
            _ => false,
        };
        let numbers = ancestors_of(values).into_iter().filter(is_number);
        let leaves = float_leaves(values).into_iter().filter(|leaf| !is_given(leaf)).chain(numbers).collect();
        Simulation::over(values, given, leaves)
    }

    /// Of a value that is compared with another: the numbers that the program states are rounded too. In `x > 0.7` PyTorch brings
    /// 0.7 to the format of x, and in `0.7 * x` it does not.
    pub(crate) fn compared(value: &Val) -> Result<Simulation> {
        let is_number = |value: &Val| matches!(value.origin(), Origin::Number(_)) && value.dtype().is_float();
        let numbers = ancestors(value).into_iter().filter(is_number);
        Simulation::over(&[value], &[], float_leaves(&[value]).into_iter().chain(numbers).collect())
    }

    /// Of `value` as a function of `given`, which are exact, and of `leaves`, which are rounded where they have more digits.
    fn over(values: &[&Val], given: &[&Val], leaves: Vec<Val>) -> Result<Simulation> {
        let inputs: Vec<&Val> = given.iter().copied().chain(&leaves).collect();
        let mut held = piecewise_constant(values)?;
        // A condition that is made of nothing but those that are given, and of numbers, is what these make it.
        let still: HashSet<u64> = held.iter().map(Val::id).collect();
        let mut varying: HashSet<u64> = given.iter().map(|given| given.id()).collect();
        varying.retain(|id| still.contains(id));
        if !varying.is_empty() {
            let is_number = |value: &Val| matches!(value.origin(), Origin::Number(_));
            for value in ancestors_of(values) {
                let is_condition = |input: &Val| {
                    varying.contains(&input.id()) || still.contains(&input.id()) || is_number(input)
                };
                if value.inputs().iter().any(|input| varying.contains(&input.id()))
                    && value.inputs().iter().all(is_condition)
                {
                    varying.insert(value.id());
                }
            }
            held.retain(|value| !varying.contains(&value.id()));
        }
        let function = Function::new(&inputs, values, &held.iter().collect::<Vec<_>>())?;
        let arrays: Result<Vec<Array>> = leaves.iter().map(|leaf| leaf.array().cloned()).collect();
        let sums = sums::sums(values)?;
        let [values, given] = [values, given].map(|vals| vals.iter().map(|&val| val.clone()).collect());
        Ok(Simulation {
            function,
            values,
            given,
            leaves,
            arrays: arrays?,
            sums,
            varying: HashSet::new(),
            stated: false,
            within_kernels: HashSet::new(),
        })
    }

    /// Of `value` as a function of another one that is moved, all else being the same wherever it is moved to: only what is computed
    /// anew is rounded anew. The numbers that `moved` has say nothing of those that it will have.
    ///
    /// # Errors
    /// Where what does not depend on `moved` cannot be evaluated.
    pub(crate) fn along(value: &Val, moved: &Val, fixed: &[&Val]) -> Result<Simulation> {
        let held = piecewise_constant(&[value])?;
        let held: Vec<&Val> =
            held.iter().chain(fixed.iter().copied()).filter(|val| val.id() != moved.id()).collect();
        let function = Function::new(&[moved], &[value], &held)?;
        let (values, sums) = (vec![value.clone()], sums::sums(&[value])?);
        let given = vec![moved.clone()];
        let varying = HashSet::from([moved.order()]);
        Ok(Simulation {
            function,
            values,
            given,
            leaves: Vec::new(),
            arrays: Vec::new(),
            sums,
            varying,
            stated: false,
            within_kernels: HashSet::new(),
        })
    }

    /// Of `value` where all of `moved` are moved, each where it is computed, and rounded; `inputs` are those of them that are computed
    /// from none of the others.
    ///
    /// # Errors
    /// Where it cannot be evaluated.
    pub(crate) fn moving(value: &Val, inputs: &[&Val], moved: &[Val]) -> Result<Simulation> {
        let leaves = inputs.iter().map(|&input| input.clone()).collect();
        let varying = moved.iter().map(Val::order).collect();
        Ok(Simulation { varying, ..Simulation::over(&[value], &[], leaves)? })
    }

    /// The same where what is moved, whose numbers these are, is rounded too.
    pub(crate) fn rounded(self, numbers: &Array) -> Simulation {
        Simulation { leaves: self.given, given: Vec::new(), arrays: vec![numbers.clone()], ..self }
    }

    /// The same where other code computes these within kernels.
    pub(crate) fn with_kernels(self, within_kernels: HashSet<u64>) -> Simulation {
        Simulation { within_kernels, ..self }
    }

    /// The same where other code computes it as it stands here.
    pub(crate) fn stated_so(self) -> Simulation {
        Simulation { stated: true, ..self }
    }

    /// The same where no number of the program is exact, however few digits it has.
    pub(crate) fn where_all_rounds(self) -> Simulation {
        let varying = self.leaves.iter().map(Val::order).collect();
        Simulation { varying, ..self }
    }

    /// The value where the given ones are these arrays.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn exact(&self, given: &[Array]) -> Result<Array> {
        Ok(self.function.call(&self.inputs(given))?.remove(0))
    }

    fn inputs(&self, given: &[Array]) -> Vec<Array> {
        given.iter().chain(&self.arrays).cloned().collect()
    }

    /// The value where the given ones are these arrays, and for each entry how far it moves in units of the relative
    /// perturbation: times the machine epsilon of a precision, its rounding error there. Infinite where that cannot be
    /// told.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn run(&self, given: &[Array]) -> Result<(Array, Vec<f64>)> {
        self.run_with(given, Sums::OWN)
    }

    /// The same for code whose sums round like these.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub(crate) fn run_with(&self, given: &[Array], sums: Sums) -> Result<(Array, Vec<f64>)> {
        let measured = self.measure(given, sums)?;
        let spread = measured.spread();
        Ok((measured.value, spread))
    }

    /// The value and how far it is moved.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub(crate) fn measure(&self, given: &[Array], sums: Sums) -> Result<Measured> {
        Ok(self.measure_all(given, sums)?.remove(0))
    }

    /// Each value and how far it is moved.
    ///
    /// # Errors
    /// Where one cannot be evaluated.
    pub(crate) fn measure_all(&self, given: &[Array], sums: Sums) -> Result<Vec<Measured>> {
        let (values, known) = self.watched(given, sums)?;
        // Their movements by two sizes, and a perturbed result.
        let entries: usize = values.iter().map(Array::len).sum();
        memory::room(3 * size_of::<f64>() * entries)?;
        let inside = RefCell::default();
        let run = Run { simulation: self, known: &known, sums, given, values: &values, inside };
        let [coarse, fine] = sums.sizes();
        let fine = run.moved(fine, sums.samples, None)?;
        let coarse = run.moved(coarse, 0, Some(&fine))?;
        let larger = |(coarse, fine): (&mut f64, f64)| {
            if fine.is_finite() && (fine > *coarse || !coarse.is_finite()) {
                *coarse = fine;
            }
        };
        let mut measured = Vec::new();
        for ((own, value), (moved, fine)) in self.values.iter().zip(values).zip(coarse.into_iter().zip(fine))
        {
            let Moved { most: mut moved, shared } = moved;
            moved.iter_mut().zip(fine.most).for_each(larger);
            let exact = known.exact.is_exact(own, &value);
            measured.push(Measured { value, moved, shared, stored: sums.stores().0, exact });
        }
        Ok(measured)
    }

    /// The values, and what is known of all that they are computed from.
    fn watched(&self, given: &[Array], sums: Sums) -> Result<(Vec<Array>, Known)> {
        let mut known =
            Known { exact: Exact::new(sums.stored), sums: HashMap::new(), drifts: HashMap::new() };
        for (value, array) in self.given.iter().chain(&self.leaves).zip(given.iter().chain(&self.arrays)) {
            known.exact.given(value, array, self.varying.contains(&value.order()));
        }
        let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let results = op.forward(inputs)?;
            known.exact.computed(op, value, inputs, &results);
            if self.varying.contains(&value.order()) {
                known.exact.given(value, &results[value.output()], true);
            }
            if let Some(&products) = self.sums.get(&value.order())
                && sums.in_sequence
                && !known.exact.knows(value.order())
                && !self.within_kernels.contains(&value.order())
            {
                known.sums.insert(value.order(), self.sum(op, value, inputs, &known.exact));
                let drift = drift(op, inputs, &results, products, sums);
                known.drifts.extend(drift.map(|drift| (value.order(), drift)));
            }
            Ok(results)
        };
        let values = self.function.call_by(&self.inputs(given), &mut forward)?;
        Ok((values, known))
    }

    /// What kind of sum an operation is.
    fn sum(&self, op: &dyn Op, value: &Val, inputs: &[&Array], exact: &Exact) -> Sum {
        // Products of given numbers may be stored before they are added up, as those of a broadcast are whose axes are summed over.
        let is_float = |array: &&&Array| array.dtype().is_float();
        let given = || {
            inputs.iter().filter(is_float).count() == 1
                && value.inputs().iter().zip(inputs).all(|(value, array)| exact.is_exact(value, array))
        };
        match keeps_whole(op, inputs) {
            false => Sum::Inside,
            true if self.values.iter().any(|own| own.order() == value.order()) && given() => Sum::OfGiven,
            true => Sum::OfComputed,
        }
    }
}

/// What is known of the values that a simulation runs over.
struct Known {
    exact: Exact,
    sums: HashMap<u64, Sum>,
    /// How far sums of one number drift that is added up again and again, at the most, relative to them.
    drifts: HashMap<u64, f64>,
}

/// How perturbations of one size move a value: each entry at the most, and all together in each sample ([`Measured::shared`]).
struct Moved {
    most: Vec<f64>,
    shared: Vec<[f64; 2]>,
}

/// A simulation on some numbers.
struct Run<'a> {
    simulation: &'a Simulation,
    known: &'a Known,
    sums: Sums,
    given: &'a [Array],
    values: &'a [Array],
    /// How many products an entry adds up, of operations that others run.
    inside: RefCell<HashMap<u64, Option<f64>>>,
}

impl Run<'_> {
    /// How perturbations move each value, the `first` of which is drawn from the seed of this number, in units of `size`; infinite where a
    /// perturbed result is not finite. Beside how far entries are moved otherwise, how far all are together.
    fn moved(&self, size: f64, first: u64, beside: Option<&[Moved]>) -> Result<Vec<Moved>> {
        let all = |number: f64| -> Vec<Moved> {
            let of = |value: &Array| Moved { most: vec![number; value.len()], shared: Vec::new() };
            self.values.iter().map(of).collect()
        };
        let mut found = all(0.0);
        let stored = self.sums.stores().0;
        let [start, end] = self.sums.drawn;
        for sample in start..end {
            let noise = Noise::new(first + sample);
            // A perturbed matrix may be singular where the exact one is not.
            let moved = match self.perturbed(&noise, size) {
                Ok(moved) => moved,
                Err(error) if error.is_memory() => return Err(error),
                Err(_) => return Ok(all(f64::INFINITY)),
            };
            // What a lost number changes is not in proportion to the size of perturbations, 1/∞ as little as ∞.
            if noise.has_lost() {
                let kept = self.perturbed(&Noise::unbounded(first + sample), size)?;
                for (found, (moved, kept)) in found.iter_mut().zip(moved.iter().zip(&kept)) {
                    let changed =
                        moved.as_f64().iter().zip(&*kept.as_f64()).map(|(a, b)| a != b).collect::<Vec<_>>();
                    let most = found.most.iter_mut().zip(changed);
                    most.filter(|(_, changed)| *changed).for_each(|(most, _)| *most = f64::INFINITY);
                }
            }
            for (k, (moved, exact)) in moved.iter().zip(self.values).enumerate() {
                let (moved, exact) = (moved.as_f64(), exact.as_f64());
                let distances = moved.iter().zip(&*exact).map(|(moved, exact)| (moved - exact) / size);
                for (largest, distance) in found[k].most.iter_mut().zip(distances.clone()) {
                    *largest = if distance.is_nan() { f64::INFINITY } else { largest.max(distance.abs()) };
                }
                let Some(beside) = beside else { continue };
                let mut sums = [0.0; 2];
                for ((distance, &exact), beside) in distances.zip(&*exact).zip(&beside[k].most) {
                    let spread = of_both(*beside, stored * exact);
                    if exact != 0.0 && spread > 0.0 && spread.is_finite() {
                        sums[0] += distance * exact;
                        sums[1] += distance / spread;
                    }
                }
                found[k].shared.push(sums);
            }
        }
        Ok(found)
    }

    /// The results of an operation that adds up so many products, where its result is `stored` so coarsely, and may `drift`.
    fn perturbed_sum(
        &self,
        (op, inputs): (&dyn Op, &[&Array]),
        (products, is): (f64, Sum),
        (stored, drift): (f64, f64),
        noise: &Noise,
        size: f64,
    ) -> Result<Vec<Array>> {
        let (_, rounds) = self.sums.stores();
        let (operands, result) = self.sums.perturbations(products, is);
        let operands = if inputs.len() > 1 { operands.max(rounds) } else { operands };
        let inputs: Result<Vec<Array>> =
            inputs.iter().map(|input| noise.perturb_each(input, size * operands)).collect();
        let results = op.forward(&inputs?.iter().collect::<Vec<_>>())?;
        let results = noise.perturb_all(results, size * (stored + result), self.sums, false)?;
        // Numbers that are added up again and again drift to the same side in all sums.
        if drift > 0.0 { noise.scale(results, size * drift) } else { Ok(results) }
    }

    /// Has other code the same number here before it stores it? That of a function of one value it has, `1 - y^2` of a hyperbolic tangent
    /// too; sums and products of several may be put together in another order, but for those that the program states.
    fn knows(&self, op: &dyn Op, value: &Val) -> bool {
        let mut values = value.inputs().iter().filter(|input| !matches!(input.origin(), Origin::Number(_)));
        let is_of_one = values.next().is_none_or(|first| values.all(|other| other.id() == first.id()));
        op.is_elementwise() && (is_of_one || self.simulation.stated)
    }

    /// The results of an operation that another one runs, as a loop does those of its body.
    fn perturbed_inside(
        &self,
        op: &dyn Op,
        value: &Val,
        inputs: &[&Array],
        noise: &Noise,
        size: f64,
    ) -> Result<Vec<Array>> {
        let stores = if self.sums.keeps(op) { self.sums.fineness() } else { self.sums.stores().0 };
        let stored = stores * op.roundings(inputs);
        let known = self.inside.borrow().get(&value.order()).copied();
        let products = match known {
            Some(products) => products,
            None => {
                let products = products(value)?;
                self.inside.borrow_mut().insert(value.order(), products);
                products
            }
        };
        match products {
            Some(products) => {
                self.perturbed_sum((op, inputs), (products, Sum::OfComputed), (stored, 0.0), noise, size)
            }
            None => {
                let mut inside = |op: &dyn Op, value: &Val, inputs: &[&Array]| {
                    self.perturbed_inside(op, value, inputs, noise, size)
                };
                noise.perturb_all(
                    op.forward_by(inputs, &mut inside)?,
                    size * stored,
                    self.sums,
                    self.knows(op, value),
                )
            }
        }
    }

    /// A number that the program states and the format does not hold, as it may be there; any other operand as it is.
    fn stated(&self, of: &Val, array: &Array, noise: &Noise, size: f64) -> Result<Array> {
        match of.origin() {
            Origin::Number(_) if !is_held(array, self.sums.stored) => {
                noise.perturb_each(array, size * self.sums.stores().0)
            }
            _ => Ok(array.clone()),
        }
    }

    /// The values with everything perturbed that rounds, but for their own being stored.
    fn perturbed(&self, noise: &Noise, size: f64) -> Result<Vec<Array>> {
        let simulation = self.simulation;
        let (stores, _) = self.sums.stores();
        let mut inputs = self.given.to_vec();
        for (leaf, array) in simulation.leaves.iter().zip(&simulation.arrays) {
            let is_exact = self.known.exact.is_exact(leaf, array) || is_stated(array);
            let stored = size * stores;
            let array = array.clone();
            inputs.push(if is_exact { array } else { noise.perturb(array, stored, self.sums, false)? });
        }
        // Of what is computed from a value that is asked for, that value is stored; itself it is as it was before.
        let mut asked: HashMap<(u64, usize), Array> = HashMap::new();
        let orders: HashSet<u64> = simulation.values.iter().map(Val::order).collect();
        let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let order = value.order();
            if self.known.exact.knows(order) {
                return op.forward(inputs);
            }
            let is_asked = orders.contains(&order);
            if self.known.exact.moves(order) && !is_asked {
                return op.forward(inputs);
            }
            // Numbers are brought to the format of what they are added to.
            let of_others = self.sums.in_sequence && op.backward_error() == BackwardError::OfTerms;
            let numbers: Vec<Array> = match of_others {
                true => value
                    .inputs()
                    .iter()
                    .zip(inputs)
                    .map(|(of, array)| self.stated(of, array, noise, size))
                    .collect::<Result<_>>()?,
                false => Vec::new(),
            };
            let brought: Vec<&Array> = numbers.iter().collect();
            let inputs = if brought.is_empty() { inputs } else { brought.as_slice() };
            let first = match (op.backward_error(), inputs) {
                (BackwardError::OfEntries, [first, ..]) => Some(noise.perturb_each(first, size * stores)?),
                (BackwardError::OfColumns, [matrix, ..]) => {
                    Some(noise.perturb_matrices(matrix, size * stores)?)
                }
                (BackwardError::OfProducts, [quotient, divisor]) => {
                    Some(noise.perturb_quotient(quotient, divisor, size * stores, self.sums)?)
                }
                _ => None,
            };
            let others = inputs.iter().copied().skip(1);
            let own: Vec<&Array> = match &first {
                Some(first) => std::iter::once(first).chain(others).collect(),
                None => inputs.to_vec(),
            };
            let inputs = own.as_slice();
            let is_kept = self.sums.keeps(op) || simulation.within_kernels.contains(&order);
            let stores = if is_kept { self.sums.fineness() } else { stores };
            let stored = if is_asked { 0.0 } else { stores * op.roundings(inputs) };
            let results = match simulation.sums.get(&order) {
                None => {
                    let mut inside = |op: &dyn Op, value: &Val, inputs: &[&Array]| {
                        self.perturbed_inside(op, value, inputs, noise, size)
                    };
                    let mut results = op.forward_by(inputs, &mut inside)?;
                    if of_others {
                        results[0] =
                            noise.perturb_terms(&results[0], inputs[0], size * self.sums.fineness())?;
                    }
                    noise.perturb_all(results, size * stored, self.sums, self.knows(op, value))?
                }
                Some(&products) => {
                    let is = self.known.sums.get(&order).copied().unwrap_or(Sum::Inside);
                    let drift = self.known.drifts.get(&order).copied().unwrap_or(0.0);
                    self.perturbed_sum((op, inputs), (products, is), (stored, drift), noise, size)?
                }
            };
            if !is_asked {
                return Ok(results);
            }
            let results_of = results.iter().enumerate();
            asked.extend(results_of.map(|(output, result)| ((order, output), result.clone())));
            if simulation.values.len() == 1 {
                return Ok(results);
            }
            noise.perturb_all(results, size * stores, self.sums, false)
        };
        let values = simulation.function.call_by(&inputs, &mut forward)?;
        let own = |(value, stored): (&Val, Array)| {
            asked.get(&(value.order(), value.output())).cloned().unwrap_or(stored)
        };
        Ok(simulation.values.iter().zip(values).map(own).collect())
    }
}

/// How much each entry of each value amplifies rounding errors where they are computed in a precision. Values that are leaves are
/// results that somebody wrote down, which rounding has moved however few digits they have.
///
/// # Errors
/// Where one cannot be evaluated.
pub fn amplification(values: &[&Val], precision: Precision) -> Result<Vec<Vec<f64>>> {
    let is_leaf = |value: &&&Val| matches!(value.origin(), Origin::Leaf);
    let varying = values.iter().filter(is_leaf).map(|value| value.order()).collect();
    let simulation = Simulation { varying, ..Simulation::of_all(values, &[])? };
    let measured = simulation.measure_all(&[], Sums::own(precision))?;
    Ok(measured.iter().map(Measured::spread).collect())
}

/// Is it a whole number by itself, an exponent or a count? Of a negative base no other exponent has a power.
fn is_stated(leaf: &Array) -> bool {
    leaf.ndim() == 0 && leaf.item().is_ok_and(|number| number.fract() == 0.0 && number.abs() <= 256.0)
}

pub(crate) fn float_leaves(values: &[&Val]) -> Vec<Val> {
    let is_leaf = |value: &Val| matches!(value.origin(), Origin::Leaf) && value.dtype().is_float();
    ancestors_of(values).into_iter().filter(is_leaf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_array::DType;
    use pullback_array::random::Generator;

    /// Sums of 4096 products in single precision: the estimate against the error, known from double precision.
    #[test]
    fn the_rounding_inside_of_a_long_sum_is_covered() -> Result<()> {
        let mut generator = Generator::new(7);
        let mut draw = |shape: &[usize]| generator.randn(shape, DType::F32);
        let (a, b) = (draw(&[32, 4096])?, draw(&[4096, 32])?);
        let exact = |array: &Array| array.cast(DType::F64).map(Val::new);
        let product = exact(&a)?.matmul(&exact(&b)?)?;
        let single = Val::new(a).matmul(&Val::new(b))?.array()?.to_vec_f64();
        let epsilon = DType::F32.epsilon();
        let errors = single.iter().zip(product.array()?.to_vec_f64()).map(|(s, d)| (s - d).abs());
        let shares: Vec<f64> = errors
            .zip(amplification(&[&product], Precision::F64)?.remove(0))
            .map(|(error, spread)| error / (epsilon * spread))
            .collect();
        let largest = shares.iter().fold(0.0f64, |largest, share| largest.max(*share));
        // Covered with what a judgement allows beside it, and no thousandfold excuse.
        assert!((8e-3..=8.0).contains(&largest), "{largest}");
        Ok(())
    }

    /// Beside −∞ nothing cancels, and what it hides is not rounded.
    #[test]
    fn a_mask_hides_and_tells_nothing() -> Result<()> {
        let scores = Val::new(Array::from_slice(&[3], &[0.3, -0.7, 1.9])?);
        let mask = Val::new(Array::from_slice(&[3], &[0.0, f64::NEG_INFINITY, 0.0])?);
        let p = (&scores + &mask)?.softmax(0)?;
        let measured = Simulation::new(&p, &[])?.measure(&[], Sums::of(Precision::F32, Precision::F32))?;
        let spread = measured.spread();
        assert!(
            spread.iter().all(|moved| moved.is_finite()) && spread[0] > 0.0 && spread[1] == 0.0,
            "{spread:?}"
        );
        Ok(())
    }

    /// What is stored is rounded, and what scales it by a power of two or turns it around rounds nothing more; another factor does.
    #[test]
    fn what_moves_numbers_rounds_none() -> Result<()> {
        let [x, w] = [[0.75, -1.25, 1.5], [1.25, 0.625, -0.875]]
            .map(|row| Array::from_slice(&[3], &row).map(Val::new));
        let (x, w) = (x?, w?);
        let stored = (&x * &w)?.sin()?;
        let moved = |value: Val| -> Result<Vec<f64>> {
            let sums = Sums::of(Precision::BF16, Precision::F32);
            Ok(Simulation::new(&(&value * &x)?, &[])?.measure(&[], sums)?.moved)
        };
        let once = moved(stored.clone())?;
        assert!(once.iter().all(|&moved| moved > 0.0), "{once:?}");
        assert_eq!(moved((0.5 * &stored)?)?, once.iter().map(|moved| 0.5 * moved).collect::<Vec<_>>());
        assert_eq!(moved((-&stored)?)?, once);
        let more = moved((0.7 * &stored)?)?;
        assert!(more.iter().zip(&once).any(|(more, once)| *more > 0.75 * once), "{more:?} {once:?}");
        Ok(())
    }

    /// A square that half precision has no number for takes with it what it is the divisor of, and nothing else.
    #[test]
    fn what_is_too_large_is_lost() -> Result<()> {
        let x = Val::new(Array::from_slice(&[2], &[3.0, 700.0])?);
        let y = (1.0 / &(&x * &x)?)?;
        let sums = Sums::of(Precision::F16, Precision::F32).storing_all();
        let measured = Simulation::new(&y, &[])?.where_all_rounds().measure(&[], sums)?;
        assert!(measured.moved[0].is_finite() && measured.moved[1] == f64::INFINITY, "{:?}", measured.moved);
        Ok(())
    }

    /// Half of the last digit is the less of a number the nearer that is to the next power of two.
    #[test]
    fn storing_rounds_by_the_last_digit() {
        let sums = Sums::of(Precision::BF16, Precision::F32);
        assert_eq!([1.0, -1.5, 0.25, 6.0].map(|x| sums.rounds(x, false)), [1.0, 1.0 / 1.5, 1.0, 1.0 / 1.5]);
        assert_eq!(sums.rounds(1.5, true), 0.0);
        assert_eq!(Sums::of(Precision::F32, Precision::F32).rounds(1.5, false), 1.0);
    }

    /// The estimate against the true rounding error, known from a closed form or from more digits.
    #[test]
    fn the_estimate_covers_the_error_and_is_no_excuse() -> Result<()> {
        let x = Val::new(Array::from_slice(&[3], &[0.1, 1.0, 7.0])?);
        // A cancellation: (x + 1e8) − 1e8 has an absolute error of about ε·1e8.
        let cancelled = (&(&x + 1e8)? - 1e8)?;
        let error = cancelled.array()?.zip(x.array()?, "off", |a, b| a - b, |a, b| a - b)?.to_vec_f64();
        for (error, spread) in error.iter().zip(amplification(&[&cancelled], Precision::F64)?.remove(0)) {
            assert!(error.abs() <= 8.0 * f64::EPSILON * spread && spread <= 1e10, "{error:e} {spread:e}");
        }
        // Entries of very different sizes have estimates of their own.
        let y = Val::new(Array::from_slice(&[2], &[1e-9, 1e9])?).powf(2.0)?;
        let spread = amplification(&[&y], Precision::F64)?.remove(0);
        assert!(spread[0] < 1e-16 && spread[1] > 1e17, "{spread:?}");
        // A tie is a jump and no rounding error.
        let tied = Val::new(Array::from_slice(&[3], &[2.0, 2.0, 1.0])?).tie_share(&[0])?;
        assert_eq!(amplification(&[&tied], Precision::F64)?.remove(0), [0.5, 0.5, 0.0]);
        // A result whose domain ends within the larger perturbation.
        let edge = (&Val::new(Array::from_slice(&[1], &[1.0 + 1e-10])?) - 1.0)?.sqrt()?;
        assert!(amplification(&[&edge], Precision::F64)?[0][0].is_finite());
        Ok(())
    }
}
