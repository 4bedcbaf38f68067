//! Loops against the same program written out step by step: values, both modes, Jacobians, and second derivatives.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{Body, Scanned, grad, jacobian, jvp, scan};
use pullback_network::Dim;
use pullback_ops::{AxisIndex, Result, Val};

const STEPS: usize = 5;

/// Inputs of a recurrent layer with a gate: h ← sigmoid(x_t · u) ∗ h + tanh(h W), with outputs h² for each step.
struct Layer {
    h: Val,
    x: Val,
    w: Val,
    u: Val,
}

fn layer() -> Layer {
    let mut generator = Generator::new(3);
    let mut draw = |shape: &[usize], name: &str| {
        Val::new(generator.randn(shape, DType::F64).expect("small")).named(name)
    };
    Layer { h: draw(&[3], "h0"), x: draw(&[STEPS, 2], "X"), w: draw(&[3, 3], "W"), u: draw(&[2], "u") }
}

fn step(h: &Val, x: &Val, w: &Val, u: &Val) -> Result<(Val, Val)> {
    let gate = x.matmul(u)?.sigmoid()?;
    let next = (&(&gate * h)? + &h.matmul(w)?.tanh()?)?;
    let squared = next.powf(2.0)?;
    Ok((next, squared))
}

fn looped(layer: &Layer) -> Result<Scanned> {
    let symbol = |value: &Val, dims: &[Dim], name: &str| Val::symbol(name, dims, value.dtype());
    let [h, x, w, u] = [
        symbol(&layer.h, layer.h.dims(), "h"),
        symbol(&layer.x, &layer.x.dims()[1..], "x"),
        symbol(&layer.w, layer.w.dims(), "w"),
        symbol(&layer.u, layer.u.dims(), "u"),
    ];
    let (next, squared) = step(&h, &x, &w, &u)?;
    let body = Body {
        step: Val::symbol("t", &[], DType::I64),
        carries: vec![h],
        stacked: vec![x],
        shared: vec![w, u],
        next: vec![next],
        yields: vec![squared],
    };
    scan(body, Dim::new(STEPS), &[&layer.h], &[&layer.x], &[&layer.w, &layer.u])
}

fn unrolled(layer: &Layer) -> Result<Scanned> {
    let mut h = layer.h.clone();
    let mut all = Vec::new();
    for at in 0..STEPS {
        let x = layer.x.index(&[AxisIndex::At(at), AxisIndex::whole(layer.x.dims()[1])])?;
        let (next, squared) = step(&h, &x, &layer.w, &layer.u)?;
        all.push(squared.reshape(&[Dim::new(1), Dim::new(3)])?);
        h = next;
    }
    Ok(Scanned { last: vec![h], all: vec![Val::concat(&all.iter().collect::<Vec<_>>(), 0)?] })
}

/// A loss that sees the last carry and, with other weights, what each step yields.
fn loss(scanned: &Scanned) -> Result<Val> {
    let weights = Array::arange(STEPS * 3)?.cast(DType::F64)?.reshape(&[STEPS, 3])?;
    let all = (&scanned.all[0] * &Val::new(weights))?.sum_all()?;
    &scanned.last[0].powf(3.0)?.sum_all()? + &all
}

fn close(a: &Array, b: &Array) {
    assert_eq!(a.shape(), b.shape());
    for (a, b) in a.to_vec_f64().iter().zip(b.to_vec_f64()) {
        assert!((a - b).abs() <= 1e-11 * (1.0 + b.abs()), "{a} instead of {b}");
    }
}

fn inputs(layer: &Layer) -> [&Val; 4] {
    [&layer.h, &layer.x, &layer.w, &layer.u]
}

#[test]
fn a_loop_is_what_its_steps_are() -> Result<()> {
    let layer = layer();
    let (a, b) = (looped(&layer)?, unrolled(&layer)?);
    close(a.last[0].array()?, b.last[0].array()?);
    close(a.all[0].array()?, b.all[0].array()?);
    Ok(())
}

#[test]
fn gradients_of_the_loop_are_those_of_its_steps_to_the_second_order() -> Result<()> {
    let layer = layer();
    let gradients = |scanned: Scanned| grad(&loss(&scanned)?, &inputs(&layer));
    let (a, b) = (gradients(looped(&layer)?)?, gradients(unrolled(&layer)?)?);
    for (a, b) in a.iter().zip(&b) {
        close(a.array()?, b.array()?);
        let second = |first: &Val| grad(&first.powf(2.0)?.sum_all()?, &inputs(&layer));
        for (a, b) in second(a)?.iter().zip(second(b)?) {
            close(a.array()?, b.array()?);
        }
    }
    Ok(())
}

#[test]
fn tangents_and_jacobians_of_the_loop_are_those_of_its_steps() -> Result<()> {
    let layer = layer();
    let (a, b) = (looped(&layer)?, unrolled(&layer)?);
    for input in inputs(&layer) {
        let tangent = Val::new(Generator::new(9).randn(&input.shape(), DType::F64)?);
        for (a, b) in [(&a.last[0], &b.last[0]), (&a.all[0], &b.all[0])] {
            let pushed =
                |y: &Val| Ok::<_, pullback_ops::Error>(jvp(y, &[(input, &tangent)])?.expect("it depends"));
            close(pushed(a)?.array()?, pushed(b)?.array()?);
            let dense = |y: &Val| jacobian(y, input, &[])?.to_dense();
            close(dense(a)?.array()?, dense(b)?.array()?);
        }
    }
    Ok(())
}

#[test]
fn the_formula_of_a_loop_speaks_of_the_loop_and_not_of_its_steps() -> Result<()> {
    let layer = layer();
    let jacobian = jacobian(&loss(&looped(&layer)?)?, &layer.w, &[])?;
    assert!(jacobian.formula().contains("∂scan(h0, X, W, u)/∂W"), "{}", jacobian.formula());
    Ok(())
}

/// A value that a loop reads at two places, as its start and in each step, has one Jacobian: the sum over its places.
#[test]
fn what_a_loop_reads_twice_has_one_jacobian() -> Result<()> {
    let layer = layer();
    let (h, a) = (Val::symbol("h", layer.h.dims(), DType::F64), Val::symbol("a", layer.h.dims(), DType::F64));
    let step = |h: &Val| (&h.tanh()? + &layer.h)?.sin();
    let body = Body {
        step: Val::symbol("t", &[], DType::I64),
        next: vec![(&h.tanh()? + &a)?.sin()?],
        yields: vec![],
        carries: vec![h],
        stacked: vec![],
        shared: vec![a],
    };
    let looped = scan(body, Dim::new(STEPS), &[&layer.h], &[], &[&layer.h])?.last.remove(0).named("h");
    let unrolled = (0..STEPS).try_fold(layer.h.clone(), |h, _| step(&h))?;
    let [a, b] = [jacobian(&looped, &layer.h, &[])?, jacobian(&unrolled, &layer.h, &[])?];
    assert_eq!(a.formula(), "(∂h/∂h0)_im");
    close(a.to_dense()?.array()?, b.to_dense()?.array()?);
    let tangent = Val::new(Generator::new(9).randn(&[3], DType::F64)?);
    let pushed =
        |y: &Val| Ok::<_, pullback_ops::Error>(jvp(y, &[(&layer.h, &tangent)])?.expect("it depends"));
    close(pushed(&looped)?.array()?, pushed(&unrolled)?.array()?);
    let pulled =
        |y: &Val| Ok::<_, pullback_ops::Error>(grad(&(y * &tangent)?.sum_all()?, &[&layer.h])?.remove(0));
    close(pulled(&looped)?.array()?, pulled(&unrolled)?.array()?);
    Ok(())
}

/// What the body is given and does not read has no share in the derivative.
#[test]
fn a_loop_is_given_what_it_reads() -> Result<()> {
    let (h, a) = (Val::symbol("h", &[], DType::F64), Val::symbol("a", &[], DType::F64));
    let unread = Val::symbol("b", &[], DType::F64);
    let body = Body {
        step: Val::symbol("t", &[], DType::I64),
        next: vec![(&a * &h)?],
        yields: vec![],
        carries: vec![h],
        stacked: vec![],
        shared: vec![a, unread],
    };
    let (start, factor) = (Val::symbol("h0", &[], DType::F64), Val::symbol("c", &[], DType::F64));
    let last = scan(body, Dim::new(3), &[&start], &[], &[&factor, &factor])?.last.remove(0);
    assert_eq!(jacobian(&last, &factor, &[])?.formula(), "(∂scan(h0, c)/∂c)");
    Ok(())
}

#[test]
fn a_loop_of_no_steps_is_its_start() -> Result<()> {
    let (h, a) = (Val::symbol("h", &[], DType::F64), Val::symbol("a", &[], DType::F64));
    let body = Body {
        step: Val::symbol("t", &[], DType::I64),
        next: vec![(&a * &h)?],
        yields: vec![h.clone()],
        carries: vec![h],
        stacked: vec![],
        shared: vec![a],
    };
    let number = |x: f64| Array::scalar(x, DType::F64).map(Val::new);
    let (start, factor) = (number(2.0)?, number(3.0)?);
    let scanned = scan(body, Dim::new(0), &[&start], &[], &[&factor])?;
    assert_eq!(scanned.last[0].array()?.item()?, 2.0);
    assert_eq!(scanned.all[0].shape(), [0]);
    let gradients = grad(&scanned.last[0], &[&start, &factor])?;
    assert_eq!(gradients[0].array()?.item()?, 1.0);
    assert_eq!(gradients[1].array()?.item()?, 0.0);
    Ok(())
}

#[test]
fn carries_keep_their_shape() {
    let (h, a) = (Val::symbol("h", &[Dim::new(2)], DType::F64), Val::symbol("a", &[], DType::F64));
    let body = Body {
        step: Val::symbol("t", &[], DType::I64),
        next: vec![h.sum_all().expect("a sum")],
        yields: vec![],
        carries: vec![h],
        stacked: vec![],
        shared: vec![a],
    };
    let given = Val::new(Array::zeros(&[2], DType::F64).expect("small"));
    let number = Val::new(Array::scalar(1.0, DType::F64).expect("small"));
    let error = scan(body, Dim::new(2), &[&given], &[], &[&number]).expect_err("the carry becomes a scalar");
    assert!(error.to_string().contains("`h` is f64 [2] and becomes f64 []"), "{error}");
}
