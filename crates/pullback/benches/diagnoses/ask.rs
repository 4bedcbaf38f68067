//! Asks the tool what is wrong, in each of the ways in which it can be asked.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use pullback::array::file::Dump;
use pullback::check::Verdict;
use pullback::diagnose::Diagnosis;
use pullback::function::Check;
use pullback::report::{ClaimReport, FileReport};
use pullback::session::{Data, check_watched};

use crate::mutate::Mutant;
use crate::numbers::{dumped, forward, returned};
use crate::scene::Scene;

/// How a gradient is handed to the tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// As an expression in a file.
    Expression,
    /// As numbers that other code has dumped, beside the forward pass.
    Numbers,
    /// As what a function returns on whatever data it is called with.
    Function,
    /// As numbers in a dump, beside a file that states the right formulas too.
    NumbersBeside,
    /// As what a function returns, beside such a file.
    FunctionBeside,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 5] =
        [Mode::Expression, Mode::NumbersBeside, Mode::FunctionBeside, Mode::Numbers, Mode::Function];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Expression => "expression",
            Mode::NumbersBeside => "numbers-beside",
            Mode::FunctionBeside => "function-beside",
            Mode::Numbers => "numbers",
            Mode::Function => "function",
        }
    }

    /// What it is called in the report.
    pub fn title(self) -> &'static str {
        match self {
            Mode::Expression => "an expression in a file",
            Mode::NumbersBeside => "numbers in a dump, where the file states the right formula too",
            Mode::FunctionBeside => "what a function returns, where the file states the right formula too",
            Mode::Numbers => "numbers in a dump, where the file states the forward pass alone",
            Mode::Function => "what a function returns, where the file states the forward pass alone",
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

/// Asks of a mutant; nothing where it cannot be asked in this way.
pub fn ask(mode: Mode, scene: &Scene, mutant: &Mutant) -> Option<Answer> {
    match mode {
        Mode::Expression => Some(in_a_file(scene, mutant)),
        Mode::Numbers => {
            let (forward, dump) = (forward(scene, mutant)?, dumped(scene, mutant)?);
            Some(in_a_dump(scene, mutant, &forward, &dump))
        }
        Mode::NumbersBeside => {
            forward(scene, mutant)?;
            Some(in_a_dump(scene, mutant, &scene.source.all(), &dumped(scene, mutant)?))
        }
        Mode::Function => Some(by_a_function(scene, mutant, &forward(scene, mutant)?)),
        Mode::FunctionBeside => {
            forward(scene, mutant)?;
            Some(by_a_function(scene, mutant, &scene.source.all()))
        }
    }
}

/// The file with the mutant in it. What builds on the claim is left out, and the claim stands last, so that the time from
/// when it is taken up to the end is its own; unless its references would mean something else there.
fn in_a_file(scene: &Scene, mutant: &Mutant) -> Answer {
    let source = &scene.source;
    let (order, last) = order(scene, mutant);
    let text = source.written(&order, &mutant.edits, &HashMap::new());
    let (report, elapsed) = match checked(&source.name, &text, None) {
        Ok(found) => found,
        Err(message) => return Answer::failed(message),
    };
    let claims = order.iter().filter(|&&at| crate::source::is_claim(&source.file.statements[at].kind));
    let place = claims.clone().position(|&at| at == mutant.claim);
    let claim = place.and_then(|place| report.claims.get(place));
    Answer::of(&report, claim, (last == 1).then_some(elapsed))
}

/// The statements of a mutant's file in the order in which they are written, and how many claims were put at their end.
pub fn order(scene: &Scene, mutant: &Mutant) -> (Vec<usize>, usize) {
    let source = &scene.source;
    let mut order = source.all();
    if mutant.in_definition {
        return (order, 0);
    }
    let last: Vec<usize> = mutant.edits.iter().map(|edit| edit.statement).collect();
    let follow: Vec<usize> = last.iter().flat_map(|&at| source.needed_by(at)).collect();
    order.retain(|at| !follow.contains(at));
    if !mutant.edits.iter().all(|edit| source.may_stand_last(edit)) {
        return (order, 0);
    }
    order.retain(|at| !last.contains(at));
    order.extend(&last);
    (order, last.len())
}

/// What the file states (`stated`), and all gradients as numbers.
fn in_a_dump(scene: &Scene, mutant: &Mutant, stated: &[usize], dump: &Dump) -> Answer {
    let source = &scene.source;
    let text = source.written(stated, &[], &HashMap::new());
    let (report, elapsed) = match checked(&source.name, &text, Some(dump)) {
        Ok(found) => found,
        Err(message) => return Answer::failed(message),
    };
    let claim = by_key(scene, mutant, &report);
    Answer::of(&report, claim, (mutant.edits.len() == 1).then_some(elapsed))
}

/// What the file states (`stated`), and a function that returns all gradients. It works at other sizes where the program's own claims do.
/// How long the tool takes over one of them cannot be told from how long the function takes.
fn by_a_function(scene: &Scene, mutant: &Mutant, stated: &[usize]) -> Answer {
    let text = scene.source.written(stated, &[], &HashMap::new());
    let mut check = Check::of(text).named(&scene.source.name);
    if scene.variants.iter().any(|variant| variant.resized && variant.serves(mutant.claim)) {
        check = check.at_any_size();
    }
    let run = || check.run(|given| returned(scene, mutant, given));
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(report) => Answer::of(&report, by_key(scene, mutant, &report), None),
        Err(panic) => Answer::failed(format!("panic: {}", said(&*panic))),
    }
}

fn by_key<'a>(scene: &Scene, mutant: &Mutant, report: &'a FileReport) -> Option<&'a ClaimReport> {
    let key = &scene.program.claims[scene.source.claim_number(mutant.claim)].key;
    report.claims.iter().find(|claim| claim.key == *key)
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Checks a text; also returns how long it took from taking up the last claim.
pub fn checked(name: &str, text: &str, dump: Option<&Dump>) -> Result<(FileReport, Duration), String> {
    let data = dump.map(|dump| Data { name: "dump.safetensors", dump });
    let run = || {
        let mut taken_up = Instant::now();
        let mut watch = |_: &str| taken_up = Instant::now();
        let report = check_watched(name, text.as_bytes(), Path::new("."), data.as_ref(), &mut watch);
        (report, taken_up.elapsed())
    };
    catch_unwind(run).map_err(|panic| format!("panic: {} in\n{text}", said(&*panic)))
}

impl Answer {
    fn of(report: &FileReport, claim: Option<&ClaimReport>, elapsed: Option<Duration>) -> Answer {
        if let Some(problem) = report.errors.first() {
            return Answer::failed(format!("invalid: {problem:?}"));
        }
        let Some(claim) = claim else { return Answer::failed("the claim is not in the report".to_owned()) };
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
