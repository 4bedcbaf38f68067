//! Rows added into places that a table names: the adjoint of gather.
//!
//! # Formula
//! y_n,… = Σ_{i : index_i = n} x_i,…
//!
//! # Jacobian
//! ∂y_n/∂x_i = `[n = index_i]`, with a delta on every other axis
//!
//! # Domain
//! All reals; indices from 0 to size − 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear; gather and scatter-add are each other's transposes, with the same relation.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Relation, Table};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Addition of rows into places that a table names.
#[derive(Debug, Clone)]
pub struct ScatterAdd {
    table: Table,
    index: Array,
    size: Dim,
}

/// A table may be of any length: it is not compared, and the operation is not kept ([`crate::Same`]).
impl PartialEq for ScatterAdd {
    fn eq(&self, _: &ScatterAdd) -> bool {
        false
    }
}

impl ScatterAdd {
    /// How it is called: of what, with which index, into how many rows.
    pub fn call(x: &str, index: &str, size: &str) -> String {
        format!("scatter_add({x}, {index}, {size})")
    }

    /// Addition into `size` rows. An entry of −1 drops its row.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn new(table: Table, size: Dim) -> Result<ScatterAdd> {
        let index = Array::from_slice(table.shape(), table.entries())?;
        Ok(ScatterAdd { table, index, size })
    }
}

impl Op for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let lead = self.table.shape().len();
        if x.dims.len() < lead || x.shape()[..lead] != *self.table.shape() {
            return Err(Error::new(format!(
                "scatter_add: an index of shape {:?} does not fit rows of shape {:?}",
                self.table.shape(),
                x.dims,
            )));
        }
        if let Some(wrong) = self.table.entries().iter().find(|&&e| e < -1 || e >= self.size.size() as i64) {
            return Err(Error::new(format!(
                "scatter_add: the index {wrong} lies outside 0..{}",
                self.size.size()
            )));
        }
        let dims = [self.size].into_iter().chain(x.dims[lead..].iter().copied()).collect();
        Ok(vec![Spec::new(dims, x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].scatter_add(&self.index, self.size.size())?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = Label::for_dims(at.x().dims());
        let (selected, rest) = x.split_at(self.table.shape().len());
        let n = Label::new(self.size);
        let out: Vec<Label> = [n].iter().chain(rest).copied().collect();
        let relation = Relation::indexed(n, self.table.clone(), selected.to_vec());
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        ScatterAdd::call(&inputs[0], &self.table.symbol(), &self.size.size().to_string())
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "scatter_add(x, index: indices, size: shape)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let size = args.shape("size", None)?;
        match size.as_slice() {
            [size] => x.scatter_add(&args.value("index")?, *size),
            _ => Err(Error::new("scatter_add: the size is one number")),
        }
    },
    samples: || {
        vec![Sample::normal("scatter_add: repeated rows", [&[4, 3]], |x| {
            x[0].scatter_add(&Val::new(Array::from_slice(&[4], &[0i64, 2, 2, 1])?), 5.into())
        })]
    },
};

impl Val {
    /// The rows of `self`, added into `size` rows at the places that `index` names.
    ///
    /// # Errors
    /// Where the index does not fit, lies outside, or is a symbol or no integers.
    pub fn scatter_add(&self, index: &Val, size: Dim) -> Result<Val> {
        if index.dtype() != DType::I64 {
            return Err(Error::new(format!(
                "scatter_add: the index is {} and must be integers",
                index.dtype()
            )));
        }
        let entries = index.array()?.to_vec_i64()?;
        if let Some(wrong) = entries.iter().find(|&&entry| entry < 0) {
            return Err(Error::new(format!(
                "scatter_add: the index {wrong} lies outside 0..{}",
                size.size()
            )));
        }
        let table = Table::new(index.shape(), entries)?;
        let table = index.name().map_or(table.clone(), |name| table.named(name.as_str()));
        Val::apply(ScatterAdd::new(table, size)?, &[self])
    }
}
