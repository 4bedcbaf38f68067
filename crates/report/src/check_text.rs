//! The text of `pullback check`: one line a claim, then what fails at its place, then a summary.

use annotate_snippets::Level;
use pullback_check::Verdict;

use crate::check::{ClaimReport, FileReport};
use crate::elsewhere::precision_notes;
use crate::paint::Paint;
use crate::problem::{Drawing, Problem, problem_text, warning_text};
use crate::verdict_text::{failure, remark};
use crate::visible::visible;

/// How much of a check is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Wanted {
    /// Every claim.
    #[default]
    Everything,
    /// What fails, and nothing where nothing does.
    Failures,
}

/// The reports of several files, one after another, and a total where there are several.
pub fn check_text(files: &[FileReport], wanted: Wanted, paint: Paint) -> String {
    let mut texts = CheckTexts::new(wanted, paint);
    let shown: String = files.iter().map(|file| texts.file(file)).collect();
    shown + &texts.end(files)
}

/// The same piece by piece, so that what is known of a file can be read while the next one is judged.
#[derive(Debug)]
pub struct CheckTexts {
    wanted: Wanted,
    paint: Paint,
    /// How many files had something to show.
    shown: usize,
}

impl CheckTexts {
    /// Nothing was shown yet.
    pub fn new(wanted: Wanted, paint: Paint) -> CheckTexts {
        CheckTexts { wanted, paint, shown: 0 }
    }

    /// The report of one more file.
    pub fn file(&mut self, report: &FileReport) -> String {
        if self.wanted == Wanted::Failures && report.exit_code() == 0 {
            return String::new();
        }
        let between = if self.shown > 0 { "\n" } else { "" };
        self.shown += 1;
        format!("{between}{}", file_text(report, self.wanted, self.paint))
    }

    /// The total of all files, where there are several.
    pub fn end(&self, files: &[FileReport]) -> String {
        match files.len() > 1 && self.shown > 0 {
            true => format!("\n{}\n", total(files, self.paint)),
            false => String::new(),
        }
    }
}

fn file_text(report: &FileReport, wanted: Wanted, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.heading(&visible(&report.document.name)));
    let everything = wanted == Wanted::Everything;
    let shown: Vec<&ClaimReport> =
        report.claims.iter().filter(|claim| everything || !claim.judgement.passes()).collect();
    let keys = shown.iter().map(|claim| claim.key.chars().count()).max().unwrap_or(0);
    let verdicts = shown.iter().map(|claim| claim.judgement.verdict.word().len()).max().unwrap_or(0);
    for claim in shown {
        text += &line(claim, keys, verdicts, paint);
    }
    if everything {
        let numbers =
            report.claims.iter().filter_map(|claim| Some((claim.key.as_str(), claim.elsewhere.as_ref()?)));
        for note in precision_notes(numbers).iter().chain(&report.notes) {
            text += &format!("  {}\n", paint.aside(&visible(&format!("note: {note}"))));
        }
    }
    let document = &report.document;
    let mut drawings: Vec<String> = Vec::new();
    if everything {
        drawings.extend(report.warnings.iter().map(|warning| warning_text(document, warning, paint)));
    }
    drawings.extend(report.errors.iter().map(|error| problem_text(document, error, paint)));
    drawings.extend(report.mistakes().filter_map(|claim| failure_text(report, claim, paint)));
    for drawing in &drawings {
        text += "\n";
        text += drawing;
    }
    if !drawings.is_empty() {
        text += "\n";
    }
    text + "  " + &summary(report, paint) + "\n"
}

fn line(claim: &ClaimReport, keys: usize, verdicts: usize, paint: Paint) -> String {
    let verdict = claim.judgement.verdict;
    let padded = format!("{:verdicts$}", verdict.word());
    let (mark, word) = match verdict {
        _ if claim.judgement.passes() => (paint.good("✓"), paint.good(&padded)),
        Verdict::Inherited => (paint.doubtful("↳"), paint.doubtful(&padded)),
        Verdict::Ambiguous | Verdict::Vacuous => (paint.doubtful("?"), paint.doubtful(&padded)),
        _ => (paint.bad("✗"), paint.bad(&padded)),
    };
    let text = format!("  {mark} {:keys$}  {word}  {}", claim.key, paint.aside(&visible(&remark(claim))));
    format!("{}\n", text.trim_end())
}

fn failure_text(report: &FileReport, claim: &ClaimReport, paint: Paint) -> Option<String> {
    let failure = failure(claim)?;
    let problem = Problem {
        span: Some(failure.span),
        labels: failure.others,
        hint: failure.hint,
        ..Problem::new(failure.title)
    };
    let drawing =
        Drawing { problem: &problem, level: Level::ERROR, label: failure.label, notes: failure.notes };
    Some(drawing.draw(&report.document, paint))
}

/// One line about a file: what was found, and the cause of what is wrong.
fn summary(report: &FileReport, paint: Paint) -> String {
    if !report.errors.is_empty() {
        let errors = counted(report.errors.len(), "error");
        let judged =
            if report.claims.is_empty() { "nothing was judged" } else { "not every claim was judged" };
        return format!("{}: {judged}", paint.bad(&errors));
    }
    let found = tally(report.claims.iter());
    match report.cause() {
        Some(cause) => {
            let which = if report.mistakes().filter(|claim| FileReport::is_cause(claim)).count() == 1 {
                "the cause"
            } else {
                "the first"
            };
            let place = cause.corrected_definition().unwrap_or(&cause.key);
            format!("{}; {which} is {}", paint.bad(&found), paint.bad(place))
        }
        None if report.exit_code() == 0 => paint.good(&found),
        None => paint.doubtful(&found),
    }
}

fn total(files: &[FileReport], paint: Paint) -> String {
    let found = tally(files.iter().flat_map(|file| &file.claims));
    let invalid = files.iter().filter(|file| !file.errors.is_empty()).count();
    let mut text = format!("{}, {found}", counted(files.len(), "file"));
    if invalid > 0 {
        text += &format!("; {} invalid", counted(invalid, "file"));
    }
    match files.iter().map(FileReport::exit_code).max() {
        Some(0) | None => paint.good(&text),
        Some(_) => paint.bad(&text),
    }
}

/// `16 claims: 13 hold, 1 wrong, 2 inherited`, or `16 claims hold`.
fn tally<'a>(claims: impl Iterator<Item = &'a ClaimReport>) -> String {
    const ORDER: [Verdict; 8] = [
        Verdict::Holds,
        Verdict::Kink,
        Verdict::Wrong,
        Verdict::Shape,
        Verdict::NotFinite,
        Verdict::Inherited,
        Verdict::Ambiguous,
        Verdict::Vacuous,
    ];
    let verdicts: Vec<Verdict> = claims.map(|claim| claim.judgement.verdict).collect();
    let claims = counted(verdicts.len(), "claim");
    let count = |verdict| verdicts.iter().filter(|&&found| found == verdict).count();
    if verdicts.is_empty() {
        return "no claims".to_string();
    }
    let verb = if verdicts.len() == 1 { "holds" } else { "hold" };
    if count(Verdict::Holds) == verdicts.len() {
        return format!("{claims} {verb}");
    }
    let parts: Vec<String> = ORDER
        .into_iter()
        .filter(|&verdict| count(verdict) > 0)
        .map(|verdict| match (verdict, count(verdict)) {
            (Verdict::Holds, 1) => "1 holds".to_string(),
            (Verdict::Holds, several) => format!("{several} hold"),
            (Verdict::Kink, several) => format!("{several} at a kink"),
            (Verdict::Shape, several) => format!("{several} of the wrong shape"),
            (Verdict::NotFinite, several) => format!("{several} not finite"),
            (verdict, several) => format!("{several} {verdict}"),
        })
        .collect();
    format!("{claims}: {}", parts.join(", "))
}

/// `1 claim`, `2 claims`.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
