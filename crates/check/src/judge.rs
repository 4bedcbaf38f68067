//! From a claim to a verdict.

use pullback_array::Array;
use pullback_autograd::grad;
use pullback_ops::{Result, Val};

use crate::claim::{Claim, Subject};
use crate::layout::{ClaimLayout, from_tensor, index_in_claim, shapes, to_tensor};
use crate::routes::{DIRECTIONS, Derivative, Differences, along};
use crate::verdict::{Entry, Judgement, Kink, Note, Routes, Verdict};

/// How many times a measured rounding error or an estimated truncation error may be exceeded: the measurements are
/// samples, and errors of several operations may add up.
const SAFETY: f64 = 8.0;

/// Judges claimed numbers.
///
/// # Errors
/// Where the program cannot be evaluated or differentiated.
pub fn judge(subject: &Subject, claim: &Claim) -> Result<Judgement> {
    let reduced = Reduced::new(subject)?;
    let (y, x) = (reduced.y.shape(), subject.wrt[subject.wrt.len() - 1].shape());
    let allowed = shapes(&y, &x, claim.layout);
    if !allowed.iter().any(|shape| shape == claim.array.shape()) {
        return wrong_shape(&reduced, claim, &allowed[0], &y);
    }
    let tensor = to_tensor(&claim.array, &y, &x, claim.layout)?;
    let case = Case { reduced: &reduced, claim, tensor, y, x };
    case.judgement()
}

/// Judges a claim about the shape of a derivative: the tensor's, or the matrix's.
pub fn judge_shape(subject: &Subject, claimed: &[usize]) -> Judgement {
    let last = subject.wrt[subject.wrt.len() - 1].shape();
    let first = match subject.wrt.as_slice() {
        [x, _] => x.shape(),
        _ => subject.of.shape(),
    };
    let allowed = shapes(&first, &last, ClaimLayout::Either);
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
        let y = match subject.wrt.as_slice() {
            [x, _] => grad(&subject.of, &[x])?.remove(0),
            _ => subject.of.clone(),
        };
        Ok(Reduced { subject, y })
    }

    fn derivative(&self) -> Derivative<'_> {
        let x = &self.subject.wrt[self.subject.wrt.len() - 1];
        Derivative { y: &self.y, x, fixed: self.subject.fixed.iter().collect() }
    }
}

/// A claim whose shape does not fit: the true derivative is told all the same.
fn wrong_shape(reduced: &Reduced<'_>, claim: &Claim, shape: &[usize], y: &[usize]) -> Result<Judgement> {
    let (tensor, _) = reduced.derivative().by_autograd()?;
    let expected = from_tensor(&tensor, y.len(), shape, claim.layout)?;
    let mut judgement = blank(shape.to_vec());
    judgement.verdict = Verdict::Shape;
    judgement.claimed_shape = Some(claim.array.shape().to_vec());
    // What NumPy's allclose would have called equal.
    let difference = claim.array.zip(&expected, "compare", |a, b| a - b, |a, b| a - b);
    if difference.is_ok_and(|d| d.max_abs() <= 1e-6 * expected.max_abs()) && !claim.array.is_empty() {
        judgement.notes.push(Note::EqualByBroadcasting);
    }
    judgement.expected = Some(expected);
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
    fn ratio(&self) -> f64 {
        if self.error <= self.tolerance && self.error == 0.0 { 0.0 } else { self.error / self.tolerance }
    }
}

impl Case<'_> {
    fn judgement(&self) -> Result<Judgement> {
        let derivative = self.reduced.derivative();
        let mut judgement = blank(self.claim.array.shape().to_vec());
        if let Some(what) = self.not_finite()? {
            judgement.verdict = Verdict::NotFinite;
            judgement.notes.push(Note::NotFinite(what));
            return Ok(judgement);
        }
        let (by_autograd, spread) = derivative.by_autograd()?;
        let (by_network, no_path) = derivative.by_network()?;
        judgement.expected =
            Some(from_tensor(&by_autograd, self.y.len(), self.claim.array.shape(), self.claim.layout)?);
        if !by_autograd.all_finite() || !by_network.all_finite() {
            judgement.verdict = Verdict::NotFinite;
            judgement.notes.push(Note::NotFinite("the derivative by autograd".into()));
            return Ok(judgement);
        }
        let differences = derivative.by_differences()?;

        let claimed = self.tensor.to_vec_f64();
        let (autograd, network) = (by_autograd.to_vec_f64(), by_network.to_vec_f64());
        let size = by_autograd.max_abs().max(self.tensor.max_abs());
        let rounding = SAFETY * (self.claim.rounding + f64::EPSILON * (spread + size));
        let against = |route: &[f64]| -> Vec<Gap> {
            let gap = |(position, (c, r)): (usize, (&f64, &f64))| Gap {
                position,
                error: (c - r).abs(),
                tolerance: rounding,
            };
            claimed.iter().zip(route).enumerate().map(gap).collect()
        };
        let (mut gaps, networked) = (against(&autograd), against(&network));
        judgement.routes.autograd = Some(largest_error(&gaps));
        judgement.routes.jacobian = Some(largest_error(&networked));
        gaps.extend(networked);

        // Do the routes agree among themselves? Where they do not, at a kink they need not.
        let mut kinked: Vec<(usize, f64, f64)> = Vec::new();
        let mut fd_tolerance: f64 = 0.0;
        let mut disagreement: f64 = autograd
            .iter()
            .zip(&network)
            .map(|(a, n)| (a - n).abs() / rounding.max(f64::MIN_POSITIVE))
            .fold(0.0, f64::max);
        match &differences {
            Differences::Entries { estimate, kinks } => {
                kinked.clone_from(kinks);
                let smooth = |position: &usize| !kinks.iter().any(|(at, ..)| at == position);
                let tolerance = |position: usize| rounding + SAFETY * estimate.error[position];
                let smooth: Vec<usize> = (0..claimed.len()).filter(smooth).collect();
                let of_claim: Vec<Gap> = smooth
                    .iter()
                    .map(|&p| Gap {
                        position: p,
                        error: (claimed[p] - estimate.value[p]).abs(),
                        tolerance: tolerance(p),
                    })
                    .collect();
                for &p in &smooth {
                    fd_tolerance = fd_tolerance.max(tolerance(p));
                    let gap = (autograd[p] - estimate.value[p]).abs();
                    disagreement = disagreement.max(if gap == 0.0 { 0.0 } else { gap / tolerance(p) });
                }
                judgement.routes.finite_difference = Some(largest_error(&of_claim));
                gaps.extend(of_claim);
            }
            Differences::Directions(directions) => {
                judgement.notes.push(Note::Directions(DIRECTIONS));
                let mut worst: Option<(f64, &Array)> = None;
                let rows = self.y.iter().product();
                let mut largest: f64 = 0.0;
                for (direction, estimate) in directions {
                    let reach: f64 = direction.to_vec_f64().iter().map(|d| d.abs()).sum();
                    let (of_claim, of_autograd) =
                        (along(&self.tensor, direction, rows), along(&by_autograd, direction, rows));
                    for row in 0..rows {
                        let tolerance = rounding * reach + SAFETY * estimate.error[row];
                        fd_tolerance = fd_tolerance.max(tolerance / reach.max(1.0));
                        let error = (of_claim[row] - estimate.value[row]).abs();
                        largest = largest.max(error);
                        let off = (of_autograd[row] - estimate.value[row]).abs() / tolerance;
                        if off > disagreement {
                            disagreement = off;
                            worst = Some((off, direction));
                        }
                        // An entry that is wrong is told by autograd; this one stands for its row.
                        gaps.push(Gap { position: row * self.x.iter().product::<usize>(), error, tolerance });
                    }
                }
                judgement.routes.finite_difference = Some(largest);
                if let Some((off, direction)) = worst.filter(|(off, _)| *off > 1.0) {
                    let position = derivative.localise(&by_autograd, direction)?;
                    gaps.push(Gap { position, error: off * fd_tolerance, tolerance: fd_tolerance });
                }
            }
        }
        if let [first, _] = self.reduced.subject.wrt.as_slice() {
            disagreement = disagreement.max(self.gradient_disagreement(first)?);
        }
        if gaps.is_empty() {
            // A derivative without entries: there is nothing that could be wrong.
            judgement.verdict = Verdict::Vacuous;
            return Ok(judgement);
        }

        let worst =
            gaps.iter().copied().max_by(|a, b| a.ratio().total_cmp(&b.ratio())).expect("there are gaps");
        judgement.max_abs_error = Some(largest_error(&gaps));
        judgement.tolerance = Some(worst.tolerance);
        judgement.error_in_tolerances = Some(worst.ratio());
        let difference = match &differences {
            Differences::Entries { estimate, .. } => Some(estimate.value[worst.position]),
            Differences::Directions(_) => None,
        };
        judgement.worst = Some(Entry {
            at: self.index(worst.position),
            claimed: claimed[worst.position],
            expected: autograd[worst.position],
            difference,
        });

        let fits = worst.ratio() <= 1.0;
        let zero = by_autograd.max_abs() <= rounding;
        judgement.verdict = if zero && fits {
            judgement.notes.push(if no_path { Note::NoPath } else { Note::Zero });
            if self.claim.zeros { Verdict::Holds } else { Verdict::Vacuous }
        } else if disagreement > 1.0 && largest_error(&against(&autograd)) <= rounding {
            judgement.notes.push(Note::RoutesDisagree { in_tolerances: disagreement });
            Verdict::Ambiguous
        } else if !fits {
            self.wrong_or_kink(&mut judgement, &kinked, &claimed, &autograd, rounding)
        } else if let Some(&(position, left, right)) = kinked.first() {
            judgement.kink = Some(Kink { at: self.index(position), left, right, conventional: true });
            Verdict::Kink
        } else if fd_tolerance >= by_autograd.max_abs() {
            judgement.notes.push(Note::WithinTolerance);
            Verdict::Vacuous
        } else {
            Verdict::Holds
        };
        Ok(judgement)
    }

    /// A claim that deviates from autograd at kinks only, and there within the subgradients, is no wrong claim: it follows
    /// another convention.
    fn wrong_or_kink(
        &self,
        judgement: &mut Judgement,
        kinked: &[(usize, f64, f64)],
        claimed: &[f64],
        autograd: &[f64],
        tolerance: f64,
    ) -> Verdict {
        let deviates = |p: &usize| (claimed[*p] - autograd[*p]).abs() > tolerance;
        let deviating: Vec<usize> = (0..claimed.len()).filter(deviates).collect();
        let allowed = |p: &usize| {
            kinked.iter().any(|&(at, left, right)| {
                at == *p && (left.min(right) - tolerance..=left.max(right) + tolerance).contains(&claimed[*p])
            })
        };
        match deviating.first() {
            Some(first) if deviating.iter().all(allowed) => {
                if let Some(&(at, left, right)) = kinked.iter().find(|(at, ..)| at == first) {
                    judgement.kink = Some(Kink { at: self.index(at), left, right, conventional: false });
                }
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

    /// For a Hessian: how far the gradient that is differentiated is itself from finite differences, in tolerances.
    fn gradient_disagreement(&self, x: &Val) -> Result<f64> {
        let gradient = Derivative { y: &self.reduced.subject.of, x, fixed: Vec::new() };
        let (tensor, spread) = gradient.by_autograd()?;
        let rounding = SAFETY * f64::EPSILON * (spread + tensor.max_abs());
        let ratio = |a: f64, value: f64, error: f64| {
            let gap = (a - value).abs();
            if gap == 0.0 { 0.0 } else { gap / (rounding + SAFETY * error) }
        };
        Ok(match gradient.by_differences()? {
            Differences::Entries { estimate, kinks } => {
                let entries = tensor.to_vec_f64();
                let smooth = |p: &usize| !kinks.iter().any(|(at, ..)| at == p);
                let ratios = (0..entries.len())
                    .filter(smooth)
                    .map(|p| ratio(entries[p], estimate.value[p], estimate.error[p]));
                ratios.fold(0.0, f64::max)
            }
            Differences::Directions(seen) => {
                let ratios = seen.iter().map(|(direction, estimate)| {
                    let reach: f64 = direction.to_vec_f64().iter().map(|d| d.abs()).sum();
                    let got = along(&tensor, direction, 1)[0];
                    ratio(got, estimate.value[0], estimate.error[0] + rounding * reach)
                });
                ratios.fold(0.0, f64::max)
            }
        })
    }
}

fn largest_error(gaps: &[Gap]) -> f64 {
    gaps.iter().map(|gap| gap.error).fold(0.0, f64::max)
}
