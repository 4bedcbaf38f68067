//! The order in which a product of many factors is contracted, two at a time.
//!
//! Cost model: a pair costs the product of the sizes of all its labels (multiply–adds), and its result keeps the
//! labels that the output or another factor still needs. Up to six factors the best order is found by trying all of
//! them; beyond that, the cheapest next pair is taken.

use crate::dim::{Label, distinct, extent};

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
    if operands.len() <= 6 { best(&operands, out) } else { greedy(operands, out) }
}

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

fn best(operands: &[Vec<Label>], out: &[Label]) -> Plan {
    let mut best = Plan { steps: Vec::new(), flops: f64::INFINITY };
    if operands.len() < 2 {
        return Plan { flops: 0.0, ..best };
    }
    for b in 1..operands.len() {
        for a in 0..b {
            let (kept, cost) = pair(operands, a, b, out);
            if cost >= best.flops {
                continue;
            }
            let rest = self::best(&after(operands, a, b, kept.clone()), out);
            if cost + rest.flops < best.flops {
                let steps = [(a, b, kept)].into_iter().chain(rest.steps).collect();
                best = Plan { steps, flops: cost + rest.flops };
            }
        }
    }
    best
}

fn greedy(mut operands: Vec<Vec<Label>>, out: &[Label]) -> Plan {
    let mut plan = Plan { steps: Vec::new(), flops: 0.0 };
    while operands.len() > 1 {
        let pairs = (1..operands.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let priced = pairs.map(|(a, b)| (a, b, pair(&operands, a, b, out)));
        let cheapest = priced.min_by(|(_, _, (kept, cost)), (_, _, (other_kept, other_cost))| {
            cost.total_cmp(other_cost).then(extent(kept).total_cmp(&extent(other_kept)))
        });
        let (a, b, (kept, cost)) = cheapest.expect("two operands make a pair");
        operands = after(&operands, a, b, kept.clone());
        plan.flops += cost;
        plan.steps.push((a, b, kept));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

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
