//! Claims about a derivative that is zero here, tried as the maps that they are.
//!
//! The bias before a normalisation has a gradient of zero, whatever the loss, and so `dL/db = sum(dL/dh, axis=0)` could not have
//! failed: everything that makes zeros of `dL/dh` passes. But what is claimed is how to get one cotangent from others, and that can be
//! tried with any others. So random cotangents stand in the place of what the claim refers to, one after another, and what it makes
//! of each is held against what comes back from there:
//!
//! ```text
//! E(0, …, Cᵣ, …, 0) − E(0, …, 0)  =  (∂vᵣ/∂x, the others held)ᵀ Cᵣ        E(0, …, 0)  =  ∂L/∂x, all of them held
//! ```
//!
//! Both are judged as claims are, by finite differences too. A claim that refers to none cannot be tried so.

use std::collections::HashMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_check::{Claim as Numbers, Facts, Judgement, Note, Subject, Verdict, Zero, judge};
use pullback_lang::Layout;
use pullback_lang::program::{Claim, Claimed, Program};
use pullback_network::Value as _;
use pullback_ops::Val;

/// The seed of the cotangents.
const SEED: u64 = 0x63_6f74;

/// Judges what could not have failed since the derivative is zero here by what it makes of random cotangents.
pub fn as_maps(exact: &Program, judged: &mut [Option<Judgement>]) {
    for (number, found) in judged.iter_mut().enumerate() {
        let Some(own) = found.as_ref().filter(|own| is_zero(own)) else { continue };
        let Some(Tried { keys, wrong }) = tried(exact, number) else { continue };
        let mut notes = own.notes.clone();
        let judgement = match wrong {
            None => {
                notes.push(Note::AsMap { keys });
                let facts = Facts { zero: Zero::AsMap, ..own.facts };
                Judgement { notes, ..own.clone() }.with(facts)
            }
            Some(found) => {
                notes.push(Note::WrongAsMap { keys });
                Judgement { notes, expected: own.expected.clone(), beyond: Vec::new(), ..found }
            }
        };
        *found = Some(judgement);
    }
}

/// Could a claim not have failed since the derivative is zero?
pub(crate) fn is_zero(judgement: &Judgement) -> bool {
    let says_zero = |note: &Note| matches!(note, Note::Zero | Note::NoPath | Note::Independent { .. });
    judgement.verdict == Verdict::Vacuous && judgement.notes.iter().any(says_zero)
}

/// Was a claim found to be wrong by what it makes of random cotangents?
pub(crate) fn is_judged_as_map(judgement: &Judgement) -> bool {
    judgement.notes.iter().any(|note| matches!(note, Note::WrongAsMap { .. }))
}

/// Is a claim wrong by what it makes of random cotangents?
pub(crate) fn is_wrong_as_map(exact: &Program, number: usize) -> bool {
    tried(exact, number).is_some_and(|tried| tried.wrong.is_some())
}

/// A claim that was tried as a map.
struct Tried {
    /// What random cotangents stood in the place of.
    keys: Vec<String>,
    /// What is said of it where it is wrong.
    wrong: Option<Judgement>,
}

/// Tries a claim as a map. `None` where it is none, or that says nothing.
fn tried(exact: &Program, number: usize) -> Option<Tried> {
    let claim = exact.claims.get(number)?;
    if claim.of.ndim() != 0 || !is_gradient(claim) {
        return None;
    }
    let is_source = |&other: &usize| {
        let other = &exact.claims[other];
        other.of.id() == claim.of.id() && is_gradient(other) && other.wrt[0].id() != claim.wrt[0].id()
    };
    let from: Vec<usize> = claim.refers_to.iter().copied().filter(is_source).collect();
    if from.is_empty() {
        return None;
    }
    let keys = from.iter().map(|&other| exact.claims[other].key.clone()).collect();
    let values: Vec<&Val> = from.iter().map(|&other| &exact.claims[other].wrt[0]).collect();
    let zeros: Option<Vec<Val>> =
        values.iter().map(|val| Some(Val::new(Array::zeros(&val.shape(), DType::F64).ok()?))).collect();
    let zeros = zeros?;
    let made_of = |cotangents: &[Val]| {
        let replaced: HashMap<usize, Val> = from.iter().copied().zip(cotangents.iter().cloned()).collect();
        exact.reclaimed(number, claim.expr.as_ref()?, &replaced).ok()
    };
    let rest = made_of(&zeros)?;
    // What comes by no way through them.
    let held: Vec<Val> = values.iter().map(|&val| val.clone()).collect();
    let beside = said(&Subject::new(&claim.of, &claim.wrt[0]).holding(&held), &rest)?;
    match beside.verdict {
        Verdict::Holds => {}
        Verdict::Wrong => return Some(Tried { keys, wrong: Some(beside) }),
        // Where there is no other way nothing may come by one.
        Verdict::Vacuous if rest.array().ok()?.max_abs() == 0.0 && has_no_path(&beside) => {}
        _ => return None,
    }
    let mut generator = Generator::new(SEED);
    for (at, value) in values.iter().enumerate() {
        let cotangent = Val::new(generator.randn(&value.shape(), DType::F64).ok()?);
        let mut cotangents = zeros.clone();
        cotangents[at] = cotangent.clone();
        let share = (&made_of(&cotangents)? - &rest).ok()?;
        let weighted = (&cotangent * *value).and_then(|product| product.sum_all()).ok()?;
        let others: Vec<Val> = held.iter().filter(|other| other.id() != value.id()).cloned().collect();
        let found = said(&Subject::new(&weighted, &claim.wrt[0]).holding(&others), &share)?;
        match found.verdict {
            Verdict::Holds => {}
            Verdict::Wrong | Verdict::Shape => return Some(Tried { keys, wrong: Some(found) }),
            // Nothing comes back from there, and nothing is made of it.
            Verdict::Vacuous if share.array().ok()?.max_abs() == 0.0 && has_no_path(&found) => {}
            _ => return None,
        }
    }
    Some(Tried { keys, wrong: None })
}

/// Is a claim one expression for the gradient by one value, along all paths?
fn is_gradient(claim: &Claim) -> bool {
    claim.wrt.len() == 1
        && claim.fixed.is_empty()
        && claim.expr.is_some()
        && matches!(claim.claimed, Claimed::Value { layout: Layout::Default, .. })
}

fn has_no_path(judgement: &Judgement) -> bool {
    judgement.notes.iter().any(|note| matches!(note, Note::NoPath | Note::Independent { .. }))
}

fn said(subject: &Subject, value: &Val) -> Option<Judgement> {
    judge(subject, &Numbers::of(value).ok()?).ok()
}
