//! A sum is missing, over the batch or over an axis along which a value was broadcast: `dL/db = dL/dZ` where
//! `sum(dL/dZ, axis=0)` belongs.

use pullback_lang::{Expr, ExprKind};

use super::Cause;
use crate::edit::{Edit, call, integer};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-sum") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let Some(dims) = place.dims.as_ref().filter(|dims| !dims.is_empty()) else { return Vec::new() };
    if matches!(&place.expr.kind, ExprKind::Call { function, .. } if function.text == "sum") {
        return Vec::new();
    }
    // At the root the shape betrays it.
    let cost = if place.is_root() { 2 } else { 3 };
    let at = place.expr.span;
    let keywords = |axis: usize, kept: bool| {
        let mut keywords = vec![("axis", integer(at, axis))];
        if kept {
            keywords.push(("keepdims", Expr::new(at, ExprKind::Bool(true))));
        }
        keywords
    };
    let sum = |kwargs| call(at, "sum", vec![place.expr.clone()], kwargs);
    let mut edits = vec![Edit::new(sum(Vec::new()), cost, words(place, "all axes"))];
    if dims.len() > 1 {
        for (axis, dim) in dims.iter().enumerate() {
            let name = dim.name().map_or_else(String::new, |name| format!(" ({name})"));
            let over = format!("axis {axis}{name}");
            edits.push(Edit::new(sum(keywords(axis, false)), cost, words(place, &over)));
            if !place.is_root() {
                edits.push(Edit::new(sum(keywords(axis, true)), cost, words(place, &over)));
            }
        }
    }
    edits
}

fn words(place: &Place<'_>, over: &str) -> Words {
    let words = Words::new().say(format!("The sum over {over} is missing: what ")).expr(place.expr);
    words.say(" contributes along it adds up.")
}
