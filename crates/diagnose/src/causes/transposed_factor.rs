//! A factor is transposed that should not be, or is not and should be: `dL/dz @ W.T` where `dL/dz @ W` belongs.
//!
//! With square matrices the shapes fit either way, so that nothing but the numbers tells. Entry by entry it is the order of
//! two indices: `W[n,j]` for `W[j,n]`.

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Operator};
use pullback_network::Dim;

use super::Cause;
use crate::edit::{Edit, binary, call, integer, negated, number, transposed, untransposed};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("transposed-factor") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits: Vec<Edit> = symmetrised(place).into_iter().chain(flipped(place)).collect();
    match &place.expr.kind {
        ExprKind::Transpose(operand) if place.ndim() == 2 || place.case().indices.is_some() => {
            edits.push(Edit::new((**operand).clone(), 2, explained(place, place.expr, operand)));
        }
        ExprKind::Index { base, items } if place.case().indices.is_some() => {
            let is_delta = matches!(&base.kind, ExprKind::Name(name) if name == "delta");
            let exchanged = (1..items.len()).filter(|_| !is_delta).map(|at| {
                let mut items = items.clone();
                items.swap(at - 1, at);
                let with = Expr::new(place.expr.span, ExprKind::Index { base: base.clone(), items });
                let words = explained(place, place.expr, &with);
                Edit::new(with, 2, words)
            });
            edits.extend(exchanged);
        }
        ExprKind::Call { function, args, .. } if function.text == "einsum" => {
            edits.extend(respelled(place, args));
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
        ExprKind::Call { function, args, .. } if function.text == "permute" => {
            edits.extend(permuted(place, args));
        }
        _ if place.ndim() > 2 && place.case().indices.is_none() => {
            let with = matrices_transposed(place.expr, place.ndim());
            let words = explained(place, place.expr, &with);
            edits.push(Edit::new(with, if is_factor(place) { 2 } else { 3 }, words));
            if place.is_root() {
                // A Jacobian with its axes in another order.
                edits.extend(orders(place.ndim()).filter_map(|order| {
                    let (with, words) = in_order(place, place.expr, &order);
                    (!is_sorted(&order)).then(|| Edit::new(with, 4, words))
                }));
            }
        }
        _ => {}
    }
    edits
}

/// `conv(g, w[:, :, ::-1])` for `conv(g, w)`: on the way back a kernel is run through from its other end.
fn flipped(place: &Place<'_>) -> Option<Edit> {
    /// The axes of a kernel in front of those that a window has.
    const CHANNELS: usize = 2;
    let is_kernel = match place.parent {
        Some((Expr { kind: ExprKind::Call { function, .. }, .. }, 1)) => function.text.starts_with("conv"),
        _ => false,
    };
    if !is_kernel || place.ndim() <= CHANNELS {
        return None;
    }
    let at = place.expr.span;
    let slice = |step: Option<Expr>| IndexItem::Slice { start: None, stop: None, step: step.map(Box::new) };
    let reversed = || slice(Some(negated(&integer(at, 1))));
    let items: Vec<IndexItem> =
        (0..place.ndim()).map(|axis| if axis < CHANNELS { slice(None) } else { reversed() }).collect();
    let with = match &place.expr.kind {
        ExprKind::Index { base, items: flips } if *flips == items => (**base).clone(),
        _ => Expr::new(at, ExprKind::Index { base: Box::new(place.expr.clone()), items }),
    };
    let words = Words::new().say("The kernel runs the wrong way: ").expr(place.expr).say(" stands where ");
    Some(Edit::new(with.clone(), 2, words.expr(&with).say(" belongs.")))
}

/// `A + A.T` for `2 * A`, which is the same of a symmetric matrix: what a quadratic form has twice is not twice its matrix.
fn symmetrised(place: &Place<'_>) -> Option<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return None };
    // Of a claim that holds the matrix may be meant to be symmetric.
    if place.case().holds {
        return None;
    }
    let is_square = |dims: Vec<Dim>| matches!(dims.as_slice(), [n, m] if n.size() == m.size());
    if operator.kind != BinaryOp::Mul
        || number(left) != Some(2.0)
        || !place.dims_of(right).is_some_and(is_square)
    {
        return None;
    }
    let with = binary(place.expr.span, BinaryOp::Add, (**right).clone(), untransposed(right));
    let words = Words::new().expr(place.expr).say(" stands where ").expr(&with).say(" belongs: ");
    let words = words.expr(right).say(" would have to be symmetric for both to be the same.");
    Some(Edit::new(with, 2, words))
}

/// `permute(A, [0, 2, 1])` for `permute(A, [2, 0, 1])`, and `A`.
fn permuted(place: &Place<'_>, args: &[Expr]) -> Vec<Edit> {
    let Some(of) = args.first() else { return Vec::new() };
    let proposed = orders(place.ndim()).map(|order| match is_sorted(&order) {
        true => Edit::new(of.clone(), 2, explained(place, place.expr, of)),
        false => {
            let (with, words) = in_order(place, of, &order);
            Edit::new(with, 2, words)
        }
    });
    proposed.collect()
}

fn in_order(place: &Place<'_>, of: &Expr, order: &[usize]) -> (Expr, Words) {
    let at = place.expr.span;
    let list = Expr::new(at, ExprKind::List(order.iter().map(|&axis| integer(at, axis)).collect()));
    let with = call(at, "permute", vec![of.clone(), list], Vec::new());
    let words = Words::new().say("The axes are in the wrong order: ").expr(&with).say(" is meant.");
    (with, words)
}

/// More axes have too many orders.
const MOST_AXES: usize = 4;

/// All orders of so many axes.
fn orders(axes: usize) -> impl Iterator<Item = Vec<usize>> {
    let most = if axes <= MOST_AXES { axes.pow(axes as u32) } else { 0 };
    let digits =
        move |number: usize| (0..axes).map(|at| number / axes.pow(at as u32) % axes).collect::<Vec<_>>();
    (0..most).map(digits).filter(move |order| (0..axes).all(|axis| order.contains(&axis)))
}

fn is_sorted(order: &[usize]) -> bool {
    order.iter().copied().eq(0..order.len())
}

/// `einsum("im,jn->ijmn", …)` for `einsum("mi,jn->ijmn", …)`: two letters of one term exchanged.
fn respelled(place: &Place<'_>, args: &[Expr]) -> Vec<Edit> {
    let Some(ExprKind::Text(spec)) = args.first().map(|text| &text.kind) else { return Vec::new() };
    let letters: Vec<char> = spec.chars().collect();
    let both = |at: &usize| letters[*at].is_alphabetic() && letters[at + 1].is_alphabetic();
    let exchanged = (0..letters.len().saturating_sub(1)).filter(both).map(|at| {
        let mut letters = letters.clone();
        letters.swap(at, at + 1);
        let with = with_spec(place.expr, letters.into_iter().collect());
        let words = Words::new().say("Two indices are the wrong way round: ").expr(&with).say(" is meant.");
        Edit::new(with, 2, words)
    });
    exchanged.collect()
}

/// An einsum of the same operands with other indices.
pub(super) fn with_spec(einsum: &Expr, spec: String) -> Expr {
    let mut with = einsum.clone();
    if let Some(text) = with.children_mut().into_iter().next() {
        text.kind = ExprKind::Text(spec);
    }
    with
}

/// A batch of matrices with the last two axes exchanged: `permute(A, [0, 2, 1])` for `A`, and the reverse.
fn matrices_transposed(expr: &Expr, axes: usize) -> Expr {
    let mut order: Vec<usize> = (0..axes).collect();
    order.swap(axes - 2, axes - 1);
    let is_order = |list: &Expr| match &list.kind {
        ExprKind::List(items) => items.iter().map(number).eq(order.iter().map(|&axis| Some(axis as f64))),
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
    let list =
        Expr::new(expr.span, ExprKind::List(order.iter().map(|&axis| integer(expr.span, axis)).collect()));
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
