//! How far rounding errors may have moved a result, measured.
//!
//! Stochastic arithmetic (Vignes, *A stochastic arithmetic for reliable scientific computation*, 1993) perturbs every
//! intermediate result at random, as rounding does, and watches how far the final one moves. Here the perturbations are
//! much larger than rounding errors and the effect is scaled down: it is linear in their size, and so measured well.

use std::collections::HashSet;

use pullback_array::Array;
use pullback_array::random::Generator;
use pullback_autograd::Function;
use pullback_network::Value;
use pullback_ops::{Origin, Result, Val};

/// The relative size of a perturbation: far above double precision's 2⁻⁵², far below where curvature shows.
const RELATIVE: f64 = 1.0 / (1u64 << 30) as f64;

/// How often a result is perturbed.
const SAMPLES: u64 = 6;

/// The largest movement of an entry of `value`, in units of the relative perturbation of its leaves and of every
/// intermediate result. Times the machine epsilon of a precision, it estimates the rounding error there.
///
/// # Errors
/// Where the value cannot be evaluated.
pub fn amplification(value: &Val) -> Result<f64> {
    let leaves = float_leaves(value);
    let function = Function::new(&leaves.iter().collect::<Vec<_>>(), &[value], &[])?;
    let exact = value.array()?;
    let mut largest = exact.max_abs();
    for sample in 0..SAMPLES {
        let mut generator = Generator::new(sample);
        let mut perturbed = |array: Array| -> Result<Array> {
            if !array.dtype().is_float() {
                return Ok(array);
            }
            let noise = generator.uniform(-RELATIVE, RELATIVE, array.shape(), array.dtype())?;
            Ok(array.zip(&noise, "perturb", |x, d| x * (1.0 + d), |x, d| x * (1.0 + d))?)
        };
        let inputs: Result<Vec<Array>> = leaves.iter().map(|leaf| perturbed(leaf.array()?.clone())).collect();
        let moved = function.call_observed(&inputs?, &mut perturbed)?.remove(0);
        let distance = moved.zip(exact, "distance", |a, b| a - b, |a, b| a - b)?.max_abs();
        // `f64::max` would lose a NaN.
        if distance.is_nan() || distance / RELATIVE > largest {
            largest = distance / RELATIVE;
        }
    }
    Ok(largest)
}

fn float_leaves(value: &Val) -> Vec<Val> {
    let mut leaves = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![value.clone()];
    while let Some(value) = pending.pop() {
        if seen.insert(value.id()) {
            match value.origin() {
                Origin::Leaf if value.dtype().is_float() => leaves.push(value),
                _ => pending.extend(value.inputs().iter().cloned()),
            }
        }
    }
    leaves
}
