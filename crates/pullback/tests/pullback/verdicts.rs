//! The exit code of every verdict that a file can be made to get.

use crate::command::pullback;

/// What is claimed, the verdict, and the exit code.
const CASES: &[(&str, &str, i32)] = &[
    ("x = [1, 2]; L = sum(x^2); dL/dx = 2 * x", "holds", 0),
    ("x = [1, 2]; L = sum(x^2); dL/dx = x", "wrong", 1),
    // The factor x is missing: a shape with a known cause is wrong.
    ("x = [1, 2]; L = sum(x^2); dL/dx = 2", "wrong", 1),
    // A vector–Jacobian product: the cause is known, and no correction is.
    ("V: [2, 3] ~ randn; y: [3] ~ randn; s = V @ y; ds/dy = sum(V, axis=0)", "wrong", 1),
    ("x = [1, 2]; L = sum(x^2); dL/dx = [5, 7, 11]", "shape", 1),
    ("x = [1, 2]; L = sum(x^2); shape(dL/dx) = [3]", "shape", 1),
    ("x = [1, 2]; L = sum(x^2); shape(dL/dx) = [2]", "holds", 0),
    ("x = [1, 2]; y = [3]; L = sum(y); dL/dx = zeros(2)", "holds", 0),
    ("x = [1, 2]; y = [3]; L = sum(y); dL/dx = x - x", "vacuous", 1),
    ("x = [-1, 0, 2]; L = sum(relu(x)); dL/dx = step(x)", "kink", 0),
    ("x = [-1, 0, 2]; L = sum(relu(x)); dL/dx = [0, 1, 1]", "kink", 1),
    ("x = [-1, 0, 2]; L = sum(relu(x)); dL/dx = [0, 3, 1]", "wrong", 1),
    ("z: [5] ~ randn; L = sum(softmax(z)); dL/dz = z - z", "vacuous", 1),
    ("z: [5] ~ randn; L = sum(softmax(z)); dL/dz = zeros(5)", "holds", 0),
    ("x: [5] ~ randn; c = x - mean(x); L = sum(c / sqrt(mean(c^2))); dL/dx = x - x", "vacuous", 1),
    ("x: [5] ~ randn; c = x - mean(x); L = sum(c / sqrt(mean(c^2))); dL/dx = zeros(5)", "holds", 0),
    ("x: [5] ~ randn; c = x - mean(x); L = sum(c / sqrt(mean(c^2))); dL/dx = 1e-3 * x", "wrong", 1),
    ("x = [1, 2]; L = sum(3 * x) + 1e13; dL/dx = 3 * ones(2)", "vacuous", 1),
    ("x = [2, 2, 1]; y = max(x); dy/dx = [0.5, 0.5, 0]", "kink", 0),
    ("x = [2, 2, 1]; y = max(x); dy/dx = [1, 0, 0]", "kink", 1),
    ("x = [2, 2, 1]; y = max(x); dy/dx = [1, 1, 0]", "wrong", 1),
    // Elements that tie in an order: PyTorch's stable sort takes the first, and of three a median that one alone does not move.
    ("x = [1, 1, 0]; q, _ = sort(x); L = q @ [1, 2, 4]; dL/dx = [2, 4, 1]", "kink", 0),
    ("x = [1, 1, 0]; q, _ = sort(x); L = q @ [1, 2, 4]; dL/dx = [4, 2, 1]", "kink", 1),
    ("x = [1, 1, 0]; q, _ = sort(x); L = q @ [1, 2, 4]; dL/dx = [5, 2, 1]", "wrong", 1),
    ("x = [1, 1, 1]; L = 3 * median(x); dL/dx = [0, 3, 0]", "kink", 0),
    ("x = [0.1, 0.1, 0.8, 0.8]; L = 1e5 + median(x) / 9; dL/dx = [0, 1 / 18, 1 / 18, 0]", "kink", 0),
    // What it is off by is more than an f32 number can be, and f32 has no digits left of what is claimed.
    ("dtype f32; x = [1e4, -1e4, 1e-3]; s = sum(x); L = s^2; dL/ds = 2.1 * s", "wrong", 1),
    ("dtype f32; x = [1e4, -1e4, 1e-3]; s = sum(x); L = s^2; dL/ds = 2 * s", "holds", 0),
    ("x = [-1, 2]; L = sum(log(x)); dL/dx = 1 / x", "not-finite", 1),
    ("x = [4, 0]; L = sum(sqrt(x)); dL/dx = zeros(2)", "not-finite", 1),
    ("dtype f32; x = [1, 100]; L = sum(exp(x)); dL/dx = exp(x)", "not-finite", 1),
    ("dtype f64; x = [1, 100]; L = sum(exp(x)); dL/dx = exp(x)", "holds", 0),
    ("x = [0, 0]; n = sqrt(sum(x^2)); dn/dx = x / n", "vacuous", 1),
    // A gradient has the shape of what it belongs to, whatever the layout of its vec; a Jacobian's row is one too.
    ("x = [[1, 2, 3]]; L = sum(x^2); dL/dx [col] = 2 * x", "holds", 0),
    ("X: [2, 3] ~ randn; L = sum(X^2); dL/dX [col] = 2 * X", "holds", 0),
    ("X: [2, 3] ~ randn; L = sum(X^2); dL/dX [col] = reshape(2 * X.T, [1, 6])", "holds", 0),
    ("X: [2, 3] ~ randn; L = sum(X^2); dL/dX [col] = reshape(2 * X, [1, 6])", "wrong", 1),
    ("x = [1, 2]; L = sum(x^3); d2L/dx2 = diag(6 * x)", "holds", 0),
    ("x = [1, 2]; L = sum(x^3); d2L/dx2 = diag(3 * x)", "wrong", 1),
    ("x = [1, 2]; u = sum(x); y = u * x; dy/dx [u fixed] = u * eye(2)", "holds", 0),
];

#[test]
fn each_verdict_has_its_exit_code() {
    for &(source, verdict, code) in CASES {
        let ran = pullback(&["check", "-", "--json"], source);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON, whatever the verdict");
        assert_eq!(json["files"][0]["claims"][0]["verdict"], verdict, "{source}: {json}");
        assert_eq!(ran.code, code, "{source}");
    }
}

#[test]
fn the_highest_code_of_all_files_counts() {
    let good = "examples/003-closed-form.grad";
    let wrong = "x = [1, 2]; L = sum(x^2); dL/dx = x";
    for (arguments, stdin, code) in [
        (vec!["check", good], "", 0),
        (vec!["check", good, "-"], wrong, 1),
        (vec!["check", "-", good], wrong, 1),
        (vec!["check", "-", good, "gone.grad"], wrong, 2),
        (vec!["check", "gone.grad", good], "", 2),
    ] {
        assert_eq!(pullback(&arguments, stdin).code, code, "{arguments:?}");
    }
}
