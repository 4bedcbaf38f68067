//! Slips that no word describes: a diagnosis of them can only be honest, or be right by another way.

use pullback::lang::{BinaryOp, Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{binary, call, decimal, everywhere, negated, parts, times};

const LABEL: &str = "unknown";

/// A function that does not belong there, brackets elsewhere, an odd number, two values mixed.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = everywhere(expr, &mut |part| {
        let mut changed = brackets(part);
        changed.extend(odd_numbers(part));
        changed.extend(functions(site, part));
        changed.extend(mixed(site, part));
        changed.into_iter().map(|expr| Slip::new(LABEL, expr)).collect()
    });
    if let Some(shape) = site.shape(expr).filter(|shape| !shape.is_empty()) {
        for pair in site.alike(&shape).windows(2) {
            let product = times(&pair[0], &pair[1]);
            all.push(Slip::new(LABEL, product.clone()));
            all.push(Slip::new(LABEL, binary(BinaryOp::Add, expr, &times(&decimal(0.31), &product))));
        }
        all.push(Slip::new(LABEL, binary(BinaryOp::Add, expr, &decimal(0.37))));
    }
    all
}

/// `a * (b - c)` → `a * b - c`, `(a - b) / n` → `a - b / n`, `(a + b) @ c` → `a + b @ c`.
fn brackets(part: &Expr) -> Vec<Expr> {
    let Some((outer @ (BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul), left, right)) = parts(part) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if let Some((inner @ (BinaryOp::Add | BinaryOp::Sub), a, b)) = parts(left) {
        all.push(binary(inner, a, &binary(outer, b, right)));
    }
    if let Some((inner @ (BinaryOp::Add | BinaryOp::Sub), b, c)) = parts(right)
        && outer != BinaryOp::Div
    {
        all.push(binary(inner, &binary(outer, left, b), c));
    }
    // (−a)² for −a² and the like.
    if let ExprKind::Negate(a) = &left.kind
        && let Some((BinaryOp::Pow, base, exponent)) = parts(a)
    {
        all.push(binary(outer, &binary(BinaryOp::Pow, &negated(base), exponent), right));
    }
    all
}

/// One term, or one factor, times a number that means nothing.
fn odd_numbers(part: &Expr) -> Vec<Expr> {
    match parts(part) {
        Some((operator @ (BinaryOp::Add | BinaryOp::Sub), left, right)) => {
            vec![binary(operator, left, &times(&decimal(0.7313), right))]
        }
        _ => Vec::new(),
    }
}

/// `x` → `sin(x)`.
fn functions(site: &Site<'_>, part: &Expr) -> Vec<Expr> {
    let is_value =
        matches!(part.kind, ExprKind::Name(_) | ExprKind::ClaimRef { .. } | ExprKind::Index { .. });
    let is_big = site.shape(part).is_some_and(|shape| !shape.is_empty());
    if !is_value || !is_big {
        return Vec::new();
    }
    let of = |function: &str, x: Expr| call(function, vec![x]);
    vec![of("sin", part.clone()), of("exp", part.clone()), of("sqrt", of("abs", part.clone()))]
}

/// `x` → `x + 0.5 * y` with a `y` that has no business there.
fn mixed(site: &Site<'_>, part: &Expr) -> Vec<Expr> {
    if !matches!(part.kind, ExprKind::Name(_) | ExprKind::ClaimRef { .. }) {
        return Vec::new();
    }
    let Some(shape) = site.shape(part).filter(|shape| !shape.is_empty()) else { return Vec::new() };
    let others = site.alike(&shape).into_iter().filter(|other| other != part);
    others.map(|other| binary(BinaryOp::Add, part, &times(&decimal(0.57), &other))).collect()
}
