//! A share is overwritten where shares should add: of a value that is used several times, of a sum over a batch of which
//! the last (or the first) entry alone is there, or of an entry that is read several times (an embedding's row).
//!
//! Where the line is: a *statistic* of a value (a mean, a norm) that is taken for a constant is a missing term, and so is one
//! use of many; one use that is there while all others are gone is overwritten.

use pullback_array::{Array, DType};
use pullback_network::Value as _;
use pullback_ops::{Factor, Val};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, size};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "overwritten", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    let mut slips = Vec::new();
    let uses = node.uses.len();
    for (at, used) in node.uses.iter().enumerate() {
        if uses > 1 {
            slips.extend(alone(node, used, at));
        }
        for axis in summed_axes(used) {
            for last in [true, false] {
                slips.extend(one_entry(node, used, at, axis, last));
            }
        }
        for last in [true, false] {
            slips.extend(one_read(used, at, last));
        }
    }
    slips
}

/// One use's share in place of the sum.
fn alone(node: &Node, used: &Use, at: usize) -> Option<Slip> {
    let share = used.share.array().ok()?.to_vec_f64();
    let whole = node.cotangent.array().ok()?.to_vec_f64();
    let change: Vec<f64> = share.iter().zip(&whole).map(|(share, whole)| share - whole).collect();
    let words = Words::new()
        .source(node.value.symbol())
        .say(format!(
            " is used {} times, and the gradients of all uses add up. Only that of its use in ",
            node.uses.len()
        ))
        .source(used.written())
        .say(" is there: it was written over the others, or these were forgotten.");
    // What belongs to a parameter or an input is accumulated into a buffer more often than what is passed on.
    let cost = if node.value.inputs().is_empty() { 33 } else { 37 };
    Some(Slip { key: format!("{at}:alone"), change: crate::fit::node::Change::By(change), cost, words })
}

/// What one read brings back to each entry, in place of the sum over its reads.
fn one_read(used: &Use, at: usize, last: bool) -> Option<Slip> {
    let reads = reads(used)?;
    let cotangent = used.cotangent.array().ok()?.to_vec_f64();
    let mut share = vec![0.0; size(used.operand().dims())];
    let mut times = vec![0usize; share.len()];
    for (&entry, back) in reads.iter().zip(&cotangent) {
        let Some(entry) = entry else { continue };
        if last || times[entry] == 0 {
            share[entry] = *back;
        }
        times[entry] += 1;
    }
    // Without an entry that is read twice nothing is overwritten.
    times.iter().find(|&&times| times > 1)?;
    let words = Words::new()
        .source(used.operand().symbol())
        .say(" is read several times at the same place in ")
        .source(used.written())
        .say(format!(
            ", and what comes back from all reads adds up. Only that of the {} read of each place is there.",
            if last { "last" } else { "first" }
        ));
    Slip::instead(format!("{at}:read {last}"), used, &share, if last { 29 } else { 31 }, words)
}

/// Which entry of the operand each entry of the result reads, as an embedding reads rows by a table of indices; `None`
/// where more is done than reading.
fn reads(used: &Use) -> Option<Vec<Option<usize>>> {
    let [term] = used.network.terms() else { return None };
    let by_table =
        |factor: &Factor| matches!(factor, Factor::Relation(relation) if relation.as_affine().is_none());
    if !term.coef.is_one() || term.factors.is_empty() || !term.factors.iter().all(by_table) {
        return None;
    }
    // Each entry is its number, from 1 on: what is read says where it was read. Two that are added up have other squares.
    let dims = used.operand().dims();
    let numbers: Vec<f64> = (1..=size(dims)).map(|number| number as f64).collect();
    let read = |of: Vec<f64>| {
        let array = Array::from_vec(&used.operand().shape(), of).ok()?;
        let read = used.network.jvp(&Val::with_dims(array, dims).ok()?).ok()??;
        Some(read.array().ok()?.to_vec_f64())
    };
    let squares = read(numbers.iter().map(|number| number * number).collect())?;
    let entries = read(numbers)?;
    let is_one = entries.iter().zip(&squares).all(|(entry, square)| entry * entry == *square);
    is_one.then(|| entries.iter().map(|&entry| (entry as usize).checked_sub(1)).collect())
}

/// The axes of what comes out over which a cotangent is summed on its way back: none of their labels is one of the operand.
fn summed_axes(used: &Use) -> Vec<usize> {
    let split = used.network.outputs().len();
    let summed = |axis: &usize| {
        used.network.outputs()[*axis].size() > 1
            && used.network.terms().iter().all(|term| !term.slots[split..].contains(&term.slots[*axis]))
    };
    (0..split).filter(summed).collect()
}

/// One entry of an axis in place of the sum over it.
fn one_entry(node: &Node, used: &Use, at: usize, axis: usize, last: bool) -> Option<Slip> {
    let dims = used.cotangent.dims();
    let (inner, length) = (size(&dims[axis + 1..]), dims[axis].size());
    let kept = if last { length - 1 } else { 0 };
    let mut numbers = used.cotangent.array().ok()?.to_vec_f64();
    for (flat, number) in numbers.iter_mut().enumerate() {
        if flat / inner.max(1) % length != kept {
            *number = 0.0;
        }
    }
    let masked = Array::from_vec(&used.cotangent.shape(), numbers).ok()?.cast(DType::F64).ok()?;
    let masked = Val::with_dims(masked, dims).ok()?;
    let share = used.network.vjp(&masked).ok()??.array().ok()?.to_vec_f64();
    let axis_name = match dims[axis].name() {
        Some(name) => format!("axis {axis}, `{}`,", name.as_str()),
        None => format!("axis {axis}"),
    };
    let words = Words::new()
        .say(format!(
            "The gradient is a sum over {axis_name} of {} entries, and only the {} one is there: each was written over \
             the one before, and not added to it, in the backward pass of ",
            length,
            if last { "last" } else { "first" }
        ))
        .source(used.written())
        .say(".");
    // What belongs to a parameter or an input is accumulated in a loop over a batch; what is passed on is hardly ever.
    let cost = if last { 29 } else { 31 } + if node.is_end { 0 } else { 6 };
    Slip::instead(format!("{at}:entry {axis} {last}"), used, &share, cost, words)
}
