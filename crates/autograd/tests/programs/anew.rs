//! Graphs that are built anew: cotangents of a structure that was met before are those that the rules give, to the last bit, and of no
//! other structure.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_network::Dim;
use pullback_ops::{Result, Val, table};

/// Cotangents of the sum of what is built, of first and of second order, as bits, beside how they are written.
type Told = (Vec<Option<Vec<u64>>>, Vec<String>);

fn told(arrays: &[Array], build: &dyn Fn(&[Val]) -> Result<Val>) -> Result<Told> {
    let inputs: Vec<Val> = arrays.iter().cloned().map(Val::new).collect();
    let y = build(&inputs)?;
    let from: Vec<&Val> = inputs.iter().filter(|x| x.dtype().is_float()).collect();
    let cotangent = Val::new(Generator::new(5).randn(&y.shape(), DType::F64)?.cast(y.dtype())?);
    let mut all = pullback(&[(&y, &cotangent)], &from, &[])?;
    if let Some(first) = all.iter().flatten().next().cloned() {
        let other = Val::new(Generator::new(6).randn(&first.shape(), DType::F64)?.cast(first.dtype())?);
        // Some derivatives do not exist at this order.
        all.extend(pullback(&[(&first, &other)], &from, &[]).unwrap_or_default());
    }
    let bits = |value: &Val| -> Result<Vec<u64>> {
        Ok(value.array()?.to_vec_f64().into_iter().map(f64::to_bits).collect())
    };
    let written = all.iter().flatten().map(|value| format!("{value:?}")).collect();
    Ok((all.iter().map(|value| value.as_ref().map(bits).transpose()).collect::<Result<_>>()?, written))
}

/// The same where nothing was met before.
fn from_the_rules(arrays: &[Array], build: &(dyn Fn(&[Val]) -> Result<Val> + Sync)) -> Result<Told> {
    std::thread::scope(|scope| scope.spawn(|| told(arrays, &|x| build(x))).join().expect("no panic"))
}

#[test]
fn every_sample_of_the_op_table() -> Result<()> {
    for sample in table().iter().flat_map(|op| (op.entry.samples)()) {
        for turn in 0..4 {
            // Other numbers each time, of the same signs.
            let of = |x: &Array| {
                if x.dtype().is_float() {
                    x.map(|x| x, |x| x * (1.0 + 0.01 * f64::from(turn)))
                } else {
                    Ok(x.clone())
                }
            };
            let arrays: Vec<Array> = sample.inputs.iter().map(of).collect::<pullback_array::Result<_>>()?;
            let Ok(expected) = from_the_rules(&arrays, &sample.build) else { continue };
            assert_eq!(told(&arrays, &|x| (sample.build)(x))?, expected, "{}, turn {turn}", sample.label);
        }
    }
    Ok(())
}

/// Programs that differ in one thing each, met in turns.
#[test]
fn what_differs_is_another_structure() -> Result<()> {
    type Build = fn(&[Val]) -> Result<Val>;
    let programs: &[(&str, Build)] = &[
        ("a product", |x| &x[0] * &x[1]),
        ("of the other one", |x| &x[1] * &x[0]),
        ("with itself", |x| &x[0] * &x[0]),
        ("a quotient", |x| &x[0] / &x[1]),
        ("a square", |x| x[0].powf(2.0)),
        ("a cube", |x| x[0].powf(3.0)),
        ("a number", |x| 2.0 * &x[0]),
        ("its negative", |x| -2.0 * &x[0]),
        ("zero", |x| 0.0 * &x[0]),
        ("and the other zero", |x| -0.0 * &x[0]),
        ("a number with a name", |x| &Val::number(3.0, DType::F64).named("n") * &x[0]),
        ("and without", |x| &Val::number(3.0, DType::F64) * &x[0]),
        ("along rows", |x| x[0].softmax(0)),
        ("along columns", |x| x[0].softmax(1)),
        ("a sum of rows", |x| x[0].sum(&[0], false)),
        ("of columns", |x| x[0].sum(&[1], false)),
        ("a mean", |x| x[0].mean(&[1], false)),
        ("a matrix product", |x| x[0].matmul(&x[1])),
        ("the other way round", |x| x[1].matmul(&x[0])),
        ("of one", |x| x[0].matmul(&x[0])),
        ("what is held", |x| &x[0] * &x[1].stop_gradient()?),
        ("and what is not", |x| &x[0] * &x[1].copy()?),
        ("a function", |x| x[0].tanh()),
        ("another one", |x| x[0].exp()),
        ("a value twice", |x| {
            let y = x[0].tanh()?;
            &y * &y
        }),
        ("and two values", |x| &x[0].tanh()? * &x[0].tanh()?),
        ("a size with a name", |x| x[0].reshape(&[Dim::named("m", 9)])?.mean_all()),
        ("and without", |x| x[0].reshape(&[Dim::new(9)])?.mean_all()),
    ];
    let mut generator = Generator::new(3);
    for turn in 0..4 {
        let draw = |_| generator.randn(&[3, 3], DType::F64);
        let arrays: Vec<Array> = (0..2).map(draw).collect::<pullback_array::Result<_>>()?;
        for (name, build) in programs {
            assert_eq!(told(&arrays, &|x| build(x))?, from_the_rules(&arrays, build)?, "{name}, turn {turn}");
        }
    }
    Ok(())
}

/// Which values are asked for, and which are fixed, is part of what is asked.
#[test]
fn what_is_asked_is_part_of_the_structure() -> Result<()> {
    let ask = |turn: usize| -> Result<Vec<Vec<Option<f64>>>> {
        let [a, b] = [2.0, 3.0 + turn as f64].map(|x| Val::number(x, DType::F64).copy());
        let (a, b) = (a?, b?);
        let middle = (&a * &b)?;
        let y = (&middle * &a)?;
        let one = Val::number(1.0, DType::F64);
        let numbers = |wrt: &[&Val], fixed: &[&Val]| -> Result<Vec<Option<f64>>> {
            let found = pullback(&[(&y, &one)], wrt, fixed)?;
            found
                .iter()
                .map(|value| Ok(value.as_ref().map(Val::array).transpose()?.map(Array::item).transpose()?))
                .collect()
        };
        [
            numbers(&[&a, &b], &[]),
            numbers(&[&b, &a], &[]),
            numbers(&[&a, &b], &[&middle]),
            numbers(&[&middle, &b], &[]),
        ]
        .into_iter()
        .collect()
    };
    for turn in 0..4 {
        let (a, b) = (2.0, 3.0 + turn as f64);
        let [by_a, by_b] = [Some(2.0 * a * b), Some(a * a)];
        let expected = vec![vec![by_a, by_b], vec![by_b, by_a], vec![Some(a * b), None], vec![Some(a), by_b]];
        assert_eq!(ask(turn)?, expected, "turn {turn}");
    }
    Ok(())
}
