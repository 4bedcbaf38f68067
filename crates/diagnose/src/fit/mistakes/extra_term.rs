//! A value of the program is added, where it does not belong, to what is passed on. What is added to the gradient itself is told by
//! `neighbours`, of Jacobians too.

use pullback_ops::Val;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Change, Node, Slip};
use crate::words::Words;

/// Values that may be added to one.
const MOST: usize = 16;

pub(super) static MISTAKE: Mistake = Mistake { word: "extra-term", slips };

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    let shape = node.value.shape();
    // Of a single number every other one is a multiple.
    if node.is_end || node.value.name().is_none() || shape.iter().product::<usize>() < 2 {
        return Vec::new();
    }
    let values = trial
        .program()
        .values
        .iter()
        .filter(|value| value.val.shape() == shape && value.val.dtype().is_float());
    let slip = |(name, val): (&str, &Val)| {
        let by = val.array().ok()?.to_vec_f64();
        let words = Words::new()
            .say("A multiple of ")
            .source(name)
            .say(" is added to the gradient of ")
            .source(pullback_network::Value::symbol(&node.value))
            .say(", where it does not belong.");
        // The number that it is multiplied by is fitted, and needs no name: a factor with a name (40 and more) is likelier.
        Some(Slip { key: format!("plus {name}"), change: Change::Added(by), cost: 44, words })
    };
    values.take(MOST).map(|value| (value.name.as_str(), &value.val)).filter_map(slip).collect()
}
