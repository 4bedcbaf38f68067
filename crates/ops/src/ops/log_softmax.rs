//! The logarithm of the softmax along an axis.
//!
//! # Formula
//! y_in = x_in − log Σ_m exp(x_im) over the axis
//!
//! # Jacobian
//! ∂y_in/∂x_jm = δ_ij (δ_nm − exp(y_im))
//!
//! # Domain
//! All reals. An entry of −∞ stays −∞, and has no share.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: what is subtracted is a logsumexp that no code stores, so that one that is large leaves no large error.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "log_softmax(x, axis: axis = -1)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let last = x.ndim().saturating_sub(1);
        x.log_softmax(args.axis("axis", x.ndim())?.unwrap_or(last))
    },
    samples: || {
        vec![
            Sample::normal("log_softmax: a vector", [&[5]], |x| x[0].log_softmax(0)),
            Sample::normal("log_softmax: a middle axis", [&[2, 3, 2]], |x| x[0].log_softmax(1)),
            Sample::given("log_softmax: large", [(&[3], &[1000.0, 1001.0, 998.0])], |x| x[0].log_softmax(0)),
        ]
    },
};

impl Val {
    /// The logarithm of the softmax along `axis`.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn log_softmax(&self, axis: usize) -> Result<Val> {
        if axis >= self.ndim() {
            return Err(Error::new(format!(
                "log_softmax: no axis {axis} to normalise along in {:?}",
                self.dims()
            )));
        }
        self - &self.log_of_softmax(axis, true)?
    }
}
