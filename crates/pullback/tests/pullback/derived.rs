//! What `derive` writes as the right side of a claim is one, and it holds.

use pullback::check::Verdict;
use pullback::session::{check_source, derive_source, derive_statements};

use crate::command::examples;

#[test]
fn the_code_of_every_derivation_holds_as_a_claim() {
    let mut tried = 0;
    for (name, bytes) in examples() {
        let report = derive_source(&name, &bytes, ".".as_ref(), None)
            .unwrap_or_else(|invalid| panic!("{name}: {:?}", invalid.errors));
        // The claims of the file make way for the derived ones; the cotangent that is given is no claim.
        let source = String::from_utf8(bytes).expect("UTF-8");
        let is_claim = |line: &&str| {
            let head = line.split_once(" = ").map_or("", |(head, _)| head);
            (head.starts_with('d') && head.contains("/d")) || head.starts_with("shape(")
        };
        let kept: Vec<&str> = source.lines().filter(|line| !is_claim(line)).collect();
        for (wrt, _, derivation) in &report.derivations {
            let Some(code) = &derivation.code else { continue };
            let of = if derivation.title.starts_with("∂L/") { "L" } else { report.of.0.as_str() };
            let with_claim = format!("{}\nd{of}/d{wrt} = {code}\n", kept.join("\n"));
            // Without a cotangent of its own, a tensor is no output of a loss.
            if of == "L" && !with_claim.contains("\nL = ") && !with_claim.contains("dL/dZ:") {
                continue;
            }
            let checked = check_source(&name, with_claim.as_bytes(), ".".as_ref());
            assert!(checked.errors.is_empty(), "{name}: {code}: {:?}", checked.errors);
            let verdict = checked.claims.last().map(|claim| claim.judgement.verdict);
            assert_eq!(verdict, Some(Verdict::Holds), "{name}: d{of}/d{wrt} = {code}");
            tried += 1;
        }
    }
    assert!(tried >= 6, "only {tried} derivations have code");
}

/// What a call has beside its operands is part of the code: without it the claim would be another one.
#[test]
fn arguments_stay_in_the_code() {
    let cases: [(&str, &str, Option<&str>); 7] = [
        ("sum(A, axis=0) * x", "x", Some("dL/dZ * sum(A, axis=0)")),
        ("sum(max(X, axis=0) * y)", "y", Some("max(X, axis=0)")),
        ("mean(X, axis=1) * y", "y", Some("dL/dZ * mean(X, axis=1)")),
        ("logsumexp(X, axis=0) * y", "y", Some("dL/dZ * logsumexp(X, axis=0)")),
        ("Z[i,j] = X[i,k] * W[k,j]", "X", Some("dL/dZ @ W.T")),
        // The payload is deeper than a formula is written on paper.
        (
            "sum(tanh(tanh(W @ x + b) + b))",
            "W",
            Some("outer((1 - tanh(tanh(W @ x + b) + b)^2) * (1 - tanh(W @ x + b)^2), x)"),
        ),
        ("y = X[0:2]; sum(y^2)", "X", None),
    ];
    for (text, wrt, code) in cases {
        let report = derive_statements(text, Some(wrt))
            .unwrap_or_else(|invalid| panic!("{text}: {:?}", invalid.errors));
        assert_eq!(report.derivations[0].2.code.as_deref(), code, "{text}");
    }
}
