//! Indexing and slicing as in NumPy: `A[1, :, ::-1]`, `x[..., None]`, `E[index]`.
//!
//! An index may be negative and must lie inside its axis; the ends of a slice are clamped to it. An item may be an array of
//! integers, which then selects along its axis; several of them, of shapes that broadcast, pair up. Where NumPy would move that axis to the front (an index and an
//! array with a slice between them) the answer is an error.

use std::collections::HashSet;

use pullback_array::{Array, DType, memory};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Arg, AxisIndex, Origin, Val};

use super::call::{of_constants, whole_numbers};
use super::evaluate::{Evaluator, constant};
use super::failure::{Failure, Outcome, of_array, of_op};
use crate::{Error, Expr, ExprKind, IndexItem, Span};

impl Evaluator<'_> {
    /// `base[items]`.
    pub(super) fn subscript(&mut self, span: Span, base: &Val, items: &[IndexItem]) -> Outcome<Val> {
        let rank = base.ndim();
        if let [IndexItem::At(at)] = items
            && self.is_condition(at)
        {
            return self.masked(span, base, at);
        }
        let taken =
            items.iter().filter(|item| matches!(item, IndexItem::At(_) | IndexItem::Slice { .. })).count();
        let ellipses = items.iter().filter(|item| matches!(item, IndexItem::Ellipsis)).count();
        if taken > rank {
            let message = format!("index: {:?} has {} and is given {taken} indices", base.dims(), axes(rank));
            return Err(Error::new(span, message).into());
        }
        if ellipses > 1 {
            return Err(Error::new(span, "`...` stands once in an index").into());
        }
        let mut taking = Vec::new();
        // The dims of the result, new axes included, once the slices are taken; `None`: as the result has it.
        let mut layout: Vec<Option<Dim>> = Vec::new();
        let mut tables: Vec<(usize, Val, Span)> = Vec::new();
        let whole = |taking: &mut Vec<AxisIndex>, layout: &mut Vec<Option<Dim>>| {
            taking.push(AxisIndex::whole(base.dims()[taking.len()]));
            layout.push(None);
        };
        for item in items {
            match item {
                IndexItem::NewAxis => layout.push(Some(Dim::new(1))),
                IndexItem::Ellipsis => (taken..rank).for_each(|_| whole(&mut taking, &mut layout)),
                IndexItem::Slice { start, stop, step } => {
                    let dim = base.dims()[taking.len()];
                    let [start, stop, step] = [start, stop, step]
                        .map(|bound| bound.as_deref().map(|bound| self.whole_number(bound)).transpose());
                    taking.push(range(span, dim.size(), start?, stop?, step?)?);
                    layout.push(None);
                }
                IndexItem::At(at) => match self.position(at)? {
                    Position::Number(number) => {
                        let place = inside(at.span, number, taking.len(), base)?;
                        taking.push(match number {
                            0.. => AxisIndex::At(place),
                            _ => AxisIndex::FromEnd(number.unsigned_abs() as usize),
                        });
                    }
                    Position::Table(index) => {
                        tables.push((layout.iter().filter(|dim| dim.is_none()).count(), index, at.span));
                        whole(&mut taking, &mut layout);
                    }
                },
            }
        }
        while taking.len() < rank {
            whole(&mut taking, &mut layout);
        }
        if !tables.is_empty() && apart(items) {
            return Err(Error::new(span, "an index and an array of indices stand apart here")
                .with_hint("NumPy would move the array's axes to the front; index twice: `x[1][:, index]`")
                .into());
        }
        let op = of_op(span);
        let is_whole = taking.iter().zip(base.dims()).all(|(&taken, &dim)| taken == AxisIndex::whole(dim));
        let mut result = if is_whole { base.clone() } else { base.index(&taking).map_err(&op)? };
        if layout.iter().any(Option::is_some) {
            let mut kept = result.dims().iter();
            let dims: Vec<Dim> =
                layout.iter().filter_map(|dim| dim.or_else(|| kept.next().copied())).collect();
            for (axis, ..) in &mut tables {
                let selected = *axis;
                let mut old = layout.iter().enumerate().filter(|(_, dim)| dim.is_none());
                *axis = old.nth(selected).map_or(selected, |(at, _)| at);
            }
            result = result.reshape(&dims).map_err(&op)?;
        }
        match tables.as_slice() {
            [] => Ok(result),
            [(axis, index, _)] => result.gather(index, *axis).map_err(op),
            several => paired(span, &result, several),
        }
    }

    /// Is it a comparison, or several, or the name of one, which are true or not and no index?
    pub(super) fn is_condition(&self, expr: &Expr) -> bool {
        use crate::BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        match &expr.kind {
            ExprKind::Binary { operator, .. } => {
                matches!(operator.kind, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual)
            }
            ExprKind::Name(name) => match self.locals.as_ref().and_then(|locals| locals.get(name)) {
                Some(Arg::Value(val)) => self.conditions.contains(&val.id()),
                Some(_) => false,
                None => self.scope.get(name).is_some_and(|bound| bound.condition),
            },
            // `a & b`, `a | b` and `!a` are calls.
            ExprKind::Call { function, .. } => {
                let is_logic = function.text.starts_with("logical_");
                is_logic && expr.children().into_iter().all(|child| self.is_condition(child))
            }
            _ => false,
        }
    }

    /// `x[x > 0]`: the elements where a condition is true, or the rows where one of an axis is.
    fn masked(&mut self, span: Span, base: &Val, condition: &Expr) -> Outcome<Val> {
        let mask = self.operand(condition)?;
        if mask.dims() == base.dims() {
            return base.masked_select(&mask).map_err(of_op(span));
        }
        if mask.ndim() != 1 || base.dims().first() != mask.dims().first() {
            let message = format!("a mask of shape {:?} selects nothing of {:?}", mask.dims(), base.dims());
            return Err(Error::new(condition.span, message)
                .with_hint("it has the shape of what it selects from, or that of its first axis")
                .into());
        }
        let numbers = mask.array().map_err(of_op(condition.span))?.to_vec_f64();
        let rows: Vec<i64> =
            (0..).zip(&numbers).filter(|(_, is_true)| **is_true != 0.0).map(|(row, _)| row).collect();
        let rows = Array::from_vec(&[rows.len()], rows).map_err(of_array(condition.span))?;
        base.gather(&Val::new(rows), 0).map_err(of_op(span))
    }

    /// An index that is computed has whole numbers, as far as they are known.
    fn demand_whole(&self, expr: &Expr, val: &Val) -> Outcome<()> {
        if !val.has_numbers() {
            return Ok(());
        }
        let numbers = val.array().map_err(of_op(expr.span))?.to_vec_f64();
        match numbers.into_iter().find(|number| number.fract() != 0.0) {
            None => Ok(()),
            Some(wrong) => Err(Error::new(expr.span, format!("an index is a whole number, not {wrong}"))
                .with_hint("`long(…)` leaves out what stands behind the point")
                .into()),
        }
    }

    fn position(&mut self, expr: &Expr) -> Outcome<Position> {
        match self.arg(expr)? {
            Arg::Number(number, _) => whole(expr, number).map(Position::Number),
            arg => {
                let val = self.operand_from(expr, arg)?;
                if let Some(number) = constant(&self.outside(&val)).or_else(|| of_constants(&val)) {
                    return whole(expr, number).map(Position::Number);
                }
                if let Some(index) = self.index_by_step(&val, expr.span)? {
                    return Ok(Position::Table(index));
                }
                match (val.dtype(), whole_numbers(&val)) {
                    (DType::I64, _) => Ok(Position::Table(val)),
                    (_, Some(index)) => Ok(Position::Table(index)),
                    _ if is_of_integers(&val) => {
                        self.demand_whole(expr, &val)?;
                        val.whole().map(Position::Table).map_err(of_op(expr.span))
                    }
                    _ => Err(Error::new(expr.span, "an index is a whole number or an array of them")
                        .with_hint("draw it with `randint(0, n)`; elements are selected by a condition in the brackets, `x[x > 0]`, and not by a mask")
                        .into()),
                }
            }
        }
    }

    pub(super) fn whole_number(&mut self, expr: &Expr) -> Outcome<i64> {
        match self.position(expr)? {
            Position::Number(number) => Ok(number),
            Position::Table(_) => Err(Error::new(expr.span, "the ends of a slice are whole numbers").into()),
        }
    }
}

/// Entries by indices that pair up: along neighbouring axes, which become one.
fn paired(span: Span, base: &Val, tables: &[(usize, Val, Span)]) -> Outcome<Val> {
    let op = of_op(span);
    let first = tables[0].0;
    // `x[arange(n), k]`: one of each row, whatever k is when the program runs.
    if let [(0, rows, _), (1, index, _)] = tables
        && index.ndim() == 1
        && is_range(rows, base.dims()[0])
        && index.shape() == rows.shape()
    {
        return base.pick(index, 1).map_err(op);
    }
    let mut dims: Vec<Dim> = Vec::new();
    for (_, index, _) in tables {
        dims = pullback_ops::broadcast("indices", &dims, index.dims()).map_err(&op)?;
    }
    let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
    let count = shape.iter().fold(1usize, |count, &size| count.saturating_mul(size));
    memory::room(count.saturating_mul(size_of::<i64>())).map_err(of_array(span))?;
    let mut places = vec![0i64; count];
    for (axis, index, place) in tables {
        let size = base.dims()[*axis].size();
        let numbers = index.array().map_err(&op)?.broadcast_to(&shape).and_then(|index| index.to_vec_i64());
        for (at, number) in places.iter_mut().zip(numbers.map_err(of_array(*place))?) {
            *at = *at * size as i64 + inside(*place, number, *axis, base)? as i64;
        }
    }
    let joined = Dim::new(tables.iter().map(|(axis, ..)| base.dims()[*axis].size()).product());
    let flat = [&base.dims()[..first], &[joined], &base.dims()[first + tables.len()..]].concat();
    let places = Array::from_vec(&shape, places).map_err(of_array(span))?;
    let places = Val::with_dims(places, &dims).map_err(&op)?;
    base.reshape(&flat).and_then(|base| base.gather(&places, first)).map_err(op)
}

/// Is it 0, 1, 2 …, all of an axis, written down and not given?
fn is_range(index: &Val, dim: Dim) -> bool {
    matches!(index.origin(), Origin::Leaf)
        && is_written(index)
        && index.shape() == [dim.size()]
        && index
            .array()
            .is_ok_and(|array| array.to_vec_f64().into_iter().eq((0..dim.size()).map(|k| k as f64)))
}

/// Does a value stand in an expression? What is written there is called as it is written, and what is given has a name.
fn is_written(val: &Val) -> bool {
    val.name().is_none_or(|name| !name.is_identifier())
}

/// What an index is.
enum Position {
    Number(i64),
    Table(Val),
}

/// Does something else stand between indices?
fn apart(items: &[IndexItem]) -> bool {
    let is_index = |item: &IndexItem| matches!(item, IndexItem::At(_));
    let first = items.iter().position(is_index);
    let last = items.iter().rposition(is_index);
    first.zip(last).is_some_and(|(first, last)| !items[first..=last].iter().all(is_index))
}

fn axes(rank: usize) -> String {
    if rank == 1 { "1 axis".to_owned() } else { format!("{rank} axes") }
}

fn whole(expr: &Expr, number: f64) -> Outcome<i64> {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Ok(number as i64);
    }
    Err(Error::new(expr.span, format!("an index is a whole number, not {number}")).into())
}

/// An index inside of its axis; a negative one counts from the end.
pub(super) fn inside(span: Span, index: i64, axis: usize, base: &Val) -> Outcome<usize> {
    let size = base.dims()[axis].size();
    let from_start = if index < 0 { index.saturating_add_unsigned(size as u64) } else { index };
    usize::try_from(from_start).ok().filter(|&at| at < size).ok_or_else(|| {
        let message = format!("index: {index} lies outside axis {axis} of {:?}", base.dims());
        let error = Error::new(span, message);
        Failure::Said(match size {
            0 => error.with_hint("the axis has no element"),
            _ => error.with_hint(format!("indices go from 0 to {}, or from -{size} to -1", size - 1)),
        })
    })
}

/// What a slice takes of an axis of this size: Python's `slice.indices`, and how many that are.
fn range(
    span: Span,
    size: usize,
    start: Option<i64>,
    stop: Option<i64>,
    step: Option<i64>,
) -> Outcome<AxisIndex> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Error::new(span, "a slice has no step of 0").into());
    }
    let size = i64::try_from(size).map_err(|_| Error::new(span, "this axis is too long to be sliced"))?;
    // Forwards the ends lie in 0..=size, backwards in -1..size.
    let (least, most) = if step > 0 { (0, size) } else { (-1, size - 1) };
    let clamped = |end: i64| {
        let from_start = if end < 0 { end.saturating_add(size) } else { end };
        from_start.clamp(least, most)
    };
    let start = start.map_or(if step > 0 { least } else { most }, clamped);
    let stop = stop.map_or(if step > 0 { most } else { least }, clamped);
    let distance = if step > 0 { stop - start } else { start - stop };
    let length = if distance <= 0 { 0 } else { (distance - 1) / step.saturating_abs() + 1 };
    match (usize::try_from(start), isize::try_from(step), usize::try_from(length)) {
        (Ok(start), Ok(step), Ok(length)) if length > 0 => Ok(AxisIndex::range(start, step, length)),
        _ => Ok(AxisIndex::range(0, 1, 0)),
    }
}

/// Is a value computed of integers (`arange(n)` too) and of numbers that the program states, and of nothing else?
fn is_of_integers(val: &Val) -> bool {
    let (mut pending, mut seen, mut integers) = (vec![val], HashSet::new(), 0);
    while let Some(next) = pending.pop() {
        if next.dtype() == DType::I64 {
            integers += 1;
            continue;
        }
        if next.inputs().is_empty() {
            if !is_written(next) || !next.has_numbers() {
                return false;
            }
            integers += usize::from(next.ndim() > 0 && whole_numbers(next).is_some());
        }
        if seen.insert(next.order()) {
            pending.extend(next.inputs());
        }
    }
    integers > 0
}
