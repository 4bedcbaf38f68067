//! Correct claims, and claims that are wrong only by others: neither may be accused.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use pullback::check::Verdict;
use pullback::session::check_watched;

use crate::ask::checked;
use crate::mutate::{Mutant, Sort};
use crate::scene::Scene;
use crate::source::is_claim;

/// What became of the correct claims of a program.
pub struct Correct {
    /// Whether the program was set aside.
    pub held_out: bool,
    /// How many claims there are, those about shapes too.
    pub claims: usize,
    /// Those that do not pass, with what is said of them.
    pub accused: Vec<String>,
    /// How long each took.
    pub times: Vec<Duration>,
    /// How many claims beside a wrong one were looked at.
    pub bystanders: usize,
    /// Those of them of which anything else was said than that they hold or inherit.
    pub bystanders_accused: Vec<String>,
}

/// Checks a program as it is, and once more for each claim with that claim wrong.
pub fn correct(scene: &Scene, mutants: &[Mutant]) -> Correct {
    let text = scene.source.written(&scene.source.all(), &[], &HashMap::new());
    let mut taken_up: Vec<Instant> = Vec::new();
    let name = &scene.source.name;
    let report =
        check_watched(name, text.as_bytes(), Path::new("."), None, &mut |_| taken_up.push(Instant::now()));
    taken_up.push(Instant::now());
    let times = taken_up.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let failing = report.claims.iter().filter(|claim| !claim.judgement.passes());
    let said = |key: &str, verdict: Verdict| format!("{name}: {key}: {verdict}");
    let mut accused: Vec<String> = failing.map(|claim| said(&claim.key, claim.judgement.verdict)).collect();
    accused.extend(report.errors.iter().map(|problem| format!("{name}: {problem:?}")));
    let mut found = Correct {
        held_out: scene.source.held_out,
        claims: report.claims.len(),
        accused,
        times,
        bystanders: 0,
        bystanders_accused: Vec::new(),
    };
    for claim in scene.source.claims() {
        let one = |mutant: &&Mutant| {
            mutant.claim == claim
                && mutant.sort == Sort::Single
                && !mutant.in_definition
                && mutant.edits.len() == 1
        };
        if let Some(mutant) = mutants.iter().find(one) {
            beside(scene, mutant, &mut found);
        }
    }
    found
}

/// The other claims of a file in which one is wrong.
fn beside(scene: &Scene, mutant: &Mutant, found: &mut Correct) {
    let source = &scene.source;
    let text = source.written(&source.all(), &mutant.edits, &HashMap::new());
    let Ok((report, _)) = checked(&source.name, &text) else {
        found.bystanders_accused.push(format!("{}: panic beside {}", source.name, mutant.text(scene)));
        return;
    };
    let followers = source.needed_by(mutant.claim);
    let claims = source.all().into_iter().filter(|&at| is_claim(&source.file.statements[at].kind));
    for (at, claim) in claims.zip(&report.claims).filter(|(at, _)| *at != mutant.claim) {
        found.bystanders += 1;
        let inherits = claim.judgement.verdict == Verdict::Inherited && followers.contains(&at);
        if !inherits && !claim.judgement.passes() {
            found.bystanders_accused.push(format!(
                "{}: {}: {} beside {}",
                source.name,
                claim.key,
                claim.judgement.verdict,
                mutant.text(scene)
            ));
        }
    }
}
