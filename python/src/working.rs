//! Work without Python's lock: other threads run on, and Ctrl-C ends it.

use std::cell::Cell;
use std::rc::Rc;

use pullback::array::interrupt;
use pyo3::prelude::*;

/// Does what `work` does without the lock, on this very thread. Whoever presses Ctrl-C meanwhile ends it, and gets the
/// `KeyboardInterrupt`.
pub fn working<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| {
        let signal: Rc<Cell<Option<PyErr>>> = Rc::default();
        let seen = signal.clone();
        let is_ended = move || match Python::attach(|py| py.check_signals()) {
            Ok(()) => false,
            Err(error) => {
                seen.set(Some(error));
                true
            }
        };
        let (done, _) = interrupt::unless(is_ended, work);
        match signal.take() {
            Some(error) => Err(error),
            None => Ok(done),
        }
    })
}
