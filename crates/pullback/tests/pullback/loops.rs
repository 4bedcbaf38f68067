//! Loops, sorting and recurrences: against PyTorch's own layers, against hand-written passes back through time, and where they are wrong.

use crate::command::{pullback, root};

/// What PyTorch computes for its LSTM, its GRU, a state-space layer and programs that sort.
#[test]
fn layers_of_pytorch() {
    let folder = root().join("crates/pullback/tests/golden/loops");
    for (name, gradients) in [("lstm", 7), ("gru", 10), ("ssm", 5), ("sorted", 4)] {
        let file = |end: &str| folder.join(format!("{name}.{end}")).display().to_string();
        let checked = pullback(&["check", &file("grad"), "--data", &file("npz")], "");
        assert_eq!(checked.code, 0, "{name}: {}{}", checked.stdout, checked.stderr);
        assert!(checked.stdout.contains(&format!("  {gradients} claims hold")), "{}", checked.stdout);
    }
}

fn recurrent(change: impl Fn(&str) -> String) -> crate::command::Ran {
    let source =
        std::fs::read_to_string(root().join("examples/recurrent.grad")).expect("the example is there");
    let changed = change(&source);
    assert_ne!(source, changed, "the slip is one");
    pullback(&["check", "-"], &changed)
}

/// Slips in the body of a pass back through time are told once, at their place, whatever the number of steps; what holds goes on
/// holding in the correction.
#[test]
fn slips_through_time() {
    let slips = [
        ("outer(X[T-1-s], dz)", "outer(X[s], dz)", "stale operand", "gU = gU + outer(X[T - 1 - s], dz)"),
        (
            "outer(before[T-1-s], dz)",
            "outer(hs[T-1-s], dz)",
            "stale operand",
            "gW = gW + outer(before[T - 1 - s], dz)",
        ),
        ("gW = gW + outer", "gW = outer", "overwritten", "gW = gW + outer(before[T - 1 - s], dz)"),
        ("dz @ W.T", "dz @ W", "transposed factor", "gh = dz @ W.T"),
        ("(1 - hs[T-1-s]^2)", "(1 - hs[T-1-s])", "wrong derivative", "* (1 - hs[T - 1 - s]^2)"),
        ("gU + outer", "gU - outer", "missing factor", "gU = gU + outer(X[T - 1 - s], dz)"),
        ("gh + 2 * hs", "gh + hs", "missing factor", "dz = (gh + 2 * hs[T - 1 - s])"),
        (
            "outer(before[T-1-s], dz)",
            "outer(dz, before[T-1-s])",
            "swapped operands",
            "gW = gW + outer(before",
        ),
    ];
    for (right, wrong, cause, fix) in slips {
        let ran = recurrent(|source| source.replace(right, wrong));
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains(&format!("wrong  {cause};")), "{wrong}: {}", ran.stdout);
        assert!(ran.stdout.contains(fix), "{wrong}: {}", ran.stdout);
        assert_eq!(ran.stdout.matches("= help: write").count(), 1, "{wrong}: {}", ran.stdout);
    }
}

/// Where tanh saturates, `1 − y²` has few digits left, in a loop as anywhere: what Python makes of it, by `g * (1 - y*y) * 6` from step to
/// step, is off by 10⁻¹¹ (mpmath: 1.17948977661951e-10), and that is rounding.
#[test]
fn loops_round_inside() {
    let claimed = |number: &str| {
        let source = format!("a = 0.7\nscan t < 3, h = a {{\n  h = tanh(6 * h)\n}}\ndh/da = {number}\n");
        pullback(&["check", "-"], &source).code
    };
    assert_eq!([claimed("1.1794897766095499e-10"), claimed("1.17948989e-10")], [0, 1]);
}

/// What is said of a loop that cannot be run.
#[test]
fn loops_that_are_no_loops() {
    let cases = [
        ("scan t < 4, h = x { h = sum(h) }", "`h` starts as f64 [n=3] and becomes f64 []"),
        ("scan t < 4, h = x { h = h + x[t] }", "in step 3 the index is 3, outside an axis of size 3"),
        ("scan t < 4 { y = x }", "the loop carries nothing"),
        ("scan t < 4, h = x -> a, b { h = h }", "2 names for all values of 1 carries"),
        ("scan t < 4, h = x { h = h", "or `}`"),
        ("scan t < 4, h = x { h }", "expected a statement of the loop"),
        ("scan t < n + 0.5, h = x { h = h }", "a size is a whole number"),
        ("scan t < 2, x = x { x = x }", "`x` is already an input"),
        ("scan t < 2, h = x, h = x { h = h }", "stands here twice"),
        ("scan t < 2, h = x { h = y + h }", "`y` is not defined"),
        ("scan t < 10000000000, h = x -> hs { h = h }", "GiB"),
    ];
    for (statement, said) in cases {
        let ran = pullback(
            &["check", "-"],
            &format!("x: [n=3] ~ randn\n{statement}\nL = sum(x)\ndL/dx = ones(n)\n"),
        );
        assert_eq!(ran.code, 2, "{statement}: {}{}", ran.stdout, ran.stderr);
        assert!(
            format!("{}{}", ran.stdout, ran.stderr).contains(said),
            "{statement}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
}

/// Loops in loops and in functions, over carries of several kinds, with numbers and words from outside.
#[test]
fn loops_nest() {
    let source = "
X: [B=2, T=4, n=3] ~ randn
W: [n, n] ~ randn
h0: [B, n] ~ randn
lam = 0.3
words: [T] ~ randint(0, 5)
E: [5, n] ~ randn
fn cell(x, h, W) { z = x + h @ W; tanh(z) }
fn layer(X, h0, W) {
  scan t < T, h = h0 -> hs { h = cell(X[:, t], h, W) + lam * E[words[t]] }
  (hs, h)
}
hs, h = layer(X, h0, W)
scan t < T, s = 0.0 {
  scan k < 2, u = s { u = u + sum(hs[t, k]) * lam }
  s = u * 0.9
}
L = s + sum(h^2)
weights = 0.3 * [0.9^4, 0.9^3, 0.9^2, 0.9]
dL/dhs = reshape(weights, [T, 1, 1]) * ones(T, B, n)
dL/dh = 2 * h
";
    let ran = pullback(&["check", "-"], source);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = pullback(&["check", "-"], &source.replace("weights = 0.3", "weights = 0.9"));
    assert!(ran.stdout.contains("✗ dL/dhs"), "{}", ran.stdout);
}

/// Rows of what is computed in the body itself, chosen by the step, and references to claims there.
#[test]
fn rows_of_what_the_body_computes() {
    let source = "
X: [T=5, n=3] ~ randn
h0: [n] ~ randn
scan t < T, h = h0 -> hs { h = sin(h) * X[t] }
L = sum(hs^3)
dL/dhs = 3 * hs^2
scan s < T, g = zeros(n) {
  before = concat([reshape(h0, [1, n]), hs])
  g = (g + dL/dhs[T-1-s]) * X[T-1-s] * cos(before[T-1-s])
}
dL/dh0 = g
";
    let ran = pullback(&["check", "-"], source);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = pullback(&["check", "-"], &source.replace("cos(before[T-1-s])", "cos(before[s])"));
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
}

/// The backward pass as code of the language goes back through loops, in loops too, and each of its claims holds.
#[test]
fn code_of_loops_holds() {
    let programs = [
        "X: [T=5, n=3] ~ randn; W: [n, n] ~ randn; h0: [n] ~ randn
scan t < T, h = h0 -> hs { z = X[t] + h @ W; h = tanh(z) + h0 }
L = sum(hs^2) + sum(h^3)",
        "X: [B=2, T=4, n=3] ~ randn; W: [n, n] ~ randn; lam: [] ~ randn
scan t < T, h = X[:, 0], c = lam * ones(B, n) -> _, cs {
  z = sin(h @ W)
  h = c * z + X[:, t]
  c = z + t * c
}
Z = cs[1:] * h",
        "X: [T=4, D=3] ~ randn; a: [] ~ randn; W: [D, D] ~ randn
scan t < T, h = X[0] { scan k < 2, u = h { u = sin(u @ W) * a }; h = u + X[t] * sum(X) }
L = sum(h^3)",
        "x: [T=4] ~ randn; w: [T] ~ randn
scan t < T, s = 0.0, p = 1.0 -> sums { q = s; s = p * x[t]; p = q + w[t] }
scan t < T, s2 = p { s2 = s2 * sums[t] }
L = s2 + s",
        "X: [T=5, n=3] ~ randn; h0: [n] ~ randn
scan t < T, h = h0 -> hs { h = sin(X[T-1-t] * h) }
L = sum(hs^3)",
    ];
    for program in programs {
        let code = pullback(&["derive", "-", "--code", "grad"], program);
        assert_eq!(code.code, 0, "{program}{}", code.stderr);
        let ran = pullback(&["check", "-"], &code.stdout);
        assert_eq!(ran.code, 0, "{}{}{}", code.stdout, ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("claims hold"), "{}", ran.stdout);
        for framework in ["numpy", "torch", "jax"] {
            let code = pullback(&["derive", "-", "--code", framework], program);
            assert!(code.stdout.contains("in reversed(range(T)):"), "{}{}", code.stdout, code.stderr);
        }
        let refused = pullback(&["derive", "-", "--code", "rust"], program);
        assert!(refused.stderr.contains("a loop cannot be written in this language"), "{}", refused.stderr);
    }
}

/// On other numbers the order is another one: a file whose claim writes the order down that its numbers have is wrong.
#[test]
fn an_order_is_that_of_the_numbers_at_hand() {
    let program = "x: [n=5] ~ randn; w: [n] ~ randn; v, order = sort(x); L = sum(v * w)";
    let ran = pullback(&["check", "-"], &format!("{program}\n_, place = sort(order)\ndL/dx = w[place]"));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = pullback(&["check", "-"], &format!("{program}\ndL/dx = w[order]"));
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
}

/// 10⁶ running sums within 400 MiB, forward and back.
#[test]
fn running_sums_take_linear_memory() {
    let source = "x: [n=1000000] ~ randn; y = cumsum(x); L = sum(y^2); dL/dx = cumsum(2 * y, reverse=true)";
    let ran = pullback(&["check", "-", "--memory", "400M"], source);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}
