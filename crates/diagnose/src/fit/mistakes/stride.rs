//! The stride, the dilation or the padding of a convolution is forgotten in its backward pass.

use pullback_network::Relation;
use pullback_ops::{Factor, Term};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use, rule, with_terms};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "missing-factor", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(used, at)).collect()
}

fn of_use(used: &Use, at: usize) -> Vec<Slip> {
    let affine = |term: &Term| term.factors.iter().any(|factor| coefficient(factor).is_some());
    if !used.network.terms().iter().any(affine) {
        return Vec::new();
    }
    let network = with_terms(&used.network, |_, mut term| {
        for factor in &mut term.factors {
            if let Factor::Relation(relation) = factor
                && let Some((linear, constant)) = relation.as_affine()
            {
                let ones = linear.iter().map(|&(coefficient, label)| (coefficient.signum(), label));
                *relation = Relation::affine(ones.collect::<Vec<_>>(), constant);
            }
        }
        Some(term)
    });
    let factor =
        used.network.terms().iter().flat_map(|term| &term.factors).find_map(coefficient).unwrap_or(1);
    let words = Words::new()
        .say(format!("A stride or a dilation of {factor} is missing where the positions of "))
        .source(used.written())
        .say(" are looked up in its backward pass: ")
        .source(rule(used))
        .say(".");
    let share = network.and_then(|network| used.share_by(&network));
    share
        .and_then(|share| Slip::instead(format!("{at}:stride"), used, &share, 30, words))
        .into_iter()
        .collect()
}

/// A coefficient of an affine relation that is not 1.
fn coefficient(factor: &Factor) -> Option<i64> {
    let Factor::Relation(relation) = factor else { return None };
    let (linear, _) = relation.as_affine()?;
    linear.iter().map(|(coefficient, _)| coefficient.abs()).find(|&coefficient| coefficient > 1)
}
