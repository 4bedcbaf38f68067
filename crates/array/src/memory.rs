//! How many bytes are held, and the limit that they may not pass.
//!
//! The counters and the limit belong to the process. An array that would pass the limit is refused with an
//! [`Error`] that carries the size asked for, before any memory is touched.
//!
//! What is counted is what has been allocated and not freed, and the blocks that [`Counted`] keeps for later, a few, which it gives
//! back before it refuses any. Beside it a process takes what its program and its stacks take, a few MiB, and what the
//! allocator keeps for some seconds.
//!
//! A library counts arrays only. A program that owns its process may count all else too, the text, the tree and the
//! graph of a file, by making [`Counted`] its allocator. What is no array is not refused where it is allocated, since
//! Rust's collections cannot fail; whoever builds without a bound asks [`check`] as it goes.

use crate::{Error, Result, interrupt, pool};
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Where [`Counted`] has its blocks from. A check allocates so many small ones that glibc's allocator took a fifth of its time.
#[cfg(not(all(feature = "jemalloc", not(target_env = "msvc"))))]
pub(crate) use std::alloc::System as Heap;
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
pub(crate) use tikv_jemallocator::Jemalloc as Heap;

/// What arrays hold.
static LIVE: AtomicUsize = AtomicUsize::new(0);
/// What the process holds, arrays included; 0 where [`Counted`] is not its allocator.
static HEAP: AtomicUsize = AtomicUsize::new(0);
/// The most that the process held when it allocated a large block.
static MOST: AtomicUsize = AtomicUsize::new(0);
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// An allocator, jemalloc's or the system's, with what it has given out counted against the limit.
///
/// ```
/// use pullback_array::{Array, DType, memory};
///
/// #[global_allocator]
/// static ALLOCATOR: memory::Counted = memory::Counted;
///
/// let text = vec![b'1'; 1 << 20];
/// memory::set_limit(1 << 20);
/// assert!(memory::check().is_err() && Array::zeros(&[1000], DType::F64).is_err());
/// drop(text);
/// assert!(memory::check().is_ok() && Array::zeros(&[1000], DType::F64).is_ok());
/// ```
pub struct Counted;

// SAFETY: every block comes from the heap in the layout that `pool::layout` makes of the one asked for, which
// is aligned at least as well, and goes back to it in the same; a block that is kept in between is used by nobody.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(pointer) = pool::take(layout) {
            return pointer;
        }
        room_beside_kept(layout);
        // SAFETY: the caller's promise.
        let pointer = unsafe { Heap.alloc(pool::layout(layout)) };
        if !pointer.is_null() {
            HEAP.fetch_add(layout.size(), Relaxed);
        }
        pointer
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(pointer) = pool::take(layout) {
            // SAFETY: a block that was kept is as large as is asked for.
            unsafe { pointer.write_bytes(0, layout.size()) };
            return pointer;
        }
        room_beside_kept(layout);
        // SAFETY: the caller's promise.
        let pointer = unsafe { Heap.alloc_zeroed(pool::layout(layout)) };
        if !pointer.is_null() {
            HEAP.fetch_add(layout.size(), Relaxed);
        }
        pointer
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(asked) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        if pool::layout(layout).align() == pool::layout(asked).align() {
            // SAFETY: the caller's promise; the alignment is the same before and after.
            let pointer = unsafe { Heap.realloc(pointer, pool::layout(layout), size) };
            if !pointer.is_null() {
                HEAP.fetch_add(size, Relaxed);
                HEAP.fetch_sub(layout.size(), Relaxed);
            }
            return pointer;
        }
        // SAFETY: the caller's promise: the size is not zero.
        let new = unsafe { self.alloc(asked) };
        if !new.is_null() {
            // SAFETY: both are as large as what is copied, and they are different blocks.
            unsafe { new.copy_from_nonoverlapping(pointer, layout.size().min(size)) };
            // SAFETY: the caller's promise.
            unsafe { self.dealloc(pointer, layout) };
        }
        new
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the block came from `alloc`, which allocates in the pool's layout, and the caller uses it no more.
        let (kept, given) = unsafe { pool::keep(pointer, layout, HEAP.load(Relaxed)) };
        if given > 0 {
            HEAP.fetch_sub(given, Relaxed);
        }
        if kept {
            return;
        }
        // SAFETY: the caller's promise; `alloc` allocated it in this layout.
        unsafe { Heap.dealloc(pointer, pool::layout(layout)) };
        HEAP.fetch_sub(layout.size(), Relaxed);
    }
}

/// Gives back what is kept for later, where the process would hold more with a block of this layout than it ever held.
fn room_beside_kept(layout: Layout) {
    if pool::is_large(layout) {
        let held = HEAP.load(Relaxed) + layout.size();
        let given = give_back(held.saturating_sub(MOST.load(Relaxed)));
        MOST.fetch_max(held.saturating_sub(given), Relaxed);
    }
}

/// Sets the number of bytes that may be held; `usize::MAX`, the default, is no limit.
///
/// What exists stays: a limit below [`used`] refuses the next allocation.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Relaxed);
}

/// The number of bytes that may be held.
pub fn limit() -> usize {
    LIMIT.load(Relaxed)
}

/// The number of bytes that all arrays hold now; views share the bytes of their array.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

/// The number of bytes that count against the limit: all that the process holds where [`Counted`] is its allocator, else
/// [`live`].
pub fn used() -> usize {
    HEAP.load(Relaxed).max(live())
}

/// Gives back so many bytes of what is kept for later, or all of it, and says how many.
fn give_back(bytes: usize) -> usize {
    let given = pool::give_back(bytes);
    HEAP.fetch_sub(given, Relaxed);
    given
}

/// Gives back what is kept for later, where more than the limit would be held else.
fn make_room(bytes: usize) {
    if used().saturating_add(bytes) > limit() {
        give_back(usize::MAX);
    }
}

/// Asks whether more may be built: for what is no array and has no size to be known beforehand.
///
/// # Errors
/// Where more is held than the limit allows.
pub fn check() -> Result<()> {
    room(0)
}

/// Asks whether `bytes` more may be held: for large temporary memory that is no array.
///
/// # Errors
/// Where they would pass the limit; and where the work is to end ([`interrupt`]).
pub fn room(bytes: usize) -> Result<()> {
    interrupt::check()?;
    make_room(bytes);
    let (used, limit) = (used(), limit());
    if used.checked_add(bytes).is_some_and(|total| total <= limit) {
        return Ok(());
    }
    Err(refusal(bytes, used, limit))
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
    room(bytes)?;
    let limit = limit();
    let fits = |live: usize| live.checked_add(bytes).filter(|&total| total <= limit);
    LIVE.fetch_update(Relaxed, Relaxed, fits).map(|_| ()).map_err(|live| refusal(bytes, live, limit))
}

/// Counts `bytes` as freed.
pub(crate) fn release(bytes: usize) {
    LIVE.fetch_sub(bytes, Relaxed);
}

fn refusal(bytes: usize, used: usize, limit: usize) -> Error {
    let (asked, held, limit) = (human(bytes), human(used), human(limit));
    let message = match (bytes, used) {
        (0, _) => format!("out of memory: the {held} in use pass the limit of {limit}"),
        (_, 0) => format!("out of memory: {asked} would pass the limit of {limit}"),
        _ => format!("out of memory: {asked} beside the {held} in use would pass the limit of {limit}"),
    };
    Error::memory(message).with_hint("--memory sets the limit")
}
