//! Finite differences with an error estimate.
//!
//! Ridders' method (*Accurate computation of F′(x) and F′(x)F″(x)*, Advances in Engineering Software 4, 1982): central
//! differences at steps that halve, extrapolated to step 0 in a tableau. The entry of the tableau that differs least from
//! its neighbours is taken, and the difference is the error estimate, never below what rounding of the function's values
//! makes of it. The tableau is made again at smaller steps, once to confirm it and more often where the estimate is poor
//! (a kink, a pole or a whole period within the first step).

/// A derivative with the error that it may have, component by component.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The derivative.
    pub value: Vec<f64>,
    /// Its error; infinite where nothing could be estimated.
    pub error: Vec<f64>,
}

/// Steps in a tableau.
const LEVELS: usize = 6;

/// Tableaus, each starting at a smaller step than the one before; no power of 2, so that no two steps are in a ratio of
/// periods.
const STARTS: usize = 6;
const SHRINK: f64 = 11.3;

/// An estimate this good, relative to the largest component, needs no further tableau.
const GOOD: f64 = 1e-10;

/// The derivative of `f` at 0. `f` returns `None` where it has no finite value; `scale` is the length over which it may
/// be expected to change, and `noise` the rounding error of each component of `f`.
///
/// Each tableau must be confirmed by the next one, at smaller steps: large steps over an oscillation can agree with one
/// another and be wrong.
pub fn derivative(f: &mut dyn FnMut(f64) -> Option<Vec<f64>>, noise: &[f64], scale: f64) -> Estimate {
    let components = noise.len();
    let mut tableaus: Vec<Estimate> = Vec::with_capacity(STARTS);
    let mut best = nothing(components);
    let mut first = 0.1 * scale;
    for _ in 0..STARTS {
        tableaus.push(tableau(f, noise, first, scale));
        for k in 0..components {
            (best.value[k], best.error[k]) = confirmed(&tableaus, k);
        }
        let largest = best.value.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        if best.error.iter().all(|&error| error <= GOOD * largest) {
            break;
        }
        first /= SHRINK;
    }
    best
}

/// The best estimate of component `k` on which two tableaus in a row agree, and its error. One that is good for two
/// digits goes before one that is not: large steps across a pole agree on nonsense, with errors as large as the values.
fn confirmed(tableaus: &[Estimate], k: usize) -> (f64, f64) {
    let agree = |pair: &[Estimate]| {
        let ((a, p), (b, q)) = ((pair[0].value[k], pair[0].error[k]), (pair[1].value[k], pair[1].error[k]));
        let best = if p <= q { (a, p) } else { (b, q) };
        ((a - b).abs() <= 4.0 * (p + q) && best.1.is_finite()).then_some(best)
    };
    let rank = |&(value, error): &(f64, f64)| (error > 0.01 * value.abs(), error);
    let candidates = tableaus.windows(2).filter_map(agree);
    let best = candidates.min_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal));
    best.unwrap_or((f64::NAN, f64::INFINITY))
}

fn nothing(components: usize) -> Estimate {
    Estimate { value: vec![f64::NAN; components], error: vec![f64::INFINITY; components] }
}

/// What central differences from step `first` downwards give, at an argument about as large as `scale`.
fn tableau(f: &mut dyn FnMut(f64) -> Option<Vec<f64>>, floor: &[f64], first: f64, scale: f64) -> Estimate {
    let components = floor.len();
    let mut best = nothing(components);
    let mut previous: Vec<Vec<f64>> = Vec::new();
    let mut step = first;
    for _ in 0..LEVELS {
        let (Some(right), Some(left)) = (f(step), f(-step)) else {
            previous.clear();
            step /= 2.0;
            continue;
        };
        let central: Vec<f64> = right.iter().zip(&left).map(|(r, l)| (r - l) / (2.0 * step)).collect();
        // What rounding makes of it: that of the values, and that of the argument, which is about as large as `scale`.
        let noise: Vec<f64> = (0..components)
            .map(|k| right[k].abs().max(left[k].abs()) + scale * central[k].abs())
            .zip(floor)
            .map(|(size, floor)| (2.0 * f64::EPSILON * size).max(*floor) / step)
            .collect();
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
        // No error is below the noise, which grows as the step shrinks.
        if best.error.iter().zip(&noise).all(|(error, noise)| error <= noise) {
            break;
        }
        previous = row;
        step /= 2.0;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known derivatives: the error is within the estimate, and the estimate is small.
    #[test]
    fn estimates_bound_the_error() {
        type Case = (&'static str, fn(f64) -> f64, f64, f64);
        let cases: [Case; 8] = [
            ("exp at 1", f64::exp, 1.0, 1f64.exp()),
            ("a parabola at 3", |x| x * x, 3.0, 6.0),
            ("a constant", |_| 5.0, 2.0, 0.0),
            ("sin at 1000", |x| x.sin(), 1000.0, 1000f64.cos()),
            ("log close to its pole", f64::ln, 1e-3, 1e3),
            ("a kink 1e-4 away", |x| (x - 1e-4).abs(), 0.0, -1.0),
            ("1/x at 1e-6", |x| 1.0 / x, 1e-6, -1e12),
            ("a large offset", |x| 1e6 + x.tanh(), 0.5, 1.0 - 0.5f64.tanh().powi(2)),
        ];
        for (name, f, at, expected) in cases {
            let mut moved = |t: f64| Some(vec![f(at + t)]).filter(|y| y[0].is_finite());
            let Estimate { value, error } = derivative(&mut moved, &[0.0], at.abs().max(0.1));
            let off = (value[0] - expected).abs();
            assert!(off <= 3.0 * error[0] + 1e-15, "{name}: off by {off:e}, estimated {:e}", error[0]);
            assert!(error[0] <= 1e-5 * expected.abs().max(1.0), "{name}: the estimate is {:e}", error[0]);
        }
    }
}
