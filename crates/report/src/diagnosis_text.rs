//! A diagnosis in words.

use pullback_diagnose::{Diagnosis, Part, Words};
use pullback_lang::print;

use crate::check::ClaimReport;
use crate::number::brief;
use crate::verdict_text::is_or_are;

/// What is said, with source in backticks.
pub(crate) fn words_text(words: &Words) -> String {
    let part = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Source(source) => format!("`{source}`"),
        Part::Shape(dims) => format!("{dims:?}"),
    };
    words.parts().iter().map(part).collect()
}

/// The word for a cause, as it is read: `transposed factor`.
pub(crate) fn cause_text(found: &Diagnosis) -> String {
    match found.cause {
        "vec-layout" => "right numbers in the wrong layout".to_string(),
        "elementwise-for-product" | "product-for-elementwise" => "wrong kind of product".to_string(),
        "wrong-axis" => "wrong axes".to_string(),
        "vjp-for-jacobian" => "a vjp for a Jacobian".to_string(),
        "unknown" => "the cause is not known".to_string(),
        other => other.replace('-', " "),
    }
}

/// The causes that fit, in a few words: nothing where none is known.
pub(crate) fn causes_text(claim: &ClaimReport) -> Option<String> {
    let causes: Vec<String> = claim.diagnoses.iter().map(cause_text).collect();
    match causes.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.join(", or ")),
    }
}

/// What to write instead, and how well it holds; for a fix that uses other wrong claims, once these are put right.
pub(crate) fn fix_text(claim: &ClaimReport, found: &Diagnosis) -> Option<String> {
    let fix = found.fix.as_ref()?;
    let left = fix.definition.as_deref().unwrap_or(&claim.key);
    let right = print(&fix.expr);
    let used: Vec<String> = claim.inherits.iter().filter(|key| right.contains(*key)).cloned().collect();
    let once = if used.is_empty() { String::new() } else { format!(" once {} put right", is_or_are(&used)) };
    let holds = match fix.residual {
        Some(residual) => format!("; it holds{once}, with an error of {}", brief(residual)),
        None => String::new(),
    };
    let holds = match claim.shared_by.is_empty() {
        true => holds,
        false => {
            holds.replace("it holds", &format!("then they hold, {}", claim.key)).replace(", with", " with")
        }
    };
    // Numbers cannot be written otherwise: what is told is what they should have been.
    if claim.elsewhere.is_some() {
        let own = if right.contains(&claim.key) {
            format!(", where `{}` is what these numbers are", claim.key)
        } else {
            String::new()
        };
        return Some(format!(
            "the derivative is `{right}`{own}{}",
            holds.replace("; it holds", "; that holds")
        ));
    }
    let partner = found.partner.as_ref();
    let other = partner.map(|partner| format!(" and `{} = {}`", partner.claim, print(&partner.expr)));
    Some(format!("write `{left} = {right}`{}{holds}", other.unwrap_or_default()))
}
