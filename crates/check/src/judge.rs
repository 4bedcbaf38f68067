//! From a claim to a verdict.

use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_network::Value;
use pullback_ops::{Error, Result, Val};

use crate::claim::{Claim, Rounding, Subject};
use crate::differences::Estimate;
use crate::layout::{ClaimLayout, from_tensor, index_in_claim, shapes, to_tensor};
use crate::routes::{DIRECTIONS, Derivative, Differences, along};
use crate::verdict::{Entry, Judgement, Kink, Note, Routes, Verdict};

/// How many times a measured rounding error or an estimated truncation error may be exceeded: the measurements are
/// samples, and errors of several operations may add up.
const SAFETY: f64 = 8.0;

/// A claim whose rounding errors may pass this share of the derivative cannot be judged by numbers.
const MOST_ROUNDING: f64 = 1e-3;

/// Nor can one where finite differences may be off by this share of it.
const MOST_TRUNCATION: f64 = 1e-2;

/// How far one-sided slopes may be off, relatively: they are extrapolated once, from steps of 10⁻⁵.
const SLOPE_ERROR: f64 = 1e-6;

/// A derivative with more entries is not written out merely to be shown beside a claim of another shape.
const MOST_SHOWN: usize = 1 << 16;

/// Judges claimed numbers.
///
/// # Errors
/// Where the program is not in double precision, or cannot be evaluated or differentiated.
pub fn judge(subject: &Subject, claim: &Claim) -> Result<Judgement> {
    let reduced = Reduced::new(subject)?;
    let (y, x) = (reduced.y.shape(), subject.last().shape());
    let allowed = shapes(&y, &x, claim.layout);
    if !allowed.iter().any(|shape| shape == claim.array.shape()) {
        return wrong_shape(&reduced, claim, &allowed[0], &y);
    }
    let tensor = to_tensor(&claim.array, &y, &x, claim.layout)?;
    Case { reduced: &reduced, claim, tensor, y, x }.judgement()
}

/// Judges a claim about the shape of a derivative: the tensor's, or the matrix's.
pub fn judge_shape(subject: &Subject, claimed: &[usize]) -> Judgement {
    let first = match subject.wrt.as_slice() {
        [x, _] => x.shape(),
        _ => subject.of.shape(),
    };
    let allowed = shapes(&first, &subject.last().shape(), ClaimLayout::Either);
    let holds = allowed.iter().any(|shape| shape == claimed);
    Judgement {
        verdict: if holds { Verdict::Holds } else { Verdict::Shape },
        claimed_shape: (!holds).then(|| claimed.to_vec()),
        ..blank(allowed[0].clone())
    }
}

fn blank(shape: Vec<usize>) -> Judgement {
    Judgement {
        verdict: Verdict::Holds,
        shape,
        claimed_shape: None,
        max_abs_error: None,
        tolerance: None,
        error_in_tolerances: None,
        routes: Routes::default(),
        worst: None,
        kink: None,
        notes: Vec::new(),
        expected: None,
    }
}

/// A subject as a first derivative: a Hessian is the derivative of a gradient.
struct Reduced<'a> {
    subject: &'a Subject,
    y: Val,
}

impl<'a> Reduced<'a> {
    fn new(subject: &'a Subject) -> Result<Reduced<'a>> {
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

    fn derivative(&self) -> Derivative<'_> {
        Derivative { y: &self.y, x: self.subject.last(), fixed: self.subject.fixed.iter().collect() }
    }
}

/// A claim whose shape does not fit: the true derivative is told all the same, where it is small.
fn wrong_shape(reduced: &Reduced<'_>, claim: &Claim, shape: &[usize], y: &[usize]) -> Result<Judgement> {
    let mut judgement = blank(shape.to_vec());
    judgement.verdict = Verdict::Shape;
    judgement.claimed_shape = Some(claim.array.shape().to_vec());
    let derivative = reduced.derivative();
    if derivative.entries() <= MOST_SHOWN {
        let (tensor, _) = derivative.by_autograd()?;
        let expected = from_tensor(&tensor, y.len(), shape, claim.layout)?;
        // What a comparison that broadcasts would have called equal.
        let difference = claim.array.zip(&expected, "compare", |a, b| a - b, |a, b| a - b);
        if difference.is_ok_and(|d| d.max_abs() <= 1e-6 * expected.max_abs()) && !claim.array.is_empty() {
            judgement.notes.push(Note::EqualByBroadcasting);
        }
        judgement.expected = Some(expected);
    }
    Ok(judgement)
}

/// A claim of the right shape, and what it is held against.
struct Case<'a> {
    reduced: &'a Reduced<'a>,
    claim: &'a Claim,
    tensor: Array,
    y: Vec<usize>,
    x: Vec<usize>,
}

/// The difference of one entry from one route, and how far it may be off.
#[derive(Clone, Copy)]
struct Gap {
    position: usize,
    error: f64,
    tolerance: f64,
}

impl Gap {
    fn new(position: usize, a: f64, b: f64, tolerance: f64) -> Gap {
        Gap { position, error: (a - b).abs(), tolerance }
    }

    /// The error in units of its tolerance; 0 where there is no error.
    fn ratio(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { self.error / self.tolerance }
    }
}

fn largest_error(gaps: &[Gap]) -> f64 {
    gaps.iter().map(|gap| gap.error).fold(0.0, f64::max)
}

/// The gap that speaks loudest: of those beyond their tolerance the largest, else the one closest to its tolerance.
fn worst(gaps: &[Gap]) -> Option<Gap> {
    let rank = |gap: &Gap| if gap.ratio() > 1.0 { (true, gap.error) } else { (false, gap.ratio()) };
    gaps.iter().copied().max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal))
}

/// What the routes say of a claim.
struct Evidence {
    claimed: Vec<f64>,
    autograd: Vec<f64>,
    /// How far rounding may have moved each entry of the claim and of autograd together.
    rounding: Vec<f64>,
    /// The claim against autograd, against the network, against finite differences.
    by_autograd: Vec<Gap>,
    by_network: Vec<Gap>,
    by_differences: Vec<Gap>,
    /// Autograd against the other two.
    among_routes: Vec<Gap>,
    /// Positions at a kink with both slopes.
    kinks: Vec<(usize, f64, f64)>,
    /// Finite differences, entry by entry.
    estimates: Option<Vec<f64>>,
    /// Entries that are not zero and of which finite differences can tell nothing.
    unseen: usize,
    /// How far an entry may be from what finite differences say of it, at the most.
    truncation: f64,
    /// How far autograd is from another route, in tolerances, at the most.
    contradiction: f64,
    no_path: bool,
}

impl Evidence {
    /// What finite differences say of one entry.
    fn difference(&self, position: usize) -> Option<f64> {
        self.estimates.as_ref().map(|estimates| estimates[position]).filter(|estimate| estimate.is_finite())
    }

    /// The entry of which the routes disagree the most: the one sought out, where one was.
    fn contradicted_at(&self) -> usize {
        let sought = self.among_routes.iter().find(|gap| gap.error == f64::INFINITY);
        sought.copied().or_else(|| worst(&self.among_routes)).map_or(0, |gap| gap.position)
    }

    /// Does the convention lie between the slopes?
    fn is_subgradient(&self, &(at, left, right): &(usize, f64, f64)) -> bool {
        between(self.autograd[at], left, right, self.rounding[at])
    }
}

/// Does a value lie between two slopes, within a tolerance and the error of the slopes?
fn between(value: f64, left: f64, right: f64, tolerance: f64) -> bool {
    let slack = tolerance + SLOPE_ERROR * left.abs().max(right.abs());
    (left.min(right) - slack..=left.max(right) + slack).contains(&value)
}

/// What entries of a row that are off by `errors` add up to along a direction.
fn reach(errors: &[f64], weights: &[f64]) -> f64 {
    errors.iter().zip(weights).map(|(error, weight)| error * weight.abs()).sum()
}

fn norm(weights: &[f64]) -> f64 {
    weights.iter().map(|w| w * w).sum::<f64>().sqrt().max(f64::MIN_POSITIVE)
}

impl Case<'_> {
    fn judgement(&self) -> Result<Judgement> {
        let mut judgement = blank(self.claim.array.shape().to_vec());
        if let Some(what) = self.not_finite()? {
            judgement.verdict = Verdict::NotFinite;
            judgement.notes.push(Note::NotFinite(what));
            return Ok(judgement);
        }
        if self.tensor.is_empty() {
            // There is nothing that could be wrong.
            judgement.verdict = Verdict::Vacuous;
            judgement.expected = Some(self.claim.array.clone());
            return Ok(judgement);
        }
        let Some(evidence) = self.evidence(&mut judgement)? else {
            judgement.verdict = Verdict::NotFinite;
            judgement.notes.push(Note::NotFinite("the derivative by autograd".into()));
            return Ok(judgement);
        };
        judgement.routes = Routes {
            autograd: Some(largest_error(&evidence.by_autograd)),
            jacobian: Some(largest_error(&evidence.by_network)),
            finite_difference: (!evidence.by_differences.is_empty())
                .then(|| largest_error(&evidence.by_differences)),
        };
        let gaps = [&evidence.by_autograd[..], &evidence.by_network, &evidence.by_differences].concat();
        // A direction speaks of a row; an entry that deviates from a route by itself is named first.
        let named =
            worst(&evidence.by_autograd).filter(|gap| evidence.estimates.is_none() && gap.ratio() > 1.0);
        let worst = named.or_else(|| worst(&gaps)).expect("a derivative with entries");
        judgement.max_abs_error = Some(largest_error(&gaps));
        judgement.tolerance = Some(worst.tolerance);
        judgement.error_in_tolerances = Some(worst.ratio());
        judgement.worst = Some(Entry {
            at: self.index(worst.position),
            claimed: evidence.claimed[worst.position],
            expected: evidence.autograd[worst.position],
            difference: evidence.difference(worst.position),
        });
        judgement.verdict = self.verdict(&evidence, worst, &mut judgement);
        Ok(judgement)
    }

    /// Takes every route. `None`: the derivative is not finite.
    fn evidence(&self, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        let derivative = self.reduced.derivative();
        let (by_autograd, spread) = derivative.by_autograd()?;
        let (by_network, network_spread, no_path) = derivative.by_network()?;
        judgement.expected =
            Some(from_tensor(&by_autograd, self.y.len(), self.claim.array.shape(), self.claim.layout)?);
        if !by_autograd.all_finite() || !by_network.all_finite() {
            return Ok(None);
        }
        let (claimed, autograd) = (self.tensor.to_vec_f64(), by_autograd.to_vec_f64());
        let network = by_network.to_vec_f64();
        let of_claim: Vec<f64> = match &self.claim.rounding {
            Rounding::Measured(errors) => {
                to_tensor(errors, &self.y, &self.x, self.claim.layout)?.to_vec_f64()
            }
            Rounding::Unknown(epsilon) => claimed
                .iter()
                .zip(&spread)
                .map(|(claimed, spread)| epsilon * (claimed.abs() + spread))
                .collect(),
        };
        let own = |p: usize| SAFETY * (of_claim[p] + f64::EPSILON * (spread[p] + claimed[p].abs()));
        let rounding: Vec<f64> = (0..claimed.len()).map(own).collect();
        let networked = |p: usize| SAFETY * f64::EPSILON * network_spread[p];
        let mut evidence = Evidence {
            by_autograd: (0..claimed.len())
                .map(|p| Gap::new(p, claimed[p], autograd[p], rounding[p]))
                .collect(),
            by_network: (0..claimed.len())
                .map(|p| Gap::new(p, claimed[p], network[p], rounding[p] + networked(p)))
                .collect(),
            by_differences: Vec::new(),
            among_routes: (0..claimed.len())
                .map(|p| Gap::new(p, autograd[p], network[p], rounding[p] + networked(p)))
                .collect(),
            kinks: Vec::new(),
            estimates: None,
            unseen: 0,
            truncation: 0.0,
            contradiction: 0.0,
            no_path,
            claimed,
            autograd,
            rounding,
        };
        match derivative.by_differences()? {
            Differences::Entries { estimate, kinks } => {
                for p in 0..evidence.claimed.len() {
                    let tolerance = evidence.rounding[p] + SAFETY * estimate.error[p];
                    if kinks.iter().any(|&(at, ..)| at == p) {
                        continue;
                    }
                    if tolerance >= evidence.autograd[p].abs() && evidence.autograd[p] != 0.0 {
                        evidence.unseen += 1;
                    }
                    evidence.truncation = evidence.truncation.max(tolerance);
                    if tolerance.is_finite() {
                        evidence.by_differences.push(Gap::new(
                            p,
                            evidence.claimed[p],
                            estimate.value[p],
                            tolerance,
                        ));
                        evidence.among_routes.push(Gap::new(
                            p,
                            evidence.autograd[p],
                            estimate.value[p],
                            tolerance,
                        ));
                    }
                }
                evidence.kinks = kinks;
                evidence.estimates = Some(estimate.value);
            }
            Differences::Directions { directions, kinks } => {
                judgement.notes.push(Note::Directions(DIRECTIONS));
                evidence.kinks = kinks;
                self.along_directions(&mut evidence, &by_autograd, &directions)?;
            }
        }
        if let [first, _] = self.reduced.subject.wrt.as_slice() {
            evidence.among_routes.extend(self.gradient_gaps(first)?);
        }
        let ratios = evidence.among_routes.iter().filter(|gap| gap.error.is_finite()).map(Gap::ratio);
        evidence.contradiction = ratios.fold(evidence.contradiction, f64::max);
        Ok(Some(evidence))
    }

    /// Finite differences along directions: each speaks of a whole row, and of one entry only where that is sought out.
    fn along_directions(
        &self,
        evidence: &mut Evidence,
        by_autograd: &Array,
        directions: &[(Array, Estimate)],
    ) -> Result<()> {
        let (rows, columns) = (self.y.iter().product::<usize>(), self.x.iter().product::<usize>());
        let mut contradicted: Option<(f64, &Array)> = None;
        for (direction, estimate) in directions {
            let weights = direction.to_vec_f64();
            let (of_claim, of_autograd) =
                (along(&self.tensor, direction, rows), along(by_autograd, direction, rows));
            for row in 0..rows {
                let own = &evidence.rounding[row * columns..(row + 1) * columns];
                let tolerance = reach(own, &weights) + SAFETY * estimate.error[row];
                if !tolerance.is_finite() {
                    evidence.truncation = f64::INFINITY;
                    continue;
                }
                let gap = Gap::new(row * columns, of_claim[row], estimate.value[row], tolerance);
                let routes = Gap::new(row * columns, of_autograd[row], estimate.value[row], tolerance);
                evidence.truncation = evidence.truncation.max(tolerance / norm(&weights));
                if routes.ratio() > contradicted.map_or(1.0, |(ratio, _)| ratio) {
                    contradicted = Some((routes.ratio(), direction));
                }
                evidence.by_differences.push(gap);
                evidence.among_routes.push(routes);
            }
        }
        if let Some((ratio, direction)) = contradicted {
            let position = self.reduced.derivative().localise(by_autograd, direction)?;
            // The entry that is to be named; larger than any other error among the routes.
            evidence.among_routes.push(Gap { position, error: f64::INFINITY, tolerance: f64::INFINITY });
            evidence.contradiction = ratio;
        }
        Ok(())
    }

    /// For a Hessian: the gradient that is differentiated, against finite differences of the scalar.
    fn gradient_gaps(&self, x: &Val) -> Result<Vec<Gap>> {
        let Subject { of, fixed, .. } = self.reduced.subject;
        let gradient = Derivative { y: of, x, fixed: fixed.iter().collect() };
        let (tensor, spread) = gradient.by_autograd()?;
        let entries = tensor.to_vec_f64();
        let rounding: Vec<f64> =
            spread.iter().zip(&entries).map(|(s, e)| SAFETY * f64::EPSILON * (s + e.abs())).collect();
        Ok(match gradient.by_differences()? {
            Differences::Entries { estimate, kinks } => (0..entries.len())
                .filter(|p| estimate.error[*p].is_finite() && !kinks.iter().any(|(at, ..)| at == p))
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

    fn verdict(&self, evidence: &Evidence, worst_of_claim: Gap, judgement: &mut Judgement) -> Verdict {
        let agrees_with_autograd = evidence.by_autograd.iter().all(|gap| gap.ratio() <= 1.0);
        if evidence.contradiction > 1.0 && agrees_with_autograd {
            let position = evidence.contradicted_at();
            judgement.notes.push(Note::RoutesDisagree { in_tolerances: evidence.contradiction });
            judgement.worst = Some(Entry {
                at: self.index(position),
                claimed: evidence.claimed[position],
                expected: evidence.autograd[position],
                difference: evidence.difference(position),
            });
            return Verdict::Ambiguous;
        }
        if worst_of_claim.ratio() > 1.0 {
            return self.wrong_or_kink(evidence, judgement);
        }
        let zero = evidence.autograd.iter().zip(&evidence.rounding).all(|(a, r)| a.abs() <= *r);
        let largest = evidence.autograd.iter().fold(0.0f64, |largest, a| largest.max(a.abs()));
        let rounding = evidence.rounding.iter().fold(0.0f64, |largest, r| largest.max(*r));
        // A derivative that is zero has no size of its own to hold errors against: that of y over x stands in.
        let size = if zero { self.typical_slope().max(largest) } else { largest };
        let all_kinked = evidence.kinks.len() == evidence.claimed.len();
        let seen = !evidence.by_differences.is_empty() || all_kinked;
        if !(seen && rounding <= MOST_ROUNDING * size && evidence.truncation <= MOST_TRUNCATION * size) {
            judgement.notes.push(if seen { Note::WithinTolerance } else { Note::NoDifferences });
            return Verdict::Vacuous;
        }
        if let Some(&(position, left, right)) = evidence.kinks.first() {
            let conventional = evidence.kinks.iter().all(|kink| evidence.is_subgradient(kink));
            judgement.kink = Some(Kink { at: self.index(position), left, right, conventional });
            return Verdict::Kink;
        }
        if zero {
            judgement.notes.push(if evidence.no_path { Note::NoPath } else { Note::Zero });
            return if self.claim.zeros { Verdict::Holds } else { Verdict::Vacuous };
        }
        if evidence.unseen > 0 {
            judgement.notes.push(Note::Unseen(evidence.unseen));
        }
        Verdict::Holds
    }

    /// The largest entry of y over the largest of x.
    fn typical_slope(&self) -> f64 {
        let size = |value: &Val| value.array().map_or(0.0, Array::max_abs);
        let Derivative { y, x, .. } = self.reduced.derivative();
        match (size(y), size(x)) {
            (y, x) if x > 0.0 => y / x,
            (y, _) => y,
        }
    }

    /// A claim that deviates from autograd at kinks only, and there within the subgradients, is no wrong claim: it follows
    /// another convention.
    fn wrong_or_kink(&self, evidence: &Evidence, judgement: &mut Judgement) -> Verdict {
        let deviating: Vec<&Gap> = evidence.by_autograd.iter().filter(|gap| gap.ratio() > 1.0).collect();
        let kink_of = |gap: &&Gap| {
            evidence.kinks.iter().find(|&&(at, left, right)| {
                at == gap.position && between(evidence.claimed[at], left, right, gap.tolerance)
            })
        };
        match deviating.first().and_then(kink_of) {
            Some(&(at, left, right)) if deviating.iter().all(|gap| kink_of(gap).is_some()) => {
                judgement.kink = Some(Kink { at: self.index(at), left, right, conventional: false });
                Verdict::Kink
            }
            _ => Verdict::Wrong,
        }
    }

    fn index(&self, position: usize) -> Vec<usize> {
        index_in_claim(position, &self.y, &self.x, self.claim.array.shape(), self.claim.layout)
    }

    /// What is infinite or NaN: the claim, the value differentiated, or the one it is differentiated by.
    fn not_finite(&self) -> Result<Option<String>> {
        if !self.claim.array.all_finite() {
            return Ok(Some("the claim".into()));
        }
        let named =
            |value: &Val, what: &str| value.name().map_or_else(|| what.to_string(), |name| name.to_string());
        let Derivative { y, x, .. } = self.reduced.derivative();
        for (value, what) in [(x, "the input"), (y, "the output")] {
            if !value.array()?.all_finite() {
                return Ok(Some(named(value, what)));
            }
        }
        Ok(None)
    }
}
