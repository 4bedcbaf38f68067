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

/// Those that give the same elements another shape: they copy where these do not lie so, but for `view`, which refuses.
const RESHAPES: [&str; 6] = ["flatten", "ravel", "reshape", "reshape_as", "view", "view_as"];

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
    ///
    /// # Errors
    /// Where PyTorch has no such view of numbers that lie so.
    pub fn of(
        called: &str,
        (first, source): (&Tensor, Option<&Arc<View>>),
        line: &Line,
        (number, result): (usize, &Tensor),
    ) -> Result<Option<View>> {
        if !View::makes(called) {
            return Ok(None);
        }
        let lies_apart = match source {
            Some(source) if RESHAPES.contains(&called) => !source.may_be_seen_as(&result.shape())?,
            _ => false,
        };
        match (lies_apart, called) {
            (true, "view" | "view_as") => Err(ops::Error::new(
                "view size is not compatible with input tensor's size and stride (at least one dimension spans across two \
                 contiguous subspaces). Use .reshape(...) instead.",
            )
            .into()),
            // A copy.
            (true, _) => Ok(None),
            (false, _) => Ok(Some(View::made(first, source, line, number))),
        }
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

    /// Does a function make views?
    pub fn makes(called: &str) -> bool {
        VIEWS.contains(&called)
    }

    /// Does a function give the same elements another shape?
    pub fn reshapes(called: &str) -> bool {
        RESHAPES.contains(&called)
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

    /// May its elements, as they lie in memory, be read as an array of this shape? Axes are joined where they follow one another
    /// without a gap.
    fn may_be_seen_as(&self, wanted: &[usize]) -> Result<bool> {
        let positions = self.positions()?;
        let (shape, numbers) = (positions.shape().to_vec(), positions.to_vec_i64()?);
        if numbers.len() < 2 {
            return Ok(true);
        }
        // How far apart neighbours along an axis lie; in rows they stand `behind` apart.
        let mut behind = 1;
        let mut axes: Vec<(usize, i64)> = Vec::new();
        for &size in shape.iter().rev() {
            if size > 1 {
                axes.push((size, numbers[behind] - numbers[0]));
            }
            behind *= size;
        }
        let mut wanted = wanted.iter().rev().copied().filter(|&size| size != 1);
        let mut at = 0;
        while at < axes.len() {
            let (mut joined, apart) = axes[at];
            at += 1;
            while at < axes.len() && axes[at].1 == joined as i64 * apart {
                joined *= axes[at].0;
                at += 1;
            }
            let mut taken = 1;
            while taken < joined {
                taken = wanted.next().map_or(usize::MAX, |size| taken * size);
            }
            if taken != joined {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
