//! The length of the hypotenuse, which neither overflows nor underflows.
//!
//! # Formula
//! y_i = √(a_i² + b_i²)
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im a_i / y_i, ∂y_i/∂b_m = δ_im b_i / y_i. An axis that is stretched carries no delta.
//!
//! # Domain
//! All reals; there is no derivative where both are 0.
//!
//! # At kinks and ties
//! Where both are 0 it has the kink of an absolute value, and the rule is NaN, as in PyTorch.
//!
//! # Why
//! The slope of the square root is 1/(2y), and that of a square 2a.

use crate::{Axes, BackwardError, Binary, Elementwise2, Entry, Result, Sample, Slope, Val};
use pullback_array::pairs;

pub(crate) static HYPOT: Binary = Binary {
    name: "hypot",
    backward_error: BackwardError::None,
    lines: pairs!(f32::hypot, f64::hypot),
    derivative: |at| Ok(Slope::value((at.x() / at.y())?)),
    written: |a, b| format!("hypot({a}, {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "hypot(a, b)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.hypot(&args.value("b")?),
    samples: || {
        vec![
            Sample::normal("hypot: stretched", [&[2, 1], &[3]], |x| x[0].hypot(&x[1])),
            Sample::normal("hypot: one shape", [&[4], &[4]], |x| x[0].hypot(&x[1])),
        ]
    },
};

impl Val {
    /// The length of the vector of this and `other`, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, and on integers.
    pub fn hypot(&self, other: &Val) -> Result<Val> {
        Val::apply(Elementwise2(&HYPOT), &[self, other])
    }
}
