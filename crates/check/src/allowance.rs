//! How far numbers of other code may be off, and when all of them together are off by more than rounding explains.
//!
//! What is measured is how far rounding moves an entry ([`crate::rounding`]). Of that a single entry may be off by [`SAFETY`]
//! times, since measurements are samples, and functions are off by more than their last rounding; in 16 bits, where all is
//! computed in 32 and rounded as it is stored, by [`OF_ONE`] times. But rounding goes both ways, and what is systematic shows in many entries long before
//! it shows in one: a multiple of the derivative, or a shift of all entries to one side. Of these is measured as well how far rounding
//! moves them ([`Shared`]): far where they share what is rounded (a norm, a mean), and hardly where they do not.

use std::borrow::Cow;

use pullback_array::Precision;

use crate::evidence::rounding_of;
use crate::exact::DIGITS;
use crate::limits::{MOST_OF_ALL, OF_ONE, OF_SHARED, SAFETY, STORED};
use crate::rounding::Measured;

/// How far each entry may be off.
pub(crate) struct Allowance {
    /// At the most.
    pub most: Vec<f64>,
    /// As measured: what [`OF_ONE`] stands before.
    pub measured: Vec<f64>,
    /// How far all of them may be off together; `None` where that is not measured.
    pub shared: Option<Shared>,
}

/// How far rounding moves all entries together, at the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared {
    /// To a multiple of the derivative: the share of it.
    pub multiple: f64,
    /// To one side, in units of what is measured of each entry, in the mean.
    pub side: f64,
    /// Is that all that they have in common? Few samples may miss what entries that round alike do.
    pub is_all: bool,
}

impl Shared {
    /// Of rows that were measured in this precision, so far for each entry.
    fn of(precision: Precision, rows: &[&Measured], measured: &[f64]) -> Option<Shared> {
        // The factor that stands before what is measured, and how far a number is off that all of them are multiplied by and the program does not
        // state as a value: the scale of a loss, the inverse of a count.
        let (times, scaled) = match precision.is_of_16_bits() {
            true => (OF_SHARED, STORED * 0.5 * precision.epsilon()),
            false => (SAFETY, SAFETY * 0.5 * precision.epsilon()),
        };
        let samples = rows.iter().map(|row| row.shared.len()).min().filter(|&samples| samples > 0)?;
        let largest = |of: &dyn Fn(&[f64; 2]) -> f64| {
            let sum = |sample: usize| rows.iter().map(|row| of(&row.shared[sample])).sum::<f64>().abs();
            (0..samples).map(sum).max_by(f64::total_cmp).unwrap_or(0.0)
        };
        let (mut squares, mut count, mut scale) = (0.0, 0.0, 0.0);
        let mut measured = measured.iter();
        for row in rows {
            let entries = row.value.as_f64();
            let of_row = entries.iter().zip(measured.by_ref());
            for (entry, measured) in of_row.filter(|(entry, measured)| **entry != 0.0 && **measured > 0.0) {
                squares += entry * entry;
                count += 1.0;
                scale += scaled * entry.abs() / measured;
            }
        }
        let shared = Shared {
            multiple: times * rounding_of(precision, largest(&|sums| sums[0]) / squares) + scaled,
            side: (OF_ONE * largest(&|sums| sums[1]) + scale) / count,
            is_all: precision.is_of_16_bits(),
        };
        (shared.multiple.is_finite() && shared.side.is_finite()).then_some(shared)
    }
}

impl Allowance {
    /// Of entries that are zero, each of which may be off by so much, and of others.
    pub(crate) fn of_zeros(most: f64, are_zero: impl Iterator<Item = bool>) -> Allowance {
        Allowance::of_errors(are_zero.map(|is_zero| if is_zero { most / SAFETY } else { 0.0 }).collect())
    }

    /// Where nothing is computed but zeros.
    pub(crate) fn of_nothing(precision: Precision, entries: usize) -> Allowance {
        Allowance::of_errors(vec![rounding_of(precision, 0.0); entries])
    }

    /// Of numbers that may be off by so much each, as measured.
    pub(crate) fn of_errors(measured: Vec<f64>) -> Allowance {
        Allowance { most: measured.iter().map(|error| SAFETY * error).collect(), measured, shared: None }
    }

    /// Of rows that were measured in this precision.
    pub(crate) fn of<'a>(precision: Precision, rows: impl IntoIterator<Item = &'a Measured>) -> Allowance {
        let rows: Vec<&Measured> = rows.into_iter().collect();
        let entries = rows.iter().map(|row| row.moved.len()).sum();
        let (mut most, mut measured) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        for row in &rows {
            let entries = row.value.as_f64();
            for ((entry, &moved), spread) in entries.iter().zip(&row.moved).zip(row.spreads(&entries)) {
                let whole = rounding_of(precision, spread);
                // In 16 bits results are rounded when they are stored, and nothing else: by half an epsilon at the most.
                let (all, unit) = match precision {
                    Precision::F16 | Precision::BF16 => {
                        let stored = STORED * 0.5 * precision.epsilon() * entry.abs();
                        (stored + OF_ONE * rounding_of(precision, moved), whole)
                    }
                    _ => (SAFETY * whole, SAFETY / OF_ONE * whole),
                };
                most.push(all);
                measured.push(unit);
            }
        }
        let shared = Shared::of(precision, &rows, &measured);
        Allowance { most, measured, shared }
    }

    /// Are numbers no farther off than that, each and all together?
    pub(crate) fn covers(&self, claimed: &[f64], derived: &[f64]) -> bool {
        let mut entries = claimed.iter().zip(derived).zip(&self.most);
        entries.all(|((claimed, derived), most)| (claimed - derived).abs() <= *most)
            && out_of_proportion(claimed, derived, &self.measured, self.shared).is_none()
            && one_sided(claimed, derived, &self.measured, self.shared).is_none()
    }

    /// How far each entry may be off where all are off together.
    pub(crate) fn of_all(&self) -> Vec<f64> {
        let most = self.shared.map_or(MOST_OF_ALL, |shared| shared.side);
        self.measured.iter().map(|measured| most * measured).collect()
    }

    /// The same where it is told at all: a piece beside may end at the point.
    pub(crate) fn where_told(self) -> Allowance {
        let told =
            |errors: Vec<f64>| errors.into_iter().map(|e| if e.is_finite() { e } else { 0.0 }).collect();
        Allowance { most: told(self.most), measured: told(self.measured), ..self }
    }

    /// The larger of both, entry by entry.
    pub(crate) fn or(&mut self, other: &Allowance) {
        let larger = |a: &mut Vec<f64>, b: &Vec<f64>| a.iter_mut().zip(b).for_each(|(a, b)| *a = a.max(*b));
        larger(&mut self.most, &other.most);
        larger(&mut self.measured, &other.measured);
        self.shared = self.shared.zip(other.shared).map(|(a, b)| Shared {
            multiple: a.multiple.max(b.multiple),
            side: a.side.max(b.side),
            is_all: a.is_all && b.is_all,
        });
    }
}

/// How far so many independent deviations may be off in the mean, in units of how far each is measured to be: √n times less
/// than a single one.
fn of_independent(count: f64) -> f64 {
    OF_ONE / count.max(1.0).sqrt()
}

/// How far from 1 a multiple may be that independent deviations make.
///
/// Entries count by their squares, so that few large ones are few whatever stands beside them; and such as have the same digits
/// are rounded alike, and count as one.
fn multiple_of_independent(derived: &[f64], measured: &[f64]) -> f64 {
    let square = sum_of_squares(derived);
    let independent = square * square / squares_of_like(derived.iter().map(|&entry| (entry, entry * entry)));
    of_independent(independent) * (sum_of_squares(measured) / square).sqrt()
}

/// How far to one side independent deviations may be, in the mean and in units of how far each is measured to be.
fn side_of_independent(derived: &[f64], measured: &[f64]) -> f64 {
    let told = || derived.iter().zip(measured).filter(|(entry, measured)| **measured > 0.0 && **entry != 0.0);
    let count = told().count() as f64;
    of_independent(count * count / squares_of_like(told().map(|(&entry, _)| (entry, 1.0))))
}

fn sum_of_squares(numbers: &[f64]) -> f64 {
    numbers.iter().map(|number| number * number).sum()
}

/// The number that claimed numbers are times the derivative, where rounding, which goes both ways, does not make it.
pub(crate) fn out_of_proportion(
    claimed: &[f64],
    derived: &[f64],
    measured: &[f64],
    shared: Option<Shared>,
) -> Option<f64> {
    let [claimed, derived, measured] = &of_told([claimed, derived, measured]);
    let square = sum_of_squares(derived);
    let times =
        claimed.iter().zip(derived.iter()).map(|(claimed, derived)| claimed * derived).sum::<f64>() / square;
    let off = (times - 1.0).abs();
    // No number of entries that differ makes it less.
    let most = match shared {
        Some(shared) => shared.multiple,
        None => MOST_OF_ALL * (sum_of_squares(measured) / square).sqrt(),
    };
    let is_off = off > most && (is_all(shared) || off > multiple_of_independent(derived, measured));
    is_off.then_some(times)
}

/// How far claimed numbers lie to one side of the derivative in the mean, in units of what rounding is measured to do to each,
/// where that is more than rounding does to all.
pub(crate) fn one_sided(
    claimed: &[f64],
    derived: &[f64],
    measured: &[f64],
    shared: Option<Shared>,
) -> Option<f64> {
    let [claimed, derived, measured] = &of_told([claimed, derived, measured]);
    let told = || (0..derived.len()).filter(|&k| measured[k] > 0.0 && derived[k] != 0.0);
    let off = |k: usize| (claimed[k] - derived[k]) / measured[k];
    let mean = told().map(off).sum::<f64>() / told().count() as f64;
    let most = shared.map_or(MOST_OF_ALL, |shared| shared.side);
    let is_off = mean.abs() > most && (is_all(shared) || mean.abs() > side_of_independent(derived, measured));
    is_off.then_some(mean)
}

/// What is claimed, derived and measured of the entries of which it can be told how far rounding moves them.
fn of_told([claimed, derived, measured]: [&[f64]; 3]) -> [Cow<'_, [f64]>; 3] {
    [claimed, derived, measured].map(|of| match measured.iter().all(|measured| measured.is_finite()) {
        true => Cow::Borrowed(of),
        false => {
            of.iter().zip(measured).filter(|(_, measured)| measured.is_finite()).map(|(x, _)| *x).collect()
        }
    })
}

fn is_all(shared: Option<Shared>) -> bool {
    shared.is_some_and(|shared| shared.is_all)
}

/// The sum of the squares of the weights of entries, where those with the same digits have one weight.
fn squares_of_like(entries: impl Iterator<Item = (f64, f64)>) -> f64 {
    // What differs in the last bits of double precision is the same in fewer.
    const ROUNDED: u64 = 1 << 10;
    let digits = |entry: f64| ((entry.to_bits() & DIGITS) + ROUNDED / 2) / ROUNDED;
    let mut like: Vec<(u64, f64)> = entries.map(|(entry, weight)| (digits(entry), weight)).collect();
    like.sort_unstable_by_key(|(digits, _)| *digits);
    like.chunk_by(|a, b| a.0 == b.0).map(|group| group.iter().map(|(_, w)| w).sum::<f64>().powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_entries_share() {
        let derived: Vec<f64> = (1..=64).map(|k| f64::from(k).sqrt()).collect();
        let measured: Vec<f64> = derived.iter().map(|entry| entry / 256.0).collect();
        let claimed = |off: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..derived.len()).map(|k| derived[k] + off(k) * measured[k]).collect()
        };
        let both = |numbers: &[f64]| {
            [
                out_of_proportion(numbers, &derived, &measured, None),
                one_sided(numbers, &derived, &measured, None),
            ]
            .map(|found| found.is_some())
        };
        let sign = |k: usize| if k.is_multiple_of(2) { 1.0 } else { -1.0 };
        assert_eq!(both(&claimed(&|k| 7.0 * sign(k))), [false, false]);
        assert_eq!(both(&claimed(&|_| 1.5)), [false, false]);
        assert_eq!(both(&claimed(&|_| 2.5)), [true, true]);
        // A shift of the small entries alone is no multiple.
        assert_eq!(both(&claimed(&|k| if k < 24 { 7.0 } else { 0.0 })), [false, true]);
        // What nothing can be told of says nothing of the others.
        let lost = |k: usize| if k < 3 { (0.0, f64::INFINITY) } else { (derived[k] * 1.02, measured[k]) };
        let (numbers, errors): (Vec<f64>, Vec<f64>) = (0..derived.len()).map(lost).unzip();
        assert!(out_of_proportion(&numbers, &derived, &errors, None).is_some());
        assert_eq!(out_of_proportion(&[0.0], &[1.0], &[f64::INFINITY], None), None);
        // One entry may be off by as much as it is judged by, and so may many that are the same.
        let alone =
            |off: f64| out_of_proportion(&[1.0 + off / 256.0], &[1.0], &[1.0 / 256.0], None).is_some();
        assert_eq!([alone(0.99 * OF_ONE), alone(1.01 * OF_ONE)], [false, true]);
        let alike = [1.0, 2.0, -0.5, 4.0].repeat(16);
        let off: Vec<f64> = alike.iter().map(|entry| entry * (1.0 + 0.99 * OF_ONE / 256.0)).collect();
        let errors: Vec<f64> = alike.iter().map(|entry: &f64| entry.abs() / 256.0).collect();
        assert_eq!(out_of_proportion(&off, &alike, &errors, None), None);
    }
}
