//! From a claim to a verdict.

use pullback_array::Array;
use pullback_ops::{Result, Val};

use crate::claim::{Claim, Subject};
use crate::evidence::{Case, Evidence, Gap, Reduced, between, largest_error, worst};
use crate::layout::{ClaimLayout, from_tensor, index_in_claim, shapes, to_tensor};
use crate::routes::Derivative;
use crate::verdict::{Entry, Judgement, Kink, Note, Routes, Verdict};

/// Nor can one where finite differences may be off by this share of it.
const MOST_TRUNCATION: f64 = 1e-2;

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
            judgement.verdict = if self.claim.zeros { Verdict::Holds } else { Verdict::Vacuous };
            judgement.notes.push(Note::NoEntries);
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
        let zero = evidence.autograd.iter().zip(&evidence.of_routes).all(|(a, r)| a.abs() <= *r);
        let largest = evidence.autograd.iter().fold(0.0f64, |largest, a| largest.max(a.abs()));
        let rounding = evidence.rounding.iter().fold(0.0f64, |largest, r| largest.max(*r));
        // A derivative that is zero has no size of its own to hold errors against: that of y over x stands in.
        let size = if zero { self.typical_slope().max(largest) } else { largest };
        let all_kinked = evidence.kinks.len() == evidence.claimed.len();
        let seen = !evidence.by_differences.is_empty() || all_kinked;
        if !(seen
            && rounding <= self.claim.rounding.most() * size
            && evidence.truncation <= MOST_TRUNCATION * size)
        {
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
