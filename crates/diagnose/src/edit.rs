//! A change of an expression: which part, what in its place, and what that says about the mistake.
//!
//! A part is named by its path: which child to take, from the root down, in the order of [`Expr::children`].

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Name, Operator, Span};
use pullback_network::Dim;

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

/// Makers of expressions, each at the place of what it replaces.
pub(crate) fn name(at: Span, text: &str) -> Expr {
    Expr::new(at, ExprKind::Name(text.to_owned()))
}

pub(crate) fn integer(at: Span, value: usize) -> Expr {
    Expr::new(at, ExprKind::Number { value: value as f64, integer: true })
}

/// A size, by its name where it has one.
pub(crate) fn dim(at: Span, dim: &Dim) -> Expr {
    match dim.name() {
        Some(dim) => name(at, dim.as_str()),
        None => integer(at, dim.size()),
    }
}

/// `[N, 3]`: dims by their names, where they have any.
pub(crate) fn shape(at: Span, dims: &[Dim]) -> Expr {
    Expr::new(at, ExprKind::List(dims.iter().map(|size| dim(at, size)).collect()))
}

pub(crate) fn binary(at: Span, kind: BinaryOp, left: Expr, right: Expr) -> Expr {
    let operator = Operator { kind, span: at };
    Expr::new(at, ExprKind::Binary { operator, left: Box::new(left), right: Box::new(right) })
}

pub(crate) fn transposed(expr: &Expr) -> Expr {
    Expr::new(expr.span, ExprKind::Transpose(Box::new(expr.clone())))
}

/// `A` for `A.T`, and `A.T` for `A`.
pub(crate) fn untransposed(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Transpose(operand) => (**operand).clone(),
        _ => transposed(expr),
    }
}

/// `-x` for `x`, and `x` for `-x`.
pub(crate) fn negated(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Negate(operand) => (**operand).clone(),
        _ => Expr::new(expr.span, ExprKind::Negate(Box::new(expr.clone()))),
    }
}

pub(crate) fn call(at: Span, function: &str, args: Vec<Expr>, kwargs: Vec<(&str, Expr)>) -> Expr {
    let kwargs = kwargs.into_iter().map(|(keyword, value)| (Name::new(keyword, at), value)).collect();
    Expr::new(at, ExprKind::Call { function: Name::new(function, at), args, kwargs })
}

/// `a[:, None]`: a vector as a column.
pub(crate) fn column(expr: &Expr) -> Expr {
    let all = IndexItem::Slice { start: None, stop: None, step: None };
    let base = Box::new(expr.clone());
    Expr::new(expr.span, ExprKind::Index { base, items: vec![all, IndexItem::NewAxis] })
}

/// The number of parts of an expression.
pub(crate) fn size(expr: &Expr) -> usize {
    let mut parts = 0;
    expr.walk(&mut |_| parts += 1);
    parts
}

/// A number written without a name, with its sign.
pub(crate) fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number { value, .. } => Some(*value),
        ExprKind::Negate(operand) => number(operand).map(|value| -value),
        _ => None,
    }
}
