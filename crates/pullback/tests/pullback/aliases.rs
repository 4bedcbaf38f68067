//! A definition that is another value is a value of its own: what comes back by it is a share of what comes back to that value. The
//! shares are written down by the chain rule, by hand; a claim that holds agrees with finite differences too.

use pullback::check::Verdict;
use pullback::session::check_source;

/// The verdict on each claim of a source.
#[track_caller]
fn verdicts(source: &str) -> Vec<(String, Verdict)> {
    let report = check_source("test.grad", source.as_bytes(), ".".as_ref());
    assert!(report.errors.is_empty(), "{source}: {:?}", report.errors);
    report.claims.into_iter().map(|claim| (claim.key, claim.judgement.verdict)).collect()
}

#[track_caller]
fn all_hold(source: &str) {
    for (key, verdict) in verdicts(source) {
        assert_eq!(verdict, Verdict::Holds, "{key} in\n{source}");
    }
}

#[track_caller]
fn last_is(source: &str, expected: Verdict) {
    let (key, verdict) = verdicts(source).pop().expect("a claim is there");
    assert_eq!(verdict, expected, "{key} in\n{source}");
}

/// What gives the vector x itself.
const SAME: [&str; 12] = [
    "h = x",
    "h = x[:]",
    "h = x.T",
    "h = x'",
    "h = vec(x)",
    "h = x^1",
    "h = x ** 1.0",
    "h = reshape(x, [D])",
    "h = permute(x, [0])",
    "h[i] = x[i]",
    "fn same(a) = a\nh = same(x)",
    "g = x\nh = g",
];

/// A residual block whose stream is renamed at its entry.
#[test]
fn a_branch_has_a_share() {
    for same in SAME {
        let block = format!(
            "x: [D=4] ~ randn\nW: [D, D] ~ randn\n{same}\ny = x + tanh(W @ h)\nL = sum(y^2)\ndL/dy = 2 * y"
        );
        let branch = "W.T @ (dL/dy * (1 - tanh(W @ h)^2))";
        all_hold(&format!("{block}\ndL/dh = {branch}\ndL/dx = dL/dy + dL/dh"));
        // The total is not the share, and the share not the total.
        last_is(&format!("{block}\ndL/dh = dL/dy + {branch}"), Verdict::Wrong);
        last_is(&format!("{block}\ndL/dx = {branch}"), Verdict::Wrong);
        last_is(&format!("{block}\ndh/dx = eye(D)"), Verdict::Holds);
        // With the branch held only the skip connection is left.
        last_is(&format!("{block}\ndL/dx [h fixed] = dL/dy"), Verdict::Holds);
    }
}

#[test]
fn attention_without_projections() {
    let attention = "\
X: [T=3, D=2] ~ randn
Q = X
K = X
V = X
P = softmax(Q @ K.T, axis=1)
O = P @ V
dL/dO: [T, D] ~ randn
dL/dV = P.T @ dL/dO
dL/dP = dL/dO @ V.T
dS = P * (dL/dP - sum(dL/dP * P, axis=1, keepdims=true))
dL/dQ = dS @ K
dL/dK = dS.T @ Q
dL/dX = dL/dQ + dL/dK + dL/dV";
    all_hold(attention);
    last_is(&attention.replace(" + dL/dV", ""), Verdict::Wrong);
    last_is(&attention.replace("dL/dX = ", "dL/dX = dL/dQ + "), Verdict::Wrong);
}

/// What is only another name of a loss, of a cotangent or of a claimed gradient means that.
#[test]
fn other_names() {
    all_hold("x: [3] ~ randn; h = -(-x); L = sum(h^2) + sum(x); dL/dh = 2 * h");
    all_hold("x: [3] ~ randn; L = sum(x^2); J = L; K = J; dJ/dx = 2 * x; dK/dL = 1; dK/dx = dJ/dx");
    all_hold(
        "x: [3] ~ randn; y = 3 * x; z = y; dL/dz: [3] ~ randn; g = dL/dz; k = g; dL/dy = k; dL/dx = 3 * dL/dy",
    );
    all_hold("x: [3] ~ randn; y = exp(x); L = sum(y^2); dL/dy = 2 * y; g = dL/dy; dL/dx = y * g");
    // What a claim says is differentiated by its own name alone.
    all_hold(
        "x: [3] ~ randn; L = sum(x^2); dL/dx = 2 * x; g = dL/dx; k = dL/dx; M = sum(g * k); dM/dg = k; dM/dx = 8 * x",
    );
}

/// Numbers, indices and exponents may have another name too.
#[test]
fn names_of_numbers() {
    all_hold(
        "k: [4] ~ randint(0, 3); j = k; E: [3, 2] ~ randn; L = sum(E[j]^2); dL/dE = 2 * scatter_add(E[k], k, 3)",
    );
    all_hold(
        "p = 3.0; q = p; x: [4] ~ positive; L = sum(x^q); dL/dx = q * x^(q - 1); dL/dq = sum(x^p * log(x))",
    );
    all_hold(
        "a = 1; b = a; X: [2, 3] ~ randn; L = sum(sum(X, axis=b)^2); dL/dX = 2 * sum(X, axis=1, keepdims=true) * ones(2, 3)",
    );
    all_hold("i = [2, 0]; j = i; x: [3] ~ randn; L = sum(x[j]); dL/dx = [1, 0, 1]");
}
