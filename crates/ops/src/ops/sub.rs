//! The difference of two values, element by element.
//!
//! # Formula
//! y_i = a_i − b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im, ∂y_i/∂b_m = −δ_im. An axis that is stretched carries no delta: it is summed over by a vjp.
//!
//! # Domain
//! All reals; shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The difference is linear in each operand.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Entry, Sample, Slope};

pub(crate) static SUB: Binary = Binary {
    name: "sub",
    backward_error: BackwardError::OfTerms,
    lines: pairs!(|a, b| a - b),
    derivative: |at| Ok(Slope::number(if at.input() == 0 { Coef::one() } else { Coef::minus_one() })),
    written: |a, b| format!("({a} − {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sub(a, b, alpha: number = 1)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| {
        let (a, b) = (args.value("a")?, args.value("b")?);
        match args.number("alpha", 1.0)? {
            1.0 => &a - &b,
            alpha => &a - &(&b * alpha)?,
        }
    },
    samples: || {
        vec![
            Sample::normal("sub: equal shapes", [&[2, 3], &[2, 3]], |x| &x[0] - &x[1]),
            Sample::normal("sub: both stretched", [&[3, 1, 2], &[5, 1]], |x| &x[0] - &x[1]),
            Sample::normal("sub: with a scalar", [&[3], &[]], |x| &x[0] - &x[1]),
            Sample::normal("sub: with itself", [&[3]], |x| &x[0] - &x[0].clone()),
            Sample::normal("sub: with a number", [&[3]], |x| 3.0 - &x[0]),
        ]
    },
};
