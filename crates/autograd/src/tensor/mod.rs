//! Tensors as PyTorch's users know them: they require gradients, and `backward` leaves them in `.grad`.
//!
//! A [`Tensor`] holds numbers that may change, and remembers how it was computed where it depends on a tensor that
//! [requires gradients](Tensor::requires_grad_). [`Tensor::backward`] adds gradients to the leaves, [`grad()`] returns them,
//! [`Pass`] has the flags of both. [`no_grad`] records nothing; inside of it a leaf may be [updated](Tensor::update).
//!
//! ```
//! use pullback_autograd::tensor::{Tensor, no_grad};
//!
//! let w = Tensor::from_slice(&[2], &[2.0, -1.0])?.requires_grad_(true)?;
//! for _ in 0..3 {
//!     let loss = (&w * &w)?.sum()?;
//!     w.zero_grad();
//!     loss.backward()?;
//!     no_grad(|| w.update(|w| w - &(0.25 * &w.grad()?)?))?;
//! }
//! assert_eq!(w.to_string(), "tensor([ 0.2500, -0.1250], requires_grad=True)");
//! # Ok::<(), pullback_autograd::tensor::Error>(())
//! ```
//!
//! # Operations
//!
//! Every operation of the table works on tensors: [`Tensor::call`] takes its name, as the language does, [`Tensor::map`] and [`Tensor::zip`] take a method of [`Val`] by its name,
//! [`Tensor::apply`] any function of values. Only operators and what stands in most programs have methods of their own.
//!
//! ```
//! use pullback_autograd::tensor::Tensor;
//! use pullback_ops::Val;
//!
//! let w = Tensor::from_slice(&[2, 3], &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])?.requires_grad_(true)?;
//! let x = Tensor::from_slice(&[3], &[1.0, 2.0, 3.0])?;
//! let a = w.zip(&x, Val::matmul)?.map(|z| z.softmax(0))?;
//! let loss = Tensor::apply(&[&a, &x], |v| v[0].outer(&v[1])?.sum_all())?;
//! loss.backward()?;
//! # Ok::<(), pullback_autograd::tensor::Error>(())
//! ```
//!
//! # What is as in PyTorch
//!
//! `tests/tensor` replays scenarios that PyTorch ran: the values, the flags, and what is refused. An operation is recorded as
//! one small graph of [`Val`]s between leaves of its own, and a node that joins it with those of its operands: PyTorch's
//! `grad_fn`. What a node keeps for the backward pass is not declared anywhere: it is what the operation's rule, the network,
//! reads. A second pass over a node that read something and was freed is an error; one over a sum, which reads nothing, is not.
//!
//! # What is not
//!
//! - Results never share memory: a transposed or sliced tensor is a value of its own, and only [`Tensor::detach`] shares.
//! - Which values a node reads is stated by our rule, which may differ from PyTorch's: `relu` reads its operand here, its
//!   result there. It shows where such a value is changed in place before the backward pass, and in that a selection by indices,
//!   which are part of the operation here, lets a second pass through.
//! - A pass that fails changes nothing; PyTorch may have added to some gradients by then.
//! - Nothing is printed: [`Tensor::grad`] returns the reason why there is no gradient, and it can be shown.

mod arithmetic;
mod error;
mod in_place;
mod mode;
mod node;
mod pass;
mod reads;
mod storage;

use std::fmt;
use std::sync::{Arc, Mutex};

use pullback_array::{Array, DType, Element};
use pullback_ops::{Arg, Val};

pub use error::{Error, ErrorKind, NoGradient, Result};
pub use mode::{enable_grad, is_grad_enabled, no_grad, set_grad_enabled};
pub use pass::{Pass, grad};

use node::{Node, Operand};
use storage::{Storage, locked};

/// Numbers that may change, and how they were computed. Cloning gives another name to the same tensor, as `y = x` does in
/// Python.
#[derive(Clone)]
pub struct Tensor(Arc<Inner>);

struct Inner {
    /// Shared with what was detached.
    values: Arc<Storage>,
    history: Mutex<History>,
    slot: Slot,
}

/// Where the gradient of a tensor lies: in its own hand, and in that of the node that fills it.
type Slot = Arc<Mutex<Option<Tensor>>>;

#[derive(Clone, Default)]
struct History {
    /// What of a leaf its user asked for.
    requires_grad: bool,
    /// How the tensor was computed; for a leaf that requires gradients, or once did, the node that collects them.
    node: Option<Arc<Node>>,
}

impl Tensor {
    /// A leaf with these numbers, which does not require gradients.
    pub fn new(array: Array) -> Tensor {
        Tensor::with_history(Arc::new(Storage::new(array)), History::default())
    }

    /// A leaf with these numbers, in row-major order.
    ///
    /// # Errors
    /// Where there are not as many numbers as the shape has elements.
    pub fn from_slice<T: Element>(shape: &[usize], data: &[T]) -> Result<Tensor> {
        Ok(Tensor::new(Array::from_slice(shape, data)?))
    }

    fn with_history(values: Arc<Storage>, history: History) -> Tensor {
        Tensor(Arc::new(Inner { values, history: Mutex::new(history), slot: Slot::default() }))
    }

    /// The result of a recorded operation.
    fn from_node(values: Arc<Storage>, node: Arc<Node>) -> Tensor {
        Tensor::with_history(values, History { requires_grad: true, node: Some(node) })
    }

    /// The result of an operation on tensors, given as a function of their values. It is recorded where it depends on one that
    /// requires gradients.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn apply(
        operands: &[&Tensor],
        f: impl FnOnce(&[Val]) -> pullback_ops::Result<Val>,
    ) -> Result<Tensor> {
        Ok(Tensor::apply_all(operands, |values| Ok(vec![f(values)?]))?.remove(0))
    }

    /// [`Tensor::apply`] for what has several results.
    ///
    /// # Errors
    /// Those of the operation.
    ///
    /// ```
    /// use pullback_autograd::tensor::Tensor;
    ///
    /// let x = Tensor::from_slice(&[3], &[3.0, 1.0, 2.0])?.requires_grad_(true)?;
    /// let sorted = Tensor::apply_all(&[&x], |x| Ok(x[0].sort(0, false)?.into()))?;
    /// assert_eq!(sorted[0].array().to_vec_f64(), [1.0, 2.0, 3.0]);
    /// # Ok::<(), pullback_autograd::tensor::Error>(())
    /// ```
    pub fn apply_all(
        operands: &[&Tensor],
        f: impl FnOnce(&[Val]) -> pullback_ops::Result<Vec<Val>>,
    ) -> Result<Vec<Tensor>> {
        let edge = |tensor: &&Tensor| tensor.edge().filter(|_| is_grad_enabled());
        let edges: Vec<Option<Arc<Node>>> = operands.iter().map(edge).collect();
        let operands: Vec<Operand> = operands.iter().map(|tensor| Operand::of(tensor)).collect();
        let leaves: Vec<Val> = operands.iter().map(|operand| operand.leaf.clone()).collect();
        let results = f(&leaves)?;
        results.into_iter().map(|result| node::record(result, operands.clone(), edges.clone())).collect()
    }

    /// An operation of the table by its name, on tensors in the order of its signature, with attributes by theirs; its first result.
    ///
    /// # Errors
    /// Where there is no such operation or parameter, and those of the operation.
    ///
    /// ```
    /// use pullback_autograd::tensor::Tensor;
    ///
    /// let x = Tensor::from_slice(&[1, 1, 4], &[1.0, 3.0, 2.0, 2.0])?.requires_grad_(true)?;
    /// let y = Tensor::call("max_pool", &[&x], &[("kernel_size", 2.into())])?;
    /// y.sum()?.backward()?;
    /// assert_eq!(x.grad()?.array().to_vec_f64(), [0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call(name: &str, operands: &[&Tensor], attributes: &[(&str, Arg)]) -> Result<Tensor> {
        Tensor::apply(operands, |values| {
            let values: Vec<&Val> = values.iter().collect();
            Ok(Val::call(name, &values, attributes)?.remove(0))
        })
    }

    /// An operation on this tensor: `x.map(Val::tanh)`.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn map(&self, f: impl FnOnce(&Val) -> pullback_ops::Result<Val>) -> Result<Tensor> {
        Tensor::apply(&[self], |values| f(&values[0]))
    }

    /// An operation on this tensor and another one: `w.zip(&x, Val::matmul)`.
    ///
    /// # Errors
    /// Those of the operation.
    pub fn zip(
        &self,
        other: &Tensor,
        f: impl FnOnce(&Val, &Val) -> pullback_ops::Result<Val>,
    ) -> Result<Tensor> {
        Tensor::apply(&[self, other], |values| f(&values[0], &values[1]))
    }

    /// The numbers as they are now.
    pub fn array(&self) -> Array {
        self.0.values.read().0
    }

    /// The one number.
    ///
    /// # Errors
    /// Where there are more, or none.
    pub fn item(&self) -> Result<f64> {
        Ok(self.array().item()?)
    }

    /// The size of each axis.
    pub fn shape(&self) -> Vec<usize> {
        self.array().shape().to_vec()
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.array().dtype()
    }

    /// How often the numbers were changed in place.
    pub fn version(&self) -> u64 {
        self.0.values.version()
    }

    /// Does a gradient flow to this tensor?
    pub fn requires_grad(&self) -> bool {
        locked(&self.0.history).requires_grad
    }

    /// Was the tensor made by its user, and not computed from one that requires gradients?
    pub fn is_leaf(&self) -> bool {
        locked(&self.0.history).node.as_ref().is_none_or(|node| node.is_leaf())
    }

    /// Says of a leaf whether gradients are wanted.
    ///
    /// # Errors
    /// Where the elements are integers; where the tensor was computed and `wanted` is false (hint: [`Tensor::detach`]).
    pub fn requires_grad_(&self, wanted: bool) -> Result<Tensor> {
        if !self.is_leaf() {
            return if wanted { Ok(self.clone()) } else { Err(Error::not_a_leaf()) };
        }
        if wanted && !self.dtype().is_float() {
            return Err(Error::integers(self.dtype()));
        }
        let mut history = locked(&self.0.history);
        history.requires_grad = wanted;
        // A leaf keeps its node: graphs that were recorded before fill the gradient again once it is wanted again.
        match &history.node {
            Some(node) if wanted => node.fill(&self.0.slot),
            Some(node) => drop(node.take_slot()),
            None if wanted => history.node = Some(Node::leaf(self.0.slot.clone())),
            None => {}
        }
        drop(history);
        Ok(self.clone())
    }

    /// The same numbers without their history. Both see what is changed in place.
    pub fn detach(&self) -> Tensor {
        Tensor::with_history(self.0.values.clone(), History::default())
    }

    /// The gradient that backward passes have added up.
    ///
    /// # Errors
    /// The reason why there is none. Where PyTorch returns None and warns, [`NoGradient::is_warning`] is true; `.ok()` is
    /// PyTorch's value, None included.
    pub fn grad(&self) -> std::result::Result<Tensor, NoGradient> {
        let grad = locked(&self.0.slot).clone();
        grad.ok_or_else(|| match (self.requires_grad(), self.is_leaf() || self.retains_grad()) {
            (true, true) => NoGradient::NotYet,
            (true, false) => NoGradient::NotRetained,
            (false, _) => NoGradient::NotRequired,
        })
    }

    /// Forgets the gradient, as an optimiser's `zero_grad` does. To set it to zeros, use `x.grad()?.zero_()`.
    pub fn zero_grad(&self) {
        locked(&self.0.slot).take();
    }

    /// Puts a gradient in the place of what backward passes have added up: PyTorch's `x.grad = gradient`.
    ///
    /// # Errors
    /// Where it has another shape or dtype.
    pub fn set_grad(&self, gradient: &Tensor) -> Result<()> {
        let (own, given) = (self.array(), gradient.array());
        if own.shape() != given.shape() || own.dtype() != given.dtype() {
            return Err(Error::place((own.shape(), own.dtype()), (given.shape(), given.dtype())));
        }
        *locked(&self.0.slot) = Some(gradient.clone());
        Ok(())
    }

    /// The operation that the tensor was computed by, under its own name; none for a leaf.
    pub fn grad_fn(&self) -> Option<&'static str> {
        self.edge().filter(|node| !node.is_leaf()).map(|node| node.name())
    }

    /// Keeps the gradient of a tensor that was computed, from now on. On a leaf it does nothing: that keeps its own.
    ///
    /// # Errors
    /// Where the tensor does not require gradients.
    pub fn retain_grad(&self) -> Result<()> {
        match self.edge() {
            Some(node) => node.fill(&self.0.slot),
            None => return Err(Error::nothing_to_retain()),
        }
        Ok(())
    }

    /// Is the gradient of a tensor that was computed kept?
    pub fn retains_grad(&self) -> bool {
        !self.is_leaf() && self.edge().is_some_and(|node| node.slot().is_some())
    }

    /// Adds the gradients of this scalar to the `.grad` of every leaf, and of every tensor that retains it, that it depends on.
    /// What the pass read is freed.
    ///
    /// # Errors
    /// Where there is more than one element (hint: [`Tensor::backward_with`]); where nothing requires gradients; where the
    /// graph was freed (hint: [`Pass::retain_graph`]); where a value that a rule reads was changed in place.
    pub fn backward(&self) -> Result<()> {
        self.pass().backward()
    }

    /// [`Tensor::backward`] from a cotangent of any tensor, of its shape: PyTorch's `backward(gradient)`.
    ///
    /// # Errors
    /// Those of [`Tensor::backward`], and where the cotangent has another shape.
    pub fn backward_with(&self, cotangent: &Tensor) -> Result<()> {
        self.pass().grad_outputs(&[Some(cotangent)]).backward()
    }

    /// A backward pass from this tensor, before its flags are set.
    pub fn pass(&self) -> Pass {
        Pass::of(&[self])
    }

    /// The node that a gradient of this tensor goes to; none where it requires none.
    fn edge(&self) -> Option<Arc<Node>> {
        let history = locked(&self.0.history);
        history.node.clone().filter(|_| history.requires_grad)
    }
}

/// As PyTorch prints it; in `grad_fn`, the operation's own name.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tensor({}", self.array().format("tensor("))?;
        match self.edge() {
            Some(node) if !node.is_leaf() => write!(f, ", grad_fn=<{}>)", node.name()),
            Some(_) => write!(f, ", requires_grad=True)"),
            None => write!(f, ")"),
        }
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {self}", self.dtype(), self.shape())
    }
}
