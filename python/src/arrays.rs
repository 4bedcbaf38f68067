//! Arrays of Python as Pullback's, and back.
//!
//! An array is read through NumPy's own `ascontiguousarray`: whatever comes (a subclass, negative strides, the other byte order, memory
//! that is not aligned), what is read is a plain array in row-major order, which is the same memory where it was that already.

use numpy::{
    Element, IntoPyArray, PyArray1, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
};
use pullback::array::file::Entry;
use pullback::array::{Array, DType, MOST_AXES, Precision, memory};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An array of Python under a name, with the precision in which its numbers were computed where that is not the one in which they
/// are held: bf16, which NumPy does not have.
pub fn entry(name: &str, value: &Bound<'_, PyAny>, computed: Option<&str>) -> PyResult<Entry> {
    let (array, held) = array(name, value)?;
    let stored = match computed {
        None => held,
        Some(word) => precision(word)?,
    };
    Ok(Entry { name: name.to_owned(), array, precision: stored, stored })
}

/// The precision of this name.
pub fn precision(word: &str) -> PyResult<Precision> {
    let all =
        [Precision::F64, Precision::F32, Precision::TF32, Precision::F16, Precision::BF16, Precision::Whole];
    all.into_iter().find(|known| known.to_string() == word).ok_or_else(|| {
        PyValueError::new_err(format!("`{word}` is no precision: f64, f32, tf32, bf16 and f16 are known"))
    })
}

/// An array of Python, and in what it is held.
pub fn array(name: &str, value: &Bound<'_, PyAny>) -> PyResult<(Array, Precision)> {
    let numpy = value.py().import("numpy")?;
    let plain = numpy.call_method1("asarray", (value,))?;
    let untyped = plain.cast::<PyUntypedArray>()?;
    let axes = untyped.ndim();
    if axes > MOST_AXES {
        return Err(PyValueError::new_err(format!(
            "`{name}` has {axes} axes; {MOST_AXES} are the most: join some of them with `reshape`"
        )));
    }
    let dtype = untyped.dtype();
    let word = dtype.str()?.to_string();
    let kind: String = dtype.getattr("kind")?.extract()?;
    let width: usize = dtype.getattr("itemsize")?.extract()?;
    // What is not f64 or i64 is copied once more in its own type.
    memory::room(untyped.len().saturating_mul(width.max(8)))
        .map_err(|error| PyValueError::new_err(format!("`{name}`: {error}")))?;
    let read = |wanted: &str, held: Precision| {
        // In rows, and aligned: numbers in the middle of bytes need not be.
        let contiguous = numpy.call_method1("require", (&plain, wanted, ["C", "A"]))?;
        let array = match wanted {
            "=f8" => copied::<f64>(name, &contiguous, untyped.shape()),
            "=f4" => copied::<f32>(name, &contiguous, untyped.shape()),
            _ => copied::<i64>(name, &contiguous, untyped.shape()),
        };
        array.map(|array| (array, held))
    };
    match (kind.as_str(), width) {
        ("f", 8) => read("=f8", Precision::F64),
        ("f", 4) => read("=f4", Precision::F32),
        ("f", 2) => read("=f4", Precision::F16),
        _ if word == "bfloat16" => read("=f4", Precision::BF16),
        ("b" | "i", _) | ("u", 1 | 2 | 4) => read("=i8", Precision::Whole),
        ("u", _) => {
            let largest: u64 = match untyped.len() {
                0 => 0,
                _ => plain.call_method0("max")?.extract()?,
            };
            if i64::try_from(largest).is_err() {
                let message = format!("`{name}` holds {largest}, and integers have 63 bits and a sign");
                return Err(PyValueError::new_err(message));
            }
            read("=i8", Precision::Whole)
        }
        _ => Err(PyTypeError::new_err(format!(
            "`{name}` holds elements of the type {word}: f64, f32, f16, bf16, integers and booleans are understood"
        ))),
    }
}

/// The elements of an array that NumPy has just made contiguous and aligned.
fn copied<T: Element + pullback::array::Element>(
    name: &str,
    contiguous: &Bound<'_, PyAny>,
    shape: &[usize],
) -> PyResult<Array> {
    let typed = contiguous.cast::<PyArrayDyn<T>>()?;
    let borrowed =
        typed.try_readonly().map_err(|error| PyValueError::new_err(format!("`{name}`: {error}")))?;
    let elements =
        borrowed.as_slice().map_err(|error| PyValueError::new_err(format!("`{name}`: {error}")))?;
    Array::from_slice(shape, elements).map_err(|error| PyValueError::new_err(format!("`{name}`: {error}")))
}

/// An array of Pullback as one of NumPy, of the same type.
pub fn to_numpy<'py>(py: Python<'py>, array: &Array) -> PyResult<Bound<'py, PyAny>> {
    let flat = match array.dtype() {
        DType::F64 => flat(py, array.to_vec_f64()),
        DType::F32 => flat(py, array.view::<f32>().map_err(told)?.iter().copied().collect::<Vec<f32>>()),
        DType::I64 => flat(py, array.to_vec_i64().map_err(told)?),
    };
    flat.call_method1("reshape", (array.shape().to_vec(),))
}

fn flat<'py, T: Element>(py: Python<'py>, elements: Vec<T>) -> Bound<'py, PyAny> {
    let array: Bound<'py, PyArray1<T>> = elements.into_pyarray(py);
    array.into_any()
}

/// Arrays by their names.
pub fn named<'a, 'py>(
    py: Python<'py>,
    arrays: impl IntoIterator<Item = (&'a str, &'a Array)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, array) in arrays {
        dict.set_item(name, to_numpy(py, array)?)?;
    }
    Ok(dict)
}

fn told(error: pullback::array::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
