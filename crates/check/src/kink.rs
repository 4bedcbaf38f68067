//! Kinks: points where the slopes on both sides differ.

/// How many times a gap between the slopes must exceed what rounding makes of it.
const ABOVE_NOISE: f64 = 1e3;

/// The slopes of `f` on both sides of 0, component by component, where they differ: `(component, left, right)`. `at` is
/// f(0).
///
/// A smooth function has one-sided difference quotients whose gap shrinks with the step; at a kink it stays.
pub(crate) fn kinks(
    f: &mut dyn FnMut(f64) -> Option<Vec<f64>>,
    at: &[f64],
    scale: f64,
) -> Vec<(usize, f64, f64)> {
    let Some((left, right)) = one_sided(f, at, 1e-5 * scale) else { return Vec::new() };
    let noise = |k: usize, step: f64| 4.0 * f64::EPSILON * at[k].abs().max(left[k].abs() * step) / step;
    let gap = |left: &[f64], right: &[f64], k: usize| (right[k] - left[k]).abs();
    let suspect = |k: &usize| {
        let size = left[*k].abs().max(right[*k].abs());
        gap(&left, &right, *k) > 1e-3 * size && gap(&left, &right, *k) > ABOVE_NOISE * noise(*k, 1e-5 * scale)
    };
    let suspects: Vec<usize> = (0..at.len()).filter(suspect).collect();
    if suspects.is_empty() {
        return Vec::new();
    }
    let Some((closer_left, closer_right)) = one_sided(f, at, 1e-7 * scale) else { return Vec::new() };
    let stays = |k: &usize| gap(&closer_left, &closer_right, *k) > 0.5 * gap(&left, &right, *k);
    suspects.into_iter().filter(stays).map(|k| (k, closer_left[k], closer_right[k])).collect()
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
    fn a_kink_is_told_from_curvature() {
        type Case = (&'static str, fn(f64) -> f64, Option<(f64, f64)>);
        let cases: [Case; 5] = [
            ("abs", f64::abs, Some((-1.0, 1.0))),
            ("relu on a slope", |x| 3.0 * x + x.max(0.0), Some((3.0, 4.0))),
            ("a steep parabola", |x| 1e3 * x * x + x, None),
            ("tanh", |x| (20.0 * x).tanh(), None),
            ("a line with an offset", |x| 1e5 + x, None),
        ];
        for (name, f, expected) in cases {
            let found = kinks(&mut |t| Some(vec![f(t)]), &[f(0.0)], 1.0);
            match (found.as_slice(), expected) {
                ([], None) => {}
                ([(0, left, right)], Some((l, r))) => {
                    assert!((left - l).abs() < 1e-6 && (right - r).abs() < 1e-6, "{name}: {left} {right}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
