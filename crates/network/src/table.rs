//! Integer tables: which element of one axis a multi-index selects.

use std::fmt;
use std::sync::Arc;

use crate::dim::Name;

/// A table of indices into one axis, itself of any rank. An entry of −1 selects nothing (and so reads a zero).
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    shape: Vec<usize>,
    entries: Arc<[i64]>,
    name: Option<Name>,
}

impl Table {
    /// The largest number of entries: 2²⁸, 2 GiB.
    const MOST: usize = 1 << 28;

    /// A table of this shape, with `entries` in row-major order.
    ///
    /// # Errors
    /// Where the number of entries is not the product of the shape.
    pub fn new(shape: Vec<usize>, entries: Vec<i64>) -> Result<Table, Error> {
        if element_count(&shape)? != entries.len() {
            return Err(Error::new(format!(
                "a table of shape {shape:?} cannot have {} entries",
                entries.len()
            )));
        }
        Ok(Table { shape, entries: entries.into(), name: None })
    }

    /// The table whose entry at a multi-index is `entry(multi-index)`.
    pub(crate) fn from_fn(shape: Vec<usize>, mut entry: impl FnMut(&[usize]) -> i64) -> Result<Table, Error> {
        let count = element_count(&shape)?;
        let mut entries = Vec::with_capacity(count);
        let mut at = vec![0; shape.len()];
        for _ in 0..count {
            entries.push(entry(&at));
            step(&mut at, &shape);
        }
        Ok(Table { shape, entries: entries.into(), name: None })
    }

    /// The table under a name, for formulas.
    pub fn named(self, name: &str) -> Table {
        Table { name: Some(Name::new(name)), ..self }
    }

    /// The name in formulas.
    pub fn name(&self) -> Option<Name> {
        self.name
    }

    /// As it is called in formulas.
    pub fn symbol(&self) -> String {
        self.name.map_or("index".to_owned(), |name| name.to_string())
    }

    /// The shape of the table.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The entries, row-major.
    pub fn entries(&self) -> &[i64] {
        &self.entries
    }

    /// Does the table list `0, 1, …, size − 1`? Then selecting by it is a reshape.
    pub(crate) fn is_identity(&self, size: usize) -> bool {
        self.entries.len() == size && self.entries.iter().enumerate().all(|(k, &e)| e == k as i64)
    }

    pub(crate) fn identity(&self) -> usize {
        self.entries.as_ptr() as usize
    }
}

/// The product of a shape, refused where no table may be so large.
pub(crate) fn element_count(shape: &[usize]) -> Result<usize, Error> {
    shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&count| count <= Table::MOST)
        .ok_or_else(|| Error::new(format!("an index table of shape {shape:?} would pass 2 GiB")))
}

/// Row-major strides of a shape.
pub(crate) fn strides(shape: &[usize]) -> Vec<i64> {
    let mut strides = vec![1i64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis] as i64);
    }
    strides
}

/// Advances a multi-index in row-major order, wrapping at the end.
pub(crate) fn step(at: &mut [usize], shape: &[usize]) {
    for axis in (0..shape.len()).rev() {
        at[axis] += 1;
        if at[axis] < shape[axis] {
            return;
        }
        at[axis] = 0;
    }
}

/// What can go wrong with a network itself: labels that do not match, tables that are too large.
#[derive(Clone, Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: String) -> Error {
        Error(message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
