//! Views: tensors that are a part of another one, or all of it in another order. In PyTorch they are the same memory.
//!
//! Here each tensor has numbers of its own, and a view knows where they stand in those of the tensor that it is of: what is written
//! to it is written there too, and it is read anew where that was changed. Where they stand is asked of the operation itself: it is
//! done once more, on the numbers 0, 1, 2, … of places.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use pullback::array::Array;
use pullback::autograd::tensor::{Result, Tensor};
use pullback::ops;

use super::kinds::Kind;
use super::line::Line;

/// Functions whose results are views, in PyTorch.
const VIEWS: [&str; 24] = [
    "broadcast_to",
    "chunk",
    "diagonal",
    "expand",
    "expand_as",
    "flatten",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "ravel",
    "reshape",
    "reshape_as",
    "select",
    "split",
    "squeeze",
    "swapaxes",
    "t",
    "transpose",
    "unbind",
    "unflatten",
    "unsqueeze",
    "view",
    "view_as",
];

/// Those that copy where what they are given is not laid out in rows.
const IN_ROWS: [&str; 4] = ["flatten", "ravel", "reshape", "reshape_as"];

/// More views of views are not gone through: where the last one stands is computed at once.
const MOST_DEPTH: usize = 32;

/// Where a view stands in the tensor that it is of.
pub struct View {
    /// What it is of, in the end.
    base: Tensor,
    /// What it is of at once, where that is a view itself.
    source: Option<Arc<View>>,
    /// The operation, its first operand being what it is of; which of its results it is.
    made: Option<(Line, usize)>,
    depth: usize,
    positions: OnceLock<Array>,
}

impl View {
    /// The view that is this result of an operation, where the operation makes views. `source` is what its first operand is a view of.
    pub fn of(
        called: &str,
        first: &Tensor,
        source: Option<&Arc<View>>,
        line: &Line,
        result: usize,
    ) -> Option<View> {
        if !VIEWS.contains(&called) {
            return None;
        }
        let copies = IN_ROWS.contains(&called) && source.is_some_and(|source| !source.is_in_rows());
        (!copies).then(|| View::made(first, source, line, result))
    }

    /// The view that is this result of an operation.
    pub fn made(first: &Tensor, source: Option<&Arc<View>>, line: &Line, result: usize) -> View {
        let depth = source.map_or(0, |source| source.depth + 1);
        let view = View {
            base: source.map_or_else(|| first.clone(), |source| source.base.clone()),
            source: source.cloned(),
            made: Some((line.clone(), result)),
            depth,
            positions: OnceLock::new(),
        };
        match (depth >= MOST_DEPTH).then(|| view.positions()) {
            Some(Ok(positions)) => {
                let known = OnceLock::from(positions);
                View { source: None, made: None, depth: 0, positions: known, ..view }
            }
            _ => view,
        }
    }

    /// The tensor that it is of.
    pub fn base(&self) -> &Tensor {
        &self.base
    }

    /// Where each element stands, counted in rows.
    pub fn positions(&self) -> Result<Array> {
        if let Some(known) = self.positions.get() {
            return Ok(known.clone());
        }
        let shape = self.base.shape();
        let source = match &self.source {
            Some(source) => source.positions()?,
            None => Array::arange(shape.iter().product())?.reshape(&shape)?,
        };
        let found = match &self.made {
            Some((line, result)) => {
                line.clone().with_first(&Tensor::new(source)).results(true)?.swap_remove(*result).array()
            }
            None => source,
        };
        Ok(self.positions.get_or_init(|| found).clone())
    }

    /// Its numbers, as they are now.
    pub fn values(&self) -> Result<Array> {
        let (positions, base) = (self.positions()?, self.base.array());
        let mut line = Line::new(Kind::Float32);
        line.push("gather(").push_tensor(&Tensor::new(base.reshape(&[base.len()])?), false).push(", ");
        line.push_tensor(&Tensor::new(positions), false).push(")");
        Ok(line.results(false)?.remove(0).array())
    }

    /// Puts `value` in its place in the tensor that it is of.
    ///
    /// # Errors
    /// Where several of its elements are one of that; and those of a change in place.
    pub fn write(
        &self,
        value: &Tensor,
        put: impl FnOnce(&Tensor, &Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<()> {
        let positions = self.positions()?;
        let mut seen = HashSet::new();
        if !positions.to_vec_i64()?.into_iter().all(|place| seen.insert(place)) {
            return Err(ops::Error::new(
                "unsupported operation: more than one element of the written-to tensor refers to a single memory location. \
                 Please clone() the tensor before performing the operation.",
            )
            .into());
        }
        self.base.update(|before| put(before, &Tensor::new(positions), value))
    }

    /// Does it lie in one piece, row behind row?
    fn is_in_rows(&self) -> bool {
        let numbers = self.positions().and_then(|positions| Ok(positions.to_vec_i64()?)).unwrap_or_default();
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
    }
}
