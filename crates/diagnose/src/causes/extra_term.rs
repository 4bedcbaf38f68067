//! A term is there that does not belong there: `dL/dZ @ W.T + X` where `dL/dZ @ W.T` belongs.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use crate::edit::{Edit, negated, number, size};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("extra-term") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Binary { operator, left, right } = &place.expr.kind else { return Vec::new() };
    match operator.kind {
        BinaryOp::Add => {
            vec![dropped(place, right, (**left).clone()), dropped(place, left, (**right).clone())]
        }
        BinaryOp::Sub => vec![dropped(place, right, (**left).clone()), dropped(place, left, negated(right))],
        _ => Vec::new(),
    }
}

/// The sum without one term.
fn dropped(place: &Place<'_>, extra: &Expr, kept: Expr) -> Edit {
    let words = Words::new().say("The term ").expr(extra).say(" is one too many.");
    let label = Words::new().say("this term does not belong here");
    // The larger what is left out, the less likely it was a slip; less likely still where nothing but a number stays. From the right
    // expression to the wrong one it is a term that was forgotten, whatever its size.
    let only = if number(&kept).is_some() && number(extra).is_none() { 1 } else { 0 };
    let more = if place.case().backwards { 0 } else { (size(extra) / 4) as u32 };
    Edit::new(kept, 3 + only + more, words).at(extra.span, label)
}
