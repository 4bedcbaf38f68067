//! A value that no derivative goes through.
//!
//! # Formula
//! y_i = x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! It is stated: what is derived is the program in which y is held at its value, as `[y fixed]` says of one claim. Finite differences hold
//! it too.

use pullback_array::Array;

use crate::kernel::Recipe;
use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// A value that is held; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct StopGradient;

impl Op for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].clone()])
    }

    fn recipe(&self, inputs: &[usize], _recipe: &mut Recipe) -> Option<usize> {
        Some(inputs[0])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }

    fn holds(&self) -> bool {
        true
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "stop_gradient(x)",
    aliases: &["detach"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.stop_gradient(),
    // Differences of it alone would see a slope of 1, as at a kink they see one of a side.
    samples: || {
        vec![
            Sample::normal("stop_gradient: a matrix", [&[2, 3]], |x| x[0].stop_gradient()).at_kink(),
            Sample::normal("stop_gradient: beside what is not held", [&[3]], |x| {
                &x[0] * &x[0].stop_gradient()?
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The same numbers, through which no derivative goes.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn stop_gradient(&self) -> Result<Val> {
        Val::apply(StopGradient, &[self])
    }
}
