//! What is found out once for all claims about one output.
//!
//! A file claims many derivatives of one scalar y, by its inputs and by the values on the way. Gone through one by one, entry by
//! entry, each costs as many runs of the program as it has entries, and all together grow with the square of the program. But what
//! the routes say does not depend on what is claimed. So for a program where that would be dear they are taken once, by all these values
//! together: reverse mode in one walk, rounding in one simulation, and differences along directions that move everything at once.
//!
//! Each value v by which a derivative is asked for is moved where it is computed, by t·z_v, and so is all that is computed from it:
//!
//! ```text
//! d/dt y(…, v + t z_v, …)  =  Σ_v ⟨∂y/∂v, z_v⟩         z_v = (random numbers, normally distributed) / ‖c_v‖
//! ```
//!
//! where c_v is what reverse mode gives for ∂y/∂v. The left side is told by differences of the whole program, which share nothing
//! with the rules; the right side by reverse mode, and once more by forward mode, which contracts the same networks in the opposite
//! order. Where all three agree, along every direction, within what differences and rounding leave open, the rules are right here.
//!
//! **What that guarantees.** Where the program is smooth, and c_v is off by Δ: the right side is off by a normally distributed number
//! with the deviation ‖Δ‖/‖c_v‖ or more, whatever else is off, since all z are independent. Differences may be off by a tolerance
//! themselves, so that what is off by less than two may pass. If ‖Δ‖/‖c_v‖ is M tolerances or more, a direction misses it with probability
//! P(|z| < 2/M) < 1.6/M, and [`DIRECTIONS_OF_ALL`] = 3 of them with M = 160 miss one in a million, for each value v. So many tolerances
//! are to be no more than a hundredth of ‖c_v‖, or nothing is concluded; they are some millionths of it as a rule. It is ‖Δ‖ of
//! which that is said: of a rule that is wrong in entries which are a hundredth of that by their sizes nothing is promised. Nor does forward
//! mode add to it, which uses the same rules; it would find a sum that is accumulated wrongly.
//!
//! What would spoil that is left to be judged by itself: a value by which reverse mode gives zero, and one that moves y by less than
//! [`LEAST_MOVED`] of what another one does, since its share would drown; and all values together where they move what a payload of a
//! gradient has a jump at, where a direction shows a kink, and where the three do not agree: there each claim goes its own way, which says where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_autograd::{Function, pullback, pushforward};
use pullback_network::Value as _;
use pullback_ops::{Op, Result, Val};

use crate::allowance::Allowance;
use crate::claim::{Claim, Rounding, Subject};
use crate::convention::{AtJump, at_jumps};
use crate::differences::{Effort, Noise, derivative};
use crate::evidence::{Case, Derived, Evidence, Gap, Scale, norm};
use crate::flips::flips;
use crate::graph::{ancestors, ancestors_of};
use crate::kink::kinks;
use crate::layout::{from_tensor, to_tensor};
use crate::limits::{DIRECTIONS_OF_ALL, LEAST_MOVED, MOST_TRUNCATION, SAFETY, TOLERANCES_OF_ALL};
use crate::other_code::Pulled;
use crate::rounding::{Measured, Simulation, Sums, float_leaves};
use crate::routes::{are_dear, lengths};
use crate::verdict::{Judgement, Note};
use crate::zero::Sizes;

/// How far values are moved to see what leaves a jump, in units of their sizes.
const NUDGE: f64 = 1e-6;

/// What is known of derivatives before any of them is claimed.
#[derive(Default)]
pub struct Survey {
    found: HashMap<(u64, u64), Surveyed>,
}

/// What is known of one of them.
pub(crate) struct Surveyed {
    /// By reverse mode, and how far rounding moves each entry.
    own: Arc<Measured>,
    /// The same where it is computed in these precisions.
    measured: BTreeMap<Precision, Arc<Measured>>,
    /// The direction of each run, and what the others but this value leave of the slope.
    shares: Vec<Share>,
}

impl Surveyed {
    fn gradient(&self) -> &Array {
        &self.own.value
    }
}

/// A value's share of the slope along a direction.
struct Share {
    seed: u64,
    /// By which its random numbers are divided.
    norm: f64,
    by_differences: f64,
    by_network: f64,
    /// How far both may be off.
    error: f64,
    rounding: f64,
}

impl Share {
    fn direction(&self, shape: &[usize]) -> Result<Array> {
        direction(self.seed, self.norm, shape)
    }
}

fn direction(seed: u64, norm: f64, shape: &[usize]) -> Result<Array> {
    let numbers = Generator::new(seed).randn(shape, DType::F64)?;
    Ok(numbers.map(|z| z / norm as f32, |z| z / norm)?)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The sum of the sizes of products.
fn reach(errors: impl Iterator<Item = f64>, along: &[f64]) -> f64 {
    errors.zip(along).map(|(error, z)| error * z.abs()).sum()
}

impl Survey {
    /// Of claims, each with what it is about.
    ///
    /// # Errors
    /// Where memory does not suffice, or a program cannot be evaluated or differentiated.
    pub fn new(claims: &[(Subject, &Claim)]) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut groups: BTreeMap<u64, Vec<&(Subject, &Claim)>> = BTreeMap::new();
        for asked in claims.iter().filter(|(subject, _)| is_of_a_scalar(subject)) {
            groups.entry(asked.0.of.id()).or_default().push(asked);
        }
        for group in groups.values() {
            survey.found.extend(Together::new(group)?.map_or_else(|| Ok(HashMap::new()), Together::found)?);
        }
        Ok(survey)
    }

    /// What is known of what a claim is about.
    pub(crate) fn of(&self, subject: &Subject, claim: &Claim) -> Option<&Surveyed> {
        let serves = |known: &&Surveyed| match claim.rounding {
            Rounding::Measured(_) => true,
            Rounding::Unknown(precision) => known.measured.contains_key(&precision),
        };
        let key = (subject.of.id(), subject.last().id());
        self.found.get(&key).filter(|_| is_of_a_scalar(subject)).filter(serves)
    }
}

/// Is it the gradient of a scalar, along all paths?
fn is_of_a_scalar(subject: &Subject) -> bool {
    let [x] = subject.wrt.as_slice() else { return false };
    let is_double = |value: &Val| value.dtype() == DType::F64;
    subject.of.ndim() == 0
        && subject.fixed.is_empty()
        && !subject.symmetric
        && is_double(&subject.of)
        && is_double(x)
        && x.id() != subject.of.id()
}

/// The values by which derivatives of one scalar are asked for.
struct Together {
    y: Val,
    one: Val,
    values: Vec<Val>,
    /// By reverse mode.
    gradients: Vec<Val>,
    /// Payloads of these at their jumps.
    jumps: Vec<AtJump>,
    norms: Vec<f64>,
    /// The lengths over which y may be expected to change with t, in falling order.
    scales: Vec<f64>,
    precisions: Vec<Precision>,
}

impl Together {
    /// `None`: they are cheap enough to be asked one by one, or not to be asked together.
    fn new(asked: &[&(Subject, &Claim)]) -> Result<Option<Together>> {
        let y = asked[0].0.of.clone();
        let mut values: BTreeMap<(u64, usize), Val> = BTreeMap::new();
        for (subject, _) in asked {
            let value = subject.last();
            values.insert((value.order(), value.output()), value.clone());
        }
        let values: Vec<Val> = values.into_values().collect();
        if !are_dear(&y, &values)? {
            return Ok(None);
        }
        let one = Val::new(Array::ones(&[], DType::F64)?);
        let gradients = pullback(&[(&y, &one)], &values.iter().collect::<Vec<_>>(), &[])?;
        let known: Vec<(Val, Val)> = values
            .into_iter()
            .zip(gradients)
            .filter_map(|(value, gradient)| Some((value, gradient?)))
            .collect();
        let gradients: Vec<&Val> = known.iter().map(|(_, gradient)| gradient).collect();
        let jumps = at_jumps(&gradients, known.iter().map(|(value, _)| value))?;
        let arrays = Whole::new(&[], &gradients)?.call(&[])?;
        let mut sizes = Sizes::default();
        for value in ancestors(&y).iter().filter(|value| value.dtype().is_float()) {
            sizes.of(value)?;
        }
        // How far y moves with each, and over which lengths.
        let mut moved: Vec<(Val, Val, f64, [f64; 3])> = Vec::new();
        for ((value, gradient), array_of) in known.into_iter().zip(arrays) {
            let norm = norm(&array_of.as_f64());
            let (array, size) = (value.array()?, sizes.of(&value)?);
            if norm.is_finite() && array_of.max_abs() > 0.0 && array.max_abs() >= size {
                let lengths = lengths(&array.to_vec_f64()).map(|length| length * norm);
                moved.push((value, gradient, norm, lengths));
            }
        }
        let most = moved.iter().map(|(.., lengths)| lengths[0]).fold(0.0, f64::max);
        moved.retain(|(.., lengths)| lengths[2] >= LEAST_MOVED * most);
        if moved.is_empty() {
            return Ok(None);
        }
        let least =
            |which: usize| moved.iter().map(|(.., lengths)| lengths[which]).fold(f64::INFINITY, f64::min);
        let mut scales: Vec<f64> = (0..3).map(least).collect();
        scales.sort_by(|a, b| b.total_cmp(a));
        scales.dedup();
        let mut precisions: Vec<Precision> = asked
            .iter()
            .filter_map(|(_, claim)| match claim.rounding {
                Rounding::Unknown(precision) => Some(precision),
                Rounding::Measured(_) => None,
            })
            .collect();
        precisions.sort();
        precisions.dedup();
        let norms = moved.iter().map(|(_, _, norm, _)| *norm).collect();
        let (values, gradients) = moved.into_iter().map(|(value, gradient, ..)| (value, gradient)).unzip();
        Ok(Some(Together { y, one, values, gradients, jumps, norms, scales, precisions }))
    }

    /// What is found; nothing where the routes do not agree.
    fn found(self) -> Result<HashMap<(u64, u64), Surveyed>> {
        let Some(slopes) = self.slopes()? else { return Ok(HashMap::new()) };
        let simulation = Simulation::of_all(&self.gradients.iter().collect::<Vec<_>>(), &[&self.one])?;
        let unit = [self.one.array()?.clone()];
        let mut measured: BTreeMap<Precision, Vec<Arc<Measured>>> = BTreeMap::new();
        let all = |sums: Sums| -> Result<Vec<Arc<Measured>>> {
            Ok(simulation.measure_all(&unit, sums)?.into_iter().map(Arc::new).collect())
        };
        for &precision in &self.precisions {
            measured.insert(precision, all(Sums::of(precision, precision.accumulator()))?);
        }
        let covers_own = |precision: &&Precision| Sums::of(**precision, precision.accumulator()).covers_own();
        let own = match measured.keys().find(covers_own) {
            Some(precision) => measured[precision].clone(),
            None => all(Sums::OWN)?,
        };
        let of = |(number, own): (usize, Arc<Measured>)| {
            let of_each = measured.iter().map(|(&precision, measured)| (precision, measured[number].clone()));
            Surveyed { own, measured: of_each.collect(), shares: Vec::new() }
        };
        let mut found: Vec<Surveyed> = own.into_iter().enumerate().map(of).collect();
        drop(simulation);
        for (run, slope) in slopes.into_iter().enumerate() {
            let mut shares = Vec::new();
            let mut rounding = 0.0;
            for (number, known) in found.iter().enumerate() {
                let z = self.direction(run, number)?;
                let (entries, z) = (known.gradient().as_f64(), z.as_f64());
                shares.push(dot(&entries, &z));
                rounding += SAFETY * f64::EPSILON * reach(known.own.spreads(&entries), &z);
            }
            let all: f64 = shares.iter().sum();
            let error = SAFETY * slope.error;
            // Each value's share is of size 1.
            if TOLERANCES_OF_ALL * (error + rounding) > MOST_TRUNCATION {
                return Ok(HashMap::new());
            }
            let off = |other: f64| (all - other).abs() > error + rounding;
            if off(slope.by_differences)
                || (all - slope.by_network).abs() > rounding + SAFETY * slope.rounding
            {
                return Ok(HashMap::new());
            }
            for (number, known) in found.iter_mut().enumerate() {
                known.shares.push(Share {
                    seed: seed(run, number),
                    norm: self.norms[number],
                    by_differences: slope.by_differences - (all - shares[number]),
                    by_network: slope.by_network - (all - shares[number]),
                    error,
                    rounding: rounding + SAFETY * slope.rounding,
                });
            }
        }
        let keys = self.values.iter().map(|value| (self.y.id(), value.id()));
        Ok(keys.zip(found).collect())
    }

    fn direction(&self, run: usize, number: usize) -> Result<Array> {
        direction(seed(run, number), self.norms[number], &self.values[number].shape())
    }

    /// Does anything move that is at a jump of a payload? What a mask of zeros holds there does not.
    fn leaves_a_jump(&self, directions: &[Array]) -> Result<bool> {
        let inputs: Vec<&Val> = self.jumps.iter().map(|jump| &jump.input).collect();
        let moving = Moving::new(&inputs, &self.values)?;
        let nudge = NUDGE * self.scales[self.scales.len() - 1];
        for t in [nudge, -nudge] {
            for (jump, moved) in self.jumps.iter().zip(moving.at(t, directions)?) {
                let (moved, stated) = (moved.as_f64(), jump.input.array()?.as_f64());
                if jump.entries.iter().any(|&entry| moved[entry] != stated[entry]) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The slopes along all directions; `None` where one cannot be told.
    fn slopes(&self) -> Result<Option<Vec<Slope>>> {
        let moving = Moving::new(&[&self.y], &self.values)?;
        let value = self.y.array()?.item()?;
        let spread = Simulation::moving(&self.y, &moving.inputs(), &self.values)?.run(&[])?.1;
        let noise = Noise { here: vec![4.0 * f64::EPSILON * spread[0]], per_step: vec![0.0] };
        let tangents: Result<Vec<Val>> =
            self.values.iter().map(|value| Ok(Val::new(Array::zeros(&value.shape(), DType::F64)?))).collect();
        let tangents = tangents?;
        let pairs: Vec<(&Val, &Val)> = self.values.iter().zip(&tangents).collect();
        let Some(pushed) = pushforward(&pairs, &[&self.y], &[])?.remove(0) else { return Ok(None) };
        let forward = Whole::new(&tangents.iter().collect::<Vec<_>>(), &[&pushed])?;
        let mut slopes = Vec::new();
        for run in 0..DIRECTIONS_OF_ALL {
            let directions: Result<Vec<Array>> =
                (0..self.values.len()).map(|number| self.direction(run, number)).collect();
            let directions = directions?;
            if run == 0 && self.leaves_a_jump(&directions)? {
                return Ok(None);
            }
            let by_network = forward.call(&directions)?[0].item()?;
            let mut refused = None;
            let mut along = |t: f64| match moving.at(t, &directions) {
                Ok(y) => Some(y[0].to_vec_f64()).filter(|y| y[0].is_finite()),
                Err(error) => {
                    refused = error.is_memory().then_some(error);
                    None
                }
            };
            let reach = self.scales[0];
            let estimate = derivative(&mut along, &noise, &self.scales, reach, Effort::Enough);
            let is_kinked = run == 0
                && !kinks(&mut along, &[value], &noise.here, self.scales[self.scales.len() - 1]).is_empty();
            if let Some(error) = refused {
                return Err(error);
            }
            if is_kinked || !estimate.error[0].is_finite() {
                return Ok(None);
            }
            let (by_differences, error) = (estimate.value[0], estimate.error[0]);
            // Forward mode adds up as many products as reverse mode does, and of the same sizes.
            let rounding = f64::EPSILON * (self.values.len() as f64).sqrt() * by_network.abs().max(1.0);
            slopes.push(Slope { by_differences, error, by_network, rounding });
        }
        Ok(Some(slopes))
    }
}

fn seed(run: usize, number: usize) -> u64 {
    0x73_7572_7665_7900 + (number * DIRECTIONS_OF_ALL + run) as u64
}

/// A program that is run from its inputs on, so that nothing of it is held but what is still to be read.
struct Whole {
    function: Function,
    leaves: Vec<Val>,
}

impl Whole {
    /// Values, as a function of some leaves; the others are as they are.
    fn new(given: &[&Val], values: &[&Val]) -> Result<Whole> {
        let is_given = |leaf: &Val| given.iter().any(|given| given.id() == leaf.id());
        let leaves: Vec<Val> = float_leaves(values).into_iter().filter(|leaf| !is_given(leaf)).collect();
        let inputs: Vec<&Val> = given.iter().copied().chain(&leaves).collect();
        Ok(Whole { function: Function::new(&inputs, values, &[])?, leaves })
    }

    fn call(&self, given: &[Array]) -> Result<Vec<Array>> {
        let mut arrays = given.to_vec();
        for leaf in &self.leaves {
            arrays.push(leaf.array()?.clone());
        }
        self.function.call(&arrays)
    }
}

/// The slope along a direction of all values.
struct Slope {
    by_differences: f64,
    error: f64,
    by_network: f64,
    rounding: f64,
}

/// A program in which some values are moved where they are computed.
struct Moving<'a> {
    function: Function,
    values: &'a [Val],
    /// Which of them are computed from none of the others, and the places of the rest.
    first: Vec<usize>,
    moved: HashMap<(u64, usize), usize>,
}

impl<'a> Moving<'a> {
    fn new(outputs: &[&Val], values: &'a [Val]) -> Result<Moving<'a>> {
        let asked: HashMap<u64, usize> =
            values.iter().enumerate().map(|(k, value)| (value.id(), k)).collect();
        let mut changing: HashSet<u64> = HashSet::new();
        let (mut first, mut moved) = (Vec::new(), HashMap::new());
        for value in ancestors_of(outputs) {
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
        Ok(Moving { function: Function::new(&inputs, outputs, &[])?, values, first, moved })
    }

    fn inputs(&self) -> Vec<&Val> {
        self.first.iter().map(|&number| &self.values[number]).collect()
    }

    fn arrays(&self) -> Result<Vec<Array>> {
        self.inputs().into_iter().map(|input| input.array().cloned()).collect()
    }

    /// The outputs where each value is moved by t times its direction.
    fn at(&self, t: f64, directions: &[Array]) -> Result<Vec<Array>> {
        let by = |array: &Array, number: usize| {
            array.zip(&directions[number], "move", |x, z| x + t as f32 * z, |x, z| x + t * z)
        };
        let inputs: pullback_array::Result<Vec<Array>> =
            self.arrays()?.iter().zip(&self.first).map(|(array, &number)| by(array, number)).collect();
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

impl Case<'_> {
    /// What the routes say of a claim about a derivative that is known. `None`: it is not finite.
    pub(crate) fn surveyed(&self, known: &Surveyed, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        let shape = self.claim.array.shape();
        judgement.expected = Some(from_tensor(known.gradient(), 0, shape, self.claim.layout)?);
        judgement.notes.push(Note::Together(DIRECTIONS_OF_ALL));
        let (mut claimed, right) = (self.tensor.to_vec_f64(), known.gradient().to_vec_f64());
        let mut allowance = match &self.claim.rounding {
            Rounding::Measured(errors) => {
                let errors = to_tensor(errors, &self.y, &self.x, self.claim.layout)?;
                Allowance::of_errors(errors.to_vec_f64())
            }
            Rounding::Unknown(precision) => Allowance::of(*precision, [&*known.measured[precision]]),
        };
        // And what double precision does to both.
        let own = |spread: f64, claimed: f64| f64::EPSILON * (spread + claimed.abs());
        let entries = known.own.spreads(&right).zip(&claimed).map(|(spread, claimed)| own(spread, *claimed));
        let entries = entries.zip(allowance.most.iter_mut().zip(&mut allowance.measured));
        entries
            .for_each(|(own, (most, measured))| (*most, *measured) = (*most + SAFETY * own, *measured + own));
        let is_off = |claimed: &[f64], allowance: &Allowance| {
            (0..claimed.len()).any(|p| (claimed[p] - right[p]).abs() > allowance.most[p])
        };
        let mut turned = None;
        if let Rounding::Unknown(precision) = &self.claim.rounding
            && is_off(&claimed, &allowance)
            && let Some(pulled) = Pulled::new(&self.reduced.derivative())?
        {
            turned = flips(&pulled, *precision, &claimed, &right, &allowance.most)?;
        }
        if let Some(flips) = &turned {
            allowance.or(&flips.allowance);
            claimed.iter_mut().zip(&flips.moves).for_each(|(claimed, moved)| *claimed -= moved);
        }
        if is_off(&claimed, &allowance) {
            let epsilon = self.claim.precision.epsilon();
            let least = epsilon * epsilon * right.iter().fold(0.0f64, |most, entry| most.max(entry.abs()));
            allowance.or(&Allowance::of_errors(vec![least / SAFETY; claimed.len()]));
        }
        let Allowance { most: rounding, measured } = allowance;
        let of_routes = |p: usize| match &self.claim.rounding {
            Rounding::Measured(_) => rounding[p],
            Rounding::Unknown(_) => {
                SAFETY * f64::EPSILON * known.own.moved[p].hypot(known.own.stored * right[p])
            }
        };
        let gaps = (0..claimed.len()).map(|p| Gap::new(p, claimed[p], right[p], rounding[p]));
        let mut evidence = Evidence {
            by_autograd: Gap::loudest(gaps),
            scale: Scale::of(&right, (0..right.len()).map(of_routes), &rounding),
            measured,
            flips: turned,
            of_row: claimed.len(),
            ..Evidence::empty(false)
        };
        for share in &known.shares {
            let z = share.direction(self.tensor.shape())?;
            let z = z.as_f64();
            // Along a direction of length 1.
            let unit = norm(&z);
            let gap = |a: f64, b: f64, tolerance: f64| Gap::new(0, a / unit, b / unit, tolerance / unit);
            let (of_claim, of_rules) = (dot(&claimed, &z), dot(&right, &z));
            let own = reach(rounding.iter().copied(), &z);
            let (network, differences) = (share.rounding, share.rounding + share.error);
            evidence.by_network.push(gap(of_claim, share.by_network, own + network));
            evidence.by_differences.push(gap(of_claim, share.by_differences, own + differences));
            evidence.among_routes.push(gap(of_rules, share.by_network, network));
            evidence.among_routes.push(gap(of_rules, share.by_differences, differences));
            evidence.truncation = evidence.truncation.max(differences / unit);
        }
        let ratios = evidence.among_routes.iter().map(Gap::ratio);
        evidence.contradiction = ratios.fold(0.0, f64::max);
        evidence.derived = Derived::All(right);
        (evidence.claimed, evidence.rounding) = (claimed, rounding);
        if matches!(self.claim.rounding, Rounding::Measured(_)) {
            evidence.leave_out_blind();
        }
        Ok(Some(evidence))
    }
}
