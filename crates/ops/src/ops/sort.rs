//! The elements of an axis in ascending order, and where they stood: `values, indices = sort(x)`.
//!
//! # Formula
//! values_i = x_(order_i), with order such that values_0 ≤ values_1 ≤ …
//!
//! # Jacobian
//! ∂values_i/∂x_m = `[m = order_i]`, with a delta on every other axis. The indices are integers, which have no derivative.
//!
//! # Domain
//! All reals; a NaN stands behind all numbers. The order is that of the numbers at hand: on other numbers it is another one.
//!
//! # At kinks and ties
//! Equal elements stay in their order (the sort is stable), so the first of them comes first, as in PyTorch with `stable=True` and in NumPy with
//! `kind="stable"`.
//!
//! # Why
//! Elements move and do not change.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Label, Map, Operator};

use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The sorted elements of an axis, and their places; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sort {
    axis: usize,
    descending: bool,
}

impl Op for Sort {
    fn name(&self) -> &'static str {
        "sort"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let x = inputs[0];
        if self.axis >= x.dims.len() {
            return Err(Error::new(format!("sort: {:?} has no axis {}", x.dims, self.axis)));
        }
        Ok(vec![x.clone(), Spec::new(x.dims.clone(), DType::I64)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let (to, back) = moved_last(inputs[0].ndim(), self.axis);
        let x = inputs[0].permute(&to)?;
        let size = x.shape()[x.ndim() - 1];
        let numbers = x.to_vec_f64();
        let mut places: Vec<i64> = Vec::with_capacity(numbers.len());
        for row in numbers.chunks(size.max(1)) {
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|&a, &b| {
                let (a, b) = (row[a], row[b]);
                // A NaN is behind all numbers, ascending; in front of them, descending.
                let ascending = a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
                if self.descending { ascending.reverse() } else { ascending }
            });
            places.extend(order.iter().map(|&at| at as i64));
        }
        let places = Array::from_vec(x.shape(), places)?;
        let rows = super::pick::flat_rows(&places, &x.shape()[..x.ndim() - 1], size)?;
        let values = x.reshape(&[numbers.len()])?.gather(&rows)?;
        Ok(vec![values.permute(&back)?, places.permute(&back)?])
    }

    fn gates(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        if at.output() != 0 {
            return Ok(at.network());
        }
        let out = Label::for_dims(at.y().dims());
        let column = Label::new(at.x().dims()[self.axis]);
        let mut slots = out.clone();
        slots[self.axis] = column;
        let (to, _) = moved_last(out.len(), self.axis);
        let order = at.sibling(1);
        let operator = Operator {
            map: Map::Selection(if self.axis + 1 == out.len() { order } else { order.permute(&to)? }),
            batch: to[..to.len() - 1].iter().map(|&axis| out[axis]).collect(),
            rows: vec![out[self.axis]],
            columns: vec![column],
        };
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [Factor::Operator(operator)]))
    }

    fn written(&self, inputs: &[String]) -> String {
        self.called("sort", inputs)
    }

    fn written_result(&self, result: &Val, inputs: &[String]) -> Option<String> {
        Some(self.called(["sort", "argsort"][result.output()], inputs))
    }
}

impl Sort {
    fn called(&self, function: &str, inputs: &[String]) -> String {
        let descending = if self.descending { ", descending=true" } else { "" };
        format!("{function}({}, axis={}{descending})", inputs[0], self.axis)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "sort(x, axis: axis = -1, descending: flag = false)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| {
        let x = args.value("x")?;
        let axis = args.axis("axis", x.ndim())?.unwrap_or(x.ndim().saturating_sub(1));
        Ok(x.sort(axis, args.flag("descending")?)?[0].clone())
    },
    samples: || {
        vec![
            Sample::normal("sort: a vector", [&[5]], |x| Ok(x[0].sort(0, false)?[0].clone())),
            Sample::normal("sort: the first axis, descending", [&[4, 3]], |x| {
                x[0].sort(0, true)?[0].powf(2.0)
            }),
            Sample::normal("sort: what the indices select elsewhere", [&[2, 4], &[2, 4]], |x| {
                &x[1].pick(&x[0].sort(1, false)?[1], 1)? * &x[0]
            }),
            Sample::given("sort: a tie", [(&[4], &[1.0, 0.5, 1.0, -2.0])], |x| {
                Ok(x[0].sort(0, false)?[0].clone())
            })
            .at_kink(),
            Sample::normal("sort: nothing", [&[2, 0]], |x| Ok(x[0].sort(1, false)?[0].clone())),
        ]
    },
};

impl Val {
    /// The elements along `axis` in ascending order (descending, if so), and the places where they stood, integers of the same
    /// shape.
    ///
    /// # Errors
    /// Where there is no such axis.
    pub fn sort(&self, axis: usize, descending: bool) -> Result<[Val; 2]> {
        let outputs = Val::apply_all(Sort { axis, descending }, &[self])?;
        Ok([outputs[0].clone(), outputs[1].clone()])
    }
}

/// The permutation that moves an axis behind all others, and its inverse.
pub(super) fn moved_last(rank: usize, axis: usize) -> (Vec<usize>, Vec<usize>) {
    let there: Vec<usize> = (0..rank).filter(|&other| other != axis).chain([axis]).collect();
    let mut back: Vec<usize> = (0..rank - 1).collect();
    back.insert(axis, rank - 1);
    (there, back)
}
