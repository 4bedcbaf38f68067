//! Elements of one axis, selected by an array of indices: an embedding, `numpy.take`.
//!
//! # Formula
//! y_(…, i, …) = x_(…, index_i, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = `[m = index_i]`, with a delta on every other axis. An index that repeats makes the vjp add.
//!
//! # Domain
//! All reals; indices from −n to n − 1, where a negative one counts from the end. The index is not differentiated.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move, some several times, and do not change.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Relation, Table};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Selection along one axis by a table.
#[derive(Debug, Clone)]
pub struct Gather {
    axis: usize,
    table: Table,
    index: Array,
    /// The dims of the table's axes.
    dims: Vec<Dim>,
}

/// A table may be of any length: it is not compared, and the operation is not kept ([`crate::Same`]).
impl PartialEq for Gather {
    fn eq(&self, _: &Gather) -> bool {
        false
    }
}

impl Gather {
    /// How it is called: of what, with which index, along which axis.
    pub fn call(x: &str, index: &str, axis: usize) -> String {
        format!("gather({x}, {index}, axis={axis})")
    }

    /// Selection along the first axis, the table's axes having these dims. An entry of −1 reads a zero.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn rows(table: Table, dims: &[Dim]) -> Result<Gather> {
        let index = Array::from_slice(table.shape(), table.entries())?;
        Ok(Gather { axis: 0, table, index, dims: dims.to_vec() })
    }
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let dims = &inputs[0].dims;
        let Some(size) = dims.get(self.axis).map(|dim| dim.size() as i64) else {
            return Err(Error::new(format!("gather: {dims:?} has no axis {}", self.axis)));
        };
        if let Some(wrong) = self.table.entries().iter().find(|&&entry| entry < -1 || entry >= size) {
            return Err(Error::new(format!(
                "gather: the index {wrong} lies outside axis {} of {dims:?}",
                self.axis
            )));
        }
        let (before, after) = (&dims[..self.axis], &dims[self.axis + 1..]);
        let dims = before.iter().chain(&self.dims).chain(after).copied().collect();
        Ok(vec![Spec::new(dims, inputs[0].dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (to, back) = front(inputs[0].ndim(), self.axis, self.dims.len());
        Ok(vec![inputs[0].permute(&to)?.gather(&self.index)?.permute(&back)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let selected = Label::for_dims(&self.dims);
        let out: Vec<Label> =
            x[..self.axis].iter().chain(&selected).chain(&x[self.axis + 1..]).copied().collect();
        let relation = Relation::indexed(x[self.axis], self.table.clone(), selected);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        Gather::call(&inputs[0], &self.table.symbol(), self.axis)
    }
}

/// The permutation that moves the selected axis to the front, and the one that moves the `table` axes of the index, which then stand there,
/// to its place.
fn front(rank: usize, axis: usize, table: usize) -> (Vec<usize>, Vec<usize>) {
    let to = std::iter::once(axis).chain((0..rank).filter(|&k| k != axis)).collect();
    let made = table + rank - 1;
    let back = (table..table + axis).chain(0..table).chain(table + axis..made).collect();
    (to, back)
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "gather(x, index: indices, axis: axis = 0)",
    aliases: &["embedding"],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.gather(&args.value("index")?, args.axis("axis", x.ndim())?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("gather: repeated rows", [&[4, 3]], |x| {
                x[0].gather(&indices(&[2, 3], &[0, 2, 2, 3, 0, -2]), 0)
            }),
            Sample::normal("gather: the last axis", [&[2, 5]], |x| {
                x[0].gather(&indices(&[3], &[4, 1, 4]), 1)
            }),
            Sample::normal("gather: one element", [&[3, 2]], |x| x[0].gather(&indices(&[], &[1]), 0)),
            Sample::normal("gather: reused", [&[4, 3]], |x| {
                x[0].gather(&indices(&[3], &[0, 2, 2]), 0)?.powf(2.0)
            }),
        ]
    },
};

fn indices(shape: &[usize], data: &[i64]) -> Val {
    Val::new(Array::from_slice(shape, data).expect("data of this shape"))
}

impl Val {
    /// The elements of `axis` that `index`, integers of any shape, selects: by a table where they are given, else by what the program
    /// computes when it runs (`pick`).
    ///
    /// # Errors
    /// Where there is no such axis, an index lies outside it, or `index` holds no integers.
    pub fn gather(&self, index: &Val, axis: usize) -> Result<Val> {
        let Some(size) = self.dims().get(axis).map(|dim| dim.size() as i64) else {
            return Err(Error::new(format!("gather: {:?} has no axis {axis}", self.dims())));
        };
        if index.dtype() != DType::I64 {
            return Err(Error::new(format!("gather: the index is {} and must be integers", index.dtype()))
                .with_hint("draw it with randint(0, n) or load integers"));
        }
        if index.is_computed_from_floats() {
            let (to, back) = front(self.ndim(), axis, index.ndim());
            return match axis {
                0 => self.pick(index, 0),
                _ => self.permute(&to)?.pick(index, 0)?.permute(&back),
            };
        }
        let from_start = |entry: i64| if entry < 0 { entry.saturating_add(size) } else { entry };
        let entries: Vec<i64> = index.array()?.to_vec_i64()?;
        if let Some(wrong) = entries.iter().find(|&&entry| !(0..size).contains(&from_start(entry))) {
            return Err(Error::new(format!(
                "gather: the index {wrong} lies outside axis {axis} of {:?}",
                self.dims()
            )));
        }
        let table = Table::new(index.shape(), entries.into_iter().map(from_start).collect())?;
        let table = index.name().map_or(table.clone(), |name| table.named(name.as_str()));
        Val::apply(Gather { axis, ..Gather::rows(table, index.dims())? }, &[self])
    }
}
