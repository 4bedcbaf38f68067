//! Gradients as code: what is written is what one would write by hand, and it is the gradient.

use expect_test::{Expect, expect};
use pullback_array::DType;
use pullback_array::random::Generator;
use pullback_autograd::{jacobian, pullback};
use pullback_derive::{Source, gradient_code};
use pullback_lang::program::{Program, elaborate, evaluate};
use pullback_lang::{Span, make, parse, print};
use pullback_network::Value as _;
use pullback_ops::Val;

/// The gradients of the last definition by all inputs, each held against reverse mode on random numbers. An output with axes has
/// a cotangent, `dL/dZ`.
fn check(source: &str, expected: Expect) {
    let file = parse(source).file;
    let (program, _) = elaborate(&file, ".".as_ref()).expect("the program is right");
    let output = &program.values.last().expect("it defines something").val;
    let mut text = String::new();
    for input in program.values.iter().filter(|value| value.val.inputs().is_empty()) {
        let code = code(&program, output, &input.val);
        text += &format!("{}: {}\n", input.name, code.as_deref().unwrap_or("no code"));
    }
    expected.assert_eq(&text);
}

/// The Jacobian of the last definition by its first input, held against reverse mode row by row.
fn check_jacobian(source: &str, expected: Expect) {
    let file = parse(source).file;
    let (program, _) = elaborate(&file, ".".as_ref()).expect("the program is right");
    let (of, wrt) = (&program.values.last().expect("it defines something").val, &program.values[0].val);
    let expr =
        gradient_code(of, wrt, &Source { cotangent: &|_| None, written: &|_| None, as_derived: false });
    let Some(expr) = expr else { return expected.assert_eq("no code") };
    let value =
        evaluate(&expr, program.scope()).unwrap_or_else(|error| panic!("{}: {error:?}", print(&expr)));
    let jacobian = jacobian(of, wrt, &[]).expect("it has one").to_dense().expect("small enough");
    let (value, jacobian) = (value.array().expect("numbers"), jacobian.array().expect("numbers"));
    assert!(value.is_near(jacobian, 1e-9), "{}: {value:?}\n{jacobian:?}", print(&expr));
    expected.assert_eq(&print(&expr));
}

fn code(program: &Program, output: &Val, input: &Val) -> Option<String> {
    let symbol = output.symbol();
    let of_output = |value: &Val| {
        let is_given = value.id() == output.id() && output.ndim() > 0;
        is_given.then(|| make::name(Span::default(), &format!("d{symbol}")))
    };
    let expr = gradient_code(
        output,
        input,
        &Source { cotangent: &of_output, written: &|_| None, as_derived: false },
    )?;
    let array = Generator::new(7).randn(&output.shape(), DType::F64).expect("a small array");
    let cotangent = if output.ndim() == 0 { output.one() } else { Val::new(array) };
    let mut scope = program.scope().clone();
    scope.define(&format!("d{symbol}"), cotangent.clone());
    let value = evaluate(&expr, &scope).unwrap_or_else(|error| panic!("{}: {error:?}", print(&expr)));
    let gradient = pullback(&[(output, &cotangent)], &[input], &[]).expect("it has a gradient").remove(0);
    let gradient = gradient.expect("which is not zero");
    let (value, gradient) = (value.array().expect("numbers"), gradient.array().expect("numbers"));
    assert!(value.is_near(gradient, 1e-9), "{}: {value:?}\n{gradient:?}", print(&expr));
    Some(print(&expr))
}

#[test]
fn layers() {
    check(
        "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; b: [M] ~ randn; Z = tanh(X @ W + b)",
        expect![[r#"
            X: dZ * (1 - Z^2) @ W.T
            W: X.T @ (dZ * (1 - Z^2))
            b: sum(dZ * (1 - Z^2), axis=0)
        "#]],
    );
    check(
        "Z: [N=5, C=3] ~ randn; A = softmax(Z, axis=1)",
        expect![[r#"
        Z: A * (dA - sum(dA * A, axis=1, keepdims=true))
    "#]],
    );
    check(
        "Q: [T=5, d=3] ~ randn; K: [S=7, d] ~ randn; V: [S, m=2] ~ randn; A = softmax(Q @ K.T / sqrt(d), axis=1); O = A @ V",
        expect![[r#"
            Q: A * (dO @ V.T - sum(dO * O, axis=1, keepdims=true)) @ K / sqrt(d)
            K: (A * (dO @ V.T - sum(dO * O, axis=1, keepdims=true))).T @ Q / sqrt(d)
            V: A.T @ dO
        "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; u = sqrt(mean(X^2, axis=1, keepdims=true)); R = X / u",
        expect![[r#"
            X: (dR - mean(dR * R, axis=1, keepdims=true) * R) / u
        "#]],
    );
}

#[test]
fn losses_name_their_sizes() {
    check(
        "X: [N=5, D=3] ~ randn; w: [D] ~ randn; y: [N] ~ randn; L = sum((X @ w - y)^2) / (2 * N)",
        expect![[r#"
            X: outer(X @ w - y, w) / N
            w: X.T @ (X @ w - y) / N
            y: (y - X @ w) / N
        "#]],
    );
    check(
        "P: [N=5, M=2] ~ randn; T: [N, M] ~ randn; L = mean((P - T)^2)",
        expect![[r#"
            P: 2 * (P - T) / (M * N)
            T: 2 * (T - P) / (M * N)
        "#]],
    );
}

#[test]
fn broadcasts_and_shapes() {
    check(
        "A: [N=5, D=3] ~ randn; b: [D] ~ positive; c: [N, 1] ~ randn; Z = A / b + c",
        expect![[r#"
        A: dZ / b
        b: -sum(dZ * A / b / b, axis=0)
        c: sum(dZ, axis=1, keepdims=true)
    "#]],
    );
    check(
        "A: [N=5, D=3] ~ randn; m = max(A, axis=1); s = logsumexp(A, axis=0)",
        expect![[r#"
            A: ds * softmax(A, axis=0)
        "#]],
    );
    check(
        "X: [N=2, D=6] ~ randn; Z = reshape(X, [3, 4])",
        expect![[r#"
        X: reshape(dZ, [N, D])
    "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; s = mean(X)",
        expect![[r#"
        X: ones([N, D]) / (D * N)
    "#]],
    );
    check(
        "A: [B=2, T=3, D=5] ~ randn; C: [B, D, S=7] ~ randn; Z = A @ C",
        expect![[r#"
        A: einsum("ijk,ilk->ijl", dZ, C)
        C: einsum("ijk,ijl->ilk", dZ, A)
    "#]],
    );
}

#[test]
fn products_of_matrices() {
    check(
        "A: [n=3, m=2] ~ randn; B: [m, k=5] ~ randn; C: [k, l=7] ~ randn; Z = A @ B @ C",
        expect![[r#"
        A: dZ @ C.T @ B.T
        B: A.T @ dZ @ C.T
        C: (A @ B).T @ dZ
    "#]],
    );
    check(
        "A: [n=3, n] ~ spd; Y = inv(A)",
        expect![[r#"
        A: -Y.T @ dY @ Y.T
    "#]],
    );
    check(
        "x: [n=3] ~ randn; A: [n, m=2] ~ randn; y: [m] ~ randn; s = x @ A @ y",
        expect![[r#"
        x: A @ y
        A: outer(x, y)
        y: x @ A
    "#]],
    );
}

/// What the language has no words for has no code, rather than a wrong one; and what doubles at each step ends.
#[test]
fn without_code() {
    check(
        "x: [n=5] ~ randn; y = x[::2]",
        expect![[r#"
            x: gather(eye(n), arange(0, n, 2), axis=0).T @ dy
        "#]],
    );
    let mut deep = "x0: [n=3] ~ randn; ".to_owned();
    for k in 0..40 {
        deep += &format!("x{} = softmax(x{k}) * x{k}; ", k + 1);
    }
    check(
        &deep,
        expect![[r#"
        x0: no code
    "#]],
    );
}

/// What is sliced is put back among zeros, and what is joined is sliced: by names of sizes, where they have any.
#[test]
fn slices() {
    check(
        "x: [n=5] ~ randn; y = x[1:3]",
        expect![[r#"
        x: pad(dy, [[1, n - 3]])
    "#]],
    );
    check(
        "A: [N=4, M=3] ~ randn; y = A[0] * sum(A[-1:])",
        expect![[r#"
            A: outer(one_hot(N - 1, N), sum(dy * A[0]) * ones([M])) + outer(one_hot(0, N), sum(A[3:]) * dy)
        "#]],
    );
    check(
        "a: [N=2, M=3] ~ randn; b: [N, P=2] ~ randn; y = tanh(concat([a, b], axis=1))",
        expect![[r#"
        a: dy[:, :M] * (1 - y^2)[:, :M]
        b: dy[:, -P:] * (1 - y^2)[:, -P:]
    "#]],
    );
    // Where the middle one begins has no name here.
    check(
        "a: [M=3] ~ randn; b: [M] ~ randn; c: [M] ~ randn; y = concat([a, b, c])",
        expect![[r#"
        a: dy[:M]
        b: no code
        c: dy[-M:]
    "#]],
    );
    check(
        "a: [2] ~ randn; b: [3] ~ randn; c: [4] ~ randn; y = concat([a, b, c])",
        expect![[r#"
        a: dy[:2]
        b: dy[2:5]
        c: dy[-4:]
    "#]],
    );
}

/// Rows that a table lists are added up where it says.
#[test]
fn listed_rows() {
    check(
        "W: [V=5, D=3] ~ randn; i: [N=4] ~ randint(0, V); y = W[i]^2",
        expect![[r#"
        W: 2 * scatter_add(dy * gather(W, i, axis=0), i, V)
        i: no code
    "#]],
    );
    check(
        "W: [V=5, D=3] ~ randn; i: [N=4, T=2] ~ randint(0, V); U: [D] ~ randn; y = W[i] @ U",
        expect![[r#"
        W: scatter_add(dy[:, :, None] * U, i, V)
        i: no code
        U: sum(dy[:, :, None] * gather(W, i, axis=0), axis=[0, 1])
    "#]],
    );
    check(
        "x: [N=4, D=3] ~ randn; i: [N] ~ randint(0, 5); y = scatter_add(x^2, i, [6])",
        expect![[r#"
        x: 2 * gather(dy, i, axis=0) * x
        i: no code
    "#]],
    );
}

/// A size of one that has a name may be another one: the code is that of any size.
/// One of each row, places that are not next to one another, and operations that state their adjoint.
#[test]
fn places() {
    check(
        "x: [N=5, C=3] ~ randn; k: [N] ~ randint(0, C); L = -mean(log_softmax(x, axis=1)[arange(N), k])",
        expect![[r#"
            x: (softmax(x, axis=1) - gather(eye(C), k, axis=0)) / N
            k: no code
        "#]],
    );
    check(
        "x: [N=5, C=3] ~ randn; k: [N] ~ randint(0, C); L = sum(take_along_axis(x, k[:, None], axis=1))",
        expect![[r#"
            x: gather(eye(C), k, axis=0)
            k: no code
        "#]],
    );
    check(
        "x: [n=6, m=4] ~ randn; y = x[1::2, ::-1]",
        expect![[r#"
        x: gather(eye(n), arange(1, n, 2), axis=0).T @ dy @ gather(eye(4), arange(4 - 1, -1, -1), axis=0).T
    "#]],
    );
    check(
        "x: [n=6] ~ randn; L = x[-1]^2 + x[-2] * x[3]",
        expect![[r#"
            x: x[-2] * one_hot(3, n) + x[3] * one_hot(4, n) + 2 * x[-1] * one_hot(n - 1, n)
        "#]],
    );
    check(
        "x: [B=2, C=2, E=7] ~ randn; w: [F=3, C, 3] ~ randn; Z = conv1d(x, w, stride=3)",
        expect![[r#"
        x: conv_transpose(dZ, w, stride=3, padding=0, dilation=1, output_padding=[1])
        w: einsum("bfo,bcok->fck", dZ, windows(x, 2, 3, step=3))
    "#]],
    );
    check(
        "x: [B=2, C=2, E=6, E] ~ randn; w: [F=3, C, 3, 2] ~ randn; Z = conv2d(x, w, stride=2, padding=1)",
        expect![[r#"
            x: conv_transpose(dZ, w, stride=2, padding=1, dilation=1, output_padding=[1, 0])
            w: einsum("bfop,bcopkl->fckl", dZ, windows(windows(pad(x, [[0, 0], [0, 0], [1, 1], [1, 1]]), 2, 3, step=2), 3, 2, step=2))
        "#]],
    );
}

#[test]
fn sizes_of_one() {
    check(
        "X: [N=1, D=1] ~ randn; W: [D, M=1] ~ randn; L = sum((X @ W)^2)",
        expect![[r#"
            X: 2 * X @ W @ W.T
            W: 2 * X.T @ (X @ W)
        "#]],
    );
    check(
        "X: [N=1, D=4] ~ randn; g: [1, D] ~ randn; A = softmax(X * g, axis=1)",
        expect![[r#"
            X: A * (dA - sum(dA * A, axis=1, keepdims=true)) * g
            g: A * X * (dA - sum(dA * A, axis=1))
        "#]],
    );
}

#[test]
fn what_undoes_itself_is_gone() {
    check(
        "Z: [N=5, C=3] ~ randn; T: [N, C] ~ positive; P = softmax(Z, axis=1); L = -sum(T * log(P)) / N",
        expect![[r#"
            Z: (sum(T, axis=1, keepdims=true) * P - T) / N
            T: -log(P) / N
        "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; w: [D] ~ randn; y: [N] ~ positive; p = sigmoid(X @ w); L = -mean(y * log(p) + (1 - y) * log(1 - p))",
        expect![[r#"
            X: outer(p - y, w) / N
            w: X.T @ (p - y) / N
            y: (log(1 - p) - log(p)) / N
        "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; W: [D, M=2] ~ randn; S = 1 / (1 + exp(-(X @ W)))",
        expect![[r#"
            X: dS * S * (1 - S) @ W.T
            W: X.T @ (dS * S * (1 - S))
        "#]],
    );
}

#[test]
fn normalisations_are_those_of_textbooks() {
    check(
        "X: [N=5, D=3] ~ randn; g: [D] ~ randn; b: [D] ~ randn; mu = mean(X, axis=1, keepdims=true); var = mean((X - mu)^2, axis=1, keepdims=true); rstd = 1 / sqrt(var + 1e-5); R = (X - mu) * rstd; Y = R * g + b",
        expect![[r#"
            X: rstd * (dY * g - (dY * R @ g)[:, None] * R / D - (dY @ g / D)[:, None])
            g: sum(dY * R, axis=0)
            b: sum(dY, axis=0)
        "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; g: [D] ~ randn; b: [D] ~ randn; mu = mean(X, axis=0); C = X - mu; v = mean(C^2, axis=0); R = C / sqrt(v + 1e-5); Y = R * g + b",
        expect![[r#"
            X: g * (dY - mean(dY * R, axis=0) * R - mean(dY, axis=0)) / sqrt(v + 1e-5)
            g: sum(dY * R, axis=0)
            b: sum(dY, axis=0)
        "#]],
    );
    check(
        "X: [N=5, D=3] ~ randn; g: [D] ~ randn; u = sqrt(mean(X^2, axis=1, keepdims=true) + 1e-6); R = X / u; Y = R * g",
        expect![[r#"
            X: (dY * g - mean(dY * Y, axis=1, keepdims=true) * R) / u
            g: sum(dY * R, axis=0)
        "#]],
    );
}

#[test]
fn jacobians_with_a_diagonal() {
    check_jacobian("s: [n=4] ~ randn; a = softmax(s)", expect!["diag(a) - outer(a, a)"]);
    check_jacobian(
        "a: [m=4] ~ randn; r = a / sqrt(mean(a^2))",
        expect!["(eye(m) - outer(r, r) / m) / sqrt(mean(a^2))"],
    );
    check_jacobian("x: [n=4] ~ randn; W: [n, n] ~ randn; y = W @ x + x^3", expect!["3 * diag(x^2) + W"]);
}

/// What is divided by may be zero only where the derivative divides by it: of `q = x * e` it is not told that `e` is `q / x`.
#[test]
fn nothing_is_divided_by_that_may_be_zero() {
    check(
        "x: [n=5] ~ randn; q = x * exp(-x^2); L = sum(q)",
        expect![[r#"
        x: exp(-x^2) - 2 * q * x
    "#]],
    );
    check(
        "x: [n=5] ~ randn; g: [n] ~ randn; c = x - mean(x); y = c * g",
        expect![[r#"
        x: dy * g - mean(dy * g)
        g: dy * c
    "#]],
    );
}

#[test]
fn roots_probabilities_and_numbers() {
    check(
        "X: [N=5, D=3] ~ randn; mu = mean(X, axis=1, keepdims=true); v = mean((X - mu)^2, axis=1, keepdims=true); r = (v + 1e-5)^-0.5; y = (X - mu) * r",
        expect![[r#"
            X: r * (dy - mean(dy * y, axis=1, keepdims=true) * y - mean(dy, axis=1, keepdims=true))
        "#]],
    );
    check(
        "z: [n=5] ~ randn; p = softmax(z); H = -sum(p * log(p))",
        expect![[r#"
        z: p * (sum(log(p) * p) - log(p))
    "#]],
    );
    check(
        "x: [n=5] ~ randn; L = 6 * sum((x / 3)^2) + sum(0.1 * x)",
        expect![[r#"
        x: 0.1 + 4 * x / 3
    "#]],
    );
    check(
        "z: [n=5] ~ randn; s = sqrt(z^2); L = sum(s)",
        expect![[r#"
        z: z / s
    "#]],
    );
}

/// Programs made at random, of what normalises, squashes, gates and adds, with a name for each step: the code of each gradient
/// is the gradient (`check` holds it against reverse mode), and most have one.
#[test]
fn programs_at_random() {
    const STEPS: [&str; 12] = [
        "tanh(V)",
        "V * g",
        "V / (1 + V^2)",
        "V - mean(V, axis=1, keepdims=true)",
        "softmax(V, axis=1)",
        "V / sqrt(mean(V^2, axis=1, keepdims=true) + 0.1)",
        "(V - mean(V, axis=0)) * (mean(V^2, axis=0) + 1)^-0.5",
        "1 / (1 + exp(-V))",
        "V * U",
        "U - 0.3 * V",
        "exp(V) / sum(exp(V), axis=1, keepdims=true)",
        "V @ W",
    ];
    let (mut written, mut all) = (0, 0);
    for seed in 0..60 {
        let mut source =
            "X: [N=3, D=4] ~ randn; g: [D] ~ randn; W: [D, D] ~ randn; T: [N, D] ~ positive".to_owned();
        let mut names = vec!["X".to_owned(), "T".to_owned()];
        let picks = Generator::new(seed).rand(&[4], DType::F64).expect("a small array").to_vec_f64();
        for (at, pick) in picks.iter().enumerate() {
            let step = STEPS[(pick * STEPS.len() as f64) as usize];
            let before = &names[names.len() - 2];
            let last = if at == 0 { "X" } else { names[names.len() - 1].as_str() };
            let step = step.replace('V', last).replace('U', before);
            source += &format!("; v{at} = {step}");
            names.push(format!("v{at}"));
        }
        source += "; L = sum(T * v3) / (2 * N)";
        let file = parse(&source).file;
        let (program, _) = elaborate(&file, ".".as_ref()).expect("the program is right");
        let output = &program.find("L").expect("it is defined").val;
        for input in ["X", "g", "W", "T"].map(|name| &program.find(name).expect("it is an input").val) {
            let is_used =
                pullback(&[(output, &output.one())], &[input], &[]).expect("it has a gradient").remove(0);
            if is_used.is_some() {
                all += 1;
                written += usize::from(code(&program, output, input).is_some());
            }
        }
    }
    assert!(written * 20 >= all * 19, "{written} of {all} have code");
}

/// Where an axis has one entry by chance, sizes do not tell which axis is which: the code is that of other sizes too.
#[test]
fn reshapes_of_one_entry() {
    let rows = |n: usize| format!("X: [N={n}, D=3] ~ positive; r = sum(X, axis=1); Y = X / r[:, None]");
    let text = |source: &str| {
        let file = parse(source).file;
        let (program, _) = elaborate(&file, ".".as_ref()).expect("the program is right");
        let find = |name: &str| &program.find(name).expect("it is defined").val;
        (code(&program, find("Y"), find("X")).expect("it has code"), program)
    };
    let (of_one, _) = text(&rows(1));
    let (_, program) = text(&rows(5));
    let output = &program.find("Y").expect("it is defined").val;
    let cotangent = Val::new(Generator::new(3).randn(&[5, 3], DType::F64).expect("a small array"));
    let mut scope = program.scope().clone();
    scope.define("dY", cotangent.clone());
    let expr = pullback_lang::parse_expr(&of_one).expect("it parses").expr;
    let value = evaluate(&expr, &scope).unwrap_or_else(|error| panic!("{of_one}: {error:?}"));
    let x = &program.find("X").expect("it is an input").val;
    let gradient = pullback(&[(output, &cotangent)], &[x], &[]).expect("it has a gradient").remove(0);
    let (value, gradient) = (value.array(), gradient.expect("which is not zero"));
    assert!(value.expect("numbers").is_near(gradient.array().expect("numbers"), 1e-9), "{of_one}");
}

/// A result that is not the first of its operation is what a function of the language gives by itself.
#[test]
fn one_of_several_results() {
    check(
        "X: [N=4, N] ~ symmetric; w = eigvalsh(X); L = sum(exp(w))",
        expect![[r#"
        X: eigh_v(X) @ (exp(w) * eigh_v(X)).T
    "#]],
    );
    check(
        "X: [N=4, N] ~ symmetric; w, V = eigh(X); L = sum(exp(w))",
        expect![[r#"
        X: V @ (exp(w) * V).T
    "#]],
    );
    check(
        "X: [N=4, D=3] ~ randn; L = sum(svdvals(X)^3)",
        expect![[r#"
        X: 3 * svd_u(X) @ (svdvals(X)^2 * svd_vt(X).T).T
    "#]],
    );
    check(
        "X: [N=4, D=3] ~ randn; Y, _ = sort(X, axis=0, descending=true)",
        expect![[r#"
        X: sum(dY.T[:, :, None] * gather(eye(N), permute(argsort(X, axis=0, descending=true), [1, 0]), axis=0), axis=1).T
    "#]],
    );
    check(
        "x: [n=5] ~ randn; y, _ = sort(x)",
        expect![[r#"
        x: scatter_add(dy, argsort(x, axis=0), n)
    "#]],
    );
}

/// A product has its derivative at zeros too.
#[test]
fn products_of_elements() {
    check(
        "x: [n=4] = [0.5, 0, -1.5, 2]; L = prod(x)",
        expect![[r#"
        x: prod(where(eye(n), 1, x), axis=-1)
    "#]],
    );
    check(
        "X: [n=2, m=3] = [[0, 2, -1.5], [0, 0, 3]]; p = prod(X, axis=1)",
        expect![[r#"
        X: dp[:, None] * prod(where(eye(m), 1, X[..., None, :]), axis=-1)
    "#]],
    );
    check(
        "X: [n=2, m=3] = [[0, 2, -1.5], [0, 0, 3]]; p = prod(X, axis=0, keepdims=true)",
        expect![[r#"
        X: dp * prod(where(eye(n), 1, X.T[..., None, :]), axis=-1).T
    "#]],
    );
    check(
        "X: [n=2, m=3] = [[0.5, 2, -1.5], [0, 1, 3]]; L = prod(X + 1)",
        expect![[r#"
        X: reshape(prod(where(eye(n * m), 1, reshape(X + 1, [n * m])), axis=-1), [n, m])
    "#]],
    );
}

#[test]
fn exponentials_of_matrices() {
    check(
        "X: [N=3, N] ~ randn; Y = expm(X)",
        expect![[r#"
        X: expm(kron(eye(2), X.T) + kron([[0, 1], [0, 0]], dY))[:N, N:]
    "#]],
    );
    check(
        "X: [2, 2] ~ randn; B: [2, 2] ~ randn; L = trace(B @ expm(X @ X))",
        expect![[r#"
        X: expm(kron(eye(2), (X @ X).T) + kron([[0, 1], [0, 0]], B.T))[:2, 2:] @ X.T + X.T @ expm(kron(eye(2), (X @ X).T) + kron([[0, 1], [0, 0]], B.T))[:2, 2:]
        B: expm(X @ X).T
    "#]],
    );
}

/// A size less one is a number of the program, and no number.
#[test]
fn corrected_variances() {
    check(
        "X: [N=4, D=3] ~ randn; v = var(X, axis=0, correction=1)",
        expect![[r#"
        X: 2 * dv * (X - mean(X, axis=0, keepdims=true)) / (N - 1)
    "#]],
    );
    check(
        "X: [N=4, D=3] ~ randn; s = std(X, correction=1)",
        expect![[r#"
        X: (X - mean(X, keepdims=true)) / ((N * D - 1) * s)
    "#]],
    );
}

/// The gradient of a Kronecker product by either factor, block by block.
#[test]
fn kronecker_products() {
    check(
        "A: [m=2, n=3] ~ randn; B: [p=4, q=2] ~ randn; Z = kron(A, B)",
        expect![[r#"
        A: einsum("ikjl,kl->ij", reshape(dZ, [m, p, n, q]), B)
        B: einsum("ikjl,ij->kl", reshape(dZ, [m, p, n, q]), A)
    "#]],
    );
    check(
        "a: [m=2] ~ randn; b: [p=3] ~ randn; Z = kron(a, b)",
        expect![[r#"
        a: reshape(dZ, [m, p]) @ b
        b: a @ reshape(dZ, [m, p])
    "#]],
    );
    check(
        "A: [m=2, n=3] ~ randn; x: [p=2] ~ randn; Z = kron(A, x)",
        expect![[r#"
            A: einsum("ikjl,kl->ij", reshape(dZ, [m, 1, n, p]), reshape(x, [1, p]))
            x: einsum("ikjl,ij->kl", reshape(dZ, [m, 1, n, p]), A)[0, :]
        "#]],
    );
    // What adds up to something shorter stays that.
    check(
        "X: [D=3, D] ~ randn; L = trace(kron(X, X))",
        expect![[r#"
        X: 2 * trace(X) * eye(D)
    "#]],
    );
}
