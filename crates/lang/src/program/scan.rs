//! Loops: the body as a program over symbols, and what it reads of outside.
//!
//! While a body is evaluated, carries and the number of the step are symbols. So is every value from outside that is named in it: it is
//! *captured*, once, so that the body is a program of its own, and the derivative by the value is that of the loop by an input.
//! What is indexed by something that the number of the step alone decides (`X[t]`, `X[:, T-1-t]`) is read row by row: the rows are
//! selected once, outside, and the loop is given one in each step, so that neither the loop nor its derivative ever touches the rest.
//!
//! What is older than the loop is from outside: values are numbered in the order in which they are made ([`Val::order`]).

use std::collections::{HashMap, HashSet};

use pullback_array::{Array, DType};
use pullback_autograd::{Body, Function, scan};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Arg, AxisIndex, Origin, Val};

use super::evaluate::Evaluator;
use super::failure::{Outcome, of_array, of_op};
use crate::{Definitions, Error, Expr, ExprKind, IndexItem, Inner, Name, Scan, Span};

/// A loop whose body is being evaluated.
pub(super) struct Loop {
    /// The number of the step, a symbol. All that is older is from outside.
    step: Val,
    steps: Dim,
    /// Values from outside, each with its symbol.
    shared: Vec<(Val, Val)>,
    rows: Vec<Rows>,
    /// What values of the body are called.
    names: HashSet<String>,
}

/// A value from outside that is read row by row.
struct Rows {
    outside: Val,
    axis: usize,
    /// Which row each step reads.
    places: Vec<i64>,
    /// The rows, along the first axis.
    stacked: Val,
    symbol: Val,
}

/// A name that a loop binds, and its value.
pub(super) type Bound<'s> = (&'s Name, Val);

impl Evaluator<'_> {
    /// What the names of a loop are, after it.
    pub(super) fn scan<'s>(&mut self, scan: &'s Scan) -> Outcome<Vec<Bound<'s>>> {
        self.nested(scan.index.span, |this| this.looped(scan))
    }

    fn looped<'s>(&mut self, statement: &'s Scan) -> Outcome<Vec<Bound<'s>>> {
        let place = statement.index.span;
        let steps = self.size(&statement.length)?;
        let mut init = Vec::new();
        for (_, start) in &statement.carries {
            init.push(self.value(start)?);
        }
        let step = Val::symbol(&statement.index.text, &[], DType::I64);
        let carries: Vec<Val> = statement
            .carries
            .iter()
            .zip(&init)
            .map(|((name, _), start)| Val::symbol(&name.text, start.dims(), start.dtype()))
            .collect();
        let outer = self.locals.clone();
        let names = statement.carries.iter().map(|(name, _)| name).chain([&statement.index]);
        let own = names.zip(carries.iter().chain([&step]));
        let own = own.map(|(name, val)| (name.text.clone(), Arg::Value(val.clone())));
        self.locals.get_or_insert_default().extend(own.collect::<Vec<_>>());
        self.loops.push(Loop {
            step: step.clone(),
            steps,
            shared: Vec::new(),
            rows: Vec::new(),
            names: HashSet::new(),
        });
        let next = self.next(statement, &carries);
        let Loop { shared, rows, .. } = self.loops.pop().expect("pushed above");
        self.locals = outer;
        let next = next?;

        let yields: Vec<Val> = statement
            .all
            .iter()
            .zip(&next)
            .filter(|(name, _)| name.binds())
            .map(|(_, next)| next.clone())
            .collect();
        let (outside, inside): (Vec<Val>, Vec<Val>) = shared.into_iter().unzip();
        let body = Body {
            step,
            carries,
            stacked: rows.iter().map(|rows| rows.symbol.clone()).collect(),
            shared: inside,
            next,
            yields,
        };
        let init: Vec<&Val> = init.iter().collect();
        let stacked: Vec<&Val> = rows.iter().map(|rows| &rows.stacked).collect();
        let scanned = scan(body, steps, &init, &stacked, &outside.iter().collect::<Vec<_>>());
        let scanned = scanned.map_err(of_op(place))?;
        let last = statement.carries.iter().map(|(name, _)| name).zip(scanned.last);
        let all = statement.all.iter().filter(|name| name.binds()).zip(scanned.all);
        Ok(last.chain(all).collect())
    }

    /// What the names of a loop's body are before statement number `statement` of it, in the last step: with the number of the step.
    pub(super) fn last_step(&mut self, scan: &Scan, statement: usize) -> Outcome<HashMap<String, Val>> {
        let place = scan.length.span;
        let Some(last) = self.size(&scan.length)?.size().checked_sub(1) else {
            return Err(Error::new(place, "a loop of no steps has no last one").into());
        };
        let length = Expr::new(place, ExprKind::Number { value: last as f64, integer: true });
        let shorter = Scan { length, all: Vec::new(), ..scan.clone() };
        let carries = self.scan(&shorter)?;
        let mut own: Vec<(String, Arg)> =
            carries.into_iter().map(|(name, val)| (name.text.clone(), Arg::Value(val))).collect();
        own.push((scan.index.text.clone(), Arg::Value(Val::number(last as f64, DType::I64))));
        let outer = self.locals.replace(own.into_iter().collect());
        let done = scan.body[..statement.min(scan.body.len())].iter().try_for_each(|inner| self.inner(inner));
        let own = std::mem::replace(&mut self.locals, outer).unwrap_or_default();
        done?;
        let value = |(name, arg): (String, Arg)| match arg {
            Arg::Value(val) => Some((name, val)),
            Arg::Number(number, _) => Some((name, Val::number(number, self.scope.dtype))),
            _ => None,
        };
        Ok(own.into_iter().filter_map(value).collect())
    }

    /// What the carries are after a step.
    fn next(&mut self, statement: &Scan, carries: &[Val]) -> Outcome<Vec<Val>> {
        // Where each name of the body was bound last.
        let mut places: HashMap<&str, Span> = HashMap::new();
        for inner in &statement.body {
            self.inner(inner)?;
            match inner {
                Inner::Definitions(definitions) => {
                    places
                        .extend(definitions.named().map(|name| (name.text.as_str(), definitions.expr.span)));
                }
                Inner::Scan(scan) => places.extend(scan.named().map(|name| (name.text.as_str(), name.span))),
            }
        }
        let mut next = Vec::new();
        for ((name, start), carry) in statement.carries.iter().zip(carries) {
            let place = places.get(name.text.as_str()).copied().unwrap_or(start.span);
            let arg = self.name(name)?;
            let value =
                self.value_from(&Expr { span: place, kind: ExprKind::Name(name.text.clone()) }, arg)?;
            if value.shape() != carry.shape() || value.dtype() != carry.dtype() {
                let was = (carry.dtype(), carry.dims());
                let message = format!(
                    "`{name}` starts as {} {:?} and becomes {} {:?}",
                    was.0,
                    was.1,
                    value.dtype(),
                    value.dims()
                );
                return Err(Error::new(place, message)
                    .with_label(start.span, "it starts here")
                    .with_hint("what a loop carries keeps its shape and its dtype")
                    .into());
            }
            next.push(value);
        }
        Ok(next)
    }

    /// A statement between braces.
    pub(super) fn inner(&mut self, inner: &Inner) -> Outcome<()> {
        let bound: Vec<(String, Arg)> = match inner {
            Inner::Definitions(Definitions { names, expr }) => {
                let results = match names.as_slice() {
                    [_] => vec![self.arg(expr)?],
                    names => self.results(expr, names.len())?.into_iter().map(Arg::Value).collect(),
                };
                names.iter().map(|name| name.text.clone()).zip(results).collect()
            }
            Inner::Scan(scan) => {
                let bound = self.scan(scan)?;
                bound.into_iter().map(|(name, val)| (name.text.clone(), Arg::Value(val))).collect()
            }
        };
        for (name, arg) in &bound {
            if let Arg::Value(val) = arg
                && matches!(val.origin(), Origin::Call(..))
                && val.name().is_none()
                && let Some(name) = self.name_in_loop(name)
            {
                let _ = val.clone().named(&name);
            }
        }
        self.locals.get_or_insert_default().extend(bound);
        Ok(())
    }

    /// What a value of the innermost loop's body is called that a statement binds: by its name, where nothing else has that, and what a
    /// carry becomes by `h_next`. A name is one value's, so that a formula can speak of it.
    fn name_in_loop(&mut self, name: &str) -> Option<String> {
        let next = format!("{name}_next");
        let called = [name, &next].into_iter().find(|called| self.is_free_in_loop(called))?.to_owned();
        self.loops.last_mut()?.names.insert(called.clone());
        Some(called)
    }

    fn is_free_in_loop(&self, name: &str) -> bool {
        let is_local = self.locals.as_ref().is_some_and(|locals| locals.contains_key(name));
        !is_local
            && self.scope.get(name).is_none()
            && self.loops.last().is_some_and(|at| !at.names.contains(name))
    }

    /// What a value that was named is in the body of the loops that are evaluated: itself, or the symbol that stands for it.
    pub(super) fn captured(&mut self, val: Val) -> Val {
        let mut inside = val;
        let mut is_outside = false;
        for at in &mut self.loops {
            if is_outside || inside.order() < at.step.order() {
                inside = at.symbol_of(&inside);
                is_outside = true;
            }
        }
        inside
    }

    /// The symbol that stands in the innermost loop for a value that is from outside of all, though no older than they are.
    pub(super) fn captured_as_outside(&mut self, val: Val) -> Val {
        self.loops.iter_mut().fold(val, |inside, at| at.symbol_of(&inside))
    }

    /// What a value of the body stands for outside of all loops: a symbol for what was captured, else itself.
    pub(super) fn outside(&self, val: &Val) -> Val {
        let mut outside = val.clone();
        for at in self.loops.iter().rev() {
            if let Some((value, _)) = at.shared.iter().find(|(_, symbol)| symbol.id() == outside.id()) {
                outside = value.clone();
            }
        }
        outside
    }

    /// `base[items]`, where the number of the innermost loop's step alone decides about one of the indices.
    pub(super) fn row(&mut self, span: Span, base: &Val, items: &[IndexItem]) -> Outcome<Option<Val>> {
        let Some(at) = self.loops.last() else { return Ok(None) };
        let Some(outside) =
            at.shared.iter().find(|(_, symbol)| symbol.id() == base.id()).map(|(outside, _)| outside.clone())
        else {
            return Ok(None);
        };
        let (step, steps) = (at.step.clone(), at.steps);
        let mut deciding = None;
        let taken =
            items.iter().filter(|item| matches!(item, IndexItem::At(_) | IndexItem::Slice { .. })).count();
        let mut axis = 0;
        for (number, item) in items.iter().enumerate() {
            match item {
                IndexItem::NewAxis => {}
                IndexItem::Ellipsis => axis += base.ndim().saturating_sub(taken),
                IndexItem::Slice { .. } => axis += 1,
                IndexItem::At(expr) => {
                    let arg = self.arg(expr)?;
                    if let Arg::Value(val) = arg
                        && val.ndim() == 0
                        && is_decided_by(&val, &step)
                        && deciding.replace((number, axis, val, expr.span)).is_some()
                    {
                        return Ok(None);
                    }
                    axis += 1;
                }
            }
        }
        let Some((number, axis, val, place)) = deciding else { return Ok(None) };
        let Some(&dim) = outside.dims().get(axis) else { return Ok(None) };
        let places = places(&val, &step, steps, dim, place)?;
        let symbol = self.rows_of(span, &outside, axis, places)?;
        let rest: Vec<IndexItem> =
            items.iter().enumerate().filter(|(at, _)| *at != number).map(|(_, item)| item.clone()).collect();
        match rest.is_empty() {
            true => Ok(Some(symbol)),
            false => self.subscript(span, &symbol, &rest).map(Some),
        }
    }

    /// An index that the number of the innermost loop's step alone decides, as an integer: `T - 1 - t`, which is computed as a float, into
    /// something that the body computes.
    pub(super) fn index_by_step(&self, val: &Val, span: Span) -> Outcome<Option<Val>> {
        let Some(at) = self.loops.last().filter(|at| val.ndim() == 0 && is_decided_by(val, &at.step)) else {
            return Ok(None);
        };
        let numbers = in_each_step(val, &at.step, at.steps, span)?;
        if let Some(wrong) = numbers.iter().find(|number| number.fract() != 0.0) {
            return Err(Error::new(span, format!("an index is a whole number, not {wrong}")).into());
        }
        let places: Vec<i64> = numbers.into_iter().map(|number| number as i64).collect();
        let places = Array::from_slice(&[places.len()], &places).map_err(of_array(span))?;
        Val::new(places).pick(&at.step, 0).map(Some).map_err(of_op(span))
    }

    /// The symbol of a row of `outside`.
    fn rows_of(&mut self, span: Span, outside: &Val, axis: usize, places: Vec<i64>) -> Outcome<Val> {
        let at = self.loops.last_mut().expect("a loop is evaluated");
        let known = at
            .rows
            .iter()
            .find(|rows| rows.outside.id() == outside.id() && rows.axis == axis && rows.places == places);
        if let Some(rows) = known {
            return Ok(rows.symbol.clone());
        }
        let op = of_op(span);
        let mut order: Vec<usize> = (0..outside.ndim()).filter(|&other| other != axis).collect();
        order.insert(0, axis);
        let moved = if axis == 0 { outside.clone() } else { outside.permute(&order).map_err(&op)? };
        let size = moved.dims()[0].size();
        // Evenly spaced ones are a slice, which may go back.
        let (start, step) = match places[..] {
            [first, second, ..] => (first, second - first),
            [only] => (only, 1),
            [] => (0, 1),
        };
        let is_slice = step != 0 && (0..).zip(&places).all(|(at, &place)| place == start + at * step);
        let stacked = if is_slice && (start, step, places.len()) == (0, 1, size) {
            moved
        } else if is_slice {
            let length = at.steps.size();
            let first = AxisIndex::Range { start: start as usize, step: step as isize, length };
            let rest = moved.dims()[1..].iter().map(|&dim| AxisIndex::whole(dim));
            moved.index(&[first].into_iter().chain(rest).collect::<Vec<_>>()).map_err(&op)?
        } else {
            let index = Array::from_slice(&[places.len()], &places).map_err(of_array(span))?;
            let index = Val::with_dims(index, &[at.steps]).map_err(&op)?;
            moved.gather(&index, 0).map_err(&op)?
        };
        let mut name = format!("{}_{}", outside.symbol(), at.step.symbol());
        while !self.is_free_in_loop(&name) {
            name.push('_');
        }
        let at = self.loops.last_mut().expect("a loop is evaluated");
        at.names.insert(name.clone());
        let symbol = Val::symbol(&name, &stacked.dims()[1..], stacked.dtype());
        at.rows.push(Rows { outside: outside.clone(), axis, places, stacked, symbol: symbol.clone() });
        Ok(symbol)
    }
}

impl Loop {
    fn symbol_of(&mut self, outside: &Val) -> Val {
        // A number that the program states is the same everywhere.
        if matches!(outside.origin(), Origin::Number(_)) {
            return outside.clone();
        }
        if let Some((_, symbol)) = self.shared.iter().find(|(known, _)| known.id() == outside.id()) {
            return symbol.clone();
        }
        let symbol = Val::symbol(&outside.symbol(), outside.dims(), outside.dtype());
        self.shared.push((outside.clone(), symbol.clone()));
        symbol
    }
}

/// Does the number of the step decide what a value is, and nothing else?
fn is_decided_by(val: &Val, step: &Val) -> bool {
    let (mut pending, mut seen) = (vec![val], HashSet::new());
    let mut has_step = false;
    while let Some(next) = pending.pop() {
        if !seen.insert(next.id()) {
            continue;
        }
        match next.origin() {
            Origin::Leaf if next.id() == step.id() => has_step = true,
            Origin::Leaf if !next.has_numbers() => return false,
            Origin::Leaf | Origin::Number(_) => {}
            Origin::Call(_, inputs) => pending.extend(inputs),
        }
    }
    has_step
}

/// What an index is in each step, counted from the start of its axis.
fn places(index: &Val, step: &Val, steps: Dim, dim: Dim, span: Span) -> Outcome<Vec<i64>> {
    let mut places = Vec::new();
    for (at, value) in in_each_step(index, step, steps, span)?.into_iter().enumerate() {
        let size = dim.size() as f64;
        let from_start = if value < 0.0 { value + size } else { value };
        if value.fract() != 0.0 || !(0.0..size).contains(&from_start) {
            let message =
                format!("in step {at} the index is {value}, outside an axis of size {}", dim.size());
            return Err(Error::new(span, message)
                .with_hint(format!("the loop has {} steps, from 0 on", steps.size()))
                .into());
        }
        places.push(from_start as i64);
    }
    Ok(places)
}

/// What a number that the number of the step decides is in each step.
fn in_each_step(number: &Val, step: &Val, steps: Dim, span: Span) -> Outcome<Vec<f64>> {
    pullback_array::memory::room(steps.size().saturating_mul(2 * size_of::<f64>()))
        .map_err(of_array(span))?;
    let function = Function::new(&[step], &[number], &[]).map_err(of_op(span))?;
    let at = |at: usize| {
        let at = Array::scalar(at as f64, DType::I64).map_err(of_array(span))?;
        function.call(&[at]).map_err(of_op(span))?[0].item().map_err(of_array(span))
    };
    (0..steps.size()).map(at).collect()
}
