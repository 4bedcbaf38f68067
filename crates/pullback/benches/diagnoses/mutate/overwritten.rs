//! `overwritten`: only one of several contributions, where they should add.

use pullback::lang::{BinaryOp, Expr, ExprKind, IndexItem};

use super::Slip;
use crate::scene::Site;
use crate::tree::{call, everywhere, integer, parts, row, terms};

const LABEL: &str = "overwritten";

/// One use of a value that is used several times; one record of a batch.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = Vec::new();
    let used_often = site.used_often() && site.claim().is_some_and(|claim| claim.of.ndim() == 0);
    let uses = terms(expr);
    if used_often && uses.len() > 1 && uses.iter().all(|(negative, _)| !negative) {
        let ends = uses.first().into_iter().chain(uses.last());
        all.extend(ends.map(|(_, term)| Slip::new(LABEL, term.clone())));
    }
    all.extend(everywhere(expr, &mut |part| one_record(site, part)));
    if site.by_entry() {
        all.extend(one_index(site, expr));
    }
    all
}

/// `X.T @ G` → `outer(X[-1], G[-1])`, `sum(G, axis=0)` → `G[-1]`.
fn one_record(site: &Site<'_>, part: &Expr) -> Vec<Slip> {
    let is_matrix = |expr: &Expr| site.shape(expr).is_some_and(|shape| shape.len() == 2);
    if let Some((BinaryOp::MatMul, left, right)) = parts(part) {
        let ExprKind::Transpose(x) = &left.kind else { return Vec::new() };
        if !is_matrix(x) || !is_matrix(right) {
            return Vec::new();
        }
        let one = |at: i64| Slip::new(LABEL, call("outer", vec![row(x, at), row(right, at)]));
        return vec![one(-1), one(0)];
    }
    match &part.kind {
        ExprKind::Call { function, args, kwargs } if function.text == "sum" => {
            let first_axis = kwargs
                .iter()
                .any(|(key, value)| matches!(key.text.as_str(), "axis" | "dim") && *value == integer(0));
            match args.as_slice() {
                [operand] if first_axis && kwargs.len() == 1 => {
                    vec![Slip::new(LABEL, row(operand, -1)), Slip::new(LABEL, row(operand, 0))]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// `X[i,m] * G[i,n]` → `X[-1,m] * G[-1,n]`: of a sum the last summand.
fn one_index(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let free = site.free_indices();
    let mut summed: Vec<String> = Vec::new();
    expr.walk(&mut |part| {
        if let ExprKind::Index { items, .. } = &part.kind {
            for item in items {
                if let IndexItem::At(Expr { kind: ExprKind::Name(name), .. }) = item
                    && !free.contains(name)
                    && !summed.contains(name)
                {
                    summed.push(name.clone());
                }
            }
        }
    });
    summed.iter().map(|index| Slip::new(LABEL, fixed(expr, index))).collect()
}

fn fixed(expr: &Expr, index: &str) -> Expr {
    let mut changed = expr.clone();
    if matches!(&changed.kind, ExprKind::Name(name) if name == index) {
        return integer(-1);
    }
    for child in changed.children_mut() {
        *child = fixed(child, index);
    }
    changed
}
