//! An element-wise product where a matrix product belongs: `W ⊙ Ḡ` for `Ḡ Wᵀ`, where the shapes do not tell.

use pullback_network::Value as _;
use pullback_ops::Factor;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "elementwise-for-product", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().filter_map(|(at, used)| of_use(node, used, at)).collect()
}

fn of_use(node: &Node, used: &Use, at: usize) -> Option<Slip> {
    let [term] = used.network.terms() else { return None };
    let [Factor::Dense(value, _)] = term.factors.as_slice() else { return None };
    // A product over a label: one of the factor's stands on one side only.
    let split = used.network.outputs().len();
    let sums = term.slots[..split].iter().any(|label| !term.slots[split..].contains(label));
    if !sums || value.shape() != used.cotangent.shape() || value.shape() != node.value.shape() {
        return None;
    }
    let (factor, cotangent) = (value.array().ok()?.to_vec_f64(), used.cotangent.array().ok()?.to_vec_f64());
    let share: Vec<f64> = factor.iter().zip(&cotangent).map(|(a, b)| a * b).collect();
    let words = Words::new()
        .source(value.symbol())
        .say(" is multiplied entry by entry where a matrix product belongs, in the backward pass of ")
        .source(used.written())
        .say(": ")
        .source(rule(used))
        .say(".");
    Slip::instead(format!("{at}:elementwise"), used, &share, 36, words)
}
