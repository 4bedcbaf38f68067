//! From a claim to a verdict.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pullback_ops::{Result, Val};

use crate::allowance::{one_sided, out_of_proportion};
use crate::claim::{Claim, Rounding, Subject};
use crate::conclude::{Facts, Finite, Says, Zero};
use crate::convention::{Choices, Favoured};
use crate::evidence::{AtKink, Case, Derived, Evidence, Gap, Reduced, Scale, between, largest_error, worst};
use crate::kink::OneSided;
use crate::layout::{ClaimLayout, from_tensor, index_in_claim, shapes, to_tensor};
use crate::limits::{LEAST_TOLD, MOST_ROUNDING, MOST_TRUNCATION};
use crate::not_finite::{in_claim, in_derivative, in_program};
use crate::routes::Derivative;
use crate::survey::Survey;
use crate::symmetric::Moves;
use crate::verdict::{Entry, Follows, Judgement, Kink, Note, Routes, Verdict};
use crate::zero::{independent, typical_slope, unchanged};

/// Rows with kinks that are asked which convention a claim follows; one is the rule of the others.
const MOST_KINKED_ROWS: usize = 16;

/// A derivative with more entries is not written out merely to be shown beside a claim of another shape.
const MOST_SHOWN: usize = 1 << 16;

/// Judges claimed numbers.
///
/// # Errors
/// Where the program is not in double precision, or cannot be evaluated or differentiated.
pub fn judge(subject: &Subject, claim: &Claim) -> Result<Judgement> {
    judge_in(&Survey::default(), subject, claim)
}

/// The same, with what is known of the derivative before it is claimed.
///
/// # Errors
/// Those of [`judge`].
pub fn judge_in(survey: &Survey, subject: &Subject, claim: &Claim) -> Result<Judgement> {
    let reduced = Reduced::new(subject)?;
    let (y, x) = (reduced.y.shape(), subject.last().shape());
    let allowed = shapes(&y, &x, claim.layout);
    if !allowed.iter().any(|shape| shape == claim.array.shape()) {
        return wrong_shape(&reduced, claim, &allowed[0], &y);
    }
    let tensor = to_tensor(&claim.array, &y, &x, claim.layout)?;
    let case = Case { reduced: &reduced, claim, tensor, y, x, known: survey.of(subject, claim)? };
    let judgement = case.judgement()?;
    if subject.symmetric && judgement.verdict == Verdict::Wrong {
        return Ok(case.by_symmetric(subject)?.unwrap_or(judgement));
    }
    Ok(judgement)
}

/// Judges a claim about the shape of a derivative: the tensor's, or the matrix's.
pub fn judge_shape(subject: &Subject, claimed: &[usize]) -> Judgement {
    let before = &subject.wrt[..subject.wrt.len() - 1];
    let first: Vec<usize> =
        subject.of.shape().into_iter().chain(before.iter().flat_map(Val::shape)).collect();
    let allowed = shapes(&first, &subject.last().shape(), ClaimLayout::Either);
    let fits = allowed.iter().any(|shape| shape == claimed);
    let claimed_shape = (!fits).then(|| claimed.to_vec());
    Judgement { claimed_shape, ..blank(allowed[0].clone()) }.with(Facts { fits, ..Facts::default() })
}

fn blank(shape: Vec<usize>) -> Judgement {
    Judgement {
        verdict: Verdict::Holds,
        facts: Facts::default(),
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

impl Judgement {
    /// The judgement on a derivative of this shape that ought to have been claimed, and is not.
    pub fn of_missing(shape: Vec<usize>) -> Judgement {
        blank(shape).with(Facts { worst: Says::Wrong, ..Facts::default() })
    }
}

/// A claim whose shape does not fit: the true derivative is told all the same, where it is small.
fn wrong_shape(reduced: &Reduced<'_>, claim: &Claim, shape: &[usize], y: &[usize]) -> Result<Judgement> {
    let mut judgement = blank(shape.to_vec()).with(Facts { fits: false, ..Facts::default() });
    judgement.claimed_shape = Some(claim.array.shape().to_vec());
    let derivative = reduced.derivative();
    if derivative.entries() <= MOST_SHOWN && !derivative.is_dear()? {
        let tensor = derivative.tensor()?;
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

/// The numbers of all entries but some.
fn except<'a>(some: &BTreeMap<usize, f64>, of: &'a [f64]) -> Cow<'a, [f64]> {
    if some.is_empty() {
        return Cow::Borrowed(of);
    }
    (0..of.len()).filter(|p| !some.contains_key(p)).map(|p| of[p]).collect()
}

impl Case<'_> {
    fn judgement(&self) -> Result<Judgement> {
        let mut judgement = blank(self.claim.array.shape().to_vec());
        if self.not_finite(&mut judgement)? {
            return Ok(judgement);
        }
        if self.tensor.is_empty() {
            judgement.notes.push(Note::NoEntries);
            judgement.expected = Some(self.claim.array.clone());
            let zero = if self.claim.zeros { Zero::Stated } else { Zero::Unstated };
            return Ok(judgement.with(Facts { empty: true, zero, ..Facts::default() }));
        }
        let Some(evidence) = self.evidence(&mut judgement)? else {
            judgement.not_finite = in_derivative(&self.reduced.derivative())?;
            return Ok(judgement.with(Facts { finite: Finite::No, ..Facts::default() }));
        };
        judgement.routes = Routes {
            autograd: Some(largest_error(&evidence.by_autograd)),
            jacobian: (!evidence.by_network.is_empty()).then(|| largest_error(&evidence.by_network)),
            finite_difference: (!evidence.by_differences.is_empty())
                .then(|| largest_error(&evidence.by_differences)),
        };
        self.show_worst(&evidence, &mut judgement)?;
        self.weigh(&evidence, &mut judgement)?;
        judgement.conclude();
        if let Some(flips) = &evidence.flips {
            judgement.notes.push(Note::Flipped(flips.count));
        }
        if judgement.verdict == Verdict::Wrong {
            judgement.notes.extend(self.coarser(&evidence)?.map(Note::Coarser));
            let gaps = evidence.against_right();
            let beyond = gaps.iter().filter(|gap| gap.ratio() > 1.0);
            judgement.beyond = beyond.map(|gap| gap.position).collect();
            judgement.beyond.sort_unstable();
        }
        Ok(judgement)
    }

    /// The judgement by another convention for derivatives by a symmetric matrix, where the claim follows one.
    fn by_symmetric(&self, subject: &Subject) -> Result<Option<Judgement>> {
        let is_square = matches!(self.x[..], [rows, columns] if rows == columns);
        if !is_square || self.reduced.derivative().is_dear()? {
            return Ok(None);
        }
        for moves in Moves::SYMMETRIC {
            let reduced = Reduced { moves, ..Reduced::new(subject)? };
            let (tensor, y, x) = (self.tensor.clone(), self.y.clone(), self.x.clone());
            let mut judgement =
                Case { reduced: &reduced, claim: self.claim, tensor, y, x, known: None }.judgement()?;
            if judgement.passes() {
                judgement.notes.push(Note::Symmetrised(moves));
                return Ok(Some(judgement));
            }
        }
        Ok(None)
    }

    /// The entry that speaks loudest.
    fn show_worst(&self, evidence: &Evidence, judgement: &mut Judgement) -> Result<()> {
        // Where conventions do not compose, a claim is held against what differences saw.
        let by_rules = |gap: &&Gap| !evidence.composed.entries.contains_key(&gap.position);
        let of_rules = |gaps: &[Gap]| gaps.iter().filter(by_rules).copied().collect::<Vec<Gap>>();
        let by_autograd = match evidence.estimates {
            Some(_) => of_rules(&evidence.by_autograd),
            None => evidence.against_right(),
        };
        let mut gaps = [&by_autograd[..], &of_rules(&evidence.by_network), &evidence.by_differences].concat();
        let largest_of_all = largest_error(&gaps);
        // Another value at a kink is named only where nothing else deviates.
        let excused = |gap: &Gap| evidence.kink_at(gap.position).is_some_and(|kink| kink.holds(kink.claimed));
        if !evidence.kinks.is_empty() && gaps.iter().any(|gap| gap.ratio() > 1.0 && !excused(gap)) {
            gaps.retain(|gap| !excused(gap));
        }
        // A direction speaks of a row; an entry that deviates from a route by itself is named first.
        let named = worst(&by_autograd).filter(|gap| evidence.estimates.is_none() && gap.ratio() > 1.0);
        let Some(worst) = named.or_else(|| worst(&gaps)) else { return Ok(()) };
        judgement.max_abs_error = Some(largest_of_all);
        judgement.tolerance = Some(worst.tolerance);
        judgement.error_in_tolerances = Some(worst.ratio());
        judgement.worst = Some(self.entry(evidence, worst.position)?);
        Ok(())
    }

    /// What is claimed of an entry, and what the routes say of it.
    fn entry(&self, evidence: &Evidence, position: usize) -> Result<Entry> {
        let moved = evidence.moved_by_choices(position);
        // At a kink a difference between both sides is neither slope, and of turned choices it says nothing.
        let is_one_slope = |_: &f64| moved == 0.0 && evidence.kink_at(position).is_none();
        let difference = evidence.difference(position).filter(is_one_slope);
        let derived = match evidence.composed.entries.get(&position) {
            Some(slope) => *slope,
            None => self.derived(evidence, position)?,
        };
        let claimed = evidence.claimed[position] + moved;
        Ok(Entry { at: self.index(position), claimed, expected: derived + moved, difference })
    }

    /// What the evidence comes to: the facts, and what is to be said of them.
    fn weigh(&self, evidence: &Evidence, judgement: &mut Judgement) -> Result<()> {
        let says = evidence.says();
        let worst = says.iter().map(|(_, says)| *says).max().unwrap_or(Says::Agrees);
        let Scale { zero, largest, rounding, told } = evidence.scale;
        // A derivative that is zero has no size of its own to hold errors against: that of y over x stands in.
        let size = if zero { typical_slope(&self.reduced.derivative())?.max(largest) } else { largest };
        let enough = match &self.claim.rounding {
            Rounding::Measured(_) => rounding <= MOST_ROUNDING * size,
            // Nothing is lost of numbers that are zero, each of them, as the derivative is.
            Rounding::Unknown(_) if zero => self.claim.zeros && largest == 0.0 || rounding <= size,
            Rounding::Unknown(_) => told >= LEAST_TOLD,
        };
        let kinked = evidence.kinks.len() + evidence.unmeasured.len();
        let apart = kinked + evidence.seen_to_fit;
        let seen = !evidence.by_differences.is_empty() || apart == evidence.claimed.len();
        let is_measured = evidence.truncation.is_finite();
        let facts = &mut judgement.facts;
        facts.worst = if seen && is_measured { worst } else { worst.max(Says::Unseen) };
        facts.digits = enough && (evidence.truncation <= MOST_TRUNCATION * size || !is_measured);
        // Numbers from elsewhere could not be written otherwise, and these are zero beside what they might have been.
        let says_zero = self.claim.zeros || matches!(self.claim.rounding, Rounding::Unknown(_));
        facts.zero = match (zero, says_zero) {
            (false, _) => Zero::No,
            (true, true) => Zero::Stated,
            (true, false) => Zero::Unstated,
        };
        let at = |which: Says| says.iter().filter(move |(_, says)| *says == which).map(|(p, _)| *p);
        match facts.worst {
            Says::Fault => {
                judgement.notes.push(Note::RoutesDisagree { in_tolerances: evidence.contradiction });
                judgement.worst = Some(self.entry(evidence, evidence.contradicted_at())?);
            }
            Says::Unseen => judgement.notes.push(Note::NoDifferences),
            Says::Convention => {
                if let Some(position) = at(Says::Convention).next() {
                    judgement.worst = Some(self.entry(evidence, position)?);
                }
            }
            _ => {}
        }
        if !evidence.composed.entries.is_empty() && facts.worst != Says::Fault {
            let (entries, ops) = (evidence.composed.entries.len(), evidence.composed.ops.clone());
            let first = evidence.composed.entries.keys().next().map_or_else(Vec::new, |&p| self.index(p));
            judgement.notes.push(Note::Composed { entries, first, ops });
        }
        // A claim that deviates at kinks alone is told what lies there.
        let deviates_at_kinks_only = || {
            let beyond = |gap: &&Gap| gap.ratio() > 1.0;
            let is_at_kink = |p: usize| {
                evidence.kink_at(p).is_some()
                    || evidence.unmeasured.contains_key(&p)
                    || evidence.composed.entries.contains_key(&p)
            };
            evidence.by_autograd.iter().filter(beyond).all(|gap| is_at_kink(gap.position))
        };
        let is_told = facts.digits && facts.worst != Says::Fault || facts.worst == Says::OtherConvention;
        if !evidence.kinks.is_empty() && is_told && deviates_at_kinks_only() {
            let kink = self.kink(evidence)?;
            // One by one between the slopes, and outside of them together.
            if !kink.inside && kink.follows.is_none() {
                facts.worst = Says::Wrong;
            }
            judgement.kink = Some(kink);
        }
        let facts = judgement.facts;
        if facts.zero != Zero::No && (facts.digits || facts.worst == Says::Wrong) && judgement.kink.is_none()
        {
            self.say_zero(evidence, judgement)?;
        }
        if judgement.facts.worst > Says::Conventional {
            return Ok(());
        }
        if !facts.digits {
            let uncertainty = rounding.max(evidence.truncation);
            judgement.notes.push(Note::WithinTolerance { uncertainty, size });
            return Ok(());
        }
        self.say_rest(evidence, judgement);
        Ok(())
    }

    /// What else is to be said of a claim that is not wrong by any entry.
    fn say_rest(&self, evidence: &Evidence, judgement: &mut Judgement) {
        if let Some(&first) = evidence.blind.first() {
            judgement.notes.push(Note::Blind { entries: evidence.blind.len(), first: self.index(first) });
        }
        if !evidence.unmeasured.is_empty() && !evidence.together {
            judgement.notes.push(Note::Unmeasured(evidence.unmeasured.len()));
        }
        if judgement.facts.worst > Says::BySlope || judgement.facts.zero != Zero::No {
            return;
        }
        if evidence.unseen > 0 {
            judgement.notes.push(Note::Unseen(evidence.unseen));
        }
        if let (Rounding::Unknown(_), Derived::All(derived)) = (&self.claim.rounding, &evidence.derived) {
            // What differences say has fewer digits than what all entries together are judged by.
            let (composed, derived) = (&evidence.composed.entries, derived.as_f64());
            let only = |of| except(composed, of);
            let (claimed, derived, measured) =
                (only(&evidence.claimed), only(&derived), only(&evidence.measured));
            if let Some(times) = out_of_proportion(&claimed, &derived, &measured, evidence.shared) {
                judgement.notes.push(Note::OutOfProportion { times });
                judgement.facts.systematic = true;
                return;
            }
            if let Some(off) = one_sided(&claimed, &derived, &measured, evidence.shared) {
                judgement.notes.push(Note::OneSided { off });
                judgement.facts.systematic = true;
                return;
            }
            let rounding = only(&evidence.rounding);
            let entries = derived.iter().zip(&*rounding);
            let lost = entries.filter(|&(a, rounding)| *a != 0.0 && a.abs() <= *rounding).count();
            judgement.notes.extend((lost > 0).then_some(Note::Rounded(lost)));
        }
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
            (Some(_), true) => self.follows(choices.as_ref(), evidence)?,
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
            ordered: evidence.composed.ordered.contains_key(&shown.position),
            claimed: shown.claimed,
            stated: shown.stated,
            entries: kinks.len() + evidence.unmeasured.len(),
            inside,
            follows,
            conventional: deviating.is_none(),
            origin,
        })
    }

    /// The convention that a claim follows which is not that of the operations.
    fn follows(&self, choices: Option<&Choices<'_>>, evidence: &Evidence) -> Result<Option<Follows>> {
        let kinks = &evidence.kinks;
        let columns = self.x.iter().product::<usize>();
        let mut rows: Vec<usize> = kinks.iter().map(|kink| kink.position / columns).collect();
        rows.dedup();
        rows.truncate(MOST_KINKED_ROWS);
        if let Some(choices) = choices {
            for (favoured, convention) in
                [(Favoured::First, Follows::FirstOfTies), (Favoured::Last, Follows::LastOfTies)]
            {
                let Some(entries) = choices.favouring(favoured, &rows)? else { continue };
                let of_row = |position: usize| rows.iter().position(|&row| row == position / columns);
                let mut known = kinks.iter().filter_map(|kink| {
                    Some(kink.is_claimed(entries[of_row(kink.position)?][kink.position % columns]))
                });
                let mut unmeasured = evidence.unmeasured.keys().filter_map(|&p| {
                    let chosen = entries[of_row(p)?][p % columns];
                    Some((evidence.claimed[p] - chosen).abs() <= evidence.rounding[p])
                });
                if known.all(|same| same) && unmeasured.all(|same| same) {
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
        let all = |slope: Slope| {
            evidence.unmeasured.is_empty() && kinks.iter().all(|kink| kink.is_claimed(slope(kink)))
        };
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
        judgement.facts.finite = Finite::No;
        let claimed = self.tensor.to_vec_f64();
        if claimed.iter().any(|entry| entry.is_nan())
            && claimed.len() <= MOST_SHOWN
            && !derivative.is_dear()?
        {
            let tensor = derivative.tensor()?;
            let entries = tensor.to_vec_f64();
            let mut odd = (0..claimed.len()).filter(|&p| !claimed[p].is_finite());
            if odd.clone().all(|p| claimed[p].is_nan() && entries[p].is_nan()) {
                judgement.facts.finite = Finite::BothNan;
                judgement.notes.push(Note::BothNan(self.index(odd.next().unwrap_or(0))));
                // What makes the derivative NaN is the program, not the claim.
                judgement.not_finite = in_derivative(&derivative)?;
            }
        }
        judgement.not_finite.get_or_insert(found);
        judgement.conclude();
        Ok(true)
    }
}
