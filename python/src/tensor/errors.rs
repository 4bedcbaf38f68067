//! Errors as PyTorch raises them, and work without Python's lock.

use pullback::autograd::tensor::{Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::working::working;

/// An error of a tensor as PyTorch raises it: in its words where it has some, with Pullback's own behind it.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
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

/// An error of arrays.
pub fn told(error: pullback::array::Error) -> PyErr {
    PyRuntimeError::new_err(error.message().to_owned())
}

/// Does what `work` does without Python's lock.
pub fn done<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    working(py, work)?.map_err(|error| raised(py, &error))
}
