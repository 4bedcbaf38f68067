//! `missing-factor` and `extra-factor`: numbers, signs, sizes, element-wise factors.

use pullback::lang::{BinaryOp, Expr, ExprKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{binary, everywhere, integer, name, negated, parts, times};

const MISSING: &str = "missing-factor";
const EXTRA: &str = "extra-factor";
/// A sign that is wrong is a −1 that is missing, or one too many.
const SIGN: [&str; 2] = [MISSING, EXTRA];

/// One factor left out, or one put in.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let shape = site.shape(expr);
    let mut all = everywhere(expr, &mut |part| dropped(site, part));
    // To leave something out that all the axes come from is another slip.
    all.retain(|slip| {
        if site.by_entry() {
            let free = site.free_indices();
            free.iter().all(|index| mentions(&slip.expr, index) || !mentions(expr, index))
        } else {
            shape.is_none() || site.shape(&slip.expr) == shape
        }
    });
    all.extend(everywhere(expr, &mut |part| put_in(site, part)));
    all.extend(too_much(site, expr));
    all
}

fn dropped(site: &Site<'_>, part: &Expr) -> Vec<Slip> {
    if let ExprKind::Negate(operand) = &part.kind {
        return vec![Slip::either(&SIGN, (**operand).clone())];
    }
    if let ExprKind::Name(own) = &part.kind {
        return other_sizes(site, own);
    }
    if let ExprKind::Call { function, .. } = &part.kind {
        // A mean is a sum and a factor.
        return match function.text.as_str() {
            "mean" => vec![Slip::new(MISSING, renamed(part, "sum"))],
            "sum" => vec![Slip::new(EXTRA, renamed(part, "mean"))],
            _ => Vec::new(),
        };
    }
    match parts(part) {
        // What is left has to have all the axes: nobody forgets the array and keeps the number.
        Some((BinaryOp::Mul, left, right)) => {
            let first = if is_chain(left) { None } else { Some(right) };
            let kept = first.into_iter().chain([left]).filter(|kept| site.shape(kept) == site.shape(part));
            kept.map(|kept| Slip::new(MISSING, kept.clone())).collect()
        }
        Some((BinaryOp::Div, left, right)) => {
            let mut all = vec![Slip::new(MISSING, left.clone())];
            if !matches!(left.kind, ExprKind::Number { .. })
                && !is_chain(left)
                && site.shape(right) == site.shape(part)
            {
                all.push(Slip::new(MISSING, binary(BinaryOp::Div, &integer(1), right)));
            }
            all
        }
        Some((BinaryOp::Add, left, right)) => {
            vec![Slip::either(&SIGN, binary(BinaryOp::Sub, left, right))]
        }
        Some((BinaryOp::Sub, left, right)) => {
            let negative = binary(BinaryOp::Sub, &negated(left), right);
            vec![Slip::either(&SIGN, binary(BinaryOp::Add, left, right)), Slip::either(&SIGN, negative)]
        }
        _ => Vec::new(),
    }
}

/// Several factors, of which one at a time is forgotten.
fn is_chain(expr: &Expr) -> bool {
    matches!(parts(expr), Some((BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul, ..)))
}

fn mentions(expr: &Expr, index: &str) -> bool {
    let mut found = false;
    expr.walk(&mut |part| found |= matches!(&part.kind, ExprKind::Name(name) if name == index));
    found
}

/// `/ N` → `/ M`: the size of another axis.
fn other_sizes(site: &Site<'_>, own: &str) -> Vec<Slip> {
    let dims = &site.scene.dims;
    if !dims.iter().any(|(dim, _)| dim == own) {
        return Vec::new();
    }
    let others = dims.iter().filter(|(dim, _)| dim != own);
    others.map(|(other, _)| Slip::either(&[MISSING, EXTRA, "stale-operand"], name(other))).collect()
}

fn renamed(part: &Expr, text: &str) -> Expr {
    let mut changed = part.clone();
    if let ExprKind::Call { function, .. } = &mut changed.kind {
        function.text = text.to_owned();
    }
    changed
}

/// A factor twice, or one term doubled.
fn put_in(site: &Site<'_>, part: &Expr) -> Vec<Slip> {
    match parts(part) {
        Some((BinaryOp::Mul, _, right)) if site.shape(part) == site.shape(right) => {
            vec![Slip::new(EXTRA, times(part, right))]
        }
        Some((operator @ (BinaryOp::Add | BinaryOp::Sub), left, right)) => {
            vec![Slip::new(EXTRA, binary(operator, left, &times(&integer(2), right)))]
        }
        _ => Vec::new(),
    }
}

/// The whole times something.
fn too_much(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = vec![
        Slip::new(EXTRA, times(&integer(2), expr)),
        Slip::new(EXTRA, binary(BinaryOp::Div, expr, &integer(2))),
        Slip::either(&SIGN, negated(expr)),
    ];
    for (dim, _) in &site.scene.dims {
        all.push(Slip::new(EXTRA, binary(BinaryOp::Div, expr, &name(dim))));
        all.push(Slip::new(EXTRA, times(expr, &name(dim))));
    }
    if let Some(shape) = site.shape(expr).filter(|shape| !shape.is_empty()) {
        all.extend(site.alike(&shape).iter().map(|value| Slip::new(EXTRA, times(expr, value))));
    }
    all
}
