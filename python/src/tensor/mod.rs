//! `pullback.Tensor`: the tensors of [`pullback::autograd::tensor`] for Python, with PyTorch's names, printing, errors and warnings.
//!
//! Nothing is decided here: what a function computes the language and the op table say ([`call`]), what a backward pass does
//! `autograd::tensor` says. What stands here is what PyTorch is on its outside: kinds of elements ([`kinds`]), names of nodes
//! ([`nodes`]), subscripts ([`index`]), views ([`view`]), and tensors that are made or drawn ([`make`]).

mod call;
mod index;
mod kinds;
mod make;
mod nodes;
mod view;

use std::sync::{Arc, Mutex, PoisonError};

use pullback::array::{Array, DType};
use pullback::autograd::tensor::{self as tensors, Error, ErrorKind, Pass, Tensor};
use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyUserWarning, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyTuple, PyType};

pub use kinds::Kind;
pub use make::{arange, eye, get_default_dtype, made, manual_seed, set_default_dtype, tensor};

use crate::arrays;
use crate::working::working;
use call::{Call, Line, refused};
use index::{Subscript, written_to};
use kinds::{cast, converted};
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

/// An error of a tensor as PyTorch raises it: in its words where it has some, with Pullback's own behind it.
fn raised(py: Python<'_>, error: &Error) -> PyErr {
    let own = match error.hint() {
        Some(hint) => format!("{error} (hint: {hint})"),
        None => error.to_string(),
    };
    let raised = PyRuntimeError::new_err(error.in_pytorch().map_or_else(|| own.clone(), str::to_owned));
    if error.in_pytorch().is_some() {
        // Since Python 3.11 an error has notes; before, the words alone have to do.
        let _ = raised.value(py).call_method1("add_note", (own,));
    }
    raised
}

fn told(error: pullback::array::Error) -> PyErr {
    PyRuntimeError::new_err(error.message().to_owned())
}

/// Does what `work` does without Python's lock.
fn done<T: Send>(py: Python<'_>, work: impl FnOnce() -> tensors::Result<T> + Send) -> PyResult<T> {
    working(py, work)?.map_err(|error| raised(py, &error))
}

fn pairs<'py>(keywords: Option<&Bound<'py, PyDict>>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let pair = |(key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| Ok((key.extract::<String>()?, value));
    keywords.map_or(Ok(Vec::new()), |keywords| keywords.iter().map(pair).collect())
}

/// The results of a call: one, or several as a tuple.
fn returned(py: Python<'_>, mut results: Vec<PyTensor>) -> PyResult<Py<PyAny>> {
    if results.len() == 1 {
        return Ok(Py::new(py, results.remove(0))?.into_any());
    }
    let results: Vec<Py<PyTensor>> =
        results.into_iter().map(|result| Py::new(py, result)).collect::<PyResult<_>>()?;
    Ok(PyTuple::new(py, results)?.into_any().unbind())
}

fn evaluated(py: Python<'_>, call: Call) -> PyResult<Vec<PyTensor>> {
    if let Some(words) = refused(&call) {
        return Err(PyRuntimeError::new_err(words));
    }
    done(py, move || call.results())
}

/// A function of the op table or of the prelude on tensors, under one of its names; `module` is where PyTorch has it, `torch` or `F`.
#[pyfunction(name = "call")]
#[pyo3(signature = (module, name, arguments, keywords=None))]
pub fn call_function(
    py: Python<'_>,
    module: &str,
    name: &str,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let call = Call::new(default_kind(), module, name, arguments, &pairs(keywords)?)?;
    let (line, called) = call.line();
    let (line, called) = (line.clone(), called.to_owned());
    let results = evaluated(py, call)?;
    let first = arguments.get_item(0).ok();
    let Some(first) = first.as_ref().and_then(|first| first.cast::<PyTensor>().ok()) else {
        return returned(py, results);
    };
    let (first, source) = (&first.get().tensor, first.get().view());
    let seen = |(at, result): (usize, PyTensor)| {
        let view = View::of(&called, first, source.as_ref(), &line, at);
        result.viewing(view)
    };
    returned(py, results.into_iter().enumerate().map(seen).collect())
}

/// The same, whose result takes the place of the first argument, which is returned.
#[pyfunction]
#[pyo3(signature = (module, name, arguments, keywords=None))]
pub fn call_in_place<'py>(
    py: Python<'py>,
    module: &str,
    name: &str,
    arguments: &Bound<'py, PyTuple>,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let first = arguments.get_item(0)?;
    let call = Call::new(default_kind(), module, name, arguments, &pairs(keywords)?)?;
    first.cast::<PyTensor>()?.get().updated(py, call)?;
    Ok(first)
}

/// `torch.set_grad_enabled(mode)`; what it was before.
#[pyfunction]
pub fn set_grad_enabled(mode: bool) -> bool {
    tensors::set_grad_enabled(mode)
}

/// `torch.is_grad_enabled()`.
#[pyfunction]
pub fn is_grad_enabled() -> bool {
    tensors::is_grad_enabled()
}

/// `torch.autograd.grad`, of lists: a gradient for each input, none for one that is not used where that is allowed.
#[pyfunction]
pub fn grad(
    py: Python<'_>,
    outputs: Vec<Bound<'_, PyTensor>>,
    inputs: Vec<Bound<'_, PyTensor>>,
    grad_outputs: Option<Vec<Option<Bound<'_, PyTensor>>>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    allow_unused: bool,
) -> PyResult<Vec<Option<PyTensor>>> {
    let all = |tensors: &[Bound<'_, PyTensor>]| -> Vec<Tensor> {
        tensors.iter().map(|tensor| tensor.get().tensor.clone()).collect()
    };
    let (outputs, inputs) = (all(&outputs), all(&inputs));
    let cotangents = grad_outputs.map(|all| cotangents(&all)).transpose()?;
    let found = done(py, move || {
        let pass = pass(&outputs, cotangents.as_deref(), retain_graph, create_graph);
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        match allow_unused {
            true => pass.grad_allow_unused(&inputs),
            false => Ok(pass.grad(&inputs)?.into_iter().map(Some).collect()),
        }
    })?;
    Ok(found.into_iter().map(|one| one.map(PyTensor::leaf)).collect())
}

/// `torch.autograd.backward`, of lists.
#[pyfunction]
pub fn backward(
    py: Python<'_>,
    outputs: Vec<Bound<'_, PyTensor>>,
    grad_outputs: Option<Vec<Option<Bound<'_, PyTensor>>>>,
    retain_graph: Option<bool>,
    create_graph: bool,
) -> PyResult<()> {
    let outputs: Vec<Tensor> = outputs.iter().map(|output| output.get().tensor.clone()).collect();
    let cotangents = grad_outputs.map(|all| cotangents(&all)).transpose()?;
    done(py, move || pass(&outputs, cotangents.as_deref(), retain_graph, create_graph).backward())
}

fn cotangents(given: &[Option<Bound<'_, PyTensor>>]) -> PyResult<Vec<Option<Tensor>>> {
    given.iter().map(|one| one.as_ref().map(|tensor| tensor.get().current().cloned()).transpose()).collect()
}

fn pass(
    outputs: &[Tensor],
    cotangents: Option<&[Option<Tensor>]>,
    retain: Option<bool>,
    create: bool,
) -> Pass {
    let mut pass = Pass::of(&outputs.iter().collect::<Vec<_>>()).create_graph(create);
    if let Some(cotangents) = cotangents {
        pass = pass.grad_outputs(&cotangents.iter().map(Option::as_ref).collect::<Vec<_>>());
    }
    match retain {
        Some(retain) => pass.retain_graph(retain),
        None => pass,
    }
}

/// What an operator in place does.
impl PyTensor {
    fn updated(&self, py: Python<'_>, call: Call) -> PyResult<()> {
        if let Some(words) = refused(&call) {
            return Err(PyRuntimeError::new_err(words));
        }
        let node = call.node().to_owned();
        let kind = self.kind();
        self.put(py, |before| {
            let mut results = call.with_first(before).tensors()?;
            let result = results.remove(0);
            // Numbers of another precision are brought into that of the place.
            if result.dtype() == before.dtype() { Ok(result) } else { converted(&result, kind) }
        })?;
        self.say_node(&node);
        Ok(())
    }

    fn infix(
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

    fn infix_in_place(
        &self,
        slf: &Bound<'_, Self>,
        name: &str,
        operator: &str,
        other: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.updated(slf.py(), Call::infix(default_kind(), name, operator, slf.as_any(), other)?)
    }

    fn named(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let arguments = PyTuple::new(slf.py(), [slf.as_any()])?;
        call_function(slf.py(), "torch", name, &arguments, None)
    }

    fn named_with(
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
    fn compared(&self, other: &Bound<'_, PyAny>, operator: CompareOp) -> PyResult<PyTensor> {
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
fn is_operand(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(value.is_instance_of::<PyTensor>()
        || value.hasattr("__array__")?
        || value.hasattr("__index__")?
        || value.hasattr("__float__")?)
}

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
            None => done(slf.py(), || own.tensor.copy_(&source))?,
            Some(_) => own.put(slf.py(), |x| {
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
        if dtype.str()?.to_string() == "cpu" {
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

    fn transposed_as(slf: &Bound<'_, Self>, which: &str, node: &str) -> PyResult<PyTensor> {
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
}

/// Are all elements as near to one another as PyTorch's `allclose` wants them?
#[pyfunction]
#[pyo3(signature = (a, b, rtol=1e-5, atol=1e-8, equal_nan=false))]
pub fn allclose(
    a: &Bound<'_, PyTensor>,
    b: &Bound<'_, PyTensor>,
    rtol: f64,
    atol: f64,
    equal_nan: bool,
) -> PyResult<bool> {
    let (a, b) = (a.get(), b.get());
    if a.kind() != b.kind() {
        let capital = |kind: Kind| {
            let word = kind.in_messages();
            word[..1].to_uppercase() + &word[1..]
        };
        return Err(PyRuntimeError::new_err(format!(
            "{} did not match {}",
            capital(a.kind()),
            capital(b.kind())
        )));
    }
    let wide = |tensor: &PyTensor| cast(&tensor.current()?.array(), Kind::Float64).map_err(told);
    let is_close = |a: f64, b: f64| {
        let near = a == b || (a - b).abs() <= atol + (rtol * b).abs() && (a - b).is_finite();
        f64::from(u8::from(near || (equal_nan && a.is_nan() && b.is_nan())))
    };
    let found = wide(a)?.zip(&wide(b)?, "allclose", |a, _| a, is_close).map_err(told)?;
    Ok(found.to_vec_f64().into_iter().all(|near| near == 1.0))
}
