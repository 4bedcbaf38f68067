//! A value with numbers in place of what is none.
//!
//! # Formula
//! y_i = x_i where x_i is finite, `nan` where it is NaN, and the largest or the lowest number of its type where it is infinite
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im `[x_i is finite]`
//!
//! # Domain
//! All reals, infinities and NaN.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: choices, of which the branch that is not taken contributes nothing.

use pullback_array::DType;

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "nan_to_num(x, nan: number = 0, posinf: number = none, neginf: number = none)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let largest = if x.dtype() == DType::F32 { f64::from(f32::MAX) } else { f64::MAX };
        x.nan_to_num(
            args.number("nan", 0.0)?,
            args.number("posinf", largest)?,
            args.number("neginf", -largest)?,
        )
    },
    samples: || {
        vec![Sample::normal("nan_to_num: numbers", [&[3]], |x| {
            x[0].powf(2.0)?.nan_to_num(0.0, 1e300, -1e300)
        })]
    },
};

impl Val {
    /// The value with numbers in place of NaN and of the infinities. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn nan_to_num(&self, nan: f64, above: f64, below: f64) -> Result<Val> {
        let number = |value: f64| Val::number(value, self.dtype());
        // An infinity times 0 is NaN: what is neither is finite.
        let finite = (1.0 - &(self * 0.0)?.isnan()?)?;
        let infinite = self.sign()?.step()?.choose(&number(above), &number(below))?;
        let other = self.isnan()?.choose(&number(nan), &infinite)?;
        finite.choose(self, &other)
    }
}
