//! What is found out once for all claims about one output.
//!
//! A file claims many derivatives of one scalar y, by its inputs and by the values on the way. Gone through one by one, entry by
//! entry, each costs as many runs of the program as it has entries, and all together grow with the square of the program. But what
//! the routes say does not depend on what is claimed. So for a program where that would be dear they are taken once, by all these values
//! together: reverse mode in one walk, rounding in one simulation, and differences along directions that move everything at once.
//!
//! Each value v by which a derivative is asked for is moved where it is computed, by t·z_v, and so is all that is computed from it:
//!
//! ```text
//! d/dt y(…, v + t z_v, …)  =  Σ_v ⟨∂y/∂v, z_v⟩         z_v = (random numbers, uniformly distributed) / ‖c_v‖
//! ```
//!
//! where c_v is what reverse mode gives for ∂y/∂v. The left side is told by differences of the whole program, which share nothing
//! with the rules; the right side by reverse mode, and once more by forward mode, which contracts the same networks in the opposite
//! order. Where all three agree, along every direction, within what differences and rounding leave open, the rules are right here. Where the
//! first few differences come to what forward mode gives, to six digits, no more are taken: random numbers do not agree by accident.
//!
//! **What that guarantees.** Where the program is smooth, and c_v is off by Δ: the right side is off by a random number
//! with the deviation ‖Δ‖/‖c_v‖ or more, whatever else is off, since all z are independent. Differences may be off by a tolerance
//! themselves, so that what is off by less than two may pass. A sum of uniform numbers has a density of √2/√12 of its deviation at the
//! most (Ball, *Cube slicing in Rⁿ*, 1986), hardly more than a normal one. So if ‖Δ‖/‖c_v‖ is M tolerances or more, a direction misses it
//! with probability P(|z| < 2/M) < 1.64/M, and [`DIRECTIONS_OF_ALL`] = 3 of them with M = 164 miss one in a million, for each value v. So many tolerances
//! are to be no more than a hundredth of ‖c_v‖, or nothing is concluded; they are some millionths of it as a rule. It is ‖Δ‖ of
//! which that is said: of a rule that is wrong in entries which are a hundredth of that by their sizes nothing is promised. Nor does forward
//! mode add to it, which uses the same rules; it would find a sum that is accumulated wrongly.
//!
//! Entries at kinks do not move along with the others: [`at_kinks`] says what is found of them, by differences on one side.
//!
//! **What it costs** is known before it starts ([`together`]): where that passes the limit on memory, each claim is asked alone, and
//! where one does so alone it is refused. What each claim takes by itself otherwise is no less.
//!
//! What would spoil that is left to be judged by itself: a value by which reverse mode gives zero, and one that moves y by less than
//! [`LEAST_MOVED`] of what another one does, since its share would drown; and all values together where a direction shows a kink that no
//! rule knows of, and where the three do not agree: there each claim goes its own way, which says where.

mod at_kinks;
mod judged;
mod moving;
mod together;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use pullback_array::{Array, DType, Precision};
use pullback_network::Value as _;
use pullback_ops::{Error, Origin, Result, Val};

use crate::claim::{Claim, Rounding, Subject};
use crate::rounding::{Measured, Noise};

use together::Together;

/// What is known of derivatives before any of them is claimed.
#[derive(Default)]
pub struct Survey {
    found: HashMap<(u64, u64), Surveyed>,
    /// What memory does not suffice for.
    refused: HashMap<(u64, u64), Error>,
}

/// What is known of one of them.
pub(crate) struct Surveyed {
    /// By reverse mode, and how far rounding moves each entry.
    own: Arc<Measured>,
    /// The same where it is computed in these precisions.
    measured: BTreeMap<Precision, Arc<Measured>>,
    /// The direction of each run, and what the others but this value leave of the slope.
    shares: Vec<Share>,
    /// Of the entries that do not move along with the others: those at kinks, and between what each lies where all operations follow
    /// one convention; and those whose pieces fit together, with their slopes.
    kinked: BTreeMap<usize, (f64, f64)>,
    fitted: BTreeMap<usize, f64>,
}

impl Surveyed {
    fn gradient(&self) -> &Array {
        &self.own.value
    }

    fn direction(&self, share: &Share) -> impl Iterator<Item = f64> {
        direction(share.seed, share.norm, self.kinked.keys().chain(self.fitted.keys()))
    }
}

/// A value's share of the slope along a direction.
struct Share {
    seed: u64,
    /// By which its random numbers are divided.
    norm: f64,
    by_differences: f64,
    by_network: f64,
    /// How far both may be off.
    error: f64,
    rounding: f64,
}

/// The entries of a direction: random numbers of deviation 1, over a norm, and zeros where entries do not move. Nothing holds all of them.
fn direction<'a>(seed: u64, norm: f64, still: impl Iterator<Item = &'a usize>) -> impl Iterator<Item = f64> {
    let still: BTreeSet<usize> = still.copied().collect();
    let times = 3f64.sqrt() / norm;
    let entry = move |(p, number): (usize, f64)| {
        if !still.is_empty() && still.contains(&p) { 0.0 } else { times * number }
    };
    Noise::numbers(seed).enumerate().map(entry)
}

impl Survey {
    /// Of claims, each with what it is about.
    ///
    /// # Errors
    /// Where memory does not suffice, or a program cannot be evaluated or differentiated.
    pub fn new(claims: &[(Subject, &Claim)]) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut groups: BTreeMap<u64, Vec<&(Subject, &Claim)>> = BTreeMap::new();
        for asked in claims.iter().filter(|(subject, _)| is_of_a_scalar(subject)) {
            groups.entry(asked.0.of.id()).or_default().push(asked);
        }
        let found = |asked: &[&(Subject, &Claim)]| {
            Together::new(asked)?.map_or_else(|| Ok(HashMap::new()), Together::found)
        };
        for group in groups.values() {
            match found(group) {
                Ok(known) => survey.found.extend(known),
                Err(error) if error.is_memory() => {
                    for &asked in group {
                        match found(&[asked]) {
                            Ok(known) => survey.found.extend(known),
                            Err(error) if error.is_memory() => {
                                survey.refused.insert(key(&asked.0), error);
                            }
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(survey)
    }

    /// What is known of what a claim is about.
    ///
    /// # Errors
    /// Where it is known that memory does not suffice.
    pub(crate) fn of(&self, subject: &Subject, claim: &Claim) -> Result<Option<&Surveyed>> {
        let key = key(subject);
        if !is_of_a_scalar(subject) {
            return Ok(None);
        }
        if let Some(error) = self.refused.get(&key) {
            return Err(error.clone());
        }
        let serves = |known: &&Surveyed| match claim.rounding {
            Rounding::Measured(_) => true,
            Rounding::Unknown(precision) => known.measured.contains_key(&precision),
        };
        Ok(self.found.get(&key).filter(serves))
    }
}

fn key(subject: &Subject) -> (u64, u64) {
    (subject.of.id(), subject.last().id())
}

/// Is it the gradient of a scalar, along all paths?
fn is_of_a_scalar(subject: &Subject) -> bool {
    let [x] = subject.wrt.as_slice() else { return false };
    let is_double = |value: &Val| value.dtype() == DType::F64;
    subject.of.ndim() == 0
        && subject.fixed.iter().all(|value| matches!(value.origin(), Origin::Call(op, _) if op.holds()))
        && !subject.symmetric
        && is_double(&subject.of)
        && is_double(x)
        && x.id() != subject.of.id()
}
