//! The transpose: rows become columns.
//!
//! # Formula
//! y_ij = x_ji
//!
//! # Jacobian
//! ∂y_ij/∂x_mn = δ_jm δ_in
//!
//! # Domain
//! All reals, up to two axes; fewer than two stay as they are. With two axes named, those two are exchanged, whatever the
//! rank (PyTorch); with a list of all axes, they come in that order (NumPy).
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "transpose(x, axis0: axes = none, axis1: axis = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        if args.is_list("axis0") {
            return x.permute(&args.axes("axis0", x.ndim())?);
        }
        let (first, second) = (args.axis("axis0", x.ndim())?, args.axis("axis1", x.ndim())?);
        match (first, second) {
            (Some(first), Some(second)) => {
                let mut axes: Vec<usize> = (0..x.ndim()).collect();
                axes.swap(first, second);
                x.permute(&axes)
            }
            (None, None) => x.transpose(),
            _ => Err(Error::new("transpose: two axes are exchanged, and one is named")
                .with_hint("name both, `transpose(x, 0, 1)`, or none")),
        }
    },
    samples: || vec![Sample::normal("transpose: a matrix", [&[2, 3]], |x| x[0].transpose())],
};

impl Val {
    /// The transposed matrix; a vector or a scalar as it is.
    ///
    /// # Errors
    /// On more than two axes.
    pub fn transpose(&self) -> Result<Val> {
        match self.ndim() {
            0 | 1 => Ok(self.clone()),
            2 => {
                let labels = pullback_network::Label::for_dims(self.dims());
                let out = [labels[1], labels[0]];
                self.relabelled("transpose", String::new(), pullback_network::Coef::one(), &labels, &out)
            }
            n => Err(Error::new(format!("transpose: {:?} has {n} axes", self.dims()))
                .with_hint("say in which order they shall stand: permute(x, [1, 0, 2])")),
        }
    }
}
