//! The sign, element by element: −1, 0 or 1.
//!
//! # Formula
//! y_i = sign(x_i)
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals. NaN stays NaN.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jump too, as in PyTorch.
//!
//! # Why
//! The derivative of abs. It stands in the table so that second derivatives go through the graph.

use crate::{Axes, Elementwise, Entry, Result, Sample, Unary, Val};
use pullback_array::each;

pub(crate) static SIGN: Unary = Unary {
    name: "sign",
    lines: each!(|x| {
        if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            x * 0.0
        }
    }),
    derivative: |_, _| Ok(None),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "sign(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.sign(),
    samples: || {
        vec![
            Sample::normal("sign: a matrix", [&[2, 3]], |x| x[0].sign()),
            Sample::given("sign: at 0", [(&[3], &[-2.0, 0.0, 3.0])], |x| x[0].sign()).at_kink(),
        ]
    },
};

impl Val {
    /// The sign, element by element: −1, 0 or 1. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn sign(&self) -> Result<Val> {
        Val::apply(Elementwise(&SIGN), &[self])
    }
}
