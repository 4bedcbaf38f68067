//! What judges nothing does not succeed: files without claims, dumps without gradients, gradients that a dump lacks.

use std::path::Path;

use pullback::array::file::{Dump, Entry};
use pullback::array::{Array, Precision};
use pullback::check::Verdict;
use pullback::report::FileReport;
use pullback::session::{Data, Terms, check_as, check_source};

use crate::command::pullback;

fn entry(name: &str, shape: &[usize], numbers: &[f64]) -> Entry {
    let array = Array::from_slice(shape, numbers).expect("as many numbers as the shape has");
    Entry { name: name.to_string(), array, precision: Precision::F64, stored: Precision::F64 }
}

fn judged(source: &str, entries: &[Entry], complete: bool) -> FileReport {
    let dump = Dump::new(entries.to_vec());
    let data = Data { name: "some/dump.npz", dump: &dump };
    let terms = Terms { complete, ..Terms::default() };
    check_as("layer.grad", source.as_bytes(), Path::new("."), Some(&data), &terms, &mut |_| {})
}

/// What is said of each claim.
fn verdicts(report: &FileReport) -> Vec<(&str, Verdict)> {
    report.claims.iter().map(|claim| (&*claim.key, claim.judgement.verdict)).collect()
}

#[test]
fn a_file_without_claims_is_invalid() {
    // The hint names a derivative that the file has.
    let cases = [
        ("x: [3] ~ randn; L = sum(x^2)", "`dL/dx = …`"),
        ("k: [3] ~ randint(0, 2); w: [3] ~ randn; y = w * k", "`dy/dw = …`"),
        ("x: [3] ~ randn; y = x^2; dE/dy: [3] ~ randn", "`dE/dx = …`"),
        ("x = [1, 2]", "`dL/dx = …`"),
    ];
    for (source, hint) in cases {
        let report = check_source("layer.grad", source.as_bytes(), Path::new("."));
        assert_eq!(report.exit_code(), 2, "{source}");
        assert_eq!(report.errors[0].message, "the file claims nothing: there is nothing to judge");
        let said = report.errors[0].hint.as_deref().unwrap_or("");
        assert!(said.contains(hint) && said.contains("`--data`"), "{source}: {said}");
    }
    let ran = pullback(&["check", "-"], "x: [3] ~ randn; L = sum(x^2)");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert_eq!(pullback(&["check", "-", "--json"], "x: [3] ~ randn; L = sum(x^2)").code, 2);
}

#[test]
fn a_dump_without_gradients_is_invalid() {
    let x = [entry("x", &[3], &[1.0, 2.0, 3.0])];
    let report = judged("x: [n=2] ~ randn; L = sum(x^2)", &x, false);
    assert_eq!((report.exit_code(), report.claims.len()), (2, 0));
    assert_eq!(report.errors[0].message, "some/dump.npz holds no gradient");
    assert!(report.errors[0].hint.as_deref().is_some_and(|hint| hint.contains("`dL/dx`")));
    // Where the file claims something, that is judged, on the dump's numbers.
    let report = judged("x: [n=2] ~ randn; L = sum(x^2); dL/dx = 2 * x", &x, false);
    assert_eq!((report.exit_code(), verdicts(&report)), (0, vec![("dL/dx", Verdict::Holds)]));
    assert_eq!(report.warnings[0].message, "some/dump.npz holds no gradient");
}

/// x, w and b have gradients; k is made of integers, eps is a number with a name, and nothing depends on u.
const LAYER: &str =
    "x: [n=2] ~ randn; w: [n] ~ randn; b: [] ~ randn; u: [n] ~ randn; k: [n] ~ randint(0, 2); eps = 1e-3
    L = sum(w * x^2) + b^2 + eps * sum(k)";

#[test]
fn gradients_that_a_dump_lacks() {
    let given = [
        entry("x", &[2], &[1.5, -2.0]),
        entry("w", &[2], &[0.5, 0.25]),
        entry("b", &[], &[0.7]),
        entry("u", &[2], &[1.0, 1.0]),
    ];
    let right =
        [entry("dL/dx", &[2], &[1.5, -1.0]), entry("dL/dw", &[2], &[2.25, 4.0]), entry("dL/db", &[], &[1.4])];
    for there in 1..=3 {
        let entries = [&given[..], &right[..there]].concat();
        let missing: Vec<&str> = right[there..].iter().map(|entry| &*entry.name).collect();
        let report = judged(LAYER, &entries, false);
        assert_eq!(report.exit_code(), 0, "{:?}", report.errors);
        assert_eq!(report.claims.len(), there);
        let note = report.notes.first().map_or("", String::as_str);
        match missing.is_empty() {
            true => assert_eq!(report.notes.len(), 0),
            false => {
                assert!(note.starts_with(&format!("dump.npz has no {}; ", missing.join(", "))), "{note}")
            }
        }
        let report = judged(LAYER, &entries, true);
        assert_eq!(report.exit_code(), i32::from(!missing.is_empty()) as u8);
        let said = verdicts(&report);
        assert!(said[..there].iter().all(|(_, verdict)| *verdict == Verdict::Holds), "{said:?}");
        let wrong: Vec<_> = missing.iter().map(|key| (*key, Verdict::Wrong)).collect();
        assert_eq!(said[there..], wrong);
        for claim in &report.claims[there..] {
            assert_eq!(claim.diagnoses[0].cause, "missing-gradient");
            assert_eq!(claim.judgement.shape, if claim.key == "dL/db" { vec![] } else { vec![2] });
        }
    }
    // A cotangent that is given names the loss.
    let source = "x: [n=2] ~ randn; w: [n] ~ randn; y = w * x; dE/dy: [n] ~ randn";
    let entries =
        [&given[..2], &[entry("dE/dy", &[2], &[1.0, 3.0]), entry("dE/dx", &[2], &[0.5, 0.75])]].concat();
    assert!(judged(source, &entries, false).notes[0].starts_with("dump.npz has no dE/dw; "));
    assert_eq!(verdicts(&judged(source, &entries, true))[1], ("dE/dw", Verdict::Wrong));
}

/// What the file claims of a gradient that the dump lacks is judged; the dump lacks it all the same.
#[test]
fn the_claim_of_a_file_is_no_gradient_of_a_dump() {
    let source = "x: [n=2] ~ randn; w: [n] ~ randn; L = sum(w * x); dL/dw = x";
    let entries =
        [entry("x", &[2], &[1.5, -2.0]), entry("w", &[2], &[0.5, 0.25]), entry("dL/dx", &[2], &[0.5, 0.25])];
    let report = judged(source, &entries, false);
    assert_eq!((report.exit_code(), report.notes.len()), (0, 0));
    assert_eq!(judged(source, &entries, true).exit_code(), 1);
}

/// NumPy makes an array of one entry of a scalar: of losses, inputs, gradients and cotangents alike.
#[test]
fn arrays_of_one_entry_are_scalars() {
    let source = "x: [n=2] ~ randn; s: [] ~ randn; t = 0.5; L = s * t * sum(x^2)";
    let entries = |loss: f64, gradient: f64| {
        let scalar = |name: &str, number: f64| entry(name, &[1], &[number]);
        vec![
            entry("x", &[2], &[1.5, -2.0]),
            scalar("s", 0.25),
            scalar("t", 2.0),
            scalar("L", loss),
            scalar("dL/ds", gradient),
            scalar("dL/dt", 0.25 * 6.25),
            entry("dL/dx", &[2], &[1.5, -2.0]),
        ]
    };
    let report = judged(source, &entries(3.125, 12.5), false);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let all = [("dL/ds", Verdict::Holds), ("dL/dt", Verdict::Holds), ("dL/dx", Verdict::Holds)];
    assert_eq!(verdicts(&report), all);
    assert_eq!(verdicts(&judged(source, &entries(3.125, 12.0), false))[0], ("dL/ds", Verdict::Wrong));
    let report = judged(source, &entries(3.0, 12.5), false);
    assert!(report.errors[0].message.contains("is not what the file computes from the same inputs"));
    // A cotangent of a scalar.
    let source = "x: [n=2] ~ randn; y = sum(x^2); dE/dy: [] ~ randn";
    let entries =
        [entry("x", &[2], &[1.5, -2.0]), entry("dE/dy", &[1], &[2.0]), entry("dE/dx", &[2], &[6.0, -8.0])];
    assert_eq!(verdicts(&judged(source, &entries, false)), [("dE/dx", Verdict::Holds)]);
    // An array of one entry stays one where the file has one, and one of two is no scalar.
    let report = judged(
        "x: [n=2] ~ randn; L = sum(x^2)",
        &[entry("x", &[1], &[3.0]), entry("dL/dx", &[1], &[6.0])],
        false,
    );
    assert_eq!(verdicts(&report), [("dL/dx", Verdict::Holds)]);
    let report = judged(
        "s: [] ~ randn; L = s^2",
        &[entry("s", &[2], &[3.0, 1.0]), entry("dL/ds", &[1], &[6.0])],
        false,
    );
    assert_eq!(report.exit_code(), 2);
}
