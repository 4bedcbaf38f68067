//! A whole power of a square matrix.
//!
//! # Formula
//! y = x x … x, n times; the inverse of that for a negative n, and the unit matrix for 0
//!
//! # Jacobian
//! dy = Σ_k x^k dx x^(n−1−k)
//!
//! # Domain
//! Square matrices over the last two axes; for a negative exponent those that are not singular.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: products of squares, as many as n has binary digits.

use pullback_array::Array;

use super::logdet::of_matrices;
use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "matrix_power(x, n: integer)",
    aliases: &[],
    axes: Axes::Square,
    call: |args| args.value("x")?.matrix_power(args.whole("n", 1)?),
    samples: || {
        let entries = &[0.5, -0.3, 0.8, 1.1];
        vec![
            Sample::given("matrix_power: a fifth power", [(&[2, 2], entries)], |x| x[0].matrix_power(5)),
            Sample::given("matrix_power: a negative one", [(&[2, 2], entries)], |x| x[0].matrix_power(-2)),
            Sample::given("matrix_power: none", [(&[2, 2], entries)], |x| x[0].matrix_power(0)),
        ]
    },
};

impl Val {
    /// The n-th power of the matrices in the last two axes.
    ///
    /// # Errors
    /// Where they are not square, or n is beyond a million.
    pub fn matrix_power(&self, n: i64) -> Result<Val> {
        const MOST: u64 = 1_000_000;
        of_matrices("matrix_power", self.spec())?;
        if n.unsigned_abs() > MOST {
            return Err(Error::new(format!("matrix_power: a power of {n}; {MOST} is the most")));
        }
        let mut square = if n < 0 { self.inv()? } else { self.clone() };
        let mut left = n.unsigned_abs();
        let mut power: Option<Val> = None;
        while left > 0 {
            if left % 2 == 1 {
                power = Some(power.map_or_else(|| Ok(square.clone()), |power| power.matmul(&square))?);
            }
            left /= 2;
            if left > 0 {
                square = square.matmul(&square)?;
            }
        }
        match power {
            Some(power) => Ok(power),
            None => {
                let dim = self.dims()[self.ndim() - 1];
                let unit = Val::with_dims(Array::eye(dim.size(), self.dtype())?, &[dim, dim])?;
                // Of the shape of the batch, and held: a power of 0 does not depend on x.
                &(self * 0.0)?.stop_gradient()? + &unit
            }
        }
    }
}
