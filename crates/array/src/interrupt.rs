//! Work that somebody outside may end: a person who presses Ctrl-C in a Python session.
//!
//! Nothing here knows of signals. Whoever lets others work says how to ask whether it is to end ([`unless`]); everybody who asks
//! [`memory`](crate::memory) for room before they build more ask that too, now and then, and are refused from then on. So what
//! is under way ends at its next operation, with an error that nobody has to render, since whoever has said how to ask knows. One
//! operation, however long, is done to its end.
//!
//! ```
//! use pullback_array::{Array, DType, interrupt};
//!
//! let (made, ended) = interrupt::unless(|| true, || Array::zeros(&[3], DType::F64));
//! assert!(made.is_err() && ended);
//! assert!(Array::zeros(&[3], DType::F64).is_ok());
//! ```

use crate::{Error, Result};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Nobody is asked more often: what answers may have to wait for a lock.
const PERIOD: Duration = Duration::from_millis(50);

/// Does what `work` does on this thread, unless `is_ended` says that it is to end. Returns whether it did.
pub fn unless<T>(is_ended: impl FnMut() -> bool + 'static, work: impl FnOnce() -> T) -> (T, bool) {
    let outer = WATCH.with(|watch| {
        watch.replace(Some(Watch { is_ended: Some(Box::new(is_ended)), due: Instant::now(), ended: false }))
    });
    let restore = Restore(outer);
    let done = work();
    let ended = WATCH.with(|watch| watch.borrow().as_ref().is_some_and(|watch| watch.ended));
    drop(restore);
    (done, ended)
}

/// Asks whether the work of this thread is to end.
///
/// # Errors
/// Where it is.
pub(crate) fn check() -> Result<()> {
    let asked = WATCH.with(|watch| {
        // While somebody is asked, which may allocate, nobody is asked again.
        let mut watch = watch.try_borrow_mut().ok()?;
        let watch = watch.as_mut()?;
        if watch.ended {
            return Some(Asked::Ended);
        }
        let now = Instant::now();
        if now < watch.due {
            return None;
        }
        watch.due = now + PERIOD;
        watch.is_ended.take().map(Asked::Due)
    });
    let mut is_ended = match asked {
        None => return Ok(()),
        Some(Asked::Ended) => return Err(refusal()),
        Some(Asked::Due(is_ended)) => is_ended,
    };
    let ended = is_ended();
    WATCH.with(|watch| {
        if let Some(watch) = watch.borrow_mut().as_mut() {
            (watch.is_ended, watch.ended) = (Some(is_ended), ended);
        }
    });
    if ended { Err(refusal()) } else { Ok(()) }
}

thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

struct Watch {
    /// Not there while it is asked.
    is_ended: Option<Box<dyn FnMut() -> bool>>,
    /// When it is asked next.
    due: Instant,
    ended: bool,
}

enum Asked {
    Due(Box<dyn FnMut() -> bool>),
    Ended,
}

/// What was there before stands again, though the work panic.
struct Restore(Option<Watch>);

impl Drop for Restore {
    fn drop(&mut self) {
        WATCH.with(|watch| watch.replace(self.0.take()));
    }
}

fn refusal() -> Error {
    Error::new("interrupted")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use std::cell::Cell;
    use std::rc::Rc;

    /// Work ends where it asks for room after it is to end, however often it goes on; other threads go on.
    #[test]
    fn work_ends_at_its_next_question() {
        let is_ended = Rc::new(Cell::new(false));
        let asked = is_ended.clone();
        let (results, ended) = unless(
            move || asked.get(),
            || {
                let before = memory::check().is_ok();
                is_ended.set(true);
                std::thread::sleep(PERIOD);
                let other = std::thread::spawn(|| memory::check().is_ok()).join();
                [before, memory::check().is_ok(), memory::check().is_ok(), other.unwrap_or(false)]
            },
        );
        assert_eq!((results, ended), ([true, false, false, true], true));
        assert!(memory::check().is_ok());
    }
}
