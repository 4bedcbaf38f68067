//! The upper triangle of a matrix: zeros elsewhere.
//!
//! # Formula
//! y_ij = x_ij where j − i ≥ k, else 0, over the last two axes
//!
//! # Jacobian
//! ∂y_ij/∂x_mn = δ_im δ_jn `[j − i ≥ k]`
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A product with zeros and ones, element by element.

use pullback_array::{Array, memory};

use super::cumsum::called;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "triu(x, k: integer = 0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.triu(args.whole("k", 0)?),
    samples: || {
        vec![
            Sample::normal("triu: a wide matrix", [&[2, 3]], |x| x[0].triu(0)),
            Sample::normal("triu: a batch, another diagonal", [&[2, 3, 3]], |x| x[0].triu(-1)),
        ]
    },
};

impl Val {
    /// The upper triangle of the last two axes: what lies on or above the diagonal `k`, the main one for 0.
    ///
    /// # Errors
    /// Where there are no two axes, and on integers.
    pub fn triu(&self, k: i64) -> Result<Val> {
        let [.., rows, columns] = self.dims() else {
            return Err(Error::new(format!("triu: {:?} is no matrix", self.dims())));
        };
        let size = rows.size().saturating_mul(columns.size());
        memory::room(size.saturating_mul(size_of::<f64>()))?;
        let width = columns.size().max(1);
        let inside = |at: usize| (at % width) as i64 - (at / width) as i64 >= k;
        let entries: Vec<f64> = (0..size).map(|at| f64::from(u8::from(inside(at)))).collect();
        let mask = Array::from_vec(&[rows.size(), columns.size()], entries)?.cast(self.dtype())?;
        let name = format!("triu(ones({}, {}), {k})", called(*rows), called(*columns));
        self * &Val::with_dims(mask, &[*rows, *columns])?.named(&name)
    }
}
