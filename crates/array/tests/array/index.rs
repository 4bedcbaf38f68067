//! `gather` and `scatter_add`: against loops, and against each other.

use crate::model::{Layout, Model, config, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType};

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn rows_go_where_the_table_says(
        rows in 1..5usize,
        rest in prop::collection::vec(0..4usize, 0..3),
        index_shape in prop::collection::vec(0..4usize, 0..3),
        layouts in (layouts(), layouts(), layouts()),
        seed in any::<u32>(),
    ) {
        let table = sample(seed.into(), &index_shape, DType::I64, layouts.0);
        // From −3..=3 to −1..rows.
        let entries: Vec<i64> = table.to_vec_f64().iter().map(|&v| (v as i64 + 3) % (rows as i64 + 1) - 1).collect();
        let index = Array::from_vec(&index_shape, entries.clone()).expect("as many entries");
        let shape = |first: &[usize]| [first, &rest].concat();
        let x = sample(1, &shape(&[rows]), DType::F32, layouts.1);
        let y = sample(2, &shape(&index_shape), DType::F32, layouts.2);
        let entry = |at: &[usize]| entries[at.iter().zip(&index_shape).fold(0, |p, (&i, &n)| p * n + i)];
        let model = Model::of(&x);
        let gathered = x.gather(&index).expect("entries inside");
        let expected = Model::build(&shape(&index_shape), |at| {
            let (at, rest) = at.split_at(index_shape.len());
            usize::try_from(entry(at)).map_or(0.0, |row| model.at(&[&[row], rest].concat()))
        });
        prop_assert_eq!(Model::of(&gathered), expected);

        // ⟨gather(x), y⟩ = ⟨x, scatter_add(y)⟩, exactly, since all values are small integers.
        let scattered = y.scatter_add(&index, rows).expect("entries inside");
        prop_assert_eq!(scattered.shape(), x.shape());
        let dot = |a: &Array, b: &Array| -> f64 {
            a.to_vec_f64().iter().zip(b.to_vec_f64()).map(|(a, b)| a * b).sum()
        };
        prop_assert_eq!(dot(&gathered, &y), dot(&x, &scattered));
    }
}

#[test]
fn scatter_adds_duplicates_and_drops_minus_one() {
    let values = Array::from_slice(&[4, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).expect("eight");
    let index = Array::from_slice(&[4], &[2i64, 0, 2, -1]).expect("four");
    let sum = values.scatter_add(&index, 3).expect("inside");
    assert_eq!((sum.shape(), sum.to_vec_f64()), (&[3, 2][..], vec![3.0, 4.0, 0.0, 0.0, 6.0, 8.0]));
}

#[test]
fn indices_outside_are_named() {
    let x = sample(0, &[3, 2], DType::F64, Layout::RowMajor);
    let index = |values: &[i64]| Array::from_slice(&[values.len()], values).expect("as many");
    let cases = [
        (x.gather(&index(&[0, 3])), "gather: index 3 is outside of 0..3"),
        (x.gather(&index(&[-2])), "gather: index -2 is outside of 0..3"),
        (x.gather(&x), "gather: the index holds f64, not i64"),
        (Array::ones(&[], DType::F32).and_then(|s| s.gather(&index(&[0]))), "gather: a scalar has no rows"),
        (x.scatter_add(&index(&[0, 1, 5]), 5), "scatter_add: index 5 is outside of 0..5"),
        (x.scatter_add(&index(&[0, 1]), 5), "scatter_add: [3, 2] does not begin with the index's shape [2]"),
    ];
    for (result, message) in cases {
        assert_eq!(result.expect_err(message).message(), message);
    }
}
