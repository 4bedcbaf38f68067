//! What the operators mean: on numbers that the program states, and on values.

use pullback_ops::{Arg, Result, Val};

use crate::BinaryOp;

/// What an operator makes of words, flags and `none`, which are known before there are numbers; `None` of anything else. They are equal
/// or not, `reduction == "mean"`, `mask != none`; beside a number a flag is 0 or 1.
pub(super) fn of_words(operator: BinaryOp, a: &Arg, b: &Arg) -> Option<Arg> {
    let equal = match (a, b) {
        (Arg::Nothing, Arg::Nothing) => true,
        (Arg::Nothing, _) | (_, Arg::Nothing) => false,
        (Arg::Text(a), Arg::Text(b)) => a == b,
        (Arg::Text(_), _) | (_, Arg::Text(_)) => false,
        (Arg::Flag(a), Arg::Flag(b)) => a == b,
        (Arg::Flag(flag), Arg::Number(number, _)) | (Arg::Number(number, _), Arg::Flag(flag)) => {
            f64::from(u8::from(*flag)) == *number
        }
        _ => return None,
    };
    match operator {
        BinaryOp::Equal => Some(Arg::Flag(equal)),
        BinaryOp::NotEqual => Some(Arg::Flag(!equal)),
        BinaryOp::Mul => match (a, b) {
            (Arg::Flag(a), Arg::Flag(b)) => Some(Arg::Flag(*a && *b)),
            (Arg::Flag(flag), Arg::Number(number, _)) | (Arg::Number(number, _), Arg::Flag(flag)) => {
                Some(Arg::Number(if *flag { *number } else { 0.0 }, None))
            }
            _ => None,
        },
        BinaryOp::Sub => match (a, b) {
            (Arg::Number(1.0, None), Arg::Flag(flag)) => Some(Arg::Flag(!flag)),
            _ => None,
        },
        _ => None,
    }
}

/// The number that an operator makes of two numbers; `None` for `@`, which has no numbers as operands.
pub(super) fn folded(operator: BinaryOp, a: f64, b: f64) -> Option<f64> {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    Some(match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Pow => a.powf(b),
        BinaryOp::MatMul => return None,
        BinaryOp::Less => truth(a < b),
        BinaryOp::LessEqual => truth(a <= b),
        BinaryOp::Greater => truth(a > b),
        BinaryOp::GreaterEqual => truth(a >= b),
        BinaryOp::Equal => truth(a == b),
        BinaryOp::NotEqual => truth(a != b),
    })
}

/// The value that an operator makes of two values.
///
/// A comparison is 1 where it holds and 0 elsewhere, and is written with the step that is 1 above 0: a > b is
/// step(a − b). Two infinities of one sign therefore compare as neither equal nor unequal numbers do: their
/// difference is NaN, for which no strict comparison holds.
///
/// # Errors
/// Where the shapes do not fit.
pub(super) fn applied(operator: BinaryOp, a: &Val, b: &Val) -> Result<Val> {
    let above = |a: &Val, b: &Val| (a - b)?.step();
    match operator {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Pow => a.pow(b),
        BinaryOp::MatMul => a.matmul(b),
        BinaryOp::Greater => above(a, b),
        BinaryOp::Less => above(b, a),
        BinaryOp::GreaterEqual => 1.0 - &above(b, a)?,
        BinaryOp::LessEqual => 1.0 - &above(a, b)?,
        BinaryOp::NotEqual => &above(a, b)? + &above(b, a)?,
        BinaryOp::Equal => 1.0 - &(&above(a, b)? + &above(b, a)?)?,
    }
}
