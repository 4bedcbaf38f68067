//! Expressions made by hand, and one changed at each place in turn.

use pullback::lang::{BinaryOp, Expr, ExprKind, IndexItem, Name, Operator, Span};

use crate::mutate::Slip;

/// `expr` with one part of it changed, for every part that is a value and everything that `change` makes of it.
pub fn everywhere(expr: &Expr, change: &mut dyn FnMut(&Expr) -> Vec<Slip>) -> Vec<Slip> {
    let mut slips = change(expr);
    for place in values_below(expr) {
        let below = everywhere(expr.children()[place], change);
        slips.extend(below.into_iter().map(|slip| {
            let mut whole = expr.clone();
            *whole.children_mut().swap_remove(place) = slip.expr;
            Slip { expr: whole, labels: slip.labels }
        }));
    }
    slips
}

/// Which children of an expression are values: not an axis, a shape, an index or the text of an einsum.
fn values_below(expr: &Expr) -> std::ops::Range<usize> {
    match &expr.kind {
        ExprKind::List(_) => 0..0,
        ExprKind::Index { .. } => 0..1,
        ExprKind::Call { function, args, .. } => match function.text.as_str() {
            "eye" | "ones" | "zeros" | "arange" | "delta" => 0..0,
            "einsum" => 1..args.len(),
            "outer" | "kron" | "dot" | "solve" | "matmul" => 0..args.len(),
            "conv" => 0..args.len().min(2),
            // Those of the table take an operand and then what is none; those of a file take values.
            "sum" | "mean" | "max" | "softmax" | "logsumexp" | "tie_share" | "reshape" | "permute"
            | "vec" | "unvec" | "transpose" | "gather" | "scatter_add" | "index" | "diag" | "trace" => {
                0..args.len().min(1)
            }
            _ => 0..args.len(),
        },
        _ => 0..expr.children().len(),
    }
}

/// An expression that stands nowhere.
pub fn made(kind: ExprKind) -> Expr {
    Expr::new(Span::default(), kind)
}

/// `2`.
pub fn integer(value: i64) -> Expr {
    let size = made(ExprKind::Number { value: value.unsigned_abs() as f64, integer: true });
    if value < 0 { negated(&size) } else { size }
}

/// `0.7313`.
pub fn decimal(value: f64) -> Expr {
    made(ExprKind::Number { value, integer: false })
}

/// `W`.
pub fn name(text: &str) -> Expr {
    made(ExprKind::Name(text.to_owned()))
}

/// `-a`.
pub fn negated(operand: &Expr) -> Expr {
    made(ExprKind::Negate(Box::new(operand.clone())))
}

/// `A.T`.
pub fn transposed(operand: &Expr) -> Expr {
    made(ExprKind::Transpose(Box::new(operand.clone())))
}

/// `a + b`, and so on.
pub fn binary(kind: BinaryOp, left: &Expr, right: &Expr) -> Expr {
    let operator = Operator { kind, span: Span::default() };
    made(ExprKind::Binary { operator, left: Box::new(left.clone()), right: Box::new(right.clone()) })
}

/// `a * b`.
pub fn times(left: &Expr, right: &Expr) -> Expr {
    binary(BinaryOp::Mul, left, right)
}

/// `f(a, b)`.
pub fn call(function: &str, args: Vec<Expr>) -> Expr {
    made(ExprKind::Call { function: Name::new(function, Span::default()), args, kwargs: Vec::new() })
}

/// `f(a, axis=[0, 1])`, or `axis=0` where it is one.
pub fn reduced(function: &str, operand: &Expr, axes: &[usize]) -> Expr {
    let numbers: Vec<Expr> = axes.iter().map(|&axis| integer(axis as i64)).collect();
    let value = match numbers.as_slice() {
        [one] => one.clone(),
        _ => made(ExprKind::List(numbers)),
    };
    made(ExprKind::Call {
        function: Name::new(function, Span::default()),
        args: vec![operand.clone()],
        kwargs: vec![(Name::new("axis", Span::default()), value)],
    })
}

/// `A[-1]`.
pub fn row(base: &Expr, at: i64) -> Expr {
    made(ExprKind::Index { base: Box::new(base.clone()), items: vec![IndexItem::At(integer(at))] })
}

/// A whole axis, `:`.
pub fn whole_axis() -> IndexItem {
    IndexItem::Slice { start: None, stop: None, step: None }
}

/// `f(a)`, where the expression is a call of one argument and nothing else.
pub fn applied(expr: &Expr) -> Option<(&str, &Expr)> {
    match &expr.kind {
        ExprKind::Call { function, args, kwargs } if kwargs.is_empty() => match args.as_slice() {
            [operand] => Some((&function.text, operand)),
            _ => None,
        },
        _ => None,
    }
}

/// `a + b`, taken apart.
pub fn parts(expr: &Expr) -> Option<(BinaryOp, &Expr, &Expr)> {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } => Some((operator.kind, left, right)),
        _ => None,
    }
}

/// A number, and nothing else.
pub fn number(expr: &Expr) -> Option<f64> {
    match expr.kind {
        ExprKind::Number { value, .. } => Some(value),
        _ => None,
    }
}

/// The terms of a sum, each with its sign.
pub fn terms(expr: &Expr) -> Vec<(bool, Expr)> {
    fn gather(expr: &Expr, negative: bool, into: &mut Vec<(bool, Expr)>) {
        match parts(expr) {
            Some((BinaryOp::Add, left, right)) => {
                gather(left, negative, into);
                gather(right, negative, into);
            }
            Some((BinaryOp::Sub, left, right)) => {
                gather(left, negative, into);
                gather(right, !negative, into);
            }
            _ => into.push((negative, expr.clone())),
        }
    }
    let mut all = Vec::new();
    gather(expr, false, &mut all);
    all
}
