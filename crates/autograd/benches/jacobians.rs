//! What the Jacobian of a deep program costs beside reverse mode: `cargo bench -p pullback-autograd`.
//!
//! Residual blocks x + tanh(x A) B on [60, 60], as deep as the table says. Printed are the terms after the descent, the
//! multiply–adds of a vector–Jacobian product as a share of those of reverse mode, and three times as shares of the time
//! that reverse mode takes (building its graph and evaluating it): finding the Jacobian, pulling a cotangent back with all
//! that this builds, and pulling back another one.

use std::time::Instant;

use pullback_array::DType;
use pullback_array::random::Generator;
use pullback_autograd::{jacobian, pullback};
use pullback_ops::{Result, Val};

fn randn(seed: u64, shape: &[usize]) -> Result<Val> {
    Ok(Val::new(Generator::new(seed).randn(shape, DType::F64)?))
}

fn residual(x: &Val, depth: u64) -> Result<Val> {
    let d = x.shape()[1];
    let mut y = x.clone();
    for k in 0..depth {
        let scale = 0.3 / (d as f64).sqrt();
        let a = (scale * &randn(2 * k + 10, &[d, 2 * d])?)?;
        let b = (scale * &randn(2 * k + 11, &[2 * d, d])?)?;
        y = (&y + &y.matmul(&a)?.tanh()?.matmul(&b)?)?;
    }
    y.array()?;
    Ok(y)
}

/// The least of five times, in seconds.
fn least(mut run: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        run()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

#[allow(clippy::print_stdout)] // A benchmark's face is its table.
fn main() -> Result<()> {
    println!("blocks  terms  multiply–adds  reverse mode        find   first vjp   next vjp");
    for depth in [2, 8, 50] {
        let x = randn(1, &[60, 60])?;
        let y = residual(&x, depth)?;
        let cotangents = [randn(2, &[60, 60])?, randn(3, &[60, 60])?];
        let reverse = least(|| {
            let gradient = pullback(&[(&y, &cotangents[0])], &[&x], &[])?.remove(0);
            gradient.map_or(Ok(()), |gradient| gradient.array().map(|_| ()))
        })?;
        let find = least(|| jacobian(&y, &x, &[])?.descended().map(|_| ()))?;
        let vjp = |jacobian: &pullback_autograd::Jacobian, cotangent: &Val| {
            jacobian.vjp(cotangent)?.map_or(Ok(()), |gradient| gradient.array().map(|_| ()))
        };
        let first = least(|| vjp(&jacobian(&y, &x, &[])?, &cotangents[0]))?;
        let known = jacobian(&y, &x, &[])?;
        vjp(&known, &cotangents[0])?;
        let next = least(|| vjp(&known, &cotangents[1]))?;
        let cost = known.cost()?;
        println!(
            "{depth:6}  {:5}  {:12.2}×  {:9.2} ms  {:9.2}×  {:9.2}×  {:8.2}×",
            cost.terms,
            cost.vjp_flops / known.reverse_mode_flops(),
            reverse * 1e3,
            find / reverse,
            first / reverse,
            next / reverse,
        );
    }
    Ok(())
}
