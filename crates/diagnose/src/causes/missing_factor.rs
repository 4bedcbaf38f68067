//! A factor is missing, or is another one than written: a sign, a number, a size (`/ N` where `/ (N * M)` belongs), or a
//! value of the program, entry by entry, or what is computed of such values.
//!
//! Signs, numbers and sizes are not guessed but fitted: the number by which the claim, or one term of a sum in it, would
//! have to be multiplied, on data of several sizes.

use pullback_lang::{BinaryOp, Expr, ExprKind};
use pullback_network::Dim;

mod computed;
mod positions;
mod rounded;

use super::Cause;
use crate::case::entries;
use crate::edit::{Edit, binary, integer, number, renamed, replaced};
use crate::factor::{Factor, Names, taken_in};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-factor") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    edits.extend(other_sign(place));
    edits.extend(inverse(place));
    edits.extend(fitted(place));
    edits.extend(values(place));
    edits.extend(derivatives(place));
    edits.extend(computed::edits(place));
    edits.extend(bracketed(place));
    edits.extend(delta(place));
    edits.extend(averaged(place));
    edits.extend(rounded::edits(place));
    edits.extend(positions::edits(place));
    edits
}

/// `2 * (a - b)` for `2 * a - b`, and `(a - b) / n` for `a - b / n`: a factor that belongs to both terms.
fn bracketed(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return Vec::new() };
    if !matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub) {
        return Vec::new();
    }
    let at = place.expr.span;
    let inside = |a: &Expr, b: &Expr| binary(at, operator.kind, a.clone(), b.clone());
    let scaled = |expr: &Expr| match &expr.kind {
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div) =>
        {
            Some((operator.kind, (**left).clone(), (**right).clone()))
        }
        _ => None,
    };
    let mut edits = Vec::new();
    let mut propose = |with: Expr| {
        let words = Words::new().say("The brackets are missing: ").expr(&with).say(" is meant.");
        edits.push(Edit::new(with, 2, words));
    };
    // The factor stands in front of the first of several terms.
    if let Some((kind, factor, first)) =
        first_term(left).and_then(scaled).filter(|(kind, ..)| *kind == BinaryOp::Mul)
    {
        let sum = binary(at, operator.kind, with_first_term(left, first), (**right).clone());
        propose(binary(at, kind, factor.clone(), sum.clone()));
        if let Some((BinaryOp::Div, last, below)) = scaled(right) {
            let sum = binary(at, operator.kind, with_first_term(left, scaled_first(left)), last);
            propose(binary(at, BinaryOp::Div, binary(at, kind, factor, sum), below));
        }
    }
    if let Some((BinaryOp::Div, last, below)) = scaled(right) {
        propose(binary(at, BinaryOp::Div, inside(left, &last), below));
    }
    edits
}

/// The first of the terms of a sum.
fn first_term(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Binary { operator, left, .. } if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub) => {
            first_term(left)
        }
        _ => Some(expr),
    }
}

/// What the factor in front of the first term multiplies.
fn scaled_first(expr: &Expr) -> Expr {
    match first_term(expr).map(|first| &first.kind) {
        Some(ExprKind::Binary { right, .. }) => (**right).clone(),
        _ => expr.clone(),
    }
}

fn with_first_term(expr: &Expr, first: Expr) -> Expr {
    match &expr.kind {
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub) =>
        {
            binary(expr.span, operator.kind, with_first_term(left, first), (**right).clone())
        }
        _ => first,
    }
}

/// `p[i] * (delta[i,j] - p[j])` for `p[i] * (1 - p[j])`: a 1 that stands on the diagonal only.
fn delta(place: &Place<'_>) -> Vec<Edit> {
    let Some(ranges) = place.case().ranges().filter(|_| number(place.expr) == Some(1.0)) else {
        return Vec::new();
    };
    let deltas = entries(std::iter::empty(), &ranges, place.expr.span);
    let edits = deltas.into_iter().map(|delta| {
        let words = Words::new()
            .say("The factor ")
            .expr(&delta)
            .say(" is missing: the 1 stands on the diagonal only.");
        Edit::new(delta, 2, words)
    });
    edits.collect()
}

/// `mean(x)` for `sum(x)`: one over the number of entries is missing.
fn averaged(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Call { function, .. } = &place.expr.kind else { return None };
    let mean = renamed(place.expr, "sum", "mean")?;
    let words = Words::new()
        .say("A sum stands where a mean belongs: it is to be divided by the number of its terms.");
    let label = Words::new().source("mean").say(" belongs here");
    Some(Edit::new(mean, 3, words).at(function.span, label).sized())
}

/// The derivative of a function of the forward pass, where nothing stands for it.
fn derivatives(place: &Place<'_>) -> Vec<Edit> {
    let Some(wanted) = place.tree.sought().and_then(|sought| sought.at(&place.path)) else {
        return Vec::new();
    };
    let Some(trial) = place.tree.trial() else { return Vec::new() };
    let mut edits = Vec::new();
    for derivative in place.tree.derivatives() {
        if let Some(lacking) = derivative.lacks(place.expr) {
            let words = Words::new().say("The factor ").expr(lacking).say(" is missing: the derivative of ");
            let words =
                words.expr(&derivative.applied).say(" is ").expr(&derivative.expr(place.expr.span)).say(".");
            let label = Words::new().say("the factor ").expr(lacking).say(" is missing here");
            let with = derivative.expr(place.expr.span);
            edits.push(Edit::new(with, 2, words).at(place.expr.span, label));
        }
        let with = derivative.times(Some(place.expr.clone()), place.expr.span);
        let fits = || {
            let numbers = trial.numbers(&place.tree.in_context(&with));
            numbers.is_some_and(|numbers| numbers.shape() == wanted.shape && wanted.is(&numbers.to_vec_f64()))
        };
        if place.case().open || fits() {
            let right = derivative.expr(place.expr.span);
            let words = Words::new()
                .say("The derivative of ")
                .expr(&derivative.applied)
                .say(" is missing, the factor ");
            let label = Words::new().say("the factor ").expr(&right).say(" is missing here");
            edits.push(Edit::new(with, 4, words.expr(&right).say(".")).at(place.expr.span, label));
        }
    }
    edits
}

/// `a + b` for `a - b`, or the reverse.
fn other_sign(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return None };
    let (other, verb) = match operator.kind {
        BinaryOp::Add => (BinaryOp::Sub, "subtracted"),
        BinaryOp::Sub => (BinaryOp::Add, "added"),
        _ => return None,
    };
    let with = binary(place.expr.span, other, (**left).clone(), (**right).clone());
    let words = Words::new().say("The sign of ").expr(right).say(format!(" is wrong: it is to be {verb}."));
    let label = Words::new().source(other.symbol()).say(" belongs here");
    Some(Edit::new(with, 2, words).at(operator.span, label))
}

/// `a * u` for `a / u`, or the reverse; likelier where u is a scalar.
fn inverse(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return None };
    let other = match operator.kind {
        BinaryOp::Mul => BinaryOp::Div,
        BinaryOp::Div => BinaryOp::Mul,
        _ => return None,
    };
    let is_scalar = place.dims_of(right)?.is_empty();
    let with = binary(place.expr.span, other, (**left).clone(), (**right).clone());
    let (is, not) = if other == BinaryOp::Div { ("divisor", "factor") } else { ("factor", "divisor") };
    let words = Words::new().expr(right).say(format!(" is to be a {is}, not a {not}."));
    let label = Words::new().source(other.symbol()).say(" belongs here");
    let edit = Edit::new(with, if is_scalar { 2 } else { 4 }, words).at(operator.span, label);
    Some(if is_scalar { edit.sized() } else { edit })
}

/// The factor that makes the claim right, where one does. Without data of other sizes a number may be a size or not: both
/// are proposed.
fn fitted(place: &Place<'_>) -> Vec<Edit> {
    if !place.is_term() || place.case().open {
        return Vec::new();
    }
    let doubled = binary(place.expr.span, BinaryOp::Mul, integer(place.expr.span, 2), place.expr.clone());
    let claimed = place.tree.claim_with(&place.tree.root);
    let doubled = place.tree.claim_with(&replaced(&place.tree.root, &place.path, doubled));
    let Some(ratios) = place.case().ratios(&claimed, &doubled) else { return Vec::new() };
    // `N * mean(x)` is a sum, and that is proposed where the mean stands.
    if let Some(summed) = summed(place.expr)
        && place.case().fits(&place.tree.claim_with(&replaced(&place.tree.root, &place.path, summed)))
    {
        return Vec::new();
    }
    let mut factors = vec![place.names().factor(&ratios)];
    if !place.case().resized {
        factors.push(Names::new(Vec::new(), ratios.len()).factor(&ratios));
    }
    factors.dedup();
    let wrong = |factor: &Factor| !factor.is_sign() || factor.negative;
    factors.into_iter().flatten().filter(wrong).map(|factor| multiplied(place, &factor)).collect()
}

/// An expression with its first mean as a sum, where it has one.
fn summed(expr: &Expr) -> Option<Expr> {
    if let Some(summed) = renamed(expr, "mean", "sum") {
        return Some(summed);
    }
    let (at, changed) =
        expr.children().into_iter().enumerate().find_map(|(at, child)| Some((at, summed(child)?)))?;
    Some(replaced(expr, &[at], changed))
}

fn multiplied(place: &Place<'_>, factor: &Factor) -> Edit {
    let at = place.expr.span;
    let (with, smaller) = factor.times(place.expr);
    let whole = place.is_root() && place.tree.definition.is_none();
    let what = Words::new();
    let what = if whole { what.say("what is claimed") } else { what.expr(place.expr) };
    let words = if factor.is_sign() {
        Words::new().say("The sign is wrong: the derivative has the opposite sign of ").then(what).say(".")
    } else {
        let times = Words::new().expr(&factor.expr(at)).say(" times ");
        let subject = if whole { "The derivative is " } else { "What belongs here is " };
        Words::new().say(subject).then(times).then(what).say(if whole { ", in every entry." } else { "." })
    };
    // Of the numbers that one writes, and of sizes, one is put in by mistake sooner than a number that fits by chance.
    let odd = if place.case().backwards && !factor.is_likely() { 3 } else { 0 };
    // The more digits somebody must have written, the less likely.
    let edit = Edit::new(with, odd + factor.digits() + if smaller.is_some() { 2 } else { 3 }, words);
    let edit = match smaller {
        Some((span, part)) => edit.at(span, Words::new().expr(&part).say(" belongs here")),
        None if factor.is_sign() => edit.at(at, Words::new().say("a minus is missing here")),
        None => edit.at(at, Words::new().say("the factor ").expr(&factor.expr(at)).say(" is missing here")),
    };
    if factor.is_sign() { edit } else { edit.sized() }
}

/// The place times a value of the program that is no scalar, entry by entry.
fn values(place: &Place<'_>) -> Vec<Edit> {
    let is_entry = matches!(place.expr.kind, ExprKind::Index { .. });
    if let Some(ranges) = place.case().ranges().filter(|_| place.is_root() || is_entry) {
        let entries = entries(place.known(), &ranges, place.expr.span);
        return entries.iter().map(|factor| times(place, factor)).collect();
    }
    let Some(dims) = &place.dims else { return Vec::new() };
    // A number where a claim should have axes: `2` for `2 * v`.
    let bare = place.is_root() && dims.is_empty() && !place.case().shaped;
    if number(place.expr).is_some() && !bare {
        return Vec::new();
    }
    // A scalar that stands alone in a term may have lost all its axes with the factor.
    let root = place.tree.root_dims();
    let fits = |factor: &[Dim]| {
        let whole = dims.is_empty() && root.as_deref().is_some_and(|root| broadcasts(factor, root));
        !factor.is_empty() && (bare || whole || broadcasts(factor, dims))
    };
    let known = place.known().filter(|known| fits(&known.dims));
    known.map(|known| times(place, &known.source)).collect()
}

fn times(place: &Place<'_>, factor: &Expr) -> Edit {
    let with = taken_in(place.expr, factor)
        .unwrap_or_else(|| binary(place.expr.span, BinaryOp::Mul, place.expr.clone(), factor.clone()));
    let words = Words::new().say("The factor ").expr(factor).say(" is missing.");
    let label = Words::new().say("the factor ").expr(factor).say(" is missing here");
    Edit::new(with, 4, words).at(place.expr.span, label)
}

/// Does a factor of these dims leave a value of those dims its shape?
fn broadcasts(factor: &[Dim], value: &[Dim]) -> bool {
    factor.len() <= value.len()
        && factor.iter().rev().zip(value.iter().rev()).all(|(f, v)| f.size() == v.size() || f.size() == 1)
}
