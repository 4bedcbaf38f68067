//! A factor of a local Jacobian is transposed: `Ḡ W` for `Ḡ Wᵀ`, where the shapes do not tell.

use pullback_network::Value as _;
use pullback_ops::Factor;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule, with_term};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "transposed-factor", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    let mut slips = Vec::new();
    for (at, used) in node.uses.iter().enumerate() {
        for (term, whole) in used.network.terms().iter().enumerate() {
            for (factor, payload) in whole.factors.iter().enumerate() {
                let Factor::Dense(value, labels) = payload else { continue };
                let pairs = (0..labels.len()).flat_map(|a| (a + 1..labels.len()).map(move |b| (a, b)));
                let square =
                    pairs.filter(|&(a, b)| labels[a] != labels[b] && labels[a].size() == labels[b].size());
                slips.extend(
                    square.filter_map(|axes| transposed(used, at, term, factor, axes, value.symbol())),
                );
            }
        }
    }
    slips
}

fn transposed(
    used: &Use,
    at: usize,
    term: usize,
    factor: usize,
    (a, b): (usize, usize),
    symbol: String,
) -> Option<Slip> {
    let network = with_term(&used.network, term, |term| {
        if let Factor::Dense(_, labels) = &mut term.factors[factor] {
            labels.swap(a, b);
        }
    })?;
    let words = Words::new()
        .source(symbol)
        .say(" is transposed in the backward pass of ")
        .source(used.written())
        .say(": ")
        .source(rule(used))
        .say(". It is square, so that the shapes fit either way.");
    Slip::instead(
        format!("{at}:transposed {term} {factor} {a} {b}"),
        used,
        &used.share_by(&network)?,
        24,
        words,
    )
}
