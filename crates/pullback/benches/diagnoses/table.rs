//! The report, as Markdown that can be read on a terminal too.

use std::fmt::Write as _;
use std::time::Duration;

use crate::ask::Mode;
use crate::bugs::Bug;
use crate::correct::Correct;
use crate::judge::{Outcome, Record};
use crate::mutate::Sort;

/// All that was found.
pub struct Found {
    /// Names of the programs, each with whether it was set aside.
    pub programs: Vec<(String, bool)>,
    /// Of the correct claims of each program.
    pub correct: Vec<Correct>,
    /// Of each mutant in each mode.
    pub records: Vec<Record>,
    /// Of the real bugs.
    pub bugs: Vec<Bug>,
}

/// How many misses are told at most.
const MISSES: usize = 40;

/// The whole report.
pub fn report(found: &Found) -> String {
    let mut text = String::new();
    for held_out in [false, true] {
        let programs = found.programs.iter().filter(|(_, set)| *set == held_out).count();
        if programs == 0 {
            continue;
        }
        let title = if held_out { "Programs set aside" } else { "Programs that the search was tuned on" };
        say(&mut text, &format!("## {title}\n"));
        correct_claims(&mut text, found, held_out, programs);
        for mode in Mode::ALL {
            let records: Vec<&Record> =
                found.records.iter().filter(|r| r.held_out == held_out && r.mode == mode).collect();
            if !records.is_empty() {
                say(&mut text, &format!("### Asked about {}\n", mode.title()));
                of_mode(&mut text, &records);
            }
        }
    }
    if !found.bugs.is_empty() {
        bugs(&mut text, &found.bugs);
    }
    misses(&mut text, &found.records);
    text
}

fn say(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn correct_claims(text: &mut String, found: &Found, held_out: bool, programs: usize) {
    let correct: Vec<&Correct> = found.correct.iter().filter(|c| c.held_out == held_out).collect();
    let sum = |count: fn(&Correct) -> usize| correct.iter().map(|c| count(c)).sum::<usize>();
    let times: Vec<Duration> = correct.iter().flat_map(|c| c.times.iter().copied()).collect();
    say(
        text,
        &format!(
            "{} correct claims in {programs} programs: {} false alarms. With one claim of a file wrong, {} others were looked at: \
             {} accused. A correct claim takes {}.\n",
            sum(|c| c.claims),
            sum(|c| c.accused.len()),
            sum(|c| c.bystanders),
            sum(|c| c.bystanders_accused.len()),
            spread(times)
        ),
    );
    let accused = correct.iter().flat_map(|c| c.accused.iter().chain(&c.bystanders_accused));
    let lines: Vec<&String> = accused.take(10).collect();
    for line in &lines {
        say(text, &format!("- {line}"));
    }
    if !lines.is_empty() {
        text.push('\n');
    }
}

fn of_mode(text: &mut String, records: &[&Record]) {
    let mut rows = vec![
        ["made", "mutants", "right", "among", "otherwise", "unknown", "false", "unseen", "top-1"]
            .map(String::from),
    ];
    let singles: Vec<&Record> = of(records, Sort::Single);
    let mut words: Vec<&str> = singles.iter().map(|record| record.labels[0]).collect();
    words.sort_unstable();
    words.dedup();
    let mut by_word = Vec::new();
    for word in words {
        let of_word: Vec<&Record> = singles.iter().filter(|r| r.labels[0] == word).copied().collect();
        rows.push(row(word, &of_word, false));
        let good = of_word.iter().filter(|r| matches!(r.outcome, Outcome::Right | Outcome::Among)).count();
        by_word.push(good as f64 / of_word.len() as f64);
    }
    let mean = by_word.iter().sum::<f64>() / by_word.len().max(1) as f64;
    rows.push(row("**all single slips**", &singles, false));
    rows.push(row("pairs", &of(records, Sort::Pair), false));
    rows.push(row("outside of the dictionary", &of(records, Sort::Outside), true));
    say(text, &aligned(&rows));

    let mut rows = vec![["fixes", "told", "right", "wrong", "not tried", "share right"].map(String::from)];
    for (title, sort) in
        [("single slips", Sort::Single), ("pairs", Sort::Pair), ("outside of the dictionary", Sort::Outside)]
    {
        rows.push(fixes(title, &of(records, sort)));
    }
    rows.push(fixes("**all**", records));
    say(text, &aligned(&rows));

    let right_pairs = of(records, Sort::Pair).iter().filter(|record| record.fix == Some(true)).count();
    let tried = records.iter().filter(|record| record.fix.is_some()).count();
    let resized = records.iter().filter(|record| record.fix.is_some() && record.resized).count();
    say(
        text,
        &format!(
            "The mean of top-1 over the words is {:.1} %. Of the pairs {} get a fix that is right. Of the fixes that were tried, {} were \
             tried at other sizes too.",
            100.0 * mean,
            share(right_pairs, of(records, Sort::Pair).len()),
            share(resized, tried),
        ),
    );
    let outside = of(records, Sort::Outside);
    let of_outside = |outcomes: &[Outcome]| {
        share(outside.iter().filter(|record| outcomes.contains(&record.outcome)).count(), outside.len())
    };
    say(
        text,
        &format!(
            "Outside of the dictionary {} are honestly unknown, {} are told another cause with a fix that is right, {} are misled.",
            of_outside(&[Outcome::Unknown]),
            of_outside(&[Outcome::Right, Outcome::Among, Outcome::Otherwise]),
            of_outside(&[Outcome::False, Outcome::Failed, Outcome::Unseen]),
        ),
    );
    let times: Vec<Duration> = records.iter().filter_map(|record| record.elapsed).collect();
    if !times.is_empty() {
        say(text, &format!("A wrong claim takes {}.", spread(times)));
    }
    text.push('\n');
}

fn of<'a>(records: &[&'a Record], sort: Sort) -> Vec<&'a Record> {
    records.iter().filter(|record| record.sort == sort).copied().collect()
}

fn row(title: &str, records: &[&Record], outside: bool) -> [String; 9] {
    let count = |outcome: Outcome| records.iter().filter(|record| record.outcome == outcome).count();
    let (right, among) = (count(Outcome::Right), count(Outcome::Among));
    let failed = count(Outcome::False) + count(Outcome::Failed);
    [
        title.to_owned(),
        records.len().to_string(),
        right.to_string(),
        among.to_string(),
        count(Outcome::Otherwise).to_string(),
        count(Outcome::Unknown).to_string(),
        failed.to_string(),
        count(Outcome::Unseen).to_string(),
        // What has no word cannot be called by the right one.
        if outside { "–".to_owned() } else { share(right + among, records.len()) },
    ]
}

fn fixes(title: &str, records: &[&Record]) -> [String; 6] {
    let worth = |worth: bool| records.iter().filter(|record| record.fix == Some(worth)).count();
    let told = records.iter().filter(|record| record.offered).count();
    let (right, wrong) = (worth(true), worth(false));
    [
        title.to_owned(),
        told.to_string(),
        right.to_string(),
        wrong.to_string(),
        (told - right - wrong).to_string(),
        share(right, right + wrong),
    ]
}

/// A percentage with a digit, and a dash of nothing.
fn share(part: usize, of: usize) -> String {
    if of == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / of as f64) }
}

/// Median and 90th percentile.
fn spread(mut times: Vec<Duration>) -> String {
    if times.is_empty() {
        return "–".to_owned();
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    format!("{:.1} ms (median), {:.1} ms (90th percentile)", at(0.5), at(0.9))
}

/// A table with columns as wide as what stands in them.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let both = if column == 0 { format!("| {cell}{pad} ") } else { format!("| {pad}{cell} ") };
            text.push_str(&both);
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let line = "-".repeat(width - 1);
                text.push_str(&if column == 0 { format!("| {line}- ") } else { format!("| {line}: ") });
            }
            text.push_str("|\n");
        }
    }
    text
}

fn bugs(text: &mut String, bugs: &[Bug]) {
    let expected: usize = bugs.iter().map(|bug| bug.expected).sum();
    let good = bugs.iter().filter(|bug| bug.missed.is_empty()).count();
    say(text, "## Real bugs\n");
    say(text, &format!("{} files with {expected} expectations: {good} are as expected.\n", bugs.len()));
    for bug in bugs {
        let found = if bug.missed.is_empty() { "as expected".to_owned() } else { bug.missed.join("; ") };
        say(text, &format!("- `{}`: {}. *{found}*", bug.name, bug.about));
    }
    text.push('\n');
}

/// What is not as it should be, of the programs that may be looked at: a few of each first word.
fn misses(text: &mut String, records: &[Record]) {
    let missed: Vec<&Record> = records.iter().filter(|r| !r.held_out && r.is_miss()).collect();
    if missed.is_empty() {
        return;
    }
    say(text, "## Misses\n");
    say(
        text,
        "Of the programs that the search was tuned on, a few of each word; `-- --misses` prints all of them.\n",
    );
    let mut words: Vec<&str> = missed.iter().map(|record| record.labels[0]).collect();
    words.sort_unstable();
    words.dedup();
    let each = (MISSES / words.len()).max(1);
    for word in words {
        let of_word = missed.iter().filter(|record| record.labels[0] == word);
        for record in of_word.take(each) {
            say(text, &format!("- {}", record.line()));
        }
    }
    text.push('\n');
}

impl Record {
    /// Is it not as it should be? Of two slips at once, and of what has no word, an honest answer is enough.
    pub fn is_miss(&self) -> bool {
        let expected = match self.sort {
            Sort::Single => matches!(self.outcome, Outcome::Right | Outcome::Among | Outcome::Otherwise),
            Sort::Pair | Sort::Outside => {
                !matches!(self.outcome, Outcome::False | Outcome::Failed | Outcome::Unseen)
            }
        };
        !expected || self.fix == Some(false)
    }

    /// In one line.
    pub fn line(&self) -> String {
        let mut line = String::new();
        let sort = match self.sort {
            Sort::Single => "",
            Sort::Pair => "pair ",
            Sort::Outside => "outside ",
        };
        write!(line, "{sort}{}: {}: `{}`: {}", self.labels.join("/"), self.program, self.text, self.told)
            .expect("a String takes all that is written to it");
        line.replace('\n', " ")
    }
}
