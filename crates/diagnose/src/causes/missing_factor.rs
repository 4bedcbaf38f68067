//! A factor is missing, or is another one than written: a sign, a number, a size (`/ N` where `/ (N * M)` belongs), or a
//! value of the program, entry by entry.
//!
//! Signs, numbers and sizes are not guessed but fitted: the number by which the claim, or one term of a sum in it, would
//! have to be multiplied, on data of several sizes.

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem};
use pullback_network::Dim;

use super::Cause;
use crate::edit::{Edit, binary, integer, name, number, replaced};
use crate::factor::{Factor, taken_in};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-factor") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    edits.extend(other_sign(place));
    edits.extend(inverse(place));
    edits.extend(fitted(place));
    edits.extend(values(place));
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
    if !place.is_term() {
        return Vec::new();
    }
    let doubled = binary(place.expr.span, BinaryOp::Mul, integer(place.expr.span, 2), place.expr.clone());
    let claimed = place.tree.claim_with(&place.tree.root);
    let doubled = place.tree.claim_with(&replaced(&place.tree.root, &place.path, doubled));
    let Some(ratios) = place.case().ratios(&claimed, &doubled) else { return Vec::new() };
    let mut factors = vec![Factor::named(&ratios, &place.quantities())];
    if !place.case().resized {
        factors.push(Factor::named(&ratios, &[]));
    }
    factors.dedup();
    let wrong = |factor: &Factor| !factor.is_sign() || factor.negative;
    factors.into_iter().flatten().filter(wrong).map(|factor| multiplied(place, &factor)).collect()
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
    let edit = Edit::new(with, if smaller.is_some() { 2 } else { 3 }, words);
    let edit = match smaller {
        Some((span, part)) => edit.at(span, Words::new().expr(&part).say(" belongs here")),
        None if factor.is_sign() => edit.at(at, Words::new().say("a minus is missing here")),
        None => {
            edit.at(at, Words::new().say("the factor ").expr(&factor.expr(at)).say(" is missing here"))
        }
    };
    if factor.is_sign() { edit } else { edit.sized() }
}

/// The place times a value of the program that is no scalar, entry by entry.
fn values(place: &Place<'_>) -> Vec<Edit> {
    if let Some(ranges) = place.case().ranges().filter(|_| place.is_root()) {
        return entries(place, &ranges);
    }
    let Some(dims) = &place.dims else { return Vec::new() };
    // A number where a claim should have axes: `2` for `2 * v`.
    let bare = place.is_root() && dims.is_empty() && !place.case().shaped;
    if number(place.expr).is_some() && !bare {
        return Vec::new();
    }
    let fits = |factor: &[Dim]| !factor.is_empty() && (bare || broadcasts(factor, dims));
    let known = place.known().filter(|known| fits(&known.dims));
    known.map(|known| times(place, &known.source)).collect()
}

/// The same for a claim entry by entry: `x[q]`, `W[n,j]`, `delta[i,p]`.
fn entries(place: &Place<'_>, ranges: &[(String, usize)]) -> Vec<Edit> {
    let at = place.expr.span;
    let index = |base: &Expr, indices: &[&str]| {
        let items = indices.iter().map(|index| IndexItem::At(name(at, index))).collect();
        Expr::new(at, ExprKind::Index { base: Box::new(base.clone()), items })
    };
    let mut factors = Vec::new();
    for (first, rows) in ranges {
        for known in place.known() {
            match known.dims.as_slice() {
                [dim] if dim.size() == *rows => factors.push(index(&known.source, &[first])),
                [dim, other] if dim.size() == *rows => {
                    let second = ranges.iter().filter(|(second, size)| second != first && *size == other.size());
                    factors.extend(second.map(|(second, _)| index(&known.source, &[first, second])));
                }
                _ => {}
            }
        }
    }
    for (number, (first, rows)) in ranges.iter().enumerate() {
        let second = ranges[number + 1..].iter().filter(|(_, size)| size == rows);
        factors.extend(second.map(|(second, _)| index(&name(at, "delta"), &[first, second])));
    }
    factors.iter().map(|factor| times(place, factor)).collect()
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
