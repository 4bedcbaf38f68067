//! Derivatives in expressions: `grad(y, x)`, `jacobian(y, x)`, `hessian(y, x)`, so that a loss may hold them.
//!
//! What they return is a value like any other, which goes on to depend on what `y` depends on: a penalty on a gradient has a
//! gradient. Both are values by name, or expressions of them; by what is computed anew in the expression there is no derivative, since
//! nothing depends on it.

use pullback_autograd::{grad, hessian, jacobian};
use pullback_ops::Val;

use super::evaluate::Evaluator;
use super::failure::{Outcome, of_op};
use crate::{Error, Expr, Span};

impl Evaluator<'_> {
    /// `grad(y, x)`: of the shape of `x`.
    pub(super) fn grad_of(&mut self, span: Span, y: &Expr, x: &Expr) -> Outcome<Val> {
        let y = self.scalar("grad", y)?;
        let x = self.by(x)?;
        Ok(grad(&y, &[&x]).map_err(of_op(span))?.remove(0))
    }

    /// `jacobian(y, x)`: the axes of `y`, then those of `x`.
    pub(super) fn jacobian_of(&mut self, span: Span, y: &Expr, x: &Expr) -> Outcome<Val> {
        let (y, x) = (self.operand(y)?, self.by(x)?);
        jacobian(&y, &x, &[]).and_then(|it| it.to_dense()).map_err(of_op(span))
    }

    /// `hessian(y, x)`: the axes of `x` twice; by two values those of one and of the other.
    pub(super) fn hessian_of(&mut self, span: Span, y: &Expr, x: &Expr, other: &Expr) -> Outcome<Val> {
        let y = self.scalar("hessian", y)?;
        let (x, other) = (self.by(x)?, self.by(other)?);
        hessian(&y, &x, &other).and_then(|it| it.to_dense()).map_err(of_op(span))
    }

    fn scalar(&mut self, function: &str, y: &Expr) -> Outcome<Val> {
        let val = self.operand(y)?;
        if val.ndim() == 0 {
            return Ok(val);
        }
        Err(Error::new(
            y.span,
            format!("{function}: it is taken of a scalar, and this has the shape {:?}", val.dims()),
        )
        .with_hint("`sum` makes one; of an array `jacobian(y, x)` is the derivative")
        .into())
    }

    /// What is differentiated by.
    fn by(&mut self, x: &Expr) -> Outcome<Val> {
        let val = self.operand(x)?;
        if val.dtype().is_float() {
            return Ok(val);
        }
        Err(Error::new(x.span, "there is no derivative by whole numbers").into())
    }
}
