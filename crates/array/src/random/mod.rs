//! Random numbers that equal PyTorch's on the CPU, bit by bit.
//!
//! [`Generator`] is `torch.manual_seed` and the streams behind it. Below 16 elements PyTorch draws one normal after
//! the other and keeps the second of each pair for the next call; from 16 on it transforms whole blocks. Both are
//! followed here, in f32 and in f64. (PyTorch itself has two values for f32 blocks: these are the ones of its
//! vectorised kernels, for x86-64 processors with AVX2 or AVX-512.)
//!
//! ```
//! use pullback_array::{DType, random::Generator};
//! let mut generator = Generator::new(0);
//! let w = generator.randn(&[2, 3], DType::F32)?;
//! assert_eq!(w.to_string(), "tensor([[ 1.5410, -0.2934, -2.1788],\n        [ 0.5684, -1.0845, -1.3986]])");
//! # Ok::<(), pullback_array::Error>(())
//! ```

mod mt19937;
mod normal;

use crate::buffer::Buffer;
use crate::{Array, DType, Element, Error, Result, shape};
use mt19937::Mt19937;

/// PyTorch's CPU generator: a Mersenne twister and the second normal of a pair, kept for the next call.
#[derive(Clone, Debug)]
pub struct Generator {
    engine: Mt19937,
    /// Box and Muller's method makes normals two at a time. PyTorch keeps the second, in f64, from one call to the
    /// next and from one dtype to the other.
    second_normal: Option<f64>,
}

impl Generator {
    /// The generator after `torch.manual_seed(seed)`.
    pub fn new(seed: u64) -> Generator {
        Generator { engine: Mt19937::new(seed), second_normal: None }
    }

    /// Starts anew, as `torch.manual_seed` does; the kept normal goes too.
    pub fn reseed(&mut self, seed: u64) {
        *self = Generator::new(seed);
    }

    /// `torch.rand`: uniform on [0, 1).
    ///
    /// # Errors
    /// Where `dtype` is i64, or memory is refused.
    pub fn rand(&mut self, shape: &[usize], dtype: DType) -> Result<Array> {
        self.uniform(0.0, 1.0, shape, dtype)
    }

    /// `tensor.uniform_(lo, hi)`: uniform on [lo, hi).
    ///
    /// # Errors
    /// Where `dtype` is i64, `lo` is above `hi` or either is not finite, or memory is refused.
    pub fn uniform(&mut self, lo: f64, hi: f64, shape: &[usize], dtype: DType) -> Result<Array> {
        if !(lo <= hi && (hi - lo).is_finite()) {
            return Err(Error::new(format!("uniform: no interval from {lo:?} to {hi:?}")));
        }
        match dtype {
            DType::F32 if !(hi as f32 - lo as f32).is_finite() => {
                Err(Error::new(format!("uniform: f32 has no interval from {lo:?} to {hi:?}")))
            }
            DType::F32 => {
                // PyTorch takes the difference in f32 and scales and shifts in f64.
                let (lo, hi) = (lo as f32, hi as f32);
                let (from, width) = (f64::from(lo), f64::from(hi - lo));
                self.draw("uniform", shape, |generator| {
                    generator.engine.unit_f32().mul_add(width, from) as f32
                })
            }
            DType::F64 => {
                self.draw("uniform", shape, |generator| generator.engine.unit_f64().mul_add(hi - lo, lo))
            }
            DType::I64 => Err(no_integers("uniform")),
        }
    }

    /// `torch.randn`: normal with mean 0 and standard deviation 1.
    ///
    /// # Errors
    /// Where `dtype` is i64, or memory is refused.
    pub fn randn(&mut self, shape: &[usize], dtype: DType) -> Result<Array> {
        self.normal(0.0, 1.0, shape, dtype)
    }

    /// `torch.normal(mean, std, shape)`.
    ///
    /// # Errors
    /// Where `dtype` is i64, `std` is negative or NaN, or memory is refused.
    pub fn normal(&mut self, mean: f64, std: f64, shape: &[usize], dtype: DType) -> Result<Array> {
        if std.is_nan() || std < 0.0 {
            return Err(Error::new(format!("normal: a standard deviation of {std:?}")));
        }
        let filled = shape::len("normal", shape)? >= normal::BLOCK;
        match dtype {
            DType::F32 if filled => {
                let mut buffer = self.buffer("normal", shape, |g| g.engine.unit_f32() as f32)?;
                normal::fill_f32(buffer.as_mut_slice(), mean as f32, std as f32, &mut self.engine);
                Ok(Array::from_buffer(shape, buffer))
            }
            DType::F64 if filled => {
                let mut buffer = self.buffer("normal", shape, |g| g.engine.unit_f64())?;
                normal::fill_f64(buffer.as_mut_slice(), mean, std, &mut self.engine);
                Ok(Array::from_buffer(shape, buffer))
            }
            DType::F32 => self.draw("normal", shape, |g| (g.one_normal().mul_add(std, mean)) as f32),
            DType::F64 => self.draw("normal", shape, |g| g.one_normal().mul_add(std, mean)),
            DType::I64 => Err(no_integers("normal")),
        }
    }

    /// `torch.randint(lo, hi, shape)`: integers from `lo` up to, but not with, `hi`.
    ///
    /// # Errors
    /// Where `lo` is not below `hi`, or memory is refused.
    pub fn randint(&mut self, lo: i64, hi: i64, shape: &[usize]) -> Result<Array> {
        if lo >= hi {
            return Err(Error::new(format!("randint: no integers from {lo} up to, but not with, {hi}")));
        }
        let range = hi.wrapping_sub(lo) as u64;
        self.draw("randint", shape, |generator| {
            let bits = if range >= 1 << 28 {
                generator.engine.next_u64()
            } else {
                u64::from(generator.engine.next_u32())
            };
            lo.wrapping_add((bits % range) as i64)
        })
    }

    /// The next value of PyTorch's `normal_distribution<double>`: Box and Muller's method.
    fn one_normal(&mut self) -> f64 {
        if let Some(normal) = self.second_normal.take() {
            return normal;
        }
        let angle = self.engine.unit_f64();
        let tail = self.engine.unit_f64();
        let radius = (-2.0 * (-tail).ln_1p()).sqrt();
        let theta = 2.0 * std::f64::consts::PI * angle;
        self.second_normal = Some(radius * theta.sin());
        radius * theta.cos()
    }

    fn draw<T: Element>(
        &mut self,
        op: &str,
        shape: &[usize],
        next: impl Fn(&mut Self) -> T,
    ) -> Result<Array> {
        Ok(Array::from_buffer(shape, self.buffer(op, shape, next)?))
    }

    fn buffer<T: Element>(
        &mut self,
        op: &str,
        shape: &[usize],
        next: impl Fn(&mut Self) -> T,
    ) -> Result<Buffer<T>> {
        let mut buffer = Buffer::zeroed(shape::len(op, shape)?)?;
        buffer.as_mut_slice().iter_mut().for_each(|element| *element = next(self));
        Ok(buffer)
    }
}

fn no_integers(op: &str) -> Error {
    Error::new(format!("{op}: draws floats, not i64")).with_hint("randint draws integers")
}
