//! Contraction: from a term to one payload, through nothing but the methods of [`Value`].
//!
//! Relations go first. Each is solved for some of its labels, the *determined* ones `X`, by the others, `Y`:
//! `X = f(Y)` where the relation holds at all. Dense factors are then gathered along `f`, so that they stand over `Y`;
//! determined labels that the output needs come back at the end by a scatter-add along `f`. What remains is a
//! product of dense factors, contracted pair by pair.
//!
//! An operator is applied to the product of the factors that share one of its two sides; an inverse, as a solution of linear
//! equations. As long as there are operators, relations are solved for labels that none of them has. Where neither side of an operator
//! is summed, there is nothing to apply it to, and it is written out.
//!
//! Among the ways to solve a relation, the one is taken that determines the largest range, since the loop over all
//! labels shrinks by it: so a convolution costs what direct convolution costs, in both of its vjps.

use crate::dim::{Dim, Label, distinct};
use crate::factor::{Factor, Value};
use crate::network::Term;
use crate::operator::Operator;
use crate::order::contraction_order;
use crate::relation::Relation;
use crate::solution::{Solution, solve, tabulate};
use crate::table::{Table, strides};

/// The sum of simplified terms over the same slots. `None`: there is no term.
pub(crate) fn sum_of_terms<V: Value>(terms: Vec<Term<V>>) -> Result<Option<V>, V::Error> {
    let mut sum: Option<V> = None;
    for term in terms {
        let value = contract(term)?;
        sum = Some(match sum {
            None => value,
            Some(sum) => sum.add(&value)?,
        });
    }
    Ok(sum)
}

/// A simplified term with at least one dense factor, as a payload whose axes are its slots.
fn contract<V: Value>(term: Term<V>) -> Result<V, V::Error> {
    let mut work = Work {
        needed: distinct(term.slots.iter().copied()),
        dense: Vec::new(),
        relations: Vec::new(),
        operators: Vec::new(),
        scatters: Vec::new(),
    };
    for factor in term.factors {
        match factor {
            Factor::Dense(value, labels) => work.dense.push((value, labels)),
            Factor::Relation(relation) => work.relations.push(relation),
            Factor::Operator(operator) => work.operators.push(operator),
        }
    }
    work.settle()?;

    let out = if work.scatters.is_empty() { term.slots.clone() } else { work.result_labels() };
    let operands: Vec<Vec<Label>> = work.dense.iter().map(|(_, labels)| labels.clone()).collect();
    let plan = contraction_order(&operands, &out);
    let mut dense = work.dense;
    for (at, (a, b, kept)) in plan.steps.iter().enumerate() {
        let second = dense.remove(*b);
        let first = dense.remove(*a);
        let last = at + 1 == plan.steps.len();
        let (coef, labels) = if last { (term.coef.clone(), &out) } else { (crate::Coef::one(), kept) };
        dense.push((V::contract(&coef, &[first, second], labels)?, labels.clone()));
    }
    let (mut value, mut labels) = dense.pop().expect("a term to contract has a dense factor");
    // A payload with a label twice is not yet what is written on the diagonal: it holds more than that.
    let as_it_is = labels == out && distinct(labels.iter().copied()).len() == labels.len();
    if plan.steps.is_empty() && !(term.coef.is_one() && as_it_is) {
        value = V::contract(&term.coef, &[(value, labels)], &out)?;
        labels = out;
    }
    while let Some(scatter) = work.scatters.pop() {
        (value, labels) = scatter.apply(value, labels)?;
    }
    arranged(value, labels, &term.slots)
}

/// The payload with its axes in the order of `out`.
fn arranged<V: Value>(value: V, labels: Vec<Label>, out: &[Label]) -> Result<V, V::Error> {
    if labels == out {
        return Ok(value);
    }
    V::contract(&crate::Coef::one(), &[(value, labels)], out)
}

/// The payload with the axes `lead` in front, flattened to one, and the others behind.
pub(crate) fn flattened<V: Value>(
    value: V,
    labels: Vec<Label>,
    lead: &[Label],
) -> Result<(V, Vec<Label>), V::Error> {
    let rest: Vec<Label> = labels.iter().copied().filter(|label| !lead.contains(label)).collect();
    let order: Vec<Label> = lead.iter().chain(&rest).copied().collect();
    let value = arranged(value, labels, &order)?;
    let size = lead.iter().map(|label| label.size()).product::<usize>();
    let dims: Vec<Dim> = [Dim::new(size)].into_iter().chain(rest.iter().map(|label| label.dim())).collect();
    let value = if lead.len() == 1 { value } else { value.reshape(&dims)? };
    Ok((value, rest))
}

pub(crate) fn dims_of(labels: &[Label]) -> Vec<Dim> {
    labels.iter().map(|label| label.dim()).collect()
}

pub(crate) fn sizes_of(labels: &[Label]) -> Vec<usize> {
    labels.iter().map(|label| label.size()).collect()
}

/// The state between two relations.
struct Work<V> {
    /// The labels that the product must keep.
    needed: Vec<Label>,
    dense: Vec<(V, Vec<Label>)>,
    relations: Vec<Relation>,
    operators: Vec<Operator<V>>,
    scatters: Vec<Scatter>,
}

impl<V: Value> Work<V> {
    /// Until neither operators nor relations are left.
    fn settle(&mut self) -> Result<(), V::Error> {
        loop {
            while let Some((at, transposed)) = (0..self.operators.len())
                .find_map(|at| self.applicable(at).map(|transposed| (at, transposed)))
            {
                let operator = self.operators.remove(at);
                self.apply_operator(&operator, transposed)?;
            }
            if self.relations.is_empty() {
                return self.write_out();
            }
            self.read_diagonals()?;
            let bound = distinct(self.operators.iter().flat_map(Operator::labels));
            let solved = (0..self.relations.len()).rev().find_map(|at| {
                solve(&self.relations[at], &self.needed, &bound).map(|solution| (at, solution))
            });
            match solved {
                Some((at, solution)) => {
                    self.relations.remove(at);
                    self.apply(solution?)?;
                }
                None => self.write_out()?,
            }
        }
    }

    /// Writes all operators out.
    fn write_out(&mut self) -> Result<(), V::Error> {
        for operator in std::mem::take(&mut self.operators) {
            let one = self.dense[0].0.one();
            self.dense.push((operator.written_out(&one)?, operator.labels()));
        }
        Ok(())
    }

    /// Can operator `at` be applied, and is it its transpose? One side is summed, and stands in dense factors and nowhere else. The other
    /// side then takes its place, so no factor that is contracted may have it.
    fn applicable(&self, at: usize) -> Option<bool> {
        let Operator { rows, columns, .. } = &self.operators[at];
        let elsewhere = |label: &Label| {
            self.needed.contains(label)
                || self.relations.iter().any(|relation| relation.has(*label))
                || self
                    .operators
                    .iter()
                    .enumerate()
                    .any(|(k, other)| k != at && other.labels().contains(label))
        };
        let labels = self.operators[at].labels();
        if distinct(labels.iter().copied()).len() != labels.len() {
            return None;
        }
        let has =
            |(_, labels): &(V, Vec<Label>), side: &[Label]| side.iter().any(|label| labels.contains(label));
        [(columns, rows, false), (rows, columns, true)].into_iter().find_map(|(taken, made, transposed)| {
            let met = |label: &Label| self.dense.iter().any(|(_, labels)| labels.contains(label));
            let free = !self.dense.iter().any(|factor| has(factor, taken) && has(factor, made));
            let applies = free && taken.iter().all(|label| met(label) && !elsewhere(label));
            applies.then_some(transposed)
        })
    }

    fn apply_operator(&mut self, operator: &Operator<V>, transposed: bool) -> Result<(), V::Error> {
        let Operator { batch, rows, columns, .. } = operator;
        let (taken, made) = if transposed { (rows, columns) } else { (columns, rows) };
        let (mut factors, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.dense)
            .into_iter()
            .partition(|(_, labels)| labels.iter().any(|label| taken.contains(label)));
        if factors.is_empty() {
            // A side without axes.
            factors.push((rest[0].0.one(), Vec::new()));
        }
        let others = |label: &Label| {
            self.needed.contains(label)
                || rest.iter().any(|(_, labels)| labels.contains(label))
                || self.relations.iter().any(|relation| relation.has(*label))
                || self.operators.iter().any(|other| other.labels().contains(label))
        };
        let all = distinct(factors.iter().flat_map(|(_, labels)| labels.iter().copied()));
        let along: Vec<Label> = all
            .into_iter()
            .filter(|label| !taken.contains(label) && !batch.contains(label) && others(label))
            .collect();

        let order = [batch.as_slice(), taken, &along].concat();
        let right = V::contract(&crate::Coef::one(), &factors, &order)?;
        let count = along.iter().map(|label| label.size()).product::<usize>();
        let flat: Vec<Dim> =
            dims_of(&[batch.as_slice(), taken].concat()).into_iter().chain([Dim::new(count)]).collect();
        let yielded = operator.apply(&right.reshape(&flat)?, transposed)?;
        let labels = [batch.as_slice(), made, &along].concat();
        self.dense = rest;
        self.dense.push((yielded.reshape(&dims_of(&labels))?, labels));
        Ok(())
    }

    /// Each label at most once in a factor.
    fn read_diagonals(&mut self) -> Result<(), V::Error> {
        for (value, labels) in &mut self.dense {
            let once = distinct(labels.iter().copied());
            *value = arranged(value.clone(), labels.clone(), &once)?;
            *labels = once;
        }
        Ok(())
    }

    /// Removes the determined labels from every factor and every other relation, and from what is needed.
    fn apply(&mut self, solution: Solution) -> Result<(), V::Error> {
        let determined = |label: &Label| solution.determined.iter().any(|(l, _)| l == label);
        let mut gathered = false;
        for (value, labels) in &mut self.dense {
            if labels.iter().any(determined) {
                (*value, *labels) = solution.gather(value.clone(), labels.clone())?;
                gathered = true;
            }
        }
        for relation in std::mem::take(&mut self.relations) {
            match solution.substituted(relation)? {
                relation if relation.linear.is_empty() => self.mask(tabulate(&relation, Vec::new())?)?,
                relation => self.relations.push(relation),
            }
        }
        if self.needed.iter().any(determined) {
            let before = self.needed.clone();
            self.needed.retain(|label| !determined(label));
            self.needed = distinct(self.needed.iter().chain(&solution.by).copied());
            self.scatters.push(Scatter { solution, out: before });
        } else if !gathered {
            self.mask(solution)?;
        }
        Ok(())
    }

    /// Multiplies by 1 where a relation holds and by 0 elsewhere, for all values of the labels that it is solved by.
    fn mask(&mut self, Solution { by, holds, .. }: Solution) -> Result<(), V::Error> {
        let ranges = |label: &Label| self.dense.iter().any(|(_, labels)| labels.contains(label));
        if holds.iter().all(|&holds| holds) && by.iter().all(ranges) {
            return Ok(());
        }
        let entries = holds.iter().map(|&holds| if holds { 0 } else { -1 }).collect();
        let one = self.dense[0].0.one().reshape(&[Dim::new(1)])?;
        let mask = one.gather(&Table::new(sizes_of(&by), entries)?, &dims_of(&by))?;
        self.dense.push((mask, by));
        Ok(())
    }

    /// What the dense product yields before the scatters: the needed labels that it has, and all that the scatters
    /// start from.
    fn result_labels(&self) -> Vec<Label> {
        let has = |label: &Label| self.dense.iter().any(|(_, labels)| labels.contains(label));
        let sources = |label: &Label| self.scatters.iter().any(|scatter| scatter.solution.by.contains(label));
        self.needed.iter().copied().filter(|label| has(label) || sources(label)).collect()
    }
}

/// Labels in the order in which they stand in `like`.
pub(crate) fn in_axis_order(mut labels: Vec<Label>, like: &[Label]) -> Vec<Label> {
    labels.sort_by_key(|label| like.iter().position(|l| l == label));
    labels
}

/// The last act of a solved relation whose determined labels are needed.
struct Scatter {
    solution: Solution,
    /// What was needed before the relation was solved.
    out: Vec<Label>,
}

impl Scatter {
    fn apply<V: Value>(self, value: V, labels: Vec<Label>) -> Result<(V, Vec<Label>), V::Error> {
        let Solution { determined, by, holds } = self.solution;
        let made: Vec<&(Label, Vec<i64>)> =
            determined.iter().filter(|(label, _)| self.out.contains(label)).collect();
        let kept: Vec<Label> = by.iter().copied().filter(|label| self.out.contains(label)).collect();
        let lead: Vec<Label> = made.iter().map(|(label, _)| *label).chain(kept.iter().copied()).collect();
        let lead = in_axis_order(lead, &self.out);
        let place = strides(&sizes_of(&lead));
        let stride = |label: Label| lead.iter().position(|&l| l == label).map_or(0, |axis| place[axis]);

        let mut row = 0;
        let table = Table::from_fn(sizes_of(&by), |at| {
            let moved: i64 = made.iter().map(|(label, values)| stride(*label) * values[row]).sum();
            let stay: i64 = by.iter().zip(at).map(|(&label, &i)| stride(label) * i as i64).sum();
            row += 1;
            if holds[row - 1] { moved + stay } else { -1 }
        })?;
        let rest: Vec<Label> = labels.iter().copied().filter(|label| !by.contains(label)).collect();
        let order: Vec<Label> = by.iter().chain(&rest).copied().collect();
        let value = arranged(value, labels, &order)?;
        let size: usize = lead.iter().map(|label| label.size()).product();
        let labels: Vec<Label> = lead.iter().chain(&rest).copied().collect();
        let value = if table.is_identity(size) { value } else { value.scatter_add(&table, size)? };
        Ok((value.reshape(&dims_of(&labels))?, labels))
    }
}
