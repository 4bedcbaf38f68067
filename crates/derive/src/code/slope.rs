//! The derivative of an element-wise function, as one writes it: what the operation states, with `x` for its argument and `y` for its
//! result.
//!
//! ```
//! use pullback_derive::slope;
//! use pullback_lang::print;
//!
//! let of = |name: &str| slope(pullback_ops::find(name)?).map(|expr| print(&expr));
//! assert_eq!(of("tanh").as_deref(), Some("1 - y^2"));
//! assert_eq!(of("sqrt").as_deref(), Some("1 / (2 * y)"));
//! assert_eq!(of("cos").as_deref(), Some("-sin(x)"));
//! assert_eq!(of("matmul"), None);
//! ```

use pullback_array::DType;
use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make};
use pullback_ops::{Arg, Args, Factor, Operation, Origin, Val};

use super::Source;
use super::payload::Writer;

/// The derivative of an operation on one value, element by element; `None` of any other, and where it is zero.
pub fn slope(operation: &'static Operation) -> Option<Expr> {
    let x = Val::symbol("x", &[], DType::F64);
    let given = vec![Arg::Value(x.clone())];
    let args = Args::bind(operation.name, operation.entry, given, Vec::new(), DType::F64).ok()?;
    let y = (operation.entry.call)(&args).ok()?;
    let Origin::Call(op, inputs) = y.origin() else { return None };
    if !op.is_elementwise() || inputs.len() != 1 || op.name() != operation.name {
        return None;
    }
    let network = y.clone().named("y").jacobian(0).ok()?;
    let [term] = network.terms() else { return None };
    let payload = match term.factors.as_slice() {
        [] => None,
        [Factor::Dense(payload, _)] => {
            let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: true };
            Some(Writer::new(&source).written(payload)?)
        }
        _ => return None,
    };
    Some(times(term.coef.value(), payload))
}

/// A number times an expression, what is divided by below the bar.
fn times(number: f64, payload: Option<Expr>) -> Expr {
    let at = Span::default();
    let product = |number: f64, expr: Expr| match number {
        1.0 => expr,
        -1.0 => make::negated(&expr),
        _ => make::binary(at, BinaryOp::Mul, make::number(at, number), expr),
    };
    let Some(payload) = payload else { return make::number(at, number) };
    let Some(below) = below(&payload) else { return product(number, payload) };
    let (above, below) = match number.recip() {
        inverse if number.abs() < 1.0 && (inverse - inverse.round()).abs() < 1e-12 => {
            (inverse.signum(), product(inverse.abs().round(), below))
        }
        _ => (number, below),
    };
    make::binary(at, BinaryOp::Div, make::number(at, above), below)
}

/// What one is divided by.
fn below(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    let is = |expr: &Expr, number: f64| *expr == make::number(Span::default(), number);
    match operator.kind {
        BinaryOp::Div if is(left, 1.0) => Some((**right).clone()),
        BinaryOp::Pow if is(right, -1.0) => Some((**left).clone()),
        _ => None,
    }
}
