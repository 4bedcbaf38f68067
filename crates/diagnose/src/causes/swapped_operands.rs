//! Two operands are the wrong way round: `outer(x, dL/da)` where `outer(dL/da, x)` belongs.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::{Cause, not_whole};
use crate::edit::{Edit, binary};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { word: "swapped-operands", edits, whole: not_whole };

/// Functions of two values of which either may stand first.
const TWO: [&str; 5] = ["outer", "kron", "solve", "sub", "div"];

fn edits(place: &Place<'_>) -> Vec<Edit> {
    match &place.expr.kind {
        ExprKind::Binary { operator, left, right } => {
            let cost = match operator.kind {
                BinaryOp::Sub => 2,
                BinaryOp::MatMul | BinaryOp::Div => 3,
                _ => return Vec::new(),
            };
            let with = binary(place.expr.span, operator.kind, (**right).clone(), (**left).clone());
            vec![Edit::new(with, cost, explained(left, right))]
        }
        ExprKind::Call { function, args, kwargs } if TWO.contains(&function.text.as_str()) => {
            let [first, second] = args.as_slice() else { return Vec::new() };
            let kind = ExprKind::Call {
                function: function.clone(),
                args: vec![second.clone(), first.clone()],
                kwargs: kwargs.clone(),
            };
            vec![Edit::new(Expr::new(place.expr.span, kind), 2, explained(first, second))]
        }
        _ => Vec::new(),
    }
}

fn explained(first: &Expr, second: &Expr) -> Words {
    let words = Words::new().expr(first).say(" and ").expr(second);
    words.say(" are the wrong way round: ").expr(second).say(" comes first.")
}
