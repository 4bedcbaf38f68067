//! A value with more at its edges: zeros or another number, itself mirrored, its edge repeated, or itself again.
//!
//! # Formula
//! y_o = x_i where o = low + (interior + 1)·i along each axis, and `value` where there is no such i
//!
//! # Jacobian
//! ∂y_o/∂x_m = `[o = low + (interior + 1)·m]`: an affine relation for each padded axis, a delta on every other one.
//!
//! # Domain
//! All reals. `widths` are as in PyTorch, `[left, right]` of the last axis, then those of the one before, or as in NumPy, one pair
//! `[before, after]` for each axis; negative ones cut. A mirrored edge is not repeated, and is shorter than the axis.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Elements move and do not change. It is the adjoint of a slice with steps; what is mirrored or repeated is selected by an index.

use pullback_array::{Array, DType, memory};
use pullback_network::{Coef, Dim, Label, Relation};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// What is put around an axis: before it, behind it, and between any two elements. What is negative is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Around {
    /// Before the first element.
    pub low: i64,
    /// Behind the last one.
    pub high: i64,
    /// Between neighbours.
    pub interior: usize,
}

impl Around {
    /// How a value is padded: what stands before and behind along each axis.
    pub fn call(x: &str, widths: &[[String; 2]]) -> String {
        let pairs = widths.iter().map(|[before, behind]| format!("[{before}, {behind}]"));
        format!("pad({x}, [{}])", pairs.collect::<Vec<_>>().join(", "))
    }

    /// The size of an axis with it; `None` where that is none.
    fn size(self, size: usize) -> Option<usize> {
        let inner = (size as i64).checked_add((size as i64 - 1).max(0).checked_mul(self.interior as i64)?)?;
        usize::try_from(inner.checked_add(self.low)?.checked_add(self.high)?).ok()
    }
}

/// A value with a number around it; see the page of this module.
#[derive(Debug, Clone)]
struct Pad {
    around: Vec<Around>,
    value: f64,
}

impl PartialEq for Pad {
    fn eq(&self, other: &Pad) -> bool {
        self.around == other.around && self.value.to_bits() == other.value.to_bits()
    }
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        let wrong = || Error::new(format!("pad: {:?} does not fit the shape {:?}", self.around, x.dims));
        if self.around.len() != x.dims.len() || !x.dtype.is_float() {
            return Err(wrong());
        }
        let padded = |(around, &dim): (&Around, &Dim)| match *around {
            Around { low: 0, high: 0, interior: 0 } => Ok(dim),
            around => around.size(dim.size()).map(Dim::new).ok_or_else(wrong),
        };
        let dims = self.around.iter().zip(&x.dims).map(padded).collect::<Result<Vec<Dim>>>()?;
        Ok(vec![Spec::new(dims, x.dtype)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let from = inputs[0].shape().to_vec();
        let sizes = self.around.iter().zip(&from).map(|(around, &size)| around.size(size).unwrap_or(0));
        let to: Vec<usize> = sizes.collect();
        let count = to.iter().fold(1usize, |count, &size| count.saturating_mul(size));
        memory::room(count.saturating_mul(size_of::<f64>()))?;
        let mut entries = vec![self.value; count];
        let values = inputs[0].as_f64();
        let mut at = vec![0usize; from.len()];
        for &value in values.iter() {
            // Where it goes to, if anywhere.
            let mut place = Some(0usize);
            for (axis, around) in self.around.iter().enumerate() {
                let here = around.low + (at[axis] * (around.interior + 1)) as i64;
                let here = usize::try_from(here).ok().filter(|&here| here < to[axis]);
                place = place.zip(here).map(|(place, here)| place * to[axis] + here);
            }
            if let Some(place) = place {
                entries[place] = value;
            }
            for axis in (0..from.len()).rev() {
                at[axis] += 1;
                if at[axis] < from[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        Ok(vec![Array::from_vec(&to, entries)?.cast(inputs[0].dtype())?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        self.value == 0.0 && inputs.iter().all(|&gated| gated)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let mut out = Label::for_dims(at.y().dims());
        let x = Label::for_dims(at.x().dims());
        let mut relations = Vec::new();
        for (axis, around) in self.around.iter().enumerate() {
            if *around == Around::default() {
                out[axis] = x[axis];
            } else {
                let step = around.interior as i64 + 1;
                relations.push(Relation::affine([(1, out[axis]), (-step, x[axis])], -around.low));
            }
        }
        Ok(at.network().plus_term(Coef::one(), &out, &x, relations.into_iter().map(Factor::Relation)))
    }

    fn written(&self, inputs: &[String]) -> String {
        if self.around.iter().any(|around| around.interior > 0) {
            return format!("pad({}, …)", inputs[0]);
        }
        let pairs = self.around.iter().map(|around| format!("[{}, {}]", around.low, around.high));
        let value = if self.value == 0.0 { String::new() } else { format!(", value={}", self.value) };
        format!("pad({}, [{}]{value})", inputs[0], pairs.collect::<Vec<_>>().join(", "))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "pad(x, widths: widths, mode: constant|reflect|replicate|edge|circular|wrap = constant, value: number = 0)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let widths = args.widths("widths", x.ndim())?;
        match args.word("mode")? {
            "constant" => x.pad(&widths, args.number("value", 0.0)?),
            "reflect" => x.pad_by(&widths, Edge::Mirrored),
            "replicate" | "edge" => x.pad_by(&widths, Edge::Repeated),
            _ => x.pad_by(&widths, Edge::Again),
        }
    },
    samples: || {
        vec![
            Sample::normal("pad: zeros", [&[2, 3]], |x| x[0].pad(&[(1, 0), (2, 1)], 0.0)),
            Sample::normal("pad: another number, and a cut", [&[3, 4]], |x| {
                x[0].pad(&[(0, 0), (-1, 2)], 1.5)
            }),
            Sample::normal("pad: between", [&[2, 3]], |x| {
                let between = Around { low: 1, high: -1, interior: 2 };
                x[0].pad_around(&[Around::default(), between], 0.0)
            }),
            Sample::normal("pad: mirrored", [&[2, 4]], |x| x[0].pad_by(&[(0, 0), (2, 3)], Edge::Mirrored)),
            Sample::normal("pad: an edge repeated", [&[2, 3]], |x| {
                x[0].pad_by(&[(1, 0), (0, 2)], Edge::Repeated)
            }),
            Sample::normal("pad: again", [&[4]], |x| x[0].pad_by(&[(1, 2)], Edge::Again)?.powf(2.0)),
            Sample::normal("pad: nothing", [&[0, 2]], |x| x[0].pad(&[(1, 1), (0, 0)], 0.0)),
        ]
    },
};

/// What is around a value where it is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The value mirrored in its edge, which is not repeated.
    Mirrored,
    /// The edge.
    Repeated,
    /// The value once more, from its other end.
    Again,
}

impl Val {
    /// A number around the value: so often before and behind each axis. Negative widths cut.
    ///
    /// # Errors
    /// Where there is not one pair for each axis, more is cut than there is, and on integers.
    pub fn pad(&self, widths: &[(i64, i64)], value: f64) -> Result<Val> {
        let around: Vec<Around> =
            widths.iter().map(|&(low, high)| Around { low, high, interior: 0 }).collect();
        self.pad_around(&around, value)
    }

    /// A number around the value, and between neighbours.
    ///
    /// # Errors
    /// Those of [`Val::pad`].
    pub fn pad_around(&self, around: &[Around], value: f64) -> Result<Val> {
        Val::apply(Pad { around: around.to_vec(), value }, &[self])
    }

    /// The value continued beyond its edges. Negative widths cut.
    ///
    /// # Errors
    /// Where there is not one pair for each axis, or an axis is too short for what is to be around it.
    pub fn pad_by(&self, widths: &[(i64, i64)], edge: Edge) -> Result<Val> {
        let mut padded = self.clone();
        if widths.len() != self.ndim() {
            return Err(Error::new(format!("pad: {} widths for the shape {:?}", widths.len(), self.dims())));
        }
        for (axis, &(low, high)) in widths.iter().enumerate().filter(|(_, width)| **width != (0, 0)) {
            // What is cut is gone before anything is continued.
            let cut: Vec<(i64, i64)> = (0..self.ndim())
                .map(|k| if k == axis { (low.min(0), high.min(0)) } else { (0, 0) })
                .collect();
            if cut[axis] != (0, 0) {
                padded = padded.pad(&cut, 0.0)?;
            }
            let (low, high) = (low.max(0), high.max(0));
            let size = padded.dims()[axis].size() as i64;
            let reach = low.max(high);
            let most = match edge {
                Edge::Mirrored => size - 1,
                Edge::Repeated => i64::MAX,
                Edge::Again => size,
            };
            if size == 0 || reach > most {
                let message =
                    format!("pad: axis {axis} of {:?} is too short for {reach} beyond its edge", self.dims());
                return Err(Error::new(message)
                    .with_hint("`mode=\"replicate\"` repeats the edge as often as one likes"));
            }
            let last = size - 1;
            let from = |place: i64| match edge {
                Edge::Repeated => place.clamp(0, last),
                Edge::Again => place.rem_euclid(size),
                Edge::Mirrored if place < 0 => -place,
                Edge::Mirrored if place > last => 2 * last - place,
                Edge::Mirrored => place,
            };
            let count = (size.saturating_add(low).saturating_add(high)).max(0) as usize;
            memory::room(count.saturating_mul(size_of::<i64>()))?;
            let places: Vec<i64> = (0..count as i64).map(|place| from(place - low)).collect();
            padded = padded.gather(&Val::new(Array::from_vec(&[count], places)?.cast(DType::I64)?), axis)?;
        }
        Ok(padded)
    }
}
