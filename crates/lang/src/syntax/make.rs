//! Makers of expressions for those who write a tree and no text: corrections, derived gradients. Each part is said to stand at
//! the place that is given, which is that of what it replaces.
//!
//! ```
//! use pullback_lang::{BinaryOp, Span, make, print};
//! let at = Span::default();
//! let product = make::binary(at, BinaryOp::MatMul, make::name(at, "G"), make::transposed(&make::name(at, "W")));
//! assert_eq!(print(&product), "G @ W.T");
//! ```

use std::collections::HashMap;

use pullback_network::Dim;

use super::ast::Name;
use super::expr::{BinaryOp, Expr, ExprKind, IndexItem, Operator};
use crate::span::Span;

/// `W`.
pub fn name(at: Span, text: &str) -> Expr {
    Expr::new(at, ExprKind::Name(text.to_owned()))
}

/// `3`.
pub fn integer(at: Span, value: usize) -> Expr {
    Expr::new(at, ExprKind::Number { value: value as f64, integer: true })
}

/// A size, by its name where it has one.
pub fn dim(at: Span, dim: &Dim) -> Expr {
    match dim.name() {
        Some(dim) => name(at, dim.as_str()),
        None => integer(at, dim.size()),
    }
}

/// `[N, 3]`: dims by their names, where they have any.
pub fn shape(at: Span, dims: &[Dim]) -> Expr {
    Expr::new(at, ExprKind::List(dims.iter().map(|size| dim(at, size)).collect()))
}

/// `a + b`.
pub fn binary(at: Span, kind: BinaryOp, left: Expr, right: Expr) -> Expr {
    let operator = Operator { kind, span: at };
    Expr::new(at, ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) })
}

/// `A.T`.
pub fn transposed(expr: &Expr) -> Expr {
    Expr::new(expr.span, ExprKind::Transpose(Box::new(expr.clone())))
}

/// `A` for `A.T`, and `A.T` for `A`.
pub fn untransposed(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Transpose(operand) => (**operand).clone(),
        _ => transposed(expr),
    }
}

/// `-x` for `x`, and `x` for `-x`.
pub fn negated(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Negate(operand) => (**operand).clone(),
        _ => Expr::new(expr.span, ExprKind::Negate(Box::new(expr.clone()))),
    }
}

/// `sum(x, axis=0)`.
pub fn call(at: Span, function: &str, args: Vec<Expr>, kwargs: Vec<(&str, Expr)>) -> Expr {
    let kwargs = kwargs.into_iter().map(|(keyword, value)| (Name::new(keyword, at), value)).collect();
    Expr::new(at, ExprKind::Call { function: Name::new(function, at), args, kwargs })
}

/// `a[:, None]`: a vector as a column.
pub fn column(expr: &Expr) -> Expr {
    let all = IndexItem::Slice { start: None, stop: None, step: None };
    let base = Box::new(expr.clone());
    Expr::new(expr.span, ExprKind::Index { base, items: vec![all, IndexItem::NewAxis] })
}

/// `dL/dZ`, a reference to a claim or a given cotangent.
pub fn reference(at: Span, of: &str, wrt: &str) -> Expr {
    Expr::new(at, ExprKind::ClaimRef { of: Name::new(of, at), wrt: vec![Name::new(wrt, at)] })
}

/// A number, with a minus in front where it has one.
pub fn number(at: Span, value: f64) -> Expr {
    let kind = ExprKind::Number { value: value.abs(), integer: value.fract() == 0.0 };
    let magnitude = Expr::new(at, kind);
    if value < 0.0 { negated(&magnitude) } else { magnitude }
}

/// An expression with others in place of names.
pub fn substituted(expr: &Expr, with: &HashMap<String, Expr>) -> Expr {
    if let ExprKind::Name(name) = &expr.kind {
        return with.get(name).unwrap_or(expr).clone();
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = substituted(child, with);
    }
    copy
}
