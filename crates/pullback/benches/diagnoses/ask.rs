//! Asks the tool what is wrong, in each of the ways in which it can be asked.

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use pullback::check::Verdict;
use pullback::diagnose::Diagnosis;
use pullback::report::{ClaimReport, FileReport};
use pullback::session::check_watched;

use crate::mutate::Mutant;
use crate::scene::Scene;

/// How a gradient is handed to the tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As an expression in a file.
    Expression,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 1] = [Mode::Expression];

    /// What it is called in the report.
    pub fn title(self) -> &'static str {
        match self {
            Mode::Expression => "an expression in a file",
        }
    }
}

/// What the tool said of the claim that is judged.
pub struct Answer {
    /// Its verdict; none where it panicked or took the file for invalid.
    pub verdict: Option<Verdict>,
    /// Whether a check that meets it may succeed.
    pub passes: bool,
    /// What it says is wrong.
    pub told: Vec<Diagnosis>,
    /// How long it took over this claim, where that can be said.
    pub elapsed: Option<Duration>,
    /// What went wrong, where something did.
    pub failure: Option<String>,
}

/// Asks of a mutant.
pub fn ask(mode: Mode, scene: &Scene, mutant: &Mutant) -> Answer {
    match mode {
        Mode::Expression => in_a_file(scene, mutant),
    }
}

/// The file with the mutant in it. What builds on the claim is left out, and the claim stands last, so that the time from
/// when it is taken up to the end is its own.
fn in_a_file(scene: &Scene, mutant: &Mutant) -> Answer {
    let source = &scene.source;
    let mut order = source.all();
    let mut last: Vec<usize> = Vec::new();
    if !mutant.in_definition {
        last = mutant.edits.iter().map(|edit| edit.statement).collect();
        let follow: Vec<usize> = last.iter().flat_map(|&at| source.needed_by(at)).collect();
        order.retain(|at| !follow.contains(at) && !last.contains(at));
        order.extend(&last);
    }
    let text = source.written(&order, &mutant.edits, &HashMap::new());
    let (report, elapsed) = match checked(&source.name, &text) {
        Ok(found) => found,
        Err(message) => return Answer::failed(message),
    };
    if let Some(problem) = report.errors.first() {
        return Answer::failed(format!("invalid: {problem:?}"));
    }
    let claims = order.iter().filter(|&&at| crate::source::is_claim(&source.file.statements[at].kind));
    let place = claims.clone().position(|&at| at == mutant.claim);
    let Some(claim) = place.and_then(|place| report.claims.get(place)) else {
        return Answer::failed("the claim is not in the report".to_owned());
    };
    Answer::of(claim, (last.len() == 1).then_some(elapsed))
}

/// Checks a text; also returns how long it took from taking up the last claim.
pub fn checked(name: &str, text: &str) -> Result<(FileReport, Duration), String> {
    let run = || {
        let mut taken_up = Instant::now();
        let mut watch = |_: &str| taken_up = Instant::now();
        let report = check_watched(name, text.as_bytes(), Path::new("."), None, &mut watch);
        (report, taken_up.elapsed())
    };
    catch_unwind(run).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panic: {} in\n{text}", said.unwrap_or_default())
    })
}

impl Answer {
    fn of(claim: &ClaimReport, elapsed: Option<Duration>) -> Answer {
        Answer {
            verdict: Some(claim.judgement.verdict),
            passes: claim.judgement.passes(),
            told: claim.diagnoses.clone(),
            elapsed,
            failure: None,
        }
    }

    fn failed(message: String) -> Answer {
        Answer { verdict: None, passes: false, told: Vec::new(), elapsed: None, failure: Some(message) }
    }
}
