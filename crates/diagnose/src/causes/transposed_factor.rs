//! A factor is transposed that should not be, or is not and should be: `dL/dz @ W.T` where `dL/dz @ W` belongs.
//!
//! With square matrices the shapes fit either way, so that nothing but the numbers tells. Entry by entry it is the order of
//! two indices: `W[n,j]` for `W[j,n]`.

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Operator};

use super::Cause;
use crate::edit::{Edit, binary, call, integer, number, transposed, untransposed};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("transposed-factor") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    match &place.expr.kind {
        ExprKind::Transpose(operand) if place.ndim() == 2 || place.case().indices.is_some() => {
            edits.push(Edit::new((**operand).clone(), 2, explained(place, place.expr, operand)));
        }
        ExprKind::Index { base, items } if place.case().indices.is_some() => {
            if let (ExprKind::Name(name), [first @ IndexItem::At(_), second @ IndexItem::At(_)]) =
                (&base.kind, items.as_slice())
                && name != "delta"
            {
                let items = vec![second.clone(), first.clone()];
                let with = Expr::new(place.expr.span, ExprKind::Index { base: base.clone(), items });
                let words = explained(place, place.expr, &with);
                edits.push(Edit::new(with, 2, words));
            }
        }
        _ if place.ndim() == 2 => {
            let with = match &place.expr.kind {
                // (A B)ᵀ is Bᵀ Aᵀ.
                ExprKind::Binary { operator, left, right }
                    if operator.kind == BinaryOp::MatMul
                        && [left, right].iter().all(|side| place.axes_of(side) == 2) =>
                {
                    binary(place.expr.span, BinaryOp::MatMul, untransposed(right), untransposed(left))
                }
                _ => transposed(place.expr),
            };
            let words = explained(place, place.expr, &with);
            edits.push(Edit::new(with, if is_factor(place) { 2 } else { 4 }, words));
        }
        _ if place.ndim() > 2 && is_factor(place) => {
            let with = matrices_transposed(place.expr, place.ndim());
            let words = explained(place, place.expr, &with);
            edits.push(Edit::new(with, 2, words));
        }
        _ => {}
    }
    edits
}

/// A batch of matrices with the last two axes exchanged: `permute(A, [0, 2, 1])` for `A`, and the reverse.
fn matrices_transposed(expr: &Expr, axes: usize) -> Expr {
    let mut order: Vec<usize> = (0..axes).collect();
    order.swap(axes - 2, axes - 1);
    let is_order = |list: &Expr| match &list.kind {
        ExprKind::List(items) => {
            items.iter().map(number).eq(order.iter().map(|&axis| Some(axis as f64)))
        }
        _ => false,
    };
    match &expr.kind {
        ExprKind::Call { function, args, kwargs } if function.text == "permute" && kwargs.is_empty() => {
            match args.as_slice() {
                [matrices, list] if is_order(list) => return matrices.clone(),
                _ => {}
            }
        }
        _ => {}
    }
    let list = Expr::new(expr.span, ExprKind::List(order.iter().map(|&axis| integer(expr.span, axis)).collect()));
    call(expr.span, "permute", vec![expr.clone(), list], Vec::new())
}

/// Is it an operand of a product, or an argument, and no product itself?
fn is_factor(place: &Place<'_>) -> bool {
    let of_product = match place.parent.map(|(parent, _)| &parent.kind) {
        Some(ExprKind::Binary { operator, .. }) => is_product(operator),
        Some(ExprKind::Call { .. }) => true,
        _ => false,
    };
    let is_atom = !matches!(place.expr.kind, ExprKind::Binary { .. } | ExprKind::Negate(_));
    of_product && is_atom
}

fn is_product(operator: &Operator) -> bool {
    matches!(operator.kind, BinaryOp::MatMul | BinaryOp::Mul)
}

fn explained(place: &Place<'_>, wrong: &Expr, right: &Expr) -> Words {
    let words = Words::new().expr(wrong).say(" stands where ").expr(right).say(" belongs.");
    match place.dims.as_deref() {
        // Sizes that have two names are two sizes that happen to be equal.
        Some(dims @ [.., rows, columns]) if rows.size() == columns.size() => {
            words.say(" It is square, ").shape(dims).say(", so that the shapes fit either way.")
        }
        _ => words,
    }
}
