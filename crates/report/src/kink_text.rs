//! A kink in words.

use pullback_check::{Follows, Kink, KinkOrigin};
use pullback_lang::Span;

use crate::check::ClaimReport;
use crate::not_finite_text::bare;
use crate::number::brief;
use crate::verdict_text::index;

/// The slopes, and what the claim makes of them.
pub(crate) fn kink_text(kink: &Kink) -> String {
    let several = if kink.entries > 1 { format!("{} entries; ", kink.entries) } else { String::new() };
    let seen = match [kink.left, kink.right].map(f64::is_infinite) {
        [false, false] if kink.ordered => {
            let [least, most] = kink.interval().map(brief);
            format!("from {least} to {most}, as those that tie are ordered")
        }
        [false, false] => {
            format!("slope {} on the left, {} on the right", brief(kink.left), brief(kink.right))
        }
        [true, false] => format!("a jump on the left, slope {} on the right", brief(kink.right)),
        [false, true] => format!("slope {} on the left, a jump on the right", brief(kink.left)),
        [true, true] => "jumps on both sides".to_string(),
    };
    format!("{several}{}{seen}; {}", index(&kink.at), choice(kink))
}

fn choice(kink: &Kink) -> String {
    let (claimed, stated) = (brief(kink.claimed), brief(kink.stated));
    let convention = match &kink.origin {
        Some(KinkOrigin { op, convention: Some(_), .. }) => format!("the convention of `{op}`"),
        _ => "the convention".to_string(),
    };
    let taken = match (kink.inside, kink.follows) {
        (_, Some(Follows::Stated)) if has_no_slope(kink) && !is_jump(kink) => {
            return format!(
                "the claim follows the conventions of the operations on the way, which come to {stated}: no value between these"
            );
        }
        (_, Some(Follows::Stated)) => return format!("the claim follows {convention}"),
        (false, _) if is_between(kink, kink.claimed) => {
            return "the claims at kinks lie between the slopes one by one, and outside together".to_string();
        }
        (false, _) if is_jump(kink) => {
            return format!("the claim, {claimed}, is not what {convention} gives, {stated}");
        }
        (false, _) => return format!("the claim, {claimed}, lies outside"),
        (true, Some(Follows::FirstOfTies)) => {
            "gives all to the first of those that tie, as PyTorch's max(dim)".to_string()
        }
        (true, Some(Follows::LastOfTies)) => "gives all to the last of those that tie".to_string(),
        (true, Some(Follows::Left)) => "takes the slope on the left".to_string(),
        (true, Some(Follows::Right)) => "takes the slope on the right".to_string(),
        (true, Some(Follows::Mean)) => "takes the mean of both".to_string(),
        (true, None) => format!("is {claimed}"),
    };
    format!("the claim {taken}; {convention} gives {stated}")
}

fn is_between(kink: &Kink, value: f64) -> bool {
    // The slopes are measured, to six digits.
    let [least, most] = kink.interval();
    let error = 1e-6 * least.abs().max(most.abs());
    (least - error..=most + error).contains(&value)
}

/// Is there no slope on one side, or on both?
fn is_jump(kink: &Kink) -> bool {
    kink.left.is_infinite() || kink.right.is_infinite()
}

/// Do the conventions of several operations come to a value that lies outside of the slopes?
pub(crate) fn has_no_slope(kink: &Kink) -> bool {
    !is_between(kink, kink.stated)
}

/// Which values would be right there, in a way.
pub(crate) fn interval_text(kink: &Kink) -> String {
    if is_jump(kink) {
        return "the program jumps there, so that no value is a subgradient".to_string();
    }
    let [least, most] = kink.interval().map(brief);
    if kink.ordered {
        format!("the orders of those that tie put it at values from {least} to {most}")
    } else if kink.is_convex() {
        format!("the subgradients there are the values from {least} to {most}")
    } else {
        format!(
            "the slope falls there, so that no value is a subgradient; between the slopes are {least} to {most}"
        )
    }
}

/// What the operation states that makes the kink.
pub(crate) fn convention_text(kink: &Kink) -> Option<String> {
    let origin = kink.origin.as_ref()?;
    let convention = origin.convention.as_ref()?;
    Some(format!(
        "the convention of `{}` there: {}",
        bare(&origin.value.expression()),
        convention.trim_end_matches('.')
    ))
}

/// The place of the operation that makes the kink.
pub(crate) fn made_here(claim: &ClaimReport) -> Vec<(Span, String)> {
    let Some(origin) = claim.judgement.kink.as_ref().and_then(|kink| kink.origin.as_ref()) else {
        return Vec::new();
    };
    let entry =
        if origin.at.is_empty() { String::new() } else { format!(", at {:?} of its input", origin.at) };
    claim.due_to.map(|span| (span, format!("the kink arises here{entry}"))).into_iter().collect()
}
