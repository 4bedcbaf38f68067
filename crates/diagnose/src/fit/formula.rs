//! The file states the gradient as well, and states it rightly: then the numbers may be what a slip in that very formula
//! gives, and the search for slips finds it when it goes the other way, from the right expression to the wrong numbers.

use pullback_check::Truth;
use pullback_lang::{Expr, ExprKind, StatementKind};

use crate::case::Case;
use crate::inquiry::Inquiry;
use crate::search::{Depth, search};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// The slips in the file's own formula that give the numbers of a claim.
pub(super) fn slips(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>, depth: Depth) -> Vec<Diagnosis> {
    let Some(right) = stated(inquiry, number) else { return Vec::new() };
    // A formula that is wrong itself says nothing of what the numbers should be.
    if !case.trials.iter().all(|trial| trial.fits(right)) {
        return Vec::new();
    }
    let numbers = |trial: &crate::case::Trial<'_>| trial.truth.stated(&trial.claimed()?, trial.layout());
    let Some(numbers) = case.trials.iter().map(numbers).collect::<Option<Vec<Truth>>>() else {
        return Vec::new();
    };
    let backwards = inquiry.backwards(number, case, &numbers);
    let found = search(inquiry, number, &backwards, right, depth);
    found.into_iter().filter_map(|found| turned(found, right)).collect()
}

/// The expression that the file claims where numbers stand in its place.
fn stated<'a>(inquiry: &Inquiry<'a>, number: usize) -> Option<&'a Expr> {
    let claim = &inquiry.exact.claims[number];
    if claim.expr.is_some() {
        return None;
    }
    inquiry.file.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Claim(stated) if stated.key.to_string() == claim.key => Some(&stated.expr),
        _ => None,
    })
}

/// What makes the numbers of the right formula: told as the slip from that formula to the numbers.
fn turned(found: Diagnosis, right: &Expr) -> Option<Diagnosis> {
    let Fix { definition, expr: wrong, .. } = found.fix?;
    let cause = match found.cause {
        "missing-factor" => "extra-factor",
        "extra-factor" => "missing-factor",
        "missing-term" | "overwritten" => "extra-term",
        "extra-term" => "missing-term",
        "missing-sum" => "wrong-axis",
        "wrong-axis" if sums(&wrong) < sums(right) => "missing-sum",
        "elementwise-for-product" => "product-for-elementwise",
        "product-for-elementwise" => "elementwise-for-product",
        same => same,
    };
    let words = match &definition {
        None => Words::new().say("These are the numbers of ").expr(&wrong).say("; "),
        Some(name) => {
            let words = Words::new().say("These are the numbers that the file's formula gives with ");
            words.source(format!("{name} = {}", pullback_lang::print(&wrong))).say("; ")
        }
    };
    Some(Diagnosis {
        cause,
        explanation: words.expr(right).say(", as the file has it, is right."),
        span: found.span,
        label: Words::new().say("here the numbers come from something else"),
        partner: None,
        fix: Some(Fix { definition: None, expr: right.clone(), residual: None }),
    })
}

/// How many sums and means an expression takes.
fn sums(expr: &Expr) -> usize {
    let mut sums = 0;
    expr.walk(&mut |part| {
        if let ExprKind::Call { function, .. } = &part.kind
            && matches!(function.text.as_str(), "sum" | "mean")
        {
            sums += 1;
        }
    });
    sums
}
