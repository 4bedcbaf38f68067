//! Real bugs from the history of frameworks: each file says what is to be found in it.

use std::path::Path;

use crate::ask::checked;

/// What became of one file.
pub struct Bug {
    /// The file's name without its ending.
    pub name: String,
    /// The first line of its comment.
    pub about: String,
    /// How many expectations it states.
    pub expected: usize,
    /// What is otherwise than expected.
    pub missed: Vec<String>,
}

/// Checks one file against its own lines `# expect: dL/dW wrong missing-term`. Every claim that has no such line has to hold.
pub fn bug(path: &Path) -> Result<Bug, String> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let about = first_sentence(&text);
    let lines = text.lines().filter_map(|line| line.strip_prefix("# expect:"));
    let expected: Vec<Expected> = lines.filter_map(Expected::read).collect();
    let (report, _) = checked(&name, &text, None)?;
    let mut missed: Vec<String> = report.errors.iter().map(|problem| format!("{problem:?}")).collect();
    for claim in &report.claims {
        let verdict = claim.judgement.verdict.word();
        let cause = claim.diagnoses.first().map(|told| told.cause);
        let told = format!("{verdict} {}", cause.unwrap_or_default());
        let wanted = expected.iter().find(|expected| expected.claim == claim.key);
        let as_wanted = match wanted {
            None => verdict == "holds",
            Some(wanted) => {
                wanted.verdict == verdict && wanted.cause.as_deref().is_none_or(|word| Some(word) == cause)
            }
        };
        if !as_wanted {
            missed.push(format!("{name}: {}: {}", claim.key, told.trim_end()));
        }
    }
    for wanted in &expected {
        if !report.claims.iter().any(|claim| claim.key == wanted.claim) {
            missed.push(format!("{name}: {} is not in the file", wanted.claim));
        }
    }
    Ok(Bug { name, about, expected: expected.len(), missed })
}

/// The first sentence of the comment at a file's head.
fn first_sentence(text: &str) -> String {
    let head = text.lines().take_while(|line| line.starts_with('#') && !line.starts_with("# expect:"));
    let comment: Vec<&str> = head.map(|line| line.trim_start_matches('#').trim()).collect();
    let comment = comment.join(" ");
    match comment.find(". ") {
        Some(end) => comment[..end].to_owned(),
        None => comment.trim_end_matches('.').to_owned(),
    }
}

struct Expected {
    claim: String,
    verdict: String,
    cause: Option<String>,
}

impl Expected {
    /// `dL/dW [col] wrong missing-term`: the key may have spaces, so that the words are read from the end.
    fn read(line: &str) -> Option<Expected> {
        const VERDICTS: [&str; 8] =
            ["holds", "wrong", "inherited", "ambiguous", "vacuous", "kink", "shape", "not-finite"];
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| VERDICTS.contains(word))?;
        Some(Expected {
            claim: words[..at].join(" "),
            verdict: words[at].to_owned(),
            cause: words.get(at + 1).map(|word| (*word).to_owned()),
        })
    }
}
