//! Dense n-d arrays: the ground floor of Pullback.
mod array;
mod buffer;
mod contract;
mod dtype;
mod elementwise;
mod error;
pub mod file;
mod gemm;
mod index;
mod linalg;
mod matmul;
pub mod memory;
mod print;
pub mod random;
mod reduce;
mod shape;
mod structure;

pub use array::Array;
pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use structure::SliceAxis;
