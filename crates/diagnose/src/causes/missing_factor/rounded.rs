//! A number for which the forward pass has another one: `30` where it has `20`, or the same in other digits, `0.797885` for
//! `sqrt(2 / 3.141592653589793)`.
//!
//! The forward pass and its gradient are written by different hands, and one of them rounds, or is changed later. A small multiple of
//! a number of the forward pass counts too: the `3 * 0.044715` that comes of a cube.

use pullback_lang::{BinaryOp, Expr};

use crate::case::is_constant;
use crate::edit::{Edit, binary, integer, number};
use crate::factor::is_usual;
use crate::tree::Place;
use crate::words::Words;

/// Digits of a number that was rounded: with fewer it is another one.
const ROUNDED: f64 = 1e-3;

/// Multiples that differentiation makes of a number.
const MULTIPLES: [usize; 4] = [1, 2, 3, 4];

pub(super) fn edits(place: &Place<'_>) -> Vec<Edit> {
    let trial = place.case().own();
    let value = |expr: &Expr| {
        let value = trial.value(&place.tree.in_context(expr)).filter(|value| value.ndim() == 0)?;
        value.array().ok()?.item().ok()
    };
    if !is_constant(place.expr) {
        return Vec::new();
    }
    let Some(written) = value(place.expr) else { return Vec::new() };
    let scalars = place.known().filter(|known| known.dims.is_empty()).map(|known| &known.source);
    let at = place.expr.span;
    let mut edits = Vec::new();
    let times_meant = |meant: &Expr, times: usize| match times {
        1 => meant.clone(),
        _ => binary(at, BinaryOp::Mul, integer(at, times), meant.clone()),
    };
    for meant in scalars.chain(&place.case().parts).chain(&place.case().literals) {
        let Some(value) = value(meant) else { continue };
        for times in MULTIPLES {
            let is = times as f64 * value;
            // What happens to be 1 is no factor: then this one is one too many.
            if written.fract() == 0.0
                || is == 1.0
                || is == written
                || (is - written).abs() > ROUNDED * is.abs()
            {
                continue;
            }
            let with = times_meant(meant, times);
            edits.push(Edit::new(
                with.clone(),
                times.min(2) as u32,
                explained(place.expr, &with, written, is),
            ));
        }
    }
    // Another number altogether, where the forward pass multiplies or divides by one. A number of other code is no slip for one of
    // these: there it is fitted.
    let stated = place.case().stated.iter().filter(|_| !place.case().backwards && !is_usual(written));
    for meant in
        stated.filter(|stated| stated.expr.span.start < place.tree.before()).map(|stated| &stated.expr)
    {
        let Some(value) = value(meant).filter(|value| !is_usual(*value)) else { continue };
        for times in MULTIPLES {
            let is = times as f64 * value;
            // Of the same number a multiple is missing, which is told as that.
            if value != written && (is - written).abs() > ROUNDED * is.abs() {
                let with = times_meant(meant, times);
                edits.push(Edit::new(with.clone(), 2, explained(place.expr, &with, written, is)));
            }
        }
    }
    edits
}

fn explained(written: &Expr, with: &Expr, is: f64, meant: f64) -> Words {
    let words = Words::new().expr(written);
    if is_rounded(number(written), is, meant) {
        words.say(" is ").expr(with).say(" in too few digits.")
    } else if is_rounded(number(with), meant, is) {
        words
            .say(" has more digits than the ")
            .expr(with)
            .say(" of the forward pass, whose derivative this is.")
    } else {
        words.say(" stands where ").expr(with).say(" belongs, another number.")
    }
}

/// Is a number that is written down another one in as many digits as it has?
fn is_rounded(written: Option<f64>, is: f64, exact: f64) -> bool {
    let Some(written) = written else { return false };
    let text = written.abs().to_string();
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    // What is cut off counts as rounded too.
    (is - exact).abs() < 10f64.powi(-(decimals as i32))
}
