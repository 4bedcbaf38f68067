//! From a tree back to text, with no parentheses but those that are needed.
//!
//! What [`print`] writes parses to the same tree again, up to places. It is how a corrected claim is shown.

use super::ast::derivative;
use super::expr::{BinaryOp, Expr, ExprKind, IndexItem};
use std::fmt::Write;

/// How tightly an expression holds together; the parser's levels, from the loosest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Sum,
    Product,
    Sign,
    Power,
    Postfix,
}

/// The source text of an expression.
///
/// ```
/// use pullback_lang::{parse_expr, print};
/// let expr = parse_expr("((a) + b)*(c)**2 ⊗ xᵀ").expect("it parses").expr;
/// assert_eq!(print(&expr), "kron((a + b) * c^2, x.T)");
/// ```
pub fn print(expr: &Expr) -> String {
    let mut text = String::new();
    write(&mut text, expr, Level::Comparison);
    text
}

/// Writes `expr` where nothing looser than `least` may stand bare.
fn write(text: &mut String, expr: &Expr, least: Level) {
    let bare = level(expr) >= least;
    if !bare {
        text.push('(');
    }
    match &expr.kind {
        ExprKind::Number { value, integer } => write_number(text, *value, *integer),
        ExprKind::Name(name) => text.push_str(name),
        ExprKind::Text(content) => {
            let quote = if content.contains('"') { '\'' } else { '"' };
            write_all(text, format_args!("{quote}{content}{quote}"));
        }
        ExprKind::Bool(value) => write_all(text, format_args!("{value}")),
        ExprKind::Negate(operand) => {
            text.push('-');
            write(text, operand, Level::Sign);
        }
        ExprKind::Binary { operator, left, right } => write_binary(text, operator.kind, left, right),
        ExprKind::Transpose(operand) => {
            // `2.T` would read as a number with its point.
            write_base(text, operand, matches!(operand.kind, ExprKind::Number { .. }));
            text.push_str(".T");
        }
        ExprKind::Index { base, items } => {
            // `[[1, 2][0], 3]` would read as a list with a comma missing.
            write_base(text, base, matches!(base.kind, ExprKind::List(_)));
            text.push('[');
            separated(text, items, write_item);
            text.push(']');
        }
        ExprKind::Call { function, args, kwargs } => {
            text.push_str(&function.text);
            text.push('(');
            separated(text, args, |text, arg| write(text, arg, Level::Comparison));
            if !args.is_empty() && !kwargs.is_empty() {
                text.push_str(", ");
            }
            separated(text, kwargs, |text, (keyword, value)| {
                text.push_str(&keyword.text);
                text.push('=');
                write(text, value, Level::Comparison);
            });
            text.push(')');
        }
        ExprKind::List(items) => {
            text.push('[');
            separated(text, items, |text, item| write(text, item, Level::Comparison));
            text.push(']');
        }
        ExprKind::ClaimRef { of, wrt } => text.push_str(&derivative(of, wrt)),
    }
    if !bare {
        text.push(')');
    }
}

/// Writes what stands before a postfix operator; `enclosed` where it needs parentheses although it binds tightly.
fn write_base(text: &mut String, base: &Expr, enclosed: bool) {
    if enclosed {
        text.push('(');
        write(text, base, Level::Comparison);
        text.push(')');
    } else {
        write(text, base, Level::Postfix);
    }
}

fn level(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Binary { operator, .. } => match operator.kind {
            BinaryOp::Add | BinaryOp::Sub => Level::Sum,
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul => Level::Product,
            BinaryOp::Pow => Level::Power,
            BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::Equal
            | BinaryOp::NotEqual => Level::Comparison,
        },
        ExprKind::Negate(_) => Level::Sign,
        // A tree that an edit made may hold a negative number; the parser makes none.
        ExprKind::Number { value, .. } if value.is_sign_negative() => Level::Sign,
        _ => Level::Postfix,
    }
}

fn write_binary(text: &mut String, operator: BinaryOp, left: &Expr, right: &Expr) {
    let (on_left, on_right) = match operator {
        BinaryOp::Add | BinaryOp::Sub => (Level::Sum, Level::Product),
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul => (Level::Product, Level::Sign),
        // To the right of a power a sign may stand: `2^-1`.
        BinaryOp::Pow => (Level::Postfix, Level::Sign),
        // Comparisons do not chain.
        _ => (Level::Sum, Level::Sum),
    };
    write(text, left, on_left);
    match operator {
        BinaryOp::Pow => text.push('^'),
        _ => write_all(text, format_args!(" {} ", operator.symbol())),
    }
    write(text, right, on_right);
}

fn write_item(text: &mut String, item: &IndexItem) {
    match item {
        IndexItem::At(at) => write(text, at, Level::Comparison),
        IndexItem::Slice { start, stop, step } => {
            write_bound(text, start);
            text.push(':');
            write_bound(text, stop);
            if step.is_some() {
                text.push(':');
                write_bound(text, step);
            }
        }
        IndexItem::Ellipsis => text.push_str("..."),
        IndexItem::NewAxis => text.push_str("None"),
    }
}

fn write_bound(text: &mut String, bound: &Option<Box<Expr>>) {
    if let Some(bound) = bound {
        write(text, bound, Level::Comparison);
    }
}

/// The shortest decimal that reads back as the same number, with a point or an exponent unless it is an integer.
fn write_number(text: &mut String, value: f64, integer: bool) {
    if integer {
        write_all(text, format_args!("{value}"));
    } else {
        write_all(text, format_args!("{value:?}"));
    }
}

fn separated<T>(text: &mut String, items: &[T], mut each: impl FnMut(&mut String, &T)) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        each(text, item);
    }
}

fn write_all(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes all that is written to it");
}
