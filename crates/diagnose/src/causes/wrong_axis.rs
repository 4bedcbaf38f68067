//! The wrong axes: a sum over another axis than is meant, or a shape: "∂Z/∂b is M × N" where it is N × M × M.

use pullback_lang::program::Claimed;
use pullback_lang::{Expr, ExprKind};
use pullback_network::Dim;

use super::Cause;
use crate::edit::{self, Edit, call, integer};
use crate::inquiry::Inquiry;
use crate::tree::Place;
use crate::words::Words;
use crate::{Diagnosis, Fix};

pub(super) static CAUSE: Cause = Cause { edits, whole, ..Cause::named("wrong-axis") };

/// `sum(x, axis=1)` for `sum(x, axis=0)`; with the axis kept, where it is no whole claim. And `x`, where
/// nothing is to be summed.
fn edits(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Call { function, args, .. } = &place.expr.kind else { return Vec::new() };
    let Some(summed) = args.first().filter(|_| matches!(function.text.as_str(), "sum" | "mean")) else {
        return Vec::new();
    };
    let (at, dims) = (place.expr.span, place.dims_of(summed).unwrap_or_default());
    let mut edits = Vec::new();
    if function.text == "sum" && !dims.is_empty() {
        let words = Words::new().say("Nothing is to be summed here: ").expr(summed).say(" keeps its axes.");
        edits.push(Edit::new(summed.clone(), 3, words));
    }
    for axis in 0..dims.len() {
        for kept in [false, true] {
            if kept && place.is_root() {
                continue;
            }
            let mut keywords = vec![("axis", integer(at, axis))];
            if kept {
                keywords.push(("keepdims", Expr::new(at, ExprKind::Bool(true))));
            }
            let with = call(at, &function.text, vec![summed.clone()], keywords);
            let words = Words::new().say(format!("The {function} is over the wrong axes: "));
            edits.push(Edit::new(with.clone(), 2, words.expr(&with).say(" is meant.")));
        }
    }
    edits
}

fn whole(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let claim = &inquiry.exact.claims[number];
    let Claimed::Shape(_) = &claim.claimed else { return None };
    let at = claim.expr_span;
    let (first, last) = match claim.wrt.as_slice() {
        [x, y] => (x.dims(), y.dims()),
        [x] => (claim.of.dims(), x.dims()),
        _ => return None,
    };
    let shape: Vec<Dim> = first.iter().chain(last).copied().collect();
    let expr = edit::shape(at, &shape);
    let words = Words::new();
    let explanation = if first.is_empty() {
        words.say("The gradient of a scalar has the shape of what it is taken by, ").shape(last).say(".")
    } else {
        words
            .say("A derivative has the axes of what is differentiated first, ")
            .shape(first)
            .say(", and then those of what it is differentiated by, ")
            .shape(last)
            .say(".")
    };
    let label = Words::new().expr(&expr).say(" belongs here");
    let fix = Some(Fix { definition: None, expr, residual: None });
    Some(Diagnosis { cause: CAUSE.word, explanation, span: at, label, partner: None, fix })
}
