//! What can be said of numbers whose mistake is not known.

use pullback_check::{Judgement, Note};
use pullback_lang::program::Claim;

use crate::Diagnosis;
use crate::case::Case;
use crate::words::Words;

/// What can be said of numbers whose mistake is not known: which of them are wrong, by the tolerance of each.
pub(super) fn facts(case: &Case<'_>, judgement: &Judgement) -> Option<Diagnosis> {
    let own = case.own();
    let claimed = own.truth.tensor_of(&own.claimed()?, own.layout())?;
    let truth = own.truth.tensor();
    let is = claimed.to_vec_f64();
    let wrong = &judgement.beyond;
    let is_complete = !judgement.notes.iter().any(|note| matches!(note, Note::Probes(_)));
    if !is_complete || wrong.is_empty() || wrong.len() == is.len() {
        return None;
    }
    let mut words = match wrong.len() {
        1 => format!("1 of {} entries is wrong, the others are right", is.len()),
        some => format!("{some} of {} entries are wrong, the others are right", is.len()),
    };
    let shape = truth.shape();
    for axis in 0..shape.len() {
        let inner: usize = shape[axis + 1..].iter().product();
        let at = |flat: usize| flat / inner % shape[axis];
        let first = at(wrong[0]);
        if shape[axis] > 1 && wrong.iter().all(|&flat| at(flat) == first) {
            let all = if wrong.len() == 1 { "it is" } else { "all of them are" };
            words += &format!("; {all} at index {first} of axis {axis}");
        }
    }
    if wrong.iter().all(|&flat| is[flat] == 0.0) {
        words += ", and zero there";
    }
    Some(said(case, "unknown", Words::new().say(words + ".")))
}

/// Numbers of which nothing is known but what they should be.
pub(super) fn unexplained(claim: &Claim) -> Diagnosis {
    told(claim, "unknown", Words::new().say("No slip that is known gives these numbers."))
}

/// A number in as many digits as it is known to, relatively, and in six at most; or whole.
pub(super) fn brief(number: f64, close: f64) -> String {
    let whole = number.round();
    if (number - whole).abs() <= close.max(1e-6) * whole.abs() {
        return format!("{whole}");
    }
    let known = (-close.max(1e-6).log10()).floor().max(1.0) as i32;
    // As many digits as tell it from the whole number beside it.
    let known = known.max((-((number - whole) / number).abs().log10()).ceil() as i32);
    // So many stand before the point.
    let before = number.abs().log10().floor() as i32 + 1;
    let digits = format!("{number:.0$}", (known - before).clamp(1, 9) as usize);
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn said(case: &Case<'_>, cause: &'static str, explanation: Words) -> Diagnosis {
    told(case.claim, cause, explanation)
}

fn told(claim: &Claim, cause: &'static str, explanation: Words) -> Diagnosis {
    let label = Words::new().say("these numbers are wrong");
    Diagnosis { cause, explanation, span: claim.expr_span, label, partner: None, fix: None }
}
