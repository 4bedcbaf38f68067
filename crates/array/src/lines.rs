//! Functions of one element, and of two, as loops over lines of memory.
//!
//! A function that is called through a pointer for each element takes several times as long as its arithmetic. So [`Each`] and
//! [`Pairs`] hold whole loops, one for each precision, which [`each!`](crate::each) and [`pairs!`](crate::pairs) write around a function:
//! arrays ([`Array::each`](crate::Array::each), [`Array::pairs`](crate::Array::pairs)) and [tiles](crate::tiles) run the same ones.
//!
//! ```
//! use pullback_array::{Array, Pairs, pairs};
//!
//! static HALF_SUM: Pairs = pairs!(|a, b| (a + b) / 2.0);
//! let a = Array::from_slice(&[2], &[1.0, 5.0])?;
//! assert_eq!(a.pairs(&Array::from_slice(&[1], &[3.0])?, "half_sum", &HALF_SUM)?.to_vec_f64(), [2.0, 4.0]);
//! # Ok::<(), pullback_array::Error>(())
//! ```

use std::mem::MaybeUninit;

use crate::Element;

/// A function of one element: `out[i] = f(x[i])`, for slices of one length.
#[derive(Debug)]
pub struct Each {
    /// In single precision.
    pub f32: fn(&[f32], &mut [MaybeUninit<f32>]),
    /// In double precision.
    pub f64: fn(&[f64], &mut [MaybeUninit<f64>]),
}

/// A function of two elements: `out[i] = f(a[i], b[i])`.
#[derive(Debug)]
pub struct Pairs {
    /// In single precision.
    pub f32: fn(Line<'_, f32>, Line<'_, f32>, &mut [MaybeUninit<f32>]),
    /// In double precision.
    pub f64: fn(Line<'_, f64>, Line<'_, f64>, &mut [MaybeUninit<f64>]),
}

/// An operand of a loop over two.
#[derive(Clone, Copy, Debug)]
pub enum Line<'a, T> {
    /// An element for each step, as many as there are results.
    Many(&'a [T]),
    /// The same in all steps.
    One(T),
}

/// An [`Each`] of a function in single and in double precision, or of one that is written alike for both.
#[macro_export]
macro_rules! each {
    ($f:expr) => {
        $crate::each!($f, $f)
    };
    ($f32:expr, $f64:expr) => {
        $crate::Each {
            f32: |x, out| $crate::each_line(x, out, $f32),
            f64: |x, out| $crate::each_line(x, out, $f64),
        }
    };
}

/// A [`Pairs`] of a function in single and in double precision, or of one that is written alike for both.
#[macro_export]
macro_rules! pairs {
    ($f:expr) => {
        $crate::pairs!($f, $f)
    };
    ($f32:expr, $f64:expr) => {
        $crate::Pairs {
            f32: |a, b, out| $crate::pairs_line(a, b, out, $f32),
            f64: |a, b, out| $crate::pairs_line(a, b, out, $f64),
        }
    };
}

/// Calls a function that is compiled twice, for all processors of its kind and for those with vectors of 256 bits, which take half as
/// long. Results do not depend on it: the instructions are other ones and the arithmetic is the same, since a multiplication and an
/// addition are only fused where a program says so.
macro_rules! wide {
    (fn $name:ident<$($T:ident: $bound:path),*>($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block) => {{
        #[inline(always)]
        fn $name<$($T: $bound),*>($($argument: $type),*) $(-> $result)? $body
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            #[target_feature(enable = "avx2")]
            fn vectorised<$($T: $bound),*>($($argument: $type),*) $(-> $result)? {
                $name::<$($T),*>($($argument),*)
            }
            // SAFETY: the processor has the feature.
            return unsafe { vectorised::<$($T),*>($($argument),*) };
        }
        $name::<$($T),*>($($argument),*)
    }};
}
pub(crate) use wide;

/// The loop of [`each!`](crate::each).
#[inline(always)]
pub fn each_line<T: Element>(x: &[T], out: &mut [MaybeUninit<T>], f: impl Fn(T) -> T) {
    wide!(
        fn each<T: Element>(x: &[T], out: &mut [MaybeUninit<T>], f: impl Fn(T) -> T) {
            fill(out, x.iter().map(|&x| f(x)));
        }
    )
}

/// The loop of [`pairs!`](crate::pairs).
#[inline(always)]
pub fn pairs_line<T: Element>(
    a: Line<'_, T>,
    b: Line<'_, T>,
    out: &mut [MaybeUninit<T>],
    f: impl Fn(T, T) -> T,
) {
    wide!(
        fn pairs<T: Element>(
            a: Line<'_, T>,
            b: Line<'_, T>,
            out: &mut [MaybeUninit<T>],
            f: impl Fn(T, T) -> T,
        ) {
            match (a, b) {
                (Line::Many(a), Line::Many(b)) => fill(out, a.iter().zip(b).map(|(&a, &b)| f(a, b))),
                (Line::Many(a), Line::One(b)) => fill(out, a.iter().map(|&a| f(a, b))),
                (Line::One(a), Line::Many(b)) => fill(out, b.iter().map(|&b| f(a, b))),
                (Line::One(a), Line::One(b)) => out.fill(MaybeUninit::new(f(a, b))),
            }
        }
    )
}

/// Writes every element: there are as many values.
#[inline(always)]
fn fill<T>(out: &mut [MaybeUninit<T>], values: impl ExactSizeIterator<Item = T>) {
    assert_eq!(out.len(), values.len(), "lines of one length");
    for (out, value) in out.iter_mut().zip(values) {
        out.write(value);
    }
}

/// Lines of a type of float, of functions that have them for both.
pub(crate) trait Lines: Element {
    fn each(f: &Each) -> fn(&[Self], &mut [MaybeUninit<Self>]);
    fn pairs(f: &Pairs) -> fn(Line<'_, Self>, Line<'_, Self>, &mut [MaybeUninit<Self>]);
}

impl Lines for f32 {
    fn each(f: &Each) -> fn(&[f32], &mut [MaybeUninit<f32>]) {
        f.f32
    }

    fn pairs(f: &Pairs) -> fn(Line<'_, f32>, Line<'_, f32>, &mut [MaybeUninit<f32>]) {
        f.f32
    }
}

impl Lines for f64 {
    fn each(f: &Each) -> fn(&[f64], &mut [MaybeUninit<f64>]) {
        f.f64
    }

    fn pairs(f: &Pairs) -> fn(Line<'_, f64>, Line<'_, f64>, &mut [MaybeUninit<f64>]) {
        f.f64
    }
}
