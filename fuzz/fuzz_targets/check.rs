//! Whatever the bytes: `check`, `run` and `derive` return, and so do the texts and the JSON made of what they return.
//!
//! Work is bounded by memory (arrays of a quarter of a mebibyte in all) and by the number of statements; the files that a
//! source may load are looked for where there are none.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pullback::array::memory;
use pullback::lang::parse_bytes;
use pullback::report::{Paint, Wanted, check_json, check_text, derive_text, run_json};
use pullback::session::{Derived, check_source, derive_source, run_source};

const MEMORY: usize = 1 << 18;
const MOST_STATEMENTS: usize = 24;
const MOST_BYTES: usize = 2048;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > MOST_BYTES || parse_bytes(bytes).file.statements.len() > MOST_STATEMENTS {
        return;
    }
    memory::set_limit(MEMORY);
    let nowhere = Path::new("/nonexistent");
    let reports = [check_source("fuzz", bytes, nowhere)];
    assert!(reports[0].exit_code() <= 2);
    let _ = check_text(&reports, Wanted::Everything, Paint::Plain);
    let _ = check_json(&reports);
    if let Ok(report) = run_source("fuzz", bytes, nowhere) {
        let _ = run_json(&report);
    }
    if let Ok(report) = derive_source("fuzz", bytes, nowhere, &Derived::default()) {
        let _ = derive_text(
            &report,
            pullback::report::Shown { steps: pullback::report::Steps::Full, width: 120, paint: Paint::Plain },
        );
    }
});
