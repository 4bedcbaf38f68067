//! A permutation of axes.
//!
//! # Formula
//! y_i0,i1,… = x with axis `axes[k]` of x as axis k of y
//!
//! # Jacobian
//! A delta between each axis of the output and the axis of the input that it is.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use pullback_network::{Coef, Label};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "permute(x, axes: axes)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        x.permute(&args.axes("axes", x.ndim())?)
    },
    samples: || vec![Sample::normal("permute: a cycle", [&[2, 3, 5]], |x| x[0].permute(&[2, 0, 1]))],
};

impl Val {
    /// The same elements with axis `axes[k]` as axis k.
    ///
    /// # Errors
    /// Where `axes` does not name each axis once.
    pub fn permute(&self, axes: &[usize]) -> Result<Val> {
        let labels = Label::for_dims(self.dims());
        let mut sorted = axes.to_vec();
        sorted.sort_unstable();
        if sorted.iter().copied().ne(0..self.ndim()) {
            return Err(Error::new(format!(
                "permute: {axes:?} does not name each axis of {:?} once",
                self.dims()
            )));
        }
        let out: Vec<Label> = axes.iter().map(|&axis| labels[axis]).collect();
        self.relabelled("permute", format!(", {axes:?}"), Coef::one(), &labels, &out)
    }
}
