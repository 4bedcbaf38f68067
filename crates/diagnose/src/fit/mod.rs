//! What is wrong with numbers: mistakes in local Jacobians, held against what a backward pass returned.
//!
//! Numbers have no expression that could be edited, and neither has every wrong expression the mistake of a single edit. But
//! a backward pass, however it is written, sends a cotangent through the operations of the forward pass, and multiplies it
//! by the Jacobian of each. A mistake is a wrong local Jacobian: a term of it is missing, a factor is transposed or taken of
//! another value, a share is overwritten where shares add. Each is tried at every value between x and y ([`Sweep`] says how
//! that is cheap), and what gives the very numbers that are claimed, on all data there is, is what went wrong. No text and no
//! edit is needed for that, and the same hypotheses serve a file's claims, a kernel's dump and a function.
//!
//! | module | what it knows |
//! |---|---|
//! | `sweep` | one pass backward and one forward, and what a mistake anywhere makes of the gradient |
//! | `node` | a value on the way, the operations it goes into, and a mistake's effect on its cotangent |
//! | `mistakes/*` | one kind of mistake each |
//! | `formula` | slips in a right formula of the gradient: the one that the file states, or the derived one |
//! | `beside` | such a slip, and something that was done to the whole beside it |
//! | `derived` | the formula that the forward pass gives |
//! | `neighbours` | other derivatives and values of the file in the numbers: in their place, added to them, multiplied with them |
//! | `whole` | what may have been done to the gradient as a whole: transposed, scaled, not summed, another one's |
//!
//! What is not here: edits of expressions (`search`), and words made into text.

mod beside;
mod derived;
mod formula;
mod mistakes;
mod neighbours;
mod node;
mod sweep;
mod whole;

use std::cell::OnceCell;

use pullback_ops::Val;

use self::formula::{Costed, Right};
use self::mistakes::{MISTAKES, Mistake};
use self::node::{Change, Node, Slip};
use self::sweep::{Sweep, dot};
use self::whole::Fitted;
use crate::case::{Case, Trial};
use crate::edit::size;
use crate::factor::Factor;
use crate::inquiry::Inquiry;
use crate::search::Depth;
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// How far a projection may be off, relatively, beside what the claim's own precision allows: rounding of a few hundred
/// operations stays below it.
const SEEN: f64 = 1e-8;

/// What a number in front of the whole costs beside another mistake, in tenths of an edit: it is a second mistake.
const SECOND: u32 = 25;

/// Numbers that are less precise than this are few digits.
const ROUGH: f64 = 1e-6;

/// An explanation that leaves so many times more than another one does not explain as well.
const NEARLY: f64 = 2.0;

/// What explains a claim leaves no more than this share of what is wrong with it.
const LEFT: f64 = 0.1;

/// One number or two, anything explains.
const FEWEST: usize = 3;

/// A slip that is dearer is one of odd numbers.
const LIKELY: u32 = 4;

/// A derived formula with more parts is long.
const SHORT: usize = 28;

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

/// What explains the numbers of a claim: one mistake, or several that no data at hand tells apart.
pub(crate) fn fit(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
    let fit = Fit { inquiry, number, case, rights: OnceCell::new() };
    let mut found = Fit::WAYS.iter().map(|way| way(&fit)).find(|found| !found.is_empty()).unwrap_or_default();
    if found.is_empty() || found.iter().any(|found| found.fix.is_none()) {
        let fix = inquiry.derived(number, case);
        if found.is_empty() && !fit.is_expression() && fix.is_some() {
            found.push(whole::unexplained(case));
        }
        found.iter_mut().filter(|found| found.fix.is_none()).for_each(|found| found.fix = fix.clone());
    }
    found
}

/// A claim that is to be explained.
struct Fit<'f> {
    inquiry: &'f Inquiry<'f>,
    number: usize,
    case: &'f Case<'f>,
    /// The formulas that the derivative has, short ones and long ones: in a long one many slips give the same numbers.
    rights: OnceCell<(Vec<Right>, Vec<Right>)>,
}

impl<'f> Fit<'f> {
    /// In what order explanations are sought: the first that is found is told.
    const WAYS: [fn(&Fit<'f>) -> Vec<Diagnosis>; 12] = [
        Fit::swapped,
        Fit::whole,
        Fit::another_claim,
        Fit::slip,
        Fit::neighbour,
        Fit::unnamed_multiple,
        Fit::local,
        Fit::slip_in_a_long_formula,
        Fit::another_value,
        Fit::slip_beside,
        Fit::two_slips,
        Fit::facts,
    ];

    fn is_expression(&self) -> bool {
        self.inquiry.exact.claims[self.number].expr.is_some()
    }

    /// Of an expression it is told elsewhere.
    fn of_numbers(&self, found: impl FnOnce() -> Option<Diagnosis>) -> Vec<Diagnosis> {
        if self.is_expression() { Vec::new() } else { found().into_iter().collect() }
    }

    fn rights(&self) -> &(Vec<Right>, Vec<Right>) {
        let is_short = |right: &Right| right.stated || size(&right.expr) <= SHORT;
        let rights = || formula::rights(self.inquiry, self.number, self.case);
        self.rights.get_or_init(|| rights().into_iter().partition(is_short))
    }

    fn slips(&self, rights: &[Right], depth: Depth) -> Option<Costed> {
        formula::slips(self.inquiry, self.number, self.case, rights, depth)
    }

    /// Two claims are the wrong way round.
    fn swapped(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| neighbours::swapped(self.inquiry, self.number, self.case))
    }

    /// Something was done to the gradient as a whole.
    fn whole(&self) -> Vec<Diagnosis> {
        let found = whole::found(self.inquiry, self.number, self.case);
        if !found.iter().all(|found| found.cause == "missing-sum") || found.is_empty() {
            return found;
        }
        // A matrix times a vector entry by entry is their product, not summed.
        match self.slips(&self.rights().0, Depth::Singles) {
            Some((_, slip)) if slip.iter().all(|slip| slip.cause == "elementwise-for-product") => slip,
            _ => found,
        }
    }

    /// The numbers are those of another claim.
    fn another_claim(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| neighbours::another(self.case))
    }

    /// One slip in a formula; with it the mistake in a local Jacobian that it comes to.
    fn slip(&self) -> Vec<Diagnosis> {
        let Some((cost, slip)) = self.slips(&self.rights().0, Depth::Singles) else { return Vec::new() };
        // `11 * lam * w` for `lam * w` is less likely than `w` added.
        if cost > LIKELY {
            let likelier = [Fit::neighbour, Fit::unnamed_multiple]
                .iter()
                .map(|way| way(self))
                .find(|found| !found.is_empty());
            if let Some(likelier) = likelier {
                return likelier;
            }
        }
        both(slip, self.local())
    }

    /// Another value or derivative was added, or multiplied with.
    fn neighbour(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| neighbours::found(self.case))
    }

    /// A mistake in a local Jacobian.
    fn local(&self) -> Vec<Diagnosis> {
        local(self.inquiry, self.number, self.case)
    }

    fn slip_in_a_long_formula(&self) -> Vec<Diagnosis> {
        self.slips(&self.rights().1, Depth::Singles).map_or_else(Vec::new, |(_, slip)| slip)
    }

    /// The gradient of a value between.
    fn another_value(&self) -> Vec<Diagnosis> {
        whole::another(self.inquiry, self.number, self.case).into_iter().collect()
    }

    /// The derivative times a number that nobody writes.
    fn unnamed_multiple(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| whole::unnamed_multiple(self.case))
    }

    /// A slip in a formula, and something that was done to the whole.
    fn slip_beside(&self) -> Vec<Diagnosis> {
        formula::slips_beside(self.inquiry, self.number, self.case, &self.rights().0)
    }

    /// Two slips in the formula that one would begin with.
    fn two_slips(&self) -> Vec<Diagnosis> {
        let short = &self.rights().0;
        let first = &short[..short.len().min(1)];
        self.slips(first, Depth::PairsAlone).map_or_else(Vec::new, |(_, slips)| slips)
    }

    /// What can be seen of numbers that nothing explains.
    fn facts(&self) -> Vec<Diagnosis> {
        self.of_numbers(|| whole::facts(self.case, self.inquiry.judged[self.number].as_ref()?))
    }
}

/// A slip in the formula, and the mistake in a local Jacobian that it comes to, where the two agree: the one says what is
/// computed, the other where and why that is wrong.
fn both(slip: Vec<Diagnosis>, local: Vec<Diagnosis>) -> Vec<Diagnosis> {
    match (slip.as_slice(), local.as_slice()) {
        ([slip], [local]) if slip.cause == local.cause => {
            let explanation = local.explanation.clone().say(" ").then(slip.explanation.clone());
            vec![Diagnosis { explanation, fix: slip.fix.clone(), ..local.clone() }]
        }
        _ => slip,
    }
}

/// The mistakes in local Jacobians that explain the numbers.
fn local(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>) -> Vec<Diagnosis> {
    let trials: Vec<(&Trial<'_>, Sweep)> = case
        .trials
        .iter()
        .enumerate()
        .filter_map(|(at, trial)| Some((trial, Sweep::new(trial, at as u64)?)))
        .collect();
    let numbers: usize = trials.iter().map(|(_, sweep)| sweep.truth.len()).sum();
    if numbers < FEWEST {
        return Vec::new();
    }
    // Data on which the numbers happen to be right explain nothing.
    let Some((first, sweep)) = trials.iter().find(|(_, sweep)| sweep.is_wrong()) else { return Vec::new() };
    let mut guesses = guesses(first, sweep);
    guesses.sort_by_key(|guess| guess.cost);
    // In few digits several explanations may be near enough, and the nearest is the one: what it leaves is rounding.
    let is_rough = whole::closeness(case) > ROUGH;
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
    let fitted = Fitted { values: numbers.clone(), close: whole::closeness(case) };
    let (cause, explanation) = match (&slip.change, guess.scaled) {
        (Change::By(_), false) => (guess.mistake.word, slip.words),
        (Change::By(_), true) => {
            let factor = named(case, &fitted)?;
            let words = slip.words.say(" Besides, the whole is multiplied by ").expr(&factor).say(".");
            (guess.mistake.word, words)
        }
        (Change::Scaled(_), _) => {
            let (cause, words) = whole::factor_words(case, &fitted, &case.quantities(usize::MAX))?;
            (cause, slip.words.then(words))
        }
        (Change::Added(_), _) => {
            // The multiple is a constant of whoever wrote it: the same on all data.
            let (&last, others) = numbers.split_last()?;
            let close = whole::closeness(case).max(1e-6);
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
    let fix = if is_expression { inquiry.derived(number, case) } else { None };
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

/// Are numbers the same multiple of others? A single number is a multiple of every other.
fn is_multiple(numbers: &[f64], of: &[f64]) -> bool {
    if numbers.len() < 2 {
        return false;
    }
    let square = dot(of, of);
    let times = dot(numbers, of) / square;
    let rest: Vec<f64> = numbers.iter().zip(of).map(|(number, of)| number - times * of).collect();
    dot(&rest, &rest) <= SEEN * SEEN * times * times * square
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

    /// The derivative as a formula, where there is one that holds on all data.
    pub(crate) fn derived(&self, number: usize, case: &Case<'_>) -> Option<Fix> {
        let expr = derived::at_once(self, case)?;
        let is_expression = self.exact.claims[number].expr.is_some();
        // A size that has no name is a number in the formula, and another one at other sizes.
        let is_right =
            case.fits(&expr) && (is_expression || self.unclaimed(number, &mut |trial| trial.fits(&expr)));
        let residual = if is_expression { Some(self.accepted(number, &expr)?) } else { None };
        is_right.then_some(Fix { definition: None, expr, residual })
    }
}
