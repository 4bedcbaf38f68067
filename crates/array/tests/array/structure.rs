//! Views and copies: which element stands where, told index by index.

use crate::model::{Layout, Model, config, dtypes, layouts, sample};
use proptest::prelude::*;
use pullback_array::{Array, DType, SliceAxis};

fn shapes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop::sample::select(vec![0usize, 1, 2, 3, 4, 6]), 0..4)
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn permute_moves_axes(shape in shapes(), order in Just(vec![0, 1, 2]).prop_shuffle(), layout in layouts(), dtype in dtypes()) {
        let array = sample(1, &shape, dtype, layout);
        let axes: Vec<usize> = order.into_iter().filter(|&axis| axis < shape.len()).collect();
        let permuted: Vec<usize> = axes.iter().map(|&axis| shape[axis]).collect();
        let model = Model::of(&array);
        let expected = Model::build(&permuted, |index| {
            let mut from = vec![0; index.len()];
            for (&axis, &i) in axes.iter().zip(index) {
                from[axis] = i;
            }
            model.at(&from)
        });
        prop_assert_eq!(Model::of(&array.permute(&axes).expect("a permutation")), expected);
    }

    /// The views that ndarray gets see the same elements, whatever the strides.
    #[test]
    fn ndarray_sees_the_same_elements(shape in shapes(), layout in layouts()) {
        let array = sample(5, &shape, DType::F32, layout);
        let view = array.view::<f32>().expect("f32");
        prop_assert_eq!(view.shape(), array.shape());
        prop_assert_eq!(view.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), array.to_vec_f64());
    }

    /// Large enough for tiles, in the order in memory and in others.
    #[test]
    fn transpositions_copy_in_tiles(shape in prop::array::uniform3(1..40usize), order in Just(vec![0, 1, 2]).prop_shuffle()) {
        let array = Array::arange(shape.iter().product()).and_then(|a| a.reshape(&shape)).expect("as many");
        let permuted = array.permute(&order).expect("a permutation");
        let copy = Array::concat(std::slice::from_ref(&permuted), 0).expect("one part");
        prop_assert_eq!(copy.to_vec_i64(), permuted.to_vec_i64());
        let (a, b) = (copy.cast(DType::F64).expect("floats"), permuted.cast(DType::F64).expect("floats"));
        let zero = a.zip(&b, "subtract", |a, b| a - b, |a, b| a - b).expect("one shape");
        prop_assert_eq!(zero.max_abs(), 0.0);
        let doubled = permuted.zip(&a, "add", |a, b| a + b, |a, b| a + b).expect("one shape");
        prop_assert_eq!(doubled.to_vec_f64(), a.to_vec_f64().iter().map(|v| 2.0 * v).collect::<Vec<_>>());
    }

    /// Reshaping keeps the row-major order, whatever lies in memory; and the view of a reshape reshapes again.
    #[test]
    fn reshape_keeps_the_order(shape in shapes(), cuts in prop::collection::vec(1..7usize, 0..4), layout in layouts()) {
        let array = sample(2, &shape, DType::F32, layout);
        // Any shape of as many elements: what each cut divides, and the rest.
        let mut rest = array.len();
        let mut target: Vec<usize> = Vec::new();
        for cut in cuts {
            if rest.is_multiple_of(cut) {
                target.push(cut);
                rest /= cut;
            }
        }
        target.push(rest);
        let reshaped = array.reshape(&target).expect("as many elements");
        prop_assert_eq!(reshaped.shape(), &target[..]);
        prop_assert_eq!(reshaped.to_vec_f64(), array.to_vec_f64());
        prop_assert_eq!(Model::of(&reshaped.reshape(&shape).expect("as many elements")), Model::of(&array));
    }

    #[test]
    fn slices_take_every_step(shape in shapes(), picks in prop::array::uniform3((0..6usize, -3..4isize, 0..4usize)), layout in layouts()) {
        let array = sample(3, &shape, DType::F64, layout);
        let model = Model::of(&array);
        let slices: Vec<SliceAxis> =
            picks[..shape.len()].iter().map(|&(start, step, len)| SliceAxis { start, step, len }).collect();
        let inside = |(slice, &size): (&SliceAxis, &usize)| {
            let last = slice.start as isize + slice.step * (slice.len as isize - 1);
            slice.step != 0 && (slice.len == 0 || slice.start < size && (0..size as isize).contains(&last))
        };
        let sliced = array.slice(&slices);
        if !slices.iter().zip(&shape).all(inside) {
            prop_assert!(sliced.is_err());
            return Ok(());
        }
        let lens: Vec<usize> = slices.iter().map(|slice| slice.len).collect();
        let expected = Model::build(&lens, |index| {
            let from: Vec<usize> =
                index.iter().zip(&slices).map(|(&i, s)| (s.start as isize + s.step * i as isize) as usize).collect();
            model.at(&from)
        });
        prop_assert_eq!(Model::of(&sliced.expect("inside")), expected);
    }

    #[test]
    fn broadcasts_repeat(shape in shapes(), extra in prop::collection::vec(0..3usize, 0..3), target in 0..5usize) {
        let array = sample(4, &shape, DType::I64, Layout::RowMajor);
        let grown = shape.iter().map(|&size| if size == 1 { target } else { size });
        let to: Vec<usize> = extra.iter().copied().chain(grown).collect();
        let model = Model::of(&array);
        let expected = Model::build(&to, |index| {
            let own = &index[extra.len()..];
            let from: Vec<usize> = own.iter().zip(&shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
            model.at(&from)
        });
        prop_assert_eq!(Model::of(&array.broadcast_to(&to).expect("axes of size 1")), expected);
    }

    #[test]
    fn concat_joins(shape in prop::collection::vec(0..4usize, 1..4), axis in 0..3usize, lens in prop::collection::vec((0..4usize, layouts()), 1..4)) {
        let axis = axis % shape.len();
        let mut total = 0;
        let arrays: Vec<Array> = (0..).zip(&lens).map(|(seed, &(len, layout))| {
            let mut part = shape.clone();
            part[axis] = len;
            total += len;
            sample(seed, &part, DType::F32, layout)
        }).collect();
        let mut whole = shape.clone();
        whole[axis] = total;
        let models: Vec<Model> = arrays.iter().map(Model::of).collect();
        let expected = Model::build(&whole, |index| {
            let mut from = index.to_vec();
            let part = models.iter().find(|model| {
                let here = from[axis] < model.shape[axis];
                if !here {
                    from[axis] -= model.shape[axis];
                }
                here
            });
            part.expect("inside of one part").at(&from)
        });
        prop_assert_eq!(Model::of(&Array::concat(&arrays, axis).expect("alike")), expected);
    }
}

/// Which reshapes share memory: the address of the first element stays.
#[test]
fn reshapes_that_need_no_copy_make_none() {
    let array = sample(0, &[4, 6], DType::F64, Layout::RowMajor);
    let transposed = array.permute(&[1, 0]).expect("two axes");
    let address = |array: &Array| array.view::<f64>().expect("f64").as_ptr();
    let shared =
        |from: &Array, to: &[usize]| address(&from.reshape(to).expect("24 elements")) == address(from);
    assert!(shared(&array, &[24]) && shared(&array, &[2, 2, 3, 2]) && shared(&array, &[4, 1, 6, 1]));
    assert!(
        shared(&transposed, &[2, 3, 4]) && shared(&transposed, &[6, 2, 2]) && shared(&transposed, &[1, 6, 4])
    );
    assert!(!shared(&transposed, &[24]) && !shared(&transposed, &[4, 6]));
}

/// Steps that no index could take do no harm where there is nothing to step to.
#[test]
fn steps_of_single_elements_are_ignored() {
    let a = Array::arange(3).expect("three");
    for step in [isize::MIN, -5, 1, isize::MAX] {
        let one = a.slice(&[SliceAxis { start: 2, step, len: 1 }]).expect("inside");
        assert_eq!(one.to_vec_i64().expect("i64"), [2]);
    }
}

#[test]
fn messages_carry_the_shapes() {
    let a = sample(0, &[2, 3], DType::F64, Layout::RowMajor);
    let b = sample(0, &[2, 4], DType::F64, Layout::RowMajor);
    let i = sample(0, &[2, 3], DType::I64, Layout::RowMajor);
    let far = SliceAxis { start: 0, step: isize::MAX, len: 3 };
    let all = SliceAxis { start: 0, step: 1, len: 2 };
    let cases = [
        (a.permute(&[0, 0]), "permute: [0, 0] does not permute the axes of [2, 3]"),
        (a.permute(&[0]), "permute: [0] does not permute the axes of [2, 3]"),
        (a.permute(&[0, 2]), "permute: [0, 2] does not permute the axes of [2, 3]"),
        (a.reshape(&[4]), "reshape: [2, 3] has 6 elements, [4] has 4"),
        (a.broadcast_to(&[2, 4]), "broadcast_to: cannot broadcast [2, 3] to [2, 4]"),
        (a.broadcast_to(&[3]), "broadcast_to: cannot broadcast [2, 3] to [3]"),
        (a.slice(&[all]), "slice: 1 slices for [2, 3]"),
        (
            a.slice(&[all, far]),
            "slice: SliceAxis { start: 0, step: 9223372036854775807, len: 3 } falls outside of axis 1 of [2, 3]",
        ),
        (Array::concat(&[], 0), "concat: no arrays"),
        (Array::concat(&[a.clone(), b], 0), "concat: cannot put [2, 4] behind [2, 3] along axis 0"),
        (Array::concat(&[a.clone(), i], 0), "concat: dtypes f64 and i64 differ"),
        (Array::concat(&[a], 2), "concat: [2, 3] has no axis 2"),
    ];
    for (result, message) in cases {
        assert_eq!(result.expect_err(message).message(), message);
    }
}
