//! The shortest form of expressions of matrices: what it is, and that its value is the same.

use pullback_derive::{Known, shortened};
use pullback_lang::program::{elaborate, evaluate};
use pullback_lang::{parse, parse_expr, print};

const PROGRAM: &str = "X: [N=5, D=3] ~ randn; A: [N, N] ~ randn; B: [N, N] ~ randn; S: [N, N] ~ symmetric; \
    x: [N] ~ randn; y: [N] ~ randn; d: [D] ~ randn; s: [] ~ positive; m = A @ x; q = softmax(x); Z = A * B; \
    L = sum(m) + sum(q) + sum(Z) + sum(X @ d) + s * (y @ S @ y)";

#[test]
fn identities_of_matrices() {
    let (program, _) = elaborate(&parse(PROGRAM).file, ".".as_ref()).expect("the program is right");
    let output = &program.find("L").expect("it is defined").val;
    let known = Known::new(output, &["S"]);
    let cases = [
        ("X.T @ m - X.T @ y", "X.T @ (m - y)"),
        ("y @ A + A @ y", "(A.T + A) @ y"),
        ("x @ S + S @ x", "2 * S @ x"),
        ("(A @ B).T", "(A @ B).T"),
        ("(A @ S).T @ x", "(A @ S).T @ x"),
        ("A @ X + B @ X", "(A + B) @ X"),
        ("outer(x, y) + outer(y, y)", "outer(x + y, y)"),
        ("inv(A).T @ y", "solve(A.T, y)"),
        ("A.T @ inv(A @ B).T @ x", "solve(B.T, x)"),
        ("A @ inv(A) @ x", "x"),
        ("inv(S).T", "inv(S)"),
        ("eye(N).T @ x + x", "x + x"),
        ("x + y + x + x", "3 * x + y"),
        ("sum(x * y)", "x @ y"),
        ("exp(y - logsumexp(y, keepdims=true))", "softmax(y)"),
        ("s * exp(x) / (1 + exp(x))", "s * sigmoid(x)"),
        ("1 / (1 + exp(-x))", "sigmoid(x)"),
        ("softmax(x, axis=0) * y", "q * y"),
        ("A @ x - y", "m - y"),
        ("x[:, None] * y", "outer(x, y)"),
        ("sign(x) * x * y / abs(x)", "y"),
        ("relu(x) * step(x)", "relu(x)"),
        ("X[2, 0:3]", "X[2]"),
        ("x / s + y / s", "(x + y) / s"),
    ];
    let mut others = Vec::new();
    for (text, expected) in cases {
        let expr = parse_expr(text).expect("it parses").expr;
        let short = shortened(&expr, &known);
        if print(&short) != expected {
            others.push((text, print(&short)));
        }
        let value =
            |expr| evaluate(expr, program.scope()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let (before, after) = (value(&expr), value(&short));
        assert_eq!(before.dims(), after.dims(), "{text}");
        let (before, after) = (before.array().expect("numbers"), after.array().expect("numbers"));
        assert!(before.is_near(after, 1e-9), "{text}: {before:?} {after:?}");
    }
    assert_eq!(others, []);
}

/// What broadcasts, or has more axes than a matrix, is left as it is.
#[test]
fn broadcasts_are_no_sums_of_matrices() {
    let (program, _) = elaborate(&parse(PROGRAM).file, ".".as_ref()).expect("the program is right");
    let known = Known::new(&program.find("L").expect("it is defined").val, &["S"]);
    for text in ["X - d", "A @ X + d", "x + A", "X.T * x", "unknown @ x + unknown @ y"] {
        let expr = parse_expr(text).expect("it parses").expr;
        assert_eq!(print(&shortened(&expr, &known)), text);
    }
}
