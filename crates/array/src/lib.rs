//! Dense n-d arrays of f32, f64 and i64: the ground floor of Pullback.
//!
//! An [`Array`] is immutable, typed at run time and shares its memory: permuting, broadcasting, slicing with a
//! positive step and reading diagonals make views. Everything that computes returns a new array or an [`Error`]
//! that carries the operation and the shapes; nothing here panics on bad input.
//!
//! ```
//! use pullback_array::{Array, DType, random::Generator};
//!
//! // The first draw of torch.manual_seed(0), to the last bit.
//! let mut generator = Generator::new(0);
//! let w = generator.randn(&[2, 3], DType::F32)?;
//! let x = generator.randn(&[3], DType::F32)?;
//! let a = w.matmul(&x)?;
//! assert_eq!(w.to_string(), "tensor([[ 1.5410, -0.2934, -2.1788],\n        [ 0.5684, -1.0845, -1.3986]])");
//!
//! // The same product by labels: a_i = Σ_j W_ij x_j.
//! let [i, j] = [0, 1];
//! let by_labels = Array::contract(1.0, &[(&w, &[i, j]), (&x, &[j])], &[i], &[(i, 2), (j, 3)])?;
//! assert_eq!(by_labels.to_vec_f64(), a.to_vec_f64());
//!
//! // ∂a_i/∂W_pq = δ_ip x_q: the label i stands twice, q is broadcast along i.
//! let [q] = [2];
//! let jacobian = Array::contract(1.0, &[(&x, &[q])], &[i, i, q], &[(i, 2), (q, 3)])?;
//! assert_eq!(jacobian.shape(), [2, 2, 3]);
//!
//! let error = w.matmul(&w).unwrap_err();
//! assert_eq!(error.message(), "matmul: cannot multiply [2, 3] by [2, 3]: 3 ≠ 2");
//! # Ok::<(), pullback_array::Error>(())
//! ```
//!
//! # What is where
//!
//! | to do this | look here |
//! |---|---|
//! | make, read and cast arrays | [`Array`] |
//! | permute, reshape, broadcast, slice, join | [`Array::permute`] and its neighbours |
//! | functions of one element, or two | [`Array::map`], [`Array::zip`]; [`Each`], [`Pairs`] |
//! | chains of them in one pass | [`tiles`] |
//! | sums and maxima over axes | [`Array::sum`], [`Array::max`] |
//! | multiply and sum by labels | [`Array::contract`], [`Array::matmul`] |
//! | read and add to rows by index | [`Array::gather`], [`Array::scatter_add`] |
//! | random numbers equal to PyTorch's | [`random`] |
//! | files of NumPy, and of safetensors | [`mod@file`] |
//! | bound memory | [`memory`] |
//! | end what is under way | [`interrupt`] |
//!
//! # What is not here
//!
//! Gradients: this floor knows nothing of them. Complex numbers, arithmetic in half precision and devices: nothing
//! above needs them yet. An owned `ndarray`: views of one are lent ([`Array::view`]), and all memory is allocated in one place
//! that counts it.

mod array;
mod buffer;
mod contract;
mod dtype;
mod elementwise;
mod error;
pub mod file;
mod gemm;
mod index;
pub mod interrupt;
mod linalg;
mod lines;
mod matmul;
pub mod memory;
mod pool;
mod precision;
mod print;
pub mod random;
mod reduce;
mod shape;
mod structure;
mod svd;
pub mod tiles;

pub use array::Array;
pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use lines::{Each, Line, Pairs, each_line, pairs_line};
pub use precision::Precision;
pub use shape::MOST_AXES;
pub use structure::SliceAxis;
