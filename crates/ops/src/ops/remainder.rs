//! What is left of a division, with the sign of the divisor, as `%` in Python.
//!
//! # Formula
//! y_i = a_i − b_i floor(a_i / b_i)
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im, ∂y_i/∂b_m = −δ_im floor(a_i / b_i). An axis that is stretched carries no delta.
//!
//! # Domain
//! Divisors other than 0, finite. (`fmod` has the sign of what is divided.)
//!
//! # At kinks and ties
//! It jumps at multiples of the divisor.
//!
//! # Why
//! A definition: between two jumps the whole quotient is a constant, a value of its own that rounding may turn at a jump.

use crate::{Axes, Entry, Origin, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "remainder(a, b)",
    aliases: &["mod"],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.remainder(&args.value("b")?),
    samples: || {
        vec![
            Sample::given(
                "remainder: all signs",
                [(&[4], &[7.3, -7.3, 7.3, -7.3]), (&[4], &[2.1, 2.1, -2.1, -2.1])],
                |x| x[0].remainder(&x[1]),
            ),
            Sample::given("remainder: stretched", [(&[2, 1], &[5.3, -4.1]), (&[2], &[1.7, -0.9])], |x| {
                x[0].remainder(&x[1])
            }),
        ]
    },
};

impl Val {
    /// What is left of a division by `other`, with its sign, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, and on integers.
    pub fn remainder(&self, other: &Val) -> Result<Val> {
        // A number is brought to the format of what it divides, and is a value of its own for that.
        let other = match is_number(other) {
            true => Val::number(other.array()?.item()?, other.dtype()).copy()?,
            false => other.clone(),
        };
        self - &(&other * &(self / &other)?.floor()?)?
    }
}

/// Is it a number that a program states, or made of such alone?
fn is_number(val: &Val) -> bool {
    val.name().is_none()
        && val.ndim() == 0
        && match val.origin() {
            Origin::Number(_) => true,
            Origin::Leaf => false,
            Origin::Call(_, inputs) => inputs.iter().all(is_number),
        }
}
