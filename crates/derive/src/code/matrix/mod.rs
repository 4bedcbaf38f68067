//! Expressions of matrices in a normal form: sums of products in which transposes stand at the names, like terms are one, and what terms
//! have in common at an end stands once.
//!
//! `X.T @ m - X.T @ y` is `X.T @ (m - y)`, and `x @ B + B @ x` is `(B + B.T) @ x`, or `2 * B @ x` where B is known to be symmetric. The
//! inverse of a product of square matrices is the product of their inverses, so that it cancels against them; where an inverse is left
//! that is applied, the solution of a linear system takes its place. What the program has a name for is called by it.
//!
//! | module | what it knows |
//! |---|---|
//! | `known` | names: their axes, what is symmetric, how they are defined |
//! | `chain` | products of matrices and vectors as lists of factors |
//! | `factored` | what terms have in common |
//! | `entrywise` | identities of functions: softmax, the logistic function, dot products |
//!
//! What is not here: sums over axes and broadcasts, which are the algebra's; a proof. The identities hold wherever both sides are finite.

mod chain;
mod entrywise;
mod factored;
mod known;

use pullback_lang::{BinaryOp, Expr, ExprKind};

pub use known::Known;
pub(crate) use known::{IDENTITY, INVERSE, OUTER};

use chain::as_chains;
use factored::written;

/// More terms are left as they are.
const MOST_TERMS: usize = 8;

/// The expression in its shortest form, as far as these identities go; itself, where none is shorter.
pub fn shortened(expr: &Expr, known: &Known) -> Expr {
    let mut best = expr.clone();
    // What one identity makes another may use.
    for _ in 0..3 {
        let next = rewritten(&best, known);
        if next == best || length(&next) > length(&best) {
            break;
        }
        best = next;
    }
    best
}

fn rewritten(expr: &Expr, known: &Known) -> Expr {
    if let Some(name) = known.name_of(expr) {
        return name;
    }
    let mut copy = expr.clone();
    if !matches!(copy.kind, ExprKind::Index { .. }) {
        for child in copy.children_mut() {
            *child = rewritten(child, known);
        }
    } else if let ExprKind::Index { base, .. } = &mut copy.kind {
        **base = rewritten(base, known);
    }
    if let Some(name) = known.name_of(&copy) {
        return name;
    }
    while let Some(shorter) = entrywise::shorter(&copy, known) {
        copy = shorter;
    }
    let is_linear = match &copy.kind {
        ExprKind::Binary { operator, .. } => {
            matches!(
                operator.kind,
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::MatMul | BinaryOp::Mul | BinaryOp::Div
            )
        }
        ExprKind::Transpose(_) | ExprKind::Negate(_) => true,
        ExprKind::Call { function, .. } => known.is_product(&function.text),
        _ => false,
    };
    if !is_linear {
        return copy;
    }
    let Some(chains) = as_chains(&copy, known).filter(|chains| chains.len() <= MOST_TERMS) else {
        return copy;
    };
    match written(chains, known) {
        Some(other) if length(&other) < length(&copy) => other,
        _ => copy,
    }
}

/// How long an expression is: operations first, then parts. A transpose is less than an operation.
fn length(expr: &Expr) -> (usize, usize) {
    let mut operations = 0;
    expr.walk(&mut |part| {
        operations += match &part.kind {
            // A number with a sign is a number.
            ExprKind::Negate(inner) if matches!(inner.kind, ExprKind::Number { .. }) => 0,
            ExprKind::Binary { .. } | ExprKind::Negate(_) | ExprKind::Call { .. } => 1,
            _ => 0,
        }
    });
    (operations, expr.parts())
}
