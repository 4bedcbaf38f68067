//! A value stands in the place of another one of the same shape: the pre-activation for the activation, `x` for `h`, another
//! weight, an earlier gradient.

use pullback_lang::{Expr, ExprKind, IndexItem, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Origin, Val};

use super::{Cause, steps};
use crate::case::Known;
use crate::edit::{Edit, part, replaced, size};
use crate::tree::{Place, substituted_parts};
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, in_masks: true, ..Cause::named("stale-operand") };

fn edits(place: &Place<'_>) -> Vec<Edit> {
    match place.case().indices {
        Some(_) => indexed(place),
        None if place.case().own().is_in_loop() => in_loop(place),
        None => {
            let mut edits = in_place(place);
            edits.extend(for_size(place));
            if place.is_root() {
                edits.extend(throughout(place));
                edits.extend(steps::edits(place));
            }
            edits
        }
    }
}

/// Another value for one that is named, where the claim would then be right.
fn in_place(place: &Place<'_>) -> Vec<Edit> {
    let (Some(sought), Some(trial)) = (place.tree.sought(), place.tree.trial()) else { return Vec::new() };
    let Some(dims) = place.dims.as_deref().filter(|_| !place.tree.is_number(place.expr)) else {
        return Vec::new();
    };
    let named = is_named(place.expr);
    if !named && (place.is_root() || place.case().open) {
        return Vec::new();
    }
    // Under a root or a power it is the whole root or power that is looked at.
    let Some(above) = sought.around(&place.path).filter(|above| named || above.len() == place.path.len())
    else {
        return Vec::new();
    };
    let (Some(wanted), Some(whole)) = (sought.at(above), part(&place.tree.root, above)) else {
        return Vec::new();
    };
    let mut edits = Vec::new();
    // What is made of a value is no other value in its place, but where it was forgotten to apply a function.
    let is_applied = |known: &Expr| {
        place.case().backwards
            && matches!(&place.expr.kind, ExprKind::Call { args, .. } if args.first() == Some(known))
    };
    let contains = |whole: &Expr, part: &Expr| {
        let mut contains = false;
        whole.walk(&mut |inner| contains |= inner == part);
        contains && !is_applied(part)
    };
    for known in alike(place, place.expr, dims).filter(|known| !contains(place.expr, &known.source)) {
        let fits = || {
            let changed = replaced(whole, &place.path[above.len()..], known.source.clone());
            let numbers = trial.numbers(&place.tree.in_context(&changed));
            numbers.is_some_and(|numbers| numbers.shape() == wanted.shape && wanted.is(&numbers.to_vec_f64()))
        };
        // Nor is it one under another name.
        let is_part = || {
            let value = |expr: &Expr| trial.numbers(&place.tree.in_context(expr));
            let own = value(&known.source).map(|own| own.to_vec_f64());
            let is_own = |part: &Expr| value(part).map(|value| value.to_vec_f64()) == own;
            let mut is_part = false;
            place.expr.walk(&mut |part| is_part |= is_named(part) && is_own(part));
            is_part
        };
        if (place.case().open || fits()) && (named || is_applied(&known.source) || !is_part()) {
            // What is computed and has no name is less likely a slip for what has one; and where a factor is all that a term
            // lacks, it is a matter of the factor: `2 * dL/dv`, where `dL/dv` is `2 * v`. A definition that only claims use may be
            // wrong itself.
            let cost = if named || is_applied(&known.source) { 2 } else { 3 + (size(place.expr) / 3) as u32 };
            let is_other = is_factor(place) && !dims.is_empty() || place.tree.is_aside(place.expr);
            let cost = if is_other { cost + 2 } else { cost };
            edits.push(Edit::new(known.source.clone(), cost, explained(place, place.expr, &known.source)));
        }
    }
    edits
}

/// In the body of a loop: another value for one that is named, and the row of another step.
fn in_loop(place: &Place<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    if let Some(dims) =
        place.dims.as_deref().filter(|_| is_named(place.expr) && !place.tree.is_number(place.expr))
    {
        edits
            .extend(alike(place, place.expr, dims).map(|known| {
                Edit::new(known.source.clone(), 2, explained(place, place.expr, &known.source))
            }));
    }
    if let ExprKind::Index { base, items } = &place.expr.kind {
        let steps = place.case().own().steps_read();
        for (at, item) in items.iter().enumerate() {
            let IndexItem::At(own) = item else { continue };
            let others = steps.iter().filter(|other| *other != own && steps.contains(own));
            edits.extend(others.map(|other| {
                let mut items = items.clone();
                items[at] = IndexItem::At(other.clone());
                let with = Expr::new(place.expr.span, ExprKind::Index { base: base.clone(), items });
                let words = Words::new().expr(place.expr).say(" stands where ").expr(&with);
                Edit::new(with, 2, words.say(" belongs: it is the row of another step."))
            }));
        }
    }
    edits
}

/// A scalar of the program for a size: `m / n` for `m / c`, where c counts what m keeps of the n.
fn for_size(place: &Place<'_>) -> Vec<Edit> {
    let is_size = matches!(place.expr.kind, ExprKind::Name(_)) && place.tree.is_number(place.expr);
    let scalars = place.known().filter(|known| is_size && known.dims.is_empty());
    let edits = scalars.map(|known| {
        let words = Words::new().say("The size ").expr(place.expr).say(" stands where ").expr(&known.source);
        Edit::new(known.source.clone(), 3, words.say(" belongs."))
    });
    edits.collect()
}

/// Is all that the claim lacks one number, one size or one scalar, in one of its terms?
fn is_factor(place: &Place<'_>) -> bool {
    let missing = place.tree.sought().and_then(|sought| sought.multiple(place.tree));
    missing.is_some_and(|ratio| place.names().is_single(ratio))
}

/// Another value for one that is named several times, in all places.
fn throughout(place: &Place<'_>) -> Vec<Edit> {
    let Some(trial) = place.tree.trial() else { return Vec::new() };
    let cost = if is_factor(place) { 4 } else { 2 };
    let mut named: Vec<(&Expr, usize)> = Vec::new();
    place.expr.walk(&mut |part| {
        if is_named(part) {
            match named.iter_mut().find(|(known, _)| *known == part) {
                Some((_, times)) => *times += 1,
                None => named.push((part, 1)),
            }
        }
    });
    let mut edits = Vec::new();
    for (wrong, _) in named.iter().filter(|(_, times)| *times > 1) {
        let Some(dims) = place.dims_of(wrong).filter(|dims| !dims.is_empty()) else { continue };
        for known in alike(place, wrong, &dims) {
            let with = substituted_parts(place.expr, &[wrong], &known.source);
            if place.case().spend() && trial.fits(&place.tree.claim_with(&with)) {
                let at = wrong.span;
                let label = Words::new().expr(&known.source).say(" belongs here, and wherever it stands");
                edits.push(Edit::new(with, cost, explained(place, wrong, &known.source)).at(at, label));
            }
        }
    }
    edits
}

/// The same in index notation: another value under the same indices.
fn indexed(place: &Place<'_>) -> Vec<Edit> {
    let within = matches!(place.parent, Some((Expr { kind: ExprKind::Call { .. }, .. }, _)));
    if is_named(place.expr) && within {
        // The whole value, in a function whose result is indexed.
        let own = place.known().find(|known| known.source == *place.expr);
        let alike = own.into_iter().flat_map(|own| alike(place, place.expr, &own.dims));
        let others = alike
            .map(|other| Edit::new(other.source.clone(), 2, explained(place, place.expr, &other.source)));
        return others.collect();
    }
    let ExprKind::Index { base, items } = &place.expr.kind else { return Vec::new() };
    let Some(dims) = place.known().find(|known| known.source == **base).map(|known| &known.dims) else {
        return Vec::new();
    };
    let candidates = alike(place, base, dims).map(|known| {
        let kind = ExprKind::Index { base: Box::new(known.source.clone()), items: items.clone() };
        Edit::new(Expr::new(place.expr.span, kind), 2, explained(place, base, &known.source))
    });
    candidates.collect()
}

fn is_named(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Name(_) | ExprKind::ClaimRef { .. })
}

/// The other values of the same shape.
fn alike<'p>(place: &'p Place<'_>, wrong: &'p Expr, dims: &'p [Dim]) -> impl Iterator<Item = &'p Known> {
    let same =
        |a: &[Dim], b: &[Dim]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.size() == b.size());
    place.known().filter(move |known| known.source != *wrong && same(&known.dims, dims))
}

fn explained(place: &Place<'_>, wrong: &Expr, right: &Expr) -> Words {
    let words = Words::new().expr(wrong).say(" stands where ").expr(right).say(" belongs");
    let value = |expr: &Expr| place.case().own().part(&place.tree.in_context(expr));
    let (Some(before), Some(after)) = (value(wrong), value(right)) else { return words.say(".") };
    // The operation by which one becomes the other.
    let between = |from: &Val, to: &Val| match to.origin() {
        Origin::Call(op, inputs) if inputs.iter().any(|input| input.id() == from.id()) => Some(op.name()),
        _ => None,
    };
    if let Some(op) = between(&before, &after) {
        return words.say(format!(": the value before {op} is taken for the one after it."));
    }
    if let Some(op) = between(&after, &before) {
        return words.say(format!(": the value after {op} is taken for the one before it."));
    }
    match (&wrong.kind, &right.kind) {
        (ExprKind::ClaimRef { wrt: one, .. }, ExprKind::ClaimRef { wrt: other, .. }) => {
            let name = |names: &[pullback_lang::Name]| {
                names.first().map_or_else(|| print(wrong), |name| name.text.clone())
            };
            words
                .say(": the gradient by ")
                .source(name(one))
                .say(" is taken for the one by ")
                .source(name(other))
                .say(".")
        }
        _ => words.say(": they have the same shape, and are not the same."),
    }
}
