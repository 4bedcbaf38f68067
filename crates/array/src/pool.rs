//! Large blocks that were freed, kept for the next one of the same size.
//!
//! What is computed with large arrays allocates one for each result and frees it after the next. Where the allocator takes such a block
//! back and gives out another one, every page of it is cleared and mapped anew: half of the time of an addition. So some are kept.
//!
//! Blocks that are kept count as held. They are given back where a process would hold more for them than it has held before, where they
//! are more than all that is in use, and where they would stand in the way of others.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Mutex;

use crate::memory::Heap;

/// Smaller ones any allocator keeps by itself: glibc maps what is as large as this.
const LEAST: usize = 128 << 10;

/// So many are kept at the most: each is looked at where one is asked for.
const MOST: usize = 16;

/// All large blocks are aligned to a cache line, so that any fits wherever one of its size is asked for.
const ALIGNMENT: usize = 64;

static KEPT: Mutex<Kept> = Mutex::new(Kept { blocks: [(0, 0); MOST], count: 0, bytes: 0 });

/// The blocks that are kept, by their addresses and sizes, the longest kept one first.
struct Kept {
    blocks: [(usize, usize); MOST],
    count: usize,
    bytes: usize,
}

impl Kept {
    /// Takes the block with this number out.
    fn remove(&mut self, at: usize) -> (usize, usize) {
        let block = self.blocks[at];
        self.blocks.copy_within(at + 1..self.count, at);
        (self.count, self.bytes) = (self.count - 1, self.bytes - block.1);
        block
    }

    /// Gives the one that was kept longest back to the heap, and says how large it was.
    fn give_oldest(&mut self) -> usize {
        let (address, size) = self.remove(0);
        if let Ok(layout) = Layout::from_size_align(size, ALIGNMENT) {
            // SAFETY: it was kept as one that the heap allocated, of this size and aligned as all of them are.
            unsafe { Heap.dealloc(std::ptr::with_exposed_provenance_mut(address), layout) };
        }
        size
    }
}

/// Is a block of this layout one of those that are kept?
pub(crate) fn is_large(asked: Layout) -> bool {
    asked.size() >= LEAST
}

/// The layout in which a block is asked for of the heap.
pub(crate) fn layout(asked: Layout) -> Layout {
    // What is valid with the alignment that was asked for and larger than any page is valid with this one.
    if is_large(asked) { asked.align_to(ALIGNMENT).unwrap_or(asked) } else { asked }
}

/// A block of this layout that was kept.
pub(crate) fn take(layout: Layout) -> Option<*mut u8> {
    if !is_large(layout) || layout.align() > ALIGNMENT {
        return None;
    }
    // Another thread is at it: then a new one will do.
    let mut kept = KEPT.try_lock().ok()?;
    let at = kept.blocks[..kept.count].iter().rposition(|&(_, size)| size == layout.size())?;
    let (address, _) = kept.remove(at);
    Some(std::ptr::with_exposed_provenance_mut(address))
}

/// Whether a block is kept, where so much is held, itself and all that is kept included; and how many bytes of others were given back.
///
/// # Safety
/// The block was allocated by the heap in [`layout`] of this one, and is used no more.
pub(crate) unsafe fn keep(pointer: *mut u8, layout: Layout, held: usize) -> (bool, usize) {
    if !is_large(layout) || layout.align() > ALIGNMENT {
        return (false, 0);
    }
    let Ok(mut kept) = KEPT.try_lock() else { return (false, 0) };
    let in_use = held.saturating_sub(kept.bytes + layout.size());
    let fits = layout.size() <= in_use;
    let room = if fits { layout.size() } else { 0 };
    let mut given = 0;
    while kept.count > 0 && (kept.bytes + room > in_use || fits && kept.count == MOST) {
        given += kept.give_oldest();
    }
    if fits {
        let at = kept.count;
        kept.blocks[at] = (pointer.expose_provenance(), layout.size());
        (kept.count, kept.bytes) = (at + 1, kept.bytes + layout.size());
    }
    (fits, given)
}

/// Gives blocks back to the heap, the longest kept one first, until they are so many bytes or none is left, and says how many they were.
pub(crate) fn give_back(bytes: usize) -> usize {
    let Ok(mut kept) = KEPT.try_lock() else { return 0 };
    let mut given = 0;
    while given < bytes && kept.count > 0 {
        given += kept.give_oldest();
    }
    given
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
            unsafe { Heap.alloc(layout(large)) }
        };
        let block = new();
        // SAFETY: it was just allocated in this layout, and is used no more.
        assert_eq!(unsafe { keep(block, large, usize::MAX) }, (true, 0));
        assert_eq!((take(small), take(asked(3 * LEAST))), (None, None));
        assert_eq!((take(large), take(large)), (Some(block), None));
        // SAFETY: as above. Where little else is in use it is not kept.
        assert_eq!(unsafe { keep(block, large, 3 * LEAST) }, (false, 0));
        // SAFETY: as above.
        assert_eq!(unsafe { keep(block, large, 4 * LEAST) }, (true, 0));
        let other = new();
        // SAFETY: as above. There is room for one of them: the one that was kept longest goes.
        assert_eq!(unsafe { keep(other, large, 6 * LEAST) }, (true, 2 * LEAST));
        let last = new();
        // SAFETY: as above. There is room for none.
        assert_eq!(unsafe { keep(last, large, 5 * LEAST) }, (false, 2 * LEAST));
        assert_eq!((give_back(1), take(large)), (0, None));
        // SAFETY: it was not kept.
        unsafe { Heap.dealloc(last, layout(large)) };
    }
}
