//! Another array is passed back than the cotangent that arrives: a value of the program, or another value's gradient.

use pullback_network::Value as _;
use pullback_ops::Val;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use};
use crate::words::Words;

/// Values that may stand in place of one.
const MOST: usize = 16;

pub(super) static MISTAKE: Mistake = Mistake { word: "stale-operand", slips };

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(node, used, at, trial)).collect()
}

fn of_use(node: &Node, used: &Use, at: usize, trial: &Trial<'_>) -> Vec<Slip> {
    if used.cotangent.ndim() == 0 {
        return Vec::new();
    }
    let fits = |val: &Val| val.dims() == used.cotangent.dims() && val.dtype() == used.cotangent.dtype();
    let values = trial.program().values.iter().map(|value| (&value.name, &value.val));
    let gradients = node.gradients.iter().map(|(name, gradient)| (name, gradient));
    // What is given as the cotangent of a value that has other uses too bears the name of the whole: it is a share that is missing.
    let whole = used.value.name().map(|name| format!("/d{}", name.as_str()));
    let is_whole = |name: &str| whole.as_ref().is_some_and(|whole| name.ends_with(whole));
    let slip = |(name, val): (&String, &Val), cost: u32| {
        if is_whole(name) {
            return None;
        }
        let share = used.network.vjp(val).ok()??.array().ok()?.to_vec_f64();
        let words = Words::new()
            .source(name.clone())
            .say(" is passed back through ")
            .source(used.written())
            .say(" where the gradient of ")
            .source(used.value.symbol())
            .say(" belongs.");
        Slip::instead(format!("{at}:passed {name}"), used, &share, cost, words)
    };
    let values = values.filter(|(_, val)| fits(val)).take(MOST).filter_map(|value| slip(value, 37));
    // A gradient may come from further on because what lies between was left out, which is likelier.
    let gradients =
        gradients.filter(|(_, val)| fits(val)).take(MOST).filter_map(|gradient| slip(gradient, 39));
    values.chain(gradients).collect()
}
