//! Indexing and slicing: one index or one range for each axis.
//!
//! # Formula
//! y_i = x_(start + step·i) along an axis with a range; an axis with an index is gone
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = start + step·i]`: an affine relation on each axis. A whole axis is a delta.
//!
//! # Domain
//! All reals; indices inside the axis. A negative index counts from the end.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use pullback_array::{Array, SliceAxis};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// What is taken of one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisIndex {
    /// One element; the axis is gone.
    At(usize),
    /// One element, counted from the end, where 1 is the last; the axis is gone.
    FromEnd(usize),
    /// `length` elements from `start`, `step` apart.
    Range {
        /// The first element.
        start: usize,
        /// The distance to the next one; not 0.
        step: isize,
        /// How many.
        length: usize,
    },
}

impl AxisIndex {
    /// A range.
    pub fn range(start: usize, step: isize, length: usize) -> AxisIndex {
        AxisIndex::Range { start, step, length }
    }

    /// A whole axis.
    pub fn whole(dim: Dim) -> AxisIndex {
        AxisIndex::range(0, 1, dim.size())
    }

    /// The element that it is, of so many; `None` of a range.
    fn element(self, size: usize) -> Option<usize> {
        match self {
            AxisIndex::At(at) => Some(at),
            AxisIndex::FromEnd(at) => size.checked_sub(at),
            AxisIndex::Range { .. } => None,
        }
    }

    /// Between brackets; of an axis of a known size with open ends, where it begins or ends it.
    fn written(self, size: Option<usize>) -> String {
        let (start, step, length) = match self {
            AxisIndex::At(at) => return at.to_string(),
            AxisIndex::FromEnd(at) => return format!("-{at}"),
            AxisIndex::Range { start, step, length } => (start as i128, step as i128, length as i128),
        };
        let (stop, size) = (start + step * length, size.map(|size| size as i128).filter(|_| length > 0));
        let begins = size.is_some_and(|size| start == if step > 0 { 0 } else { size - 1 });
        let ends = stop < 0 || size.is_some_and(|size| step > 0 && stop >= size);
        let shown = |is_open: bool, place: i128| if is_open { String::new() } else { place.to_string() };
        let step = if step == 1 { String::new() } else { format!(":{step}") };
        format!("{}:{}{step}", shown(begins, start), shown(ends, stop))
    }

    fn fits(self, dim: Dim) -> bool {
        match self {
            AxisIndex::At(at) => at < dim.size(),
            AxisIndex::FromEnd(at) => (1..=dim.size()).contains(&at),
            AxisIndex::Range { length: 0, step, .. } => step != 0,
            AxisIndex::Range { start, step, length } => {
                let last = start as i128 + step as i128 * (length as i128 - 1);
                step != 0 && start < dim.size() && (0..dim.size() as i128).contains(&last)
            }
        }
    }
}

/// Indexing with what is taken of each axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    axes: Vec<AxisIndex>,
}

impl Op for Index {
    fn name(&self) -> &'static str {
        "index"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        if self.axes.len() != x.dims.len()
            || !self.axes.iter().zip(&x.dims).all(|(index, &dim)| index.fits(dim))
        {
            return Err(Error::new(format!("index: {:?} does not fit the shape {:?}", self.axes, x.dims)));
        }
        let left = |(index, &dim): (&AxisIndex, &Dim)| match *index {
            AxisIndex::At(_) | AxisIndex::FromEnd(_) => None,
            index if index == AxisIndex::whole(dim) => Some(dim),
            AxisIndex::Range { length, .. } => Some(Dim::new(length)),
        };
        Ok(vec![Spec::new(self.axes.iter().zip(&x.dims).filter_map(left).collect(), x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let slice = |(index, &size): (&AxisIndex, &usize)| match *index {
            AxisIndex::Range { start, step, length } => SliceAxis { start, step, len: length },
            index => SliceAxis { start: index.element(size).unwrap_or(0), step: 1, len: 1 },
        };
        let slices: Vec<SliceAxis> = self.axes.iter().zip(inputs[0].shape()).map(slice).collect();
        let kept = |index: &&AxisIndex| matches!(index, AxisIndex::Range { .. });
        let shape: Vec<usize> =
            self.axes.iter().zip(&slices).filter(|(i, _)| kept(i)).map(|(_, s)| s.len).collect();
        Ok(vec![inputs[0].slice(&slices)?.reshape(&shape)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let mut out = Vec::new();
        let mut x = Vec::new();
        let mut relations = Vec::new();
        for (index, &dim) in self.axes.iter().zip(at.x().dims()) {
            let m = Label::new(dim);
            x.push(m);
            match *index {
                index if index == AxisIndex::whole(dim) => out.push(m),
                AxisIndex::Range { start, step, length } => {
                    let i = Label::new(length);
                    out.push(i);
                    relations.push(Relation::affine([(step as i64, i), (-1, m)], start as i64));
                }
                index => {
                    let element = index.element(dim.size()).unwrap_or(0);
                    relations.push(Relation::affine([(1, m)], -(element as i64)));
                }
            }
        }
        Ok(at.network().plus_term(Coef::one(), &out, &x, relations.into_iter().map(Factor::Relation)))
    }

    /// Axes that are turned as a whole are turned back in the same way.
    fn adjoint(&self, at: &Site<'_>, cotangent: &str, _inputs: &[String]) -> Option<String> {
        let is_whole = |(index, dim): (&AxisIndex, &Dim)| {
            let last = dim.size().checked_sub(1);
            let turned = last.map(|last| AxisIndex::range(last, -1, dim.size()));
            *index == AxisIndex::whole(*dim) || Some(*index) == turned
        };
        let turns = self.axes.iter().zip(at.x().dims()).all(is_whole);
        turns.then(|| self.written_result(at.y(), &[cotangent.to_owned()]))?
    }

    fn written(&self, inputs: &[String]) -> String {
        let item = |index: &AxisIndex| index.written(None);
        format!("{}[{}]", inputs[0], self.axes.iter().map(item).collect::<Vec<_>>().join(", "))
    }

    /// With sizes at hand what begins or ends an axis is open there, and whole axes at the end are left out.
    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        let dims = result.inputs()[0].dims();
        let whole = |(index, dim): (&AxisIndex, &Dim)| *index == AxisIndex::whole(*dim);
        let last = self.axes.iter().zip(dims).rposition(|pair| !whole(pair)).unwrap_or(0);
        let taken = self.axes.iter().zip(dims).take(last + 1);
        let items: Vec<String> = taken.map(|(index, dim)| index.written(Some(dim.size()))).collect();
        Some(format!("{}[{}]", inputs[0], items.join(", ")))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "index(x, axis: axis, at: axis)",
    aliases: &["select"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        let mut axes: Vec<AxisIndex> = x.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
        let size = x.dims().get(axis).map_or(0, |dim| dim.size());
        axes[axis] = AxisIndex::At(args.axis("at", size)?.unwrap_or(0));
        x.index(&axes)
    },
    samples: || {
        vec![
            Sample::normal("index: a row", [&[3, 5]], |x| {
                x[0].index(&[AxisIndex::At(1), AxisIndex::range(0, 1, 5)])
            }),
            Sample::normal("index: steps, one backwards", [&[7, 5]], |x| {
                x[0].index(&[AxisIndex::range(1, 2, 3), AxisIndex::range(4, -2, 3)])
            }),
            Sample::normal("index: one element", [&[3]], |x| x[0].index(&[AxisIndex::At(2)])),
            Sample::normal("index: nothing", [&[3, 2]], |x| {
                x[0].index(&[AxisIndex::range(0, 1, 0), AxisIndex::At(0)])
            }),
        ]
    },
};

impl Val {
    /// What is taken of each axis, one entry an axis.
    ///
    /// # Errors
    /// Where there are not as many entries as axes, or one lies outside its axis.
    pub fn index(&self, axes: &[AxisIndex]) -> Result<Val> {
        Val::apply(Index { axes: axes.to_vec() }, &[self])
    }
}
