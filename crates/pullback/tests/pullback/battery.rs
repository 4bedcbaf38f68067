//! The battery of random programs, at the size that every run of the tests can bear: `golden/battery` holds what
//! `benches/battery/generate/battery.py` made with PyTorch. More of them: `cargo bench -p pullback --bench battery`.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[path = "../../benches/battery/judge.rs"]
mod judge;
#[path = "../../benches/battery/program.rs"]
mod program;
#[path = "../../benches/battery/tensors.rs"]
mod tensors;

use judge::{Outcome, judged, outcomes};
use program::{Trial, trials};

use crate::command::root;

fn programs() -> Vec<PathBuf> {
    let folder = root().join("crates/pullback/tests/golden/battery");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "grad")).collect();
    paths.sort();
    paths
}

/// What PyTorch computed passes, in files and in dumps of four precisions, and what was made wrong does not.
#[test]
fn committed_programs() {
    let programs = programs();
    assert!(programs.len() >= 100, "{} programs", programs.len());
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let judge_some = || {
        while let Some(path) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let trials = trials(path).expect("a program of the battery");
            assert!(trials.len() >= 4, "{}: {} trials", path.display(), trials.len());
            for (trial, outcome, seen) in outcomes(trials) {
                if outcome.is_failure() {
                    let (program, asked, kind) = (&trial.program, &trial.asked, trial.kind());
                    let line = format!("{}: {program}, {asked}, {kind}: {seen}", outcome.word());
                    failed.lock().expect("no thread panics while it holds it").push(line);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(judge_some);
        }
    });
    let failed = failed.into_inner().expect("no thread panicked");
    assert!(failed.is_empty(), "{} trials failed:\n{}", failed.len(), failed.join("\n"));
}

fn trial(claims: &str, wrong: Option<&str>, zero: &[&str]) -> Outcome {
    let trial = Trial {
        program: "by hand".to_string(),
        source: format!("x: [n=3] ~ randn\nc = x - mean(x)\ny = sin(c)\nL = sum(y^2)\n{claims}\n"),
        dump: None,
        asked: "file".to_string(),
        wrong: wrong.map(|key| ("sign".to_string(), key.to_string())),
        zero: zero.iter().map(|key| (*key).to_string()).collect(),
    };
    judged(&trial).0
}

/// The judge itself, on claims with a wrong label.
#[test]
fn a_wrong_label_fails() {
    let right = "dL/dy = 2 * y\ndL/dc = dL/dy * cos(c)\ndL/dx = dL/dc - mean(dL/dc)";
    let wrong = "dL/dy = 2 * y\ndL/dc = -dL/dy * cos(c)\ndL/dx = dL/dc - mean(dL/dc)";
    assert_eq!(trial(right, None, &[]), Outcome::AsExpected);
    assert_eq!(trial(wrong, None, &[]), Outcome::CalledWrong);
    assert_eq!(trial(wrong, Some("dL/dc"), &[]), Outcome::AsExpected);
    assert_eq!(trial(right, Some("dL/dc"), &[]), Outcome::Passed);
    assert_eq!(trial(wrong, Some("dL/dx"), &[]), Outcome::Accused);
    assert_eq!(trial(right, Some("dL/dq"), &[]), Outcome::Refused);
    assert_eq!(trial("dL/dx = dL/dq", None, &[]), Outcome::Refused);
}
