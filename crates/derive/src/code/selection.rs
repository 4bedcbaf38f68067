//! How a relation between labels is written: what it reads is a slice, `dL/dZ[:, :M]`, or rows that a table of the program lists,
//! `gather(dL/dZ, t)`; and what it places stands among zeros, `pad(dL/dZ, [[0, N - 2], [0, 0]])`, or is added up where the table says,
//! `scatter_add(dL/dZ, t, V)`.
//!
//! Offsets are numbers in a relation. A slice that begins an axis, or ends it, is written by its size, which may have a name; of one in
//! the middle whose size has a name nobody knows here by which names its place is called, and there are no words for it.

use std::collections::HashMap;

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Span, make, parse_expr, print};
use pullback_network::{Coef, Dim, Label, Relation};
use pullback_ops::{Around, Factor, Gather, ScatterAdd, Term};

use super::matrix::{IDENTITY, OUTER};
use super::node::{Node, times};
use super::payload::Writer;
use super::terms::whole;

/// One label as a part of the range of another: the indices `offset + i`, where `along` has the index i; one index alone, where it is none.
struct Part {
    of: Label,
    along: Option<Label>,
    offset: usize,
}

impl Part {
    /// What an affine relation says of one of its labels.
    fn of(relation: &Relation, of: Label) -> Option<Part> {
        let (linear, constant) = relation.as_affine()?;
        let &(sign, _) = linear.iter().find(|(_, label)| *label == of)?;
        let others: Vec<&(i64, Label)> = linear.iter().filter(|(_, label)| *label != of).collect();
        let along = match others[..] {
            [] => None,
            [&(coefficient, label)] if coefficient == -sign => Some(label),
            _ => return None,
        };
        let offset = usize::try_from(-constant * sign).ok().filter(|_| sign.abs() == 1)?;
        let part = Part { of, along, offset };
        (offset + part.size() <= of.size()).then_some(part)
    }

    fn size(&self) -> usize {
        self.along.map_or(1, |label| label.size())
    }

    /// Does it end where the axis ends?
    fn is_last(&self) -> bool {
        self.offset + self.size() == self.of.size()
    }

    /// Has its size a name?
    fn is_named(&self) -> bool {
        self.along.is_some_and(|label| label.dim().name().is_some())
    }

    fn width(&self) -> Expr {
        match self.along {
            Some(label) => make::dim(Span::default(), &label.dim()),
            None => make::integer(Span::default(), 1),
        }
    }

    /// As an item between the brackets of an index.
    fn item(&self) -> Option<IndexItem> {
        let at = Span::default();
        let slice = |start: Option<Expr>, stop: Option<Expr>| IndexItem::Slice {
            start: start.map(Box::new),
            stop: stop.map(Box::new),
            step: None,
        };
        Some(match self.along {
            None if self.is_last() && self.offset > 0 => IndexItem::At(make::negated(&make::integer(at, 1))),
            None => IndexItem::At(make::integer(at, self.offset)),
            Some(_) if self.offset == 0 && self.is_last() => slice(None, None),
            Some(_) if self.offset == 0 => slice(None, Some(self.width())),
            Some(_) if self.is_last() => slice(Some(make::negated(&self.width())), None),
            Some(_) if self.is_named() => return None,
            Some(_) => {
                let stop = make::integer(at, self.offset + self.size());
                slice(Some(make::integer(at, self.offset)), Some(stop))
            }
        })
    }

    /// How much stands before it and behind it.
    fn around(&self) -> Option<[Expr; 2]> {
        let at = Span::default();
        let dim = self.of.dim();
        let left = self.of.size() - self.size();
        // What is left of the axis: by names, where it has any.
        let without = |number: usize| match (dim.name(), self.is_named()) {
            (None, false) => Some(make::integer(at, left - number)),
            (_, true) if number > 0 => None,
            (_, true) => Some(make::binary(at, BinaryOp::Sub, make::dim(at, &dim), self.width())),
            (Some(_), false) => {
                let taken = make::integer(at, self.size() + number);
                Some(make::binary(at, BinaryOp::Sub, make::dim(at, &dim), taken))
            }
        };
        let zero = || make::integer(at, 0);
        Some(match (self.offset, self.is_last()) {
            (0, true) => [zero(), zero()],
            (0, false) => [zero(), without(0)?],
            (_, true) => [without(0)?, zero()],
            (offset, false) => [make::integer(at, offset), without(offset)?],
        })
    }
}

/// Factors as a relation reads them, in the place of a summed label: a slice of each that has it, or rows that a table lists.
pub(super) fn read(nodes: &mut [Node], relation: &Relation, slots: &[Label]) -> Option<()> {
    let at = Span::default();
    let is_read = |label: &Label| !slots.contains(label) && nodes.iter().any(|node| node.has(*label));
    let (linear, constant) = relation.left();
    if let Some((table, labels)) = relation.right() {
        let (&[(1, of)], 0) = (linear, constant) else { return None };
        if !is_read(&of) || labels.contains(&of) {
            return None;
        }
        let index = table.name()?.to_string();
        for node in nodes.iter_mut().filter(|node| node.has(of)) {
            let axis = node.axes.iter().position(|label| *label == of)?;
            if labels.iter().any(|label| node.has(*label)) {
                return None;
            }
            let expr = applied(&Gather::call(OPERAND, &index, axis), node.expr.clone())?;
            let axes = [&node.axes[..axis], labels, &node.axes[axis + 1..]].concat();
            *node = Node::new(expr, axes);
        }
        return Some(());
    }
    let parts = linear.iter().filter(|(_, label)| is_read(label));
    let part = parts.filter_map(|&(_, label)| Part::of(relation, label)).next()?;
    let item = part.item()?;
    for node in nodes.iter_mut().filter(|node| node.has(part.of)) {
        let axis = node.axes.iter().position(|label| *label == part.of)?;
        if part.along.is_some_and(|label| node.has(label)) {
            return None;
        }
        let all = || IndexItem::Slice { start: None, stop: None, step: None };
        let items = (0..node.axes.len()).map(|k| if k == axis { item.clone() } else { all() }).collect();
        let base = Box::new(node.expr.clone());
        let axes = [&node.axes[..axis], part.along.as_slice(), &node.axes[axis + 1..]].concat();
        *node = Node::new(Expr::new(at, ExprKind::Index { base, items }), axes);
    }
    Some(())
}

/// A relation of two labels as the matrix that it is, `gather(eye(n), arange(0, n, 2), axis=0)`: the place along the one for each along the other.
pub(super) fn matrix(relation: &Relation) -> Option<Node> {
    let (linear, constant) = relation.as_affine()?;
    let &[first, second] = linear else { return None };
    let (of, along) = if first.0.abs() == 1 { (first, second) } else { (second, first) };
    let ((sign, of), (coefficient, along)) = (of, along);
    if sign.abs() != 1 {
        return None;
    }
    let (start, step) = (-constant * sign, -coefficient * sign);
    // Neighbours are a slice, where there are words for it.
    if step == 1 {
        return None;
    }
    let (size, last) = (of.size() as i64, start + step * (along.size() as i64 - 1));
    if along.size() == 0 || [start, last].iter().any(|place| !(0..size).contains(place)) {
        return None;
    }
    let at = Span::default();
    let dim = make::dim(at, &of.dim());
    let number = |number: i64| match number {
        0.. => make::integer(at, number as usize),
        _ => make::negated(&make::integer(at, number.unsigned_abs() as usize)),
    };
    let before = |place: i64| match place {
        place if place == size - 1 => make::binary(at, BinaryOp::Sub, dim.clone(), make::integer(at, 1)),
        place => number(place),
    };
    let stop = if last + step >= size { dim.clone() } else { number(last + step.signum()) };
    let start = if start == 0 { number(0) } else { before(start) };
    let places = make::call(at, "arange", vec![start, stop, number(step)], Vec::new());
    Some(Node::new(rows_of_identity(dim, &places)?, vec![along, of]))
}

/// Rows with a one where an index says, as the rows of an identity matrix that they are.
pub(super) fn rows_of_identity(size: Expr, index: &Expr) -> Option<Expr> {
    let identity = make::call(Span::default(), IDENTITY, vec![size], Vec::new());
    applied(&Gather::call(OPERAND, &print(index), 0), identity)
}

/// A term of which one relation says where along an axis of the result the rest of it stands, without its coefficient: over `slots`, by
/// which the axes are called.
pub(super) fn placed(term: &Term, slots: &[Label], writer: &Writer<'_>) -> Option<Node> {
    for (number, factor) in term.factors.iter().enumerate() {
        let Factor::Relation(relation) = factor else { continue };
        let others = || term.factors.iter().enumerate().filter(|(other, _)| *other != number);
        let is_placed = |label: &Label| {
            term.slots.iter().filter(|slot| *slot == label).count() == 1
                && !others().any(|(_, factor)| factor.labels().contains(label))
        };
        let (linear, _) = relation.left();
        let Some(&(_, of)) = linear.iter().find(|(_, label)| is_placed(label)) else { continue };
        let axis = term.slots.iter().position(|slot| *slot == of)?;
        let within = |along: &[Label]| [&term.slots[..axis], along, &term.slots[axis + 1..]].concat();
        let rest = |slots: Vec<Label>| -> Option<Expr> {
            let factors = others().map(|(_, factor)| factor.clone()).collect();
            let dims: Vec<Dim> = slots.iter().map(|label| label.dim()).collect();
            whole(&[Term { coef: Coef::one(), slots: slots.clone(), factors }], &slots, &dims, writer)
        };
        let expr = match relation.right() {
            Some((table, labels)) => {
                let is_free = |label: &Label| term.slots.contains(label);
                if axis > 0 || relation.left() != (&[(1, of)], 0) || labels.iter().any(is_free) {
                    continue;
                }
                let (index, size) =
                    (table.name()?.to_string(), print(&make::dim(Span::default(), &of.dim())));
                applied(&ScatterAdd::call(OPERAND, &index, &size), rest(within(labels))?)?
            }
            None => {
                let Some(part) = Part::of(relation, of) else { continue };
                if part.along.is_some_and(|label| term.slots.contains(&label)) {
                    continue;
                }
                let inner = rest(within(part.along.as_slice()))?;
                // One entry or row of a vector or matrix is that times a unit vector.
                if part.along.is_none()
                    && let Some(expr) = along_unit(&part, inner.clone(), axis, term.slots.len())
                {
                    return Some(Node::new(expr, slots.to_vec()));
                }
                let [before, behind] = part.around()?;
                let inner = match part.along {
                    Some(_) => inner,
                    None => with_axis(inner, axis, term.slots.len()),
                };
                let mut widths = vec![["0".to_owned(), "0".to_owned()]; term.slots.len()];
                widths[axis] = [print(&before), print(&behind)];
                applied(&Around::call(OPERAND, &widths), inner)?
            }
        };
        return Some(Node::new(expr, slots.to_vec()));
    }
    None
}

/// What a call is written of, before it is [`applied`].
pub(super) const OPERAND: &str = "the_operand";

/// A call of an operation with an expression for its operand.
pub(super) fn applied(call: &str, operand: Expr) -> Option<Expr> {
    let call = parse_expr(call).ok()?.expr;
    Some(make::substituted(&call, &HashMap::from([(OPERAND.to_owned(), operand)])))
}

/// The unit vector.
const UNIT: &str = "one_hot";

/// An entry times a unit vector, `sum(x) * one_hot(0, n)`, or a row as the outer product with one, `outer(one_hot(0, n), x)`.
fn along_unit(part: &Part, expr: Expr, axis: usize, rank: usize) -> Option<Expr> {
    let at = Span::default();
    let size = make::dim(at, &part.of.dim());
    let place = match part.is_last() && part.offset > 0 && part.of.dim().name().is_some() {
        true => make::binary(at, BinaryOp::Sub, size.clone(), make::integer(at, 1)),
        false => make::integer(at, part.offset),
    };
    let unit = make::call(at, UNIT, vec![place, size], Vec::new());
    match (rank, axis) {
        (1, _) => Some(times(expr, unit)),
        (2, 0) => Some(make::call(at, OUTER, vec![unit, expr], Vec::new())),
        (2, _) => Some(make::call(at, OUTER, vec![expr, unit], Vec::new())),
        _ => None,
    }
}

/// An expression with an axis of size one more.
fn with_axis(expr: Expr, axis: usize, rank: usize) -> Expr {
    let all = || IndexItem::Slice { start: None, stop: None, step: None };
    let items = (0..rank).map(|k| if k == axis { IndexItem::NewAxis } else { all() }).collect();
    Expr::new(Span::default(), ExprKind::Index { base: Box::new(expr), items })
}
