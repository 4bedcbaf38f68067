//! The smaller of two values, element by element.
//!
//! # Formula
//! y_i = min(a_i, b_i)
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im (`[a_i < b_i]` + ½ `[a_i = b_i]`), and likewise by b. An axis that is stretched carries no delta.
//!
//! # Domain
//! All reals. NaN in either gives NaN. Shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Where both are equal each has a slope of ½, as in PyTorch and JAX.
//!
//! # Why
//! It is a where that is smaller, and b elsewhere.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Elementwise2, Entry, Result, Sample, Slope, Val};

pub(crate) static MINIMUM: Binary = Binary {
    name: "minimum",
    backward_error: BackwardError::None,
    lines: pairs!(|a, b| if a < b || a.is_nan() { a } else { b }),
    derivative: |at| {
        let [a, b] = at.inputs() else { unreachable!("minimum has two inputs") };
        let (own, other) = if at.input() == 0 { (a, b) } else { (b, a) };
        // [own < other] + ½ [own = other], with 1 − [other < own] for what is at least as good.
        let above = (other - own)?.step()?;
        let below = (own - other)?.step()?;
        Ok(Slope::times(Coef::number(0.5), (&above + &(1.0 - &below)?)?))
    },
    written: |a, b| format!("minimum({a}, {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "minimum(a, b)",
    aliases: &["fmin"],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.minimum(&args.value("b")?),
    samples: || {
        vec![
            Sample::normal("minimum: equal shapes", [&[2, 3], &[2, 3]], |x| x[0].minimum(&x[1])),
            Sample::normal("minimum: both stretched", [&[3, 1, 2], &[5, 1]], |x| x[0].minimum(&x[1])),
            Sample::given("minimum: ties", [(&[3], &[1.0, 2.0, 3.0]), (&[3], &[1.0, 3.0, 2.0])], |x| {
                x[0].minimum(&x[1])
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The smaller of two values, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, and on integers.
    pub fn minimum(&self, other: &Val) -> Result<Val> {
        Val::apply(Elementwise2(&MINIMUM), &[self, other])
    }
}
