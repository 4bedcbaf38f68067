//! The life of a claim: text → program in the file's precision → the same program in double precision on the rounded
//! inputs → the claimed numbers held against the routes → a verdict.

use std::path::Path;

use pullback_check::{ClaimLayout, Judgement, Subject, judge, judge_shape};
use pullback_lang::program::{Claim, Claimed, Program};
use pullback_lang::{Error, Layout, MAX_ERRORS, Span};
use pullback_ops::Val;
use pullback_report::{ClaimReport, FileReport, Problem};

use super::{Opened, inherit, problems};

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
    let inherited = inherit::inherited(&exact, &mut judged);
    let claims =
        exact.claims.iter().zip(judged).zip(inherited).filter_map(|((claim, judgement), inherits)| {
            let (key, span, expr_span) = (claim.key.clone(), claim.span, claim.expr_span);
            Some(ClaimReport { key, span, expr_span, judgement: judgement?, inherits })
        });
    FileReport { claims: claims.collect(), errors, warnings: opened.warnings, document: opened.document }
}

/// What is said of a claim; a problem where its expression or the derivative cannot be evaluated.
fn judgement(
    program: &Program,
    stated: &Claim,
    exact: &Program,
    claim: &Claim,
) -> Result<Judgement, Problem> {
    let (value, layout, zeros) = match &stated.claimed {
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
    let claimed = claimed.in_layout(layout_of(layout)).written_as_zeros(zeros);
    judge(&subject(claim), &claimed).map_err(at(claim.span))
}

/// What a claim is about.
pub(super) fn subject(claim: &Claim) -> Subject {
    let subject = match claim.wrt.as_slice() {
        [x, y] => Subject::second(&claim.of, x, y),
        [x, ..] => Subject::new(&claim.of, x),
        // The parser makes no claim with respect to nothing.
        [] => Subject::new(&claim.of, &claim.of),
    };
    let fixed: &[Val] = &claim.fixed;
    subject.holding(fixed)
}

pub(super) fn layout_of(layout: Layout) -> ClaimLayout {
    match layout {
        Layout::Default => ClaimLayout::Either,
        Layout::Row => ClaimLayout::Row,
        Layout::Col => ClaimLayout::Column,
    }
}
