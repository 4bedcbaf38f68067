//! The methods of `pullback.Tensor`, but for those that are functions of the op table: they are added to it in Python.
//!
//! PyO3 wants all methods of a class in one place; each is a few lines.

use pullback::array::Array;
use pullback::autograd::tensor::{self as tensors, Tensor};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};

use super::errors::{done, raised, told};
use super::functions::pass;
use super::index::{Subscript, written_to};
use super::kinds::{Kind, converted};
use super::line::Line;
use super::make::{self, default_kind};
use super::operators::is_operand;
use super::view::View;
use super::{PyTensor, Said, kinds};
use crate::arrays;

#[pymethods]
impl PyTensor {
    /// A tensor of floats: `torch.Tensor(data)`.
    #[new]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        let kind = Bound::new(data.py(), default_kind())?;
        make::tensor(data, Some(kind.as_any()))
    }

    #[classattr]
    fn __array_priority__() -> i32 {
        1000
    }

    fn __repr__(&self) -> PyResult<String> {
        let array = self.current()?.array();
        let mut suffixes = Vec::new();
        let kind = self.kind();
        if kind.array().is_float() && kind != default_kind() {
            suffixes.push(format!("dtype=torch.{}", kind.word()));
        }
        match self.node() {
            Some(node) => suffixes.push(format!("grad_fn=<{node}>")),
            None if self.tensor.requires_grad() => suffixes.push("requires_grad=True".to_owned()),
            None => {}
        }
        let suffixes: Vec<&str> = suffixes.iter().map(String::as_str).collect();
        Ok(if kind == Kind::Bool { array.print_truths(&suffixes) } else { array.print(&suffixes) })
    }

    fn __format__(slf: &Bound<'_, Self>, spec: &str) -> PyResult<String> {
        let tensor = &slf.get().tensor;
        if spec.is_empty() || !tensor.shape().is_empty() {
            return match spec {
                "" if !tensor.shape().is_empty() || tensor.requires_grad() => slf.get().__repr__(),
                "" => slf.get().item(slf.py())?.bind(slf.py()).str()?.extract(),
                _ => Err(PyTypeError::new_err("unsupported format string passed to Tensor.__format__")),
            };
        }
        slf.get().item(slf.py())?.call_method1(slf.py(), "__format__", (spec,))?.extract(slf.py())
    }

    fn __len__(&self) -> PyResult<usize> {
        self.tensor.shape().first().copied().ok_or_else(|| PyTypeError::new_err("len() of a 0-d tensor"))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let Some(size) = slf.get().tensor.shape().first().copied() else {
            return Err(PyTypeError::new_err("iteration over a 0-d tensor"));
        };
        let row = |at: usize| {
            let row = slf.as_any().get_item(at)?;
            row.cast::<PyTensor>()?.get().say_node("UnbindBackward0");
            Ok(row)
        };
        let rows: Vec<Bound<'py, PyAny>> = (0..size).map(row).collect::<PyResult<_>>()?;
        Ok(PyList::new(slf.py(), rows)?.try_iter()?.into_any())
    }

    fn __bool__(&self) -> PyResult<bool> {
        let array = self.current()?.array();
        match array.len() {
            1 => Ok(array.to_vec_f64()[0] != 0.0),
            0 => Err(PyRuntimeError::new_err("Boolean value of Tensor with no values is ambiguous")),
            _ => {
                Err(PyRuntimeError::new_err("Boolean value of Tensor with more than one value is ambiguous"))
            }
        }
    }

    fn __float__(&self) -> PyResult<f64> {
        self.only()
    }

    fn __int__(&self) -> PyResult<i64> {
        Ok(self.only()? as i64)
    }

    fn __index__(&self) -> PyResult<i64> {
        if self.tensor.dtype().is_float() {
            return Err(PyTypeError::new_err(
                "only integer tensors of a single element can be converted to an index",
            ));
        }
        self.__int__()
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr() as isize
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        operator: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if !is_operand(other)? {
            return Ok(py.NotImplemented());
        }
        Ok(Py::new(py, slf.get().compared(other, operator)?)?.into_any())
    }

    fn __getitem__(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        let Subscript { line, node } = Subscript::new(default_kind(), self, index)?;
        // What is chosen by other tensors is copied.
        let view =
            (node != "IndexBackward0").then(|| View::made(&self.tensor, self.view().as_ref(), &line, 0));
        let result = done(py, move || Ok(line.results(false)?.remove(0)))?;
        let seen =
            if self.holds_truths() { PyTensor::truths(result) } else { PyTensor::computed(result, node) };
        Ok(seen.viewing(view))
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        index: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let shape = self.tensor.shape();
        let places =
            Array::arange(shape.iter().product()).and_then(|places| places.reshape(&shape)).map_err(told)?;
        let Subscript { line, .. } =
            Subscript::new(default_kind(), &PyTensor::leaf(Tensor::new(places)), index)?;
        let kind = self.kind();
        let value = PyTensor::of(value, kind)?;
        self.put(py, |before| {
            let positions = line.results(false)?.remove(0);
            let value = converted(&value, kind)?;
            converted(&written_to(default_kind(), before, &positions, &value)?, kind)
        })?;
        self.say_node("CopySlices");
        Ok(())
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // NumPy gets a copy, whatever it asks for.
        let _ = copy;
        let array = self.numpy(py)?;
        match dtype {
            Some(dtype) if !dtype.is_none() => array.call_method1("astype", (dtype,)),
            _ => Ok(array),
        }
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        if !self.tensor.is_leaf() {
            return Err(PyRuntimeError::new_err(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.",
            ));
        }
        let copy = Tensor::new(self.current()?.array());
        let wanted = self.tensor.requires_grad();
        let copy = copy.requires_grad_(wanted).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(PyTensor::saying(copy, Said { node: None, view: None, ..self.said() }))
    }

    fn __neg__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        PyTensor::named(slf, "neg")
    }

    fn __pos__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __abs__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        PyTensor::named(slf, "abs")
    }

    fn __invert__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        if !slf.get().holds_truths() {
            return Err(PyTypeError::new_err("~ is of truths here"));
        }
        PyTensor::named(slf, "logical_not")
    }

    fn __and__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::named_with(slf, "logical_and", slf.as_any(), other)
    }

    fn __or__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::named_with(slf, "logical_or", slf.as_any(), other)
    }

    fn __xor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::named_with(slf, "logical_xor", slf.as_any(), other)
    }

    fn __add__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "add", " + ", other, false)
    }

    fn __radd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "add", " + ", other, true)
    }

    fn __sub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "sub", " - ", other, false)
    }

    fn __rsub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "sub", " - ", other, true)
    }

    fn __mul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "mul", " * ", other, false)
    }

    fn __rmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "mul", " * ", other, true)
    }

    fn __truediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "div", " / ", other, false)
    }

    fn __rtruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "div", " / ", other, true)
    }

    fn __floordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::named_with(slf, "floor_divide", slf.as_any(), other)
    }

    fn __mod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::named_with(slf, "remainder", slf.as_any(), other)
    }

    fn __matmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "matmul", " @ ", other, false)
    }

    fn __rmatmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "matmul", " @ ", other, true)
    }

    fn __pow__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        _modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "pow", " ** ", other, false)
    }

    fn __rpow__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        _modulo: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        PyTensor::infix(slf, "pow", " ** ", other, true)
    }

    fn __iadd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().infix_in_place(slf, "add", " + ", other)
    }

    fn __isub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().infix_in_place(slf, "sub", " - ", other)
    }

    fn __imul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().infix_in_place(slf, "mul", " * ", other)
    }

    fn __itruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        slf.get().infix_in_place(slf, "div", " / ", other)
    }

    /// The size of each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("pullback._size")?.getattr("Size")?.call1((self.tensor.shape(),))
    }

    /// The size of each axis, or of one.
    #[pyo3(signature = (dim=None))]
    fn size<'py>(&self, py: Python<'py>, dim: Option<isize>) -> PyResult<Bound<'py, PyAny>> {
        let shape = self.shape(py)?;
        dim.map_or(Ok(shape.clone()), |dim| shape.get_item(dim))
    }

    /// How many axes there are.
    #[getter]
    fn ndim(&self) -> usize {
        self.tensor.shape().len()
    }

    /// How many axes there are.
    fn dim(&self) -> usize {
        self.ndim()
    }

    /// How many elements there are.
    fn numel(&self) -> usize {
        self.tensor.array().len()
    }

    /// The type of the elements.
    #[getter]
    fn dtype(&self) -> Kind {
        self.kind()
    }

    /// The transpose.
    #[getter(T)]
    fn transposed(slf: &Bound<'_, Self>) -> PyResult<PyTensor> {
        PyTensor::transposed_as(slf, "reverse", "PermuteBackward0")
    }

    /// The transpose of the last two axes.
    #[getter(mT)]
    fn matrix_transposed(slf: &Bound<'_, Self>) -> PyResult<PyTensor> {
        PyTensor::transposed_as(slf, "last", "TransposeBackward0")
    }

    /// Does a gradient flow to this tensor?
    #[getter]
    fn requires_grad(&self) -> bool {
        self.tensor.requires_grad()
    }

    #[setter(requires_grad)]
    fn set_requires_grad(&self, py: Python<'_>, wanted: bool) -> PyResult<()> {
        self.tensor.requires_grad_(wanted).map(drop).map_err(|error| raised(py, &error))
    }

    /// Says of a leaf whether gradients are wanted.
    #[pyo3(signature = (requires_grad=true))]
    fn requires_grad_(slf: Bound<'_, Self>, requires_grad: bool) -> PyResult<Bound<'_, Self>> {
        slf.get().set_requires_grad(slf.py(), requires_grad)?;
        Ok(slf)
    }

    /// Was the tensor made by its user?
    #[getter]
    fn is_leaf(&self) -> bool {
        self.tensor.is_leaf()
    }

    /// What the tensor was computed by; none for a leaf.
    #[getter]
    fn grad_fn<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(node) = self.node() else { return Ok(None) };
        py.import("pullback._size")?.getattr("Node")?.call1((node,)).map(Some)
    }

    /// The gradient that backward passes have added up.
    #[getter]
    fn grad(&self, py: Python<'_>) -> PyResult<Option<PyTensor>> {
        match self.tensor.grad() {
            Ok(gradient) => Ok(Some(PyTensor::leaf(gradient))),
            Err(reason) => {
                if let Some(words) = reason.in_pytorch() {
                    let words = std::ffi::CString::new(words)?;
                    PyErr::warn(py, &py.get_type::<PyUserWarning>(), &words, 1)?;
                }
                Ok(None)
            }
        }
    }

    #[setter(grad)]
    fn set_grad(&self, py: Python<'_>, gradient: Option<&Bound<'_, PyTensor>>) -> PyResult<()> {
        match gradient {
            None => self.tensor.zero_grad(),
            Some(gradient) => {
                self.tensor.set_grad(&gradient.get().tensor).map_err(|error| raised(py, &error))?;
            }
        }
        Ok(())
    }

    /// Keeps the gradient of a tensor that was computed.
    fn retain_grad(&self, py: Python<'_>) -> PyResult<()> {
        self.tensor.retain_grad().map_err(|error| raised(py, &error))
    }

    /// Is the gradient of a tensor that was computed kept?
    #[getter]
    fn retains_grad(&self) -> bool {
        self.tensor.retains_grad()
    }

    /// Adds gradients to the `.grad` of the leaves that the tensor was computed from.
    #[pyo3(signature = (gradient=None, retain_graph=None, create_graph=false))]
    fn backward(
        &self,
        py: Python<'_>,
        gradient: Option<&Bound<'_, PyTensor>>,
        retain_graph: Option<bool>,
        create_graph: bool,
    ) -> PyResult<()> {
        let cotangents = gradient
            .map(|gradient| Ok::<_, PyErr>(vec![Some(gradient.get().current()?.clone())]))
            .transpose()?;
        let outputs = [self.tensor.clone()];
        done(py, move || pass(&outputs, cotangents.as_deref(), retain_graph, create_graph).backward())
    }

    /// The same numbers without their history. Both see what is changed in place.
    fn detach(&self) -> PyResult<PyTensor> {
        Ok(PyTensor::saying(self.current()?.detach(), Said { node: None, ..self.said() }))
    }

    /// The same numbers without their history; what is put there takes their place, unrecorded.
    #[getter]
    fn data(&self) -> PyResult<PyTensor> {
        self.detach()
    }

    #[setter(data)]
    fn set_data(&self, py: Python<'_>, value: &Bound<'_, PyTensor>) -> PyResult<()> {
        let value = value.get().current()?.detach();
        tensors::no_grad(|| self.tensor.update(|_| Ok(value))).map_err(|error| raised(py, &error))
    }

    /// Puts another tensor's numbers in this one's place.
    fn copy_<'py>(slf: Bound<'py, Self>, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let own = slf.get();
        let source = PyTensor::of(source, own.kind())?;
        let source = converted(&source, own.kind()).map_err(|error| raised(slf.py(), &error))?;
        match own.view() {
            None if source.dtype().is_float() => done(slf.py(), || own.tensor.copy_(&source))?,
            _ => own.put(slf.py(), |x| {
                let sizes: Vec<String> = x.shape().iter().map(usize::to_string).collect();
                let mut line = Line::new(default_kind());
                line.push("broadcast_to(").push_tensor(&source, false);
                line.push(&format!(", [{}])", sizes.join(", ")));
                Ok(line.results(false)?.remove(0))
            })?,
        }
        own.say_node("CopyBackwards");
        Ok(slf)
    }

    /// Puts one number in the place of all.
    fn fill_(slf: Bound<'_, Self>, value: f64) -> PyResult<Bound<'_, Self>> {
        let own = slf.get();
        own.put(slf.py(), |x| Ok(Tensor::new(Array::full(&x.shape(), value, x.dtype())?)))?;
        own.say_node("FillBackward0");
        Ok(slf)
    }

    /// Puts zeros in the place of all numbers.
    fn zero_(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let slf = PyTensor::fill_(slf, 0.0)?;
        slf.get().say_node("ZeroBackward0");
        Ok(slf)
    }

    /// The one number.
    fn item(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let number = self.only()?;
        Ok(match self.kind() {
            Kind::Bool => (number != 0.0).into_pyobject(py)?.to_owned().into_any().unbind(),
            Kind::Int64 => (self.current()?.array().to_vec_i64().map_err(told)?[0])
                .into_pyobject(py)?
                .into_any()
                .unbind(),
            _ => number.into_pyobject(py)?.into_any().unbind(),
        })
    }

    /// The numbers in lists.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.detach()?.numpy(py)?.call_method0("tolist")
    }

    /// The numbers as an array of NumPy, a copy.
    fn numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.tensor.requires_grad() {
            return Err(PyRuntimeError::new_err(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
            ));
        }
        let array = arrays::to_numpy(py, &self.current()?.array())?;
        if self.holds_truths() { array.call_method1("astype", ("bool",)) } else { Ok(array) }
    }

    /// The same tensor as one of this type: `x.to(torch.float64)`. There is one device, the CPU.
    fn to(slf: Bound<'_, Self>, dtype: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if dtype.str()? == "cpu" {
            return Ok(slf.into_any().unbind());
        }
        let kind = match dtype.cast::<PyTensor>() {
            Ok(other) => other.get().kind(),
            Err(_) => kinds::kind(dtype)?,
        };
        let own = slf.get();
        if kind == own.kind() {
            return Ok(slf.into_any().unbind());
        }
        if own.tensor.requires_grad() && kind == Kind::Float32 && tensors::is_grad_enabled() {
            return Err(PyValueError::new_err(
                "a tensor that requires grad is not made narrower here: `detach()` it, or compute in one precision",
            ));
        }
        let current = own.current()?;
        let result = done(py, || converted(current, kind))?;
        let seen = if kind == Kind::Bool {
            PyTensor::truths(result)
        } else {
            PyTensor::computed(result, "ToCopyBackward0")
        };
        Ok(Py::new(py, seen)?.into_any())
    }

    #[classmethod]
    fn __class_getitem__(class: &Bound<'_, PyType>, _item: &Bound<'_, PyAny>) -> Py<PyType> {
        class.clone().unbind()
    }
}

impl PyTensor {
    /// The one number.
    fn only(&self) -> PyResult<f64> {
        let array = self.current()?.array();
        array.item().map_err(|_| {
            PyRuntimeError::new_err(format!(
                "a Tensor with {} elements cannot be converted to Scalar",
                array.len()
            ))
        })
    }
}
