//! Numbers that other code computed of a value: are they those of the program?

use pullback_array::{Array, Precision};
use pullback_ops::{Error, Result, Val};

use crate::evidence::{Gap, rounding_of, worst};
use crate::layout::unravel;
use crate::limits::SAFETY;
use crate::rounding::{Simulation, Sums};
use crate::verdict::Entry;

/// The entry in which numbers from elsewhere deviate most from a value, where they do by more than rounding explains in the
/// precision in which they were computed. Gradients of what deviates are those of another function.
///
/// # Errors
/// Where the shapes differ, or the value cannot be evaluated.
///
/// ```
/// # use pullback_array::{Array, Precision};
/// # use pullback_check::deviation;
/// # use pullback_ops::Val;
/// let y = Val::new(Array::from_slice(&[2], &[1.0, 3.0])?).exp()?;
/// let half = Array::from_slice(&[2], &[2.719f32, 20.08])?;
/// assert_eq!(deviation(&y, &half, Precision::F16)?, None);
/// assert_eq!(deviation(&y, &half, Precision::F32)?.expect("too far off").at, [1]);
/// # Ok::<(), pullback_ops::Error>(())
/// ```
pub fn deviation(value: &Val, numbers: &Array, precision: Precision) -> Result<Option<Entry>> {
    if numbers.shape() != value.shape() {
        return Err(Error::new(format!(
            "numbers of {:?} for a value of {:?}",
            numbers.shape(),
            value.dims()
        )));
    }
    let sums = Sums::of(precision, precision.accumulator()).in_pieces();
    let (expected, spread) = Simulation::new(value, &[])?.run_with(&[], sums)?;
    let expected = expected.to_vec_f64();
    let claimed = numbers.to_vec_f64();
    let gap = |position: usize| {
        let (a, b, spread) = (claimed[position], expected[position], spread[position]);
        if a == b || (a.is_nan() && b.is_nan()) {
            // Equal infinities have no difference.
            return Gap { position, error: 0.0, tolerance: 0.0 };
        }
        if !(a - b).is_finite() {
            return Gap { position, error: f64::INFINITY, tolerance: 0.0 };
        }
        let tolerance = SAFETY * (rounding_of(precision, spread) + rounding_of(Precision::F64, spread));
        Gap::new(position, a, b, tolerance)
    };
    let gaps: Vec<Gap> = (0..claimed.len()).map(gap).collect();
    let beyond = worst(&gaps).filter(|gap| gap.ratio() > 1.0);
    Ok(beyond.map(|gap| Entry {
        at: unravel(gap.position, numbers.shape()),
        claimed: claimed[gap.position],
        expected: expected[gap.position],
        difference: None,
    }))
}
