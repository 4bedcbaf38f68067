//! What the digits of numbers tell of the format in which they were computed.
//!
//! NumPy has no bf16, so that many a dump holds f32 numbers that were computed in a narrower format. Results that were rounded to
//! eight significant bits and then widened have zeros behind the eighth; and of results, which fall anywhere, every other one has
//! the eighth set. Whole numbers, zeros and simple fractions are numbers of every format, whatever they were computed in: they
//! tell nothing, and it is never they by which a format is recognised.
//!
//! ```
//! use pullback_array::{Array, Precision, file::Digits};
//! let third = 0.333984375f32;                     // 1/3 in bf16
//! let rounded: Vec<f32> = (1u8..40).map(|k| third * 2f32.powi(i32::from(k % 7))).collect();
//! assert_eq!(Digits::of(&Array::from_slice(&[39], &rounded)?, Precision::F32).told(), Some(Precision::BF16));
//! let counts: Vec<f32> = (130u8..230).map(f32::from).collect();
//! assert_eq!(Digits::of(&Array::from_slice(&[100], &counts)?, Precision::F32).told(), None);
//! # Ok::<(), pullback_array::Error>(())
//! ```

use crate::{Array, Precision};

/// Of results half use the last digit of their format. That a quarter do leaves room for values that every format has among
/// them (the zeros and ones of what saturates), and simple fractions hardly ever use it.
const LEAST_SHARE: usize = 4;

/// Numbers whose last digits would be as bare as this by chance are no rounded results.
const BY_CHANCE: f64 = 1e-3;

/// And those are that would be as bare once in twenty times. Four simple fractions, of two digits each, would be less than once in a thousand.
const OFTEN: f64 = 0.05;

/// What rounding in the format that holds numbers may do to one: more is that of a narrower one.
const ROUNDED: f64 = 64.0;

/// What the digits of an array tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Digits {
    /// The narrowest format that has all these numbers.
    narrowest: Precision,
    /// All narrower formats that have them.
    fits: Vec<Precision>,
    stored: Precision,
    /// Are all of them whole?
    whole: bool,
    /// Are all of them multiples of one power of two, and none more than the format's significant bits above it?
    grid: bool,
    /// How the digits are used of each narrower format that has the numbers, the narrowest first.
    uses: Vec<(Precision, Uses)>,
}

/// How distinct numbers use the digits of a format.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Uses {
    /// How many are neither zero nor below the format's normal range, where numbers have fewer digits.
    normal: usize,
    /// How many of those of the normal range use the last digit.
    last: usize,
    /// How many zeros they have, all together, before their last digit that is used.
    spare: usize,
}

impl Uses {
    fn of(distinct: &[f64], format: Precision) -> Uses {
        let bits = bits(format);
        let mut uses = Uses::default();
        for x in distinct.iter().filter(|x| **x >= least_normal(format)) {
            let zeros = (x.to_bits().trailing_zeros() as i32).min(52);
            let spare = (zeros - (52 - bits)).max(0) as usize;
            uses.normal += 1;
            uses.last += usize::from(spare == 0);
            uses.spare += spare;
        }
        uses
    }

    fn use_last(self) -> bool {
        self.normal > 0 && LEAST_SHARE * self.last >= self.normal
    }

    /// How likely it is, at the most, that results use no more of their digits.
    fn chance(self) -> f64 {
        // A result has k zeros before its last digit with the chance 2⁻ᵏ⁻¹, as a coin has k tails before a head. In as many tosses
        // as there are digits no more heads fell than there are numbers: Hoeffding's bound for the chance of so few.
        let tosses = (self.normal + self.spare) as f64;
        let missing = (tosses / 2.0 - self.normal as f64).max(0.0);
        if tosses > 0.0 { (-2.0 * missing * missing / tosses).exp() } else { 0.0 }
    }

    fn are_of_results(self) -> bool {
        self.use_last() || self.chance() >= OFTEN
    }

    fn may_be_of_results(self) -> bool {
        self.normal == 0 || self.use_last() || self.chance() >= BY_CHANCE
    }
}

impl Digits {
    /// Those of an array that holds numbers of this precision.
    pub fn of(array: &Array, stored: Precision) -> Digits {
        let fits: Vec<Precision> = narrower(stored).filter(|&format| array.all(|x| has(format, x))).collect();
        let narrowest = fits.first().copied().unwrap_or(stored);
        let (mut highest, mut lowest) = (i32::MIN, i32::MAX);
        // What a mean or a broadcast repeats is one number, rounded once.
        // Where no narrower format has them there is nothing to be told by them.
        let asked = if fits.is_empty() { Vec::new() } else { array.to_vec_f64() };
        let mut distinct: Vec<f64> = asked.into_iter().map(f64::abs).filter(|x| x.is_normal()).collect();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        for &x in &distinct {
            let exponent = (x.abs().to_bits() >> 52) as i32;
            let zeros = (x.to_bits().trailing_zeros() as i32).min(52);
            highest = highest.max(exponent);
            lowest = lowest.min(exponent - (52 - zeros));
        }
        let whole = array.all(|x| x.fract() == 0.0 || !x.is_finite());
        let grid = highest < lowest.saturating_add(bits(narrowest) + 1);
        let uses = fits.iter().map(|&format| (format, Uses::of(&distinct, format))).collect();
        Digits { narrowest, fits, stored, whole, grid, uses }
    }

    /// The narrowest format that has all these numbers: of those that are whole, of zeros and of simple fractions that says nothing.
    pub fn narrowest(&self) -> Precision {
        self.narrowest
    }

    /// The format in which they were computed, where their digits tell it: the narrowest that has them all, if they are of any
    /// size and use its last digit. `None`: they are whole, or simple, and could come from any.
    pub fn told(&self) -> Option<Precision> {
        let told = match self.narrowest == self.stored {
            true => !self.whole,
            false => !self.whole && !self.grid && self.uses(self.narrowest).are_of_results(),
        };
        told.then_some(self.narrowest)
    }

    /// May these numbers be results that were rounded to a narrower format that has them? Those of which hardly any uses the last digit are
    /// none: they are exact, or what a difference of rounded numbers left. What is below the format's normal range has too few digits to
    /// tell, and zeros, which have none, may have been anything below it.
    pub fn may_be_rounded(&self, format: Precision) -> bool {
        self.uses(format).may_be_of_results()
    }

    /// Are all of them numbers of this format?
    pub fn are_of(&self, format: Precision) -> bool {
        format == self.stored || self.fits.contains(&format)
    }

    /// The narrower formats that have all these numbers, the narrowest first.
    pub fn fits(&self) -> &[Precision] {
        &self.fits
    }

    fn uses(&self, format: Precision) -> Uses {
        let known = self.uses.iter().find(|(known, _)| *known == format);
        known.map_or_else(Uses::default, |(_, uses)| *uses)
    }
}

/// The formats that are narrower than the one in which numbers are held, the narrowest first. Each bf16 number in the range of
/// f16 is one of f16 too, and both are numbers of f32.
fn narrower(stored: Precision) -> impl Iterator<Item = Precision> {
    let all: &[Precision] = match stored {
        Precision::F64 => &[Precision::BF16, Precision::F16, Precision::F32],
        Precision::F32 => &[Precision::BF16, Precision::F16],
        _ => &[],
    };
    all.iter().copied()
}

/// The distinct numbers of an array, without their signs, that are what a narrower format makes of others, to a digit, and what
/// the format that holds them would not: a third has no zeros behind its eighth digit, unless it was rounded there.
pub fn rounded_to(array: &Array, exact: &Array, stored: Precision, format: Precision) -> Vec<f64> {
    let pairs = array.to_vec_f64().into_iter().zip(exact.to_vec_f64());
    let is_rounded = |&(x, t): &(f64, f64)| {
        let (off, size) = ((x - t).abs(), t.abs().max(x.abs()));
        has(format, x) && off <= format.epsilon() * size && off > ROUNDED * stored.epsilon() * size
    };
    let mut rounded: Vec<f64> = pairs.filter(is_rounded).map(|(x, _)| x.abs()).collect();
    rounded.sort_by(f64::total_cmp);
    rounded.dedup();
    rounded
}

/// Are numbers, but for zeros, farther from others than rounding in the format that holds them puts them: most of them, or some that
/// may be results rounded to a narrower one?
pub fn are_off(array: &Array, exact: &Array, stored: Precision, format: Precision) -> bool {
    if array.len() != exact.len() {
        return false;
    }
    let pairs = array.to_vec_f64().into_iter().zip(exact.to_vec_f64()).filter(|(x, _)| *x != 0.0);
    let is_far = |(x, t): &(f64, f64)| (x - t).abs() > ROUNDED * stored.epsilon() * t.abs().max(x.abs());
    let (far, near): (Vec<(f64, f64)>, Vec<_>) = pairs.partition(is_far);
    let mut distinct: Vec<f64> = far.iter().map(|(x, _)| x.abs()).collect();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    far.len() > near.len() || !far.is_empty() && Uses::of(&distinct, format).may_be_of_results()
}

/// Is each of these the number of a format that is nearest to the exact one?
pub fn are_nearest(array: &Array, exact: &Array, format: Precision) -> bool {
    let mut pairs = array.to_vec_f64().into_iter().zip(exact.to_vec_f64());
    array.len() == exact.len() && pairs.all(|(x, t)| x == nearest(format, t))
}

/// Is this a number of a format?
fn has(format: Precision, x: f64) -> bool {
    nearest(format, x) == x || x.is_nan()
}

/// The number of a format that is nearest to another one, by way of single precision, in which it is computed.
fn nearest(format: Precision, x: f64) -> f64 {
    let single = x as f32;
    f64::from(match format {
        Precision::BF16 => half::bf16::from_f32(single).to_f32(),
        Precision::F16 => half::f16::from_f32(single).to_f32(),
        _ => single,
    })
}

/// Its significant bits, without the leading one.
fn bits(format: Precision) -> i32 {
    if format == Precision::Whole { 0 } else { -format.epsilon().log2() as i32 }
}

/// Below this a number of a format has fewer digits.
fn least_normal(format: Precision) -> f64 {
    match format {
        Precision::F16 => 1.0 / (1u64 << 14) as f64,
        Precision::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}
