//! A factor, a divisor or a sign is there that does not belong there: `2 * dL/dv * g` where `dL/dv * g` belongs.

use pullback_lang::{BinaryOp, Expr, ExprKind};

use super::Cause;
use super::convolution::{Convolution, KEYWORDS};
use crate::edit::{Edit, number, renamed, size};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("extra-factor") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    match &place.expr.kind {
        ExprKind::Negate(operand) => {
            let words = Words::new().say("The sign is wrong: there is a minus too many.");
            let label = Words::new().say("no minus belongs here");
            vec![Edit::new((**operand).clone(), 1, words).at(place.expr.span, label)]
        }
        ExprKind::Binary { operator, left, right } => match operator.kind {
            BinaryOp::Mul => vec![dropped(place, right, left, 2), dropped(place, left, right, 2)],
            BinaryOp::MatMul => vec![dropped(place, right, left, 4), dropped(place, left, right, 4)],
            // Of a factor `1 / N` nothing is kept: that is proposed for the whole product.
            BinaryOp::Div if number(left) == Some(1.0) && place.is_factor() => Vec::new(),
            BinaryOp::Div => vec![dropped(place, right, left, 2)],
            BinaryOp::Pow if number(right) == Some(2.0) => {
                let words = Words::new().expr(place.expr).say(" stands where ").expr(left);
                vec![Edit::new((**left).clone(), 3, words.say(" belongs: a factor too many."))]
            }
            _ => Vec::new(),
        },
        ExprKind::Call { function, .. } if function.text == "mean" => {
            let words = Words::new().say(
                "A mean stands where a sum belongs: dividing by the number of the terms is a factor too many.",
            );
            let label = Words::new().source("sum").say(" belongs here");
            let edit = |sum| Edit::new(sum, 1, words).at(function.span, label).sized();
            renamed(place.expr, "mean", "sum").map(edit).into_iter().collect()
        }
        _ => undilated(place),
    }
}

/// A convolution at a distance of 1 for one that reads further apart.
fn undilated(place: &Place<'_>) -> Vec<Edit> {
    let Some(convolution) = Convolution::of(place.expr) else { return Vec::new() };
    let further = |keyword: &&str| convolution.distance(keyword).is_some_and(|distance| distance > 1);
    let edits = KEYWORDS.into_iter().filter(|keyword| further(keyword)).map(|keyword| {
        let with = convolution.with(keyword, 1);
        let words =
            Words::new().say(format!("The {keyword} is one too many: ")).expr(&with).say(" is meant.");
        let label = Words::new().say(format!("the {keyword} does not belong here"));
        Edit::new(with, 2, words).at(place.expr.span, label)
    });
    edits.collect()
}

/// The place with one operand left out.
fn dropped(place: &Place<'_>, extra: &Expr, kept: &Expr, cost: u32) -> Edit {
    let divides =
        matches!(&place.expr.kind, ExprKind::Binary { operator, .. } if operator.kind == BinaryOp::Div);
    let what = if divides { "divisor" } else { "factor" };
    let words = Words::new().say(format!("The {what} ")).expr(extra).say(" is one too many.");
    let label = Words::new().say(format!("this {what} does not belong here"));
    // The larger what is left out, the less likely it was a slip, unless it stands there twice,
    // or it is sought what was forgotten.
    let twice = match &kept.kind {
        ExprKind::Binary { operator, right, .. } if operator.kind == BinaryOp::Mul => **right == *extra,
        _ => kept == extra,
    };
    // A number is one thing, however it is written: `1 / (B * 3 * 3)`.
    let is_one = twice || place.tree.is_number(extra) || place.case().backwards;
    let more = if is_one { 0 } else { (size(extra) / 3) as u32 };
    let edit = Edit::new(kept.clone(), cost + more, words).at(extra.span, label);
    if place.tree.is_number(extra) || place.dims_of(extra).is_some_and(|dims| dims.is_empty()) {
        edit.sized()
    } else {
        edit
    }
}
