//! A term is missing: `p * g` where `p * (g - sum(p * g))` belongs, the `- outer(a, a)` of a softmax, the projection of a
//! normalisation, the path through a mean or a variance, `1 - p` without the `1 -`.
//!
//! What is missing is not guessed: it is the derivative minus the claim, held against products of the values of the program
//! ([`dictionary`](crate::dictionary)), at each part of the claim that it may have been left out of. Where the claim is
//! exactly what comes through one of several uses of a value, it is not a term of one Jacobian that is missing but the sum
//! over the uses: that is `overwritten`.

use pullback_lang::{BinaryOp, ExprKind};

use super::Cause;
use crate::dictionary::{Term, terms};
use crate::edit::{Edit, binary, integer, replaced, size};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-term") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let Some(sought) = place.tree.sought() else { return Vec::new() };
    let Some(wanted) = sought.at(&place.path) else { return Vec::new() };
    let mut edits: Vec<Edit> = from_one(place, &|numbers| wanted.is(numbers)).into_iter().collect();
    // What is a multiple of a term that is there is no term but a factor.
    if sought.multiple(place.tree).is_some() {
        return edits;
    }
    edits.extend(terms(place, wanted, true).into_iter().filter_map(|term| added(place, term)));
    edits
}

/// `1 - p` for `p`.
fn from_one(place: &Place<'_>, is_wanted: &dyn Fn(&[f64]) -> bool) -> Option<Edit> {
    if place.case().indices.is_some() || place.tree.is_number(place.expr) {
        return None;
    }
    let numbers = place.tree.trial()?.numbers(&place.tree.in_context(place.expr))?.to_vec_f64();
    let at = place.expr.span;
    let (operator, part) = match &place.expr.kind {
        ExprKind::Negate(operand) => (BinaryOp::Sub, (**operand).clone()),
        _ if is_wanted(&numbers.iter().map(|p| 1.0 - p).collect::<Vec<_>>()) => (BinaryOp::Sub, place.expr.clone()),
        _ => (BinaryOp::Add, place.expr.clone()),
    };
    let sign = if operator == BinaryOp::Sub && part == *place.expr { -1.0 } else { 1.0 };
    let whole: Vec<f64> = numbers.iter().map(|p| 1.0 + sign * p).collect();
    is_wanted(&whole).then(|| {
        let with = binary(at, operator, integer(at, 1), part);
        let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs: the 1 is missing.");
        // Written out it is a slip of the pen; the derivative of another function would be more.
        Edit::new(with, if operator == BinaryOp::Sub { 1 } else { 4 }, words)
    })
}

/// The part with a term added, times the number that makes the claim right on all data.
fn added(place: &Place<'_>, term: Term) -> Option<Edit> {
    let at = place.expr.span;
    let with = |term: &pullback_lang::Expr| {
        let sum = binary(at, BinaryOp::Add, place.expr.clone(), term.clone());
        place.tree.claim_with(&replaced(&place.tree.root, &place.path, sum))
    };
    let claimed = place.tree.claim_with(&place.tree.root);
    let named = |term: pullback_lang::Expr| {
        let ratios = place.case().ratios(&claimed, &with(&term))?;
        let shares: Vec<f64> = ratios.iter().map(|ratio| ratio - 1.0).collect();
        Some((place.names().factor(&shares)?, term))
    };
    let summed = named(term.expr);
    let averaged = term.averaged.filter(|_| summed.as_ref().is_none_or(|(factor, _)| !factor.is_sign()));
    let found = [summed, averaged.and_then(named)].into_iter().flatten();
    let (factor, term) = found.min_by_key(|(factor, _)| factor.length())?;
    let (term, _) = factor.magnitude().times(&term);
    let (operator, sign) = if factor.negative { (BinaryOp::Sub, "- ") } else { (BinaryOp::Add, "+ ") };
    let with = binary(at, operator, place.expr.clone(), term.clone());
    let shown = format!("{sign}{}", pullback_lang::print(&term));
    let words = Words::new().say("The term ").source(shown.clone()).say(" is missing.");
    let label = Words::new().source(shown).say(" is missing here");
    // A quotient of two values is a term less often than a factor that is missing looks like one.
    let odd = matches!(&term.kind, ExprKind::Binary { operator, right, .. }
        if operator.kind == BinaryOp::Div && place.axes_of(right) > 0);
    let cost = 3 + (size(&term) / 5) as u32 + if odd { 2 } else { 0 };
    Some(Edit::new(with, cost, words).at(at, label))
}
