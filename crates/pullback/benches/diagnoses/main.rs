//! The labelled benchmark of diagnoses: `cargo bench -p pullback --bench diagnoses`.
//!
//! How good is what `check` says of a wrong claim? Correct programs (`programs/*.grad`) are made wrong one slip at a time, each
//! slip with the word of its cause; the tool is asked what is wrong; its answer is held against the word, and its correction
//! against the derivative on data that it has not seen.
//!
//! | module | what it knows |
//! |---|---|
//! | `source`, `scene` | a file as statements; a program and what its parts are worth |
//! | `mutate`, `mutate/*` | the slips, one file for each kind; independent of the search that is measured |
//! | `fresh`, `rewrite` | the same program on other data and at other sizes |
//! | `ask`, `numbers` | the tool, asked in each of its ways |
//! | `judge`, `correct`, `bugs` | what an answer is worth: of mutants, of correct claims, of real bugs |
//! | `table` | the report |
//!
//! Programs that say `# held-out` in their first comment were set aside while the search was tuned; they are reported apart.
//! Each mutant is asked about in three ways: as an expression in a file, as numbers in a dump beside the forward pass, and as what a
//! function returns; in the latter two where it is a claim for which other code has a name.
//!
//! | after `--` | |
//! |---|---|
//! | `--write` | writes `docs/diagnoses.md` |
//! | `--misses`, `--all` | prints every miss, or every answer, with what was said |
//! | `--tuned`, `--held-out` | takes only the programs of one kind |
//! | `--only NAME` | takes one program |
//! | `--mode NAME` | asks in one way: `expression`, `numbers-beside`, `function-beside`, `numbers`, `function` |
//! | `--programs FOLDER` | takes the programs of another folder |
//! | `--often N` | makes N times as many mutants |
//!
//! Everything but the times is the same in each run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod ask;
mod bugs;
mod correct;
mod fresh;
mod judge;
mod mutate;
mod numbers;
mod rewrite;
mod scene;
mod source;
mod table;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ask::Mode;
use correct::{Correct, correct};
use judge::{Record, judged};
use mutate::mutants;
use scene::Scene;
use source::Source;
use table::{Found, report};

/// Trees are walked by recursion, and a mutant may be deep.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    match run(&Options::read(std::env::args().skip(1))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// What stands on the command line.
#[derive(Default)]
struct Options {
    write: bool,
    misses: bool,
    all: bool,
    held_out: bool,
    tuned: bool,
    only: Option<String>,
    mode: Option<String>,
    programs: Option<PathBuf>,
    often: Option<usize>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Options {
        let mut options = Options::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--write" => options.write = true,
                "--misses" => options.misses = true,
                "--all" => options.all = true,
                "--held-out" => options.held_out = true,
                "--tuned" => options.tuned = true,
                "--only" => options.only = words.next(),
                "--mode" => options.mode = words.next(),
                "--programs" => options.programs = words.next().map(PathBuf::from),
                "--often" => options.often = words.next().and_then(|word| word.parse().ok()),
                // Cargo adds `--bench`.
                _ => {}
            }
        }
        options
    }

    fn modes(&self) -> Vec<Mode> {
        let wanted = |mode: &Mode| self.mode.as_ref().is_none_or(|name| name == mode.name());
        Mode::ALL.into_iter().filter(wanted).collect()
    }

    fn takes(&self, source: &Source) -> bool {
        let set = if source.held_out { !self.tuned } else { !self.held_out };
        set && self.only.as_ref().is_none_or(|only| *only == source.name)
    }
}

fn run(options: &Options) -> Result<(), String> {
    let started = Instant::now();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/diagnoses");
    let folder = options.programs.clone().unwrap_or_else(|| here.join("programs"));
    let mut sources = Vec::new();
    for path in files(&folder)? {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let source = Source::new(&name, &text)?;
        if options.takes(&source) {
            sources.push(source);
        }
    }
    let mut found = everything(sources, options)?;
    if options.only.is_none() && options.programs.is_none() && options.mode.is_none() {
        for path in files(&here.join("bugs"))? {
            found.bugs.push(bugs::bug(&path)?);
        }
    }
    if options.misses || options.all {
        for record in found.records.iter().filter(|record| options.all || record.is_miss()) {
            println!("{:?} {:?} {}", record.mode, record.outcome, record.line());
            record.said.iter().for_each(|said| println!("    {said}"));
        }
        println!();
    }
    let text = report(&found);
    println!("{text}");
    println!("{} mutants, {:.0} s in all", found.records.len(), started.elapsed().as_secs_f64());
    if options.write && options.mode.is_none() {
        let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnoses.md");
        // The last section is the battery's.
        let old = std::fs::read_to_string(&to).unwrap_or_default();
        let battery = old.find("## The battery of random programs").map_or("", |at| &old[at..]);
        std::fs::write(&to, format!("{}\n{battery}", page(&text)))
            .map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}

/// The `.grad` files of a folder, by name; none where there is no such folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "grad"));
    paths.sort();
    Ok(paths)
}

/// All programs, as many at a time as there are cores.
fn everything(sources: Vec<Source>, options: &Options) -> Result<Found, String> {
    let programs = sources.iter().map(|source| (source.name.clone(), source.held_out)).collect();
    let waiting: Vec<Mutex<Option<Source>>> =
        sources.into_iter().map(|source| Mutex::new(Some(source))).collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Outcome)>> = Mutex::new(Vec::new());
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = waiting.get(at) else { break };
            let source = place.lock().ok().and_then(|mut place| place.take());
            let Some(source) = source else { continue };
            let outcome = program(source, options);
            if let Ok(mut done) = done.lock() {
                done.push((at, outcome));
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            let builder = std::thread::Builder::new().stack_size(STACK);
            if let Err(error) = builder.spawn_scoped(scope, work) {
                eprintln!("no thread: {error}");
            }
        }
    });
    let mut done = done.into_inner().map_err(|_| "a thread panicked".to_owned())?;
    done.sort_by_key(|(at, _)| *at);
    let mut found = Found { programs, correct: Vec::new(), records: Vec::new(), bugs: Vec::new() };
    for (_, outcome) in done {
        let (correct, records) = outcome?;
        found.correct.push(correct);
        found.records.extend(records);
    }
    Ok(found)
}

type Outcome = Result<(Correct, Vec<Record>), String>;

/// One program: as it is, and with each slip in it.
fn program(source: Source, options: &Options) -> Outcome {
    let started = Instant::now();
    let scene = Scene::new(source)?;
    let mutants = mutants(&scene, options.often.unwrap_or(1));
    let prepared = started.elapsed();
    let correct = correct(&scene, &mutants);
    let mut records = Vec::new();
    for mode in options.modes() {
        records.extend(mutants.iter().filter_map(|mutant| judged(mode, &scene, mutant)));
    }
    eprintln!(
        "{}: {} mutants, {:.1} s, {:.1} s of it to make them",
        scene.source.name,
        mutants.len(),
        started.elapsed().as_secs_f64(),
        prepared.as_secs_f64()
    );
    Ok((correct, records))
}

/// The committed page.
fn page(text: &str) -> String {
    format!(
        "# How good the diagnoses are\n\n\
         Written by `cargo bench -p pullback --bench diagnoses -- --write`; what is measured and how is told at the head of \
         `crates/pullback/benches/diagnoses/main.rs`. The times are those of the machine it was last run on, two threads at once; \
         all else is the same in each run.\n\n\
         A mutant is *right* if the first cause that is told has the word it was made by (or another one that gives the same \
         numbers), *among* if several causes are told and one of them has it, *otherwise* if another cause is told whose fix is right on \
         fresh data, *unknown* if no cause is told, *false* if none of that is so, *unseen* if the claim passes. *Top-1* is the share of \
         *right* and *among*. A fix is *right* if the claim has the \
         derivative's numbers on data drawn anew, at other sizes where the program allows; of several that are told one has to be. Of numbers \
         *missing-factor* and *extra-factor* are the same word: a 2 that is missing is a 1/2 too many.\n\n{text}"
    )
}
