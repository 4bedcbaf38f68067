//! Contraction: from a term to one payload, through nothing but the methods of [`Value`].
//!
//! Relations go first. Each is solved for some of its labels, the *determined* ones `X`, by the others, `Y`:
//! `X = f(Y)` where the relation holds at all. Dense factors are then gathered along `f`, so that they stand over `Y`;
//! determined labels that the output needs come back at the end by a scatter-add along `f`. What remains is a
//! product of dense factors, contracted pair by pair.
//!
//! An inverse is applied to the product of the factors that share one of its two labels, as a solution of linear equations.
//! Where no label of it is summed, or a relation has one, there is nothing to apply it to, and it is formed.
//!
//! Among the ways to solve a relation, the one is taken that determines the largest range, since the loop over all
//! labels shrinks by it: so a convolution costs what direct convolution costs, in both of its vjps.

use crate::dim::{Dim, Label, distinct};
use crate::factor::{Factor, Inverse, Value};
use crate::network::Term;
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
        inverses: Vec::new(),
        scatters: Vec::new(),
    };
    for factor in term.factors {
        match factor {
            Factor::Dense(value, labels) => work.dense.push((value, labels)),
            Factor::Relation(relation) => work.relations.push(relation),
            Factor::Inverse(inverse) => work.inverses.push(inverse),
        }
    }
    work.apply_inverses()?;
    if !work.relations.is_empty() {
        work.read_diagonals()?;
    }
    while let Some(relation) = work.relations.pop() {
        let solution = solve(&relation, &work.needed)?;
        work.apply(solution)?;
    }

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
    inverses: Vec<Inverse<V>>,
    scatters: Vec<Scatter>,
}

impl<V: Value> Work<V> {
    /// Applies each inverse to what shares a summed label with it; forms those that cannot be applied.
    fn apply_inverses(&mut self) -> Result<(), V::Error> {
        while let Some((at, summed)) =
            (0..self.inverses.len()).find_map(|at| self.applicable(at).map(|summed| (at, summed)))
        {
            let inverse = self.inverses.remove(at);
            self.apply_inverse(inverse, summed)?;
        }
        for Inverse { matrix, batch, row, column } in std::mem::take(&mut self.inverses) {
            let labels = batch.into_iter().chain([row, column]).collect();
            self.dense.push((matrix.inverse()?, labels));
        }
        Ok(())
    }

    /// The label of inverse `at` over which it can be applied: summed, in some dense factor, and nowhere else. The other
    /// label then takes its place, so no factor that is contracted may have it.
    fn applicable(&self, at: usize) -> Option<Label> {
        let Inverse { batch, row, column, .. } = &self.inverses[at];
        let elsewhere = |label: &Label| {
            self.needed.contains(label)
                || self.relations.iter().any(|relation| relation.has(*label))
                || self
                    .inverses
                    .iter()
                    .enumerate()
                    .any(|(k, other)| k != at && other.labels().contains(label))
        };
        let once = row != column && !batch.contains(row) && !batch.contains(column);
        let has = |(_, labels): &&(V, Vec<Label>), label: &Label| labels.contains(label);
        [(column, row), (row, column)].into_iter().find_map(|(label, other)| {
            let factors: Vec<_> = self.dense.iter().filter(|factor| has(factor, label)).collect();
            let free = !factors.is_empty() && !factors.iter().any(|factor| has(factor, other));
            (once && free && !elsewhere(label)).then_some(*label)
        })
    }

    fn apply_inverse(&mut self, inverse: Inverse<V>, summed: Label) -> Result<(), V::Error> {
        let Inverse { matrix, batch, row, column } = inverse;
        let (factors, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.dense).into_iter().partition(|(_, labels)| labels.contains(&summed));
        let others = |label: &Label| {
            self.needed.contains(label)
                || rest.iter().any(|(_, labels)| labels.contains(label))
                || self.relations.iter().any(|relation| relation.has(*label))
                || self.inverses.iter().any(|other| other.labels().contains(label))
        };
        let all = distinct(factors.iter().flat_map(|(_, labels)| labels.iter().copied()));
        let columns: Vec<Label> = all
            .into_iter()
            .filter(|label| *label != summed && !batch.contains(label) && others(label))
            .collect();
        let lead = |label: Label| batch.iter().copied().chain([label]).collect::<Vec<Label>>();

        let order: Vec<Label> = lead(summed).into_iter().chain(columns.iter().copied()).collect();
        let right = V::contract(&crate::Coef::one(), &factors, &order)?;
        let count = columns.iter().map(|label| label.size()).product::<usize>();
        let as_matrix: Vec<Dim> = dims_of(&lead(summed)).into_iter().chain([Dim::new(count)]).collect();
        let solution = matrix.solve(&right.reshape(&as_matrix)?, summed == row)?;
        let made = if summed == row { column } else { row };
        let labels: Vec<Label> = lead(made).into_iter().chain(columns).collect();
        self.dense = rest;
        self.dense.push((solution.reshape(&dims_of(&labels))?, labels));
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
