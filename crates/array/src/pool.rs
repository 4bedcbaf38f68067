//! Large blocks that were freed, kept for the next one of the same size.
//!
//! What is computed with large arrays allocates one for each result and frees it after the next. Where the system takes such a block
//! back and gives out another one, every page of it is cleared and mapped anew: half of the time of an addition. So a few are kept.
//!
//! Blocks that are kept count as held. They are given back where they would stand in the way of others.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;

/// Smaller ones the system's allocator keeps by itself: glibc maps what is as large as this.
const LEAST: usize = 128 << 10;

/// Blocks are kept that make up this share of what may be held, and so many bytes, at the most.
const SHARE: usize = 16;
const MOST_BYTES: usize = 256 << 20;

/// And so many of them.
const MOST: usize = 8;

/// All large blocks are aligned to a cache line, so that any fits wherever one of its size is asked for.
const ALIGNMENT: usize = 64;

/// The blocks that are kept, by their addresses and sizes, the longest kept one first; and how many.
static KEPT: Mutex<([(usize, usize); MOST], usize)> = Mutex::new(([(0, 0); MOST], 0));

/// The layout in which a block is asked for of the system.
pub(crate) fn layout(asked: Layout) -> Layout {
    // What is valid with the alignment that was asked for and larger than any page is valid with this one.
    if asked.size() >= LEAST { asked.align_to(ALIGNMENT).unwrap_or(asked) } else { asked }
}

/// A block of this layout that was kept.
pub(crate) fn take(layout: Layout) -> Option<*mut u8> {
    if layout.size() < LEAST || layout.align() > ALIGNMENT {
        return None;
    }
    // Another thread is at it: then a new one will do.
    let mut kept = KEPT.try_lock().ok()?;
    let (blocks, count) = &mut *kept;
    let at = blocks[..*count].iter().rposition(|&(_, size)| size == layout.size())?;
    let (address, _) = blocks[at];
    blocks.copy_within(at + 1..*count, at);
    *count -= 1;
    Some(std::ptr::with_exposed_provenance_mut(address))
}

/// Keeps a block, and says how many bytes of others were given back for it, where no more than `limit` may be held. `None`: it is not
/// kept.
///
/// # Safety
/// The block was allocated by the system in [`layout`] of this one, and is used no more.
pub(crate) unsafe fn keep(pointer: *mut u8, layout: Layout, limit: usize) -> Option<usize> {
    let most = (limit / SHARE).min(MOST_BYTES);
    if layout.size() < LEAST || layout.align() > ALIGNMENT || layout.size() > most {
        return None;
    }
    let mut kept = KEPT.try_lock().ok()?;
    let (blocks, count) = &mut *kept;
    let mut bytes: usize = blocks[..*count].iter().map(|(_, size)| size).sum();
    let mut given = 0;
    while *count == MOST || bytes + layout.size() > most {
        let (address, size) = blocks[0];
        // SAFETY: it was kept as one that the system allocated in this layout.
        unsafe { give(address, size) };
        (bytes, given) = (bytes - size, given + size);
        blocks.copy_within(1..*count, 0);
        *count -= 1;
    }
    blocks[*count] = (pointer.expose_provenance(), layout.size());
    *count += 1;
    Some(given)
}

/// Gives all blocks back to the system, and says how many bytes they were.
pub(crate) fn drain() -> usize {
    let Ok(mut kept) = KEPT.try_lock() else { return 0 };
    let (blocks, count) = &mut *kept;
    for &(address, size) in &blocks[..*count] {
        // SAFETY: it was kept as one that the system allocated in this layout.
        unsafe { give(address, size) };
    }
    let bytes = blocks[..*count].iter().map(|(_, size)| size).sum();
    *count = 0;
    bytes
}

/// # Safety
/// The block at this address was allocated by the system, of this size and aligned as all of them are.
unsafe fn give(address: usize, size: usize) {
    if let Ok(layout) = Layout::from_size_align(size, ALIGNMENT) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(std::ptr::with_exposed_provenance_mut(address), layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was kept is given out again for the same size and no other, and is gone once it has been given back.
    #[test]
    fn a_block_is_kept_once() {
        let asked = |size: usize| Layout::from_size_align(size, 8).expect("a layout");
        let (large, small) = (asked(2 * LEAST), asked(LEAST / 2));
        let new = || {
            // SAFETY: the size is not zero.
            unsafe { System.alloc(layout(large)) }
        };
        let block = new();
        // SAFETY: it was just allocated in this layout, and is used no more.
        assert_eq!(unsafe { keep(block, large, usize::MAX) }, Some(0));
        assert_eq!((take(small), take(asked(3 * LEAST))), (None, None));
        assert_eq!((take(large), take(large)), (Some(block), None));
        // SAFETY: as above. Where little may be held it is not kept.
        assert_eq!(unsafe { keep(block, large, LEAST) }, None);
        // SAFETY: as above.
        assert_eq!(unsafe { keep(block, large, 2 * SHARE * LEAST) }, Some(0));
        let other = new();
        // SAFETY: as above. There is room for one of them: the one that was kept longest goes.
        assert_eq!(unsafe { keep(other, large, 2 * SHARE * LEAST) }, Some(2 * LEAST));
        assert_eq!((drain(), drain(), take(large)), (2 * LEAST, 0, None));
    }
}
