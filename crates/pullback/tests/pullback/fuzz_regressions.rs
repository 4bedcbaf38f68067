//! What the fuzz targets once found, `fuzz/regressions/{parse,check}/*`, and what they start from, as ordinary tests.

use pullback::lang::{parse_bytes, parse_expr, print};
use pullback::session::{Derived, check_source, derive_source, run_source};

use crate::command::{examples, root};

/// The files of a folder of regressions, beside the examples.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/regressions").join(target);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("the folder can be read").path();
        (path.display().to_string(), std::fs::read(&path).expect("the file can be read"))
    };
    entries.map(read).chain(examples()).collect()
}

#[test]
fn parse() {
    for (name, bytes) in inputs("parse") {
        let _ = parse_bytes(&bytes);
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        if let Ok(first) = parse_expr(text) {
            let printed = print(&first.expr);
            let second = parse_expr(&printed).unwrap_or_else(|error| panic!("{name}: {printed}: {error}"));
            assert_eq!(first.expr, second.expr, "{name}: {printed}");
        }
    }
}

#[test]
fn check() {
    for (name, bytes) in inputs("check") {
        let nowhere = "/nonexistent".as_ref();
        assert!(check_source(&name, &bytes, nowhere).exit_code() <= 2, "{name}");
        let _ = run_source(&name, &bytes, nowhere);
        let _ = derive_source(&name, &bytes, nowhere, &Derived::default());
    }
}
