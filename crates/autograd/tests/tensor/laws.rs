//! What holds of tensors whatever PyTorch does: every operation of the table works on them, nothing recurses as deep as a
//! graph is, a pass that fails changes nothing.

use std::collections::HashSet;

use expect_test::expect;
use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_autograd::tensor::{
    ErrorKind, Pass, Result, Tensor, enable_grad, grad, is_grad_enabled, no_grad,
};
use pullback_ops::{Sample, Val, table};

fn leaf(data: &[f64]) -> Tensor {
    let tensor = Tensor::from_slice(&[data.len()], data).expect("as many numbers as the shape has elements");
    tensor.requires_grad_(true).expect("floats")
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.array().to_vec_f64()
}

/// The inputs of a sample, those that can be differentiated as leaves that require gradients; and a cotangent of the result.
fn prepared(sample: &Sample, inputs: &[Array]) -> Result<(Vec<Tensor>, Tensor, Tensor)> {
    let tensor = |array: &Array| {
        let tensor = Tensor::new(array.clone());
        if array.dtype().is_float() { tensor.requires_grad_(true) } else { Ok(tensor) }
    };
    let tensors: Vec<Tensor> = inputs.iter().map(tensor).collect::<Result<_>>()?;
    let y = Tensor::apply(&tensors.iter().collect::<Vec<_>>(), |values| (sample.build)(values))?;
    let cotangent = Tensor::new(Generator::new(5).randn(&y.shape(), DType::F64)?);
    Ok((tensors, y, cotangent))
}

/// Every operation, on every sample: the gradients of tensors are those of values. A second pass goes through where, and only
/// where, no rule reads a value: then the gradients are those at any other point too.
#[test]
fn every_operation_of_the_table() -> Result<()> {
    let (mut through, mut refused) = (HashSet::new(), HashSet::new());
    for (op, sample) in
        table().iter().flat_map(|op| (op.entry.samples)().into_iter().map(move |sample| (op, sample)))
    {
        let (tensors, y, cotangent) = prepared(&sample, &sample.inputs)?;
        let values: Vec<Val> = sample.inputs.iter().cloned().map(Val::new).collect();
        let by_values = pullback(
            &[(&(sample.build)(&values)?, &Val::new(cotangent.array()))],
            &values.iter().collect::<Vec<_>>(),
            &[],
        )?;
        y.backward_with(&cotangent)?;
        for (tensor, expected) in tensors.iter().zip(by_values) {
            let Ok(gradient) = tensor.grad() else {
                assert!(expected.is_none(), "{}: no gradient", sample.label);
                continue;
            };
            let expected = match expected {
                Some(expected) => expected.array()?.to_vec_f64(),
                None => vec![0.0; numbers(tensor).len()],
            };
            let same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
            assert!(
                numbers(&gradient).iter().zip(&expected).all(same),
                "{}: {gradient} {expected:?}",
                sample.label
            );
        }

        let first: Vec<Option<Vec<f64>>> =
            tensors.iter().map(|x| x.grad().ok().map(|g| numbers(&g))).collect();
        tensors.iter().for_each(Tensor::zero_grad);
        match y.backward_with(&cotangent) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Freed, "{}: {error}", sample.label);
                refused.insert(op.name);
            }
            Ok(()) => {
                let again: Vec<Option<Vec<f64>>> =
                    tensors.iter().map(|x| x.grad().ok().map(|g| numbers(&g))).collect();
                // The products of matrices may be summed in another order where their operands lie elsewhere in memory.
                let near = |(a, b): (&f64, &f64)| {
                    (a - b).abs() <= 1e-14 * (1.0 + b.abs()) || a == b || (a.is_nan() && b.is_nan())
                };
                let alike = again.iter().zip(&first).all(|pair| match pair {
                    (Some(again), Some(first)) => again.iter().zip(first).all(near),
                    (again, first) => again.is_none() && first.is_none(),
                });
                assert!(alike, "{}: the second pass: {again:?}, and {first:?}", sample.label);
                let elsewhere = |x: &Array| {
                    if x.dtype().is_float() {
                        x.map(|x| x * 1.25 + 0.5, |x| x * 1.25 + 0.5)
                    } else {
                        Ok(x.clone())
                    }
                };
                let inputs: Vec<Array> =
                    sample.inputs.iter().map(elsewhere).collect::<std::result::Result<_, _>>()?;
                let (tensors, y, _) = prepared(&sample, &inputs)?;
                y.backward_with(&cotangent)?;
                let there: Vec<Option<Vec<f64>>> =
                    tensors.iter().map(|x| x.grad().ok().map(|g| numbers(&g))).collect();
                assert_eq!(there, first, "{}: a linear operation has one Jacobian", sample.label);
                through.insert(op.name);
            }
        }
    }
    for name in [
        "add",
        "sub",
        "neg",
        "sum",
        "mean",
        "reshape",
        "permute",
        "transpose",
        "index",
        "trace",
        "diag",
        "vec",
        "gather",
    ] {
        assert!(through.contains(name), "{name} reads nothing");
    }
    for name in ["mul", "div", "exp", "matmul", "softmax", "tanh", "pow", "inv", "logsumexp", "relu"] {
        assert!(refused.contains(name), "{name} reads something");
    }
    Ok(())
}

/// A value that an operation brings along is read like any other.
#[test]
fn a_value_that_is_no_operand() -> Result<()> {
    let (x, scale) = (leaf(&[1.0, 2.0]), Val::new(Array::from_slice(&[2], &[3.0, 4.0])?));
    let loss = x.map(|x| (x * &scale)?.sum_all())?;
    loss.backward()?;
    assert_eq!(numbers(&x.grad()?), [3.0, 4.0]);
    assert_eq!(loss.backward().expect_err("the scale was freed").kind(), ErrorKind::Freed);
    Ok(())
}

/// A tensor that is put in the place of another one stays what it is: each keeps its own gradient.
#[test]
fn a_tensor_in_the_place_of_another() -> Result<()> {
    let x = leaf(&[0.5, 1.0]);
    let (y, z) = (Tensor::from_slice(&[2], &[0.0, 0.0])?, x.exp()?);
    y.update(|_| Ok(z.clone()))?;
    y.retain_grad()?;
    z.retain_grad()?;
    (&y + &(2.0 * &z)?)?.sum()?.backward()?;
    assert_eq!((numbers(&y.grad()?), numbers(&z.grad()?)), (vec![1.0, 1.0], vec![3.0, 3.0]));
    // And a change of one is none of the other.
    y.add_(&y.detach())?;
    assert_eq!(numbers(&z), [0.5f64.exp(), 1f64.exp()]);
    Ok(())
}

/// 20,000 operations: neither the pass nor the end of the graph recurses.
#[test]
fn a_long_chain() -> Result<()> {
    let x = leaf(&[0.5, -0.25]);
    let mut y = x.clone();
    for _ in 0..20_000 {
        y = (&y + 1e-5)?;
    }
    y.pow(2.0)?.sum()?.backward()?;
    let (gradient, y) = (numbers(&x.grad()?), numbers(&y));
    assert_eq!(gradient, [2.0 * y[0], 2.0 * y[1]]);
    Ok(())
}

/// 2⁶⁰ ways lead from the result to the leaf; each node is visited once.
#[test]
fn a_node_is_visited_once() -> Result<()> {
    let x = leaf(&[1.0]);
    let mut y = x.clone();
    for _ in 0..60 {
        y = (&y + &y)?;
    }
    y.backward()?;
    assert_eq!(numbers(&x.grad()?), [2f64.powi(60)]);
    Ok(())
}

/// The way to `a` is free, that to `b` was freed: nothing is added to either.
#[test]
fn a_pass_that_fails_changes_nothing() -> Result<()> {
    let (a, b) = (leaf(&[1.0]), leaf(&[2.0]));
    let freed = b.exp()?;
    freed.backward()?;
    b.zero_grad();
    let y = (&a.exp()? + &freed)?;
    y.retain_grad()?;
    assert_eq!(y.backward().expect_err("b's half was freed").kind(), ErrorKind::Freed);
    assert!(a.grad().is_err() && b.grad().is_err() && y.grad().is_err());
    // And `a`'s half was not freed by it.
    assert_eq!(numbers(&Pass::of(&[&y]).grad(&[&a])?[0]), [1f64.exp()]);
    Ok(())
}

/// The Hessian of Σ sin(x)·x², row by row, against its closed form.
#[test]
fn the_hessian_row_by_row() -> Result<()> {
    let x = leaf(&[0.3, -1.2, 2.0]);
    let loss = (&x.map(Val::sin)? * &x.pow(2.0)?)?.sum()?;
    let gradient = Pass::of(&[&loss]).create_graph(true).grad(&[&x])?.remove(0);
    for (k, at) in numbers(&x).into_iter().enumerate() {
        let mut row = [0.0; 3];
        row[k] = 1.0;
        let row = Tensor::from_slice(&[3], &row)?;
        let pass = Pass::of(&[&gradient]).grad_outputs(&[Some(&row)]).retain_graph(true);
        let second = (2.0 - at * at) * at.sin() + 4.0 * at * at.cos();
        for (j, entry) in numbers(&pass.grad(&[&x])?[0]).into_iter().enumerate() {
            let expected = if j == k { second } else { 0.0 };
            assert!((entry - expected).abs() <= 8.0 * f64::EPSILON * expected.abs(), "{entry} {expected}");
        }
    }
    Ok(())
}

/// A gradient has the dtype of its tensor, whatever it met on the way.
#[test]
fn dtypes() -> Result<()> {
    let single = Tensor::from_slice(&[2], &[1.0f32, 2.0])?.requires_grad_(true)?;
    let double = leaf(&[0.1, 0.2]);
    let y = (&single * &double)?;
    assert_eq!(y.dtype(), DType::F64);
    y.backward_with(&Tensor::from_slice(&[2], &[1.0f32, 1.0])?)?;
    assert_eq!((single.grad()?.dtype(), double.grad()?.dtype()), (DType::F32, DType::F64));
    assert_eq!(numbers(&single.grad()?), [f64::from(0.1f32), f64::from(0.2f32)]);
    assert_eq!((2.0 * &single)?.dtype(), DType::F32);
    Ok(())
}

#[test]
fn the_mode_is_that_of_the_innermost_call() {
    assert!(is_grad_enabled());
    no_grad(|| {
        assert!(!is_grad_enabled());
        enable_grad(|| assert!(is_grad_enabled()));
        assert!(!is_grad_enabled());
        // Another thread has a mode of its own.
        assert!(std::thread::spawn(is_grad_enabled).join().is_ok_and(|enabled| enabled));
    });
    let panicked = std::panic::catch_unwind(|| no_grad(|| panic!("a panic of the user's")));
    assert!(panicked.is_err() && is_grad_enabled());
}

/// Passes in several threads add to the gradient of one leaf, and none is lost.
#[test]
fn passes_in_several_threads() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let passes = || -> Result<()> {
        for _ in 0..200 {
            x.pow(2.0)?.sum()?.backward()?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(passes)).collect();
        threads.into_iter().for_each(|thread| assert!(thread.join().is_ok_and(|passed| passed.is_ok())));
    });
    assert_eq!(numbers(&x.grad()?), [2.0 * 800.0, 4.0 * 800.0]);
    Ok(())
}

#[test]
fn shown_as_pytorch_shows_them() -> Result<()> {
    let x = leaf(&[1.0, -0.5]);
    let shown = [x.clone(), x.detach(), x.tanh()?, x.mean()?, no_grad(|| x.sum())?].map(|x| x.to_string());
    expect![[r#"
        tensor([ 1.0000, -0.5000], requires_grad=True)
        tensor([ 1.0000, -0.5000])
        tensor([ 0.7616, -0.4621], grad_fn=<tanh>)
        tensor(0.2500, grad_fn=<mean>)
        tensor(0.5000)"#]]
    .assert_eq(&shown.join("\n"));
    Ok(())
}

/// What each error says, and what it advises.
#[test]
fn errors_say_what_to_do() -> Result<()> {
    let x = leaf(&[1.0, 2.0]);
    let (w, c) = (leaf(&[3.0]), Tensor::from_slice(&[3], &[1.0, 2.0, 3.0])?);
    let y = x.exp()?;
    let loss = y.sum()?;
    let modified = {
        let y = x.exp()?;
        y.add_(&x.detach())?;
        y.sum()?.backward()
    };
    let not_scalar = y.backward();
    let shape = y.backward_with(&c);
    let unused = grad(&[&loss], &[&w]).map(drop);
    loss.backward()?;
    let integers = Tensor::from_slice(&[2], &[1i64, 2])?;
    let errors = [
        not_scalar,
        shape,
        Pass::of(&[&y]).grad_outputs(&[]).backward(),
        c.sum()?.backward(),
        grad(&[&x.sum()?], &[&c]).map(drop),
        unused,
        loss.backward(),
        modified,
        x.add_(&c),
        y.requires_grad_(false).map(drop),
        integers.requires_grad_(true).map(drop),
        c.retain_grad(),
        no_grad(|| x.update(|_| Ok(c.clone()))),
        x.matmul(&c).map(drop),
        loss.grad().map(drop).map_err(Into::into),
        w.grad().map(drop).map_err(Into::into),
        c.grad().map(drop).map_err(Into::into),
    ];
    let said: Vec<String> = errors
        .into_iter()
        .map(|error| {
            let error = error.expect_err("all of them are refused");
            let hint = error.hint().map(|hint| format!("\n  → {hint}")).unwrap_or_default();
            format!("{:?}: {error}{hint}", error.kind())
        })
        .collect();
    expect![[r#"
        NotScalar: backward: only a scalar has an implicit gradient of 1; output 0 has shape [2]
          → sum it, or give a cotangent of its shape: `backward_with`, `Pass::grad_outputs`
        Cotangent: backward: cotangent 0 has shape [3] and output 0 [2]
          → a cotangent has its output's shape
        Cotangent: backward: 0 cotangents for 1 outputs
          → give one for each, `None` for a scalar's implicit 1
        NothingRequiresGrad: backward: element 0 of the outputs does not require grad, and was computed from nothing that does
          → call `requires_grad_(true)` on the leaves before they are used, outside of `no_grad`
        InputWithoutGrad: grad: input 0 does not require grad
          → call `requires_grad_(true)` on it before it is used
        Unused: grad: no output depends on input 0
          → `Pass::grad_allow_unused` returns None for it
        Freed: backward: a second pass through `exp`, and the first freed what its rule reads
          → say `retain_graph(true)` in the first pass, or compute the outputs anew
        Modified: backward: the rule of `exp` reads its result, of shape [2], which was changed in place since: it is at version 1, and was at 0
          → change it after the backward pass, or compute a new tensor in its place
        LeafInPlace: update: a leaf that requires grad is changed in place
          → do it inside of `no_grad`
        NotALeaf: requires_grad_: only a leaf can be made not to require grad
          → `detach()` gives the same values without their history
        Integers: requires_grad_: only floats have gradients, and these are i64
          → draw or load them as floats
        NothingToRetain: retain_grad: the tensor does not require grad
          → call `requires_grad_(true)` on what it is computed from, before that
        Place: update: f64 [3] cannot take the place of f64 [2]
          → a change in place keeps shape and dtype
        Operation: matmul: [2] @ [3]: the inner sizes 2 and 3 differ
        NoGradient: grad: the tensor is no leaf, so that its gradient is not kept: call `retain_grad()` on it before the backward pass, or read that of the leaf it is computed from
        NoGradient: grad: no backward pass has reached the tensor yet
        NoGradient: grad: the tensor does not require grad"#]].assert_eq(&said.join("\n"));
    Ok(())
}
