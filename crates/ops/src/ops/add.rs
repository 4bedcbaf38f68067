//! The sum of two values, element by element.
//!
//! # Formula
//! y_i = a_i + b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im, ∂y_i/∂b_m = δ_im. An axis that is stretched carries no delta: it is summed over by a vjp.
//!
//! # Domain
//! All reals; shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The sum is linear in each operand.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Entry, Sample, Slope};

pub(crate) static ADD: Binary = Binary {
    name: "add",
    backward_error: BackwardError::OfTerms,
    lines: pairs!(|a, b| a + b),
    derivative: |_| Ok(Slope::number(Coef::one())),
    written: |a, b| format!("({a} + {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "add(a, b, alpha: number = 1)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| {
        let (a, b) = (args.value("a")?, args.value("b")?);
        match args.number("alpha", 1.0)? {
            1.0 => &a + &b,
            alpha => &a + &(&b * alpha)?,
        }
    },
    samples: || {
        vec![
            Sample::normal("add: equal shapes", [&[2, 3], &[2, 3]], |x| &x[0] + &x[1]),
            Sample::normal("add: both stretched", [&[3, 1, 2], &[5, 1]], |x| &x[0] + &x[1]),
            Sample::normal("add: with a scalar", [&[3], &[]], |x| &x[0] + &x[1]),
            Sample::normal("add: with itself", [&[3]], |x| &x[0] + &x[0]),
            Sample::normal("add: with a number", [&[3]], |x| 3.0 + &x[0]),
        ]
    },
};
