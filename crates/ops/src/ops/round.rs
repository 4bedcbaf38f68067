//! The nearest whole number, of two the even one, element by element.
//!
//! # Formula
//! y_i = round(x_i); with decimals d, round(10^d x_i) / 10^d
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jumps too.
//!
//! # Why
//! It does not change between two jumps.

use crate::{Axes, Elementwise, Entry, Result, Sample, Unary, Val};
use pullback_array::each;

pub(crate) static ROUND: Unary = Unary {
    name: "round",
    lines: each!(f32::round_ties_even, f64::round_ties_even),
    derivative: |_, _| Ok(None),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "round(x, decimals: integer = 0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        match args.whole("decimals", 0)? {
            0 => x.round(),
            decimals => {
                let scale = 10f64.powi(decimals.clamp(-400, 400) as i32);
                &(&x * scale)?.round()? / scale
            }
        }
    },
    samples: || {
        vec![
            Sample::given("round: between", [(&[4], &[-1.3, 0.2, 0.8, 2.6])], |x| x[0].round()),
            Sample::given("round: at whole numbers", [(&[6], &[-2.0, -0.5, 0.0, 0.5, 1.5, 3.0])], |x| {
                x[0].round()
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The nearest whole number, of two the even one, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn round(&self) -> Result<Val> {
        Val::apply(Elementwise(&ROUND), &[self])
    }
}
