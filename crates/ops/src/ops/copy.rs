//! The same elements under another name: a value of its own.
//!
//! # Formula
//! y_i = x_i
//!
//! # Jacobian
//! ∂y_i/∂x_m = δ_im
//!
//! # Domain
//! All reals, and integers.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! After `h = x` one may ask for ∂L/∂h, the share of the derivative by x that comes through h alone. So a definition that
//! is nothing but another value is an operation, and no second name for that value.

use pullback_array::Array;
use pullback_network::{Coef, Label};

use crate::kernel::Recipe;
use crate::{Axes, BackwardError, Entry, Network, Op, Origin, Result, Sample, Site, Spec, Val};

/// A value as a value of its own; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Copy;

impl Op for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].clone()])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn recipe(&self, inputs: &[usize], _recipe: &mut Recipe) -> Option<usize> {
        Some(inputs[0])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let i = Label::for_dims(at.y().dims());
        Ok(at.network().plus_term(Coef::one(), &i, &i, []))
    }

    fn is_copy(&self) -> bool {
        true
    }

    fn written(&self, inputs: &[String]) -> String {
        inputs[0].clone()
    }
}

/// The same of what other code may have as a quotient by a second operand: its product with that one, divided by it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quotient;

impl Op for Quotient {
    fn name(&self) -> &'static str {
        Copy.name()
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Copy.infer(inputs)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Copy.forward(inputs)
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        Copy.recipe(inputs, recipe)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        if at.input() == 0 { Copy.jacobian(at) } else { Ok(at.network()) }
    }

    fn is_copy(&self) -> bool {
        true
    }

    fn backward_error(&self) -> BackwardError {
        BackwardError::OfProducts
    }

    fn written(&self, inputs: &[String]) -> String {
        Copy.written(inputs)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "copy(x)",
    aliases: &["clone"],
    axes: Axes::Kept,
    call: |args| args.value("x")?.copy(),
    samples: || {
        vec![
            Sample::normal("copy: a matrix", [&[2, 3]], |x| x[0].copy()),
            Sample::normal("copy: beside what it is of", [&[3]], |x| &x[0] * &x[0].copy()?),
        ]
    },
};

impl Val {
    /// The same elements as a value of its own, by which derivatives are other ones.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn copy(&self) -> Result<Val> {
        Val::apply(Copy, &[self])
    }

    /// The same, which other code may have by dividing its product with a `divisor`, of the same shape, by that.
    pub(super) fn as_quotient_by(&self, divisor: &Val) -> Result<Val> {
        Val::apply(Quotient, &[self, divisor])
    }

    /// What the value is a copy of, through copies of copies; itself where it is none.
    pub fn original(&self) -> &Val {
        let mut at = self;
        while let Origin::Call(op, inputs) = at.origin()
            && op.is_copy()
        {
            at = &inputs[0];
        }
        at
    }

    /// The value whose elements these are, in another shape or order, or some of them.
    pub fn viewed(&self) -> Option<&Val> {
        match self.origin() {
            Origin::Call(op, inputs)
                if inputs.len() == 1
                    && matches!(
                        op.name(),
                        "reshape" | "index" | "broadcast_to" | "permute" | "transpose"
                    ) =>
            {
                inputs.first()
            }
            _ => None,
        }
    }
}
