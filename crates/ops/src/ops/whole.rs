//! The nearest whole number as an integer, element by element: what selects elements.
//!
//! # Formula
//! y_i = round(x_i), an integer
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals up to 2⁵³ in size; integers are what they are.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jumps too.
//!
//! # Why
//! It does not change between two jumps. What is computed of integers, `k + 1`, is a number that is whole but for rounding.

use pullback_array::{Array, DType};

use crate::{Axes, Entry, Error, Network, Op, Result, Sample, Site, Spec, Val};

/// The numbers as integers; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Whole;

impl Op for Whole {
    fn name(&self) -> &'static str {
        "whole"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![Spec::new(inputs[0].dims.clone(), DType::I64)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        // Every whole number below is one of f64's.
        const MOST: f64 = (1u64 << 53) as f64;
        let numbers = inputs[0].to_vec_f64();
        if let Some(wrong) = numbers.iter().find(|number| number.is_nan() || number.abs() > MOST) {
            return Err(Error::new(format!("whole: {wrong} is no whole number")));
        }
        let whole = numbers.into_iter().map(|number| number.round_ties_even() as i64).collect();
        Ok(vec![Array::from_vec(inputs[0].shape(), whole)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "whole(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.whole(),
    samples: || {
        vec![Sample::normal("whole: rows that are computed", [&[4, 2]], |x| {
            let numbers = Val::new(Array::from_slice(&[3], &[1.0, 0.0, 2.0])?.cast(x[0].dtype())?);
            x[0].gather(&(&numbers + &Val::number(1.0, x[0].dtype()))?.whole()?, 0)?.powf(2.0)
        })]
    },
};

impl Val {
    /// The nearest whole numbers as integers, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On evaluation, where a number is none that an integer holds.
    pub fn whole(&self) -> Result<Val> {
        if self.dtype() == DType::I64 { Ok(self.clone()) } else { Val::apply(Whole, &[self]) }
    }
}
