//! What the routes say of a claim, before anything is concluded from it.

use std::collections::{HashMap, HashSet};

use pullback_array::{Array, DType, Precision, memory};
use pullback_autograd::pullback;
use pullback_network::Value;
use pullback_ops::{Error, Result, Val};

use crate::allowance::Allowance;
use crate::claim::{Claim, Rounding, Subject};
use crate::differences::Estimate;
use crate::flips::{Flips, flips};
use crate::kink::OneSided;
use crate::layout::{from_tensor, to_tensor};
use crate::other_code::Pulled;
use crate::routes::{DIRECTIONS, Derivative, Differences, along};
use crate::verdict::{Judgement, Note};

/// How many times a measured rounding error or an estimated truncation error may be exceeded: the measurements are
/// samples, and errors of several operations may add up.
pub(crate) const SAFETY: f64 = 8.0;

/// A claim whose rounding errors may pass this share of the derivative cannot be judged by numbers.
pub(crate) const MOST_ROUNDING: f64 = 1e-3;

/// Nor can one where finite differences may be off by this share of it.
pub(crate) const MOST_TRUNCATION: f64 = 1e-2;

/// A subject as a first derivative: a Hessian is the derivative of a gradient.
pub(crate) struct Reduced<'a> {
    pub subject: &'a Subject,
    pub y: Val,
}

impl<'a> Reduced<'a> {
    pub(crate) fn new(subject: &'a Subject) -> Result<Reduced<'a>> {
        for value in [&subject.of, subject.last()] {
            if value.dtype() != DType::F64 {
                return Err(Error::new(format!("a derivative of {} is not judged", value.dtype()))
                    .with_hint("give the program in f64, on the rounded inputs, and the claim's numbers in their own dtype"));
            }
        }
        let y = match subject.wrt.as_slice() {
            [x, _] => {
                if subject.of.ndim() != 0 {
                    return Err(Error::new(format!(
                        "a second derivative is one of a scalar, not of {:?}",
                        subject.of.dims()
                    )));
                }
                let fixed: Vec<&Val> = subject.fixed.iter().collect();
                let gradient = pullback(&[(&subject.of, &subject.of.one())], &[x], &fixed)?.remove(0);
                gradient.map_or_else(|| pullback_autograd::zeros(x), Ok)?
            }
            _ => subject.of.clone(),
        };
        Ok(Reduced { subject, y })
    }

    pub(crate) fn derivative(&self) -> Derivative<'_> {
        Derivative { y: &self.y, x: self.subject.last(), fixed: self.subject.fixed.iter().collect() }
    }
}

/// A claim of the right shape, and what it is held against.
pub(crate) struct Case<'a> {
    pub reduced: &'a Reduced<'a>,
    pub claim: &'a Claim,
    pub tensor: Array,
    pub y: Vec<usize>,
    pub x: Vec<usize>,
}

/// The difference of one entry from one route, and how far it may be off.
#[derive(Clone, Copy)]
pub(crate) struct Gap {
    pub position: usize,
    pub error: f64,
    pub tolerance: f64,
}

impl Gap {
    pub(crate) fn new(position: usize, a: f64, b: f64, tolerance: f64) -> Gap {
        Gap { position, error: (a - b).abs(), tolerance }
    }

    /// The error in units of its tolerance; 0 where there is no error.
    pub(crate) fn ratio(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { self.error / self.tolerance }
    }
}

pub(crate) fn largest_error(gaps: &[Gap]) -> f64 {
    gaps.iter().map(|gap| gap.error).fold(0.0, f64::max)
}

/// The gap that speaks loudest: of those beyond their tolerance the largest, else the one closest to its tolerance.
pub(crate) fn worst(gaps: &[Gap]) -> Option<Gap> {
    let rank = |gap: &Gap| if gap.ratio() > 1.0 { (true, gap.error) } else { (false, gap.ratio()) };
    gaps.iter().copied().max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal))
}

/// What the routes say of a claim.
pub(crate) struct Evidence {
    pub claimed: Vec<f64>,
    pub derived: Derived,
    /// How far rounding may have moved each entry of the claim, and of autograd where that has been computed entry by entry.
    pub rounding: Vec<f64>,
    /// How far rounding of other code is measured to move each entry, before any factor.
    pub measured: Vec<f64>,
    /// How far it may have moved the routes. Where the claim was computed in few digits the routes were not.
    pub of_routes: Vec<f64>,
    /// The claim against autograd, against the network, against finite differences.
    pub by_autograd: Vec<Gap>,
    pub by_network: Vec<Gap>,
    pub by_differences: Vec<Gap>,
    /// Autograd against the other two.
    pub among_routes: Vec<Gap>,
    /// What lies at a kink.
    pub kinks: Vec<AtKink>,
    /// Finite differences, entry by entry.
    pub estimates: Option<Vec<f64>>,
    /// Entries that are not zero and of which finite differences can tell nothing.
    pub unseen: usize,
    /// How far an entry may be from what finite differences say of it, at the most; and where they were taken entry by entry,
    /// how far each may be.
    pub truncation: f64,
    pub truncations: Vec<f64>,
    /// Entries of which too few digits are left, where most are left enough.
    pub blind: Vec<usize>,
    /// How far autograd is from another route, in tolerances, at the most.
    pub contradiction: f64,
    pub no_path: bool,
    pub scale: Scale,
    /// Choices that the claim makes otherwise; what they move it by is taken off it.
    pub flips: Option<Flips>,
}

/// What autograd says.
pub(crate) enum Derived {
    All(Vec<f64>),
    /// Of these entries alone.
    Some(HashMap<usize, f64>),
}

/// Sums of squares: of the entries of which rounding leaves half at least, and of all.
#[derive(Default)]
pub(crate) struct Told {
    told: f64,
    all: f64,
}

impl Told {
    pub(crate) fn add(&mut self, entry: f64, rounding: f64) {
        self.all += entry * entry;
        if 2.0 * rounding <= entry.abs() {
            self.told += entry * entry;
        }
    }

    /// The share of the former; none of nothing.
    pub(crate) fn share(&self) -> f64 {
        if self.all > 0.0 { self.told / self.all } else { 0.0 }
    }
}

/// How large a derivative is beside what rounding may do to it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scale {
    /// Is each entry no larger than its rounding errors?
    pub zero: bool,
    /// The largest entry.
    pub largest: f64,
    /// The largest rounding error of an entry of the claim.
    pub rounding: f64,
    /// The share of the derivative, as a sum of squares, in entries of which rounding leaves half at least.
    pub told: f64,
}

impl Scale {
    fn of(entries: &[f64], of_routes: &[f64], rounding: &[f64]) -> Scale {
        let largest = |numbers: &[f64]| numbers.iter().fold(0.0f64, |largest, a| largest.max(a.abs()));
        let zero = entries.iter().zip(of_routes).all(|(entry, error)| entry.abs() <= *error);
        let mut told = Told::default();
        entries.iter().zip(rounding).for_each(|(entry, rounding)| told.add(*entry, *rounding));
        Scale { zero, largest: largest(entries), rounding: largest(rounding), told: told.share() }
    }
}

impl Evidence {
    /// Nothing is known.
    pub(crate) fn empty(no_path: bool) -> Evidence {
        Evidence {
            claimed: Vec::new(),
            derived: Derived::Some(HashMap::new()),
            rounding: Vec::new(),
            measured: Vec::new(),
            of_routes: Vec::new(),
            by_autograd: Vec::new(),
            by_network: Vec::new(),
            by_differences: Vec::new(),
            among_routes: Vec::new(),
            kinks: Vec::new(),
            estimates: None,
            unseen: 0,
            truncation: 0.0,
            truncations: Vec::new(),
            blind: Vec::new(),
            contradiction: 0.0,
            no_path,
            scale: Scale::default(),
            flips: None,
        }
    }

    /// Leaves out of what is judged the entries of which rounding and finite differences leave too few digits beside the
    /// largest of the others, where that is no more than half of them: the rest could have failed.
    pub(crate) fn leave_out_blind(&mut self) {
        let Derived::All(derived) = &self.derived else { return };
        let mut kept: Vec<usize> = (0..derived.len()).collect();
        loop {
            let largest = kept.iter().fold(0.0f64, |largest, &p| largest.max(derived[p].abs()));
            let truncation = |p: usize| self.truncations.get(p).copied().unwrap_or(0.0);
            let is_told = |p: usize| {
                self.rounding[p] <= MOST_ROUNDING * largest && truncation(p) <= MOST_TRUNCATION * largest
            };
            let (told, blind): (Vec<usize>, Vec<usize>) = kept.iter().partition(|&&p| is_told(p));
            self.blind.extend(blind.iter());
            if 2 * self.blind.len() > derived.len() {
                self.blind.clear();
                return;
            }
            if blind.is_empty() {
                break;
            }
            kept = told;
        }
        if self.blind.is_empty() {
            return;
        }
        self.blind.sort_unstable();
        let most = |of: &dyn Fn(usize) -> f64| kept.iter().fold(0.0f64, |most, &p| most.max(of(p)));
        self.scale.largest = most(&|p| derived[p].abs());
        self.scale.rounding = most(&|p| self.rounding[p]);
        if !self.truncations.is_empty() {
            self.truncation = most(&|p| self.truncations[p]);
        }
    }

    /// What autograd says of one entry, where that has been computed.
    pub(crate) fn derived(&self, position: usize) -> Option<f64> {
        match &self.derived {
            Derived::All(entries) => Some(entries[position]),
            Derived::Some(entries) => entries.get(&position).copied(),
        }
    }

    /// What the claim's other choices move an entry by.
    pub(crate) fn moved_by_choices(&self, position: usize) -> f64 {
        self.flips.as_ref().map_or(0.0, |flips| flips.moves[position])
    }

    /// What finite differences say of one entry.
    pub(crate) fn difference(&self, position: usize) -> Option<f64> {
        self.estimates.as_ref().map(|estimates| estimates[position]).filter(|estimate| estimate.is_finite())
    }

    /// The entry of which the routes disagree the most: the one sought out, where one was.
    pub(crate) fn contradicted_at(&self) -> usize {
        let sought = self.among_routes.iter().find(|gap| gap.error == f64::INFINITY);
        sought.copied().or_else(|| worst(&self.among_routes)).map_or(0, |gap| gap.position)
    }

    /// The kink that an entry is at.
    pub(crate) fn kink_at(&self, position: usize) -> Option<&AtKink> {
        let found = self.kinks.binary_search_by_key(&position, |kink| kink.position);
        found.ok().map(|at| &self.kinks[at])
    }

    /// In the order of the tensor.
    pub(crate) fn at_kinks(&self, kinks: &[OneSided]) -> Vec<AtKink> {
        let at_kink = |&OneSided { at, left, right, error }: &OneSided| AtKink {
            position: at,
            left,
            right,
            error,
            claimed: self.claimed[at],
            stated: self.derived(at).unwrap_or(f64::NAN),
            tolerance: self.rounding[at],
        };
        let mut all: Vec<AtKink> = kinks.iter().map(at_kink).collect();
        all.sort_by_key(|kink| kink.position);
        all
    }
}

/// An entry at a kink.
#[derive(Clone, Copy)]
pub(crate) struct AtKink {
    pub position: usize,
    pub left: f64,
    pub right: f64,
    /// How far the slopes may be off.
    pub error: f64,
    pub claimed: f64,
    /// What the conventions of the operations give.
    pub stated: f64,
    pub tolerance: f64,
}

impl AtKink {
    /// Is this what is claimed, within the error of a slope?
    pub(crate) fn is_claimed(&self, value: f64) -> bool {
        between(self.claimed, value, value, self.tolerance + self.error)
    }

    /// Does the claim follow the conventions?
    pub(crate) fn follows(&self) -> bool {
        (self.claimed - self.stated).abs() <= self.tolerance
    }

    /// Does a value lie between the slopes?
    pub(crate) fn holds(&self, value: f64) -> bool {
        between(value, self.left, self.right, self.tolerance + self.error)
    }
}

/// Does a value lie between two slopes, within a tolerance?
pub(crate) fn between(value: f64, left: f64, right: f64, tolerance: f64) -> bool {
    (left.min(right) - tolerance..=left.max(right) + tolerance).contains(&value)
}

/// What entries of a row that are off by `errors` add up to along a direction.
pub(crate) fn reach(errors: &[f64], weights: &[f64]) -> f64 {
    errors.iter().zip(weights).map(|(error, weight)| error * weight.abs()).sum()
}

/// How far a number that other code computed in some precision may be off, where the result moves by `spread` times the
/// machine epsilon of a precision in which all intermediate results are rounded.
pub(crate) fn rounding_of(precision: Precision, spread: f64) -> f64 {
    // In 16 bits results are rounded when they are stored, by half an epsilon at the most: products and sums run in 32 bits.
    let rounded_inside = match precision {
        Precision::F16 | Precision::BF16 => 0.5,
        Precision::F64 | Precision::F32 | Precision::Whole => 1.0,
    };
    rounded_inside * precision.epsilon() * spread + precision.underflow()
}

pub(crate) fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|w| w * w).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}

/// A derivative contracted with a direction of x: a number for each entry of y.
pub(crate) type Along<'a> = &'a dyn Fn(&Array) -> Result<Vec<f64>>;

/// What is held for each entry of a derivative while its routes are compared: eight numbers, two of an estimate, a gap for
/// each of four lists and once more where three of them are joined.
const BYTES_OF_AN_ENTRY: usize = 10 * size_of::<f64>() + 7 * size_of::<Gap>();

impl Case<'_> {
    /// Takes every route. `None`: the derivative is not finite.
    pub(crate) fn evidence(&self, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        let derivative = self.reduced.derivative();
        let bytes = BYTES_OF_AN_ENTRY.saturating_mul(self.tensor.len());
        if derivative.is_dear()? || bytes > memory::limit() / 4 {
            return self.probed(judgement);
        }
        memory::room(bytes)?;
        let (by_autograd, spread) = derivative.by_autograd()?;
        let (by_network, network_spread, no_path) = derivative.by_network()?;
        judgement.expected =
            Some(from_tensor(&by_autograd, self.y.len(), self.claim.array.shape(), self.claim.layout)?);
        if !by_autograd.all_finite() || !by_network.all_finite() {
            return Ok(None);
        }
        let (mut claimed, autograd) = (self.tensor.to_vec_f64(), by_autograd.to_vec_f64());
        let network = by_network.to_vec_f64();
        let pulled = match &self.claim.rounding {
            Rounding::Measured(_) => None,
            Rounding::Unknown(precision) => Pulled::new(&derivative)?.map(|pulled| (pulled, *precision)),
        };
        let mut of_claim = match (&self.claim.rounding, &pulled) {
            (Rounding::Measured(errors), _) => {
                let measured = to_tensor(errors, &self.y, &self.x, self.claim.layout)?.to_vec_f64();
                Allowance::of_errors(measured)
            }
            (Rounding::Unknown(precision), Some((pulled, _))) => pulled.allowance(*precision)?,
            (Rounding::Unknown(precision), None) => Allowance::of_zeros(*precision, claimed.len()),
        };
        let of_numbers: Vec<f64> =
            (0..claimed.len()).map(|p| SAFETY * f64::EPSILON * (spread[p] + claimed[p].abs())).collect();
        let own = |of_claim: &Allowance| of_claim.most.iter().zip(&of_numbers).map(|(a, b)| a + b).collect();
        let mut rounding: Vec<f64> = own(&of_claim);
        let is_beyond = |p: usize| (claimed[p] - autograd[p]).abs() > rounding[p];
        let flips = match &pulled {
            Some((pulled, precision)) if (0..claimed.len()).any(is_beyond) => {
                flips(pulled, *precision, &claimed, &autograd, &rounding)?
            }
            _ => None,
        };
        if let Some(flips) = &flips {
            of_claim.or(&flips.allowance);
            rounding = own(&of_claim);
            claimed.iter_mut().zip(&flips.moves).for_each(|(claimed, moved)| *claimed -= moved);
        }
        let tensor = Array::from_slice(self.tensor.shape(), &claimed)?;
        let of_routes: Vec<f64> = match &self.claim.rounding {
            Rounding::Measured(_) => rounding.clone(),
            Rounding::Unknown(_) => spread.iter().map(|spread| SAFETY * f64::EPSILON * spread).collect(),
        };
        let networked = |p: usize| SAFETY * f64::EPSILON * network_spread[p];
        let mut evidence = Evidence {
            by_autograd: (0..claimed.len())
                .map(|p| Gap::new(p, claimed[p], autograd[p], rounding[p]))
                .collect(),
            by_network: (0..claimed.len())
                .map(|p| Gap::new(p, claimed[p], network[p], rounding[p] + networked(p)))
                .collect(),
            among_routes: (0..claimed.len())
                .map(|p| Gap::new(p, autograd[p], network[p], of_routes[p] + networked(p)))
                .collect(),
            scale: Scale::of(&autograd, &of_routes, &rounding),
            flips,
            ..Evidence::empty(no_path)
        };
        (evidence.claimed, evidence.rounding, evidence.of_routes) = (claimed, rounding, of_routes);
        let whole = |(measured, own): (&f64, &f64)| measured + own / SAFETY;
        evidence.measured = of_claim.measured.iter().zip(&of_numbers).map(whole).collect();
        evidence.derived = Derived::All(autograd);
        let contradicts = |p: usize, value: f64, error: f64| {
            let derived = evidence.derived(p).unwrap_or(f64::NAN);
            (derived - value).abs() > evidence.of_routes[p] + SAFETY * error
        };
        let found = derivative.by_differences(&contradicts)?;
        match found {
            Differences::Entries { estimate, kinks } => {
                let kinked: HashSet<usize> = kinks.iter().map(|kink| kink.at).collect();
                evidence.truncations = vec![0.0; evidence.claimed.len()];
                for p in (0..evidence.claimed.len()).filter(|p| !kinked.contains(p)) {
                    let error = SAFETY * estimate.error[p];
                    let (tolerance, of_routes) =
                        (evidence.rounding[p] + error, evidence.of_routes[p] + error);
                    let derived = evidence.derived(p).unwrap_or(f64::NAN);
                    if of_routes >= derived.abs() && derived != 0.0 {
                        evidence.unseen += 1;
                    }
                    evidence.truncation = evidence.truncation.max(of_routes);
                    evidence.truncations[p] = of_routes;
                    if tolerance.is_finite() {
                        evidence.by_differences.push(Gap::new(
                            p,
                            evidence.claimed[p],
                            estimate.value[p],
                            tolerance,
                        ));
                        evidence.among_routes.push(Gap::new(p, derived, estimate.value[p], of_routes));
                    }
                }
                evidence.kinks = evidence.at_kinks(&kinks);
                evidence.estimates = Some(estimate.value);
            }
            Differences::Directions { directions, kinks } => {
                judgement.notes.push(Note::Directions(DIRECTIONS));
                evidence.kinks = evidence.at_kinks(&kinks);
                let rows = self.y.iter().product::<usize>();
                let claim = |direction: &Array| Ok(along(&tensor, direction, rows));
                let program = |direction: &Array| Ok(along(&by_autograd, direction, rows));
                self.along_directions(&mut evidence, &claim, &program, &directions)?;
            }
        }
        if let [first, _] = self.reduced.subject.wrt.as_slice() {
            evidence.among_routes.extend(self.gradient_gaps(first)?);
        }
        let ratios = evidence.among_routes.iter().filter(|gap| gap.error.is_finite()).map(Gap::ratio);
        evidence.contradiction = ratios.fold(evidence.contradiction, f64::max);
        if matches!(self.claim.rounding, Rounding::Measured(_)) && !evidence.scale.zero {
            evidence.leave_out_blind();
        }
        Ok(Some(evidence))
    }

    /// Finite differences along directions, against what the claim and the program come to along them: each speaks of a whole row, and of one entry only where that is sought out.
    pub(crate) fn along_directions(
        &self,
        evidence: &mut Evidence,
        claim: Along<'_>,
        program: Along<'_>,
        directions: &[(Array, Estimate)],
    ) -> Result<()> {
        let (rows, columns) = (self.y.iter().product::<usize>(), self.x.iter().product::<usize>());
        let mut contradicted: Option<(f64, &Array, usize)> = None;
        for (direction, estimate) in directions {
            let weights = direction.to_vec_f64();
            let (of_claim, of_autograd) = (claim(direction)?, program(direction)?);
            let contradicts = |row: usize| {
                let of_routes = reach(&evidence.of_routes[row * columns..(row + 1) * columns], &weights);
                (of_autograd[row] - estimate.value[row]).abs() > of_routes + SAFETY * estimate.error[row]
            };
            let thorough = match (0..rows).any(contradicts) {
                true => Some(self.reduced.derivative().along_thoroughly(direction)?),
                false => None,
            };
            let estimate = thorough.as_ref().unwrap_or(estimate);
            for row in 0..rows {
                let of_row = |errors: &[f64]| {
                    reach(&errors[row * columns..(row + 1) * columns], &weights)
                        + SAFETY * estimate.error[row]
                };
                let (tolerance, of_routes) = (of_row(&evidence.rounding), of_row(&evidence.of_routes));
                if !tolerance.is_finite() {
                    evidence.truncation = f64::INFINITY;
                    continue;
                }
                let gap = Gap::new(row * columns, of_claim[row], estimate.value[row], tolerance);
                let routes = Gap::new(row * columns, of_autograd[row], estimate.value[row], of_routes);
                evidence.truncation = evidence.truncation.max(of_routes / norm(&weights));
                if routes.ratio() > contradicted.map_or(1.0, |(ratio, ..)| ratio) {
                    contradicted = Some((routes.ratio(), direction, row));
                }
                evidence.by_differences.push(gap);
                evidence.among_routes.push(routes);
            }
        }
        if let Some((ratio, direction, row)) = contradicted {
            let position = row * columns + self.reduced.derivative().localise(program, direction)?;
            // The entry that is to be named; larger than any other error among the routes.
            evidence.among_routes.push(Gap { position, error: f64::INFINITY, tolerance: f64::INFINITY });
            evidence.contradiction = ratio;
        }
        Ok(())
    }

    /// For a Hessian: the gradient that is differentiated, against finite differences of the scalar.
    pub(crate) fn gradient_gaps(&self, x: &Val) -> Result<Vec<Gap>> {
        let Subject { of, fixed, .. } = self.reduced.subject;
        let gradient = Derivative { y: of, x, fixed: fixed.iter().collect() };
        let (tensor, spread) = gradient.by_autograd()?;
        let entries = tensor.to_vec_f64();
        let rounding: Vec<f64> =
            spread.iter().zip(&entries).map(|(s, e)| SAFETY * f64::EPSILON * (s + e.abs())).collect();
        let contradicts =
            |p: usize, value: f64, error: f64| (entries[p] - value).abs() > rounding[p] + SAFETY * error;
        Ok(match gradient.by_differences(&contradicts)? {
            Differences::Entries { estimate, kinks } => (0..entries.len())
                .filter(|p| estimate.error[*p].is_finite() && !kinks.iter().any(|kink| kink.at == *p))
                .map(|p| Gap::new(0, entries[p], estimate.value[p], rounding[p] + SAFETY * estimate.error[p]))
                .collect(),
            Differences::Directions { directions, .. } => directions
                .iter()
                .filter(|(_, estimate)| estimate.error[0].is_finite())
                .map(|(direction, estimate)| {
                    let tolerance = reach(&rounding, &direction.to_vec_f64()) + SAFETY * estimate.error[0];
                    Gap::new(0, along(&tensor, direction, 1)[0], estimate.value[0], tolerance)
                })
                .collect(),
        })
    }
}
