//! A product entry by entry where a matrix product or an outer product belongs: `g * R` where `diag(g) @ R` belongs.
//!
//! Broadcasting and square matrices let it pass.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use crate::edit::{Edit, binary, call, transposed};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("elementwise-for-product") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits: Vec<Edit> = on_diagonal(place).into_iter().collect();
    if let ExprKind::Binary { operator, left, right } = &place.expr.kind
        && operator.kind == BinaryOp::Mul
        && place.case().indices.is_none()
    {
        edits.extend(products(place, left, right));
    }
    edits
}

/// `a - outer(a, a)` for `diag(a) - outer(a, a)`: broadcasting takes the vector for a matrix of equal rows.
fn on_diagonal(place: &Place<'_>) -> Option<Edit> {
    if place.ndim() != 1 || !place.is_term() {
        return None;
    }
    let with = call(place.expr.span, "diag", vec![place.expr.clone()], Vec::new());
    let words = Words::new().expr(place.expr).say(" acts entry by entry, and as a matrix it is ").expr(&with);
    Some(Edit::new(with, 3, words.say(".")))
}

fn products(place: &Place<'_>, left: &Expr, right: &Expr) -> Vec<Edit> {
    let (Some(a), Some(b)) = (place.dims_of(left), place.dims_of(right)) else { return Vec::new() };
    let at = place.expr.span;
    let product = |a: Expr, b: Expr| (binary(at, BinaryOp::MatMul, a, b), "a matrix product");
    let two = |function: &str, a: &Expr, b: &Expr| call(at, function, vec![a.clone(), b.clone()], Vec::new());
    let candidates: Vec<(u32, (Expr, &'static str))> = match (a.len(), b.len()) {
        (0, _) | (_, 0) => Vec::new(),
        (1, 1) => vec![
            (2, (two("outer", left, right), "an outer product")),
            (3, (two("outer", right, left), "an outer product")),
            // A sum that is missing is the simpler reading.
            (5, (binary(at, BinaryOp::MatMul, left.clone(), right.clone()), "a dot product")),
        ],
        (1, 2) => vec![
            (2, product(left.clone(), right.clone())),
            (3, product(right.clone(), left.clone())),
            (3, product(call(at, "diag", vec![left.clone()], Vec::new()), right.clone())),
        ],
        (2, 1) => vec![
            (2, product(left.clone(), right.clone())),
            (3, product(right.clone(), left.clone())),
            (3, product(call(at, "diag", vec![right.clone()], Vec::new()), left.clone())),
        ],
        _ => vec![
            (2, product(left.clone(), right.clone())),
            (3, product(right.clone(), left.clone())),
            (3, product(left.clone(), transposed(right))),
            (3, product(transposed(left), right.clone())),
        ],
    };
    candidates.into_iter().map(|(cost, (with, what))| Edit::new(with, cost, words(what))).collect()
}

fn words(what: &'static str) -> Words {
    Words::new().say(format!("A product entry by entry stands where {what} belongs."))
}
