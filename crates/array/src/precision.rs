//! How precise numbers are that come from elsewhere.
//!
//! Arrays hold f32 and f64, and what other code computed in f16 or bf16 is read into f32 without a loss. How far rounding may
//! have moved it is told by the format in which it was computed.

use std::fmt;

use crate::DType;

/// The number format in which numbers were computed.
///
/// ```
/// use pullback_array::Precision;
/// assert_eq!(Precision::F16.epsilon(), 1.0 / 1024.0);
/// assert_eq!(Precision::BF16.to_string(), "bf16");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Precision {
    /// 64-bit floating point.
    F64,
    /// 32-bit floating point.
    F32,
    /// f32 whose products are taken of operands that were rounded to 11 significant bits, and added up in f32.
    TF32,
    /// 16-bit floating point of IEEE 754: 11 significant bits.
    F16,
    /// The upper half of an f32: 8 significant bits.
    BF16,
    /// Integers and booleans, which are exact.
    Whole,
}

impl Precision {
    /// That of an array's numbers.
    pub const fn of(dtype: DType) -> Precision {
        match dtype {
            DType::F64 => Precision::F64,
            DType::F32 => Precision::F32,
            DType::I64 => Precision::Whole,
        }
    }

    /// Has it so few digits that other code computes in more and rounds what it stores?
    pub const fn is_of_16_bits(self) -> bool {
        matches!(self, Precision::F16 | Precision::BF16)
    }

    /// The distance from 1 to the next larger number, of the coarsest numbers that take part; 0 for integers.
    pub const fn epsilon(self) -> f64 {
        match self {
            Precision::F64 => f64::EPSILON,
            Precision::F32 => f32::EPSILON as f64,
            Precision::F16 | Precision::TF32 => 1.0 / (1u64 << 10) as f64,
            Precision::BF16 => 1.0 / (1u64 << 7) as f64,
            Precision::Whole => 0.0,
        }
    }

    /// The format in which sums and products run: numbers of 16 bits are added up in 32, by PyTorch, cuBLAS and every tensor
    /// core, and rounded when they are stored.
    ///
    /// ```
    /// use pullback_array::Precision;
    /// assert_eq!(Precision::BF16.accumulator(), Precision::F32);
    /// assert_eq!(Precision::F64.accumulator(), Precision::F64);
    /// ```
    pub const fn accumulator(self) -> Precision {
        match self {
            Precision::F16 | Precision::BF16 | Precision::TF32 => Precision::F32,
            Precision::F64 | Precision::F32 | Precision::Whole => self,
        }
    }

    /// What underflows: a result below this in size may have become zero. It is the smallest normal number, since much
    /// hardware sets what is smaller to zero; of f16 it is the smallest of all, since with so few exponents none does.
    pub const fn underflow(self) -> f64 {
        match self {
            Precision::F64 => f64::MIN_POSITIVE,
            Precision::F32 | Precision::TF32 | Precision::BF16 => f32::MIN_POSITIVE as f64,
            Precision::F16 => 1.0 / (1u64 << 24) as f64,
            Precision::Whole => 0.0,
        }
    }

    /// The largest number.
    pub const fn largest(self) -> f64 {
        match self {
            Precision::F64 => f64::MAX,
            Precision::F32 | Precision::TF32 | Precision::BF16 => f32::MAX as f64,
            // All digits are ones, before the last exponent, 15.
            Precision::F16 => (2.0 - self.epsilon()) * (1u32 << 15) as f64,
            Precision::Whole => i64::MAX as f64,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::F64 => "f64",
            Precision::F32 => "f32",
            Precision::TF32 => "tf32",
            Precision::F16 => "f16",
            Precision::BF16 => "bf16",
            Precision::Whole => "integers",
        })
    }
}
