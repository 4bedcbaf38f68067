//! A value cut into parts along an axis: as many results as there are parts.
//!
//! # Formula
//! (y_k)_(…, i, …) = x_(…, start_k + i, …); of one size start_k is k·size, and the last part is what is left
//!
//! # Jacobian
//! ∂(y_k)_i/∂x_m = `[m = start_k + i]` along the axis, with a delta on every other one.
//!
//! # Domain
//! All reals; a size of at least 1, or a list of sizes that add up to that of the axis. By keyword also so many `sections`, nearly alike;
//! the `places` where parts begin, both as in NumPy; and so many `chunks` of one size, as in PyTorch.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change; cotangents of the parts are put one behind the other again.

use pullback_array::{Array, SliceAxis, memory};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Cut along an axis into parts of these sizes, or all of one; see the page of this module.
#[derive(Debug, Clone, PartialEq)]
struct Split {
    sizes: Vec<usize>,
    axis: usize,
}

impl Split {
    /// The sizes of all parts of an axis; none where it is not cut so.
    fn parts(&self, whole: usize) -> Vec<usize> {
        match self.sizes.as_slice() {
            [0] => Vec::new(),
            &[size] => (0..whole.div_ceil(size)).map(|k| size.min(whole - k * size)).collect(),
            sizes if sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size)) == Some(whole) => {
                sizes.to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Where a part starts.
    fn start(&self, whole: usize, part: usize) -> usize {
        if let &[size] = self.sizes.as_slice() { size * part } else { self.parts(whole)[..part].iter().sum() }
    }

    /// The sizes, as a call writes them.
    fn sizes_written(&self) -> String {
        if let [size] = self.sizes.as_slice() { size.to_string() } else { format!("{:?}", self.sizes) }
    }
}

impl Op for Split {
    fn name(&self) -> &'static str {
        "split"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let Some(whole) = x.dims.get(self.axis).map(|dim| dim.size()) else {
            return Err(Error::new(format!("split: {:?} has no axis {}", x.dims, self.axis)));
        };
        // Each part is a value of its own.
        let count =
            if let &[size] = self.sizes.as_slice() { whole.div_ceil(size.max(1)) } else { self.sizes.len() };
        memory::room(count.saturating_mul(size_of::<Spec>() + size_of::<Val>()))?;
        let parts = self.parts(whole);
        if parts.is_empty() {
            let message = format!(
                "split: axis {} of {:?} cannot be cut into parts of {}",
                self.axis,
                x.dims,
                self.sizes_written()
            );
            return Err(Error::new(message)
                .with_hint("a size of at least 1, or sizes that add up to that of the axis"));
        }
        let of = |size: usize| {
            let mut dims = x.dims.clone();
            dims[self.axis] = Dim::new(size);
            Spec::new(dims, x.dtype)
        };
        Ok(parts.into_iter().map(of).collect())
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let shape = inputs[0].shape();
        let part = |(k, size): (usize, usize)| {
            let of_axis = |(axis, &len): (usize, &usize)| match axis == self.axis {
                true => SliceAxis { start: self.start(shape[self.axis], k), step: 1, len: size },
                false => SliceAxis { start: 0, step: 1, len },
            };
            Ok(inputs[0].slice(&shape.iter().enumerate().map(of_axis).collect::<Vec<_>>())?)
        };
        self.parts(shape[self.axis]).into_iter().enumerate().map(part).collect()
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.y().dims());
        let mut x = out.clone();
        x[self.axis] = Label::new(at.x().dims()[self.axis]);
        let start = self.start(at.x().dims()[self.axis].size(), at.output()) as i64;
        let relation = Relation::affine([(1, out[self.axis]), (-1, x[self.axis])], start);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(relation)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("split({}, {}, axis={})", inputs[0], self.sizes_written(), self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "split(x, size: shape = none, axis: axis = 0, *, sections: count = none, places: integers = none, chunks: count = none)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(0);
        let whole = x.dims().get(axis).map_or(0, |dim| dim.size());
        let sizes: Vec<usize> = match (args.has("size"), args.has("places")) {
            (true, _) => args.shape("size", None)?.iter().map(|dim| dim.size()).collect(),
            (_, true) => {
                let places =
                    args.several("places").unwrap_or_else(|| Ok(vec![args.number("places", 0.0)?]))?;
                parts_at(&places, whole)?
            }
            _ if args.has("sections") => parts_of(args.count("sections", 1)?, whole)?,
            _ => match args.count("chunks", 0)? {
                0 => {
                    return Err(Error::new("split: a value has at least one part")
                        .with_hint("`split(x, 2)` has parts of 2, `chunk(x, 2)` two parts"));
                }
                chunks => vec![whole.div_ceil(chunks).max(1)],
            },
        };
        Ok(x.split_into(&sizes, axis)?[0].clone())
    },
    samples: || {
        vec![
            Sample::normal("split: what is left", [&[5, 2]], |x| {
                let parts = x[0].split(2, 0)?;
                &(&parts[0] * &parts[1])? + &parts[2]
            }),
            Sample::normal("split: the last axis", [&[2, 4]], |x| {
                let parts = x[0].split(2, 1)?;
                &parts[0].powf(2.0)? * &parts[1]
            }),
            Sample::normal("split: several sizes", [&[2, 5]], |x| {
                let parts = x[0].split_into(&[2, 1, 2], 1)?;
                &(&parts[0] * &parts[2])? * &parts[1]
            }),
            Sample::normal("split: one part", [&[2, 3]], |x| Ok(x[0].split(7, 1)?[0].clone())),
        ]
    },
};

/// So many parts of an axis, the first ones longer by one where it does not come out even, as `numpy.array_split` has them.
fn parts_of(count: usize, whole: usize) -> Result<Vec<usize>> {
    if count == 0 || count > whole {
        return Err(Error::new(format!("split: {whole} elements are no {count} parts")));
    }
    Ok((0..count).map(|part| whole / count + usize::from(part < whole % count)).collect())
}

/// The parts that begin at places, and the one before them, as `numpy.split` has them.
fn parts_at(places: &[f64], whole: usize) -> Result<Vec<usize>> {
    let from_start = |place: f64| if place < 0.0 { place + whole as f64 } else { place };
    let places: Vec<f64> = places.iter().map(|&place| from_start(place).clamp(0.0, whole as f64)).collect();
    let bounds: Vec<f64> = std::iter::once(0.0).chain(places).chain([whole as f64]).collect();
    if bounds.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(Error::new(format!("split: the places of {whole} elements do not ascend")));
    }
    Ok(bounds.windows(2).map(|pair| (pair[1] - pair[0]) as usize).collect())
}

impl Val {
    /// The parts of a size along `axis`; the last one is what is left.
    ///
    /// # Errors
    /// Where there is no such axis, or it cannot be cut so.
    pub fn split(&self, size: usize, axis: usize) -> Result<Vec<Val>> {
        self.split_into(&[size], axis)
    }

    /// The parts of these sizes along `axis`, or all of one where there is one.
    ///
    /// # Errors
    /// Where there is no such axis, or it cannot be cut so.
    pub fn split_into(&self, sizes: &[usize], axis: usize) -> Result<Vec<Val>> {
        Val::apply_all(Split { sizes: sizes.to_vec(), axis }, &[self])
    }
}
