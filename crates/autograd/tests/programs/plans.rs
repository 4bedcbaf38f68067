//! What a plan returns is what the operations return one after another, to the last bit: on random programs, forwards and backwards, on
//! views and on numbers that are none, and on every sample of the op table.

use pullback_array::random::Generator;
use pullback_array::{Array, DType, SliceAxis};
use pullback_autograd::{Function, pullback};
use pullback_network::Dim;
use pullback_ops::{Result, Val, table};

/// Shapes, operations and operands at random.
struct Dice(u64);

impl Dice {
    /// A number below `n`, by SplitMix64 (Steele, Lea and Flood, 2014).
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

fn dims(shape: &[usize]) -> Vec<Dim> {
    shape.iter().map(|&size| Dim::new(size)).collect()
}

/// The elements as bits: NaN is itself, and the zeros are two.
fn bits(array: &Array) -> (DType, Vec<usize>, Vec<u64>) {
    let values = array.to_vec_f64().into_iter().map(|x| if x.is_nan() { f64::NAN } else { x }.to_bits());
    (array.dtype(), array.shape().to_vec(), values.collect())
}

/// An array of a shape: drawn, in places infinite or NaN, and often a view of another one.
fn array(dice: &mut Dice, shape: &[usize], dtype: DType) -> Array {
    let draw = |shape: &[usize], seed: usize| {
        let drawn = Generator::new(seed as u64).randn(shape, DType::F64).and_then(|array| array.cast(dtype));
        drawn.expect("a small array")
    };
    let seed = dice.below(1000);
    let drawn = match dice.below(4) {
        0 => {
            let order: Vec<usize> = (0..shape.len()).rev().collect();
            let turned: Vec<usize> = shape.iter().rev().copied().collect();
            draw(&turned, seed).permute(&order)
        }
        1 => {
            let wide: Vec<usize> = shape.iter().map(|size| 2 * size + 1).collect();
            let every_other = shape.iter().map(|&len| SliceAxis { start: 1.min(len), step: 2, len });
            draw(&wide, seed).slice(&every_other.collect::<Vec<_>>())
        }
        2 if shape.len() > 1 => draw(&shape[1..], seed).broadcast_to(shape),
        _ => Ok(draw(shape, seed)),
    };
    let drawn = drawn.expect("a view");
    match dice.below(6) {
        0 => drawn.map(
            |x| {
                if x > 1.5 {
                    f32::NAN
                } else if x < -1.5 {
                    f32::INFINITY
                } else {
                    x
                }
            },
            |x| {
                if x > 1.5 {
                    f64::NAN
                } else if x < -1.5 {
                    f64::INFINITY
                } else {
                    x
                }
            },
        ),
        1 => drawn.map(|x| if x > 0.0 { 0.0 } else { -0.0 }, |x| if x > 0.0 { 0.0 } else { -0.0 }),
        _ => Ok(drawn),
    }
    .expect("floats")
}

/// One more value, of some that there are.
fn value(dice: &mut Dice, pool: &[Val]) -> Result<Val> {
    let x = dice.of(pool).clone();
    let axes: Vec<usize> = (0..x.ndim()).filter(|_| dice.below(2) == 0).collect();
    let last = x.ndim().saturating_sub(1);
    match dice.below(22) {
        0 => x.tanh(),
        1 => x.exp(),
        2 => x.abs()?.sqrt(),
        3 => x.step(),
        4 => x.negated(),
        5 => x.powf(2.0),
        6 => &x + dice.of(pool),
        7 => &x - dice.of(pool),
        8 | 9 => &x * dice.of(pool),
        10 => &x / dice.of(pool),
        11 => x.maximum(dice.of(pool)),
        12 => x.sum(&axes, dice.below(2) == 0),
        13 => x.mean(&axes, dice.below(2) == 0),
        14 => x.mean(&[last], true),
        15 if !x.shape().contains(&0) => x.max(&axes, dice.below(2) == 0),
        16 => x.softmax(last),
        17 if !x.shape().contains(&0) => x.logsumexp(&[last], dice.below(2) == 0),
        18 => x.transpose(),
        19 => x.choose(&x.exp()?, dice.of(pool)),
        20 => x.matmul(dice.of(pool)),
        21 => {
            let mut shape = x.shape();
            shape.insert(dice.below(shape.len() + 1), 1);
            x.reshape(&dims(&shape))
        }
        _ => 0.5 * &x,
    }
}

/// A program, and arrays for its inputs.
fn program(dice: &mut Dice, sizes: &[usize]) -> (Vec<Val>, Vec<Array>, Vec<Val>) {
    let dtype = *dice.of(&[DType::F32, DType::F64]);
    let (n, d) = (*dice.of(sizes), *dice.of(sizes));
    let shapes = [vec![n, d], vec![n, d], vec![d], vec![n, 1], vec![], vec![1, d], vec![n], vec![2, n, d]];
    let inputs: Vec<Val> = (0..3 + dice.below(4))
        .map(|_| Val::symbol("x", &dims(dice.of::<Vec<usize>>(&shapes)), dtype))
        .collect();
    let mut pool = inputs.clone();
    for _ in 0..3 + dice.below(14) {
        // What does not fit is left out, and so is what would grow.
        if let Ok(value) = value(dice, &pool)
            && value.shape().iter().product::<usize>() <= 40_000
        {
            pool.push(value);
        }
    }
    let outputs: Vec<Val> =
        (0..1 + dice.below(3)).map(|_| dice.of(&pool).clone()).chain(pool.last().cloned()).collect();
    let arrays = inputs.iter().map(|input| array(dice, &input.shape(), dtype)).collect();
    (inputs, arrays, outputs)
}

/// Both ways to run a program.
fn assert_same(inputs: &[Val], arrays: &[Array], outputs: &[Val], what: &str) {
    let [from, to] = [inputs, outputs].map(|values| values.iter().collect::<Vec<_>>());
    let function = Function::new(&from, &to, &[]).expect("symbols only");
    let expected = function.call_by(arrays, &mut |op, _, inputs| op.forward(inputs));
    for _ in 0..3 {
        match (function.call(arrays), &expected) {
            (Ok(found), Ok(expected)) => {
                for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
                    assert_eq!(bits(found), bits(expected), "{what}: output {k}, {:?}", to[k]);
                }
            }
            (found, expected) => {
                assert_eq!(
                    found.err().map(|e| e.to_string()),
                    expected.as_ref().err().map(|e| e.to_string()),
                    "{what}"
                );
            }
        }
    }
}

fn random_programs(seeds: std::ops::Range<u64>, sizes: &[usize]) {
    for seed in seeds {
        let mut dice = Dice(seed);
        let (inputs, arrays, mut outputs) = program(&mut dice, sizes);
        assert_same(&inputs, &arrays, &outputs, &format!("seed {seed}"));
        // And the gradients of all outputs together.
        let cotangents: Vec<Val> =
            outputs.iter().map(|y| Val::new(array(&mut dice, &y.shape(), y.dtype()))).collect();
        let pairs: Vec<(&Val, &Val)> = outputs.iter().zip(&cotangents).collect();
        let gradients = pullback(&pairs, &inputs.iter().collect::<Vec<_>>(), &[]).expect("rules");
        outputs.extend(gradients.into_iter().flatten());
        assert_same(&inputs, &arrays, &outputs, &format!("gradients of seed {seed}"));
    }
}

#[test]
fn small_programs() {
    random_programs(0..600, &[1, 2, 3, 5]);
}

#[test]
fn programs_of_many_tiles() {
    random_programs(10_000..10_060, &[1, 3, 40, 300, 2100]);
}

#[test]
fn programs_of_no_elements() {
    random_programs(20_000..20_100, &[0, 1, 3]);
}

#[test]
fn every_sample_of_the_op_table() {
    for sample in table().iter().flat_map(|op| (op.entry.samples)()) {
        for dtype in [DType::F32, DType::F64] {
            let cast = |x: &Array| if x.dtype().is_float() { x.cast(dtype) } else { Ok(x.clone()) };
            let arrays: Vec<Array> = sample.inputs.iter().map(|x| cast(x).expect("numbers")).collect();
            let inputs: Vec<Val> = arrays.iter().cloned().map(Val::new).collect();
            let output = (sample.build)(&inputs).expect("a sample");
            assert_same(&inputs, &arrays, &[output], sample.label);
        }
    }
}

/// The gradients of a layer normalisation are computed in one pass: nothing but its inputs and outputs is an array.
#[test]
fn a_layer_normalisation_holds_nothing_in_between() {
    let (n, d) = (64, 512);
    let symbols = |shape: &[usize]| Val::symbol("x", &dims(shape), DType::F32);
    let inputs = [symbols(&[n, d]), symbols(&[d]), symbols(&[d]), symbols(&[n, d])];
    let y = inputs[0].layer_norm(Some(&inputs[1]), Some(&inputs[2]), 1e-5).expect("shapes that fit");
    let from: Vec<&Val> = inputs.iter().take(3).collect();
    let gradients = pullback(&[(&y, &inputs[3])], &from, &[]).expect("rules");
    let outputs: Vec<Val> = gradients.into_iter().flatten().chain([y]).collect();
    let arrays: Vec<Array> = inputs.iter().map(|x| array(&mut Dice(7), &x.shape(), DType::F32)).collect();
    assert_same(&inputs, &arrays, &outputs, "layer_norm");
}
