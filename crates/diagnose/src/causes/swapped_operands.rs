//! Two operands are the wrong way round: `outer(x, dL/da)` where `outer(dL/da, x)` belongs.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use super::convolution::Convolution;
use crate::edit::{Edit, binary, number};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("swapped-operands") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    match &place.expr.kind {
        ExprKind::Binary { operator, left, right } => {
            let cost = match operator.kind {
                // `c - (a - b)` for `a - b - c` is more than one slip; a minus in front is one.
                BinaryOp::Sub if is_sum(left) => 4,
                BinaryOp::Sub => 2,
                BinaryOp::MatMul | BinaryOp::Div => 3,
                BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => 2,
                _ => return Vec::new(),
            };
            let with = binary(place.expr.span, operator.kind, (**right).clone(), (**left).clone());
            vec![Edit::new(with, cost, explained(left, right))]
        }
        ExprKind::Call { function, args, kwargs } => {
            let mut edits: Vec<Edit> = exchanged(place).into_iter().collect();
            // Of two values either may stand first, in a function of the file too; an axis or a shape is none.
            let [first, second] = args.as_slice() else { return edits };
            if [first, second]
                .iter()
                .any(|arg| place.dims_of(arg).is_none() || number(arg).is_some() || is_list(arg))
            {
                return edits;
            }
            let kind = ExprKind::Call {
                function: function.clone(),
                args: vec![second.clone(), first.clone()],
                kwargs: kwargs.clone(),
            };
            edits.push(Edit::new(Expr::new(place.expr.span, kind), 2, explained(first, second)));
            edits
        }
        _ => Vec::new(),
    }
}

/// A convolution's stride for its dilation, and the reverse.
fn exchanged(place: &Place<'_>) -> Option<Edit> {
    let with = Convolution::of(place.expr)?.exchanged()?;
    let words = Words::new().say("The stride and the dilation are exchanged: ").expr(&with).say(" is meant.");
    Some(Edit::new(with, 2, words))
}

fn is_sum(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Binary { operator, .. } if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub))
}

fn is_list(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::List(_))
}

fn explained(first: &Expr, second: &Expr) -> Words {
    let words = Words::new().expr(first).say(" and ").expr(second);
    words.say(" are the wrong way round: ").expr(second).say(" comes first.")
}
