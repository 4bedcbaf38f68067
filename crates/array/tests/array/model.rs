//! The plainest n-d array there is, to compare with: a shape and a list of f64 in row-major order.
//!
//! Values in these tests are small integers, so that every sum and product is exact in every dtype and in any
//! order, and results can be compared for equality.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pullback_array::{Array, DType, SliceAxis, random::Generator};

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Model {
    pub fn of(array: &Array) -> Model {
        let model = Model { shape: array.shape().to_vec(), values: array.to_vec_f64() };
        assert_eq!(model.values.len(), model.shape.iter().product::<usize>());
        model
    }

    /// The array whose element at each index is `value(index)`.
    pub fn build(shape: &[usize], mut value: impl FnMut(&[usize]) -> f64) -> Model {
        let values = indices(shape).map(|index| value(&index)).collect();
        Model { shape: shape.to_vec(), values }
    }

    pub fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.shape.len());
        let place = index.iter().zip(&self.shape).fold(0, |place, (&i, &size)| {
            assert!(i < size);
            place * size + i
        });
        self.values[place]
    }
}

/// All indices of a shape, the last axis fastest.
pub fn indices(shape: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let shape = shape.to_vec();
    (0..shape.iter().product()).map(move |mut place: usize| {
        let mut index = vec![0; shape.len()];
        for (i, &size) in index.iter_mut().zip(&shape).rev() {
            *i = place % size;
            place /= size;
        }
        index
    })
}

/// How an array lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    RowMajor,
    /// The axes reversed.
    ColumnMajor,
    /// Every second element, from the second on, of an array twice as large in each axis.
    Sparse,
    /// One element along this axis (counted modulo the number of axes), repeated.
    Repeated(usize),
}

pub fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![
        Just(Layout::RowMajor),
        Just(Layout::ColumnMajor),
        Just(Layout::Sparse),
        (0..4usize).prop_map(Layout::Repeated)
    ]
}

pub fn dtypes() -> impl Strategy<Value = DType> {
    prop_oneof![Just(DType::F32), Just(DType::F64), Just(DType::I64)]
}

/// An array of integers from −3 to 3 of this shape, dtype and layout.
pub fn sample(seed: u64, shape: &[usize], dtype: DType, layout: Layout) -> Array {
    let mut generator = Generator::new(seed);
    let mut draw =
        |shape: &[usize]| generator.randint(-3, 4, shape).and_then(|a| a.cast(dtype)).expect("small");
    let ndim = shape.len();
    let array = match layout {
        Layout::RowMajor => draw(shape),
        Layout::ColumnMajor => {
            let reversed: Vec<usize> = shape.iter().rev().copied().collect();
            let axes: Vec<usize> = (0..ndim).rev().collect();
            draw(&reversed).permute(&axes).expect("a permutation")
        }
        Layout::Sparse => {
            let double: Vec<usize> = shape.iter().map(|size| 2 * size).collect();
            let slices: Vec<SliceAxis> =
                shape.iter().map(|&len| SliceAxis { start: 1, step: 2, len }).collect();
            draw(&double).slice(&slices).expect("inside")
        }
        Layout::Repeated(axis) => {
            let mut one = shape.to_vec();
            if ndim > 0 && shape[axis % ndim] > 0 {
                one[axis % ndim] = 1;
            }
            draw(&one).broadcast_to(shape).expect("an axis of size 1")
        }
    };
    assert_eq!((array.shape(), array.dtype()), (shape, dtype));
    array
}

/// So many cases, the same in every run.
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}
