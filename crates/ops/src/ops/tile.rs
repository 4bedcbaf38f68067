//! A value several times, one behind the other.
//!
//! # Formula
//! y_(n·k + i) = x_i for k from 0 to reps − 1, along each axis of size n
//!
//! # Jacobian
//! ∂y_(n·k + i)/∂x_m = δ_im, along each axis.
//!
//! # Domain
//! All reals. Fewer numbers than axes are those of the last ones, more make new axes in front.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: a new axis before each one, that the value is repeated along, and that becomes one with it.

use pullback_network::Dim;

use crate::{Axes, Entry, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "tile(x, reps: shape)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let reps: Vec<usize> = args.shape("reps", None)?.iter().map(|dim| dim.size()).collect();
        args.value("x")?.tile(&reps)
    },
    samples: || {
        vec![
            Sample::normal("tile: two axes", [&[2, 3]], |x| x[0].tile(&[2, 2])),
            Sample::normal("tile: a new axis", [&[3]], |x| x[0].tile(&[2, 1])?.powf(2.0)),
        ]
    },
};

impl Val {
    /// The value so often along each axis, aligned at the last ones.
    ///
    /// # Errors
    /// Where the result has too many axes.
    pub fn tile(&self, reps: &[usize]) -> Result<Val> {
        let rank = self.ndim().max(reps.len());
        let new = rank - self.ndim();
        let sizes: Vec<Dim> =
            std::iter::repeat_n(Dim::new(1), new).chain(self.dims().iter().copied()).collect();
        let reps: Vec<usize> =
            std::iter::repeat_n(1, rank - reps.len()).chain(reps.iter().copied()).collect();
        let mut parted = Vec::new();
        let mut whole = Vec::new();
        for (&size, &often) in sizes.iter().zip(&reps) {
            parted.extend([Dim::new(1), size]);
            whole.extend([Some(Dim::new(often)), Some(size)]);
        }
        let joined = |(&size, &often): (&Dim, &usize)| match often {
            1 => size,
            often => Dim::new(size.size().saturating_mul(often)),
        };
        let dims: Vec<Dim> = sizes.iter().zip(&reps).map(joined).collect();
        self.reshape(&parted)?.broadcast_to(&whole)?.reshape(&dims)
    }
}
