//! A claim that is wrong only because another one is, is told apart.

use pullback::check::Verdict;
use pullback::session::check_source;

/// The verdict on each claim of a source, and whose mistakes it inherits.
#[track_caller]
fn verdicts(source: &str) -> Vec<(String, &'static str, Vec<String>)> {
    let report = check_source("test.grad", source.as_bytes(), ".".as_ref());
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let verdict =
        |claim: pullback::report::ClaimReport| (claim.key, claim.judgement.verdict.word(), claim.inherits);
    report.claims.into_iter().map(verdict).collect()
}

#[track_caller]
fn check(source: &str, expected: &[(&str, &str, &[&str])]) {
    let found = verdicts(source);
    let found: Vec<(&str, &str, Vec<&str>)> = found
        .iter()
        .map(|(key, verdict, inherits)| {
            (key.as_str(), *verdict, inherits.iter().map(String::as_str).collect())
        })
        .collect();
    let expected: Vec<(&str, &str, Vec<&str>)> =
        expected.iter().map(|(key, verdict, inherits)| (*key, *verdict, inherits.to_vec())).collect();
    assert_eq!(found, expected);
}

const CHAIN: &str = "
x: [n=3] ~ randn
W: [m=2, n] ~ randn
a = W @ x
b = tanh(a)
L = sum(b^2)
";

#[test]
fn directly_and_through_others() {
    check(
        &format!(
            "{CHAIN}dL/db = 3 * b; dL/da = dL/db * (1 - b^2); dL/dW = outer(dL/da, x); dL/dx = dL/da @ W"
        ),
        &[
            ("dL/db", "wrong", &[]),
            ("dL/da", "inherited", &["dL/db"]),
            ("dL/dW", "inherited", &["dL/db"]),
            ("dL/dx", "inherited", &["dL/db"]),
        ],
    );
}

#[test]
fn a_mistake_of_its_own_is_not_inherited() {
    check(
        &format!("{CHAIN}dL/db = 3 * b; dL/da = dL/db * (1 + b^2); dL/dW = outer(dL/da, x)"),
        // It is wrong by itself, and follows a wrong claim too.
        &[
            ("dL/db", "wrong", &[]),
            ("dL/da", "wrong", &["dL/db"]),
            ("dL/dW", "inherited", &["dL/db", "dL/da"]),
        ],
    );
}

#[test]
fn a_wrong_shape_is_inherited_too() {
    check(
        &format!("{CHAIN}dL/db = 2 * sum(b); dL/da = dL/db * (1 - b^2)"),
        &[("dL/db", "wrong", &[]), ("dL/da", "inherited", &["dL/db"])],
    );
}

#[test]
fn a_claim_that_holds_in_spite_of_what_it_refers_to_holds() {
    check(
        &format!("{CHAIN}dL/db = 3 * b; dL/da = dL/db * (1 - b^2) * 2 / 3"),
        &[("dL/db", "wrong", &[]), ("dL/da", "holds", &[])],
    );
}

/// The value of a wrong claim may be that of a definition too: only the claim is replaced.
#[test]
fn a_definition_with_the_value_of_a_wrong_claim_stays() {
    check(
        &format!("{CHAIN}dL/db = b; dL/da = dL/db * (1 - b^2)"),
        &[("dL/db", "wrong", &[]), ("dL/da", "inherited", &["dL/db"])],
    );
}

#[test]
fn single_precision_inherits_as_double_does() {
    check(
        &format!("dtype f32{CHAIN}dL/db = -2 * b; dL/da = dL/db * (1 - b^2)"),
        &[("dL/db", "wrong", &[]), ("dL/da", "inherited", &["dL/db"])],
    );
}

/// What is wrong at a kink by the mistake of another claim, and what is tiny or zero beside one, is not accused.
#[test]
fn what_inherits_at_kinks_and_beside_zeros() {
    let verdicts = |source: &str| -> Vec<Verdict> {
        let report = check_source("layer.grad", source.as_bytes(), std::path::Path::new("."));
        report.claims.into_iter().map(|claim| claim.judgement.verdict).collect()
    };
    let kink = "x: [3] = [0, 1, -2]\nr = relu(x) + x\nL = sum(r^2) + sum(r)\ndL/dr = 1.001 * (2 * r + 1)\ndL/dx = dL/dr * (step(x) + 1)";
    assert_eq!(verdicts(kink), [Verdict::Wrong, Verdict::Inherited]);
    let zero = "x: [4] ~ randn\nc = x - mean(x)\nm = mean(c)\ny = c + m\ndL/dy: [4] ~ randn\ndL/dm = sum(dL/dy)\n\
                dL/dc = dL/dy * [1, 1, 2, 1] + dL/dm / 4 * ones(4)\ndL/dx = dL/dc - mean(dL/dc)";
    assert_eq!(verdicts(zero), [Verdict::Holds, Verdict::Wrong, Verdict::Inherited]);
}
