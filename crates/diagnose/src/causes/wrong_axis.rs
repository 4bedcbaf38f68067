//! The wrong axes: a sum over another axis than is meant, or a shape: "∂Z/∂b is M × N" where it is N × M × M.

use pullback_lang::program::Claimed;
use pullback_lang::{Expr, ExprKind, IndexItem};
use pullback_network::Dim;
use pullback_ops::find;

use super::Cause;
use super::transposed_factor::with_spec;
use crate::edit::{self, Edit, call, integer, number};
use crate::inquiry::Inquiry;
use crate::tree::Place;
use crate::words::Words;
use crate::{Diagnosis, Fix};

pub(super) static CAUSE: Cause = Cause { edits, whole, ..Cause::named("wrong-axis") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = summed(place);
    match &place.expr.kind {
        ExprKind::Call { function, .. } if function.text == "einsum" => edits.extend(respelled(place)),
        ExprKind::Call { .. } => edits.extend(other_axes(place)),
        ExprKind::Index { base, items } => edits.extend(other_broadcast(place, base, items)),
        _ => {}
    }
    edits
}

/// Any function along other axes, the rest as it is written: `softmax(Z, axis=1)` for `softmax(Z, axis=0)`, and one axis more, one
/// less or another one of several: `mean(g, axis=[0, 2, 3])` for `mean(g, axis=[2, 3])`.
fn other_axes(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Call { function, .. } = &place.expr.kind else { return Vec::new() };
    let Some(stated) = StatedAxes::of(place) else { return Vec::new() };
    let sets: Vec<Vec<usize>> = match stated.axes.as_deref() {
        // What takes one axis may not take several: those are not evaluated then.
        Some([one]) => {
            let others = (0..stated.ndim).filter(|other| other != one).map(|other| vec![other]);
            others.chain(neighbours(&[*one], stated.ndim)).collect()
        }
        Some(several) => neighbours(several, stated.ndim),
        None => (0..stated.ndim).map(|axis| vec![axis]).collect(),
    };
    let mut seen: Vec<Vec<usize>> = Vec::new();
    let mut edits = Vec::new();
    for set in sets {
        // A sum over more axes is one that was forgotten, which is another mistake.
        let is_more = |own: &[usize]| function.text == "sum" && own.iter().all(|axis| set.contains(axis));
        if seen.contains(&set) || stated.axes.as_deref().is_some_and(is_more) {
            continue;
        }
        let with = stated.with(place, &set);
        let words = Words::new().say(format!("The {} is over the wrong axes: ", function.text));
        edits.push(Edit::new(with.clone(), 2, words.expr(&with).say(" is meant.")));
        seen.push(set);
    }
    edits
}

/// The sets of axes that differ from one in one axis: one more, one less, or another one in the place of one.
fn neighbours(axes: &[usize], ndim: usize) -> Vec<Vec<usize>> {
    let outside = || (0..ndim).filter(|axis| !axes.contains(axis));
    let with = |more: Option<usize>, less: Option<usize>| {
        let kept = axes.iter().copied().filter(|axis| Some(*axis) != less);
        let mut set: Vec<usize> = kept.chain(more).collect();
        set.sort_unstable();
        set
    };
    let more = outside().map(|axis| with(Some(axis), None));
    let less = axes.iter().map(|&axis| with(None, Some(axis)));
    let another = axes.iter().flat_map(|&less| outside().map(move |more| (more, less)));
    let another = another.map(|(more, less)| with(Some(more), Some(less)));
    more.chain(less).chain(another).filter(|set| !set.is_empty()).collect()
}

/// The axes that a call states, and where.
pub(super) struct StatedAxes {
    /// None where they are no numbers.
    pub axes: Option<Vec<usize>>,
    /// How many there are.
    pub ndim: usize,
    at: Argument,
}

/// Which argument of a call it is.
enum Argument {
    Positional,
    Keyword(usize),
}

impl StatedAxes {
    /// Those of a call, where its first argument has several axes and it states over which it goes.
    pub(super) fn of(place: &Place<'_>) -> Option<StatedAxes> {
        let ExprKind::Call { function, args, kwargs } = &place.expr.kind else { return None };
        let ndim = args.first().map(|operand| place.axes_of(operand)).filter(|&axes| axes > 1)?;
        let named = kwargs.iter().position(|(keyword, _)| matches!(keyword.text.as_str(), "axis" | "dim"));
        let takes_axis = find(&function.text).is_some_and(|operation| operation.place_of("axis") == Some(1));
        let (at, stated) = match (named, args.as_slice()) {
            (Some(named), _) => (Argument::Keyword(named), &kwargs[named].1),
            (None, [_, axis]) if takes_axis => (Argument::Positional, axis),
            _ => return None,
        };
        let axis = |expr: &Expr| {
            let axis = number(expr)?.rem_euclid(ndim as f64);
            (axis.fract() == 0.0).then_some(axis as usize)
        };
        let axes = match &stated.kind {
            ExprKind::List(axes) => axes.iter().map(axis).collect(),
            _ => axis(stated).map(|axis| vec![axis]),
        };
        Some(StatedAxes { axes, ndim, at })
    }

    /// The call over other axes.
    pub(super) fn with(&self, place: &Place<'_>, axes: &[usize]) -> Expr {
        let at = place.expr.span;
        let mut with = place.expr.clone();
        let list = || axes.iter().map(|&axis| integer(at, axis)).collect();
        let stated = match axes {
            [one] => integer(at, *one),
            _ => Expr::new(at, ExprKind::List(list())),
        };
        if let ExprKind::Call { args, kwargs, .. } = &mut with.kind {
            match self.at {
                Argument::Positional => args[1] = stated,
                Argument::Keyword(named) => kwargs[named].1 = stated,
            }
        }
        with
    }
}

/// `v[:, None]` for `v[None, :]`.
fn other_broadcast(place: &Place<'_>, base: &Expr, items: &[IndexItem]) -> Option<Edit> {
    let whole = |item: &IndexItem| matches!(item, IndexItem::Slice { start: None, stop: None, step: None });
    let [first, second] = items else { return None };
    let spreads = [first, second].into_iter().any(|item| matches!(item, IndexItem::NewAxis));
    if !spreads || ![first, second].into_iter().any(whole) {
        return None;
    }
    let kind = ExprKind::Index { base: Box::new(base.clone()), items: vec![second.clone(), first.clone()] };
    let with = Expr::new(place.expr.span, kind);
    let words =
        Words::new().expr(base).say(" is spread along the wrong axis: ").expr(&with).say(" is meant.");
    Some(Edit::new(with, 2, words))
}

/// `einsum("ij,ij->j", …)` for `einsum("ij,ij->i", …)`.
fn respelled(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Call { args, .. } = &place.expr.kind else { return Vec::new() };
    let Some(ExprKind::Text(spec)) = args.first().map(|text| &text.kind) else { return Vec::new() };
    let Some((operands, result)) = spec.split_once("->") else { return Vec::new() };
    let mut letters: Vec<char> = operands.chars().filter(|c| c.is_alphabetic()).collect();
    letters.sort_unstable();
    letters.dedup();
    let mut edits = Vec::new();
    for own in result.chars().filter(|c| c.is_alphabetic()) {
        for other in letters.iter().filter(|other| !result.contains(**other)) {
            let with =
                with_spec(place.expr, format!("{operands}->{}", result.replace(own, &other.to_string())));
            let words = Words::new().say("Another index is summed than is meant: ").expr(&with).say(" is.");
            edits.push(Edit::new(with, 2, words));
        }
    }
    edits
}

/// `sum(x, axis=1)` for `sum(x, axis=0)`; with the axis kept, where it is no whole claim. And `x`, where
/// nothing is to be summed.
fn summed(place: &Place<'_>) -> Vec<Edit> {
    let ExprKind::Call { function, args, .. } = &place.expr.kind else { return Vec::new() };
    let Some(summed) = args.first().filter(|_| matches!(function.text.as_str(), "sum" | "mean")) else {
        return Vec::new();
    };
    let (at, dims) = (place.expr.span, place.dims_of(summed).unwrap_or_default());
    let mut edits = Vec::new();
    if function.text == "sum" && !dims.is_empty() {
        let words = Words::new().say("Nothing is to be summed here: ").expr(summed).say(" keeps its axes.");
        edits.push(Edit::new(summed.clone(), 3, words));
    }
    for axis in 0..dims.len() {
        for kept in [false, true] {
            if kept && place.is_root() {
                continue;
            }
            let mut keywords = vec![("axis", integer(at, axis))];
            if kept {
                keywords.push(("keepdims", Expr::new(at, ExprKind::Bool(true))));
            }
            let with = call(at, &function.text, vec![summed.clone()], keywords);
            let words = Words::new().say(format!("The {function} is over the wrong axes: "));
            edits.push(Edit::new(with.clone(), 2, words.expr(&with).say(" is meant.")));
        }
    }
    edits
}

fn whole(inquiry: &Inquiry<'_>, number: usize) -> Option<Diagnosis> {
    let claim = &inquiry.exact.claims[number];
    let Claimed::Shape(_) = &claim.claimed else { return None };
    let at = claim.expr_span;
    let (last, before) = claim.wrt.split_last()?;
    let last = last.dims();
    let first: Vec<Dim> =
        claim.of.dims().iter().chain(before.iter().flat_map(|x| x.dims())).copied().collect();
    let shape: Vec<Dim> = first.iter().chain(last).copied().collect();
    let expr = edit::shape(at, &shape);
    let words = Words::new();
    let explanation = if first.is_empty() {
        words.say("The gradient of a scalar has the shape of what it is taken by, ").shape(last).say(".")
    } else {
        words
            .say("A derivative has the axes of what is differentiated first, ")
            .shape(&first)
            .say(", and then those of what it is differentiated by, ")
            .shape(last)
            .say(".")
    };
    let label = Words::new().expr(&expr).say(" belongs here");
    let fix = Some(Fix { definition: None, expr, residual: None });
    Some(Diagnosis { cause: CAUSE.word, explanation, span: at, label, partner: None, fix })
}
