//! The types of elements that tensors of Python have, by PyTorch's names.
//!
//! Truths (`torch.bool`) are integers to Pullback, 1 and 0; a tensor of them knows it, and prints them as PyTorch does.

use pullback::array::{Array, DType};
use pullback::autograd::tensor::Tensor;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// A type of elements: `torch.float32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[pyclass(name = "dtype", module = "pullback", frozen, eq, hash)]
pub enum Kind {
    /// Single precision.
    #[pyo3(name = "float32")]
    Float32,
    /// Double precision.
    #[pyo3(name = "float64")]
    Float64,
    /// Integers of 64 bits.
    #[pyo3(name = "int64")]
    Int64,
    /// Truths.
    #[pyo3(name = "bool")]
    Bool,
}

#[pymethods]
impl Kind {
    fn __repr__(&self) -> String {
        format!("torch.{}", self.word())
    }

    /// Are the elements floats?
    #[getter]
    fn is_floating_point(&self) -> bool {
        self.array().is_float()
    }

    /// How many bytes an element takes in PyTorch.
    #[getter]
    fn itemsize(&self) -> usize {
        match self {
            Kind::Float32 => 4,
            Kind::Float64 | Kind::Int64 => 8,
            Kind::Bool => 1,
        }
    }
}

impl Kind {
    /// The name, as NumPy has it too.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Float32 => "float32",
            Kind::Float64 => "float64",
            Kind::Int64 => "int64",
            Kind::Bool => "bool",
        }
    }

    /// What PyTorch calls it in a message about two that differ.
    pub fn in_messages(self) -> &'static str {
        match self {
            Kind::Float32 => "float",
            Kind::Float64 => "double",
            Kind::Int64 => "long",
            Kind::Bool => "bool",
        }
    }

    /// In what an array holds such elements.
    pub fn array(self) -> DType {
        match self {
            Kind::Float32 => DType::F32,
            Kind::Float64 => DType::F64,
            Kind::Int64 | Kind::Bool => DType::I64,
        }
    }

    /// The kind of what an array holds.
    pub fn of(dtype: DType) -> Kind {
        match dtype {
            DType::F32 => Kind::Float32,
            DType::F64 => Kind::Float64,
            DType::I64 => Kind::Int64,
        }
    }
}

/// What Python gives where a kind is wanted: one of these, or a word.
pub fn kind(value: &Bound<'_, PyAny>) -> PyResult<Kind> {
    if let Ok(kind) = value.extract::<Kind>() {
        return Ok(kind);
    }
    let word = value.str()?.to_string();
    let all = [Kind::Float32, Kind::Float64, Kind::Int64, Kind::Bool];
    all.into_iter().find(|kind| word == kind.word() || word == format!("torch.{}", kind.word())).ok_or_else(
        || {
            PyTypeError::new_err(format!(
                "`{word}` is no type of elements that there is: float32, float64, int64 and bool are"
            ))
        },
    )
}

/// The same elements as another kind, without their history.
pub fn cast(array: &Array, kind: Kind) -> pullback::array::Result<Array> {
    match kind {
        Kind::Bool => {
            let truths: Vec<i64> = array.to_vec_f64().into_iter().map(|x| i64::from(x != 0.0)).collect();
            Array::from_vec(array.shape(), truths)
        }
        _ => array.cast(kind.array()),
    }
}

/// The same tensor as another kind. One that a gradient flows to keeps its history, where nothing is lost on the way.
pub fn converted(tensor: &Tensor, kind: Kind) -> pullback::autograd::tensor::Result<Tensor> {
    let from = Kind::of(tensor.dtype());
    match (from, kind) {
        (from, kind) if from == kind => Ok(tensor.clone()),
        // A product with a 1 of the wider precision is in that.
        (Kind::Float32, Kind::Float64) if tensor.requires_grad() => {
            tensor.zip(&Tensor::new(Array::scalar(1.0, DType::F64)?), |x, one| x * one)
        }
        _ => Ok(Tensor::new(cast(&tensor.array(), kind)?)),
    }
}
