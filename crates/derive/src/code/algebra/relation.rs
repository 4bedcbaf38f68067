//! What the names of a program say: `rstd = (var + eps)^-0.5` says that `var + eps` is `rstd^-2`, and `mu = mean(X, axis=1)` that
//! a sum of X along its rows is `D * mu`.

use num_traits::{One, Signed};
use pullback_lang::{ExprKind, parse_expr};
use pullback_network::{Coef, Label};
use pullback_ops::{Origin, Val};

use super::monomial::{Base, Exponent, Monomial, Power, is_small_power};
use super::open::Opener;
use crate::code::node::is_stretched;

/// What a name says of the value that has it.
pub(super) enum Relation {
    /// A value without a name, by values that have names.
    Base {
        base: Base,
        labels: Vec<Label>,
        becomes: Vec<Monomial>,
        /// Is what it becomes a power of a root, which has no sign?
        is_root: bool,
    },
    /// A product, summed or not, is one value.
    Product { pattern: Monomial, becomes: Monomial },
}

impl Relation {
    /// What the name of a value says.
    pub(super) fn of(val: &Val, opener: &Opener<'_>) -> Vec<Relation> {
        Relation::all(val, opener).unwrap_or_default()
    }

    fn all(val: &Val, opener: &Opener<'_>) -> Option<Vec<Relation>> {
        let labels = Label::for_dims(val.dims());
        let [own] = <[Monomial; 1]>::try_from(opener.base(val, &labels)?).ok()?;
        let is_anonymous = |power: &&Power| power.base.value.name().is_none();
        if let Some(axis) = normalised_axis(val, labels.len()) {
            let pattern = Monomial { summed: vec![labels[axis]], ..own };
            return Some(vec![Relation::Product { pattern, becomes: Monomial::number(Coef::one()) }]);
        }
        if let Some(contraction) = opener.contraction(val, &labels) {
            return Some(vec![Relation::product(contraction, &own)?]);
        }
        if let Some(terms) = opener.terms(val, &labels) {
            return Some(part(&terms, &own).into_iter().collect());
        }
        let [definition] = <[Monomial; 1]>::try_from(opener.call(val, &labels, 0)?).ok()?;
        let definition = definition.merged();
        if definition.coef.is_zero() {
            return None;
        }
        let mut anonymous = definition.powers.iter().filter(is_anonymous);
        let (first, second) = (anonymous.next().cloned(), anonymous.next());
        let Some(power) = first else {
            let is_plain = |power: &Power| power.exponent.is_integer() && power.exponent.is_positive();
            let is_one = matches!(definition.powers.as_slice(), [only] if is_plain(only));
            let is_pattern = !definition.powers.is_empty() && !is_one;
            return Some(
                is_pattern.then(|| Relation::product(definition, &own)).flatten().into_iter().collect(),
            );
        };
        if second.is_some() {
            return Some(Relation::product(definition, &own).into_iter().collect());
        }
        let mut rest = definition.clone();
        rest.powers.retain(|other| other.base.key != power.base.key);
        let mut all = Vec::new();
        if !rest.powers.is_empty() {
            all.extend(Relation::product(definition, &own));
        }
        let root = power.exponent.recip();
        let is_whole = power.real().eq(labels.iter().copied().filter(|label| !is_stretched(label)));
        // Of `C / sqrt(v + eps)` one would not say that `v + eps` is `(C / R)^2`, nor of `C * g` that `C` is `R / g`, for g may
        // be zero.
        let is_apart = rest.powers.is_empty()
            || (root.abs().is_one() && rest.powers.iter().all(|power| is_nonzero(power, opener)));
        if !is_whole || !root.is_integer() || !is_apart {
            return Some(all);
        }
        let is_root = !power.exponent.is_integer();
        let becomes = own.times(&rest.raised(-Exponent::one())?).raised(root)?.merged();
        if let Some(contraction) = opener.contraction(&power.base.value, &power.labels) {
            all.extend(Relation::product(contraction, &becomes));
        }
        if let Some(terms) = opener.terms(&power.base.value, &power.labels) {
            all.extend(part(&terms, &becomes));
        }
        all.push(Relation::Base { base: power.base, labels: power.labels, becomes: vec![becomes], is_root });
        Some(all)
    }

    /// Is it about a sum of products?
    pub(super) fn is_summed(&self) -> bool {
        matches!(self, Relation::Product { pattern, .. } if !pattern.summed.is_empty())
    }

    /// A product that has a name: its number goes to the other side.
    fn product(mut pattern: Monomial, becomes: &Monomial) -> Option<Relation> {
        if pattern.coef.is_zero() {
            return None;
        }
        let number = Monomial::number(pattern.coef.power(-1));
        pattern.coef = Coef::one();
        Some(Relation::Product { becomes: becomes.times(&number), pattern })
    }
}

/// The axis along which a softmax adds up to one.
fn normalised_axis(val: &Val, axes: usize) -> Option<usize> {
    let Origin::Call(op, _) = val.origin() else { return None };
    if op.name() != "softmax" {
        return None;
    }
    let written = parse_expr(&op.written(&["x".to_owned()])).ok()?.expr;
    let ExprKind::Call { kwargs, .. } = &written.kind else { return None };
    let axis = kwargs.iter().find(|(keyword, _)| keyword.text == "axis").map(|(_, axis)| &axis.kind);
    match axis {
        None if axes == 1 => Some(0),
        Some(ExprKind::Number { value, .. }) if (*value as usize) < axes => Some(*value as usize),
        _ => None,
    }
}

/// Is a power one that is never zero: what is divided by, and what is one over something?
fn is_nonzero(power: &Power, opener: &Opener<'_>) -> bool {
    let value = &power.base.value;
    let is_inverse = || {
        let [definition] = &opener.call(value, &Label::for_dims(value.dims()), 0)?[..] else { return None };
        let is_below = |power: &Power| power.exponent.is_negative();
        Some(!definition.powers.is_empty() && definition.powers.iter().all(is_below))
    };
    power.exponent.is_negative() || is_inverse().unwrap_or(false)
}

/// Of a sum that is known one term that has no name: it is the sum without the others.
fn part(terms: &[Monomial], sum: &Monomial) -> Option<Relation> {
    let is_anonymous = |term: &&Monomial| {
        matches!(term.powers.as_slice(), [power]
            if power.base.value.name().is_none() && power.exponent.is_one() && term.summed.is_empty())
    };
    let mut anonymous = terms.iter().enumerate().filter(|(_, term)| is_anonymous(term));
    let (at, term) = anonymous.next()?;
    let power = &term.powers[0];
    let sum_labels = sum.powers.first()?.real();
    if anonymous.next().is_some() || !power.real().eq(sum_labels) {
        return None;
    }
    if term.coef.is_zero() {
        return None;
    }
    let over = Monomial::number(term.coef.power(-1));
    let minus = Monomial::number(Coef::minus_one());
    let others =
        terms.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other.times(&minus));
    let becomes = std::iter::once(sum.clone()).chain(others).map(|monomial| monomial.times(&over)).collect();
    Some(Relation::Base { base: power.base.clone(), labels: power.labels.clone(), becomes, is_root: false })
}

impl Monomial {
    /// With what a relation says of a part of it in the place of that part.
    pub(super) fn rewritten(&self, relation: &Relation) -> Option<Vec<Monomial>> {
        match relation {
            Relation::Base { base, labels, becomes, is_root } => {
                let at = self.powers.iter().position(|power| power.base.key == base.key)?;
                let power = &self.powers[at];
                let part: Vec<Monomial> =
                    becomes.iter().map(|part| part.relabelled(labels, &power.labels)).collect();
                let parts = match part.as_slice() {
                    [one] => match one.raised(power.exponent) {
                        None if *is_root => vec![one.root_raised(power.exponent)?],
                        raised => vec![raised?],
                    },
                    _ if power.exponent.is_one() => part,
                    _ if is_small_power(power.exponent) => super::monomial::product(&part, &part),
                    _ => return None,
                };
                Some(parts.iter().map(|part| self.with(&[at], part)).collect())
            }
            Relation::Product { pattern, becomes } => Some(vec![self.folded(pattern, becomes)?]),
        }
    }

    /// What of it a relation is about, and what that becomes: of a sum all that is summed.
    pub(super) fn part_rewritten(&self, relation: &Relation) -> Option<(Monomial, Vec<Monomial>)> {
        match relation {
            Relation::Base { base, labels, becomes, .. } => {
                Some((Monomial::of(base.clone(), labels.clone()), becomes.clone()))
            }
            Relation::Product { pattern, becomes } if pattern.summed.is_empty() => {
                Some((pattern.clone(), vec![becomes.clone()]))
            }
            Relation::Product { .. } => {
                let part = self.over(&self.summed);
                let after = part.rewritten(relation)?;
                Some((part, after))
            }
        }
    }

    /// The factors that have one of some summed labels, or share another sum with these; with the sums, and without a number.
    pub(super) fn over(&self, labels: &[Label]) -> Monomial {
        let mut within = labels.to_vec();
        let powers = loop {
            let powers: Vec<&Power> =
                self.powers.iter().filter(|power| within.iter().any(|label| power.has(*label))).collect();
            let is_new =
                |label: &&Label| !within.contains(label) && powers.iter().any(|power| power.has(**label));
            let more: Vec<Label> = self.summed.iter().filter(is_new).copied().collect();
            if more.is_empty() {
                break powers;
            }
            within.extend(more);
        };
        Monomial {
            coef: Coef::one(),
            slots: Vec::new(),
            powers: powers.into_iter().cloned().collect(),
            summed: self.summed.iter().filter(|label| within.contains(label)).copied().collect(),
        }
    }

    /// With another factor in the place of some.
    pub(super) fn with(&self, places: &[usize], by: &Monomial) -> Monomial {
        let mut powers = Vec::new();
        for (at, power) in self.powers.iter().enumerate() {
            if places.first() == Some(&at) {
                powers.extend(by.powers.iter().cloned());
            }
            if !places.contains(&at) {
                powers.push(power.clone());
            }
        }
        let mut summed = self.summed.clone();
        summed.extend(by.summed.iter().copied());
        Monomial { coef: self.coef.times(&by.coef), slots: self.slots.clone(), powers, summed }.merged()
    }

    /// With one value in the place of a product that it is.
    fn folded(&self, pattern: &Monomial, becomes: &Monomial) -> Option<Monomial> {
        let mut found = Match { places: Vec::new(), called: Vec::new() };
        if !found.extend(self, pattern) {
            return None;
        }
        let Match { mut places, called } = found;
        let (from, to): (Vec<Label>, Vec<Label>) = called.iter().copied().unzip();
        let becomes = becomes.relabelled(&from, &to);
        // What the pattern leaves of a power stays.
        let mut rest = self.clone();
        for (&at, power) in places.iter().zip(&pattern.powers) {
            rest.powers[at].exponent -= power.exponent;
        }
        let left: Vec<Power> = places
            .iter()
            .map(|&at| rest.powers[at].clone())
            .filter(|power| power.exponent != Exponent::from_integer(0))
            .collect();
        places.sort_unstable();
        let mut by = becomes;
        by.powers.extend(left);
        rest.summed.retain(|label| !pattern.summed.iter().any(|own| called.contains(&(*own, *label))));
        Some(rest.with(&places, &by))
    }
}

/// Where the powers of a pattern stand in a product, and what its labels are called there.
struct Match {
    places: Vec<usize>,
    called: Vec<(Label, Label)>,
}

impl Match {
    /// Finds places for the powers of the pattern that have none yet.
    fn extend(&mut self, product: &Monomial, pattern: &Monomial) -> bool {
        let Some(power) = pattern.powers.get(self.places.len()) else {
            return self.is_closed(product, pattern);
        };
        let is_summed = power.real().any(|label| pattern.summed.contains(&label));
        for (at, candidate) in product.powers.iter().enumerate() {
            let holds = if is_summed {
                candidate.exponent == power.exponent
            } else {
                candidate.exponent.is_positive() == power.exponent.is_positive()
                    && candidate.exponent.abs() >= power.exponent.abs()
            };
            if candidate.base.key != power.base.key || !holds || self.places.contains(&at) {
                continue;
            }
            let known = self.called.len();
            let is_same = power.real().count() == candidate.real().count()
                && power.real().zip(candidate.real()).all(|(own, label)| self.call(own, label));
            if is_same {
                self.places.push(at);
                if self.extend(product, pattern) {
                    return true;
                }
                self.places.pop();
            }
            self.called.truncate(known);
        }
        false
    }

    /// Calls a label of the pattern as one of the product, where it is not called otherwise.
    fn call(&mut self, own: Label, label: Label) -> bool {
        match self.called.iter().find(|(other, called)| *other == own || *called == label) {
            Some(known) => *known == (own, label),
            None => {
                self.called.push((own, label));
                true
            }
        }
    }

    /// Are the sums of the pattern sums of the product, and of nothing else in it?
    fn is_closed(&self, product: &Monomial, pattern: &Monomial) -> bool {
        let is_closed = |(own, label): &(Label, Label)| {
            !pattern.summed.contains(own)
                || (product.summed.contains(label)
                    && (0..product.powers.len())
                        .all(|at| self.places.contains(&at) || !product.powers[at].has(*label)))
        };
        self.called.iter().all(is_closed)
    }
}
