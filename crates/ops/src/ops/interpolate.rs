//! A value at other places along its last axes: resized images, and means over parts of equal size.
//!
//! # Formula
//! y_(…, o) = Σ_i A_oi x_(…, i) along each axis, with a matrix A of weights that the mode makes of the two sizes
//!
//! # Jacobian
//! ∂y_o/∂x_m = A_om
//!
//! # Domain
//! All reals; `size` or `scale` for the last axes, all but two where `spatial` says nothing. The modes are PyTorch's: `nearest`,
//! `nearest-exact`, `linear` (also called bilinear and trilinear), `cubic` (bicubic), and `area`, which is adaptive pooling.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Linear: each new element is a weighted sum of old ones, and the weights of several axes multiply.

use pullback_array::{Array, memory};

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "interpolate(x, size: counts = none, scale_factor: number = none, mode: nearest|nearest-exact|linear|bilinear|trilinear|cubic|bicubic|area = nearest, align_corners: flag = false, spatial: count = none, recompute_scale_factor: flag = false)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let x = args.value("x")?;
        let axes = args.count("spatial", x.ndim().saturating_sub(2))?;
        if axes == 0 || axes > x.ndim() {
            return Err(Error::new(format!("interpolate: {axes} of the axes of {:?}", x.dims())));
        }
        let of_axes = &x.dims()[x.ndim() - axes..];
        // PyTorch goes by the scale that is given, not by that of the sizes that it comes to.
        let mut scale = None;
        let sizes = match (args.has("size"), args.has("scale_factor")) {
            (true, false) => args.counts("size", 1, axes)?,
            (false, true) => {
                let factor = args.number("scale_factor", 1.0)?;
                if !(factor > 0.0 && factor < 1e9) {
                    return Err(Error::new(format!("interpolate: a scale of {factor}")));
                }
                scale = (!args.flag("recompute_scale_factor")?).then_some(factor);
                of_axes.iter().map(|dim| (dim.size() as f64 * factor).floor() as usize).collect()
            }
            _ => return Err(Error::new("interpolate: `size` or `scale_factor`, one of both")),
        };
        let mode = match args.word("mode")? {
            "nearest" => Resampling::Nearest,
            "nearest-exact" => Resampling::NearestMiddle,
            "area" => Resampling::Area,
            "cubic" | "bicubic" => Resampling::Cubic { align_corners: args.flag("align_corners")? },
            _ => Resampling::Linear { align_corners: args.flag("align_corners")? },
        };
        x.interpolate(&sizes, mode, scale)
    },
    samples: || {
        vec![
            Sample::normal("interpolate: linear", [&[1, 2, 3, 2]], |x| {
                x[0].interpolate(&[5, 3], Resampling::Linear { align_corners: false }, None)
            }),
            Sample::normal("interpolate: cubic, corners kept", [&[1, 1, 4]], |x| {
                x[0].interpolate(&[7], Resampling::Cubic { align_corners: true }, None)
            }),
            Sample::normal("interpolate: areas", [&[2, 1, 5]], |x| {
                x[0].interpolate(&[3], Resampling::Area, None)?.powf(2.0)
            }),
        ]
    },
};

/// How the elements of a resized axis follow from those that there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resampling {
    /// The element at `floor(o / scale)`.
    Nearest,
    /// That at the middle, `floor((o + ½) / scale)`.
    NearestMiddle,
    /// The mean of the elements from `floor(o·n/m)` up to `ceil((o + 1)·n/m)`: adaptive pooling.
    Area,
    /// A straight line between two neighbours.
    Linear {
        /// Do the first and the last elements stay what they are?
        align_corners: bool,
    },
    /// A cubic convolution of four neighbours, with the parameter −0.75.
    Cubic {
        /// Do the first and the last elements stay what they are?
        align_corners: bool,
    },
}

impl Resampling {
    /// The weights of the elements in one of the new ones.
    fn weights(self, o: usize, from: usize, to: usize, scale: Option<f64>) -> Vec<(usize, f64)> {
        let last = from - 1;
        let ratio = scale.map_or(from as f64 / to as f64, f64::recip);
        let place = |align_corners: bool| match align_corners {
            true if to > 1 => o as f64 * last as f64 / (to - 1) as f64,
            true => 0.0,
            false => (o as f64 + 0.5) * ratio - 0.5,
        };
        let clamped = |at: f64| (at.max(0.0) as usize).min(last);
        match self {
            Resampling::Nearest => vec![(clamped((o as f64 * ratio).floor()), 1.0)],
            Resampling::NearestMiddle => vec![(clamped(((o as f64 + 0.5) * ratio).floor()), 1.0)],
            Resampling::Area => {
                let (start, end) = (o * from / to, ((o + 1) * from).div_ceil(to));
                (start..end).map(|i| (i, 1.0 / (end - start) as f64)).collect()
            }
            Resampling::Linear { align_corners } => {
                let at = place(align_corners).max(0.0);
                let (low, share) = (clamped(at.floor()), at - at.floor());
                vec![(low, 1.0 - share), ((low + 1).min(last), share)]
            }
            Resampling::Cubic { align_corners } => {
                let at = place(align_corners);
                let (low, share) = (at.floor(), at - at.floor());
                let weight = |distance: f64| {
                    const A: f64 = -0.75;
                    let d = distance.abs();
                    if d <= 1.0 {
                        ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0
                    } else {
                        ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A
                    }
                };
                (-1..=2).map(|k| (clamped(low + f64::from(k)), weight(share - f64::from(k)))).collect()
            }
        }
    }
}

impl Val {
    /// The value at as many places along its last axes as `sizes` say. A `scale` takes the place of the ratio of the sizes.
    ///
    /// # Errors
    /// Where there are fewer axes, or one is empty.
    pub fn interpolate(&self, sizes: &[usize], how: Resampling, scale: Option<f64>) -> Result<Val> {
        let Some(lead) = self.ndim().checked_sub(sizes.len()) else {
            return Err(Error::new(format!("interpolate: {} sizes for {:?}", sizes.len(), self.dims())));
        };
        let mut value = self.clone();
        for (axis, &to) in sizes.iter().enumerate() {
            let from = self.dims()[lead + axis].size();
            if from == 0 || to == 0 {
                return Err(Error::new(format!("interpolate: from {from} to {to} elements")));
            }
            memory::room(from.saturating_mul(to).saturating_mul(size_of::<f64>()))?;
            let mut weights = vec![0.0; from * to];
            for o in 0..to {
                how.weights(o, from, to, scale)
                    .into_iter()
                    .for_each(|(i, weight)| weights[i * to + o] += weight);
            }
            let weights =
                Val::new(Array::from_vec(&[from, to], weights)?.cast(self.dtype())?).named("weights");
            value = value.along_axis(lead + axis, |x| x.matmul(&weights))?;
        }
        Ok(value)
    }

    /// What is done to the last axis, done to another one.
    pub(crate) fn along_axis(&self, axis: usize, done: impl Fn(&Val) -> Result<Val>) -> Result<Val> {
        let last = self.ndim() - 1;
        if axis == last {
            return done(self);
        }
        let mut order: Vec<usize> = (0..=last).collect();
        order.swap(axis, last);
        done(&self.permute(&order)?)?.permute(&order)
    }
}
