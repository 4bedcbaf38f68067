//! Eliminating deltas and reducing relations inside a term.
//!
//! Five steps, repeated until none applies; each keeps the term's value:
//!
//! 1. an affine relation splits by mixed radix, and one that never holds makes the term zero;
//! 2. a delta `a = b` between labels of one size becomes one label;
//! 3. two relations with proportional parts in summed labels are subtracted (Gauss);
//! 4. a relation that holds for exactly one value of labels which stand nowhere else is summed to 1;
//! 5. a summed label that one relation determines within its range is substituted into the other.
//!
//! At the end a summed label that stands in no factor contributes its size to the coefficient.

use crate::coef::Coef;
use crate::dim::Label;
use crate::factor::{Factor, Value};
use crate::network::Term;
use crate::relation::{Relation, bounds};

impl<V: Value> Term<V> {
    /// The term with its deltas eliminated and its relations reduced. `summed`: labels that are summed although they
    /// may stand in no factor. `None`: the term is zero.
    pub(crate) fn simplified(self, summed: &[Label]) -> Option<Term<V>> {
        let in_factors = self.factors.iter().flat_map(Factor::labels);
        let candidates = summed.iter().copied().chain(in_factors);
        let summed = crate::dim::distinct(candidates.filter(|&label| !self.is_free(label)));
        let mut work =
            Work { coef: self.coef, slots: self.slots, factors: Vec::new(), relations: Vec::new(), summed };
        for factor in self.factors {
            match factor {
                Factor::Relation(relation) => work.relations.push(relation),
                factor => work.factors.push(factor),
            }
        }
        loop {
            work.split()?;
            if !(work.unify() || work.subtract() || work.sum_out() || work.substitute()) {
                return Some(work.finished());
            }
        }
    }
}

/// A term taken apart by the kind of its factors.
struct Work<V> {
    coef: Coef,
    slots: Vec<Label>,
    /// Those that are no relations.
    factors: Vec<Factor<V>>,
    relations: Vec<Relation>,
    summed: Vec<Label>,
}

impl<V> Work<V> {
    /// Step 1. `None`: a relation never holds.
    fn split(&mut self) -> Option<()> {
        let mut parts: Vec<Relation> = Vec::with_capacity(self.relations.len());
        for relation in self.relations.drain(..) {
            for part in relation.split()? {
                // A relation holds or does not: stating it twice says nothing more.
                if !parts
                    .iter()
                    .any(|known| *known == part || (part.table.is_none() && *known == part.negated()))
                {
                    parts.push(part);
                }
            }
        }
        self.relations = parts;
        Some(())
    }

    /// Step 2.
    fn unify(&mut self) -> bool {
        let Some(at) = self.relations.iter().position(|relation| relation.as_delta().is_some()) else {
            return false;
        };
        let (first, second) = self.relations.remove(at).as_delta().expect("the position of a delta");
        let (kept, gone) = if self.summed.contains(&second) { (first, second) } else { (second, first) };
        let rename = |label: Label| if label == gone { kept } else { label };
        self.slots.iter_mut().for_each(|label| *label = rename(*label));
        self.factors.iter_mut().for_each(|factor| factor.rename(&rename));
        self.relations.iter_mut().for_each(|relation| relation.rename(&rename));
        self.summed.retain(|&label| label != gone);
        true
    }

    /// Step 3.
    fn subtract(&mut self) -> bool {
        for f in 0..self.relations.len() {
            let pivot = &self.relations[f];
            let shared: Vec<(i64, Label)> =
                pivot.linear.iter().copied().filter(|(_, label)| self.summed.contains(label)).collect();
            if shared.len() < 2 || pivot.table.is_some() {
                continue;
            }
            for g in (0..self.relations.len()).filter(|&g| g != f) {
                let other = &self.relations[g];
                let coefficient =
                    |label: Label| other.linear.iter().find(|(_, l)| *l == label).map(|&(c, _)| c);
                let Some(first) = coefficient(shared[0].1) else { continue };
                let factor = first / shared[0].0;
                let proportional = shared.iter().all(|&(c, label)| coefficient(label) == Some(factor * c));
                if factor.abs() != 1 || other.table.is_some() || !proportional {
                    continue;
                }
                let subtracted = self.relations[f].linear.iter().map(|&(c, label)| (-factor * c, label));
                let linear: Vec<_> = other.linear.iter().copied().chain(subtracted).collect();
                let constant = other.constant - factor * self.relations[f].constant;
                self.relations[g] = Relation::affine(linear, constant);
                return true;
            }
        }
        false
    }

    /// Step 4.
    fn sum_out(&mut self) -> bool {
        let found = (0..self.relations.len()).find_map(|at| self.total(at).map(|gone| (at, gone)));
        let Some((at, gone)) = found else { return false };
        self.relations.remove(at);
        self.summed.retain(|label| !gone.contains(label));
        true
    }

    /// Where relation `at` holds for exactly one value of the summed labels that only it has: those labels.
    fn total(&self, at: usize) -> Option<Vec<Label>> {
        let relation = &self.relations[at];
        let (mut own, rest): (Vec<_>, Vec<_>) =
            relation.linear.iter().partition(|(_, label)| self.stands_only_in(*label, at));
        if relation.table.is_some()
            || own.is_empty()
            || own.iter().any(|(c, _)| c.signum() != own[0].0.signum())
        {
            return None;
        }
        let sign = -own[0].0.signum();
        own.sort_by_key(|(c, _)| c.abs());
        let mut reach: i128 = 0;
        for (c, label) in &own {
            // Each value from 0 to the reach is then attained exactly once.
            if i128::from(c.abs()) != reach + 1 {
                return None;
            }
            reach += i128::from(c.abs()) * (label.size() as i128 - 1);
        }
        let rest: Vec<(i64, Label)> = rest.into_iter().map(|(c, label)| (sign * c, label)).collect();
        let (low, high) = bounds(&rest, sign * relation.constant);
        (low >= 0 && high <= reach).then(|| own.into_iter().map(|(_, label)| label).collect())
    }

    fn stands_only_in(&self, label: Label, at: usize) -> bool {
        self.summed.contains(&label)
            && !self.factors.iter().any(|factor| factor.has(label))
            && !self.relations.iter().enumerate().any(|(k, relation)| k != at && relation.has(label))
    }

    /// Step 5.
    fn substitute(&mut self) -> bool {
        for f in 0..self.relations.len() {
            if self.relations[f].table.is_some() {
                continue;
            }
            for &(sign, label) in &self.relations[f].linear {
                if sign.abs() != 1 || !self.summed.contains(&label) {
                    continue;
                }
                if self.factors.iter().any(|factor| factor.has(label)) {
                    continue;
                }
                let users: Vec<usize> =
                    (0..self.relations.len()).filter(|&g| g != f && self.relations[g].has(label)).collect();
                let &[g] = users.as_slice() else { continue };
                let in_table = |(_, labels): &(_, Vec<Label>)| labels.contains(&label);
                if self.relations[g].table.as_ref().is_some_and(in_table) {
                    continue;
                }
                let relation = &self.relations[f];
                let rest: Vec<(i64, Label)> = relation
                    .linear
                    .iter()
                    .filter(|(_, l)| *l != label)
                    .map(|&(c, l)| (-sign * c, l))
                    .collect();
                let constant = -sign * relation.constant;
                let (low, high) = bounds(&rest, constant);
                if low < 0 || high >= label.size() as i128 {
                    continue;
                }
                let other = &self.relations[g];
                let factor = other.linear.iter().find(|(_, l)| *l == label).map_or(0, |&(c, _)| c);
                let linear = other.linear.iter().copied().filter(|(_, l)| *l != label);
                let mut replaced = Relation::affine(
                    linear.chain(rest.iter().map(|&(c, l)| (factor * c, l))).collect::<Vec<_>>(),
                    other.constant + factor * constant,
                );
                replaced.table = other.table.clone();
                self.relations[g] = replaced;
                self.relations.remove(f);
                self.summed.retain(|&l| l != label);
                return true;
            }
        }
        false
    }

    fn finished(self) -> Term<V> {
        let relations = self.relations.into_iter().map(Factor::Relation);
        let factors: Vec<Factor<V>> = self.factors.into_iter().chain(relations).collect();
        let idle = self.summed.iter().filter(|&&label| !factors.iter().any(|factor| factor.has(label)));
        let coef = idle.fold(self.coef, |coef, label| coef.times(&Coef::size(label.dim(), 1)));
        Term { coef, slots: self.slots, factors }
    }
}
