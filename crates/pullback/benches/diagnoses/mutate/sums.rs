//! `missing-sum` and `wrong-axis`: a sum left out, or over another axis.

use pullback::lang::{BinaryOp, Expr, ExprKind, IndexItem};

use super::Slip;
use crate::scene::Site;
use crate::tree::{everywhere, integer, made, number, parts, times, whole_axis};

const MISSING: &str = "missing-sum";
const AXIS: &str = "wrong-axis";

/// Sums that are not taken, and those over another axis.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    everywhere(expr, &mut |part| match &part.kind {
        ExprKind::Call { function, args, .. } => match function.text.as_str() {
            "sum" => {
                let mut all: Vec<Slip> =
                    args.first().map(|x| Slip::new(MISSING, x.clone())).into_iter().collect();
                all.extend(other_axes(site, part, args));
                all.extend(fewer_axes(part));
                all
            }
            "mean" | "max" | "softmax" | "logsumexp" | "tie_share" => other_axes(site, part, args),
            "dot" => match args.as_slice() {
                [a, b] => vec![Slip::either(&[MISSING, "elementwise-for-product"], times(a, b))],
                _ => Vec::new(),
            },
            "einsum" => respelled(part, args),
            _ => Vec::new(),
        },
        ExprKind::Index { base, items } => other_broadcast(base, items),
        _ => match parts(part) {
            Some((BinaryOp::MatMul, left, right)) => products(site, left, right),
            _ => Vec::new(),
        },
    })
}

/// The keyword `axis` of a call, and which argument it is.
fn axis(part: &Expr) -> Option<(usize, &Expr)> {
    let ExprKind::Call { args, kwargs, .. } = &part.kind else { return None };
    let named = kwargs.iter().position(|(keyword, _)| matches!(keyword.text.as_str(), "axis" | "dim"));
    match named {
        Some(at) => Some((args.len() + at, &kwargs[at].1)),
        None => args.get(1).map(|axis| (1, axis)),
    }
}

fn with_axis(part: &Expr, at: usize, axis: Expr) -> Expr {
    let mut changed = part.clone();
    *changed.children_mut().swap_remove(at) = axis;
    changed
}

/// `sum(X, axis=0)` → `sum(X, axis=1)`.
fn other_axes(site: &Site<'_>, part: &Expr, args: &[Expr]) -> Vec<Slip> {
    let Some(axes) = args.first().and_then(|operand| site.shape(operand)).map(|shape| shape.len()) else {
        return Vec::new();
    };
    let axes = axes as i64;
    match axis(part) {
        Some((at, stated)) => {
            let Some(own) = axis_number(stated) else { return Vec::new() };
            let others = (0..axes).filter(|&other| other != own.rem_euclid(axes.max(1)));
            others.map(|other| Slip::new(AXIS, with_axis(part, at, integer(other)))).collect()
        }
        // Softmax alone means one axis where none is stated: the last.
        None => match &part.kind {
            ExprKind::Call { function, args, .. } if function.text == "softmax" => {
                let one = |other: i64| {
                    let args = [args.clone(), vec![integer(other)]].concat();
                    let (function, kwargs) = (function.clone(), Vec::new());
                    Slip::new(AXIS, made(ExprKind::Call { function, args, kwargs }))
                };
                (0..axes - 1).map(one).collect()
            }
            _ => Vec::new(),
        },
    }
}

fn axis_number(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Negate(operand) => number(operand).map(|value| -(value as i64)),
        _ => number(expr).map(|value| value as i64),
    }
}

/// `sum(X, axis=[0, 2])` → `sum(X, axis=0)`.
fn fewer_axes(part: &Expr) -> Vec<Slip> {
    match axis(part) {
        Some((at, list)) => match &list.kind {
            ExprKind::List(axes) if axes.len() > 1 => {
                axes.iter().map(|one| Slip::new(MISSING, with_axis(part, at, one.clone()))).collect()
            }
            _ => Vec::new(),
        },
        None => Vec::new(),
    }
}

/// `einsum("ij,ij->j", …)` → `"ij,ij->ij"` and `"ij,ij->i"`.
fn respelled(part: &Expr, args: &[Expr]) -> Vec<Slip> {
    let Some(ExprKind::Text(spec)) = args.first().map(|text| &text.kind) else { return Vec::new() };
    let Some((left, right)) = spec.split_once("->") else { return Vec::new() };
    let mut summed: Vec<char> = left.chars().filter(|c| c.is_alphabetic() && !right.contains(*c)).collect();
    summed.dedup();
    let written = |right: String| {
        let text = made(ExprKind::Text(format!("{left}->{right}")));
        with_axis(part, 0, text)
    };
    let mut all = Vec::new();
    for letter in summed {
        all.push(Slip::new(MISSING, written(format!("{letter}{right}"))));
        // Of a Jacobian's many axes nobody takes one for another.
        for own in right.chars().filter(|_| right.chars().count() <= 2) {
            all.push(Slip::new(AXIS, written(right.replace(own, &letter.to_string()))));
        }
    }
    all
}

/// `v[:, None]` → `v[None, :]`: spread along the other axis.
fn other_broadcast(base: &Expr, items: &[IndexItem]) -> Vec<Slip> {
    let spreads = items.contains(&IndexItem::NewAxis) && items.contains(&whole_axis());
    if !spreads || items.len() != 2 {
        return Vec::new();
    }
    let items = vec![items[1].clone(), items[0].clone()];
    vec![Slip::new(AXIS, made(ExprKind::Index { base: Box::new(base.clone()), items }))]
}

/// A matrix product that sums over the batch, record by record: `X.T @ G` → `X[:, :, None] * G[:, None, :]`.
fn products(site: &Site<'_>, left: &Expr, right: &Expr) -> Vec<Slip> {
    let ExprKind::Transpose(x) = &left.kind else { return Vec::new() };
    if site.shape(x).is_none_or(|shape| shape.len() != 2) || site.shape(right).is_none_or(|s| s.len() != 2) {
        return Vec::new();
    }
    let spread =
        |base: &Expr, items: Vec<IndexItem>| made(ExprKind::Index { base: Box::new(base.clone()), items });
    let first = spread(x, vec![whole_axis(), whole_axis(), IndexItem::NewAxis]);
    let second = spread(right, vec![whole_axis(), IndexItem::NewAxis, whole_axis()]);
    vec![Slip::new(MISSING, times(&first, &second))]
}
