//! Is a number a condition that holds: 1 where it is not 0, element by element.
//!
//! # Formula
//! y_i = `[x_i ≠ 0]`
//!
//! # Jacobian
//! ∂y_i/∂x_m = 0
//!
//! # Domain
//! All reals. NaN counts as holding, as in NumPy.
//!
//! # At kinks and ties
//! Piecewise constant: the derivative is 0 everywhere, at the jump too.
//!
//! # Why
//! What `where` multiplies cotangents by. Its zeros are *structural*: nothing comes through them, be it infinite or NaN on the other
//! side (see `Op::gates`).

use pullback_array::{Array, Each, each};

use crate::kernel::Recipe;
use crate::{Axes, Entry, Network, Op, Result, Sample, Site, Spec, Val};

/// 1 for what is not 0.
static TRUTH: Each = each!(|x| if x != 0.0 { 1.0 } else { 0.0 });

/// A condition; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Truth;

impl Op for Truth {
    fn name(&self) -> &'static str {
        "truth"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![inputs[0].each(&TRUTH)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        recipe.float(inputs)?;
        Some(recipe.each(&TRUTH, inputs[0]))
    }

    fn gates(&self, _inputs: &[bool]) -> bool {
        true
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        Ok(at.network())
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "truth(x)",
    aliases: &[],
    axes: Axes::Kept,
    call: |args| args.value("x")?.truth(),
    samples: || {
        vec![
            Sample::normal("truth: a matrix", [&[2, 3]], |x| x[0].truth()),
            Sample::given("truth: at 0", [(&[3], &[-2.0, 0.0, 1.0])], |x| x[0].truth()).at_kink(),
        ]
    },
};

impl Val {
    /// 1 where a number is not 0, element by element. Shape: that of `self`.
    ///
    /// # Errors
    /// On integers.
    pub fn truth(&self) -> Result<Val> {
        Val::apply(Truth, &[self])
    }
}
