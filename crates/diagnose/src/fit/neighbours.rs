//! Other derivatives and values of the file in the numbers of a claim: two claims are the wrong way round, one holds what
//! another is about, or something is added to it, multiplied with it or divides it where it does not belong.
//!
//! All of this is about the derivative as a whole, Jacobians too. What is added further down, to a cotangent on its way, is a
//! mistake in the backward pass (`mistakes`).

use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_check::{ClaimLayout, Truth, Verdict};
use pullback_lang::program::{Claim, Claimed};
use pullback_network::Value as _;
use pullback_ops::Val;

use super::FEWEST;
use super::beside::WRITTEN;
use super::facts::{brief, said};
use super::multiple::closeness;
use super::sweep::dot;
use crate::Diagnosis;
use crate::case::{Case, Trial};
use crate::claimed::subject;
use crate::inquiry::Inquiry;
use crate::words::Words;

/// A derivative with more entries is not computed to be held against another one's claim.
const MOST_ENTRIES: usize = 1 << 12;

/// Numbers that are this near are the same, where they are as precise as that.
const SAME: f64 = 1e-6;

/// How likely it may be at most that one of the neighbours explains the numbers by chance.
const CHANCE: f64 = 1e-6;

/// A value of the file or a derivative.
struct Neighbour {
    name: String,
    is_value: bool,
    array: Array,
}

/// Two claims of numbers that are the wrong way round: each has the numbers of the other. That both are wrong in this very way
/// nothing else explains but a sign: where both are turned, one slip before them may have turned both.
pub(super) fn swapped(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Option<Diagnosis> {
    let own = case.own();
    let numbers = own.claimed()?;
    let close = if numbers.len() < FEWEST { SAME } else { closeness(case).max(SAME) };
    let turned = own.truth.tensor().map(|x| -x, |x| -x).ok()?;
    if own.truth.tensor_of(&numbers, own.layout()).is_some_and(|is| is.is_near(&turned, close)) {
        return None;
    }
    let is_partner = |&other: &usize| {
        let claim = &inquiry.exact.claims[other];
        let judged = inquiry.judged.get(other).and_then(Option::as_ref);
        let is_wrong = judged.is_some_and(|it| matches!(it.verdict, Verdict::Wrong | Verdict::Shape));
        // The shapes tell of most without a derivative.
        let is_own = || {
            let Claimed::Value { val, .. } = &claim.claimed else { return None };
            let theirs = val.array().ok()?.cast(DType::F64).ok()?;
            Some(theirs.is_near(&own.truth.in_shape(theirs.shape(), own.layout())?, close))
        };
        let is_theirs = || Some(numbers.is_near(&derivative(claim, numbers.shape())?, close));
        other != number
            && claim.expr.is_none()
            && is_wrong
            && is_own().unwrap_or(false)
            && is_theirs().unwrap_or(false)
    };
    let partner = (0..inquiry.exact.claims.len()).find(is_partner)?;
    let other = &inquiry.exact.claims[partner].key;
    let words = Words::new().source(&case.claim.key).say(" and ").source(other);
    let words = words.say(" are the wrong way round: each has the numbers of the other.");
    let label = Words::new().say("this is ").source(other);
    Some(Diagnosis { label, ..said(case, "swapped-claims", words) })
}

/// The derivative of another value, of which the file claims something too, in the place of the claim's: of any shape.
pub(super) fn another(case: &Case<'_>) -> Option<Diagnosis> {
    let numbers = case.own().claimed()?.len() * case.trials.len();
    if numbers < FEWEST {
        return None;
    }
    let close = closeness(case).max(SAME);
    let is_it = |trial: &Trial<'_>, about: &Claim| {
        let claimed = trial.claimed()?;
        Some(claimed.is_near(&derivative(about, claimed.shape())?, close))
    };
    let mut claims = case.own().program().claims.iter().enumerate();
    let (_, other) = claims.find(|(at, about)| {
        let on = |trial: &Trial<'_>| {
            let here = trial.program().claims.get(*at).filter(|here| here.key == about.key)?;
            is_it(trial, here)
        };
        about.of.id() != case.claim.of.id()
            && case.trials.iter().rev().all(|trial| on(trial).unwrap_or(false))
    })?;
    let words = Words::new().say("These are the numbers of ").source(&other.key).say(".");
    let label = Words::new().say("this is ").source(&other.key);
    Some(Diagnosis { label, ..said(case, "swapped-claims", words) })
}

/// Which multiples of a value may have been added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// Those that one writes: once or twice, and what a weight decay is multiplied by.
    Written,
    /// Any: the number is fitted, and tells nothing of itself. What explains the numbers without such a number is likelier.
    Any,
}

/// What another value or derivative of the file explains: the numbers are a value's own, or it is added to them, multiplied with
/// them or divides them.
pub(super) fn found(case: &Case<'_>, multiples: Times) -> Option<Diagnosis> {
    let trials: Vec<Numbers> = case.trials.iter().map(Numbers::of).collect::<Option<_>>()?;
    let own = trials.last()?;
    let likely = (CHANCE / (4 * own.neighbours.len().max(1)) as f64).ln();
    own.neighbours.iter().find_map(|neighbour| {
        let on_all: Vec<Vec<f64>> =
            trials.iter().map(|trial| trial.neighbour(&neighbour.name)).collect::<Option<_>>()?;
        // How likely it is that something explains the numbers on all data by chance, as a logarithm.
        let chance = |explained: &dyn Fn(&Numbers, &[f64]) -> Option<f64>| {
            trials.iter().zip(&on_all).map(|(trial, values)| explained(trial, values)).sum::<Option<f64>>()
        };
        let is_likely = |chance: Option<f64>| chance.is_some_and(|chance| chance <= likely);
        let name = || Words::new().source(&neighbour.name);
        // A derivative in this one's place is told elsewhere.
        let is_equal = || is_likely(chance(&|trial, values| trial.chance(&trial.claimed, values, 0.0)));
        if neighbour.is_value && is_equal() {
            let words = Words::new().say("These are the numbers of ").then(name()).say(".");
            let label = Words::new().say("this is ").then(name());
            return Some(Diagnosis { label, ..said(case, "stale-operand", words) });
        }
        let (times, doubt) = own.fitted(on_all.last()?);
        let (times, doubt) = match multiples {
            Times::Any => (times, doubt),
            Times::Written => (written(times, doubt).unwrap_or(0.0), 0.0),
        };
        let added = |trial: &Numbers, values: &[f64]| {
            let part: Vec<f64> = values.iter().map(|value| times * value).collect();
            let largest = values.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            trial.chance(&trial.difference, &part, doubt * largest)
        };
        // A number in front that was fitted takes one entry.
        let taken = if multiples == Times::Any { own.digits() } else { 0.0 };
        if times != 0.0 && is_likely(chance(&added).map(|chance| chance - taken)) {
            let words = match brief(times.abs(), doubt / times.abs()).as_str() {
                "1" => name(),
                number => Words::new().say(format!("{number} times ")).then(name()),
            };
            let how = if times > 0.0 { " is added to" } else { " is subtracted from" };
            let words = words.say(how).say(" the derivative, where it does not belong.");
            return Some(said(case, "extra-term", words));
        }
        [(false, "multiplied by "), (true, "divided by ")].into_iter().find_map(|(divides, how)| {
            let changed = |trial: &Numbers, values: &[f64]| {
                let with = |(truth, value): (&f64, &f64)| if divides { truth / value } else { truth * value };
                let is: Vec<f64> = trial.truth.iter().zip(values).map(with).collect();
                trial.chance(&trial.claimed, &is, 0.0)
            };
            let words = Words::new().say("The derivative is ").say(how).then(name());
            let words = words.say(", entry by entry, where that does not belong.");
            is_likely(chance(&changed)).then(|| said(case, "extra-factor", words))
        })
    })
}

/// The number of those that one writes that another one is, where it is known well enough to be one of them and no other.
fn written(times: f64, doubt: f64) -> Option<f64> {
    let mut near =
        WRITTEN.into_iter().filter(|written| (times - written).abs() <= doubt.max(SAME * written.abs()));
    near.next().filter(|_| near.next().is_none())
}

/// A claim on one set of data, entry by entry, and what its numbers may be made of.
struct Numbers {
    claimed: Vec<f64>,
    truth: Vec<f64>,
    difference: Vec<f64>,
    /// How far an entry may be off.
    slack: f64,
    neighbours: Vec<Neighbour>,
}

impl Numbers {
    fn of(trial: &Trial<'_>) -> Option<Numbers> {
        let tensor = trial.truth.tensor();
        let claimed = trial.truth.tensor_of(&trial.claimed()?, trial.layout())?.to_vec_f64();
        let truth = tensor.to_vec_f64();
        let difference: Vec<f64> = claimed.iter().zip(&truth).map(|(is, truth)| is - truth).collect();
        let largest = claimed.iter().chain(&truth).fold(0.0f64, |largest, entry| largest.max(entry.abs()));
        let slack = trial.close().max(SAME * SAME) * largest;
        let neighbours = neighbours(trial, tensor.shape());
        Some(Numbers { claimed, truth, difference, slack, neighbours })
    }

    fn neighbour(&self, name: &str) -> Option<Vec<f64>> {
        Some(self.neighbours.iter().find(|known| known.name == name)?.array.to_vec_f64())
    }

    /// The number that the difference is times these, and how far rounding may have moved that number.
    fn fitted(&self, values: &[f64]) -> (f64, f64) {
        let square = dot(values, values);
        let times = dot(&self.difference, values) / square;
        let doubt = self.slack * (values.len() as f64 / square).sqrt();
        if times.is_finite() && doubt < times.abs() { (times, doubt) } else { (0.0, 0.0) }
    }

    /// What share of all numbers like these differences a number is near enough to: its logarithm.
    fn digits(&self) -> f64 {
        let largest = self.difference.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
        (self.slack / largest).min(1.0).ln()
    }

    /// How likely it is that numbers are these by chance, as a logarithm; `None` where they are others. Each tells as many digits as it has
    /// beyond what it may be off by: beside one of 10¹¹ those of common sizes tell none.
    fn chance(&self, numbers: &[f64], are: &[f64], doubt: f64) -> Option<f64> {
        let slack = self.slack + doubt;
        let near = |(number, is): (&f64, &f64)| (number - is).abs() <= slack;
        let digits = |number: &f64| (slack / number.abs()).min(1.0).ln();
        numbers.iter().zip(are).all(near).then(|| numbers.iter().map(digits).sum())
    }
}

/// The values of a program and the derivatives that one may mean, of a shape, perhaps transposed: values first.
fn neighbours(trial: &Trial<'_>, shape: &[usize]) -> Vec<Neighbour> {
    let values = trial.program().values.iter().filter(|value| value.val.dtype().is_float());
    let values = values.filter_map(|value| {
        // A cotangent that is given is called like the derivative that it is.
        let is_value = !value.name.contains('/');
        Some(Neighbour { name: value.name.clone(), is_value, array: value.val.array().ok()?.clone() })
    });
    let mut found: Vec<Neighbour> = Vec::new();
    // Of what bears the name of the claim itself nothing can be said that explains it.
    let own = &trial.claim().key;
    let all = values.chain(gradients(trial, shape)).chain(others(trial, shape));
    for it in all.filter(|it| it.name != *own) {
        let turned = if it.array.ndim() == 2 { it.array.permute(&[1, 0]).ok() } else { None };
        let turned =
            turned.map(|array| Neighbour { name: format!("{}.T", it.name), array, is_value: it.is_value });
        for it in [Some(it), turned].into_iter().flatten() {
            if it.array.shape() == shape && found.iter().all(|known| known.name != it.name) {
                found.push(it);
            }
        }
    }
    found
}

/// The gradients of the claim's own loss by all values that have names.
fn gradients(trial: &Trial<'_>, shape: &[usize]) -> Vec<Neighbour> {
    let own = trial.claim();
    if own.of.ndim() > 0 {
        return Vec::new();
    }
    let fits = |val: &Val| {
        let it = val.shape();
        val.dtype().is_float() && (it == shape || (it.len() == 2 && it.iter().rev().eq(shape)))
    };
    let is_own = |val: &Val| own.wrt.iter().any(|x| x.id() == val.id()) || val.id() == own.of.id();
    // What is called like a derivative is a cotangent that is given.
    let values = trial.program().values.iter().filter(|value| !value.name.contains('/'));
    let values = values.filter(|value| fits(&value.val) && !is_own(&value.val));
    let values: Vec<(&String, &Val)> = values.map(|value| (&value.name, &value.val)).collect();
    let by: Vec<&Val> = values.iter().map(|(_, val)| *val).collect();
    let found = pullback(&[(&own.of, &own.of.one())], &by, &[]).unwrap_or_default();
    let named = values.into_iter().zip(found).filter_map(|((name, _), gradient)| {
        let name = format!("d{}/d{name}", own.of_name);
        Some(Neighbour { name, is_value: false, array: gradient?.array().ok()?.clone() })
    });
    named.collect()
}

/// The derivatives of other values, about which the file claims something.
fn others(trial: &Trial<'_>, shape: &[usize]) -> Vec<Neighbour> {
    let own = trial.claim();
    let claims = trial.program().claims.iter().filter(|about| about.of.id() != own.of.id());
    let derivative = |about: &Claim| {
        let array = derivative(about, shape)?;
        Some(Neighbour { name: about.key.clone(), is_value: false, array })
    };
    claims.filter_map(derivative).collect()
}

/// The derivative that a claim is about in a shape, where it has it and can be computed.
fn derivative(about: &Claim, shape: &[usize]) -> Option<Array> {
    let entries = |val: &Val| val.shape().iter().product::<usize>();
    let all = entries(&about.of) * about.wrt.iter().map(entries).product::<usize>();
    // What has another number of entries has another shape.
    if all != shape.iter().product::<usize>() {
        return None;
    }
    Truth::of(&subject(about), MOST_ENTRIES).ok()??.in_shape(shape, ClaimLayout::Either)
}
