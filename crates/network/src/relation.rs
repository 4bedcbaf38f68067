//! Relations: factors that are 1 where an affine equation between labels holds, and 0 elsewhere.
//!
//! `Σ cₖ·lₖ + c₀ = 0`, or `= table[labels…]` with an integer table on the right. Reshape, slice, pad, concat,
//! flip, tile and convolution are affine; gather, scatter and sort have a table. `i ≥ k` is affine too, with a
//! slack label that is summed: `Σ_s [i = k + s]`.

use crate::dim::Label;
use crate::table::Table;

/// The entry of a table that no label equals.
pub(crate) const NOTHING: i64 = i64::MIN;

/// An affine equation between labels, with or without a table on its right-hand side.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Coefficients and labels; each label once, no coefficient zero, no label of size 1.
    pub(crate) linear: Vec<(i64, Label)>,
    /// c₀.
    pub(crate) constant: i64,
    /// The right-hand side, where it is not 0. An entry of [`NOTHING`] equals nothing.
    pub(crate) table: Option<(Table, Vec<Label>)>,
}

impl Relation {
    /// `Σ cₖ·lₖ + constant = 0`.
    pub fn affine(linear: impl IntoIterator<Item = (i64, Label)>, constant: i64) -> Relation {
        let mut relation = Relation { linear: linear.into_iter().collect(), constant, table: None };
        relation.normalise();
        relation
    }

    /// The coefficients and the labels of the left-hand side, and its constant, where that is the whole equation.
    pub fn as_affine(&self) -> Option<(&[(i64, Label)], i64)> {
        self.table.is_none().then_some((&self.linear, self.constant))
    }

    /// The left side: the coefficients and the labels, and the constant.
    pub fn left(&self) -> (&[(i64, Label)], i64) {
        (&self.linear, self.constant)
    }

    /// The right side, where it is not 0: the table, and the labels that it is read at.
    pub fn right(&self) -> Option<(&Table, &[Label])> {
        self.table.as_ref().map(|(table, labels)| (table, labels.as_slice()))
    }

    /// `label = table[labels…]`. A label out of the table's range never holds.
    pub fn indexed(label: Label, table: Table, labels: Vec<Label>) -> Relation {
        let mut relation = Relation { linear: vec![(1, label)], constant: 0, table: Some((table, labels)) };
        relation.normalise();
        relation
    }

    /// The labels of both sides, with repetitions.
    pub fn labels(&self) -> Vec<Label> {
        let right = self.table.iter().flat_map(|(_, labels)| labels.iter().copied());
        self.linear.iter().map(|&(_, label)| label).chain(right).collect()
    }

    pub(crate) fn has(&self, label: Label) -> bool {
        self.linear.iter().any(|&(_, l)| l == label)
            || self.table.iter().any(|(_, labels)| labels.contains(&label))
    }

    /// The same with other labels in place of its own.
    pub fn renamed(&self, called: &impl Fn(Label) -> Label) -> Relation {
        let mut renamed = self.clone();
        renamed.rename(called);
        renamed
    }

    pub(crate) fn rename(&mut self, rename: &impl Fn(Label) -> Label) {
        self.linear.iter_mut().for_each(|(_, label)| *label = rename(*label));
        if let Some((_, labels)) = &mut self.table {
            labels.iter_mut().for_each(|label| *label = rename(*label));
        }
        self.normalise();
    }

    /// Each label once, and none that is always 0.
    fn normalise(&mut self) {
        let mut linear: Vec<(i64, Label)> = Vec::with_capacity(self.linear.len());
        for &(coefficient, label) in &self.linear {
            match linear.iter_mut().find(|(_, l)| *l == label) {
                Some(entry) => entry.0 += coefficient,
                None => linear.push((coefficient, label)),
            }
        }
        linear.retain(|&(coefficient, label)| coefficient != 0 && !label.dim().is_single());
        linear.sort_by_key(|&(_, label)| label);
        self.linear = linear;
    }

    /// The two labels of a delta: `l₁ − l₂ = 0` between labels of one size. (Of unequal sizes it is a slice.)
    pub(crate) fn as_delta(&self) -> Option<(Label, Label)> {
        match self.linear.as_slice() {
            &[(a, first), (b, second)]
                if self.table.is_none() && self.constant == 0 && a == -b && first.size() == second.size() =>
            {
                Some((first, second))
            }
            _ => None,
        }
    }

    /// The relation with its sign turned, which is the same relation; for an affine one only.
    pub(crate) fn negated(&self) -> Relation {
        let linear = self.linear.iter().map(|&(c, l)| (-c, l)).collect();
        Relation { linear, constant: -self.constant, table: self.table.clone() }
    }

    /// Splits an affine relation into independent ones by mixed radix: `6a + b = 6c + d` with `b, d < 6` is
    /// `a = c` and `b = d`. `None`: it never holds. An empty list: it always holds.
    pub(crate) fn split(self) -> Option<Vec<Relation>> {
        if self.table.is_some() {
            return Some(vec![self]);
        }
        if self.linear.is_empty() {
            return (self.constant == 0).then(Vec::new);
        }
        if self.linear.iter().any(|(_, label)| label.size() == 0) {
            return None;
        }
        let divisor = self.linear.iter().fold(0, |g, &(c, _)| gcd(g, c));
        if self.constant % divisor != 0 {
            return None;
        }
        let linear: Vec<(i64, Label)> = self.linear.iter().map(|&(c, l)| (c / divisor, l)).collect();
        let constant = self.constant / divisor;
        let (low, high) = bounds(&linear, constant);
        if low > 0 || high < 0 {
            return None;
        }
        let mut radices: Vec<i64> = linear.iter().map(|(c, _)| c.abs()).filter(|&c| c > 1).collect();
        radices.sort_unstable();
        radices.dedup();
        for radix in radices {
            let (large, small): (Vec<_>, Vec<_>) = linear.iter().partition(|(c, _)| c % radix == 0);
            if small.is_empty() {
                continue;
            }
            // The small part must vanish by itself: it is a multiple of the radix and cannot reach one.
            for rest in [constant.rem_euclid(radix), constant.rem_euclid(radix) - radix] {
                let (low, high) = bounds(&small, rest);
                if low > -i128::from(radix) && high < i128::from(radix) {
                    let small = Relation { linear: small, constant: rest, table: None }.split()?;
                    let large = large.iter().map(|&(c, l)| (c / radix, l)).collect();
                    let large = Relation { linear: large, constant: (constant - rest) / radix, table: None }
                        .split()?;
                    return Some(small.into_iter().chain(large).collect());
                }
            }
        }
        Some(vec![Relation { linear, constant, table: None }])
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

/// The least and the largest value of an affine form over the ranges of its labels.
pub(crate) fn bounds(linear: &[(i64, Label)], constant: i64) -> (i128, i128) {
    linear.iter().fold((i128::from(constant), i128::from(constant)), |(low, high), &(c, label)| {
        let reach = i128::from(c) * (label.size() as i128 - 1).max(0);
        (low + reach.min(0), high + reach.max(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(sizes: &[usize]) -> Vec<Label> {
        sizes.iter().map(|&size| Label::new(size)).collect()
    }

    #[test]
    fn a_reshape_to_the_same_shape_splits_into_deltas() {
        let l = labels(&[7, 6, 7, 6]);
        let parts = Relation::affine([(6, l[0]), (1, l[1]), (-6, l[2]), (-1, l[3])], 0).split();
        let deltas: Vec<_> = parts.into_iter().flatten().filter_map(|r| r.as_delta()).collect();
        assert_eq!(deltas, [(l[1], l[3]), (l[0], l[2])]);
    }

    #[test]
    fn what_is_out_of_reach_never_holds() {
        let l = labels(&[3, 4]);
        assert_eq!(Relation::affine([(1, l[0]), (-1, l[1])], -9).split(), None);
        assert_eq!(Relation::affine([(2, l[0]), (-2, l[1])], 1).split(), None);
        assert_eq!(Relation::affine([], 0).split(), Some(vec![]));
    }
}
