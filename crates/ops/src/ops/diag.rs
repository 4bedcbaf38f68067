//! The diagonal matrix of a vector, or the diagonal of a matrix.
//!
//! # Formula
//! y_ij = δ_ij x_i for a vector, y_i = x_ii for a matrix
//!
//! # Jacobian
//! ∂y_ij/∂x_m = δ_ij δ_im for a vector, ∂y_i/∂x_mn = δ_im δ_in for a matrix
//!
//! # Domain
//! All reals; one or two axes. The diagonal of a wide or tall matrix is that of its largest leading square.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use pullback_network::{Coef, Label};

use crate::{Axes, AxisIndex, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "diag(x, offset: integer = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        match (args.whole("offset", 0)?, x.ndim()) {
            (0, _) => x.diag(),
            (offset, 1) => {
                let beside = i64::try_from(offset.unsigned_abs()).unwrap_or(i64::MAX);
                let (above, below) = if offset < 0 { (beside, 0) } else { (0, beside) };
                x.diag()?.pad(&[(above, below), (below, above)], 0.0)
            }
            (offset, 2) => x.diagonal(offset, 0, 1),
            _ => x.diag(),
        }
    },
    samples: || {
        vec![
            Sample::normal("diag: of a vector", [&[3]], |x| x[0].diag()),
            Sample::normal("diag: of a matrix", [&[3, 3]], |x| x[0].diag()),
            Sample::normal("diag: of a wide matrix", [&[2, 3]], |x| x[0].diag()),
        ]
    },
};

impl Val {
    /// The diagonal matrix `[n, n]` of a vector `[n]`, or the diagonal of a matrix.
    ///
    /// # Errors
    /// On a scalar or more than two axes.
    pub fn diag(&self) -> Result<Val> {
        match *self.dims() {
            [n] => {
                let i = Label::new(n);
                self.relabelled("diag", String::new(), Coef::one(), &[i], &[i, i])
            }
            [rows, columns] if rows == columns => {
                let i = Label::new(rows);
                self.relabelled("diag", String::new(), Coef::one(), &[i, i], &[i])
            }
            [rows, columns] => {
                let least = rows.size().min(columns.size());
                let square = AxisIndex::range(0, 1, least);
                self.index(&[square, square])?.diag()
            }
            _ => Err(Error::new(format!("diag: {:?} is neither a vector nor a matrix", self.dims()))),
        }
    }
}
