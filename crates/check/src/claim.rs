//! A claim and what it is about.

use pullback_array::{Array, DType, Precision};
use pullback_network::Value as _;
use pullback_ops::{Result, Val};

use crate::graph::held;
use crate::layout::ClaimLayout;
use crate::rounding;

/// What a claim is about: ∂of/∂wrt, or a derivative of as high an order as there are `wrt`.
///
/// The program is given in double precision; for a claim computed in single precision, on the rounded inputs.
#[derive(Clone, Debug)]
pub struct Subject {
    pub(crate) of: Val,
    pub(crate) wrt: Vec<Val>,
    pub(crate) fixed: Vec<Val>,
    pub(crate) symmetric: bool,
}

impl Subject {
    /// The total derivative of `of` by `wrt`.
    pub fn new(of: &Val, wrt: &Val) -> Subject {
        Subject::by(of, vec![wrt.clone()])
    }

    /// The second derivative, by `x` and then by `y`.
    pub fn second(of: &Val, x: &Val, y: &Val) -> Subject {
        Subject::by(of, vec![x.clone(), y.clone()])
    }

    /// The derivative by all of these, one after the other: of an array `[of…, first…, second…]`. By none it is that by the value itself.
    pub fn repeated(of: &Val, wrt: &[Val]) -> Subject {
        Subject::by(of, if wrt.is_empty() { vec![of.clone()] } else { wrt.to_vec() })
    }

    /// What the program itself holds is fixed, unless it is what is differentiated by.
    fn by(of: &Val, wrt: Vec<Val>) -> Subject {
        let mut fixed = held(&[of]);
        fixed.retain(|value| wrt.iter().all(|wrt| wrt.id() != value.id()));
        Subject { of: of.clone(), wrt, fixed, symmetric: false }
    }

    /// What is differentiated by last.
    pub(crate) fn last(&self) -> &Val {
        &self.wrt[self.wrt.len() - 1]
    }

    /// Is what is differentiated by a matrix that is said to be symmetric? A claim may then follow any of the conventions of
    /// [`Moves`](crate::Moves).
    pub fn by_symmetric(self, symmetric: bool) -> Subject {
        Subject { symmetric, ..self }
    }

    /// The partial derivative with these values held.
    pub fn holding(mut self, fixed: &[Val]) -> Subject {
        self.fixed.extend_from_slice(fixed);
        self
    }
}

/// How far rounding may have moved claimed numbers.
#[derive(Clone, Debug)]
pub(crate) enum Rounding {
    /// By so much, entry by entry: an array of the claim's shape.
    Measured(Array),
    /// As far as a computation in this precision may: nothing else is known of it.
    Unknown(Precision),
}

/// Claimed numbers.
#[derive(Clone, Debug)]
pub struct Claim {
    pub(crate) array: Array,
    pub(crate) layout: ClaimLayout,
    pub(crate) rounding: Rounding,
    /// Was it written as zeros?
    pub(crate) zeros: bool,
    /// What the numbers are those of.
    pub(crate) computed_by: Option<Val>,
    /// In what they were computed.
    pub(crate) precision: Precision,
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
        Ok(Claim::evaluated_all(&[(array, expression)])?.remove(0))
    }

    /// Several at once, in one precision: what they share is perturbed once for all of them.
    ///
    /// # Errors
    /// Where an expression cannot be evaluated.
    pub fn evaluated_all(claims: &[(&Array, &Val)]) -> Result<Vec<Claim>> {
        let Some((first, _)) = claims.first() else { return Ok(Vec::new()) };
        let precision = Precision::of(first.dtype());
        // What nothing moves is no result that could have become zero.
        let underflow = |spread: f64| if spread > 0.0 { precision.underflow() } else { 0.0 };
        let error = |spread: f64| spread * precision.epsilon() + underflow(spread);
        let expressions: Vec<&Val> = claims.iter().map(|(_, expression)| *expression).collect();
        let of = |((array, expression), spread): (&(&Array, &Val), Vec<f64>)| {
            // What fails where it is perturbed, a matrix that is nearly singular, says nothing of the others.
            let spread = match claims.len() > 1 && spread.iter().any(|spread| !spread.is_finite()) {
                true => rounding::amplification(&[expression], precision)?.remove(0),
                false => spread,
            };
            let errors = spread.into_iter().map(error).collect();
            let rounding = Rounding::Measured(Array::from_vec(&expression.shape(), errors)?);
            let (array, layout) = (array.cast(DType::F64)?, ClaimLayout::Either);
            let computed_by = Some((*expression).clone());
            Ok(Claim { array, layout, rounding, zeros: false, computed_by, precision })
        };
        claims.iter().zip(rounding::amplification(&expressions, precision)?).map(of).collect()
    }

    /// Numbers from elsewhere: nothing is known of how they were computed but the precision. How far rounding may have moved
    /// them is told by the program's own gradient: each of its intermediate results is rounded in that precision.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn numbers(array: &Array, precision: Precision) -> Result<Claim> {
        let rounding = Rounding::Unknown(precision);
        let array = array.cast(DType::F64)?;
        Ok(Claim { array, layout: ClaimLayout::Either, rounding, zeros: false, computed_by: None, precision })
    }

    /// What rounding may leave of an entry that is zero, beside the largest: rounding of its rounding, where it is known how it was computed.
    /// Of other code terms may cancel in the format in which its sums run, 10⁻¹⁶ beside 1 in a second derivative of PyTorch's.
    pub(crate) fn of_zeros(&self) -> f64 {
        let (own, sums) = (self.precision.epsilon().powi(2), self.precision.accumulator().epsilon());
        match self.rounding {
            Rounding::Measured(_) => own,
            Rounding::Unknown(_) => own.max(sums),
        }
    }

    /// The claim in a layout.
    pub fn in_layout(self, layout: ClaimLayout) -> Claim {
        Claim { layout, ..self }
    }

    /// The claim, marked as written as zeros: it may then hold of a derivative that is zero by construction.
    pub fn written_as_zeros(self, zeros: bool) -> Claim {
        Claim { zeros, ..self }
    }

    /// The claim with the value, in its own precision, whose numbers it has: where one of them is not finite it is told
    /// which operation makes it so. Without it the expression in double precision is asked.
    pub fn computed_by(self, value: &Val) -> Claim {
        Claim { computed_by: Some(value.clone()), ..self }
    }
}
