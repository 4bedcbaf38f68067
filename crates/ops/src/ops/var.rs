//! The variance over some axes.
//!
//! # Formula
//! y = 1/(n − c) Σ (x − μ)², where μ is the mean over the n elements and c the correction
//!
//! # Jacobian
//! ∂y/∂x_m = 2/(n − c) (x_m − μ)
//!
//! # Domain
//! All reals. It is divided by n unless `correction=1`, as in NumPy; PyTorch's own default is 1.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! d(x − μ)² = 2 (x − μ) (dx − dμ), and deviations from a mean add up to 0, so that what the mean adds is −2/(n − c) dμ Σ (x − μ) = 0.
//! Said here, since no rounding of the mean cancels in it as it would in the sum of both paths: PyTorch computes this form.

use pullback_array::{Array, Pairs, pairs};
use pullback_network::{Coef, Dim};

use super::cumsum::called;
use super::div::DIV;
use super::sum::{axes_written, reduced};
use crate::kernel::Recipe;
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// The square of a deviation.
static SQUARED_DIFFERENCE: Pairs = pairs!(|x, m| (x - m) * (x - m));

/// The variance over axes.
#[derive(Debug, Clone, PartialEq)]
struct Var {
    axes: Vec<usize>,
    keepdims: bool,
    correction: usize,
    /// What a call of it has behind the operand.
    arguments: String,
}

impl Op for Var {
    fn name(&self) -> &'static str {
        "var"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        super::max::fit(self.name(), inputs[0], &self.axes)?;
        let count: usize = self.axes.iter().map(|&axis| inputs[0].dims[axis].size()).product();
        if self.correction > 0 && count <= self.correction {
            return Err(Error::new(format!(
                "var: of {count} elements a correction of {} leaves none",
                self.correction
            )));
        }
        Ok(vec![super::max::kept(inputs[0], &self.axes, self.keepdims)])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let x = inputs[0];
        let count: usize = self.axes.iter().map(|&axis| x.shape()[axis]).product();
        let over = |array: &Array, n: f64| array.map(|x| x / n as f32, |x| x / n);
        let mean = over(&x.sum(&self.axes, true)?, count as f64)?;
        let squares = x.pairs(&mean, "var", &SQUARED_DIFFERENCE)?;
        let sum = squares.sum(&self.axes, self.keepdims)?;
        Ok(vec![over(&sum, (count - self.correction) as f64)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        let x = inputs[0];
        let dtype = recipe.float(inputs)?;
        let count: usize = self.axes.iter().map(|&axis| recipe.shape(x)[axis]).product();
        let over = |recipe: &mut Recipe, x: usize, n: usize| {
            let n = recipe.number(n as f64, dtype);
            recipe.pairs(&DIV.lines, x, n)
        };
        let sum = recipe.sum(x, &self.axes, true);
        let mean = over(recipe, sum, count);
        let squares = recipe.pairs(&SQUARED_DIFFERENCE, x, mean);
        let sum = recipe.sum(squares, &self.axes, self.keepdims);
        Some(over(recipe, sum, count - self.correction))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = at.x();
        let (labels, out) = reduced("var", x, &self.axes, self.keepdims)?;
        let deviation = (x - &x.mean(&self.axes, true)?)?;
        let sizes = self.axes.iter().map(|&axis| x.dims()[axis]);
        let share = match self.correction {
            0 => sizes.fold(Coef::ratio(2, 1), |coef, dim| coef.times(&Coef::size(dim, -1))),
            correction => {
                let sizes: Vec<Dim> = sizes.collect();
                let count = sizes.iter().map(|dim| dim.size()).product::<usize>() - correction;
                let names: Vec<String> = sizes.iter().copied().map(called).collect();
                let of_names = || Dim::named(&format!("({} - {correction})", names.join(" * ")), count);
                let has_name = sizes.iter().any(|dim| dim.name().is_some());
                let count = if has_name { of_names() } else { Dim::new(count) };
                Coef::ratio(2, 1).times(&Coef::size(count, -1))
            }
        };
        Ok(at.network().plus_term(share, &out, &labels, [Factor::Dense(deviation, labels.clone())]))
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("var({}{})", inputs[0], self.arguments)
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "var(x, axis: axes = none, keepdims: flag = false, correction: count = 0)",
    aliases: &["variance"],
    axes: Axes::Reduced,
    call: |args| {
        let x = args.value("x")?;
        x.var(&args.axes("axis", x.ndim())?, args.flag("keepdims")?, args.count("correction", 0)?)
    },
    samples: || {
        vec![
            Sample::normal("var: all", [&[2, 3]], |x| x[0].var(&[0, 1], false, 0)),
            Sample::normal("var: one axis, kept, corrected", [&[4, 3]], |x| x[0].var(&[0], true, 1)),
        ]
    },
};

impl Val {
    /// The variance over `axes`, divided by their number of elements less `correction`; with `keepdims` they stay as axes of size 1.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, or the correction leaves nothing to divide by.
    pub fn var(&self, axes: &[usize], keepdims: bool, correction: usize) -> Result<Val> {
        let correction_written =
            if correction == 0 { String::new() } else { format!(", correction={correction}") };
        let arguments = axes_written(self, axes, keepdims) + &correction_written;
        Val::apply(Var { axes: axes.to_vec(), keepdims, correction, arguments }, &[self])
    }
}
