//! Choices that rounding may turn: the sign of a value near zero, which of two elements is the larger.
//!
//! Where other code computes `relu(z)` and its z is off by rounding, a z beside zero may have another sign there, and an entry of
//! the gradient is missing that is there here: both are right. Such choices are no rounding errors, which are small, and widen
//! no tolerance. They are found one by one: the values that are piecewise constant are looked at, those of their elements
//! that may turn within the rounding of what they are computed from are turned, and what explains the claim is kept.
//! What the choices turned make of the derivative is then taken off the claim, and all of it judged as ever.
//!
//! Choices that are made of the same numbers are one: which of a and b is the larger decides about the gradients of both.
//!
//! A choice may be computed from another one: of `h = fmod(z, 1)` rounding turns the whole quotient, h becomes another number, and has
//! another sign. What is turned is followed to all that it turns.
//!
//! What is computed exactly is not turned: a comparison of inputs, of indices, of masks is the same in every code. A choice that is
//! turned makes every entry that it moves agree with the claim, or it is no explanation. And all that are turned together are as
//! far from where they turn as rounding goes: many that each lie at the end of what rounding may do at the most are none of it.

use std::collections::{BTreeMap, HashSet};

use pullback_array::{Array, DType, Precision};
use pullback_autograd::{Function, pullback};
use pullback_network::Value as _;
use pullback_ops::{Op, Origin, Result, Val};

use crate::allowance::Allowance;
use crate::evidence::rounding_of;
use crate::graph::{ancestors_of, piecewise_constant};
use crate::limits::{LEAST_CHANCE, LEAST_GAIN, MOST_OF_ALL, SAFETY};
use crate::other_code::Pulled;
use crate::rounding::{Simulation, Sums};

/// Elements are computed for all choices that are tried up to this many.
const MOST_WORK: usize = 1 << 28;

/// Choices that hide one another in sums are sought in pairs, among so many.
const MOST_PAIRED: usize = 64;

/// How often choices are turned, or turned back.
const MOST_STEPS: usize = 4096;

/// Where a choice turns is found to a thousandth of what rounding may do, by so many halvings.
const HALVINGS: usize = 10;

/// Elements that may become the largest, one after the other, in each place where a largest one is taken.
const MOST_RIVALS: usize = 4;

/// Choices that are other ones, by their numbers.
type Others = BTreeMap<usize, Array>;

/// What choices that were turned explain.
pub(crate) struct Flips {
    /// How far they move each entry.
    pub moves: Vec<f64>,
    /// How far each entry may be off then.
    pub allowance: Allowance,
    /// How many were turned.
    pub count: usize,
}

/// A piecewise constant value, as it is with some choices turned.
struct Choice<'a> {
    value: &'a Val,
    op: &'a dyn Op,
    input: Vec<f64>,
    shape: Vec<usize>,
    /// How far rounding may move each element of the input.
    rounding: Vec<f64>,
    chosen: Array,
    /// The number of the first choice of which this one is a copy, made of the same numbers: what turns it turns both.
    first: usize,
}

/// Elements of a choice's input that are moved together, and what they are set to.
struct Turn {
    choice: usize,
    moved: Vec<Moved>,
}

/// An element of a choice's input, and what it is set to.
#[derive(Clone, Copy)]
struct Moved {
    at: usize,
    to: f64,
    /// How far rounding has to go for it, in units of how far it may, squared.
    cost: f64,
}

impl Turn {
    /// Does another one set an element of these to something else?
    fn excludes(&self, other: &Turn) -> bool {
        let sets = |at: usize| other.moved.iter().any(|moved| moved.at == at);
        self.choice == other.choice && self.moved.iter().any(|moved| sets(moved.at))
    }

    fn cost(&self) -> f64 {
        self.moved.iter().map(|moved| moved.cost).sum()
    }
}

impl<'a> Choice<'a> {
    fn new(value: &'a Val, precision: Precision) -> Result<Option<Choice<'a>>> {
        let (Origin::Call(op, _), [input]) = (value.origin(), value.inputs()) else { return Ok(None) };
        let sums = Sums::of(precision, precision.accumulator());
        let measured = Simulation::compared(input)?.stated_so().measure(&[], sums)?;
        if measured.exact {
            return Ok(None);
        }
        // What nothing moves is zero in every code, and no result that has become so. What pads windows, −∞, is no result.
        let rounding = |(spread, x): (f64, &f64)| {
            if spread > 0.0 && x.is_finite() { SAFETY * rounding_of(precision, spread) } else { 0.0 }
        };
        let rounding = measured.spread().into_iter().zip(&*measured.value.as_f64()).map(rounding).collect();
        let (input, shape) = (measured.value.to_vec_f64(), measured.value.shape().to_vec());
        let (op, chosen) = (op.as_ref(), value.array()?.clone());
        Ok(Some(Choice { value, op, input, shape, rounding, chosen, first: 0 }))
    }

    fn is_like(&self, other: &Choice<'_>) -> bool {
        self.op.name() == other.op.name()
            && self.value.output() == other.value.output()
            && (&self.shape, &self.input) == (&other.shape, &other.input)
            && self.chosen.to_vec_f64() == other.chosen.to_vec_f64()
    }

    fn of(&self, input: Vec<f64>) -> Result<Array> {
        Ok(self.op.forward(&[&Array::from_vec(&self.shape, input)?])?.remove(self.value.output()))
    }

    fn turned(&self, turn: &Turn) -> Result<Array> {
        let mut input = self.input.clone();
        turn.moved.iter().for_each(|moved| input[moved.at] = moved.to);
        self.of(input)
    }

    /// What rounding may turn.
    fn turns(&self, choice: usize) -> Result<Vec<Turn>> {
        let chosen = self.chosen.to_vec_f64();
        if self.op.name() == "tie_share" {
            return self.rivals(&chosen, choice);
        }
        if !self.chosen.dtype().is_float() {
            return self.exchanges(choice);
        }
        let moved = |sign: f64| (0..self.input.len()).map(move |k| self.input[k] + sign * self.rounding[k]);
        // Signs turn at zero, and to another value at zero itself.
        let snapped = |k: usize| if self.input[k].abs() <= self.rounding[k] { 0.0 } else { self.input[k] };
        let others: [Vec<f64>; 3] =
            [moved(-1.0).collect(), moved(1.0).collect(), (0..self.input.len()).map(snapped).collect()];
        let mut turns: Vec<Turn> = Vec::new();
        // What an element has been seen to turn to: sides may be alike.
        let mut seen: Vec<Vec<f64>> = chosen.iter().map(|&chosen| vec![chosen]).collect();
        for other in others {
            let result = self.of(other.clone())?.to_vec_f64();
            let found: Vec<usize> = (0..chosen.len()).filter(|&k| !seen[k].contains(&result[k])).collect();
            if found.is_empty() {
                continue;
            }
            let at = self.turning(&chosen, &other)?;
            for k in found {
                seen[k].push(result[k]);
                let cost = ((at[k] - self.input[k]) / self.rounding[k]).powi(2);
                turns.push(Turn { choice, moved: vec![Moved { at: k, to: other[k], cost }] });
            }
        }
        Ok(turns)
    }

    /// Where each element turns between what it is and another number: that number, where it does not before. A step turns at zero, and
    /// `ceil` at every whole number.
    fn turning(&self, chosen: &[f64], other: &[f64]) -> Result<Vec<f64>> {
        let (mut same, mut turned) = (self.input.clone(), other.to_vec());
        for _ in 0..HALVINGS {
            let middle: Vec<f64> = same.iter().zip(&turned).map(|(a, b)| a + (b - a) / 2.0).collect();
            let result = self.of(middle.clone())?.to_vec_f64();
            for (k, middle) in middle.into_iter().enumerate() {
                if result[k] == chosen[k] { same[k] = middle } else { turned[k] = middle }
            }
        }
        Ok(turned)
    }

    /// Of places in an order: elements that rounding may exchange, each with those that are next to it in size. Whether an order has
    /// both in it, which those of two rows have not, is seen by what the exchange makes of it.
    fn exchanges(&self, choice: usize) -> Result<Vec<Turn>> {
        let mut by_size: Vec<usize> = (0..self.input.len()).collect();
        by_size.sort_by(|&a, &b| self.input[a].total_cmp(&self.input[b]));
        let mut turns = Vec::new();
        for (number, &a) in by_size.iter().enumerate().take(MOST_WORK / self.input.len().max(1)) {
            let mut found = 0;
            for &b in &by_size[number + 1..] {
                let (gap, reach) = (self.input[b] - self.input[a], self.rounding[a] + self.rounding[b]);
                if !(gap <= reach && reach > 0.0) || found == MOST_RIVALS {
                    break;
                }
                let moved = |at: usize, to: usize| Moved {
                    at,
                    to: self.input[to],
                    cost: 0.5 * (gap / reach).powi(2),
                };
                let turn = Turn { choice, moved: vec![moved(a, b), moved(b, a)] };
                if self.turned(&turn)?.to_vec_f64() != self.chosen.to_vec_f64() {
                    found += 1;
                    turns.push(turn);
                }
            }
        }
        Ok(turns)
    }

    /// Elements that may be as large as the largest, or larger: each of them, and several together, whose shares are not the sum of
    /// what each takes alone.
    fn rivals(&self, chosen: &[f64], choice: usize) -> Result<Vec<Turn>> {
        let toward =
            |k: usize| self.input[k] + if chosen[k] > 0.0 { -self.rounding[k] } else { self.rounding[k] };
        let mut input: Vec<f64> = (0..self.input.len()).map(toward).collect();
        let mut rivals: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for _ in 0..MOST_RIVALS {
            let result = self.of(input.clone())?.to_vec_f64();
            let found: Vec<usize> =
                (0..chosen.len()).filter(|&k| result[k] > 0.0 && chosen[k] == 0.0).collect();
            if found.is_empty() {
                break;
            }
            for at in found {
                // What it displaces is what it competes with.
                let moved = vec![Moved { at, to: f64::INFINITY, cost: 0.0 }];
                let alone = self.turned(&Turn { choice, moved })?.to_vec_f64();
                if let Some(largest) = (0..chosen.len()).find(|&k| chosen[k] > 0.0 && alone[k] == 0.0) {
                    rivals.entry(largest).or_default().push(at);
                }
                input[at] = f64::NEG_INFINITY;
            }
        }
        let mut turns = Vec::new();
        for (largest, rivals) in rivals {
            let (equal, rounding) = (self.input[largest], self.rounding[largest]);
            let moved = |at: usize, to: f64| {
                let cost = ((equal - self.input[at]) / (rounding + self.rounding[at])).powi(2);
                Moved { at, to, cost }
            };
            for set in 1..1 << rivals.len().min(MOST_RIVALS) {
                let of_set = || rivals.iter().enumerate().filter(move |(k, _)| set >> k & 1 == 1);
                for to in [equal, equal + rounding] {
                    turns.push(Turn { choice, moved: of_set().map(|(_, &at)| moved(at, to)).collect() });
                }
            }
        }
        turns.extend(self.apart(chosen, choice)?);
        Ok(turns)
    }

    /// Elements that tie here, some of which rounding leaves behind.
    fn apart(&self, chosen: &[f64], choice: usize) -> Result<Vec<Turn>> {
        let mut turns = Vec::new();
        let mut met: HashSet<usize> = HashSet::new();
        for k in (0..chosen.len()).filter(|&k| chosen[k] > 0.0 && chosen[k] < 1.0) {
            if met.contains(&k) || self.rounding[k] == 0.0 {
                continue;
            }
            // What it leaves behind it ties with.
            let moved = vec![Moved { at: k, to: f64::INFINITY, cost: 0.0 }];
            let alone = self.turned(&Turn { choice, moved })?.to_vec_f64();
            let ties = |other: &usize| *other == k || chosen[*other] > 0.0 && alone[*other] == 0.0;
            let tied: Vec<usize> = (0..chosen.len()).filter(ties).collect();
            met.extend(&tied);
            for set in 1..(1 << tied.len().min(MOST_RIVALS)) - 1 {
                let of_set = tied.iter().enumerate().filter(|(k, _)| set >> k & 1 == 1);
                let behind = |&at: &usize| Moved { at, to: self.input[at] - self.rounding[at], cost: 0.0 };
                turns.push(Turn { choice, moved: of_set.map(|(_, at)| behind(at)).collect() });
            }
        }
        Ok(turns)
    }
}

/// The choices that explain where a claim is beyond its tolerances; `None` where none does.
pub(crate) fn flips(
    pulled: &Pulled,
    precision: Precision,
    claimed: &[f64],
    derived: &[f64],
    tolerance: &[f64],
) -> Result<Option<Flips>> {
    let held = piecewise_constant(&[&pulled.gradient])?;
    let mut choices: Vec<Choice<'_>> = Vec::new();
    for value in &held {
        if let Some(choice) = Choice::new(value, precision)? {
            let first = choices.iter().position(|other| choice.is_like(other)).unwrap_or(choices.len());
            choices.push(Choice { first, ..choice });
        }
    }
    let mut turns = Vec::new();
    for (k, choice) in choices.iter().enumerate().filter(|(k, choice)| choice.first == *k) {
        turns.extend(choice.turns(k)?);
    }
    if turns.is_empty() {
        return Ok(None);
    }
    let chances = chances(&turns);
    let error = claimed.iter().zip(derived).map(|(claimed, derived)| claimed - derived).collect();
    let mut off = Off { precision, tolerance, error };
    let chosen = Chosen::new(pulled, choices)?;
    let most = MOST_WORK / chosen.function.work().saturating_mul(pulled.rows).max(1);
    let mut effects = Vec::new();
    for turn in chosen.promising(turns, &off)?.into_iter().take(most) {
        let moves = chosen.effect(&turn, derived)?;
        effects.push(Effect { turn, moves, taken: false });
    }
    off.explain(&mut effects);
    // What they move is rounded there as it is with them turned.
    let turned = chosen.allowance(&chosen.turned(&taken(&effects))?, precision)?;
    let tolerance: Vec<f64> =
        tolerance.iter().zip(&turned.most).map(|(own, turned)| own.max(*turned)).collect();
    Off { tolerance: &tolerance, ..off }.put_back(&mut effects);
    let taken = taken(&effects);
    if taken.is_empty() || !are_possible(&taken) || chance(&taken, &chances) < LEAST_CHANCE.ln() {
        return Ok(None);
    }
    let turned = chosen.turned(&taken)?;
    let entries = chosen.derivative(&turned)?;
    let moves = entries.iter().zip(derived).map(|(turned, derived)| turned - derived).collect();
    let allowance = chosen.allowance(&turned, precision)?;
    Ok(Some(Flips { moves, allowance, count: taken.len() }))
}

fn taken(effects: &[Effect]) -> Vec<&Turn> {
    effects.iter().filter(|effect| effect.taken).map(|effect| &effect.turn).collect()
}

/// Is rounding likely to have turned all of these? Each may be as far from where it turns as rounding goes at the most,
/// [`SAFETY`] times what is measured; as a mean of squares they are as far as is measured, like the errors of so many entries.
fn are_possible(taken: &[&Turn]) -> bool {
    let count = taken.iter().map(|turn| turn.moved.len()).sum::<usize>() as f64;
    let costs: f64 = taken.iter().map(|turn| turn.cost()).sum();
    SAFETY * (costs / count).sqrt() <= (SAFETY / count.sqrt()).max(MOST_OF_ALL)
}

/// The chance that rounding turns an element, as a logarithm: that of a normal deviation as far as it is from where it turns, or
/// farther, to one side, where the deviation of what is rounded is what was measured. (P(z > x) ≤ ½ exp(−x²/2).)
fn chance_of(moved: &Moved) -> f64 {
    -0.5 * SAFETY * SAFETY * moved.cost - std::f64::consts::LN_2
}

/// The chances of all elements that may turn, the larger one where an element may turn to several values.
fn chances<'a>(turns: impl IntoIterator<Item = &'a Turn>) -> BTreeMap<(usize, usize), f64> {
    let mut chances = BTreeMap::new();
    for (choice, moved) in
        turns.into_iter().flat_map(|turn| turn.moved.iter().map(|moved| (turn.choice, moved)))
    {
        let chance: &mut f64 = chances.entry((choice, moved.at)).or_insert(f64::NEG_INFINITY);
        *chance = chance.max(chance_of(moved));
    }
    chances
}

/// The chance, at the most, that rounding turns such as these and no likelier ones: as a logarithm, by Chernoff's bound for the sum
/// of −ln p over what is turned, E exp(½ Σ −ln p) being Π (1 − p + √p). A mask that is wrong for all |z| < 0.1 turns what is
/// far and what is near, each of one sign; rounding turns half of what is near, whatever its sign, and hardly anything that is far.
fn chance(taken: &[&Turn], chances: &BTreeMap<(usize, usize), f64>) -> f64 {
    let expected = |p: f64| (1.0 - p.exp() + (0.5 * p).exp()).ln();
    0.5 * self::chances(taken.iter().copied()).values().sum::<f64>()
        + chances.values().map(|&p| expected(p)).sum::<f64>()
}

/// What a choice, turned, makes of the derivative.
struct Effect {
    turn: Turn,
    /// Which entries it moves, and by how much.
    moves: Vec<(usize, f64)>,
    /// Is it turned?
    taken: bool,
}

impl Effect {
    /// What it costs to turn it, or to turn it back.
    fn cost(&self) -> f64 {
        if self.taken { -self.turn.cost() } else { self.turn.cost() }
    }

    /// Those that are turned and cannot be beside this one.
    fn displaces(&self, effects: &[Effect]) -> Vec<usize> {
        if self.taken {
            return Vec::new();
        }
        let is_displaced = |(_, other): &(usize, &Effect)| other.taken && self.turn.excludes(&other.turn);
        effects.iter().enumerate().filter(is_displaced).map(|(k, _)| k).collect()
    }

    /// Is it turned, or can it be turned beside those that are?
    fn is_free(&self, effects: &[Effect]) -> bool {
        self.displaces(effects).is_empty()
    }

    /// What turning it makes of the derivative; where it is turned, turning it back.
    fn moves(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let sign = if self.taken { -1.0 } else { 1.0 };
        self.moves.iter().map(move |&(k, moved)| (k, sign * moved))
    }
}

/// How far a claim is off.
struct Off<'a> {
    precision: Precision,
    tolerance: &'a [f64],
    /// What is left of the differences.
    error: Vec<f64>,
}

impl Off<'_> {
    fn is_beyond(&self, k: usize) -> bool {
        self.error[k].abs() > self.tolerance[k]
    }

    /// A difference in tolerances, squared. What choices move to an entry, up to `moved`, is rounded there too.
    fn square(&self, k: usize, error: f64, moved: f64) -> f64 {
        let tolerance = self.tolerance[k] + SAFETY * rounding_of(self.precision, moved.abs());
        if error == 0.0 { 0.0 } else { (error / tolerance).powi(2) }
    }

    /// By how much the squares of the differences shrink where choices move entries so.
    fn gained(&self, moves: impl Iterator<Item = (usize, f64)>) -> f64 {
        let gain = |(k, moved): (usize, f64)| {
            self.square(k, self.error[k], moved) - self.square(k, self.error[k] - moved, moved)
        };
        moves.map(gain).sum()
    }

    fn take(&mut self, effect: &mut Effect) {
        effect.moves().for_each(|(k, moved)| self.error[k] -= moved);
        effect.taken = !effect.taken;
    }

    /// The same where some are turned, or turned back, at once, without what that costs.
    fn gained_by(&self, which: &[usize], effects: &[Effect]) -> f64 {
        if let [only] = which {
            return self.gained(effects[*only].moves()) - effects[*only].cost();
        }
        let mut moves: BTreeMap<usize, f64> = BTreeMap::new();
        for (k, moved) in which.iter().flat_map(|&k| effects[k].moves()) {
            *moves.entry(k).or_default() += moved;
        }
        self.gained(moves.into_iter()) - which.iter().map(|&k| effects[k].cost()).sum::<f64>()
    }

    /// Turns choices, and turns them back, as long as that explains more than it costs: the best one first, in the place of those
    /// that cannot be beside it, and two at once where none does by itself. Differences and costs are both in units of what rounding
    /// may do, squared, so that what is sought is the likeliest way in which all of it came about.
    fn explain(&mut self, effects: &mut [Effect]) {
        for _ in 0..MOST_STEPS {
            let gains = (0..effects.len()).map(|k| {
                let together: Vec<usize> = std::iter::once(k).chain(effects[k].displaces(effects)).collect();
                let gain = self.gained_by(&together, effects);
                (together, gain)
            });
            let best = gains.max_by(|(_, a), (_, b)| a.total_cmp(b));
            if let Some((together, _)) = best.filter(|(_, gain)| *gain > LEAST_GAIN) {
                together.into_iter().for_each(|k| self.take(&mut effects[k]));
                continue;
            }
            let Some((a, b)) = self.best_pair(effects) else { break };
            self.take(&mut effects[a]);
            self.take(&mut effects[b]);
        }
    }

    /// Turns those back that leave an entry beyond its tolerance which they move, and so explain nothing; until none does.
    fn put_back(&mut self, effects: &mut [Effect]) {
        loop {
            let leaves = |effect: &Effect| {
                effect.moves.iter().any(|&(k, moved)| self.square(k, self.error[k], moved) > 1.0)
            };
            let idle: Vec<usize> =
                (0..effects.len()).filter(|&k| effects[k].taken && leaves(&effects[k])).collect();
            if idle.is_empty() {
                break;
            }
            idle.into_iter().for_each(|k| self.take(&mut effects[k]));
        }
    }

    fn best_pair(&self, effects: &[Effect]) -> Option<(usize, usize)> {
        let touches = |effect: &Effect| effect.moves.iter().any(|&(k, _)| self.is_beyond(k));
        let near: Vec<usize> = (0..effects.len())
            .filter(|&k| touches(&effects[k]) && effects[k].is_free(effects))
            .take(MOST_PAIRED)
            .collect();
        let mut best: Option<(f64, usize, usize)> = None;
        for (number, &a) in near.iter().enumerate() {
            for &b in near[number + 1..].iter().filter(|&&b| !effects[a].turn.excludes(&effects[b].turn)) {
                let gain = self.gained_by(&[a, b], effects);
                if gain > best.map_or(LEAST_GAIN, |(best, ..)| best) {
                    best = Some((gain, a, b));
                }
            }
        }
        best.map(|(_, a, b)| (a, b))
    }
}

/// The derivative as a function of its choices.
struct Chosen<'a> {
    pulled: &'a Pulled,
    function: Function,
    choices: Vec<Choice<'a>>,
    /// How much of a derivative, weighted, each choice moves, to first order; and the choices of which that is told.
    gains: Option<Function>,
    told: Vec<usize>,
    /// Which of these others are computed from, so that first order tells of them only where none of those turns: behind the smaller of two
    /// the other one has no slope.
    hidden: Vec<bool>,
    /// What each choice is computed from, as a function of all of them; and which of them others are computed from.
    inputs: Function,
    followed: Vec<bool>,
}

impl<'a> Chosen<'a> {
    fn new(pulled: &'a Pulled, choices: Vec<Choice<'a>>) -> Result<Chosen<'a>> {
        let values: Vec<&Val> = choices.iter().map(|choice| choice.value).collect();
        let inputs: Vec<&Val> = values.iter().map(|value| &value.inputs()[0]).collect();
        let before: HashSet<u64> = ancestors_of(&inputs).iter().map(Val::id).collect();
        let followed = values.iter().map(|value| before.contains(&value.id())).collect();
        let inputs_of = Function::new(&values, &inputs, &[])?;
        let weight = Val::new(Array::ones(&pulled.gradient.shape(), DType::F64)?);
        let found = pullback(&[(&pulled.gradient, &weight)], &values, &[])?;
        let (told, found): (Vec<usize>, Vec<Val>) =
            found.into_iter().enumerate().filter_map(|(k, value)| Some((k, value?))).unzip();
        let mut hidden = vec![false; values.len()];
        for (&k, gain) in told.iter().zip(&found) {
            let held = piecewise_constant(&[gain])?;
            let inputs: Vec<&Val> = held.iter().flat_map(Val::inputs).collect();
            hidden[k] = ancestors_of(&inputs).iter().any(|value| value.id() == values[k].id());
        }
        let inputs: Vec<&Val> = std::iter::once(&pulled.seed).chain(values.iter().copied()).collect();
        let function = Function::new(&inputs, &[&pulled.gradient], &[])?;
        let inputs: Vec<&Val> = std::iter::once(&weight).chain(inputs).collect();
        let gains = match found.is_empty() {
            true => None,
            false => Some(Function::new(&inputs, &found.iter().collect::<Vec<_>>(), &[])?),
        };
        Ok(Chosen { pulled, function, choices, gains, told, hidden, inputs: inputs_of, followed })
    }

    /// The choices, some of them other ones.
    fn chosen(&self, others: &Others) -> Vec<Array> {
        let of = |(k, choice): (usize, &Choice<'_>)| others.get(&k).unwrap_or(&choice.chosen).clone();
        self.choices.iter().enumerate().map(of).collect()
    }

    /// The cotangent of a row, and choices.
    fn given(&self, row: usize, others: &Others) -> Result<Vec<Array>> {
        Ok(std::iter::once(self.pulled.unit(row)?).chain(self.chosen(others)).collect())
    }

    fn derivative(&self, others: &Others) -> Result<Vec<f64>> {
        let mut entries = Vec::new();
        for row in 0..self.pulled.rows {
            entries.extend(self.function.call(&self.given(row, others)?)?.remove(0).to_vec_f64());
        }
        Ok(entries)
    }

    /// The choices that some turns make other ones, and those that follow: each is made, in forward order, of what those before it make.
    fn turned(&self, turns: &[&Turn]) -> Result<Others> {
        let mut others = Others::new();
        let mut follows = false;
        for (k, choice) in self.choices.iter().enumerate() {
            let of_choice = turns.iter().filter(|turn| turn.choice == choice.first);
            let moved: Vec<&Moved> = of_choice.flat_map(|turn| &turn.moved).collect();
            if moved.is_empty() && !follows {
                continue;
            }
            let mut input = match follows {
                true => self.inputs.call(&self.chosen(&others))?[k].to_vec_f64(),
                false => choice.input.clone(),
            };
            moved.into_iter().for_each(|moved| input[moved.at] = moved.to);
            others.insert(k, choice.of(input)?);
            follows |= self.followed[k];
        }
        Ok(others)
    }

    /// How far each entry may be off by choices.
    fn allowance(&self, others: &Others, precision: Precision) -> Result<Allowance> {
        let simulation = self.pulled.simulation(self.choices.iter().map(|choice| choice.value))?;
        let sums = Sums::of(precision, precision.accumulator());
        let rows: Result<Vec<_>> =
            (0..self.pulled.rows).map(|row| simulation.measure(&self.given(row, others)?, sums)).collect();
        Ok(Allowance::of(precision, &rows?))
    }

    /// What one choice, turned, makes of the derivative.
    fn effect(&self, turn: &Turn, derived: &[f64]) -> Result<Vec<(usize, f64)>> {
        let entries = self.derivative(&self.turned(&[turn])?)?;
        let moved = entries.iter().zip(derived).map(|(turned, derived)| turned - derived).enumerate();
        Ok(moved.filter(|(_, moved)| *moved != 0.0).collect())
    }

    /// The choices that move what is beyond its tolerance toward the claim, to first order, the most promising first; and those of which
    /// first order tells nothing.
    fn promising(&self, turns: Vec<Turn>, off: &Off<'_>) -> Result<Vec<Turn>> {
        let mut gains: Vec<Vec<f64>> =
            self.choices.iter().map(|choice| vec![0.0; choice.input.len()]).collect();
        let shape = self.pulled.gradient.shape();
        let columns: usize = shape.iter().product();
        for row in 0..self.pulled.rows {
            let Some(function) = &self.gains else { break };
            let weight = |k: usize| {
                if off.is_beyond(k) {
                    off.error[k] / (off.tolerance[k] + off.error[k].abs()).powi(2)
                } else {
                    0.0
                }
            };
            let weights: Vec<f64> = (row * columns..(row + 1) * columns).map(weight).collect();
            let mut inputs = vec![Array::from_vec(&shape, weights)?];
            inputs.extend(self.given(row, &Others::new())?);
            for (&k, found) in self.told.iter().zip(function.call(&inputs)?) {
                gains[k].iter_mut().zip(found.to_vec_f64()).for_each(|(gain, found)| *gain += found);
            }
        }
        let mut promising: Vec<(f64, Turn)> = Vec::new();
        // Of two branches one is chosen, and that has no slope: what is nearest to where it turns is tried first.
        let mut untold: Vec<Turn> = Vec::new();
        for turn in turns {
            let (mut gained, mut is_told) = (0.0, true);
            for (k, new) in self.turned(&[&turn])? {
                let (new, old) = (new.to_vec_f64(), self.choices[k].chosen.to_vec_f64());
                is_told &= new == old || self.told.contains(&k);
                let moved = new.iter().zip(&old).map(|(new, old)| new - old);
                gained += moved.zip(&gains[k]).map(|(moved, gain)| moved * gain).sum::<f64>();
            }
            match (is_told, gained.abs() > 0.0) {
                (true, true) => promising.push((gained, turn)),
                (true, false) if !self.hidden[turn.choice] => {}
                _ => untold.push(turn),
            }
        }
        untold.sort_by(|a, b| a.cost().total_cmp(&b.cost()));
        promising.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Ok(promising.into_iter().map(|(_, turn)| turn).chain(untold).collect())
    }
}
