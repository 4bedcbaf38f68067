//! What a term is a product of, and what a contraction may do to a payload.

use crate::coef::Coef;
use crate::dim::{Dim, Label};
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
    /// The entries of the inverse of a matrix, which is not formed as long as it is applied.
    Inverse(Inverse<V>),
}

/// `A⁻¹[row, column]` of a payload A of shape `[batch…, n, n]`.
#[derive(Clone, Debug)]
pub struct Inverse<V> {
    /// A.
    pub matrix: V,
    /// The labels of the batch axes.
    pub batch: Vec<Label>,
    /// The row of the inverse.
    pub row: Label,
    /// The column of the inverse.
    pub column: Label,
}

impl<V> Inverse<V> {
    pub(crate) fn labels(&self) -> Vec<Label> {
        self.batch.iter().copied().chain([self.row, self.column]).collect()
    }
}

impl<V> Factor<V> {
    /// The labels of the factor, with repetitions.
    pub fn labels(&self) -> Vec<Label> {
        match self {
            Factor::Dense(_, labels) => labels.clone(),
            Factor::Relation(relation) => relation.labels(),
            Factor::Inverse(inverse) => inverse.labels(),
        }
    }

    /// The value whose numbers the factor holds; none of a relation.
    pub fn payload(&self) -> Option<&V> {
        match self {
            Factor::Dense(value, _) => Some(value),
            Factor::Inverse(inverse) => Some(&inverse.matrix),
            Factor::Relation(_) => None,
        }
    }

    /// Does the label stand in the factor?
    pub(crate) fn has(&self, label: Label) -> bool {
        match self {
            Factor::Dense(_, labels) => labels.contains(&label),
            Factor::Relation(relation) => relation.has(label),
            Factor::Inverse(inverse) => inverse.labels().contains(&label),
        }
    }

    pub(crate) fn rename(&mut self, rename: &impl Fn(Label) -> Label) {
        match self {
            Factor::Dense(_, labels) => labels.iter_mut().for_each(|label| *label = rename(*label)),
            Factor::Relation(relation) => relation.rename(rename),
            Factor::Inverse(inverse) => {
                inverse.batch.iter_mut().for_each(|label| *label = rename(*label));
                inverse.row = rename(inverse.row);
                inverse.column = rename(inverse.column);
            }
        }
    }
}
