//! The order in which a product of many factors is contracted, two at a time.
//!
//! Cost model: a pair costs the product of the sizes of all its labels (multiply–adds), and its result keeps the
//! labels that the output or another factor still needs. Up to [`MOST_SEARCHED`] factors the best order is found, by
//! dynamic programming over sets of factors; beyond that, the cheapest next pair is taken.

use std::collections::HashMap;

use crate::dim::{Label, distinct};

/// Of this many factors the best order is found: 3⁸ splits of sets.
const MOST_SEARCHED: usize = 8;

/// An order of contraction: pairs of positions, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Each step contracts the operands at these two positions (the first is the smaller one), removes both and
    /// appends the result, which has the labels given.
    pub steps: Vec<(usize, usize, Vec<Label>)>,
    /// Multiply–adds over all steps.
    pub flops: f64,
}

/// The order in which to contract operands with these labels into `out`.
pub fn contraction_order(operands: &[Vec<Label>], out: &[Label]) -> Plan {
    let operands: Vec<Vec<Label>> = operands.iter().map(|labels| distinct(labels.iter().copied())).collect();
    let labels = distinct(operands.iter().flatten().copied());
    match operands.len() {
        0 | 1 => Plan { steps: Vec::new(), flops: 0.0 },
        2..=MOST_SEARCHED if labels.len() <= 64 => best(&operands, &labels, out),
        _ => greedy(operands, out),
    }
}

/// The best order, by dynamic programming over sets of operands: the best way to contract a set is the best split of it
/// into two, each contracted in its best way. Sets of labels, and of operands, are bits of an integer.
fn best(operands: &[Vec<Label>], labels: &[Label], out: &[Label]) -> Plan {
    let bits = |of: &[Label]| -> u64 {
        let places = of.iter().filter_map(|label| labels.iter().position(|known| known == label));
        places.fold(0, |bits, place| bits | 1 << place)
    };
    let size = |bits: u64| -> f64 {
        let chosen = labels.iter().enumerate().filter(|&(place, _)| bits >> place & 1 == 1);
        chosen.map(|(_, label)| label.size() as f64).product()
    };
    let own: Vec<u64> = operands.iter().map(|labels| bits(labels)).collect();
    let out = bits(out);
    let all = (1usize << operands.len()) - 1;
    let union = |set: usize| -> u64 {
        own.iter()
            .enumerate()
            .filter(|&(k, _)| set >> k & 1 == 1)
            .fold(0, |union, (_, labels)| union | labels)
    };
    // What the product of a set keeps: what the output or an operand outside of it has.
    let kept: Vec<u64> = (0..=all)
        .map(|set| match set.count_ones() {
            1 => union(set),
            _ => union(set) & (out | union(all & !set)),
        })
        .collect();
    let mut costs = vec![0.0; all + 1];
    let mut splits = vec![0usize; all + 1];
    for set in (1..=all).filter(|set| set.count_ones() > 1) {
        costs[set] = f64::INFINITY;
        // Each split once: the part that has the first operand of the set.
        let first = set & set.wrapping_neg();
        let mut part = (set - 1) & set;
        while part > 0 {
            if part & first != 0 {
                let rest = set & !part;
                let cost = costs[part] + costs[rest] + size(kept[part] | kept[rest]);
                if cost < costs[set] {
                    (costs[set], splits[set]) = (cost, part);
                }
            }
            part = (part - 1) & set;
        }
    }
    // From the tree to steps on a list: parts first, each found by the set of operands it is the product of.
    let mut order = Vec::new();
    let mut pending = vec![all];
    while let Some(set) = pending.pop() {
        if set.count_ones() > 1 {
            order.push(set);
            pending.extend([splits[set], set & !splits[set]]);
        }
    }
    let mut list: Vec<usize> = (0..operands.len()).map(|k| 1 << k).collect();
    let mut steps = Vec::new();
    for set in order.into_iter().rev() {
        let place = |part: usize| list.iter().position(|&known| known == part).unwrap_or(0);
        let (first, second) = (place(splits[set]), place(set & !splits[set]));
        let (a, b) = (first.min(second), first.max(second));
        let united = distinct(operands_in(operands, list[a]).chain(operands_in(operands, list[b])));
        let labels = united.into_iter().filter(|label| kept[set] & bits(&[*label]) != 0).collect();
        steps.push((a, b, labels));
        list.remove(b);
        list.remove(a);
        list.push(set);
    }
    Plan { steps, flops: costs[all] }
}

/// The labels of the operands in a set.
fn operands_in(operands: &[Vec<Label>], set: usize) -> impl Iterator<Item = Label> {
    operands
        .iter()
        .enumerate()
        .filter(move |(k, _)| set >> k & 1 == 1)
        .flat_map(|(_, labels)| labels.iter().copied())
}

/// The cheapest next pair, and among equals the one whose product is smallest, until one operand is left.
fn greedy(mut operands: Vec<Vec<Label>>, out: &[Label]) -> Plan {
    let mut holders: HashMap<Label, usize> = HashMap::new();
    for &label in operands.iter().flatten().chain(out) {
        *holders.entry(label).or_insert(0) += 1;
    }
    let mut plan = Plan { steps: Vec::new(), flops: 0.0 };
    while operands.len() > 1 {
        // The price of a pair, and the size of what it makes: the labels that something else has too.
        let priced = |a: usize, b: usize| -> (f64, f64) {
            let (first, second) = (&operands[a], &operands[b]);
            let own = second.iter().filter(|label| !first.contains(label));
            first.iter().chain(own).fold((1.0, 1.0), |(price, size), label| {
                let within = usize::from(first.contains(label)) + usize::from(second.contains(label));
                let range = label.size() as f64;
                (price * range, if holders[label] > within { size * range } else { size })
            })
        };
        let pairs = (1..operands.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let cheapest = pairs
            .map(|(a, b)| (a, b, priced(a, b)))
            .min_by(|(_, _, one), (_, _, other)| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let (a, b, (price, _)) = cheapest.expect("two operands make a pair");
        let (second, first) = (operands.remove(b), operands.remove(a));
        let mut kept = Vec::new();
        for label in distinct(first.iter().chain(&second).copied()) {
            let within = usize::from(first.contains(&label)) + usize::from(second.contains(&label));
            let known = holders.entry(label).or_insert(within);
            *known -= within;
            if *known > 0 {
                *known += 1;
                kept.push(label);
            }
        }
        operands.push(kept.clone());
        plan.flops += price;
        plan.steps.push((a, b, kept));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::extent;

    /// The labels that the product of operands `a` and `b` keeps, and its cost.
    fn pair(operands: &[Vec<Label>], a: usize, b: usize, out: &[Label]) -> (Vec<Label>, f64) {
        let all = distinct(operands[a].iter().chain(&operands[b]).copied());
        let needed = |label: &Label| {
            out.contains(label)
                || operands.iter().enumerate().any(|(k, labels)| k != a && k != b && labels.contains(label))
        };
        let cost = extent(&all);
        (all.into_iter().filter(needed).collect(), cost)
    }

    fn after(operands: &[Vec<Label>], a: usize, b: usize, kept: Vec<Label>) -> Vec<Vec<Label>> {
        let rest = operands.iter().enumerate().filter(|&(k, _)| k != a && k != b);
        rest.map(|(_, labels)| labels.clone()).chain([kept]).collect()
    }

    /// The least cost over all orders, by trying each.
    fn least(operands: &[Vec<Label>], out: &[Label]) -> f64 {
        let pairs = (1..operands.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let costs = pairs.map(|(a, b)| {
            let (kept, cost) = pair(operands, a, b, out);
            cost + least(&after(operands, a, b, kept), out)
        });
        costs.reduce(f64::min).unwrap_or(0.0)
    }

    /// The order found costs the least, and its steps cost what it says and end with the labels of the output.
    #[test]
    fn the_best_order_is_found() {
        for case in 0..200usize {
            let labels: Vec<Label> = [2, 3, 5, 7, 11, 13].map(Label::new).to_vec();
            let chosen = |seed: usize| -> Vec<Label> {
                labels
                    .iter()
                    .enumerate()
                    .filter(|(k, _)| (seed * 2654435761) >> (k + 7) & 1 == 1)
                    .map(|(_, l)| *l)
                    .collect()
            };
            let operands: Vec<Vec<Label>> =
                (0..2 + case % 4).map(|k| chosen(case * 31 + k * 7 + 1)).collect();
            let out: Vec<Label> = chosen(case * 17 + 3)
                .into_iter()
                .filter(|l| operands.iter().any(|o| o.contains(l)))
                .collect();
            let plan = contraction_order(&operands, &out);
            assert_eq!(plan.flops, least(&operands, &out), "{operands:?} to {out:?}");
            let (mut list, mut flops) = (operands.clone(), 0.0);
            for (a, b, kept) in &plan.steps {
                let (expected, cost) = pair(&list, *a, *b, &out);
                let sorted = |labels: &[Label]| {
                    let mut l = labels.to_vec();
                    l.sort();
                    l
                };
                assert_eq!(sorted(kept), sorted(&expected));
                flops += cost;
                list = after(&list, *a, *b, kept.clone());
            }
            assert_eq!((list.len(), flops), (1, plan.flops));
        }
    }

    /// Many factors in a time that is not felt, each step the cheapest there is.
    #[test]
    fn three_hundred_factors() {
        let labels: Vec<Label> = (0..20).map(|k| Label::new(2 + k % 5)).collect();
        let operands: Vec<Vec<Label>> =
            (0..300).map(|k| vec![labels[k % 20], labels[(k * 7 + 1) % 20]]).collect();
        let plan = contraction_order(&operands, &labels[..2]);
        let (mut list, mut flops) =
            (operands.iter().map(|labels| distinct(labels.iter().copied())).collect::<Vec<_>>(), 0.0);
        for (step, (a, b, kept)) in plan.steps.iter().enumerate() {
            let (expected, cost) = pair(&list, *a, *b, &labels[..2]);
            assert_eq!(*kept, expected);
            if step % 50 == 0 {
                let pairs = (1..list.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
                let least =
                    pairs.map(|(a, b)| pair(&list, a, b, &labels[..2]).1).fold(f64::INFINITY, f64::min);
                assert_eq!(cost, least);
            }
            flops += cost;
            list = after(&list, *a, *b, kept.clone());
        }
        assert_eq!((list.len(), flops), (1, plan.flops));
    }

    /// A chain of matrices with a vector at its end is multiplied from that end.
    #[test]
    fn a_matrix_chain_starts_at_the_vector() {
        for length in [3, 5, 9] {
            let labels: Vec<Label> =
                (0..=length).map(|k| Label::new(if k == length { 1 } else { 10 })).collect();
            let operands: Vec<Vec<Label>> = labels.windows(2).map(<[Label]>::to_vec).collect();
            let plan = contraction_order(&operands, &[labels[0], labels[length]]);
            assert_eq!(plan.flops, 100.0 * (length as f64 - 1.0), "{length}");
        }
    }
}
