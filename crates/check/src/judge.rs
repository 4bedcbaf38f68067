//! From a claim to a verdict.

use pullback_ops::Result;

use crate::claim::{Claim, Rounding, Subject};
use crate::convention::{Choices, Favoured};
use crate::evidence::{
    AtKink, Case, Derived, Evidence, Gap, MOST_ROUNDING, MOST_TRUNCATION, Reduced, SAFETY, Scale, between,
    largest_error, worst,
};
use crate::kink::OneSided;
use crate::layout::{ClaimLayout, from_tensor, index_in_claim, shapes, to_tensor};
use crate::not_finite::{in_claim, in_derivative, in_program};
use crate::routes::Derivative;
use crate::verdict::{Entry, Follows, Judgement, Kink, Note, Routes, Verdict};
use crate::zero::{independent, typical_slope, unchanged};

/// Numbers of other code have few digits, in bf16 hardly two, and are judged by those entries of which rounding leaves half at
/// least: a factor of 2, a wrong sign, or nothing in their place is seen there. Such entries must make up this share of the
/// derivative, as a sum of squares.
const LEAST_TOLD: f64 = 0.5;

/// Of fewer entries one cannot say that rounding goes both ways.
const FEWEST_IN_PROPORTION: usize = 8;

/// How far all entries may be off in proportion, in units of how far rounding is measured to move single ones.
const MOST_OF_ALL: f64 = 2.0;

/// Rows with kinks that are asked which convention a claim follows; one is the rule of the others.
const MOST_KINKED_ROWS: usize = 16;

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
        not_finite: None,
        unchanged: None,
        beyond: Vec::new(),
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
    if derivative.entries() <= MOST_SHOWN && !derivative.is_dear()? {
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

/// A slope without the digits that its error leaves open.
fn measured(slope: f64, error: f64) -> f64 {
    // A power of ten as a divisor is exact, as a factor it would not be.
    let per_unit = 10f64.powi(-error.log10().floor() as i32);
    let rounded = (slope * per_unit).round() / per_unit;
    if rounded.is_finite() { rounded + 0.0 } else { slope }
}

/// The number that claimed numbers are times the derivative, where that is no rounding: single entries may be off by
/// [`SAFETY`] times what is measured, but rounding goes both ways, and what it does to all entries together is no more than
/// [`MOST_OF_ALL`] times that.
pub(crate) fn out_of_proportion(claimed: &[f64], derived: &[f64], rounding: &[f64]) -> Option<f64> {
    let sum = |of: &dyn Fn(usize) -> f64| (0..derived.len()).map(of).sum::<f64>();
    let square = sum(&|k| derived[k] * derived[k]);
    let times = sum(&|k| claimed[k] * derived[k]) / square;
    let measured = (sum(&|k| rounding[k] * rounding[k]) / square).sqrt() / SAFETY;
    (derived.len() >= FEWEST_IN_PROPORTION && (times - 1.0).abs() > MOST_OF_ALL * measured).then_some(times)
}

impl Case<'_> {
    fn judgement(&self) -> Result<Judgement> {
        let mut judgement = blank(self.claim.array.shape().to_vec());
        if self.not_finite(&mut judgement)? {
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
            judgement.not_finite = in_derivative(&self.reduced.derivative())?;
            return Ok(judgement);
        };
        judgement.routes = Routes {
            autograd: Some(largest_error(&evidence.by_autograd)),
            jacobian: Some(largest_error(&evidence.by_network)),
            finite_difference: (!evidence.by_differences.is_empty())
                .then(|| largest_error(&evidence.by_differences)),
        };
        let mut gaps = [&evidence.by_autograd[..], &evidence.by_network, &evidence.by_differences].concat();
        let largest_of_all = largest_error(&gaps);
        // Another value at a kink is named only where nothing else deviates.
        let excused = |gap: &Gap| evidence.kink_at(gap.position).is_some_and(|kink| kink.holds(kink.claimed));
        if !evidence.kinks.is_empty() && gaps.iter().any(|gap| gap.ratio() > 1.0 && !excused(gap)) {
            gaps.retain(|gap| !excused(gap));
        }
        // A direction speaks of a row; an entry that deviates from a route by itself is named first.
        let named =
            worst(&evidence.by_autograd).filter(|gap| evidence.estimates.is_none() && gap.ratio() > 1.0);
        let worst = named.or_else(|| worst(&gaps)).expect("a derivative with entries");
        judgement.max_abs_error = Some(largest_of_all);
        judgement.tolerance = Some(worst.tolerance);
        judgement.error_in_tolerances = Some(worst.ratio());
        let moved = evidence.moved_by_choices(worst.position);
        judgement.worst = Some(Entry {
            at: self.index(worst.position),
            claimed: evidence.claimed[worst.position] + moved,
            expected: self.derived(&evidence, worst.position)? + moved,
            // At a kink a difference between both sides is neither slope.
            difference: evidence
                .difference(worst.position)
                .filter(|_| evidence.kink_at(worst.position).is_none()),
        });
        judgement.verdict = self.verdict(&evidence, worst, &mut judgement)?;
        if let Some(flips) = &evidence.flips {
            judgement.notes.push(Note::Flipped(flips.count));
        }
        if judgement.verdict == Verdict::Wrong {
            judgement.notes.extend(self.coarser(&evidence)?.map(Note::Coarser));
            let beyond = evidence.by_autograd.iter().filter(|gap| gap.ratio() > 1.0);
            judgement.beyond = beyond.map(|gap| gap.position).collect();
        }
        Ok(judgement)
    }

    fn verdict(
        &self,
        evidence: &Evidence,
        worst_of_claim: Gap,
        judgement: &mut Judgement,
    ) -> Result<Verdict> {
        let agrees_with_autograd = evidence.by_autograd.iter().all(|gap| gap.ratio() <= 1.0);
        if evidence.contradiction > 1.0 && agrees_with_autograd {
            let position = evidence.contradicted_at();
            judgement.notes.push(Note::RoutesDisagree { in_tolerances: evidence.contradiction });
            judgement.worst = Some(Entry {
                at: self.index(position),
                claimed: evidence.claimed[position],
                expected: self.derived(evidence, position)?,
                difference: evidence.difference(position),
            });
            return Ok(Verdict::Ambiguous);
        }
        if worst_of_claim.ratio() > 1.0 {
            let verdict = self.wrong_or_kink(evidence, judgement)?;
            if evidence.scale.zero && judgement.kink.is_none() {
                self.say_zero(evidence, judgement)?;
            }
            return Ok(verdict);
        }
        let Scale { zero, largest, rounding, told } = evidence.scale;
        // A derivative that is zero has no size of its own to hold errors against: that of y over x stands in.
        let size = if zero { typical_slope(&self.reduced.derivative())?.max(largest) } else { largest };
        let digits = match &self.claim.rounding {
            Rounding::Measured(_) => rounding <= MOST_ROUNDING * size,
            // Nothing is lost of numbers that are zero, each of them, as the derivative is.
            Rounding::Unknown(_) if zero => self.claim.zeros && largest == 0.0 || rounding <= size,
            Rounding::Unknown(_) => told >= LEAST_TOLD,
        };
        let all_kinked = evidence.kinks.len() == evidence.claimed.len();
        let seen = !evidence.by_differences.is_empty() || all_kinked;
        if !(seen && digits && evidence.truncation <= MOST_TRUNCATION * size) {
            let uncertainty = rounding.max(evidence.truncation);
            judgement.notes.push(match seen {
                true => Note::WithinTolerance { uncertainty, size },
                false => Note::NoDifferences,
            });
            return Ok(Verdict::Vacuous);
        }
        if let Some(&first) = evidence.blind.first() {
            judgement.notes.push(Note::Blind { entries: evidence.blind.len(), first: self.index(first) });
        }
        if !evidence.kinks.is_empty() {
            judgement.kink = Some(self.kink(evidence)?);
            return Ok(Verdict::Kink);
        }
        if zero {
            self.say_zero(evidence, judgement)?;
            // Numbers from elsewhere could not be written otherwise, and these are zero beside what they might have been.
            let says_zero = self.claim.zeros || matches!(self.claim.rounding, Rounding::Unknown(_));
            return Ok(if says_zero { Verdict::Holds } else { Verdict::Vacuous });
        }
        if evidence.unseen > 0 {
            judgement.notes.push(Note::Unseen(evidence.unseen));
        }
        if let (Rounding::Unknown(_), Derived::All(derived)) = (&self.claim.rounding, &evidence.derived) {
            if let Some(times) = out_of_proportion(&evidence.claimed, derived, &evidence.rounding) {
                judgement.notes.push(Note::OutOfProportion { times });
                return Ok(Verdict::Wrong);
            }
            let entries = derived.iter().zip(&evidence.rounding);
            let lost = entries.filter(|&(a, rounding)| *a != 0.0 && a.abs() <= *rounding).count();
            judgement.notes.extend((lost > 0).then_some(Note::Rounded(lost)));
        }
        Ok(Verdict::Holds)
    }

    /// That the derivative is zero, and where what y depends on ends to change.
    fn say_zero(&self, evidence: &Evidence, judgement: &mut Judgement) -> Result<()> {
        let derivative = self.reduced.derivative();
        judgement.notes.push(match evidence.no_path {
            true => independent(&derivative).unwrap_or(Note::NoPath),
            false => Note::Zero,
        });
        judgement.unchanged = unchanged(&derivative)?;
        Ok(())
    }

    /// A claim that deviates from autograd at kinks only, and there lies between the slopes, is no wrong claim: it follows
    /// another convention.
    fn wrong_or_kink(&self, evidence: &Evidence, judgement: &mut Judgement) -> Result<Verdict> {
        let mut deviating = evidence.by_autograd.iter().filter(|gap| gap.ratio() > 1.0).peekable();
        if deviating.peek().is_none() || !deviating.all(|gap| evidence.kink_at(gap.position).is_some()) {
            return Ok(Verdict::Wrong);
        }
        let kink = self.kink(evidence)?;
        let verdict = if kink.inside { Verdict::Kink } else { Verdict::Wrong };
        judgement.kink = Some(kink);
        Ok(verdict)
    }

    /// What is to be said of the entries at kinks.
    fn kink(&self, evidence: &Evidence) -> Result<Kink> {
        let kinks = &evidence.kinks;
        let derivative = self.reduced.derivative();
        let outside = kinks.iter().find(|kink| !kink.holds(kink.claimed));
        let deviating = kinks.iter().find(|kink| !kink.follows());
        let shown = outside.or(deviating).unwrap_or(&kinks[0]);
        let inside =
            outside.is_none() && (deviating.is_none() || self.is_jointly_inside(&derivative, kinks)?);
        let choices = Choices::new(&derivative)?;
        let follows = match (deviating, inside) {
            (None, _) => Some(Follows::Stated),
            (Some(_), true) => self.follows(choices.as_ref(), kinks)?,
            (Some(_), false) => None,
        };
        let origin = match &choices {
            Some(choices) => choices.origin(shown.position, shown.tolerance)?,
            None => None,
        };
        let [left, right] = [shown.left, shown.right].map(|slope| measured(slope, shown.error));
        Ok(Kink {
            at: self.index(shown.position),
            left,
            right,
            claimed: shown.claimed,
            stated: shown.stated,
            entries: kinks.len(),
            inside,
            follows,
            conventional: deviating.is_none() && kinks.iter().all(|kink| kink.holds(kink.stated)),
            origin,
        })
    }

    /// The convention that a claim follows which is not that of the operations.
    fn follows(&self, choices: Option<&Choices<'_>>, kinks: &[AtKink]) -> Result<Option<Follows>> {
        let columns = self.x.iter().product::<usize>();
        let mut rows: Vec<usize> = kinks.iter().map(|kink| kink.position / columns).collect();
        rows.dedup();
        rows.truncate(MOST_KINKED_ROWS);
        if let Some(choices) = choices {
            for (favoured, convention) in
                [(Favoured::First, Follows::FirstOfTies), (Favoured::Last, Follows::LastOfTies)]
            {
                let Some(entries) = choices.favouring(favoured, &rows)? else { continue };
                let mut known = kinks.iter().filter_map(|kink| {
                    let row = rows.iter().position(|&row| row == kink.position / columns)?;
                    Some(kink.is_claimed(entries[row][kink.position % columns]))
                });
                if known.all(|same| same) {
                    return Ok(Some(convention));
                }
            }
        }
        type Slope = fn(&AtKink) -> f64;
        let slopes: [(Slope, Follows); 3] = [
            (|kink| kink.left, Follows::Left),
            (|kink| kink.right, Follows::Right),
            (|kink| (kink.left + kink.right) / 2.0, Follows::Mean),
        ];
        let all = |slope: Slope| kinks.iter().all(|kink| kink.is_claimed(slope(kink)));
        Ok(slopes.into_iter().find(|&(slope, _)| all(slope)).map(|(_, follows)| follows))
    }

    /// Several entries of a row at a kink may each lie between its slopes and together be no subgradient: where elements tie
    /// for a maximum, their shares add up to 1. The slopes along a direction of them all tell. Only where the function is
    /// convex by each of them and along that direction: elsewhere they need not add up.
    fn is_jointly_inside(&self, derivative: &Derivative<'_>, kinks: &[AtKink]) -> Result<bool> {
        let columns = self.x.iter().product::<usize>();
        let mut rows: Vec<usize> = kinks.iter().map(|kink| kink.position / columns).collect();
        rows.dedup();
        for &row in rows.iter().take(MOST_KINKED_ROWS) {
            let here: Vec<&AtKink> = kinks.iter().filter(|kink| kink.position / columns == row).collect();
            if here.len() < 2 || here.iter().any(|kink| kink.left > kink.right) {
                continue;
            }
            let mut direction = vec![0.0; columns];
            here.iter().for_each(|kink| direction[kink.position % columns] = 1.0);
            let OneSided { left, right, error, .. } = derivative.slopes_along(row, direction)?;
            let claimed: f64 = here.iter().map(|kink| kink.claimed).sum();
            let tolerance = error + here.iter().map(|kink| kink.tolerance).sum::<f64>();
            if left <= right + error && !between(claimed, left, right, tolerance) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What autograd says of an entry: it is computed where it is not known.
    fn derived(&self, evidence: &Evidence, position: usize) -> Result<f64> {
        match evidence.derived(position) {
            Some(entry) => Ok(entry),
            None => self.reduced.derivative().entry(position),
        }
    }

    fn index(&self, position: usize) -> Vec<usize> {
        index_in_claim(position, &self.y, &self.x, self.claim.array.shape(), self.claim.layout)
    }

    /// Is the program infinite or NaN, or the claim? Then it is said where that arises, in the program first; a claim that is
    /// NaN only where the derivative is could not have failed.
    fn not_finite(&self, judgement: &mut Judgement) -> Result<bool> {
        let derivative = self.reduced.derivative();
        let in_program = in_program(self.reduced.subject, &derivative)?;
        let Some(found) = in_program.map_or_else(|| in_claim(self.claim), |found| Ok(Some(found)))? else {
            return Ok(false);
        };
        judgement.verdict = Verdict::NotFinite;
        let claimed = self.tensor.to_vec_f64();
        if claimed.iter().any(|entry| entry.is_nan())
            && claimed.len() <= MOST_SHOWN
            && !derivative.is_dear()?
        {
            let (tensor, _) = derivative.by_autograd()?;
            let entries = tensor.to_vec_f64();
            let mut odd = (0..claimed.len()).filter(|&p| !claimed[p].is_finite());
            if odd.clone().all(|p| claimed[p].is_nan() && entries[p].is_nan()) {
                judgement.verdict = Verdict::Vacuous;
                judgement.notes.push(Note::BothNan(self.index(odd.next().unwrap_or(0))));
                // What makes the derivative NaN is the program, not the claim.
                judgement.not_finite = in_derivative(&derivative)?;
            }
        }
        judgement.not_finite.get_or_insert(found);
        Ok(true)
    }
}
