//! The product of two values, element by element.
//!
//! # Formula
//! y_i = a_i b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im b_i, ∂y_i/∂b_m = δ_im a_i. An axis that is stretched carries no delta: it is summed over by a vjp.
//!
//! # Domain
//! All reals; shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The product is linear in each operand, with the other one as slope.

use crate::{Axes, BackwardError, Binary, Entry, Sample, Slope};
use pullback_array::pairs;

pub(crate) static MUL: Binary = Binary {
    name: "mul",
    backward_error: BackwardError::None,
    lines: pairs!(|a, b| a * b),
    derivative: |at| Ok(Slope::value(at.inputs()[1 - at.input()].clone())),
    written: |a, b| format!("({a} ⊙ {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "mul(a, b)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| &args.value("a")? * &args.value("b")?,
    samples: || {
        vec![
            Sample::normal("mul: equal shapes", [&[2, 3], &[2, 3]], |x| &x[0] * &x[1]),
            Sample::normal("mul: both stretched", [&[3, 1, 2], &[5, 1]], |x| &x[0] * &x[1]),
            Sample::normal("mul: with a scalar", [&[3], &[]], |x| &x[0] * &x[1]),
            Sample::normal("mul: with itself", [&[3]], |x| &x[0] * &x[0]),
            Sample::normal("mul: with a number", [&[3]], |x| 3.0 * &x[0]),
        ]
    },
};
