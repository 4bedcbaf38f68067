//! Mistakes in local Jacobians, held against the numbers: what looks right along three random directions is compared entry by
//! entry, on all data.

use pullback_ops::Val;

use super::mistakes::{MISTAKES, Mistake};
use super::multiple::{Fitted, closeness, factor_words};
use super::node::{Change, Node, Slip};
use super::sweep::{SEEN, Sweep, dot, is_multiple};
use super::{FEWEST, LEFT, SHORT};
use crate::Diagnosis;
use crate::case::{Case, Trial};
use crate::edit::size;
use crate::factor::Factor;
use crate::inquiry::Inquiry;
use crate::search::BITS_OF_A_MASK;
use crate::words::Words;

/// What a number in front of the whole costs beside another mistake, in tenths of an edit: it is a second mistake.
const SECOND: u32 = 25;

/// Numbers that are less precise than this are few digits.
const ROUGH: f64 = 1e-6;

/// An explanation that leaves so many times more than another one does not explain as well.
const NEARLY: f64 = 2.0;

/// How many explanations that are seen along three directions are compared entry by entry.
const MOST_COMPARED: usize = 12;

/// An explanation that may be right.
struct Guess {
    place: usize,
    mistake: &'static Mistake,
    key: String,
    cost: u32,
    /// Is the gradient multiplied by a number beside?
    scaled: bool,
}

/// The mistakes in local Jacobians that explain the numbers.
pub(super) fn local(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
    let trials: Vec<(&Trial<'_>, Sweep)> = case
        .trials
        .iter()
        .enumerate()
        .filter_map(|(at, trial)| Some((trial, Sweep::new(trial, at as u64)?)))
        .collect();
    let numbers: usize = trials.iter().map(|(_, sweep)| sweep.truth.len()).sum();
    if numbers < FEWEST || !case.trials.iter().all(Trial::is_told) || are_bits(&trials) {
        return Vec::new();
    }
    // Data on which the numbers happen to be right explain nothing.
    let Some((first, sweep)) = trials.iter().find(|(_, sweep)| sweep.is_wrong()) else { return Vec::new() };
    let mut guesses = guesses(first, sweep);
    guesses.sort_by_key(|guess| guess.cost);
    // In few digits several explanations may be near enough, and the nearest is the one: what it leaves is rounding.
    let is_rough = closeness(case) > ROUGH;
    let mut found: Vec<(Guess, Diagnosis, f64)> = Vec::new();
    for guess in guesses.into_iter().take(MOST_COMPARED) {
        if let Some((best, ..)) = found.first().filter(|_| !is_rough)
            && (best.cost < guess.cost || best.mistake.word == guess.mistake.word)
        {
            continue;
        }
        if let Some((diagnosis, left)) = confirmed(inquiry, number, case, &trials, &guess) {
            found.push((guess, diagnosis, left));
        }
    }
    if is_rough {
        let least = found.iter().map(|(.., left)| *left).fold(f64::INFINITY, f64::min);
        found.retain(|(.., left)| *left <= NEARLY * least);
    }
    let mut told: Vec<(Guess, Diagnosis)> = Vec::new();
    for (guess, diagnosis, _) in found {
        let is_other = |(known, said): &(Guess, Diagnosis)| {
            known.cost == guess.cost
                && said.cause != diagnosis.cause
                && !inquiry.same_elsewhere(number, known, &guess)
        };
        if told.iter().all(is_other) {
            told.push((guess, diagnosis));
        }
    }
    told.into_iter().map(|(_, diagnosis)| diagnosis).collect()
}

/// Are numbers wrong by being zero alone, and few? Each is a bit of a mask, and some mistake or other has few of them by chance.
fn are_bits(trials: &[(&Trial<'_>, Sweep)]) -> bool {
    let mut wrong = trials.iter().flat_map(|(_, sweep)| {
        let pairs = sweep.claimed.iter().zip(&sweep.truth);
        pairs.filter(|(claimed, truth)| (*claimed - *truth).abs() > sweep.slack)
    });
    wrong.clone().count() < BITS_OF_A_MASK && wrong.all(|(claimed, _)| *claimed == 0.0)
}

/// All mistakes that look right along the random directions of one set of data.
fn guesses(trial: &Trial<'_>, sweep: &Sweep) -> Vec<Guess> {
    let mut guesses = Vec::new();
    for place in 0..sweep.len() {
        let Some(node) = sweep.node(place) else { continue };
        for mistake in MISTAKES {
            for slip in (mistake.slips)(&node, trial) {
                let Some(scaled) = looks_right(sweep, &node, &slip) else { continue };
                let cost = slip.cost + if scaled { SECOND } else { 0 };
                guesses.push(Guess { place, mistake, key: slip.key, cost, scaled });
            }
        }
    }
    guesses
}

/// Does a slip explain what is seen along the directions? And if so, with a number in front of the whole?
fn looks_right(sweep: &Sweep, node: &Node, slip: &Slip) -> Option<bool> {
    let ends = sweep.ends_seen();
    let slack = sweep.slack_seen();
    let near = |a: f64, b: f64, scale: f64| (a - b).abs() <= SEEN * (a.abs() + b.abs() + scale) + slack;
    match &slip.change {
        Change::By(change) => {
            let seen = sweep.seen(node, change)?;
            let all = |times: f64| {
                ends.iter().zip(&seen).all(|(&(claimed, truth), change)| {
                    near(claimed, times * (truth + change), times * (truth.abs() + change.abs()))
                })
            };
            let changes =
                seen.iter().zip(&ends).any(|(change, (_, truth))| change.abs() > SEEN * truth.abs());
            if !changes {
                return None;
            }
            if all(1.0) {
                return Some(false);
            }
            let times = ends[0].0 / (ends[0].1 + seen[0]);
            (times.is_finite() && times != 0.0 && all(times)).then_some(true)
        }
        Change::Scaled(part) | Change::Added(part) => {
            let seen = sweep.seen(node, part)?;
            let more = (ends[0].0 - ends[0].1) / seen[0];
            let mut all = ends.iter().zip(&seen);
            // Nothing in place of the part is a mistake of its own.
            let is_added = matches!(slip.change, Change::Added(_));
            let is_factor = more.is_finite() && more != 0.0 && (is_added || (more + 1.0).abs() > 1e-6);
            (is_factor
                && all.all(|(&(claimed, truth), part)| {
                    near(claimed, truth + more * part, truth.abs() + (more * part).abs())
                }))
            .then_some(false)
        }
        Change::Replaced { part, by } => {
            let (part, by) = (sweep.seen(node, part)?, sweep.seen(node, by)?);
            let times = (ends[0].0 - ends[0].1 + part[0]) / by[0];
            let mut all = ends.iter().zip(part.iter().zip(&by));
            (times.is_finite()
                && times.abs() > 1e-6
                && all.all(|(&(claimed, truth), (part, by))| {
                    near(claimed, truth - part + times * by, truth.abs() + part.abs() + (times * by).abs())
                }))
            .then_some(false)
        }
    }
}

/// The slip of a guess on one set of data.
fn slip_of(trial: &Trial<'_>, sweep: &Sweep, guess: &Guess) -> Option<(Node, Slip)> {
    let node = sweep.node(guess.place)?;
    let slip = (guess.mistake.slips)(&node, trial).into_iter().find(|slip| slip.key == guess.key)?;
    Some((node, slip))
}

/// What a guess says, if it explains every entry on all data, and what it leaves unexplained.
fn confirmed(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    trials: &[(&Trial<'_>, Sweep)],
    guess: &Guess,
) -> Option<(Diagnosis, f64)> {
    let (mut numbers, mut left) = (Vec::new(), 0.0);
    let (mut told, mut whole) = (None, 0.0);
    for (trial, sweep) in trials {
        let (node, slip) = slip_of(trial, sweep, guess)?;
        let (number, rest) = explained(sweep, &node, &slip, guess.scaled)?;
        left += rest;
        whole += sweep.off();
        numbers.push(number);
        told = Some((node, slip));
    }
    // A mistake that makes no difference is nearly right wherever the derivative is.
    if left > LEFT * whole {
        return None;
    }
    // The data of the file comes last, and it is the file's program that is spoken of.
    let (node, slip) = told?;
    let fitted = Fitted { values: numbers.clone(), close: closeness(case) };
    let (cause, explanation) = match (&slip.change, guess.scaled) {
        (Change::By(_), false) => (guess.mistake.word, slip.words),
        (Change::By(_), true) => {
            let factor = named(case, &fitted)?;
            let words = slip.words.say(" Besides, the whole is multiplied by ").expr(&factor).say(".");
            (guess.mistake.word, words)
        }
        (Change::Scaled(_), _) => {
            let (cause, words) = factor_words(case, &fitted.named(&case.quantities(usize::MAX))?)?;
            (cause, slip.words.then(words))
        }
        (Change::Added(_), _) => {
            // The multiple is a constant of whoever wrote it: the same on all data.
            let (&last, others) = numbers.split_last()?;
            let close = closeness(case).max(1e-6);
            if others.iter().any(|other| (other - last).abs() > close * (last - 1.0).abs()) {
                return None;
            }
            (guess.mistake.word, slip.words)
        }
        (Change::Replaced { .. }, _) => {
            let unusual =
                |number: &f64| Factor::named(&[*number], &[]).is_none_or(|factor| !factor.is_usual());
            if numbers.iter().any(unusual) {
                return None;
            }
            let sign = numbers.iter().all(|number| (number.abs() - 1.0).abs() < 1e-6);
            let factor = if sign { None } else { Some(named(case, &fitted)?) };
            let words = match factor {
                Some(factor) => slip.words.say(" Besides, it is multiplied by ").expr(&factor).say("."),
                None => slip.words,
            };
            (guess.mistake.word, words)
        }
    };
    let is_expression = inquiry.exact.claims[number].expr.is_some();
    let fix = if is_expression { inquiry.derived(number, Some(case)) } else { None };
    let (span, label) = match &fix {
        // The caret stands where the fix is to be written.
        Some(fix) if size(&fix.expr) <= SHORT => {
            (case.claim.expr_span, Words::new().expr(&fix.expr).say(" belongs here"))
        }
        Some(_) => (case.claim.expr_span, Words::new().say("this is wrong")),
        None => place(inquiry, number, &node, guess),
    };
    Some((Diagnosis { cause, explanation, span, label, partner: None, fix }, left))
}

/// The number that a slip is fitted with, and what it leaves unexplained, where that is no more than may be.
fn explained(sweep: &Sweep, node: &Node, slip: &Slip, scaled: bool) -> Option<(f64, f64)> {
    let sum = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a + b).collect() };
    let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let multiple = |a: &[f64], of: &[f64]| dot(a, of) / dot(of, of);
    Some(match &slip.change {
        Change::By(change) => {
            let change = sweep.carried(node, change)?;
            // What comes to a multiple of the derivative is a matter of a factor.
            if scaled && is_multiple(&sum(&sweep.truth, &change), &sweep.truth) {
                return None;
            }
            let times = if scaled { multiple(&sweep.claimed, &sum(&sweep.truth, &change)) } else { 1.0 };
            (times, sweep.left(&change, times)?)
        }
        Change::Scaled(part) | Change::Added(part) => {
            let part = sweep.carried(node, part)?;
            let more = multiple(&difference(&sweep.claimed, &sweep.truth), &part);
            let change: Vec<f64> = part.iter().map(|entry| more * entry).collect();
            (1.0 + more, sweep.left(&change, 1.0)?)
        }
        Change::Replaced { part, by } => {
            let (part, by) = (sweep.carried(node, part)?, sweep.carried(node, by)?);
            let rest = sum(&difference(&sweep.claimed, &sweep.truth), &part);
            let times = multiple(&rest, &by);
            let change: Vec<f64> = by.iter().zip(&part).map(|(by, part)| times * by - part).collect();
            (times, sweep.left(&change, 1.0)?)
        }
    })
}

/// The name of a number that was fitted on each set of data.
fn named(case: &Case<'_>, numbers: &Fitted) -> Option<pullback_lang::Expr> {
    Some(numbers.named(&case.quantities(usize::MAX))?.expr(case.claim.expr_span))
}

/// Where a mistake stands: at the operation whose backward pass is wrong, and what is said there.
fn place(inquiry: &Inquiry<'_>, number: usize, node: &Node, guess: &Guess) -> (pullback_lang::Span, Words) {
    let claim = &inquiry.exact.claims[number];
    let used = match node.uses.as_slice() {
        [used] => Some(&used.value),
        // The key begins with the number of the use, where the mistake is that of one.
        uses => guess
            .key
            .split(':')
            .next()
            .and_then(|at| uses.get(at.parse::<usize>().ok()?))
            .map(|used| &used.value),
    };
    let place = |val: &Val| inquiry.exact.place(val);
    let operation = used.and_then(place).or_else(|| place(&node.value));
    match (operation, &claim.expr) {
        (Some(span), _) => (span, Words::new().say("the backward pass of this is wrong")),
        (None, Some(expr)) => (expr.span, Words::new().say("this is wrong")),
        (None, None) => (claim.expr_span, Words::new().say("these numbers are wrong")),
    }
}

impl Inquiry<'_> {
    /// Do two guesses say the same on other data? Then they are one, told in two ways.
    fn same_elsewhere(&self, number: usize, one: &Guess, other: &Guess) -> bool {
        let predicted = |trial: &Trial<'_>, guess: &Guess| {
            let sweep = Sweep::new(trial, 0)?;
            let (node, slip) = slip_of(trial, &sweep, guess)?;
            match &slip.change {
                Change::By(change) => Some((sweep.carried(&node, change)?, sweep)),
                _ => None,
            }
        };
        self.unclaimed(number, &mut |trial| {
            let (Some((a, sweep)), Some((b, _))) = (predicted(trial, one), predicted(trial, other)) else {
                return false;
            };
            let largest = sweep.truth.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
            a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= crate::case::CLOSE * largest)
        })
    }
}
