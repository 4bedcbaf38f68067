//! A sum is missing, over the batch or over an axis along which a value was broadcast: `dL/db = dL/dZ` where
//! `sum(dL/dZ, axis=0)` belongs.

use pullback_lang::{Expr, ExprKind};

use super::Cause;
use super::transposed_factor::with_spec;
use super::wrong_axis::StatedAxes;
use crate::edit::{Edit, call, integer};
use crate::tree::Place;
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, ..Cause::named("missing-sum") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = whole_axes(place);
    if let ExprKind::Call { function, args, .. } = &place.expr.kind {
        match function.text.as_str() {
            "einsum" => edits.extend(respelled(place, args)),
            "sum" => edits.extend(more_axes(place)),
            _ => {}
        }
    }
    edits
}

/// `einsum("ij,ij->j", …)` for `einsum("ij,ij->ij", …)`.
fn respelled(place: &Place<'_>, args: &[Expr]) -> Vec<Edit> {
    let Some(ExprKind::Text(spec)) = args.first().map(|text| &text.kind) else { return Vec::new() };
    let Some((operands, result)) = spec.split_once("->") else { return Vec::new() };
    let letters = result.chars().filter(|letter| letter.is_alphabetic());
    let dropped = letters.map(|letter| {
        let with = with_spec(place.expr, format!("{operands}->{}", result.replace(letter, "")));
        let words =
            Words::new().say(format!("The sum over {letter} is missing: ")).expr(&with).say(" is meant.");
        Edit::new(with, 2, words)
    });
    dropped.collect()
}

/// `sum(X, axis=[0, 2, 3])` for `sum(X, axis=0)`.
fn more_axes(place: &Place<'_>) -> Vec<Edit> {
    /// More axes have too many sets.
    const MOST: usize = 5;
    let Some(stated) = StatedAxes::of(place).filter(|stated| stated.ndim <= MOST) else { return Vec::new() };
    let Some(own) = stated.axes.as_ref() else { return Vec::new() };
    let sets =
        (0..1usize << stated.ndim).map(|set| (0..stated.ndim).filter(|axis| set >> axis & 1 == 1).collect());
    let is_more = |set: &Vec<usize>| set.len() > own.len() && own.iter().all(|axis| set.contains(axis));
    let summed = sets.filter(is_more).map(|set| {
        let with = stated.with(place, &set);
        let words =
            Words::new().say("A sum is missing: ").expr(&with).say(" is over all the axes that are meant.");
        Edit::new(with, 2, words)
    });
    summed.collect()
}

fn whole_axes(place: &Place<'_>) -> Vec<Edit> {
    let Some(dims) = place.dims.as_ref().filter(|dims| !dims.is_empty()) else { return Vec::new() };
    // What is written down adds up to a number: that is a factor, and no sum.
    let is_sum = matches!(&place.expr.kind, ExprKind::Call { function, .. } if function.text == "sum");
    if is_sum || matches!(place.expr.kind, ExprKind::List(_)) {
        return Vec::new();
    }
    // At the root the shape betrays it; in a sum it is more often the term that is wrong.
    let cost = match (place.is_root(), place.is_term()) {
        (true, _) => 2,
        (false, true) => 4,
        (false, false) => 3,
    };
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
