//! Normals in blocks of 16, as PyTorch fills arrays of 16 elements and more.
//!
//! A block of 16 uniforms becomes 16 normals: element j gives the radius and element j + 8 the angle of a point in
//! the plane, whose coordinates take the two places (Box and Muller's method, 1958). If the size is no multiple of
//! 16, the last 16 elements are drawn anew and transformed as a block of their own.

use super::mt19937::Mt19937;

/// The number of elements that are transformed together.
pub const BLOCK: usize = 16;

/// Turns at least [`BLOCK`] uniforms into normals.
pub fn fill_f32(values: &mut [f32], mean: f32, std: f32, engine: &mut Mt19937) {
    fill(
        values,
        || engine.unit_f32() as f32,
        |block| {
            for j in 0..BLOCK / 2 {
                let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
                let theta = (std::f64::consts::TAU * f64::from(block[j + 8])) as f32;
                block[j] = radius * theta.cos() * std + mean;
                block[j + 8] = radius * theta.sin() * std + mean;
            }
        },
    );
}

/// Turns at least [`BLOCK`] uniforms into normals.
pub fn fill_f64(values: &mut [f64], mean: f64, std: f64, engine: &mut Mt19937) {
    fill(
        values,
        || engine.unit_f64(),
        |block| {
            for j in 0..BLOCK / 2 {
                let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
                let theta = std::f64::consts::TAU * block[j + 8];
                block[j] = radius * theta.cos() * std + mean;
                block[j + 8] = radius * theta.sin() * std + mean;
            }
        },
    );
}

fn fill<T>(values: &mut [T], mut uniform: impl FnMut() -> T, transform: impl Fn(&mut [T])) {
    values.chunks_exact_mut(BLOCK).for_each(&transform);
    if values.len() % BLOCK != 0 {
        let start = values.len() - BLOCK;
        let last = &mut values[start..];
        last.iter_mut().for_each(|value| *value = uniform());
        transform(last);
    }
}
