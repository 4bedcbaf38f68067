//! The quotient of two values, element by element.
//!
//! # Formula
//! y_i = a_i / b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im / b_i, ∂y_i/∂b_m = −δ_im y_i / b_i. An axis that is stretched carries no delta: it is summed over by a vjp.
//!
//! # Domain
//! Divisors other than 0; there the quotient is infinite or NaN, as in PyTorch. Shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! a/b is linear in a; d(1/b) = −db/b².

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Entry, Sample, Slope, Val};

pub(crate) static DIV: Binary = Binary {
    name: "div",
    backward_error: BackwardError::None,
    lines: pairs!(|a, b| a / b),
    derivative: |at| {
        let b = &at.inputs()[1];
        Ok(match (at.input(), b.as_coefficient(-1)) {
            (0, Some(reciprocal)) => Slope::number(reciprocal),
            // Of integers too.
            (0, None) => Slope::value((&Val::number(1.0, at.y().dtype()) / b)?),
            _ => Slope::times(Coef::minus_one(), (at.y() / b)?),
        })
    },
    written: |a, b| format!("({a} / {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "div(a, b, rounding_mode: none|floor|trunc = none)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| {
        let quotient = (&args.value("a")? / &args.value("b")?)?;
        match args.word("rounding_mode")? {
            "floor" => quotient.floor(),
            "trunc" => quotient.trunc(),
            _ => Ok(quotient),
        }
    },
    samples: || {
        vec![
            Sample::normal("div: equal shapes", [&[2, 3], &[2, 3]], |x| &x[0] / &x[1]).positive(),
            Sample::normal("div: both stretched", [&[3, 1, 2], &[5, 1]], |x| &x[0] / &x[1]).positive(),
            Sample::normal("div: with a scalar", [&[3], &[]], |x| &x[0] / &x[1]).positive(),
            Sample::normal("div: with itself", [&[3]], |x| &x[0] / &x[0].clone()).positive(),
            Sample::normal("div: with a number", [&[3]], |x| 3.0 / &x[0]).positive(),
        ]
    },
};
