//! A term is missing: one of a local Jacobian (the −a aᵀ of a softmax), or a whole path, because a value was taken for a
//! constant (the variance of a normalisation), or one use of a value among several.

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Change, Node, Slip, Use, rule, size, with_terms};
use crate::words::Words;
use pullback_autograd::pullback;
use pullback_network::{Letters, Value as _, written_sum};
use pullback_ops::{Network, Val};

pub(super) static MISTAKE: Mistake = Mistake { word: "missing-term", slips };

/// Statistics of which pairs are held.
const MOST_STATISTICS: usize = 6;

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    let mut slips = Vec::new();
    for (at, used) in node.uses.iter().enumerate() {
        let terms = used.network.terms().len();
        slips.extend((0..terms).filter(|_| terms > 1).filter_map(|term| without(used, at, term)));
    }
    slips.extend(held(node));
    slips.extend(all_held(node, trial));
    if node.uses.len() > 2 {
        slips.extend(node.uses.iter().enumerate().filter_map(|(at, used)| unused(node, used, at)));
    }
    slips
}

/// One term of a local Jacobian left out.
fn without(used: &Use, at: usize, term: usize) -> Option<Slip> {
    let network = with_terms(&used.network, |at, kept| (at != term).then_some(kept))?;
    let words = Words::new()
        .say("In the backward pass of ")
        .source(used.written())
        .say(" the term ")
        .source(written(&used.network, term))
        .say(" is missing: ")
        .source(rule(used))
        .say(".");
    Slip::instead(format!("{at}:without {term}"), used, &used.share_by(&network)?, 20, words)
}

/// The value taken for a constant: nothing flows back through it.
fn held(node: &Node) -> Option<Slip> {
    if node.is_end {
        return None;
    }
    let cotangent = node.cotangent.array().ok()?.to_vec_f64();
    let change = Change::By(cotangent.iter().map(|entry| -entry).collect());
    let named = node.value.name().is_some();
    // What is forgotten is a statistic more often than a layer.
    let is_statistic = is_statistic(&node.value);
    let cost = match (named, is_statistic) {
        (true, true) => 28,
        (false, true) => 32,
        (true, false) => 34,
        (false, false) => 38,
    };
    let words = Words::new()
        .say("The path through ")
        .source(node.value.symbol())
        .say(" is missing: ")
        .source(node.value.expression())
        .say(" is treated as a constant, and it changes with what is differentiated by.");
    Some(Slip { key: "held".to_owned(), change, cost, words })
}

/// Two statistics taken for constants, or all: a mean and a variance.
fn all_held(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    let claim = trial.claim();
    if !node.is_end || claim.of.ndim() > 0 {
        return Vec::new();
    }
    let values = trial.program().values.iter().filter(|value| {
        let between = value.val.order() > node.value.order() && value.val.order() < claim.of.order();
        between
            && value.val.name().is_some_and(|name| name.as_str() == value.name)
            && is_statistic(&value.val)
    });
    let statistics: Vec<&Val> = values.map(|value| &value.val).take(MOST_STATISTICS).collect();
    let mut sets: Vec<Vec<&Val>> = Vec::new();
    for (at, &one) in statistics.iter().enumerate() {
        sets.extend(statistics[at + 1..].iter().map(|&other| vec![one, other]));
    }
    if statistics.len() > 2 {
        sets.push(statistics);
    }
    let held = |set: Vec<&Val>| {
        let walls: Vec<&Val> = claim.fixed.iter().chain(set.iter().copied()).collect();
        let gradient = pullback(&[(&claim.of, &claim.of.one())], &[&node.value], &walls).ok()?.remove(0)?;
        let (is, right) = (gradient.array().ok()?.to_vec_f64(), node.cotangent.array().ok()?.to_vec_f64());
        let change = Change::By(is.iter().zip(&right).map(|(is, right)| is - right).collect());
        let names: Vec<String> = set.iter().map(|value| value.symbol()).collect();
        let words = Words::new()
            .say("The paths through ")
            .source(names.join(", "))
            .say(" are missing: they are treated as constants, and change with what is differentiated by.");
        Some(Slip { key: format!("held {}", names.join(" ")), change, cost: 33, words })
    };
    sets.into_iter().filter_map(held).collect()
}

/// Is a value one number for many, or made of such ones alone: a mean, a norm, a maximum?
fn is_statistic(val: &Val) -> bool {
    let mut at = val.clone();
    loop {
        let operands: Vec<Val> =
            at.inputs().iter().filter(|input| input.as_number().is_none()).cloned().collect();
        match operands.as_slice() {
            [] => return false,
            [one] if size(one.dims()) > size(at.dims()) => return true,
            [one] => at = one.clone(),
            // A dot product.
            _ => return at.ndim() == 0 && operands.iter().all(|operand| operand.ndim() > 0),
        }
    }
}

/// One use of several left out.
fn unused(node: &Node, used: &Use, at: usize) -> Option<Slip> {
    let share = vec![0.0; size(node.value.dims())];
    let words = Words::new()
        .source(node.value.symbol())
        .say(format!(
            " is used {} times, and the gradients of all uses add up: that of its use in ",
            node.uses.len()
        ))
        .source(used.written())
        .say(" is missing.");
    Slip::instead(format!("{at}:unused"), used, &share, 38, words)
}

/// A term in index notation: `− a_i a_m`.
fn written(network: &Network, term: usize) -> String {
    let slots = Letters::of_axes(network.outputs().len(), network.inputs().len());
    let mut letters = Letters::new();
    written_sum([network.terms()[term].written(&slots, &mut letters)])
}
