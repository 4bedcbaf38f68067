//! The life of a claim: text → program in the file's precision → the same program in double precision on the rounded
//! inputs → the claimed numbers held against the routes → a verdict → what is wrong, where something is.

use std::path::Path;

use pullback_check::{Judgement, Note, Verdict, judge, judge_shape};
use pullback_diagnose::{diagnose, flat, inherited, layout, subject};
use pullback_lang::program::{Claim, Claimed, Program};
use pullback_lang::{Error, MAX_ERRORS, Span};
use pullback_report::{ClaimReport, FileReport, Problem};

use super::{Opened, problems};

/// Judges every claim of a file. `name` is what the report calls it.
pub fn check_source(name: &str, bytes: &[u8], base_dir: &Path) -> FileReport {
    check_watched(name, bytes, base_dir, &mut |_| {})
}

/// The same, with `watch` told the key of each claim before it is judged.
pub fn check_watched(name: &str, bytes: &[u8], base_dir: &Path, watch: &mut dyn FnMut(&str)) -> FileReport {
    let opened = match Opened::new(name, bytes, base_dir) {
        Ok(opened) => opened,
        Err(invalid) => return FileReport::from(invalid),
    };
    if let Err(problem) = opened.evaluate() {
        return FileReport::from(opened.invalid(vec![problem]));
    }
    let exact = match opened.exact(base_dir) {
        Ok(exact) => exact,
        Err(errors) => return FileReport::from(opened.invalid(problems(&errors))),
    };
    let mut judged = Vec::new();
    let mut errors = Vec::new();
    for (stated, claim) in opened.program.claims.iter().zip(&exact.claims) {
        if errors.len() == MAX_ERRORS {
            break;
        }
        watch(&claim.key);
        match judgement(&opened.program, stated, &exact, claim) {
            Ok(judgement) => judged.push(Some(judgement)),
            Err(problem) => {
                errors.push(problem);
                judged.push(None);
            }
        }
    }
    judged.resize(exact.claims.len(), None);
    let mut inherits = inherited(&exact, &mut judged);
    let mut found = diagnose(&opened.file, &exact, &opened.inputs, base_dir, &judged);
    let mut claims = Vec::new();
    for (number, judgement) in judged.into_iter().enumerate() {
        let (Some(mut judgement), claim) = (judgement, &exact.claims[number]) else { continue };
        let diagnoses = std::mem::take(&mut found[number]);
        if diagnoses.len() > 1 {
            judgement.verdict = Verdict::Ambiguous;
        }
        // Of a shape whose cause is known it is the cause that is wrong. A claim about the shape itself stays one.
        let about_a_value = matches!(claim.claimed, Claimed::Value { .. });
        if judgement.verdict == Verdict::Shape
            && about_a_value
            && diagnoses.iter().any(|d| d.cause != "unknown")
        {
            judgement.verdict = Verdict::Wrong;
        }
        if judgement.notes.iter().any(|note| matches!(note, Note::NoPath | Note::Zero)) {
            judgement.notes.extend(flat(claim));
        }
        let inherits = std::mem::take(&mut inherits[number]);
        let (key, span, expr_span) = (claim.key.clone(), claim.span, claim.expr_span);
        let places = [&opened.program, &exact];
        let due_to = judgement.due_to().and_then(|val| places.iter().find_map(|program| program.place(val)));
        claims.push(ClaimReport { key, span, expr_span, judgement, due_to, inherits, diagnoses });
    }
    FileReport { claims, errors, warnings: opened.warnings, document: opened.document }
}

/// What is said of a claim; a problem where its expression or the derivative cannot be evaluated.
fn judgement(
    program: &Program,
    stated: &Claim,
    exact: &Program,
    claim: &Claim,
) -> Result<Judgement, Problem> {
    let (value, stated_layout, zeros) = match &stated.claimed {
        Claimed::Shape(shape) => return Ok(judge_shape(&subject(claim), shape)),
        Claimed::Value { val, layout, zeros } => (val, *layout, *zeros),
    };
    let Claimed::Value { val: expression, .. } = &claim.claimed else {
        return Err(Problem::new("a claim about a shape in one precision is none in another"));
    };
    let in_place = |error: &Error| Problem::from(error);
    let array = program.array(value, claim.expr_span).map_err(|error| in_place(&error))?;
    exact.array(expression, claim.expr_span).map_err(|error| in_place(&error))?;
    let at = |span: Span| move |error: pullback_ops::Error| Problem::of_operation(&error, span);
    let claimed = pullback_check::Claim::evaluated(array, expression).map_err(at(claim.expr_span))?;
    let claimed = claimed.in_layout(layout(stated_layout)).written_as_zeros(zeros);
    judge(&subject(claim), &claimed).map_err(at(claim.span))
}
