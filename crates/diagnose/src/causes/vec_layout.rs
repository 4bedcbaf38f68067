//! The numbers are right and stand in another order or shape: row-major vec for column-major, or an axis of length 1 too
//! many, which a comparison that broadcasts does not see.
//!
//! A claim that is right in the other layout may have the wrong word in brackets as well as the wrong right side: both are
//! told, where an expression of the right one is found.

use pullback_check::ClaimLayout;
use pullback_lang::{Expr, ExprKind, IndexItem};
use pullback_network::Dim;
use pullback_ops::Val;

use super::Cause;
use crate::Diagnosis;
use crate::case::{CLOSE, Case};
use crate::edit::{self, Edit, call, name};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, refine, ..Cause::named("vec-layout") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    if place.case().indices.is_some() {
        return edits;
    }
    edits.extend(other_order(place));
    edits.extend(reordered(place));
    if !place.case().shaped {
        edits.extend(without_new_axis(place));
        edits.extend(reshaped(place));
    }
    edits
}

/// Says of a claim that is right in the other layout that it is.
fn refine(case: &Case<'_>, expr: &Expr, found: &mut Vec<Diagnosis>) {
    // A gradient has the shape of what it is taken by, in every layout.
    if case.claim.of.ndim() == 0 {
        return;
    }
    let (other, word) = match case.own().layout() {
        ClaimLayout::Column => (ClaimLayout::Row, "row"),
        ClaimLayout::Row | ClaimLayout::Either => (ClaimLayout::Column, "col"),
    };
    let is_other = case.trials.iter().all(|trial| {
        let fits = || {
            let claimed = trial.numbers(expr).filter(|claimed| claimed.ndim() == 2)?;
            Some(claimed.is_near(&trial.truth.in_shape(claimed.shape(), other)?, CLOSE))
        };
        fits().unwrap_or(false)
    });
    if !is_other {
        return;
    }
    let [x] = case.claim.wrt_names.as_slice() else { return };
    let left = format!("d{}/d{x} [{word}]", case.claim.of_name);
    let fixed = found.pop().filter(|found| found.cause == CAUSE.word && found.fix.is_some());
    let says = Words::new().say("These are the right numbers in ").say(match other {
        ClaimLayout::Column => "column-major vec",
        _ => "row-major vec",
    });
    let says = says.say(": write ").source(&left);
    found.clear();
    found.push(match fixed {
        Some(fixed) => {
            let explanation = says.say(" on the left, or correct the right side. ").then(fixed.explanation);
            Diagnosis { explanation, ..fixed }
        }
        None => Diagnosis {
            cause: CAUSE.word,
            explanation: says.say(" on the left, and the claim holds."),
            span: expr.span,
            label: Words::new().say("this is ").source(left),
            partner: None,
            fix: None,
        },
    });
}

/// Column-major for row-major, or the reverse.
fn other_order(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Call { function, args, kwargs } = &place.expr.kind else { return None };
    let at = place.expr.span;
    let column = || name(at, "col");
    let words = |order: &str| {
        Words::new().say(format!("The entries stand in the wrong order: they belong in {order}-major vec."))
    };
    match (function.text.as_str(), args.as_slice()) {
        // For Jacobians of products: Wᵀ ⊗ I in one layout is I ⊗ Wᵀ in the other.
        ("kron", [first, second]) if is_matrix_of_jacobian(place) => {
            let with = call(at, "kron", vec![second.clone(), first.clone()], Vec::new());
            let explanation = Words::new()
                .say("This is the Jacobian with its entries lined up in the other order, by columns where rows are meant or the reverse: the operands of ")
                .source("kron")
                .say(" change places.");
            Some(Edit::new(with, 1, explanation))
        }
        ("vec", [of]) if kwargs.is_empty() => {
            Some(Edit::new(call(at, "vec", vec![of.clone(), column()], Vec::new()), 2, words("column")))
        }
        ("vec", [of, _]) => Some(Edit::new(call(at, "vec", vec![of.clone()], Vec::new()), 2, words("row"))),
        ("reshape" | "unvec", [of, shape]) if kwargs.is_empty() => {
            let args = vec![of.clone(), shape.clone(), column()];
            Some(Edit::new(call(at, "unvec", args, Vec::new()), 3, words("column")))
        }
        ("unvec", [of, shape, _]) => {
            let args = vec![of.clone(), shape.clone()];
            Some(Edit::new(call(at, "unvec", args, Vec::new()), 2, words("row")))
        }
        _ => None,
    }
}

/// `J` for `reshape(permute(reshape(J, …), …), …)`, and `reshape(v, [m, n])` for `reshape(v, [n, m]).T`: the entries read in
/// another order.
fn reordered(place: &Place<'_>) -> Option<Edit> {
    let words = || Words::new().say("The entries are put in another order, and stood in the right one.");
    if let ExprKind::Transpose(of) = &place.expr.kind
        && let ExprKind::Call { function, args, .. } = &of.kind
        && let [v, Expr { kind: ExprKind::List(sizes), span }] = args.as_slice()
        && function.text == "reshape"
        && sizes.len() == 2
    {
        let sizes = Expr::new(*span, ExprKind::List(sizes.iter().rev().cloned().collect()));
        let with = call(place.expr.span, "reshape", vec![v.clone(), sizes], Vec::new());
        return Some(Edit::new(with, 2, words()));
    }
    let mut inner = place.expr;
    let mut permutes = false;
    while let ExprKind::Call { function, args, .. } = &inner.kind
        && matches!(function.text.as_str(), "reshape" | "permute")
    {
        permutes |= function.text == "permute";
        inner = args.first()?;
    }
    let (before, after) = (place.dims_of(inner)?, place.dims.as_deref()?);
    let same = before.len() == after.len() && before.iter().zip(after).all(|(a, b)| a.size() == b.size());
    (permutes && same).then(|| Edit::new(inner.clone(), 2, words()))
}

fn is_matrix_of_jacobian(place: &Place<'_>) -> bool {
    let claim = place.case().claim;
    place.ndim() == 2
        && claim.of.ndim() > 0
        && claim.of.ndim() + claim.wrt.iter().map(Val::ndim).sum::<usize>() > 2
}

/// `x[None]` for `x`, or `reshape(x, [1, n])`.
fn without_new_axis(place: &Place<'_>) -> Option<Edit> {
    let extra = || {
        Words::new().say(
            "There is an axis of length 1 too many. A comparison that broadcasts calls the two equal; \
             the shapes are not.",
        )
    };
    match &place.expr.kind {
        ExprKind::Index { base, items } => {
            let kept: Vec<IndexItem> =
                items.iter().filter(|item| !matches!(item, IndexItem::NewAxis)).cloned().collect();
            if kept.len() == items.len() {
                return None;
            }
            let whole = kept.iter().all(|item| {
                matches!(item, IndexItem::Slice { start: None, stop: None, step: None } | IndexItem::Ellipsis)
            });
            let with = match whole {
                true => (**base).clone(),
                false => Expr::new(place.expr.span, ExprKind::Index { base: base.clone(), items: kept }),
            };
            Some(Edit::new(with, 2, extra()))
        }
        ExprKind::Call { function, args, .. } if function.text == "reshape" => {
            let [of, Expr { kind: ExprKind::List(sizes), .. }] = args.as_slice() else { return None };
            let is_one = |size: &Expr| matches!(size.kind, ExprKind::Number { value: 1.0, .. });
            sizes.iter().any(is_one).then(|| Edit::new(of.clone(), 2, extra()))
        }
        _ => None,
    }
}

/// The whole claim in the shape of the derivative.
fn reshaped(place: &Place<'_>) -> Option<Edit> {
    let claimed = place.dims.as_ref().filter(|_| place.is_root() && place.tree.definition.is_none())?;
    let claim = place.case().claim;
    let shape: Vec<Dim> =
        claim.of.dims().iter().chain(claim.wrt.iter().flat_map(|x| x.dims())).copied().collect();
    let count = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).product::<usize>();
    if count(claimed) != count(&shape) {
        return None;
    }
    let at = place.expr.span;
    let with = call(at, "reshape", vec![place.expr.clone(), edit::shape(at, &shape)], Vec::new());
    let words = Words::new()
        .say("The numbers are right, and their shape is not: it is ")
        .shape(claimed)
        .say(", and a derivative has the axes of what it belongs to, ")
        .shape(&shape)
        .say(".");
    Some(Edit::new(with, 2, words))
}
