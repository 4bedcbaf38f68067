//! How far rounding errors may have moved a result, measured entry by entry.
//!
//! Stochastic arithmetic (Vignes, *A stochastic arithmetic for reliable scientific computation*, 1993) perturbs every
//! intermediate result at random, as rounding does, and watches how far the final one moves. Here the perturbations are
//! much larger than rounding errors and the effect is scaled down: it is linear in their size, and so measured well.
//!
//! What is piecewise constant (the sign of a value, which element is the largest) is held: a jump is no rounding error. Two
//! sizes are tried, since a badly conditioned program leaves its linear range, or its domain, at the larger one.

use std::collections::HashSet;

use pullback_array::Array;
use pullback_array::random::Generator;
use pullback_autograd::Function;
use pullback_network::Value;
use pullback_ops::{Origin, Result, Val};

/// The relative sizes of perturbations, both far above double precision's 2⁻⁵².
const COARSE: f64 = 1.0 / (1u64 << 40) as f64;
const FINE: f64 = 1.0 / (1u64 << 46) as f64;

/// How often a result is perturbed by each size.
const SAMPLES: u64 = 4;

/// A value as a function of some of the values it depends on, for measuring how much it amplifies rounding errors of all
/// its leaves and of every intermediate result.
pub struct Simulation {
    function: Function,
    leaves: Vec<Array>,
}

impl Simulation {
    /// Of `value` as a function of `given`, which are exact.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn new(value: &Val, given: &[&Val]) -> Result<Simulation> {
        let leaves: Vec<Val> = float_leaves(value)
            .into_iter()
            .filter(|leaf| !given.iter().any(|g| g.id() == leaf.id()))
            .collect();
        let inputs: Vec<&Val> = given.iter().copied().chain(&leaves).collect();
        let held = piecewise_constant(value)?;
        let function = Function::new(&inputs, &[value], &held.iter().collect::<Vec<_>>())?;
        let leaves: Result<Vec<Array>> = leaves.iter().map(|leaf| leaf.array().cloned()).collect();
        Ok(Simulation { function, leaves: leaves? })
    }

    /// The value where the given ones are these arrays, and for each entry how far it moves in units of the relative
    /// perturbation: times the machine epsilon of a precision, its rounding error there. Infinite where that cannot be
    /// told.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn run(&self, given: &[Array]) -> Result<(Array, Vec<f64>)> {
        let exact_inputs: Vec<Array> = given.iter().chain(&self.leaves).cloned().collect();
        let exact = self.function.call(&exact_inputs)?.remove(0);
        let entries = exact.to_vec_f64();
        let (coarse, fine) = (self.moved(given, &entries, COARSE)?, self.moved(given, &entries, FINE)?);
        let spread = entries.iter().zip(coarse.iter().zip(&fine)).map(|(entry, (&coarse, &fine))| {
            let moved = [coarse, fine].into_iter().filter(|moved| moved.is_finite()).fold(f64::NAN, f64::max);
            if moved.is_nan() { f64::INFINITY } else { moved.max(entry.abs()) }
        });
        Ok((exact, spread.collect()))
    }

    /// The largest movement of each entry, in units of `size`; infinite where a perturbed result is not finite.
    fn moved(&self, given: &[Array], exact: &[f64], size: f64) -> Result<Vec<f64>> {
        let mut largest = vec![0.0f64; exact.len()];
        for sample in 0..SAMPLES {
            let mut generator = Generator::new(sample);
            let mut perturbed = |array: Array| -> Result<Array> {
                if !array.dtype().is_float() {
                    return Ok(array);
                }
                let noise = generator.uniform(-size, size, array.shape(), array.dtype())?;
                Ok(array.zip(&noise, "perturb", |x, d| x * (1.0 + d), |x, d| x * (1.0 + d))?)
            };
            let mut inputs = given.to_vec();
            for leaf in &self.leaves {
                inputs.push(perturbed(leaf.clone())?);
            }
            // A perturbed matrix may be singular where the exact one is not.
            let Ok(mut results) = self.function.call_observed(&inputs, &mut perturbed) else {
                return Ok(vec![f64::INFINITY; exact.len()]);
            };
            for (largest, (moved, exact)) in
                largest.iter_mut().zip(results.remove(0).to_vec_f64().iter().zip(exact))
            {
                let distance = (moved - exact).abs() / size;
                *largest = if distance.is_nan() { f64::INFINITY } else { largest.max(distance) };
            }
        }
        Ok(largest)
    }
}

/// How much each entry of a value amplifies rounding errors.
///
/// # Errors
/// Where the value cannot be evaluated.
pub fn amplification(value: &Val) -> Result<Vec<f64>> {
    Ok(Simulation::new(value, &[])?.run(&[])?.1)
}

fn float_leaves(value: &Val) -> Vec<Val> {
    let is_leaf = |value: &Val| matches!(value.origin(), Origin::Leaf) && value.dtype().is_float();
    ancestors(value).into_iter().filter(is_leaf).collect()
}

/// The values that `value` depends on whose derivative by each of their inputs is zero.
fn piecewise_constant(value: &Val) -> Result<Vec<Val>> {
    let mut found = Vec::new();
    for value in ancestors(value) {
        let jacobians: Result<Vec<_>> = (0..value.inputs().len()).map(|k| value.jacobian(k)).collect();
        if !value.inputs().is_empty() && jacobians?.iter().all(|jacobian| jacobian.is_zero()) {
            found.push(value);
        }
    }
    Ok(found)
}

/// The value and all it depends on, each once.
fn ancestors(value: &Val) -> Vec<Val> {
    let mut seen = HashSet::new();
    let mut pending = vec![value.clone()];
    let mut all = Vec::new();
    while let Some(value) = pending.pop() {
        if seen.insert(value.id()) {
            pending.extend(value.inputs().iter().cloned());
            all.push(value);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The estimate against the true rounding error, known from a closed form or from more digits.
    #[test]
    fn the_estimate_covers_the_error_and_is_no_excuse() -> Result<()> {
        let x = Val::new(Array::from_slice(&[3], &[0.1, 1.0, 7.0])?);
        // A cancellation: (x + 1e8) − 1e8 has an absolute error of about ε·1e8.
        let cancelled = (&(&x + 1e8)? - 1e8)?;
        let error = cancelled.array()?.zip(x.array()?, "off", |a, b| a - b, |a, b| a - b)?.to_vec_f64();
        for (error, spread) in error.iter().zip(amplification(&cancelled)?) {
            assert!(error.abs() <= 8.0 * f64::EPSILON * spread && spread <= 1e10, "{error:e} {spread:e}");
        }
        // Entries of very different sizes have estimates of their own.
        let y = Val::new(Array::from_slice(&[2], &[1e-9, 1e9])?).powf(2.0)?;
        let spread = amplification(&y)?;
        assert!(spread[0] < 1e-16 && spread[1] > 1e17, "{spread:?}");
        // A tie is a jump and no rounding error.
        let tied = Val::new(Array::from_slice(&[3], &[2.0, 2.0, 1.0])?).tie_share(&[0])?;
        assert_eq!(amplification(&tied)?, [0.5, 0.5, 0.0]);
        // A result whose domain ends within the larger perturbation.
        let edge = (&Val::new(Array::from_slice(&[1], &[1.0 + 1e-10])?) - 1.0)?.sqrt()?;
        assert!(amplification(&edge)?[0].is_finite());
        Ok(())
    }
}
