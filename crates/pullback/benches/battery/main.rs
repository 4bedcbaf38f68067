//! The battery of random programs: `cargo bench -p pullback --bench battery -- --programs 1000 --seed 1`.
//!
//! Is every verdict true? Random programs over all operations, with aliases, masks, integers, ties, kinks, axes of size 1 and
//! parts that are zero by construction, are judged with right claims and with wrong ones, in files and as dumps in f64, f32, f16
//! and bf16. It ends with 1 where a right claim does not pass or a wrong one does, prints the number of the program (a seed gives the
//! same program each time), and keeps the files, so that `pullback check` can be asked again.
//!
//! | part | what it knows |
//! |---|---|
//! | `generate/` | Python: draws programs; what is right is what PyTorch computes, and rules that agree with it |
//! | `program`, `tensors` | a program as it was written, and the files and dumps that it stands for |
//! | `judge` | what is said of one, held against what it is |
//! | `tally` | the counts |
//!
//! | after `--` | |
//! |---|---|
//! | `--programs N`, `--seed S` | makes so many programs, from this seed on |
//! | `--folder FOLDER` | judges those of a folder instead; no Python is needed |
//! | `--keep FOLDER` | where files that fail are kept: `target/battery`, where it is not given |
//! | `--write` | puts the counts into `docs/diagnoses.md`, as its last section |
//!
//! `cargo test` replays the programs in `tests/golden/battery`, which the generator made.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod judge;
mod program;
mod tally;
mod tensors;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use judge::outcomes;
use program::{Trial, trials};
use tally::Tally;

#[global_allocator]
static ALLOCATOR: pullback::array::memory::Counted = pullback::array::memory::Counted;

/// Where the section begins; the bench of diagnoses leaves what stands from here on as it is.
const HEADING: &str = "## The battery of random programs";
/// Trees are walked by recursion.
const STACK: usize = 64 << 20;
/// Programs that one Python makes: it takes two seconds to start.
const BATCH: usize = 100;

fn main() -> ExitCode {
    match run(&Options::read(std::env::args().skip(1))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// What stands on the command line.
struct Options {
    programs: usize,
    seed: usize,
    folder: Option<PathBuf>,
    keep: PathBuf,
    write: bool,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Options {
        let mut options = Options {
            programs: 200,
            seed: 1,
            folder: None,
            keep: root().join("target/battery"),
            write: false,
        };
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|word| word.parse().ok());
            match word.as_str() {
                "--programs" => options.programs = number().unwrap_or(options.programs),
                "--seed" => options.seed = number().unwrap_or(options.seed),
                "--folder" => options.folder = words.next().map(PathBuf::from),
                "--keep" => options.keep = words.next().map_or(options.keep, PathBuf::from),
                "--write" => options.write = true,
                // Cargo adds `--bench`.
                _ => {}
            }
        }
        options
    }

    /// The seeds of each batch.
    fn batches(&self) -> Vec<(usize, usize)> {
        let starts = (0..self.programs).step_by(BATCH);
        starts.map(|start| (self.seed + start, BATCH.min(self.programs - start))).collect()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What one thread after the other adds to.
#[derive(Default)]
struct Found {
    tally: Tally,
    programs: usize,
    failed: Vec<String>,
    troubles: Vec<String>,
}

/// Judges all, prints the counts, and returns how many failed: programs that could not be made are among them.
fn run(options: &Options) -> Result<usize, String> {
    let started = Instant::now();
    let found = Mutex::new(Found::default());
    match &options.folder {
        Some(folder) => on_all_cores(&files(folder)?, &|path| judge_file(path, options, &found)),
        // The environment is made by one alone.
        None if !made(options.seed, 0, &std::env::temp_dir()).is_ok_and(|status| status.success()) => {
            return Err("the generator does not start".to_string());
        }
        None => on_all_cores(&options.batches(), &|batch| judge_batch(*batch, options, &found)),
    }
    let found = found.into_inner().map_err(|_| "a thread panicked".to_string())?;
    found.troubles.iter().for_each(|trouble| eprintln!("{trouble}"));
    let text = format!(
        "{} programs, {} trials: {} failed.\n\n{}",
        found.programs,
        found.tally.trials(),
        found.tally.failures(),
        found.tally.table()
    );
    println!("{text}");
    println!("{:.0} s in all", started.elapsed().as_secs_f64());
    if options.write {
        write(&section(options, &text, &found.failed))?;
    }
    Ok(found.tally.failures() + found.troubles.len())
}

/// The programs of a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "grad"));
    paths.sort();
    Ok(paths)
}

fn on_all_cores<T: Sync>(items: &[T], work: &(dyn Fn(&T) + Sync)) {
    let next = AtomicUsize::new(0);
    let each = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            if let Err(error) = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, each) {
                eprintln!("no thread: {error}");
            }
        }
    });
}

/// Has the generator make programs. It makes itself an environment first, where there is none.
fn made(seed: usize, count: usize, folder: &Path) -> std::io::Result<std::process::ExitStatus> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/battery/generate/battery.py");
    let python = std::env::var("BATTERY_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let seed = ["--seed".to_string(), seed.to_string(), "--count".to_string(), count.to_string()];
    Command::new(python).arg(script).args(seed).arg("--to").arg(folder).status()
}

/// Makes programs, and judges them.
fn judge_batch((seed, count): (usize, usize), options: &Options, found: &Mutex<Found>) {
    let folder = std::env::temp_dir().join(format!("pullback-battery-{}-{seed}", std::process::id()));
    let made = made(seed, count, &folder);
    match (made, files(&folder)) {
        (Ok(status), Ok(paths)) if status.success() => {
            paths.iter().for_each(|path| judge_file(path, options, found));
        }
        (made, _) => {
            let trouble = format!("the generator failed at a seed from {seed} on: {made:?}");
            found.lock().expect("no thread panics while it holds it").troubles.push(trouble);
        }
    }
    // What is left in a temporary folder is no failure of the battery.
    let _ = std::fs::remove_dir_all(&folder);
}

/// Judges all that one program stands for.
fn judge_file(path: &Path, options: &Options, found: &Mutex<Found>) {
    let trials = match trials(path) {
        Ok(trials) => trials,
        Err(trouble) => {
            found.lock().expect("no thread panics while it holds it").troubles.push(trouble);
            return;
        }
    };
    let outcomes = outcomes(trials);
    let mut found = found.lock().expect("no thread panics while it holds it");
    found.programs += 1;
    for (trial, outcome, seen) in outcomes {
        found.tally.add(&trial, outcome);
        if outcome.is_failure() {
            let place = keep(&trial, &options.keep).unwrap_or_else(|error| error.to_string());
            let wrong = trial.wrong.as_ref().map(|(kind, key)| format!("{kind} of {key}"));
            let made = wrong.unwrap_or_else(|| "right".to_string());
            let line = format!("{}: seed {}, {}, {made}: {seen}", outcome.word(), trial.program, trial.asked);
            println!("{line}\n    pullback check {place}");
            found.failed.push(line);
        }
    }
}

/// Writes what a trial was, and returns the arguments by which it is judged again.
fn keep(trial: &Trial, folder: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let key = trial.wrong.as_ref().map(|(_, key)| format!("-{}", key.replace('/', "_"))).unwrap_or_default();
    let name = format!("{}-{}-{}{key}", trial.program, trial.asked, trial.kind());
    let source = folder.join(format!("{name}.grad"));
    std::fs::write(&source, &trial.source)?;
    let Some(bytes) = &trial.dump else { return Ok(source.display().to_string()) };
    let dump = folder.join(format!("{name}.safetensors"));
    std::fs::write(&dump, bytes)?;
    Ok(format!("{} --data {}", source.display(), dump.display()))
}

/// Puts the section in the place of what stands below its heading in `docs/diagnoses.md`; what stands above is the other bench's.
fn write(section: &str) -> Result<(), String> {
    let to = root().join("docs/diagnoses.md");
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    let page = std::fs::read_to_string(&to).map_err(told)?;
    let above = page.split(HEADING).next().unwrap_or_default().trim_end();
    std::fs::write(&to, format!("{above}\n\n{section}")).map_err(told)
}

/// What is committed.
fn section(options: &Options, text: &str, failed: &[String]) -> String {
    let mut section = format!(
        "{HEADING}\n\n\
         Written by `cargo bench -p pullback --bench battery -- --programs {} --seed {} --write`; what is tried and how is told at the \
         head of `crates/pullback/benches/battery/main.rs`.\n\n\
         A trial is a file, or a file with a dump, with right claims alone or with one wrong among them. *As expected*: what is right \
         passes, and what is wrong does not. *Vacuous*: likewise, but of a derivative of zero, or of one that 16 bits leave too few digits, it is said that nothing could have \
         failed. *Called wrong*: a right claim does not pass; *undecided*: it is said that nothing could have failed, though rounding \
         does not hide the derivative. *Passed*: a wrong claim does. *Accused*: beside a wrong claim a right one does not pass, nor is \
         it inherited.\n\n{text}",
        options.programs, options.seed
    );
    if !failed.is_empty() {
        section.push_str("\nEach that failed:\n\n");
        failed.iter().for_each(|line| section.push_str(&format!("- {line}\n")));
    }
    section
}
