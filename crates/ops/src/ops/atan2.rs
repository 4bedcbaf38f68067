//! The angle of a point in the plane, element by element.
//!
//! # Formula
//! y_i = the angle, in (−π, π], of the point (b_i, a_i) beside the first axis
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im b_i / (a_i² + b_i²), ∂y_i/∂b_m = −δ_im a_i / (a_i² + b_i²). An axis that is stretched carries no delta.
//!
//! # Domain
//! Every point but (0, 0), where there is no slope. Shapes broadcast as in NumPy.
//!
//! # At kinks and ties
//! It jumps by 2π where the second argument is negative and the first changes its sign.
//!
//! # Why
//! It is arctan(a/b) up to a constant, and the chain rule gives (1/b) / (1 + a²/b²) by a.

use pullback_array::pairs;
use pullback_network::Coef;

use crate::{Axes, BackwardError, Binary, Elementwise2, Entry, Result, Sample, Slope, Val};

pub(crate) static ATAN2: Binary = Binary {
    name: "atan2",
    backward_error: BackwardError::None,
    lines: pairs!(f32::atan2, f64::atan2),
    derivative: |at| {
        let [a, b] = at.inputs() else { unreachable!("atan2 has two inputs") };
        let square = (&a.powf(2.0)? + &b.powf(2.0)?)?;
        Ok(match at.input() {
            0 => Slope::value((b / &square)?),
            _ => Slope::times(Coef::minus_one(), (a / &square)?),
        })
    },
    written: |a, b| format!("atan2({a}, {b})"),
};

pub(crate) static ENTRY: Entry = Entry {
    signature: "atan2(a, b)",
    aliases: &["arctan2"],
    axes: Axes::Broadcast,
    call: |args| args.value("a")?.atan2(&args.value("b")?),
    samples: || {
        vec![
            Sample::given(
                "atan2: all quarters",
                [(&[4], &[1.0, 2.0, -1.5, -0.7]), (&[4], &[0.5, -1.0, -0.4, 2.0])],
                |x| x[0].atan2(&x[1]),
            ),
            Sample::normal("atan2: both stretched", [&[3, 1], &[2]], |x| x[0].atan2(&x[1])).positive(),
        ]
    },
};

impl Val {
    /// The angle of the point whose second coordinate this is and whose first is `other`, element by element, broadcast.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, and on integers.
    pub fn atan2(&self, other: &Val) -> Result<Val> {
        Val::apply(Elementwise2(&ATAN2), &[self, other])
    }
}
