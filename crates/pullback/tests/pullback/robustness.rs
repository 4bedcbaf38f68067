//! Nothing that a file contains makes a check panic: the examples, with every line left out, doubled, or changed.

use pullback::session::{Derived, check_source, derive_source, run_source};

use crate::command::examples;

/// What is put in the place of what, one at a time: operators, sizes (one and none among them), functions.
const CHANGES: [(&str, &str); 14] = [
    ("@", "*"),
    ("*", "@"),
    ("+", "-"),
    ("/", "@"),
    ("=3]", "=1]"),
    ("=2]", "=0]"),
    ("=2,", "=1,"),
    ("=5,", "=0,"),
    ("sum(", "mean("),
    ("sqrt(", "log(-"),
    ("2", "-1"),
    ("randn", "randint(0, 3)"),
    ("f32", "f64"),
    (", axis=0", ", axis=7"),
];

/// The lines of a source with one of them changed, or left out, or doubled.
fn variants(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let mut variants = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty())
    {
        let mut with = |changed: &str| {
            let mut lines = lines.clone();
            lines[at] = changed;
            variants.push(lines.join("\n"));
        };
        with("");
        with(&format!("{line}\n{line}"));
        for (from, to) in CHANGES {
            if line.contains(from) {
                with(&line.replace(from, to));
            }
        }
    }
    variants
}

#[test]
fn nothing_panics() {
    let mut codes = [0; 3];
    for (name, bytes) in examples() {
        for source in variants(&String::from_utf8(bytes).expect("UTF-8")) {
            let report = check_source(&name, source.as_bytes(), ".".as_ref());
            codes[usize::from(report.exit_code())] += 1;
            let _ = run_source(&name, source.as_bytes(), ".".as_ref());
            let _ = derive_source(&name, source.as_bytes(), ".".as_ref(), &Derived::default());
        }
    }
    // The changes are such that every kind of file is among them.
    assert!(codes.iter().all(|&files| files > 20), "{codes:?}");
}
