//! The coefficient of a term: a rational times powers of sizes times a real.
//!
//! Kept apart so that the mean over an `[N, M]` array prints as `1/(N·M)` and the derivative of a square as `2`.

use std::fmt;

use num_rational::Ratio;
use num_traits::{CheckedMul, One, Signed, Zero};

use crate::dim::{Dim, Name};

/// `rational · real · Π sizeᵖ`.
#[derive(Clone, Debug)]
pub struct Coef {
    rational: Ratio<i64>,
    /// What no small rational expresses; 1 for most.
    real: f64,
    /// Named sizes with their powers, sorted by name, none of them zero.
    sizes: Vec<(Name, usize, i32)>,
}

/// Coefficients are equal where they are the same in every product: −0 is not 0.
impl PartialEq for Coef {
    fn eq(&self, other: &Coef) -> bool {
        self.rational == other.rational
            && self.real.to_bits() == other.real.to_bits()
            && self.sizes == other.sizes
    }
}

impl Coef {
    /// 1.
    pub fn one() -> Coef {
        Coef { rational: Ratio::one(), real: 1.0, sizes: Vec::new() }
    }

    /// −1.
    pub fn minus_one() -> Coef {
        Coef { rational: -Ratio::one(), ..Coef::one() }
    }

    /// A ratio of integers; a zero denominator gives an infinite or undefined real, as division of floats does.
    pub fn ratio(numerator: i64, denominator: i64) -> Coef {
        if denominator == 0 || numerator == i64::MIN || denominator == i64::MIN {
            return Coef { real: numerator as f64 / denominator as f64, ..Coef::one() };
        }
        Coef { rational: Ratio::new(numerator, denominator), ..Coef::one() }
    }

    /// A number: a rational where it is a small one exactly, else a real.
    pub fn number(value: f64) -> Coef {
        for denominator in [1i64, 2, 4, 8] {
            let scaled = value * denominator as f64;
            if scaled.fract() == 0.0 && scaled.abs() < 1e9 && !(value == 0.0 && value.is_sign_negative()) {
                return Coef::ratio(scaled as i64, denominator);
            }
        }
        Coef { real: value, ..Coef::one() }
    }

    /// A power of a size. A named size prints by its name, any other as a number.
    pub fn size(dim: Dim, power: i32) -> Coef {
        match dim.name() {
            Some(name) if power != 0 => Coef { sizes: vec![(name, dim.size(), power)], ..Coef::one() },
            _ => {
                let size = dim.size() as i64;
                let unit = if power < 0 { Coef::ratio(1, size) } else { Coef::ratio(size, 1) };
                (0..power.unsigned_abs()).fold(Coef::one(), |product, _| product.times(&unit))
            }
        }
    }

    /// The product of two coefficients.
    pub fn times(&self, other: &Coef) -> Coef {
        let mut real = self.real * other.real;
        let rational = self.rational.checked_mul(&other.rational).unwrap_or_else(|| {
            real *= as_f64(&self.rational) * as_f64(&other.rational);
            Ratio::one()
        });
        let mut sizes = self.sizes.clone();
        for &(name, size, power) in &other.sizes {
            match sizes.iter_mut().find(|(n, s, _)| *n == name && *s == size) {
                Some(entry) => entry.2 += power,
                None => sizes.push((name, size, power)),
            }
        }
        // A size of zero may not cancel: 0/0 is undefined, not one.
        sizes.retain(|&(_, size, power)| power != 0 || size == 0);
        sizes.sort_by_key(|&(name, size, _)| (name, size));
        Coef { rational, real, sizes }
    }

    /// An integer power. Zero has no negative one: that is infinite, as in a division of floats.
    pub fn power(&self, power: i32) -> Coef {
        let (numerator, denominator) = (*self.rational.numer(), *self.rational.denom());
        let (ratio, real) = match power < 0 {
            true => (Coef::ratio(denominator, numerator), self.real.recip()),
            false => (Coef::ratio(numerator, denominator), self.real),
        };
        let once = ratio.times(&Coef { real, ..Coef::one() });
        let mut product = (0..power.unsigned_abs()).fold(Coef::one(), |product, _| product.times(&once));
        if power != 0 {
            product.sizes = self.sizes.iter().map(|&(name, size, p)| (name, size, p * power)).collect();
        }
        product
    }

    /// The sum, where it is one coefficient again: where both differ in their rational only.
    pub fn plus(&self, other: &Coef) -> Option<Coef> {
        if self.sizes == other.sizes && self.real == other.real {
            let sum = num_traits::CheckedAdd::checked_add(&self.rational, &other.rational)?;
            return Some(Coef { rational: sum, real: self.real, sizes: self.sizes.clone() });
        }
        (self.sizes == other.sizes).then(|| Coef {
            rational: Ratio::one(),
            real: as_f64(&self.rational) * self.real + as_f64(&other.rational) * other.real,
            sizes: self.sizes.clone(),
        })
    }

    /// The number that this coefficient is.
    pub fn value(&self) -> f64 {
        let sizes: f64 = self.sizes.iter().map(|&(_, size, power)| (size as f64).powi(power)).product();
        as_f64(&self.rational) * self.real * sizes
    }

    /// The same with the rational and the real part as one number, a small ratio where it is one but for rounding: 6 times
    /// 0.3333333333333333 is 2.
    pub fn collected(&self) -> Coef {
        if self.real == 1.0 {
            return self.clone();
        }
        let number = as_f64(&self.rational) * self.real;
        let sizes = self.sizes.clone();
        let decimal = (number * 1e4).round() / 1e4;
        if (number - decimal).abs() <= 1e-14 * number.abs() {
            return Coef { sizes, ..Coef::number(decimal) };
        }
        for denominator in 1..=36 {
            let scaled = number * f64::from(denominator);
            if (scaled - scaled.round()).abs() <= 1e-14 * scaled.abs() && scaled.abs() < 1e9 {
                return Coef { sizes, ..Coef::ratio(scaled.round() as i64, i64::from(denominator)) };
            }
        }
        // Fifteen digits are right whatever was rounded before.
        let rounded = format!("{number:.14e}").parse().unwrap_or(number);
        Coef { sizes, ..Coef::number(rounded) }
    }

    /// Does a product of sizes other than 1 stand below the fraction bar, so that a sum over them is a mean? What has no name has to be
    /// all of the number there: a 9 may be 3 · 3, or not.
    pub fn is_over(&self, sizes: &Coef) -> bool {
        let has = |&(name, size, power): &(Name, usize, i32)| {
            self.sizes.iter().any(|&(n, s, p)| n == name && s == size && -p >= power)
        };
        let number = *sizes.rational.numer();
        let is_number = number == 1 || *self.rational.denom() == number;
        !sizes.is_one() && is_number && sizes.sizes.iter().all(has)
    }

    /// Is it exactly 1?
    pub fn is_one(&self) -> bool {
        self.rational.is_one() && self.real == 1.0 && self.sizes.is_empty()
    }

    /// Is it 0, whatever the sizes?
    pub fn is_zero(&self) -> bool {
        self.rational.is_zero() || self.real == 0.0
    }

    /// Is it below 0? (How a sum is printed depends on it.)
    pub fn is_negative(&self) -> bool {
        self.rational.is_negative() != (self.real < 0.0) && !self.is_zero()
    }

    /// The coefficient without its sign.
    pub fn abs(&self) -> Coef {
        Coef { rational: self.rational.abs(), real: self.real.abs(), sizes: self.sizes.clone() }
    }
}

fn as_f64(ratio: &Ratio<i64>) -> f64 {
    *ratio.numer() as f64 / *ratio.denom() as f64
}

/// `2`, `1/2`, `1/(N·M)`, `2/n`, `0.7071`.
impl fmt::Display for Coef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut above: Vec<String> = Vec::new();
        let mut below: Vec<String> = Vec::new();
        if !self.rational.numer().is_one() {
            above.push(self.rational.numer().to_string());
        }
        if self.real != 1.0 {
            above.push(format!("{}", self.real));
        }
        if !self.rational.denom().is_one() {
            below.push(self.rational.denom().to_string());
        }
        for &(name, _, power) in &self.sizes {
            let side = if power > 0 { &mut above } else { &mut below };
            side.push(match power.unsigned_abs() {
                1 => name.to_string(),
                p => format!("{name}^{p}"),
            });
        }
        let numerator = if above.is_empty() { "1".to_string() } else { above.join("·") };
        match below.as_slice() {
            [] => f.write_str(&numerator),
            [one] => write!(f, "{numerator}/{one}"),
            many => write!(f, "{numerator}/({})", many.join("·")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_on_paper() {
        let mean = Coef::size(Dim::named("N", 5), -1).times(&Coef::size(Dim::named("M", 2), -1));
        let n = |power| Coef::size(Dim::named("N", 5), power);
        let third = Coef::number(0.3333333333333333).times(&Coef::ratio(6, 1)).times(&n(-1));
        assert_eq!(third.collected().to_string(), "2/N");
        assert_eq!(Coef::number(0.1234).times(&Coef::ratio(3, 1)).collected().to_string(), "0.3702");
        assert!(mean.is_over(&n(1)) && !mean.is_over(&n(2)) && !mean.is_over(&Coef::one()));
        assert!(
            Coef::ratio(2, 15).is_over(&Coef::ratio(15, 1)) && !Coef::ratio(1, 9).is_over(&Coef::ratio(3, 1))
        );
        let cases = [
            (Coef::one(), "1"),
            (Coef::ratio(6, 4), "3/2"),
            (mean.clone(), "1/(M·N)"),
            (mean.times(&Coef::number(2.0)), "2/(M·N)"),
            (mean.times(&Coef::size(Dim::named("N", 5), 1)), "1/M"),
            (Coef::size(Dim::new(7), -1), "1/7"),
            (Coef::number(0.3), "0.3"),
            (Coef::size(Dim::named("n", 3), 2), "n^2"),
        ];
        for (coef, text) in cases {
            assert_eq!(coef.to_string(), text);
        }
        assert_eq!(mean.value(), 0.1);
        assert_eq!(mean.times(&Coef::ratio(2, 3)).power(-2).to_string(), "9·M^2·N^2/4");
        assert_eq!(Coef::number(0.5).plus(&Coef::ratio(1, 3)).map(|c| c.to_string()), Some("5/6".into()));
    }

    #[test]
    fn overflow_and_empty_sizes_stay_numbers() {
        let huge = Coef::ratio(i64::MAX, 1);
        assert_eq!(huge.times(&huge).value(), (i64::MAX as f64).powi(2));
        let none = Dim::named("z", 0);
        assert!(Coef::size(none, 1).times(&Coef::size(none, -1)).value().is_finite());
        assert_eq!(Coef::size(none, -1).value(), f64::INFINITY);
    }
}
