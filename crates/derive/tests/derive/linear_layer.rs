//! The derivation of seed notebook 003: the three gradients of a linear layer.

use expect_test::{Expect, expect};
use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::pullback;
use pullback_derive::derive;
use pullback_network::Dim;
use pullback_ops::{Result, Val};

fn named(name: &str, dims: &[Dim], seed: u64) -> Val {
    let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
    let array = Generator::new(seed).randn(&shape, DType::F64).expect("a small array");
    Val::with_dims(array, dims).expect("its own dims").named(name)
}

fn check(output: &Val, wrt: &Val, expected: Expect) {
    let derivation = derive(output, wrt).expect("a derivation");
    let mut text = format!("{}\n", derivation.title);
    for step in derivation.steps {
        text += &format!("  {}   ({})\n", step.formula, step.why);
    }
    text += &format!("  {}\n", derivation.code.as_deref().unwrap_or("no matrix expression"));
    expected.assert_eq(&text);
}

/// Z = X W + b, its inputs and its cotangent.
fn layer() -> Result<(Val, [Val; 3])> {
    let (n, d, m) = (Dim::named("N", 5), Dim::named("D", 3), Dim::named("M", 2));
    let (x, w, b) = (named("X", &[n, d], 1), named("W", &[d, m], 2), named("b", &[m], 3));
    let z = (&x.matmul(&w)? + &b)?.named("Z");
    Ok((z, [x, w, b]))
}

#[test]
fn the_steps_of_the_linear_layer() -> Result<()> {
    let (z, [x, w, b]) = layer()?;
    check(
        &z,
        &x,
        expect![[r#"
        ∂L/∂X
          Z_ij = Σ_k X_ik W_kj + b_j   (the forward pass, entry by entry)
          ∂Z_ij/∂X_mn = δ_im W_nj   (its derivative by one entry)
          ∂L/∂X_mn = Σ_ij Ḡ_ij ∂Z_ij/∂X_mn   (the chain rule: every entry of the output passes its share)
          = Σ_ij Ḡ_ij δ_im W_nj   (the derivative inserted)
          = Σ_j Ḡ_mj W_nj   (δ picks one value of an index and ends its sum)
          ∂L/∂X = Ḡ Wᵀ   (in matrix notation)
          dL/dZ @ W.T
    "#]],
    );
    check(
        &z,
        &w,
        expect![[r#"
        ∂L/∂W
          Z_ij = Σ_k X_ik W_kj + b_j   (the forward pass, entry by entry)
          ∂Z_ij/∂W_mn = δ_jn X_im   (its derivative by one entry)
          ∂L/∂W_mn = Σ_ij Ḡ_ij ∂Z_ij/∂W_mn   (the chain rule: every entry of the output passes its share)
          = Σ_ij Ḡ_ij δ_jn X_im   (the derivative inserted)
          = Σ_i Ḡ_in X_im   (δ picks one value of an index and ends its sum)
          ∂L/∂W = Xᵀ Ḡ   (in matrix notation)
          X.T @ dL/dZ
    "#]],
    );
    check(
        &z,
        &b,
        expect![[r#"
        ∂L/∂b
          Z_ij = Σ_k X_ik W_kj + b_j   (the forward pass, entry by entry)
          ∂Z_ij/∂b_m = δ_jm   (its derivative by one entry)
          ∂L/∂b_m = Σ_ij Ḡ_ij ∂Z_ij/∂b_m   (the chain rule: every entry of the output passes its share)
          = Σ_ij Ḡ_ij δ_jm   (the derivative inserted)
          = Σ_i Ḡ_im   (δ picks one value of an index and ends its sum)
          ∂L/∂b = Ḡᵀ 1   (in matrix notation: the sum down each column of Ḡ)
          sum(dL/dZ, axis=0)
    "#]],
    );
    Ok(())
}

/// What the derivation ends in is what autograd computes.
#[test]
fn the_closed_forms_are_the_gradients() -> Result<()> {
    let (z, [x, w, b]) = layer()?;
    let g = named("G", z.dims(), 4);
    let by_autograd = pullback(&[(&z, &g)], &[&x, &w, &b], &[])?;
    let by_hand = [g.matmul(&w.transpose()?)?, x.transpose()?.matmul(&g)?, g.sum(&[0], false)?];
    for (autograd, hand) in by_autograd.iter().zip(&by_hand) {
        let autograd = autograd.as_ref().expect("each input is on a path").array()?;
        let difference: Array = autograd.zip(hand.array()?, "compare", |a, b| a - b, |a, b| a - b)?;
        assert!(difference.max_abs() <= 4.0 * f64::EPSILON * autograd.max_abs());
    }
    Ok(())
}

#[test]
fn other_forms() -> Result<()> {
    let (m, n) = (Dim::named("m", 2), Dim::named("n", 3));
    let (a, w, x) = (named("a", &[m], 5), named("W", &[m, n], 6), named("x", &[n], 7));
    let v = w.matmul(&x)?.named("v");
    check(
        &v,
        &w,
        expect![[r#"
        ∂L/∂W
          v_i = Σ_k W_ik x_k   (the forward pass, entry by entry)
          ∂v_i/∂W_mn = δ_im x_n   (its derivative by one entry)
          ∂L/∂W_mn = Σ_i Ḡ_i ∂v_i/∂W_mn   (the chain rule: every entry of the output passes its share)
          = Σ_i Ḡ_i δ_im x_n   (the derivative inserted)
          = Ḡ_m x_n   (δ picks one value of an index and ends its sum)
          ∂L/∂W = Ḡ xᵀ   (in matrix notation)
          outer(dL/dv, x)
    "#]],
    );
    let s = (&a * &v)?.named("s");
    check(
        &s,
        &x,
        expect![[r#"
        ∂L/∂x
          s_i = a_i v_i   (the forward pass, entry by entry)
          ∂s_i/∂x_m = a_i W_im   (its derivative by one entry)
          ∂L/∂x_m = Σ_i Ḡ_i ∂s_i/∂x_m   (the chain rule: every entry of the output passes its share)
          = Σ_i Ḡ_i a_i W_im   (the derivative inserted)
          ∂L/∂x = Wᵀ (Ḡ ⊙ a)   (in matrix notation)
          W.T @ (dL/ds * a)
    "#]],
    );
    let p = x.softmax(0)?.named("p");
    check(
        &p,
        &x,
        expect![[r#"
            ∂L/∂x
              p_i = softmax(x, axis=0)_i   (the forward pass, entry by entry)
              ∂p_i/∂x_m = δ_im p_i − p_i p_m   (its derivative by one entry)
              ∂L/∂x_m = Σ_i Ḡ_i ∂p_i/∂x_m   (the chain rule: every entry of the output passes its share)
              = Σ_i Ḡ_i δ_im p_i − Σ_i Ḡ_i p_i p_m   (the derivative inserted)
              = Ḡ_m p_m − Σ_i Ḡ_i p_i p_m   (δ picks one value of an index and ends its sum)
              ∂L/∂x = (Ḡ ⊙ p) − Ḡᵀ p p   (in matrix notation)
              p * (dL/dp - dL/dp @ p)
        "#]],
    );
    let mean = a.powf(2.0)?.mean_all()?.named("q");
    check(
        &mean,
        &a,
        expect![[r#"
            ∂q/∂a
              q = 1/m Σ_k (a^2)_k   (the forward pass, entry by entry)
              ∂q/∂a_m = 2/m a_m   (its derivative by one entry)
              ∂q/∂a = 2/m a   (in matrix notation)
              2 * a / m
        "#]],
    );
    Ok(())
}
