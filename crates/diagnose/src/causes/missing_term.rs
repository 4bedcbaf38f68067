//! A term is missing: `p * g` where `p * (g - sum(p * g))` belongs, the `- outer(a, a)` of a softmax, the projection of a
//! normalisation, the path through a mean or a variance, `1 - p` without the `1 -`.
//!
//! What is missing is not guessed: it is the derivative minus the claim, held against products of the values of the program
//! ([`dictionary`](crate::dictionary)), at each part of the claim that it may have been left out of. Where the claim is
//! exactly what comes through one of several uses of a value, it is not a term of one Jacobian that is missing but the sum
//! over the uses: that is `overwritten`.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use crate::dictionary::{Sums, Term, terms};
use crate::edit::{Edit, binary, integer, part, replaced, size};
use crate::search::DEAREST;
use crate::sought::Sought;
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-term") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    // What is missing is looked up by what the numbers lack, and they lack something else too.
    if place.case().open {
        return Vec::new();
    }
    if place.tree.is_number(place.expr) {
        return beside_number(place);
    }
    let Some(sought) = place.tree.sought() else { return Vec::new() };
    let Some(wanted) = sought.at(&place.path) else { return inside(place, sought) };
    let mut edits: Vec<Edit> = from_one(place, &|numbers| wanted.is(numbers)).into_iter().collect();
    // What is a multiple of a term that is there is no term but a factor.
    if sought.multiple(place.tree).is_some() {
        return edits;
    }
    edits.extend(terms(place, wanted, Sums::Scaled).into_iter().filter_map(|term| added(place, term)));
    edits
}

/// `N - 1` for a size `N`: an unbiased variance is divided by that. And `1 - q` for a 1 where the claim has lost its axes with
/// the term.
fn beside_number(place: &Place<'_>) -> Vec<Edit> {
    let at = place.expr.span;
    let one = integer(at, 1);
    let is_size = matches!(place.expr.kind, ExprKind::Name(_));
    let terms: Vec<&Expr> = match place.expr.kind {
        ExprKind::Name(_) => vec![&one],
        ExprKind::Number { .. } if !place.case().shaped && place.case().indices.is_none() => {
            let known = place.known().filter(|known| !known.dims.is_empty()).map(|known| &known.source);
            known.chain(&place.case().parts).collect()
        }
        _ => return Vec::new(),
    };
    let edits = terms.into_iter().flat_map(|term| [(BinaryOp::Sub, term), (BinaryOp::Add, term)]);
    let edits = edits.map(|(operator, term)| {
        let with = binary(at, operator, place.expr.clone(), term.clone());
        let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs: ");
        let words = words.expr(term).say(" is missing.");
        // Of a number that stands alone any expression could be made with one slip more.
        if is_size { Edit::new(with, 3, words).sized() } else { Edit::new(with, DEAREST, words) }
    });
    edits.collect()
}

/// A term that is missing where the claim is not linear, under a root or below a line: `v + eps` for `v`, `1 + x^2` for `x^2`.
fn inside(place: &Place<'_>, sought: &Sought) -> Vec<Edit> {
    let tree = place.tree;
    if place.case().indices.is_some() {
        return Vec::new();
    }
    let (Some(trial), Some(above)) = (tree.trial(), sought.around(&place.path)) else { return Vec::new() };
    let (Some(wanted), Some(whole)) = (sought.at(above), part(&tree.root, above)) else { return Vec::new() };
    let at = place.expr.span;
    let one = integer(at, 1);
    let scalars = place.known().filter(|known| known.dims.is_empty()).map(|known| &known.source);
    let mut candidates: Vec<(&Expr, Expr)> = Vec::new();
    for term in std::iter::once(&one).chain(scalars).filter(|term| *term != place.expr) {
        let (own, other) = (place.expr.clone(), term.clone());
        candidates.push((
            term,
            match term == &one {
                true => binary(at, BinaryOp::Add, other.clone(), own.clone()),
                false => binary(at, BinaryOp::Add, own.clone(), other.clone()),
            },
        ));
        candidates.push((term, binary(at, BinaryOp::Sub, other.clone(), own.clone())));
        candidates.push((term, binary(at, BinaryOp::Sub, own, other)));
    }
    let fits = |with: &Expr| {
        let changed = replaced(whole, &place.path[above.len()..], with.clone());
        let numbers = trial.numbers(&tree.in_context(&changed))?;
        Some(numbers.shape() == wanted.shape && wanted.is(&numbers.to_vec_f64()))
    };
    let fitting = candidates.into_iter().filter(|(_, with)| fits(with) == Some(true));
    let edits = fitting.map(|(term, with)| {
        let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs: ");
        // From the right expression to the wrong one, a term was rather forgotten than put in.
        let cost = if place.case().backwards { 4 } else { 2 };
        Edit::new(with, cost, words.expr(term).say(" is missing."))
    });
    edits.collect()
}

/// `1 - p` for `p`. A derivative is taken from 1 nowhere.
fn from_one(place: &Place<'_>, is_wanted: &dyn Fn(&[f64]) -> bool) -> Option<Edit> {
    let is_derivative = matches!(place.expr.kind, ExprKind::ClaimRef { .. });
    if is_derivative || place.case().indices.is_some() || place.tree.is_number(place.expr) {
        return None;
    }
    let numbers = place.tree.trial()?.numbers(&place.tree.in_context(place.expr))?.to_vec_f64();
    let at = place.expr.span;
    let (operator, part) = match &place.expr.kind {
        ExprKind::Negate(operand) => (BinaryOp::Sub, (**operand).clone()),
        _ if is_wanted(&numbers.iter().map(|p| 1.0 - p).collect::<Vec<_>>()) => {
            (BinaryOp::Sub, place.expr.clone())
        }
        _ => (BinaryOp::Add, place.expr.clone()),
    };
    let sign = if operator == BinaryOp::Sub && part == *place.expr { -1.0 } else { 1.0 };
    let whole: Vec<f64> = numbers.iter().map(|p| 1.0 + sign * p).collect();
    is_wanted(&whole).then(|| {
        let with = binary(at, operator, integer(at, 1), part);
        let words = Words::new()
            .expr(place.expr)
            .say(" stands where ")
            .expr(&with)
            .say(" belongs: the 1 is missing.");
        // Written out it is a slip of the pen; the derivative of another function would be more.
        Edit::new(with, if operator == BinaryOp::Sub { 1 } else { 4 }, words)
    })
}

/// The part with a term added, times the number that makes the claim right on all data.
fn added(place: &Place<'_>, term: Term) -> Option<Edit> {
    let at = place.expr.span;
    let with = |term: &Expr| {
        let sum = binary(at, BinaryOp::Add, place.expr.clone(), term.clone());
        place.tree.claim_with(&replaced(&place.tree.root, &place.path, sum))
    };
    let claimed = place.tree.claim_with(&place.tree.root);
    let named = |term: Expr| {
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
    // Nor is what is made of the very sum that it is added to.
    let mut of_itself = false;
    if matches!(&place.expr.kind, ExprKind::Binary { operator, .. } if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub))
    {
        term.walk(&mut |part| of_itself |= part == place.expr);
    }
    // Nor is a number that only chance makes one of sizes.
    let by_chance = place.case().backwards && !factor.is_likely();
    let cost = 3 + (size(&term) / 5) as u32 + if odd || of_itself || by_chance { 2 } else { 0 };
    Some(Edit::new(with, cost, words).at(at, label))
}
