//! A local Jacobian is taken at another value: the pre-activation for the activation, the input for what was normalised,
//! another weight of the same shape.

use std::collections::HashSet;

use pullback_autograd::Function;
use pullback_network::Value as _;
use pullback_ops::{Factor, Val};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, with_term};
use crate::words::Words;

/// Values that a factor is computed from, and values that may stand in place of one.
const MOST_READ: usize = 4;
const MOST_OTHERS: usize = 12;

/// How far below a factor the values that it is computed from are looked for: a rule computes no more.
const DEEPEST: usize = 4;

pub(super) static MISTAKE: Mistake = Mistake { word: "stale-operand", slips };

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    let mut slips = Vec::new();
    for (at, used) in node.uses.iter().enumerate() {
        for (term, whole) in used.network.terms().iter().enumerate() {
            for (factor, payload) in whole.factors.iter().enumerate() {
                let Factor::Dense(payload, _) = payload else { continue };
                for read in read(payload) {
                    let others = others(node, trial, &read);
                    slips.extend(others.iter().filter_map(|(name, other)| {
                        let key = format!("{at}:stale {term} {factor} {} {name}", read.symbol());
                        let cost = match name.contains('/') {
                            true => 39,
                            false if related(&read, other) => 32,
                            false => 37,
                        };
                        let words = Words::new()
                            .source(name.clone())
                            .say(" stands where ")
                            .source(read.symbol())
                            .say(" belongs, in the backward pass of ")
                            .source(used.written())
                            .say(".");
                        stale(used, key, (term, factor), (&read, other), cost, words)
                    }));
                }
            }
        }
    }
    slips
}

/// The values of the program that a factor is computed from, itself where it is one.
fn read(payload: &Val) -> Vec<Val> {
    let mut found: Vec<Val> = Vec::new();
    let mut pending = vec![(payload.clone(), 0)];
    while let Some((value, depth)) = pending.pop() {
        let is_value = value.name().is_some() && value.as_number().is_none();
        if is_value && !found.iter().any(|known| known.id() == value.id()) {
            found.push(value);
        } else if depth < DEEPEST {
            pending.extend(value.inputs().iter().map(|input| (input.clone(), depth + 1)));
        }
        if found.len() == MOST_READ {
            break;
        }
    }
    found
}

/// The other values of the program of a value's shape, and then the gradients.
fn others(node: &Node, trial: &Trial<'_>, read: &Val) -> Vec<(String, Val)> {
    let values = trial.program().values.iter().map(|value| (&value.name, &value.val));
    let all = values.chain(node.gradients.iter().map(|(name, gradient)| (name, gradient)));
    let is_other =
        |val: &Val| val.shape() == read.shape() && val.id() != read.id() && val.dtype() == read.dtype();
    let mut others: Vec<(String, Val)> =
        all.filter(|(_, val)| is_other(val)).map(|(name, val)| (name.clone(), val.clone())).collect();
    // A cotangent that is given is a gradient too.
    let mut seen = HashSet::new();
    others.retain(|(name, _)| seen.insert(name.clone()));
    // Those that it is computed from, or that are computed from it, first: scalars would go on for long.
    others.sort_by_key(|(name, other)| (name.contains('/'), !related(read, other)));
    others.truncate(MOST_OTHERS);
    others
}

/// Is one of two values computed from the other directly: an activation and its pre-activation?
fn related(one: &Val, other: &Val) -> bool {
    let follows = |late: &Val, early: &Val| {
        let grand = late.inputs().iter().flat_map(|input| input.inputs());
        late.inputs().iter().chain(grand).any(|input| input.id() == early.id())
    };
    follows(one, other) || follows(other, one)
}

fn stale(
    used: &Use,
    key: String,
    (term, factor): (usize, usize),
    (read, other): (&Val, &Val),
    cost: u32,
    words: Words,
) -> Option<Slip> {
    let Factor::Dense(payload, _) = &used.network.terms()[term].factors[factor] else { return None };
    let function = Function::new(&[read], &[payload], &[]).ok()?;
    let array = function.call(&[other.array().ok()?.clone()]).ok()?.remove(0);
    if !array.all_finite() {
        return None;
    }
    let stale = Val::with_dims(array, payload.dims()).ok()?;
    let network = with_term(&used.network, term, |term| {
        if let Factor::Dense(value, _) = &mut term.factors[factor] {
            *value = stale.clone();
        }
    })?;
    Slip::instead(key, used, &used.share_by(&network)?, cost, words)
}
