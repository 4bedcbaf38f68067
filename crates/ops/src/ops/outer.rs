//! The outer product of two vectors.
//!
//! # Formula
//! y_ij = a_i b_j
//!
//! # Jacobian
//! ∂y_ij/∂a_m = δ_im b_j, ∂y_ij/∂b_m = δ_jm a_i
//!
//! # Domain
//! All reals; two vectors.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear in each operand, with the other one as slope.

use pullback_network::{Coef, Label};

use crate::{Axes, Einsum, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "outer(a, b)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| args.value("a")?.outer(&args.value("b")?),
    samples: || vec![Sample::normal("outer: two lengths", [&[2], &[3]], |x| x[0].outer(&x[1]))],
};

impl Val {
    /// The outer product `[m, n]` of two vectors `[m]` and `[n]`.
    ///
    /// # Errors
    /// Where one is no vector.
    pub fn outer(&self, other: &Val) -> Result<Val> {
        if self.ndim() != 1 || other.ndim() != 1 {
            let shapes = (self.dims(), other.dims());
            return Err(Error::new(format!("outer: {:?} and {:?} are not two vectors", shapes.0, shapes.1))
                .with_hint("flatten them with vec(…), or write einsum"));
        }
        let (i, j) = (Label::new(self.dims()[0]), Label::new(other.dims()[0]));
        Val::apply(
            Einsum::from_labels(Coef::one(), &[vec![i], vec![j]], &[i, j]).called("outer", String::new()),
            &[self, other],
        )
    }
}
