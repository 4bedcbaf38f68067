//! What an expression may be divided by: a quotient by anything else, `y / x`, may be 0/0, and is no factor that somebody forgot,
//! even where its numbers fit.

use pullback_lang::program::Program;
use pullback_lang::{BinaryOp, Expr, ExprKind, File, StatementKind};

use crate::edit;

/// What an expression may be divided by, as the definitions before a claim and the claim itself divide, take logarithms and
/// roots of it, or raise it to powers below 1.
pub(crate) fn divisors(file: &File, program: &Program, number: usize) -> Vec<Expr> {
    let claim = &program.claims[number];
    let mut divisors: Vec<Expr> = Vec::new();
    let mut collect = |part: &Expr| match &part.kind {
        ExprKind::Binary { operator, right, .. } if operator.kind == BinaryOp::Div => {
            factors(right, &mut divisors);
        }
        ExprKind::Binary { operator, left, right }
            if operator.kind == BinaryOp::Pow
                && edit::number(right).is_none_or(|exponent| exponent < 1.0) =>
        {
            divisors.push((**left).clone());
        }
        ExprKind::Call { function, args, .. } if matches!(function.text.as_str(), "log" | "sqrt") => {
            divisors.push(part.clone());
            divisors.extend(args.first().cloned());
        }
        _ => {}
    };
    for statement in file.statements.iter().filter(|statement| statement.span.start < claim.span.start) {
        let StatementKind::Definition(definition) = &statement.kind else { continue };
        definition.expr.walk(&mut collect);
    }
    if let Some(expr) = &claim.expr {
        expr.walk(&mut collect);
    }
    // By their names too.
    for statement in &file.statements {
        if let StatementKind::Definition(definition) = &statement.kind
            && divisors.contains(&definition.expr)
        {
            divisors.push(edit::name(claim.expr_span, &definition.name.text));
        }
    }
    divisors
}

/// A product, its factors, and what is raised to powers in it.
fn factors(product: &Expr, found: &mut Vec<Expr>) {
    found.push(product.clone());
    if let ExprKind::Binary { operator, left, right } = &product.kind {
        match operator.kind {
            BinaryOp::Mul => {
                factors(left, found);
                factors(right, found);
            }
            BinaryOp::Pow => factors(left, found),
            _ => {}
        }
    }
}
