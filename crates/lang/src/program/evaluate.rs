//! Expressions, from a tree to a value of the graph.
//!
//! What an expression is, is an [`Arg`]: a value, a number that the program states (so that `[2*n]` is a size and
//! `1/(2*3)` no graph of three nodes), a list, a word or a flag. Where a value is wanted, numbers and lists of numbers
//! become one.

use std::collections::{BTreeSet, HashMap, HashSet};

use pullback_array::{Array, DType, memory};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Arg, Origin, Val};

use super::arithmetic;
use super::failure::{Outcome, of_array, of_op};
use super::scan::Loop;
use super::scope::Scope;
use crate::{Error, Expr, ExprKind, IndexItem, Name, Result, Span, make, print};

/// How deep expressions may be nested, calls of functions of the file included. Rows of operators do not count.
const MOST_NESTING: usize = 260;

/// How many calls of functions of the file one expression may make: functions that call one another twice each would
/// make a short file run for ever.
const MOST_CALLS: usize = 10_000;

/// The value of one expression.
///
/// # Errors
/// Where a name is unknown, shapes do not fit, or the expression is no value; the error points at the smallest part
/// of the expression that failed.
pub fn evaluate(expr: &Expr, scope: &Scope) -> Result<Val> {
    Evaluator::new(scope).value(expr).map_err(|failure| failure.into_error(expr.span))
}

/// The values of one expression, in the order of its results where it has several.
///
/// # Errors
/// Those of [`evaluate`].
///
/// ```
/// use pullback_array::{Array, DType};
/// use pullback_lang::program::{Scope, evaluate_all};
/// use pullback_ops::Val;
///
/// let mut scope = Scope::new(DType::F64);
/// scope.define("x", Val::new(Array::from_slice(&[3], &[3.0, 1.0, 2.0])?));
/// let sorted = evaluate_all(&pullback_lang::parse_expr("sort(x)")?.expr, &scope)?;
/// assert_eq!(sorted[0].array()?.to_vec_f64(), [1.0, 2.0, 3.0]);
/// assert_eq!(sorted[1].array()?.to_vec_f64(), [1.0, 2.0, 0.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn evaluate_all(expr: &Expr, scope: &Scope) -> Result<Vec<Val>> {
    let mut evaluator = Evaluator::new(scope);
    let results = evaluator.arg(expr).and_then(|arg| match arg {
        Arg::List(items) if items.iter().any(|item| matches!(item, Arg::Value(_))) => {
            items.into_iter().map(|item| evaluator.value_from(expr, item)).collect()
        }
        one => Ok(vec![evaluator.value_from(expr, one)?]),
    });
    results.map_err(|failure| failure.into_error(expr.span))
}

/// What goes down an expression.
pub(super) struct Evaluator<'a> {
    pub(super) scope: &'a Scope,
    /// The parameters of the function of the file whose body this is.
    pub(super) locals: Option<HashMap<String, Arg>>,
    /// The loops whose bodies are evaluated, the innermost last.
    pub(super) loops: Vec<Loop>,
    /// Claims at and after this one cannot be referred to.
    pub(super) before: usize,
    /// Claims that have another value than the one they state.
    pub(super) replaced: Option<&'a HashMap<usize, Val>>,
    /// The claims that were referred to.
    pub(super) referred: BTreeSet<usize>,
    /// Where the expressions of values stand.
    pub(super) places: HashMap<u64, Place>,
    /// Values that are true or not, by the expressions that they are of.
    pub(super) conditions: HashSet<u64>,
    /// The call of a function of the prelude whose body this is: what is in there has no place of its own.
    pub(super) within: Option<Span>,
    nesting: usize,
    calls: usize,
}

/// Where the expression of a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub span: Span,
    /// Is it the value of that expression, and not one on the way to it?
    pub whole: bool,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(scope: &'a Scope) -> Evaluator<'a> {
        Evaluator {
            scope,
            locals: None,
            loops: Vec::new(),
            before: scope.stated.len(),
            replaced: None,
            referred: BTreeSet::new(),
            places: HashMap::new(),
            conditions: HashSet::new(),
            within: None,
            nesting: 0,
            calls: 0,
        }
    }

    /// What an expression is.
    pub(super) fn arg(&mut self, expr: &Expr) -> Outcome<Arg> {
        self.nested(expr.span, |this| {
            // A row of operators is a deep tree: its left edge is gone down in a loop.
            let mut edge = Vec::new();
            let mut at = expr;
            while let Some(below) = first_operand(at) {
                edge.push((at, below));
                at = below;
            }
            let mut result = this.atom(at)?;
            this.remember(at, &result);
            while let Some((above, below)) = edge.pop() {
                result = this.applied(above, below, result)?;
                this.remember(above, &result);
            }
            Ok(result)
        })
    }

    /// Goes one level down, where that is not too deep.
    pub(super) fn nested<T>(&mut self, span: Span, go: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.enter(span)?;
        let result = go(self);
        self.leave();
        result
    }

    /// Counts one level more, where there is memory left.
    pub(super) fn enter(&mut self, span: Span) -> Outcome<()> {
        memory::check().map_err(of_array(span))?;
        if self.nesting == MOST_NESTING {
            return Err(Error::new(span, format!("this is nested more than {MOST_NESTING} deep"))
                .with_hint("give a part of it a name of its own; a function may not call itself")
                .into());
        }
        self.nesting += 1;
        Ok(())
    }

    /// Counts one level less.
    pub(super) fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// Counts a call of a function of the file.
    pub(super) fn count_call(&mut self, span: Span) -> Outcome<()> {
        self.calls += 1;
        if self.calls > MOST_CALLS {
            return Err(Error::new(span, format!("this expression makes more than {MOST_CALLS} calls"))
                .with_hint(
                    "functions that call others several times each multiply; give a part a name of its own",
                )
                .into());
        }
        Ok(())
    }

    fn remember(&mut self, expr: &Expr, result: &Arg) {
        if let Arg::Value(val) = result {
            self.remember_place(val, expr.span);
            if self.is_condition(expr) {
                self.conditions.insert(val.id());
            }
        }
    }

    /// Remembers where the expression of a value stands; the smallest one comes first.
    pub(super) fn remember_place(&mut self, val: &Val, span: Span) {
        let whole = self.within.is_none();
        let place = Place { span: self.within.unwrap_or(span), whole };
        self.places.entry(val.id()).or_insert(place).whole |= whole;
    }

    fn atom(&mut self, expr: &Expr) -> Outcome<Arg> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Ok(Arg::Number(*value, None)),
            ExprKind::Text(text) => Ok(Arg::Text(text.clone())),
            ExprKind::Bool(flag) => Ok(Arg::Flag(*flag)),
            ExprKind::Name(text) => Ok(match self.name(&Name::new(text.clone(), expr.span))? {
                Arg::Value(val) => Arg::Value(self.captured(val)),
                other => other,
            }),
            ExprKind::List(items) => {
                items.iter().map(|item| self.arg(item)).collect::<Outcome<_>>().map(Arg::List)
            }
            ExprKind::Call { function, args, kwargs } => self.call(expr.span, function, args, kwargs),
            ExprKind::ClaimRef { of, wrt } => {
                let val = self.reference(expr.span, of, wrt)?;
                Ok(Arg::Value(self.captured(val)))
            }
            ExprKind::Negate(_)
            | ExprKind::Binary { .. }
            | ExprKind::Transpose(_)
            | ExprKind::Index { .. } => {
                unreachable!("these have a first operand")
            }
        }
    }

    /// An expression whose first operand is already known.
    fn applied(&mut self, expr: &Expr, below: &Expr, first: Arg) -> Outcome<Arg> {
        let op = of_op(expr.span);
        match &expr.kind {
            ExprKind::Negate(_) => match first {
                Arg::Number(number, _) => Ok(Arg::Number(-number, None)),
                other => Ok(Arg::Value(self.operand_from(below, other)?.negated().map_err(op)?)),
            },
            ExprKind::Transpose(_) => {
                Ok(Arg::Value(self.operand_from(below, first)?.transpose().map_err(op)?))
            }
            ExprKind::Index { items, .. } => {
                // `shape(x)[0]`, and one of several results.
                if let (Arg::List(of_list), [IndexItem::At(at)]) = (&first, items.as_slice())
                    && let Ok(number) = self.whole_number(at)
                    && let Some(item) = entry(of_list, number)
                {
                    return Ok(item.clone());
                }
                // `x.shape[1:]`.
                if let (Arg::List(of_list), [IndexItem::Slice { start, stop, step: None }]) =
                    (&first, items.as_slice())
                {
                    let bounds =
                        [start, stop].map(|bound| bound.as_ref().map(|it| self.whole_number(it)).transpose());
                    let [start, stop] = bounds;
                    return Ok(Arg::List(sliced(of_list, start?, stop?).to_vec()));
                }
                let base = self.operand_from(below, first)?;
                if let Some(row) = self.row(expr.span, &base, items)? {
                    return Ok(Arg::Value(row));
                }
                self.subscript(expr.span, &base, items).map(Arg::Value)
            }
            ExprKind::Binary { operator, right, .. } => {
                let second = self.arg(right)?;
                if let Some(arg) = arithmetic::of_words(operator.kind, &first, &second) {
                    return Ok(arg);
                }
                if let (Arg::Number(a, _), Arg::Number(b, _)) = (&first, &second)
                    && let Some(number) = arithmetic::folded(operator.kind, *a, *b)
                {
                    return Ok(Arg::Number(number, None));
                }
                let (a, b) = (self.operand_from(below, first)?, self.operand_from(right, second)?);
                // Integers are computed with as the numbers that they are.
                let a = match (a.dtype(), b.dtype()) {
                    (DType::I64, DType::I64) => (&a * &Val::number(1.0, self.scope.dtype)).map_err(&op)?,
                    _ => a,
                };
                arithmetic::applied(operator.kind, &a, &b).map(Arg::Value).map_err(op)
            }
            _ => unreachable!("only these have a first operand"),
        }
    }

    /// An expression as a value.
    pub(super) fn value(&mut self, expr: &Expr) -> Outcome<Val> {
        let arg = self.arg(expr)?;
        self.value_from(expr, arg)
    }

    /// An expression as a value that something is computed from: a constant without a name is called as it is written,
    /// so that a formula can show it, and so is a number that sizes make, `(2 * N)`.
    pub(super) fn operand(&mut self, expr: &Expr) -> Outcome<Val> {
        let arg = self.arg(expr)?;
        self.operand_from(expr, arg)
    }

    pub(super) fn operand_from(&self, expr: &Expr, arg: Arg) -> Outcome<Val> {
        const LONGEST: usize = 40;
        let val = self.value_from(expr, arg)?;
        let is_call = || matches!(expr.kind, ExprKind::Call { .. } | ExprKind::List(_));
        let is_computed = || matches!(expr.kind, ExprKind::Binary { .. }) && has_name(expr);
        let shown = match val.origin() {
            Origin::Leaf => is_call(),
            Origin::Number(_) => is_computed(),
            Origin::Call(..) => false,
        };
        if shown
            && val.name().is_none()
            && let Some(words) = self.in_words(expr).or_else(|| is_call().then(|| expr.clone()))
        {
            let written = if is_call() { print(&words) } else { format!("({})", print(&words)) };
            if written.chars().count() <= LONGEST {
                return Ok(val.named(&written));
            }
        }
        Ok(val)
    }

    /// An expression of a function's body as it would be written where the function is called: its parameters are names there alone.
    fn in_words(&self, expr: &Expr) -> Option<Expr> {
        let Some(locals) = &self.locals else { return Some(expr.clone()) };
        let mut words = HashMap::new();
        let mut are_all = true;
        expr.walk(&mut |part| {
            let ExprKind::Name(name) = &part.kind else { return };
            let Some(arg) = locals.get(name) else { return };
            let word = match arg {
                Arg::Number(_, Some(dim)) if dim.name().is_some() => Some(make::dim(part.span, dim)),
                Arg::Number(number, _) if number.is_finite() => Some(make::number(part.span, *number)),
                Arg::Value(val) => {
                    let name = val.name().filter(|name| name.is_identifier());
                    name.map(|name| make::name(part.span, name.as_str()))
                }
                _ => None,
            };
            are_all &= word.is_some();
            words.extend(word.map(|word| (name.clone(), word)));
        });
        are_all.then(|| make::substituted(expr, &words))
    }

    pub(super) fn value_from(&self, expr: &Expr, arg: Arg) -> Outcome<Val> {
        let is_value = |item: &Arg| matches!(item, Arg::Value(_));
        match arg {
            Arg::List(items)
                if !matches!(expr.kind, ExprKind::List(_))
                    && items.len() > 1
                    && items.iter().all(is_value) =>
            {
                let message = format!("this has {} results, and one value is wanted", items.len());
                let hint = "one of them is `[0]` behind it; several results are bound at once: `a, b = …`";
                Err(Error::new(expr.span, message).with_hint(hint).into())
            }
            Arg::Value(val) => Ok(val),
            Arg::Number(number, dim) => {
                let val = Val::number(number, self.scope.dtype);
                Ok(match dim.and_then(Dim::name) {
                    Some(name) => val.named(name.as_str()),
                    None => val,
                })
            }
            Arg::List(items) => self.array(expr.span, &items).map(Val::new),
            Arg::Text(text) => {
                Err(Error::new(expr.span, format!("\"{text}\" is a word, not a value")).into())
            }
            Arg::Flag(flag) => Err(Error::new(expr.span, format!("`{flag}` is no number"))
                .with_hint("write `1` or `0`")
                .into()),
            Arg::Nothing => Err(Error::new(expr.span, "`none` is no value").into()),
        }
    }

    /// A nested list of numbers as an array of the program's dtype.
    pub(super) fn array(&self, span: Span, items: &[Arg]) -> Outcome<Array> {
        let mut numbers = Vec::new();
        let shape = flattened(span, items, &mut numbers)?;
        Array::from_slice(&shape, &numbers)
            .and_then(|array| array.cast(self.scope.dtype))
            .map_err(of_array(span))
    }
}

/// An entry of a list, a negative number counted from its end.
fn entry(list: &[Arg], number: i64) -> Option<&Arg> {
    let place = if number < 0 { number + list.len() as i64 } else { number };
    list.get(usize::try_from(place).ok()?)
}

/// The entries from one place up to another.
fn sliced(list: &[Arg], start: Option<i64>, stop: Option<i64>) -> &[Arg] {
    let count = list.len() as i64;
    let place = |number: i64| (if number < 0 { number + count } else { number }).clamp(0, count) as usize;
    let (start, stop) = (start.map_or(0, place), stop.map_or(list.len(), place));
    &list[start..stop.max(start)]
}

/// Does a name stand in the expression?
fn has_name(expr: &Expr) -> bool {
    let mut has = false;
    expr.walk(&mut |part| has |= matches!(part.kind, ExprKind::Name(_)));
    has
}

/// The operand that stands first in an expression, where the expression is one applied to operands.
fn first_operand(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Negate(operand) | ExprKind::Transpose(operand) => Some(operand),
        ExprKind::Binary { left, .. } => Some(left),
        ExprKind::Index { base, .. } => Some(base),
        _ => None,
    }
}

/// Appends the numbers of a nested list; the shape they have.
fn flattened(span: Span, items: &[Arg], numbers: &mut Vec<f64>) -> Outcome<Vec<usize>> {
    let mut inner: Option<Vec<usize>> = None;
    for item in items {
        let shape = match item {
            Arg::Number(number, _) => {
                numbers.push(*number);
                Vec::new()
            }
            Arg::List(items) => flattened(span, items, numbers)?,
            Arg::Value(val) => {
                return Err(Error::new(
                    span,
                    format!("a list holds numbers, and one entry has the shape {:?}", val.dims()),
                )
                .with_hint(
                    "`concat` and `stack` put values together; several results are bound at once: `a, b = …`",
                )
                .into());
            }
            Arg::Text(_) | Arg::Flag(_) | Arg::Nothing => {
                return Err(Error::new(span, "a list holds numbers").into());
            }
        };
        match &inner {
            Some(first) if *first != shape => {
                let message = format!("the entries of this list have the shapes {first:?} and {shape:?}");
                return Err(Error::new(span, message).with_hint("all rows are equally long").into());
            }
            _ => inner = Some(shape),
        }
    }
    let mut shape = vec![items.len()];
    shape.extend(inner.unwrap_or_default());
    Ok(shape)
}

/// The number that a value is, where it is a scalar written down or given as an input.
pub(super) fn constant(val: &Val) -> Option<f64> {
    let is_stated = matches!(val.original().origin(), Origin::Leaf | Origin::Number(_));
    (is_stated && val.ndim() == 0 && val.has_numbers()).then(|| val.array().ok()?.item().ok()).flatten()
}
