//! A change of an expression: which part, what in its place, and what that says about the mistake.
//!
//! A part is named by its path: which child to take, from the root down, in the order of [`Expr::children`].

pub(crate) use pullback_lang::make::{
    binary, call, column, dim, integer, name, negated, reference, shape, transposed, untransposed,
};
use pullback_lang::{Expr, ExprKind, Span};

use crate::words::Words;

/// The way from the root of an expression to a part of it.
pub(crate) type Path = Vec<usize>;

/// A change of one part of an expression, as a cause proposes it.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// What stands in place of the part.
    pub with: Expr,
    /// How unlikely such a slip is: the cheapest edits that fit are told. 2 is a slip of the pen; each thing more to
    /// change adds one.
    pub cost: u32,
    /// Where the caret stands, where it is not the whole part.
    pub span: Option<Span>,
    /// Does it put in or take out a number or a size, so that data of other sizes is needed to tell it from others?
    pub sized: bool,
    /// What is to be said at its place; else that `with` belongs there.
    pub label: Option<Words>,
    pub explanation: Words,
}

impl Edit {
    pub(crate) fn new(with: Expr, cost: u32, explanation: Words) -> Edit {
        Edit { with, cost, span: None, sized: false, label: None, explanation }
    }

    /// The same with the caret at a smaller place, and what is said there.
    pub(crate) fn at(self, span: Span, label: Words) -> Edit {
        Edit { span: Some(span), label: Some(label), ..self }
    }

    /// The same, marked as one that other sizes may refute.
    pub(crate) fn sized(self) -> Edit {
        Edit { sized: true, ..self }
    }
}

/// The part of an expression at a path.
pub(crate) fn part<'e>(expr: &'e Expr, path: &[usize]) -> Option<&'e Expr> {
    path.iter().try_fold(expr, |at, &child| at.children().get(child).copied())
}

/// The expression with another part at a path.
pub(crate) fn replaced(expr: &Expr, path: &[usize], with: Expr) -> Expr {
    let mut whole = expr.clone();
    let mut at = &mut whole;
    for &child in path {
        match at.children_mut().into_iter().nth(child) {
            Some(next) => at = next,
            None => return expr.clone(),
        }
    }
    *at = with;
    whole
}

/// A call of one function as a call of another one with the same arguments, `mean(x)` for `sum(x)`.
pub(crate) fn renamed(call: &Expr, from: &str, to: &str) -> Option<Expr> {
    let mut renamed = call.clone();
    match &mut renamed.kind {
        ExprKind::Call { function, .. } if function.text == from => function.text = to.to_owned(),
        _ => return None,
    }
    Some(renamed)
}

/// The number of parts of an expression.
pub(crate) fn size(expr: &Expr) -> usize {
    expr.parts()
}

/// A number written without a name, with its sign.
pub(crate) fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number { value, .. } => Some(*value),
        ExprKind::Negate(operand) => number(operand).map(|value| -value),
        _ => None,
    }
}
