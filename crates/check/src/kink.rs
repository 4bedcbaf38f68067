//! Kinks: points where the slopes on both sides differ.

use crate::differences::exact_step;
use crate::limits::ABOVE_NOISE;

/// The steps of the one-sided difference quotients, in units of the scale: at each of the first ones there must be a gap. At
/// the others it must not be missed where rounding would leave it: a bend so narrow is no kink.
const STEPS: [f64; 8] = [FIRST_STEP, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12];
const SEEN_AT: usize = 3;
pub(crate) const FIRST_STEP: f64 = 1e-5;

/// How far one-sided slopes may be off, relatively: they are extrapolated once, from steps of 10⁻⁵.
const TRUNCATION: f64 = 1e-6;

/// The slopes on both sides of a kink.
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
/// One-sided difference quotients differ by a gap that shrinks with the step where the function is smooth, grows as 1/step
/// where it jumps, and stays at a kink, down to where rounding drowns it.
pub(crate) fn kinks(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    at: &[f64],
    noise: &[f64],
    scale: f64,
) -> Vec<OneSided> {
    let mut suspects: Vec<OneSided> = Vec::new();
    for (number, step) in STEPS.iter().map(|step| exact_step(step * scale)).enumerate() {
        // What is known of a gap is beyond what rounding makes of it at this step.
        let is_visible = |gap: f64, k: usize| gap > ABOVE_NOISE * noise[k] / step;
        if number >= SEEN_AT && !suspects.iter().any(|known| is_visible(known.gap(), known.at)) {
            break;
        }
        let Some((left, right)) = one_sided(f, at, step) else { return Vec::new() };
        let here = |k: usize| OneSided {
            at: k,
            left: left[k],
            right: right[k],
            // Of the four values in two quotients the nearer ones count twice.
            error: TRUNCATION * left[k].abs().max(right[k].abs()) + 4.0 * noise[k] / step,
        };
        let is_gap = |new: &OneSided| {
            new.gap() > 1e-3 * new.left.abs().max(new.right.abs()) && is_visible(new.gap(), new.at)
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
        if suspects.is_empty() {
            break;
        }
    }
    suspects
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

/// One-sided difference quotients, extrapolated once.
fn one_sided(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    at: &[f64],
    step: f64,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut slope = |step: f64| -> Option<Vec<f64>> {
        let (far, near) = (f(step)?, f(step / 2.0)?);
        let quotient = |k: usize| 2.0 * (near[k] - at[k]) / (step / 2.0) - (far[k] - at[k]) / step;
        Some((0..at.len()).map(quotient).collect())
    };
    Some((slope(-step)?, slope(step)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kink_is_told_from_curvature_jumps_and_noise() {
        type Case = (&'static str, fn(f64) -> f64, Option<(f64, f64)>);
        let cases: [Case; 11] = [
            ("abs", f64::abs, Some((-1.0, 1.0))),
            ("relu on a slope", |x| 3.0 * x + x.max(0.0), Some((3.0, 4.0))),
            ("a steep parabola", |x| 1e3 * x * x + x, None),
            ("tanh", |x| (20.0 * x).tanh(), None),
            ("a line with an offset", |x| 1e5 + x, None),
            ("a jump", |x| if x > 0.0 { 1.0 + x } else { x }, None),
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
                    assert!(
                        (left - l).abs() < *error && (right - r).abs() < *error,
                        "{name}: {left} {right}"
                    );
                    assert!(*error < 1e-5, "{name}: {error}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
