//! A claim and what it is about.

use pullback_array::{Array, DType};
use pullback_ops::{Result, Val};

use crate::layout::ClaimLayout;
use crate::rounding;

/// What a claim is about: ∂of/∂wrt, or the second derivative where `wrt` are two.
///
/// The program is given in double precision; for a claim computed in single precision, on the rounded inputs.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(crate) of: Val,
    pub(crate) wrt: Vec<Val>,
    pub(crate) fixed: Vec<Val>,
}

impl Subject {
    /// The total derivative of `of` by `wrt`.
    pub fn new(of: &Val, wrt: &Val) -> Subject {
        Subject { of: of.clone(), wrt: vec![wrt.clone()], fixed: Vec::new() }
    }

    /// The second derivative of a scalar, by `x` and then by `y`.
    pub fn second(of: &Val, x: &Val, y: &Val) -> Subject {
        Subject { of: of.clone(), wrt: vec![x.clone(), y.clone()], fixed: Vec::new() }
    }

    /// The partial derivative with these values held.
    pub fn holding(mut self, fixed: &[Val]) -> Subject {
        self.fixed.extend_from_slice(fixed);
        self
    }
}

/// Claimed numbers.
#[derive(Clone, Debug)]
pub struct Claim {
    pub(crate) array: Array,
    pub(crate) layout: ClaimLayout,
    /// How far rounding may have moved an entry.
    pub(crate) rounding: f64,
    /// Was it written as zeros?
    pub(crate) zeros: bool,
}

impl Claim {
    /// A claim computed by an expression, in double precision.
    ///
    /// # Errors
    /// Where the expression cannot be evaluated.
    pub fn of(value: &Val) -> Result<Claim> {
        Claim::evaluated(value.array()?, value)
    }

    /// The numbers that an expression gave in some precision, and the same expression in double precision: how far
    /// rounding may have moved the numbers is measured on it.
    ///
    /// # Errors
    /// Where the expression cannot be evaluated.
    pub fn evaluated(array: &Array, expression: &Val) -> Result<Claim> {
        let spread = rounding::amplification(expression)?;
        Ok(Claim {
            array: array.cast(DType::F64)?,
            layout: ClaimLayout::Either,
            rounding: spread * array.dtype().epsilon(),
            zeros: false,
        })
    }

    /// Numbers from elsewhere: nothing is known of how they were computed but their precision.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn numbers(array: &Array) -> Result<Claim> {
        let rounding = array.max_abs() * array.dtype().epsilon();
        Ok(Claim { array: array.cast(DType::F64)?, layout: ClaimLayout::Either, rounding, zeros: false })
    }

    /// The claim in a layout.
    pub fn in_layout(self, layout: ClaimLayout) -> Claim {
        Claim { layout, ..self }
    }

    /// The claim, marked as written as zeros: it may then hold of a derivative that is zero by construction.
    pub fn written_as_zeros(self, zeros: bool) -> Claim {
        Claim { zeros, ..self }
    }
}
