//! Holds an answer against what is known of the mutant.

use std::time::Duration;

use pullback::diagnose::{Diagnosis, Part};
use pullback::lang::{Expr, ExprKind, print};

use crate::ask::{Answer, Mode, ask, order};
use crate::fresh::TRIED;
use crate::mutate::{Mutant, Sort};
use crate::scene::Scene;
use crate::source::{Edit, binds};

/// What an answer was worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The word that is right for it comes first.
    Right,
    /// Several causes are told, and a right one is among them.
    Among,
    /// Another word, but what is told to be right is right.
    Otherwise,
    /// No cause is told.
    Unknown,
    /// Another word, and nothing that is right.
    False,
    /// The claim passed.
    Unseen,
    /// The tool failed.
    Failed,
}

/// What became of one mutant.
pub struct Record {
    /// The program.
    pub program: String,
    /// Whether it was set aside.
    pub held_out: bool,
    /// How it was asked.
    pub mode: Mode,
    /// What was known of it.
    pub sort: Sort,
    /// The words that are right for it.
    pub labels: Vec<&'static str>,
    /// What is written.
    pub text: String,
    /// What the answer was worth.
    pub outcome: Outcome,
    /// Whether something is told to be written instead.
    pub offered: bool,
    /// Whether that is right on fresh data: none where nothing is told or the program has no other data.
    pub fix: Option<bool>,
    /// Whether that data had other sizes too.
    pub resized: bool,
    /// What was told, for people.
    pub told: String,
    /// What was said of each cause.
    pub said: Vec<String>,
    /// How long it took.
    pub elapsed: Option<Duration>,
}

/// Asks of a mutant and judges the answer; nothing where it cannot be asked in this way.
pub fn judged(mode: Mode, scene: &Scene, mutant: &Mutant) -> Option<Record> {
    let answer = ask(mode, scene, mutant)?;
    let fixes: Vec<Option<bool>> =
        answer.told.iter().map(|told| fix_is_right(mode, scene, mutant, told)).collect();
    // Of several causes it is enough if one is right: that it may be another one is what the answer says.
    let fix = match fixes.as_slice() {
        [] => None,
        [one] => *one,
        several => several.iter().flatten().copied().reduce(|a, b| a || b),
    };
    let resized = scene.variants.iter().any(|variant| variant.resized && variant.serves(mutant.claim));
    Some(Record {
        program: scene.source.name.clone(),
        held_out: scene.source.held_out,
        mode,
        sort: mutant.sort,
        labels: mutant.labels.clone(),
        text: mutant.text(scene),
        outcome: outcome(mode, mutant, &answer, fix),
        offered: answer.told.iter().any(|told| told.fix.is_some()),
        fix,
        resized,
        told: told(&answer, &fixes),
        said: answer.told.iter().map(said).collect(),
        elapsed: answer.elapsed,
    })
}

fn outcome(mode: Mode, mutant: &Mutant, answer: &Answer, fix: Option<bool>) -> Outcome {
    if answer.failure.is_some() {
        return Outcome::Failed;
    }
    if answer.passes {
        return Outcome::Unseen;
    }
    let labels = words(mode, mutant);
    let causes: Vec<&str> = answer.told.iter().map(|told| told.cause).filter(|&c| c != "unknown").collect();
    match causes.as_slice() {
        [] => Outcome::Unknown,
        [cause] if labels.contains(cause) => Outcome::Right,
        [_, _, ..] if causes.iter().any(|cause| labels.contains(cause)) => Outcome::Among,
        _ if fix == Some(true) => Outcome::Otherwise,
        _ => Outcome::False,
    }
}

/// The words that are right for a mutant. In numbers a factor of 2 that is missing and one of 1/2 too many are the same.
fn words(mode: Mode, mutant: &Mutant) -> Vec<&'static str> {
    const FACTORS: [&str; 2] = ["missing-factor", "extra-factor"];
    let mut words = mutant.labels.clone();
    if mode != Mode::Expression && words.iter().any(|word| FACTORS.contains(word)) {
        words.extend(FACTORS);
    }
    words
}

/// Is what is told to be written instead right on other data? None where nothing is told to be written, or the claim can be
/// tried nowhere else.
fn fix_is_right(mode: Mode, scene: &Scene, mutant: &Mutant, told: &Diagnosis) -> Option<bool> {
    let fix = told.fix.as_ref()?;
    let source = &scene.source;
    let mut edits = mutant.edits.clone();
    let statement = match &fix.definition {
        None => Some(mutant.claim),
        Some(name) => {
            source.all().into_iter().find(|&at| binds(&source.file.statements[at].kind) == Some(name))
        }
    };
    let Some(statement) = statement else { return Some(false) };
    // Where numbers were given, what is to be done with them is told by the claim's own name.
    let expr = match mode {
        Mode::Expression => fix.expr.clone(),
        _ => with_own_value(scene, mutant, &fix.expr),
    };
    edits.push(Edit { statement, expr });
    let mut claims = vec![mutant.claim];
    if let Some(partner) = &told.partner {
        let own = source.claims();
        let keyed =
            own.iter().find(|&&at| scene.program.claims[source.claim_number(at)].key == partner.claim);
        let Some(&other) = keyed else { return Some(false) };
        edits.push(Edit { statement: other, expr: partner.expr.clone() });
        claims.push(other);
    }
    // Those that differ most from the file's own data.
    let (order, _) = order(scene, mutant);
    let mut verdict = None;
    for variant in
        scene.variants.iter().filter(|variant| claims.iter().all(|&at| variant.serves(at))).take(TRIED)
    {
        let right = claims.iter().all(|&at| variant.is_right(source, &order, at, &edits));
        verdict = Some(verdict.unwrap_or(true) && right);
    }
    verdict
}

/// An expression in which the claim that is judged stands for what was given.
fn with_own_value(scene: &Scene, mutant: &Mutant, expr: &Expr) -> Expr {
    let claim = &scene.program.claims[scene.source.claim_number(mutant.claim)];
    let given = mutant.edits.iter().find(|edit| edit.statement == mutant.claim);
    if let (ExprKind::ClaimRef { of, wrt }, Some(given)) = (&expr.kind, given) {
        let names: Vec<&str> = wrt.iter().map(|name| name.text.as_str()).collect();
        if of.text == claim.of_name && names == claim.wrt_names {
            return given.expr.clone();
        }
    }
    let mut changed = expr.clone();
    for child in changed.children_mut() {
        *child = with_own_value(scene, mutant, child);
    }
    changed
}

/// An answer in one line.
/// What is said of a mistake, as plain text.
fn said(told: &Diagnosis) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Source(source) => format!("`{source}`"),
        Part::Shape(dims) => format!("{dims:?}"),
    };
    told.explanation.parts().iter().map(part).collect()
}

fn told(answer: &Answer, fixes: &[Option<bool>]) -> String {
    if let Some(failure) = &answer.failure {
        return failure.clone();
    }
    let verdict = answer.verdict.map_or("", |verdict| verdict.word());
    if answer.told.is_empty() {
        return format!("{verdict}, no cause");
    }
    let one = |(told, right): (&Diagnosis, &Option<bool>)| {
        let fix = told.fix.as_ref().map(|fix| {
            let of = fix.definition.as_ref().map(|name| format!("{name} = ")).unwrap_or_default();
            let partner = told.partner.as_ref().map(|p| format!(" and {} = {}", p.claim, print(&p.expr)));
            let worth = match right {
                Some(true) => "right",
                Some(false) => "WRONG",
                None => "not tried",
            };
            format!(" → {of}{}{} ({worth})", print(&fix.expr), partner.unwrap_or_default())
        });
        format!("{}{}", told.cause, fix.unwrap_or_default())
    };
    let all: Vec<String> = answer.told.iter().zip(fixes).map(one).collect();
    format!("{verdict}: {}", all.join(" | "))
}
