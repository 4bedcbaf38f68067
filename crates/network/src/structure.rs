//! What kind of matrix a network is: read off its labels, without a number.
//!
//! | what the labels show | what it is |
//! |---|---|
//! | a label in an output and an input slot in every term | block-diagonal over it; diagonal, where all slots are such |
//! | slots and factors that fall into groups without a common label | a Kronecker product |
//! | few labels between the output's side of a product and the input's | a matrix of low rank |
//! | only relations that each give an output one input | a selection, or a permutation |
//!
//! Each statement holds for all values of the payloads. It can say too little (two payloads may happen to cancel), and is
//! never more than what the labels imply.

use crate::coef::Coef;
use crate::component::{components, ranges};
use crate::dim::{Label, distinct, extent, extent_of};
use crate::factor::{Factor, Value};
use crate::join::canonical;
use crate::network::{Network, Term};
use crate::relation::{Relation, bounds};
use crate::solution::decodes;

/// What kind of matrix a Jacobian is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Structure {
    /// What can be said of it; nothing, where it is dense for all that its labels tell.
    pub kinds: Vec<Kind>,
    /// The matrix `[|y|, |x|]` in matrix notation, with both sides in row-major vec, where it has one: `I_N ⊗ Wᵀ`.
    pub matrix: Option<String>,
    /// The same with both sides in column-major vec: `W ⊗ I_N`.
    pub by_columns: Option<String>,
}

/// A statement about a matrix `[|y|, |x|]`, of a map from arrays with certain axes to arrays with others.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Every entry is 0.
    Zero,
    /// y = x.
    Identity,
    /// y has the entries of x in another order.
    Permutation,
    /// Each entry of y is an entry of x, or 0.
    Selection,
    /// Each entry of y depends on the entry of x at the same place alone.
    Diagonal,
    /// The sum of a diagonal matrix and one whose rank is at most this.
    DiagonalPlusLowRank(usize),
    /// Entries of y depend on entries of x alone that agree with them in the index along these pairs of axes, (of y, of x).
    BlockDiagonal(Vec<(usize, usize)>),
    /// The Kronecker product of maps between these groups of axes, (of y, of x), up to an order of axes.
    Kronecker(Vec<(Vec<usize>, Vec<usize>)>),
    /// The rank is at most this.
    LowRank(usize),
}

impl<V: Value> Network<V> {
    /// What kind of matrix this is, as far as its labels tell.
    pub fn structure(&self) -> Structure {
        let (matrix, by_columns) = (self.vec_notation(false), self.vec_notation(true));
        let kinds = if self.is_zero() { vec![Kind::Zero] } else { self.kinds() };
        Structure { kinds, matrix, by_columns }
    }

    fn kinds(&self) -> Vec<Kind> {
        let split = self.outputs().len();
        if let [term] = self.terms()
            && let Some(kind) = selection(term, split)
        {
            return vec![kind];
        }
        if self.terms().iter().all(|term| is_diagonal(term, split)) {
            return vec![Kind::Diagonal];
        }
        let mut kinds = Vec::new();
        let full = extent_of(self.outputs()).min(extent_of(self.inputs()));
        let rank =
            |terms: &mut dyn Iterator<Item = &Term<V>>| terms.map(|term| rank(term, split)).sum::<f64>();
        let spread = rank(&mut self.terms().iter().filter(|term| !is_diagonal(term, split)));
        let mut shared = shared_axes(&self.terms()[0], split);
        for term in self.terms() {
            let axes = shared_axes(term, split);
            shared.retain(|pair| axes.contains(pair));
        }
        // Rank r and a diagonal are r (2n − r) + n numbers: where that is no less than n² they say nothing of a block.
        let blocks: f64 = shared.iter().map(|&(axis, _)| self.outputs()[axis].size() as f64).product();
        let says_something = ((full - spread) / blocks).powi(2) > full / blocks && spread < full;
        if self.terms().iter().any(|term| is_diagonal(term, split)) && says_something {
            kinds.push(Kind::DiagonalPlusLowRank(spread as usize));
        }
        if !shared.is_empty() {
            kinds.push(Kind::BlockDiagonal(shared));
        }
        let groups = self.groups();
        if groups.len() > 1 && groups.iter().filter(|group| !self.is_common(group)).count() <= 1 {
            let axes = |group: &Vec<usize>| -> (Vec<usize>, Vec<usize>) {
                let (outputs, inputs): (Vec<usize>, Vec<usize>) =
                    group.iter().partition(|&&axis| axis < split);
                (outputs, inputs.into_iter().map(|axis| axis - split).collect())
            };
            kinds.push(Kind::Kronecker(groups.iter().map(axes).collect()));
        }
        let rank = rank(&mut self.terms().iter());
        if rank < full {
            kinds.push(Kind::LowRank(rank as usize));
        }
        kinds
    }

    /// The slots in groups between which no term has a label in common: outputs counted first, then inputs.
    pub(crate) fn groups(&self) -> Vec<Vec<usize>> {
        let split = self.outputs().len();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for part in self.terms().iter().flat_map(|term| components(term, split)) {
            let own: Vec<usize> = part.axes(split).collect();
            let (joined, apart): (Vec<_>, Vec<_>) =
                groups.into_iter().partition(|group| own.iter().any(|axis| group.contains(axis)));
            groups = apart;
            let mut union: Vec<usize> = joined.into_iter().flatten().chain(own).collect();
            union.sort_unstable();
            union.dedup();
            groups.push(union);
        }
        groups.sort();
        groups
    }

    /// Is what a group of slots has in each term the same in all?
    pub(crate) fn is_common(&self, group: &[usize]) -> bool {
        let split = self.outputs().len();
        let own = |term: &Term<V>| {
            let parts = components(term, split).into_iter();
            let mine = parts.filter(|part| part.axes(split).any(|axis| group.contains(&axis)));
            canonical(&Term {
                coef: Coef::one(),
                slots: group.iter().map(|&axis| term.slots[axis]).collect(),
                factors: mine.flat_map(|part| part.factors).collect(),
            })
        };
        self.terms().windows(2).all(|two| own(&two[0]) == own(&two[1]))
    }
}

/// A product of deltas and relations alone, which give each output at most one input.
fn selection<V: Value>(term: &Term<V>, split: usize) -> Option<Kind> {
    let relations: Option<Vec<&Relation>> = term
        .factors
        .iter()
        .map(|factor| match factor {
            Factor::Relation(relation) => Some(relation),
            _ => None,
        })
        .collect();
    let relations = relations?;
    if !term.coef.is_one() || !term.labels().iter().all(|label| term.is_free(*label)) {
        return None;
    }
    let (outputs, inputs) = term.slots.split_at(split);
    if !gives_one(outputs, inputs, &relations) {
        return None;
    }
    let same_axes = outputs.iter().filter(|l| ranges(l)).eq(inputs.iter().filter(|l| ranges(l)));
    let gives_each = gives_each(outputs, inputs, &relations);
    Some(match relations.is_empty() && same_axes && gives_each {
        true => Kind::Identity,
        false
            if gives_each
                && gives_one(inputs, outputs, &relations)
                && extent_of_slots(outputs) == extent_of_slots(inputs) =>
        {
            Kind::Permutation
        }
        false => Kind::Selection,
    })
}

fn extent_of_slots(slots: &[Label]) -> f64 {
    slots.iter().map(|label| label.size() as f64).product()
}

/// Do `from` determine `to`: is each label of `to` one of them, or the only solution of a relation?
fn gives_one(from: &[Label], to: &[Label], relations: &[&Relation]) -> bool {
    let open: Vec<Label> = distinct(to.iter().copied())
        .into_iter()
        .filter(|label| ranges(label) && !from.contains(label))
        .collect();
    let mut found: Vec<Label> = Vec::new();
    for relation in relations {
        let determined: Vec<(i64, Label)> =
            relation.linear.iter().copied().filter(|(_, label)| open.contains(label)).collect();
        let in_table =
            relation.table.iter().any(|(_, labels)| labels.iter().any(|label| open.contains(label)));
        if determined.is_empty() && !in_table {
            continue;
        }
        if in_table || !decodes(&determined) || determined.iter().any(|(_, label)| found.contains(label)) {
            return false;
        }
        found.extend(determined.iter().map(|&(_, label)| label));
    }
    open.iter().all(|label| found.contains(label))
}

/// Has every index of `from` one of `to`, so that no row is zero? Not where a label twice on a side, or
/// a relation, leaves an index out.
fn gives_each(from: &[Label], to: &[Label], relations: &[&Relation]) -> bool {
    let once = |slots: &[Label]| {
        let axes: Vec<Label> = slots.iter().copied().filter(ranges).collect();
        distinct(axes.iter().copied()).len() == axes.len()
    };
    let holds = |relation: &&Relation| {
        let (others, mut determined): (Vec<_>, Vec<_>) =
            relation.linear.iter().partition(|(_, label)| from.contains(label));
        // Every number between the bounds is attained, if no coefficient passes what the smaller ones reach by more than 1.
        determined.sort_by_key(|(c, _)| c.abs());
        let gapless = (0..determined.len()).all(|k| {
            let (low, high) = bounds(&determined[..k], 0);
            i128::from(determined[k].0.abs()) <= high - low + 1
        });
        let ((low, high), (least, most)) = (bounds(&determined, 0), bounds(&others, relation.constant));
        relation.table.is_none() && gapless && low <= -most && -least <= high
    };
    once(from) && once(to) && relations.iter().all(holds)
}

/// Does each slot of the output stand in the same place of the input, and nothing else?
fn is_diagonal<V>(term: &Term<V>, split: usize) -> bool {
    let (outputs, inputs) = term.slots.split_at(split);
    let sizes = |slots: &[Label]| slots.iter().map(|label| label.size()).collect::<Vec<_>>();
    sizes(outputs) == sizes(inputs) && outputs.iter().zip(inputs).all(|(o, i)| o == i || !ranges(o))
}

/// The pairs of axes that a delta joins.
fn shared_axes<V>(term: &Term<V>, split: usize) -> Vec<(usize, usize)> {
    let (outputs, inputs) = term.slots.split_at(split);
    let pairs = outputs.iter().enumerate().flat_map(|(o, output)| {
        inputs.iter().enumerate().filter(move |(_, input)| *input == output).map(move |(i, _)| (o, i))
    });
    pairs.filter(|&(o, _)| ranges(&outputs[o])).collect()
}

/// A bound on the rank of a term: the least number of values that labels take which stand on both sides, however the
/// factors are dealt out between the output's side and the input's. (A flow through a cut.)
fn rank<V: Value>(term: &Term<V>, split: usize) -> f64 {
    let (outputs, inputs) = term.slots.split_at(split);
    let factors: Vec<Vec<Label>> = term.factors.iter().map(Factor::labels).collect();
    // Beyond this many factors only the two ends are tried.
    let dealt: Vec<u32> =
        if factors.len() <= 12 { (0..1 << factors.len()).collect() } else { vec![0, u32::MAX] };
    let labels = term.labels();
    let cut = |choice: u32| -> f64 {
        let on = |side: u32, slots: &[Label], label: &Label| {
            slots.contains(label)
                || factors
                    .iter()
                    .enumerate()
                    .any(|(k, factor)| (choice >> k.min(31)) & 1 == side && factor.contains(label))
        };
        let both = labels.iter().filter(|label| on(0, outputs, label) && on(1, inputs, label));
        extent(both)
    };
    dealt.into_iter().map(cut).fold(f64::INFINITY, f64::min)
}
