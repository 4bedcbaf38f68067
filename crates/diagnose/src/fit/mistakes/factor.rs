//! A factor is missing, or one too many: of a value's cotangent, of one use's share of it, of one term of a local Jacobian
//! (fitted, and then named), or the slope of an element-wise operation as a whole.

use pullback_network::{Label, Letters, Value as _, indexed};
use pullback_ops::{Factor, Term};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Change, Node, Slip, Use, rule, with_term, with_terms};
use crate::words::Words;

pub(super) static MISTAKE: Mistake = Mistake { word: "missing-factor", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    let mut slips = Vec::new();
    let scaled = |key: String, part: Option<Vec<f64>>, cost: u32, words: Words| {
        part.map(|part| Slip { key, change: Change::Scaled(part), cost, words })
    };
    let numbers = |val: &pullback_ops::Val| val.array().ok().map(|array| array.to_vec_f64());
    if !node.is_end {
        let named = node.value.name().is_some();
        let words = Words::new().say("The gradient of ").source(node.value.symbol()).say(": ");
        slips.extend(scaled("all".to_owned(), numbers(&node.cotangent), if named { 40 } else { 42 }, words));
    }
    for (at, used) in node.uses.iter().enumerate() {
        if node.uses.len() > 1 {
            let words = Words::new()
                .say("What comes back to ")
                .source(node.value.symbol())
                .say(" from ")
                .source(used.written())
                .say(": ");
            slips.extend(scaled(format!("{at}:share"), numbers(&used.share), 41, words));
        }
        let terms = used.network.terms().len();
        for term in 0..terms {
            if terms > 1 {
                let alone = with_terms(&used.network, |k, kept| (k == term).then_some(kept));
                let words = Words::new().say("A term of ").source(rule(used)).say(": ");
                let part = alone.and_then(|network| used.share_by(&network));
                slips.extend(scaled(format!("{at}:term {term}"), part, 42, words));
            }
            let factors = 0..used.network.terms()[term].factors.len();
            slips.extend(factors.filter_map(|factor| dropped(used, at, term, factor)));
        }
    }
    slips
}

/// A factor left out, where every label of it stands in both sides of a delta: the slope of what works element by element.
fn dropped(used: &Use, at: usize, term: usize, factor: usize) -> Option<Slip> {
    let whole = &used.network.terms()[term];
    let Factor::Dense(value, labels) = &whole.factors[factor] else { return None };
    if !labels.iter().all(|label| others(whole, factor, *label) > 1) {
        return None;
    }
    let network = with_term(&used.network, term, |term| drop(term.factors.remove(factor)))?;
    let axes = Letters::of_axes(used.network.outputs().len(), used.network.inputs().len());
    let letter = |label: &Label| Some(axes[whole.slots.iter().position(|slot| slot == label)?].clone());
    let letters: Vec<String> = labels.iter().filter_map(letter).collect();
    let words = Words::new()
        .say("The factor ")
        .source(indexed(&value.symbol(), &letters))
        .say(" is missing in the backward pass of ")
        .source(used.written())
        .say(": ")
        .source(rule(used))
        .say(".");
    Slip::instead(format!("{at}:dropped {term} {factor}"), used, &used.share_by(&network)?, 30, words)
}

/// How often a label stands elsewhere than in one factor.
fn others(term: &Term, factor: usize, label: Label) -> usize {
    let in_slots = term.slots.iter().filter(|slot| **slot == label).count();
    let in_factors = term.factors.iter().enumerate().filter(|(k, _)| *k != factor);
    in_slots + in_factors.filter(|(_, factor)| factor.labels().contains(&label)).count()
}
