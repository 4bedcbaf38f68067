//! Another function's derivative: the sine's for the cosine's, `1 + y²` for `1 − y²`, an exponent that was not lowered.

use pullback_array::Array;
use pullback_network::Value as _;
use pullback_ops::Factor;

use super::Mistake;
use crate::case::Trial;
use crate::fit::node::{Change, Node, Slip, Use, rule};
use crate::fit::sweep::is_multiple;
use crate::words::Words;

/// What may have been taken for a slope, from x and y = f(x).
type Slope = fn(f64, f64) -> f64;

/// The likelier the earlier. A number in front of any of them is fitted.
const SLOPES: [(&str, Slope); 22] = [
    ("{y}", |_, y| y),
    ("{x}", |x, _| x),
    ("1 + {y}²", |_, y| 1.0 + y * y),
    ("1 − {y}²", |_, y| 1.0 - y * y),
    ("{y} (1 − {y})", |_, y| y * (1.0 - y)),
    ("1 − {y}", |_, y| 1.0 - y),
    ("{y}²", |_, y| y * y),
    ("cos({x})", |x, _| x.cos()),
    ("sin({x})", |x, _| x.sin()),
    ("exp({x})", |x, _| x.exp()),
    ("exp(−{x})", |x, _| (-x).exp()),
    ("1 / {x}", |x, _| 1.0 / x),
    ("1 / √{x}", |x, _| 1.0 / x.sqrt()),
    ("√{x}", |x, _| x.sqrt()),
    ("1 / {x}²", |x, _| 1.0 / (x * x)),
    ("{x}²", |x, _| x * x),
    ("{x}³", |x, _| x * x * x),
    ("log({x})", |x, _| x.ln()),
    ("1 − {x}²", |x, _| 1.0 - x * x),
    ("{x} (1 − {x})", |x, _| x * (1.0 - x)),
    ("σ({x})", |x, _| 1.0 / (1.0 + (-x).exp())),
    ("step({x})", |x, _| if x > 0.0 { 1.0 } else { 0.0 }),
];

pub(super) static MISTAKE: Mistake = Mistake { word: "wrong-derivative", slips };

fn slips(node: &Node, _: &Trial<'_>) -> Vec<Slip> {
    node.uses.iter().enumerate().flat_map(|(at, used)| of_use(used, at).unwrap_or_default()).collect()
}

fn of_use(used: &Use, at: usize) -> Option<Vec<Slip>> {
    // Element by element: one factor, and the same labels on both sides and in it.
    let [term] = used.network.terms() else { return None };
    let (outputs, inputs) = term.slots.split_at(used.network.outputs().len());
    let [Factor::Dense(_, labels)] = term.factors.as_slice() else { return None };
    let is_function = used.value.inputs().iter().filter(|input| input.as_number().is_none()).count() == 1;
    if outputs != inputs || labels != outputs || !is_function {
        return None;
    }
    let numbers = |array: &Array| array.to_vec_f64();
    let x = numbers(used.operand().array().ok()?);
    let y = numbers(used.value.array().ok()?);
    let cotangent = numbers(used.cotangent.array().ok()?);
    let part = numbers(used.share.array().ok()?);
    let slope = |(kind, (name, slope)): (usize, &(&str, Slope))| {
        let by: Vec<f64> = x.iter().zip(&y).zip(&cotangent).map(|((x, y), g)| slope(*x, *y) * g).collect();
        // Of such a factor is wrong, and no function.
        if !by.iter().all(|entry| entry.is_finite()) || is_multiple(&by, &part) {
            return None;
        }
        let is = name.replace("{x}", &used.operand().symbol()).replace("{y}", &used.value.symbol());
        let words = Words::new()
            .say("The derivative of ")
            .source(used.written())
            .say(" is another function's: ")
            .source(is)
            .say(", where ")
            .source(rule(used))
            .say(" belongs.");
        let change = Change::Replaced { part: part.clone(), by };
        Some(Slip { key: format!("{at}:slope {kind}"), change, cost: 35, words })
    };
    Some(SLOPES.iter().enumerate().filter_map(slope).collect())
}
