//! What values of a graph depend on, and the part of it that lies between two of them.

use std::collections::{BTreeMap, HashSet};

use pullback_network::Value;
use pullback_ops::Val;

/// The values and all they depend on, each once, in forward order: a value comes after those it is computed from.
pub fn ancestors(values: &[&Val]) -> Vec<Val> {
    let mut seen = HashSet::new();
    let mut pending: Vec<Val> = values.iter().map(|&value| value.clone()).collect();
    let mut all = Vec::new();
    while let Some(value) = pending.pop() {
        if seen.insert(value.id()) {
            pending.extend(value.inputs().iter().cloned());
            all.push(value);
        }
    }
    all.sort_by_key(|value| value.id());
    all
}

/// The values on paths from any of `from` to any of `to`, both included, in the order of the graph: a value comes after
/// all it depends on. Paths end at `fixed` values. What cannot be differentiated (integers) is on no path.
pub fn between(to: &[&Val], from: &[&Val], fixed: &[&Val]) -> Vec<Val> {
    walk(to, from, fixed, |value| value.dtype().is_float())
}

/// Like [`between`], with what cannot be differentiated too: all that is another where `from` is.
pub(crate) fn depending(to: &[&Val], from: &[&Val], fixed: &[&Val]) -> Vec<Val> {
    walk(to, from, fixed, |_| true)
}

fn walk(to: &[&Val], from: &[&Val], fixed: &[&Val], counts: impl Fn(&Val) -> bool) -> Vec<Val> {
    let ids = |values: &[&Val]| -> HashSet<u64> { values.iter().map(|value| value.id()).collect() };
    let (sources, walls) = (ids(from), ids(fixed));
    // Below the earliest source nothing can depend on a source.
    let earliest = from.iter().map(|value| value.order()).min().unwrap_or(u64::MAX);

    let mut reached: BTreeMap<(u64, usize), Val> = BTreeMap::new();
    let mut pending: Vec<&Val> = to.to_vec();
    while let Some(value) = pending.pop() {
        let wall = walls.contains(&value.id()) && !sources.contains(&value.id());
        if wall || value.order() < earliest || !counts(value) {
            continue;
        }
        if reached.insert((value.order(), value.output()), value.clone()).is_none() {
            pending.extend(value.inputs());
        }
    }
    let mut depending: HashSet<u64> = HashSet::new();
    let mut path = Vec::new();
    for value in reached.into_values() {
        if sources.contains(&value.id()) || value.inputs().iter().any(|input| depending.contains(&input.id()))
        {
            depending.insert(value.id());
            path.push(value);
        }
    }
    path
}
