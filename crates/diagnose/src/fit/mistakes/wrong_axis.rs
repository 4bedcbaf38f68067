//! A sum over another axis than is meant: a softmax by columns in a backward pass for one by rows.

use pullback_network::Label;
use pullback_ops::{Factor, Term};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule, with_term};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "wrong-axis", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(used, at)).collect()
}

fn of_use(used: &Use, at: usize) -> Vec<Slip> {
    let (outputs, inputs) = (used.network.outputs().len(), used.network.inputs().len());
    if outputs != inputs || outputs < 2 {
        return Vec::new();
    }
    let mut slips = Vec::new();
    for (term, whole) in used.network.terms().iter().enumerate() {
        let joined: Vec<usize> =
            (0..outputs).filter(|&axis| whole.slots[axis] != whole.slots[outputs + axis]).collect();
        let [summed] = joined.as_slice() else { continue };
        for axis in (0..outputs).map(Some).chain([None]).filter(|axis| *axis != Some(*summed)) {
            let network = with_term(&used.network, term, |term| summed_over(term, *summed, axis));
            let over = axis.map_or_else(|| "all axes".to_owned(), |axis| format!("axis {axis}"));
            let words = Words::new()
                .say(format!(
                    "The sum is over {over} where it belongs over axis {summed}, in the backward pass of "
                ))
                .source(used.written())
                .say(": ")
                .source(rule(used))
                .say(".");
            let share = network.and_then(|network| used.share_by(&network));
            let key = format!("{at}:axis {term} {axis:?}");
            slips.extend(share.and_then(|share| Slip::instead(key, used, &share, 34, words)));
        }
    }
    slips
}

/// The term with the sum over another axis, or over all.
fn summed_over(term: &mut Term, summed: usize, axis: Option<usize>) {
    let axes = term.slots.len() / 2;
    let (kept, gone) = (term.slots[summed], term.slots[axes + summed]);
    // Where the axis was summed the two sides share a label again.
    if axis.is_some() {
        for factor in &mut term.factors {
            if let Factor::Dense(_, labels) = factor {
                labels.iter_mut().filter(|label| **label == gone).for_each(|label| *label = kept);
            }
        }
        term.slots[axes + summed] = kept;
    }
    let opened: Vec<usize> =
        (0..axes).filter(|&other| axis.is_none_or(|axis| axis == other) && other != summed).collect();
    for other in opened {
        let (old, new) = (term.slots[other], Label::new(term.slots[other].dim()));
        // The last factor is that of the operand's side.
        if let Some(Factor::Dense(_, labels)) = term.factors.last_mut() {
            labels.iter_mut().filter(|label| **label == old).for_each(|label| *label = new);
        }
        term.slots[axes + other] = new;
    }
}
