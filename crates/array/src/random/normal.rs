//! Normals in blocks of 16, as PyTorch fills arrays of 16 elements and more.
//!
//! A block of 16 uniforms becomes 16 normals: element j gives the radius and element j + 8 the angle of a point in
//! the plane, whose coordinates take the two places (Box and Muller's method, 1958). If the size is no multiple of
//! 16, the last 16 elements are drawn anew and transformed as a block of their own.
//!
//! In f32 PyTorch's vectorised kernel (AVX2 and AVX-512) uses its own logarithm, sine and cosine, which differ
//! from the C library's in the last bit and, near the zeros of sine and cosine, by more. They are S. Moshier's
//! Cephes approximations, here with each multiplication and addition fused where that kernel fuses them, so that
//! the results are equal bit by bit. In f64 PyTorch calls the C library, and so does this file.

use super::mt19937::Mt19937;
use std::f64::consts::TAU;

/// The number of elements that are transformed together.
pub const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;

/// Turns at least [`BLOCK`] uniforms into normals.
pub fn fill_f32(values: &mut [f32], mean: f32, std: f32, engine: &mut Mt19937) {
    fill(values, || engine.unit_f32() as f32, |block| transform_f32(block, mean, std));
}

/// Turns at least [`BLOCK`] uniforms into normals.
pub fn fill_f64(values: &mut [f64], mean: f64, std: f64, engine: &mut Mt19937) {
    fill(
        values,
        || engine.unit_f64(),
        |block| {
            for j in 0..HALF {
                let radius = (-2.0 * (1.0 - block[j]).ln()).sqrt();
                let theta = TAU * block[j + HALF];
                block[j] = (radius * theta.cos()).mul_add(std, mean);
                block[j + HALF] = (radius * theta.sin()).mul_add(std, mean);
            }
        },
    );
}

fn fill<T>(values: &mut [T], mut uniform: impl FnMut() -> T, transform: impl Fn(&mut [T])) {
    values.chunks_exact_mut(BLOCK).for_each(&transform);
    if !values.len().is_multiple_of(BLOCK) {
        let start = values.len() - BLOCK;
        let last = &mut values[start..];
        last.iter_mut().for_each(|value| *value = uniform());
        transform(last);
    }
}

/// Chooses the instructions: without hardware for it, a fused multiplication and addition is a slow call.
fn transform_f32(block: &mut [f32], mean: f32, std: f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[target_feature(enable = "avx2,fma")]
        fn vectorised(block: &mut [f32], mean: f32, std: f32) {
            box_muller(block, mean, std);
        }
        // SAFETY: the processor has both features.
        return unsafe { vectorised(block, mean, std) };
    }
    box_muller(block, mean, std);
}

#[inline(always)]
fn box_muller(block: &mut [f32], mean: f32, std: f32) {
    let (first, second) = block.split_at_mut(HALF);
    for (first, second) in first.iter_mut().zip(second) {
        let radius = (-2.0 * logarithm(1.0 - *first)).sqrt();
        let (sine, cosine) = sine_and_cosine(TAU as f32 * *second);
        *first = (radius * cosine).mul_add(std, mean);
        *second = (radius * sine).mul_add(std, mean);
    }
}

/// ln x for normal, positive x: x = m · 2ᵉ with m in [√½, √2), and a polynomial in m − 1.
#[inline(always)]
fn logarithm(x: f32) -> f32 {
    const COEFFICIENTS: [f32; 9] = [
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_7e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 126;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0.5f32.to_bits());
    let below = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let e = (exponent - i32::from(below)) as f32;
    let t = mantissa - 1.0 + if below { mantissa } else { 0.0 };
    let square = t * t;
    let series = COEFFICIENTS[1..].iter().fold(COEFFICIENTS[0], |sum, &c| sum.mul_add(t, c));
    // ln 2 in two parts: the first so short that its product with e is exact.
    let tail = (series * t).mul_add(square, e * -2.121_944_4e-4);
    let tail = square.mul_add(-0.5, tail);
    e.mul_add(355.0 / 512.0, t + tail)
}

/// sin x and cos x for x in [0, 2π]: x less a multiple of π/2, and one polynomial for each.
#[inline(always)]
fn sine_and_cosine(x: f32) -> (f32, f32) {
    const FOUR_OVER_PI: f32 = 1.273_239_5;
    // π/4 in three parts, the first two so short that their products with an octant are exact.
    const QUARTER: [f32; 3] = [0.785_156_25, 2.418_756_5e-4, 3.774_895e-8];
    let octant = ((x * FOUR_OVER_PI) as i32 + 1) & !1;
    let x = QUARTER.iter().fold(x, |x, &part| (octant as f32).mul_add(-part, x));
    let square = x * x;
    let cosine = 2.443_315_7e-5f32.mul_add(square, -1.388_731_6e-3).mul_add(square, 4.166_664_6e-2) * square;
    let cosine = cosine.mul_add(square, -(square * 0.5)) + 1.0;
    let sine = (-1.951_529_6e-4f32).mul_add(square, 8.332_161e-3).mul_add(square, -1.666_665_5e-1) * square;
    let sine = sine.mul_add(x, x);
    let (sine, cosine) = if octant & 2 == 0 { (sine, cosine) } else { (cosine, sine) };
    let sign = |value: f32, negative: bool| if negative { -value } else { value };
    (sign(sine, octant & 4 != 0), sign(cosine, (octant + 2) & 4 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the processor's fused instructions give is what the portable ones give.
    #[test]
    fn instructions_do_not_change_results() {
        let mut engine = Mt19937::new(1);
        for _ in 0..1000 {
            let mut chosen = [0.0; BLOCK].map(|_: f32| engine.unit_f32() as f32);
            let mut portable = chosen;
            transform_f32(&mut chosen, 0.5, 2.0);
            box_muller(&mut portable, 0.5, 2.0);
            assert_eq!(chosen.map(f32::to_bits), portable.map(f32::to_bits));
        }
    }
}
