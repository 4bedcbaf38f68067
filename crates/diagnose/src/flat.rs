//! Why a derivative is zero: the operation at which the way from x to y ends.

use std::collections::HashSet;

use pullback_check::Note;
use pullback_lang::program::Claim;
use pullback_network::Value as _;
use pullback_ops::{Origin, Val};

/// A local Jacobian with more entries is not written out.
const MOST_ENTRIES: usize = 1 << 16;

/// The value at which every way from what a claim differentiates by ends: on this data it does not change with that.
/// `None` where there is none, or several.
pub fn flat(claim: &Claim) -> Option<Note> {
    let x = claim.wrt.last()?;
    let mut graph: Vec<&Val> = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![&claim.of];
    while let Some(next) = pending.pop() {
        if next.order() >= x.order() && seen.insert(next.id()) {
            graph.push(next);
            pending.extend(next.inputs());
        }
    }
    graph.sort_by_key(|val| val.order());
    let mut changing: HashSet<u64> = HashSet::from([x.id()]);
    let mut ends: Vec<&Val> = Vec::new();
    for val in graph {
        let mut dead = false;
        for (number, input) in val.inputs().iter().enumerate() {
            if changing.contains(&input.id()) {
                match is_zero(val, number)? {
                    true => dead = true,
                    false => {
                        changing.insert(val.id());
                    }
                }
            }
        }
        if dead && !changing.contains(&val.id()) {
            ends.push(val);
        }
    }
    let [end] = ends.as_slice() else { return None };
    let Origin::Call(op, _) = end.origin() else { return None };
    let single = op.name() == "softmax" && end.array().ok()?.to_vec_f64().iter().all(|&entry| entry == 1.0);
    let name = end.name().map(|name| name.as_str().to_owned());
    let wrt = claim.wrt_names.last()?.clone();
    Some(Note::Flat { wrt, name, expression: end.expression(), single })
}

/// Is a local Jacobian zero at this point?
fn is_zero(val: &Val, input: usize) -> Option<bool> {
    let network = val.jacobian(input).ok()?;
    if network.is_zero() {
        return Some(true);
    }
    let entries: usize = val
        .shape()
        .iter()
        .chain(&val.inputs()[input].shape())
        .try_fold(1usize, |n, &size| n.checked_mul(size))?;
    if entries > MOST_ENTRIES {
        return Some(false);
    }
    match network.to_dense(&val.one()).ok()? {
        Some(dense) => Some(dense.array().ok()?.max_abs() == 0.0),
        None => Some(true),
    }
}
