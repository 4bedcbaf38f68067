//! Shorter forms of a network: the same map in fewer factors and terms.
//!
//! Three rewritings, each of which replaces payloads by one that is made of them:
//!
//! 1. factors of a term are multiplied where that costs no more than it saves when the term is applied once;
//! 2. terms that differ in one factor become one, with the sum of the two: `A B + A C = A (B + C)`;
//! 3. terms with the same *skeleton* (the same labels shared among the slots) become one with a single factor.
//!
//! The first is free and always done. The others are offered: [`Descent`](crate::descent) decides whether they pay. What
//! is made, what of, and at what price is kept in a [`Workshop`], which makes nothing twice.

use std::collections::{HashMap, HashSet};

use crate::coef::Coef;
use crate::cost::{is_dense, term_vjp_flops};
use crate::dim::{Dim, Label, distinct, extent};
use crate::factor::{Factor, Value};
use crate::network::{Network, Term};

/// More factors than this in one term are not searched for pairs to multiply.
const MOST_FACTORS: usize = 12;

/// What was made of the payloads of a program.
pub(crate) struct Workshop<V> {
    products: HashMap<ProductKey, V>,
    /// The price of each payload made here, and what it was made of.
    made: HashMap<u64, (f64, Vec<u64>)>,
}

/// The operands of a product with their labels as numbers, and the labels of the result.
type ProductKey = (Vec<(u64, Vec<usize>)>, Vec<usize>);

impl<V: Value> Workshop<V> {
    pub fn new() -> Workshop<V> {
        Workshop { products: HashMap::new(), made: HashMap::new() }
    }

    /// The price of making those payloads of some networks that are not `known`, with all they are made of; which become
    /// known with it.
    pub fn price<'a>(
        &self,
        networks: impl Iterator<Item = &'a Network<V>>,
        known: &HashSet<u64>,
    ) -> (f64, HashSet<u64>)
    where
        V: 'a,
    {
        let mut pending: Vec<u64> = networks.flat_map(|network| ids(network.terms())).collect();
        let mut new = HashSet::new();
        let mut flops = 0.0;
        while let Some(id) = pending.pop() {
            let Some((price, of)) = self.made.get(&id) else { continue };
            if !known.contains(&id) && new.insert(id) {
                flops += price;
                pending.extend(of);
            }
        }
        (flops, new)
    }

    /// Rewriting 1, on every term.
    pub fn multiplied(&mut self, network: &Network<V>) -> Result<Network<V>, V::Error> {
        let outputs = network.outputs().len();
        let terms: Result<Vec<Term<V>>, V::Error> =
            network.terms().iter().map(|term| self.multiplied_term(term.clone(), outputs)).collect();
        Ok(network.with_terms(terms?))
    }

    /// Rewritings 2 and 3, as far as they go.
    pub fn gathered(&mut self, network: &Network<V>) -> Result<Network<V>, V::Error> {
        let mut terms = network.terms().to_vec();
        while let Some(([a, b], factors)) = alike_but_for_one(&terms) {
            let second = terms.remove(b);
            terms[a] = self.factored(&terms[a], &second, factors)?;
        }
        let mut groups: Vec<(Vec<usize>, Vec<Term<V>>)> = Vec::new();
        let mut kept = Vec::new();
        for term in terms {
            if !is_dense(&term) {
                kept.push(term);
                continue;
            }
            let skeleton: Vec<usize> = numbered(&term.slots).0;
            match groups.iter_mut().find(|(known, _)| *known == skeleton) {
                Some((_, group)) => group.push(term),
                None => groups.push((skeleton, vec![term])),
            }
        }
        for (_, group) in groups {
            kept.extend(self.as_one(group)?);
        }
        Ok(network.with_terms(kept))
    }

    fn multiplied_term(&mut self, mut term: Term<V>, outputs: usize) -> Result<Term<V>, V::Error> {
        loop {
            let pair = free_pair(&term, outputs);
            let Some((positions, labels)) = pair else { return Ok(term) };
            let mut operands = Vec::new();
            for at in positions.into_iter().rev() {
                if let Factor::Dense(value, labels) = term.factors.remove(at) {
                    operands.insert(0, (value, labels));
                }
            }
            let product = self.product(&Coef::one(), &operands, &labels)?;
            term.factors.push(Factor::Dense(product, labels));
        }
    }

    /// `c₁ A B + c₂ A C` as `A (c₁ B + c₂ C)`; `factors` are the positions of B and C, and the labels of C by B's.
    fn factored(
        &mut self,
        first: &Term<V>,
        second: &Term<V>,
        factors: ([usize; 2], Vec<Label>),
    ) -> Result<Term<V>, V::Error> {
        let ([b, c], relabelled) = factors;
        let mut term = first.clone();
        let (Factor::Dense(one, labels), Factor::Dense(other, _)) = (&first.factors[b], &second.factors[c])
        else {
            unreachable!("only dense factors are added");
        };
        let one = self.scaled(&first.coef, (one.clone(), labels.clone()), labels)?;
        let other = self.scaled(&second.coef, (other.clone(), relabelled), labels)?;
        term.coef = Coef::one();
        term.factors[b] = Factor::Dense(self.sum(&one, &other)?, labels.clone());
        Ok(term)
    }

    /// Terms of one skeleton as one term with one factor, where there is something to gain.
    fn as_one(&mut self, group: Vec<Term<V>>) -> Result<Vec<Term<V>>, V::Error> {
        let factors: usize = group.iter().map(|term| term.factors.len()).sum();
        if factors < 2 {
            return Ok(group);
        }
        let slots = group[0].slots.clone();
        let free = distinct(slots.iter().copied());
        let mut operands = Vec::new();
        for term in &group {
            let rename: HashMap<Label, Label> =
                term.slots.iter().copied().zip(slots.iter().copied()).collect();
            let renamed = |labels: &[Label]| -> Vec<Label> {
                labels.iter().map(|label| *rename.get(label).unwrap_or(label)).collect()
            };
            let dense: Vec<(V, Vec<Label>)> = term
                .factors
                .iter()
                .filter_map(|factor| match factor {
                    Factor::Dense(value, labels) => Some((value.clone(), renamed(labels))),
                    _ => None,
                })
                .collect();
            operands.push((&term.coef, dense));
        }
        // A term that is a number needs a payload to be added to others.
        if operands.iter().any(|(_, dense)| dense.is_empty()) {
            return Ok(group);
        }
        let has =
            |label: &Label| operands.iter().any(|(_, dense)| dense.iter().any(|(_, l)| l.contains(label)));
        let labels: Vec<Label> = free.into_iter().filter(has).collect();
        let mut sum: Option<V> = None;
        for (coef, dense) in &operands {
            let value = self.product(coef, dense, &labels)?;
            sum = Some(match sum {
                Some(sum) => self.sum(&sum, &value)?,
                None => value,
            });
        }
        let factors = sum.map(|sum| Factor::Dense(sum, labels));
        Ok(vec![Term { coef: Coef::one(), slots, factors: factors.into_iter().collect() }])
    }

    fn scaled(&mut self, coef: &Coef, operand: (V, Vec<Label>), out: &[Label]) -> Result<V, V::Error> {
        if coef.is_one() && operand.1 == out {
            return Ok(operand.0);
        }
        self.product(coef, &[operand], out)
    }

    /// A product of factors; one of two that was made before is not made again.
    fn product(&mut self, coef: &Coef, operands: &[(V, Vec<Label>)], out: &[Label]) -> Result<V, V::Error> {
        let mut number = Numbering::default();
        let factors: Vec<(u64, Vec<usize>)> =
            operands.iter().map(|(value, labels)| (value.id(), number.of(labels))).collect();
        let key = (coef.is_one() && operands.len() == 2).then(|| (factors, number.of(out)));
        if let Some(known) = key.as_ref().and_then(|key| self.products.get(key)) {
            return Ok(known.clone());
        }
        let lists: Vec<Vec<Label>> = operands.iter().map(|(_, labels)| labels.clone()).collect();
        let flops = match operands {
            [(_, labels)] => extent(&distinct(labels.iter().chain(out).copied())),
            _ => crate::order::contraction_order(&lists, out).flops,
        };
        let value = V::contract(coef, operands, out)?;
        self.made.insert(value.id(), (flops, operands.iter().map(|(value, _)| value.id()).collect()));
        if let Some(key) = key {
            self.products.insert(key, value.clone());
        }
        Ok(value)
    }

    fn sum(&mut self, a: &V, b: &V) -> Result<V, V::Error> {
        let sum = a.add(b)?;
        let size = a.dims().iter().map(|dim: &Dim| dim.size() as f64).product();
        self.made.insert(sum.id(), (size, vec![a.id(), b.id()]));
        Ok(sum)
    }
}

/// Labels as numbers, in order of first occurrence.
#[derive(Default)]
struct Numbering(Vec<Label>);

impl Numbering {
    fn of(&mut self, labels: &[Label]) -> Vec<usize> {
        let place = |label: &Label| {
            self.0.iter().position(|known| known == label).unwrap_or_else(|| {
                self.0.push(*label);
                self.0.len() - 1
            })
        };
        labels.iter().map(place).collect()
    }
}

fn numbered(labels: &[Label]) -> (Vec<usize>, Numbering) {
    let mut numbering = Numbering::default();
    (numbering.of(labels), numbering)
}

/// The ids of the payloads of some terms.
pub(crate) fn ids<V: Value>(terms: &[Term<V>]) -> impl Iterator<Item = u64> {
    terms.iter().flat_map(|term| &term.factors).filter_map(Factor::payload).map(Value::id)
}

/// Two factors of a term, or one over a label that nothing else has, which it is free to multiply (to sum) beforehand:
/// their positions in ascending order, and the labels of the result.
fn free_pair<V: Value>(term: &Term<V>, outputs: usize) -> Option<(Vec<usize>, Vec<Label>)> {
    if term.factors.len() > MOST_FACTORS {
        return None;
    }
    let dense: Vec<(usize, &Vec<Label>)> = term
        .factors
        .iter()
        .enumerate()
        .filter_map(|(at, factor)| match factor {
            Factor::Dense(_, labels) => Some((at, labels)),
            _ => None,
        })
        .collect();
    let kept = |positions: &[usize]| -> Vec<Label> {
        let all = distinct(positions.iter().flat_map(|&at| term.factors[at].labels()));
        let others = || term.factors.iter().enumerate().filter(|(at, _)| !positions.contains(at));
        all.into_iter()
            .filter(|label| term.is_free(*label) || others().any(|(_, factor)| factor.has(*label)))
            .collect()
    };
    let singles = dense.iter().map(|&(at, _)| vec![at]).filter(|at| {
        let labels = distinct(term.factors[at[0]].labels());
        kept(at).len() < labels.len()
    });
    let pairs = dense.iter().enumerate().flat_map(|(k, &(b, second))| {
        dense[..k].iter().filter_map(move |&(a, first)| {
            let meet = first.is_empty() || second.is_empty() || first.iter().any(|l| second.contains(l));
            meet.then(|| vec![a, b])
        })
    });
    let before = is_dense(term).then(|| term_vjp_flops(term, outputs));
    let free = |positions: &Vec<usize>| {
        let labels = kept(positions);
        let of: Vec<Vec<Label>> = positions.iter().map(|&at| term.factors[at].labels()).collect();
        let stored: f64 = of.iter().map(extent).sum();
        if extent(&labels) > stored {
            return None;
        }
        let Some(before) = before else {
            // With relations the price is not told by labels alone: only what has the same labels is multiplied.
            let sets = of.iter().map(|labels| HashSet::<Label>::from_iter(labels.iter().copied()));
            let same = sets.collect::<Vec<_>>().windows(2).all(|two| two[0] == two[1]);
            return (same && positions.len() == 2).then_some((0.0, labels));
        };
        let build = extent(&distinct(of.into_iter().flatten()));
        let mut rest: Vec<Vec<Label>> = vec![term.slots[..outputs].to_vec()];
        rest.extend(
            term.factors
                .iter()
                .enumerate()
                .filter(|(at, _)| !positions.contains(at))
                .map(|(_, f)| f.labels()),
        );
        rest.push(labels.clone());
        let after = crate::order::contraction_order(&rest, &term.slots[outputs..]).flops;
        (build + after <= before).then_some((after - before, labels))
    };
    singles
        .chain(pairs)
        .filter_map(|positions| free(&positions).map(|(gain, labels)| (gain, positions, labels)))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, positions, labels)| (positions, labels))
}

/// Positions of two terms, then of the factor by which each differs from the other, and the labels of the second one's by
/// those of the first's.
type OneApart = ([usize; 2], ([usize; 2], Vec<Label>));

/// Two terms that are equal but for one dense factor each, over the same labels.
fn alike_but_for_one<V: Value>(terms: &[Term<V>]) -> Option<OneApart> {
    for b in 1..terms.len() {
        for a in 0..b {
            let (first, second) = (&terms[a], &terms[b]);
            if first.factors.len() != second.factors.len() || first.factors.len() < 2 {
                continue;
            }
            if let Some(found) = one_apart(first, second) {
                return Some(([a, b], found));
            }
        }
    }
    None
}

fn one_apart<V: Value>(first: &Term<V>, second: &Term<V>) -> Option<([usize; 2], Vec<Label>)> {
    if !is_dense(first) || !is_dense(second) {
        return None;
    }
    // The labels of the second by those of the first, as far as slots and equal factors tell.
    let mut renamed: HashMap<Label, Label> = HashMap::new();
    let mut meet = |from: &[Label], to: &[Label]| {
        from.len() == to.len()
            && from.iter().zip(to).all(|(from, to)| {
                let known = *renamed.entry(*from).or_insert(*to);
                known == *to && from.size() == to.size()
            })
    };
    if numbered(&first.slots).0 != numbered(&second.slots).0 || !meet(&second.slots, &first.slots) {
        return None;
    }
    let mut unmatched: Vec<usize> = (0..first.factors.len()).collect();
    let mut left = None;
    for (at, factor) in second.factors.iter().enumerate() {
        let Factor::Dense(value, labels) = factor else { return None };
        let same = unmatched.iter().position(|&k| match &first.factors[k] {
            Factor::Dense(other, other_labels) => {
                other.id() == value.id() && other_labels.len() == labels.len()
            }
            _ => false,
        });
        match same {
            Some(place) => {
                let k = unmatched.remove(place);
                if !meet(labels, &first.factors[k].labels()) {
                    return None;
                }
            }
            None if left.is_none() => left = Some(at),
            None => return None,
        }
    }
    let (&[b], Some(c)) = (unmatched.as_slice(), left) else { return None };
    let (labels, others) = (first.factors[b].labels(), second.factors[c].labels());
    let relabelled: Option<Vec<Label>> = others.iter().map(|label| renamed.get(label).copied()).collect();
    let relabelled = relabelled?;
    // One label of the first may not stand for two of the second.
    let apart = HashSet::<&Label>::from_iter(renamed.values()).len() == renamed.len();
    let sets = [&labels, &relabelled].map(|labels| HashSet::<Label>::from_iter(labels.iter().copied()));
    let once = sets[0].len() == labels.len() && sets[1].len() == relabelled.len();
    (apart && once && sets[0] == sets[1]).then_some(([b, c], relabelled))
}
