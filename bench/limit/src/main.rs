//! `limit products|bandwidth SAMPLES THREADS`: what this machine can do at the linear layer's sizes, on memory that is
//! there already: its three matrix products by the `gemm` crate with all vector instructions, or a copy of 64 MiB.

use gemm::Parallelism;

include!("../../samples.rs");

const N: usize = 64;
const D: usize = 4096;
const M: usize = 4096;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, samples, threads] = arguments.as_slice() else { panic!("limit CASE SAMPLES THREADS") };
    let (samples, threads): (usize, usize) =
        (samples.parse().expect("a number"), threads.parse().expect("a number"));
    let ones = |length: usize| vec![1.0f32; length];
    match case.as_str() {
        "products" => {
            let (x, w, dz) = (ones(N * D), ones(D * M), ones(N * M));
            let (mut z, mut dx, mut dw) = (ones(N * M), ones(N * D), ones(D * M));
            print_samples(samples, 1, || {
                product(threads, [N, D, M], (&x, [D, 1]), (&w, [M, 1]), &mut z);
                product(threads, [N, M, D], (&dz, [M, 1]), (&w, [1, M]), &mut dx);
                product(threads, [D, N, M], (&x, [1, D]), (&dz, [M, 1]), &mut dw);
            });
        }
        "bandwidth" => {
            let (from, mut to) = (ones(D * M), ones(D * M));
            let part = (D * M).div_ceil(threads);
            print_samples(samples, 1, || {
                std::thread::scope(|scope| {
                    for (to, from) in to.chunks_mut(part).zip(from.chunks(part)) {
                        scope.spawn(|| to.copy_from_slice(from));
                    }
                });
                std::hint::black_box(&to);
            });
        }
        _ => panic!("no case {case}"),
    }
}

/// `out[i, j] = Σ_k left[i, k] right[k, j]`, with the strides of both axes of each operand; `out` is row-major.
fn product(
    threads: usize,
    [m, k, n]: [usize; 3],
    (left, left_strides): (&[f32], [usize; 2]),
    (right, right_strides): (&[f32], [usize; 2]),
    out: &mut [f32],
) {
    assert!(left.len() == m * k && right.len() == k * n && out.len() == m * n);
    let parallelism = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    let [[lr, lc], [rr, rc]] = [left_strides, right_strides].map(|strides| strides.map(|s| s as isize));
    // SAFETY: the strides are those of row-major matrices, or of their transposes, of the lengths asserted.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.as_ptr(),
            lc,
            lr,
            right.as_ptr(),
            rc,
            rr,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}
