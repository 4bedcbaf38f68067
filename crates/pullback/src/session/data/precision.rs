//! In what other code computed the numbers of a dump, and how that is known.
//!
//! A dump holds numbers in some format, and they may have been computed in a narrower one. What tells it are digits
//! ([`Digits`]), of what was *computed* first: gradients, and values of definitions. A computation is as coarse as the coarsest of
//! its results, so that an f32 gradient beside bf16 ones may have had intermediate results in bf16. Where no result tells
//! anything, the true numbers are: those of a kernel that ran in bf16 are what bf16 makes of the derivative, and f32 would hold
//! others. And then the inputs are asked, of which the finest decides, as it does where formats are mixed; but nothing is taken for
//! the result of rounding that cannot be one. What is left was computed in what holds it.

use pullback_array::file::{Digits, Entry, are_nearest, are_off, rounded_to};
use pullback_array::{Array, Precision};
use pullback_report::Because;

use super::names::Role;

/// Distinct numbers fewer than these, all together, are not recognised as those of a narrower format: one in 2¹³ numbers of f32 is one
/// of f16 by chance, and one in 2¹⁶ one of bf16.
const FEWEST: usize = 4;

/// Distinct numbers fewer than these, all together, that are what a narrower format makes of the true ones do not tell it: a wrong
/// number of eight digits is as close to the true one, which has more, once in 2⁷ times; and what terms that cancel have
/// left is short too, and close to the true one.
const FEWEST_ROUNDED: usize = 3;

/// The precision in which numbers were computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assumed {
    pub(super) precision: Precision,
    pub(super) because: Because,
}

/// The true numbers of what an entry of a dump claims or computes, where they are known.
pub(super) type Truth<'a> = dyn Fn(usize) -> Option<Array> + 'a;

/// In what each entry of a dump was computed. Where `asked` is given, that holds for all.
pub(super) fn assumed(
    entries: &[(Role, &Entry)],
    asked: Option<Precision>,
    truth: &Truth<'_>,
) -> Vec<Assumed> {
    if let Some(precision) = asked {
        let said = Assumed { precision, because: Because::Asked };
        return entries.iter().map(|_| said.clone()).collect();
    }
    let evidence = Evidence::of(entries, truth);
    (0..entries.len()).map(|number| evidence.of_entry(number)).collect()
}

/// What the digits of all entries tell.
struct Evidence<'a> {
    entries: &'a [(Role, &'a Entry)],
    digits: Vec<Digits>,
    /// The format that an entry's own digits tell.
    told: Vec<Option<Precision>>,
    /// Was it told by what the true numbers are?
    by_truth: Vec<bool>,
    truth: &'a Truth<'a>,
}

impl<'a> Evidence<'a> {
    fn of(entries: &'a [(Role, &'a Entry)], truth: &'a Truth<'a>) -> Evidence<'a> {
        let digits: Vec<Digits> =
            entries.iter().map(|(_, entry)| Digits::of(&entry.array, entry.stored)).collect();
        let mut told: Vec<Option<Precision>> = entries
            .iter()
            .zip(&digits)
            .map(|((_, entry), digits)| digits.told().filter(|_| entry.precision != Precision::Whole))
            .collect();
        let narrower = |number: usize| told[number].filter(|told| *told != entries[number].1.stored);
        let few = |number: usize, format: Precision| {
            let alike = (0..entries.len()).filter(|&other| {
                narrower(other) == Some(format) && entries[other].1.stored == entries[number].1.stored
            });
            // What another name, a mean or a broadcast repeats is one number.
            let mut numbers: Vec<f64> =
                alike.flat_map(|other| entries[other].1.array.to_vec_f64()).map(f64::abs).collect();
            numbers.retain(|x| x.is_normal());
            numbers.sort_by(f64::total_cmp);
            numbers.dedup();
            numbers.len() < FEWEST
        };
        let untold: Vec<usize> = (0..entries.len())
            .filter(|&number| {
                narrower(number).is_some_and(|format| {
                    few(number, format) || is_moved(entries, number) || is_exact(entries, number, truth)
                })
            })
            .collect();
        untold.into_iter().for_each(|number| told[number] = None);
        let mut evidence = Evidence { entries, digits, told, by_truth: vec![false; entries.len()], truth };
        evidence.hear_truth();
        evidence
    }

    /// What the true numbers tell of results that a narrower format has, and whose own digits tell nothing.
    fn hear_truth(&mut self) {
        let is_open = |&number: &usize| {
            let (role, entry) = &self.entries[number];
            !is_input(role) && self.told[number].is_none() && entry.precision == entry.stored
        };
        let open: Vec<usize> = (0..self.entries.len())
            .filter(is_open)
            .filter(|&number| !self.digits[number].fits().is_empty())
            .collect();
        let known: Vec<(usize, Array)> =
            open.into_iter().filter_map(|number| Some((number, (self.truth)(number)?))).collect();
        let mut formats: Vec<Precision> =
            known.iter().flat_map(|(number, _)| self.digits[*number].fits().to_vec()).collect();
        formats.sort_by(|a, b| coarser(b, a));
        formats.dedup();
        for format in formats {
            let rounded = |(number, exact): &(usize, Array)| {
                let entry = self.entries[*number].1;
                let (is_of, is_as_large) =
                    (self.digits[*number].are_of(format), entry.array.len() == exact.len());
                let rounded = (is_of && is_as_large)
                    .then(|| rounded_to(&entry.array, exact, entry.stored, format))
                    .filter(|rounded| !rounded.is_empty());
                Some((*number, rounded?))
            };
            let found: Vec<(usize, Vec<f64>)> = known.iter().filter_map(rounded).collect();
            let mut distinct: Vec<f64> = found.iter().flat_map(|(_, rounded)| rounded.clone()).collect();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            // Few that are each the very number which the format has for the true one tell it all the same (a mean's 1/N), where nothing
            // that was given has more digits.
            let are_nearest = || {
                let given = self.told_by(is_input);
                let is_nearest = |(number, _): &(usize, Vec<f64>)| {
                    let exact = known.iter().find(|(other, _)| other == number);
                    exact.is_some_and(|(_, exact)| are_nearest(&self.entries[*number].1.array, exact, format))
                };
                !found.is_empty()
                    && given.iter().all(|(_, told)| !is_coarser(format, *told))
                    && found.iter().all(is_nearest)
            };
            if distinct.len() >= FEWEST_ROUNDED || are_nearest() {
                for (number, _) in found {
                    (self.told[number], self.by_truth[number]) = (Some(format), true);
                }
                return;
            }
        }
    }

    fn of_entry(&self, number: usize) -> Assumed {
        let entry = self.entries[number].1;
        let stored = entry.stored;
        let held = Assumed { precision: stored, because: Because::Held };
        if entry.precision != stored {
            return Assumed { precision: entry.precision, because: Because::Asked };
        }
        if stored == Precision::Whole {
            return held;
        }
        let computed = self.told_by(|role| !is_input(role));
        let (own, coarsest) = (self.told[number], computed.iter().map(|(_, told)| *told).max_by(coarser));
        if let Some(coarsest) = coarsest {
            if !is_coarser(coarsest, stored) {
                return held;
            }
            let because = match own {
                Some(own) if own == coarsest && self.by_truth[number] => Because::Rounded,
                Some(own) if own == coarsest => Because::OwnDigits,
                _ => Because::OthersDigits { name: first_of(&computed, coarsest), own },
            };
            return Assumed { precision: coarsest, because };
        }
        let digits = &self.digits[number];
        let inputs = self.told_by(is_input);
        match inputs.iter().map(|(_, told)| *told).min_by(coarser) {
            Some(finest)
                if is_coarser(finest, stored)
                    && digits.are_of(finest)
                    && (digits.may_be_rounded(finest) || self.is_off(number, finest)) =>
            {
                Assumed {
                    precision: finest,
                    because: Because::InputsDigits { name: first_of(&inputs, finest) },
                }
            }
            _ if digits.narrowest() == stored => held,
            _ => Assumed { because: Because::NoEvidence, ..held },
        }
    }

    /// Are the true numbers others than most of these, or than some that may be rounded to this format? Then what other code stored is
    /// not exact: it may be what terms that cancel left of rounding, and have few digits in any format, and beside it may stand shares of
    /// ties, which have few everywhere.
    fn is_off(&self, number: usize, format: Precision) -> bool {
        let (role, entry) = &self.entries[number];
        if is_input(role) {
            return false;
        }
        (self.truth)(number).is_some_and(|truth| are_off(&entry.array, &truth, entry.stored, format))
    }

    /// What digits tell of the entries of such a role, with their names.
    fn told_by(&self, is_one: impl Fn(&Role) -> bool) -> Vec<(&'a str, Precision)> {
        let entries = self.entries.iter().zip(&self.told).filter(|((role, _), _)| is_one(role));
        entries.filter_map(|((_, entry), told)| Some((entry.name.as_str(), (*told)?))).collect()
    }
}

fn is_input(role: &Role) -> bool {
    matches!(role, Role::Input(_))
}

/// The name of the first that has the digits of a format.
fn first_of(told: &[(&str, Precision)], format: Precision) -> String {
    told.iter().find(|(_, told)| *told == format).map_or_else(String::new, |(name, _)| (*name).to_string())
}

fn coarser(one: &Precision, other: &Precision) -> std::cmp::Ordering {
    one.epsilon().total_cmp(&other.epsilon())
}

fn is_coarser(one: Precision, other: Precision) -> bool {
    coarser(&one, &other).is_gt()
}

/// Are these results the true numbers, to the last digit? Then nothing was rounded, and the digits are those of the inputs.
fn is_exact(entries: &[(Role, &Entry)], number: usize, truth: &Truth<'_>) -> bool {
    let (role, entry) = &entries[number];
    !is_input(role) && truth(number).is_some_and(|exact| exact.to_vec_f64() == entry.array.to_vec_f64())
}

/// Was this computed by moving numbers of an input: each is that of the input in its place, or zero, but for its sign and a
/// power of two that all have in common? Then its digits are the input's, whatever computed it.
fn is_moved(entries: &[(Role, &Entry)], number: usize) -> bool {
    if is_input(&entries[number].0) {
        return false;
    }
    let inputs = entries.iter().filter(|(role, _)| is_input(role)).map(|(_, entry)| entry);
    let of_its_size = inputs.filter(|input| input.array.len() == entries[number].1.array.len());
    let numbers = entries[number].1.array.to_vec_f64();
    of_its_size.into_iter().any(|input| {
        let given = input.array.to_vec_f64();
        let mut pairs = numbers.iter().zip(&given).filter(|(moved, _)| **moved != 0.0);
        let Some((first, from)) = pairs.next() else { return false };
        let times = (first / from).abs();
        // A power of two has no digits beside its exponent.
        times.is_normal()
            && times.to_bits().trailing_zeros() >= 52
            && pairs.all(|(moved, from)| moved.abs() == times * from.abs())
    })
}
