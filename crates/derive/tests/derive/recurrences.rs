//! The way back through a loop is a recurrence from the last step to the first, each of whose lines is true.

use std::collections::HashMap;

use expect_test::{Expect, expect};
use pullback_derive::{Known, backward, through_loops, with_pieces};
use pullback_lang::program::elaborate;
use pullback_lang::{Names, parse, print};
use pullback_network::Dim;
use pullback_ops::Val;

/// The backward pass of the last definition by all inputs, in short or with all lines.
#[track_caller]
fn check(source: &str, is_full: bool, expected: Expect) {
    let parsed = parse(source);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let program = elaborate(&parsed.file, ".".as_ref()).expect("the program is right").0;
    let output = program.values.last().expect("it defines something").val.clone();
    let is_input = |val: &Val| val.inputs().is_empty() && val.dtype().is_float();
    let wrt: Vec<&Val> = program.values.iter().map(|value| &value.val).filter(|val| is_input(val)).collect();
    let known = Known::new(&output, &[]);
    let stages = backward(&output, &wrt, &known).expect("rules for all of it");
    let stages = with_pieces(stages, program.scope(), &Names::of(&parsed.file));
    let (stages, dims) = through_loops(stages, &output, &wrt, &known, program.scope());
    let axes: HashMap<String, Vec<Dim>> = program
        .values
        .iter()
        .map(|value| (value.name.clone(), value.val.dims().to_vec()))
        .chain(dims)
        .collect();
    let rank = |name: &str| Some(axes.get(name)?.iter().map(|dim| dim.is_single()).collect());
    let mut text = String::new();
    for stage in &stages {
        text += &format!("{} = {}", stage.name(), stage.said().map_or("no code".into(), print));
        text += &if is_full { format!("   {}\n", stage.rule()) } else { "\n".to_owned() };
        for line in stage.lines.iter().filter(|_| is_full) {
            text += &format!("  {}   ({})\n", line.text(&rank), line.why);
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn a_recurrent_layer() {
    check(
        "X: [T=6, d=3] ~ randn; U: [d, n=4] ~ randn; W: [n, n] ~ randn; h0: [n] ~ randn
        scan t < T, h = h0 -> hs { h = tanh(X[t] @ U + h @ W) }
        L = sum(hs^2)",
        true,
        expect![[r#"
            dL/dhs = 2 * hs   by the rules of: power, sum over some axes
              L = Σ_{k=1}^T Σ_{l=1}^n hs_kl²   (how L is computed)
              ∂L/∂hs_mp = 2 hs_mp   (its derivative by one entry)
              ∂L/∂hs = 2 hs   (as a whole)
            h[t] = tanh(X[t] @ U + h[t-1] @ W)   step t of the loop computes this, from t = 0 to T-1; h[-1] is h0
            dL/dh[T-1] = dL/dhs[T-1]   the last step, where the pass begins
              hs_{T−1} = h_{T−1}   (a row of hs)
              ∂hs_{T−1,i}/∂h_{T−1,m} = δ_im   (its derivative by one entry)
              ∂L/∂h_{T−1,m} = Σ_{i=1}^n ∂L/∂hs_{T−1,i} ∂hs_{T−1,i}/∂h_{T−1,m}   (the chain rule: every entry of hs[T-1] passes its share)
              = Σ_{i=1}^n ∂L/∂hs_{T−1,i} δ_im   (the derivatives inserted)
              = ∂L/∂hs_{T−1,m}   (each δ picks one value of an index and ends its sum)
              ∂L/∂h_{T−1} = ∂L/∂hs_{T−1}   (as a whole)
            dL/dh[t-1] = dL/dhs[t-1] + W @ (dL/dh[t] * (1 - h[t]^2))   back from step t to the one before, for t = T-1, …, 1, by the rules of: matrix product of the last two axes, sum of two values, hyperbolic tangent
              hs_{t−1} = h_{t−1}   (a row of hs)
              h_{t,i} = tanh(Σ_{k=1}^d X_{t,k} U_ki + Σ_{k=1}^n h_{t−1,k} W_ki)   (how h[t] is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂h_{t,i}/∂h_{t−1,m} = (1 − h_{t,i}²) W_mi   (its derivative by one entry, other named values held, written with h[t] itself)
              ∂hs_{t−1,i}/∂h_{t−1,m} = δ_im   (its derivative by one entry, other named values held)
              ∂L/∂h_{t−1,m} = Σ_{i=1}^n ∂L/∂h_{t,i} ∂h_{t,i}/∂h_{t−1,m} + Σ_{i=1}^n ∂L/∂hs_{t−1,i} ∂hs_{t−1,i}/∂h_{t−1,m}   (it goes into h[t] and hs[t-1], and their shares add up)
              = Σ_{i=1}^n ∂L/∂h_{t,i} (1 − h_{t,i}²) W_mi + Σ_{i=1}^n ∂L/∂hs_{t−1,i} δ_im   (the derivatives inserted)
              = Σ_{i=1}^n ∂L/∂h_{t,i} (1 − h_{t,i}²) W_mi + ∂L/∂hs_{t−1,m}   (each δ picks one value of an index and ends its sum)
              ∂L/∂h_{t−1} = ∂L/∂hs_{t−1} + W (∂L/∂h_t ⊙ (1 − h_t²))   (as a whole)
            dL/dW(t) = outer(h[t-1], dL/dh[t] * (1 - h[t]^2))   in each step t, of W as that step reads it, by the rules of: matrix product of the last two axes, sum of two values, hyperbolic tangent
              h_{t,i} = tanh(Σ_{k=1}^d X_{t,k} U_ki + Σ_{k=1}^n h_{t−1,k} W_ki)   (how h[t] is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂h_{t,i}/∂W⁽ᵗ⁾_mp = δ_ip (1 − h_{t,i}²) h_{t−1,m}   (its derivative by one entry, written with h[t] itself)
              ∂L/∂W⁽ᵗ⁾_mp = Σ_{i=1}^n ∂L/∂h_{t,i} ∂h_{t,i}/∂W⁽ᵗ⁾_mp   (the chain rule: every entry of h[t] passes its share)
              = Σ_{i=1}^n ∂L/∂h_{t,i} δ_ip (1 − h_{t,i}²) h_{t−1,m}   (the derivatives inserted)
              = ∂L/∂h_{t,p} (1 − h_{t,p}²) h_{t−1,m}   (each δ picks one value of an index and ends its sum)
              ∂L/∂W⁽ᵗ⁾ = h_{t−1} (∂L/∂h_t ⊙ (1 − h_t²))ᵀ   (as a whole)
            dL/dU(t) = outer(X[t], dL/dh[t] * (1 - h[t]^2))   in each step t, of U as that step reads it, by the rules of: matrix product of the last two axes, sum of two values, hyperbolic tangent
              h_{t,i} = tanh(Σ_{k=1}^d X_{t,k} U_ki + Σ_{k=1}^n h_{t−1,k} W_ki)   (how h[t] is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂h_{t,i}/∂U⁽ᵗ⁾_mp = δ_ip (1 − h_{t,i}²) X_{t,m}   (its derivative by one entry, written with h[t] itself)
              ∂L/∂U⁽ᵗ⁾_mp = Σ_{i=1}^n ∂L/∂h_{t,i} ∂h_{t,i}/∂U⁽ᵗ⁾_mp   (the chain rule: every entry of h[t] passes its share)
              = Σ_{i=1}^n ∂L/∂h_{t,i} δ_ip (1 − h_{t,i}²) X_{t,m}   (the derivatives inserted)
              = ∂L/∂h_{t,p} (1 − h_{t,p}²) X_{t,m}   (each δ picks one value of an index and ends its sum)
              ∂L/∂U⁽ᵗ⁾ = X_t (∂L/∂h_t ⊙ (1 − h_t²))ᵀ   (as a whole)
            dL/dX[t] = U @ (dL/dh[t] * (1 - h[t]^2))   in each step t, by the rules of: matrix product of the last two axes, sum of two values, hyperbolic tangent
              h_{t,i} = tanh(Σ_{k=1}^d X_{t,k} U_ki + Σ_{k=1}^n h_{t−1,k} W_ki)   (how h[t] is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂h_{t,i}/∂X_{t,m} = (1 − h_{t,i}²) U_mi   (its derivative by one entry, written with h[t] itself)
              ∂L/∂X_{t,m} = Σ_{i=1}^n ∂L/∂h_{t,i} ∂h_{t,i}/∂X_{t,m}   (the chain rule: every entry of h[t] passes its share)
              = Σ_{i=1}^n ∂L/∂h_{t,i} (1 − h_{t,i}²) U_mi   (the derivatives inserted)
              ∂L/∂X_t = U (∂L/∂h_t ⊙ (1 − h_t²))   (as a whole)
            dL/dh[-1] = W @ (dL/dh[0] * (1 - h[0]^2))   the first step, where the pass ends, by the rules of: matrix product of the last two axes, sum of two values, hyperbolic tangent
              h_{0,i} = tanh(Σ_{k=1}^d X_{0,k} U_ki + Σ_{k=1}^n h_{−1,k} W_ki)   (how h[0] is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂h_{0,i}/∂h_{−1,m} = (1 − h_{0,i}²) W_mi   (its derivative by one entry, written with h[0] itself)
              ∂L/∂h_{−1,m} = Σ_{i=1}^n ∂L/∂h_{0,i} ∂h_{0,i}/∂h_{−1,m}   (the chain rule: every entry of h[0] passes its share)
              = Σ_{i=1}^n ∂L/∂h_{0,i} (1 − h_{0,i}²) W_mi   (the derivatives inserted)
              ∂L/∂h_{−1} = W (∂L/∂h_0 ⊙ (1 − h_0²))   (as a whole)
            dL/dh0 = dL/dh[-1]   what comes back out of the steps of the loop
              ∂L/∂h0 = ∂L/∂h_{−1}   (the loop starts from it)
            dL/dW = Σ_t dL/dW(t)   what comes back out of the steps of the loop
              ∂L/∂W = Σ_t ∂L/∂W⁽ᵗ⁾   (each step reads it, and their shares add up)
            dL/dU = Σ_t dL/dU(t)   what comes back out of the steps of the loop
              ∂L/∂U = Σ_t ∂L/∂U⁽ᵗ⁾   (each step reads it, and their shares add up)
            dL/dX = stack_t dL/dX[t]   what comes back out of the steps of the loop
              ∂L/∂X = stack_t ∂L/∂X_t   (each step reads a row, whose gradient comes back in its place)
        "#]],
    );
}

#[test]
fn what_comes_last() {
    check(
        "a: [n=3] ~ randn; b: [n] ~ randn
        scan t < 4, s = a { s = s * b + a }
        L = sum(s^2)",
        false,
        expect![[r#"
            dL/ds = 2 * s
            s[t] = s[t-1] * b + a
            dL/ds[3] = dL/ds
            dL/ds[t-1] = dL/ds[t] * b
            dL/da(t) = dL/ds[t]
            dL/db(t) = dL/ds[t] * s[t-1]
            dL/ds[-1] = dL/ds[0] * b
            dL/db = Σ_t dL/db(t)
            dL/da = dL/ds[-1] + Σ_t dL/da(t)
        "#]],
    );
}

#[test]
fn an_lstm() {
    check(
        "x: [T=5, d=3] ~ randn; Wi: [d, n=4] ~ randn; Wf: [d, n] ~ randn; Wg: [d, n] ~ randn; Wo: [d, n] ~ randn
        Ui: [n, n] ~ randn; Uf: [n, n] ~ randn; Ug: [n, n] ~ randn; Uo: [n, n] ~ randn; h0: [n] ~ randn; c0: [n] ~ randn
        scan t < T, h = h0, c = c0 -> hs {
          i = sigmoid(x[t] @ Wi + h @ Ui)
          f = sigmoid(x[t] @ Wf + h @ Uf)
          g = tanh(x[t] @ Wg + h @ Ug)
          o = sigmoid(x[t] @ Wo + h @ Uo)
          c = f * c + i * g
          h = o * tanh(c)
        }
        L = sum(hs^2)",
        false,
        expect![[r#"
            dL/dhs = 2 * hs
            i[t] = sigmoid(x[t] @ Wi + h[t-1] @ Ui)
            f[t] = sigmoid(x[t] @ Wf + h[t-1] @ Uf)
            g[t] = tanh(x[t] @ Wg + h[t-1] @ Ug)
            o[t] = sigmoid(x[t] @ Wo + h[t-1] @ Uo)
            c[t] = f[t] * c[t-1] + i[t] * g[t]
            h[t] = o[t] * tanh(c[t])
            dL/dh[T-1] = dL/dhs[T-1]
            dL/dc[T-1] = dL/dh[T-1] * (o[T-1] - h[T-1] * tanh(c[T-1]))
            dL/do[t] = dL/dh[t] * tanh(c[t])
            dL/dg[t] = dL/dc[t] * i[t]
            dL/df[t] = dL/dc[t] * c[t-1]
            dL/di[t] = dL/dc[t] * g[t]
            dL/dh[t-1] = dL/dhs[t-1] + Uo @ (dL/do[t] * o[t] * (1 - o[t])) + Ug @ (dL/dg[t] * (1 - g[t]^2)) + Uf @ (dL/df[t] * f[t] * (1 - f[t])) + Ui @ (dL/di[t] * i[t] * (1 - i[t]))
            dL/dc[t-1] = dL/dc[t] * f[t] + dL/dh[t-1] * o[t-1] * (1 - tanh(c[t-1])^2)
            dL/dUo(t) = outer(h[t-1], dL/do[t] * o[t] * (1 - o[t]))
            dL/dWo(t) = outer(x[t], dL/do[t] * o[t] * (1 - o[t]))
            dL/dUg(t) = outer(h[t-1], dL/dg[t] * (1 - g[t]^2))
            dL/dWg(t) = outer(x[t], dL/dg[t] * (1 - g[t]^2))
            dL/dUf(t) = outer(h[t-1], dL/df[t] * f[t] * (1 - f[t]))
            dL/dWf(t) = outer(x[t], dL/df[t] * f[t] * (1 - f[t]))
            dL/dUi(t) = outer(h[t-1], dL/di[t] * i[t] * (1 - i[t]))
            dL/dWi(t) = outer(x[t], dL/di[t] * i[t] * (1 - i[t]))
            dL/dx[t] = Wo @ (dL/do[t] * o[t] * (1 - o[t])) + Wg @ (dL/dg[t] * (1 - g[t]^2)) + Wf @ (dL/df[t] * f[t] * (1 - f[t])) + Wi @ (dL/di[t] * i[t] * (1 - i[t]))
            dL/dc[-1] = dL/dc[0] * f[0]
            dL/dh[-1] = Uo @ (dL/do[0] * o[0] * (1 - o[0])) + Ug @ (dL/dg[0] * (1 - g[0]^2)) + Uf @ (dL/df[0] * f[0] * (1 - f[0])) + Ui @ (dL/di[0] * i[0] * (1 - i[0]))
            dL/dc0 = dL/dc[-1]
            dL/dh0 = dL/dh[-1]
            dL/dUo = Σ_t dL/dUo(t)
            dL/dUg = Σ_t dL/dUg(t)
            dL/dUf = Σ_t dL/dUf(t)
            dL/dUi = Σ_t dL/dUi(t)
            dL/dWo = Σ_t dL/dWo(t)
            dL/dWg = Σ_t dL/dWg(t)
            dL/dWf = Σ_t dL/dWf(t)
            dL/dWi = Σ_t dL/dWi(t)
            dL/dx = stack_t dL/dx[t]
        "#]],
    );
}

#[test]
fn the_number_of_the_step_and_rows_from_behind() {
    check(
        "X: [T=5, d=3] ~ randn; w: [d] ~ randn; s0: [d] ~ randn
        scan t < T, s = s0 -> ss { s = X[T-1-t] * s + t * w }
        L = sum(ss^2) + sum(w)",
        false,
        expect![[r#"
            dL/dss = 2 * ss
            s[t] = X_t[t] * s[t-1] + t * w
            dL/ds[T-1] = dL/dss[T-1]
            dL/ds[t-1] = dL/dss[t-1] + dL/ds[t] * X_t[t]
            dL/dw(t) = t * dL/ds[t]
            dL/dX_t[t] = dL/ds[t] * s[t-1]
            dL/ds[-1] = dL/ds[0] * X_t[0]
            dL/ds0 = dL/ds[-1]
            dL/dw = 1 + Σ_t dL/dw(t)
            dL/dX = (stack_t dL/dX_t[t])[::-1]
        "#]],
    );
}
