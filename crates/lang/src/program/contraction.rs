//! Index notation: one term as one contraction, and values under other axes.

use std::collections::HashMap;

use pullback_network::{Coef, Dim, Label};
use pullback_ops::{Einsum, Val};

use super::failure::{Outcome, of_op};
use super::notation::{Entries, Notation};
use crate::Span;

/// The parts of one term.
pub(super) struct Product {
    pub(super) coef: Coef,
    pub(super) operands: Vec<(Val, Vec<usize>)>,
    /// The pairs of indices that deltas make one.
    pub(super) equal: Vec<(usize, usize)>,
}

impl Notation<'_, '_> {
    /// The value of a term: everything multiplied, and summed over what is not in `keep`.
    pub(super) fn contracted(&mut self, span: Span, product: Product, keep: &[usize]) -> Outcome<Entries> {
        let Product { mut coef, mut operands, equal } = product;
        let in_operands = operands.iter().flat_map(|(_, axes)| axes.iter().copied());
        let mut standing: Vec<usize> = in_operands.chain(equal.iter().flat_map(|&(a, b)| [a, b])).collect();
        standing.sort_unstable();
        standing.dedup();
        // Each index has the label of the first of those that deltas make equal.
        let mut first: HashMap<usize, usize> = standing.iter().map(|&index| (index, index)).collect();
        for (a, b) in equal {
            let (a, b) = (first[&a], first[&b]);
            first.values_mut().filter(|index| **index == b).for_each(|index| *index = a);
        }
        let labels: HashMap<usize, Label> =
            standing.iter().map(|&index| (index, Label::new(self.ranges.dim(index)))).collect();
        let label = |index: &usize| labels[&first[index]];
        let axes: Vec<usize> = keep.iter().copied().filter(|index| standing.contains(index)).collect();
        let out: Vec<Label> = axes.iter().map(label).collect();
        let inputs: Vec<Vec<Label>> =
            operands.iter().map(|(_, axes)| axes.iter().map(label).collect()).collect();
        // A label that is summed and stands nowhere else contributes its size: Σ_ij δ_ij = n.
        let mut lone: Vec<usize> = standing.iter().map(|index| first[index]).collect();
        lone.sort_unstable();
        lone.dedup();
        for index in lone {
            let label = labels[&index];
            if !out.contains(&label) && !inputs.iter().any(|labels| labels.contains(&label)) {
                coef = coef.times(&Coef::size(label.dim(), 1));
            }
        }
        if let ([(val, _)], [labels]) = (operands.as_slice(), inputs.as_slice())
            && coef.is_one()
            && *labels == out
            && (1..out.len()).all(|k| !out[..k].contains(&out[k]))
        {
            return Ok(Entries { val: val.clone(), axes });
        }
        let mut inputs = inputs;
        if operands.is_empty() {
            operands.push((Val::number(coef.value(), self.evaluator.scope.dtype), Vec::new()));
            inputs.push(Vec::new());
            coef = Coef::one();
            if out.is_empty() {
                return Ok(Entries { val: operands.remove(0).0, axes });
            }
        }
        let vals: Vec<&Val> = operands.iter().map(|(val, _)| val).collect();
        let val = Val::apply(Einsum::from_labels(coef, &inputs, &out), &vals).map_err(of_op(span))?;
        self.evaluator.remember_place(&val, span);
        Ok(Entries { val, axes })
    }

    /// The value with exactly these axes: permuted, and broadcast along those that it lacks.
    pub(super) fn spread(&mut self, span: Span, entries: &Entries, axes: &[usize]) -> Outcome<Val> {
        if entries.axes == axes {
            return Ok(entries.val.clone());
        }
        let labels: HashMap<usize, Label> =
            axes.iter().map(|&index| (index, Label::new(self.ranges.dim(index)))).collect();
        let own: Vec<Label> = entries.axes.iter().map(|index| labels[index]).collect();
        let out: Vec<Label> = axes.iter().map(|index| labels[index]).collect();
        let val = Val::apply(Einsum::from_labels(Coef::one(), &[own], &out), &[&entries.val])
            .map_err(of_op(span))?;
        self.evaluator.remember_place(&val, span);
        Ok(val)
    }

    /// The value as an operand of an operation that broadcasts to these axes: as it is where it has the last of them, and otherwise with axes
    /// of size 1 for those that it lacks.
    pub(super) fn suited(&mut self, span: Span, entries: &Entries, axes: &[usize]) -> Outcome<Val> {
        let own: Vec<usize> = axes.iter().copied().filter(|index| entries.axes.contains(index)).collect();
        if axes.ends_with(&entries.axes) {
            return Ok(entries.val.clone());
        }
        if own != entries.axes {
            return self.spread(span, entries, axes);
        }
        let behind = axes.iter().skip_while(|index| !own.contains(index));
        let dims: Vec<Dim> = behind
            .map(|&index| if own.contains(&index) { self.ranges.dim(index) } else { Dim::new(1) })
            .collect();
        let val = entries.val.reshape(&dims).map_err(of_op(span))?;
        self.evaluator.remember_place(&val, span);
        Ok(val)
    }
}
