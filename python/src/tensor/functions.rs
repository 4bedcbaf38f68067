//! Functions of modules: calls by their names, backward passes, modes.

use pullback::autograd::tensor::{self as tensors, Pass, Tensor};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::PyTensor;
use super::call::{Call, refused};
use super::errors::{done, raised, told};
use super::kinds::{Kind, cast};
use super::make::default_kind;
use super::view::View;

fn pairs<'py>(keywords: Option<&Bound<'py, PyDict>>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let pair = |(key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| Ok((key.extract::<String>()?, value));
    keywords.map_or(Ok(Vec::new()), |keywords| keywords.iter().map(pair).collect())
}

/// The results of a call: one, or several as a tuple.
pub fn returned(py: Python<'_>, mut results: Vec<PyTensor>) -> PyResult<Py<PyAny>> {
    if results.len() == 1 {
        return Ok(Py::new(py, results.remove(0))?.into_any());
    }
    let results: Vec<Py<PyTensor>> =
        results.into_iter().map(|result| Py::new(py, result)).collect::<PyResult<_>>()?;
    Ok(PyTuple::new(py, results)?.into_any().unbind())
}

/// The results of a call, as Python sees them.
pub fn evaluated(py: Python<'_>, call: Call) -> PyResult<Vec<PyTensor>> {
    if let Some(error) = refused(&call) {
        return Err(error);
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
        let view = View::of(&called, (first, source.as_ref()), &line, (at, &result.tensor));
        let view = view.map_err(|error| raised(py, &error))?;
        if view.is_none() && View::reshapes(&called) {
            result.say_node("UnsafeViewBackward0");
        }
        Ok(result.viewing(view))
    };
    returned(py, results.into_iter().enumerate().map(seen).collect::<PyResult<_>>()?)
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

/// A pass with its flags.
pub fn pass(
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
