//! `contract` against a sum over every assignment of every label.

use crate::model::{Layout, Model, config, dtypes, indices, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType, Result};

/// One term: labels, their sizes, and how the operands lie.
#[derive(Clone, Debug)]
struct Term {
    sizes: Vec<usize>,
    operands: Vec<(Vec<u32>, DType, Layout)>,
    out: Vec<u32>,
    coef: f64,
    seed: u64,
}

impl Term {
    fn size(&self, label: u32) -> usize {
        self.sizes[label as usize]
    }

    fn shape(&self, labels: &[u32]) -> Vec<usize> {
        labels.iter().map(|&label| self.size(label)).collect()
    }

    fn arrays(&self) -> Vec<Array> {
        let draw = |(seed, (labels, dtype, layout)): (u64, &(Vec<u32>, DType, Layout))| {
            sample(seed, &self.shape(labels), *dtype, *layout)
        };
        (self.seed..).zip(&self.operands).map(draw).collect()
    }

    fn contract(&self, arrays: &[Array]) -> Result<Array> {
        let operands: Vec<(&Array, &[u32])> =
            arrays.iter().zip(&self.operands).map(|(array, (labels, ..))| (array, &labels[..])).collect();
        let sizes: Vec<(u32, usize)> = (0..).zip(self.sizes.iter().copied()).collect();
        Array::contract(self.coef, &operands, &self.out, &sizes)
    }

    /// The sum, written out.
    fn naive(&self, arrays: &[Array]) -> Model {
        let models: Vec<Model> = arrays.iter().map(Model::of).collect();
        let mut occurring: Vec<u32> = self.operands.iter().flat_map(|(labels, ..)| labels.clone()).collect();
        occurring.extend(&self.out);
        occurring.sort_unstable();
        occurring.dedup();
        let mut result = Model::build(&self.shape(&self.out), |_| 0.0);
        for assignment in indices(&self.shape(&occurring)) {
            let index = |labels: &[u32]| -> Vec<usize> {
                let value = |label: &u32| assignment[occurring.binary_search(label).expect("it occurs")];
                labels.iter().map(value).collect()
            };
            let product: f64 =
                models.iter().zip(&self.operands).map(|(m, (labels, ..))| m.at(&index(labels))).product();
            let place =
                index(&self.out).iter().zip(&result.shape).fold(0, |place, (&i, &size)| place * size + i);
            result.values[place] += self.coef * product;
        }
        result
    }

    #[track_caller]
    fn check(&self) {
        let arrays = self.arrays();
        let result = self.contract(&arrays).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        assert_eq!(Model::of(&result), self.naive(&arrays), "{self:?}");
        let dtype = self.operands.iter().map(|&(_, dtype, _)| dtype).reduce(DType::promote);
        assert_eq!(result.dtype(), dtype.unwrap_or(DType::F64), "{self:?}");
    }
}

/// Any pattern of up to four labels: repeats, diagonals, broadcasts, batches, sizes 0 and 1.
fn terms() -> impl Strategy<Value = Term> {
    let size = prop_oneof![1 => Just(0usize), 2 => Just(1), 4 => Just(2), 4 => Just(3), 2 => Just(5)];
    let labels = prop::collection::vec(0..4u32, 0..=4);
    let operands = prop::collection::vec((labels.clone(), dtypes(), layouts()), 0..=2);
    let coef = prop_oneof![Just(1.0), Just(-2.0), Just(0.0)];
    (prop::collection::vec(size, 4), operands, labels, coef, any::<u64>())
        .prop_map(|(sizes, operands, out, coef, seed)| Term { sizes, operands, out, coef, seed })
}

/// Patterns of a matrix product, without repeats, at sizes where the blocked kernel is called.
fn products() -> impl Strategy<Value = Term> {
    let groups = Just(vec![0u32, 1, 2, 3, 4]).prop_shuffle();
    let sizes = prop::collection::vec(prop::sample::select(vec![1usize, 2, 3, 7, 11, 17]), 5);
    let float = prop_oneof![Just(DType::F32), Just(DType::F64)];
    (groups, sizes, float, layouts(), layouts(), any::<u64>(), prop::array::uniform5(0..4usize)).prop_map(
        |(order, sizes, dtype, left_layout, right_layout, seed, roles)| {
            // Each label is a batch, a row, a column or an inner label.
            let of = |fits: &[usize], order: &[u32]| -> Vec<u32> {
                order.iter().copied().filter(|&label| fits.contains(&roles[label as usize])).collect()
            };
            let reversed: Vec<u32> = order.iter().rev().copied().collect();
            Term {
                sizes,
                operands: vec![
                    (of(&[0, 1, 3], &order), dtype, left_layout),
                    (of(&[0, 2, 3], &reversed), dtype, right_layout),
                ],
                out: of(&[0, 1, 2], &[1, 3, 0, 2, 4]),
                coef: 1.0,
                seed,
            }
        },
    )
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn equals_the_sum_written_out(term in terms()) {
        term.check();
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn products_equal_the_sum_written_out(term in products()) {
        term.check();
    }
}

#[test]
fn names_what_does_not_agree() {
    let a = sample(0, &[2, 3], DType::F64, Layout::RowMajor);
    type Case<'a> = (f64, &'a [(&'a Array, &'a [u32])], &'a [u32], &'a [(u32, usize)], &'a str);
    let cases: [Case<'_>; 6] = [
        (
            1.0,
            &[(&a, &[0])],
            &[0],
            &[(0, 2)],
            "contract: operand 0 has the shape [2, 3], its labels [0] say [2]",
        ),
        (
            1.0,
            &[(&a, &[0, 1]), (&a, &[1, 0])],
            &[0],
            &[(0, 2), (1, 3)],
            "contract: operand 1 has the shape [2, 3], its labels [1, 0] say [3, 2]",
        ),
        (1.0, &[(&a, &[0, 1])], &[2], &[(0, 2), (1, 3)], "contract: label 2 has no size"),
        (1.0, &[], &[0], &[(0, 2), (0, 3)], "contract: label 0 has the sizes 2 and 3"),
        (
            1.0,
            &[(&a, &[0, 1]), (&a, &[0, 1]), (&a, &[0, 1])],
            &[0],
            &[(0, 2), (1, 3)],
            "contract: 3 operands; one or two at a time",
        ),
        (
            1.0,
            &[],
            &[0, 1, 0],
            &[(0, 1 << 31), (1, 2)],
            "contract: the number of elements of [2147483648, 2, 2147483648] overflows",
        ),
    ];
    for (coef, operands, out, sizes, message) in cases {
        let error = Array::contract(coef, operands, out, sizes).expect_err(message);
        assert_eq!(error.message(), message);
    }
}

/// A sum of f32 keeps what f64 keeps until it is rounded: 2²⁴ + 1 + … + 1.
#[test]
fn sums_of_one_operand_are_held_in_f64() {
    let mut values = vec![1.0f32; 1001];
    values[0] = 16_777_216.0;
    let a = Array::from_vec(&[1001], values).expect("1001 elements");
    let sum = Array::contract(1.0, &[(&a, &[0])], &[], &[(0, 1001)]).expect("a sum");
    assert_eq!(sum.item().expect("one element"), 16_778_216.0);
}

/// An integer times a fraction is none, and a mean of nothing is 0/0.
#[test]
fn fractions_of_integers_and_means_of_nothing() -> Result<()> {
    let i = Array::arange(5)?;
    let mean = Array::contract(0.2, &[(&i, &[0])], &[], &[(0, 5)])?;
    assert_eq!((mean.dtype(), mean.to_vec_f64()), (DType::F64, vec![2.0]));
    let sum = Array::contract(1.0, &[(&i, &[0])], &[], &[(0, 5)])?;
    assert_eq!((sum.dtype(), sum.to_vec_f64()), (DType::I64, vec![10.0]));
    let nothing = Array::zeros(&[0, 3], DType::F32)?;
    let of = |coef: f64| Array::contract(coef, &[(&nothing, &[0, 1])], &[1], &[(0, 0), (1, 3)]);
    assert_eq!(of(1.0)?.to_vec_f64(), [0.0; 3]);
    assert!(of(f64::INFINITY)?.to_vec_f64().iter().all(|mean| mean.is_nan()));
    Ok(())
}
