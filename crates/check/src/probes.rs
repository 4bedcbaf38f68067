//! Evidence about a Jacobian that is too large to be gone through row by row.
//!
//! Sums of rows with random signs stand for the rows: ±1 ±1 … · J, by autograd and by the Jacobian, against the same sums of
//! the claim. Every entry counts in every such sum. Where the claim deviates in a column, by more in some entry than the
//! tolerance of the column's sum, then of two sums that differ in the sign of that entry one at least deviates as well,
//! whatever the other entries do (Littlewood and Offord, *On the number of real roots of a random algebraic equation*, 1943).
//! So each sum misses it with probability 1/2 at most, and [`PROBES`] of them miss it with probability 2⁻²⁰ < 10⁻⁶. A single
//! wrong entry is missed by none. What deviates is then sought out: the column is computed, entry by entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pullback_array::random::Generator;
use pullback_array::{Array, DType, Precision};
use pullback_autograd::{jacobian, pullback};
use pullback_ops::{Result, Val};

use crate::claim::Rounding;
use crate::evidence::{Case, Derived, Evidence, Gap, Scale, Told, rounding_of};
use crate::layout::to_tensor;
use crate::limits::{DIRECTIONS, PROBES, SAFETY};
use crate::rounding::{Simulation, Sums};
use crate::routes::{Derivative, Differences, Kinks, along};
use crate::verdict::{Judgement, Note};

/// Columns in which a claim deviates that are gone through entry by entry.
const MOST_SOUGHT: usize = 4;

/// A linear map that a graph computes.
struct Linear {
    simulation: Option<Simulation>,
    shape: Vec<usize>,
    results: usize,
}

impl Linear {
    /// What `value` is of `given`; `None` is zero.
    fn new(value: Option<&Val>, given: &Val, results: usize) -> Result<Linear> {
        let simulation = value.map(|value| Simulation::new(value, &[given])).transpose()?;
        Ok(Linear { simulation, shape: given.shape(), results })
    }

    fn of(&self, vector: &[f64]) -> Result<Vec<f64>> {
        match &self.simulation {
            Some(simulation) => {
                Ok(simulation.exact(&[Array::from_slice(&self.shape, vector)?])?.to_vec_f64())
            }
            None => Ok(vec![0.0; self.results]),
        }
    }

    /// The same, and how much each entry amplifies rounding where sums round like these.
    fn measured(&self, vector: &[f64], sums: Sums) -> Result<(Vec<f64>, Vec<f64>)> {
        match &self.simulation {
            Some(simulation) => {
                let given = [Array::from_slice(&self.shape, vector)?];
                let (array, spread) = simulation.run_with(&given, sums)?;
                Ok((array.to_vec_f64(), spread))
            }
            None => Ok((vec![0.0; self.results], vec![0.0; self.results])),
        }
    }
}

/// The three maps that autograd and the Jacobian make of a program.
struct Maps {
    rows: Linear,
    networked: Linear,
    columns: Linear,
    no_path: bool,
}

impl Maps {
    fn new(derivative: &Derivative<'_>) -> Result<Maps> {
        let leaf = |value: &Val| Array::ones(&value.shape(), DType::F64).map(Val::new);
        let (cotangent, tangent) = (leaf(derivative.y)?, leaf(derivative.x)?);
        let (rows, columns) = (cotangent.array()?.len(), tangent.array()?.len());
        let pulled = pullback(&[(derivative.y, &cotangent)], &[derivative.x], &derivative.fixed)?.remove(0);
        let jacobian = jacobian(derivative.y, derivative.x, &derivative.fixed)?;
        Ok(Maps {
            rows: Linear::new(pulled.as_ref(), &cotangent, columns)?,
            networked: Linear::new(jacobian.vjp(&cotangent)?.as_ref(), &cotangent, columns)?,
            columns: Linear::new(jacobian.jvp(&tangent)?.as_ref(), &tangent, rows)?,
            no_path: jacobian.is_zero(),
        })
    }
}

/// The claim, and how far rounding may have moved it.
struct Claimed {
    entries: Vec<f64>,
    /// Entry by entry, times the safety factor.
    rounding: Vec<f64>,
    /// How far it may have moved the routes, as far as the entries tell.
    of_routes: Vec<f64>,
    /// The precision in which other code computed it.
    precision: Option<Precision>,
    rows: usize,
    columns: usize,
}

impl Claimed {
    /// How far the claim may be off where the derivative is amplified as `moved` is in this precision, and as `spread` is in
    /// that of other code.
    fn amplified(&self, moved: f64, spread: f64) -> f64 {
        let of_claim = self.precision.map_or(0.0, |precision| rounding_of(precision, spread));
        SAFETY * (f64::EPSILON * moved + of_claim)
    }

    /// How the sums behind it round.
    fn sums(&self) -> Sums {
        self.precision.map_or(Sums::OWN, |precision| Sums::of(precision, precision.accumulator()))
    }

    /// Sums of rows with signs.
    fn summed(&self, signs: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for (row, sign) in self.entries.chunks_exact(self.columns).zip(signs) {
            sums.iter_mut().zip(row).for_each(|(sum, entry)| *sum += sign * entry);
        }
        sums
    }

    /// How far the sums of all rows may be off.
    fn reach(&self, errors: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for row in errors.chunks_exact(self.columns) {
            sums.iter_mut().zip(row).for_each(|(sum, error)| *sum += error);
        }
        sums
    }
}

impl Case<'_> {
    /// Takes every route along probes. `None`: the derivative is not finite.
    pub(crate) fn probed(&self, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        let derivative = self.reduced.derivative();
        let maps = Maps::new(&derivative)?;
        let claimed = self.claimed()?;
        judgement.notes.push(Note::Probes(PROBES));

        let (directions, found, unmeasured) = match derivative.by_directions(&Kinks::NOTHING)? {
            Differences::Directions { directions, kinks, unmeasured } => (directions, kinks, unmeasured),
            Differences::Entries { .. } => (Vec::new(), Vec::new(), BTreeMap::new()),
        };
        let kinked: BTreeSet<usize> =
            found.iter().map(|kink| kink.at % claimed.columns).chain(unmeasured.into_keys()).collect();

        let mut evidence = Evidence::empty(maps.no_path);
        let Some(deviating) = self.along_sums(&claimed, &maps, &kinked, &mut evidence)? else {
            return Ok(None);
        };
        let mut known = HashMap::new();
        for column in kinked.iter().copied().chain(deviating) {
            if !self.column(column, &claimed, &maps, &mut evidence, &mut known)? {
                return Ok(None);
            }
        }
        evidence.derived = Derived::Some(known);
        (evidence.claimed, evidence.rounding) = (claimed.entries, claimed.rounding);
        evidence.of_routes = claimed.of_routes;
        evidence.kinks = evidence.at_kinks(&found);
        judgement.notes.push(Note::Directions(DIRECTIONS));
        let rows = claimed.rows;
        let claim = |direction: &Array| Ok(along(&self.tensor, direction, rows));
        let program = |direction: &Array| maps.columns.of(&direction.to_vec_f64());
        self.along_directions(&mut evidence, &claim, &program, &directions)?;
        Ok(Some(evidence))
    }

    fn claimed(&self) -> Result<Claimed> {
        let entries = self.tensor.to_vec_f64();
        let (mut rounding, precision): (Vec<f64>, _) = match &self.claim.rounding {
            Rounding::Measured(errors) => {
                (to_tensor(errors, &self.y, &self.x, self.claim.layout)?.to_vec_f64(), None)
            }
            Rounding::Unknown(precision) => {
                let own = entries.iter().map(|&entry| rounding_of(*precision, entry.abs()));
                (own.collect(), Some(*precision))
            }
        };
        let own = |(error, entry): (&mut f64, &f64)| *error = SAFETY * (*error + f64::EPSILON * entry.abs());
        rounding.iter_mut().zip(&entries).for_each(own);
        let of_routes = match &self.claim.rounding {
            Rounding::Measured(_) => rounding.clone(),
            Rounding::Unknown(_) => entries.iter().map(|entry| SAFETY * f64::EPSILON * entry.abs()).collect(),
        };
        let (rows, columns) = (self.y.iter().product(), self.x.iter().product());
        Ok(Claimed { entries, rounding, of_routes, precision, rows, columns })
    }

    /// The sums of rows; the columns in which they deviate, the worst first. `None`: one is not finite.
    fn along_sums(
        &self,
        claimed: &Claimed,
        maps: &Maps,
        kinked: &BTreeSet<usize>,
        evidence: &mut Evidence,
    ) -> Result<Option<Vec<usize>>> {
        let mut generator = Generator::new(0x7369_676e);
        let reach = claimed.reach(&claimed.rounding);
        let of_routes = claimed.reach(&claimed.of_routes);
        let mut spreads: Option<(Vec<f64>, Vec<f64>, Vec<f64>)> = None;
        let mut deviating: Vec<Gap> = Vec::new();
        let mut scale = Scale { zero: true, largest: 0.0, rounding: 0.0, told: 0.0 };
        let mut told = Told::default();
        for _ in 0..PROBES {
            let drawn = generator.uniform(-1.0, 1.0, &[claimed.rows], DType::F64)?.to_vec_f64();
            let signs: Vec<f64> = drawn.into_iter().map(f64::signum).collect();
            // All weights are of size 1, and rounding errors of all signs: what they amount to is measured once.
            let (autograd, network) = match &spreads {
                None => {
                    let (autograd, moved) = maps.rows.measured(&signs, Sums::OWN)?;
                    let (network, networked) = maps.networked.measured(&signs, Sums::OWN)?;
                    let spread = match claimed.precision {
                        Some(_) => maps.rows.measured(&signs, claimed.sums())?.1,
                        None => moved.clone(),
                    };
                    spreads = Some((moved, networked, spread));
                    (autograd, network)
                }
                Some(_) => (maps.rows.of(&signs)?, maps.networked.of(&signs)?),
            };
            if autograd.iter().chain(&network).any(|entry| !entry.is_finite()) {
                return Ok(None);
            }
            let Some((moved, networked, spread)) = &spreads else { continue };
            let sums = claimed.summed(&signs);
            for column in (0..claimed.columns).filter(|column| !kinked.contains(column)) {
                let tolerance = reach[column] + claimed.amplified(moved[column], spread[column]);
                let networked = SAFETY * f64::EPSILON * networked[column];
                let of_routes = of_routes[column] + SAFETY * f64::EPSILON * moved[column];
                let by_autograd = Gap::new(column, sums[column], autograd[column], tolerance);
                let by_network = Gap::new(column, sums[column], network[column], tolerance + networked);
                let routes = Gap::new(column, autograd[column], network[column], of_routes + networked);
                evidence.among_routes.push(routes);
                let size = autograd[column].abs();
                scale.zero &= size <= of_routes;
                told.add(size, tolerance);
                scale.largest = scale.largest.max(size / (claimed.rows as f64).sqrt());
                scale.rounding = scale.rounding.max(tolerance / (claimed.rows as f64).sqrt());
                match by_autograd.ratio() > 1.0 || by_network.ratio() > 1.0 {
                    true => deviating.push(by_autograd),
                    false => {
                        evidence.by_autograd.push(by_autograd);
                        evidence.by_network.push(by_network);
                    }
                }
            }
        }
        evidence.scale = Scale { told: told.share(), ..scale };
        deviating.sort_by(|a, b| b.error.total_cmp(&a.error));
        let mut columns: Vec<usize> = Vec::new();
        for gap in deviating {
            if columns.len() < MOST_SOUGHT && !columns.contains(&gap.position) {
                columns.push(gap.position);
            }
        }
        Ok(Some(columns))
    }

    /// One column, entry by entry. Is it finite?
    fn column(
        &self,
        column: usize,
        claimed: &Claimed,
        maps: &Maps,
        evidence: &mut Evidence,
        known: &mut HashMap<usize, f64>,
    ) -> Result<bool> {
        let mut unit = vec![0.0; claimed.columns];
        unit[column] = 1.0;
        let (entries, spread) = maps.columns.measured(&unit, claimed.sums())?;
        for (row, (&entry, spread)) in entries.iter().zip(spread).enumerate() {
            if !entry.is_finite() {
                return Ok(false);
            }
            let position = row * claimed.columns + column;
            let tolerance = claimed.rounding[position] + claimed.amplified(spread, spread);
            // Autograd and the Jacobian agree on the sums: what one says of a column the other does.
            let gap = Gap::new(position, claimed.entries[position], entry, tolerance);
            evidence.by_autograd.push(gap);
            evidence.by_network.push(gap);
            known.insert(position, entry);
        }
        Ok(true)
    }
}
