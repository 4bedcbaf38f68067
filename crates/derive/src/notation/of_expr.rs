//! Expressions of the language as one writes them on paper: `X.T @ (P - Y) / N` is `Xᵀ (P − Y) / N`.

use std::collections::HashMap;
use std::sync::OnceLock;

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, print};
use pullback_ops::{Axes, find};

use super::{ENTRYWISE, Math};
use crate::code::condition::is_comparison;

/// The axes of a name, where it is the name of a value or of a size: of each, whether it has one entry and is there to be stretched.
pub type Ranks<'a> = dyn Fn(&str) -> Option<Vec<bool>> + 'a;

/// How tightly a formula holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Sum,
    /// Factor by factor, with a sign for it.
    Entrywise,
    /// Factors one after the other.
    Product,
    Power,
    Atom,
}

/// An expression as it is written on paper.
pub fn of_expr(expr: &Expr, ranks: &Ranks<'_>) -> Math {
    Writer { ranks, at: None, sum: &|_| None }.write(expr).0
}

/// The entry of an expression at some indices: these go in to the names where it works element by element, `(1 − T_ij²)`, and stand
/// behind it elsewhere.
pub fn entry_of_expr(expr: &Expr, at: &[String], ranks: &Ranks<'_>) -> Math {
    entry_of_expr_with(expr, at, ranks, &|_| None)
}

/// The same where some names stand for sums.
pub(crate) fn entry_of_expr_with(
    expr: &Expr,
    at: &[String],
    ranks: &Ranks<'_>,
    sum: &dyn Fn(&str) -> Option<Math>,
) -> Math {
    Writer { ranks, at: Some(at), sum }.write(expr).0
}

struct Writer<'a> {
    ranks: &'a Ranks<'a>,
    /// The indices at which the entry stands.
    at: Option<&'a [String]>,
    /// Sums that names stand for.
    sum: &'a dyn Fn(&str) -> Option<Math>,
}

impl Writer<'_> {
    fn write(&self, expr: &Expr) -> (Math, Level) {
        if let (Some([row, column]), ExprKind::Transpose(inner)) = (self.at, &expr.kind)
            && self.rank(inner) != Some(1)
        {
            let turned = [column.clone(), row.clone()];
            return Writer { at: Some(&turned), ..*self }.write(inner);
        }
        if let Some(at) = self.at
            && !at.is_empty()
            && !self.is_entrywise(expr)
        {
            let whole = Writer { at: None, ..*self };
            let (math, level) = whole.write(expr);
            let math = if level == Level::Atom { math } else { Math::Bracketed(Box::new(math)) };
            let rank = self.rank(expr).unwrap_or(at.len());
            return (math.indexed(&at[at.len().saturating_sub(rank)..]), Level::Atom);
        }
        match &expr.kind {
            ExprKind::Number { value, integer } => (Math::Number(number(*value, *integer)), Level::Atom),
            ExprKind::Name(name) if (self.sum)(name).is_some() => {
                ((self.sum)(name).unwrap_or(Math::Number("0".into())), Level::Sum)
            }
            ExprKind::Name(name) => (self.name(Math::named(name), (self.ranks)(name)), Level::Atom),
            ExprKind::ClaimRef { of, wrt } => {
                let by = wrt.first().map_or("", |name| name.text.as_str());
                (self.name(Math::slope(Math::word(&of.text), Math::named(by)), (self.ranks)(by)), Level::Atom)
            }
            ExprKind::Negate(inner) => {
                let inner = self.at_least(inner, Level::Entrywise);
                (Math::Row(vec![Math::Sign("−"), inner]), Level::Sum)
            }
            ExprKind::Transpose(inner) => {
                let inner = self.at_least(inner, Level::Atom);
                (Math::Super(Box::new(inner), Box::new(Math::word("⊤"))), Level::Power)
            }
            ExprKind::Binary { operator, left, right } => self.binary(operator.kind, left, right),
            ExprKind::Call { function, args, kwargs } => self.call(expr, &function.text, args, kwargs.len()),
            ExprKind::Index { base, items } => self.index(expr, base, items),
            ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::List(_) => {
                (Math::Code(print(expr)), Level::Atom)
            }
        }
    }

    fn name(&self, math: Math, axes: Option<Vec<bool>>) -> Math {
        let Some(at) = self.at else { return math };
        let axes = axes.unwrap_or_else(|| vec![false; at.len()]);
        let own = &at[at.len().saturating_sub(axes.len())..];
        let letter = |(letter, is_stretched): (&String, &bool)| {
            if *is_stretched { "1".to_owned() } else { letter.clone() }
        };
        math.indexed(&own.iter().zip(&axes).map(letter).collect::<Vec<String>>())
    }

    fn at_least(&self, expr: &Expr, least: Level) -> Math {
        let (math, level) = self.write(expr);
        let fits = level >= least || matches!(math, Math::Bracketed(_));
        if fits { math } else { Math::Bracketed(Box::new(math)) }
    }

    fn binary(&self, operator: BinaryOp, left: &Expr, right: &Expr) -> (Math, Level) {
        let sum = |sign: &'static str, least: Level| {
            let parts =
                vec![self.at_least(left, Level::Sum), Math::Operator(sign), self.at_least(right, least)];
            (Math::Row(parts), Level::Sum)
        };
        match operator {
            BinaryOp::Add => sum("+", Level::Sum),
            BinaryOp::Sub => sum("−", Level::Entrywise),
            BinaryOp::MatMul => {
                let (left, right) =
                    (self.at_least(left, Level::Product), self.at_least(right, Level::Product));
                (product(left, right), Level::Product)
            }
            BinaryOp::Mul => {
                // A scalar stands in front, and an entry has nothing but scalars.
                let scalar = self.at.is_some() || self.rank(left) == Some(0) || self.rank(right) == Some(0);
                if scalar {
                    let (left, right) =
                        (self.at_least(left, Level::Product), self.at_least(right, Level::Product));
                    if matches!(right, Math::Number(_)) && !matches!(left, Math::Number(_)) {
                        return (product(right, left), Level::Product);
                    }
                    if matches!(right, Math::Number(_)) {
                        return (Math::Row(vec![left, Math::Sign("·"), right]), Level::Entrywise);
                    }
                    return (product(left, right), Level::Product);
                }
                let (left, right) =
                    (self.at_least(left, Level::Entrywise), self.at_least(right, Level::Power));
                // `A B ⊙ C` would leave open which comes first.
                let bracketed = |math: Math| match math {
                    Math::Product(ref factors) if !matches!(factors.first(), Some(Math::Number(_))) => {
                        Math::Bracketed(Box::new(math))
                    }
                    math => math,
                };
                (Math::Row(vec![bracketed(left), Math::Operator(ENTRYWISE), right]), Level::Entrywise)
            }
            BinaryOp::Div => {
                // A minus stands before the bar.
                let (above, is_negated) = match &left.kind {
                    ExprKind::Negate(above) => (&**above, true),
                    _ => (left, false),
                };
                let (above, below) = (self.write(above).0, self.write(right).0);
                let quotient = Math::Fraction(Box::new(above), Box::new(below));
                match is_negated {
                    true => (Math::Row(vec![Math::Sign("−"), quotient]), Level::Sum),
                    false => (quotient, Level::Product),
                }
            }
            BinaryOp::Pow => {
                let (base, exponent) = (self.at_least(left, Level::Atom), self.write(right).0);
                (Math::Super(Box::new(base), Box::new(exponent)), Level::Power)
            }
            _ => {
                let sign = match operator {
                    BinaryOp::Less => "<",
                    BinaryOp::LessEqual => "≤",
                    BinaryOp::Greater => ">",
                    BinaryOp::GreaterEqual => "≥",
                    BinaryOp::Equal => "=",
                    _ => "≠",
                };
                let side = |expr: &Expr| self.at_least(expr, Level::Sum);
                let parts = vec![side(left), Math::Operator(sign), side(right)];
                // One where it holds and zero elsewhere: Iverson's bracket.
                (Math::Fenced("[", Box::new(Math::Row(parts)), "]"), Level::Atom)
            }
        }
    }

    fn call(&self, expr: &Expr, function: &str, args: &[Expr], keywords: usize) -> (Math, Level) {
        let notation = if keywords == 0 { notations().get(function).copied() } else { None };
        let boxed = |expr: &Expr| Box::new(self.write(expr).0);
        // Where a condition is asked for, it is no number.
        let inside = |expr: &Expr| match self.write(expr).0 {
            Math::Fenced("[", inner, "]") => *inner,
            other => other,
        };
        match (notation, args) {
            (Some("inverse"), [x]) => {
                let base = self.at_least(x, Level::Atom);
                let minus_one = Math::Row(vec![Math::Sign("−"), Math::Number("1".into())]);
                return (Math::Super(Box::new(base), Box::new(minus_one)), Level::Power);
            }
            (Some("root"), [x]) => return (Math::Root(boxed(x)), Level::Atom),
            (Some("bars"), [x]) => return (Math::Fenced("|", boxed(x), "|"), Level::Atom),
            (Some("double-bars"), [x]) => return (Math::Fenced("‖", boxed(x), "‖"), Level::Atom),
            (Some("lower-bars"), [x]) => return (Math::Fenced("⌊", boxed(x), "⌋"), Level::Atom),
            (Some("second-power"), [x]) => {
                let base = self.at_least(x, Level::Atom);
                return (Math::Super(Box::new(base), Box::new(Math::Number("2".into()))), Level::Power);
            }
            (Some("turned"), [x]) => {
                let base = self.at_least(x, Level::Atom);
                return (Math::Super(Box::new(base), Box::new(Math::word("⊤"))), Level::Power);
            }
            (Some("identity"), [n]) => {
                let size = self.write(n).0;
                return (Math::Sub(Box::new(Math::word("I")), vec![size]), Level::Atom);
            }
            (Some("exponential"), [x]) => {
                return (Math::Super(Box::new(Math::word("e")), boxed(x)), Level::Power);
            }
            (Some("column-and-row"), [a, b]) => {
                let right = Math::Super(Box::new(self.at_least(b, Level::Atom)), Box::new(Math::word("⊤")));
                return (product(self.at_least(a, Level::Product), right), Level::Product);
            }
            (Some("either"), [a, b]) => {
                let parts = vec![inside(a), Math::Operator("or"), inside(b)];
                return (Math::Fenced("[", Box::new(Math::Row(parts)), "]"), Level::Atom);
            }
            (Some("choice"), [condition, a, b]) => {
                let arguments = vec![inside(condition), self.write(a).0, self.write(b).0];
                return (Math::Call(Box::new(Math::word(function)), arguments), Level::Atom);
            }
            (Some("kronecker"), [a, b]) => {
                let parts = vec![
                    self.at_least(a, Level::Product),
                    Math::Operator("⊗"),
                    self.at_least(b, Level::Product),
                ];
                return (Math::Row(parts), Level::Entrywise);
            }
            _ => {}
        }
        let mut arguments: Vec<Math> = args.iter().map(|arg| self.write(arg).0).collect();
        if let ExprKind::Call { kwargs, .. } = &expr.kind {
            for (keyword, value) in kwargs {
                let parts = vec![Math::word(&keyword.text), Math::Sign("="), Math::Code(print(value))];
                arguments.push(Math::Row(parts));
            }
        }
        (Math::Call(Box::new(Math::word(function)), arguments), Level::Atom)
    }

    fn index(&self, expr: &Expr, base: &Expr, items: &[IndexItem]) -> (Math, Level) {
        if items.iter().all(is_whole_or_new) {
            // Of a whole value a new axis says how it broadcasts; an entry has its indices.
            let Some(at) = self.at else {
                let is_new = items.contains(&IndexItem::NewAxis);
                return if is_new { self.with_code(expr, base) } else { self.write(base) };
            };
            let new = items.iter().filter(|item| matches!(item, IndexItem::NewAxis)).count();
            let rank = new + self.rank(base).unwrap_or(items.len() - new);
            let is_new = |axis: usize| matches!(items.get(axis), Some(IndexItem::NewAxis));
            let first = rank.saturating_sub(at.len());
            let own = (first..rank).zip(&at[at.len() - (rank - first)..]);
            let at: Vec<String> = own.filter(|(axis, _)| !is_new(*axis)).map(|(_, at)| at.clone()).collect();
            return Writer { at: Some(&at), ..*self }.write(base);
        }
        self.with_code(expr, base)
    }

    /// A part of a value, with what stands in the brackets of the language.
    fn with_code(&self, expr: &Expr, base: &Expr) -> (Math, Level) {
        let (text, inner) = (print(expr), print(base));
        let inside = text.strip_prefix(&inner).or_else(|| text.strip_prefix(&format!("({inner})")));
        let math = Math::Row(vec![
            self.at_least(base, Level::Atom),
            Math::Code(inside.unwrap_or_default().to_owned()),
        ]);
        (math, Level::Power)
    }

    fn is_entrywise(&self, expr: &Expr) -> bool {
        is_made_of_entries(expr, &|part| self.rank(part) == Some(0))
    }

    /// How many axes an expression has, where that is known.
    fn rank(&self, expr: &Expr) -> Option<usize> {
        match &expr.kind {
            ExprKind::Number { .. } => Some(0),
            ExprKind::Name(name) => Some((self.ranks)(name)?.len()),
            ExprKind::ClaimRef { wrt, .. } => Some((self.ranks)(&wrt.first()?.text)?.len()),
            ExprKind::Negate(inner) | ExprKind::Transpose(inner) => self.rank(inner),
            ExprKind::Binary { operator, left, right } => {
                let (left, right) = (self.rank(left)?, self.rank(right)?);
                match operator.kind {
                    BinaryOp::MatMul => match (left, right) {
                        (1, 1) => Some(0),
                        (1, n) | (n, 1) => Some(n - 1),
                        (a, b) => Some(a.max(b)),
                    },
                    _ => Some(left.max(right)),
                }
            }
            ExprKind::Call { function, args, kwargs } => {
                let operation = find(&function.text)?;
                let own = self.rank(args.first()?)?;
                match operation.entry.axes {
                    Axes::Kept | Axes::Square => Some(own),
                    Axes::Broadcast => {
                        args.iter().map(|arg| self.rank(arg)).try_fold(0, |most, rank| Some(most.max(rank?)))
                    }
                    Axes::OfSquare => own.checked_sub(2),
                    Axes::Reduced => {
                        let keeps = kwargs.iter().any(|(keyword, value)| {
                            keyword.text == "keepdims" && value.kind == ExprKind::Bool(true)
                        });
                        let axis = kwargs.iter().find(|(keyword, _)| keyword.text == "axis");
                        match axis {
                            _ if keeps => Some(own),
                            None if args.len() == 1 => Some(0),
                            Some((_, Expr { kind: ExprKind::Number { .. } | ExprKind::Negate(_), .. })) => {
                                own.checked_sub(1)
                            }
                            Some((_, Expr { kind: ExprKind::List(axes), .. })) => own.checked_sub(axes.len()),
                            _ => None,
                        }
                    }
                    Axes::Own => None,
                }
            }
            _ => None,
        }
    }
}

/// Has a function a notation of its own on paper?
pub(crate) fn has_notation(function: &str) -> bool {
    notations().contains_key(function)
}

/// Has an expression entries that are made of those of its parts alone?
pub(crate) fn is_entrywise(expr: &Expr) -> bool {
    is_made_of_entries(expr, &|_| false)
}

fn is_made_of_entries(expr: &Expr, is_scalar: &dyn Fn(&Expr) -> bool) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::Name(_) | ExprKind::ClaimRef { .. } => true,
        ExprKind::Negate(inner) => is_made_of_entries(inner, is_scalar),
        ExprKind::Index { base, items } if items.iter().all(is_whole_or_new) => {
            is_made_of_entries(base, is_scalar)
        }
        ExprKind::Binary { operator, left, right } => {
            operator.kind != BinaryOp::MatMul
                && is_made_of_entries(left, is_scalar)
                && is_made_of_entries(right, is_scalar)
        }
        ExprKind::Call { function, args, kwargs } => {
            kwargs.is_empty()
                && (is_elementwise(&function.text) || is_comparison(expr))
                && args.iter().all(|arg| is_made_of_entries(arg, is_scalar))
        }
        _ => is_scalar(expr),
    }
}

/// All of an axis, or a new one.
fn is_whole_or_new(item: &IndexItem) -> bool {
    matches!(item, IndexItem::Slice { start: None, stop: None, step: None } | IndexItem::NewAxis)
}

/// Factors one after the other.
fn product(left: Math, right: Math) -> Math {
    let mut factors = Vec::new();
    for side in [left, right] {
        match side {
            Math::Product(parts) => factors.extend(parts),
            part => factors.push(part),
        }
    }
    Math::Product(factors)
}

fn number(value: f64, integer: bool) -> String {
    if integer { format!("{value}") } else { format!("{value:?}") }
}

/// Does a function work element by element, as far as its name tells?
fn is_elementwise(function: &str) -> bool {
    find(function)
        .is_some_and(|operation| operation.entry.axes == Axes::Broadcast || crate::slope(operation).is_some())
}

/// The functions that have a notation of their own.
fn notations() -> &'static HashMap<&'static str, &'static str> {
    static ALL: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    ALL.get_or_init(|| {
        let lines = include_str!("words.tsv").lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once('\t')).collect()
    })
}
