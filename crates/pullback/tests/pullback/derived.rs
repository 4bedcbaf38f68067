//! What `derive` writes as the right side of a claim is one, and it holds.

use pullback::check::Verdict;
use pullback::session::{check_source, derive_source};

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
