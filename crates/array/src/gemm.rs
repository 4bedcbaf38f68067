//! The one seam to matrix multiplication: raw pointers and strides in, a product written out.
//!
//! Floats go to the kernels of the `gemm` crates, single-threaded for now (those of f32 and f64 alone: the crate that joins them builds
//! those of complex numbers too, for longer than these two); integers, and products too small to be worth its
//! packing, to a plain loop. Whoever wants another kernel, or threads, changes this file and no other.

use crate::Element;

/// `out[i, j] = scale · Σ_k left[i, k] · right[k, j]`, with strides in elements.
#[derive(Clone, Copy)]
pub struct Product<T> {
    /// Rows, columns and the contracted size.
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub scale: T,
    pub left: *const T,
    /// Along i and k.
    pub left_strides: [isize; 2],
    pub right: *const T,
    /// Along k and j.
    pub right_strides: [isize; 2],
    /// Need not be initialised.
    pub out: *mut T,
    /// Along i and j.
    pub out_strides: [isize; 2],
}

/// Below this many multiplications a plain loop is faster than the packing of a blocked kernel.
const SMALL: usize = 128;

/// Computes a product.
///
/// # Safety
/// Every index must reach readable memory in `left` and `right` and writable memory in `out`; `out` overlaps
/// neither, and no two of its indices fall together.
pub unsafe fn gemm<T: Element>(product: Product<T>) {
    let Product { m, n, k, .. } = product;
    if m == 1 && n == 1 && product.left_strides[1] == 1 && product.right_strides[0] == 1 {
        // SAFETY: the caller's promise: with strides of 1 both operands are slices.
        unsafe { dot(product) }
    } else if m.saturating_mul(n).saturating_mul(k) <= SMALL {
        // SAFETY: the caller's promise.
        unsafe { naive(product) }
    } else {
        // SAFETY: the caller's promise.
        unsafe { T::gemm(product) }
    }
}

/// Arguments and order of a blocked kernel: `dst = alpha · dst + beta · lhs · rhs`, columns before rows in each pair of strides.
pub(crate) type Kernel<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    gemm_common::Parallelism,
);

/// The product by a kernel of the `gemm` crates, chosen for this processor.
///
/// # Safety
/// As for [`gemm`]; `out` has no negative stride.
pub(crate) unsafe fn blocked<T: Element>(kernel: Kernel<T>, product: Product<T>) {
    // Kernels write columns; a matrix that is written by rows is the transposed one.
    let by_columns = product.out_strides[1].abs() >= product.out_strides[0].abs();
    let mut product = if by_columns { product } else { product.transposed() };
    if product.left_strides[1] < 0 && product.k > 0 {
        product = product.backwards();
    }
    let Product { m, n, k, scale, left, left_strides, right, right_strides, out, out_strides } = product;
    // SAFETY: the caller's promise. The destination is not read, and so may be uninitialised.
    unsafe {
        kernel(
            m,
            n,
            k,
            out,
            out_strides[1],
            out_strides[0],
            false,
            left,
            left_strides[1],
            left_strides[0],
            right,
            right_strides[1],
            right_strides[0],
            T::ZERO,
            scale,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

impl<T> Product<T> {
    /// The transposed one: `outᵀ = rightᵀ · leftᵀ`.
    fn transposed(self) -> Product<T> {
        let turned = |[a, b]: [isize; 2]| [b, a];
        Product {
            m: self.n,
            n: self.m,
            left: self.right,
            left_strides: turned(self.right_strides),
            right: self.left,
            right_strides: turned(self.left_strides),
            out_strides: turned(self.out_strides),
            ..self
        }
    }

    /// The same sum from its last product to its first.
    fn backwards(self) -> Product<T> {
        let last = (self.k - 1) as isize;
        let ([row, along], [down, column]) = (self.left_strides, self.right_strides);
        Product {
            left: self.left.wrapping_offset(last * along),
            left_strides: [row, -along],
            right: self.right.wrapping_offset(last * down),
            right_strides: [-down, column],
            ..self
        }
    }
}

/// The product by three loops.
///
/// # Safety
/// As for [`gemm`].
pub unsafe fn naive<T: Element>(product: Product<T>) {
    let Product { m, n, k, scale, left, left_strides, right, right_strides, out, out_strides } = product;
    for i in 0..m as isize {
        for j in 0..n as isize {
            let mut sum = T::ZERO;
            for k in 0..k as isize {
                // SAFETY: the caller's promise.
                let (l, r) = unsafe {
                    (
                        *left.offset(i * left_strides[0] + k * left_strides[1]),
                        *right.offset(k * right_strides[0] + j * right_strides[1]),
                    )
                };
                sum = sum.plus(l.times(r));
            }
            // SAFETY: the caller's promise.
            unsafe { out.offset(i * out_strides[0] + j * out_strides[1]).write(sum.times(scale)) };
        }
    }
}

/// One row by one column, both contiguous, in eight running sums.
///
/// # Safety
/// As for [`gemm`].
unsafe fn dot<T: Element>(product: Product<T>) {
    const LANES: usize = 8;
    // SAFETY: the caller's promise.
    let (left, right) = unsafe {
        (
            std::slice::from_raw_parts(product.left, product.k),
            std::slice::from_raw_parts(product.right, product.k),
        )
    };
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut lanes = [T::ZERO; LANES];
    for (left, right) in left.iter().zip(right) {
        for i in 0..LANES {
            lanes[i] = lanes[i].plus(left[i].times(right[i]));
        }
    }
    let rest = left_rest.iter().zip(right_rest).fold(T::ZERO, |sum, (&l, &r)| sum.plus(l.times(r)));
    let sum = lanes.into_iter().fold(rest, T::plus);
    // SAFETY: the caller's promise.
    unsafe { product.out.write(sum.times(product.scale)) };
}
