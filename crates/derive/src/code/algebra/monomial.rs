//! A product of powers with labels, and its arithmetic: like factors are one power, like products one product.

use std::rc::Rc;

use num_rational::Ratio;
use num_traits::{CheckedMul, One, Signed, Zero};
use pullback_lang::Expr;
use pullback_network::{Coef, Label};
use pullback_ops::Val;

use crate::code::node::is_stretched;

/// What a base is raised to.
pub(super) type Exponent = Ratio<i32>;

/// A larger exponent is not read.
const LARGEST_EXPONENT: i32 = 4096;

/// What a power is of: a value that is not taken apart. Two that are written alike are the same.
#[derive(Clone, Debug)]
pub(in crate::code) struct Base {
    pub value: Val,
    pub expr: Rc<Expr>,
    pub key: Rc<str>,
}

/// A base raised to an exponent other than zero, with a label for each of its axes.
#[derive(Clone, Debug)]
pub(in crate::code) struct Power {
    pub base: Base,
    pub labels: Vec<Label>,
    pub exponent: Exponent,
}

/// `coef · Π powers`, summed over the labels that are listed. The slots are those of the term it stands for; a part of a term has
/// none.
#[derive(Clone, Debug)]
pub(in crate::code) struct Monomial {
    pub coef: Coef,
    pub slots: Vec<Label>,
    pub powers: Vec<Power>,
    pub summed: Vec<Label>,
}

impl Power {
    /// The labels of axes that are not there to be stretched.
    pub(super) fn real(&self) -> impl Iterator<Item = Label> + '_ {
        self.labels.iter().copied().filter(|label| !is_stretched(label))
    }

    pub(super) fn has(&self, label: Label) -> bool {
        self.labels.contains(&label)
    }

    fn is_like(&self, other: &Power) -> bool {
        self.base.key == other.base.key && self.real().eq(other.real())
    }

    /// The power of a power, where that is one: `√(x²)` is not x.
    fn raised(&self, to: Exponent) -> Option<Power> {
        let is_even = self.exponent.is_integer() && self.exponent.to_integer() % 2 == 0;
        if to.is_integer() || !is_even { self.root_raised(to) } else { None }
    }

    /// The power of a power of what has no sign.
    fn root_raised(&self, to: Exponent) -> Option<Power> {
        let exponent = self.exponent.checked_mul(&to)?;
        let is_read = exponent.numer().abs() <= LARGEST_EXPONENT && *exponent.denom() <= LARGEST_EXPONENT;
        is_read.then(|| Power { exponent, ..self.clone() })
    }
}

impl Monomial {
    /// A number.
    pub(super) fn number(coef: Coef) -> Monomial {
        Monomial { coef, slots: Vec::new(), powers: Vec::new(), summed: Vec::new() }
    }

    /// A value as it is.
    pub(super) fn of(base: Base, labels: Vec<Label>) -> Monomial {
        let power = Power { base, labels, exponent: Exponent::one() };
        Monomial { powers: vec![power], ..Monomial::number(Coef::one()) }
    }

    pub(super) fn times(&self, other: &Monomial) -> Monomial {
        let mut product = self.clone();
        product.coef = product.coef.times(&other.coef);
        product.powers.extend(other.powers.iter().cloned());
        product.summed.extend(other.summed.iter().copied());
        product
    }

    /// An integer power of a product without sums, or a root of a single power.
    pub(super) fn raised(&self, to: Exponent) -> Option<Monomial> {
        let is_single = matches!(self.powers.as_slice(), [_]) && self.coef.is_one();
        if !self.summed.is_empty() || !(to.is_integer() || is_single) {
            return None;
        }
        let coef = if to.is_integer() { self.coef.power(to.to_integer()) } else { Coef::one() };
        let powers: Option<Vec<Power>> = self.powers.iter().map(|power| power.raised(to)).collect();
        Some(Monomial { coef, powers: powers?, ..self.clone() })
    }

    /// A power of a product of one power of what has no sign, so that `√(x²)` is x.
    pub(super) fn root_raised(&self, to: Exponent) -> Option<Monomial> {
        let [power] = self.powers.as_slice() else { return None };
        let power = power.root_raised(to)?;
        self.coef.is_one().then(|| Monomial { powers: vec![power], ..self.clone() })
    }

    /// The same with other labels: those of `from` are called as in `to`, and summed ones are new.
    pub(super) fn relabelled(&self, from: &[Label], to: &[Label]) -> Monomial {
        let fresh: Vec<Label> = self.summed.iter().map(|label| Label::new(label.dim())).collect();
        let called = |label: &Label| -> Label {
            let renamed = from.iter().zip(to).chain(self.summed.iter().zip(&fresh));
            renamed.into_iter().find(|(old, _)| *old == label).map_or(*label, |(_, new)| *new)
        };
        let powers = self
            .powers
            .iter()
            .map(|power| Power { labels: power.labels.iter().map(called).collect(), ..power.clone() });
        Monomial {
            coef: self.coef.clone(),
            slots: self.slots.iter().map(called).collect(),
            powers: powers.collect(),
            summed: fresh.clone(),
        }
    }

    /// With like factors as one power, and a sum over what no factor has as the size of that.
    pub(super) fn merged(mut self) -> Monomial {
        let mut powers: Vec<Power> = Vec::new();
        for power in self.powers {
            match powers.iter_mut().find(|other| other.is_like(&power)) {
                Some(other) => other.exponent += power.exponent,
                None => powers.push(power),
            }
        }
        powers.retain(|power| !power.exponent.is_zero());
        let is_held = |label: &Label| powers.iter().any(|power| power.has(*label));
        let (summed, alone): (Vec<Label>, Vec<Label>) = self.summed.into_iter().partition(is_held);
        self.coef = alone.iter().fold(self.coef, |coef, label| coef.times(&Coef::size(label.dim(), 1)));
        Monomial { powers, summed, ..self }
    }

    /// How the product is told from others: the same for like products, whatever their summed labels are called.
    fn key(&self) -> String {
        let slot = |label: &Label| self.slots.iter().position(|slot| slot == label);
        let rough = |power: &Power| {
            let labels: Vec<Option<usize>> = power.real().map(|label| slot(&label)).collect();
            (power.base.key.clone(), power.exponent, labels)
        };
        let mut sorted: Vec<&Power> = self.powers.iter().collect();
        sorted.sort_by_key(|power| rough(power));
        let mut known: Vec<Label> = Vec::new();
        let mut key = format!("{:?}", self.slots.iter().map(slot).collect::<Vec<_>>());
        for power in sorted {
            key += &format!("·{}^{}", power.base.key, power.exponent);
            for label in power.real() {
                let at = slot(&label).unwrap_or_else(|| {
                    let at = known.iter().position(|other| *other == label).unwrap_or_else(|| {
                        known.push(label);
                        known.len() - 1
                    });
                    self.slots.len() + at
                });
                key += &format!("_{at}");
            }
        }
        key
    }

    /// Is there a power of so many that a label stands in no other?
    pub(super) fn sole_holder(&self, label: Label) -> Option<usize> {
        let mut holders = (0..self.powers.len()).filter(|&at| self.powers[at].has(label));
        let first = holders.next()?;
        holders.next().is_none().then_some(first)
    }
}

/// A sum with like products as one.
pub(super) fn collected(sum: Vec<Monomial>) -> Vec<Monomial> {
    let mut all: Vec<(String, Monomial)> = Vec::new();
    for monomial in sum.into_iter().map(Monomial::merged) {
        let key = monomial.key();
        let like = all.iter_mut().find_map(|(other, like)| {
            let coef = if *other == key { like.coef.plus(&monomial.coef) } else { None };
            coef.map(|coef| (like, coef))
        });
        match like {
            Some((like, coef)) => like.coef = coef,
            None => all.push((key, monomial)),
        }
    }
    all.into_iter().map(|(_, monomial)| monomial).filter(|monomial| !monomial.coef.is_zero()).collect()
}

/// The product of two sums.
pub(super) fn product(a: &[Monomial], b: &[Monomial]) -> Vec<Monomial> {
    a.iter().flat_map(|left| b.iter().map(|right| left.times(right))).collect()
}

/// Is it an integer above zero, and not a large one?
pub(super) fn is_small_power(exponent: Exponent) -> bool {
    exponent.is_integer() && exponent.is_positive() && exponent.to_integer() <= 2
}
