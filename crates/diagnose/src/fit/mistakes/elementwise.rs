//! An element-wise product where another one belongs, where the shapes do not tell: `W ⊙ Ḡ` for the matrix product `Ḡ Wᵀ`, or
//! `a ⊙ a` for the outer product `a aᵀ` in a local Jacobian, where it is broadcast.

use pullback_network::{Label, Value as _};
use pullback_ops::{Factor, Term};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule, with_term};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "elementwise-for-product", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    let uses = || node.uses.iter().enumerate();
    let products = uses().filter_map(|(at, used)| of_use(node, used, at));
    products.chain(uses().flat_map(|(at, used)| outer(used, at))).collect()
}

/// A term `u_i v_m` of a local Jacobian taken for `u_m v_m` or `u_i v_i`, in every row or column.
fn outer(used: &Use, at: usize) -> Vec<Slip> {
    let mut slips = Vec::new();
    for (term, whole) in used.network.terms().iter().enumerate() {
        let vector = |at: usize| {
            let Factor::Dense(_, labels) = &whole.factors[at] else { return None };
            labels.iter().find(|label| stands_alone(whole, at, **label)).copied()
        };
        let vectors: Vec<(usize, Label)> =
            (0..whole.factors.len()).filter_map(|at| Some((at, vector(at)?))).collect();
        for &(factor, from) in &vectors {
            for &(_, to) in vectors.iter().filter(|(_, to)| *to != from && to.size() == from.size()) {
                let network = with_term(&used.network, term, |term| {
                    if let Factor::Dense(_, labels) = &mut term.factors[factor] {
                        labels.iter_mut().filter(|label| **label == from).for_each(|label| *label = to);
                    }
                });
                let words = Words::new()
                    .say("A product entry by entry stands where an outer product belongs, in the backward pass of ")
                    .source(used.written())
                    .say(": ")
                    .source(rule(used))
                    .say(".");
                let share = network.and_then(|network| used.share_by(&network));
                let key = format!("{at}:outer {term} {factor} {}", slips.len());
                slips.extend(share.and_then(|share| Slip::instead(key, used, &share, 36, words)));
            }
        }
    }
    slips
}

/// Is one factor alone in having a label, which is one of the axes?
fn stands_alone(term: &Term, factor: usize, label: Label) -> bool {
    let mut others = term.factors.iter().enumerate().filter(|(at, _)| *at != factor);
    term.slots.iter().filter(|slot| **slot == label).count() == 1
        && others.all(|(_, other)| !other.labels().contains(&label))
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
