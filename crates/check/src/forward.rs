//! Numbers that other code computed of a value: are they those of the program?

use pullback_array::{Array, Precision};
use pullback_ops::{Error, Result, Val};

use crate::evidence::{Gap, rounding_of, worst};
use crate::flips::{Flips, flips};
use crate::layout::unravel;
use crate::limits::SAFETY;
use crate::other_code::Pulled;
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
    // Where it is not known how other code computes, what the program states is brought to its format: `fmod(x, 0.7)` in 16 bits.
    let (expected, spread) = Simulation::compared(value)?.run_with(&[], sums)?;
    let (expected, claimed) = (expected.to_vec_f64(), numbers.to_vec_f64());
    let rounding =
        |spread: &f64| SAFETY * (rounding_of(precision, *spread) + rounding_of(Precision::F64, *spread));
    let tolerance: Vec<f64> = spread.iter().map(rounding).collect();
    let Some(off) = farthest(&claimed, &expected, &tolerance) else { return Ok(None) };
    // What rounding turned (a mask, which of two is the larger) makes of the value.
    let turned = match off.error.is_finite() {
        true => flips(&Pulled::of(value)?, precision, &claimed, &expected, &tolerance)?,
        false => None,
    };
    if let Some(Flips { moves, allowance, .. }) = turned {
        let unturned: Vec<f64> = claimed.iter().zip(moves).map(|(claimed, moved)| claimed - moved).collect();
        let tolerance: Vec<f64> = tolerance.iter().zip(allowance.most).map(|(a, b)| a.max(b)).collect();
        if farthest(&unturned, &expected, &tolerance).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(Entry {
        at: unravel(off.position, numbers.shape()),
        claimed: claimed[off.position],
        expected: expected[off.position],
        difference: None,
    }))
}

/// The entry that is beyond its tolerance by most.
fn farthest(claimed: &[f64], expected: &[f64], tolerance: &[f64]) -> Option<Gap> {
    let gap = |position: usize| {
        let (a, b) = (claimed[position], expected[position]);
        if a == b || (a.is_nan() && b.is_nan()) {
            // Equal infinities have no difference.
            return Gap { position, error: 0.0, tolerance: 0.0 };
        }
        if !(a - b).is_finite() {
            return Gap { position, error: f64::INFINITY, tolerance: 0.0 };
        }
        Gap::new(position, a, b, tolerance[position])
    };
    let gaps: Vec<Gap> = (0..claimed.len()).map(gap).collect();
    worst(&gaps).filter(|gap| gap.ratio() > 1.0)
}
