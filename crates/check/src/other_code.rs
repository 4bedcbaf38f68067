//! A derivative as other code may have computed it: of that code the precision is known, and no expression.
//!
//! Its intermediate results are taken to be those of reverse mode, each rounded when it is stored, and its sums to run in the
//! format that the precision adds up in ([`Precision::accumulator`]): 16-bit kernels of PyTorch and cuBLAS, and every tensor core,
//! add up in 32 bits. Code that does otherwise is judged by that all the same, and told what its numbers look like
//! ([`Case::coarser`]).

use std::collections::HashSet;

use pullback_array::{Array, DType, Precision};
use pullback_ops::{Origin, Result, Stored, Val};

use crate::allowance::{Allowance, out_of_proportion};
use crate::claim::Rounding;
use crate::evidence::{Case, Derived, Evidence, rounding_of};
use crate::graph::{Backward, ancestors};
use crate::limits::{OF_ITS_SIZE, SAFETY};
use crate::rounding::{Measured, Simulation, Sums};
use crate::routes::Derivative;
use crate::verdict::Coarser;

/// How often rounding is drawn at first: as often as in all where formats have more digits, so that only 16 bits are drawn again.
const FIRST_SAMPLES: u64 = 8;

/// The rows of a derivative by reverse mode, as a function of the cotangent; or a value of the program, in one row.
#[derive(Clone)]
pub(crate) struct Pulled {
    /// The leaf in the cotangent's place.
    pub seed: Val,
    pub gradient: Val,
    pub rows: usize,
    /// Payloads that have other values than those of the program.
    pub given: Vec<(Val, Array)>,
    /// What is computed within kernels of other code.
    pub within_kernels: HashSet<u64>,
}

impl Pulled {
    /// `None`: there is no path.
    pub(crate) fn new(derivative: &Derivative<'_>) -> Result<Option<Pulled>> {
        let seed = Val::new(Array::ones(&derivative.y.shape(), DType::F64)?);
        let Backward { mut gradients, within_kernels } =
            Backward::new((derivative.y, &seed), &[derivative.x], &derivative.fixed)?;
        let rows = derivative.y.shape().iter().product();
        let pulled = |gradient| Pulled { seed, gradient, rows, given: Vec::new(), within_kernels };
        Ok(gradients.remove(0).map(pulled))
    }

    /// A value of the program itself, which no cotangent is in.
    pub(crate) fn of(value: &Val) -> Result<Pulled> {
        let seed = Val::new(Array::ones(&[], DType::F64)?);
        Ok(Pulled {
            seed,
            gradient: value.clone(),
            rows: 1,
            given: Vec::new(),
            within_kernels: HashSet::new(),
        })
    }

    /// The cotangent that gives a row.
    pub(crate) fn unit(&self, row: usize) -> Result<Array> {
        let mut unit = vec![0.0; self.rows];
        unit[row] = 1.0;
        Ok(Array::from_vec(&self.seed.shape(), unit)?)
    }

    /// As a function of the cotangent and of these payloads.
    pub(crate) fn simulation<'a>(&'a self, payloads: impl Iterator<Item = &'a Val>) -> Result<Simulation> {
        let given: Vec<&Val> = std::iter::once(&self.seed).chain(payloads).collect();
        Ok(Simulation::new(&self.gradient, &given)?.with_kernels(self.within_kernels.clone()))
    }

    /// As a function of the cotangent and of the payloads that are given.
    fn simulated(&self) -> Result<Simulation> {
        self.simulation(self.given.iter().map(|(val, _)| val))
    }

    /// How far each entry is moved by rounding where sums round like these, row by row.
    fn measured(&self, simulation: &Simulation, sums: Sums) -> Result<Vec<Measured>> {
        let arrays = |unit: Array| -> Vec<Array> {
            std::iter::once(unit).chain(self.given.iter().map(|(_, array)| array.clone())).collect()
        };
        (0..self.rows).map(|row| simulation.measure(&arrays(self.unit(row)?), sums)).collect()
    }

    /// How far each entry may be off where it is computed in this precision. What `suffices` is not measured any better.
    pub(crate) fn allowance(
        &self,
        precision: Precision,
        suffices: impl Fn(&Allowance) -> bool,
    ) -> Result<Allowance> {
        let simulation = self.simulated()?;
        let mut known: Vec<Measured> = Vec::new();
        for part in Sums::of(precision, precision.accumulator()).parts(FIRST_SAMPLES) {
            Measured::add(&mut known, self.measured(&simulation, part)?);
            if suffices(&Allowance::of(precision, &known)) {
                break;
            }
        }
        Ok(Allowance::of(precision, &known))
    }

    /// The same where all that is computed is stored, that which is computed as a whole in pieces, and lost where it is too large for that;
    /// `None` where that comes to the same.
    pub(crate) fn allowance_of_pieces(&self, precision: Precision) -> Result<Option<Allowance>> {
        let in_pieces =
            |value: &Val| matches!(value.origin(), Origin::Call(op, _) if op.stored() == Stored::Pieces);
        let sums = Sums::of(precision, precision.accumulator());
        let sums = match precision.is_of_16_bits() && ancestors(&self.gradient).iter().any(in_pieces) {
            true => sums.in_pieces(),
            false if precision.largest() < precision.accumulator().largest() => sums.storing_all(),
            false => return Ok(None),
        };
        Ok(Some(Allowance::of(precision, &self.measured(&self.simulated()?, sums)?)))
    }

    /// The same of what is zero since terms cancel that are the same numbers here: other code computes them in another order, or puts
    /// them together otherwise (`Σ g x − x̄ Σ g`), and rounding leaves of them what it leaves of terms that are not exact.
    pub(crate) fn allowance_of_terms(&self, precision: Precision) -> Result<Allowance> {
        let sums = Sums::of(precision, precision.accumulator());
        Ok(Allowance::of(precision, &self.measured(&self.simulated()?.where_all_rounds(), sums)?))
    }

    /// Does it add up products of two values?
    fn has_products(&self) -> bool {
        ancestors(&self.gradient).iter().any(|value| match value.origin() {
            Origin::Call(op, _) => matches!(op.name(), "matmul" | "einsum" | "conv" | "outer"),
            _ => false,
        })
    }
}

impl Case<'_> {
    /// Coarser arithmetic than that of the claim's precision by which its numbers could be explained, where they are wrong.
    pub(crate) fn coarser(&self, evidence: &Evidence) -> Result<Option<Coarser>> {
        let (Rounding::Unknown(precision), Derived::All(derived)) = (&self.claim.rounding, &evidence.derived)
        else {
            return Ok(None);
        };
        let Some(pulled) = Pulled::new(&self.reduced.derivative())? else { return Ok(None) };
        let (coarser, epsilon) = match precision {
            Precision::F16 | Precision::BF16 => (Coarser::Sums(*precision), precision.epsilon()),
            Precision::F32 if pulled.has_products() => (Coarser::Tf32, Precision::TF32.epsilon()),
            _ => return Ok(None),
        };
        let sums = match coarser {
            Coarser::Sums(precision) => Sums::of(precision, precision),
            Coarser::Tf32 => Sums::of(Precision::TF32, Precision::F32),
        };
        let spread: Vec<f64> =
            pulled.measured(&pulled.simulated()?, sums)?.iter().flat_map(Measured::spread).collect();
        let derived = derived.as_f64();
        let error = |k: usize| (evidence.claimed[k] - derived[k]).abs();
        let rounding: Vec<f64> =
            spread.iter().map(|spread| 0.5 * epsilon * spread + rounding_of(*precision, *spread)).collect();
        if (0..derived.len()).any(|k| error(k) > SAFETY * rounding[k])
            || out_of_proportion(&evidence.claimed, &derived, &rounding, None).is_some()
        {
            return Ok(None);
        }
        let squares = |of: &dyn Fn(usize) -> f64| (0..derived.len()).map(|k| of(k).powi(2)).sum::<f64>();
        let share = (squares(&error) / squares(&|k| rounding[k])).sqrt();
        Ok((share >= OF_ITS_SIZE).then_some(coarser))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symmetric::Moves;

    /// The backward pass of a softmax is one kernel: of what lies within it nothing is stored, in 16 bits alone.
    #[test]
    fn a_kernel_stores_its_result() -> Result<()> {
        let x = Val::new(Array::from_slice(&[3], &[0.5, -1.25, 1.5])?);
        let y = x.softmax(0)?;
        let pulled = Pulled::new(&Derivative { y: &y, x: &x, fixed: Vec::new(), moves: Moves::Freely })?
            .expect("a path");
        assert!(!pulled.within_kernels.is_empty());
        let stored = Pulled { within_kernels: HashSet::new(), ..pulled.clone() };
        let most = |pulled: &Pulled| -> Result<f64> {
            Ok(pulled.allowance(Precision::BF16, |_| false)?.most.iter().sum())
        };
        assert!(most(&pulled)? < 0.9 * most(&stored)?, "{} {}", most(&pulled)?, most(&stored)?);
        Ok(())
    }
}
