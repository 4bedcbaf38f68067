//! Whether operations are recorded: a flag of the thread, set for the time of a call.

use std::cell::Cell;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(true) };
}

/// Are operations recorded here?
pub fn is_grad_enabled() -> bool {
    ENABLED.get()
}

/// Runs `f` without recording anything: its results do not require gradients, and a leaf may be changed in place.
///
/// ```
/// use pullback_autograd::tensor::{Tensor, no_grad};
///
/// let x = Tensor::from_slice(&[2], &[1.0, 2.0])?.requires_grad_(true)?;
/// let y = no_grad(|| &x * &x)?;
/// assert!(!y.requires_grad());
/// # Ok::<(), pullback_autograd::tensor::Error>(())
/// ```
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    with_mode(false, f)
}

/// Runs `f` recording again, inside of [`no_grad`].
pub fn enable_grad<T>(f: impl FnOnce() -> T) -> T {
    with_mode(true, f)
}

/// Records operations from now on in this thread, or none; what it was before. Whoever can, uses [`no_grad`], which ends by itself:
/// this is for a `with` of Python.
pub fn set_grad_enabled(enabled: bool) -> bool {
    ENABLED.replace(enabled)
}

pub(super) fn with_mode<T>(enabled: bool, f: impl FnOnce() -> T) -> T {
    /// Restores the flag, also where `f` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ENABLED.set(self.0);
        }
    }
    let _restore = Restore(ENABLED.replace(enabled));
    f()
}
