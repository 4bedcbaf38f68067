//! Finite differences with an error estimate.
//!
//! Ridders' method (*Accurate computation of F′(x) and F′(x)F″(x)*, Advances in Engineering Software 4, 1982): central
//! differences at steps that halve, extrapolated to step 0 in a tableau. The entry of the tableau that differs least from
//! its neighbours is taken, and the difference is the error estimate, never below what rounding of the function's values
//! makes of it. Tableaus at smaller and smaller steps follow until no component can gain by another one.
//!
//! A derivative is a limit: where a tableau at large steps contradicts one at smaller steps, beyond what rounding makes of
//! either, the large steps went over something (a kink, a pole, a whole period) and what they say counts for nothing.

use crate::kink::one_sided;
use crate::limits::{MOST_TRUNCATION, SAFETY, TOLERANCES_OF_ALL};

/// A derivative with the error that it may have, component by component.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The derivative.
    pub value: Vec<f64>,
    /// Its error; infinite where nothing could be estimated.
    pub error: Vec<f64>,
}

/// The rounding errors of each component of a function.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    /// Where its derivative is taken.
    pub here: Vec<f64>,
    /// What comes to that beside, per step: where all is zero nothing rounds, and all does that is moved away from it.
    pub per_step: Vec<f64>,
}

impl Noise {
    /// What it makes of a slope at a step.
    fn of_slope(&self, component: usize, step: f64) -> f64 {
        self.here[component] / step + self.per_step[component]
    }
}

/// How far down a derivative is followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Until the estimate is good beside the largest component.
    Enough,
    /// Through all steps: whatever large ones go over is looked for below.
    All,
}

/// Steps in a tableau.
const LEVELS: usize = 6;

/// Tableaus for each scale, each starting at a smaller step than the one before; no power of 2, so that no two steps are in
/// a ratio of periods. The last one starts at 2·10⁻¹³ times the scale.
const STARTS: usize = 12;
const SHRINK: f64 = 11.3;

/// An estimate this good, relative to the largest component, needs no further tableau.
const GOOD: f64 = 1e-10;

/// Fewer digits than what a judgement asks for, by this factor, are enough not to look further.
const FEW: f64 = 0.1;

/// What is expected of a derivative by random numbers, and agrees with it to so many digits, does not by accident. They are as many as are
/// asked for where all values are moved together.
const AGREED: f64 = FEW * MOST_TRUNCATION / (SAFETY * TOLERANCES_OF_ALL);

/// A difference that is off by more than this share of what is expected is one of steps that are too large.
const FAR: f64 = 0.1;

/// An estimate that may be off by more than this share of it has not settled.
const UNSETTLED: f64 = 0.5;

/// Slopes that grow from each of so many tableaus to the next are those of a jump or a pole, and no noise.
const GROWING: usize = 4;

/// Slopes on both sides that differ by less than this share are those of a curve and no kink.
const EVEN: f64 = 1e-2;

/// Significant bits of a step. An argument moved by a step of few bits is not rounded, unless the step is tiny beside it.
const BITS: i32 = 8;

/// The step of [`BITS`] bits next to a length.
pub(crate) fn exact_step(length: f64) -> f64 {
    let unit = (length.log2().floor() + f64::from(1 - BITS)).exp2();
    let step = (length / unit).round() * unit;
    if step.is_normal() { step } else { length }
}

/// The derivative of `f` at 0. `f` returns `None` where it has no finite value; `scales` are lengths over which it may be
/// expected to change, in falling order, and `noise` is the rounding error of each component of `f`.
///
/// Each tableau must be confirmed by the next one, at smaller steps: large steps over an oscillation can agree with one
/// another and be wrong.
///
/// Where noise leaves too few digits at all of these, as of what has no size of its own beside what is added to it, larger steps
/// follow, up to `reach`, for as long as the slopes on both sides of 0 are the same.
pub fn derivative(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    noise: &Noise,
    scales: &[f64],
    reach: f64,
    effort: Effort,
) -> Estimate {
    let components = noise.here.len();
    let mut tableaus: Vec<Tableau> = Vec::with_capacity(STARTS);
    let mut best = nothing(components);
    let mut last = f64::INFINITY;
    'down: for &scale in scales {
        let mut first = exact_step(0.1 * scale);
        for _ in 0..STARTS {
            if first < last {
                last = first;
                tableaus.push(tableau(f, noise, first));
                for k in 0..components {
                    (best.value[k], best.error[k]) = confirmed(&tableaus, k);
                }
            }
            first = exact_step(first / SHRINK);
            let largest = best.value.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            // No estimate is below the noise, which grows as the step shrinks.
            let settled = |k: usize| best.error[k] <= (GOOD * largest).max(noise.of_slope(k, first));
            if effort == Effort::Enough && (0..components).all(settled) {
                break 'down;
            }
        }
    }
    let mut first = exact_step(0.1 * scales.first().copied().unwrap_or(reach));
    while !has_digits(&best) && first < reach {
        first = exact_step(first * SHRINK);
        if !is_even(f, noise, first) {
            break;
        }
        tableaus.insert(0, tableau(f, noise, first));
        for k in 0..components {
            (best.value[k], best.error[k]) = confirmed(&tableaus, k);
        }
    }
    best
}

/// The derivative of a single component where it is what is `expected` of it by random numbers; `None` where differences do not show that.
/// No second tableau need confirm the first one then.
pub(crate) fn agreed(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    noise: &Noise,
    scale: f64,
    expected: f64,
) -> Option<Estimate> {
    let is_known = |best: &Estimate| best.error[0] <= AGREED * expected.abs();
    let agrees =
        |best: &Estimate| is_known(best) && (best.value[0] - expected).abs() <= SAFETY * best.error[0];
    // Steps that went past a pole are followed by smaller ones, for as long as these have the digits.
    let is_far = |central: &[f64]| (central[0] - expected).abs() > FAR * expected.abs();
    let mut first = exact_step(0.1 * scale);
    for _ in 0..STARTS {
        if noise.of_slope(0, first) > AGREED * expected.abs() {
            break;
        }
        let is_over = |central: &[f64], best: &Estimate| agrees(best) || is_far(central);
        let found = tableau_until(f, noise, first, &is_over).best;
        if is_known(&found) {
            return agrees(&found).then_some(found);
        }
        first = exact_step(first / SHRINK);
    }
    None
}

/// The smallest step of a tableau that starts with this one.
fn least_of(first: f64) -> f64 {
    first / f64::from(1 << (LEVELS - 1))
}

/// Are enough digits known of the largest component to judge by?
fn has_digits(estimate: &Estimate) -> bool {
    let largest = estimate.value.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    estimate.error.iter().all(|error| SAFETY * error <= FEW * MOST_TRUNCATION * largest)
}

/// Are the slopes on both sides of 0 the same at the smallest step of a tableau, as far as it shows?
fn is_even(f: &mut dyn FnMut(f64) -> Option<Vec<f64>>, noise: &Noise, first: f64) -> bool {
    let step = least_of(first);
    let Some([left, right]) = f(0.0).and_then(|at| one_sided(f, &at, step)) else { return false };
    (0..noise.here.len()).all(|k| {
        let (left, right) = (left.slopes[k], right.slopes[k]);
        (right - left).abs() <= EVEN * right.abs().max(left.abs()) + SAFETY * noise.of_slope(k, step)
    })
}

/// The best estimate of component `k` which no tableau at smaller steps contradicts and one confirms, and its error.
fn confirmed(tableaus: &[Tableau], k: usize) -> (f64, f64) {
    let mut best = (f64::NAN, f64::INFINITY);
    let is_known = |tableau: &&Tableau| tableau.best.error[k].is_finite();
    let finest: Vec<&Tableau> = tableaus.iter().rev().filter(is_known).take(GROWING).collect();
    let is_unsettled = |Tableau { best, noise }: &Tableau| {
        best.error[k] > (UNSETTLED * best.value[k].abs()).max(SAFETY * noise[k])
    };
    let grows = |pair: &[&Tableau]| pair[0].best.value[k].abs() > 2.0 * pair[1].best.value[k].abs();
    if finest.len() == GROWING && is_unsettled(finest[0]) && finest.windows(2).all(grows) {
        // The limit is not in sight: of what changes over less nothing is known.
        return best;
    }
    let mut finer: Vec<(f64, f64)> = Vec::with_capacity(tableaus.len());
    for tableau in tableaus.iter().rev().filter(is_known) {
        let (a, p) = (tableau.best.value[k], tableau.best.error[k]);
        if finer.iter().any(|&(b, q)| (a - b).abs() > 4.0 * (p + q)) {
            break;
        }
        if let Some(&(b, q)) = finer.last() {
            // The smallest spread of a tableau is small by chance now and then: so it is held against the next tableau.
            let found = if p <= q { (a, p.max((a - b).abs())) } else { (b, q) };
            if found.1 < best.1 {
                best = found;
            }
        }
        finer.push((a, p));
    }
    best
}

fn nothing(components: usize) -> Estimate {
    Estimate { value: vec![f64::NAN; components], error: vec![f64::INFINITY; components] }
}

/// What central differences at some steps give.
struct Tableau {
    best: Estimate,
    /// What rounding makes of a difference at the smallest of them.
    noise: Vec<f64>,
}

/// What central differences from step `first` downwards give.
fn tableau(f: &mut dyn FnMut(f64) -> Option<Vec<f64>>, floor: &Noise, first: f64) -> Tableau {
    tableau_until(f, floor, first, &|_, _| false)
}

/// The same, where it may be over after a difference and what it comes to with those before.
fn tableau_until(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    floor: &Noise,
    first: f64,
    is_over: &dyn Fn(&[f64], &Estimate) -> bool,
) -> Tableau {
    let components = floor.here.len();
    let mut best = nothing(components);
    let mut smallest = vec![f64::INFINITY; components];
    let mut previous: Vec<Vec<f64>> = Vec::new();
    let mut step = first;
    for _ in 0..LEVELS {
        let (Some(right), Some(left)) = (f(step), f(-step)) else {
            previous.clear();
            step /= 2.0;
            continue;
        };
        let central: Vec<f64> = right.iter().zip(&left).map(|(r, l)| (r - l) / (2.0 * step)).collect();
        // What rounding of the values makes of it.
        let noise: Vec<f64> = (0..components)
            .map(|k| (k, right[k].abs().max(left[k].abs())))
            .map(|(k, size)| (2.0 * f64::EPSILON * size / step).max(floor.of_slope(k, step)))
            .collect();
        smallest.clone_from(&noise);
        let mut row = vec![central];
        let mut factor = 1.0;
        for order in 0..previous.len() {
            factor *= 4.0;
            let next: Vec<f64> = row[order]
                .iter()
                .zip(&previous[order])
                .map(|(fine, coarse)| (factor * fine - coarse) / (factor - 1.0))
                .collect();
            for (k, &value) in next.iter().enumerate() {
                let spread = (value - row[order][k]).abs().max((value - previous[order][k]).abs());
                let error = spread.max(noise[k]);
                if error < best.error[k] {
                    (best.value[k], best.error[k]) = (value, error);
                }
            }
            row.push(next);
        }
        if best.error.iter().zip(&noise).all(|(error, noise)| error <= noise) || is_over(&row[0], &best) {
            break;
        }
        previous = row;
        step /= 2.0;
    }
    Tableau { best, noise: smallest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(here: f64) -> Noise {
        Noise { here: vec![here], per_step: vec![0.0] }
    }

    /// What jumps, as everything does that floats cannot move by less than it changes over, has no derivative.
    #[test]
    fn the_limit_is_not_in_sight() {
        let mut jump = |t: f64| {
            Some(vec![if t > 0.0 {
                1.0
            } else if t < 0.0 {
                0.3
            } else {
                0.6
            }])
        };
        let Estimate { value, error } = derivative(&mut jump, &noise(1e-16), &[1e30], 0.0, Effort::All);
        assert!(error[0].is_infinite(), "{value:?} {error:?}");
    }

    /// What is expected is told from what is not, with few evaluations.
    #[test]
    fn what_is_expected_is_agreed() {
        let mut count = 0;
        let mut sine = |t: f64| {
            count += 1;
            Some(vec![(0.3 + t).sin()])
        };
        let right = 0.3f64.cos();
        let estimate = agreed(&mut sine, &noise(1e-16), 1.0, right).expect("it is right");
        assert!((estimate.value[0] - right).abs() <= SAFETY * estimate.error[0], "{estimate:?}");
        assert_eq!(agreed(&mut sine, &noise(1e-16), 1.0, right * (1.0 + 1e-5)), None);
        assert!(count <= 10 + 12, "{count}");
        // Beside a pole, which the first steps go past.
        let mut pole = |t: f64| Some(vec![1.0 / (1e-3 + t)]);
        assert!(agreed(&mut pole, &noise(1e-13), 1.0, -1e6).is_some());
    }

    /// Known derivatives: the error is within the estimate, and the estimate is small.
    #[test]
    fn estimates_bound_the_error() {
        type Case = (&'static str, fn(f64) -> f64, f64, f64);
        let cases: [Case; 15] = [
            ("exp at 1", f64::exp, 1.0, 1f64.exp()),
            ("a parabola at 3", |x| x * x, 3.0, 6.0),
            ("a constant", |_| 5.0, 2.0, 0.0),
            ("sin at 1000", |x| x.sin(), 1000.0, 1000f64.cos()),
            ("log close to its pole", f64::ln, 1e-3, 1e3),
            ("a kink 1e-4 away", |x| (x - 1e-4).abs(), 0.0, -1.0),
            ("1/x at 1e-6", |x| 1.0 / x, 1e-6, -1e12),
            ("a large offset", |x| 1e6 + x.tanh(), 0.5, 1.0 - 0.5f64.tanh().powi(2)),
            ("flat, and a kink 3e-4 away", |x| (x - 1.0 - 3e-4).max(0.0), 1.0, 0.0),
            ("a kink 1e-7 away", |x| (x - 1.0 + 1e-7).max(0.0), 1.0, 1.0),
            ("a kink 3e-9 away", |x| (x - 1.0 + 3e-9).abs(), 1.0, 1.0),
            ("a pole 1e-6 away", |x| 1.0 / (x - 1.0 + 1e-6), 1.0, -1e12),
            (
                "the end of a domain, 1e-10 away",
                |x| (1.0 - x).sqrt(),
                1.0 - f64::EPSILON * 5e5,
                -0.5 / (f64::EPSILON * 5e5).sqrt(),
            ),
            ("a step of width 1e-8", |x| (1e8 * (x - 1.0)).tanh(), 1.0, 1e8),
            ("seconds since 1970", |x| (x - 1.7e9).tanh(), 1.7e9 + 0.5, 1.0 - 0.5f64.tanh().powi(2)),
        ];
        for (name, f, at, expected) in cases {
            let mut moved = |t: f64| Some(vec![f(at + t)]).filter(|y| y[0].is_finite());
            let Estimate { value, error } =
                derivative(&mut moved, &noise(0.0), &[at.abs().max(0.1)], 0.0, Effort::Enough);
            let off = (value[0] - expected).abs();
            assert!(off <= 3.0 * error[0] + 1e-15, "{name}: off by {off:e}, estimated {:e}", error[0]);
            assert!(error[0] <= 1e-5 * expected.abs().max(1.0), "{name}: the estimate is {:e}", error[0]);
        }
    }
}
