//! The derivatives of the functions that a program applies entry by entry, as one writes them: `1 - y^2` where `y = tanh(x)`.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use pullback_derive::slope;
use pullback_lang::program::Program;
use pullback_lang::{BinaryOp, Expr, ExprKind, File, Span, StatementKind, make};
use pullback_ops::{Operation, find, table};

use crate::edit::{self, binary, call, integer, negated, number};
use crate::factor::in_front;

/// A long program has no more of them.
const MOST: usize = 16;

/// A function where a program applies it, and its derivative there.
#[derive(Clone)]
pub(crate) struct Derivative {
    /// The function as it is applied: `tanh(x)`.
    pub applied: Expr,
    /// What it is applied to, and its result.
    pub x: Expr,
    pub y: Expr,
    /// What the derivative is multiplied by, and divided by.
    above: Option<Expr>,
    below: Option<Expr>,
}

impl Derivative {
    /// The derivative.
    pub(crate) fn expr(&self, at: Span) -> Expr {
        match (&self.above, &self.below) {
            (Some(above), None) => above.clone(),
            (above, below) => {
                let above = above.clone().unwrap_or_else(|| integer(at, 1));
                below.iter().fold(above, |above, below| binary(at, BinaryOp::Div, above, below.clone()))
            }
        }
    }

    /// Is it one over something?
    pub(crate) fn is_reciprocal(&self) -> bool {
        self.above.is_none()
    }

    /// What an expression lacks to be the derivative, where that is the expression times something.
    pub(crate) fn lacks(&self, expr: &Expr) -> Option<&Expr> {
        match self.above.as_ref().map(|above| &above.kind) {
            Some(ExprKind::Binary { operator, left, right })
                if operator.kind == BinaryOp::Mul && **left == *expr =>
            {
                Some(right)
            }
            Some(ExprKind::Binary { operator, left, right })
                if operator.kind == BinaryOp::Mul && **right == *expr && number(left).is_none() =>
            {
                Some(left)
            }
            _ => None,
        }
    }

    /// An expression times the derivative.
    pub(crate) fn times(&self, expr: Option<Expr>, at: Span) -> Expr {
        let Some(expr) = expr else { return self.expr(at) };
        let product = match &self.above {
            Some(above) => match negation(above) {
                Some(above) => binary(at, BinaryOp::Mul, in_front(&expr, &negated), above.clone()),
                None => binary(at, BinaryOp::Mul, expr, above.clone()),
            },
            None => expr,
        };
        self.below.iter().fold(product, |product, below| binary(at, BinaryOp::Div, product, below.clone()))
    }

    /// The same in other words: `change` is applied to every expression in it.
    pub(crate) fn with(&self, change: impl Fn(&Expr) -> Expr) -> Derivative {
        Derivative {
            applied: change(&self.applied),
            x: change(&self.x),
            y: change(&self.y),
            above: self.above.as_ref().map(&change),
            below: self.below.as_ref().map(&change),
        }
    }
}

fn negation(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Negate(operand) => Some(operand),
        _ => None,
    }
}

/// The derivatives of the functions that the definitions before a claim apply.
pub(crate) fn derivatives(file: &File, program: &Program, number: usize) -> Vec<Derivative> {
    let claim = &program.claims[number];
    let mut derivatives: Vec<Derivative> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for statement in file.statements.iter().filter(|statement| statement.span.start < claim.span.start) {
        let StatementKind::Definition(definition) = &statement.kind else { continue };
        definition.expr.walk(&mut |part| {
            let is_whole = std::ptr::eq(part, &definition.expr);
            let y = if is_whole { edit::name(claim.expr_span, &definition.name.text) } else { part.clone() };
            if derivatives.len() < MOST
                && let Some(found) = derivative(part, y)
                && seen.insert(pullback_lang::print(part))
            {
                derivatives.push(found);
            }
        });
    }
    derivatives
}

/// The derivative of a function where it is applied to something with the result `y`.
fn derivative(applied: &Expr, y: Expr) -> Option<Derivative> {
    let at = applied.span;
    let power = |base: &Expr, exponent: f64| match exponent {
        1.0 => base.clone(),
        _ => binary(at, BinaryOp::Pow, base.clone(), make::number(at, exponent)),
    };
    let (x, above, below) = match &applied.kind {
        ExprKind::Call { function, args, kwargs } if function.text == "logsumexp" => {
            let mut softmax = call(at, "softmax", args.clone(), Vec::new());
            if let ExprKind::Call { kwargs: axes, .. } = &mut softmax.kind {
                axes.extend(
                    kwargs.iter().filter(|(keyword, _)| !keyword.text.starts_with("keepdim")).cloned(),
                );
            }
            (args.first()?, Some(softmax), None)
        }
        ExprKind::Call { function, args, kwargs } if kwargs.is_empty() => {
            let [x] = args.as_slice() else { return None };
            let with = HashMap::from([("x".to_string(), x.clone()), ("y".to_string(), y.clone())]);
            let (above, below) = parts(stated(&function.text)?);
            let placed = |part: Expr| make::substituted(&part, &with);
            let (above, below) = (above.map(placed), below.map(placed));
            (x, above, below)
        }
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Pow => {
            let exponent = number(right).filter(|exponent| exponent.abs() <= 9.0 && *exponent != 1.0)?;
            let less = power(left, exponent - 1.0);
            (&**left, Some(binary(at, BinaryOp::Mul, make::number(at, exponent), less)), None)
        }
        _ => return None,
    };
    Some(Derivative { applied: applied.clone(), x: x.clone(), y, above, below })
}

/// The derivative that an operation states of itself, of `x` and its result `y`.
fn stated(function: &str) -> Option<&'static Expr> {
    static STATED: OnceLock<HashMap<&'static str, Expr>> = OnceLock::new();
    let all = STATED.get_or_init(|| {
        let of = |operation: &'static Operation| Some((operation.name, slope(operation)?));
        table().iter().filter_map(of).collect()
    });
    all.get(find(function)?.name)
}

/// What something is multiplied by, and divided by.
fn parts(expr: &Expr) -> (Option<Expr>, Option<Expr>) {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => {
            let above = (number(left) != Some(1.0)).then(|| (**left).clone());
            (above, Some((**right).clone()))
        }
        _ => (Some(expr.clone()), None),
    }
}
