//! Numbers that are a multiple of others, and the factor that this is: fitted to all entries, and called by sizes and scalars.

use pullback_array::Array;

use super::sweep::dot;
use crate::case::{Case, Trial};
use crate::factor::{Factor, Quantity};
use crate::words::Words;

/// The number that one array is times another, as it is fitted to all entries, and how far it may be off, relatively.
#[derive(Clone, Copy)]
pub(super) struct Multiple {
    times: f64,
    close: f64,
}

impl Multiple {
    /// Neither more nor less, as near as can be told.
    pub(super) fn once(close: f64) -> Multiple {
        Multiple { times: 1.0, close }
    }
}

/// How many standard errors a fitted number may be off: those of numbers in few digits are not quite independent.
const DEVIATIONS: f64 = 6.0;

/// The number that one array is times another, in every entry.
pub(super) fn multiple(is: &Array, meant: &Array, close: f64) -> Option<Multiple> {
    if is.shape() != meant.shape() {
        return None;
    }
    let (is, meant) = (is.to_vec_f64(), meant.to_vec_f64());
    let square = dot(&meant, &meant);
    let times = dot(&is, &meant) / square;
    let largest = meant.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
    let fits =
        is.iter().zip(&meant).all(|(is, meant)| (is - times * meant).abs() <= close * largest * times.abs());
    let off: f64 = is.iter().zip(&meant).map(|(is, meant)| (is - times * meant).powi(2)).sum();
    let deviation = (off / (square * times * times)).sqrt() / (is.len() as f64).sqrt();
    let close = (DEVIATIONS * deviation).min(close);
    (times.is_finite() && times != 0.0 && fits).then_some(Multiple { times, close })
}

/// Numbers that were fitted, one for each set of data, and how far they may be off, relatively.
pub(super) struct Fitted {
    pub values: Vec<f64>,
    pub close: f64,
}

impl Fitted {
    pub(super) fn of(multiples: &[Multiple]) -> Fitted {
        let close = multiples.iter().map(|multiple| multiple.close).fold(0.0, f64::max);
        Fitted { values: multiples.iter().map(|multiple| multiple.times).collect(), close }
    }

    /// Are they one, as near as can be told?
    pub(super) fn is_one(&self) -> bool {
        self.values.iter().all(|number| (number - 1.0).abs() <= self.close.max(1e-6))
    }

    /// The simplest factor that they are.
    pub(super) fn named(&self, quantities: &[Quantity]) -> Option<Factor> {
        self.factors(quantities).into_iter().next()
    }

    /// The simplest factors that they are, where none is simpler than the others.
    pub(super) fn factors(&self, quantities: &[Quantity]) -> Vec<Factor> {
        Factor::all_within(&self.values, quantities, self.close)
    }
}

/// How far the claim may be from what it is meant to be, relatively, where it is least precise.
pub(super) fn closeness(case: &Case<'_>) -> f64 {
    case.trials.iter().map(Trial::close).fold(0.0, f64::max)
}

/// What is said of a part that is so many times what it should be, and the cause: a mean that lacks its `1/N` misses a
/// factor, a 2 in front is one too many.
pub(super) fn factor_words(case: &Case<'_>, is: &Factor) -> Option<(&'static str, Words)> {
    let at = case.claim.expr_span;
    let lacking = is.inverse();
    if is.is_sign() {
        return is.negative.then(|| ("missing-factor", Words::new().say("its sign is wrong.")));
    }
    let words = Words::new().say("it is ").expr(&is.expr(at)).say(" times what it should be: ");
    Some(if is.is_extra() {
        ("extra-factor", words.expr(&is.expr(at)).say(" is a factor too many."))
    } else {
        ("missing-factor", words.say("the factor ").expr(&lacking.expr(at)).say(" is missing."))
    })
}
