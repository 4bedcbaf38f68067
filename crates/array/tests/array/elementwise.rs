//! `map`, `zip` and what is said of all elements at once.

use crate::model::{Layout, Model, config, dtypes, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType};

/// Two shapes that broadcast together, and the shape of the result.
fn shapes() -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<usize>)> {
    let size = prop_oneof![1 => Just(0usize), 2 => Just(1), 4 => Just(2), 4 => Just(3), 2 => Just(5)];
    let axis = (size, 0..4u8);
    (prop::collection::vec(axis, 0..4), 0..3usize, any::<bool>()).prop_map(|(axes, shorter, swap)| {
        let whole: Vec<usize> = axes.iter().map(|&(size, _)| size).collect();
        let side = |bit: u8| axes.iter().map(|&(size, ones)| if ones == bit { 1 } else { size }).collect();
        let (left, mut right): (Vec<usize>, Vec<usize>) = (side(1), side(2));
        right.drain(..shorter.min(right.len()));
        // Where an axis is missing or 1 on one side, the other decides.
        let dims = (0..whole.len()).map(|k| {
            let r = (k + right.len()).checked_sub(whole.len()).map_or(1, |k| right[k]);
            if left[k] == 1 { r } else { left[k] }
        });
        let out = dims.collect();
        if swap { (right, left, out) } else { (left, right, out) }
    })
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn zip_broadcasts(
        (left, right, out) in shapes(),
        dtypes in (dtypes(), dtypes()),
        layouts in (layouts(), layouts()),
        seed in any::<u32>(),
    ) {
        let a = sample(seed.into(), &left, dtypes.0, layouts.0);
        let b = sample(u64::from(seed) + 1, &right, dtypes.1, layouts.1);
        let result = a.zip(&b, "subtract", |a, b| a - 2.0 * b, |a, b| a - 2.0 * b);
        if dtypes == (DType::I64, DType::I64) {
            prop_assert!(result.expect_err("integers").message().ends_with("both hold i64, not floats"));
            return Ok(());
        }
        let result = result.expect("shapes that broadcast");
        let (a, b) = (Model::of(&a), Model::of(&b));
        let from = |model: &Model, index: &[usize]| {
            let index = &index[index.len() - model.shape.len()..];
            let cut: Vec<usize> = index.iter().zip(&model.shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
            model.at(&cut)
        };
        prop_assert_eq!(Model::of(&result), Model::build(&out, |index| from(&a, index) - 2.0 * from(&b, index)));
        prop_assert_eq!(result.dtype(), dtypes.0.promote(dtypes.1));
    }

    #[test]
    fn map_visits_each_element(shape in prop::collection::vec(0..5usize, 0..4), layout in layouts(), f32 in any::<bool>()) {
        let dtype = if f32 { DType::F32 } else { DType::F64 };
        let a = sample(1, &shape, dtype, layout);
        let mapped = a.map(|v| v * v - 1.0, |v| v * v - 1.0).expect("floats");
        let model = Model::of(&a);
        prop_assert_eq!(Model::of(&mapped), Model::build(&shape, |i| model.at(i) * model.at(i) - 1.0));
        prop_assert_eq!(mapped.dtype(), dtype);
    }
}

#[test]
fn shapes_that_do_not_broadcast_are_named() {
    let a = sample(0, &[2, 3], DType::F64, Layout::RowMajor);
    let b = sample(0, &[4], DType::F64, Layout::RowMajor);
    let error = a.zip(&b, "add", |a, b| a + b, |a, b| a + b).expect_err("3 beside 4");
    assert_eq!(error.message(), "add: cannot broadcast [2, 3] with [4]: 3 ≠ 4");
    assert!(error.hint().is_some());
    let integers = Array::arange(3).expect("three");
    assert_eq!(integers.map(|v| v, |v| v).expect_err("integers").message(), "map: [3] holds i64, not floats");
}

#[test]
fn largest_and_finite() {
    let of = |values: &[f64]| Array::from_slice(&[values.len()], values).expect("as many");
    assert_eq!(of(&[1.0, -7.0, 3.0]).max_abs(), 7.0);
    assert_eq!(of(&[]).max_abs(), 0.0);
    assert!(of(&[f64::NAN, 1.0]).max_abs().is_nan());
    assert!(of(&[1.0, f64::NAN, f64::INFINITY]).max_abs().is_nan());
    assert_eq!(of(&[f64::NEG_INFINITY]).max_abs(), f64::INFINITY);
    assert!(of(&[1.0, -2.0]).all_finite() && of(&[]).all_finite());
    assert!(!of(&[1.0, f64::NAN]).all_finite() && !of(&[f64::INFINITY]).all_finite());
    assert_eq!(Array::from_slice(&[2], &[i64::MIN, 3]).expect("two").max_abs(), 9_223_372_036_854_775_808.0);
}

#[test]
fn casts_round_and_refuse() {
    let a = Array::from_slice(&[3], &[0.1, -1.9, 16_777_217.0]).expect("three");
    let single = a.cast(DType::F32).expect("floats");
    assert_eq!(single.to_vec_f64(), [f64::from(0.1f32), f64::from(-1.9f32), 16_777_216.0]);
    assert_eq!(a.cast(DType::I64).expect("integers").to_vec_i64().expect("i64"), [0, -1, 16_777_217]);
    for (value, name) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (9.3e18, "9.3e18")] {
        let error =
            Array::scalar(value, DType::F64).and_then(|a| a.cast(DType::I64)).expect_err("no integer");
        assert_eq!(error.message(), format!("cast: {name} is no i64"));
    }
}

/// Arrays go between threads, and are shared by them.
#[test]
fn arrays_are_send_and_sync() {
    fn check<T: Send + Sync + Clone + 'static>() {}
    check::<Array>();
}

#[test]
fn constructors() {
    let eye = Array::eye(3, DType::F32).expect("nine");
    assert_eq!(eye.to_vec_f64(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(Array::eye(0, DType::I64).expect("none").shape(), [0, 0]);
    assert_eq!(Array::arange(4).expect("four").to_vec_i64().expect("i64"), [0, 1, 2, 3]);
    let next = Array::of_next(&[2, 2], 3i64..).expect("four");
    assert_eq!((next.shape(), next.to_vec_f64()), (&[2, 2][..], vec![3.0, 4.0, 5.0, 6.0]));
    assert_eq!(
        Array::of_next(&[2], [1.0]).expect_err("one is missing").message(),
        "of_next: 1 elements for the shape [2]"
    );
    assert!(Array::of_next(&[0], [0.5f32; 0]).expect("none").is_empty());
    for array in [next.clone(), next.permute(&[1, 0]).expect("two axes")] {
        assert!(array.all(|x| x >= 3.0) && !array.all(|x| x < 6.0));
    }

    let full = Array::full(&[2, 1], 0.1, DType::F32).expect("two");
    assert_eq!((full.to_vec_f64(), full.nbytes()), (vec![f64::from(0.1f32); 2], 8));
    assert_eq!(Array::full(&[2], 0.5, DType::I64).expect_err("no integer").message(), "full: 0.5 is no i64");
    let error = Array::from_slice(&[2, 2], &[1.0]).expect_err("one of four");
    assert_eq!(error.message(), "array: [2, 2] has 4 elements, not 1");
    assert_eq!(Array::scalar(2.5, DType::F64).and_then(|a| a.item()).expect("one"), 2.5);
    assert_eq!(full.item().expect_err("two").message(), "item: [2, 1] has 2 elements, not one");
    assert!(full.view::<f64>().is_err() && full.view::<f32>().is_ok());
    let huge = Array::zeros(&[usize::MAX, 2], DType::F32).expect_err("too many");
    assert_eq!(huge.message(), "full: the number of elements of [18446744073709551615, 2] overflows");
}
