//! A value of the program is multiplied with the gradient, entry by entry, or divides it, where it does not belong.

use pullback_network::{Dim, Value as _};

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Change, Node, Slip};
use crate::words::Words;

/// Values that may be multiplied with one.
const MOST: usize = 16;

pub(super) static MISTAKE: Mistake = Mistake { word: "extra-factor", slips };

fn slips(node: &Node, trial: &Trial<'_>) -> Vec<Slip> {
    let dims = node.value.dims();
    if dims.is_empty() || !(node.is_end || node.value.name().is_some()) {
        return Vec::new();
    }
    let Ok(cotangent) = node.cotangent.array() else { return Vec::new() };
    let values = trial.program().values.iter();
    let fitting = values.filter(|value| value.val.dtype().is_float() && broadcasts(value.val.dims(), dims));
    let mut slips = Vec::new();
    for value in fitting.take(MOST) {
        let Ok(factor) = value.val.array() else { continue };
        for divides in [false, true] {
            let with: fn(f64, f64) -> f64 = if divides { |g, q| g / q } else { |g, q| g * q };
            let Ok(is) = cotangent.zip(factor, "factor", |g, _| g, with) else { continue };
            if is.shape() != cotangent.shape() || !is.all_finite() {
                continue;
            }
            let right = cotangent.to_vec_f64();
            let change = is.to_vec_f64().iter().zip(&right).map(|(is, right)| is - right).collect();
            let words = Words::new()
                .say("The gradient of ")
                .source(node.value.symbol())
                .say(if divides { " is divided by " } else { " is multiplied by " })
                .source(value.name.clone())
                .say(", entry by entry, where that does not belong.");
            let cost = if node.is_end { 34 } else { 38 } + u32::from(divides);
            slips.push(Slip {
                key: format!("times {} {divides}", value.name),
                change: Change::By(change),
                cost,
                words,
            });
        }
    }
    slips
}

/// Does a factor of these dims, that is no scalar, leave a value of those dims its shape?
fn broadcasts(factor: &[Dim], value: &[Dim]) -> bool {
    !factor.is_empty()
        && factor.len() <= value.len()
        && factor.iter().rev().zip(value.iter().rev()).all(|(f, v)| f.size() == v.size() || f.size() == 1)
}
