//! The product of elements over some axes.
//!
//! # Formula
//! y = Π x
//!
//! # Jacobian
//! ∂y/∂x_m = Π_(k ≠ m) x_k
//!
//! # Domain
//! All reals. The product of nothing is 1. At zeros all derivatives are right, of any order.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! Each factor is multiplied by the others. What divides by an element would fail at 0: halves are multiplied until one is left, and on the way
//! back each element is given the products of those that it was multiplied with. Other code divides the whole product by each factor, which
//! is below the numbers of 16 bits long before a product of the others is.

use pullback_array::Array;
use pullback_network::{Coef, Dim, Value as _};

use super::cumsum::called;
use super::sum::{axes_written, reduced};
use crate::definition::by_definition;
use crate::op::Forward;
use crate::{Axes, AxisIndex, Entry, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The product over axes.
#[derive(Debug, Clone, PartialEq)]
struct Prod {
    axes: Vec<usize>,
    keepdims: bool,
    /// What a call of it has behind the operand.
    arguments: String,
}

impl Op for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![super::max::kept(inputs[0], &self.axes, self.keepdims)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        self.forward_by(inputs, &mut |op, _, inputs| op.forward(inputs))
    }

    fn forward_by(&self, inputs: &[&Array], inner: &mut Forward<'_>) -> Result<Vec<Array>> {
        Ok(vec![by_definition(|x| self.product(x), inputs[0], inner)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let (labels, out) = reduced("prod", at.x(), &self.axes, self.keepdims)?;
        let others = match self.axes[..] {
            [] => self.others(at.x())?,
            _ => self.others(at.x())?.named(&self.others_written(at.x())),
        };
        Ok(at.network().plus_term(Coef::one(), &out, &labels, [Factor::Dense(others, labels.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("prod({}{})", inputs[0], self.arguments)
    }
}

impl Prod {
    /// The axes with those that are multiplied in front.
    fn order(&self, rank: usize) -> Vec<usize> {
        self.axes.iter().copied().chain((0..rank).filter(|axis| !self.axes.contains(axis))).collect()
    }

    /// What is multiplied as rows, then halves of them multiplied with one another, until one row is left.
    fn halves(&self, x: &Val) -> Result<Vec<Val>> {
        let count = self.axes.iter().map(|&axis| x.dims()[axis].size()).product();
        let order = self.order(x.ndim());
        let kept = order[self.axes.len()..].iter().map(|&axis| x.dims()[axis]);
        let dims: Vec<Dim> = std::iter::once(Dim::new(count)).chain(kept).collect();
        let mut levels = vec![x.permute(&order)?.reshape(&dims)?];
        let mut count = count;
        while count > 1 {
            let (half, last) = (count / 2, &levels[levels.len() - 1]);
            let product = (&rows(last, 0, half)? * &rows(last, half, half)?)?;
            levels.push(match count % 2 {
                0 => product,
                _ => Val::concat(&[&product, &rows(last, 2 * half, 1)?], 0)?,
            });
            count -= half;
        }
        Ok(levels)
    }

    fn product(&self, x: &Val) -> Result<Val> {
        let levels = self.halves(x)?;
        let mut last = levels[levels.len() - 1].clone();
        if last.dims()[0].size() == 0 {
            // Nothing moves it: what is multiplied is not there.
            last = (&last.sum(&[0], true)? + 1.0)?;
        }
        last.reshape(&super::max::kept(x.spec(), &self.axes, self.keepdims).dims)
    }

    /// For each element the product of those that it is multiplied with.
    fn others(&self, x: &Val) -> Result<Val> {
        let levels = self.halves(x)?;
        let last = &levels[levels.len() - 1];
        let mut others = Val::with_dims(Array::ones(&last.shape(), x.dtype())?, last.dims())?;
        for level in levels[..levels.len() - 1].iter().rev() {
            let half = level.dims()[0].size() / 2;
            let of_pair = rows(&others, 0, half)?;
            let first = (&of_pair * &rows(level, half, half)?)?;
            let second = (&of_pair * &rows(level, 0, half)?)?;
            let left = rows(&others, half, others.dims()[0].size() - half)?;
            others = Val::concat(&[&first, &second, &left], 0)?;
        }
        let order = self.order(x.ndim());
        let dims: Vec<Dim> = order.iter().map(|&axis| x.dims()[axis]).collect();
        let mut back: Vec<usize> = (0..order.len()).collect();
        back.sort_by_key(|&place| order[place]);
        others.reshape(&dims)?.permute(&back)?.as_quotient_by(x)
    }

    /// The same as one writes it: the product of a row for each element, in which that one is 1. What is multiplied stands in the last axis.
    fn others_written(&self, x: &Val) -> String {
        let kept = (0..x.ndim()).filter(|axis| !self.axes.contains(axis));
        let order: Vec<usize> = kept.chain(self.axes.iter().copied()).collect();
        let kept = x.ndim() - self.axes.len();
        let sizes: Vec<String> = order.iter().map(|&axis| called(x.dims()[axis])).collect();
        let permuted = |text: String, order: &[usize]| match order {
            [1, 0] => format!("({text}).T"),
            sorted if sorted.is_sorted() => text,
            order => format!("permute({text}, {order:?})"),
        };
        let reshaped = |text: String, sizes: &[String]| match self.axes[..] {
            [_] => text,
            _ => format!("reshape({text}, [{}])", sizes.join(", ")),
        };
        let count = sizes[kept..].join(" * ");
        let merged = [&sizes[..kept], std::slice::from_ref(&count)].concat();
        let rows = reshaped(permuted(x.symbol(), &order), &merged);
        let rows = if kept == 0 { rows } else { format!("({rows})[..., None, :]") };
        let others = format!("prod(where(eye({count}), 1, {rows}), axis=-1)");
        let mut back: Vec<usize> = (0..order.len()).collect();
        back.sort_by_key(|&place| order[place]);
        permuted(reshaped(others, &sizes), &back)
    }
}

/// Some rows of a value.
fn rows(value: &Val, start: usize, length: usize) -> Result<Val> {
    let whole = value.dims()[1..].iter().map(|&dim| AxisIndex::whole(dim));
    value.index(&std::iter::once(AxisIndex::range(start, 1, length)).chain(whole).collect::<Vec<_>>())
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "prod(x, axis: axes = none, keepdims: flag = false)",
    aliases: &[],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.prod(&args.axes("axis", x.ndim())?, args.flag("keepdims")?)
    },
    samples: || {
        vec![
            Sample::normal("prod: all", [&[2, 3]], |x| x[0].prod(&[0, 1], false)),
            Sample::normal("prod: one axis, kept", [&[5, 2]], |x| x[0].prod(&[0], true)),
            Sample::given("prod: zeros", [(&[2, 3], &[0.0, 2.0, -1.5, 0.0, 0.0, 3.0])], |x| {
                x[0].prod(&[1], false)
            }),
            Sample::normal("prod: two axes of three", [&[3, 2, 2]], |x| x[0].prod(&[2, 0], false)),
            Sample::normal("prod: one element", [&[1, 2]], |x| x[0].prod(&[0], false)),
        ]
    },
};

impl Val {
    /// The product over `axes`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice.
    pub fn prod(&self, axes: &[usize], keepdims: bool) -> Result<Val> {
        reduced("prod", self, axes, keepdims)?;
        let arguments = axes_written(self, axes, keepdims);
        Val::apply(Prod { axes: axes.to_vec(), keepdims, arguments }, &[self])
    }
}
