//! The Rust side of the Python package `pullback`: sessions, and the command, for Python.
//!
//! Nothing is decided here. [`session`] hands texts and arrays to [`pullback::session`] and hands back what `report` makes of the
//! results, [`arrays`] turns NumPy's arrays into Pullback's, and [`working`] lets other threads of Python run meanwhile and heeds
//! Ctrl-C; [`tensor`] is `pullback.Tensor`. What users see of it is in `python/pullback/`.
//!
//! No input may panic. Where one does all the same, PyO3 makes a `PanicException` of it, and nothing is corrupted.

mod arrays;
mod session;
mod tensor;
mod working;

use pyo3::prelude::*;

/// What Python asks for is counted as the command counts it, so that its limit on memory holds for the command that the wheel ships.
#[global_allocator]
static ALLOCATOR: pullback::array::memory::Counted = pullback::array::memory::Counted;

pyo3::create_exception!(
    pullback,
    PullbackError,
    pyo3::exceptions::PyException,
    "What could not be read, run or judged, as the command tells it: with the place, and what to do about it."
);

#[pymodule]
mod _pullback {
    #[pymodule_export]
    use super::PullbackError;
    #[pymodule_export]
    use super::session::{check, derive, jacobian, main, ops, run};
    #[pymodule_export]
    use super::tensor::{
        Kind, PyTensor, allclose, arange, backward, call_function, call_in_place, eye, get_default_dtype,
        grad, is_grad_enabled, made, manual_seed, set_default_dtype, set_grad_enabled, tensor,
    };
}
