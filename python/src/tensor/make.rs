//! Tensors that are made: of numbers of Python, by a rule, or drawn as PyTorch draws them.

use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

use pullback::array::{Array, SliceAxis, random::Generator};
use pullback::autograd::tensor::Tensor;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::PyTensor;
use super::kinds::{Kind, cast, kind};
use crate::arrays;

/// What `torch.manual_seed` seeds. Until then it starts anywhere, as PyTorch's does.
static GENERATOR: LazyLock<Mutex<Generator>> =
    LazyLock::new(|| Mutex::new(Generator::new(RandomState::new().hash_one(0))));

/// In what floats are held where nothing is said.
static DEFAULT: Mutex<Kind> = Mutex::new(Kind::Float32);

/// The kind of floats of which nothing is said.
pub fn default_kind() -> Kind {
    *DEFAULT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn told(error: pullback::array::Error) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

/// `torch.get_default_dtype()`.
#[pyfunction]
pub fn get_default_dtype() -> Kind {
    default_kind()
}

/// `torch.set_default_dtype(dtype)`.
#[pyfunction]
pub fn set_default_dtype(dtype: Kind) -> PyResult<()> {
    if !dtype.array().is_float() {
        return Err(PyTypeError::new_err("only floating-point types are supported as the default type"));
    }
    *DEFAULT.lock().unwrap_or_else(PoisonError::into_inner) = dtype;
    Ok(())
}

/// `torch.manual_seed(seed)`.
#[pyfunction]
pub fn manual_seed(seed: i128) -> PyResult<()> {
    // A negative seed is the number with the same bits, as in PyTorch.
    let bits = u64::try_from(seed).or_else(|_| i64::try_from(seed).map(i64::cast_unsigned));
    let bits = bits.map_err(|_| PyRuntimeError::new_err("Overflow when unpacking unsigned long"))?;
    GENERATOR.lock().unwrap_or_else(PoisonError::into_inner).reseed(bits);
    Ok(())
}

/// A tensor of numbers of Python, of an array, or of another tensor: `torch.tensor(data)`.
#[pyfunction]
#[pyo3(signature = (data, dtype=None))]
pub fn tensor(data: &Bound<'_, PyAny>, dtype: Option<&Bound<'_, PyAny>>) -> PyResult<PyTensor> {
    let wanted = dtype.map(kind).transpose()?;
    let (array, own) = match data.cast::<PyTensor>() {
        Ok(tensor) => (tensor.get().current()?.array(), tensor.get().kind()),
        Err(_) => read(data)?,
    };
    let kind = wanted.unwrap_or(own);
    let tensor = Tensor::new(cast(&array, kind).map_err(told)?);
    Ok(if kind == Kind::Bool { PyTensor::truths(tensor) } else { PyTensor::leaf(tensor) })
}

/// Numbers of Python, and of which kind PyTorch takes them to be.
fn read(data: &Bound<'_, PyAny>) -> PyResult<(Array, Kind)> {
    let numpy = data.py().import("numpy")?;
    let held = numpy.call_method1("asarray", (data,))?;
    let letter: String = held.getattr("dtype")?.getattr("kind")?.extract()?;
    let (array, _) = arrays::array("data", &held)?;
    // Of numbers of Python nothing says how precise they are; arrays say it of themselves.
    let is_of_python =
        data.is_instance_of::<PyList>() || data.is_instance_of::<PyTuple>() || !data.hasattr("dtype")?;
    let kind = match (letter.as_str(), is_of_python) {
        ("b", _) => Kind::Bool,
        ("f", true) => default_kind(),
        _ => Kind::of(array.dtype()),
    };
    Ok((array, kind))
}

/// A tensor of this shape: `full` of one value, or drawn: `rand`, `randn`, `normal` (mean and deviation), `uniform` (from, to) and
/// `randint` (from, up to).
#[pyfunction]
#[pyo3(signature = (how, shape, dtype=None, low=0.0, high=0.0))]
pub fn made(
    how: &str,
    shape: Vec<usize>,
    dtype: Option<&Bound<'_, PyAny>>,
    low: f64,
    high: f64,
) -> PyResult<PyTensor> {
    let wanted = dtype.map(kind).transpose()?;
    let float = wanted.unwrap_or_else(default_kind);
    if how == "full" {
        let array = Array::full(&shape, low, float.array()).map_err(told)?;
        let tensor = Tensor::new(array);
        return Ok(if float == Kind::Bool { PyTensor::truths(tensor) } else { PyTensor::leaf(tensor) });
    }
    let mut generator = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    let drawn = match how {
        "rand" => generator.rand(&shape, float.array()),
        "randn" => generator.randn(&shape, float.array()),
        "normal" => generator.normal(low, high, &shape, float.array()),
        "uniform" => generator.uniform(low, high, &shape, float.array()),
        "randint" => generator.randint(low as i64, high as i64, &shape),
        _ => return Err(PyTypeError::new_err(format!("`{how}` draws nothing"))),
    };
    let array = drawn.map_err(told)?;
    let kind = if how == "randint" { wanted.unwrap_or(Kind::Int64) } else { float };
    Ok(PyTensor::leaf(Tensor::new(cast(&array, kind).map_err(told)?)))
}

/// `torch.eye(n)`.
#[pyfunction]
#[pyo3(signature = (n, m=None, dtype=None))]
pub fn eye(n: usize, m: Option<usize>, dtype: Option<&Bound<'_, PyAny>>) -> PyResult<PyTensor> {
    let kind = dtype.map(kind).transpose()?.unwrap_or_else(default_kind);
    let m = m.unwrap_or(n);
    let square = Array::eye(n.max(m), kind.array()).map_err(told)?;
    let part = |len| SliceAxis { start: 0, step: 1, len };
    let array = square.slice(&[part(n), part(m)]).map_err(told)?;
    Ok(PyTensor::leaf(Tensor::new(array)))
}

/// The numbers from `start` on, `step` apart: `torch.arange`.
#[pyfunction]
#[pyo3(signature = (start, step, count, whole, dtype=None))]
pub fn arange(
    start: f64,
    step: f64,
    count: usize,
    whole: bool,
    dtype: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyTensor> {
    let kind =
        dtype.map(kind).transpose()?.unwrap_or_else(|| if whole { Kind::Int64 } else { default_kind() });
    let places = Array::arange(count).and_then(|places| places.cast(Kind::Float64.array())).map_err(told)?;
    let numbers =
        places.map(|x| x, |x| start + step * x).and_then(|numbers| cast(&numbers, kind)).map_err(told)?;
    Ok(PyTensor::leaf(Tensor::new(numbers)))
}
