//! What developers of Pullback repeat.
//!
//! `cargo xtask test` runs all tests, those of the Python package included ([`tests`]). `cargo xtask docs` writes `docs/ops.md` from the op table. `cargo xtask tidy` says what is out of order: a module
//! without its page, a floor that uses one above it, generated documentation that is not current, a file above the operations that
//! knows more of them by name than it did. The tests of this crate call the same functions, so that `cargo test --workspace` is tidy's
//! judge too.
//!
//! What is known of an operation is stated by it; who asks for it by name repeats that in another place. `names.tsv` has how often each
//! file above the op table does, which may only fall: `cargo xtask names` writes it where it has fallen.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for developers prints")]

mod tests;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pullback_ops::{Operation, table};

/// The floors from the ground up, by folder. Each may use those before it.
const FLOORS: [&str; 10] =
    ["array", "network", "ops", "autograd", "check", "lang", "derive", "diagnose", "report", "pullback"];

fn main() -> ExitCode {
    let root = root();
    match std::env::args().nth(1).as_deref() {
        Some("docs") => match std::fs::write(root.join("docs/ops.md"), reference(table())) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("docs/ops.md: {error}");
                ExitCode::FAILURE
            }
        },
        Some("names") => {
            let (names, known) = (names(&root), known_names(&root));
            let complaints = more_names(&names, &known);
            complaints.iter().for_each(|complaint| println!("{complaint}"));
            let lines: String = names.iter().map(|(file, count)| format!("{file}\t{count}\n")).collect();
            let is_less = complaints.is_empty() || known.is_empty();
            let is_written = is_less && std::fs::write(root.join("xtask/names.tsv"), lines).is_ok();
            if is_written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some("tidy") => {
            let complaints = untidy(&root);
            complaints.iter().for_each(|complaint| println!("{complaint}"));
            if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Some("test") => match tests::run_all(&root, std::env::args().nth(2).as_deref()) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
        _ => {
            eprintln!("cargo xtask test [rust | python] | docs | names | tidy");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

/// All that is out of order.
fn untidy(root: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for folder in std::fs::read_dir(root.join("crates")).into_iter().flatten().flatten() {
        if !FLOORS.iter().any(|floor| folder.file_name() == *floor) {
            complaints.push(format!("{}: no floor; `FLOORS` in xtask lists them", folder.path().display()));
        }
    }
    for floor in FLOORS {
        let folder = root.join("crates").join(floor);
        for file in sources(&folder.join("src")) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if !text.starts_with("//!") {
                complaints.push(format!("{}: a module opens with its page, `//! …`", file.display()));
            }
        }
        complaints.extend(floors_used_upwards(floor, &folder.join("Cargo.toml")));
    }
    let written = std::fs::read_to_string(root.join("docs/ops.md")).unwrap_or_default();
    if written != reference(table()) {
        complaints.push("docs/ops.md is not current: run `cargo xtask docs`".into());
    }
    let (names, known) = (names(root), known_names(root));
    complaints.extend(more_names(&names, &known));
    complaints.extend(
        known.iter().filter(|(file, count)| names.get(*file).copied().unwrap_or(0) < **count).map(
            |(file, _)| {
                format!("{file}: fewer operations by name than xtask/names.tsv has: run `cargo xtask names`")
            },
        ),
    );
    complaints
}

/// Floors that ask for what is known of an operation.
const ABOVE_OPS: [&str; 7] = ["autograd", "check", "lang", "derive", "diagnose", "report", "pullback"];

/// Of functions that are no operations, under the names that other libraries give them.
const OF_OTHERS: &str = "crates/lang/src/foreign.rs";

/// How often each file above the operations has one by name, outside of comments and tests.
fn names(root: &Path) -> BTreeMap<String, usize> {
    let operations: HashSet<&str> = table()
        .iter()
        .flat_map(|op| std::iter::once(op.name).chain(op.entry.aliases.iter().copied()))
        .collect();
    let count = |text: &str| {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        // What stands between quotes is every other piece.
        lines
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .filter(|word| operations.contains(word))
            .count()
    };
    let mut found = BTreeMap::new();
    for floor in ABOVE_OPS {
        for file in sources(&root.join("crates").join(floor).join("src")) {
            let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            let names = count(&std::fs::read_to_string(&file).unwrap_or_default());
            if names > 0 && name != OF_OTHERS {
                found.insert(name, names);
            }
        }
    }
    found
}

/// How often each file may.
fn known_names(root: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(root.join("xtask/names.tsv")).unwrap_or_default();
    let line = |line: &str| {
        let (file, count) = line.split_once('\t')?;
        Some((file.to_string(), count.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// The files that have more than they may.
fn more_names(names: &BTreeMap<String, usize>, known: &BTreeMap<String, usize>) -> Vec<String> {
    let of = |(file, count): (&String, &usize)| {
        let may = known.get(file).copied().unwrap_or(0);
        (*count > may).then(|| {
            format!("{file}: {count} operations by name, and {may} may be: let the operation state what is asked of it")
        })
    };
    names.iter().filter_map(of).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => Some(path)
                .filter(|path| path.extension().is_some_and(|end| end == "rs"))
                .into_iter()
                .collect(),
        })
        .collect();
    files.sort();
    files
}

/// Dependencies of a floor on itself or on one that stands above it.
fn floors_used_upwards(floor: &str, manifest: &Path) -> Vec<String> {
    let own = FLOORS.iter().position(|other| *other == floor).expect("one of the floors");
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let dependencies = text.split("[dev-dependencies]").next().unwrap_or_default();
    let uses = |other: &str| {
        let name = if other == "pullback" { other.to_string() } else { format!("pullback-{other}") };
        // `name.workspace = true` or `name = { … }`.
        dependencies.lines().any(|line| line.split(['.', '=']).next().is_some_and(|key| key.trim() == name))
    };
    let upwards = FLOORS[own..].iter().filter(|other| uses(other));
    upwards.map(|other| format!("{}: `{floor}` may not use `{other}`", manifest.display())).collect()
}

/// The reference of all operations, in Markdown.
fn reference(table: &[Operation]) -> String {
    let mut text = String::from(
        "# Operations\n\nGenerated by `cargo xtask docs` from the heads of `crates/ops/src/ops/*.rs`; \
         `pullback ops` prints the same.\n",
    );
    for op in table {
        let _ = write!(text, "\n## {}\n\n{}\n\n    {}\n", op.name, op.page(""), op.signature());
        if !op.entry.aliases.is_empty() {
            let _ = write!(text, "\nAlso: {}.\n", op.entry.aliases.join(", "));
        }
        for heading in ["Formula", "Jacobian", "Domain", "At kinks and ties", "Why"] {
            let _ = write!(text, "\n**{heading}.** {}\n", op.page(heading));
        }
    }
    text += "\n# Functions by definition\n\nIn `crates/lang/src/prelude.grad`; each is what it is made of, and has no rule of its own.\n\n";
    for (signature, definition) in pullback_lang::prelude() {
        let _ = writeln!(text, "    {signature} = {definition}");
    }
    text
}

#[cfg(test)]
mod judged {
    use super::*;

    #[test]
    fn the_project_is_tidy() {
        assert_eq!(untidy(&root()), Vec::<String>::new());
    }

    /// The judge itself: a name more is found, and one less is no complaint here.
    #[test]
    fn names_may_only_fall() {
        let of = |count: usize| BTreeMap::from([("a.rs".to_string(), count)]);
        let complaints =
            [(2, 2), (3, 2), (1, 2), (1, 0)].map(|(now, may)| more_names(&of(now), &of(may)).len());
        assert_eq!(complaints, [0, 1, 0, 1]);
    }

    /// The judge itself: a floor that used a higher one would be found.
    #[test]
    fn a_floor_may_not_use_a_higher_one() {
        let manifest = std::env::temp_dir().join(format!("pullback-tidy-{}.toml", std::process::id()));
        for uses in ["pullback-check.workspace = true", "pullback-check = { workspace = true }"] {
            std::fs::write(&manifest, format!("[dependencies]\n{uses}\n")).expect("a temporary file");
            let found = floors_used_upwards("ops", &manifest);
            std::fs::remove_file(&manifest).expect("the file just written");
            assert_eq!(found.len(), 1, "{uses}");
        }
    }
}
