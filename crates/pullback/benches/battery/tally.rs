//! How many trials went how, by what they are and how they were asked.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::judge::Outcome;
use super::program::Trial;

/// The columns.
const OUTCOMES: [Outcome; 8] = [
    Outcome::AsExpected,
    Outcome::Vacuous,
    Outcome::CalledWrong,
    Outcome::Undecided,
    Outcome::Passed,
    Outcome::Accused,
    Outcome::Refused,
    Outcome::Panicked,
];

/// The counts.
#[derive(Default)]
pub struct Tally {
    /// By how it was asked, and by the kind.
    counts: BTreeMap<(String, String), BTreeMap<Outcome, usize>>,
}

impl Tally {
    /// Counts one trial.
    pub fn add(&mut self, trial: &Trial, outcome: Outcome) {
        let key = (trial.asked.clone(), trial.kind().to_string());
        *self.counts.entry(key).or_default().entry(outcome).or_default() += 1;
    }

    /// How many trials there were.
    pub fn trials(&self) -> usize {
        self.counts.values().flat_map(|counts| counts.values()).sum()
    }

    /// How many of them failed.
    pub fn failures(&self) -> usize {
        let all = self.counts.values().flatten();
        all.filter(|(outcome, _)| outcome.is_failure()).map(|(_, count)| count).sum()
    }

    /// The table, in Markdown: what is right first, then each way of being wrong.
    pub fn table(&self) -> String {
        let mut text = format!("| {:6} | {:11} | {:>8} |", "asked", "made", "trials");
        let mut rule = format!("| {:-<6} | {:-<11} | {:->8} |", "", "", ":");
        for outcome in OUTCOMES {
            let _ = write!(text, " {} |", outcome.word());
            let _ = write!(rule, " {:->1$} |", ":", outcome.word().len());
        }
        text = format!("{text}\n{rule}\n");
        for right in [true, false] {
            for ((asked, kind), counts) in &self.counts {
                if (kind == "right") != right {
                    continue;
                }
                let _ = write!(text, "| {asked:6} | {kind:11} | {:8} |", counts.values().sum::<usize>());
                for outcome in OUTCOMES {
                    let count = counts.get(&outcome).copied().unwrap_or_default();
                    let _ = write!(text, " {count:0$} |", outcome.word().len());
                }
                text.push('\n');
            }
        }
        text
    }
}
