//! The absolute value, element by element.
//!
//! # Formula
//! y_i = |x_i|
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im sign(x_i)
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! abs′(0) = 0, as in PyTorch: the middle of the subgradients [−1, 1].
//!
//! # Why
//! |x| = x sign(x), and sign is constant on either side of 0.

use crate::{Axes, Elementwise, Entry, Result, Sample, Slope, Unary, Val};
use pullback_array::each;

pub(crate) static ABS: Unary =
    Unary { name: "abs", lines: each!(f32::abs, f64::abs), derivative: |x, _| Ok(Slope::value(x.sign()?)) };

pub(crate) static ENTRY: Entry = Entry {
    signature: "abs(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.abs(),
    samples: || {
        vec![
            Sample::normal("abs: a matrix", [&[2, 3]], |x| x[0].abs()),
            Sample::given("abs: at 0", [(&[3], &[-2.0, 0.0, 3.0])], |x| x[0].abs()).at_kink(),
        ]
    },
};

impl Val {
    /// The absolute value, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn abs(&self) -> Result<Val> {
        Val::apply(Elementwise(&ABS), &[self])
    }
}
