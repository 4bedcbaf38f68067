//! Another array is passed back than the cotangent that arrives: a value of the program, or another value's gradient.

use pullback_network::Value as _;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Node, Slip, Use};
use crate::words::Words;

/// Values that may stand in place of one.
const MOST: usize = 16;

pub(super) static MISTAKE: Mistake = Mistake { word: "stale-operand", slips };

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(used, at, trial)).collect()
}

fn of_use(used: &Use, at: usize, trial: &Trial<'_>) -> Vec<Slip> {
    if used.cotangent.ndim() == 0 {
        return Vec::new();
    }
    let fits = |val: &pullback_ops::Val| val.dims() == used.cotangent.dims() && val.dtype() == used.cotangent.dtype();
    let values = trial.program().values.iter().filter(|value| fits(&value.val)).take(MOST);
    let slip = |value: &pullback_lang::program::Value| {
        let share = used.network.vjp(&value.val).ok()??.array().ok()?.to_vec_f64();
        let words = Words::new()
            .source(value.name.clone())
            .say(" is passed back through ")
            .source(used.written())
            .say(" where the gradient of ")
            .source(used.value.symbol())
            .say(" belongs.");
        Slip::instead(format!("{at}:passed {}", value.name), used, &share, 37, words)
    };
    values.filter_map(slip).collect()
}
