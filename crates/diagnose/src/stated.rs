//! The numbers that a forward pass states: the 20 of `X @ W / 20`, the 0.01 of `0.01 * w^2`, an exponent.
//!
//! Differentiation makes factors of them, and of no others: one that is missing from a gradient, or there twice, is one of these
//! sooner than a product of sizes that happens to be the same number. What is only added, as an epsilon is, becomes no factor.

use pullback_lang::{BinaryOp, Expr, ExprKind, File, StatementKind};

use crate::case::is_constant;

/// A file with more of them is one of data.
const MOST: usize = 8;

/// A number of the forward pass.
pub(crate) struct Stated {
    /// As it is written there: `20`, `sqrt(2 / 3.141592653589793)`.
    pub expr: Expr,
    /// Is something divided by it?
    pub divides: bool,
}

/// The numbers by which the definitions and functions before a place multiply or divide.
pub(crate) fn stated(file: &File, before: usize) -> Vec<Stated> {
    let mut found = Vec::new();
    for statement in file.statements.iter().filter(|statement| statement.span.start < before) {
        match &statement.kind {
            StatementKind::Definition(definition) => collect(&definition.expr, &mut found),
            StatementKind::IndexDefinition(definition) => collect(&definition.expr, &mut found),
            StatementKind::Definitions(definitions) => collect(&definitions.expr, &mut found),
            StatementKind::Scan(scan) => scan.exprs().into_iter().for_each(|expr| collect(expr, &mut found)),
            StatementKind::Function(function) => function.exprs().for_each(|expr| collect(expr, &mut found)),
            _ => {}
        }
    }
    found.truncate(MOST);
    found
}

fn collect(expr: &Expr, found: &mut Vec<Stated>) {
    let mut state = |part: &Expr, divides: bool| {
        let part = unsigned(part);
        let is_known = |known: &Stated| known.expr.kind == part.kind;
        if is_constant(part) && !found.iter().any(is_known) {
            found.push(Stated { expr: part.clone(), divides });
        }
    };
    match &expr.kind {
        ExprKind::Binary { operator, left, right } => match operator.kind {
            BinaryOp::Mul | BinaryOp::MatMul => {
                state(left, false);
                state(right, false);
            }
            BinaryOp::Div => {
                state(left, false);
                state(right, true);
            }
            // An exponent comes down.
            BinaryOp::Pow => state(right, false),
            _ => {}
        },
        // What a function is given beside its operand, as the slope of a leaky rectifier; axes and sizes are whole.
        ExprKind::Call { args, .. } => {
            let given = args
                .iter()
                .skip(1)
                .filter(|arg| matches!(&arg.kind, ExprKind::Number { value, .. } if value.fract() != 0.0));
            given.for_each(|arg| state(arg, false));
        }
        _ => {}
    }
    expr.children().into_iter().for_each(|child| collect(child, found));
}

/// A number without its sign.
fn unsigned(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Negate(operand) => unsigned(operand),
        _ => expr,
    }
}
