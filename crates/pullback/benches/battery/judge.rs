//! What is said of a trial, held against what it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use pullback::array::Precision;
use pullback::array::file::Dump;
use pullback::check::Verdict;
use pullback::report::{ClaimReport, FileReport};
use pullback::session::{Data, Terms, check_as};

use super::program::Trial;

/// How a trial went. The last six are failures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Outcome {
    /// All that is right passes, and the one that is wrong, if one is, does not.
    AsExpected,
    /// The same, but that a derivative of zero is said to be decided by nothing.
    Vacuous,
    /// A right claim does not pass.
    CalledWrong,
    /// A right claim is said to be decided by nothing, though rounding does not hide it.
    Undecided,
    /// A wrong claim passes.
    Passed,
    /// Beside a wrong claim a right one is called wrong, and not inherited.
    Accused,
    /// The file or the dump is said to be invalid.
    Refused,
    /// The check ended in a panic.
    Panicked,
}

impl Outcome {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::AsExpected => "as expected",
            Outcome::Vacuous => "vacuous",
            Outcome::CalledWrong => "called wrong",
            Outcome::Undecided => "undecided",
            Outcome::Passed => "passed",
            Outcome::Accused => "accused",
            Outcome::Refused => "refused",
            Outcome::Panicked => "panicked",
        }
    }

    /// Whether the program is at fault.
    pub fn is_failure(self) -> bool {
        self > Outcome::Vacuous
    }
}

/// Judges trials. What is said of a right claim without need of a wrong one beside it is counted once.
pub fn outcomes(trials: Vec<Trial>) -> Vec<(Trial, Outcome, String)> {
    let mut failed = Vec::new();
    let mut outcomes = Vec::new();
    for trial in trials {
        let (mut outcome, seen) = judged(&trial);
        if trial.wrong.is_none() && outcome.is_failure() {
            failed.push(trial.asked.clone());
        }
        if outcome == Outcome::Accused && failed.contains(&trial.asked) {
            outcome = Outcome::AsExpected;
        }
        outcomes.push((trial, outcome, seen));
    }
    outcomes
}

/// Are these numbers of 16 bits of which rounding leaves too few digits? A short sum may run in 16 bits in a real implementation: what
/// cancels in it is then beyond judging, and no verdict is the true one.
fn has_few_digits(claim: &ClaimReport) -> bool {
    let precision = claim.elsewhere.as_ref().map(|elsewhere| elsewhere.precision);
    matches!(precision, Some(Precision::F16 | Precision::BF16)) && !claim.judgement.facts.digits
}

/// Judges a trial, and says what was seen where it is not as expected.
pub fn judged(trial: &Trial) -> (Outcome, String) {
    let report = match catch_unwind(AssertUnwindSafe(|| report(trial))) {
        Ok(Ok(report)) => report,
        Ok(Err(message)) => return (Outcome::Refused, message),
        Err(_) => return (Outcome::Panicked, String::new()),
    };
    if let Some(problem) = report.errors.first() {
        return (Outcome::Refused, problem.message.clone());
    }
    let mut vacuous = false;
    let wrong = trial.wrong.as_ref().map(|(_, key)| key);
    for claim in &report.claims {
        let judgement = &claim.judgement;
        if wrong == Some(&claim.key) {
            if judgement.passes() {
                return (Outcome::Passed, seen(claim));
            }
        } else if !judgement.passes() {
            match judgement.verdict {
                Verdict::Vacuous if trial.zero.contains(&claim.key) || has_few_digits(claim) => {
                    vacuous = true
                }
                Verdict::Inherited if wrong.is_some() => {}
                _ if wrong.is_some() => return (Outcome::Accused, seen(claim)),
                Verdict::Vacuous => return (Outcome::Undecided, seen(claim)),
                _ => return (Outcome::CalledWrong, seen(claim)),
            }
        }
    }
    if let Some(key) = wrong.filter(|key| report.claims.iter().all(|claim| claim.key != **key)) {
        return (Outcome::Refused, format!("nothing is said of {key}"));
    }
    (if vacuous { Outcome::Vacuous } else { Outcome::AsExpected }, String::new())
}

fn report(trial: &Trial) -> Result<FileReport, String> {
    let terms = Terms { verdicts_only: !trial.asks_for_causes(), ..Terms::default() };
    let check = |data: Option<&Data<'_>>| {
        check_as("program.grad", trial.source.as_bytes(), Path::new("."), data, &terms, &mut |_| ())
    };
    let Some(bytes) = &trial.dump else { return Ok(check(None)) };
    let dump =
        Dump::from_bytes("dump.safetensors", bytes.clone()).map_err(|error| error.message().to_string())?;
    Ok(check(Some(&Data { name: "dump.safetensors", dump: &dump })))
}

fn seen(claim: &ClaimReport) -> String {
    let judgement = &claim.judgement;
    let error = judgement.max_abs_error.map(|error| format!(", error {error:.2e}")).unwrap_or_default();
    let tolerance = judgement.tolerance.map(|bound| format!(", tolerance {bound:.2e}")).unwrap_or_default();
    let cause = claim.diagnoses.first().map(|found| format!(", {}", found.cause)).unwrap_or_default();
    format!("{} {}{error}{tolerance}{cause}", claim.key, judgement.verdict)
}
