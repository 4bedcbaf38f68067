//! `transposed-factor`: a transpose too many or too few, two indices exchanged.

use pullback::lang::{Expr, ExprKind, IndexItem};

use super::Slip;
use crate::scene::Site;
use crate::tree::{call, everywhere, integer, made, transposed};

const LABEL: &str = "transposed-factor";

/// A transpose put on or taken off anywhere, the entries of a permutation or two letters of an einsum exchanged.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    everywhere(expr, &mut |part| {
        let changed = match &part.kind {
            ExprKind::Transpose(operand) => vec![(**operand).clone()],
            ExprKind::Index { base, items } if items.iter().all(is_letter) => exchanged_indices(base, items),
            ExprKind::Call { function, args, .. } if function.text == "permute" => permuted(part, args),
            ExprKind::Call { function, args, .. } if function.text == "einsum" => respelled(part, args),
            _ => match site.shape(part).map(|shape| shape.len()) {
                Some(2) if !site.by_entry() => vec![transposed(part)],
                Some(axes @ 3..) if !site.by_entry() => {
                    let mut order: Vec<i64> = (0..axes as i64).collect();
                    order.swap(axes - 1, axes - 2);
                    let list = made(ExprKind::List(order.into_iter().map(integer).collect()));
                    vec![call("permute", vec![part.clone(), list])]
                }
                _ => Vec::new(),
            },
        };
        changed.into_iter().map(|expr| Slip::new(LABEL, expr)).collect()
    })
}

fn is_letter(item: &IndexItem) -> bool {
    matches!(item, IndexItem::At(at) if matches!(at.kind, ExprKind::Name(_)))
}

/// `W[n,j]` → `W[j,n]`.
fn exchanged_indices(base: &Expr, items: &[IndexItem]) -> Vec<Expr> {
    if matches!(&base.kind, ExprKind::Name(name) if name == "delta") {
        return Vec::new();
    }
    let one = |at: usize| {
        let mut items = items.to_vec();
        items.swap(at, at + 1);
        made(ExprKind::Index { base: Box::new(base.clone()), items })
    };
    (0..items.len().saturating_sub(1)).map(one).collect()
}

/// `permute(X, [0, 2, 1])` → `permute(X, [2, 0, 1])`, and no permutation at all.
fn permuted(part: &Expr, args: &[Expr]) -> Vec<Expr> {
    let mut all: Vec<Expr> = args.first().cloned().into_iter().collect();
    if let Some(ExprKind::List(order)) = args.get(1).map(|list| &list.kind) {
        for at in 0..order.len().saturating_sub(1) {
            let mut order = order.clone();
            order.swap(at, at + 1);
            let mut changed = part.clone();
            *changed.children_mut().swap_remove(1) = made(ExprKind::List(order));
            all.push(changed);
        }
    }
    all
}

/// `einsum("im,jn->ijmn", …)` → `einsum("mi,jn->ijmn", …)`: one term with two letters exchanged.
fn respelled(part: &Expr, args: &[Expr]) -> Vec<Expr> {
    let Some(ExprKind::Text(spec)) = args.first().map(|text| &text.kind) else { return Vec::new() };
    let letters: Vec<char> = spec.chars().collect();
    let both = |at: &usize| letters[*at].is_alphabetic() && letters[at + 1].is_alphabetic();
    let one = |at: usize| {
        let mut letters = letters.clone();
        letters.swap(at, at + 1);
        let mut changed = part.clone();
        *changed.children_mut().swap_remove(0) = made(ExprKind::Text(letters.into_iter().collect()));
        changed
    };
    (0..letters.len().saturating_sub(1)).filter(both).map(one).collect()
}
