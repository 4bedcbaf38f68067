//! What forward passes consist of: kernels, and recipes made of them.
//!
//! An operation whose forward pass is made of functions of elements, of sums and of products says so by adding them to a [`Recipe`]
//! ([`Op::recipe`](crate::Op::recipe)); whoever runs many operations one after another (a plan) sees through their borders. A recipe
//! holds each kernel once: the same one of the same operands is the same value.
//!
//! It says nothing that [`Op::forward`](crate::Op::forward) does not: what comes of the kernels, each run by itself
//! ([`Kernel::run`]), is the forward pass to the last bit, and the test of the op table holds every operation to that.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use pullback_array::{Array, DType, Each, Pairs};

use crate::Result;

/// A function of arrays of floats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// What comes from elsewhere; the number tells one from the others.
    Given(usize),
    /// A number, a scalar; by its bits.
    Number(u64),
    /// A function of each element.
    Each(Stated<Each>),
    /// A function of pairs of elements, broadcast.
    Pairs(Stated<Pairs>),
    /// The sum over these axes, which stay as axes of size 1.
    Sum(Vec<usize>),
    /// The largest element over these axes, which stay as axes of size 1.
    Max(Vec<usize>),
    /// The same elements with other axes: for each, the one of the operand that it is, or none where the operand is repeated along it.
    /// Axes of size 1 may be missing.
    View(Vec<Option<usize>>),
    /// A product of two operands, contracted: [`Array::contract`] with labels from 0 on.
    Contract {
        /// By its bits.
        coef: u64,
        /// Of each operand's axes.
        operands: [Vec<u32>; 2],
        /// Of the result's.
        out: Vec<u32>,
    },
}

/// What is stated once in the program: it equals itself.
#[derive(Debug)]
pub struct Stated<T: 'static>(pub &'static T);

impl<T> Clone for Stated<T> {
    fn clone(&self) -> Stated<T> {
        *self
    }
}

impl<T> Copy for Stated<T> {}

impl<T> PartialEq for Stated<T> {
    fn eq(&self, other: &Stated<T>) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl<T> Eq for Stated<T> {}

impl<T> Hash for Stated<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl Kernel {
    /// The result, of this shape, by arrays. What is given has none.
    ///
    /// # Errors
    /// Where memory does not suffice.
    pub fn run(&self, operands: &[&Array], shape: &[usize], dtype: DType) -> Result<Array> {
        Ok(match (self, operands) {
            (Kernel::Number(bits), _) => Array::scalar(f64::from_bits(*bits), dtype)?,
            (Kernel::Each(f), [x]) => x.each(f.0)?,
            (Kernel::Pairs(f), [a, b]) => a.pairs(b, "kernel", f.0)?,
            (Kernel::Sum(axes), [x]) => x.sum(axes, true)?,
            (Kernel::Max(axes), [x]) => x.max(axes, true)?,
            (Kernel::View(axes), [x]) => x.rearranged(axes, shape)?,
            (Kernel::Contract { coef, operands: [left, right], out }, [a, b]) => {
                let of = |labels: &[u32], array: &Array| -> Vec<(u32, usize)> {
                    labels.iter().copied().zip(array.shape().iter().copied()).collect()
                };
                let sizes = [of(left, a), of(right, b)].concat();
                Array::contract(f64::from_bits(*coef), &[(a, left), (b, right)], out, &sizes)?
            }
            _ => return Err(crate::Error::new("a kernel of other operands")),
        })
    }
}

/// A value of a recipe.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it comes from.
    pub kernel: Kernel,
    /// Applied to these values, by their numbers.
    pub operands: Vec<usize>,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its elements.
    pub dtype: DType,
}

/// Kernels, one after another, of which each reads results of those before it.
#[derive(Debug, Default)]
pub struct Recipe {
    nodes: Vec<Node>,
    known: HashMap<(Kernel, Vec<usize>, Vec<usize>, DType), usize>,
}

impl Recipe {
    /// All values.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The shape of a value.
    pub fn shape(&self, value: usize) -> &[usize] {
        &self.nodes[value].shape
    }

    /// The type of all these values, where they are floats of one.
    pub fn float(&self, values: &[usize]) -> Option<DType> {
        let dtype = self.nodes[*values.first()?].dtype;
        (dtype.is_float() && values.iter().all(|&value| self.nodes[value].dtype == dtype)).then_some(dtype)
    }

    fn push(&mut self, kernel: Kernel, operands: Vec<usize>, shape: Vec<usize>, dtype: DType) -> usize {
        let next = self.nodes.len();
        let at = *self.known.entry((kernel.clone(), operands.clone(), shape.clone(), dtype)).or_insert(next);
        if at == next {
            self.nodes.push(Node { kernel, operands, shape, dtype });
        }
        at
    }

    /// A value that comes from elsewhere.
    pub fn given(&mut self, shape: Vec<usize>, dtype: DType) -> usize {
        self.push(Kernel::Given(self.nodes.len()), Vec::new(), shape, dtype)
    }

    /// A number, rounded to `dtype`.
    pub fn number(&mut self, value: f64, dtype: DType) -> usize {
        self.push(Kernel::Number(value.to_bits()), Vec::new(), Vec::new(), dtype)
    }

    /// A function of each element.
    pub fn each(&mut self, f: &'static Each, x: usize) -> usize {
        let Node { shape, dtype, .. } = self.nodes[x].clone();
        self.push(Kernel::Each(Stated(f)), vec![x], shape, dtype)
    }

    /// A function of pairs of elements of values that broadcast, of one type.
    pub fn pairs(&mut self, f: &'static Pairs, a: usize, b: usize) -> usize {
        let [left, right] = [a, b].map(|value| &self.nodes[value].shape);
        let rank = left.len().max(right.len());
        let size =
            |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
        let shape = (0..rank).map(|axis| match (size(left, axis), size(right, axis)) {
            (1, size) => size,
            (size, _) => size,
        });
        let (shape, dtype) = (shape.collect(), self.nodes[a].dtype);
        self.push(Kernel::Pairs(Stated(f)), vec![a, b], shape, dtype)
    }

    /// The sum over axes; with `keepdims` they stay as axes of size 1.
    pub fn sum(&mut self, x: usize, axes: &[usize], keepdims: bool) -> usize {
        let sum = self.reduced(Kernel::Sum, x, axes);
        if keepdims { sum } else { self.without(sum, axes) }
    }

    /// The largest element over axes; with `keepdims` they stay as axes of size 1.
    pub fn max(&mut self, x: usize, axes: &[usize], keepdims: bool) -> usize {
        let max = self.reduced(Kernel::Max, x, axes);
        if keepdims { max } else { self.without(max, axes) }
    }

    fn reduced(&mut self, kernel: fn(Vec<usize>) -> Kernel, x: usize, axes: &[usize]) -> usize {
        let Node { mut shape, dtype, .. } = self.nodes[x].clone();
        let mut axes: Vec<usize> = axes.iter().copied().filter(|&axis| shape[axis] != 1).collect();
        // Of one element it is that element.
        if axes.is_empty() {
            return x;
        }
        axes.sort_unstable();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        self.push(kernel(axes), vec![x], shape, dtype)
    }

    /// A value without axes of size 1.
    pub fn without(&mut self, x: usize, axes: &[usize]) -> usize {
        let kept: Vec<usize> = (0..self.shape(x).len()).filter(|axis| !axes.contains(axis)).collect();
        let shape = kept.iter().map(|&axis| self.shape(x)[axis]).collect();
        self.view(x, kept.into_iter().map(Some).collect(), shape)
    }

    /// The same elements with other axes; see [`Kernel::View`].
    pub fn view(&mut self, x: usize, axes: Vec<Option<usize>>, shape: Vec<usize>) -> usize {
        let rank = self.shape(x).len();
        if axes.len() == rank && axes.iter().enumerate().all(|(at, axis)| *axis == Some(at)) {
            return x;
        }
        let Node { kernel, operands, dtype, .. } = &self.nodes[x];
        let (dtype, of) = (*dtype, operands.clone());
        match kernel {
            Kernel::View(before) => {
                let axes = axes.into_iter().map(|axis| axis.and_then(|axis| before[axis])).collect();
                self.view(of[0], axes, shape)
            }
            _ => self.push(Kernel::View(axes), vec![x], shape, dtype),
        }
    }

    /// A product of two operands, contracted.
    pub fn contract(&mut self, coef: f64, operands: [(usize, Vec<u32>); 2], out: Vec<u32>) -> usize {
        let size = |label: &u32| {
            operands.iter().find_map(|(value, labels)| {
                let axis = labels.iter().position(|l| l == label)?;
                Some(self.shape(*value)[axis])
            })
        };
        let shape = out.iter().map(|label| size(label).unwrap_or(1)).collect();
        let [(a, left), (b, right)] = operands;
        let dtype = self.nodes[a].dtype;
        self.push(
            Kernel::Contract { coef: coef.to_bits(), operands: [left, right], out },
            vec![a, b],
            shape,
            dtype,
        )
    }
}
