//! `matmul` against three loops, over every pair of ranks.

use crate::model::{Layout, Model, config, dtypes, indices, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType};

/// NumPy's `@`, told index by index on operands with at least two axes each and batches of one shape.
fn naive(a: &Model, b: &Model, batch: &[usize]) -> Model {
    let (m, k, n) = (a.shape[a.shape.len() - 2], a.shape[a.shape.len() - 1], b.shape[b.shape.len() - 1]);
    let at = |model: &Model, batch: &[usize], last: [usize; 2]| {
        let own = &model.shape[..model.shape.len() - 2];
        let batch = &batch[batch.len() - own.len()..];
        let mut index: Vec<usize> =
            batch.iter().zip(own).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
        index.extend(last);
        model.at(&index)
    };
    Model::build(&[batch, &[m, n]].concat(), |index| {
        let (batch, last) = index.split_at(batch.len());
        (0..k).map(|k| at(a, batch, [last[0], k]) * at(b, batch, [k, last[1]])).sum()
    })
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn multiplies_as_numpy_does(
        (m, k, n) in (0..4usize, 0..5usize, 0..6usize),
        batch in prop::collection::vec(prop::sample::select(vec![0usize, 1, 2, 3]), 0..3),
        ones in (0..4usize, 0..4usize),
        cut in (0..4usize, 0..4usize),
        dtypes in (dtypes(), dtypes()),
        layouts in (layouts(), layouts()),
    ) {
        // Each operand has some of the batch axes, some of them as 1; with `cut` 3 it is a vector.
        let side = |ones: usize, cut: usize| -> Vec<usize> {
            let own = batch.iter().enumerate().map(|(i, &size)| if ones >> i & 1 == 1 { 1 } else { size });
            own.skip(cut.min(batch.len())).collect()
        };
        let left = if cut.0 == 3 { vec![k] } else { [side(ones.0, cut.0), vec![m, k]].concat() };
        let right = if cut.1 == 3 { vec![k] } else { [side(ones.1, cut.1), vec![k, n]].concat() };
        let a = sample(1, &left, dtypes.0, layouts.0);
        let b = sample(2, &right, dtypes.1, layouts.1);
        let product = a.matmul(&b).expect("sizes that agree");

        let wide = |array: &Array, shape: &[usize]| Model::of(&array.reshape(shape).expect("one more axis"));
        let a = if cut.0 == 3 { wide(&a, &[1, k]) } else { Model::of(&a) };
        let b = if cut.1 == 3 { wide(&b, &[k, 1]) } else { Model::of(&b) };
        let batches = (&a.shape[..a.shape.len() - 2], &b.shape[..b.shape.len() - 2]);
        let ndim = batches.0.len().max(batches.1.len());
        let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(ndim).map_or(1, |i| shape[i]);
        let whole: Vec<usize> = (0..ndim).map(|axis| match size(batches.0, axis) {
            1 => size(batches.1, axis),
            size => size,
        }).collect();
        let expected = naive(&a, &b, &whole);
        let mut shape = expected.shape.clone();
        if cut.1 == 3 {
            shape.pop();
        }
        if cut.0 == 3 {
            shape.remove(shape.len() - if cut.1 == 3 { 1 } else { 2 });
        }
        prop_assert_eq!(product.shape(), &shape[..]);
        prop_assert_eq!(product.to_vec_f64(), expected.values);
        prop_assert_eq!(product.dtype(), dtypes.0.promote(dtypes.1));
    }
}

/// Sizes at which the blocked kernel works in several blocks, in each layout of both operands.
#[test]
fn multiplies_large_matrices() {
    let all =
        [Layout::RowMajor, Layout::ColumnMajor, Layout::Sparse, Layout::Repeated(0), Layout::Repeated(1)];
    for dtype in [DType::F32, DType::F64] {
        for left in all {
            for right in all {
                let a = sample(1, &[67, 301], dtype, left);
                let b = sample(2, &[301, 59], dtype, right);
                let product = Model::of(&a.matmul(&b).expect("sizes that agree"));
                let (a, b) = (a.to_vec_f64(), b.to_vec_f64());
                for at in indices(&[67, 59]) {
                    let sum: f64 = (0..301).map(|k| a[at[0] * 301 + k] * b[k * 59 + at[1]]).sum();
                    assert_eq!(product.at(&at), sum, "{dtype} {left:?} {right:?} {at:?}");
                }
            }
        }
    }
}

#[test]
fn shapes_that_do_not_multiply_are_named() {
    let of = |shape: &[usize]| Array::ones(shape, DType::F64).expect("ones");
    let cases = [
        (of(&[2, 3]), of(&[4, 5]), "matmul: cannot multiply [2, 3] by [4, 5]: 3 ≠ 4"),
        (of(&[3]), of(&[4]), "matmul: cannot multiply [3] by [4]: 3 ≠ 4"),
        (of(&[]), of(&[4]), "matmul: cannot multiply [] by [4]: a scalar is no matrix"),
        (
            of(&[2, 1, 3]),
            of(&[5, 3, 1]),
            "matmul: cannot multiply [2, 1, 3] by [5, 3, 1]: batches [2] and [5] do not broadcast",
        ),
    ];
    for (a, b, message) in cases {
        assert_eq!(a.matmul(&b).expect_err(message).message(), message);
    }
}
