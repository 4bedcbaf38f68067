//! What is said of numbers: a wrong backward pass is computed elsewhere, and its numbers alone are claimed.
//!
//! In every case the mistake is known, since it was made on purpose. *Numbers* are claimed on one set of data; a *function*
//! gives them on any.

use pullback_array::Precision;
use pullback_check::{Claim, Verdict, judge};
use pullback_diagnose::{Diagnosis, Part, diagnose, subject};
use pullback_lang::program::{Claimed, Program, elaborate, evaluate};
use pullback_lang::{Names, parse, parse_expr, parse_expr_in, print};

/// Adds to a program a claim of the numbers of an expression, of which the program knows nothing.
fn claim(program: &mut Program, key: &str, wrong: &str) -> Option<usize> {
    let (of, wrt) = key.strip_prefix('d')?.split_once("/d")?;
    let value = evaluate(&parse_expr(wrong).ok()?.expr, program.scope()).ok()?;
    program.claim_numbers(of, wrt, value.array().ok()?).ok()
}

fn told(layer: &str, key: &str, wrong: &str, anywhere: bool) -> Vec<Diagnosis> {
    let file = parse(layer).file;
    let (mut program, inputs) = elaborate(&file, ".".as_ref()).expect("the layer is right");
    let number = claim(&mut program, key, wrong).expect("the wrong expression can be evaluated");
    let about = &program.claims[number];
    let Claimed::Value { val, .. } = &about.claimed else { panic!("numbers are claimed") };
    let numbers = Claim::numbers(val.array().expect("they are there"), Precision::F64).expect("they fit");
    let judgement = judge(&subject(about), &numbers).expect("it can be judged");
    assert!(
        matches!(judgement.verdict, Verdict::Wrong | Verdict::Shape),
        "{key} = {wrong}: {:?}",
        judgement.verdict
    );
    let mut judged = vec![None; number];
    judged.push(Some(judgement));
    let elsewhere = |program: &mut Program| {
        if anywhere {
            claim(program, key, wrong);
        }
    };
    diagnose(&file, &program, &inputs, ".".as_ref(), &judged, &elsewhere).swap_remove(number)
}

/// The cause, of the numbers alone and of a function; and the fix: as it is given, or else any that holds.
#[track_caller]
fn check(layer: &str, key: &str, wrong: &str, cause: &str, fix: Option<&str>) {
    for anywhere in [false, true] {
        let found = told(layer, key, wrong, anywhere);
        let what = format!("{key} = {wrong}, as a function: {anywhere}");
        let causes: Vec<&str> = found.iter().map(|found| found.cause).collect();
        assert_eq!(causes, [cause], "{what}\n{}", found.iter().map(said).collect::<Vec<_>>().join("\n"));
        let told = found[0].fix.as_ref().map(|fix| print(&fix.expr));
        match (fix, told) {
            (Some(fix), told) => assert_eq!(told.as_deref(), Some(fix), "{what}"),
            (None, Some(told)) => assert!(holds(layer, key, &told), "{what}: {told} is no derivative"),
            (None, None) => {}
        }
    }
}

/// Is an expression the derivative, by finite differences too?
fn holds(layer: &str, key: &str, expr: &str) -> bool {
    let file = parse(layer).file;
    let (mut program, _) = elaborate(&file, ".".as_ref()).expect("the layer is right");
    let parsed = parse_expr_in(expr, &Names::of(&file)).expect("it is an expression of the file").expr;
    let Some((of, wrt)) = key.strip_prefix('d').and_then(|key| key.split_once("/d")) else { return false };
    let Ok(value) = evaluate(&parsed, program.scope()) else { return false };
    let number =
        program.claim_numbers(of, wrt, value.array().expect("it has numbers")).expect("its values are there");
    let about = &program.claims[number];
    let Claimed::Value { val, .. } = &about.claimed else { return false };
    let numbers = Claim::numbers(val.array().expect("they are there"), Precision::F64).expect("they fit");
    judge(&subject(about), &numbers).is_ok_and(|judgement| judgement.verdict == Verdict::Holds)
}

/// What is told, in a line.
fn said(found: &Diagnosis) -> String {
    let words = found.explanation.parts().iter().map(|part| match part {
        Part::Text(text) | Part::Source(text) => text.clone(),
        Part::Shape(dims) => format!("{dims:?}"),
    });
    format!("{}: {}", found.cause, words.collect::<String>())
}

const LAYER: &str = "
X: [N=5, D=3] ~ randn
W: [D, M=7] ~ randn
b: [M] ~ randn
T: [N, M] ~ randn
Z = X @ W + b
L = mean((Z - T)^2)
g = 2 * (Z - T) / (N * M)
";

const SQUARE: &str = "
X: [N=3, D=3] ~ randn
W: [D, H=3] ~ randn
V: [H, M=3] ~ randn
A = X @ W
Y = tanh(A)
Z = Y @ V
dL/dZ: [N, M] ~ randn
G = dL/dZ
";

const SOFTMAX: &str = "
z: [N=3, K=5] ~ randn
p = softmax(z, axis=1)
q = p^2
dL/dq: [N, K] ~ randn
G = dL/dq * 2 * p
";

const NORM: &str = "
x: [N=5, D=3] ~ randn
mu = mean(x, axis=1, keepdims=true)
c = x - mu
v = mean(c^2, axis=1, keepdims=true)
s = sqrt(v + 0.1)
y = c / s
dL/dy: [N, D] ~ randn
G = dL/dy
";

#[test]
fn the_gradient_as_a_whole() {
    check(LAYER, "dL/dW", "N * M * X.T @ g", "missing-factor", Some("dL/dW / (N * M)"));
    check(LAYER, "dL/dW", "2 * X.T @ g", "extra-factor", Some("dL/dW / 2"));
    check(LAYER, "dL/dW", "-X.T @ g", "missing-factor", Some("-dL/dW"));
    check(LAYER, "dL/dW", "X.T @ g / N", "extra-factor", Some("N * dL/dW"));
    check(LAYER, "dL/db", "mean(g, axis=0)", "extra-factor", Some("N * dL/db"));
    check(LAYER, "dL/db", "g", "missing-sum", Some("sum(dL/db, axis=0)"));
    check(SQUARE, "dL/dV", "(Y.T @ G).T", "transposed-factor", Some("dL/dV.T"));
    check(LAYER, "dL/dW", "(X.T @ g).T", "transposed-factor", Some("dL/dW.T"));
    check(SQUARE, "dL/dV", "X.T @ ((G @ V.T) * (1 - Y^2))", "swapped-claims", None);
}

#[test]
fn terms_and_paths() {
    check(SOFTMAX, "dL/dz", "p * G", "missing-term", None);
    check(SOFTMAX, "dL/dz", "3 * p * G", "missing-term", None);
    // The statistics of a normalisation, taken for constants.
    check(NORM, "dL/dx", "(G - mean(G, axis=1, keepdims=true)) / s", "missing-term", None);
    check(NORM, "dL/dx", "G / s - c * mean(G * c, axis=1, keepdims=true) / s^3", "missing-term", None);
    check(NORM, "dL/dx", "G / s", "missing-term", None);
}

#[test]
fn values_that_do_not_belong_there() {
    check(SQUARE, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ W.T + 0.01 * X", "extra-term", None);
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * (1 - Y^2)) * W", "extra-factor", None);
    check(SQUARE, "dL/dV", "Y.T @ Z", "stale-operand", None);
    check("x: [n=4] ~ randn; y = x^2; L = sum(y * x)", "dL/dx", "3 * x @ x", "product-for-elementwise", None);
    check(
        "x: [n=4] ~ randn; W: [m=3, n] ~ randn; y = W @ x",
        "dy/dx",
        "sum(W, axis=0)",
        "vjp-for-jacobian",
        None,
    );
}

#[test]
fn what_should_add_up() {
    let residual = "x: [N=3, D=5] ~ randn; W: [D, D] ~ randn; h = tanh(x @ W); y = x + h; dL/dy: [N, D] ~ randn; G = dL/dy";
    check(residual, "dL/dx", "(G * (1 - h^2)) @ W.T", "overwritten", None);
    let tied = "x: [N=3, D=5] ~ randn; W: [D, D] ~ randn; h = tanh(x @ W); y = h @ W; dL/dy: [N, D] ~ randn; G = dL/dy";
    check(tied, "dL/dW", "h.T @ G", "overwritten", None);
    check(tied, "dL/dW", "x.T @ ((G @ W.T) * (1 - h^2))", "overwritten", None);
    check(LAYER, "dL/dW", "outer(X[-1], g[-1])", "overwritten", None);
    check(LAYER, "dL/db", "g[-1]", "overwritten", None);
    // Which reads survive is written down by hand: rows 0 and 6 are read once, row 2 three times.
    let table = "E: [V=7, D=3] ~ randn\nk: [N=5] = [2, 0, 2, 6, 2]\nH = E[k]\ndL/dH: [N, D] ~ randn\nG = dL/dH\nrows: [3] = [0, 6, 2]";
    let survive = |reads: &str| (format!("{table}\nreads: [3] = {reads}"), "scatter_add(G[reads], rows, V)");
    for reads in ["[1, 3, 4]", "[1, 3, 0]"] {
        let (layer, wrong) = survive(reads);
        check(&layer, "dL/dE", wrong, "overwritten", None);
    }
}

#[test]
fn factors_of_a_local_jacobian() {
    check(SQUARE, "dL/dW", "X.T @ (G @ V.T)", "missing-factor", None);
    check(SQUARE, "dL/dX", "((G @ V) * (1 - Y^2)) @ W.T", "transposed-factor", None);
    check(SQUARE, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ W", "transposed-factor", None);
    check(SQUARE, "dL/dV", "G @ Y.T", "swapped-operands", None);
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * (1 - A^2))", "stale-operand", None);
    check(SQUARE, "dL/dV", "A.T @ G", "stale-operand", None);
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * (1 + Y^2))", "missing-factor", None);
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * Y * (1 - Y))", "wrong-derivative", None);
    let columns = SOFTMAX;
    check(columns, "dL/dz", "p * (G - sum(p * G, axis=0, keepdims=true))", "wrong-axis", None);
    check(columns, "dL/dz", "p * (G - sum(p * G))", "wrong-axis", None);
}

/// The file states the gradient too, and rightly: a slip in that formula is found in the numbers of other code.
#[test]
fn slips_in_the_formula_of_the_file() {
    let layer = format!("{SQUARE}dL/dA = (G @ V.T) * (1 - Y^2)\ndL/dX = dL/dA @ W.T\ndL/dV = Y.T @ G\n");
    let right = Some("dL/dA @ W.T");
    check(&layer, "dL/dX", "((G @ V.T) * (1 - Y^2)) * W.T", "elementwise-for-product", right);
    check(&layer, "dL/dX", "W.T @ ((G @ V.T) * (1 - Y^2))", "swapped-operands", right);
    check(&layer, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ V.T", "stale-operand", right);
    let softmax = format!("{SOFTMAX}dL/dz = p * (G - sum(p * G, axis=1, keepdims=true))\n");
    let right = Some("p * (G - sum(p * G, axis=1, keepdims=true))");
    check(&softmax, "dL/dz", "p * G", "missing-term", right);
    check(&softmax, "dL/dz", "q * (G - sum(p * G, axis=1, keepdims=true))", "stale-operand", right);
}

/// The commonest slip of a normalisation, in a dump whose size cannot be changed: of 5 and `D` it is `D`.
#[test]
fn a_sum_for_a_mean() {
    let rms = "x: [N=3, D=5] ~ randn; u = sqrt(mean(x^2, axis=1, keepdims=true)); y = x / u; dL/dy: [N, D] ~ randn; G = dL/dy";
    let wrong = "(G - y * sum(G * y, axis=1, keepdims=true)) / u";
    check(rms, "dL/dx", wrong, "missing-factor", None);
}

/// Where no mistake is found, what can be seen of the numbers is said.
#[test]
fn facts_of_numbers() {
    check(LAYER, "dL/dW", "1024 * X.T @ g", "extra-factor", None);
    check(LAYER, "dL/dW", "0 * X.T @ g", "missing-term", None);
    let found = told(LAYER, "dL/db", "sum(g, axis=0) * [1, 1, 1, 1, 1, 1, 0]", false);
    let [fact] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(fact.cause, "unknown");
    let said = format!("{:?}", fact.explanation);
    for words in ["1 of 7 entries is wrong", "at index 6 of axis 0", "zero there"] {
        assert!(said.contains(words), "{said}");
    }
}
