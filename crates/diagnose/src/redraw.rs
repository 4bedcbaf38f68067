//! Claims that hold on the numbers that the file draws, and not on those of other seeds: a forgotten mask of `relu` where all of
//! `z` is positive.
//!
//! What is drawn stands for any numbers of its distribution, and a claim that is off on some is wrong, whatever it is on those of
//! the file's own seed. The numbers that are tried are those of the next seeds, so that everybody can see them. What is written
//! down or loaded stays; and so does what a dump gave in the place of what is drawn. Numbers from elsewhere are nothing that
//! could be claimed on other data; and of a claim that is itself made of numbers, `dL/dx = [0.3, -1.2]`, the same is so.
//!
//! No mistake is seen in one draw alone where it is one of signs: so several are tried, [`MOST_TRIES`] where the program is small.

use std::collections::HashMap;
use std::path::Path;

use pullback_array::{Array, DType};
use pullback_autograd::grad;
use pullback_check::{Facts, Judgement, Note, OtherData, Verdict};
use pullback_lang::program::{
    Claim, Claimed, Inputs, Program, Value, ValueKind, elaborate_at, elaborate_with,
};
use pullback_lang::{Expr, ExprKind, File, Source, Span, Statement, StatementKind};
use pullback_network::Value as _;
use pullback_ops::{Origin, Val};

use crate::case::work;
use crate::doubt::CLOSE;
use crate::inherit::referred;
use crate::inquiry::Inquiry;
use crate::probe::Probe;
use crate::tree::{asides, graph_of};

/// So many draws are tried at most. Of a mistake that one sign hides, as a mask that is forgotten for a single number, each sees
/// half of the cases.
const MOST_TRIES: u64 = 16;

/// Multiplications that all draws together may take, roughly: some tenths of a second. The first is tried whatever it takes,
/// since judging took more.
const MOST_WORK: f64 = 268_435_456.0;

/// What one value costs beside its multiplications, in multiplications.
const PER_VALUE: f64 = 2000.0;

/// A backward pass takes some two forward passes, and there is one of these too.
const PASSES: f64 = 3.0;

/// Inputs of more numbers are not drawn anew: so many do not agree by accident.
const MOST_NUMBERS: usize = 1 << 20;

/// Turns the judgements of claims that hold, and are wrong on data drawn anew, into what is said of them there.
pub fn on_other_draws(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    judged: &mut [Option<Judgement>],
) {
    let holds = |number: &usize| {
        judged.get(*number).is_some_and(|found| found.as_ref().is_some_and(Judgement::passes))
    };
    let is_tried = |number: &usize| holds(number) && is_formula(file, exact, &exact.claims[*number]);
    let mut left: Vec<usize> = (0..exact.claims.len()).filter(is_tried).collect();
    // What holds by another convention than that of the operations does so there too.
    let here = gradients(exact, &left);
    left.retain(|number| {
        here.get(number).is_none_or(|gradient| is_claimed(&exact.claims[*number], gradient))
    });
    let Some(draws) = Draws::of(file, inputs, base_dir).filter(|_| !left.is_empty()) else { return };
    let mut wrong: HashMap<usize, Judgement> = HashMap::new();
    {
        let inquiry = Inquiry::new(file, exact, inputs, base_dir, judged, &|_| ());
        for by in 1..=tries(exact, &left) {
            let Some(program) = draws.program(by) else { continue };
            let probe = Probe::new(program, false);
            let gradients = gradients(&probe.program, &left);
            left.retain(|&number| {
                let found = wrong_on(&inquiry, &probe, number, gradients.get(&number), &wrong);
                let Some((found, by_itself)) = found else { return true };
                let seeds = draws.seeds.clone();
                let note = Note::OtherDraw { seeds, by, by_itself };
                wrong.insert(number, Judgement { notes: vec![note], ..found });
                false
            });
            if left.is_empty() {
                break;
            }
        }
    }
    for (number, found) in wrong {
        // What refers to it is corrected with the derivative on the data of the file.
        let Some(own) = &judged[number] else { continue };
        let facts = Facts { other_data: OtherData::Wrong, ..own.facts };
        let expected = own.expected.clone();
        judged[number] = Some(Judgement { expected, beyond: Vec::new(), ..found }.with(facts));
    }
}

/// Was a claim found to be wrong on other draws, by a mistake of its own?
pub(crate) fn is_wrong_by_itself(judgement: &Judgement) -> bool {
    judgement.notes.iter().any(|note| matches!(note, Note::OtherDraw { by_itself: true, .. }))
}

/// Is a claim wrong on other draws only, so that nothing can be seen of its mistake on the data of the file?
pub(crate) fn is_right_here(judgement: &Judgement) -> bool {
    judgement.notes.iter().any(|note| matches!(note, Note::OtherDraw { .. }))
}

/// How many draws are tried.
fn tries(exact: &Program, claims: &[usize]) -> u64 {
    let cost = |val: &Val| work(val) + PER_VALUE;
    let forward: f64 = exact.values.iter().map(|value| cost(&value.val)).sum();
    let mut scalars: Vec<u64> = Vec::new();
    let mut total = forward;
    for claim in claims.iter().map(|&number| &exact.claims[number]) {
        let rows = claim.of.shape().iter().product::<usize>() * (claim.wrt.len().max(2) - 1);
        if rows > 1 || !scalars.contains(&claim.of.id()) {
            scalars.push(claim.of.id());
            total += PASSES * rows as f64 * forward;
        }
        if let Claimed::Value { val, .. } = &claim.claimed {
            total += cost(val);
        }
    }
    ((MOST_WORK / total) as u64).clamp(1, MOST_TRIES)
}

/// Is a claim made of values of the program, and of constants that any data have in common (`eye(n)`, `ones(n)`, `2`)? Numbers that
/// are written out, or read from a file that the program has nothing to do with, are those of the data at hand.
fn is_formula(file: &File, exact: &Program, claim: &Claim) -> bool {
    let (Some(expr), Claimed::Value { val, .. }) = (&claim.expr, &claim.claimed) else { return false };
    if let Some(number) = val.as_number().filter(|_| is_number(expr)) {
        return number == 0.0;
    }
    let forward = graph_of(&claim.of);
    let has_list = || {
        let behind = asides(file, exact, claim, expr, &[]);
        std::iter::once(expr).chain(behind.iter().map(|aside| &aside.expr)).any(has_list)
    };
    let is_constructed = |leaf: &Val| leaf.id() == val.id() && matches!(expr.kind, ExprKind::Call { .. });
    graph_of(val).values().all(|leaf| {
        if !matches!(leaf.origin(), Origin::Leaf)
            || leaf.ndim() == 0
            || !leaf.dtype().is_float()
            || forward.contains_key(&leaf.id())
        {
            return true;
        }
        match exact.values.iter().find(|value| value.val.id() == leaf.id()) {
            Some(Value { kind, name, .. }) => *kind == ValueKind::Definition || is_drawn(file, name),
            // A list that is written in an expression is called as it is written, where that is short.
            None => match leaf.name() {
                Some(name) => !name.as_str().starts_with('['),
                None => is_constructed(leaf) || !has_list(),
            },
        }
    })
}

/// Is it a number that is written out, and no name of one?
fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } => true,
        ExprKind::Negate(of) => is_number(of),
        _ => false,
    }
}

/// Does the file draw an input?
fn is_drawn(file: &File, name: &str) -> bool {
    file.statements.iter().any(|statement| match &statement.kind {
        StatementKind::Input(input) => {
            input.name.text == name && matches!(input.source, Source::Distribution { .. })
        }
        _ => false,
    })
}

fn has_list(expr: &Expr) -> bool {
    let mut has = false;
    expr.walk(&mut |part| has |= matches!(part.kind, ExprKind::List(_)));
    has
}

/// A file whose inputs can be drawn anew.
struct Draws<'a> {
    file: &'a File,
    base_dir: &'a Path,
    /// What is not drawn, with its numbers.
    kept: Inputs,
    /// The seeds of the file, in order.
    seeds: Vec<u64>,
}

impl<'a> Draws<'a> {
    fn of(file: &'a File, inputs: &Inputs, base_dir: &'a Path) -> Option<Draws<'a>> {
        let (mut drawn, mut seeds): (Vec<String>, Vec<u64>) = (Vec::new(), Vec::new());
        for statement in &file.statements {
            let (key, source) = match &statement.kind {
                StatementKind::Seed(seed) => {
                    seeds.push(*seed);
                    continue;
                }
                StatementKind::Input(input) => (input.name.text.clone(), &input.source),
                StatementKind::Upstream(given) => (format!("d{}/d{}", given.of, given.wrt), &given.source),
                _ => continue,
            };
            if matches!(source, Source::Distribution { .. }) {
                // Until a seed is stated it is 0.
                if seeds.is_empty() {
                    seeds.push(0);
                }
                drawn.push(key);
            }
        }
        let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
        if drawn.is_empty() || numbers > MOST_NUMBERS {
            return None;
        }
        // What has other numbers than those the file draws was given them.
        let (_, own) = elaborate_with(file, &Inputs::default(), base_dir).ok()?;
        let is_drawn = |key: &str, array: &Array| {
            let same = |own: &Array| own.shape() == array.shape() && own.to_vec_f64() == array.to_vec_f64();
            drawn.iter().any(|name| name == key) && own.get(key).is_some_and(same)
        };
        let mut kept = Inputs::default();
        let mut any = false;
        for (key, array) in inputs.iter() {
            match is_drawn(key, array) {
                true => any = true,
                false => kept.set(key, array.clone()),
            }
        }
        any.then_some(Draws { file, base_dir, kept, seeds })
    }

    /// The program on the numbers of other seeds, each of which is so much larger, in double precision.
    fn program(&self, by: u64) -> Option<Program> {
        let mut file = self.file.clone();
        for statement in &mut file.statements {
            if let StatementKind::Seed(seed) = &mut statement.kind {
                *seed = seed.wrapping_add(by);
            }
        }
        file.statements.insert(0, Statement { span: Span::default(), kind: StatementKind::Seed(by) });
        let (program, inputs) = elaborate_with(&file, &self.kept, self.base_dir).ok()?;
        match program.dtype {
            DType::F64 => Some(program),
            _ => elaborate_at(&file, &inputs, DType::F64, self.base_dir).ok(),
        }
    }
}

/// The gradients that claims of their shapes are about, by one backward pass for all that are about the same scalar.
fn gradients(program: &Program, claims: &[usize]) -> HashMap<usize, Array> {
    let mut by_scalar: HashMap<u64, Vec<usize>> = HashMap::new();
    for &number in claims {
        let Some(claim) = program.claims.get(number) else { continue };
        if claim.of.ndim() == 0 && claim.fixed.is_empty() && claim.wrt.len() == 1 {
            by_scalar.entry(claim.of.id()).or_default().push(number);
        }
    }
    let mut found = HashMap::new();
    for numbers in by_scalar.into_values() {
        let of = &program.claims[numbers[0]].of;
        let wrt: Vec<&Val> = numbers.iter().map(|&number| &program.claims[number].wrt[0]).collect();
        let Ok(gradients) = grad(of, &wrt) else { continue };
        for (number, gradient) in numbers.into_iter().zip(gradients) {
            let is_of_its_shape = |claimed: &Claimed| matches!(claimed, Claimed::Value { val, .. } if val.shape() == gradient.shape());
            if is_of_its_shape(&program.claims[number].claimed)
                && let Ok(array) = gradient.array()
            {
                found.insert(number, array.clone());
            }
        }
    }
    found
}

/// Is what is claimed this gradient?
fn is_claimed(claim: &Claim, gradient: &Array) -> bool {
    let Claimed::Value { val, .. } = &claim.claimed else { return false };
    let difference = || val.array().ok()?.zip(gradient, "compare", |a, b| a - b, |a, b| a - b).ok();
    difference().is_some_and(|difference| difference.max_abs() <= CLOSE * gradient.max_abs())
}

/// What is said of a claim on other data, where it is wrong there by all routes; and whether by itself, or only since what it
/// refers to is.
fn wrong_on(
    inquiry: &Inquiry<'_>,
    probe: &Probe,
    number: usize,
    gradient: Option<&Array>,
    wrong: &HashMap<usize, Judgement>,
) -> Option<(Judgement, bool)> {
    let claim = probe.program.claims.get(number)?;
    let Claimed::Value { val, .. } = &claim.claimed else { return None };
    let claimed = val.array().ok().filter(|array| array.all_finite())?;
    // The quick look: what agrees with autograd is not judged.
    match gradient {
        Some(gradient) if !gradient.all_finite() || is_claimed(claim, gradient) => return None,
        Some(_) => {}
        None => {
            if inquiry.agrees_on(probe, number, claimed)? {
                return None;
            }
        }
    }
    let others = referred(inquiry.exact, number);
    let found = inquiry.judged_on(probe, number, &HashMap::new()).filter(is_clearly_wrong)?;
    if others.is_empty() {
        return Some((found, true));
    }
    // Of what it refers to the true values.
    let own = inquiry.judged_on(probe, number, &inquiry.truths(probe, number)?)?;
    if is_clearly_wrong(&own) {
        return Some((own, true));
    }
    // Numbers that it refers to are those of the file's data, and no mistake.
    (own.passes() && others.iter().any(|other| wrong.contains_key(other))).then_some((found, false))
}

/// Is a claim wrong by every route, and at no kink?
fn is_clearly_wrong(judgement: &Judgement) -> bool {
    let routes = judgement.routes;
    let size = judgement.expected.as_ref().map_or(0.0, Array::max_abs);
    let all = [routes.autograd, routes.jacobian, routes.finite_difference];
    judgement.verdict == Verdict::Wrong
        && judgement.kink.is_none()
        && all.into_iter().all(|off| off.is_some_and(|off| off > CLOSE * size))
}
