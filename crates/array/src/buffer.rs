//! The one place that allocates the memory of arrays.
//!
//! A [`Buffer`] is a fixed-length run of elements, aligned to a cache line where it is longer than a few, counted in [`crate::memory`]. It is written
//! once, while it is built, and then shared read-only through an `Arc`. A pool or huge pages would come behind
//! this seam.

use crate::memory;
use crate::{Element, Error, Result};
use std::alloc::{Layout, alloc, dealloc};
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

/// One cache line, and the widest vector register there is.
const ALIGNMENT: usize = 64;

/// A shorter run, of less than a page, is aligned as its elements are: the system's allocator gives that out many times as fast.
const LEAST_ALIGNED: usize = 4096;

/// An owned, aligned and counted run of elements.
pub struct Buffer<T> {
    pointer: NonNull<T>,
    length: usize,
}

/// An array's memory, by type.
#[derive(Clone)]
pub enum Data {
    F32(Arc<Buffer<f32>>),
    F64(Arc<Buffer<f64>>),
    I64(Arc<Buffer<i64>>),
}

// SAFETY: a buffer owns its memory as a Vec does, and its elements are plain numbers.
unsafe impl<T: Send> Send for Buffer<T> {}
// SAFETY: as above; a shared buffer is only read.
unsafe impl<T: Sync> Sync for Buffer<T> {}

impl<T: Element> Buffer<T> {
    /// A buffer of zeros.
    pub fn zeroed(length: usize) -> Result<Buffer<T>> {
        Buffer::filled(length, T::ZERO)
    }

    /// A buffer of one value.
    pub fn filled(length: usize, value: T) -> Result<Buffer<T>> {
        // SAFETY: `fill` writes every element.
        unsafe {
            Buffer::write_with(length, |elements| {
                elements.fill(MaybeUninit::new(value));
            })
        }
    }

    /// A copy of a slice.
    pub fn from_slice(values: &[T]) -> Result<Buffer<T>> {
        // SAFETY: the two slices have equal lengths, so every element is written.
        unsafe {
            Buffer::write_with(values.len(), |elements| {
                for (element, &value) in elements.iter_mut().zip(values) {
                    element.write(value);
                }
            })
        }
    }

    /// A buffer of `length` elements, written by `write` before anyone reads them.
    ///
    /// # Errors
    /// Where `length` elements have no size in bytes, pass the limit, or are refused by the system.
    ///
    /// # Safety
    /// `write` must write every element of the slice that it is given.
    pub unsafe fn write_with(length: usize, write: impl FnOnce(&mut [MaybeUninit<T>])) -> Result<Buffer<T>> {
        let buffer = Buffer::<T>::allocate(length)?;
        // SAFETY: the memory is valid for `length` elements and no one else knows of it.
        let elements = unsafe {
            std::slice::from_raw_parts_mut(buffer.pointer.as_ptr().cast::<MaybeUninit<T>>(), length)
        };
        write(elements);
        Ok(buffer)
    }

    /// A buffer of `length` elements that nobody has written.
    ///
    /// # Errors
    /// Those of [`write_with`](Buffer::write_with).
    ///
    /// # Safety
    /// Every element must be written, through [`as_mut_ptr`](Buffer::as_mut_ptr), before any is read or the buffer is shared.
    pub unsafe fn unwritten(length: usize) -> Result<Buffer<T>> {
        Buffer::allocate(length)
    }

    /// Where the elements begin, to be written while the buffer has one owner.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.pointer.as_ptr()
    }

    fn allocate(length: usize) -> Result<Buffer<T>> {
        let Some(layout) = layout::<T>(length) else {
            return Err(Error::memory(format!("{length} elements of {} have no size in bytes", T::DTYPE)));
        };
        if layout.size() == 0 {
            return Ok(Buffer { pointer: NonNull::dangling(), length });
        }
        memory::reserve(layout.size())?;
        // SAFETY: the layout's size is not zero.
        let Some(pointer) = NonNull::new(unsafe { alloc(layout) } as *mut T) else {
            memory::release(layout.size());
            let size = memory::human(layout.size());
            return Err(Error::memory(format!("out of memory: the system refused {size}")));
        };
        Ok(Buffer { pointer, length })
    }

    /// The elements, to be changed while the buffer has one owner.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: the memory is valid, initialised when the buffer was made, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.pointer.as_ptr(), self.length) }
    }
}

fn layout<T>(length: usize) -> Option<Layout> {
    let layout = Layout::array::<T>(length).ok()?;
    if layout.size() < LEAST_ALIGNED { Some(layout) } else { layout.align_to(ALIGNMENT).ok() }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the memory is valid and was initialised when the buffer was made.
        unsafe { std::slice::from_raw_parts(self.pointer.as_ptr(), self.length) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        let layout = layout::<T>(self.length).expect("a buffer that was allocated has a layout");
        if layout.size() != 0 {
            // SAFETY: allocated in `allocate` with this same layout.
            unsafe { dealloc(self.pointer.as_ptr() as *mut u8, layout) };
            memory::release(layout.size());
        }
    }
}
