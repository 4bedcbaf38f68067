//! How far rounding errors may have moved a result, measured entry by entry.
//!
//! Stochastic arithmetic (Vignes, *A stochastic arithmetic for reliable scientific computation*, 1993) perturbs every
//! intermediate result at random, as rounding does, and watches how far the final one moves. Here the perturbations are
//! much larger than rounding errors and the effect is scaled down: it is linear in their size, and so measured well.
//!
//! An operation that adds up many products rounds inside, at every addition: its partial sums grow like the square root of
//! their number, and so does the error of them all beside that of a single product. So the inputs of a long sum are perturbed
//! once more for it alone, √n times as much. How many products an entry of a result adds up is told by the price of the
//! operation's own Jacobian.
//!
//! Of other code it is not known how it adds up. One that adds numbers of one sign one by one, as `np.sum` does along rows, rounds
//! in the same direction again and again: the error grows with their number itself, up to n/8 machine epsilons of the sum. And
//! what computes in 16 bits adds up in 32. [`Sums`] is what is supposed of it.
//!
//! What is piecewise constant (the sign of a value, which element is the largest) is held: a jump is no rounding error. Two
//! sizes are tried, since a badly conditioned program leaves its linear range, or its domain, at the larger one.

use std::cell::Cell;
use std::collections::HashMap;

use pullback_array::{Array, Precision, memory};
use pullback_autograd::Function;
use pullback_network::Value;
use pullback_ops::{Op, Origin, Result, Val};

use crate::graph::{ancestors, piecewise_constant};
use crate::other_code::takes_products;

/// The relative sizes of perturbations, both far above double precision's 2⁻⁵².
const COARSE: f64 = 1.0 / (1u64 << 40) as f64;
const FINE: f64 = 1.0 / (1u64 << 46) as f64;

/// How often a result is perturbed by each size, each time at random. Of a gradient of thousands of entries there is one that
/// four perturbations hardly move by chance; eight do.
const SAMPLES: u64 = 4;

/// A sum of fewer products is not perturbed for the rounding inside of it: the safety factor of a judgement covers it.
const LONG_SUM: f64 = 32.0;

/// The error of n numbers of one sign that are added one by one is n/8 machine epsilons of their sum at the most (half an epsilon
/// for each partial sum, which is half of the last one on the average, and half of that where it lies in the middle of its
/// binade). A perturbation is half of that: the factors of a judgement, 2 for all entries and 8 for one, stand before it.
const IN_SEQUENCE: f64 = 1.0 / 16.0;

/// How sums round, beside all else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// The machine epsilon of the format in which they run, in units of that in which results are stored.
    fineness: f64,
    /// May they run one by one?
    in_sequence: bool,
    /// How coarsely results are stored, and how coarsely operands of products are rounded before, in the same units.
    stored: f64,
    operands: f64,
}

impl Sums {
    /// Those of this program, in the precision of all else.
    pub(crate) const OWN: Sums = Sums { fineness: 1.0, in_sequence: false, stored: 1.0, operands: 0.0 };

    /// Those of other code that runs them in one format and stores them in another.
    pub(crate) fn of(stored: Precision, runs: Precision) -> Sums {
        let fineness = if stored == runs { 1.0 } else { runs.epsilon() / stored.epsilon() };
        if stored == Precision::TF32 {
            // What is stored is f32, which rounds by a whole epsilon inside; that of operands is rounded to nearest, by half of one.
            return Sums {
                fineness: 2.0 * fineness,
                in_sequence: true,
                stored: 2.0 * fineness,
                operands: 1.0,
            };
        }
        Sums { fineness, in_sequence: true, stored: 1.0, operands: 0.0 }
    }

    /// How much the operands of a sum of n products are perturbed, and its result.
    fn perturbations(self, products: f64) -> (f64, f64) {
        let result = if self.in_sequence { IN_SEQUENCE * products * self.fineness } else { 0.0 };
        (products.sqrt() * self.fineness, self.stored + result)
    }
}

/// A value as a function of some of the values it depends on, for measuring how much it amplifies rounding errors of its
/// leaves, but whole numbers by themselves, and of every intermediate result.
pub struct Simulation {
    function: Function,
    leaves: Vec<Array>,
    /// The number of products that an entry adds up, of each application whose sums are long.
    long_sums: HashMap<u64, f64>,
}

impl Simulation {
    /// How often a run evaluates the value.
    pub const EVALUATIONS: usize = 1 + 2 * SAMPLES as usize;

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
        Ok(Simulation { function, leaves: leaves?, long_sums: long_sums(value)? })
    }

    /// The value where the given ones are these arrays.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn exact(&self, given: &[Array]) -> Result<Array> {
        let inputs: Vec<Array> = given.iter().chain(&self.leaves).cloned().collect();
        Ok(self.function.call(&inputs)?.remove(0))
    }

    /// The value where the given ones are these arrays, and for each entry how far it moves in units of the relative
    /// perturbation: times the machine epsilon of a precision, its rounding error there. Infinite where that cannot be
    /// told.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub fn run(&self, given: &[Array]) -> Result<(Array, Vec<f64>)> {
        self.run_with(given, Sums::OWN)
    }

    /// The same for code whose sums round like these.
    ///
    /// # Errors
    /// Where the value cannot be evaluated.
    pub(crate) fn run_with(&self, given: &[Array], sums: Sums) -> Result<(Array, Vec<f64>)> {
        let exact = self.exact(given)?;
        // The entries, their movements by two sizes, and a perturbed result.
        memory::room(4 * size_of::<f64>() * exact.len())?;
        let entries = exact.to_vec_f64();
        // What is perturbed least is to move by more than double precision rounds.
        let [coarse, fine] = [COARSE, FINE].map(|size| size / sums.stored);
        let (coarse, fine) = (
            self.moved(given, &entries, coarse, 0, sums)?,
            self.moved(given, &entries, fine, SAMPLES, sums)?,
        );
        let spread = entries.iter().zip(coarse.iter().zip(&fine)).map(|(entry, (&coarse, &fine))| {
            let moved = [coarse, fine].into_iter().filter(|moved| moved.is_finite()).fold(f64::NAN, f64::max);
            if moved.is_nan() { f64::INFINITY } else { moved.max(sums.stored * entry.abs()) }
        });
        Ok((exact, spread.collect()))
    }

    /// The largest movement of each entry by as many perturbations as there are [`SAMPLES`], the `first` of which is drawn
    /// from the seed of this number, in units of `size`; infinite where a perturbed result is not finite.
    fn moved(&self, given: &[Array], exact: &[f64], size: f64, first: u64, sums: Sums) -> Result<Vec<f64>> {
        let mut largest = vec![0.0f64; exact.len()];
        for sample in first..first + SAMPLES {
            let noise = Noise::new(sample);
            let mut inputs = given.to_vec();
            for leaf in &self.leaves {
                inputs.push(if is_exact(leaf) {
                    leaf.clone()
                } else {
                    noise.perturb(leaf, size * sums.stored)?
                });
            }
            let mut forward = |op: &dyn Op, value: &Val, inputs: &[&Array]| -> Result<Vec<Array>> {
                let (operands, stored) = match self.long_sums.get(&value.order()) {
                    None => (0.0, sums.stored),
                    Some(&products) => sums.perturbations(products),
                };
                let operands = match sums.operands > 0.0 && takes_products(op) && !is_entry_by_entry(value)? {
                    true => operands.max(sums.operands),
                    false => operands,
                };
                let results = if operands == 0.0 {
                    op.forward(inputs)?
                } else {
                    let inputs: Result<Vec<Array>> =
                        inputs.iter().map(|input| noise.perturb(input, size * operands)).collect();
                    op.forward(&inputs?.iter().collect::<Vec<_>>())?
                };
                results.iter().map(|result| noise.perturb(result, size * stored)).collect()
            };
            // A perturbed matrix may be singular where the exact one is not.
            let mut results = match self.function.call_by(&inputs, &mut forward) {
                Ok(results) => results,
                Err(error) if error.is_memory() => return Err(error),
                Err(_) => return Ok(vec![f64::INFINITY; exact.len()]),
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

/// Numbers between −1 and 1 that have nothing to do with one another: SplitMix64 (Steele, Lea and Flood, *Fast splittable
/// pseudorandom number generators*, 2014). A simulation draws more of them than it computes anything else.
struct Noise {
    state: Cell<u64>,
}

impl Noise {
    fn new(seed: u64) -> Noise {
        Noise { state: Cell::new(seed << 32) }
    }

    fn next(&self) -> f64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The upper 53 bits, with their sign.
        ((mixed ^ (mixed >> 31)) as i64 >> 11) as f64 / (1u64 << 52) as f64
    }

    /// Every element times a number within `size` of 1. What a broadcast array repeats is one number, rounded once.
    fn perturb(&self, array: &Array, size: f64) -> Result<Array> {
        if !array.dtype().is_float() {
            return Ok(array.clone());
        }
        Ok(array.map(|x| x * (1.0 + (size * self.next()) as f32), |x| x * (1.0 + size * self.next()))?)
    }
}

/// How much each entry of a value amplifies rounding errors.
///
/// # Errors
/// Where the value cannot be evaluated.
pub fn amplification(value: &Val) -> Result<Vec<f64>> {
    Ok(Simulation::new(value, &[])?.run(&[])?.1)
}

/// Is it a whole number by itself, an exponent or a count? Up to 256 it is the same in every precision (bf16 has 8 bits), and of a negative base no other
/// exponent has a power.
fn is_exact(leaf: &Array) -> bool {
    leaf.ndim() == 0 && leaf.item().is_ok_and(|number| number.fract() == 0.0 && number.abs() <= 256.0)
}

/// Is this a product of entries in the same place, which no tensor core takes?
fn is_entry_by_entry(value: &Val) -> Result<bool> {
    let shape = value.shape();
    let entries: f64 = shape.iter().map(|&size| size as f64).product();
    for (k, input) in value.inputs().iter().enumerate() {
        if input.shape() != shape && input.ndim() > 0 || value.jacobian(k)?.jvp_flops() > entries {
            return Ok(false);
        }
    }
    Ok(true)
}

fn float_leaves(value: &Val) -> Vec<Val> {
    let is_leaf = |value: &Val| matches!(value.origin(), Origin::Leaf) && value.dtype().is_float();
    ancestors(value).into_iter().filter(is_leaf).collect()
}

/// The applications that `value` depends on whose entries are long sums, with the number of products in each.
fn long_sums(value: &Val) -> Result<HashMap<u64, f64>> {
    let mut found: HashMap<u64, f64> = HashMap::new();
    for value in ancestors(value) {
        let entries: f64 = value.shape().iter().map(|&size| size as f64).product();
        for (k, input) in value.inputs().iter().enumerate() {
            // An operation cannot add up more products by one input than that one has entries.
            if entries == 0.0 || (input.shape().iter().product::<usize>() as f64) < LONG_SUM {
                continue;
            }
            let products = value.jacobian(k)?.jvp_flops() / entries;
            if products >= LONG_SUM && products.is_finite() {
                let known = found.entry(value.order()).or_insert(products);
                *known = known.max(products);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pullback_array::DType;
    use pullback_array::random::Generator;

    /// Sums of 4096 products in single precision: the estimate against the error, known from double precision.
    #[test]
    fn the_rounding_inside_of_a_long_sum_is_covered() -> Result<()> {
        let mut generator = Generator::new(7);
        let mut draw = |shape: &[usize]| generator.randn(shape, DType::F32);
        let (a, b) = (draw(&[32, 4096])?, draw(&[4096, 32])?);
        let exact = |array: &Array| array.cast(DType::F64).map(Val::new);
        let product = exact(&a)?.matmul(&exact(&b)?)?;
        let single = Val::new(a).matmul(&Val::new(b))?.array()?.to_vec_f64();
        let epsilon = DType::F32.epsilon();
        let errors = single.iter().zip(product.array()?.to_vec_f64()).map(|(s, d)| (s - d).abs());
        let shares: Vec<f64> =
            errors.zip(amplification(&product)?).map(|(error, spread)| error / (epsilon * spread)).collect();
        let largest = shares.iter().fold(0.0f64, |largest, share| largest.max(*share));
        // Covered with what a judgement allows beside it, and no thousandfold excuse.
        assert!((8e-3..=8.0).contains(&largest), "{largest}");
        Ok(())
    }

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
