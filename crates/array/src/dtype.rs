//! Element types: the run-time [`DType`] and the compile-time [`Element`].

use crate::buffer::{Buffer, Data};
use std::fmt;
use std::sync::Arc;

/// The type of an array's elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum DType {
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
    /// 64-bit integers: indices and labels. Arithmetic on them wraps, as it does in NumPy.
    I64,
}

impl DType {
    /// Bytes per element.
    pub const fn size_of(self) -> usize {
        match self {
            DType::F32 => 4,
            DType::F64 | DType::I64 => 8,
        }
    }

    /// Whether gradients can flow through values of this type.
    pub const fn is_float(self) -> bool {
        !matches!(self, DType::I64)
    }

    /// The distance from 1 to the next larger value; 0 for integers, which are exact.
    pub const fn epsilon(self) -> f64 {
        match self {
            DType::F32 => f32::EPSILON as f64,
            DType::F64 => f64::EPSILON,
            DType::I64 => 0.0,
        }
    }

    /// The type of a result of operands of these two types: equal types stay, a float and i64 give that float,
    /// f32 and f64 give f64.
    pub const fn promote(self, other: DType) -> DType {
        match (self, other) {
            (DType::F64, _) | (_, DType::F64) => DType::F64,
            (DType::F32, _) | (_, DType::F32) => DType::F32,
            (DType::I64, DType::I64) => DType::I64,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::I64 => "i64",
        })
    }
}

/// A Rust type that arrays can hold: `f32`, `f64` or `i64`, and no other.
pub trait Element:
    Copy + Send + Sync + PartialOrd + Default + fmt::Debug + fmt::Display + 'static + sealed::Arithmetic
{
    /// The run-time name of this type.
    const DTYPE: DType;
}

pub(crate) mod sealed {
    use super::*;

    /// What the kernels of this crate need of an element, in one place so that integers wrap and never panic.
    pub trait Arithmetic: Sized + Copy {
        const ZERO: Self;
        const ONE: Self;
        /// Not above any value: where a maximum starts.
        const LOWEST: Self;
        /// Sums are held in this type: f64 for f32, so that a long sum keeps all of its digits.
        type Sum: Element;

        fn plus(self, other: Self) -> Self;
        fn times(self, other: Self) -> Self;
        fn widen(self) -> Self::Sum;
        /// Rounds to nearest; integers truncate and saturate.
        fn from_f64(value: f64) -> Self;
        fn to_f64(self) -> f64;
        fn is_nan(self) -> bool;
        fn is_finite(self) -> bool;

        fn wrap(buffer: Arc<Buffer<Self>>) -> Data
        where
            Self: Element;
        fn unwrap(data: &Data) -> Option<&Buffer<Self>>
        where
            Self: Element;
        /// The elements, to be changed, where nobody else has them.
        fn unwrap_own(data: &mut Data) -> Option<&mut Buffer<Self>>
        where
            Self: Element;
        /// The matrix product of [`crate::gemm`] for this type.
        ///
        /// # Safety
        /// As for [`crate::gemm::gemm`].
        unsafe fn gemm(product: crate::gemm::Product<Self>)
        where
            Self: Element;
    }
}

macro_rules! float {
    ($type:ty, $variant:ident, $kernel:path) => {
        impl Element for $type {
            const DTYPE: DType = DType::$variant;
        }
        impl sealed::Arithmetic for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = <$type>::NEG_INFINITY;
            type Sum = f64;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn widen(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            fn wrap(buffer: Arc<Buffer<Self>>) -> Data {
                Data::$variant(buffer)
            }
            fn unwrap(data: &Data) -> Option<&Buffer<Self>> {
                if let Data::$variant(buffer) = data { Some(buffer) } else { None }
            }
            fn unwrap_own(data: &mut Data) -> Option<&mut Buffer<Self>> {
                if let Data::$variant(buffer) = data { Arc::get_mut(buffer) } else { None }
            }
            unsafe fn gemm(product: crate::gemm::Product<Self>) {
                // SAFETY: the caller keeps the promises of `gemm`.
                unsafe { crate::gemm::blocked($kernel(), product) }
            }
        }
    };
}

float!(f32, F32, gemm_f32::gemm::f32::get_gemm_fn);
float!(f64, F64, gemm_f64::gemm::f64::get_gemm_fn);

impl Element for i64 {
    const DTYPE: DType = DType::I64;
}

impl sealed::Arithmetic for i64 {
    const ZERO: Self = 0;
    const ONE: Self = 1;
    const LOWEST: Self = i64::MIN;
    type Sum = i64;
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn widen(self) -> i64 {
        self
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as i64
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        true
    }
    fn wrap(buffer: Arc<Buffer<Self>>) -> Data {
        Data::I64(buffer)
    }
    fn unwrap(data: &Data) -> Option<&Buffer<Self>> {
        if let Data::I64(buffer) = data { Some(buffer) } else { None }
    }
    fn unwrap_own(data: &mut Data) -> Option<&mut Buffer<Self>> {
        if let Data::I64(buffer) = data { Arc::get_mut(buffer) } else { None }
    }
    unsafe fn gemm(product: crate::gemm::Product<Self>) {
        // SAFETY: the caller keeps the promises of `gemm`.
        unsafe { crate::gemm::naive(product) }
    }
}

/// Runs a body with `$T` bound to the Rust type of a [`DType`].
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::DType::I64 => {
                type $T = i64;
                $body
            }
        }
    };
}
pub(crate) use with_type;
