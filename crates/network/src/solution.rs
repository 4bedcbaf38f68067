//! Relations solved for some of their labels by the others, as tables.

use crate::contract::{dims_of, flattened, in_axis_order, sizes_of};
use crate::dim::{Label, distinct, extent};
use crate::factor::Value;
use crate::relation::{NOTHING, Relation};
use crate::table::{Error, Table, element_count, step, strides};

/// A relation solved for some of its labels.
pub(crate) struct Solution {
    /// The determined labels, each with its value for every multi-index of `by`, row-major.
    pub determined: Vec<(Label, Vec<i64>)>,
    /// The labels that determine them.
    pub by: Vec<Label>,
    /// Where the relation holds at all, for every multi-index of `by`.
    pub holds: Vec<bool>,
}

/// Solves a relation for the labels of largest range; among equals, for those that are not needed. `None`: only labels that are `bound`
/// could be determined.
pub(crate) fn solve(
    relation: &Relation,
    needed: &[Label],
    bound: &[Label],
) -> Option<Result<Solution, Error>> {
    let mut candidates: Vec<(&Relation, Vec<(i64, Label)>)> = Vec::new();
    let turned = relation.negated();
    let sides: &[&Relation] = if relation.table.is_some() { &[relation] } else { &[relation, &turned] };
    for side in sides {
        let positive: Vec<(i64, Label)> = side.linear.iter().copied().filter(|(c, _)| *c > 0).collect();
        // A table's side is solved as a whole or label by label.
        if side.table.is_none() || positive.len() == side.linear.len() {
            candidates.push((side, positive));
        }
    }
    for &(c, label) in &relation.linear {
        let side = if c > 0 || relation.table.is_some() { relation } else { &turned };
        let c = side.linear.iter().find(|(_, l)| *l == label).map_or(c, |&(c, _)| c);
        candidates.push((side, vec![(c, label)]));
    }
    let range = |determined: &[(i64, Label)]| {
        let needed = determined.iter().filter(|(_, label)| needed.contains(label)).count();
        (extent(determined.iter().map(|(_, label)| label)), std::cmp::Reverse(needed))
    };
    let in_table = |label: Label| relation.table.as_ref().is_some_and(|(_, labels)| labels.contains(&label));
    let best = candidates
        .into_iter()
        .filter(|(_, determined)| {
            decodes(determined)
                && !determined.iter().any(|&(_, label)| in_table(label) || bound.contains(&label))
        })
        .max_by(|(_, a), (_, b)| range(a).partial_cmp(&range(b)).unwrap_or(std::cmp::Ordering::Equal));
    match best {
        Some((side, determined)) => Some(tabulate(side, determined)),
        None if relation.labels().iter().any(|label| bound.contains(label)) => None,
        None => Some(tabulate(relation, Vec::new())),
    }
}

/// Is a value of `Σ cₖ·lₖ` attained at most once? (Each coefficient passes what the smaller ones reach.)
pub(crate) fn decodes(determined: &[(i64, Label)]) -> bool {
    let mut ascending = determined.to_vec();
    ascending.sort_by_key(|(c, _)| c.abs());
    let mut reach: i128 = 0;
    let unique = ascending.iter().all(|(c, label)| {
        let passes = i128::from(c.abs()) > reach;
        reach += i128::from(c.abs()) * (label.size() as i128 - 1).max(0);
        passes
    });
    unique && !determined.is_empty()
}

/// `Σ_determined c·l = table[…] − c₀ − Σ_others c·l`, decoded for every multi-index of the other labels.
pub(crate) fn tabulate(relation: &Relation, determined: Vec<(i64, Label)>) -> Result<Solution, Error> {
    let is_determined = |label: Label| determined.iter().any(|(_, l)| *l == label);
    let others: Vec<(i64, Label)> =
        relation.linear.iter().copied().filter(|(_, l)| !is_determined(*l)).collect();
    let in_table = relation.table.as_ref().map_or(&[][..], |(_, labels)| labels.as_slice());
    let by = distinct(others.iter().map(|&(_, label)| label).chain(in_table.iter().copied()));
    let shape = sizes_of(&by);
    let count = element_count(&shape)?;

    let weights: Vec<i64> =
        by.iter().map(|label| others.iter().find(|(_, l)| l == label).map_or(0, |&(c, _)| c)).collect();
    let table_strides = table_strides(relation, &by);
    let mut descending = determined.clone();
    descending.sort_by_key(|(c, _)| std::cmp::Reverse(c.abs()));
    let sign = descending.first().map_or(1, |(c, _)| c.signum());

    let mut solution = Solution {
        determined: descending.iter().map(|&(_, label)| (label, Vec::with_capacity(count))).collect(),
        by,
        holds: Vec::with_capacity(count),
    };
    let mut at = vec![0; shape.len()];
    for _ in 0..count {
        let dot = |weights: &[i64]| weights.iter().zip(&at).map(|(w, &i)| w * i as i64).sum::<i64>();
        let right =
            relation.table.as_ref().map_or(0, |(table, _)| table.entries()[dot(&table_strides) as usize]);
        let difference =
            right.checked_sub(relation.constant + dot(&weights)).and_then(|rest| rest.checked_mul(sign));
        let (mut rest, mut holds) = match difference {
            Some(rest) if right != NOTHING => (rest, rest >= 0),
            _ => (0, false),
        };
        for (&(c, label), (_, values)) in descending.iter().zip(&mut solution.determined) {
            let value = (rest / c.abs()).clamp(0, (label.size() as i64 - 1).max(0));
            rest -= c.abs() * value;
            values.push(value);
            holds &= label.size() > 0;
        }
        holds &= rest == 0;
        solution.holds.push(holds);
        step(&mut at, &shape);
    }
    Ok(solution)
}

/// For each label of `by`, how far one step of it moves in the relation's table.
fn table_strides(relation: &Relation, by: &[Label]) -> Vec<i64> {
    let Some((table, labels)) = &relation.table else { return vec![0; by.len()] };
    let strides = strides(table.shape());
    let stride =
        |label: &Label| labels.iter().zip(&strides).filter(|(l, _)| *l == label).map(|(_, s)| s).sum();
    by.iter().map(stride).collect()
}

impl Solution {
    /// A factor over determined labels, read along the solution so that it stands over `by`.
    pub(crate) fn gather<V: Value>(&self, value: V, labels: Vec<Label>) -> Result<(V, Vec<Label>), V::Error> {
        let determined: Vec<&(Label, Vec<i64>)> =
            self.determined.iter().filter(|(label, _)| labels.contains(label)).collect();
        let shared: Vec<Label> = self.by.iter().copied().filter(|label| labels.contains(label)).collect();
        let lead: Vec<Label> =
            determined.iter().map(|(label, _)| *label).chain(shared.iter().copied()).collect();
        let lead = in_axis_order(lead, &labels);
        let place: Vec<i64> = strides(&sizes_of(&lead));
        let stride = |label: Label| lead.iter().position(|&l| l == label).map_or(0, |axis| place[axis]);

        let mut row = 0;
        let table = Table::from_fn(sizes_of(&self.by), |at| {
            let moved: i64 = determined.iter().map(|(label, values)| stride(*label) * values[row]).sum();
            let kept: i64 = self.by.iter().zip(at).map(|(&label, &i)| stride(label) * i as i64).sum();
            row += 1;
            if self.holds[row - 1] { moved + kept } else { -1 }
        })?;
        let size: usize = lead.iter().map(|label| label.size()).product();
        let (value, rest) = flattened(value, labels, &lead)?;
        let labels: Vec<Label> = self.by.iter().chain(&rest).copied().collect();
        let value = if table.is_identity(size) {
            value.reshape(&dims_of(&labels))?
        } else {
            value.gather(&table, &dims_of(&self.by))?
        };
        Ok((value, labels))
    }

    /// Another relation with the determined labels replaced by their values, which become part of its table.
    pub(crate) fn substituted(&self, relation: Relation) -> Result<Relation, Error> {
        if !self.determined.iter().any(|(label, _)| relation.has(*label)) {
            return Ok(relation);
        }
        let value_of =
            |label: Label| self.determined.iter().find(|(l, _)| *l == label).map(|(_, values)| values);
        let linear: Vec<(i64, Label)> =
            relation.linear.iter().copied().filter(|(_, label)| value_of(*label).is_none()).collect();
        let (old, old_labels) = match &relation.table {
            Some((table, labels)) => (Some(table), labels.as_slice()),
            None => (None, &[][..]),
        };
        let kept = old_labels.iter().copied().filter(|label| value_of(*label).is_none());
        let labels = distinct(self.by.iter().copied().chain(kept));
        let axis = |label: Label| labels.iter().position(|&l| l == label);
        let by_strides = strides(&sizes_of(&self.by));
        let old_strides = old.map_or_else(Vec::new, |table| strides(table.shape()));
        let table = Table::from_fn(sizes_of(&labels), |at| {
            let index = |label: Label| axis(label).map_or(0, |axis| at[axis] as i64);
            let row =
                self.by.iter().zip(&by_strides).map(|(&label, s)| s * index(label)).sum::<i64>() as usize;
            if !self.holds[row] {
                return NOTHING;
            }
            let value = |label: Label| value_of(label).map_or_else(|| index(label), |values| values[row]);
            let right = old.map_or(0, |table| {
                let place =
                    old_labels.iter().zip(&old_strides).map(|(&label, s)| s * value(label)).sum::<i64>();
                table.entries()[place as usize]
            });
            let moved: i64 = relation
                .linear
                .iter()
                .filter(|(_, label)| value_of(*label).is_some())
                .map(|&(c, label)| c * value(label))
                .sum();
            if right == NOTHING { NOTHING } else { right.checked_sub(moved).unwrap_or(NOTHING) }
        })?;
        Ok(Relation { linear, constant: relation.constant, table: Some((table, labels)) })
    }
}
