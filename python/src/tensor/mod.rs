//! `pullback.Tensor`: the tensors of [`pullback::autograd::tensor`] for Python, with PyTorch's names, printing, errors and warnings.
//!
//! Nothing is decided here: what a function computes the language and the op table say ([`line`], [`call`]), what a backward pass does
//! `autograd::tensor` says. What stands here is what PyTorch is on its outside: kinds of elements ([`kinds`]), names of nodes
//! ([`nodes`]), subscripts ([`index`]), views ([`view`]), and tensors that are made or drawn ([`make`]).

mod call;
mod errors;
mod functions;
mod index;
mod kinds;
mod line;
mod make;
mod methods;
mod nodes;
mod operators;
mod view;

use std::sync::{Arc, Mutex, PoisonError};

use pullback::array::Array;
use pullback::autograd::tensor::{self as tensors, ErrorKind, Tensor};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyInt;

pub use functions::{
    allclose, backward, call_function, call_in_place, grad, is_grad_enabled, set_grad_enabled,
};
pub use kinds::Kind;
pub use make::{arange, eye, get_default_dtype, made, manual_seed, set_default_dtype, tensor};

use crate::working::working;
use errors::{done, raised, told};
use index::written_to;
use kinds::converted;
use make::default_kind;
use view::View;

/// A tensor as PyTorch's users know it.
#[pyclass(name = "Tensor", module = "pullback", dict, weakref, frozen)]
pub struct PyTensor {
    tensor: Tensor,
    said: Mutex<Said>,
}

/// What Python says of a tensor, and its numbers do not.
#[derive(Clone, Default)]
struct Said {
    /// The node that PyTorch would leave for what it was computed by.
    node: Option<String>,
    /// Does it hold truths?
    truths: bool,
    /// What it is a view of, and the version of that whose numbers it has.
    view: Option<(Arc<View>, u64)>,
}

impl PyTensor {
    fn saying(tensor: Tensor, said: Said) -> PyTensor {
        PyTensor { tensor, said: Mutex::new(said) }
    }

    /// A tensor of which nothing more is to be said.
    fn leaf(tensor: Tensor) -> PyTensor {
        PyTensor::saying(tensor, Said::default())
    }

    /// The result of what leaves this node.
    fn computed(tensor: Tensor, node: &str) -> PyTensor {
        PyTensor::saying(tensor, Said { node: Some(node.to_owned()), ..Said::default() })
    }

    /// Ones and zeros that are truths.
    fn truths(tensor: Tensor) -> PyTensor {
        PyTensor::saying(tensor, Said { truths: true, ..Said::default() })
    }

    /// The same as a view.
    fn viewing(self, view: Option<View>) -> PyTensor {
        if let Some(view) = view {
            let version = view.base().version();
            self.said.lock().unwrap_or_else(PoisonError::into_inner).view = Some((Arc::new(view), version));
        }
        self
    }

    fn view(&self) -> Option<Arc<View>> {
        self.said().view.map(|(view, _)| view)
    }

    /// The tensor with the numbers that it has now: those of a view are the ones of what it is of.
    fn current(&self) -> PyResult<&Tensor> {
        if let Some((view, seen)) = self.said().view
            && view.base().version() != seen
        {
            let version = view.base().version();
            let values = view.values();
            let refreshed = values
                .and_then(|values| tensors::no_grad(|| self.tensor.update(|_| Ok(Tensor::new(values)))));
            refreshed.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
            self.has_seen(view, version);
        }
        Ok(&self.tensor)
    }

    fn has_seen(&self, view: Arc<View>, version: u64) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).view = Some((view, version));
    }

    /// Puts what `f` makes of the tensor in its place, and in that of what it is a view of.
    fn put(&self, py: Python<'_>, f: impl FnOnce(&Tensor) -> tensors::Result<Tensor> + Send) -> PyResult<()> {
        let own = self.current()?;
        let Some(view) = self.view() else { return done(py, || own.update(f)) };
        let written = working(py, || {
            let kind = self.kind();
            let after = f(own)?;
            view.write(&after, |before, positions, value| {
                converted(&written_to(default_kind(), before, positions, value)?, kind)
            })?;
            own.update(|_| Ok(after))
        })?;
        written.map_err(|error| match error.kind() {
            ErrorKind::LeafInPlace => PyRuntimeError::new_err(
                "a view of a leaf Variable that requires grad is being used in an in-place operation.",
            ),
            _ => raised(py, &error),
        })?;
        let version = view.base().version();
        self.has_seen(view, version);
        Ok(())
    }

    fn said(&self) -> Said {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say_node(&self, node: &str) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).node = Some(node.to_owned());
    }

    fn holds_truths(&self) -> bool {
        self.said().truths
    }

    fn kind(&self) -> Kind {
        if self.holds_truths() { Kind::Bool } else { Kind::of(self.tensor.dtype()) }
    }

    /// The name of the node that it was computed by: PyTorch's, or else that of Pullback's operation.
    fn node(&self) -> Option<String> {
        let own = self.tensor.grad_fn()?;
        Some(self.said().node.unwrap_or_else(|| nodes::plain(own)))
    }

    /// A tensor of Python or what makes one, of this kind where it does not say it.
    fn of(value: &Bound<'_, PyAny>, kind: Kind) -> PyResult<Tensor> {
        if let Ok(tensor) = value.cast::<PyTensor>() {
            return tensor.get().current().cloned();
        }
        if let (true, Ok(number)) =
            (value.is_instance_of::<PyInt>() && !kind.array().is_float(), value.extract::<i64>())
        {
            return Ok(Tensor::new(Array::from_slice(&[], &[number]).map_err(told)?));
        }
        if let Ok(number) = value.extract::<f64>()
            && !value.hasattr("dtype")?
        {
            let kind =
                if value.hasattr("__index__")? || kind.array().is_float() { kind } else { default_kind() };
            return Ok(Tensor::new(Array::scalar(number, kind.array()).map_err(told)?));
        }
        Ok(make::tensor(value, None)?.tensor)
    }
}
