//! Dense n-d arrays: the ground floor of Pullback.
mod array;
mod buffer;
mod contract;
mod dtype;
mod elementwise;
mod error;
mod gemm;
mod index;
mod matmul;
pub mod memory;
mod print;
mod reduce;
mod shape;
mod structure;

pub use array::Array;
pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use structure::SliceAxis;
mod linalg;
pub mod random;
