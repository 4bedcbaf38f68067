//! `missing-term` and `extra-term`.

use pullback::lang::{BinaryOp, Expr};

use super::Slip;
use crate::scene::Site;
use crate::tree::{binary, decimal, everywhere, negated, number, parts, terms, times};

const MISSING: &str = "missing-term";
const EXTRA: &str = "extra-term";

/// A term left out anywhere, or one put in at the end.
pub fn slips(site: &Site<'_>, expr: &Expr) -> Vec<Slip> {
    // What one use contributes is a term, and the other uses' terms may have been overwritten.
    let words: &[&'static str] = if site.used_often() { &[MISSING, "overwritten"] } else { &[MISSING] };
    let mut all = everywhere(expr, &mut |part| {
        let Some((operator @ (BinaryOp::Add | BinaryOp::Sub), left, right)) = parts(part) else {
            return Vec::new();
        };
        // `N - 1` is a factor, whatever stands in it.
        if !site.has_values(part) {
            return vec![Slip::either(&[MISSING, "missing-factor", "extra-factor"], left.clone())];
        }
        // Without the 1 in the derivative of tanh or of the sigmoid it is the derivative of nothing.
        let formula = operator == BinaryOp::Sub && number(left) == Some(1.0);
        let first = if formula { [words, &["wrong-derivative"]].concat() } else { words.to_vec() };
        let mut all = vec![Slip::either(words, left.clone())];
        if terms(left).len() == 1 {
            let rest = if operator == BinaryOp::Sub { negated(right) } else { right.clone() };
            all.push(Slip::either(&first, rest));
        }
        all
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
