//! What operators do: between tensors and beside numbers, in place, and comparisons.

use pullback::array::{Array, DType};
use pullback::autograd::tensor::Tensor;
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::PyTensor;
use super::call::{Call, refused};
use super::errors::{done, told};
use super::functions::{call_function, evaluated, returned};
use super::kinds::{Kind, cast, converted};
use super::line::Line;
use super::make::default_kind;
use super::view::View;

impl PyTensor {
    pub(super) fn updated(&self, py: Python<'_>, call: Call) -> PyResult<()> {
        if let Some(error) = refused(&call) {
            return Err(error);
        }
        let node = call.node().to_owned();
        let kind = self.kind();
        if kind == Kind::Bool && !call.tells_truths() {
            let words = "result type Long can't be cast to the desired output type Bool";
            return Err(PyRuntimeError::new_err(words));
        }
        self.put(py, |before| {
            let mut results = call.with_first(before).tensors()?;
            let result = results.remove(0);
            // Numbers of another precision are brought into that of the place; fractions have none among integers.
            match (result.dtype() == before.dtype(), result.dtype().is_float() && !before.dtype().is_float())
            {
                _ if kind == Kind::Bool => Ok(Tensor::new(cast(&result.array(), kind)?)),
                (true, _) => Ok(result),
                (_, true) => {
                    let words = "result type Float can't be cast to the desired output type Long";
                    Err(pullback::ops::Error::new(words).into())
                }
                _ => converted(&result, kind),
            }
        })?;
        self.say_node(&node);
        Ok(())
    }

    pub(super) fn infix(
        slf: &Bound<'_, Self>,
        name: &str,
        operator: &str,
        other: &Bound<'_, PyAny>,
        reflected: bool,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if !is_operand(other)? {
            return Ok(py.NotImplemented());
        }
        let own = slf.as_any();
        let (a, b) = if reflected { (other, own) } else { (own, other) };
        let call = Call::infix(default_kind(), name, operator, a, b)?;
        returned(py, evaluated(py, call)?)
    }

    pub(super) fn infix_in_place(
        &self,
        slf: &Bound<'_, Self>,
        name: &str,
        operator: &str,
        other: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.updated(slf.py(), Call::infix(default_kind(), name, operator, slf.as_any(), other)?)
    }

    pub(super) fn named(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let arguments = PyTuple::new(slf.py(), [slf.as_any()])?;
        call_function(slf.py(), "torch", name, &arguments, None)
    }

    pub(super) fn named_with(
        slf: &Bound<'_, Self>,
        name: &str,
        a: &Bound<'_, PyAny>,
        b: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if !is_operand(a)? || !is_operand(b)? {
            return Ok(py.NotImplemented());
        }
        call_function(py, "torch", name, &PyTuple::new(py, [a, b])?, None)
    }

    /// The transpose: of all axes, or of the last two.
    pub(super) fn transposed_as(slf: &Bound<'_, Self>, which: &str, node: &str) -> PyResult<PyTensor> {
        let own = slf.get();
        let rank = own.tensor.shape().len();
        if which == "last" && rank < 2 {
            return Err(PyRuntimeError::new_err(format!(
                "tensor.mT is only supported on matrices or batches of matrices. Got {rank}-D tensor."
            )));
        }
        let axes: Vec<usize> = match which {
            "reverse" => (0..rank).rev().collect(),
            _ => (0..rank - 2).chain([rank - 1, rank - 2]).collect(),
        };
        let mut line = Line::new(default_kind());
        let order: Vec<String> = axes.iter().map(usize::to_string).collect();
        line.push("permute(").push_tensor(own.current()?, own.holds_truths());
        line.push(&format!(", [{}])", order.join(", ")));
        let view = View::made(&own.tensor, own.view().as_ref(), &line, 0);
        let result = done(slf.py(), move || Ok(line.results(false)?.remove(0)))?;
        let seen =
            if own.holds_truths() { PyTensor::truths(result) } else { PyTensor::computed(result, node) };
        Ok(seen.viewing(Some(view)))
    }

    /// Compares integers, of which floats have not all.
    fn compared_exactly(&self, other: &Tensor, operator: CompareOp) -> PyResult<PyTensor> {
        let (a, b) = (self.current()?.array(), other.array());
        // The shape of both, stretched to one another.
        let zeros = |array: &Array| Array::zeros(array.shape(), DType::F32);
        let both = zeros(&a).and_then(|a| a.zip(&zeros(&b)?, "compare", |a, _| a, |a, _| a)).map_err(told)?;
        let numbers = |array: &Array| {
            array.broadcast_to(both.shape()).and_then(|array| array.to_vec_i64()).map_err(told)
        };
        let truths =
            numbers(&a)?.iter().zip(&numbers(&b)?).map(|(a, b)| i64::from(holds(operator, a, b))).collect();
        Ok(PyTensor::truths(Tensor::new(Array::from_vec(both.shape(), truths).map_err(told)?)))
    }

    /// Compares element by element, with what is not finite as with any other number.
    pub(super) fn compared(&self, other: &Bound<'_, PyAny>, operator: CompareOp) -> PyResult<PyTensor> {
        let is_whole = |tensor: &Tensor| tensor.dtype() == DType::I64;
        let other = PyTensor::of(other, if is_whole(&self.tensor) { Kind::Int64 } else { Kind::Float64 })?;
        if is_whole(&self.tensor) && is_whole(&other) {
            return self.compared_exactly(&other, operator);
        }
        let wide = |tensor: &Tensor| cast(&tensor.array(), Kind::Float64);
        // Against what is held in single precision a number is one of single precision.
        let single = |a: &Tensor, b: &Tensor| b.shape().is_empty() && a.dtype() == DType::F32;
        let narrowed = |tensor: Tensor| converted(&tensor, Kind::Float32).unwrap_or(tensor);
        let other = if single(&self.tensor, &other) { narrowed(other) } else { other };
        let (a, b) = (wide(self.current()?).map_err(told)?, wide(&other).map_err(told)?);
        let truth = |a: f64, b: f64| f64::from(u8::from(holds(operator, &a, &b)));
        let found = a.zip(&b, "compare", |a, _| a, truth).map_err(told)?;
        Ok(PyTensor::truths(Tensor::new(cast(&found, Kind::Bool).map_err(told)?)))
    }
}

/// Does a comparison hold?
fn holds<T: PartialOrd>(operator: CompareOp, a: &T, b: &T) -> bool {
    match operator {
        CompareOp::Lt => a < b,
        CompareOp::Le => a <= b,
        CompareOp::Eq => a == b,
        CompareOp::Ne => a != b,
        CompareOp::Gt => a > b,
        CompareOp::Ge => a >= b,
    }
}

/// Is it what an operator takes beside a tensor?
pub fn is_operand(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.is_instance_of::<PyTensor>()
        || value.hasattr("__array__")?
        || value.hasattr("__index__")?
        || value.hasattr("__float__")?)
}
