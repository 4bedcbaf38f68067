//! `vec-layout`: row-major for column-major, and the reverse.

use pullback::lang::{Expr, ExprKind, Layout, StatementKind};

use super::Slip;
use crate::scene::Site;
use crate::tree::{call, everywhere, integer, made, name, transposed};

const LABEL: &str = "vec-layout";

/// A `vec` or an `unvec` of the other kind; a whole Jacobian in the other layout.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = everywhere(expr, &mut |part| {
        let ExprKind::Call { function, args, kwargs } = &part.kind else { return Vec::new() };
        let stated = kwargs.iter().any(|(key, _)| key.text == "layout");
        let changed = match (function.text.as_str(), args.as_slice()) {
            ("vec", [x]) if !stated => Some(call("vec", vec![x.clone(), name("col")])),
            ("vec", [x, _]) => Some(call("vec", vec![x.clone()])),
            ("unvec", [v, sizes]) if !stated => {
                Some(call("unvec", vec![v.clone(), sizes.clone(), name("col")]))
            }
            ("unvec", [v, sizes, _]) => Some(call("unvec", vec![v.clone(), sizes.clone()])),
            ("reshape", [v, sizes]) => match &sizes.kind {
                ExprKind::List(two) if two.len() == 2 => {
                    let reversed = made(ExprKind::List(two.iter().rev().cloned().collect()));
                    Some(transposed(&call("reshape", vec![v.clone(), reversed])))
                }
                _ => None,
            },
            _ => None,
        };
        changed.into_iter().map(|expr| Slip::new(LABEL, expr)).collect()
    });
    all.extend(whole(site, expr));
    all
}

/// A Jacobian as a matrix, its rows and columns in the order of the other vec.
fn whole(site: &Site<'_>, expr: &Expr) -> Option<Slip> {
    let claim = site.claim().filter(|_| !site.by_entry())?;
    let [wrt] = claim.wrt.as_slice() else { return None };
    let (of, by) = (claim.of.shape(), wrt.shape());
    let [rows, columns] = site.shape(expr)?.try_into().ok()?;
    let (count_of, count_by): (usize, usize) = (of.iter().product(), by.iter().product());
    if (rows, columns) != (count_of, count_by) || (of.len() < 2 && by.len() < 2) {
        return None;
    }
    let StatementKind::Claim(stated) = &site.scene.source.file.statements[site.statement].kind else {
        return None;
    };
    // The axes as they are read, and what turns one layout into the other: each side reversed.
    let mut sizes = [of.clone(), by.clone()].concat();
    if stated.key.layout == Layout::Col {
        sizes[..of.len()].reverse();
        sizes[of.len()..].reverse();
    }
    let mut order: Vec<usize> = (0..of.len()).rev().collect();
    order.extend((of.len()..of.len() + by.len()).rev());
    let list =
        |items: &[usize]| made(ExprKind::List(items.iter().map(|&size| integer(size as i64)).collect()));
    let tensor = call("reshape", vec![expr.clone(), list(&sizes)]);
    let turned = call("permute", vec![tensor, list(&order)]);
    Some(Slip::new(LABEL, call("reshape", vec![turned, list(&[rows, columns])])))
}
