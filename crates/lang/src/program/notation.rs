//! Index notation: `Z[i,j] = X[i,k] * W[k,j] + b[j]`, and claims entry by entry.
//!
//! Each added term by itself is one contraction ([`pullback_ops::Einsum`]): its factors under labels, an index that is not on the
//! left summed. A sum in parentheses is a factor with entries of its own, made before: it is summed inside over what
//! stands in it alone, each of its terms by itself, and outside over what it shares with other factors. `delta[i,m]`
//! is no factor but makes two indices one label, wherever they stand:
//!
//! | `i`, `m` | what the delta does |
//! |---|---|
//! | both on the left | the label stands twice in the output: the term is written on the diagonal |
//! | one on the left | the other one is renamed to it |
//! | both summed | both are one label, summed once; Σ δ_im alone is the size |
//!
//! Functions, powers and denominators are taken entry by entry, of what has free indices only. A summed index in one is
//! an error: where its sum belongs, before or after the function, the notation does not say.

use std::collections::{BTreeSet, HashMap};

use pullback_array::Array;
use pullback_network::{Coef, Dim};
use pullback_ops::{Arg, Val};

use super::contraction::Product;
use super::evaluate::Evaluator;
use super::failure::{Outcome, of_array, of_op};
use super::ranges::{Ranges, bare, is_delta};
use super::subscript::inside;
use crate::{BinaryOp, Error, Expr, ExprKind, IndexItem, Name, Span};

/// The value of `name[indices] = expr`, whose axes are the indices in this order.
pub(super) fn definition(evaluator: &mut Evaluator<'_>, indices: &[Name], expr: &Expr) -> Outcome<Val> {
    let left: Vec<(Name, Option<Dim>)> = indices.iter().map(|index| (index.clone(), None)).collect();
    statement(evaluator, left, expr)
}

/// The tensor whose entries `expr` states, each index running as far as is said.
pub(super) fn entries(evaluator: &mut Evaluator<'_>, indices: &[(Name, Dim)], expr: &Expr) -> Outcome<Val> {
    let left: Vec<(Name, Option<Dim>)> =
        indices.iter().map(|(index, dim)| (index.clone(), Some(*dim))).collect();
    statement(evaluator, left, expr)
}

fn statement(evaluator: &mut Evaluator<'_>, left: Vec<(Name, Option<Dim>)>, expr: &Expr) -> Outcome<Val> {
    let names: Vec<String> = left.iter().map(|(name, _)| name.text.clone()).collect();
    let ranges = Ranges::of(evaluator, left, expr)?;
    let free: Vec<usize> = names.iter().filter_map(|name| ranges.number(name)).collect();
    let mut notation = Notation { evaluator, ranges, free: free.clone(), parameters: HashMap::new() };
    let entries = notation.sum(expr, &free)?;
    notation.spread(expr.span, &entries, &free)
}

/// What goes down a statement in index notation.
pub(super) struct Notation<'e, 'a> {
    pub(super) evaluator: &'e mut Evaluator<'a>,
    pub(super) ranges: Ranges,
    /// The indices on the left.
    pub(super) free: Vec<usize>,
    /// Parameters of a function of the file that have indices.
    pub(super) parameters: HashMap<String, Entries>,
}

/// A value with an index for each axis, all different.
#[derive(Clone)]
pub(super) struct Entries {
    pub(super) val: Val,
    pub(super) axes: Vec<usize>,
}

impl Notation<'_, '_> {
    /// A sum of terms, whose value has those of the indices `keep` that stand in it; all others are summed.
    pub(super) fn sum(&mut self, expr: &Expr, keep: &[usize]) -> Outcome<Entries> {
        let op = of_op(expr.span);
        let mut total: Option<Entries> = None;
        for (minus, addend) in addends(expr) {
            let (mut product, minus_inside) = self.product(addend, keep)?;
            let minus = minus != minus_inside;
            total = Some(match total {
                None => {
                    if minus {
                        product.coef = product.coef.times(&Coef::minus_one());
                    }
                    self.contracted(addend.span, product, keep)?
                }
                Some(total) => {
                    let term = self.contracted(addend.span, product, keep)?;
                    let axes: Vec<usize> = keep
                        .iter()
                        .copied()
                        .filter(|i| total.axes.contains(i) || term.axes.contains(i))
                        .collect();
                    let (a, b) =
                        (self.suited(expr.span, &total, &axes)?, self.suited(expr.span, &term, &axes)?);
                    let val = if minus { &a - &b } else { &a + &b }.map_err(&op)?;
                    Entries { val, axes }
                }
            });
        }
        Ok(total.expect("a sum has a term"))
    }

    /// The parts of one term, and whether there is a sign before it.
    fn product(&mut self, expr: &Expr, keep: &[usize]) -> Outcome<(Product, bool)> {
        let (minus, above, below) = factors(expr);
        let indices: Vec<BTreeSet<usize>> =
            above.iter().chain(&below).map(|factor| self.indices_of(factor)).collect();
        let mut product = Product { coef: Coef::one(), operands: Vec::new(), equal: Vec::new() };
        for (at, factor) in above.iter().enumerate() {
            match &factor.kind {
                _ if indices[at].is_empty() => match self.evaluator.arg(factor)? {
                    Arg::Number(number, dim) => {
                        let coef = dim.map_or_else(|| Coef::number(number), |dim| Coef::size(dim, 1));
                        product.coef = product.coef.times(&coef);
                    }
                    arg => product.operands.push((self.scalar(factor, arg)?, Vec::new())),
                },
                ExprKind::Index { base, items } if is_delta(self.evaluator, base) => {
                    self.delta(items, &mut product)?;
                }
                ExprKind::Index { base, items } => {
                    product.operands.push(self.reference(factor.span, base, items)?)
                }
                ExprKind::Binary { operator, .. }
                    if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub) =>
                {
                    let shared = |index: &usize| {
                        keep.contains(index)
                            || indices
                                .iter()
                                .enumerate()
                                .any(|(other, set)| other != at && set.contains(index))
                    };
                    let kept: Vec<usize> = self.ordered(indices[at].iter().copied().filter(shared));
                    let entries = self.evaluator_nested(factor, |this| this.sum(factor, &kept))?;
                    product.operands.push((entries.val, entries.axes));
                }
                _ => {
                    let entries = self.entry(factor)?;
                    product.operands.push((entries.val, entries.axes));
                }
            }
        }
        for factor in below {
            self.divide(factor, &mut product)?;
        }
        Ok((product, minus))
    }

    /// A factor below the fraction bar: a number becomes part of the coefficient, all else a factor 1/x.
    fn divide(&mut self, factor: &Expr, product: &mut Product) -> Outcome<()> {
        let entries = if self.indices_of(factor).is_empty() {
            match self.evaluator.arg(factor)? {
                Arg::Number(number, dim) => {
                    let coef = match dim {
                        Some(dim) => Coef::size(dim, -1),
                        // Below 2^53 a whole number is exact in both.
                        None if number.fract() == 0.0 && number.abs() < 9e15 => Coef::ratio(1, number as i64),
                        None => Coef::number(1.0 / number),
                    };
                    product.coef = product.coef.times(&coef);
                    return Ok(());
                }
                arg => Entries { val: self.scalar(factor, arg)?, axes: Vec::new() },
            }
        } else {
            self.check_free(factor, "a denominator")?;
            self.entry(factor)?
        };
        let reciprocal = (1.0 / &entries.val).map_err(of_op(factor.span))?;
        product.operands.push((reciprocal, entries.axes));
        Ok(())
    }

    /// An expression without indices, as the scalar that it must be.
    pub(super) fn scalar(&self, expr: &Expr, arg: Arg) -> Outcome<Val> {
        let val = self.evaluator.operand_from(expr, arg)?;
        if val.ndim() == 0 {
            return Ok(val);
        }
        let name = match &expr.kind {
            ExprKind::Name(name) => format!("`{name}`"),
            _ => "this".to_owned(),
        };
        Err(Error::new(
            expr.span,
            format!("{name} has the shape {:?} and stands here without indices", val.dims()),
        )
        .with_hint("in index notation every axis has an index: `b[j]`")
        .into())
    }

    /// `X[i,k]`, `X[i,0]`: a value under indices, of which some may be equal.
    fn reference(&mut self, span: Span, base: &Expr, items: &[IndexItem]) -> Outcome<(Val, Vec<usize>)> {
        let Some(val) = self.ranges.base(base) else {
            return Err(
                Error::new(span, "indices stand in the statement, not in the body of a function").into()
            );
        };
        let mut axes = Vec::new();
        let mut selected = Vec::new();
        for item in items {
            match (bare(item), item) {
                (Some((name, _)), _) => {
                    axes.extend(self.ranges.number(name));
                    selected.push(IndexItem::Slice { start: None, stop: None, step: None });
                }
                (None, IndexItem::At(at)) if self.is_known(at) => selected.push(item.clone()),
                (None, IndexItem::At(at)) => {
                    return Err(Error::new(at.span, "an index is a name or a number, and nothing computed")
                        .with_hint("slice first, `y = x[1:]`, and use `y[i]`")
                        .into());
                }
                _ => {
                    return Err(Error::new(
                        span,
                        "in index notation every axis has an index: a name or a number",
                    )
                    .with_hint("slice first, `y = x[1:]`, and use `y[i]`")
                    .into());
                }
            }
        }
        let val =
            if axes.len() == items.len() { val } else { self.evaluator.subscript(span, &val, &selected)? };
        if val.ndim() != axes.len() {
            return Err(Error::new(span, "in index notation an index is a name or a number, no array").into());
        }
        Ok((val, axes))
    }

    /// Is every name in an expression one of the file, and none an index?
    fn is_known(&self, expr: &Expr) -> bool {
        let mut known = self.indices_of(expr).is_empty();
        expr.walk(&mut |part| {
            if let ExprKind::Name(name) = &part.kind {
                let is_local = self.evaluator.locals.as_ref().is_some_and(|locals| locals.contains_key(name));
                known &= is_local || self.evaluator.scope.get(name).is_some();
            }
        });
        known
    }

    /// `delta[i,m]` makes two indices one; `delta[i,0]` is a unit vector.
    fn delta(&mut self, items: &[IndexItem], product: &mut Product) -> Outcome<()> {
        let mut named = items.iter().filter_map(|item| self.ranges.number(bare(item)?.0));
        match (named.next(), named.next(), items) {
            (Some(a), Some(b), _) => product.equal.push((a, b)),
            (Some(index), None, [first, second]) => {
                let other = if bare(first).is_some() { second } else { first };
                let unit = self.unit(index, other)?;
                product.operands.push((unit, vec![index]));
            }
            _ => unreachable!("checked when the ranges were found: two items, one of them an index"),
        }
        Ok(())
    }

    /// The vector that is 1 at one place of an index's range.
    fn unit(&mut self, index: usize, item: &IndexItem) -> Outcome<Val> {
        let dim = self.ranges.dim(index);
        let IndexItem::At(expr) = item else {
            return Err(Error::new(Span::default(), "delta has two indices, and no slice").into());
        };
        let Arg::Number(number, _) = self.evaluator.arg(expr)? else {
            return Err(Error::new(expr.span, "an index is a name or a number").into());
        };
        let axis = Val::with_dims(
            Array::zeros(&[dim.size()], self.evaluator.scope.dtype).map_err(of_array(expr.span))?,
            &[dim],
        )
        .map_err(of_op(expr.span))?;
        if number.fract() != 0.0 || number.abs() > 9e15 {
            return Err(Error::new(expr.span, format!("an index is a whole number, not {number}")).into());
        }
        let place = inside(expr.span, number as i64, 0, &axis)?;
        let entries: Vec<f64> = (0..dim.size()).map(|at| if at == place { 1.0 } else { 0.0 }).collect();
        let array = Array::from_slice(&[dim.size()], &entries)
            .and_then(|array| array.cast(self.evaluator.scope.dtype))
            .map_err(of_array(expr.span))?;
        Val::with_dims(array, &[dim]).map_err(of_op(expr.span))
    }

    /// Indices in the order of the left side, those that are summed after them.
    pub(super) fn ordered(&self, indices: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut indices: Vec<usize> = indices.into_iter().collect();
        indices.sort_by_key(|index| {
            (self.free.iter().position(|free| free == index).unwrap_or(usize::MAX), *index)
        });
        indices
    }

    /// The indices that stand in an expression, those of parameters included.
    pub(super) fn indices_of(&self, expr: &Expr) -> BTreeSet<usize> {
        let is_local =
            |name: &str| self.evaluator.locals.as_ref().is_some_and(|locals| locals.contains_key(name));
        let mut found = BTreeSet::new();
        expr.walk(&mut |part| match &part.kind {
            ExprKind::Index { items, .. } => {
                let names =
                    items.iter().filter_map(bare).map(|(name, _)| name).filter(|name| !is_local(name));
                found.extend(names.filter_map(|name| self.ranges.number(name)));
            }
            ExprKind::Name(name) => {
                found.extend(
                    self.parameters.get(name).iter().flat_map(|entries| entries.axes.iter().copied()),
                );
            }
            _ => {}
        });
        found
    }
}

/// The terms of a sum, each with whether it is subtracted.
fn addends(expr: &Expr) -> Vec<(bool, &Expr)> {
    let mut addends = Vec::new();
    let mut pending = vec![(false, expr)];
    while let Some((minus, at)) = pending.pop() {
        match &at.kind {
            ExprKind::Negate(operand) => pending.push((!minus, operand)),
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Add => {
                pending.extend([(minus, &**right), (minus, &**left)]);
            }
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Sub => {
                pending.extend([(!minus, &**right), (minus, &**left)]);
            }
            _ => addends.push((minus, at)),
        }
    }
    addends
}

/// The sign of a term, its factors, and those below the fraction bar, in the order of the text.
fn factors(expr: &Expr) -> (bool, Vec<&Expr>, Vec<&Expr>) {
    let (mut minus, mut above, mut below) = (false, Vec::new(), Vec::new());
    let mut pending = vec![(false, expr)];
    while let Some((is_below, at)) = pending.pop() {
        match &at.kind {
            _ if is_below => below.push(at),
            ExprKind::Negate(operand) => {
                minus = !minus;
                pending.push((false, operand));
            }
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Mul => {
                pending.extend([(false, &**right), (false, &**left)]);
            }
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => {
                pending.extend([(true, &**right), (false, &**left)]);
            }
            _ => above.push(at),
        }
    }
    (minus, above, below)
}
