//! The trace of a square matrix.
//!
//! # Formula
//! y = Σ_i x_ii
//!
//! # Jacobian
//! ∂y/∂x_mn = δ_mn
//!
//! # Domain
//! All reals; a square matrix.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear, with slope 1 on the diagonal and 0 off it.

use pullback_network::{Coef, Label};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "trace(x)",
    aliases: &[],
    axes: Axes::OfSquare,
    call: |args| args.value("x")?.trace(),
    samples: || vec![Sample::normal("trace: a matrix", [&[3, 3]], |x| x[0].trace())],
};

impl Val {
    /// The sum of the diagonal of a square matrix.
    ///
    /// # Errors
    /// On anything but a square matrix.
    pub fn trace(&self) -> Result<Val> {
        match *self.dims() {
            [rows, columns] if rows == columns => {
                let i = Label::new(rows);
                self.relabelled("trace", String::new(), Coef::one(), &[i, i], &[])
            }
            _ => Err(Error::new(format!("trace: {:?} is not a square matrix", self.dims()))),
        }
    }
}
