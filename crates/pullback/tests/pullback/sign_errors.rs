//! A sign put wrong in any one claim of any example makes the check fail and is found where it is.
//!
//! Minus zero would be no mistake; no claim of the examples is zero, and one that were would fail here.

use pullback::check::Verdict;
use pullback::lang::program::{Claimed, elaborate};
use pullback::lang::{StatementKind, parse_bytes};
use pullback::session::check_source;

use crate::command::{examples, pullback};

/// The source with `text` in place of a part of it.
fn replaced(source: &str, part: std::ops::Range<usize>, text: &str) -> String {
    format!("{}{text}{}", &source[..part.start], &source[part.end..])
}

/// Every claim of a file with a mistake in it: the key, and the source.
fn mistakes(name: &str, bytes: &[u8]) -> Vec<(String, String)> {
    let source = std::str::from_utf8(bytes).expect("UTF-8");
    let file = parse_bytes(bytes).file;
    let (program, _) = elaborate(&file, "examples".as_ref()).expect("the examples are right");
    let mut mistakes = Vec::new();
    for claim in &program.claims {
        let span = claim.expr_span.start..claim.expr_span.end;
        let written = match claim.claimed {
            Claimed::Value { .. } => replaced(source, span.clone(), &format!("-({})", &source[span])),
            Claimed::Shape(_) => {
                let statement = file.statements.iter().find(|statement| statement.span == claim.span);
                let Some(StatementKind::ShapeClaim(stated)) = statement.map(|statement| &statement.kind)
                else {
                    panic!("{name}: {} is a claim about a shape", claim.key);
                };
                let size = stated.sizes.first().expect("no shape of the examples is a scalar's").span;
                replaced(source, size.start..size.end, &format!("{} + 1", size.slice(source)))
            }
        };
        mistakes.push((claim.key.clone(), written));
    }
    mistakes
}

#[test]
fn a_sign_put_wrong_is_found_where_it_is() {
    let mut tried = 0;
    for (name, bytes) in examples() {
        for (key, source) in mistakes(&name, &bytes) {
            let report = check_source(&name, source.as_bytes(), "examples".as_ref());
            let verdicts: Vec<(&str, &str)> = report
                .claims
                .iter()
                .map(|claim| (claim.key.as_str(), claim.judgement.verdict.word()))
                .collect();
            assert_eq!(report.exit_code(), 1, "{name}, {key}: {verdicts:?} {:?}", report.errors);
            let cause =
                report.cause().unwrap_or_else(|| panic!("{name}, {key}: no cause among {verdicts:?}"));
            assert_eq!(cause.key, key, "{name}: another claim is named; {verdicts:?}");
            // What else fails follows from this claim, and says so.
            for claim in report.claims.iter().filter(|claim| claim.key != key && !claim.judgement.passes()) {
                assert_eq!(claim.judgement.verdict, Verdict::Inherited, "{name}, {key}: {}", claim.key);
                assert_eq!(claim.inherits, [key.as_str()], "{name}, {key}: {}", claim.key);
            }
            tried += 1;
        }
    }
    assert!(tried >= 60, "the examples have lost their claims: {tried}");
}

/// The same through the command, for one claim of each example.
#[test]
fn the_command_fails_and_names_the_claim() {
    for (name, bytes) in examples() {
        let (key, source) = mistakes(&name, &bytes).pop().expect("each example has claims");
        let ran = pullback(&["check", "-", "--quiet"], &source);
        assert_eq!(ran.code, 1, "{name}: {}", ran.stdout);
        assert!(ran.stdout.contains(&format!("✗ {key}")), "{name}: {key} is not named in\n{}", ran.stdout);
        assert!(ran.stdout.contains(&format!("the cause is {key}")), "{name}: {}", ran.stdout);
    }
}
