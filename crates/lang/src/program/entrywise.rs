//! Index notation: functions, powers and comparisons, which are taken entry by entry.
//!
//! A function has a meaning here only if an entry of its result depends on the same entry of its argument alone. That
//! is asked of its rule: every term of its Jacobian has one label for the axis of the result and that of the argument.

use std::collections::{BTreeSet, HashMap};

use pullback_array::DType;
use pullback_ops::{Arg, Args, Val, find};

use super::arithmetic;
use super::failure::{Outcome, at, of_op};
use super::notation::{Entries, Notation};
use super::ranges::bare;
use crate::{BinaryOp, Error, Expr, ExprKind, Name, Span};

impl Notation<'_, '_> {
    /// A part of a term that is no product, with all indices that stand in it.
    pub(super) fn entry(&mut self, expr: &Expr) -> Outcome<Entries> {
        let indices = self.indices_of(expr);
        match &expr.kind {
            _ if indices.is_empty() => {
                let arg = self.evaluator.arg(expr)?;
                Ok(Entries { val: self.scalar(expr, arg)?, axes: Vec::new() })
            }
            ExprKind::Name(name) => Ok(self.parameters[name].clone()),
            ExprKind::Binary { operator, left, right } => match operator.kind {
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                    let keep = self.ordered(indices);
                    self.evaluator_nested(expr, |this| this.sum(expr, &keep))
                }
                BinaryOp::MatMul => {
                    Err(Error::new(operator.span, "`@` multiplies whole matrices, and these are entries")
                        .with_hint("write the sum with `*`: `X[i,k] * W[k,j]`")
                        .into())
                }
                kind => {
                    self.check_free(expr, if kind == BinaryOp::Pow { "a power" } else { "a comparison" })?;
                    self.power(expr, kind, left, right)
                }
            },
            ExprKind::Negate(_) | ExprKind::Index { .. } => {
                let keep = self.ordered(indices);
                self.evaluator_nested(expr, |this| this.sum(expr, &keep))
            }
            ExprKind::Call { function, args, kwargs } => {
                self.check_free(expr, &format!("`{function}(…)`"))?;
                self.call(expr.span, function, args, kwargs)
            }
            ExprKind::Transpose(_) => Err(Error::new(expr.span, "an entry has no transpose")
                .with_hint("transpose by the order of the indices: `A[j,i]`")
                .into()),
            _ => Err(Error::new(expr.span, "indices have no meaning here").into()),
        }
    }

    /// Goes one level down, where that is not too deep.
    pub(super) fn evaluator_nested<T>(
        &mut self,
        expr: &Expr,
        go: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        self.evaluator.enter(expr.span)?;
        let result = go(self);
        self.evaluator.leave();
        result
    }

    /// A power or a comparison. Its exponent may be a number that the program states, whose rule is simpler.
    fn power(&mut self, expr: &Expr, kind: BinaryOp, left: &Expr, right: &Expr) -> Outcome<Entries> {
        let (a, b) = self.evaluator_nested(expr, |this| Ok((this.entry(left)?, this.entry(right)?)))?;
        let axes = self.ordered(a.axes.iter().chain(&b.axes).copied().collect::<BTreeSet<_>>());
        let (a, b) = (self.suited(left.span, &a, &axes)?, self.suited(right.span, &b, &axes)?);
        let val = arithmetic::applied(kind, &a, &b).map_err(of_op(expr.span))?;
        Ok(Entries { val, axes })
    }

    fn call(
        &mut self,
        span: Span,
        function: &Name,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Entries> {
        let mut entries = Vec::new();
        for arg in args {
            // Numbers stay numbers: an axis or an exponent may be one.
            entries.push(match self.indices_of(arg).is_empty() {
                true => match self.evaluator.arg(arg)? {
                    Arg::Value(val) => Argument::Entries(Entries {
                        val: self.scalar(arg, Arg::Value(val))?,
                        axes: Vec::new(),
                    }),
                    other => Argument::Other(other),
                },
                false => Argument::Entries(self.evaluator_nested(arg, |this| this.entry(arg))?),
            });
        }
        if let Some(of_file) = self.evaluator.scope.function(&function.text) {
            let params: Vec<String> = of_file.params.iter().map(|param| param.text.clone()).collect();
            if params.len() != entries.len() || !kwargs.is_empty() {
                let call = format!("`{function}({})`", params.join(", "));
                let message = format!("`{function}` takes {} arguments, without keywords here", params.len());
                return Err(Error::new(span, message).with_hint(call).into());
            }
            if !of_file.inside.is_empty() {
                let message = format!("`{function}` has several statements: it is no function of one entry");
                return Err(Error::new(span, message)
                    .with_hint("call it on whole values, outside of index notation")
                    .into());
            }
            return self.call_of_file(span, &of_file.body, params.into_iter().zip(entries).collect());
        }
        self.operation(span, function, entries, kwargs)
    }

    /// A function of the file: its body, entry by entry.
    fn call_of_file(&mut self, span: Span, body: &Expr, given: Vec<(String, Argument)>) -> Outcome<Entries> {
        self.evaluator.count_call(span)?;
        let mut parameters = HashMap::new();
        let mut locals = HashMap::new();
        for (name, argument) in given {
            match argument {
                Argument::Entries(entries) if !entries.axes.is_empty() => {
                    parameters.insert(name, entries);
                }
                Argument::Entries(entries) => {
                    locals.insert(name, Arg::Value(entries.val));
                }
                Argument::Other(arg) => {
                    locals.insert(name, arg);
                }
            }
        }
        let outer = std::mem::replace(&mut self.parameters, parameters);
        let outer_locals = self.evaluator.locals.replace(locals);
        let result = self.evaluator_nested(body, |this| this.entry(body));
        self.parameters = outer;
        self.evaluator.locals = outer_locals;
        result
    }

    /// An operation of the table.
    fn operation(
        &mut self,
        span: Span,
        function: &Name,
        arguments: Vec<Argument>,
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Entries> {
        let axes = arguments.iter().flat_map(|argument| match argument {
            Argument::Entries(entries) => entries.axes.clone(),
            Argument::Other(_) => Vec::new(),
        });
        let axes = self.ordered(axes.collect::<BTreeSet<_>>());
        let mut positional = Vec::new();
        let mut vals = Vec::new();
        for argument in arguments {
            positional.push(match argument {
                Argument::Entries(entries) => {
                    let val = self.spread(span, &entries, &axes)?;
                    vals.push(val.clone());
                    Arg::Value(val)
                }
                Argument::Other(arg) => arg,
            });
        }
        let mut keywords = Vec::new();
        for (keyword, arg) in kwargs {
            keywords.push((keyword.text.clone(), self.evaluator.arg(arg)?));
        }
        let dtype: DType = self.evaluator.scope.dtype;
        let val = match (function.text.as_str(), find(&function.text)) {
            ("square", _) => match vals.as_slice() {
                [x] if positional.len() == 1 => x.powf(2.0),
                _ => {
                    return Err(Error::new(span, "`square` takes one argument")
                        .with_hint("write `square(x)`")
                        .into());
                }
            },
            (_, Some(operation)) => Args::bind(operation.name, operation.entry, positional, keywords, dtype)
                .and_then(|args| (operation.entry.call)(&args)),
            // The error about an unknown function, and that about one that has no entries, are the plain one's.
            (_, None) => return Err(self.evaluator.unknown_function(function, vals.len())),
        };
        let val = val.map_err(of_op(span))?;
        for x in &vals {
            if !is_entrywise(span, function, &val, x)? {
                return Err(Error::new(
                    span,
                    format!("`{function}` works on whole arrays, and these are entries"),
                )
                .with_hint(format!("write `y = {function}(…)` first, without indices, and use `y[i]`"))
                .into());
            }
        }
        self.evaluator.remember_place(&val, span);
        Ok(Entries { val, axes })
    }

    /// Refuses a summed index inside of an expression that is taken entry by entry.
    pub(super) fn check_free(&self, expr: &Expr, inside: &str) -> Outcome<()> {
        let mut hidden: Option<(&str, Span)> = None;
        expr.walk(&mut |part| {
            if let ExprKind::Index { items, .. } = &part.kind {
                let summed =
                    |name: &str| self.ranges.number(name).is_some_and(|index| !self.free.contains(&index));
                hidden = hidden.or(items.iter().filter_map(bare).find(|(name, _)| summed(name)));
            }
        });
        match hidden {
            None => Ok(()),
            Some((name, span)) => {
                Err(Error::new(span, format!("the index `{name}` is summed, and stands inside of {inside}"))
                    .with_label(expr.span, "the sum might belong inside or outside of this")
                    .with_hint(format!(
                        "give the inner part a name with `{name}` among the indices on its left, and sum that"
                    ))
                    .into())
            }
        }
    }
}

/// An argument of a function that is taken entry by entry.
enum Argument {
    Entries(Entries),
    Other(Arg),
}

/// Does each entry of `y` depend on the same entry of `x` alone?
fn is_entrywise(span: Span, function: &Name, y: &Val, x: &Val) -> Outcome<bool> {
    // What is constant between jumps has no terms that could tell.
    const STEPS: [&str; 2] = ["sign", "step"];
    if y.dims() != x.dims() {
        return Ok(false);
    }
    let jacobian = pullback_autograd::jacobian(y, x, &[]).map_err(|error| at(span, &error))?;
    if jacobian.is_zero() {
        return Ok(x.ndim() == 0 || STEPS.contains(&function.text.as_str()));
    }
    let rank = y.ndim();
    let network = jacobian.network().map_err(|error| at(span, &error))?;
    Ok(network.terms().iter().all(|term| term.slots[..rank] == term.slots[rank..]))
}
