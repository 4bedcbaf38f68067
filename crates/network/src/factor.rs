//! What a term is a product of, and what a contraction may do to a payload.

use crate::coef::Coef;
use crate::dim::{Dim, Label};
use crate::operator::Operator;
use crate::relation::Relation;
use crate::table::{Error, Table};

/// The payload of a network, and with it the **closure law**: these methods are all that a contraction does.
///
/// An implementation that records what is asked of it obtains a program; one that holds numbers obtains numbers;
/// one that holds a shape obtains a price.
pub trait Value: Clone {
    /// The error of the implementation; it must be able to hold the errors of networks.
    type Error: From<Error>;

    /// Two payloads with equal ids are the same payload. Terms are merged by it.
    fn id(&self) -> u64;

    /// The dims of the axes.
    fn dims(&self) -> &[Dim];

    /// How the payload is written in a formula: `W`, `(1 − y²)`.
    fn symbol(&self) -> String;

    /// The number 1, as a scalar of the same kind of payload (dtype).
    fn one(&self) -> Self;

    /// `coef · Σ Π operands`, with the result's axes labelled `out`. Labels that are not in `out` are summed. A
    /// label may stand repeatedly in an operand (its diagonal is read) and in `out` (the result is written on
    /// the diagonal); a label of `out` that no operand has is broadcast.
    fn contract(coef: &Coef, operands: &[(Self, Vec<Label>)], out: &[Label]) -> Result<Self, Self::Error>;

    /// `y[t…, r…] = x[table[t…], r…]`, and 0 where the table says −1.
    fn gather(&self, table: &Table, dims: &[Dim]) -> Result<Self, Self::Error>;

    /// `y[n, r…] = Σ_{t: table[t] = n} x[t…, r…]`, the adjoint of [`Value::gather`]; `size` is that of `n`.
    fn scatter_add(&self, table: &Table, size: usize) -> Result<Self, Self::Error>;

    /// The same elements in row-major order under other dims.
    fn reshape(&self, dims: &[Dim]) -> Result<Self, Self::Error>;

    /// `A⁻¹ R` for this payload as A, `[batch…, n, n]`, and R `[batch…, n, k]`; `A⁻ᵀ R` where `transposed`.
    fn solve(&self, right: &Self, transposed: bool) -> Result<Self, Self::Error>;

    /// `A⁻¹` for this payload as A, `[batch…, n, n]`.
    fn inverse(&self) -> Result<Self, Self::Error>;

    /// `y[b…, r…, k] = x[b…, index[b…, r…], k]` for this payload as x and integers `index` with `batch` batch axes.
    fn pick(&self, index: &Self, batch: usize) -> Result<Self, Self::Error>;

    /// `y[b…, n, k] = Σ_{r…: index[b…, r…] = n} x[b…, r…, k]`, the adjoint of [`Value::pick`]; `size` is that of `n`.
    fn put(&self, index: &Self, batch: usize, size: Dim) -> Result<Self, Self::Error>;

    /// Running sums along axis `axis`; from its end where `reversed`.
    fn running_sum(&self, axis: usize, reversed: bool) -> Result<Self, Self::Error>;

    /// `y_i = a_i y_(i−1) + r_i` for this payload as a, `[batch…, n]`, and r `[batch…, n, k]`; the adjoint of that map from r to y,
    /// `y_i = a_(i+1) y_(i+1) + r_i`, where `transposed`.
    fn recur(&self, right: &Self, transposed: bool) -> Result<Self, Self::Error>;

    /// The map of kind [`Map::Local`](crate::Map::Local), or its transpose, of `right`: see [`Operator`].
    fn local(operator: &Operator<Self>, right: &Self, transposed: bool) -> Result<Self, Self::Error>;

    /// How input number `input` of the application that yielded this payload is written in a formula.
    fn operand(&self, input: usize) -> String;

    /// The sum of two payloads of equal dims.
    fn add(&self, other: &Self) -> Result<Self, Self::Error>;
}

/// A factor of a term.
#[derive(Clone, Debug)]
pub enum Factor<V> {
    /// A payload, a label for each of its axes.
    Dense(V, Vec<Label>),
    /// 1 where the relation between the labels holds, else 0.
    Relation(Relation),
    /// A linear map that is applied, and not written out as long as it can be.
    Operator(Operator<V>),
}

impl<V> Factor<V> {
    /// The labels of the factor, with repetitions.
    pub fn labels(&self) -> Vec<Label> {
        match self {
            Factor::Dense(_, labels) => labels.clone(),
            Factor::Relation(relation) => relation.labels(),
            Factor::Operator(operator) => operator.labels(),
        }
    }

    /// The value whose numbers the factor holds; none of a relation, nor of running sums.
    pub fn payload(&self) -> Option<&V> {
        match self {
            Factor::Dense(value, _) => Some(value),
            Factor::Operator(operator) => operator.payload(),
            Factor::Relation(_) => None,
        }
    }

    /// Does the label stand in the factor?
    pub(crate) fn has(&self, label: Label) -> bool {
        match self {
            Factor::Dense(_, labels) => labels.contains(&label),
            Factor::Relation(relation) => relation.has(label),
            Factor::Operator(operator) => operator.labels().contains(&label),
        }
    }

    pub(crate) fn rename(&mut self, rename: &impl Fn(Label) -> Label) {
        match self {
            Factor::Dense(_, labels) => labels.iter_mut().for_each(|label| *label = rename(*label)),
            Factor::Relation(relation) => relation.rename(rename),
            Factor::Operator(operator) => operator.rename(rename),
        }
    }
}
