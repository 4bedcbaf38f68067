//! Takes the routes to a claim, and holds what they give against it and against one another.
//!
//! What does not know the claim comes first: autograd, the Jacobian, finite differences, and where the three disagree for a
//! reason that is known. Then comes how far rounding may have moved the claim, and which choices it may have turned.

use std::collections::HashSet;

use pullback_array::{Array, memory};
use pullback_ops::{Result, Val};

use crate::allowance::Allowance;
use crate::claim::{Rounding, Subject};
use crate::convention::{Choices, Fitted};
use crate::differences::Estimate;
use crate::evidence::{Along, Case, Derived, Evidence, Gap, Scale, norm, reach};
use crate::flips::flips;
use crate::kink::OneSided;
use crate::layout::{from_tensor, to_tensor};
use crate::limits::{DIRECTIONS, SAFETY};
use crate::other_code::Pulled;
use crate::routes::{Derivative, Differences, Kinks, along};
use crate::symmetric::Moves;
use crate::verdict::{Judgement, Note};
use crate::zero::typical_slope;

/// What is held for each entry of a derivative while its routes are compared: eight numbers, two of an estimate, a gap for
/// each of four lists and once more where three of them are joined.
const BYTES_OF_AN_ENTRY: usize = 10 * size_of::<f64>() + 7 * size_of::<Gap>();

/// Of so many entries that the routes disagree about it is asked whether they are at kinks that differences do not show.
const MOST_HIDDEN: usize = 64;

impl Case<'_> {
    /// Takes every route. `None`: the derivative is not finite.
    pub(crate) fn evidence(&self, judgement: &mut Judgement) -> Result<Option<Evidence>> {
        if let Some(known) = self.known {
            return self.surveyed(known, judgement);
        }
        let derivative = self.reduced.derivative();
        let bytes = BYTES_OF_AN_ENTRY.saturating_mul(self.tensor.len());
        if derivative.is_dear()? || bytes > memory::limit() / 4 {
            return self.probed(judgement);
        }
        memory::room(bytes)?;
        let (by_autograd, mut spread) = derivative.by_autograd()?;
        let fitted = derivative.fitted()?;
        if !fitted.pulled.is_empty() {
            // On the pieces beside there are terms that cancel, and at the kink there are none.
            spread.iter_mut().zip(&fitted.spread).for_each(|(own, beside)| *own = own.max(*beside));
        }
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
        let moved = |of: Allowance| Allowance {
            most: derivative.moved(of.most),
            measured: derivative.moved(of.measured),
            shared: of.shared,
        };
        let mut of_claim = match (&self.claim.rounding, &pulled) {
            (Rounding::Measured(errors), _) => {
                let measured = to_tensor(errors, &self.y, &self.x, self.claim.layout)?.to_vec_f64();
                Allowance::of_errors(measured)
            }
            (Rounding::Unknown(precision), Some((pulled, _))) => {
                let suffices = |of: &Allowance| of.covers(&claimed, &autograd);
                moved(pulled.allowance(*precision, suffices)?)
            }
            (Rounding::Unknown(precision), None) => Allowance::of_nothing(*precision, claimed.len()),
        };
        let of_numbers: Vec<f64> =
            (0..claimed.len()).map(|p| SAFETY * f64::EPSILON * (spread[p] + claimed[p].abs())).collect();
        let own = |of_claim: &Allowance| of_claim.most.iter().zip(&of_numbers).map(|(a, b)| a + b).collect();
        let mut rounding: Vec<f64> = own(&of_claim);
        let of_routes: Vec<f64> = match &self.claim.rounding {
            Rounding::Measured(_) => rounding.clone(),
            Rounding::Unknown(_) => spread.iter().map(|spread| SAFETY * f64::EPSILON * spread).collect(),
        };
        let is_beyond =
            |claimed: &[f64], rounding: &[f64], p: usize| (claimed[p] - autograd[p]).abs() > rounding[p];
        // Kernels compute a logsumexp as a whole; on a CPU its parts are stored.
        if let Some((pulled, precision)) = &pulled
            && (0..claimed.len()).any(|p| is_beyond(&claimed, &rounding, p))
            && let Some(pieces) = pulled.allowance_of_pieces(*precision)?
        {
            let pieces = moved(pieces);
            if pieces.covers(&claimed, &autograd) {
                of_claim.or(&pieces);
                rounding = own(&of_claim);
            }
        }

        let columns = self.x.iter().product::<usize>().max(1);
        let deviates: HashSet<usize> =
            (0..claimed.len()).filter(|&p| is_beyond(&claimed, &rounding, p)).map(|p| p % columns).collect();
        let contradicts =
            |p: usize, value: f64, error: f64| (autograd[p] - value).abs() > of_routes[p] + SAFETY * error;
        let fit: HashSet<usize> = fitted.entries.keys().map(|p| p % columns).collect();
        let kinks =
            Kinks { first: &|column| deviates.contains(&column), fit: &|column| fit.contains(&column) };
        let mut found = derivative.by_differences(&contradicts, &kinks)?;
        // What orders decide about differences along single entries do not show.
        let (Differences::Entries { kinks, .. } | Differences::Directions { kinks, .. }) = &mut found;
        for kink in kinks.iter_mut() {
            if let Some(&(least, most)) = fitted.ordered.get(&kink.at) {
                (kink.left, kink.right) =
                    (kink.left.min(kink.right).min(least), kink.left.max(kink.right).max(most));
            }
        }
        let measured: HashSet<usize> = kinks.iter().map(|kink| kink.at).collect();
        let ordered = fitted.ordered.iter().filter(|(at, _)| !measured.contains(at));
        kinks.extend(ordered.map(|(&at, &(left, right))| OneSided { at, left, right, error: 0.0 }));
        if let Differences::Entries { estimate, kinks } = &mut found {
            let is_seen: HashSet<usize> = kinks.iter().map(|kink| kink.at).collect();
            let is_hidden = |&p: &usize| {
                contradicts(p, estimate.value[p], estimate.error[p])
                    && !is_seen.contains(&p)
                    && !fitted.entries.contains_key(&p)
            };
            let disputed: Vec<usize> = (0..claimed.len()).filter(is_hidden).collect();
            kinks.extend(hidden_kinks(&derivative, &disputed, estimate, columns, &of_routes)?);
        }
        let composed = seen_to_fit(fitted, &found, columns);
        if let Rounding::Unknown(precision) = &self.claim.rounding {
            for pulled in &composed.pulled {
                match pulled.allowance(*precision, |_| false) {
                    Err(error) if !error.is_memory() => {}
                    beside => of_claim.or(&moved(beside?).where_told()),
                }
            }
            rounding = own(&of_claim);
        }

        // Where conventions do not compose no choice was turned: the claim is held against differences there.
        let mut disputed = claimed.clone();
        composed.entries.keys().for_each(|&p| disputed[p] = autograd[p]);
        let beyond = match (0..claimed.len()).any(|p| is_beyond(&disputed, &rounding, p)) {
            true => Some(rounding.clone()),
            // What a choice makes of all entries may be within what each may be off by alone.
            false if !of_claim.covers(&disputed, &autograd) => Some(of_claim.of_all()),
            false => None,
        };
        let flips = match (&pulled, beyond) {
            (Some((pulled, precision)), Some(tolerance)) if derivative.moves == Moves::Freely => {
                flips(pulled, *precision, &disputed, &autograd, &tolerance)?
            }
            _ => None,
        };
        if let Some(flips) = &flips {
            of_claim.or(&flips.allowance);
            rounding = own(&of_claim);
            claimed.iter_mut().zip(&flips.moves).for_each(|(claimed, moved)| *claimed -= moved);
        }
        let networked = |p: usize| SAFETY * f64::EPSILON * network_spread[p];
        let mut right = autograd.clone();
        composed.entries.iter().for_each(|(&p, &slope)| right[p] = slope);
        if !composed.entries.is_empty() {
            let tensor = Array::from_slice(self.tensor.shape(), &right)?;
            let (y, shape) = (self.y.len(), self.claim.array.shape());
            judgement.expected = Some(from_tensor(&tensor, y, shape, self.claim.layout)?);
        }
        if (0..claimed.len()).any(|p| (claimed[p] - right[p]).abs() > rounding[p]) {
            // What is zero has no size, and rounding makes of it what it makes of terms that cancel, or of a product of such: of a
            // single entry no more than what rounding leaves of rounding of the largest; and of all of them, where all are, no more than
            // rounding of the slope that they might have been is as good as zero, or of the terms that cancel.
            let scale = Scale::of(&right, of_routes.iter().copied(), &rounding);
            let least = match scale.zero {
                true => self.claim.precision.epsilon() * typical_slope(&derivative)?,
                false => self.claim.of_zeros() * scale.largest,
            };
            let is_zero = |(entry, error): (&f64, &f64)| entry.abs() <= *error;
            of_claim.or(&Allowance::of_zeros(least, right.iter().zip(&of_routes).map(is_zero)));
            if let (true, Some((pulled, precision))) = (scale.zero, &pulled) {
                of_claim.or(&moved(pulled.allowance_of_terms(*precision)?).where_told());
            }
            rounding = own(&of_claim);
        }
        let gaps = |of: &dyn Fn(usize) -> Gap| (0..claimed.len()).map(of).collect::<Vec<Gap>>();
        let whole = |(measured, own): (&f64, &f64)| measured + own / SAFETY;
        let mut evidence = Evidence {
            by_autograd: gaps(&|p| Gap::new(p, claimed[p], autograd[p], rounding[p])),
            by_network: gaps(&|p| Gap::new(p, claimed[p], network[p], rounding[p] + networked(p))),
            among_routes: gaps(&|p| Gap::new(p, autograd[p], network[p], of_routes[p] + networked(p))),
            scale: Scale::of(&right, of_routes.iter().copied(), &rounding),
            measured: of_claim.measured.iter().zip(&of_numbers).map(whole).collect(),
            shared: of_claim.shared,
            flips,
            composed,
            of_row: columns,
            ..Evidence::empty(no_path)
        };
        evidence.derived = Derived::All(Array::from_vec(&[autograd.len()], autograd)?);
        (evidence.claimed, evidence.rounding, evidence.of_routes) = (claimed, rounding, of_routes);
        match found {
            Differences::Entries { estimate, kinks } => evidence.by_entries(estimate, &kinks),
            Differences::Directions { directions, kinks, unmeasured } => {
                judgement.notes.push(Note::Directions(DIRECTIONS));
                evidence.kinks = evidence.at_kinks(&kinks);
                let rows = self.y.iter().product::<usize>();
                let is_ordered = |p: &usize| evidence.composed.ordered.contains_key(p);
                let stated = |p: usize| (p, (evidence.stated(p), evidence.stated(p)));
                evidence.unmeasured = match rows {
                    1 => unmeasured,
                    // Those are intervals of sums of rows.
                    _ => unmeasured
                        .into_keys()
                        .flat_map(|column| (0..rows).map(move |row| row * columns + column))
                        .map(stated)
                        .collect(),
                };
                evidence.unmeasured.retain(|p, _| !is_ordered(p));
                let tensor = Array::from_slice(self.tensor.shape(), &evidence.claimed)?;
                let claim = |direction: &Array| Ok(along(&tensor, direction, rows));
                let right = Array::from_slice(self.tensor.shape(), &right)?;
                let program = |direction: &Array| Ok(along(&right, direction, rows));
                self.along_directions(&mut evidence, &claim, &program, &directions)?;
            }
        }
        for (y, x) in self.reduced.before.iter().zip(&self.reduced.subject.wrt) {
            let gaps = self.gaps_before(y, x)?;
            evidence.gradient_disagrees |= gaps.iter().any(|gap| gap.ratio() > 1.0);
            evidence.among_routes.extend(gaps);
        }
        let ratios = evidence.among_routes.iter().filter(|gap| gap.error.is_finite()).map(Gap::ratio);
        evidence.contradiction = ratios.fold(evidence.contradiction, f64::max);
        if !evidence.scale.zero {
            // What rounding leaves of numbers from elsewhere is told of all of them together.
            evidence.leave_out_blind(matches!(self.claim.rounding, Rounding::Measured(_)));
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
            if weights.iter().all(|&weight| weight == 0.0) {
                continue;
            }
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

    /// For a Hessian: the gradient that is differentiated, against finite differences of the scalar; and so for higher orders.
    pub(crate) fn gaps_before(&self, y: &Val, x: &Val) -> Result<Vec<Gap>> {
        let Subject { fixed, .. } = self.reduced.subject;
        let gradient = Derivative { y, x, fixed: fixed.iter().collect(), moves: Moves::Freely };
        let (rows, columns) = (y.shape().iter().product::<usize>(), x.shape().iter().product::<usize>());
        let (tensor, spread) = gradient.by_autograd()?;
        let entries = tensor.to_vec_f64();
        let rounding: Vec<f64> =
            spread.iter().zip(&entries).map(|(s, e)| SAFETY * f64::EPSILON * (s + e.abs())).collect();
        let contradicts =
            |p: usize, value: f64, error: f64| (entries[p] - value).abs() > rounding[p] + SAFETY * error;
        let found = gradient.by_differences(&contradicts, &Kinks::NOTHING)?;
        // Where conventions do not compose to the gradient, that is said of the gradient, where it is claimed.
        let undecided = gradient.undecided()?.columns;
        if !undecided.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match found {
            Differences::Entries { estimate, kinks } => (0..entries.len())
                .filter(|p| estimate.error[*p].is_finite() && !kinks.iter().any(|kink| kink.at == *p))
                .map(|p| Gap::new(0, entries[p], estimate.value[p], rounding[p] + SAFETY * estimate.error[p]))
                .collect(),
            Differences::Directions { directions, .. } => directions
                .iter()
                .flat_map(|(direction, estimate)| {
                    let weights = direction.to_vec_f64();
                    let of_rules = along(&tensor, direction, rows);
                    let gap = |row: usize| {
                        let of_row = reach(&rounding[row * columns..(row + 1) * columns], &weights);
                        Gap::new(0, of_rules[row], estimate.value[row], of_row + SAFETY * estimate.error[row])
                    };
                    let measured = (0..rows).filter(|row| estimate.error[*row].is_finite());
                    measured.map(gap).collect::<Vec<Gap>>()
                })
                .collect(),
        })
    }
}

/// Entries of which central differences see the mean of the slopes that pieces have on both sides: a kink that is as narrow as rounding, so
/// that smaller steps do not show it; or a tie of several, of which one alone shows nothing.
fn hidden_kinks(
    derivative: &Derivative<'_>,
    disputed: &[usize],
    estimate: &Estimate,
    columns: usize,
    rounding: &[f64],
) -> Result<Vec<OneSided>> {
    let mut found = Vec::new();
    if disputed.is_empty() {
        return Ok(found);
    }
    let Some(choices) = Choices::new(derivative)? else { return Ok(found) };
    for &p in disputed.iter().take(MOST_HIDDEN) {
        let slopes = choices.slopes_at(p / columns, p % columns)?;
        let error = SAFETY * estimate.error[p] + rounding[p];
        let is_mean = ((slopes.left + slopes.right) / 2.0 - estimate.value[p]).abs() <= error;
        if is_mean && (slopes.left - slopes.right).abs() > error {
            found.push(OneSided { error, ..slopes });
        }
    }
    Ok(found)
}

/// Of the entries whose pieces fit together those that finite differences see one slope of, and that one.
fn seen_to_fit(fitted: Fitted, found: &Differences, columns: usize) -> Fitted {
    let sees = |p: usize, slope: f64| match found {
        Differences::Entries { estimate, kinks } => {
            let error = SAFETY * (f64::EPSILON * fitted.spread[p] + estimate.error[p]);
            kinks.iter().all(|kink| kink.at != p) && (slope - estimate.value[p]).abs() <= error
        }
        // Along directions all entries of a row are seen together.
        Differences::Directions { kinks, unmeasured, .. } => {
            !unmeasured.contains_key(&(p % columns)) && kinks.iter().all(|kink| kink.at != p)
        }
    };
    let entries = fitted.entries.iter().filter(|&(&p, &slope)| sees(p, slope));
    Fitted { entries: entries.map(|(&p, &slope)| (p, slope)).collect(), ..fitted }
}

impl Evidence {
    /// What finite differences say entry by entry.
    fn by_entries(&mut self, estimate: Estimate, kinks: &[OneSided]) {
        let kinked: HashSet<usize> = kinks.iter().map(|kink| kink.at).collect();
        self.truncations = vec![0.0; self.claimed.len()];
        for p in (0..self.claimed.len()).filter(|p| !kinked.contains(p)) {
            let error = SAFETY * estimate.error[p];
            let (tolerance, of_routes) = (self.rounding[p] + error, self.of_routes[p] + error);
            let derived = self.stated(p);
            if of_routes >= derived.abs() && derived != 0.0 {
                self.unseen += 1;
            }
            self.truncation = self.truncation.max(of_routes);
            self.truncations[p] = of_routes;
            if tolerance.is_finite() {
                self.by_differences.push(Gap::new(p, self.claimed[p], estimate.value[p], tolerance));
                self.among_routes.push(Gap::new(p, derived, estimate.value[p], of_routes));
            }
        }
        self.kinks = self.at_kinks(kinks);
        self.estimates = Some(estimate.value);
    }
}
