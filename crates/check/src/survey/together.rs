//! The values by which derivatives of one scalar are asked for, and what is found of all of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pullback_array::{Array, DType, Precision, memory};
use pullback_autograd::{Function, pushforward};
use pullback_network::Value as _;
use pullback_ops::{Result, Val};

use crate::allowance::Allowance;
use crate::claim::{Claim, Rounding, Subject};
use crate::differences::{Effort, Noise, agreed, derivative};
use crate::evidence::norm;
use crate::graph::Backward;
use crate::kink::kinks;
use crate::layout::to_tensor;
use crate::limits::{DIRECTIONS_OF_ALL, LEAST_MOVED, MOST_TRUNCATION, SAFETY, TOLERANCES_OF_ALL};
use crate::rounding::{Measured, Simulation, Sums, float_leaves};
use crate::routes::{are_dear, lengths};

use super::at_kinks::{AtKinks, Beside};
use super::moving::{Moving, Whole};
use super::{Share, Surveyed, direction};

/// How often rounding is drawn at first: once with numbers that are the same rounded alike, and once not.
const FEW: u64 = 2;

/// So many numbers are made of each entry of a claim while it is judged: what is claimed and what is right, how far each may be off, and
/// what of these is disputed.
const OF_A_CLAIM: usize = 8;

/// The values by which derivatives of one scalar are asked for.
pub(super) struct Together {
    y: Val,
    /// What y is.
    here: f64,
    one: Val,
    values: Vec<Val>,
    /// By reverse mode.
    gradients: Vec<Val>,
    /// What other code computes of these within kernels.
    within_kernels: HashSet<u64>,
    /// What of these is at kinks.
    at_kinks: AtKinks,
    norms: Vec<f64>,
    /// The lengths over which y may be expected to change with t, in falling order.
    scales: Vec<f64>,
    precisions: Vec<Precision>,
    /// Numbers of other code that are claimed, with their precision and whose gradient they are.
    numbers: Vec<(usize, Precision, Array)>,
}

impl Together {
    /// `None`: they are cheap enough to be asked one by one, or not to be asked together.
    pub(super) fn new(asked: &[&(Subject, &Claim)]) -> Result<Option<Together>> {
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
        let Backward { gradients, within_kernels } =
            Backward::new((&y, &one), &values.iter().collect::<Vec<_>>(), &[])?;
        let known: Vec<(Val, Val)> = values
            .into_iter()
            .zip(gradients)
            .filter_map(|(value, gradient)| Some((value, gradient?)))
            .collect();
        memory::room(price(&known, asked)?)?;
        let of = |(value, gradient): &(Val, Val)| (value.clone(), gradient.clone());
        let (all, gradients): (Vec<Val>, Vec<Val>) = known.iter().map(of).unzip();
        let (at_kinks, arrays) =
            AtKinks::new(&gradients.iter().collect::<Vec<_>>(), &all.iter().collect::<Vec<_>>())?;
        if !at_kinks.are_told {
            return Ok(None);
        }
        let (here, sizes) = Whole::new(&[], &[&y])?.sized()?;
        let here = here[0].item()?;
        // How far y moves with each, and over which lengths.
        let mut moved: Vec<(usize, f64, [f64; 3])> = Vec::new();
        for (number, (value, gradient)) in all.iter().zip(arrays).enumerate() {
            let mut entries = gradient.as_f64();
            // At a kink it may be as much as that.
            let most = |(least, most): (f64, f64)| f64::max(least.abs(), most.abs());
            let undecided = at_kinks.undecided[number].iter();
            undecided.for_each(|(&p, &interval)| entries.to_mut()[p] = most(interval));
            let (array, size, norm) = (value.array()?, sizes.noted(value), norm(&entries));
            if norm.is_finite() && entries.iter().any(|&entry| entry != 0.0) && array.max_abs() >= size {
                moved.push((number, norm, lengths(&array.as_f64()).map(|length| length * norm)));
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
        let which: Vec<usize> = moved.iter().map(|(number, ..)| *number).collect();
        let of_some = |of: &[Val]| which.iter().map(|&number| of[number].clone()).collect::<Vec<Val>>();
        let (values, gradients) = (of_some(&all), of_some(&gradients));
        let at_kinks = at_kinks.of_some(&which, &gradients.iter().collect::<Vec<_>>())?;
        let norms = moved.iter().map(|(_, norm, _)| *norm).collect();
        let numbers = |(subject, claim): &&(Subject, &Claim)| {
            let Rounding::Unknown(precision) = claim.rounding else { return None };
            let number = values.iter().position(|value| value.id() == subject.last().id())?;
            let tensor = to_tensor(&claim.array, &[], &values[number].shape(), claim.layout).ok()?;
            Some((number, precision, tensor))
        };
        let numbers = asked.iter().filter_map(numbers).collect();
        let precisions = precisions(asked);
        Ok(Some(Together {
            y,
            here,
            one,
            values,
            gradients,
            within_kernels,
            at_kinks,
            norms,
            scales,
            precisions,
            numbers,
        }))
    }

    /// What is found; nothing where the routes do not agree.
    pub(super) fn found(self) -> Result<HashMap<(u64, u64), Surveyed>> {
        let noise = self.noise()?;
        let Some(slopes) = self.slopes(&noise)? else { return Ok(HashMap::new()) };
        let beside = self.beside(noise.here[0])?;
        let (payloads, stated) = self.at_kinks.payloads();
        let given: Vec<&Val> = std::iter::once(&self.one).chain(payloads).collect();
        let simulation = Simulation::of_all(&self.gradients.iter().collect::<Vec<_>>(), &given)?
            .with_kernels(self.within_kernels.clone());
        let unit = [self.one.array()?.clone()];
        let mut measured: BTreeMap<Precision, Vec<Arc<Measured>>> = BTreeMap::new();
        let all = |sums: Sums| -> Result<Vec<Measured>> {
            let mut all = simulation.measure_all(&[&unit[..], &stated].concat(), sums)?;
            if let Some(beside) = &beside {
                // Rounding that a kink hides is seen on the pieces beside it.
                let there = simulation.measure_all(&[&unit[..], &beside.payloads].concat(), sums)?;
                for ((measured, there), entries) in all.iter_mut().zip(there).zip(&self.at_kinks.undecided) {
                    // A piece may end at the point: there it tells nothing.
                    let told = |&&p: &&usize| there.moved[p].is_finite();
                    let larger = |&p: &usize| measured.moved[p] = measured.moved[p].max(there.moved[p]);
                    entries.keys().filter(told).for_each(larger);
                }
            }
            Ok(all)
        };
        let shared = |all: Vec<Measured>| all.into_iter().map(Arc::new).collect::<Vec<_>>();
        for &precision in &self.precisions {
            let mut known: Vec<Measured> = Vec::new();
            for part in Sums::of(precision, precision.accumulator()).parts(FEW) {
                Measured::add(&mut known, all(part)?);
                if self.agrees(precision, &known) {
                    break;
                }
            }
            measured.insert(precision, shared(known));
        }
        let covers_own = |precision: &&Precision| Sums::of(**precision, precision.accumulator()).covers_own();
        let own = match measured.keys().find(covers_own) {
            Some(precision) => measured[precision].clone(),
            None => shared(all(Sums::OWN)?),
        };
        let of = |(number, own): (usize, Arc<Measured>)| {
            let of_each = measured.iter().map(|(&precision, measured)| (precision, measured[number].clone()));
            let fitted = beside.as_ref().map_or_else(BTreeMap::new, |beside| beside.fitted[number].clone());
            let kinked = self.at_kinks.undecided[number].iter().filter(|(p, _)| !fitted.contains_key(p));
            let kinked = kinked.map(|(&p, &interval)| (p, interval)).collect();
            Surveyed { own, measured: of_each.collect(), shares: Vec::new(), kinked, fitted }
        };
        let mut found: Vec<Surveyed> = own.into_iter().enumerate().map(of).collect();
        drop(simulation);
        for (run, slope) in slopes.into_iter().enumerate() {
            let mut shares = Vec::new();
            let mut rounding = 0.0;
            for (number, known) in found.iter().enumerate() {
                let entries = known.gradient().as_f64();
                let (mut share, mut reach) = (0.0, 0.0);
                for ((entry, spread), z) in
                    entries.iter().zip(known.own.spreads(&entries)).zip(self.direction(run, number))
                {
                    share += entry * z;
                    reach += spread * z.abs();
                }
                shares.push(share);
                rounding += SAFETY * f64::EPSILON * reach;
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
        // What is not known of kinks is left to each claim.
        let is_known = |(_, known): &(_, Surveyed)| beside.is_some() || known.kinked.is_empty();
        Ok(keys.zip(found).filter(is_known).collect())
    }

    /// Does all that is claimed in this precision agree with what was measured?
    fn agrees(&self, precision: Precision, measured: &[Measured]) -> bool {
        let mut claims = self.numbers.iter().filter(|(_, of, _)| *of == precision);
        claims.all(|(number, _, claimed)| {
            let measured = &measured[*number];
            let (claimed, derived) = (claimed.as_f64(), measured.value.as_f64());
            Allowance::of(precision, [measured]).covers(&claimed, &derived)
        })
    }

    fn direction(&self, run: usize, number: usize) -> impl Iterator<Item = f64> {
        direction(seed(run, number), self.norms[number], self.at_kinks.undecided[number].keys())
    }

    /// What is found of entries at kinks, where there are any.
    fn beside(&self, noise: f64) -> Result<Option<Beside>> {
        match self.at_kinks.is_any() {
            true => self.at_kinks.beside(
                &self.y,
                &self.values,
                &self.norms,
                self.scales[self.scales.len() - 1],
                (self.here, noise),
            ),
            false => Ok(None),
        }
    }

    /// How far rounding moves y where values are moved.
    fn noise(&self) -> Result<Noise> {
        let moving = Moving::new(&[&self.y], &self.values)?;
        // Few samples tell enough of a single number: where they miss some of its noise the routes do not agree.
        let few = Sums::OWN.parts(FEW).next().unwrap_or(Sums::OWN);
        let spread = Simulation::moving(&self.y, &moving.inputs(), &self.values)?.run_with(&[], few)?.1;
        Ok(Noise { here: vec![4.0 * f64::EPSILON * spread[0]], per_step: vec![0.0] })
    }

    /// The slopes along all directions; `None` where one cannot be told.
    fn slopes(&self, noise: &Noise) -> Result<Option<Vec<Slope>>> {
        let moving = Moving::new(&[&self.y], &self.values)?;
        let tangents: Result<Vec<Val>> =
            self.values.iter().map(|value| Ok(Val::new(Array::zeros(&value.shape(), DType::F64)?))).collect();
        let tangents = tangents?;
        let pairs: Vec<(&Val, &Val)> = self.values.iter().zip(&tangents).collect();
        let Some(pushed) = pushforward(&pairs, &[&self.y], &[])?.remove(0) else { return Ok(None) };
        let forward = Whole::new(&tangents.iter().collect::<Vec<_>>(), &[&pushed])?;
        let mut slopes = Vec::new();
        for run in 0..DIRECTIONS_OF_ALL {
            let of_each = |(number, value): (usize, &Val)| -> Result<Array> {
                Ok(Array::of_next(&value.shape(), self.direction(run, number))?)
            };
            let directions: Vec<Array> =
                self.values.iter().enumerate().map(of_each).collect::<Result<_>>()?;
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
            let estimate = agreed(&mut along, noise, reach, by_network)
                .unwrap_or_else(|| derivative(&mut along, noise, &self.scales, reach, Effort::Enough));
            let is_kinked = run == 0
                && !kinks(&mut along, &[self.here], &noise.here, self.scales[self.scales.len() - 1])
                    .is_empty();
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

/// The bytes that are held at once at the most, beside what is there already. Where rounding is simulated these are all gradients, how far
/// each of their entries is moved by perturbations of two sizes, both again from samples before, and a perturbed run of the program and of
/// its backward pass; where claims are judged all gradients, how far entries are moved, and what is made of one claim.
fn price(gradients: &[(Val, Val)], asked: &[&(Subject, &Claim)]) -> Result<usize> {
    let gradients: Vec<&Val> = gradients.iter().map(|(_, gradient)| gradient).collect();
    let leaves = float_leaves(&gradients);
    let run = Function::new(&leaves.iter().collect::<Vec<_>>(), &gradients, &[])?.peak();
    let entries = gradients.iter().map(|gradient| gradient.shape().iter().product::<usize>());
    let (all, largest) = (entries.clone().sum::<usize>(), entries.max().unwrap_or(0));
    let precisions = precisions(asked).len();
    let bytes =
        |arrays: usize, entries: usize| arrays.saturating_mul(entries).saturating_mul(size_of::<f64>());
    let simulated = run.saturating_add(bytes(3 + 2 * precisions, all));
    let judged = bytes(2 * precisions.max(1), all).saturating_add(bytes(OF_A_CLAIM, largest));
    Ok(simulated.max(judged))
}

/// The precisions in which other code computed what is claimed.
fn precisions(asked: &[&(Subject, &Claim)]) -> Vec<Precision> {
    let of = |(_, claim): &&(Subject, &Claim)| match claim.rounding {
        Rounding::Unknown(precision) => Some(precision),
        Rounding::Measured(_) => None,
    };
    let mut precisions: Vec<Precision> = asked.iter().filter_map(of).collect();
    precisions.sort();
    precisions.dedup();
    precisions
}

fn seed(run: usize, number: usize) -> u64 {
    0x73_7572_7665_7900 + (number * DIRECTIONS_OF_ALL + run) as u64
}

/// The slope along a direction of all values.
struct Slope {
    by_differences: f64,
    error: f64,
    by_network: f64,
    rounding: f64,
}
