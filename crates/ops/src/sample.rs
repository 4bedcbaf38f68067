//! Samples: small inputs on which the generic test of the op table tries an operation.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};

use crate::{Result, Val};

/// An operation applied to inputs of given values.
pub struct Sample {
    /// What is special about it.
    pub label: &'static str,
    /// The values of the inputs, f64 (and i64 for indices).
    pub inputs: Vec<Array>,
    /// Builds the result from values with these shapes.
    pub build: fn(&[Val]) -> Result<Val>,
    /// Does the sample lie at a kink or a tie, where finite differences see no derivative?
    pub kink: bool,
}

impl Sample {
    /// A sample on values drawn from a standard normal distribution, one input of each shape. The values are fixed by the
    /// label.
    pub fn normal<const N: usize>(
        label: &'static str,
        shapes: [&[usize]; N],
        build: fn(&[Val]) -> Result<Val>,
    ) -> Sample {
        let seed = label.bytes().fold(7u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let mut generator = Generator::new(seed);
        let draw = |shape: &&[usize]| generator.randn(shape, DType::F64).expect("a small array");
        Sample { label, inputs: shapes.iter().map(draw).collect(), build, kink: false }
    }

    /// A sample on given values.
    pub fn given<const N: usize>(
        label: &'static str,
        inputs: [(&[usize], &[f64]); N],
        build: fn(&[Val]) -> Result<Val>,
    ) -> Sample {
        let array =
            |(shape, data): &(&[usize], &[f64])| Array::from_slice(shape, data).expect("data of this shape");
        Sample { label, inputs: inputs.iter().map(array).collect(), build, kink: false }
    }

    /// The same sample with inputs made positive and away from 0: `0.5 + |x|`.
    pub fn positive(mut self) -> Sample {
        let positive = |x: &Array| x.map(|x| 0.5 + x.abs(), |x| 0.5 + x.abs()).expect("a small float array");
        self.inputs = self.inputs.iter().map(positive).collect();
        self
    }

    /// The same sample, marked as lying at a kink or a tie.
    pub fn at_kink(self) -> Sample {
        Sample { kink: true, ..self }
    }
}
