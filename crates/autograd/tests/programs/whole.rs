//! Whole programs: deep, wide and shared.

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{grad, jacobian, jvp, pullback};
use pullback_network::{Coef, Label, Relation};
use pullback_ops::{Factor, Network, Op, Result, Site, Spec, Val};

fn randn(seed: u64, shape: &[usize]) -> Val {
    Val::new(Generator::new(seed).randn(shape, DType::F64).expect("a small array"))
}

fn assert_close(a: &Val, b: &Val, what: &str) {
    // Some 20,000 roundings one after another, of some 1e-16 each.
    let (a, b) = (a.array().expect("numbers"), b.array().expect("numbers"));
    assert!(a.is_near(b, 1e-11), "{what}: {a:?} and {b:?}");
}

/// A residual network: x + tanh(x A) B, `depth` times.
fn residual(x: &Val, depth: u64) -> Result<Val> {
    let d = x.shape()[1];
    let mut y = x.clone();
    for k in 0..depth {
        let scale = 0.3 / (d as f64).sqrt();
        let (a, b) = ((scale * &randn(2 * k + 10, &[d, 2 * d]))?, (scale * &randn(2 * k + 11, &[2 * d, d]))?);
        y = (&y + &y.matmul(&a)?.tanh()?.matmul(&b)?)?;
    }
    Ok(y)
}

#[test]
fn fifty_residual_blocks_keep_few_terms() -> Result<()> {
    let x = randn(1, &[2, 3]);
    let y = residual(&x, 50)?;
    let jacobian = jacobian(&y, &x, &[])?;
    // Two terms a block, the identity and the branch: linear in depth, where the sum over paths has 2⁵⁰.
    assert_eq!(jacobian.cost()?.terms, 100);
    let (v, u) = (randn(2, &[2, 3]), randn(3, &[2, 3]));
    let backward = pullback(&[(&y, &v)], &[&x], &[])?.remove(0).expect("a path");
    assert_close(&jacobian.vjp(&v)?.expect("a path"), &backward, "vjp");
    let forward = jvp(&y, &[(&x, &u)])?.expect("a path");
    assert_close(&jacobian.jvp(&u)?.expect("a path"), &forward, "jvp");
    Ok(())
}

/// A chain of 20,000 operations: nothing recurses as deep as the graph is, and nothing takes the square of its length.
#[test]
fn a_long_chain() -> Result<()> {
    let x = randn(1, &[3]);
    let mut y = x.clone();
    for _ in 0..20_000 {
        y = (1.000_01 * &y)?.sin()?;
    }
    let loss = y.sum_all()?;
    let by_grad = grad(&loss, &[&x])?.remove(0);
    let by_network = jacobian(&loss, &x, &[])?.to_dense()?;
    assert_close(&by_grad, &by_network, "the two routes");
    Ok(())
}

#[test]
fn one_value_used_many_times() -> Result<()> {
    let x = randn(1, &[3]);
    let mut y = x.clone();
    for _ in 0..1000 {
        y = (&y + &(0.5 * &x)?)?;
    }
    let by_grad = grad(&(&y * &x)?.sum_all()?, &[&x])?.remove(0);
    assert_close(&by_grad, &(1002.0 * &x)?, "Σ 501 x²");
    Ok(())
}

/// Windows of different widths over one value: their Jacobians differ in the range of a summed label only.
#[test]
fn windows_of_different_widths_do_not_merge() -> Result<()> {
    let x = randn(1, &[5]);
    let window = |length| x.index(&[pullback_ops::AxisIndex::range(0, 1, length)])?.sum_all();
    let (two, three) = (window(2)?, window(3)?);
    let entries =
        |y: &Val| -> Result<Vec<f64>> { Ok(jacobian(y, &x, &[])?.to_dense()?.array()?.to_vec_f64()) };
    assert_eq!(entries(&(&two + &three)?)?, [2.0, 2.0, 1.0, 0.0, 0.0]);
    assert_eq!(entries(&(&two - &three)?)?, [0.0, 0.0, -1.0, 0.0, 0.0]);
    Ok(())
}

/// L = Σ x³ · Σ y²: both second derivatives in closed form.
#[test]
fn second_derivatives_are_jacobians() -> Result<()> {
    let (x, y) = (randn(1, &[3]), randn(2, &[2]));
    let squares = y.powf(2.0)?.sum_all()?;
    let loss = (&x.powf(3.0)?.sum_all()? * &squares)?;
    let own = pullback_autograd::hessian(&loss, &x, &x)?;
    assert_close(&own.to_dense()?, &((6.0 * &x)?.diag()? * squares)?, "by x twice");
    let mixed = pullback_autograd::hessian(&loss, &x, &y)?;
    assert_close(&mixed.to_dense()?, &(6.0 * &x.powf(2.0)?.outer(&y)?)?, "by x and y");
    Ok(())
}

/// The elements of a vector, each as an output of its own.
#[derive(Debug, PartialEq)]
struct Unbind;

impl Op for Unbind {
    fn name(&self) -> &'static str {
        "unbind"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![Spec::new(Vec::new(), inputs[0].dtype); inputs[0].dims[0].size()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let scalar = |x: f64| Array::scalar(x, inputs[0].dtype()).map_err(Into::into);
        inputs[0].to_vec_f64().into_iter().map(scalar).collect()
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let m = Label::new(at.x().dims()[0]);
        let chosen = Relation::affine([(1, m)], -(at.output() as i64));
        Ok(at.network().plus_term(Coef::one(), &[], &[m], [Factor::Relation(chosen)]))
    }
}

/// Each output is a value of its own, however many there are.
#[test]
fn three_hundred_outputs() -> Result<()> {
    for count in [257, 300] {
        let x = randn(1, &[count]);
        let outputs = Val::apply_all(Unbind, &[&x])?;
        let mut sum = outputs[0].clone();
        for output in &outputs[1..] {
            sum = (&sum + output)?;
        }
        let ones = Val::new(Array::ones(&[count], DType::F64)?);
        assert_close(&grad(&sum, &[&x])?.remove(0), &ones, "grad");
        assert_close(&jacobian(&sum, &x, &[])?.to_dense()?, &ones, "the network");
    }
    Ok(())
}

/// y_i = A_ii x_i: the Jacobian is the diagonal of A on a diagonal, and not A.
#[test]
fn a_diagonal_on_a_diagonal() -> Result<()> {
    let (a, x) = (randn(1, &[3, 3]), randn(2, &[3]));
    let y = Val::einsum("ii,i->i", &[&a, &x])?;
    assert_close(&jacobian(&y, &x, &[])?.to_dense()?, &a.diag()?.diag()?, "dy/dx");
    Ok(())
}
