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
//! A definition: halves are multiplied until one is left, each of them by the product rule. What divides by an element would fail at 0.

use pullback_network::Dim;

use super::sum::reduced;
use crate::{Axes, AxisIndex, Entry, Result, Sample, Val};

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
        let kept: Vec<usize> = (0..self.ndim()).filter(|axis| !axes.contains(axis)).collect();
        let of_kept: Vec<Dim> = kept.iter().map(|&axis| self.dims()[axis]).collect();
        let count: usize = axes.iter().map(|&axis| self.dims()[axis].size()).product();
        // What is multiplied goes to the front, as one axis.
        let order: Vec<usize> = axes.iter().chain(&kept).copied().collect();
        let mut left = self.permute(&order)?.reshape(&[&[Dim::new(count)], &of_kept[..]].concat())?;
        let rows = |value: &Val, start: usize, length: usize| {
            let whole = of_kept.iter().map(|&dim| AxisIndex::whole(dim));
            value.index(&std::iter::once(AxisIndex::range(start, 1, length)).chain(whole).collect::<Vec<_>>())
        };
        let mut count = count;
        while count > 1 {
            let half = count / 2;
            let product = (&rows(&left, 0, half)? * &rows(&left, half, half)?)?;
            left = match count % 2 {
                0 => product,
                _ => Val::concat(&[&product, &rows(&left, 2 * half, 1)?], 0)?,
            };
            count -= half;
        }
        if count == 0 {
            // Nothing moves it: what is multiplied is not there.
            left = (&left.sum(&[0], true)? + 1.0)?;
        }
        let shape: Vec<Dim> = (0..self.ndim())
            .filter(|axis| keepdims || !axes.contains(axis))
            .map(|axis| if axes.contains(&axis) { Dim::new(1) } else { self.dims()[axis] })
            .collect();
        left.reshape(&shape)
    }
}
