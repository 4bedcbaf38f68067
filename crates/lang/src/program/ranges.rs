//! Index notation: which names are indices, and how far each runs.
//!
//! A bare name between the brackets of an index is an index, whatever else it means in the file. It runs over the
//! axis at which it stands, so that all axes at which it stands must be equally long. One that stands only in `delta`
//! runs as far as its partner.

use std::collections::HashMap;

use pullback_network::Dim;
use pullback_ops::Val;

use super::evaluate::Evaluator;
use super::failure::Outcome;
use crate::{Error, Expr, ExprKind, IndexItem, Name, Span};

/// The indices of a statement, each by its number here.
pub(super) struct Ranges {
    indices: Vec<Index>,
    by_name: HashMap<String, usize>,
    /// What stands before the brackets, by the place of its node: it is evaluated once.
    bases: HashMap<*const Expr, Val>,
}

struct Index {
    name: String,
    /// The first place at which it stands.
    span: Span,
    /// How far it runs, and the place that says so.
    range: Option<(Dim, Span)>,
}

impl Ranges {
    /// The indices of a statement: those on its left, whose ranges may be known, and those in the expression.
    pub(super) fn of(
        evaluator: &mut Evaluator<'_>,
        left: impl IntoIterator<Item = (Name, Option<Dim>)>,
        expr: &Expr,
    ) -> Outcome<Ranges> {
        let mut ranges = Ranges { indices: Vec::new(), by_name: HashMap::new(), bases: HashMap::new() };
        for (name, dim) in left {
            ranges.add(&name.text, name.span, dim)?;
        }
        let mut deltas = Vec::new();
        let mut plain: Vec<(&str, Span)> = Vec::new();
        let mut pending = vec![expr];
        while let Some(at) = pending.pop() {
            let (base, items) = match &at.kind {
                ExprKind::Index { base, items } if items.iter().any(|item| bare(item).is_some()) => {
                    (base, items)
                }
                kind => {
                    if let ExprKind::Name(name) = kind {
                        plain.push((name, at.span));
                    }
                    pending.extend(at.children().into_iter().rev());
                    continue;
                }
            };
            if is_delta(evaluator, base) {
                let [first, second] = items.as_slice() else {
                    return Err(Error::new(at.span, format!("delta has two indices, not {}", items.len()))
                        .with_hint("write `delta[i,j]`")
                        .into());
                };
                let mut pair = Vec::new();
                for (name, span) in [first, second].into_iter().filter_map(bare) {
                    pair.push(ranges.add(name, span, None)?);
                }
                deltas.push((at.span, pair));
                continue;
            }
            let val = evaluator.operand(base)?;
            let dims = val.dims().to_vec();
            if dims.len() != items.len() {
                let message = format!("this has the shape {dims:?} and is given {} indices", items.len());
                return Err(Error::new(at.span, message).with_hint("write one index for each axis").into());
            }
            for (item, dim) in items.iter().zip(dims) {
                if let Some((name, span)) = bare(item) {
                    ranges.add(name, span, Some(dim))?;
                }
            }
            ranges.bases.insert(&raw const **base, val);
        }
        if let Some((name, span)) = plain.into_iter().find(|(name, _)| ranges.number(name).is_some()) {
            return Err(Error::new(span, format!("`{name}` is an index in this statement, and no number"))
                .with_hint("index names hide other names: give the index another one")
                .into());
        }
        ranges.settle(&deltas)?;
        Ok(ranges)
    }

    fn add(&mut self, name: &str, span: Span, dim: Option<Dim>) -> Outcome<usize> {
        let number = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            self.indices.push(Index { name: name.to_owned(), span, range: None });
            self.indices.len() - 1
        });
        let index = &mut self.indices[number];
        match (&mut index.range, dim) {
            (range @ None, Some(dim)) => *range = Some((dim, span)),
            (Some((known, _)), Some(dim)) if *known == dim => *known = known.or_name_of(dim),
            (Some((known, place)), Some(dim)) => {
                return Err(Error::new(
                    span,
                    format!("the index `{name}` runs over {dim} here and over {known} elsewhere"),
                )
                .with_label(*place, format!("over {known} here"))
                .with_hint("an index runs over axes of one size")
                .into());
            }
            (_, None) => {}
        }
        Ok(number)
    }

    /// Gives the indices that only stand in `delta` the ranges of their partners.
    fn settle(&mut self, deltas: &[(Span, Vec<usize>)]) -> Outcome<()> {
        let mut changed = true;
        while changed {
            changed = false;
            for (span, pair) in deltas {
                let [a, b] = pair[..] else { continue };
                match (self.indices[a].range, self.indices[b].range) {
                    (Some((m, _)), Some((n, _))) if m != n => {
                        let (i, j) = (&self.indices[a].name, &self.indices[b].name);
                        let message = format!("delta[{i},{j}]: `{i}` runs over {m} and `{j}` over {n}");
                        return Err(Error::new(*span, message)
                            .with_hint("both indices of a delta run equally far")
                            .into());
                    }
                    (Some((dim, _)), None) => {
                        self.indices[b].range = Some((dim, *span));
                        changed = true;
                    }
                    (None, Some((dim, _))) => {
                        self.indices[a].range = Some((dim, *span));
                        changed = true;
                    }
                    _ => {}
                }
            }
        }
        match self.indices.iter().find(|index| index.range.is_none()) {
            None => Ok(()),
            Some(Index { name, span, .. }) => {
                Err(Error::new(*span, format!("nothing says how far the index `{name}` runs"))
                    .with_hint("an index takes its range from an axis at which it stands to the right of `=`")
                    .into())
            }
        }
    }

    /// The number of an index.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// How far an index runs.
    pub(super) fn dim(&self, index: usize) -> Dim {
        self.indices[index].range.expect("settled when the ranges were found").0
    }

    /// What stands before the brackets of an index in this statement.
    pub(super) fn base(&self, expr: &Expr) -> Option<Val> {
        self.bases.get(&(&raw const *expr)).cloned()
    }
}

/// The bare name that an item of an index is.
pub(super) fn bare(item: &IndexItem) -> Option<(&str, Span)> {
    match item {
        IndexItem::At(Expr { kind: ExprKind::Name(name), span }) => Some((name, *span)),
        _ => None,
    }
}

/// Is this the Kronecker delta, and no value that is called `delta`?
pub(super) fn is_delta(evaluator: &Evaluator<'_>, base: &Expr) -> bool {
    matches!(&base.kind, ExprKind::Name(name) if name == "delta" && evaluator.scope.get(name).is_none())
}
