//! The larger of two values, element by element.
//!
//! # Formula
//! y_i = max(a_i, b_i)
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im (`[a_i > b_i]` + ½ `[a_i = b_i]`), and likewise by b. An axis that is stretched carries no delta.
//!
//! # Domain
//! All reals. NaN in either gives NaN. Shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! Where both are equal each has a slope of ½, as in PyTorch and JAX.
//!
//! # Why
//! It is a where that is larger, and b elsewhere.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Elementwise2, Entry, Result, Sample, Slope, Val};

pub(crate) static MAXIMUM: Binary = Binary {
    name: "maximum",
    backward_error: BackwardError::None,
    lines: pairs!(|a, b| if a > b || a.is_nan() { a } else { b }),
    derivative: |at| {
        let [a, b] = at.inputs() else { unreachable!("maximum has two inputs") };
        let (own, other) = if at.input() == 0 { (a, b) } else { (b, a) };
        // [own > other] + ½ [own = other], with 1 − [other > own] for what is at least as good.
        let above = (own - other)?.step()?;
        let below = (other - own)?.step()?;
        Ok(Slope::times(Coef::number(0.5), (&above + &(1.0 - &below)?)?))
    },
    written: |a, b| format!("maximum({a}, {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "maximum(a, b)",
    aliases: &["fmax"],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.maximum(&args.value("b")?),
    samples: || {
        vec![
            Sample::normal("maximum: equal shapes", [&[2, 3], &[2, 3]], |x| x[0].maximum(&x[1])),
            Sample::normal("maximum: both stretched", [&[3, 1, 2], &[5, 1]], |x| x[0].maximum(&x[1])),
            Sample::given("maximum: ties", [(&[3], &[1.0, 2.0, 3.0]), (&[3], &[1.0, 3.0, 2.0])], |x| {
                x[0].maximum(&x[1])
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// The larger of two values, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, and on integers.
    pub fn maximum(&self, other: &Val) -> Result<Val> {
        Val::apply(Elementwise2(&MAXIMUM), &[self, other])
    }
}
