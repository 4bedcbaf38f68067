//! Input that is invalid: exit code 2, the place, advice, and no panic.

use crate::command::{pullback, pullback_bytes};

/// A source, and what the error about it must say: its message, what the caret points at, both shapes or names where there
/// are two, and advice.
struct Case {
    name: &'static str,
    source: &'static str,
    says: &'static [&'static str],
}

const CASES: [Case; 14] = [
    Case {
        name: "syntax",
        source: "x = [1, 2]\na = (x + 1",
        says: &["`(` is never closed", ":2:5", "help: "],
    },
    Case {
        name: "unknown name",
        source: "weight = [1, 2]\na = 2 * wieght",
        says: &["`wieght`", ":2:9", "help: did you mean `weight`?"],
    },
    Case {
        name: "defined twice",
        source: "x = [1, 2]\nx = [3]",
        says: &["`x`", ":2:1", "bound here", "help: "],
    },
    Case {
        name: "shapes that do not fit",
        source: "A: [2, 3] ~ randn\nB: [2, 5] ~ randn\nC = A @ B",
        says: &["[2, 3]", "[2, 5]", ":3:5", "help: "],
    },
    Case {
        name: "shapes that do not broadcast",
        source: "a: [2, 3] ~ randn\nb: [2] ~ randn\nc = a + b",
        says: &["[2, 3]", "[2]", ":3:5"],
    },
    Case {
        name: "a dim of two sizes",
        source: "A: [m=2] ~ randn\nB: [m=3] ~ randn",
        says: &["`m`", ":2:", "2", "3", "help: "],
    },
    Case {
        name: "a dim whose literal has another size",
        source: "A: [m=2] ~ randn\nx: [m] = [1, 2, 3]",
        says: &[":2:", "2", "3"],
    },
    Case {
        name: "a claim about something unknown",
        source: "x = [1, 2]\nL = sum(x)\ndL/dq = ones(2)",
        says: &["`q`", ":3:", "help: "],
    },
    Case {
        name: "a claim before its definition",
        source: "x = [1, 2]\ndL/dx = ones(2)\nL = sum(x)",
        says: &["`L`", ":2:", "help: "],
    },
    Case {
        name: "a claim that is referred to and not there",
        source: "x = [1, 2]\na = 2 * x\nL = sum(a)\ndL/dx = 2 * dL/da",
        says: &["dL/da", ":4:", "help: "],
    },
    Case { name: "an empty file", source: "", says: &["help: "] },
    Case { name: "nothing but comments", source: "# nothing\n\n  # here", says: &["help: "] },
    Case {
        name: "a function that is not there",
        source: "x = [1, 2]\ny = sfotmax(x)",
        says: &["`sfotmax`", ":2:5", "softmax"],
    },
    Case {
        name: "a matrix without an inverse",
        source: "A = [[1, 2], [2, 4]]\nB = inv(A)",
        says: &["inv", ":2:5"],
    },
];

#[test]
fn each_is_told_with_its_place_and_advice() {
    for case in CASES {
        let ran = pullback(&["check", "-"], case.source);
        assert_eq!(ran.code, 2, "{}: {}{}", case.name, ran.stdout, ran.stderr);
        for part in case.says {
            assert!(ran.stdout.contains(part), "{}: `{part}` is missing in\n{}", case.name, ran.stdout);
        }
        assert!(
            ran.stdout.contains('^') || case.source.is_empty(),
            "{}: no caret\n{}",
            case.name,
            ran.stdout
        );

        // The same as JSON, and by a command that has nothing to do with claims.
        let json: serde_json::Value =
            serde_json::from_str(&pullback(&["check", "-", "--json"], case.source).stdout).expect("JSON");
        assert!(json["files"][0]["errors"][0]["message"].is_string(), "{}: {json}", case.name);
        let ran = pullback(&["run", "-"], case.source);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}: run", case.name);
        assert!(ran.stderr.starts_with("error: "), "{}: {}", case.name, ran.stderr);
    }
}

#[test]
fn bytes_that_are_not_utf_8() {
    let ran = pullback_bytes(&["check", "-"], b"x = [1, 2]\ny = \xff\xfe\n");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    for part in ["UTF-8", ":2:5", "^", "help: "] {
        assert!(ran.stdout.contains(part), "`{part}` is missing in\n{}", ran.stdout);
    }
}

#[test]
fn a_missing_file_is_told_and_the_others_are_checked() {
    let ran = pullback(&["check", "examples/gone.grad", "examples/003-closed-form.grad"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stdout.contains("cannot read `examples/gone.grad`: there is no such file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("✓ dL/dX"), "{}", ran.stdout);
    let ran = pullback(&["check", "examples/003-closed-form"], "");
    assert!(ran.stdout.contains("help: did you mean `examples/003-closed-form.grad`?"), "{}", ran.stdout);
    let ran = pullback(&["check", "examples"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.stdout.contains("it is a directory"), "{}", ran.stdout);
}

#[test]
fn memory_that_is_not_there_is_refused_with_its_size() {
    let ran = pullback(&["run", "-", "--memory", "1MiB"], "x: [1000, 1000] ~ randn\ny = x @ x");
    assert_eq!(ran.code, 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("7.6 MiB") && ran.stderr.contains("1 MiB"), "{}", ran.stderr);
    let huge = "x: [99999999999, 99999999999] ~ randn";
    assert_eq!(pullback(&["check", "-"], huge).code, 2);
}

#[test]
fn arguments_that_make_no_sense() {
    for arguments in [
        &["check"][..],
        &["frobnicate"],
        &["check", "-", "--memory", "much"],
        &["jacobian", "-", "--of", "y"],
        &["ops", "no_such_op"],
        &["derive"],
        &["derive", "-", "-e", "x"],
        &["derive", "-e", ""],
        &["derive", "-e", "x: [3] ~ randn"],
        &["derive", "-e", "x @ y", "--wrt", "q"],
        &["jacobian", "examples/000-rmsnorm-layer.grad", "--of", "q", "--wrt", "W"],
    ] {
        let ran = pullback(arguments, "");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains("error: "), "{arguments:?}: {}", ran.stderr);
    }
}

/// A size that no memory holds is refused before anything of that size is computed.
#[test]
fn a_padding_that_no_memory_holds() {
    let source =
        "x: [1, 1, 3] ~ randn\nw: [1, 1, 2] ~ randn\ny = conv(x, w, padding=1000000000000)\nL = sum(y)\n";
    let ran = pullback(&["run", "-"], source);
    assert_eq!(ran.code, 2);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("TiB") && said.contains("--memory"), "{said}");
}

/// A flag of one language is refused with another: nothing that is asked for is left out in silence.
#[test]
fn flags_of_other_languages() {
    for (flag, language, own) in [("--candle", "torch", "rust"), ("--autograd-function", "rust", "torch")] {
        let ran = pullback(&["derive", "-e", "L = sum(x^2)", "--code", language, flag], "");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(&format!("'{flag}' is for '--code {own}'")), "{}", ran.stderr);
        let ran = pullback(&["derive", "-e", "L = sum(x^2)", flag], "");
        assert!(ran.code == 2 && ran.stderr.contains("--code"), "{}", ran.stderr);
    }
}
