//! Conditions as one writes them. A graph has a step where a program compares, `1 - step(b - a)` for `a >= b`, and what comes back through
//! a choice is multiplied by the `truth` of its condition; a reader is shown the comparison.
//!
//! These are identities of trees, applied where a value is written operation by operation, so that no line, no code and no closed form is
//! without them. What is not here: the graph, whose steps stay; a condition that has a name, which is called by it. (Of NaN none of two
//! comparisons holds that negate each other here; nothing is finite there.)

use std::collections::HashMap;

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, make, parse_expr};
use pullback_network::Dim;
use pullback_ops::Val;

/// The function that says of two conditions whether one holds.
pub(crate) const EITHER: &str = "logical_or";

/// How a choice between two values is written.
const CHOICE: &str = "where(condition, taken, other)";

/// Constants of ones and zeros, and what leaves an entry or makes it zero.
const ONES_AND_ZEROS: &str = "ones zeros eye";
const LEAVES_OR_MAKES_ZERO: &str = "tril triu";

/// A value that was written as its operation, as the condition that it is. `holds` says of a value whether it is 1 where something holds,
/// and 0 elsewhere.
pub(super) fn condition(written: &Expr, val: &Val, holds: &dyn Fn(&Val) -> bool) -> Option<Expr> {
    let at = written.span;
    if let Some(inner) = call_of(written, "step(x)") {
        let [p, q] = val.inputs().first()?.inputs() else { return None };
        let ExprKind::Binary { operator, left, right } = inner.kind else { return None };
        if operator.kind != BinaryOp::Sub {
            return None;
        }
        if q.as_number() == Some(0.0) && holds(p) {
            return Some(*left);
        }
        let (left, right) = (stretched(p, *left), stretched(q, *right));
        // A number stands on the right; of two values the one that was there first on the left, as they are read.
        let is_turned = match (p.as_number(), q.as_number()) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            _ => p.order() > q.order(),
        };
        return Some(match is_turned {
            true => make::binary(at, BinaryOp::Less, right, left),
            false => make::binary(at, BinaryOp::Greater, left, right),
        });
    }
    if let Some(inner) = call_of(written, "truth(x)") {
        if holds(val.inputs().first()?) {
            return Some(positive(&inner).unwrap_or(inner));
        }
        return Some(make::binary(at, BinaryOp::NotEqual, inner, make::integer(at, 0)));
    }
    let ExprKind::Binary { operator, left, right } = &written.kind else { return None };
    match operator.kind {
        BinaryOp::Sub if is_number(left, 1.0) && val.inputs()[1].name().is_none() => {
            negation(right).or_else(|| neither(right)).or_else(|| either(right))
        }
        BinaryOp::Add => different(left, right),
        _ => None,
    }
}

/// `u > 0` for `step(u)`.
fn positive(expr: &Expr) -> Option<Expr> {
    let inner = call_of(expr, "step(x)")?;
    Some(make::binary(expr.span, BinaryOp::Greater, inner, make::integer(expr.span, 0)))
}

/// `a != b` for `(a > b) + (a < b)`; c for `c + (c < 0)`, which is what becomes of it where c is a condition and b is 0.
fn different(left: &Expr, right: &Expr) -> Option<Expr> {
    let (before, after) = (sides(left), sides(right));
    if let (Some((BinaryOp::Greater | BinaryOp::Less, a, b)), Some((other, c, d))) = (before, after)
        && matches!(other, BinaryOp::Greater | BinaryOp::Less)
        && sides(left)?.0 != other
        && (a, b) == (c, d)
    {
        return Some(make::binary(left.span, BinaryOp::NotEqual, a.clone(), b.clone()));
    }
    match after {
        Some((BinaryOp::Less, c, zero)) if c == left && is_number(zero, 0.0) => Some(left.clone()),
        _ => None,
    }
}

/// What holds where two conditions do not both hold, of which each is a comparison.
fn either(product: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &product.kind else { return None };
    let both = || Some(vec![negation(left)?, negation(right)?]);
    let conditions = (operator.kind == BinaryOp::Mul).then(both)??;
    Some(make::call(product.span, EITHER, conditions, Vec::new()))
}

/// What holds where none of two comparisons does.
fn neither(either: &Expr) -> Option<Expr> {
    let ExprKind::Call { function, args, .. } = &either.kind else { return None };
    let [left, right] = args.as_slice() else { return None };
    let both = || Some(make::binary(either.span, BinaryOp::Mul, negation(left)?, negation(right)?));
    (function.text == EITHER).then(both)?
}

/// What holds where a condition does not: a comparison, both of two, or one of them.
pub(super) fn opposite(conditions: &[Expr]) -> Option<Vec<Expr>> {
    match conditions {
        [only] => match negation(only) {
            Some(other) => Some(vec![other]),
            None => {
                let ExprKind::Binary { left, right, .. } = neither(only)?.kind else { return None };
                Some(vec![*left, *right])
            }
        },
        [left, right] => {
            Some(vec![either(&make::binary(left.span, BinaryOp::Mul, left.clone(), right.clone()))?])
        }
        _ => None,
    }
}

/// `i[:, None]` for `reshape(i, [n, 1])`, which is how a value is compared with another one along other axes.
fn stretched(val: &Val, written: Expr) -> Expr {
    let ([input], None) = (val.inputs(), val.name()) else { return written };
    let ExprKind::Call { args, .. } = &written.kind else { return written };
    let [base, Expr { kind: ExprKind::List(_), .. }] = args.as_slice() else { return written };
    let is_real = |dim: &&Dim| !dim.is_single();
    let same = input.dims().iter().eq(val.dims().iter().filter(is_real));
    if !same || input.ndim() == 0 {
        return written;
    }
    let items = val.dims().iter().map(|dim| match dim.is_single() {
        true => IndexItem::NewAxis,
        false => IndexItem::Slice { start: None, stop: None, step: None },
    });
    Expr::new(written.span, ExprKind::Index { base: Box::new(base.clone()), items: items.collect() })
}

/// `tril(x)` for `x * tril(ones(n, n), 0)`.
pub(super) fn triangle(product: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &product.kind else { return None };
    let ExprKind::Call { function, args, .. } = &right.kind else { return None };
    let [Expr { kind: ExprKind::Call { function: ones, .. }, .. }, rest @ ..] = args.as_slice() else {
        return None;
    };
    let is_one = operator.kind == BinaryOp::Mul
        && LEAVES_OR_MAKES_ZERO.split(' ').any(|word| word == function.text)
        && ONES_AND_ZEROS.split(' ').next() == Some(&ones.text);
    let args = [&[(**left).clone()], rest].concat();
    is_one.then(|| make::call(product.span, &function.text, args, Vec::new()))
}

/// The same without the number of the main diagonal.
pub(super) fn of_main_diagonal(mut call: Expr) -> Expr {
    if let ExprKind::Call { function, args, .. } = &mut call.kind
        && let [_, Expr { kind: ExprKind::Number { value: 0.0, .. }, .. }] = args.as_slice()
        && LEAVES_OR_MAKES_ZERO.split(' ').any(|word| word == function.text)
    {
        args.pop();
    }
    call
}

/// The comparison that holds where one does not.
pub(super) fn negation(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    let kind = match operator.kind {
        BinaryOp::Less => BinaryOp::GreaterEqual,
        BinaryOp::LessEqual => BinaryOp::Greater,
        BinaryOp::Greater => BinaryOp::LessEqual,
        BinaryOp::GreaterEqual => BinaryOp::Less,
        BinaryOp::Equal => BinaryOp::NotEqual,
        BinaryOp::NotEqual => BinaryOp::Equal,
        _ => return None,
    };
    Some(make::binary(expr.span, kind, (**left).clone(), (**right).clone()))
}

/// Does an expression say whether something holds, by itself?
pub(crate) fn is_comparison(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { operator, .. } => operator.kind.compares(),
        ExprKind::Call { function, .. } => function.text == EITHER,
        _ => false,
    }
}

/// Is a value 1 where something holds and 0 elsewhere, by how it is written? `of_input` says so of what it is computed from.
pub(super) fn holds(written: &Expr, of_input: &dyn Fn(usize) -> bool) -> bool {
    let is = |pattern: &str| call_of(written, pattern).is_some();
    match &written.kind {
        _ if is_comparison(written) || is("step(x)") || is("truth(x)") => true,
        ExprKind::Number { value, .. } => *value == 0.0 || *value == 1.0,
        ExprKind::Binary { operator, left, .. } => match operator.kind {
            BinaryOp::Mul => of_input(0) && of_input(1),
            BinaryOp::Sub => is_number(left, 1.0) && of_input(1),
            _ => false,
        },
        ExprKind::Call { function, args, .. } => {
            let is_one_of = |words: &str| words.split(' ').any(|word| word == function.text);
            let is_of_them = || args.first().is_some_and(|of| holds(of, &|_| false));
            is_one_of(ONES_AND_ZEROS) || (is_one_of(LEAVES_OR_MAKES_ZERO) && (of_input(0) || is_of_them()))
        }
        // The truth of a condition that has a name.
        ExprKind::Name(_) => of_input(0),
        ExprKind::Transpose(_) | ExprKind::Index { .. } => of_input(0),
        _ => false,
    }
}

/// `where(c, a, b)`.
pub(super) fn choice(condition: Expr, taken: Expr, other: Expr) -> Option<Expr> {
    let parts = [("condition", condition), ("taken", taken), ("other", other)];
    let parts = parts.map(|(name, expr)| (name.to_owned(), expr));
    Some(make::substituted(&parse_expr(CHOICE).ok()?.expr, &HashMap::from(parts)))
}

/// c and a of `where(c, a, 0)`.
pub(super) fn choice_or_zero(expr: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Call { function, args, .. } = &expr.kind else { return None };
    let [condition, taken, other] = args.as_slice() else { return None };
    let is_choice = CHOICE.split('(').next() == Some(function.text.as_str());
    (is_choice && is_number(other, 0.0)).then(|| (condition.clone(), taken.clone()))
}

fn sides(expr: &Expr) -> Option<(BinaryOp, &Expr, &Expr)> {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind.compares() => {
            Some((operator.kind, left, right))
        }
        _ => None,
    }
}

fn is_number(expr: &Expr, number: f64) -> bool {
    matches!(expr.kind, ExprKind::Number { value, .. } if value == number)
}

/// The argument of a call that is written like a pattern with `x` for it.
pub(super) fn call_of(expr: &Expr, pattern: &str) -> Option<Expr> {
    let ExprKind::Call { function, args, kwargs } = &expr.kind else { return None };
    // Patterns are parsed where they may fit.
    let [only] = args.as_slice() else { return None };
    if !pattern.starts_with(&function.text) {
        return None;
    }
    let pattern = parse_expr(pattern).ok()?.expr;
    let ExprKind::Call { function: wanted, kwargs: keywords, .. } = &pattern.kind else { return None };
    let same = kwargs.len() == keywords.len()
        && kwargs.iter().zip(keywords).all(|((a, x), (b, y))| a.text == b.text && x == y);
    (same && function.text == wanted.text).then(|| only.clone())
}
