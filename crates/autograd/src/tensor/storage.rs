//! Numbers that may change, and how often they have.
//!
//! Arrays never change; a change puts another array in the place. So a graph that was recorded before still holds what it
//! read, and the version tells that its tensor says something else by now.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pullback_array::Array;

/// An array, and the number of times that it was changed in place.
pub(super) struct Storage(Mutex<(Array, u64)>);

impl Storage {
    pub(super) fn new(array: Array) -> Storage {
        Storage(Mutex::new((array, 0)))
    }

    /// The array and its version.
    pub(super) fn read(&self) -> (Array, u64) {
        locked(&self.0).clone()
    }

    pub(super) fn version(&self) -> u64 {
        locked(&self.0).1
    }

    /// Puts another array in the place.
    pub(super) fn replace(&self, array: Array) {
        let mut stored = locked(&self.0);
        *stored = (array, stored.1 + 1);
    }
}

/// What a mutex holds. What is written under a lock is written in one step, so that one which a panic left holds what it should.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
