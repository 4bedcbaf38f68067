//! Operators: linear maps that are applied and never written out, as long as there is something to apply them to.
//!
//! A matrix of n² entries may be known by less: an inverse by the matrix that it inverts, a selection by its indices, running sums by
//! nothing, the solution of a first-order recurrence by its n coefficients, the Jacobian of a loop by the loop. Such a map stands
//! in a term as a factor over *rows* (what it yields) and *columns* (what it takes), with a delta on each *batch* axis; the contraction
//! applies it, or its transpose, to the product of the factors that share what is summed. What a map does to a payload
//! are methods of [`Value`]; what it *is*, is said here.

use crate::dim::{Dim, Label};
use crate::factor::Value;

/// A linear map between axes, as a factor of a term.
#[derive(Clone, Debug)]
pub struct Operator<V> {
    /// Which map.
    pub map: Map<V>,
    /// The labels of the batch axes.
    pub batch: Vec<Label>,
    /// The labels of what it yields.
    pub rows: Vec<Label>,
    /// The labels of what it takes.
    pub columns: Vec<Label>,
}

/// The kinds of maps. Shapes are given with the batch axes in front.
#[derive(Clone, Debug)]
pub enum Map<V> {
    /// `A⁻¹[row, column]` of A, `[batch…, n, n]`.
    Inverse(V),
    /// `[column = index[rows…]]` for integers of shape `[batch…, rows…]`, each inside the column's axis: their numbers are read when the
    /// program runs, so that it may compute them.
    Selection(V),
    /// `[column ≤ row]`: running sums along an axis.
    RunningSum,
    /// `y_i = a_i y_(i−1) + r_i` as a map from r to y, for a of shape `[batch…, n]`; y before the first is 0.
    Recurrence(V),
    /// The local Jacobian of the application that yielded `of`, by its input number `input`: of an operation that states how its
    /// Jacobian is applied.
    Local {
        /// An output of the application.
        of: V,
        /// Which input.
        input: usize,
        /// Multiply–adds of one application, of the map or its transpose.
        flops: f64,
    },
}

impl<V> Operator<V> {
    /// `A⁻¹[row, column]`.
    pub fn inverse(matrix: V, batch: &[Label], row: Label, column: Label) -> Operator<V> {
        Operator { map: Map::Inverse(matrix), batch: batch.to_vec(), rows: vec![row], columns: vec![column] }
    }

    /// The labels: batch, rows, columns.
    pub fn labels(&self) -> Vec<Label> {
        self.batch.iter().chain(&self.rows).chain(&self.columns).copied().collect()
    }

    /// The value whose numbers the map is known by; none of running sums.
    pub fn payload(&self) -> Option<&V> {
        match &self.map {
            Map::Inverse(value)
            | Map::Selection(value)
            | Map::Recurrence(value)
            | Map::Local { of: value, .. } => Some(value),
            Map::RunningSum => None,
        }
    }

    /// The dims of what an application yields: batch axes, rows (or columns, of the transpose), and those of `right` behind.
    pub fn yields(&self, right: &[Dim], transposed: bool) -> Vec<Dim> {
        let (made, taken) =
            if transposed { (&self.columns, &self.rows) } else { (&self.rows, &self.columns) };
        let behind = &right[self.batch.len() + taken.len()..];
        self.batch.iter().chain(made).map(|label| label.dim()).chain(behind.iter().copied()).collect()
    }

    /// Row and column, of a matrix without batch axes between two different ones.
    pub fn as_matrix(&self) -> Option<(Label, Label)> {
        match (self.batch.as_slice(), self.rows.as_slice(), self.columns.as_slice()) {
            ([], &[row], &[column]) if row != column => Some((row, column)),
            _ => None,
        }
    }

    /// The same map of other payloads.
    pub(crate) fn map_payload<W>(&self, change: impl FnOnce(&V) -> W) -> Operator<W> {
        let map = match &self.map {
            Map::Inverse(value) => Map::Inverse(change(value)),
            Map::Selection(value) => Map::Selection(change(value)),
            Map::RunningSum => Map::RunningSum,
            Map::Recurrence(value) => Map::Recurrence(change(value)),
            Map::Local { of, input, flops } => Map::Local { of: change(of), input: *input, flops: *flops },
        };
        let Operator { batch, rows, columns, .. } = self;
        Operator { map, batch: batch.clone(), rows: rows.clone(), columns: columns.clone() }
    }

    pub(crate) fn rename(&mut self, rename: &impl Fn(Label) -> Label) {
        let labels = self.batch.iter_mut().chain(&mut self.rows).chain(&mut self.columns);
        labels.for_each(|label| *label = rename(*label));
    }
}

impl<V: Value> Operator<V> {
    /// The map, or its transpose, of `right`, whose axes are `[batch…, columns…, k]` (`[batch…, rows…, k]`); that of the result are
    /// `[batch…, rows…, k]` (`[batch…, columns…, k]`).
    pub(crate) fn apply(&self, right: &V, transposed: bool) -> Result<V, V::Error> {
        let batch = self.batch.len();
        match &self.map {
            Map::Inverse(matrix) => matrix.solve(right, transposed),
            Map::Selection(index) if transposed => right.put(index, batch, self.columns[0].dim()),
            Map::Selection(index) => right.pick(index, batch),
            Map::RunningSum => right.running_sum(batch, transposed),
            Map::Recurrence(coefficients) => coefficients.recur(right, transposed),
            Map::Local { .. } => V::local(self, right, transposed),
        }
    }

    /// The entries, `[batch…, rows…, columns…]`. `one` is the scalar 1 of the dtype wanted.
    pub(crate) fn written_out(&self, one: &V) -> Result<V, V::Error> {
        if let Map::Inverse(matrix) = &self.map {
            return matrix.inverse();
        }
        // Applied to the identity, on the side that has fewer columns.
        let size = |labels: &[Label]| labels.iter().map(|label| label.size()).product::<usize>();
        let transposed = size(&self.rows) < size(&self.columns);
        let (given, made) =
            if transposed { (&self.rows, &self.columns) } else { (&self.columns, &self.rows) };
        let dims = |parts: &[&[Label]]| -> Vec<Dim> {
            parts.iter().flat_map(|labels| labels.iter().map(|label| label.dim())).collect()
        };
        // Batch labels may be repeated in the term; here each axis stands for itself.
        let fresh =
            |labels: &[Label]| -> Vec<Label> { labels.iter().map(|label| Label::new(label.dim())).collect() };
        let (batch, diagonal) = (fresh(&self.batch), fresh(given));
        let labels = [batch.as_slice(), &diagonal, &diagonal].concat();
        let identity = V::contract(&crate::Coef::one(), &[(one.clone(), Vec::new())], &labels)?;
        let count = Dim::new(size(given));
        let flat = [dims(&[&self.batch, given]), vec![count]].concat();
        let yielded = self.apply(&identity.reshape(&flat)?, transposed)?;
        let value = yielded.reshape(&dims(&[&self.batch, made, given]))?;
        if !transposed {
            return Ok(value);
        }
        let (made, given) = (fresh(made), fresh(given));
        let from = [batch.as_slice(), &made, &given].concat();
        let to = [batch.as_slice(), &given, &made].concat();
        V::contract(&crate::Coef::one(), &[(value, from)], &to)
    }

    /// How the map is written in a formula, before its subscripts; of a selection, what is selected by.
    pub(crate) fn symbol(&self) -> String {
        match &self.map {
            Map::Inverse(matrix) => format!("({}⁻¹)", matrix.symbol()),
            Map::Selection(index) => index.symbol(),
            Map::RunningSum => "[≥]".to_string(),
            Map::Recurrence(coefficients) => format!("((I − diag({}) S)⁻¹)", coefficients.symbol()),
            Map::Local { of, input, .. } => format!("(∂{}/∂{})", of.symbol(), of.operand(*input)),
        }
    }
}
