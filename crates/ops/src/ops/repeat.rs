//! A value several times: NumPy's or PyTorch's `repeat`, told apart by a keyword.
//!
//! # Formula
//! `repeats=n, axis=k` is that of `repeat_interleave`, `reps=[m, n]` that of `tile`
//!
//! # Jacobian
//! That of the function it stands for.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! `x.repeat(2)` is `[a, a, b, b]` in NumPy and `[a, b, a, b]` in PyTorch. So a number alone is refused.

use crate::{Axes, Entry, Error, Result, Sample};

pub(crate) static ENTRY: Entry = Entry {
    signature: "repeat(x, *, repeats: count = none, axis: axis = none, reps: shape = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        match (args.has("repeats"), args.has("reps"), args.axis("axis", x.ndim())?) {
            (true, false, Some(axis)) => x.repeat_interleave(args.count("repeats", 1)?, axis),
            (true, false, None) => x.vec_rows()?.repeat_interleave(args.count("repeats", 1)?, 0),
            (false, true, None) => {
                let reps: Vec<usize> = args.shape("reps", None)?.iter().map(|dim| dim.size()).collect();
                x.tile(&reps)
            }
            _ => either(),
        }
    },
    samples: || {
        vec![
            Sample::normal("repeat: each element", [&[2, 3]], |x| x[0].repeat_interleave(2, 1)),
            Sample::normal("repeat: the whole", [&[3]], |x| x[0].tile(&[2])),
        ]
    },
};

fn either<T>() -> Result<T> {
    Err(Error::new("repeat: either `repeats`, with an axis or without, or `reps`")
        .with_hint("`repeats=2, axis=0` repeats each element, `reps=[2, 1]` the whole"))
}
