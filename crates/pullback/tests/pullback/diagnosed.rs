//! What is wrong with a wrong claim: the cause, its place, and what would be right.
//!
//! In every case the right expression is known from the mathematics and written beside the wrong one. That a fix holds is
//! checked by writing it into the source.

use expect_test::{Expect, expect};
use pullback::check::{Note, Verdict};
use pullback::lang::print;
use pullback::report::ClaimReport;
use pullback::session::check_source;

use crate::command::{pullback, root, without_noise};

pub(crate) fn claims(source: &str) -> Vec<ClaimReport> {
    let report = check_source("test.grad", source.as_bytes(), ".".as_ref());
    assert!(report.errors.is_empty(), "{source}\n{:?}", report.errors);
    report.claims
}

/// `layer` with a last claim `key = wrong`: the cause, the part that is pointed at, and the fix.
#[track_caller]
pub(crate) fn check(layer: &str, key: &str, wrong: &str, cause: &str, at: &str, fix: &str) {
    let source = format!("{layer}\n{key} = {wrong}\n");
    let claim = claims(&source).pop().expect("a claim is there");
    let [found] = claim.diagnoses.as_slice() else {
        panic!("{key} = {wrong}: {:?}, {:#?}", claim.judgement.verdict, claim.diagnoses)
    };
    let told = found.fix.as_ref().map(|fix| print(&fix.expr)).unwrap_or_default();
    assert_eq!((found.cause, found.span.slice(&source), told.as_str()), (cause, at, fix), "{key} = {wrong}");
    if let Some(fix) = &found.fix {
        let right = match &fix.definition {
            None => format!("{layer}\n{key} = {told}\n"),
            Some(name) => {
                let start = source.find(&format!("\n{name} = ")).expect("the definition is there") + 1;
                let end = start + source[start..].find('\n').expect("a line");
                format!("{}{name} = {told}{}", &source[..start], &source[end..])
            }
        };
        let right = claims(&right).pop().expect("a claim is there");
        assert!(right.judgement.passes(), "{key} = {wrong}: the fix {told} is {}", right.judgement.verdict);
    }
}

const LAYER: &str = "
X: [N=5, D=3] ~ randn
W: [D, M=2] ~ randn
b: [M] ~ randn
T: [N, M] ~ randn
Z = X @ W + b
L = mean((Z - T)^2)
dL/dZ = 2 * (Z - T) / (N * M)
";

/// Square throughout: every transpose and every order of operands has a fitting shape.
const SQUARE: &str = "
A: [k=3, l=3] ~ randn
B: [l, m=3] ~ randn
v: [m] ~ randn
g: [k] ~ randn
C = A @ B
y = C @ v
r = g * y
L = sum(r^2)
dL/dr = 2 * r
dL/dy = dL/dr * g
";

#[test]
fn factors_transposed_and_swapped() {
    check(LAYER, "dL/dX", "W @ dL/dZ.T", "transposed-factor", "W @ dL/dZ.T", "dL/dZ @ W.T");
    check(LAYER, "dL/dX", "dL/dZ @ W.T / 2", "extra-factor", "2", "dL/dZ @ W.T");
    check(SQUARE, "dy/dv", "C.T", "transposed-factor", "C.T", "C");
    check(SQUARE, "dL/dv", "dL/dy @ C.T", "transposed-factor", "C.T", "dL/dy @ C");
    check(SQUARE, "dL/dC", "outer(v, dL/dy)", "swapped-operands", "outer(v, dL/dy)", "outer(dL/dy, v)");
    check(SQUARE, "dL/dB", "A @ outer(dL/dy, v)", "transposed-factor", "A", "A.T @ outer(dL/dy, v)");
    check(
        SQUARE,
        "dL/dA",
        "B @ outer(dL/dy, v)",
        "transposed-factor",
        "B",
        // Two slips: the order, and a transpose.
        "outer(dL/dy, v) @ B.T",
    );
    check(
        SQUARE,
        "dC[i,j]/dB[p,q]",
        "A[p,i] * delta[j,q]",
        "transposed-factor",
        "A[p,i]",
        "A[i, p] * delta[j, q]",
    );
}

#[test]
fn factors_transposed_in_a_batch() {
    let batch = "P: [B=2, T=3, T] ~ randn\nV: [B, T, d=5] ~ randn\nO = P @ V\ndL/dO: [B, T, d] ~ randn";
    check(batch, "dL/dV", "P @ dL/dO", "transposed-factor", "P", "permute(P, [0, 2, 1]) @ dL/dO");
    let right = "permute(dL/dO, [0, 2, 1])";
    let square = "P: [B=2, T=3, T] ~ randn\nV: [B, T, T] ~ randn\nO = P @ V\ndL/dO: [B, T, T] ~ randn\ndL/dV = permute(P, [0, 2, 1]) @ dL/dO";
    check(square, "dL/dP", "dL/dO @ V", "transposed-factor", "V", "dL/dO @ permute(V, [0, 2, 1])");
    check(
        square,
        "dL/dP",
        &format!("{right} @ permute(V, [0, 2, 1])"),
        "transposed-factor",
        right,
        "dL/dO @ permute(V, [0, 2, 1])",
    );
}

#[test]
fn operands_of_a_function_of_the_file_swapped() {
    let softmax = "fn back(g, p) = p * (g - sum(g * p))\nx: [n=4] ~ randn\np = softmax(x)\nL = sum(p^3)\ndL/dp = 3 * p^2";
    check(softmax, "dL/dx", "back(p, dL/dp)", "swapped-operands", "back(p, dL/dp)", "back(dL/dp, p)");
}

#[test]
fn a_term_or_a_sum_too_many() {
    check(LAYER, "dL/dX", "dL/dZ @ W.T + X", "extra-term", "X", "dL/dZ @ W.T");
    check(SQUARE, "dy/dv", "C + C.T", "extra-term", "C.T", "C");
    check(SQUARE, "dL/dg", "dL/dr * y - C[0]", "extra-term", "C[0]", "dL/dr * y");
    check(LAYER, "dL/dT", "sum(-dL/dZ, axis=0)", "wrong-axis", "sum(-dL/dZ, axis=0)", "-dL/dZ");
}

/// With N = M = 1 the claim of dL/dZ holds, and lacks a factor at other sizes. It is no mistake of dL/dw.
#[test]
fn what_holds_on_one_row_only_is_no_mistake_of_what_uses_it() {
    let row = "X: [N=1, D=3] ~ randn\nw: [D, M=1] ~ randn\nZ = X @ w\nL = mean(Z^2)\ndL/dZ = 2 * Z";
    check(row, "dL/dw", "2 * X.T @ dL/dZ", "extra-factor", "2", "X.T @ dL/dZ");
}

#[test]
fn factors_missing_and_extra() {
    let mse = "X: [N=5, D=3] ~ randn\nT: [N, D] ~ randn\nL = mean((X - T)^2)";
    check(mse, "dL/dX", "2 * (X - T) / N", "missing-factor", "N", "2 * (X - T) / (N * D)");
    check(mse, "dL/dX", "(X - T) / (N * D)", "missing-factor", "(X - T) / (N * D)", "2 * (X - T) / (N * D)");
    check(mse, "dL/dX", "3 * (X - T) / (N * D)", "missing-factor", "3", "2 * (X - T) / (N * D)");
    check(mse, "dL/dX", "2 * (X - T)", "missing-factor", "2 * (X - T)", "2 * (X - T) / (N * D)");
    check(mse, "dL/dX", "2 * (T - X) / (N * D)", "swapped-operands", "(T - X)", "2 * (X - T) / (N * D)");
    check(mse, "dL/dT", "2 * (X - T) / (N * D)", "swapped-operands", "(X - T)", "2 * (T - X) / (N * D)");

    let quotient = "a: [n=4] ~ randn\nb: [n] ~ positive\nc = a / b\ndL/dc: [n] ~ randn";
    check(quotient, "dL/da", "dL/dc * b", "missing-factor", "*", "dL/dc / b");
    let literal = "x = [1, 2, 3]\nL = mean(x^2)";
    check(literal, "dL/dx", "2 * x / 2", "missing-factor", "2", "2 * x / 3");
    check(SQUARE, "dL/dg", "-dL/dr * y", "extra-factor", "-dL/dr", "dL/dr * y");
    check(SQUARE, "dL/dg", "y", "missing-factor", "y", "y * dL/dr");
    let cube = "x: [n=3] ~ randn\nL = sum(x^3)";
    check(cube, "dL/dx", "3 * x", "missing-factor", "3 * x", "3 * x^2");
    let scores = "Q: [n=4, d=5] ~ randn\nK: [m=3, d] ~ randn\nS = Q @ K.T / sqrt(d)\ndL/dS: [n, m] ~ randn";
    check(scores, "dL/dQ", "dL/dS @ K", "missing-factor", "dL/dS @ K", "dL/dS @ K / sqrt(d)");
    check(scores, "dL/dK", "dL/dS.T @ Q / d", "missing-factor", "d", "dL/dS.T @ Q / sqrt(d)");
    // A given cotangent is known whatever its loss is called.
    for loss in ["L", "diff"] {
        let sine = format!("s: [n=3] ~ randn\ny = sin(s)\nd{loss}/dy: [n] ~ randn");
        let right = format!("cos(s) * d{loss}/dy");
        check(&sine, &format!("d{loss}/ds"), "cos(s)", "missing-factor", "cos(s)", &right);
    }
    check(SQUARE, "dL/dv", "2 * dL/dy @ C", "extra-factor", "2", "dL/dy @ C");
    check(SQUARE, "dL/dv", "r @ C", "stale-operand", "r", "dL/dy @ C");
    let tanh = "x: [n=3] ~ randn\ny = tanh(x)\nL = sum(y)\nu = sqrt(mean(x^2))\nr = x / u";
    check(tanh, "dr/dx [u fixed]", "eye(n) * u", "missing-factor", "*", "eye(n) / u");
    check(
        tanh,
        "dr/dx",
        "eye(n) / u - outer(x, x) / n",
        "missing-factor",
        "n",
        "eye(n) / u - outer(x, x) / (n * u^3)",
    );
}

/// The derivatives of softmax, of normalisations and of a quadratic form have several terms.
#[test]
fn terms_missing() {
    let missing = |layer: &str, key: &str, wrong: &str, at: &str, fix: &str| {
        check(layer, key, wrong, "missing-term", at, fix);
    };
    let softmax = "z: [n=4] ~ randn\np = softmax(z)\ndL/dp: [n] ~ randn";
    missing(softmax, "dL/dz", "p * dL/dp", "dL/dp", "p * (dL/dp - sum(p * dL/dp))");
    missing(softmax, "dp/dz", "diag(p)", "diag(p)", "diag(p) - outer(p, p)");
    let entry = "p[i] * delta[i,j]";
    missing(softmax, "dp[i]/dz[j]", entry, entry, "p[i] * delta[i, j] - p[i] * p[j]");
    let rows = "Z: [N=4, M=3] ~ randn\nA = softmax(Z, axis=1)\ndL/dA: [N, M] ~ randn";
    let right = "A * (dL/dA - sum(A * dL/dA, axis=1, keepdims=true))";
    missing(rows, "dL/dZ", "A * dL/dA", "dL/dA", right);

    let rms =
        "X: [N=4, D=5] ~ randn\nu = sqrt(mean(X^2, axis=1, keepdims=true))\nR = X / u\ndL/dR: [N, D] ~ randn";
    let right = "(dL/dR - R * mean(R * dL/dR, axis=1, keepdims=true)) / u";
    missing(rms, "dL/dX", "dL/dR / u", "dL/dR", right);
    let norm = "X: [N=4, D=5] ~ randn\nm = mean(X, axis=1, keepdims=true)\ns = sqrt(mean((X - m)^2, axis=1, keepdims=true) + 0.001)\nH = (X - m) / s\ndL/dH: [N, D] ~ randn";
    let mean = "mean(dL/dH, axis=1, keepdims=true)";
    let wrong = format!("(dL/dH - {mean}) / s");
    let right = format!("(dL/dH - {mean} - H * mean(H * dL/dH, axis=1, keepdims=true)) / s");
    missing(norm, "dL/dX", &wrong, &format!("(dL/dH - {mean})"), &right);

    missing("A: [n=4, n] ~ randn\nx: [n] ~ randn\nq = x @ A @ x", "dq/dx", "A @ x", "A @ x", "A @ x + x @ A");
    // Where the claim is not linear: under a root, in a power, below a line; and beside a size.
    let root = "r: [n=7] ~ randn\nc = 1.5\nB = sum(c^2 * (sqrt(1 + (r / c)^2) - 1))";
    missing(root, "dB/dr", "r / sqrt((r / c)^2)", "(r / c)^2", "r / sqrt(1 + (r / c)^2)");
    let norm = "v: [D=3] ~ positive\neps = 0.1\ny = (v + eps)^-0.5\ndL/dy: [D] ~ randn";
    missing(norm, "dL/dv", "-0.5 * dL/dy * v^-1.5", "v", "-0.5 * dL/dy * (v + eps)^-1.5");
    // With the term the axes are lost.
    let nll = "s: [N=5] ~ randn\nr: [N] ~ randn\nL = 0.5 * mean(s + r^2 * exp(-s))";
    missing(nll, "dL/ds", "0.5 * 1 / N", "1", "0.5 * (1 - r^2 * exp(-s)) / N");
    let variance = "x: [N=5] ~ randn\nm = mean(x)\nv = sum((x - m)^2) / (N - 1)";
    check(variance, "dv/dx", "2 * (x - m) / N", "missing-factor", "N", "2 * (x - m) / (N - 1)");
    let tanh = "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nY = tanh(X @ W)\ndL/dY: [N, M] ~ randn";
    missing(tanh, "dL/dX", "(dL/dY * Y^2) @ W.T", "Y^2", "dL/dY * (1 - Y^2) @ W.T");
    let back = format!("fn back(g, p) = p * g\n{softmax}");
    let found = claims(&format!("{back}\ndL/dz = back(dL/dp, p)\n")).pop().expect("a claim");
    let [found] = found.diagnoses.as_slice() else { panic!("{:?}", found.diagnoses) };
    let fix = found.fix.as_ref().expect("the body is corrected");
    assert_eq!(fix.definition.as_deref(), Some("fn back(g, p)"));
    assert_eq!((found.cause, print(&fix.expr).as_str()), ("missing-term", "p * (g - sum(p * g))"));
}

/// A value that is used several times gets a gradient from each use.
#[test]
fn uses_overwritten() {
    let residual = "x: [N=3, D=4] ~ randn\nW: [D, D] ~ randn\nh = tanh(x @ W)\ny = x + h\ndL/dy: [N, D] ~ randn\nG = dL/dy * (1 - h^2)";
    check(residual, "dL/dx", "G @ W.T", "overwritten", "G @ W.T", "G @ W.T + dL/dy");
    check(residual, "dL/dx", "dL/dy", "overwritten", "dL/dy", "dL/dy + G @ W.T");
    let tied = "X: [N=3, D=4] ~ randn\nW: [D, D] ~ randn\nH = tanh(X @ W)\nY = H @ W\ndL/dY: [N, D] ~ randn\ndL/dH = dL/dY @ W.T\nG = dL/dH * (1 - H^2)";
    check(tied, "dL/dW", "H.T @ dL/dY", "overwritten", "H.T @ dL/dY", "H.T @ dL/dY + X.T @ G");
}

/// One record of a batch where all add up.
#[test]
fn records_overwritten() {
    let layer =
        "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nb: [M] ~ randn\nZ = X @ W + b\ndL/dZ: [N, M] ~ randn";
    let last = "outer(X[-1], dL/dZ[-1])";
    check(layer, "dL/dW", last, "overwritten", last, "X.T @ dL/dZ");
    check(layer, "dL/db", "dL/dZ[0]", "overwritten", "dL/dZ[0]", "sum(dL/dZ, axis=0)");
    let last = "X[-1,m] * dL/dZ[-1,j]";
    check(layer, "dL/dW[m,j]", last, "overwritten", last, "X[k, m] * dL/dZ[k, j]");
    // A table's rows, read by indices that repeat.
    let table = "E: [V=7, D=3] ~ randn\nk: [N=5] = [2, 0, 2, 6, 2]\nlast: [3] = [1, 3, 4]\nrows: [3] = [0, 6, 2]\nH = E[k]\ndL/dH: [N, D] ~ randn";
    let wrong = "scatter_add(dL/dH[last], rows, V)";
    check(table, "dL/dE", wrong, "overwritten", wrong, "scatter_add(dL/dH, k, V)");
}

/// The gradient of a convolution's weights reads as far apart as the forward pass strides, and the reverse.
#[test]
fn convolutions_at_other_distances() {
    let layer = |distances: &str, outputs: usize| {
        format!(
            "x: [B=2, C=3, 9] ~ randn\nw: [F=5, C, K=3] ~ randn\ny = conv(x, w, {distances})\ndL/dy: [B, F, {outputs}] ~ randn"
        )
    };
    let conv = "conv(permute(x, [1, 0, 2]), permute(dL/dy, [1, 0, 2])";
    let told = |keywords: &str| format!("permute({conv}{keywords}), [1, 0, 2])");
    for (distances, outputs, wrong, cause, right) in [
        ("stride=2", 4, "", "missing-factor", ", dilation=2"),
        ("stride=2", 4, ", stride=2", "swapped-operands", ", dilation=2"),
        ("stride=3", 3, ", dilation=2", "missing-factor", ", dilation=3"),
        ("dilation=2", 5, ", stride=2, dilation=2", "extra-factor", ", stride=2"),
    ] {
        let at = format!("{conv}{wrong})");
        check(&layer(distances, outputs), "dL/dw", &told(wrong), cause, &at, &told(right));
    }
}

#[test]
fn operands_stale() {
    let mlp = "X: [N=5, D=3] ~ randn\nW: [D, H=4] ~ randn\nV: [H, M=2] ~ randn\nA = X @ W\nY = tanh(A)\nZ = Y @ V\ndL/dZ: [N, M] ~ randn\ndL/dY = dL/dZ @ V.T";
    check(mlp, "dL/dV", "A.T @ dL/dZ", "stale-operand", "A", "Y.T @ dL/dZ");
    check(mlp, "dL/dA", "dL/dY * (1 - A^2)", "stale-operand", "A", "dL/dY * (1 - Y^2)");
    let mlp = format!("{mlp}\ndL/dA = dL/dY * (1 - Y^2)");
    check(&mlp, "dL/dW", "X.T @ dL/dY", "stale-operand", "dL/dY", "X.T @ dL/dA");
    let sigmoid = "x: [n=4] ~ randn\ny = sigmoid(x)\ndL/dy: [n] ~ randn";
    let wrong = "dL/dy * x * (1 - x)";
    check(sigmoid, "dL/dx", wrong, "stale-operand", "x", "dL/dy * y * (1 - y)");
    check(
        sigmoid,
        "dy[i]/dx[j]",
        "y[i] * (1 - x[i]) * delta[i,j]",
        "stale-operand",
        "x[i]",
        "y[i] * (1 - y[i]) * delta[i, j]",
    );
}

#[test]
fn derivatives_of_functions() {
    for (function, wrong, at, right) in [
        ("sin", "sin(x)", "sin(x)", "cos(x)"),
        ("log", "log(x)", "log(x)", "dL/dy / x"),
        ("tanh", "(1 + y^2)", "(1 + y^2)", "(1 - y^2)"),
        ("tanh", "(y * (1 - y))", "y * (1 - y)", "(1 - y^2)"),
        ("sigmoid", "(1 - y^2)", "(1 - y^2)", "(y * (1 - y))"),
        ("relu", "y", "y", "step(x)"),
    ] {
        let layer = format!("x: [n=4] ~ positive\ny = {function}(x)\ndL/dy: [n] ~ randn");
        let right = if right.starts_with("dL") { right.to_owned() } else { format!("dL/dy * {right}") };
        check(&layer, "dL/dx", &format!("dL/dy * {wrong}"), "wrong-derivative", at, &right);
    }
    let tanh = "x: [n=3] ~ randn\ny = tanh(x)\nL = sum(y)";
    check(tanh, "dL/dx", "1 + y^2", "wrong-derivative", "1 + y^2", "1 - y^2");
    check("x: [n=3] ~ randn\nL = sum(x^3)", "dL/dx", "3 * x^3", "wrong-derivative", "x^3", "3 * x^2");
    let mean = "x: [N=5] ~ randn\nL = mean(x^2)";
    check(mean, "dL/dx", "2 * x * log(N)", "wrong-derivative", "log(N)", "2 * x * (1 / N)");
}

#[test]
fn brackets_means_and_deltas() {
    let mse = "X: [N=5, D=3] ~ randn\nT: [N, D] ~ randn\nL = mean(sum((X - T)^2, axis=1))";
    check(mse, "dL/dX", "2 * X - T / N", "missing-factor", "2 * X - T / N", "2 * (X - T) / N");
    let bias = "X: [N=5, D=3] ~ randn\nb: [D] ~ randn\nZ = X + b\ndL/dZ: [N, D] ~ randn";
    check(bias, "dL/db", "mean(dL/dZ, axis=0)", "extra-factor", "mean", "sum(dL/dZ, axis=0)");
    let softmax = "z: [n=4] ~ randn\np = softmax(z)";
    check(softmax, "dp[i]/dz[j]", "p[i] * (1 - p[j])", "missing-factor", "1", "p[i] * (delta[i, j] - p[j])");
    let scaled = "x: [n=4] ~ randn\ny = sqrt(2 / 3.141592653589793) * x\ndL/dy: [n] ~ randn";
    let right = "dL/dy * sqrt(2 / 3.141592653589793)";
    check(scaled, "dL/dx", "dL/dy * 0.797885", "missing-factor", "0.797885", right);
    // The forward pass has the number with more digits, with fewer, and inside of a cube.
    let scaled = "x: [n=4] ~ randn\ny = 0.7978845608 * x\ndL/dy: [n] ~ randn";
    check(scaled, "dL/dx", "dL/dy * 0.79788", "missing-factor", "0.79788", "dL/dy * 0.7978845608");
    let root = "sqrt(2 / 3.141592653589793)";
    check(scaled, "dL/dx", &format!("dL/dy * {root}"), "missing-factor", root, "dL/dy * 0.7978845608");
    let cube = "x: [n=4] ~ randn\ny = x + 0.044715 * x^3\ndL/dy: [n] ~ randn";
    let right = "dL/dy * (1 + 3 * 0.044715 * x^2)";
    check(cube, "dL/dx", "dL/dy * (1 + 0.1341 * x^2)", "missing-factor", "0.1341", right);
    // The factor is a sum.
    let log_softmax = "z: [N=5, K=3] ~ randn\np = z - logsumexp(z, axis=1, keepdims=true)\na = exp(p)\ndL/dp: [N, K] ~ randn";
    let right = "dL/dp - a * sum(dL/dp, axis=1, keepdims=true)";
    check(log_softmax, "dL/dz", "dL/dp + a", "missing-factor", "a", right);
    check(log_softmax, "dL/dz", "dL/dp - a", "missing-factor", "a", right);
    let sums = "A: [b=2, i=3, j=4] ~ randn\nv: [j] ~ randn\nY = A * v\ndL/dY: [b, i, j] ~ randn";
    let einsum = |spec: &str| format!("einsum(\"{spec}\", A, dL/dY)");
    check(
        sums,
        "dL/dv",
        &einsum("bij,bij->bj"),
        "missing-sum",
        &einsum("bij,bij->bj"),
        &einsum("bij,bij->j"),
    );
    check(sums, "dL/dv", &einsum("bij,bij->i"), "wrong-axis", &einsum("bij,bij->i"), &einsum("bij,bij->j"));
}

#[test]
fn sums_and_products() {
    check(LAYER, "dL/db", "dL/dZ", "missing-sum", "dL/dZ", "sum(dL/dZ, axis=0)");
    check(SQUARE, "dL/dv", "dL/dy * C", "elementwise-for-product", "dL/dy * C", "dL/dy @ C");
    check(SQUARE, "dL/dg", "dL/dr @ y", "product-for-elementwise", "dL/dr @ y", "dL/dr * y");
    check(SQUARE, "dL/dC", "dL/dy @ v", "product-for-elementwise", "dL/dy @ v", "outer(dL/dy, v)");
    check(SQUARE, "dL/dC", "dL/dy * v", "elementwise-for-product", "dL/dy * v", "outer(dL/dy, v)");
    check(SQUARE, "dr/dv", "g * C", "elementwise-for-product", "g * C", "diag(g) @ C");
    let softmax = "z: [n=3] ~ randn\na = softmax(z)\nt: [n] ~ randn\nL = sum(t * a)";
    check(softmax, "dL/dz", "a * (t - t * a)", "missing-sum", "t * a", "a * (t - sum(t * a))");
}

#[test]
fn axes() {
    let rows = "S: [N=5, M=3] ~ randn\nL = sum(logsumexp(S, axis=1))";
    check(rows, "dL/dS", "softmax(S, axis=0)", "wrong-axis", "softmax(S, axis=0)", "softmax(S, axis=1)");
    let rows = "Z: [n=4, m=3] ~ randn\nA = softmax(Z, axis=1)\ndL/dA: [n, m] ~ randn";
    let right = "A * (dL/dA - sum(A * dL/dA, axis=1, keepdims=true))";
    for sum in ["sum(A * dL/dA)", "sum(A * dL/dA, axis=0)"] {
        check(rows, "dL/dZ", &format!("A * (dL/dA - {sum})"), "wrong-axis", sum, right);
    }
}

/// A set of axes differs in one: of a batch norm the batch is forgotten, or an axis is there that does not belong.
#[test]
fn sets_of_axes() {
    let norm = "
        z: [N=2, F=4, H=5, W=3] ~ randn
        mu = mean(z, axis=(0, 2, 3), keepdims=True)
        rstd = 1 / sqrt(mean((z - mu)^2, axis=(0, 2, 3), keepdims=True) + 1e-5)
        zh = (z - mu) * rstd
        dL/dzh: [N, F, H, W] ~ randn";
    let is = |first: &str, second: &str| {
        format!(
            "rstd * (dL/dzh - mean(dL/dzh, axis={first}, keepdims=true) - zh * mean(dL/dzh * zh, axis={second}, keepdims=true))"
        )
    };
    let all = "[0, 2, 3]";
    for wrong in ["[2, 3]", "[0, 1, 2, 3]", "[1, 2, 3]", "[0, 2]"] {
        let first = format!("mean(dL/dzh, axis={wrong}, keepdims=true)");
        check(norm, "dL/dz", &is(wrong, all), "wrong-axis", &first, &is(all, all));
        let second = format!("mean(dL/dzh * zh, axis={wrong}, keepdims=true)");
        check(norm, "dL/dz", &is(all, wrong), "wrong-axis", &second, &is(all, all));
    }
    let centred =
        "z: [N=2, F=4, H=5] ~ randn\ny = z - mean(z, axis=[0, 2], keepdims=true)\ndL/dy: [N, F, H] ~ randn";
    let mean = "mean(dL/dy, axis=2, keepdims=true)";
    let right = "dL/dy - mean(dL/dy, axis=[0, 2], keepdims=true)";
    check(centred, "dL/dz", &format!("dL/dy - {mean}"), "wrong-axis", mean, right);
    let bias = "z: [N=2, F=4, H=5] ~ randn\nb: [F, 1] ~ randn\ny = z * b\ndL/dy: [N, F, H] ~ randn";
    let sum = "sum(dL/dy * z, axis=[0, 1])";
    let wrong = format!("{sum}[:, None]");
    check(bias, "dL/db", &wrong, "wrong-axis", sum, "sum(dL/dy * z, axis=[0, 2])[:, None]");
}

/// The forward pass states the number that the gradient lacks, has twice, or has another one for.
#[test]
fn numbers_that_the_program_states() {
    let tanh = "X: [N=4, D=3] ~ randn\nW: [D, M=5] ~ randn\nh = tanh(X @ W / 20)\ndL/dh: [N, M] ~ randn";
    let wrong = "(dL/dh * (1 - h^2)) @ W.T";
    check(tanh, "dL/dX", wrong, "missing-factor", wrong, "dL/dh * (1 - h^2) @ W.T / 20");
    let wrong = "X.T @ (dL/dh * (1 - h^2)) / 30";
    check(tanh, "dL/dW", wrong, "missing-factor", "30", "X.T @ (dL/dh * (1 - h^2)) / 20");
    let scaled = "x: [n=6] ~ randn\ny = exp(0.37 * x)\ndL/dy: [n] ~ randn";
    check(scaled, "dL/dx", "dL/dy * y", "missing-factor", "dL/dy * y", "0.37 * dL/dy * y");
    check(scaled, "dL/dx", "0.73 * dL/dy * y", "missing-factor", "0.73", "0.37 * dL/dy * y");
    let decay = "w: [n=6] ~ randn\nx: [n] ~ randn\nL = sum((w - x)^2) + 0.025 * sum(w^2)";
    let wrong = "2 * (w - x) + 0.5 * w";
    check(decay, "dL/dw", wrong, "missing-factor", "0.5", "2 * (w - x) + 2 * 0.025 * w");
    // What is only added becomes no factor.
    let root = "x: [n=6] ~ randn\ny = sqrt(x^2 + 17)\ndL/dy: [n] ~ randn";
    check(root, "dL/dx", "17 * dL/dy * x / y", "extra-factor", "17", "dL/dy * x / y");
}

/// A number that nothing has a name for, and what is to be written for it.
#[test]
fn numbers_without_a_name() {
    let square = "w: [n=6] ~ randn\nx: [n] ~ randn\nL = sum((w - x)^2)";
    check(square, "dL/dx", "17 * (x - w)", "missing-factor", "17", "2 * (x - w)");
    check(square, "dL/dx", "2.6 * (x - w)", "missing-factor", "2.6", "2 * (x - w)");
    check(square, "dL/dx", "2 * x / 1.3 - 2 * w", "extra-factor", "1.3", "2 * x - 2 * w");
}

/// The states of a recurrence are all one step too late, or too early.
#[test]
fn steps_of_a_recurrence() {
    let cell = |f: &str, slope: &str| {
        format!(
            "
            x: [n=5] ~ randn
            U: [H=4, n] ~ randn
            W: [H, H] ~ randn
            s0: [H] ~ randn
            s1 = {f}(U @ x + W @ s0)
            s2 = {f}(U @ x + W @ s1)
            s3 = {f}(U @ x + W @ s2)
            L = sum(s3^2)
            e3 = 2 * s3 * {}
            e2 = (W.T @ e3) * {}
            e1 = (W.T @ e2) * {}",
            slope.replace('s', "s3"),
            slope.replace('s', "s2"),
            slope.replace('s', "s1")
        )
    };
    let right = "outer(e1, s0) + outer(e2, s1) + outer(e3, s2)";
    for layer in [cell("tanh", "(1 - s^2)"), cell("sigmoid", "s * (1 - s)")] {
        let wrong = "outer(e1, s1) + outer(e2, s2) + outer(e3, s3)";
        check(&layer, "dL/dW", wrong, "stale-operand", wrong, right);
    }
}

#[test]
fn layouts() {
    let linear = "W: [m=2, n=3] ~ randn\nx: [n] ~ randn\na = W @ x\nL = sum(a^2)\ndL/da = 2 * a";
    check(linear, "da/dW [row]", "kron(x.T, eye(m))", "vec-layout", "kron(x.T, eye(m))", "kron(eye(m), x.T)");
    check(linear, "da/dW [col]", "kron(eye(m), x.T)", "vec-layout", "kron(eye(m), x.T)", "kron(x.T, eye(m))");
    check(
        linear,
        "dL/dW",
        "dL/da @ kron(eye(m), x.T)",
        "vec-layout",
        "dL/da @ kron(eye(m), x.T)",
        "reshape(dL/da @ kron(eye(m), x.T), [m, n])",
    );
    check(linear, "dL/dW", "outer(dL/da, x)[None]", "vec-layout", "outer(dL/da, x)[None]", "outer(dL/da, x)");
    // Right in the other layout, with no `kron` whose operands could change places.
    let (row, col) = (
        "reshape(einsum(\"im,n->imn\", eye(m), x), [m, m * n])",
        "reshape(einsum(\"im,n->inm\", eye(m), x), [m, n * m])",
    );
    for (key, wrong, right) in [
        ("da/dW [row]", col, "da/dW [col]"),
        ("da/dW", col, "da/dW [col]"),
        ("da/dW [col]", row, "da/dW [row]"),
    ] {
        check(linear, key, wrong, "vec-layout", wrong, "");
        let claim = claims(&format!("{linear}\n{right} = {wrong}\n")).pop().expect("a claim is there");
        assert!(claim.judgement.passes(), "{right} = {wrong}");
    }
}

#[test]
fn a_layout_as_it_is_shown() {
    let linear = "W: [m=2, n=3] ~ randn\nx: [n] ~ randn\na = W @ x\n";
    printed(
        &format!("{linear}da/dW [col] = kron(eye(m), x.T)\n"),
        1,
        expect![[r#"
        <stdin>
          ✗ da/dW [col]  wrong  right numbers in the wrong layout; error 1.6, tolerance ε

        error: da/dW [col] is wrong: right numbers in the wrong layout
         --> <stdin>:4:15
          |
        4 | da/dW [col] = kron(eye(m), x.T)
          |               ^^^^^^^^^^^^^^^^^ `kron(x.T, eye(m))` belongs here
          |
          = note: These are the right numbers in row-major vec: write `da/dW [row]` on the left, or correct the right side. This is the Jacobian with its entries lined up in the other order, by columns where rows are meant or the reverse: the operands of `kron` change places.
          = note: at [0, 2] this is -0.71926, the derivative 0.83803 (finite difference 0.83803)
          = note: off by up to 1.6 from autograd, Jacobian and finite differences alike
          = note: rounding and finite differences explain no more than ε there
          = help: write `da/dW [col] = kron(x.T, eye(m))`; it holds, with an error of ε

          1 claim: 1 wrong; the cause is da/dW [col]
    "#]],
    );
}

#[test]
fn a_vjp_is_no_jacobian() {
    let layer = "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nx: [D] ~ randn\nZ = X @ W\nz = X @ x";
    let (of_w, of_x) = ("X.T @ ones(N, M)", "ones(N, M) @ W.T");
    check(layer, "dZ/dW", of_w, "vjp-for-jacobian", of_w, "einsum(\"im,jn->ijmn\", X, eye(M))");
    check(layer, "dZ/dX", of_x, "vjp-for-jacobian", of_x, "einsum(\"im,nj->ijmn\", eye(N), W)");
    check(layer, "dz/dx", "ones(N) @ X", "vjp-for-jacobian", "ones(N) @ X", "X");
    // The cause is certain where no expression of the Jacobian is found.
    check(layer, "dz/dx", "sum(X, axis=0)", "vjp-for-jacobian", "sum(X, axis=0)", "");
}

/// The mistake is followed into definitions that nothing but claims uses.
#[test]
fn in_a_definition() {
    let layer = format!("{SQUARE}dy_dv = C.T\ngain = diag(g)\n");
    check(&layer, "dL/dv", "dL/dy @ dy_dv", "transposed-factor", "C.T", "C");
    check(&layer, "dL/dv", "dL/dr @ gain @ dy_dv", "transposed-factor", "C.T", "C");
}

/// The same in index notation, whose parts have no values of their own.
#[test]
fn in_a_definition_in_index_notation() {
    let square = |wrong: &str| format!("{SQUARE}D[i, j] = {wrong}\nE = 2 * D\n");
    let (wrong, right) = ("A[i,k] * B[j,k]", "A[i, k] * B[k, j]");
    check(&square(wrong), "dy/dv", "D", "transposed-factor", "B[j,k]", right);
    check(&square(wrong), "dL/dv", "dL/dy @ E / 2", "transposed-factor", "B[j,k]", right);
    let softmax =
        |wrong: &str| format!("z: [n=4] ~ randn\np = softmax(z)\ndL/dp: [n] ~ randn\nJ[i, j] = {wrong}\n");
    let (entry, right) = ("p[i] * delta[i,j]", "p[i] * delta[i, j] - p[i] * p[j]");
    check(&softmax(entry), "dL/dz", "dL/dp @ J", "missing-term", entry, right);
    let ones = "p[i] * (1 - p[j])";
    check(&softmax(ones), "dL/dz", "J @ dL/dp", "missing-factor", "1", "p[i] * (delta[i, j] - p[j])");
    let mean = "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nT: [N, M] ~ randn\nZ[i,j] = X[i,k] * W[k,j]\nL = mean((Z - T)^2)";
    let layer = |wrong: &str| format!("{mean}\nG[i, j] = {wrong}\n");
    let right = "2 * (Z[i, j] - T[i, j]) / (N * M)";
    let wrong = "2 * (Z[i,j] - T[i,j]) / N";
    check(&layer(wrong), "dL/dW[k,j]", "X[i,k] * G[i,j]", "missing-factor", "N", right);
    // What is wrong stands in the claim, where a claim that holds uses the definition.
    let held = format!("{}dL/dX = G @ W.T\n", layer(right));
    check(&held, "dL/dW", "X.T @ G / M", "extra-factor", "M", "X.T @ G");
    let uses = "dL/dW = X.T @ G\ndL/dX = G @ W.T\n";
    for wrong in [wrong, "(Z[i,j] - T[i,j]) / (N * M)", "2 * (T[i,j] - Z[i,j]) / (N * M)"] {
        for (key, _, fix, sharers) in definitions(&format!("{}{uses}", layer(wrong))) {
            assert_eq!(fix, format!("G[i, j] = {right}"), "{wrong}: {key}");
            assert_eq!(sharers, ["dL/dW", "dL/dX"], "{wrong}: {key}");
        }
    }
}

/// A claim that is wrong by itself is diagnosed with the true values of those it refers to.
#[test]
fn behind_another_mistake() {
    let source = format!("{SQUARE}dL/dC = 3 * outer(dL/dy, v)\ndL/dA = dL/dC @ B\n");
    let found: Vec<(&str, String)> = claims(&source)
        .iter()
        .flat_map(|claim| &claim.diagnoses)
        .map(|found| (found.cause, found.fix.as_ref().map(|fix| print(&fix.expr)).unwrap_or_default()))
        .collect();
    let expected = [("extra-factor", "outer(dL/dy, v)"), ("transposed-factor", "dL/dC @ B.T")];
    assert_eq!(found, expected.map(|(cause, fix)| (cause, fix.to_string())));
}

/// On the data of the file alone these would fit; on other data they do not.
#[test]
fn coincidences_are_seen_through() {
    // M is 2 and N is 5: `/ 2`, and a 2 dropped, give the same numbers there.
    check(
        LAYER,
        "dL/db",
        "sum(2 * (Z - T) / N, axis=0)",
        "missing-factor",
        "sum(2 * (Z - T) / N, axis=0)",
        "sum(2 * (Z - T) / N, axis=0) / M",
    );
    // Sizes without names: all axes of one size are changed together.
    let plain = "W: [2, 2] = [[1, 2], [2, 1]]; x = [1, 2]; T = [3, 1]; z = W @ x; L = mean((z - T)^2)";
    check(plain, "dL/dz", "2 * (z - T)", "extra-factor", "2", "z - T");
    check(plain, "dL/dz", "(z - T) / 2", "extra-factor", "2", "z - T");
    let large = "Z: [5, 37] ~ randn; L = mean(Z^2)";
    check(large, "dL/dZ", "2 * Z / 5", "missing-factor", "5", "2 * Z / (5 * 37)");
    // W is symmetric, but that is the data's doing.
    check(plain, "dz/dx", "2 * W.T", "transposed-factor", "W.T", "W");
}

/// What holds on the data of the file by accident is doubted where one edit makes it right elsewhere too; what rests on data
/// that are special for a reason is not.
#[test]
fn what_holds_by_accident() {
    let accident = |source: &str, cause: &str, fix: &str| {
        let claim = claims(source).pop().expect("a claim is there");
        assert_eq!(claim.judgement.verdict, Verdict::Ambiguous, "{source}");
        let [found] = claim.diagnoses.as_slice() else { panic!("{source}: {:?}", claim.diagnoses) };
        assert_eq!(
            (found.cause, found.fix.as_ref().map(|fix| print(&fix.expr)).as_deref()),
            (cause, Some(fix))
        );
    };
    accident("A = [[2, 1], [1, 2]]; x = [1, 2]; z = A @ x; dz/dx = A.T", "transposed-factor", "A");
    let row = "X: [N=1, M=1] ~ randn\nT: [N, M] ~ randn\nL = mean((X - T)^2)\ndL/dX = 2 * (X - T)";
    accident(row, "missing-factor", "2 * (X - T) / (N * M)");
    let holds = |source: &str, noted: bool| {
        let claim = claims(source).pop().expect("a claim is there");
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{source}");
        let off = claim.judgement.notes.iter().any(|note| matches!(note, Note::OffElsewhere(_)));
        assert_eq!(off, noted, "{source}");
    };
    let cross = "z = [0.3, -0.2, 0.5]; t = [0, 1, 0]; L = logsumexp(z) - sum(t * z); dL/dz = softmax(z) - t";
    holds(cross, false);
    holds("w = [0.5, -1]; y = [1, -1]; L = sum(log(1 + exp(-y * w))); dL/dw = -y / (1 + exp(y * w))", false);
    holds("A: [n=3, n] ~ spd; x = [1, 2, 3]; L = x @ A @ x; dL/dx = 2 * A @ x", false);
    holds("x = [3, 4, 5]; L = mean(x^2); dL/dx = 2 * x / 3", false);
    // With targets that need not add up to 1 it is another derivative; no one edit says so.
    holds("z = [0.3, -0.2]; t = [3, -2]; L = 1 * logsumexp(z) - sum(t * z); dL/dz = softmax(z) - t", false);
    let hides = |source: &str| {
        let claim = claims(source).pop().expect("a claim is there");
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{source}");
        assert!(claim.judgement.notes.iter().any(|note| matches!(note, Note::Hidden { .. })), "{source}");
    };
    hides("x = [1, 1, 1]; L = sum(x^3); dL/dx = 3 * x");
    hides("x = [2, 2]; L = sum(x^3) / 6 + sum(exp(x)); dL/dx = x + exp(x)");
    hides("x = [1, 2]; y = x^2; dL/dy: [2] = [1, 1]; dL/dx = 2 * x");
    // Numbers whose signs agree by accident.
    let by_signs = |source: &str| {
        let claim = claims(source).pop().expect("a claim is there");
        assert_eq!(claim.judgement.verdict, Verdict::Holds, "{source}");
        claim.judgement.notes.iter().any(|note| matches!(note, Note::OffAtOtherSigns(_)))
    };
    assert!(by_signs("x = [1, 2, 3]; L = sum(relu(x)); dL/dx = ones(3)"));
    assert!(!by_signs("x = [1, 2, 3]; L = sum(relu(x)); dL/dx = step(x)"));
    assert!(!by_signs("x = [1, 2, 3]; L = sum(log(x)); dL/dx = 1 / x"));
}

/// A target that is one-hot stays one where the data are others.
#[test]
fn what_rests_on_flags() {
    let cross = "z = [0.3, -0.2, 0.5]\nt = [0, 1, 0]\np = softmax(z)\nL = -sum(t * log(p))";
    check(cross, "dL/dz", "t - p", "swapped-operands", "t - p", "p - t");
    check(cross, "dL/dz", "2 * (p - t)", "extra-factor", "2", "p - t");
}

/// Nothing is told that is not so.
#[test]
fn nothing_is_guessed() {
    for (layer, claim) in [
        (SQUARE, "dL/dv = exp(v)"),
        (SQUARE, "dL/dv = [1, 2, 3]"),
        (LAYER, "dL/dW = W"),
        ("x: [n=4] ~ randn\nL = sum(exp(x) + x^3)", "dL/dx = sqrt(abs(x)) / exp(x)"),
        ("s = 2.0\nt = exp(s)", "dt/ds = sin(s)^3 / 1.7"),
    ] {
        let found = claims(&format!("{layer}\n{claim}\n")).pop().expect("a claim");
        assert_eq!(found.judgement.verdict, Verdict::Wrong, "{claim}");
        for diagnosis in &found.diagnoses {
            assert_eq!(diagnosis.cause, "unknown", "{claim}: {diagnosis:?}");
            let Some(fix) = &diagnosis.fix else { continue };
            let key = claim.split(" = ").next().expect("a claim has a key");
            let mended = format!("{layer}\n{key} = {}\n", print(&fix.expr));
            let mended = claims(&mended).pop().expect("a claim");
            assert_eq!(mended.judgement.verdict, Verdict::Holds, "{claim}: {diagnosis:?}");
        }
    }
}

/// Every single number is a multiple of another one: it is nobody's gradient.
#[test]
fn a_single_number_is_no_other_gradient() {
    let found =
        claims("x: [n=4] ~ randn\ny = exp(x)\nL = sum(sin(y)^3)\ndL/dy = 0.57 / n\n").pop().expect("a claim");
    assert_eq!(found.judgement.verdict, Verdict::Shape);
    assert!(found.diagnoses.iter().all(|diagnosis| diagnosis.cause == "unknown"), "{:?}", found.diagnoses);
}

/// No edit of the expression helps, and the program says all the same what is wrong.
#[test]
fn mistakes_that_are_no_edits() {
    let layer = "x: [n=4] ~ randn\nL = sum(exp(x) + x^3)";
    check(layer, "dL/dx", "exp(x)", "overwritten", "exp(x)", "exp(x) + 3 * x^2");
    check("s = 2.0\nt = exp(s)", "dt/ds", "s", "stale-operand", "s", "t");
}

/// The mistakes of the seeds.
#[test]
fn the_mistakes_of_the_seeds() {
    let source = std::fs::read_to_string(root().join("examples/mistakes.grad")).expect("it is there");
    let mut shown = String::new();
    for claim in claims(&source) {
        shown += &format!("{}: {}", claim.key, claim.judgement.verdict);
        for found in &claim.diagnoses {
            let fix = found.fix.as_ref().map(|fix| print(&fix.expr)).unwrap_or_default();
            shown += &format!(", {} at `{}`, fix `{fix}`", found.cause, found.span.slice(&source));
        }
        if !claim.inherits.is_empty() {
            shown += &format!(" from {}", claim.inherits.join(", "));
        }
        shown += "\n";
    }
    expect![[r#"
        dL/da: holds
        da/dz: holds
        dL/dz: holds
        dL/dx: wrong, transposed-factor at `W.T`, fix `dL/dz @ W`
        dz/dx: wrong, transposed-factor at `W.T`, fix `W`
        da/dx: inherited from dz/dx
        dL/dW: wrong, vec-layout at `dz_dW[None]`, fix `dL/dz[:, None] @ dz_dW`
        dS/ds: holds
        ds/dV: wrong, vjp-for-jacobian at `outer(ones(p), y)`, fix `einsum("im,n->imn", eye(p), y)`
        dS/dV: wrong, product-for-elementwise at `dS/ds @ grad_s_V`, fix `outer(dS/ds, y)`
        shape(dZ/de): shape, wrong-axis at `[M, N]`, fix `[N, M, M]`
        dT/dX: wrong, swapped-claims at `X.T @ dT/dZ`, fix `dT/dZ @ U.T`
        dT/dU: wrong, swapped-claims at `dT/dZ @ U.T`, fix `X.T @ dT/dZ`
        dH/dk: holds
        dH/dh: vacuous
    "#]]
    .assert_eq(&shown);
}

#[track_caller]
fn printed(source: &str, code: i32, expected: Expect) {
    let ran = pullback(&["check", "-", "--quiet"], source);
    assert_eq!(ran.code, code);
    expected.assert_eq(&without_noise(&ran.stdout));
}

#[test]
fn several_causes_that_no_data_tells_apart() {
    // The shape is written out, so that M cannot be changed, and M is as large as the factor.
    let source = "x: [M=2] ~ randn; L = sum(reshape(x, [2, 1])^2) / 2; dL/dx = 2 * x\n";
    printed(
        source,
        1,
        expect![[r#"
            <stdin>
              ? dL/dx  ambiguous  extra factor, or missing factor; error 1.5, tolerance ε

            error: dL/dx is wrong, and several causes fit
             --> <stdin>:1:62
              |
            1 | x: [M=2] ~ randn; L = sum(reshape(x, [2, 1])^2) / 2; dL/dx = 2 * x
              |                                                              ^^^^^
              |
              = note: extra factor? The factor `2` is one too many. (write `dL/dx = x`; it holds, with an error of ε)
              = note: missing factor? The derivative is `1 / M` times what is claimed, in every entry. (write `dL/dx = 2 * x / M`; it holds, with an error of ε)
              = note: at [0] this is 3.082, the derivative 1.541 (finite difference 1.541)
              = note: off by up to 1.5 from autograd, Jacobian and finite differences alike
              = note: rounding and finite differences explain no more than ε there
              = help: data of other sizes would tell: use the names of dims where sizes stand as numbers

              1 claim: 1 ambiguous; the cause is dL/dx
        "#]],
    );
}

#[test]
fn two_claims_that_are_the_wrong_way_round_are_one_mistake() {
    let source = "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nZ = X @ W\ndL/dZ: [N, M] ~ randn
dL/dX = X.T @ dL/dZ\ndL/dW = dL/dZ @ W.T\n";
    printed(
        source,
        1,
        expect![[r#"
            <stdin>
              ✗ dL/dX  wrong  swapped claims; claimed [3, 2], the derivative has [5, 3]
              ✗ dL/dW  wrong  swapped claims; claimed [5, 3], the derivative has [3, 2]

            error: dL/dX and dL/dW are wrong: swapped claims
             --> <stdin>:5:9
              |
            5 | dL/dX = X.T @ dL/dZ
              |         ^^^^^^^^^^^ this is `dL/dW`
            6 | dL/dW = dL/dZ @ W.T
              |         ----------- this is `dL/dX`
              |
              = note: `dL/dX` and `dL/dW` are the wrong way round: each is claimed to be what the other is. Their shapes give it away: [D=3, M=2] is claimed of what has [N=5, D=3].
              = note: claimed [3, 2], the derivative has [5, 3]
              = help: write `dL/dX = dL/dZ @ W.T` and `dL/dW = X.T @ dL/dZ`; it holds, with an error of ε

              2 claims: 2 wrong; the cause is dL/dX
        "#]],
    );
}

/// The claims of a source with what is said of them: verdict, the definition to be corrected and its right side, and the
/// claims that share the mistake.
fn definitions(source: &str) -> Vec<(String, &'static str, String, Vec<String>)> {
    let told = |claim: ClaimReport| {
        let fix = claim.diagnoses.first().and_then(|found| found.fix.as_ref());
        let right = fix.map(|fix| print(&fix.expr)).unwrap_or_default();
        let fix = match fix.and_then(|fix| fix.definition.clone()) {
            Some(definition) => format!("{definition} = {right}"),
            None => right,
        };
        let sharers = claim.shared_by.into_iter().map(|sharer| sharer.key).collect();
        (claim.key, claim.judgement.verdict.word(), fix, sharers)
    };
    claims(source).into_iter().map(told).collect()
}

/// Of a mean square the cotangent of Z is 2 (Z − T) / (N M).
#[test]
fn a_definition_that_several_claims_use_is_told_once() {
    let layer = "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nb: [M] ~ randn\nT: [N, M] ~ randn\nZ = X @ W + b\nL = mean((Z - T)^2)\n";
    let uses = "dL/dW = X.T @ dZ\ndL/db = sum(dZ, axis=0)\ndL/dX = dZ @ W.T\n";
    let all: Vec<String> = ["dL/dW", "dL/db", "dL/dX"].map(str::to_string).to_vec();
    for wrong in ["2 * (Z - T) / N", "(Z - T) / (N * M)", "2 * (T - Z) / (N * M)"] {
        let source = format!("{layer}dZ = {wrong}\n{uses}");
        for (key, verdict, fix, sharers) in definitions(&source) {
            assert_eq!((verdict, fix.as_str()), ("wrong", "dZ = 2 * (Z - T) / (N * M)"), "{wrong}: {key}");
            assert_eq!(sharers, all, "{wrong}: {key}");
        }
    }
    let right = format!("{layer}dZ = 2 * (Z - T) / (N * M)\n{uses}");
    assert!(claims(&right).iter().all(|claim| claim.judgement.passes()));
    // One of them has a mistake of its own beside it, and is no reason not to tell that of the others.
    let source = format!(
        "{layer}dZ = 2 * (Z - T) / N\ndL/db = 3 * sum(dZ^3, axis=0)\ndL/dW = X.T @ dZ\ndL/dX = dZ @ W.T\n"
    );
    let found = definitions(&source);
    assert_eq!(found[0].3, Vec::<String>::new());
    for (key, _, fix, sharers) in &found[1..] {
        assert_eq!(fix, "dZ = 2 * (Z - T) / (N * M)", "{key}");
        assert_eq!(*sharers, ["dL/dW", "dL/dX"], "{key}");
    }
    // Two slips in claims that use a right definition are two mistakes.
    let source = format!(
        "{layer}dZ = 2 * (Z - T) / (N * M)\ndL/dW = 3 * X.T @ dZ\ndL/db = sum(dZ, axis=0) / 2\ndL/dX = dZ @ W.T\n"
    );
    let fixes: Vec<String> = definitions(&source).into_iter().map(|(_, _, fix, _)| fix).collect();
    assert_eq!(fixes, ["X.T @ dZ", "sum(dZ, axis=0)", ""]);
}

/// `dz = dL/dh` is the very value that the forward pass is given, and what is wrong with it is told there.
#[test]
fn an_alias_that_several_claims_use_is_told_once() {
    let uses = "dL/dW = X.T @ dz\ndL/db = sum(dz, axis=0)\ndL/dX = dz @ W.T\n";
    let all: Vec<String> = ["dL/dW", "dL/db", "dL/dX"].map(str::to_string).to_vec();
    for (function, fix) in [("relu", "step(z)"), ("tanh", "(1 - h^2)"), ("exp", "h")] {
        let source = format!(
            "X: [N=7, D=4] ~ randn\nW: [D, H=5] ~ randn\nb: [H] ~ randn\nz = X @ W + b\nh = {function}(z)\ndL/dh: [N, H] ~ randn\ndz = dL/dh\n{uses}"
        );
        let found = definitions(&source);
        assert_eq!(found.len(), 3);
        for (key, _, told, sharers) in &found {
            assert_eq!(*told, format!("dz = dL/dh * {fix}"), "{key}");
            assert_eq!(*sharers, all, "{key}");
        }
        let right = source.replace("dz = dL/dh", &format!("dz = dL/dh * {fix}"));
        assert!(claims(&right).iter().all(|claim| claim.judgement.passes()));
    }
    // The alias of one claim is told there too.
    let norm = "x: [N=4, D=5] ~ randn\nw: [D] ~ randn\ny = x * w\ndL/dy: [N, D] ~ randn\ng = dL/dy\ndL/dx = 2 * g - g\n";
    let found = definitions(norm);
    assert_eq!(found[0].2, "g = dL/dy * w");
}

/// Published gradients whose mistake is no slip, or more than two: the derivative is told, and holds at other sizes too.
#[test]
fn no_wrong_claim_is_left_without_a_word() {
    let norm = |sizes: &str| {
        let layer = format!(
            "x: [{sizes}] ~ randn\nw: [d] ~ randn\nr = sqrt(mean(x^2, axis=1, keepdims=true) + 0.00000001)\ny = w * x / r\ndL/dy: [N, d] ~ randn"
        );
        (layer, "dL/dx", "dL/dy * w / r - w * x / (d * r^3) * sum(dL/dy * x, axis=1, keepdims=true)")
    };
    let swish = |sizes: &str| {
        let layer = format!(
            "a: [{sizes}] ~ randn\nb: [N, d] ~ randn\nV: [d, D=4] ~ randn\ns = sigmoid(a)\nh = a * s * b\ny = h @ V\ndL/dy: [N, D] ~ randn\ndL/dh = dL/dy @ V.T"
        );
        (layer, "dL/da", "dL/dh * b * s * (1 - s)")
    };
    let response = |_: &str| {
        let layer = "a: [C=5] ~ randn\nA = [[1,1,0,0,0],[1,1,1,0,0],[0,1,1,1,0],[0,0,1,1,1],[0,0,0,1,1]]\nq = 1 + 0.5 / 3 * (A @ a^2)\nb = a * q^(-0.75)\ndL/db: [C] ~ randn".to_owned();
        (layer, "dL/da", "dL/db * q^(-0.75) - 2 * 0.5 * 0.75 / 3 * a * q^(-0.75) * dL/db * (A.T @ (b / q))")
    };
    type Told<'a> = &'a dyn Fn(&str) -> (String, &'static str, &'static str);
    let cases: [Told<'_>; 3] = [&norm, &swish, &response];
    for case in cases {
        let (layer, key, wrong) = case("N=3, d=5");
        let found = claims(&format!("{layer}\n{key} = {wrong}\n")).pop().expect("a claim");
        assert_eq!(found.judgement.verdict, Verdict::Wrong, "{wrong}");
        assert_eq!(found.diagnoses.len(), 1, "{wrong}: {:?}", found.diagnoses);
        let fix =
            found.diagnoses[0].fix.as_ref().map(|fix| print(&fix.expr)).expect("what the derivative is");
        for sizes in ["N=3, d=5", "N=4, d=2", "N=1, d=7"] {
            let mended = claims(&format!("{}\n{key} = {fix}\n", case(sizes).0)).pop().expect("a claim");
            assert_eq!(mended.judgement.verdict, Verdict::Holds, "{fix} at {sizes}");
        }
    }
    // No formula of it can be written, and that the cause is not known is said all the same.
    let cofactors = "K: [2, 2] ~ spd\nL = log(K[0,0] * K[1,1] - K[0,1] * K[1,0])\ndL/dK = K @ K\n";
    let found = claims(cofactors).pop().expect("a claim");
    assert_eq!(found.diagnoses.iter().map(|found| found.cause).collect::<Vec<_>>(), ["unknown"]);
}

#[test]
fn a_function_that_several_claims_call_is_told_once() {
    let source = "fn back(g, p) = p * (g + sum(g * p))\nx: [n=4] ~ randn\ny: [m=3] ~ randn\np = softmax(x)\nq = softmax(y)\nL = sum(p^3) + sum(q^2)\ndL/dx = back(3 * p^2, p)\ndL/dy = back(2 * q, q)\n";
    for (key, _, fix, sharers) in definitions(source) {
        assert_eq!(fix, "fn back(g, p) = p * (g - sum(g * p))", "{key}");
        assert_eq!(sharers, ["dL/dx", "dL/dy"]);
    }
}

#[test]
fn a_shared_mistake_as_it_is_shown() {
    printed(
        "X: [N=5, D=3] ~ randn\nW: [D, M=2] ~ randn\nZ = X @ W\nL = mean(Z^2)\ndZ = 2 * Z / N\ndL/dW = X.T @ dZ\ndL/dX = dZ @ W.T\n",
        1,
        expect![[r#"
            <stdin>
              ✗ dL/dW  wrong  missing factor; error 2.6, tolerance ε
              ✗ dL/dX  wrong  by the same mistake as dL/dW; error 1.1, tolerance ε

            error: dL/dW and dL/dX are wrong: missing factor
             --> <stdin>:5:14
              |
            5 | dZ = 2 * Z / N
              |              ^ `N * M` belongs here
            6 | dL/dW = X.T @ dZ
              |         -------- used here
            7 | dL/dX = dZ @ W.T
              |         -------- used here
              |
              = note: What belongs here is `1 / M` times `2 * Z / N`.
              = note: at [2, 0] dL/dW is -5.2082, the derivative -2.6041 (finite difference -2.6041)
              = note: off by up to 2.6 from autograd, Jacobian and finite differences alike
              = note: rounding and finite differences explain no more than ε there
              = help: write `dZ = 2 * Z / (N * M)`; then they hold, dL/dW with an error of ε

              2 claims: 2 wrong; the cause is dZ
        "#]],
    );
}

/// Of a product A B the gradient by A is G Bᵀ: the order is wrong, and a transpose.
#[test]
fn two_slips_as_they_are_shown() {
    printed(
        "A: [k=3, l=3] ~ randn\nB: [l, m=3] ~ randn\nC = A @ B\ndL/dC: [k, m] ~ randn\ndL/dA = B @ dL/dC\n",
        1,
        expect![[r#"
            <stdin>
              ✗ dL/dA  wrong  transposed factor; error 3.2, tolerance ε

            error: dL/dA is wrong: transposed factor
             --> <stdin>:5:9
              |
            5 | dL/dA = B @ dL/dC
              |         ^ `B.T` belongs here
              |
              = note: Two slips: first, `B` stands where `B.T` belongs. It is square, [l=3, m=3], so that the shapes fit either way; second, `B.T` and `dL/dC` are the wrong way round: `dL/dC` comes first.
              = note: at [1, 0] this is 2.1617, the derivative -1.0071 (finite difference -1.0071)
              = note: off by up to 3.2 from autograd, Jacobian and finite differences alike
              = note: rounding and finite differences explain no more than ε there
              = help: write `dL/dA = dL/dC @ B.T`; it holds, with an error of ε

              1 claim: 1 wrong; the cause is dL/dA
        "#]],
    );
}

/// The claim about the value nearer to the output is the first in backward order, wherever it stands in the file.
#[test]
fn the_first_mistake_in_backward_order() {
    let layer = "x: [n=4] ~ randn\nW: [m=3, n] ~ randn\nV: [p=2, m] ~ randn\nh = tanh(W @ x)\ny = V @ h\nL = sum(y^2)\n";
    let first = |wrong: &str| {
        let report = check_source("test.grad", format!("{layer}{wrong}").as_bytes(), ".".as_ref());
        report.cause().map(|claim| claim.key.clone())
    };
    // V is used behind W, although it is bound before h.
    for (wrong, cause) in [
        ("dL/dx = 3 * x; dL/dy = y", "dL/dy"),
        ("dL/dW = outer(h, x); dL/dV = outer(y, h)", "dL/dV"),
        ("dL/dx = 3 * x; dh/dx = W; dL/dh = y @ V", "dL/dh"),
        ("dL/dy = y; dL/dx = 3 * x", "dL/dy"),
        ("dL/dy = 2 * y; dh/dx = W; dL/dx = 3 * x", "dh/dx"),
        ("dL/dx = 3 * x; dy/dh = V.T; dL/dh = y @ V", "dy/dh"),
    ] {
        assert_eq!(first(wrong).as_deref(), Some(cause), "{wrong}");
    }
}
