//! Backward passes step by step: what each line says, and that it is true.

use expect_test::{Expect, expect};
use pullback_derive::{Entry, Known, Line, Product, Right, Stage, backward, closed, untrue, with_pieces};
use pullback_lang::program::{Program, elaborate};
use pullback_lang::{Names, parse, print};
use pullback_ops::Val;

fn program(source: &str) -> Program {
    let parsed = parse(source);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    elaborate(&parsed.file, ".".as_ref()).expect("the program is right").0
}

/// The backward pass of the last definition by all inputs.
fn stages(source: &str) -> (Program, String, Vec<Stage>) {
    let program = program(source);
    let output = program.values.last().expect("it defines something").clone();
    let is_input = |val: &Val| val.inputs().is_empty() && val.dtype().is_float();
    let wrt: Vec<&Val> = program.values.iter().map(|value| &value.val).filter(|val| is_input(val)).collect();
    let symmetric: Vec<&str> =
        program.values.iter().filter(|value| value.symmetric).map(|value| value.name.as_str()).collect();
    let stages =
        backward(&output.val, &wrt, &Known::new(&output.val, &symmetric)).expect("rules for all of it");
    let stages = with_pieces(stages, program.scope(), &Names::of(&parse(source).file));
    (program, output.name, stages)
}

fn axes(program: &Program, name: &str) -> Option<Vec<bool>> {
    let single =
        |value: &Val| value.dims().iter().map(|dim| dim.size() == 1 && dim.name().is_none()).collect();
    program
        .find(name)
        .map(|value| single(&value.val))
        .or_else(|| name.starts_with(char::is_uppercase).then(Vec::new))
}

#[track_caller]
fn check(source: &str, expected: Expect) {
    let (program, output, stages) = stages(source);
    assert_eq!(untrue(&stages, &program, &output), [], "{source}");
    let mut text = String::new();
    for stage in &stages {
        text += &format!("{} = {}\n", stage.name(), stage.code.as_ref().map_or("no code".into(), print));
        for line in &stage.lines {
            text += &format!("  {}   ({})\n", line.text(&|name| axes(&program, name)), line.why);
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn a_linear_layer() {
    check(
        "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; Z = X @ W",
        expect![[r#"
        dL/dW = X.T @ dL/dZ
          Z_ij = Σ_{k=1}^D X_ik W_kj   (how Z is computed)
          ∂Z_ij/∂W_mn = δ_jn X_im   (its derivative by one entry)
          ∂L/∂W_mn = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij ∂Z_ij/∂W_mn   (the chain rule: every entry of Z passes its share)
          = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij δ_jn X_im   (the derivatives inserted)
          = Σ_{i=1}^N ∂L/∂Z_in X_im   (each δ picks one value of an index and ends its sum)
          ∂L/∂W = Xᵀ ∂L/∂Z   (as a whole)
        dL/dX = dL/dZ @ W.T
          Z_ij = Σ_{k=1}^D X_ik W_kj   (how Z is computed)
          ∂Z_ij/∂X_mn = δ_im W_nj   (its derivative by one entry)
          ∂L/∂X_mn = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij ∂Z_ij/∂X_mn   (the chain rule: every entry of Z passes its share)
          = Σ_{i=1}^N Σ_{j=1}^M ∂L/∂Z_ij δ_im W_nj   (the derivatives inserted)
          = Σ_{j=1}^M ∂L/∂Z_mj W_nj   (each δ picks one value of an index and ends its sum)
          ∂L/∂X = ∂L/∂Z Wᵀ   (as a whole)
    "#]],
    );
}

#[test]
fn shares_of_several_values_add_up() {
    check(
        "a: [m=4] ~ randn; u = sqrt(mean(a^2)); r = a / u; L = sum(r^3)",
        expect![[r#"
            dL/dr = 3 * r^2
              L = Σ_{k=1}^m r_k³   (how L is computed)
              ∂L/∂r_n = 3 r_n²   (its derivative by one entry)
              ∂L/∂r = 3 r²   (as a whole)
            dL/du = -sum(dL/dr * r / u)
              r_i = a_i / u   (how r is computed)
              ∂r_i/∂u = −r_i / u   (its derivative by one entry, written with r itself)
              ∂L/∂u = Σ_{i=1}^m ∂L/∂r_i ∂r_i/∂u   (the chain rule: every entry of r passes its share)
              = −Σ_{i=1}^m (∂L/∂r_i r_i / u)   (the derivatives inserted)
              ∂L/∂u = −sum(∂L/∂r ⊙ r / u)   (as a whole)
            dL/da = dL/dr / u + dL/du * r / m
              u = √(1/m Σ_{k=1}^m a_k²)   (how u is computed)
              (√z)′ = 1 / (2 √z)   (the rule of sqrt)
              ∂u/∂a_n = 1/m (a_n / u)   (its derivative by one entry, other named values held, written with u itself)
              r_i = a_i / u   (how r is computed)
              ∂r_i/∂a_n = δ_in / u   (its derivative by one entry, other named values held)
              ∂L/∂a_n = ∂L/∂u ∂u/∂a_n + Σ_{i=1}^m ∂L/∂r_i ∂r_i/∂a_n   (it goes into u and r, and their shares add up)
              = 1/m (∂L/∂u a_n / u) + Σ_{i=1}^m (∂L/∂r_i δ_in / u)   (the derivatives inserted)
              = 1/m (∂L/∂u a_n / u) + ∂L/∂r_n / u   (each δ picks one value of an index and ends its sum)
              ∂L/∂a = ∂L/∂r / u + ∂L/∂u r / m   (as a whole, written with r)
        "#]],
    );
}

/// Σ (x − μ) = 0 ends a share of the mean's cotangent.
#[test]
fn what_vanishes_is_said() {
    check(
        "x: [n=5] ~ randn; mu = mean(x); v = mean((x - mu)^2); L = v^2 + mu",
        expect![[r#"
            dL/dv = 2 * v
              L = v² + mu   (how L is computed)
              ∂L/∂v = 2 v   (its derivative by one entry)
            dL/dmu = 1
              v = 1/n Σ_{k=1}^n (x_k − mu)²   (how v is computed)
              ∂v/∂mu = −2/n Σ_{k=1}^n (x_k − mu)   (its derivative by one entry, other named values held)
              L = v² + mu   (how L is computed)
              ∂L/∂mu = 1   (its derivative by one entry, other named values held)
              ∂L/∂mu = ∂L/∂v ∂v/∂mu + ∂L/∂mu   (it goes into v and L, and their shares add up)
              = −2/n Σ_{k=1}^n ∂L/∂v (x_k − mu) + 1   (the derivatives inserted)
              Σ_{k=1}^n (x_k − mu) = 0   (by how mu is computed)
              ∂L/∂mu = 1   (what is zero is left out)
            dL/dx = 2 * dL/dv * (x - mu) / n + dL/dmu / n
              mu = 1/n Σ_{k=1}^n x_k   (how mu is computed)
              ∂mu/∂x_m = 1/n   (its derivative by one entry, other named values held)
              v = 1/n Σ_{k=1}^n (x_k − mu)²   (how v is computed)
              ∂v/∂x_m = 2/n (x_m − mu)   (its derivative by one entry, other named values held)
              ∂L/∂x_m = ∂L/∂mu ∂mu/∂x_m + ∂L/∂v ∂v/∂x_m   (it goes into mu and v, and their shares add up)
              = 1/n ∂L/∂mu + 2/n ∂L/∂v (x_m − mu)   (the derivatives inserted)
              ∂L/∂x = 2 ∂L/∂v (x − mu) / n + ∂L/∂mu / n   (as a whole)
        "#]],
    );
}

/// No index has the name of a value or of a size.
#[test]
fn letters_are_no_names() {
    let (program, _, stages) = stages("k: [i=3] ~ randn; m: [i, j=2] ~ randn; l = k @ m; n = sum(l^2)");
    for line in stages.iter().flat_map(|stage| &stage.lines) {
        let Right::Products(products) = &line.right else { continue };
        for (letter, _) in products.iter().flat_map(|product| &product.over) {
            assert!(program.find(letter).is_none() && letter != "i" && letter != "j", "{line:?}");
        }
    }
}

/// What a line says twice has a name before it.
#[test]
fn repeated_pieces_have_names() {
    let source = "x: [n=5] ~ randn; g: [n] ~ randn; p = softmax(x); y = g * p; L = sum(y * x * exp(y * x))";
    let (program, output, stages) = stages(source);
    assert_eq!(untrue(&stages, &program, &output), []);
    assert!(stages.iter().any(|stage| stage.of == "t1"), "{stages:#?}");
}

/// A coefficient or a whole line that is changed is found, in a sum within an expression too.
#[test]
fn a_wrong_line_is_found() {
    let layer = "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; Z = tanh(X @ W); L = sum(Z^2) / N";
    let norm = "X: [N=5, D=3] ~ randn; g: [D] ~ randn; mu = mean(X, axis=1, keepdims=true); v = mean((X - mu)^2, axis=1, keepdims=true); r = sqrt(v + 1e-5); h = (X - mu) / r; Y = g * h";
    let head = "S: [N=5, D=3] ~ randn; V: [D, M=2] ~ randn; P = softmax(S, axis=1); O = P @ V";
    for (source, least) in [(layer, 15), (norm, 40), (head, 20)] {
        let (program, output, mut right) = stages(source);
        right.extend(in_closed_form(&program, &output, &right));
        assert_eq!(untrue(&right, &program, &output), [], "{source}");
        let mut changed = 0;
        for (stage, line) in places(&right) {
            for wrong_line in slips(&right[stage].lines[line]) {
                let mut wrong = right.clone();
                wrong[stage].lines[line] = wrong_line.clone();
                let found = untrue(&wrong, &program, &output);
                assert!(
                    found.iter().any(|one| (one.stage, one.line) == (stage, Some(line)) && !one.untried),
                    "{source}: {stage} {line} {wrong_line:?}"
                );
                changed += 1;
            }
        }
        assert!(changed >= least, "{source}: {changed}");
    }
}

fn places(stages: &[Stage]) -> Vec<(usize, usize)> {
    let lines = |(at, stage): (usize, &Stage)| (0..stage.lines.len()).map(move |line| (at, line)).collect();
    stages.iter().enumerate().flat_map::<Vec<(usize, usize)>, _>(lines).collect()
}

/// A line with a number too many, or another sign: in its sum, in a sum within a factor, or as a whole.
fn slips(line: &Line) -> Vec<Line> {
    let number = || {
        let coef = pullback_network::Coef::ratio(1, 7);
        Product { coef, over: Vec::new(), factors: Vec::new() }
    };
    let with = |right: Right| Line { right, ..line.clone() };
    let products = match &line.right {
        Right::Whole(expr) => return vec![with(Right::Whole(pullback_lang::make::negated(expr)))],
        Right::Products(products) => products,
    };
    let mut all = vec![with(Right::Products([products.clone(), vec![number()]].concat()))];
    for at in 0..products.len() {
        for factor in 0..products[at].factors.len() {
            let mut wrong = products.clone();
            if let Entry::Within(within) = &mut wrong[at].factors[factor] {
                within.sums[0].products.push(number());
                all.push(with(Right::Products(wrong)));
            }
        }
    }
    all
}

fn in_closed_form(program: &Program, output: &str, stages: &[Stage]) -> Vec<Stage> {
    let output = &program.find(output).expect("it is there").val;
    let known = Known::new(output, &[]);
    let inputs = program.values.iter().filter(|value| value.val.inputs().is_empty());
    inputs.filter_map(|value| closed(output, &value.val, stages, &known)).collect()
}

/// The facts that make a closed form short are lines of it.
#[track_caller]
fn check_closed(source: &str, by: &str, expected: Expect) {
    let (program, output, mut stages) = stages(source);
    let count = stages.len();
    stages.extend(in_closed_form(&program, &output, &stages));
    assert_eq!(untrue(&stages, &program, &output), [], "{source}");
    let mut text = String::new();
    for stage in stages[count..].iter().filter(|stage| stage.of == by) {
        text += &format!("{} = {}\n", stage.name(), stage.code.as_ref().map_or("no code".into(), print));
        for line in &stage.lines {
            text += &format!("  {}   ({})\n", line.text(&|name| axes(&program, name)), line.why);
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn what_makes_a_closed_form_short() {
    check_closed(
        "X: [N=5, D=3] ~ randn; g: [D] ~ randn; mu = mean(X, axis=1, keepdims=true); v = mean((X - mu)^2, axis=1, keepdims=true); r = sqrt(v + 1e-5); h = (X - mu) / r; Y = g * h",
        "X",
        expect![[r#"
            dL/dX = (dL/dY * g - mean(dL/dY * Y, axis=1, keepdims=true) * h - (dL/dY @ g / D)[:, None]) / r
              ∂L/∂X = ∂L/∂Y ⊙ g / r + 2 ((−sum(∂L/∂Y ⊙ g ⊙ h / r, axis=1, keepdims=true) / r) / 2) ⊙ (X − mu) / D + (−sum(∂L/∂Y ⊙ g, axis=1, keepdims=true) / r) / D   (the cotangents above in their places, before anything is simplified)
              h_ij g_j = Y_ij   (by how Y is computed)
              (X_ij − mu_i1) / r_i1 = h_ij   (by how h is computed)
              Σ_{k=1}^D h_ik = 0   (by how h and mu are computed)
              ∂L/∂X = (∂L/∂Y ⊙ g − mean(∂L/∂Y ⊙ Y, axis=1, keepdims=true) ⊙ h − (∂L/∂Y g / D)[:, None]) / r   (simplified, written with Y)
        "#]],
    );
    check_closed(
        "S: [T=5, S_=7] ~ randn; V: [S_, H=2] ~ randn; P = softmax(S, axis=1); O = P @ V",
        "S",
        expect![[r#"
            dL/dS = P * (dL/dO @ V.T - sum(dL/dO * O, axis=1, keepdims=true))
              ∂L/∂S = P ⊙ (∂L/∂O Vᵀ − sum((∂L/∂O Vᵀ) ⊙ P, axis=1, keepdims=true))   (the cotangents above in their places, before anything is simplified)
              Σ_{k=1}^S_ Σ_{l=1}^H P_ik V_kl ∂L/∂O_il = Σ_{l=1}^H O_il ∂L/∂O_il   (by how O is computed)
              ∂L/∂S = P ⊙ (∂L/∂O Vᵀ − sum(∂L/∂O ⊙ O, axis=1, keepdims=true))   (simplified, written with O)
        "#]],
    );
    // Without anything between, the inserted form is the closed one.
    check_closed(
        "x: [n=3] ~ randn; W: [m=2, n] ~ randn; z = W @ x; y = tanh(z)",
        "x",
        expect![[r#"
        dL/dx = W.T @ (dL/dy * (1 - y^2))
          ∂L/∂x = Wᵀ (∂L/∂y ⊙ (1 − y²))   (the cotangents above in their places)
    "#]],
    );
}

/// Where an operation is made of simpler ones, its Jacobian is derived from these.
#[test]
fn the_jacobian_of_a_softmax() {
    check(
        "z: [n=4] ~ randn; p = softmax(z)",
        expect![[r#"
        dL/dz = p * (dL/dp - dL/dp @ p)
          p = softmax(z, axis=0)   (how p is computed)
          p_i = e^(z_i) / (Σ_{k=1}^n e^(z_k))   (what softmax is)
          ∂p_i/∂z_m = δ_im e^(z_i) / (Σ_{k=1}^n e^(z_k)) − e^(z_i) e^(z_m) / (Σ_{k=1}^n e^(z_k))²   (the derivative of that by one entry, by the rules of: exponential, sum over some axes, quotient of two values)
          = δ_im p_i − p_i p_m   (its derivative by one entry, written with p itself)
          ∂L/∂z_m = Σ_{i=1}^n ∂L/∂p_i ∂p_i/∂z_m   (the chain rule: every entry of p passes its share)
          = Σ_{i=1}^n ∂L/∂p_i δ_im p_i − Σ_{i=1}^n ∂L/∂p_i p_i p_m   (the derivatives inserted)
          = ∂L/∂p_m p_m − Σ_{i=1}^n ∂L/∂p_i p_i p_m   (each δ picks one value of an index and ends its sum)
          ∂L/∂z = p ⊙ (∂L/∂p − ∂L/∂p p)   (as a whole)
    "#]],
    );
    check(
        "Z: [N=2, C=3] ~ randn; s = logsumexp(Z, axis=1)",
        expect![[r#"
        dL/dZ = dL/ds[:, None] * softmax(Z, axis=1)
          s = logsumexp(Z, axis=1)   (how s is computed)
          s_i = log(Σ_{k=1}^C e^(Z_ik))   (what logsumexp is)
          ∂s_i/∂Z_mn = δ_im e^(Z_in) / (Σ_{k=1}^C e^(Z_ik))   (the derivative of that by one entry, by the rules of: exponential, sum over some axes, natural logarithm)
          = δ_im softmax(Z, axis=1)_in   (its derivative by one entry)
          ∂L/∂Z_mn = Σ_{i=1}^N ∂L/∂s_i ∂s_i/∂Z_mn   (the chain rule: every entry of s passes its share)
          = Σ_{i=1}^N ∂L/∂s_i δ_im softmax(Z, axis=1)_in   (the derivatives inserted)
          = ∂L/∂s_m softmax(Z, axis=1)_mn   (each δ picks one value of an index and ends its sum)
          ∂L/∂Z = ∂L/∂s[:, None] ⊙ softmax(Z, axis=1)   (as a whole)
    "#]],
    );
}

/// Sums are written out as deep as they stand; and what only says again what pieces stand for is no closed form.
#[test]
fn sums_in_functions_of_sums() {
    let source = "X: [N=5, D=3] ~ randn; w: [D] ~ randn; y = log(sum(exp(X @ w)))";
    check(
        source,
        expect![[r#"
        t1 = exp(X @ w)
        dy/dw = X.T @ t1 / sum(t1)
          y = log(Σ_{k=1}^N e^(Σ_{l=1}^D X_kl w_l))   (how y is computed; log: y_i = ln(x_i))
          (e^z)′ = e^z   (the rule of exp)
          log′(z) = 1/z   (the rule of log)
          ∂y/∂w_m = Σ_{k=1}^N ((e^(X w))_k X_km / sum(e^(X w)))   (its derivative by one entry)
          ∂y/∂w = Xᵀ t1 / sum(t1)   (as a whole)
        t2 = exp(X @ w)
        dy/dX = outer(t2, w) / sum(t2)
          y = log(Σ_{k=1}^N e^(Σ_{l=1}^D X_kl w_l))   (how y is computed; log: y_i = ln(x_i))
          (e^z)′ = e^z   (the rule of exp)
          log′(z) = 1/z   (the rule of log)
          ∂y/∂X_mn = (e^(X w))_m w_n / sum(e^(X w))   (its derivative by one entry)
          ∂y/∂X = t2 wᵀ / sum(t2)   (as a whole)
    "#]],
    );
    let (program, output, stages) = stages(source);
    assert!(in_closed_form(&program, &output, &stages).is_empty());
}

/// A rule is said where it is used, once in a step, and of the function that the program has.
#[test]
fn rules_are_told_where_they_are_used() {
    check(
        "x: [n=3] ~ randn; W: [m=2, n] ~ randn; b: [m] ~ randn; y = tanh(W @ x + b) * sigmoid(W @ x)",
        expect![[r#"
            t1 = W @ x
            dL/db = dL/dy * (sigmoid(t1) - y * tanh(t1 + b))
              y_i = sigmoid(Σ_{k=1}^n W_ik x_k) tanh(Σ_{k=1}^n W_ik x_k + b_i)   (how y is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              ∂y_i/∂b_p = δ_ip sigmoid(W x)_i (1 − tanh(W x + b)²)_i   (its derivative by one entry)
              ∂L/∂b_p = Σ_{i=1}^m ∂L/∂y_i ∂y_i/∂b_p   (the chain rule: every entry of y passes its share)
              = Σ_{i=1}^m ∂L/∂y_i δ_ip sigmoid(W x)_i (1 − tanh(W x + b)²)_i   (the derivatives inserted)
              = ∂L/∂y_p sigmoid(W x)_p (1 − tanh(W x + b)²)_p   (each δ picks one value of an index and ends its sum)
              ∂L/∂b = ∂L/∂y ⊙ (sigmoid(t1) − y ⊙ tanh(t1 + b))   (as a whole, written with y)
            t2 = sigmoid(W @ x)
            dL/dW = outer(dL/dy * (y * (1 - t2) + t2 - y * tanh(W @ x + b)), x)
              y_i = sigmoid(Σ_{k=1}^n W_ik x_k) tanh(Σ_{k=1}^n W_ik x_k + b_i)   (how y is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              sigmoid′(z) = sigmoid(z) (1 − sigmoid(z))   (the rule of sigmoid)
              ∂y_i/∂W_pq = δ_ip tanh(W x + b)_i (sigmoid(W x) ⊙ (1 − sigmoid(W x)))_i x_q + δ_ip sigmoid(W x)_i (1 − tanh(W x + b)²)_i x_q   (its derivative by one entry)
              ∂L/∂W_pq = Σ_{i=1}^m ∂L/∂y_i ∂y_i/∂W_pq   (the chain rule: every entry of y passes its share)
              = Σ_{i=1}^m ∂L/∂y_i δ_ip tanh(W x + b)_i (sigmoid(W x) ⊙ (1 − sigmoid(W x)))_i x_q + Σ_{i=1}^m ∂L/∂y_i δ_ip sigmoid(W x)_i (1 − tanh(W x + b)²)_i x_q   (the derivatives inserted)
              = ∂L/∂y_p tanh(W x + b)_p (sigmoid(W x) ⊙ (1 − sigmoid(W x)))_p x_q + ∂L/∂y_p sigmoid(W x)_p (1 − tanh(W x + b)²)_p x_q   (each δ picks one value of an index and ends its sum)
              ∂L/∂W = (∂L/∂y ⊙ (y ⊙ (1 − t2) + t2 − y ⊙ tanh(W x + b))) xᵀ   (as a whole, written with y)
            t3 = sigmoid(W @ x)
            dL/dx = W.T @ (dL/dy * y * (1 - t3) + dL/dy * (t3 - y * tanh(W @ x + b)))
              y_i = sigmoid(Σ_{k=1}^n W_ik x_k) tanh(Σ_{k=1}^n W_ik x_k + b_i)   (how y is computed)
              tanh′(z) = 1 − tanh(z)²   (the rule of tanh)
              sigmoid′(z) = sigmoid(z) (1 − sigmoid(z))   (the rule of sigmoid)
              ∂y_i/∂x_p = tanh(W x + b)_i (sigmoid(W x) ⊙ (1 − sigmoid(W x)))_i W_ip + sigmoid(W x)_i (1 − tanh(W x + b)²)_i W_ip   (its derivative by one entry)
              ∂L/∂x_p = Σ_{i=1}^m ∂L/∂y_i ∂y_i/∂x_p   (the chain rule: every entry of y passes its share)
              = Σ_{i=1}^m ∂L/∂y_i tanh(W x + b)_i (sigmoid(W x) ⊙ (1 − sigmoid(W x)))_i W_ip + Σ_{i=1}^m ∂L/∂y_i sigmoid(W x)_i (1 − tanh(W x + b)²)_i W_ip   (the derivatives inserted)
              ∂L/∂x = Wᵀ (∂L/∂y ⊙ y ⊙ (1 − t3) + ∂L/∂y ⊙ (t3 − y ⊙ tanh(W x + b)))   (as a whole, written with y)
        "#]],
    );
    let (program, output, stages) = stages("x: [n=4] ~ randn; y = softplus(x, beta=2) + elu(x)");
    assert_eq!(untrue(&stages, &program, &output), []);
}

/// Sums go from 1 on, and so do the places that an equation is about.
#[test]
fn places_count_from_one() {
    check(
        "x: [n=6] ~ randn; y = x[1::2]",
        expect![[r#"
        dL/dx = gather(eye(n), arange(1, n, 2), axis=0).T @ dL/dy
          y_i = Σ_{k=1}^n x_k [2i = k]   (how y is computed)
          ∂y_i/∂x_m = [2i = m]   (its derivative by one entry)
          ∂L/∂x_m = Σ_{i=1}^3 ∂L/∂y_i ∂y_i/∂x_m   (the chain rule: every entry of y passes its share)
          = Σ_{i=1}^3 ∂L/∂y_i [2i = m]   (the derivatives inserted)
          ∂L/∂x = gather(I_n, arange(1, n, 2), axis=0)ᵀ ∂L/∂y   (as a whole)
    "#]],
    );
    check(
        "x: [n=6] ~ randn; L = x[-1]^2",
        expect![[r#"
            dL/dx = 2 * x[-1] * one_hot(n - 1, n)
              L = (x[-1])²   (how L is computed)
              ∂L/∂x_m = 2 x[-1] [m = 6]   (its derivative by one entry)
              ∂L/∂x = 2 x[-1] ⊙ one_hot(n − 1, n)   (as a whole)
        "#]],
    );
}

/// Programs of the kinds that textbooks have: every line of each is true at these sizes and at others.
#[test]
fn every_line_is_true() {
    let kinds = [
        "X: [N=5, C=3] ~ randn; Y: [N, C] ~ positive; P = softmax(X, axis=1); L = -sum(Y * log(P)) / N",
        "X: [N=5, D=3] ~ randn; g: [D] ~ randn; mu = mean(X, axis=1, keepdims=true); v = mean((X - mu)^2, axis=1, keepdims=true); r = sqrt(v + 1e-5); h = (X - mu) / r; Y = g * h",
        "Q: [T=5, d=3] ~ randn; K: [S=7, d] ~ randn; V: [S, m=2] ~ randn; A = softmax(Q @ K.T / sqrt(d), axis=1); O = A @ V",
        "A: [N=4, N] ~ spd; b: [N] ~ randn; x = solve(A, b); L = sum(x^2) + logdet(A)",
        "W: [P=6, D=3] ~ randn; k: [N=4] ~ randint(0, 6); Z = W[k]",
        "x: [n=6] ~ randn; Z = where(x > 0, x, exp(x) - 1)",
        "x: [n=6] ~ randn; y = x[1:4]; L = sum(y^2)",
        "X: [N=2, D=6] ~ randn; Z = reshape(X, [3, 4])",
        "x: [B=2, C=2, E=5] ~ randn; w: [F=3, C, 3] ~ randn; Z = conv1d(x, w)",
        "x: [N=4, C=3] ~ randn; k: [N] ~ randint(0, C); L = sum(x[arange(N), k]^2)",
        "x: [n=6, m=4] ~ randn; y = x[::2]; Z = flip(y, axis=1)",
        "A: [N=4, N] ~ symmetric; x: [N] ~ randn; L = x @ A @ x",
    ];
    let mut lines = 0;
    for source in kinds {
        let (program, output, stages) = stages(source);
        assert_eq!(untrue(&stages, &program, &output), [], "{source}");
        lines += stages.iter().map(|stage| stage.lines.len()).sum::<usize>();
    }
    assert!(lines > 100, "{lines} lines");
}

/// A size that is computed of others stands in brackets, under a bar too.
#[test]
fn sizes_of_sizes() {
    check(
        "X: [N=4, D=3] ~ randn; v = var(X, axis=0, correction=1)",
        expect![[r#"
            dL/dX = 2 * dL/dv * (X - mean(X, axis=0, keepdims=true)) / (N - 1)
              v = var(X, axis=0, correction=1)   (how v is computed)
              ∂v_i/∂X_mn = 2/(N − 1) δ_in (X − mean(X, axis=0, keepdims=true))_mi   (its derivative by one entry)
              ∂L/∂X_mn = Σ_{i=1}^D ∂L/∂v_i ∂v_i/∂X_mn   (the chain rule: every entry of v passes its share)
              = 2/(N − 1) Σ_{i=1}^D ∂L/∂v_i δ_in (X − mean(X, axis=0, keepdims=true))_mi   (the derivatives inserted)
              = 2/(N − 1) ∂L/∂v_n (X − mean(X, axis=0, keepdims=true))_mn   (each δ picks one value of an index and ends its sum)
              ∂L/∂X = 2 ∂L/∂v ⊙ (X − mean(X, axis=0, keepdims=true)) / (N − 1)   (as a whole)
        "#]],
    );
}

/// A term that stands twice in a rule is one line.
#[test]
fn eigenvalues() {
    check(
        "X: [N=4, N] ~ symmetric; w = eigvalsh(X); L = sum(exp(w))",
        expect![[r#"
            dL/dw = exp(w)
              L = Σ_{k=1}^N e^(w_k)   (how L is computed)
              (e^z)′ = e^z   (the rule of exp)
              ∂L/∂w_m = e^(w_m)   (its derivative by one entry)
              ∂L/∂w = e^w   (as a whole)
            dL/dX = eigh_v(X) @ (dL/dw * eigh_v(X)).T
              ∂w_i/∂X_mn = eigh_v(X)_mi eigh_v(X)_ni   (its derivative by one entry)
              ∂L/∂X_mn = Σ_{i=1}^N ∂L/∂w_i ∂w_i/∂X_mn   (the chain rule: every entry of w passes its share)
              = Σ_{i=1}^N ∂L/∂w_i eigh_v(X)_mi eigh_v(X)_ni   (the derivatives inserted)
              ∂L/∂X = eigh_v(X) (∂L/∂w ⊙ eigh_v(X))ᵀ   (as a whole)
        "#]],
    );
}

/// What stands behind an ellipsis stays there.
#[test]
fn products_of_elements() {
    check(
        "A: [2, 3] ~ positive; Z = prod(A, axis=0) * prod(A)",
        expect![[r#"
        dL/dA = sum(dL/dZ * prod(A, axis=0)) * reshape(prod(where(eye(2 * 3), 1, reshape(A, [2 * 3])), axis=-1), [2, 3]) + prod(A) * dL/dZ * prod(where(eye(2), 1, A.T[..., None, :]), axis=-1).T
          Z_i = prod(A) prod(A, axis=0)_i   (how Z is computed)
          ∂Z_i/∂A_mn = prod(A, axis=0)_i reshape(prod(where(I_{2·3}, 1, reshape(A, [2 * 3])), axis=-1), [2, 3])_mn + δ_in prod(A) prod(where(I_2, 1, (Aᵀ)[..., None, :]), axis=-1)_im   (its derivative by one entry)
          ∂L/∂A_mn = Σ_{i=1}^3 ∂L/∂Z_i ∂Z_i/∂A_mn   (the chain rule: every entry of Z passes its share)
          = Σ_{i=1}^3 ∂L/∂Z_i prod(A, axis=0)_i reshape(prod(where(I_{2·3}, 1, reshape(A, [2 * 3])), axis=-1), [2, 3])_mn + Σ_{i=1}^3 ∂L/∂Z_i δ_in prod(A) prod(where(I_2, 1, (Aᵀ)[..., None, :]), axis=-1)_im   (the derivatives inserted)
          = Σ_{i=1}^3 ∂L/∂Z_i prod(A, axis=0)_i reshape(prod(where(I_{2·3}, 1, reshape(A, [2 * 3])), axis=-1), [2, 3])_mn + ∂L/∂Z_n prod(A) prod(where(I_2, 1, (Aᵀ)[..., None, :]), axis=-1)_nm   (each δ picks one value of an index and ends its sum)
          ∂L/∂A = sum(∂L/∂Z ⊙ prod(A, axis=0)) reshape(prod(where(I_{2·3}, 1, reshape(A, [2 * 3])), axis=-1), [2, 3]) + (prod(A) ∂L/∂Z) ⊙ prod(where(I_2, 1, (Aᵀ)[..., None, :]), axis=-1)ᵀ   (as a whole)
    "#]],
    );
}

/// Where no line shows why an adjoint is what it is, a reason says it.
#[test]
fn reasons_of_adjoints() {
    check(
        "A: [n=3, n] ~ randn; Z = expm(A)",
        expect![[r#"
            dL/dA = expm(kron(eye(2), A.T) + kron([[0, 1], [0, 0]], dL/dZ))[:n, n:]
              Z = expm(A)   (how Z is computed; expm: y = Σ_k x^k / k!, over the last two axes)
              ∂L/∂A_mp = Σ_{i=1}^n Σ_{j=1}^n ∂L/∂Z_ij ∂Z_ij/∂A_mp   (the chain rule: every entry of Z passes its share)
              ∂L/∂A = expm(I_2 ⊗ Aᵀ + [[0, 1], [0, 0]] ⊗ ∂L/∂Z)[:n, n:]   (as a whole: the Fréchet derivative of exp at X in a direction E is the upper right block of exp of [X, E; 0, X]; transposed, of Xᵀ and of the cotangent for E)
        "#]],
    );
}
