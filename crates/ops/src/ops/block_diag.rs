//! Matrices along the diagonal of one, with zeros beside them.
//!
//! # Formula
//! y is x_k in its own rows and columns, and 0 elsewhere
//!
//! # Jacobian
//! Each entry of x_k is the one at its place.
//!
//! # Domain
//! All reals; matrices, of which a vector is one of one row, and a scalar one of one entry.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: each is padded with zeros, and they are added.

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "block_diag(*xs)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| Val::block_diag(&args.values("xs")?),
    samples: || {
        vec![Sample::normal("block_diag: two", [&[2, 3], &[1, 2]], |x| Val::block_diag(x)?.powf(2.0))]
    },
};

impl Val {
    /// Matrices along the diagonal of one.
    ///
    /// # Errors
    /// Where there is none, or one has more than two axes.
    pub fn block_diag(xs: &[Val]) -> Result<Val> {
        let matrix = |x: &Val| match x.ndim() {
            0 => x.reshape(&[1.into(), 1.into()]),
            1 => x.unsqueeze(0),
            2 => Ok(x.clone()),
            _ => Err(Error::new(format!("block_diag: {:?} is no matrix", x.dims()))),
        };
        let blocks: Vec<Val> = xs.iter().map(matrix).collect::<Result<_>>()?;
        let size = |axis: usize| {
            blocks.iter().map(|block| block.dims()[axis].size()).fold(0usize, usize::saturating_add)
        };
        let (rows, columns) = (size(0), size(1));
        let (mut at, mut whole) = ((0usize, 0usize), None);
        for block in &blocks {
            let (height, width) = (block.dims()[0].size(), block.dims()[1].size());
            let around =
                |before: usize, size: usize, all: usize| (before as i64, (all - before - size) as i64);
            let placed = block.pad(&[around(at.0, height, rows), around(at.1, width, columns)], 0.0)?;
            whole = Some(whole.map_or(Ok(placed.clone()), |whole: Val| &whole + &placed)?);
            at = (at.0 + height, at.1 + width);
        }
        whole.ok_or_else(|| Error::new("block_diag: of no matrix"))
    }
}
