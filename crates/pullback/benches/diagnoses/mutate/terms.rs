//! `missing-term` and `extra-term`.

use pullback::lang::{BinaryOp, Expr};

use super::Slip;
use crate::scene::Site;
use crate::tree::{binary, decimal, everywhere, negated, parts, times};

const MISSING: &str = "missing-term";
const EXTRA: &str = "extra-term";

/// A term left out anywhere, or one put in at the end.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    let mut all = everywhere(expr, &mut |part| match parts(part) {
        Some((BinaryOp::Add, left, right)) => {
            vec![Slip::new(MISSING, left.clone()), Slip::new(MISSING, right.clone())]
        }
        Some((BinaryOp::Sub, left, right)) => {
            vec![Slip::new(MISSING, left.clone()), Slip::new(MISSING, negated(right))]
        }
        _ => Vec::new(),
    });
    if let Some(shape) = site.shape(expr).filter(|shape| !shape.is_empty()) {
        for value in site.alike(&shape) {
            all.push(Slip::new(EXTRA, binary(BinaryOp::Add, expr, &value)));
            all.push(Slip::new(EXTRA, binary(BinaryOp::Sub, expr, &value)));
            // A weight decay that is not in the loss.
            all.push(Slip::new(EXTRA, binary(BinaryOp::Add, expr, &times(&decimal(0.01), &value))));
        }
    }
    all
}
