//! A product, a quotient or a sum of values of the program that is missing as a factor: the `sum(g)` of `g - a * sum(g)`.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use crate::dictionary::{Sums, terms};
use crate::edit::{Edit, binary, negated, number, size};
use crate::factor::in_front;
use crate::tree::Place;
use crate::words::Words;

pub(super) fn edits(place: &Place<'_>) -> Vec<Edit> {
    let Some(wanted) = place.tree.sought().and_then(|sought| sought.at(&place.path)) else {
        return Vec::new();
    };
    let Some(trial) = place.tree.trial() else { return Vec::new() };
    if place.case().indices.is_some() {
        return Vec::new();
    }
    let numbers = |expr: &Expr| trial.numbers(&place.tree.in_context(expr));
    let Some(own) = numbers(place.expr) else { return Vec::new() };
    let at = place.expr.span;
    let mut edits = Vec::new();
    for term in terms(place, &wanted.of_factor(&own.to_vec_f64()), Sums::Bare) {
        // What is made of the place itself says nothing of it.
        let mut of_itself = false;
        term.expr.walk(&mut |part| of_itself |= part == place.expr);
        if of_itself || number(&term.expr).is_some() || may_divide_by_zero(place, &term.expr) {
            continue;
        }
        let product = binary(at, BinaryOp::Mul, place.expr.clone(), term.expr.clone());
        let minus = in_front(&product, &negated);
        for (with, factor) in [(product, term.expr.clone()), (minus, in_front(&term.expr, &negated))] {
            if numbers(&with)
                .is_some_and(|with| with.shape() == wanted.shape && wanted.is(&with.to_vec_f64()))
            {
                let words = Words::new().say("The factor ").expr(&factor).say(" is missing.");
                let label = Words::new().say("the factor ").expr(&factor).say(" is missing here");
                // Nobody writes a quotient too many.
                let more = if place.case().backwards { 3 } else { 0 };
                let cost = 4 + more + (size(&term.expr) / 5) as u32;
                edits.push(Edit::new(with, cost, words).at(at, label));
            }
        }
    }
    edits
}

/// Is it a quotient by what nothing else is divided by? `y / x` is no factor that was forgotten, even where the numbers fit.
fn may_divide_by_zero(place: &Place<'_>, term: &Expr) -> bool {
    match &term.kind {
        ExprKind::Binary { operator, right, .. } if operator.kind == BinaryOp::Div => {
            !place.case().divisors.contains(right)
        }
        _ => false,
    }
}
