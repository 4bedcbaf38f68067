//! What is said of numbers: a wrong backward pass is computed elsewhere, and its numbers alone are claimed.
//!
//! In every case the mistake is known, since it was made on purpose. *Numbers* are claimed on one set of data; a *function*
//! gives them on any.

use pullback_array::{Array, DType, Precision};
use pullback_check::{Claim, Verdict, judge};
use pullback_diagnose::{Diagnosis, Part, diagnose, subject};
use pullback_lang::program::{Claimed, Inputs, Program, elaborate, elaborate_at, evaluate};
use pullback_lang::{File, Names, parse, parse_expr, parse_expr_in, print};

/// Adds to a program a claim of the numbers of an expression, of which the program knows nothing.
fn claim(program: &mut Program, key: &str, wrong: &str) -> Option<usize> {
    let (of, wrt) = key.strip_prefix('d')?.split_once("/d")?;
    let value = evaluate(&parse_expr(wrong).ok()?.expr, program.scope()).ok()?;
    program.claim_numbers(of, wrt, value.array().ok()?).ok()
}

fn told(layer: &str, key: &str, wrong: &str, anywhere: bool) -> Vec<Diagnosis> {
    told_of_all(layer, &[key], &[wrong], anywhere).swap_remove(0)
}

/// What is said of numbers that were rounded to few digits.
fn told_in(layer: &str, key: &str, wrong: &str, precision: Precision) -> Vec<Diagnosis> {
    let file = parse(layer).file;
    let (mut program, inputs, _) = elaborated(&file);
    let value =
        evaluate(&parse_expr(wrong).expect("it parses").expr, program.scope()).expect("it has a value");
    let numbers = value.array().expect("it has numbers");
    let digits: Vec<f64> =
        numbers.to_vec_f64().into_iter().map(|number| in_digits(number, precision)).collect();
    let numbers = Array::from_vec(numbers.shape(), digits).expect("as many");
    let (of, wrt) = key.strip_prefix('d').and_then(|key| key.split_once("/d")).expect("a key");
    let claim = program.claim_numbers(of, wrt, &numbers).expect("its values are there");
    let about = &program.claims[claim];
    let numbers = Claim::numbers(&numbers, precision).expect("they fit");
    let judgement = judge(&subject(about), &numbers).expect("it can be judged");
    assert_eq!(judgement.verdict, Verdict::Wrong, "{key} = {wrong}");
    let mut judged = vec![None; program.claims.len()];
    judged[claim] = Some(judgement);
    diagnose(&file, &program, &inputs, ".".as_ref(), &judged, &|_| ()).swap_remove(claim)
}

/// A number rounded to the nearest one of a precision, away from its smallest and largest ones.
fn in_digits(number: f64, precision: Precision) -> f64 {
    if number == 0.0 {
        return number;
    }
    let step = number.abs().log2().floor().exp2() * precision.epsilon();
    (number / step).round() * step
}

/// The program in double precision, as the checker takes it, its inputs, and the precision of other code's numbers: the file's.
fn elaborated(file: &File) -> (Program, Inputs, Precision) {
    let (program, inputs) = elaborate(file, ".".as_ref()).expect("the layer is right");
    if program.dtype == DType::F64 {
        return (program, inputs, Precision::F64);
    }
    let exact = elaborate_at(file, &inputs, DType::F64, ".".as_ref()).expect("the layer is right");
    (exact, inputs, Precision::F32)
}

/// What is said of several claims of numbers, the first of which is wrong.
fn told_of_all(layer: &str, keys: &[&str], numbers: &[&str], anywhere: bool) -> Vec<Vec<Diagnosis>> {
    let file = parse(layer).file;
    let (mut program, inputs, precision) = elaborated(&file);
    let given = keys.iter().zip(numbers).map(|(key, wrong)| claim(&mut program, key, wrong));
    let given: Vec<usize> = given.collect::<Option<_>>().expect("the expressions can be evaluated");
    let mut judged = vec![None; program.claims.len()];
    for &number in &given {
        let about = &program.claims[number];
        let Claimed::Value { val, .. } = &about.claimed else { panic!("numbers are claimed") };
        let numbers = Claim::numbers(val.array().expect("they are there"), precision).expect("they fit");
        judged[number] = Some(judge(&subject(about), &numbers).expect("it can be judged"));
    }
    let verdict = judged[given[0]].as_ref().map(|judgement| judgement.verdict);
    assert!(matches!(verdict, Some(Verdict::Wrong | Verdict::Shape)), "{keys:?} = {numbers:?}: {verdict:?}");
    let elsewhere = |program: &mut Program| {
        for (key, wrong) in keys.iter().zip(numbers).filter(|_| anywhere) {
            claim(program, key, wrong);
        }
    };
    let found = diagnose(&file, &program, &inputs, ".".as_ref(), &judged, &elsewhere);
    given.into_iter().map(|number| found[number].clone()).collect()
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
    let (mut program, ..) = elaborated(&file);
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

const STATED: &str = "
X: [N=8, D=3] ~ randn
W: [D, M=5] ~ randn
h = tanh(X @ W / 20)
y = h * 0.37
dL/dy: [N, M] ~ randn
e = dL/dy
G = e * (1 - h^2)
";

/// 20 is 2 / (N * M) too at these sizes, and nothing in the program divides by those.
#[test]
fn numbers_that_the_program_states() {
    check(STATED, "dL/dX", "0.37 * G @ W.T", "missing-factor", Some("dL/dX / 20"));
    check(STATED, "dL/dW", "0.37 * X.T @ G", "missing-factor", Some("dL/dW / 20"));
    check(STATED, "dL/dX", "0.37 * G @ W.T / 20 / 20", "extra-factor", Some("20 * dL/dX"));
    check(STATED, "dL/dX", "G @ W.T / 20", "missing-factor", Some("0.37 * dL/dX"));
    check(STATED, "dL/dh", "e * 0.37 * 0.37", "extra-factor", Some("dL/dh / 0.37"));
    // What is only added to something is no factor of a gradient, and then sizes are likelier.
    let added =
        "X: [N=8, D=5] ~ randn\nY = tanh(X + 40)\ndL/dY: [N, D] ~ randn\nL2 = mean(X^2)\ng = 2 * X / (N * D)";
    let found = told(added, "dL2/dX", "2 * X", false);
    let fixes: Vec<Option<String>> =
        found.iter().map(|found| Some(print(&found.fix.as_ref()?.expr))).collect();
    assert_eq!(fixes, [Some("dL2/dX / (N * D)".to_owned())]);
}

/// Two sizes are equal, and numbers on one set of data do not tell which of them is missing; a function does.
#[test]
fn names_that_the_data_do_not_tell_apart() {
    let square = "X: [N=7, D=3] ~ randn\nW: [D, M=7] ~ randn\nZ = X @ W\nL = sum(Z^2) / N\ng = 2 * Z / N";
    let fixes = |anywhere: bool| -> Vec<String> {
        let found = told(square, "dL/dW", "N * X.T @ g", anywhere);
        assert!(found.iter().all(|found| found.cause == "missing-factor"), "{found:?}");
        found.iter().map(|found| print(&found.fix.as_ref().expect("what is right").expr)).collect()
    };
    assert_eq!(fixes(false), ["dL/dW / N", "dL/dW / M"]);
    assert_eq!(fixes(true), ["dL/dW / N"]);
}

/// A multiple that has no name is said to be one, before anything is said to be added: in few digits a value that is nearly parallel
/// to the derivative, times a number that is fitted, would explain the same numbers.
#[test]
fn a_multiple_comes_before_a_sum() {
    let gate =
        "x: [N=4, D=8] ~ randn\ng: [N, D] ~ uniform(0.99, 1.01)\ny = x * g\ndL/dy: [N, D] ~ randn\ne = dL/dy";
    for (times, said_as) in [(1.03, "1.03"), (0.87, "0.87"), (1.3, "1.3")] {
        let found = told_in(gate, "dL/dx", &format!("{times} * e * g"), Precision::F16);
        assert_eq!(found.len(), 1, "{found:?}");
        let is_factor = matches!(found[0].cause, "extra-factor" | "missing-factor");
        let said = said(&found[0]);
        assert!(is_factor && said.contains(&format!(" {said_as}")), "{times}: {said}");
        let fix = found[0].fix.as_ref().map(|fix| print(&fix.expr)).expect("what the derivative is");
        assert!(holds(gate, "dL/dx", &fix), "{fix}");
    }
    // Twice the derivative is twice it in few digits too.
    let found = told_in(gate, "dL/dx", "2 * e * g", Precision::F16);
    assert_eq!(found[0].fix.as_ref().map(|fix| print(&fix.expr)).as_deref(), Some("dL/dx / 2"));
    // What is added in truth is said to be added: a decay that one writes, and a number that is fitted.
    let decay = "x: [N=4, D=8] ~ randn\nw: [N, D] ~ randn\ny = x * w\ndL/dy: [N, D] ~ randn\ne = dL/dy";
    check(decay, "dL/dx", "e * w + 0.01 * x", "extra-term", None);
    check(decay, "dL/dx", "e * w + 0.0137 * x", "extra-term", None);
}

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
fn sums_and_products_of_another_shape() {
    let right = "sum(2 * (Z - T) / (M * N), axis=0)";
    assert!(holds(LAYER, "dL/db", right));
    check(LAYER, "dL/db", "sum(g, axis=1)", "wrong-axis", None);
    // The rows of a softmax's gradient add up to zero, up to rounding.
    let entropy = "Z: [N=5, C=3] ~ randn; b: [C] ~ randn; Y: [N, C] ~ randn; A = Z + b; p = softmax(A, axis=1); L = sum(Y * p)";
    let wrong = "sum(p * (Y - sum(p * Y, axis=1, keepdims=true)), axis=1)";
    check(entropy, "dL/db", wrong, "wrong-axis", None);
    let gate = "f: [n=5] ~ randn; x: [n] ~ randn; y = f * x; dL/dy: [n] ~ randn; G = dL/dy";
    check(gate, "dL/dx", "outer(G, f)", "product-for-elementwise", None);
    // Of one record nothing has to be summed; of several the sum is missing.
    let one = "X: [N=1, D=3] ~ randn; W: [D, M=2] ~ randn; Z = X @ W; dL/dZ: [N, M] ~ randn; G = dL/dZ";
    let causes = |anywhere| {
        let found = told(one, "dL/dW", "X[:, :, None] * G[:, None, :]", anywhere);
        found.iter().map(|found| found.cause).collect::<Vec<_>>()
    };
    assert_eq!(causes(true), ["missing-sum"]);
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
    // Transposed values, gradients by other values, and what is added to a Jacobian or multiplied with it.
    check(SQUARE, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ W.T + 0.01 * W.T", "extra-term", None);
    check(SQUARE, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ W.T - G @ V.T", "extra-term", None);
    check(SQUARE, "dL/dX", "((G @ V.T) * (1 - Y^2)) @ W.T / (G @ V.T)", "extra-factor", None);
    let jacobian = "x: [n=5] ~ randn; A: [n, n] ~ randn; y = A @ sin(x)";
    check(jacobian, "dy/dx", "A @ diag(cos(x)) + 0.5 * A", "extra-term", None);
    check(jacobian, "dy/dx", "A @ diag(cos(x)) * A.T", "extra-factor", None);
    // In single precision the number in front of what is added has few digits.
    let single =
        "dtype f32; X: [N=5, D=7] ~ randn; b: [D] ~ randn; Y = X + b; dL/dY: [N, D] ~ randn; G = dL/dY";
    check(single, "dL/db", "sum(G, axis=0) + 0.01 * b", "extra-term", None);
    check(SQUARE, "dL/dV", "Y.T @ Z", "stale-operand", None);
    // A gradient where a value belongs, and another value's where one is passed back.
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * (1 - (G @ V.T)^2))", "stale-operand", None);
    let gain = "x: [n=4] ~ randn; W: [m=3, n] ~ randn; g: [m] ~ randn; a = W @ x; v = g * a; L = sum(v^2)";
    check(gain, "dL/dx", "(2 * v * a) @ W", "stale-operand", None);
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

/// What of a product of vectors in a local Jacobian is taken entry by entry: each row is the same, or each column.
#[test]
fn an_outer_product_entry_by_entry() {
    let softmax = "z: [n=5] ~ randn; p = softmax(z)";
    for wrong in ["diag(p) - p * p", "diag(p) - outer(p * p, ones(n))"] {
        check(softmax, "dp/dz", wrong, "elementwise-for-product", None);
    }
}

/// Two claims that hold each other's numbers are the wrong way round, of another shape or of another loss too; one that is
/// right leaves the other one to be explained by itself, and a sign that both lack is a sign.
#[test]
fn claims_that_are_the_wrong_way_round() {
    let two = "X: [m=3, n=2] ~ randn; s = sum(X^2); f = sqrt(s); R = 3 * X + 1; q = sum(R^2); J = 5 * R";
    let cases: [([&str; 2], [&str; 2], &str); 4] = [
        (["df/dX", "dq/dR"], ["2 * R", "X / f"], "swapped-claims"),
        (["dq/dX", "dJ/dR"], ["einsum(\"ik,jl->ijkl\", 5 * eye(m), eye(n))", "6 * R"], "swapped-claims"),
        (["df/dX", "dq/dR"], ["2 * R", "2 * R"], "swapped-claims"),
        (["df/dX", "dq/dR"], ["-X / f", "-2 * R"], "missing-factor"),
    ];
    for (keys, numbers, cause) in cases {
        for anywhere in [false, true] {
            let found = told_of_all(two, &keys, &numbers, anywhere);
            let causes: Vec<&str> = found[0].iter().map(|found| found.cause).collect();
            let said: Vec<String> = found[0].iter().map(said).collect();
            assert_eq!(causes, [cause], "{keys:?} = {numbers:?}, as a function: {anywhere}: {said:?}");
        }
    }
}

/// A mask of flags that is there once already: code that leaves it out is right on flags alone.
#[test]
fn code_that_rests_on_flags() {
    let masked = "F: [m=3, n=5] ~ randn; b: [n] ~ randn; M: [m, n] = [[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 1]]; E = M * (F + b); \
                  L = sum(E^2)";
    check(masked, "dL/db", "2 * E[-1]", "overwritten", None);
    check(masked, "dL/db", "2 * sum(E, axis=1)", "wrong-axis", None);
    // Not two slips, one of which is the mask that flags make good.
    let factors = "A: [m=3, k=2] ~ randn; B: [k, n=5] ~ randn; M: [m, n] = [[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 1]]; \
                   E = M * (A @ B); L = sum(E^2)";
    check(factors, "dL/dA", "(2 * E @ B.T).T", "transposed-factor", Some("dL/dA.T"));
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

/// A slip in the formula, and something that was done to the whole beside it.
#[test]
fn two_mistakes_at_once() {
    check(LAYER, "dL/db", "sum(Z, axis=0) - b", "stale-operand", None);
    check(SQUARE, "dL/dW", "X.T @ ((G @ V.T) * (1 - Y)) + 0.01 * W", "wrong-derivative", None);
    check(SQUARE, "dL/dW", "(X.T @ ((G @ V.T) * (1 - Y^2)) + 0.01 * W) / 2", "extra-factor", None);
    check(SQUARE, "dL/dW", "(X.T @ ((G @ V.T) * (1 - Y^2)) + W) * W", "extra-term", None);
    // One mistake is told as one.
    check(LAYER, "dL/dW", "X.T @ g + 0.01 * W", "extra-term", None);
}

/// Numbers that are the derivative but for a few digits are no slip's: every way of writing the derivative gives them.
#[test]
fn nearly_right_is_no_slip() {
    for wrong in ["1.0000001 * X.T @ g", "X.T @ g + 0.00000001 * W"] {
        for found in told(LAYER, "dL/dW", wrong, false) {
            assert_eq!(found.cause, "unknown", "{wrong}: {}", said(&found));
        }
    }
    // Nor is any number a product of sizes.
    let found = told(LAYER, "dL/dW", "0.9 * X.T @ g", false);
    assert_eq!(
        found.iter().map(said).collect::<Vec<_>>(),
        ["missing-factor: These numbers are 0.9 times the derivative, in every entry."]
    );
}

/// A function that is given a mask may count on one: it is asked on other masks, not on other numbers.
#[test]
fn masks_stay_masks() {
    let layer = "X: [N=3, D=5] ~ randn; M: [N, D] = [[1, 0, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 1]]; E = M * X; L = sum(E^2)";
    check(layer, "dL/dX", "-2 * E", "missing-factor", Some("-dL/dX"));
    check(layer, "dL/dX", "2 * M", "missing-factor", None);
}
