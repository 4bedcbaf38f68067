//! A power, element by element.
//!
//! # Formula
//! y_i = a_i ^ b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im b_i a_i^(b_i − 1), ∂y_i/∂b_m = δ_im y_i ln(a_i). An axis that is stretched carries no delta.
//!
//! # Domain
//! Any base with an exponent that is a whole number of the program; a base from 0 on where that is a fraction; one above 0
//! where the exponent is a value, since the slopes need a logarithm. Outside, the result is NaN or infinite, as in PyTorch.
//!
//! # At kinks and ties
//! Smooth inside the domain; a power of 0 is 1 with slope 0, of the base 0 too.
//!
//! # Why
//! a^b = exp(b ln a). With a fixed exponent c the slope c·a^(c−1) needs no logarithm and holds for all a where it is
//! finite.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Elementwise2, Entry, Result, Sample, Slope, Val};

pub(crate) static POW: Binary = Binary {
    name: "pow",
    backward_error: BackwardError::None,
    lines: pairs!(power32, power64),
    derivative: |at| {
        let [a, b] = at.inputs() else { unreachable!("a power has two inputs") };
        Ok(match (at.input(), b.as_number()) {
            (0, Some(0.0)) => None,
            (0, Some(number)) => Slope::times(Coef::number(number), a.powf(number - 1.0)?),
            (0, None) => Slope::value((b * &a.pow(&(b - 1.0)?)?)?),
            _ => Slope::value((at.y() * &a.log()?)?),
        })
    },
    written: |a, b| format!("{a}^{b}"),
};

/// Squares by multiplication: exact, and faster.
fn power64(a: f64, b: f64) -> f64 {
    if b == 2.0 { a * a } else { a.powf(b) }
}

/// The same in single precision.
fn power32(a: f32, b: f32) -> f32 {
    if b == 2.0 { a * a } else { a.powf(b) }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "pow(a, b)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.pow(&args.value("b")?),
    samples: || {
        vec![
            Sample::given("pow: squares, at 0 too", [(&[4], &[-1.5, 0.0, 2.0, 3.0])], |x| x[0].powf(2.0)),
            Sample::given("pow: cubes, at 0 too", [(&[3], &[-1.5, 0.0, 2.0])], |x| x[0].powf(3.0)),
            Sample::normal("pow: a negative exponent", [&[3]], |x| x[0].powf(-2.0)).positive(),
            Sample::normal("pow: a fraction", [&[3]], |x| x[0].powf(2.5)).positive(),
            Sample::normal("pow: 0 and 1", [&[3]], |x| &x[0].powf(0.0)? + &x[0].powf(1.0)?),
            Sample::normal("pow: both stretched", [&[3, 1], &[2]], |x| x[0].pow(&x[1])).positive(),
        ]
    },
};

impl Val {
    /// `self ^ exponent`, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast.
    pub fn pow(&self, exponent: &Val) -> Result<Val> {
        match exponent.as_number() {
            Some(1.0) if self.dtype().is_float() => Ok(self.clone()),
            _ => Val::apply(Elementwise2(&POW), &[self, exponent]),
        }
    }

    /// `self ^ exponent` for a number.
    ///
    /// # Errors
    /// On integers.
    pub fn powf(&self, exponent: f64) -> Result<Val> {
        self.pow(&Val::number(exponent, self.dtype()))
    }
}
