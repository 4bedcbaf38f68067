//! Identities of functions: `exp(u) / (1 + exp(u))` is `sigmoid(u)`, `exp(z - logsumexp(z))` is `softmax(z)`, and a sum of products of two
//! vectors is `a @ b`.

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Span, make, parse_expr};

use super::known::Known;
use crate::code::condition::{self, call_of, choice_or_zero, is_comparison};

/// What an expression may be written as, if anything.
pub(super) fn shorter(expr: &Expr, known: &Known) -> Option<Expr> {
    dot(expr, known)
        .or_else(|| system(expr))
        .or_else(|| whole_axes(expr, known))
        .or_else(|| outer(expr, known))
        .or_else(|| cancelled(expr))
        .or_else(|| softmax(expr, known))
        .or_else(|| logistic(expr))
        .or_else(|| choice(expr))
        .or_else(|| triangle(expr, known))
}

/// `Y[2]` for `Y[2, 0:4]`, where that is all of an axis.
fn whole_axes(expr: &Expr, known: &Known) -> Option<Expr> {
    let ExprKind::Index { base, items } = &expr.kind else { return None };
    if items.contains(&IndexItem::Ellipsis) || items.contains(&IndexItem::NewAxis) {
        return None;
    }
    let dims = known.axes(base)?;
    let number = |expr: &Option<Box<Expr>>| match expr.as_deref().map(|expr| &expr.kind) {
        Some(ExprKind::Number { value, .. }) => Some(*value as usize),
        _ => None,
    };
    let mut axis = 0;
    let mut shown = Vec::new();
    for item in items {
        let is_all = match item {
            IndexItem::Slice { start, stop, step: None } => {
                number(start) == Some(0) && number(stop) == Some(dims.get(axis)?.size())
            }
            _ => false,
        };
        axis += usize::from(!matches!(item, IndexItem::NewAxis));
        shown.push(if is_all {
            IndexItem::Slice { start: None, stop: None, step: None }
        } else {
            item.clone()
        });
    }
    while let Some(IndexItem::Slice { start: None, stop: None, step: None }) = shown.last()
        && shown.len() > 1
    {
        shown.pop();
    }
    (shown != *items).then(|| Expr::new(expr.span, ExprKind::Index { base: base.clone(), items: shown }))
}

/// `solve(A, b)` for `solve(A, reshape(b, [N, 1]))[:, 0]`, or for the same in the shape of `b`.
fn system(expr: &Expr) -> Option<Expr> {
    let is =
        |expr: &Expr, number: f64| matches!(expr.kind, ExprKind::Number { value, .. } if value == number);
    let first = make::integer(expr.span, 0);
    let (base, at) = match &expr.kind {
        ExprKind::Index { base, items } => match items.as_slice() {
            [IndexItem::Slice { start: None, stop: None, step: None }, IndexItem::At(at)] => (&**base, at),
            _ => return None,
        },
        ExprKind::Call { function, args, .. } if function.text == super::known::RESHAPE => {
            match args.as_slice() {
                [base, Expr { kind: ExprKind::List(shape), .. }] if shape.len() == 1 => (base, &first),
                _ => return None,
            }
        }
        _ => return None,
    };
    let ExprKind::Call { function, args, .. } = &base.kind else { return None };
    let [matrix, right] = args.as_slice() else { return None };
    let ExprKind::Call { function: reshape, args: inner, .. } = &right.kind else { return None };
    let [vector, Expr { kind: ExprKind::List(shape), .. }] = inner.as_slice() else { return None };
    let is_column = shape.len() == 2 && is(&shape[1], 1.0) && is(at, 0.0);
    let is_system = function.text == super::known::SOLVE && reshape.text == super::known::RESHAPE;
    (is_column && is_system)
        .then(|| make::call(expr.span, &function.text, vec![matrix.clone(), vector.clone()], Vec::new()))
}

/// `outer(a, b)` for `a[:, None] * b` of two vectors.
fn outer(expr: &Expr, known: &Known) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    if operator.kind != BinaryOp::Mul || known.rank(right) != Some(1) {
        return None;
    }
    let (number, column) = match &left.kind {
        ExprKind::Binary { operator, left, right }
            if operator.kind == BinaryOp::Mul && known.rank(left) == Some(0) =>
        {
            (Some((**left).clone()), &**right)
        }
        _ => (None, &**left),
    };
    let ExprKind::Index { base, items } = &column.kind else { return None };
    let is_column = matches!(
        items.as_slice(),
        [IndexItem::Slice { start: None, stop: None, step: None }, IndexItem::NewAxis]
    );
    if !is_column || known.rank(base) != Some(1) {
        return None;
    }
    let product =
        make::call(expr.span, super::known::OUTER, vec![(**base).clone(), (**right).clone()], Vec::new());
    Some(match number {
        Some(number) => make::binary(expr.span, BinaryOp::Mul, number, product),
        None => product,
    })
}

/// A product in which `sign(u) * u` stands over `abs(u)`, or `step(u)` beside `relu(u)`, without these.
fn cancelled(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, .. } = &expr.kind else { return None };
    if !matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div) {
        return None;
    }
    let (mut above, mut below) = (Vec::new(), Vec::new());
    factors(expr, &mut above, &mut below);
    let count = above.len();
    for at in 0..count {
        if let Some(inner) = call_of(&above[at], "step(x)")
            && above.iter().any(|other| call_of(other, "relu(x)").as_ref() == Some(&inner))
        {
            above.remove(at);
            return product(above, below);
        }
        let Some(inner) = call_of(&above[at], "sign(x)") else { continue };
        let itself = above.iter().position(|other| *other == inner);
        let size = below.iter().position(|other| call_of(other, "abs(x)").as_ref() == Some(&inner));
        if let (Some(itself), Some(size)) = (itself, size) {
            below.remove(size);
            above.remove(at.max(itself));
            above.remove(at.min(itself));
            return product(above, below);
        }
    }
    None
}

fn factors(expr: &Expr, above: &mut Vec<Expr>, below: &mut Vec<Expr>) {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Mul => {
            factors(left, above, below);
            factors(right, above, below);
        }
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => {
            factors(left, above, below);
            factors(right, below, above);
        }
        _ => above.push(expr.clone()),
    }
}

fn product(above: Vec<Expr>, below: Vec<Expr>) -> Option<Expr> {
    use crate::code::node::{over, times};
    let one = || make::integer(Span::default(), 1);
    Some(over(above.into_iter().fold(one(), times), below.into_iter().fold(one(), times)))
}

/// `tril(a)` for `a * tril(ones(n, n))`, of a matrix as large.
fn triangle(expr: &Expr, known: &Known) -> Option<Expr> {
    let ExprKind::Binary { left, right, .. } = &expr.kind else { return None };
    let ExprKind::Call { args, .. } = &right.kind else { return None };
    let ExprKind::Call { args: sizes, .. } = &args.first()?.kind else { return None };
    let sizes = sizes.iter().map(|size| match &size.kind {
        ExprKind::Number { value, .. } => Some(*value as usize),
        ExprKind::Name(name) => Some(known.size(name)?.size()),
        _ => None,
    });
    let own = known.axes(left)?;
    let is_as_large = sizes.eq(own.iter().map(|dim| Some(dim.size()))) && own.len() == 2;
    is_as_large.then(|| condition::triangle(expr)).flatten()
}

/// `where(c, a, b)` for what is a where c holds, and b where it does not.
fn choice(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    if operator.kind != BinaryOp::Add {
        return None;
    }
    let (taken, a) = with_conditions(left)?;
    let (other, b) = with_conditions(right)?;
    if condition::opposite(&taken)? != other {
        return None;
    }
    // The condition that is written as it stands in the program comes first.
    let taken = taken.into_iter().reduce(|a, b| make::binary(a.span, BinaryOp::Mul, a, b))?;
    condition::choice(taken, a, b)
}

/// All comparisons that are factors of a product, and what is left without them.
fn with_conditions(product: &Expr) -> Option<(Vec<Expr>, Expr)> {
    let (first, mut rest) = with_condition(product)?;
    let mut conditions = vec![first];
    while let Some((next, left)) = with_condition(&rest) {
        conditions.push(next);
        rest = left;
    }
    Some((conditions, rest))
}

/// The comparison that is a factor of a product, and what is left without it; of `where(c, a, 0)` that is a.
fn with_condition(product: &Expr) -> Option<(Expr, Expr)> {
    if let Some(parts) = choice_or_zero(product) {
        return Some(parts);
    }
    if is_comparison(product) {
        return Some((product.clone(), make::integer(product.span, 1)));
    }
    let ExprKind::Binary { operator, left, right } = &product.kind else { return None };
    let rebuilt = |left: Expr, right: Expr| match (operator.kind, &left.kind, &right.kind) {
        (BinaryOp::Mul, ExprKind::Number { value: 1.0, .. }, _) => right,
        (_, _, ExprKind::Number { value: 1.0, .. }) => left,
        (kind, ..) => make::binary(product.span, kind, left, right),
    };
    match operator.kind {
        BinaryOp::Mul => {
            if let Some((condition, rest)) = with_condition(left) {
                return Some((condition, rebuilt(rest, (**right).clone())));
            }
            let (condition, rest) = with_condition(right)?;
            Some((condition, rebuilt((**left).clone(), rest)))
        }
        BinaryOp::Div => {
            let (condition, rest) = with_condition(left)?;
            Some((condition, rebuilt(rest, (**right).clone())))
        }
        _ => None,
    }
}

/// `sum(a * b)` of two vectors.
fn dot(expr: &Expr, known: &Known) -> Option<Expr> {
    let pattern = call_of(expr, "sum(x)")?;
    let ExprKind::Binary { operator, left, right } = &pattern.kind else { return None };
    let both = known.axes(left)? == known.axes(right)? && known.rank(left) == Some(1);
    (operator.kind == BinaryOp::Mul && both)
        .then(|| make::binary(Span::default(), BinaryOp::MatMul, (**left).clone(), (**right).clone()))
}

/// `exp(z - logsumexp(z, keepdims=true))` of a vector.
fn softmax(expr: &Expr, known: &Known) -> Option<Expr> {
    let inner = call_of(expr, "exp(x)")?;
    let ExprKind::Binary { operator, left, right } = &inner.kind else { return None };
    let is_whole = operator.kind == BinaryOp::Sub && known.rank(left) == Some(1);
    let normaliser =
        call_of(right, "logsumexp(x)").or_else(|| call_of(right, "logsumexp(x, keepdims=true)"))?;
    (is_whole && normaliser == **left).then(|| made("softmax(x)", left)).flatten()
}

/// `a * exp(u) / (1 + exp(u))`.
fn logistic(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    if operator.kind != BinaryOp::Div {
        return None;
    }
    let ExprKind::Binary { operator: plus, left: one, right: other } = &right.kind else { return None };
    if plus.kind != BinaryOp::Add {
        return None;
    }
    let is_one = |expr: &Expr| matches!(expr.kind, ExprKind::Number { value: 1.0, .. });
    let exponential = match (is_one(one), is_one(other)) {
        (true, false) => other,
        (false, true) => one,
        _ => return None,
    };
    let argument = call_of(exponential, "exp(x)")?;
    let sigmoid = made("sigmoid(x)", &argument)?;
    if is_one(left) {
        // 1 / (1 + exp(-u)).
        let ExprKind::Negate(inner) = &argument.kind else { return None };
        return made("sigmoid(x)", inner);
    }
    replaced_factor(left, exponential, &sigmoid)
}

/// A product with another factor in the place of one.
fn replaced_factor(product: &Expr, factor: &Expr, by: &Expr) -> Option<Expr> {
    if product == factor {
        return Some(by.clone());
    }
    let ExprKind::Binary { operator, left, right } = &product.kind else { return None };
    if operator.kind != BinaryOp::Mul {
        return None;
    }
    let at = product.span;
    match replaced_factor(left, factor, by) {
        Some(left) => Some(make::binary(at, BinaryOp::Mul, left, (**right).clone())),
        None => Some(make::binary(at, BinaryOp::Mul, (**left).clone(), replaced_factor(right, factor, by)?)),
    }
}

/// A call written like a pattern, with an argument for `x`.
fn made(pattern: &str, argument: &Expr) -> Option<Expr> {
    let pattern = parse_expr(pattern).ok()?.expr;
    Some(make::substituted(&pattern, &std::collections::HashMap::from([("x".to_owned(), argument.clone())])))
}
