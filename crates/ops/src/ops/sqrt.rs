//! The square root, element by element.
//!
//! # Formula
//! y_i = √x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im / (2 y_i)
//!
//! # Domain
//! From 0 on; the derivative is infinite at 0. Below 0 the value is NaN.
//!
//! # At kinks and ties
//! At 0 the slope is +∞, as in PyTorch.
//!
//! # Why
//! From y² = x: 2y dy = dx.

use pullback_array::{each, pairs};
use pullback_network::Coef;

use crate::{
    Axes, BackwardError, Binary, Elementwise, Elementwise2, Entry, Result, Sample, Slope, Unary, Val,
};

pub(crate) static SQRT: Unary = Unary {
    name: "sqrt",
    lines: each!(f32::sqrt, f64::sqrt),
    derivative: |_, y| Ok(Slope::times(Coef::ratio(1, 2), (1.0 / y)?)),
};

/// The root of a sum of squares, whose slope is taken to be 0 where all of them are: the middle of the subgradients of a length.
static ROOT_OF_SQUARES: Unary = Unary {
    name: SQRT.name,
    lines: each!(f32::sqrt, f64::sqrt),
    derivative: |_, y| Ok(Slope::times(Coef::ratio(1, 2), or_zero(&Val::number(1.0, y.dtype()), y)?)),
};

/// A quotient that is 0 where it is divided by 0.
static OR_ZERO: Binary = Binary {
    name: "div",
    backward_error: BackwardError::None,
    lines: pairs!(|a, b| if b == 0.0 { 0.0 } else { a / b }),
    derivative: |at| {
        let b = &at.inputs()[1];
        Ok(match at.input() {
            0 => Slope::value(or_zero(&Val::number(1.0, b.dtype()), b)?),
            _ => Slope::times(Coef::minus_one(), or_zero(at.y(), b)?),
        })
    },
    written: |a, b| format!("({a} / {b})"),
};

fn or_zero(a: &Val, b: &Val) -> Result<Val> {
    Val::apply(Elementwise2(&OR_ZERO), &[a, b])
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "sqrt(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sqrt(),
    samples: || {
        vec![
            Sample::normal("sqrt: a matrix", [&[2, 3]], |x| x[0].sqrt()).positive(),
            Sample::given("sqrt: a scalar", [(&[], &[0.7])], |x| x[0].sqrt()),
        ]
    },
};

impl Val {
    /// The square root, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sqrt(&self) -> Result<Val> {
        Val::apply(Elementwise(&SQRT), &[self])
    }

    /// The same of a sum of squares, which is 0 where all of them are: there its slope is taken to be 0.
    ///
    /// # Errors
    /// On integers.
    pub(crate) fn root_of_squares(&self) -> Result<Val> {
        Val::apply(Elementwise(&ROOT_OF_SQUARES), &[self])
    }
}
