//! The logarithm of 1 + e^x, without overflow, element by element.
//!
//! # Formula
//! y_i = ln(1 + e^x_i); with β, ln(1 + e^(β x_i)) / β, and x_i where β x_i is beyond a threshold that is given
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im sigmoid(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! The chain rule gives e^x / (1 + e^x).

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static SOFTPLUS: Unary = Unary {
    name: "softplus",
    lines: each!(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
    derivative: |x, _| Ok(Slope::value(x.sigmoid()?)),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "softplus(x, beta: number = 1, threshold: number = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let beta = args.number("beta", 1.0)?;
        let y = if beta == 1.0 { x.softplus()? } else { (&(&x * beta)?.softplus()? / beta)? };
        match args.has("threshold") {
            // Beyond it PyTorch takes the value itself, which is the same but for a rounding at its own threshold of 20.
            true => {
                let beyond = &(&x * beta)? - &Val::number(args.number("threshold", 20.0)?, x.dtype());
                beyond?.step()?.choose(&x, &y)
            }
            false => Ok(y),
        }
    },
    samples: || {
        vec![
            Sample::normal("softplus: a matrix", [&[2, 3]], |x| x[0].softplus()),
            Sample::given("softplus: large", [(&[3], &[-40.0, 0.0, 35.0])], |x| x[0].softplus()),
        ]
    },
};

impl Val {
    /// The logarithm of 1 + e^x, without overflow, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn softplus(&self) -> Result<Val> {
        Val::apply(Elementwise(&SOFTPLUS), &[self])
    }
}
