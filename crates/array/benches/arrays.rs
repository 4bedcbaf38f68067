//! How long the kernels take: `cargo bench -p pullback-array`.
//!
//! Each line is the best of several runs, with the rate it comes to: multiplications and additions per second for
//! products, bytes read and written per second for the others. The small products justify the plain loop in
//! `gemm.rs`: they should cost tens of nanoseconds, not hundreds.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use pullback_array::{Array, DType, Result, random::Generator};
use std::hint::black_box;
use std::time::Instant;

fn main() -> Result<()> {
    let mut generator = Generator::new(0);
    for dtype in [DType::F32, DType::F64] {
        println!("{dtype}");
        for n in [2, 4, 8, 16, 64, 512] {
            let a = generator.randn(&[n, n], dtype)?;
            let b = generator.randn(&[n, n], dtype)?;
            time(&format!("matmul {n}"), "Gflop/s", 2 * n * n * n, || a.matmul(&b))?;
        }
        let square = generator.randn(&[1024, 1024], dtype)?;
        let other = generator.randn(&[1024, 1024], dtype)?;
        let vector = generator.randn(&[1024], dtype)?;
        let transposed = square.permute(&[1, 0])?;
        let bytes = square.nbytes();
        time("matrix times vector", "Gflop/s", 2 << 20, || square.matmul(&vector))?;
        time("vector times matrix", "Gflop/s", 2 << 20, || vector.matmul(&square))?;
        let rows = [(0, 1024), (1, 1024)];
        time("dot of each row", "Gflop/s", 2 << 20, || {
            Array::contract(1.0, &[(&square, &[0, 1]), (&other, &[0, 1])], &[0], &rows)
        })?;
        time("outer", "GB/s", bytes, || {
            Array::contract(1.0, &[(&vector, &[0]), (&vector, &[1])], &[0, 1], &rows)
        })?;
        time("add", "GB/s", 3 * bytes, || square.zip(&other, "add", |a, b| a + b, |a, b| a + b))?;
        time("add a row", "GB/s", 2 * bytes, || square.zip(&vector, "add", |a, b| a + b, |a, b| a + b))?;
        time("add a transpose", "GB/s", 3 * bytes, || {
            square.zip(&transposed, "add", |a, b| a + b, |a, b| a + b)
        })?;
        time("negate", "GB/s", 2 * bytes, || square.map(|v| -v, |v| -v))?;
        time("exp", "GB/s", 2 * bytes, || square.map(f32::exp, f64::exp))?;
        time("sum of rows", "GB/s", bytes, || square.sum(&[1], false))?;
        time("sum of columns", "GB/s", bytes, || square.sum(&[0], false))?;
        time("max of rows", "GB/s", bytes, || square.max(&[1], false))?;
        time("max of columns", "GB/s", bytes, || square.max(&[0], false))?;
        time("copy a transpose", "GB/s", 2 * bytes, || transposed.reshape(&[1 << 20]))?;
        time("randn", "GB/s", bytes, || generator.randn(&[1024, 1024], dtype))?;
        let matrix = generator.randn(&[128, 128], dtype)?;
        time("inverse 128", "Gflop/s", 2 * 128 * 128 * 128, || matrix.inverse())?;
    }
    Ok(())
}

/// Prints the best time of a call and the rate at which it does `work`.
fn time(name: &str, unit: &str, work: usize, mut call: impl FnMut() -> Result<Array>) -> Result<()> {
    let mut best = f64::INFINITY;
    let start = Instant::now();
    let mut runs = 0;
    while runs < 3 || start.elapsed().as_millis() < 200 {
        let before = Instant::now();
        // Several calls at a time, so that the clock's own cost does not show in the shortest.
        for _ in 0..4 {
            black_box(call()?);
        }
        best = best.min(before.elapsed().as_secs_f64() / 4.0);
        runs += 1;
    }
    println!("  {name:<22}{:>12.2} µs{:>10.2} {unit}", best * 1e6, work as f64 / best / 1e9);
    Ok(())
}
