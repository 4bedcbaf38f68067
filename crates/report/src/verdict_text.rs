//! Verdicts in words: one line each, and, where a claim fails, what is to be seen at its place.

use pullback_check::{Coarser, Entry, Judgement, Note, Routes, Same, Says, Verdict};
use pullback_lang::Span;

use crate::check::ClaimReport;
use crate::diagnosis_text::{cause_text, causes_text, fix_text, words_text};
use crate::elsewhere::Origin;
use crate::kink_text::{convention_text, has_no_slope, interval_text, kink_text, made_here};
use crate::not_finite_text::{bare, not_finite_hint, not_finite_notes, not_finite_text};
use crate::number::{apart, brief};

/// What a line says of a claim, behind its verdict.
pub(crate) fn remark(claim: &ClaimReport) -> String {
    let found = found(claim);
    match &claim.elsewhere {
        Some(elsewhere) => format!("{found}  ({})", elsewhere.text()).trim_start().to_string(),
        None => found,
    }
}

fn found(claim: &ClaimReport) -> String {
    let judgement = &claim.judgement;
    match judgement.verdict {
        Verdict::Holds => measured(judgement),
        Verdict::Wrong if judgement.claimed_shape.is_none() => with_cause(claim, measured(judgement)),
        Verdict::Inherited => format!("holds once {} put right", is_or_are(&claim.inherits)),
        Verdict::Kink => judgement.kink.as_ref().map_or_else(String::new, kink_text),
        Verdict::Wrong | Verdict::Shape => with_cause(claim, shapes(judgement)),
        Verdict::Ambiguous if !claim.diagnoses.is_empty() => with_cause(claim, measured(judgement)),
        // Why it is zero takes a sentence, which stands below.
        Verdict::Ambiguous | Verdict::Vacuous | Verdict::NotFinite => {
            let brief = judgement.notes.iter().filter(|note| !matches!(note, Note::Flat { .. }));
            let not_finite = judgement.not_finite.as_ref().map(not_finite_text);
            brief.map(note_text).chain(not_finite).collect::<Vec<String>>().join("; ")
        }
    }
}

/// The cause, where one is known, before what was measured.
fn with_cause(claim: &ClaimReport, measured: String) -> String {
    if let Some(first) = claim.told_with() {
        return format!("by the same mistake as {}; {measured}", first.key);
    }
    match causes_text(claim) {
        Some(causes) => format!("{causes}; {measured}"),
        None => measured,
    }
}

/// `dL/dZ is`, `dL/dZ and dL/da are`.
pub(crate) fn is_or_are<T: AsRef<str>>(keys: &[T]) -> String {
    let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
    let keys = keys.as_slice();
    match keys {
        [] => "the claims before it are".to_string(),
        [one] => format!("{one} is"),
        [some @ .., last] => format!("{} and {last} are", some.join(", ")),
    }
}

/// `dL/dZ`, `dL/dZ and dL/da`.
fn listed(keys: &[String]) -> String {
    match keys {
        [] => "what it refers to".to_string(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// The error beside its tolerance, and the routes that were taken.
fn measured(judgement: &Judgement) -> String {
    let mut parts = Vec::new();
    if let (Some(error), Some(tolerance)) = (error_of(judgement), judgement.tolerance) {
        parts.push(format!("error {}, tolerance {}", brief(error), brief(tolerance)));
    }
    let routes: Vec<&str> = by_route(&judgement.routes).into_iter().map(|(route, _)| route).collect();
    if judgement.verdict == Verdict::Holds && !routes.is_empty() {
        parts.push(format!("({})", routes.join(", ")));
    }
    let brief =
        judgement.notes.iter().filter(|note| judgement.passes() || !matches!(note, Note::Flat { .. }));
    parts.extend(brief.map(|note| format!("({})", note_text(note))));
    if parts.is_empty() { format!("{:?}", judgement.shape) } else { parts.join("  ") }
}

/// The error of the entry that the tolerance belongs to.
fn error_of(judgement: &Judgement) -> Option<f64> {
    match (judgement.error_in_tolerances, judgement.tolerance) {
        (Some(ratio), Some(tolerance)) if (ratio * tolerance).is_finite() => Some(ratio * tolerance),
        _ => judgement.max_abs_error,
    }
}

fn by_route(routes: &Routes) -> Vec<(&'static str, f64)> {
    let named = [
        ("autograd", routes.autograd),
        ("Jacobian", routes.jacobian),
        ("finite differences", routes.finite_difference),
    ];
    named.into_iter().filter_map(|(route, difference)| Some((route, difference?))).collect()
}

/// How far a claim is from each route: in one number, where it is the same for all.
fn off_by(judgement: &Judgement) -> Option<String> {
    let mut routes = judgement.routes;
    // A direction adds up many entries: what is seen along it is no difference of an entry.
    let has = |of: fn(&Note) -> bool| judgement.notes.iter().any(of);
    let mut along = Routes::default();
    if has(|note| matches!(note, Note::Directions(_) | Note::Together(_))) {
        along.finite_difference = routes.finite_difference.take();
    }
    if has(|note| matches!(note, Note::Together(_))) {
        along.jacobian = routes.jacobian.take();
    }
    let entries = off_by_entries(&routes)?;
    Some(match off_by_entries(&along) {
        Some(along) => format!("{entries}; along random directions {along}"),
        None => entries,
    })
}

fn off_by_entries(routes: &Routes) -> Option<String> {
    let differences: Vec<(&str, String)> =
        by_route(routes).into_iter().map(|(route, difference)| (route, brief(difference))).collect();
    let (_, first) = differences.first()?;
    if differences.len() > 1 && differences.iter().all(|(_, difference)| difference == first) {
        let routes: Vec<&str> = differences.iter().map(|(route, _)| *route).collect();
        let (last, others) = routes.split_last()?;
        return Some(format!("off by up to {first} from {} and {last} alike", others.join(", ")));
    }
    let each: Vec<String> =
        differences.iter().map(|(route, difference)| format!("{difference} from {route}")).collect();
    Some(format!("off by up to {}", each.join(", ")))
}

fn shapes(judgement: &Judgement) -> String {
    match &judgement.claimed_shape {
        Some(claimed) => format!("claimed {claimed:?}, the derivative has {:?}", judgement.shape),
        None => format!("the derivative has {:?}", judgement.shape),
    }
}

/// `at [1, 2] `; nothing for a scalar.
pub(crate) fn index(at: &[usize]) -> String {
    if at.is_empty() { String::new() } else { format!("at {at:?} ") }
}

fn notes(judgement: &Judgement) -> Vec<String> {
    judgement.notes.iter().map(note_text).collect()
}

/// A note in words.
pub(crate) fn note_text(note: &Note) -> String {
    match note {
        Note::NoPath => "zero by construction".to_string(),
        Note::Independent { of, wrt } => format!("`{of}` does not depend on `{wrt}`"),
        Note::NoEntries => "it has no entries".to_string(),
        Note::NoDifferences => "finite differences can tell nothing here".to_string(),
        Note::Zero => "the derivative is zero here, although there is a path".to_string(),
        Note::WithinTolerance { uncertainty, size } => format!(
            "too few digits are left to judge by: entries may be off by {}, and the largest is {}",
            brief(*uncertainty),
            brief(*size)
        ),
        Note::Unseen(count) => {
            let entries = if *count == 1 { "entry is" } else { "entries are" };
            format!("{count} {entries} too small beside the others for finite differences to see")
        }
        Note::Blind { entries, first } => match entries {
            1 => format!("the entry {}is left too few digits to be judged", index(first)),
            _ => format!(
                "{entries} entries, the first of them {}, are left too few digits to be judged",
                index(first).trim_end()
            ),
        },
        Note::Probes(count) => {
            format!("so many entries that all were tested together, in {count} random sums of rows")
        }
        Note::Directions(count) => format!("finite differences along {count} random directions"),
        Note::Together(count) => {
            format!("with the other claims, along {count} random directions of all that is claimed")
        }
        Note::OutOfProportion { times } => {
            format!(
                "each entry is within its tolerance, but all together they are {times:.4} times the derivative"
            )
        }
        Note::Composed { entries, first, ops } => {
            let ops: Vec<String> = ops.iter().map(|op| format!("`{op}`")).collect();
            let (conventions, compose) = match ops.len() {
                1 => ("the convention", "does"),
                _ => ("the conventions", "do"),
            };
            let at = match entries {
                1 => index(first).trim_end().to_string(),
                _ => format!("at {entries} entries, the first of them {}", index(first).trim_end()),
            };
            format!(
                "{at} {conventions} of {} at kinks {compose} not compose to the derivative, which differences from both sides tell",
                ops.join(" and ")
            ).trim_start().to_string()
        }
        Note::Symmetrised(moves) => format!(
            "by a symmetric matrix, as {}, where G is the derivative by each entry alone",
            moves.formula()
        ),
        Note::Unmeasured(count) => {
            format!(
                "{count} more entries are at kinks and too many to be measured: they are what the rules give"
            )
        }
        Note::OneSided { off } => format!(
            "each entry is within its tolerance, but all together they lie {} the derivative, by {} times what rounding does to one",
            if *off > 0.0 { "above" } else { "below" },
            brief(off.abs())
        ),
        Note::Rounded(count) => {
            let entries = if *count == 1 { "entry is" } else { "entries are" };
            format!("{count} {entries} too small beside the others for so few digits")
        }
        Note::Flipped(count) => {
            let (choices, within) =
                if *count == 1 { ("choice", "within") } else { ("choices", "each within") };
            format!(
                "{count} {choices} (a sign, which element is the largest) made otherwise than here, {within} rounding"
            )
        }
        Note::Coarser(Coarser::Sums(precision)) => format!(
            "sums are taken to run in f32, as those of PyTorch and cuBLAS; sums that run in {precision} could be so far off"
        ),
        Note::Coarser(Coarser::Tf32) => {
            "products of operands rounded to TF32, by about 2⁻¹¹, could be so far off".to_string()
        }
        Note::Narrow { error } => format!(
            "the formula holds in f64; in the file's precision, which cannot hold these numbers, it is off by {}",
            brief(*error)
        ),
        Note::RoutesDisagree { in_tolerances } => {
            format!("autograd and finite differences disagree by {} tolerances", brief(*in_tolerances))
        }
        Note::BothNan(at) => {
            format!("{}the claim and the derivative are both NaN, which no comparison can tell", index(at))
        }
        Note::Flat { wrt, name, expression, single } => {
            let value = match name {
                Some(name) => format!("`{name} = {expression}`"),
                None => format!("`{expression}`"),
            };
            match single {
                true => format!(
                    "{value} is 1 whatever its input: over an axis of length 1 a softmax has nothing to \
                     share out, so nothing of `{wrt}` comes through"
                ),
                false => format!(
                    "{value} does not change with `{wrt}` on this data, so nothing of `{wrt}` comes through"
                ),
            }
        }
        Note::EqualByBroadcasting => "only a comparison that broadcasts would call them equal".to_string(),
        Note::OffElsewhere(share) => format!(
            "holds on the data of the file; on data drawn anew it is off by up to {} of the largest entry",
            brief(*share)
        ),
        Note::OffAtOtherSigns(share) => format!(
            "holds where the numbers that the file states have their signs; with others it is off by up to {} of the largest entry",
            brief(*share)
        ),
        Note::OtherDraw { seeds, by, .. } => match seeds.as_slice() {
            [seed] => format!(
                "right on the numbers that `seed {seed}` draws, wrong on others: these are those of `seed {}`",
                seed.wrapping_add(*by)
            ),
            _ => format!(
                "right on the numbers that the file draws, wrong on others: these are drawn with each seed larger by {by}"
            ),
        },
        Note::Hidden { name, same, of_numbers } => {
            let what = match same {
                Same::Entries(number) => format!("every entry of `{name}` is {}", brief(*number)),
                Same::Identity => format!("`{name}` is an identity matrix"),
            };
            match of_numbers {
                true => format!("{what} here: whether `{name}` is taken into account rightly cannot be seen"),
                false => format!("{what} here: with other numbers in `{name}` this does not hold"),
            }
        }
        Note::AsMap { keys } => {
            format!("with random numbers in the place of {} it is what comes back from there", listed(keys))
        }
        Note::WrongAsMap { keys } => format!(
            "with random numbers in the place of {}, which are judged here, it is not what comes back from there",
            listed(keys)
        ),
        Note::OffAtOtherSizes { right: Some(right), .. } => {
            format!("holds at the sizes of the file; at others it is `{right}`")
        }
        Note::OffAtOtherSizes { share, right: None } => format!(
            "holds at the sizes of the file; at others it is off by up to {} of the largest entry",
            brief(*share)
        ),
        Note::RestsOn(keys) => format!(
            "{} wrong, and two mistakes cancel here: once {} put right, this does not hold",
            is_or_are(keys),
            if keys.len() == 1 { "that is" } else { "these are" }
        ),
    }
}

/// What a failing claim is headed with, what stands at its caret, what stands below, and advice.
pub(crate) struct Failure {
    pub(crate) title: String,
    /// Where the caret stands.
    pub(crate) span: Span,
    pub(crate) label: Option<String>,
    /// Further places, each with what it has to do with the failure.
    pub(crate) others: Vec<(Span, String)>,
    pub(crate) notes: Vec<String>,
    pub(crate) hint: Option<String>,
}

/// What is shown of a claim that fails. `None` for one that holds, or would if others did.
pub(crate) fn failure(claim: &ClaimReport) -> Option<Failure> {
    let judgement = &claim.judgement;
    if judgement.passes() || judgement.verdict == Verdict::Inherited {
        return None;
    }
    if !claim.diagnoses.is_empty() {
        return Some(diagnosed(claim));
    }
    let key = &title(claim);
    let mut lines: Vec<String> = off_by(judgement).into_iter().collect();
    let worst = judgement.worst.as_ref().map(|worst| entry(claim, worst));
    let wrong = |title: String, label, notes, hint: Option<&str>| {
        let (span, hint) = (claim.expr_span, hint.map(str::to_string));
        Failure { title, span, label, others: Vec::new(), notes, hint }
    };
    Some(match judgement.verdict {
        Verdict::Wrong => {
            lines.extend(at_kink(judgement));
            lines.extend(explained(judgement));
            lines.extend(judgement.notes.iter().filter(|note| is_of_zero(note)).map(note_text));
            lines.extend(drawn_anew(judgement));
            Failure { others: made_here(claim), ..wrong(format!("{key} is wrong"), worst, lines, None) }
        }
        Verdict::Shape => wrong(format!("{key} has the wrong shape"), Some(shapes(judgement)), lines, None),
        Verdict::Kink => {
            let (label, kink) = (judgement.kink.as_ref().map(kink_text), judgement.kink.as_ref());
            let notes = kink.into_iter().flat_map(|kink| [Some(interval_text(kink)), convention_text(kink)]);
            let title = format!("{key} is at a kink, where it does not follow the convention");
            let hint = match kink.is_some_and(has_no_slope) {
                false => "take the value of the convention, or choose inputs beside the kink",
                true => "what the conventions come to is no slope there: choose inputs beside the kink",
            };
            let hint = Some(hint);
            let failure = wrong(title, label, notes.flatten().collect(), hint);
            Failure { others: made_here(claim), ..failure }
        }
        Verdict::Vacuous => {
            if let Some(found) = &judgement.not_finite {
                lines = notes(judgement);
                lines.push(not_finite_text(found));
                let title = format!("{key} could not have failed");
                let others = claim.due_to.map(|span| (span, "the first that is not finite".to_string()));
                let failure = wrong(title, None, lines, Some(not_finite_hint(found)));
                return Some(Failure { others: others.into_iter().collect(), ..failure });
            }
            let is_zero = |note: &&Note| matches!(note, Note::NoPath | Note::Independent { .. } | Note::Zero);
            let zero = judgement.notes.iter().find(is_zero);
            let origin = claim.elsewhere.as_ref().map(|elsewhere| &elsewhere.origin);
            let hint = match (zero, origin) {
                (Some(_), Some(Origin::Dump(_))) => "choose inputs at which it is not zero",
                (Some(_), Some(_)) => "return zeros, or none, or choose inputs at which it is not zero",
                (Some(Note::NoPath | Note::Independent { .. }), None) => "say so with `zeros(…)`",
                (Some(_), None) => "say so with `zeros(…)`, or choose inputs at which it is not zero",
                (None, _) => {
                    "choose inputs at which the derivative is larger beside what it is computed from"
                }
            };
            let (reason, others) = unchanged(claim);
            let notes = notes(judgement).into_iter().chain(reason).collect();
            let failure = wrong(format!("{key} could not have failed"), None, notes, Some(hint));
            Failure { others, ..failure }
        }
        Verdict::Ambiguous => {
            lines.extend(notes(judgement));
            let hint = match judgement.facts.worst {
                Says::Unseen => "choose inputs at which differences can be taken",
                _ => "if the program does not jump here, a rule of Pullback is wrong: please report it",
            };
            wrong(format!("{key} cannot be decided"), worst, lines, Some(hint))
        }
        Verdict::NotFinite => {
            let found = judgement.not_finite.as_ref();
            let label = found.map_or_else(|| "the derivative is not finite".to_string(), not_finite_text);
            let title = format!("{key} is not finite");
            let failure = wrong(title, Some(label), not_finite_notes(judgement), found.map(not_finite_hint));
            match claim.due_to {
                Some(span) if span.start < claim.span.start => {
                    Failure { span, others: vec![(claim.expr_span, "the claim".to_string())], ..failure }
                }
                Some(span) => Failure { span, ..failure },
                None => failure,
            }
        }
        Verdict::Holds | Verdict::Inherited => return None,
    })
}

/// Does a note say that the derivative is zero, or why?
fn is_of_zero(note: &Note) -> bool {
    matches!(
        note,
        Note::NoPath | Note::Independent { .. } | Note::Zero | Note::Flat { .. } | Note::WrongAsMap { .. }
    )
}

/// Where the changes end that a derivative of zero is due to, in a sentence where no note has it, and as a place.
fn unchanged(claim: &ClaimReport) -> (Option<String>, Vec<(Span, String)>) {
    let Some(value) = &claim.judgement.unchanged else { return (None, Vec::new()) };
    let is_told = claim.judgement.notes.iter().any(|note| matches!(note, Note::Flat { .. }));
    let written = value.expression();
    let named = match value.name() {
        Some(name) => format!("`{name} = {}`", bare(&written)),
        None => format!("`{}`", bare(&written)),
    };
    let reason = format!("{named} does not change here, although what it is computed from does");
    let place = claim.due_to.map(|span| (span, "this does not change here".to_string()));
    ((!is_told).then_some(reason), place.into_iter().collect())
}

/// What is to be said of a wrong claim that is at a kink.
fn at_kink(judgement: &Judgement) -> Vec<String> {
    let kink = judgement.kink.as_ref();
    kink.into_iter()
        .flat_map(|kink| [format!("this is a kink: {}", kink_text(kink)), interval_text(kink)])
        .collect()
}

/// A claim as it is called where it fails: `dL/dW`, `dL/dW of dump.npz`.
fn title(claim: &ClaimReport) -> String {
    match &claim.elsewhere {
        Some(elsewhere) => format!("{} of {}", claim.key, elsewhere.origin),
        None => claim.key.clone(),
    }
}

/// A claim of which it is known what is wrong: the place of the mistake, what it is, and what is to be seen of it.
fn diagnosed(claim: &ClaimReport) -> Failure {
    let judgement = &claim.judgement;
    let key = &title(claim);
    let mut seen: Vec<String> = Vec::new();
    match (&judgement.claimed_shape, judgement.worst.as_ref()) {
        // On the data of the file there is nothing to be seen.
        _ if holds_here(judgement) => seen.extend(notes(judgement)),
        (Some(_), _) => {
            seen.push(shapes(judgement));
            seen.extend(notes(judgement));
        }
        (None, Some(worst)) => {
            seen.extend(drawn_anew(judgement));
            seen.push(entry(claim, worst));
            seen.extend(off_by(judgement));
            seen.extend(at_kink(judgement));
            seen.extend(explained(judgement));
        }
        (None, None) => {}
    }
    match claim.diagnoses.as_slice() {
        [found] => {
            let partner = found.partner.as_ref();
            let mut others: Vec<(Span, String)> = partner
                .map(|partner| (partner.span, format!("this is `{}`", claim.key)))
                .into_iter()
                .collect();
            if found.fix.as_ref().is_some_and(|fix| fix.definition.is_some()) {
                let used_here = |span: Span| (span, "used here".to_string());
                match claim.shared_by.as_slice() {
                    [] => others.push(used_here(claim.expr_span)),
                    sharers => others.extend(sharers.iter().map(|sharer| used_here(sharer.expr_span))),
                }
            }
            let sharers: Vec<&str> = claim.shared_by.iter().map(|sharer| sharer.key.as_str()).collect();
            Failure {
                title: match partner {
                    Some(partner) => format!("{key} and {} are wrong: {}", partner.claim, cause_text(found)),
                    None if holds_here(judgement) => {
                        format!("{key} holds on the data of the file only: {}", cause_text(found))
                    }
                    None if !sharers.is_empty() => {
                        format!("{} wrong: {}", is_or_are(&sharers), cause_text(found))
                    }
                    None => format!("{key} is wrong: {}", cause_text(found)),
                },
                span: found.span,
                label: Some(words_text(&found.label)),
                others,
                notes: [vec![words_text(&found.explanation)], seen].concat(),
                hint: fix_text(claim, found),
            }
        }
        several => {
            let each = several.iter().map(|found| {
                let fix = fix_text(claim, found).map_or_else(String::new, |fix| format!(" ({fix})"));
                format!("{}? {}{fix}", cause_text(found), words_text(&found.explanation))
            });
            Failure {
                title: format!("{key} is wrong, and several causes fit"),
                span: claim.expr_span,
                label: None,
                others: Vec::new(),
                notes: each.chain(seen).collect(),
                hint: Some(
                    match claim.elsewhere.as_ref().map(|elsewhere| &elsewhere.origin) {
                        Some(Origin::Function) => {
                            "other sizes would tell: if the function takes any, say so with `at_any_size()`"
                        }
                        _ => {
                            "data of other sizes would tell: use the names of dims where sizes stand as numbers"
                        }
                    }
                    .to_string(),
                ),
            }
        }
    }
}

/// Does its mistake stand in a definition?
fn in_definition(claim: &ClaimReport) -> bool {
    claim.corrected_definition().is_some()
}

/// On which data a claim is wrong that is right on those of the file.
fn drawn_anew(judgement: &Judgement) -> Option<String> {
    judgement.notes.iter().find(|note| matches!(note, Note::OtherDraw { .. })).map(note_text)
}

/// Is a claim right on the data of the file, and doubted for what it is elsewhere?
fn holds_here(judgement: &Judgement) -> bool {
    judgement.notes.iter().any(|note| matches!(note, Note::OffElsewhere(_)))
}

fn explained(judgement: &Judgement) -> Option<String> {
    let tolerance = judgement.tolerance?;
    Some(format!("rounding and finite differences explain no more than {} there", brief(tolerance)))
}

/// What an entry is claimed to be and what it is.
fn entry(claim: &ClaimReport, entry: &Entry) -> String {
    let [claimed, expected] = apart(entry.claimed, entry.expected);
    let at = index(&entry.at);
    let differences = match entry.difference {
        Some(difference) => format!(" (finite difference {})", apart(entry.claimed, difference)[1]),
        None => String::new(),
    };
    match &claim.elsewhere {
        // What stands at the caret is not what is judged.
        Some(elsewhere) => {
            format!("{at}{} has {claimed}, the derivative is {expected}{differences}", elsewhere.origin)
        }
        None => {
            let what = if in_definition(claim) { claim.key.as_str() } else { "this" };
            format!("{at}{what} is {claimed}, the derivative {expected}{differences}")
        }
    }
}
