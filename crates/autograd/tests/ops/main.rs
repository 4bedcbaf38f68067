//! One test walks the op table: every operation, on every sample, must be what its rule says. Another one does the same
//! for operations that are in no table, each made to be awkward.
//!
//! The witnesses: finite differences of the forward pass for the first derivative, finite differences of each derivative
//! for the next one up to the third order, the adjoint identity between the two products, reverse mode against the
//! network, single against double precision, and the closure law.

mod awkward;

use std::collections::HashSet;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{Function, grad, jacobian, jvp, pullback};
use pullback_network::Value;
use pullback_ops::{Origin, Result, Sample, Val, find, table};

/// An array of a value's shape, drawn anew for each `salt`.
fn probe(like: &Val, salt: u64) -> Val {
    let array =
        Generator::new(salt).randn(&like.shape(), DType::F64).and_then(|array| array.cast(like.dtype()));
    Val::new(array.expect("a small array"))
}

fn dot(a: &Val, b: &Val) -> Result<Val> {
    (a * b)?.sum_all()
}

fn number(value: &Val) -> f64 {
    value.array().and_then(|array| Ok(array.item()?)).expect("a scalar")
}

/// The derivative of a scalar along a direction, by central differences extrapolated once; its error is O(h⁴).
fn slope(scalar: &Val, x: &Val, direction: &Val) -> f64 {
    let function = Function::new(&[x], &[scalar], &[]).expect("a program with numbers");
    let (at, along) = (x.array().expect("numbers"), direction.array().expect("numbers"));
    let difference = |h: f64| {
        let moved = |h: f64| at.zip(along, "step", |_, _| 0.0, |x, d| x + h * d).expect("equal shapes");
        let value = |h: f64| function.call(&[moved(h)]).expect("a forward pass")[0].item().expect("a scalar");
        (value(h) - value(-h)) / (2.0 * h)
    };
    (4.0 * difference(5e-4) - difference(1e-3)) / 3.0
}

fn assert_close(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what}: {got} instead of {expected}");
}

fn inputs(sample: &Sample, dtype: DType) -> Vec<Val> {
    let cast = |x: &Array| if x.dtype().is_float() { x.cast(dtype).expect("a float") } else { x.clone() };
    sample.inputs.iter().map(|x| Val::new(cast(x))).collect()
}

fn operations(value: &Val, names: &mut HashSet<&'static str>) {
    let mut pending = vec![value.clone()];
    let mut seen = HashSet::new();
    while let Some(value) = pending.pop() {
        if let Origin::Call(op, inputs) = value.origin()
            && seen.insert(value.id())
        {
            names.insert(op.name());
            pending.extend(inputs.iter().cloned());
        }
    }
}

/// `known` are names that may occur in derivatives although they are in no table.
fn check(sample: &Sample, known: &[&str]) -> Result<()> {
    let label = sample.label;
    let xs = inputs(sample, DType::F64);
    let y = (sample.build)(&xs)?;
    assert_eq!(y.array()?.shape(), y.shape(), "{label}: the shape rule and the forward pass");
    assert_eq!(y.array()?.dtype(), y.dtype(), "{label}: the shape rule and the forward pass");

    let v = probe(&y, 1);
    let single = inputs(sample, DType::F32);
    let y32 = (sample.build)(&single)?;
    assert_eq!(y32.dtype(), DType::F32, "{label}");
    let largest = y.array()?.max_abs().max(1.0);
    for (single, double) in y32.array()?.to_vec_f64().iter().zip(y.array()?.to_vec_f64()) {
        assert!((single - double).abs() <= 2e-5 * largest, "{label}: in f32 {single} instead of {double}");
    }
    let g32 = pullback(
        &[(&y32, &Val::new(v.array()?.cast(DType::F32)?))],
        &single.iter().collect::<Vec<_>>(),
        &[],
    )?;

    for (k, x) in xs.iter().enumerate() {
        let what = format!("{label}, input {k}");
        let jacobian = jacobian(&y, x, &[])?;
        let dense = jacobian.to_dense()?;
        assert!(dense.array()?.all_finite(), "{what}: {:?}", dense.array()?.to_vec_f64());

        // The adjoint identity ⟨v, J u⟩ = ⟨Jᵀ v, u⟩, by the network and by both modes of autograd.
        let u = probe(x, 2 + k as u64);
        let zero = || Val::number(0.0, DType::F64);
        let forward = jacobian.jvp(&u)?.map_or_else(|| Ok(zero()), |t| dot(&t, &v))?;
        let backward = jacobian.vjp(&v)?.map_or_else(|| Ok(zero()), |t| dot(&t, &u))?;
        // Sums of this many products, each of about this size.
        let products = (y.shape().iter().product::<usize>() * x.shape().iter().product::<usize>()) as f64;
        let rounding = 8.0 * f64::EPSILON * dense.array()?.max_abs().max(1.0) * products.max(1.0);
        assert_close(number(&forward), number(&backward), rounding, &format!("{what}: the adjoint identity"));
        let mode = jvp(&y, &[(x, &u)])?.map_or_else(|| Ok(zero()), |t| dot(&t, &v))?;
        assert_close(number(&mode), number(&forward), rounding, &format!("{what}: forward mode"));

        // All entries against the contraction with each.
        let count: usize = y.shape().iter().product();
        let rows = dense.array()?.to_vec_f64();
        let width = x.shape().iter().product::<usize>();
        let weighted: f64 = (0..count * width)
            .map(|at| {
                rows[at]
                    * v.array().map_or(0.0, |v| v.to_vec_f64()[at / width])
                    * u.array().map_or(0.0, |u| u.to_vec_f64()[at % width])
            })
            .sum();
        assert_close(weighted, number(&forward), rounding, &format!("{what}: all entries"));

        // Derivatives of one order after the other against differences of the one before.
        let mut scalar = dot(&y, &v)?;
        for order in 1..=3 {
            let gradient = grad(&scalar, &[x])?.remove(0);
            assert_eq!(gradient.dims(), x.dims(), "{what}");
            let mut names = HashSet::new();
            operations(&gradient, &mut names);
            for name in names {
                assert!(
                    find(name).is_some() || known.contains(&name),
                    "{what}: the derivative of order {order} uses `{name}`, which is in no table"
                );
            }
            let direction = probe(x, 10 + order);
            let got = dot(&gradient, &direction)?;
            if !sample.kink {
                let expected = slope(&scalar, x, &direction);
                // The steps are 10⁻³: what is left of h⁴ is about 10⁻¹², and rounding of the scalar adds ε/h.
                let scale = gradient.array()?.max_abs().max(scalar.array()?.max_abs()).max(1.0);
                assert_close(number(&got), expected, 1e-9 * scale, &format!("{what}: order {order}"));
            }
            scalar = dot(&gradient, &probe(x, 20 + order))?;
        }

        // A derivative keeps the dtype of its program.
        let g = grad(&dot(&y, &v)?, &[x])?.remove(0);
        let expected = g.array()?.to_vec_f64();
        let got = match &g32[k] {
            Some(g) => {
                assert_eq!(g.dtype(), DType::F32, "{what}: the gradient of a single-precision program");
                g.array()?.to_vec_f64()
            }
            None => vec![0.0; expected.len()],
        };
        let largest = expected.iter().fold(1.0f64, |m, e| m.max(e.abs()));
        for (got, expected) in got.iter().zip(&expected) {
            assert!((got - expected).abs() <= 2e-5 * largest, "{what}: f32 {got} instead of {expected}");
        }
    }
    Ok(())
}

#[test]
fn every_operation_is_what_its_rule_says() {
    for op in table() {
        let samples = (op.entry.samples)();
        assert!(!samples.is_empty(), "{} has no sample", op.name);
        for sample in &samples {
            if let Err(error) = check(sample, &[]) {
                panic!("{}: {error}", sample.label);
            }
        }
    }
}

#[test]
fn every_page_says_something_under_each_heading() {
    for op in table() {
        for heading in ["", "Formula", "Jacobian", "Domain", "At kinks and ties", "Why"] {
            assert!(!op.page(heading).is_empty(), "{} says nothing under `{heading}`", op.name);
        }
    }
}

#[test]
fn the_same_shape_carries_awkward_operations() {
    for sample in awkward::samples() {
        if let Err(error) = check(&sample, &awkward::NAMES) {
            panic!("{}: {error}", sample.label);
        }
    }
}

/// What is not taken stays out of second derivatives too, where the choice goes on through what is not linear.
#[test]
fn a_branch_that_is_not_taken() -> Result<()> {
    let x = Val::new(Array::from_slice(&[3], &[0.0, 0.7, -0.4])?);
    let taken = (&x - 0.5)?.step()?;
    let chosen = taken.choose(&x.log()?, &x.powf(2.0)?)?;
    let loss = chosen.powf(2.0)?.sum_all()?;
    let gradient = grad(&loss, &[&x])?.remove(0);
    assert!(gradient.array()?.all_finite(), "first order: {:?}", gradient.array()?);
    let probe = Val::new(Array::from_slice(&[3], &[1.0, 2.0, 3.0])?);
    let second = grad(&dot(&gradient, &probe)?, &[&x])?.remove(0);
    assert!(second.array()?.all_finite(), "reverse mode: {:?}", second.array()?);
    let forward = jvp(&gradient, &[(&x, &probe)])?.expect("it depends on x");
    assert!(forward.array()?.all_finite(), "forward mode: {:?}", forward.array()?);
    let dense = jacobian(&gradient, &x, &[])?.to_dense()?;
    assert!(dense.array()?.all_finite(), "the Jacobian: {:?}", dense.array()?);
    // (ln x)² has the second derivative 2 (1 − ln x) / x², and x⁴ has 12 x².
    let expected = [0.0, 2.0 * (1.0 - 0.7f64.ln()) / 0.49, 12.0 * 0.16];
    for (k, expected) in expected.into_iter().enumerate() {
        assert_close(dense.array()?.to_vec_f64()[4 * k], expected, 1e-13, "the second derivative");
    }
    Ok(())
}
