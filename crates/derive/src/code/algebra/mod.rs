//! The algebra of gradients: what cancels is cancelled, and what a program has a name for is called by it.
//!
//! Reverse mode multiplies the derivatives of single operations, and much of that undoes itself: the cross-entropy divides by the
//! probabilities that the softmax multiplies by, and a variance is differentiated by a mean about which the deviations sum to
//! zero. The sum of products that has arrived at a value is taken apart into powers of values; like powers are added up, like
//! products merged, and what the definitions of the program say of names is used from right to left: `var + eps` is `rstd^-2`,
//! a sum of `X` along its rows is `D * mu`. Sums are multiplied out where that makes things shorter. Of all forms the shortest
//! as it would be written is taken, so that nothing here is a matter of taste.
//!
//! The identities are those of numbers other than zero: `T * P / P` is `T`, where P is 0 too.
//!
//! | module | what it knows |
//! |---|---|
//! | `monomial` | products of powers with labels, and their arithmetic |
//! | `open` | which products values are |
//! | `relation` | what the definitions of names say, and how a product is rewritten by that |

mod monomial;
mod open;
mod relation;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use num_traits::{One, Signed};
use pullback_autograd::ancestors;
use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make};
use pullback_network::{Coef, Dim, Label};
use pullback_ops::{Factor, Network, Term, Val};

pub(super) use self::monomial::Monomial;
use self::monomial::{Exponent, Power, collected, is_small_power, product};
use self::open::Opener;
use self::relation::Relation;
use super::node::is_stretched;
use super::payload::Writer;
use super::terms;

/// A sum of more products is not read.
const MOST_TERMS: usize = 24;

/// More names are not looked through.
const MOST_NAMES: usize = 100;

/// A product is rewritten so many times at most.
const MOST_REWRITES: usize = 48;

/// Definitions are opened to this depth to see that a sum is zero.
const DEEPEST_ZERO: usize = 3;

/// What a program says of its names.
pub(super) struct Algebra<'a> {
    writer: &'a Writer<'a>,
    /// The sizes that the program has names for.
    sizes: HashMap<&'static str, Dim>,
    relations: Vec<Said>,
    /// What has been used since it was last asked for.
    used: RefCell<Vec<Used>>,
}

/// What a name says, and whose name it is.
struct Said {
    by: Val,
    relation: Relation,
}

/// A part of a product, what took its place, and the values whose names say so.
#[derive(Clone)]
struct Used {
    before: Monomial,
    after: Vec<Monomial>,
    by: Vec<Val>,
}

/// Two sides that are equal by how some values are computed. Their slots are the same labels.
pub(crate) struct Equation {
    pub before: Term,
    pub after: Vec<Term>,
    pub by: Vec<Val>,
}

impl<'a> Algebra<'a> {
    /// The algebra of the values that one is computed from.
    pub(super) fn new(of: &Val, writer: &'a Writer<'a>) -> Algebra<'a> {
        let all = ancestors(&[of]);
        let dims = all.iter().flat_map(|val| val.dims().to_vec());
        let sizes = dims.filter_map(|dim| Some((dim.name()?.as_str(), dim))).collect();
        let mut algebra = Algebra { writer, sizes, relations: Vec::new(), used: RefCell::default() };
        // A gradient is not written by the loss that it is of, nor by a part of that.
        let is_loss = |val: &Val| of.ndim() == 0 && val.name() == of.name();
        let is_named = |val: &&Val| {
            val.name().is_some_and(|name| name.is_identifier()) && !val.inputs().is_empty() && !is_loss(val)
        };
        let named: Vec<&Val> = all.iter().filter(is_named).collect();
        if named.len() <= MOST_NAMES {
            let opener = algebra.opener(false);
            let said = |val: &Val| {
                let by = val.clone();
                let all = Relation::of(val, &opener).into_iter();
                all.map(move |relation| Said { by: by.clone(), relation }).collect::<Vec<Said>>()
            };
            algebra.relations = named.into_iter().flat_map(said).collect();
        }
        algebra
    }

    fn opener(&self, stand_ins: bool) -> Opener<'_> {
        Opener { writer: self.writer, sizes: &self.sizes, stand_ins }
    }

    /// The shortest form of a cotangent.
    pub(super) fn simplest(&self, cotangent: &Network) -> Network {
        let dims = [cotangent.outputs(), cotangent.inputs()].concat();
        let slots = Label::for_dims(&dims);
        // Of two that are as long the one that needs no minus in front, and of such the one with fewer terms and factors.
        let worth = |terms: &[Term]| {
            let is_negative = terms.iter().all(|term| term.coef.is_negative() && !self.has_difference(term));
            let factors: usize = terms.iter().map(|term| 1 + term.factors.len()).sum();
            (terms::length(terms, &slots, self.writer), is_negative, factors)
        };
        let before = self.used.take();
        let mut best = worth(cotangent.terms());
        let mut taken: Option<(Vec<Term>, Vec<Used>)> = None;
        let payloads = || cotangent.terms().iter().flat_map(|term| &term.factors).filter_map(|f| f.payload());
        let has_stand_in = payloads().any(|value| self.writer.sum(value, true).is_some());
        let all = [StandIns::Kept, StandIns::OpenedOnce, StandIns::Opened];
        for stand_ins in all.into_iter().take(if has_stand_in { 3 } else { 1 }) {
            let Some(sum) = self.opened(cotangent.terms(), &slots, stand_ins) else { continue };
            let divided = divisors(&sum);
            self.used.take();
            let Some(kept) = self.reduced(sum) else { continue };
            let by_kept = self.used.borrow().clone();
            let multiplied = self.multiplied_out(&kept).and_then(|sum| self.reduced(sum));
            let by_multiplied = self.used.take();
            // What was divided by nothing is not zero by itself: `x * e` is not divided by x to be e.
            let is_safe = |sum: &Vec<Monomial>| divisors(sum).is_subset(&divided);
            for (sum, used) in [(Some(kept), by_kept), (multiplied, by_multiplied)] {
                let Some(sum) = sum.filter(is_safe) else { continue };
                let terms = self.terms(&sum);
                let worth = worth(&terms);
                if worth < best {
                    (best, taken) = (worth, Some((terms, used)));
                }
            }
        }
        let Some((terms, used)) = taken else {
            self.used.replace(before);
            return cotangent.clone();
        };
        self.used.replace([before, used].concat());
        let split = cotangent.outputs().len();
        let zero = Network::zero(cotangent.outputs(), cotangent.inputs());
        terms.into_iter().fold(zero, |network, term| {
            network.plus_term(term.coef, &term.slots[..split], &term.slots[split..], term.factors)
        })
    }

    /// Does a term have a factor that takes its sign in, `b - a` for `a - b`?
    fn has_difference(&self, term: &Term) -> bool {
        let is_difference = |expr: Expr| matches!(expr.kind, ExprKind::Binary { operator, .. } if operator.kind == BinaryOp::Sub);
        let payloads = term.factors.iter().filter_map(|factor| factor.payload());
        payloads.filter_map(|value| self.writer.written(value)).any(is_difference)
    }

    /// What a number times a sum of terms over slots is as a sum of products; `None` where it is none.
    pub(super) fn sum(&self, terms: &[Term], slots: &[Label], coef: &Coef) -> Option<Vec<Monomial>> {
        let is_diagonal = |term: &Term| {
            term.slots
                .iter()
                .enumerate()
                .any(|(at, slot)| term.slots[..at].contains(slot) && !is_stretched(slot))
        };
        if terms.iter().any(is_diagonal) {
            return None;
        }
        Some(product(&[Monomial::number(coef.clone())], &self.opened(terms, slots, StandIns::Kept)?))
    }

    fn opened(&self, terms: &[Term], slots: &[Label], stand_ins: StandIns) -> Option<Vec<Monomial>> {
        let opener = self.opener(stand_ins != StandIns::Kept);
        let mut sum = Vec::new();
        for term in terms {
            sum.extend(opened(term, slots, &opener)?);
            if sum.len() > MOST_TERMS {
                return None;
            }
        }
        if stand_ins == StandIns::Opened {
            let stand_in = |power: &Power| {
                let known = self.writer.sum(&power.base.value, true)?;
                Some(known.monomials.iter().map(|part| part.relabelled(&known.axes, &power.labels)).collect())
            };
            sum = put_in(sum, &stand_in)?;
        }
        Some(collected(sum))
    }

    /// A sum with all that the names say put in.
    fn reduced(&self, sum: Vec<Monomial>) -> Option<Vec<Monomial>> {
        let sum = self.rewritten(sum, &|_| true)?;
        Some(sum.into_iter().filter(|monomial| !self.is_zero(monomial)).collect())
    }

    /// What the forms that were taken follow from, since this was asked last.
    pub(super) fn equations(&self) -> Vec<Equation> {
        let equation = |used: Used| {
            let mut slots: Vec<Label> = Vec::new();
            // In the order of the axes of what it becomes.
            for monomial in used.after.iter().chain([&used.before]) {
                for label in monomial.powers.iter().flat_map(|power| power.real()) {
                    if !monomial.summed.contains(&label) && !slots.contains(&label) {
                        slots.push(label);
                    }
                }
            }
            let term =
                |monomial: &Monomial| self.term(&Monomial { slots: slots.clone(), ..monomial.clone() });
            Equation { before: term(&used.before), after: used.after.iter().map(term).collect(), by: used.by }
        };
        self.used.take().into_iter().map(equation).collect()
    }

    /// A product as a term of a network, each power a symbol that the writer knows.
    fn term(&self, monomial: &Monomial) -> Term {
        let factor = |power: &Power| Factor::Dense(self.symbol(power, power.exponent), power.labels.clone());
        Term {
            coef: monomial.coef.clone(),
            slots: monomial.slots.clone(),
            factors: monomial.powers.iter().rev().map(factor).collect(),
        }
    }

    /// A sum of terms with like factors as one power.
    pub(super) fn powers(&self, terms: &[Term], slots: &[Label]) -> Option<Vec<Term>> {
        let sum = self.opened(terms, slots, StandIns::Kept)?;
        Some(sum.iter().map(|monomial| self.term(monomial)).collect())
    }

    fn rewritten(&self, sum: Vec<Monomial>, by: &dyn Fn(&Relation) -> bool) -> Option<Vec<Monomial>> {
        let mut left = MOST_REWRITES;
        let mut pending = sum;
        pending.reverse();
        let mut done = Vec::new();
        while let Some(monomial) = pending.pop() {
            let relations = self.relations.iter().filter(|said| by(&said.relation));
            let found =
                relations.into_iter().find_map(|said| Some((said, monomial.rewritten(&said.relation)?)));
            match found {
                Some((said, parts)) if left > 0 => {
                    left -= 1;
                    if let Some((before, after)) = monomial.part_rewritten(&said.relation) {
                        self.used.borrow_mut().push(Used { before, after, by: vec![said.by.clone()] });
                    }
                    pending.extend(parts.into_iter().rev().map(Monomial::merged));
                }
                Some(_) => return None,
                None => done.push(monomial),
            }
            if done.len() + pending.len() > MOST_TERMS {
                return None;
            }
        }
        Some(collected(done))
    }

    /// Is a sum in a product zero, as that of the deviations from a mean is? Definitions of what is summed are opened until that
    /// is seen.
    fn is_zero(&self, monomial: &Monomial) -> bool {
        let before = self.used.take();
        let zero = monomial.summed.iter().find_map(|&label| self.zero_sum(monomial, label));
        let is_zero = zero.is_some();
        self.used.replace(before);
        self.used.borrow_mut().extend(zero);
        is_zero
    }

    fn zero_sum(&self, monomial: &Monomial, label: Label) -> Option<Used> {
        let opener = self.opener(false);
        let mut sum = vec![monomial.clone()];
        let mut by: Vec<Val> = Vec::new();
        for _ in 0..DEEPEST_ZERO {
            for part in sum.iter().filter(|part| part.summed.contains(&label)) {
                let holder = part.sole_holder(label).map(|at| &part.powers[at].base.value);
                by.extend(holder.filter(|value| value.name().is_some()).cloned());
            }
            let parts: Option<Vec<Vec<Monomial>>> =
                sum.iter().map(|part| summand_opened(part, label, &opener)).collect();
            self.used.take();
            sum = self.rewritten(collected(parts?.concat()), &Relation::is_summed)?;
            by.extend(self.used.take().into_iter().flat_map(|used| used.by));
            if sum.is_empty() {
                return Some(Used { before: monomial.over(&[label]), after: Vec::new(), by });
            }
        }
        None
    }

    /// With sums multiplied out, where a product has one.
    fn multiplied_out(&self, sum: &[Monomial]) -> Option<Vec<Monomial>> {
        let opener = self.opener(false);
        let terms = |power: &Power| match power.base.value.name() {
            None => opener.terms(&power.base.value, &power.labels),
            Some(_) => None,
        };
        let has_any = sum.iter().flat_map(|monomial| &monomial.powers).any(|power| terms(power).is_some());
        if has_any { put_in(sum.to_vec(), &terms).map(collected) } else { None }
    }

    /// Products as terms of a network: powers are symbols that the writer knows.
    fn terms(&self, sum: &[Monomial]) -> Vec<Term> {
        let term = |monomial: &Monomial| {
            let factors = monomial.powers.iter().rev().flat_map(|power| {
                // What all products are divided or multiplied by stands in front of them.
                let common = common(power, sum);
                let rest = power.exponent - common;
                [rest, common]
                    .into_iter()
                    .filter(|exponent| *exponent != Exponent::from_integer(0))
                    .map(|exponent| Factor::Dense(self.symbol(power, exponent), power.labels.clone()))
            });
            Term { coef: monomial.coef.clone(), slots: monomial.slots.clone(), factors: factors.collect() }
        };
        sum.iter().map(term).collect()
    }

    /// A power as a value.
    fn symbol(&self, power: &Power, exponent: Exponent) -> Val {
        let base = &power.base;
        if exponent.is_one() {
            return base.value.clone();
        }
        let labels = Label::for_dims(base.value.dims());
        let symbol = Val::symbol("power", base.value.dims(), base.value.dtype());
        let mut monomial = Monomial::of(base.clone(), labels.clone());
        monomial.powers[0].exponent = exponent;
        self.writer.call(&symbol, raised(&base.expr, exponent));
        self.writer.know(&symbol, labels, vec![monomial], false);
        symbol
    }
}

/// What is done with the sums that stand for the cotangents of values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StandIns {
    Kept,
    /// Multiplied out, but for those in them.
    OpenedOnce,
    Opened,
}

/// Products with sums in the place of the powers that are sums, as long as there are any.
fn put_in(sum: Vec<Monomial>, terms: &dyn Fn(&Power) -> Option<Vec<Monomial>>) -> Option<Vec<Monomial>> {
    let mut done = Vec::new();
    let mut pending = sum;
    pending.reverse();
    while let Some(monomial) = pending.pop() {
        let opened = monomial.powers.iter().enumerate().find_map(|(at, power)| {
            let terms = terms(power).filter(|_| is_small_power(power.exponent))?;
            let whole = if power.exponent.is_one() { terms } else { product(&terms, &terms) };
            Some(whole.iter().map(|term| monomial.with(&[at], term)).collect::<Vec<Monomial>>())
        });
        match opened {
            Some(parts) => pending.extend(parts.into_iter().rev()),
            None => done.push(monomial),
        }
        if done.len() + pending.len() > MOST_TERMS {
            return None;
        }
    }
    Some(done)
}

/// What is divided by.
fn divisors(sum: &[Monomial]) -> BTreeSet<Rc<str>> {
    let powers = sum.iter().flat_map(|monomial| &monomial.powers);
    powers.filter(|power| power.exponent.is_negative()).map(|power| power.base.key.clone()).collect()
}

/// The exponent of a power that all products of a sum share.
fn common(power: &Power, sum: &[Monomial]) -> Exponent {
    let zero = Exponent::from_integer(0);
    let exponents: Vec<Exponent> = sum
        .iter()
        .map(|monomial| {
            let like = |other: &&Power| other.base.key == power.base.key && other.real().eq(power.real());
            monomial.powers.iter().find(like).map_or(zero, |like| like.exponent)
        })
        .collect();
    let least = exponents.iter().copied().fold(power.exponent, |a, b| if a.abs() <= b.abs() { a } else { b });
    let is_shared = exponents.iter().all(|e| e.is_positive() == least.is_positive() && *e != zero);
    if is_shared { least } else { zero }
}

/// A base raised to a power, as it is written.
fn raised(base: &Expr, exponent: Exponent) -> Expr {
    let at = Span::default();
    if exponent.is_negative() {
        let one = make::integer(at, 1);
        return make::binary(at, BinaryOp::Div, one, raised(base, -exponent));
    }
    if exponent.is_one() {
        return base.clone();
    }
    if exponent == Exponent::new(1, 2) {
        return make::call(at, "sqrt", vec![base.clone()], Vec::new());
    }
    let number = f64::from(*exponent.numer()) / f64::from(*exponent.denom());
    make::binary(at, BinaryOp::Pow, base.clone(), make::number(at, number))
}

/// A term as a sum of products.
fn opened(term: &Term, slots: &[Label], opener: &Opener<'_>) -> Option<Vec<Monomial>> {
    let called =
        |label: &Label| term.slots.iter().position(|slot| slot == label).map_or(*label, |at| slots[at]);
    let mut sum = vec![Monomial::number(term.coef.clone())];
    // The cotangent is the last factor that was multiplied in, and stands first.
    for factor in term.factors.iter().rev() {
        let Factor::Dense(value, labels) = factor else { return None };
        let labels: Vec<Label> = labels.iter().map(called).collect();
        let is_repeated = |(at, label): (usize, &Label)| !is_stretched(label) && labels[..at].contains(label);
        if labels.iter().enumerate().any(is_repeated) {
            return None;
        }
        sum = product(&sum, &opener.value(value, &labels)?);
    }
    let mut summed: Vec<Label> = Vec::new();
    for label in term.factors.iter().flat_map(|factor| factor.labels()) {
        if !term.slots.contains(&label) && !summed.contains(&label) && !is_stretched(&label) {
            summed.push(label);
        }
    }
    for monomial in &mut sum {
        monomial.slots = term.slots.iter().map(called).collect();
        monomial.summed.extend(summed.iter().copied());
    }
    Some(sum)
}

/// A product with what alone has a summed label opened by its definition, and with what else is a sum without a name.
fn summand_opened(monomial: &Monomial, label: Label, opener: &Opener<'_>) -> Option<Vec<Monomial>> {
    let mut sum = vec![monomial.clone()];
    if monomial.summed.contains(&label) {
        let at = monomial.sole_holder(label)?;
        let power = &monomial.powers[at];
        if !power.exponent.is_one() {
            return None;
        }
        let value = &power.base.value;
        let definition = opener.terms(value, &power.labels);
        let definition = definition.or_else(|| opener.call(value, &power.labels, 0))?;
        sum = definition.iter().map(|part| monomial.with(&[at], part)).collect();
    }
    for part in &mut sum {
        while let Some((at, opened)) = (0..part.powers.len()).find_map(|at| {
            let power = &part.powers[at];
            let is_sum = power.base.value.name().is_none() && power.exponent.is_one();
            Some((at, opener.contraction(&power.base.value, &power.labels).filter(|_| is_sum)?))
        }) {
            *part = part.with(&[at], &opened);
        }
    }
    Some(sum)
}
