//! How far rounding errors may have moved a result, measured entry by entry.
//!
//! Stochastic arithmetic (Vignes, *A stochastic arithmetic for reliable scientific computation*, 1993) perturbs every
//! intermediate result at random, as rounding does, and watches how far the final one moves. Here the perturbations are
//! much larger than rounding errors and the effect is scaled down: it is linear in their size, and so measured well.
//! What is exact ([`Exact`]) is not perturbed: inputs that the precision can hold, masks, counts. In half of the samples numbers
//! that are the same are rounded the same way, as they are where one code computes them from the same numbers.
//!
//! An operation that adds up many products rounds inside, at every addition: its partial sums grow like the square root of
//! their number, and so does the error of them all beside that of a single product. So the inputs of a sum are perturbed
//! once more for it alone, √n times as much. How many products an entry of a result adds up is told by the price of the
//! operation's own Jacobian.
//!
//! Of other code it is not known how it adds up. One that adds numbers of one sign one by one, as `np.sum` does along rows, has
//! partial sums that grow with their number, and the error of the sum grows like its root. Numbers that are all the same round
//! in one direction for long, and so drift farther: how far is computed, by adding them up. And what computes in 16 bits
//! adds up in 32. [`Sums`] is what is supposed of it.
//!
//! What is piecewise constant (the sign of a value, which element is the largest) is held: a jump is no rounding error. Two
//! sizes are tried, since a badly conditioned program leaves its linear range, or its domain, at the larger one.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use pullback_array::{Array, Precision, memory};
use pullback_autograd::Function;
use pullback_network::Value;
use pullback_ops::{BackwardError, Op, Origin, Result, Val};

use crate::exact::{Exact, is_held, keeps_whole};
use crate::graph::{ancestors, ancestors_of, piecewise_constant};
use crate::limits::SAFETY;

/// The relative sizes of perturbations, both far above double precision's 2⁻⁵².
const COARSE: f64 = 1.0 / (1u64 << 40) as f64;
const FINE: f64 = 1.0 / (1u64 << 46) as f64;

/// How often a result is perturbed by each size, each time at random. Of a gradient of thousands of entries there is one that
/// four perturbations hardly move by chance; eight do.
const SAMPLES: u64 = 4;

/// The same for other code, all of whose entries together are judged too: one rounding that they share is measured at less than
/// half of what it may be once in 2¹⁶ times.
const SAMPLES_OF_OTHERS: u64 = 8;

/// A sum has as many products at the least: of one there is nothing to add.
const LEAST_SUM: f64 = 2.0;

/// The error of n random numbers of one sign that are added one by one is √n/3 times half a machine epsilon of their sum, as a
/// deviation: their partial sums are k/n of it, each rounded at random, and Σ(k/n)² is n/3. A perturbation of √n/3 epsilons
/// at the most has that deviation and a seventh more. NumPy's sums of 200 to 100,000 rows of uniform numbers in f32 are off by
/// less than √n/3 epsilons.
const IN_SEQUENCE: f64 = 1.0 / 3.0;

/// Sums of fewer products may run in the format of 16 bits that they are stored in: so PyTorch's LayerNorm adds up the gradient of
/// its bias on a CPU, row by row, off by 4 epsilons beside the root of the sum of squares for 64 rows. Longer ones run in 32.
const SHORT_SUM: f64 = 64.0;

/// Sums of one number again and again are added up to find out how far they drift, as long as that takes fewer additions.
const MOST_ADDED: f64 = (1u64 << 27) as f64;

/// What is computed is no sample: of the factors that a judgement puts before it, this leaves twice a drift.
const KNOWN: f64 = 2.0 / SAFETY;

/// How the squares of numbers tell that all are the same: the sum of n squares is the square of the sum over n, within this.
const ALL_THE_SAME: f64 = 1e-9;

/// What is known of a sum of other code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sum {
    /// It is part of a function that is computed as a whole.
    Inside,
    /// Its products are those of given numbers, and it is all there is.
    OfGiven,
    /// Its products are computed and stored before, or may be: several contractions can be done in another order.
    OfComputed,
}

/// How results round, and sums beside all else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// The format in which results are stored: what it holds is given to the code exactly.
    stored: Precision,
    /// The format in which sums run.
    runs: Precision,
    /// May they run one by one?
    in_sequence: bool,
    /// May what is computed as a whole be put together of pieces, each of them stored, and lost where it is too large for that?
    in_pieces: bool,
    /// How often each size of perturbations is drawn.
    samples: u64,
}

impl Sums {
    /// Those of this program, in the precision of all else.
    pub(crate) const OWN: Sums = Sums::own(Precision::F64);

    /// Those of a program of the language in some precision.
    pub(crate) const fn own(precision: Precision) -> Sums {
        Sums { stored: precision, runs: precision, in_sequence: false, in_pieces: false, samples: SAMPLES }
    }

    /// Those of other code that runs them in one format and stores them in another.
    pub(crate) fn of(stored: Precision, runs: Precision) -> Sums {
        Sums { stored, runs, in_sequence: true, in_pieces: false, samples: SAMPLES_OF_OTHERS }
    }

    /// The same, where PyTorch's logsumexp is that of a CPU: the largest, and the logarithm of a sum of exponentials, each stored.
    pub(crate) fn in_pieces(self) -> Sums {
        Sums { in_pieces: true, ..self }
    }

    /// The same, drawn as seldom as the program's own: the largest of few samples is less than that of many, so what agrees within it
    /// agrees.
    pub(crate) fn seldom(self) -> Sums {
        Sums { samples: SAMPLES, ..self }
    }

    /// Is what they are perturbed by, in units of their epsilon, no less than what sums of this program are by?
    pub(crate) fn covers_own(self) -> bool {
        self.in_sequence && self.stored == self.runs
    }

    /// The machine epsilon of the format in which they run, in units of that in which results are stored.
    fn fineness(self) -> f64 {
        match (self.stored, self.runs) {
            (stored, runs) if stored == runs => 1.0,
            // Operands are rounded once, by half an epsilon; f32 rounds inside, by a whole one.
            (Precision::TF32, runs) => 2.0 * runs.epsilon() / Precision::TF32.epsilon(),
            (stored, runs) => runs.epsilon() / stored.epsilon(),
        }
    }

    /// How coarsely results are stored, and how coarsely operands of products are rounded before these are added up.
    fn stores(self) -> (f64, f64) {
        if self.stored == Precision::TF32 { (self.fineness(), 1.0) } else { (1.0, 0.0) }
    }

    /// How much the operands of a sum of n products are perturbed, and its result, beside being stored.
    fn perturbations(self, products: f64, is: Sum) -> (f64, f64) {
        let is_whole = is == Sum::Inside && !self.in_pieces;
        let is_short = self.stored.is_of_16_bits() && !is_whole && products < SHORT_SUM;
        let finer = if is_short { 1.0 } else { self.fineness() };
        let root = products.sqrt() * finer;
        // One by one, the partial sums of n random numbers are n/2 times the square of one in the mean, and each is rounded.
        let root = if self.in_sequence { root / 2f64.sqrt() } else { root };
        let operands = if is == Sum::OfComputed { root.max(self.stores().0) } else { root };
        (operands, if self.in_sequence { IN_SEQUENCE * products.sqrt() * finer } else { 0.0 })
    }

    /// What becomes of a stored number that is too small for the format, as a share of it and in units of its epsilon.
    fn underflow(self, number: f64) -> f64 {
        let (least, size) = (self.stored.underflow(), number.abs());
        // Half precision loses digits before it loses numbers; where others lose them all is taken for zero.
        let reach = if self.stored == Precision::F16 { least / self.stored.epsilon() } else { least };
        if size == 0.0 || size >= reach { 0.0 } else { (least / size).min(1.0) / self.stored.epsilon() }
    }

    /// Is a number too large to be stored, where everything is?
    fn overflows(self, number: f64) -> bool {
        self.in_pieces && number.abs() > self.stored.largest()
    }

    /// How far n times a number is off where it is added up one by one, relative to it and in units of the epsilon of what is
    /// stored.
    fn drift(self, number: f64, products: f64) -> f64 {
        let count = products.round();
        let (mut single, mut double) = (0.0f32, 0.0f64);
        for _ in 0..count as u64 {
            single += number as f32;
            double += number;
        }
        let off = match self.runs {
            Precision::F64 => (double / (count * number) - 1.0).abs() / f64::EPSILON,
            _ => {
                (f64::from(single) / (count * f64::from(number as f32)) - 1.0).abs() / f64::from(f32::EPSILON)
            }
        };
        if off.is_finite() { off * self.fineness() } else { 0.0 }
    }
}

/// A value, and how far rounding moves it.
pub(crate) struct Measured {
    pub value: Array,
    /// How far each entry is moved by everything but being stored itself, in units of the relative perturbation; infinite where
    /// that cannot be told.
    pub moved: Vec<f64>,
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

    /// The same, of these entries.
    pub(crate) fn spreads<'a>(&'a self, entries: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        entries.iter().zip(&self.moved).map(|(entry, moved)| moved.hypot(self.stored * entry))
    }
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
        let sums = sums(values)?;
        let [values, given] = [values, given].map(|vals| vals.iter().map(|&val| val.clone()).collect());
        Ok(Simulation { function, values, given, leaves, arrays: arrays?, sums, varying: HashSet::new() })
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
        let (values, sums) = (vec![value.clone()], sums(&[value])?);
        let given = vec![moved.clone()];
        let varying = HashSet::from([moved.order()]);
        Ok(Simulation { function, values, given, leaves: Vec::new(), arrays: Vec::new(), sums, varying })
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
        // What is perturbed least is to move by more than double precision rounds.
        let [coarse, fine] = [COARSE, FINE].map(|size| size / sums.stores().0);
        let (mut coarse, fine) = (run.moved(coarse, 0)?, run.moved(fine, sums.samples)?);
        let larger = |(coarse, fine): (&mut f64, f64)| {
            if fine.is_finite() && (fine > *coarse || !coarse.is_finite()) {
                *coarse = fine;
            }
        };
        for (coarse, fine) in coarse.iter_mut().zip(fine) {
            coarse.iter_mut().zip(fine).for_each(larger);
        }
        let measured = |((own, value), moved): ((&Val, Array), Vec<f64>)| {
            let exact = known.exact.is_exact(own, &value);
            Measured { value, moved, stored: sums.stores().0, exact }
        };
        Ok(self.values.iter().zip(values).zip(coarse).map(measured).collect())
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
        let given = || value.inputs().iter().zip(inputs).all(|(value, array)| exact.is_exact(value, array));
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

/// How far an operation's sums drift at the most, of those that add up one number again and again; `None` where none does.
fn drift(op: &dyn Op, inputs: &[&Array], results: &[Array], products: f64, sums: Sums) -> Option<f64> {
    let square = |array: &&Array| array.map(|x| x * x, |x| x * x).ok();
    let squares: Vec<Array> = inputs.iter().map(square).collect::<Option<_>>()?;
    let of_squares = op.forward(&squares.iter().collect::<Vec<_>>()).ok()?;
    let pairs = results
        .iter()
        .zip(&of_squares)
        .flat_map(|(result, squares)| result.to_vec_f64().into_iter().zip(squares.to_vec_f64()));
    let is_same = |(sum, squares): &(f64, f64)| {
        *sum != 0.0 && (sum * sum / (products * squares) - 1.0).abs() < ALL_THE_SAME
    };
    let mut numbers: Vec<f64> = pairs.filter(is_same).map(|(sum, _)| (sum / products).abs()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    if numbers.is_empty() || numbers.len() as f64 * products > MOST_ADDED {
        return None;
    }
    let largest = numbers.into_iter().map(|number| sums.drift(number, products)).fold(0.0, f64::max);
    Some(KNOWN * largest)
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
    /// The largest movement of each entry of each value by as many perturbations as are drawn, the `first` of which is drawn
    /// from the seed of this number, in units of `size`; infinite where a perturbed result is not finite.
    fn moved(&self, size: f64, first: u64) -> Result<Vec<Vec<f64>>> {
        let all = |number: f64| self.values.iter().map(|value| vec![number; value.len()]).collect();
        let mut largest: Vec<Vec<f64>> = all(0.0);
        for sample in first..first + self.sums.samples {
            let noise = Noise::new(sample);
            // A perturbed matrix may be singular where the exact one is not.
            let moved = match self.perturbed(&noise, size) {
                Ok(moved) => moved,
                Err(error) if error.is_memory() => return Err(error),
                Err(_) => return Ok(all(f64::INFINITY)),
            };
            for ((largest, moved), exact) in largest.iter_mut().zip(moved).zip(self.values) {
                for (largest, (moved, exact)) in
                    largest.iter_mut().zip(moved.as_f64().iter().zip(&*exact.as_f64()))
                {
                    let distance = (moved - exact).abs() / size;
                    *largest = if distance.is_nan() { f64::INFINITY } else { largest.max(distance) };
                }
            }
        }
        Ok(largest)
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
        noise.perturb_all(results, size * (stored + result.max(drift)), self.sums)
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
        let stored = self.sums.stores().0 * op.roundings(inputs);
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
                noise.perturb_all(op.forward_by(inputs, &mut inside)?, size * stored, self.sums)
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
            inputs.push(if is_exact { array } else { noise.perturb(array, stored, self.sums)? });
        }
        // Of what is computed from a value that is asked for, that value is stored; itself it is as it was before.
        let mut asked: HashMap<(u64, usize), Array> = HashMap::new();
        let orders: HashSet<u64> = simulation.values.iter().map(Val::order).collect();
        let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
            let order = value.order();
            if self.known.exact.knows(order) {
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
                _ => None,
            };
            let others = inputs.iter().copied().skip(1);
            let own: Vec<&Array> = match &first {
                Some(first) => std::iter::once(first).chain(others).collect(),
                None => inputs.to_vec(),
            };
            let inputs = own.as_slice();
            let is_asked = orders.contains(&order);
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
                    noise.perturb_all(results, size * stored, self.sums)?
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
            noise.perturb_all(results, size * stores, self.sums)
        };
        let values = simulation.function.call_by(&inputs, &mut forward)?;
        let own = |(value, stored): (&Val, Array)| {
            asked.get(&(value.order(), value.output())).cloned().unwrap_or(stored)
        };
        Ok(simulation.values.iter().zip(values).map(own).collect())
    }
}

/// Numbers between −1 and 1 that have nothing to do with one another: SplitMix64 (Steele, Lea and Flood, *Fast splittable
/// pseudorandom number generators*, 2014). A simulation draws more of them than it computes anything else.
struct Noise {
    state: Cell<u64>,
    /// Are numbers that are the same perturbed by the same?
    alike: bool,
}

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise { state: Cell::new(seed << 32), alike: !seed.is_multiple_of(2) }
    }

    fn next(&self) -> f64 {
        Noise::drawn(&self.state)
    }

    fn drawn(state: &Cell<u64>) -> f64 {
        state.set(state.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        Noise::mixed(state.get())
    }

    /// What draws many numbers draws them from a state of its own, which no write to an array can change, so that it stays in a register.
    fn drawing<R>(&self, of: impl FnOnce(&Cell<u64>) -> R) -> R {
        let state = Cell::new(self.state.get());
        let result = of(&state);
        self.state.set(state.get());
        result
    }

    fn mixed(state: u64) -> f64 {
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper 53 bits, with their sign.
        ((mixed ^ (mixed >> 31)) as i64 >> 11) as f64 / (1u64 << 52) as f64
    }

    /// Every element times a number within `size` of 1, farther where it is too small to be stored. What a broadcast array
    /// repeats is one number, rounded once.
    fn perturb(&self, array: Array, size: f64, sums: Sums) -> Result<Array> {
        if !array.dtype().is_float() || size == 0.0 {
            return Ok(array);
        }
        // Rounding depends on the digits of a number, not on its exponent or its sign.
        const DIGITS: u64 = (1 << 52) - 1;
        self.next();
        let by = |x: f64| if sums.overflows(x) { f64::INFINITY } else { size * (1.0 + sums.underflow(x)) };
        if self.alike {
            let state = self.state.get();
            let of = |x: f64| 1.0 + by(x) * Noise::mixed(state ^ (x.to_bits() & DIGITS));
            return Ok(array.map_into(|x| x * of(x.into()) as f32, |x| x * of(x))?);
        }
        self.drawing(|state| {
            let of = |x: f64| 1.0 + by(x) * Noise::drawn(state);
            Ok(array.map_into(|x| x * of(x.into()) as f32, |x| x * of(x))?)
        })
    }

    fn perturb_all(&self, arrays: Vec<Array>, size: f64, sums: Sums) -> Result<Vec<Array>> {
        arrays.into_iter().map(|array| self.perturb(array, size, sums)).collect()
    }

    /// Matrices whose entries are off by as much as a rounding of the largest one in their column; in half of the samples, in their row.
    fn perturb_matrices(&self, array: &Array, size: f64) -> Result<Array> {
        let (numbers, shape) = (array.to_vec_f64(), array.shape());
        let [.., rows, columns] = *shape else { return Ok(array.clone()) };
        if !array.dtype().is_float() || size == 0.0 || numbers.is_empty() {
            return Ok(array.clone());
        }
        let mut moved = numbers.clone();
        for (matrix, moved) in numbers.chunks(rows * columns).zip(moved.chunks_mut(rows * columns)) {
            let line = |at: usize| if self.alike { at / columns } else { at % columns };
            let mut largest = vec![0.0f64; rows.max(columns)];
            matrix.iter().enumerate().for_each(|(at, x)| largest[line(at)] = largest[line(at)].max(x.abs()));
            moved.iter_mut().enumerate().for_each(|(at, x)| *x += size * largest[line(at)] * self.next());
        }
        Ok(Array::from_vec(shape, moved)?.cast(array.dtype())?)
    }

    /// A sum or a difference, each entry of which is off by as much as a rounding of what cancels in it: the sizes of its terms, of which
    /// this is the first, without its own.
    fn perturb_terms(&self, sum: &Array, first: &Array, size: f64) -> Result<Array> {
        if !sum.dtype().is_float() || size == 0.0 {
            return Ok(sum.clone());
        }
        let first = first.cast(sum.dtype())?.broadcast_to(sum.shape())?;
        self.drawing(|state| {
            // The other one is what the first is off by.
            let of = |sum: f64, a: f64| {
                let cancelled = a.abs() + (a - sum).abs() - sum.abs();
                // Nothing cancels beside what hides all else, −∞.
                if cancelled.is_finite() { size * cancelled * Noise::drawn(state) } else { 0.0 }
            };
            Ok(sum.zip(&first, "terms", |x, a| x + of(x.into(), a.into()) as f32, |x, a| x + of(x, a))?)
        })
    }

    /// Every element times such a number of its own, as where others stand beside equal ones in their sums.
    fn perturb_each(&self, array: &Array, size: f64) -> Result<Array> {
        if !array.dtype().is_float() || size == 0.0 {
            return Ok(array.clone());
        }
        self.drawing(|state| {
            let of = || 1.0 + size * Noise::drawn(state);
            Ok(array.map(|x| x * of() as f32, |x| x * of())?)
        })
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

/// The applications that values depend on whose entries are sums, with the number of products in each.
fn sums(values: &[&Val]) -> Result<HashMap<u64, f64>> {
    let mut found: HashMap<u64, f64> = HashMap::new();
    for value in ancestors_of(values) {
        if let Some(products) = products(&value)? {
            let known = found.entry(value.order()).or_insert(products);
            *known = known.max(products);
        }
    }
    Ok(found)
}

/// How many products an entry of a value adds up. `None`: it is no sum, or rounds as the operations do that it runs.
fn products(value: &Val) -> Result<Option<f64>> {
    if matches!(value.origin(), Origin::Call(op, _) if op.inner_work() > 0.0) {
        return Ok(None);
    }
    let entries: f64 = value.shape().iter().map(|&size| size as f64).product();
    let mut most: Option<f64> = None;
    for (k, input) in value.inputs().iter().enumerate() {
        // An operation cannot add up more products by one input than that one has entries.
        if entries == 0.0 || (input.shape().iter().product::<usize>() as f64) < LEAST_SUM {
            continue;
        }
        let products = value.jacobian(k)?.jvp_flops() / entries;
        if products >= LEAST_SUM && products.is_finite() {
            most = Some(most.map_or(products, |most| most.max(products)));
        }
    }
    Ok(most)
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
