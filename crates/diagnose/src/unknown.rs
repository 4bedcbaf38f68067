//! What is known of a wrong claim for which no correction was found. Facts, and no guess.

use pullback_lang::program::Claim;
use pullback_lang::{BinaryOp, Expr};

use crate::case::{Case, Trial};
use crate::edit::{binary, integer};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// How far a ratio may vary between sets of data and still be called the same.
const SAME: f64 = 1e-6;

/// What can be said of a claim beyond its being wrong, with what the derivative is.
pub(crate) fn facts(case: &Case<'_>, expr: &Expr, fix: Option<Fix>) -> Diagnosis {
    let explanation = constant_ratio(case, expr).or_else(|| wrong_entries(case, expr));
    Diagnosis { explanation: explanation.unwrap_or_else(no_slip), ..unexplained(case.claim, fix) }
}

/// The same of a claim of which nothing more is known, as where its derivative is zero or too large for candidates to be tried.
pub(crate) fn unexplained(claim: &Claim, fix: Option<Fix>) -> Diagnosis {
    let label = Words::new().say("the cause is not known");
    Diagnosis { cause: "unknown", explanation: no_slip(), span: claim.expr_span, label, partner: None, fix }
}

fn no_slip() -> Words {
    Words::new().say("No slip that is known gives what is claimed.")
}

/// Is the derivative a multiple of the claim?
fn constant_ratio(case: &Case<'_>, expr: &Expr) -> Option<Words> {
    let doubled = binary(expr.span, BinaryOp::Mul, integer(expr.span, 2), expr.clone());
    // Every number is a multiple of another one.
    if case.own().truth.tensor().len() < 2 {
        return None;
    }
    let ratios = case.ratios(expr, &doubled)?;
    let &own = ratios.last()?;
    // Of nothing every claim is a multiple, nearly; and once what is claimed is the derivative but for rounding.
    let written = written(own).filter(|_| own.abs() >= SAME)?;
    let same = |ratio: &f64| (ratio - own).abs() <= SAME * own.abs();
    let at_own_sizes = case.trials.iter().map(|trial| sizes(trial) == sizes(case.own()));
    let mut of_own_sizes = ratios.iter().zip(at_own_sizes).filter(|(_, is_own)| *is_own);
    let elsewhere = if ratios.iter().all(same) {
        ", and so it is on other data."
    } else if of_own_sizes.all(|(ratio, _)| same(ratio)) {
        "; at other sizes it is another multiple."
    } else {
        "; on other data it is another multiple."
    };
    let times = format!("The derivative is {written} times what is claimed, in every entry");
    Some(Words::new().say(times + elsewhere))
}

/// The sizes of all values of a program.
fn sizes(trial: &Trial<'_>) -> Vec<usize> {
    trial.program.values.iter().flat_map(|value| value.val.shape()).collect()
}

/// A ratio in six digits, or in as many as tell it from 1; none where those of a double do not.
fn written(ratio: f64) -> Option<String> {
    let digits = (6..=15).find(|&digits| format!("{ratio:.digits$}") != format!("{:.digits$}", 1.0))?;
    Some(format!("{ratio:.digits$}"))
}

/// Are some entries right?
fn wrong_entries(case: &Case<'_>, expr: &Expr) -> Option<Words> {
    let trial = case.own();
    let claimed = trial.numbers(expr)?;
    let expected = trial.expected(claimed.shape())?;
    let close = 1e-6 * expected.max_abs();
    let entries = claimed.to_vec_f64();
    let wrong = entries.iter().zip(expected.to_vec_f64()).filter(|(a, b)| (*a - b).abs() > close).count();
    (wrong > 0 && wrong < entries.len()).then(|| {
        Words::new().say(format!("{wrong} of {} entries are wrong, the others are right.", entries.len()))
    })
}
