//! How many bytes arrays hold, and the limit that they may not pass.
//!
//! The counter and the limit belong to the process. An allocation that would pass the limit is refused with an
//! [`Error`] that carries the size asked for, before any memory is touched.

use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Sets the number of bytes that all arrays together may hold; `usize::MAX`, the default, is no limit.
///
/// Arrays that exist stay: a limit below [`live`] refuses the next allocation.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// The number of bytes that all arrays together may hold.
pub fn limit() -> usize {
    LIMIT.load(Relaxed)
}

/// The number of bytes that all arrays hold now; views share the bytes of their array.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

/// A number of bytes for a person: three or four digits and a binary unit.
///
/// ```
/// use pullback_array::memory::human;
/// assert_eq!(human(1000), "1000 B");
/// assert_eq!(human(1 << 38), "256 GiB");
/// assert_eq!(human(3 << 19), "1.5 MiB");
/// ```
pub fn human(bytes: usize) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

/// Counts `bytes` as live, or refuses them.
pub(crate) fn reserve(bytes: usize) -> Result<()> {
    let limit = limit();
    let fits = |live: usize| live.checked_add(bytes).filter(|&total| total <= limit);
    LIVE.fetch_update(Relaxed, Relaxed, fits).map(|_| ()).map_err(|live| refusal(bytes, live, limit))
}

/// Counts `bytes` as freed.
pub(crate) fn release(bytes: usize) {
    LIVE.fetch_sub(bytes, Relaxed);
}

fn refusal(bytes: usize, live: usize, limit: usize) -> Error {
    let held = if live == 0 { String::new() } else { format!(" beside the {} in use", human(live)) };
    Error::memory(format!("out of memory: {}{held} would pass the limit of {}", human(bytes), human(limit)))
        .with_hint("--memory sets the limit")
}
