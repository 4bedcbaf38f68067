//! What lies at kinks, of all values of a survey at once.
//!
//! Where piecewise constant payloads of gradients are at jumps, some entries of these depend on which of its values each of them
//! takes. Which entries those are is seen by taking for every payload something between all that it may be, what each convention makes of it,
//! and what it is beside: what is the same with all of these is *decided*, and moves with everything else. The others move by themselves. Along a direction that moves them alone, y has a slope
//! on the left and one on the right, by differences on that side; and they are what the gradients come to with the payloads as they are
//! there, or else the rules are wrong somewhere. Entries that have one slope on both sides of any direction, which another slope than that of
//! the conventions may be, have pieces that fit together; the rest is at kinks.

use std::collections::BTreeMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_ops::{Result, Val};

use crate::jump::{ALIKE, Jump, NUDGE, jumps_of, keep_fitting, mixed, sided};
use crate::limits::{DIRECTIONS_OF_ALL, MOST_TRUNCATION, SAFETY, TOLERANCES_OF_ALL};

use super::moving::{Moving, Whole};

/// The first steps of one-sided differences, in units of the scale; each is halved three times.
const STEPS: [f64; 5] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

/// Entries of each value, by their positions.
pub(super) type Entries<T> = Vec<BTreeMap<usize, T>>;

/// The gradients as functions of their payloads that are at jumps.
pub(super) struct AtKinks {
    jumps: Vec<Jump>,
    gradients: Whole,
    /// The entries about which these decide, and between what each of them lies where all payloads follow one convention.
    pub undecided: Entries<(f64, f64)>,
    /// Does each piece have a slope at the point itself? `sin(x) / x` at 0 has none, though it goes on smoothly beside.
    pub are_told: bool,
}

/// What is found of the undecided entries.
pub(super) struct Beside {
    /// The slopes of those that have one.
    pub fitted: Entries<f64>,
    /// All payloads as they are at some point beside.
    pub payloads: Vec<Array>,
}

impl AtKinks {
    /// Of the gradients by some values; and these.
    pub(super) fn new(gradients: &[&Val], values: &[&Val]) -> Result<(AtKinks, Vec<Array>)> {
        let jumps = jumps_of(gradients, values.iter().copied())?;
        let payloads: Vec<&Val> = jumps.iter().map(|jump| &jump.payload).collect();
        let of_payloads = Whole::new(&payloads, gradients)?;
        let stated = of_payloads.call(&alike(&jumps, ALIKE[0]))?;
        let undecided = vec![BTreeMap::new(); gradients.len()];
        let mut found = AtKinks { jumps, gradients: of_payloads, undecided, are_told: true };
        if !found.jumps.is_empty() {
            // A condition that is made of several is seen to turn beside alone.
            let mut others: Vec<Vec<Array>> = ALIKE[1..].iter().map(|of| alike(&found.jumps, *of)).collect();
            others.extend(found.somewhere_beside(values)?);
            let of_others: Result<Vec<Vec<Array>>> =
                others.iter().map(|payloads| found.gradients.call(payloads)).collect();
            let of_others = of_others?;
            let of_mixed = found.gradients.call(&mixed(&found.jumps)?)?;
            for gradients in of_others.iter().chain([&of_mixed]) {
                found.differing(&stated, gradients);
                found.are_told &= gradients.iter().all(Array::all_finite);
            }
            // Somewhere between conventions is none.
            of_others.iter().for_each(|gradients| found.widen(gradients));
        }
        Ok((found, stated))
    }

    /// The payloads on both sides of a direction that moves everything, each value in units of its size.
    fn somewhere_beside(&self, values: &[&Val]) -> Result<Vec<Vec<Array>>> {
        let values: Vec<Val> = values.iter().map(|&value| value.clone()).collect();
        let to_payloads = self.to_payloads(&values)?;
        let mut generator = Generator::new(0x62_6573_6964);
        let direction = |value: &Val| -> Result<Array> {
            let size = match value.array()?.max_abs() {
                0.0 => 1.0,
                size => size,
            };
            Ok(generator.randn(&value.shape(), DType::F64)?.map(|z| z * size as f32, |z| z * size)?)
        };
        let directions: Vec<Array> = values.iter().map(direction).collect::<Result<_>>()?;
        sided(&self.jumps, &[to_payloads.at(-NUDGE, &directions)?, to_payloads.at(NUDGE, &directions)?])
    }

    /// The payloads, and then what they are computed from, where values are moved.
    fn to_payloads<'v>(&self, values: &'v [Val]) -> Result<Moving<'v>> {
        let payloads = self.jumps.iter().map(|jump| &jump.payload);
        let inputs = self.jumps.iter().map(|jump| &jump.payload.inputs()[0]);
        Moving::new(&payloads.chain(inputs).collect::<Vec<_>>(), values)
    }

    /// Notes the entries that are others with other payloads.
    fn differing(&mut self, stated: &[Array], others: &[Array]) {
        for ((undecided, stated), other) in self.undecided.iter_mut().zip(stated).zip(others) {
            let same = Same::of(stated, other);
            let (stated, other) = (stated.as_f64(), other.as_f64());
            for p in (0..stated.len()).filter(|&p| !same.is(stated[p], other[p])) {
                undecided.entry(p).or_insert((stated[p], stated[p]));
            }
        }
    }

    /// By one convention more.
    fn widen(&mut self, gradients: &[Array]) {
        for (undecided, gradient) in self.undecided.iter_mut().zip(gradients) {
            let gradient = gradient.as_f64();
            for (&p, (least, most)) in undecided.iter_mut() {
                (*least, *most) = (least.min(gradient[p]), most.max(gradient[p]));
            }
        }
    }

    /// The same of some of these gradients.
    pub(super) fn of_some(self, which: &[usize], gradients: &[&Val]) -> Result<AtKinks> {
        let payloads: Vec<&Val> = self.jumps.iter().map(|jump| &jump.payload).collect();
        let undecided = which.iter().map(|&number| self.undecided[number].clone()).collect();
        let gradients = Whole::new(&payloads, gradients)?;
        Ok(AtKinks { gradients, undecided, ..self })
    }

    pub(super) fn is_any(&self) -> bool {
        self.undecided.iter().any(|entries| !entries.is_empty())
    }

    /// The payloads at jumps, and what they are as the conventions state them.
    pub(super) fn payloads(&self) -> (Vec<&Val>, Vec<Array>) {
        (self.jumps.iter().map(|jump| &jump.payload).collect(), alike(&self.jumps, ALIKE[0]))
    }

    /// Leaves out the entries about which orders decide: of elements that tie, one that is moved alone shows nothing of what all of them
    /// together do.
    fn leave_out_ordered(&self, fitted: &mut Entries<f64>, beside: &[Array]) -> Result<()> {
        if !self.jumps.iter().any(Jump::is_order) {
            return Ok(());
        }
        let of = |(jump, beside): (&Jump, &Array)| {
            if jump.is_order() { beside.clone() } else { jump.stated.clone() }
        };
        let payloads: Vec<Array> = self.jumps.iter().zip(beside).map(of).collect();
        let (stated, others) =
            (self.gradients.call(&alike(&self.jumps, ALIKE[0]))?, self.gradients.call(&payloads)?);
        for ((entries, stated), other) in fitted.iter_mut().zip(&stated).zip(&others) {
            let same = Same::of(stated, other);
            let (stated, other) = (stated.as_f64(), other.as_f64());
            entries.retain(|&p, _| same.is(stated[p], other[p]));
        }
        Ok(())
    }

    /// What is found of the undecided entries, in a program whose values these are and whose output is `here`, changes over some `scale`,
    /// and is rounded by `noise`. `None`: differences do not agree with what the rules make of them, or cannot tell.
    pub(super) fn beside(
        &self,
        y: &Val,
        values: &[Val],
        norms: &[f64],
        scale: f64,
        (here, noise): (f64, f64),
    ) -> Result<Option<Beside>> {
        let to_payloads = self.to_payloads(values)?;
        let mut generator = Generator::new(0x61_745f_6b69_6e6b);
        // On the left and on the right of a direction: the payloads.
        let sides = |directions: &[Array]| -> Result<Vec<Vec<Array>>> {
            let at = |t: f64| to_payloads.at(t * scale, directions);
            sided(&self.jumps, &[at(-NUDGE)?, at(NUDGE)?])
        };
        let of_y = Moving::new(&[y], values)?;
        let (mut fitted, mut beside): (Option<Entries<f64>>, Vec<Array>) = (None, Vec::new());
        for _ in 0..DIRECTIONS_OF_ALL {
            let directions = directions(&self.undecided, values, norms, &mut generator)?;
            let mut slopes = Vec::new();
            for (payloads, sign) in sides(&directions)?.into_iter().zip([-1.0, 1.0]) {
                let gradients = self.gradients.call(&payloads)?;
                let shares = gradients.iter().zip(&directions);
                let dot = |(gradient, by): (&Array, &Array)| -> f64 {
                    gradient.as_f64().iter().zip(&*by.as_f64()).map(|(entry, by)| entry * by).sum()
                };
                let by_rules: f64 = shares.map(dot).sum();
                let mut f = |t: f64| {
                    let y = of_y.at(sign * t, &directions).ok()?;
                    y[0].item().ok().filter(|y| y.is_finite())
                };
                let Some((slope, error)) = slope_to_the_right(&mut f, here, noise, scale) else {
                    return Ok(None);
                };
                let tolerance = SAFETY * (error + f64::EPSILON * by_rules.abs().max(1.0));
                // Each value's share is of size 1.
                if TOLERANCES_OF_ALL * tolerance > MOST_TRUNCATION
                    || (sign * slope - by_rules).abs() > tolerance
                {
                    return Ok(None);
                }
                slopes.push(gradients);
                beside = payloads;
            }
            let same: Vec<Same> = slopes[0].iter().zip(&slopes[1]).map(|(a, b)| Same::of(a, b)).collect();
            let seen = fitted.get_or_insert_with(|| {
                let slope = |(entries, gradient): (&BTreeMap<usize, (f64, f64)>, &Array)| {
                    let gradient = gradient.as_f64();
                    entries.keys().map(|&p| (p, gradient[p])).collect()
                };
                self.undecided.iter().zip(&slopes[0]).map(slope).collect()
            });
            for side in &slopes {
                for ((entries, gradient), same) in seen.iter_mut().zip(side).zip(&same) {
                    let gradient = gradient.as_f64();
                    entries.retain(|&p, &mut slope| same.is(slope, gradient[p]));
                }
            }
        }
        let mut fitted = fitted.unwrap_or_default();
        self.leave_out_ordered(&mut fitted, &beside)?;
        keep_fitting(&mut fitted, &|_| 0.0, &mut |fitted| {
            let directions = directions(fitted, values, norms, &mut generator)?;
            sides(&directions)?.iter().map(|payloads| self.gradients.call(payloads)).collect()
        })?;
        Ok(Some(Beside { fitted, payloads: beside }))
    }
}

/// When slopes of a gradient are the same: up to what rounding makes of its largest entry.
struct Same(f64);

impl Same {
    fn of(a: &Array, b: &Array) -> Same {
        Same(SAFETY * f64::EPSILON * a.max_abs().max(b.max_abs()))
    }

    fn is(&self, a: f64, b: f64) -> bool {
        (a - b).abs() <= self.0
    }
}

fn alike(jumps: &[Jump], of: fn(&Jump) -> &Array) -> Vec<Array> {
    jumps.iter().map(of).cloned().collect()
}

/// Directions that move some entries of each value, in units of what they move y by.
fn directions<T>(
    entries: &[BTreeMap<usize, T>],
    values: &[Val],
    norms: &[f64],
    generator: &mut Generator,
) -> Result<Vec<Array>> {
    let of = |((entries, value), norm): ((&BTreeMap<usize, T>, &Val), &f64)| {
        let shape = value.shape();
        let mut direction = vec![0.0; shape.iter().product()];
        let random = generator.randn(&[entries.len()], DType::F64)?.to_vec_f64();
        entries.keys().zip(random).for_each(|(&p, by)| direction[p] = by / norm);
        Ok(Array::from_vec(&shape, direction)?)
    };
    entries.iter().zip(values).zip(norms).map(of).collect()
}

/// The slope of a function to the right of 0, and how far it may be off. Quotients at a step, its half, a quarter and an eighth are
/// extrapolated; what the last extrapolation changes is what the one before was off by.
fn slope_to_the_right(
    f: &mut dyn FnMut(f64) -> Option<f64>,
    here: f64,
    noise: f64,
    scale: f64,
) -> Option<(f64, f64)> {
    let mut best: Option<(f64, f64)> = None;
    for step in STEPS.map(|step| step * scale) {
        let mut quotients = Vec::new();
        for halvings in 0..4 {
            let step = step / f64::from(1 << halvings);
            quotients.push((f(step)? - here) / step);
        }
        let mut before = f64::NAN;
        for order in 1..4 {
            let power = f64::from(1 << order);
            before = quotients[quotients.len() - 1];
            quotients =
                quotients.windows(2).map(|pair| (power * pair[1] - pair[0]) / (power - 1.0)).collect();
        }
        // The quotient at the smallest step counts up to 3.05 times, and its rounding is that of two values.
        let own = 64.0 * noise / step + f64::EPSILON * before.abs();
        let error = (quotients[0] - before).abs() + own;
        if best.is_none_or(|(_, least)| error < least) {
            best = Some((quotients[0], error));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_on_one_side_is_told_within_its_error() {
        type Case = (&'static str, fn(f64) -> f64, f64);
        let cases: [Case; 4] = [
            ("a kink at 0", |t| 2.0 + 3.0 * t.abs() + (2.0 * t).exp(), 5.0),
            ("another kink nearby", |t| t.sin() + 7.0 * (t - 3e-3).max(0.0), 1.0),
            ("far from 0", |t| 1e3 + t.cos() - t, -1.0),
            ("steep", |t| (20.0 * t).tanh(), 20.0),
        ];
        for (name, f, slope) in cases {
            let noise = 4.0 * f64::EPSILON * f(0.0).abs();
            let found = slope_to_the_right(&mut |t| Some(f(t)), f(0.0), noise, 1.0);
            let (value, error) = found.expect("finite values");
            assert!((value - slope).abs() <= error && error < 1e-6, "{name}: {value} ± {error}");
        }
    }
}
