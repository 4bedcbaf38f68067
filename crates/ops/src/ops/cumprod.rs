//! Running products along an axis.
//!
//! # Formula
//! y_(…, i, …) = Π_{m ≤ i} x_(…, m, …)
//!
//! # Jacobian
//! ∂y_i/∂x_m = M_im y_(m−1) with M = (I − diag(x) S)⁻¹, where S shifts by one and y before the first is 1: an operator, applied by running the
//! recurrence and never written out. Every other axis has a delta.
//!
//! # Domain
//! All reals.
//!
//! # At kinks and ties
//! Smooth, also where a factor is zero.
//!
//! # Why
//! y_i = x_i y_(i−1), so dy = diag(x) S dy + diag(S y) dx: a linear recurrence in which nothing is divided by x.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Map, Operator, Value as _};

use super::cumsum::{along, called};
use super::sort::moved_last;
use crate::{Axes, AxisIndex, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Running products along an axis; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CumProd {
    axis: usize,
}

impl Op for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        along(self.name(), inputs[0], self.axis)
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let x = inputs[0];
        let shape = x.shape();
        let inner: usize = shape[self.axis + 1..].iter().product();
        let mut products = x.to_vec_f64();
        let single = x.dtype() == DType::F32;
        for block in products.chunks_exact_mut((inner * shape[self.axis]).max(1)) {
            for at in inner..block.len() {
                let product = block[at - inner] * block[at];
                block[at] = if single { f64::from(product as f32) } else { product };
            }
        }
        Ok(vec![Array::from_vec(shape, products)?.cast(x.dtype())?])
    }

    fn roundings(&self, inputs: &[&Array]) -> f64 {
        // One for each factor, which have nothing to do with one another.
        (inputs[0].shape()[self.axis].max(1) as f64).sqrt()
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (x, y) = (at.x(), at.y());
        let slots = Label::for_dims(x.dims());
        let mut out = slots.clone();
        out[self.axis] = Label::new(x.dims()[self.axis]);
        let (to, _) = moved_last(x.ndim(), self.axis);
        let batch = to[..to.len() - 1].iter().map(|&axis| slots[axis]).collect();
        let recurrence = Factor::Operator(Operator {
            map: Map::Recurrence(x.permute(&to)?),
            batch,
            rows: vec![out[self.axis]],
            columns: vec![slots[self.axis]],
        });
        let before = Factor::Dense(y.after_one(self.axis)?, slots.clone());
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [recurrence, before]))
    }

    fn adjoint(&self, at: &Site<'_>, cotangent: &str, inputs: &[String]) -> Option<String> {
        let (x, axis, dims) = (&inputs[0], self.axis, at.x().dims());
        let sums = format!("linear_recurrence({x}, {cotangent}, axis={axis}, reverse=true)");
        if dims[axis].size() < 2 {
            return Some(sums);
        }
        let of_axes = |own: &str, other: &dyn Fn(usize) -> String| {
            let each = (0..dims.len()).map(|k| if k == axis { own.to_owned() } else { other(k) });
            each.collect::<Vec<_>>().join(", ")
        };
        let (first, rest) = (of_axes("1", &|k| called(dims[k])), of_axes(":-1", &|_| ":".to_owned()));
        let before = format!("concat([ones({first}), cumprod({x}, axis={axis})[{rest}]], axis={axis})");
        Some(format!("{sums} * {before}"))
    }

    fn adjoint_reason(&self) -> Option<&'static str> {
        Some(
            "each product is the one before times its own factor, so that cotangents run from the end by the same factors",
        )
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("cumprod({}, axis={})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "cumprod(x, axis: axis = 0)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        x.cumprod(args.axis("axis", x.ndim())?.unwrap_or(0))
    },
    samples: || {
        vec![
            Sample::normal("cumprod: a vector", [&[5]], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: the first of two axes", [&[3, 2]], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: in the middle", [&[2, 3, 2]], |x| x[0].cumprod(1)),
            Sample::given("cumprod: zeros", [(&[4], &[1.5, 0.0, -0.5, 0.0])], |x| x[0].cumprod(0)),
            Sample::normal("cumprod: one", [&[2, 1]], |x| x[0].cumprod(1)),
            Sample::normal("cumprod: nothing", [&[0]], |x| x[0].cumprod(0)),
        ]
    },
};

impl Val {
    /// The running products along `axis`. Shape: that of `self`.
    ///
    /// # Errors
    /// Where there is no such axis, and on integers.
    pub fn cumprod(&self, axis: usize) -> Result<Val> {
        Val::apply(CumProd { axis }, &[self])
    }

    /// The elements of `axis` moved on by one place, the last one lost and 1 in the place of the first.
    fn after_one(&self, axis: usize) -> Result<Val> {
        let Some(last) = self.dims()[axis].size().checked_sub(1) else { return Ok(self.clone()) };
        let mut axes: Vec<AxisIndex> = self.dims().iter().map(|&dim| AxisIndex::whole(dim)).collect();
        axes[axis] = AxisIndex::range(0, 1, last);
        let mut first: Vec<Option<Dim>> = self.dims().iter().copied().map(Some).collect();
        first[axis] = Some(Dim::new(1));
        Val::concat(&[&self.one().broadcast_to(&first)?, &self.index(&axes)?], axis)?.reshape(self.dims())
    }
}
