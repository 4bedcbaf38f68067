//! The parts of a term that have no label in common: the factors of its Kronecker product.

use crate::dim::{Label, distinct};
use crate::factor::{Factor, Value};
use crate::network::Term;

/// Is the label more than an axis of length 1?
pub(crate) fn ranges(label: &Label) -> bool {
    !label.dim().is_single()
}

/// Slots and factors of a term that have labels in common.
pub(crate) struct Component<V> {
    /// Axes of the output.
    pub outputs: Vec<usize>,
    /// Axes of the input.
    pub inputs: Vec<usize>,
    /// The factors over their labels, and over those that these bring along.
    pub factors: Vec<Factor<V>>,
}

impl<V: Value> Component<V> {
    /// Its slots, outputs counted first.
    pub fn axes(&self, split: usize) -> impl Iterator<Item = usize> {
        self.outputs.iter().copied().chain(self.inputs.iter().map(move |axis| split + axis))
    }

    /// Its labels.
    pub fn labels(&self, slots: &[Label], split: usize) -> Vec<Label> {
        let own = self.axes(split).map(|axis| slots[axis]);
        distinct(own.chain(self.factors.iter().flat_map(Factor::labels)).filter(ranges))
    }
}

/// The groups of slots of a term, with the factors over their labels. Axes of length 1, and factors that are numbers, are in
/// no group.
pub(crate) fn components<V: Value>(term: &Term<V>, split: usize) -> Vec<Component<V>> {
    let mut groups: Vec<Vec<Label>> = Vec::new();
    let sets = term.slots.iter().map(|label| vec![*label]).chain(term.factors.iter().map(Factor::labels));
    for set in sets {
        let set: Vec<Label> = set.into_iter().filter(ranges).collect();
        if set.is_empty() {
            continue;
        }
        let (joined, apart): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| set.iter().any(|label| group.contains(label)));
        groups = apart;
        groups.push(distinct(joined.into_iter().flatten().chain(set)));
    }
    let mut parts: Vec<Component<V>> = groups
        .into_iter()
        .map(|group| {
            let axes = |slots: &[Label]| -> Vec<usize> {
                slots.iter().enumerate().filter(|(_, label)| group.contains(label)).map(|(k, _)| k).collect()
            };
            let own = |factor: &&Factor<V>| factor.labels().iter().any(|label| group.contains(label));
            Component {
                outputs: axes(&term.slots[..split]),
                inputs: axes(&term.slots[split..]),
                factors: term.factors.iter().filter(own).cloned().collect(),
            }
        })
        .filter(|part| !(part.outputs.is_empty() && part.inputs.is_empty()))
        .collect();
    parts.sort_by_key(|part| (part.outputs.clone(), part.inputs.clone()));
    parts
}
