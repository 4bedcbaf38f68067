//! What a survey says of a claim.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pullback_array::Array;
use pullback_ops::Result;

use crate::allowance::Allowance;
use crate::claim::Rounding;
use crate::convention::{Choices, Fitted};
use crate::evidence::{Case, Derived, Evidence, Gap, Scale};
use crate::flips::flips;
use crate::kink::OneSided;
use crate::layout::{from_tensor, to_tensor};
use crate::limits::{DIRECTIONS_OF_ALL, SAFETY};
use crate::other_code::Pulled;
use crate::verdict::{Judgement, Note};

use super::Surveyed;

impl Case<'_> {
    /// What the routes say of a claim about a derivative that is known. `None`: it is not finite.
    pub(crate) fn surveyed(&self, known: &Surveyed, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        let shape = self.claim.array.shape();
        judgement.notes.push(Note::Together(DIRECTIONS_OF_ALL));
        let (mut claimed, autograd) = (self.tensor.to_vec_f64(), known.gradient().as_f64());
        let composed = self.composed(known, &autograd)?;
        // Where nothing is composed it is what autograd says.
        let mut tensor = known.gradient().clone();
        if !composed.entries.is_empty() {
            let mut right = autograd.to_vec();
            composed.entries.iter().for_each(|(&p, &slope)| right[p] = slope);
            tensor = Array::from_slice(tensor.shape(), &right)?;
        }
        let right = tensor.as_f64();
        judgement.expected = Some(from_tensor(&tensor, 0, shape, self.claim.layout)?);
        let mut allowance = match &self.claim.rounding {
            Rounding::Measured(errors) => {
                let errors = to_tensor(errors, &self.y, &self.x, self.claim.layout)?;
                Allowance::of_errors(errors.to_vec_f64())
            }
            Rounding::Unknown(precision) => Allowance::of(*precision, [&*known.measured[precision]]),
        };
        // And what double precision does to both.
        let own = |spread: f64, claimed: f64| f64::EPSILON * (spread + claimed.abs());
        let entries = known.own.spreads(&right).zip(&claimed).map(|(spread, claimed)| own(spread, *claimed));
        let entries = entries.zip(allowance.most.iter_mut().zip(&mut allowance.measured));
        entries
            .for_each(|(own, (most, measured))| (*most, *measured) = (*most + SAFETY * own, *measured + own));
        // At a kink another convention is no turned choice.
        let is_off = |claimed: &[f64], allowance: &Allowance| {
            let is_off = |p: &usize| (claimed[*p] - right[*p]).abs() > allowance.most[*p];
            (0..claimed.len()).filter(|p| !known.kinked.contains_key(p)).any(|p| is_off(&p))
        };
        let mut turned = None;
        let mut disputed = Cow::Borrowed(claimed.as_slice());
        let apart = known.kinked.keys().chain(composed.entries.keys());
        apart.for_each(|&p| disputed.to_mut()[p] = autograd[p]);
        if let Rounding::Unknown(precision) = &self.claim.rounding
            && (is_off(&claimed, &allowance) || !allowance.covers(&disputed, &autograd))
            && let Some(pulled) = Pulled::new(&self.reduced.derivative())?
        {
            // Kernels compute a logsumexp as a whole; on a CPU its parts are stored.
            if is_off(&claimed, &allowance)
                && let Some(pieces) = pulled.allowance_of_pieces(*precision)?
                && pieces.covers(&disputed, &autograd)
            {
                allowance.or(&pieces);
            }
            let tolerance = match is_off(&claimed, &allowance) {
                true => Some(allowance.most.clone()),
                // What a choice makes of all entries may be within what each may be off by alone.
                false if !allowance.covers(&disputed, &autograd) => Some(allowance.of_all()),
                false => None,
            };
            if let Some(tolerance) = tolerance {
                turned = flips(&pulled, *precision, &disputed, &autograd, &tolerance)?;
            }
        }
        if let Some(flips) = &turned {
            allowance.or(&flips.allowance);
            claimed.iter_mut().zip(&flips.moves).for_each(|(claimed, moved)| *claimed -= moved);
        }
        if is_off(&claimed, &allowance) {
            let largest = right.iter().fold(0.0f64, |most, entry| most.max(entry.abs()));
            let least = self.claim.of_zeros() * largest;
            let of_routes = known.own.spreads(&right).map(|spread| SAFETY * f64::EPSILON * spread);
            let are_zero = right.iter().zip(of_routes).map(|(entry, error)| entry.abs() <= error);
            allowance.or(&Allowance::of_zeros(least, are_zero));
        }
        let Allowance { most: rounding, measured, shared } = allowance;
        let of_routes = |(p, spread): (usize, f64)| match &self.claim.rounding {
            Rounding::Measured(_) => rounding[p],
            Rounding::Unknown(_) => SAFETY * f64::EPSILON * spread,
        };
        let of_routes = known.own.spreads(&right).enumerate().map(of_routes);
        let gaps = (0..claimed.len()).map(|p| Gap::new(p, claimed[p], autograd[p], rounding[p]));
        let mut evidence = Evidence {
            by_autograd: Gap::loudest(gaps),
            scale: Scale::of(&right, of_routes, &rounding),
            measured,
            shared,
            flips: turned,
            of_row: claimed.len(),
            composed,
            seen_to_fit: known.fitted.len(),
            together: true,
            ..Evidence::empty(false)
        };
        for share in &known.shares {
            let (mut of_claim, mut of_rules, mut own, mut square) = (0.0, 0.0, 0.0, 0.0);
            for (p, z) in known.direction(share).take(claimed.len()).enumerate() {
                of_claim += claimed[p] * z;
                of_rules += right[p] * z;
                own += rounding[p] * z.abs();
                square += z * z;
            }
            if square == 0.0 {
                continue;
            }
            // Along a direction of length 1.
            let unit = square.sqrt();
            let gap = |a: f64, b: f64, tolerance: f64| Gap::new(0, a / unit, b / unit, tolerance / unit);
            let (network, differences) = (share.rounding, share.rounding + share.error);
            evidence.by_network.push(gap(of_claim, share.by_network, own + network));
            evidence.by_differences.push(gap(of_claim, share.by_differences, own + differences));
            evidence.among_routes.push(gap(of_rules, share.by_network, network));
            evidence.among_routes.push(gap(of_rules, share.by_differences, differences));
            evidence.truncation = evidence.truncation.max(differences / unit);
        }
        let ratios = evidence.among_routes.iter().map(Gap::ratio);
        evidence.contradiction = ratios.fold(0.0, f64::max);
        evidence.derived = Derived::All(match autograd {
            Cow::Borrowed(_) => known.gradient().clone(),
            Cow::Owned(autograd) => Array::from_vec(&[autograd.len()], autograd)?,
        });
        (evidence.claimed, evidence.rounding) = (claimed, rounding);
        self.told_at_kinks(known, &mut evidence)?;
        evidence.leave_out_blind(matches!(self.claim.rounding, Rounding::Measured(_)));
        Ok(Some(evidence))
    }

    /// The entries whose pieces fit together to another slope than that of the conventions.
    fn composed(&self, known: &Surveyed, autograd: &[f64]) -> Result<Fitted> {
        let is_other = |(p, slope): &(&usize, &f64)| {
            let spread = known.own.spread_of(**p, autograd[**p]);
            (*slope - autograd[**p]).abs() > SAFETY * f64::EPSILON * spread.max(slope.abs())
        };
        let entries: BTreeMap<usize, f64> =
            known.fitted.iter().filter(is_other).map(|(&p, &slope)| (p, slope)).collect();
        let ops = match entries.is_empty() {
            true => Vec::new(),
            false => self.reduced.derivative().undecided()?.ops,
        };
        Ok(Fitted { entries, ops, ..Fitted::default() })
    }

    /// The entries at kinks: both slopes of one of them, of that which deviates most, and intervals of the others.
    fn told_at_kinks(&self, known: &Surveyed, evidence: &mut Evidence) -> Result<()> {
        evidence.unmeasured = known.kinked.clone();
        let derivative = self.reduced.derivative();
        let choices = Choices::new(&derivative)?.filter(|_| !known.kinked.is_empty());
        if let Some(choices) = &choices {
            evidence.composed.ordered = choices.ordered_in(0)?;
        }
        for (p, (least, most)) in &evidence.composed.ordered {
            let known = evidence.unmeasured.entry(*p).or_insert((*least, *most));
            *known = (known.0.min(*least), known.1.max(*most));
        }
        let beyond = |p: usize| {
            let (least, most) = evidence.unmeasured[&p];
            let claimed = evidence.claimed[p];
            let outside = (least - claimed).max(claimed - most).max(0.0);
            (outside, (claimed - evidence.stated(p)).abs())
        };
        let Some(told) = evidence
            .unmeasured
            .keys()
            .copied()
            .max_by(|&a, &b| beyond(a).partial_cmp(&beyond(b)).unwrap_or(std::cmp::Ordering::Equal))
        else {
            return Ok(());
        };
        if let Some(choices) = &choices {
            let slopes = match evidence.composed.ordered.get(&told) {
                Some(&(left, right)) => OneSided { at: told, left, right, error: 0.0 },
                None => choices.slopes_at(0, told)?,
            };
            evidence.kinks = evidence.at_kinks(&[slopes]);
            evidence.unmeasured.remove(&told);
        }
        Ok(())
    }
}
