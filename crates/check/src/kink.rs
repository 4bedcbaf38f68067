//! Kinks: points where the slopes on both sides differ, and jumps, where there is no slope on one side at least.

use crate::differences::exact_step;
use crate::limits::ABOVE_NOISE;

/// The steps of the one-sided difference quotients, in units of the scale: at each of the first ones there must be a gap. At
/// the others it must not be missed where rounding would leave it: a bend so narrow is no kink.
const STEPS: [f64; 8] = [FIRST_STEP, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12];
const SEEN_AT: usize = 3;
pub(crate) const FIRST_STEP: f64 = 1e-5;

/// How far one-sided slopes may be off, relatively: they are extrapolated once, from steps of 10⁻⁵.
const TRUNCATION: f64 = 1e-6;

/// A gap of a smaller share of the slopes is what they may be off by: what is larger and stays as steps shrink is that of a kink, however
/// large the slopes are beside it.
const LEAST_GAP: f64 = 10.0 * TRUNCATION;

/// The values on one side of a jump at a step and at half of it are the same, up to what slopes add.
const SAME_AFTER_A_JUMP: std::ops::Range<f64> = 0.75..1.5;

/// The slopes on both sides of a kink; of a jump on one side the slope is infinite there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OneSided {
    /// Which component has it, or which entry of a derivative.
    pub at: usize,
    pub left: f64,
    pub right: f64,
    /// How far they may be off.
    pub error: f64,
}

/// The slopes of `f` on both sides of 0, component by component, where they differ. `at` is f(0), and `noise` the rounding
/// error of each component.
///
/// One-sided difference quotients differ by a gap that shrinks with the step where the function is smooth and stays at a kink,
/// down to where rounding drowns it. Where the function jumps it is a difference that stays, and no quotient.
pub(crate) fn kinks(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    at: &[f64],
    noise: &[f64],
    scale: f64,
) -> Vec<OneSided> {
    let mut suspects: Vec<OneSided> = Vec::new();
    let mut jumps: Vec<Jump> = Vec::new();
    for (number, step) in STEPS.iter().map(|step| exact_step(step * scale)).enumerate() {
        // What is known of a gap is beyond what rounding makes of it at this step.
        let is_visible = |gap: f64, k: usize| gap > ABOVE_NOISE * noise[k] / step;
        let is_done = !suspects.iter().any(|known| is_visible(known.gap(), known.at));
        if number >= SEEN_AT && jumps.is_empty() && is_done {
            break;
        }
        let Some([left, right]) = one_sided(f, at, step) else { return Vec::new() };
        // A jump is no smaller at any step.
        let by = |k: usize| [left.jumps[k], right.jumps[k]];
        let (left, right) = (&left.slopes, &right.slopes);
        let here = |k: usize| OneSided {
            at: k,
            left: left[k],
            right: right[k],
            // Of the four values in two quotients the nearer ones count twice.
            error: TRUNCATION * left[k].abs().max(right[k].abs()) + 4.0 * noise[k] / step,
        };
        let jump =
            |k: usize| Jump { by: by(k), seen: here(k), noise: 4.0 * noise[k] / step }.beyond(noise[k]);
        jumps = match number {
            0 => (0..at.len()).filter_map(jump).collect(),
            _ => jumps.iter().filter_map(|known| known.that_stays(&jump(known.seen.at)?)).collect(),
        };
        let is_gap = |new: &OneSided| {
            new.gap() > LEAST_GAP * new.left.abs().max(new.right.abs()) && is_visible(new.gap(), new.at)
        };
        if number == 0 {
            suspects = (0..at.len()).map(here).filter(is_gap).collect();
        } else {
            suspects.retain_mut(|known| {
                if number >= SEEN_AT && !is_visible(known.gap(), known.at) {
                    return true;
                }
                let new = here(known.at);
                let stays = is_gap(&new) && (0.5..2.0).contains(&(new.gap() / known.gap()));
                // Smaller steps have fewer digits: they are asked only for what larger ones went past.
                if number < SEEN_AT || !known.agrees(&new) {
                    *known = new;
                }
                stays
            });
        }
        if suspects.is_empty() && jumps.is_empty() {
            break;
        }
    }
    suspects.retain(|kink| jumps.iter().all(|jump| jump.seen.at != kink.at));
    suspects.extend(jumps.iter().map(Jump::as_slopes));
    suspects.sort_by_key(|found| found.at);
    suspects
}

/// How far the values on both sides are from that in the middle, however small the step; 0 on a side without a jump.
#[derive(Clone, Copy)]
struct Jump {
    by: [f64; 2],
    /// What was seen at the largest step, and what rounding makes of a slope there.
    seen: OneSided,
    noise: f64,
}

impl Jump {
    /// What of it is more than rounding.
    fn beyond(self, noise: f64) -> Option<Jump> {
        let by = self.by.map(|by| if by.abs() > ABOVE_NOISE * noise { by } else { 0.0 });
        (by != [0.0; 2]).then_some(Jump { by, ..self })
    }

    /// The sides that jump at a smaller step too, and by as much.
    fn that_stays(&self, smaller: &Jump) -> Option<Jump> {
        let stays = |side: usize| SAME_AFTER_A_JUMP.contains(&(smaller.by[side] / self.by[side]));
        let by = [0, 1].map(|side| if stays(side) { smaller.by[side] } else { 0.0 });
        (by != [0.0; 2]).then_some(Jump { by, ..*self })
    }

    /// On a side where it does not jump too there is a slope.
    fn as_slopes(&self) -> OneSided {
        let slope = |jump: f64, slope: f64| if jump == 0.0 { slope } else { jump.signum() * f64::INFINITY };
        let OneSided { left, right, .. } = self.seen;
        let (left, right) = (slope(-self.by[0], left), slope(self.by[1], right));
        let finite = [left, right].into_iter().filter(|slope| slope.is_finite());
        let error = TRUNCATION * finite.fold(0.0f64, |most, slope| most.max(slope.abs()));
        OneSided { left, right, error: error + self.noise, ..self.seen }
    }
}

impl OneSided {
    fn gap(&self) -> f64 {
        (self.right - self.left).abs()
    }

    /// Are the slopes the same, within what both may be off?
    fn agrees(&self, other: &OneSided) -> bool {
        let within = |a: f64, b: f64| (a - b).abs() <= self.error + other.error;
        within(self.left, other.left) && within(self.right, other.right)
    }
}

/// What is seen on one side.
pub(crate) struct Side {
    /// Difference quotients, extrapolated once.
    pub slopes: Vec<f64>,
    /// Differences that half of the step leaves as they are; 0 where there is none.
    jumps: Vec<f64>,
}

/// Both sides, by values at a step and at half of it.
pub(crate) fn one_sided(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    at: &[f64],
    step: f64,
) -> Option<[Side; 2]> {
    let mut side = |step: f64| -> Option<Side> {
        let (far, near) = (f(step)?, f(step / 2.0)?);
        let moved = |k: usize| (far[k] - at[k], near[k] - at[k]);
        let slope = |k: usize| {
            let (far, near) = moved(k);
            2.0 * near / (step / 2.0) - far / step
        };
        let jump = |k: usize| {
            let (far, near) = moved(k);
            if SAME_AFTER_A_JUMP.contains(&(near / far)) { near } else { 0.0 }
        };
        Some(Side { slopes: (0..at.len()).map(slope).collect(), jumps: (0..at.len()).map(jump).collect() })
    };
    Some([side(-step)?, side(step)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kink_is_told_from_curvature_jumps_and_noise() {
        type Case = (&'static str, fn(f64) -> f64, Option<(f64, f64)>);
        const INF: f64 = f64::INFINITY;
        let cases: [Case; 16] = [
            ("abs", f64::abs, Some((-1.0, 1.0))),
            ("relu on a slope", |x| 3.0 * x + x.max(0.0), Some((3.0, 4.0))),
            ("a steep parabola", |x| 1e3 * x * x + x, None),
            ("tanh", |x| (20.0 * x).tanh(), None),
            ("a line with an offset", |x| 1e5 + x, None),
            ("a jump", |x| if x > 0.0 { 1.0 + 1e3 * x } else { 3.0 * x }, Some((3.0, INF))),
            ("a jump down, on the left", |x| if x < 0.0 { 1.0 } else { x + x * x }, Some((-INF, 1.0))),
            ("a jump on both sides", |x| if x == 0.0 { 0.0 } else { x.signum() }, Some((INF, INF))),
            ("a jump 1e-9 away", |x| if x > 1e-9 { 1.0 } else { 0.0 }, None),
            ("a root", |x| x.abs().sqrt() * x.signum(), None),
            ("a cusp far from 0", |x| (1e3 + x).sqrt(), None),
            ("a kink 1e-8 away", |x| (x - 1e-8).abs(), None),
            ("a kink 1e-11 away", |x| x + (x + 1e-11).max(0.0), None),
            ("an abs rounded off", |x| (x * x + 1e-20).sqrt(), None),
            ("a fast oscillation", |x| (6e7 * x).sin(), None),
            ("stairs of rounding", |x| 1e9 + 1e-3 * x, None),
        ];
        for (name, f, expected) in cases {
            let noise = 4.0 * f64::EPSILON * f(0.0).abs();
            let found = kinks(&mut |t| Some(vec![f(t)]), &[f(0.0)], &[noise], 1.0);
            match (found.as_slice(), expected) {
                ([], None) => {}
                ([OneSided { at: 0, left, right, error }], Some((l, r))) => {
                    let is = |slope: f64, known: f64| slope == known || (slope - known).abs() < *error;
                    assert!(is(*left, l) && is(*right, r), "{name}: {left} {right}");
                    assert!(*error < 1e-5, "{name}: {error}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
