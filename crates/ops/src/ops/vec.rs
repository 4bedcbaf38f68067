//! A value as one long vector, by rows or by columns.
//!
//! # Formula
//! y_(i·n + j) = x_ij by rows, y_(j·m + i) = x_ij by columns
//!
//! # Jacobian
//! ∂y_k/∂x_ij = `[k = i·n + j]` by rows, `[k = j·m + i]` by columns
//!
//! # Domain
//! All reals. By columns: the first index varies fastest, whatever the rank.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change. Row-major is the layout of C, NumPy and PyTorch; column-major that of Fortran, MATLAB
//! and of vec(·) in the literature on matrix calculus.

use pullback_network::Dim;

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "vec(x, layout: row|col = row)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if args.word("layout")? == "col" { x.vec_columns() } else { x.vec_rows() }
    },
    samples: || {
        vec![
            Sample::normal("vec: by rows", [&[2, 3]], |x| x[0].vec_rows()),
            Sample::normal("vec: by columns", [&[2, 3]], |x| x[0].vec_columns()),
        ]
    },
};

impl Val {
    /// All elements as a vector, the last index varying fastest.
    ///
    /// # Errors
    /// Where the number of elements overflows.
    pub fn vec_rows(&self) -> Result<Val> {
        match *self.dims() {
            [_] => Ok(self.clone()),
            _ => self.reshape(&[Dim::new(self.shape().iter().product())]),
        }
    }

    /// All elements as a vector, the first index varying fastest.
    ///
    /// # Errors
    /// Where the number of elements overflows.
    pub fn vec_columns(&self) -> Result<Val> {
        self.permute(&(0..self.ndim()).rev().collect::<Vec<_>>())?.vec_rows()
    }
}
