//! Sums and maxima against loops, and the accuracy of long sums.

use crate::model::{Layout, Model, config, dtypes, indices, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType};

/// Folds the elements whose index agrees outside of `axes`.
fn fold(model: &Model, axes: &[usize], start: f64, f: impl Fn(f64, f64) -> f64) -> Model {
    let keep = |index: &[usize]| -> Vec<usize> {
        index.iter().enumerate().map(|(axis, &i)| if axes.contains(&axis) { 0 } else { i }).collect()
    };
    let shape: Vec<usize> =
        model.shape.iter().enumerate().map(|(axis, &n)| if axes.contains(&axis) { 1 } else { n }).collect();
    Model::build(&shape, |at| {
        indices(&model.shape).filter(|index| keep(index) == at).map(|index| model.at(&index)).fold(start, &f)
    })
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn reductions_equal_loops(
        shape in prop::collection::vec(prop::sample::select(vec![0usize, 1, 2, 3, 5]), 0..4),
        mask in 0..16usize,
        reverse in any::<bool>(),
        dtype in dtypes(),
        layout in layouts(),
    ) {
        let array = sample(mask as u64, &shape, dtype, layout);
        let model = Model::of(&array);
        let mut axes: Vec<usize> = (0..shape.len()).filter(|axis| mask >> axis & 1 == 1).collect();
        if reverse {
            axes.reverse();
        }
        let sum = array.sum(&axes, true).expect("axes that exist");
        prop_assert_eq!(sum.dtype(), dtype);
        prop_assert_eq!(Model::of(&sum), fold(&model, &axes, 0.0, |a, b| a + b));
        let dropped = array.sum(&axes, false).expect("axes that exist");
        prop_assert_eq!(dropped.ndim(), shape.len() - axes.len());
        prop_assert_eq!(dropped.to_vec_f64(), sum.to_vec_f64());
        let max = array.max(&axes, true);
        if axes.iter().any(|&axis| shape[axis] == 0) {
            prop_assert!(max.expect_err("nothing").message().starts_with("max: nothing to take the maximum of"));
        } else {
            prop_assert_eq!(Model::of(&max.expect("something")), fold(&model, &axes, f64::NEG_INFINITY, f64::max));
        }
    }
}

/// The order of a sum follows from the shape: of an array as it lies and of a copy in row-major order it is the same to the last bit.
#[test]
fn a_view_and_its_copy_have_one_sum() {
    let mut generator = pullback_array::random::Generator::new(5);
    for dtype in [DType::F32, DType::F64] {
        let x = generator.randn(&[37, 5, 29], dtype).expect("numbers");
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1]] {
            let view = x.permute(&order).expect("an order");
            let copy = Array::from_vec(view.shape(), view.to_vec_f64()).and_then(|copy| copy.cast(dtype));
            let copy = copy.expect("as many");
            for axes in [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 1, 2]] {
                let [a, b] = [&view, &copy].map(|x| x.sum(&axes, false).expect("axes").to_vec_f64());
                let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&a), bits(&b), "{dtype} {order:?} over {axes:?}");
            }
        }
    }
}

#[test]
fn a_nan_is_the_maximum() {
    let a = Array::from_slice(&[2, 3], &[1.0, f64::NAN, 3.0, f64::NEG_INFINITY, -1.0, -2.0]).expect("six");
    let max = a.max(&[1], false).expect("rows").to_vec_f64();
    assert!(max[0].is_nan());
    assert_eq!(max[1], -1.0);
}

/// One million tenths: PyTorch's and NumPy's pairwise sums stay within a few units in the last place, a running sum
/// in the same precision does not. The bound is log₂(n) half-units of f64, and one rounding for f32.
#[test]
fn long_sums_are_accurate() {
    let n = 1_000_000;
    for (dtype, term) in [(DType::F32, f64::from(0.1f32)), (DType::F64, 0.1)] {
        let tenths = sample(0, &[n], dtype, Layout::RowMajor).map(|_| 0.1, |_| 0.1).expect("floats");
        // n · term is exact in f64 up to one rounding, since n is no power of two but small.
        let exact = n as f64 * term;
        let bound = match dtype {
            DType::F32 => exact * f64::from(f32::EPSILON) / 2.0,
            _ => exact * f64::EPSILON / 2.0 * 20.0,
        };
        for (shape, axes) in [(vec![n], vec![0]), (vec![1000, 1000], vec![0, 1])] {
            let sum = tenths
                .reshape(&shape)
                .and_then(|a| a.sum(&axes, false))
                .and_then(|a| a.item())
                .expect("a sum");
            assert!((sum - exact).abs() <= bound, "{dtype} {shape:?}: {sum} is not {exact}");
        }
    }
}

#[test]
fn axes_that_do_not_exist_are_named() {
    let a = sample(0, &[2, 3], DType::F64, Layout::RowMajor);
    assert_eq!(a.sum(&[2], false).expect_err("two axes").message(), "sum: [2, 3] has no axis 2");
    assert_eq!(a.max(&[1, 1], false).expect_err("twice").message(), "max: axis 1 of [2, 3] is named twice");
}

#[test]
fn sums_of_integers_wrap() {
    let a = Array::from_slice(&[2], &[i64::MAX, 1]).expect("two");
    assert_eq!(a.sum(&[0], false).expect("a sum").to_vec_i64().expect("i64"), [i64::MIN]);
}

/// An array with a huge axis beside an empty one has no elements, and nothing loops over the huge one.
#[test]
fn a_huge_axis_beside_an_empty_one() {
    let huge = 1_000_000_000_000;
    let x = Array::zeros(&[huge, 0], DType::F64).expect("no elements");
    assert_eq!(x.sum(&[0, 1], false).expect("a scalar").to_vec_f64(), [0.0]);
    assert_eq!(x.sum(&[0], true).expect("no elements").shape(), [1, 0]);
    let labels = [(0u32, huge), (1, 0)];
    let total = Array::contract(2.0, &[(&x, &[0, 1])], &[], &labels).expect("a scalar");
    assert_eq!(total.to_vec_f64(), [0.0]);
}
