//! The command line: one function for each command, each of which ends with an exit code. Here, and nowhere else, arguments are
//! read, files opened, and results printed. The binary `pullback` is nothing but this, and so is the command of the Python package.
//!
//! 0 where all is well, 1 where a claim does not hold, 2 where the input is invalid; the highest of all files.

mod arguments;
mod output;
mod progress;
mod source;

use std::borrow::Cow;
use std::ffi::OsString;

use crate::array::file::Dump;
use crate::array::memory;
use crate::derive::{self, Framework};
use crate::lang::{nearest, prelude};
use crate::ops::{Operation, find, table};
use crate::report::{
    CheckTexts, DeriveReport, Document, FileReport, Form, Format, Invalid, Page, Paint, Problem, Shown,
    Steps, Wanted, check_json, derive_json, derive_page, derive_text, invalid_json, invalid_text,
    jacobian_json, jacobian_text, ops_json, ops_text, run_json, run_text, visible, warning_text,
};
use crate::session::{
    self, Code, Data, Derived, Terms, check_as, derive_source, derive_statements, jacobian_source, run_source,
};
use clap::Parser;

use arguments::{
    Arguments, Color, Command, Computed, DeriveArguments, HessianArguments, HowMuch, JacobianArguments,
    Notation, VecOrder, Written,
};
use output::Output;
use progress::Progress;
use source::Source;

/// Reads the arguments, of which the first is the name of the command, does what they say, and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return ended(&error),
    };
    if let Command::Derive(wanted) = &arguments.command
        && let Err(error) = wanted.fit()
    {
        return ended(&error);
    }
    memory::set_limit(arguments.global.memory.0);
    let mut output = Output::new(arguments.global.color, arguments.global.json, arguments.global.quiet);
    let code = match arguments.command {
        Command::Check { files, data, precision, complete } => {
            let precision = precision.map(Computed::precision);
            let terms = Terms { precision, complete, ..Terms::default() };
            check(&files, data.as_deref(), &terms, &mut output)
        }
        Command::Run { file } => run_file(&file, &mut output),
        Command::Jacobian(wanted) => jacobian(&wanted, &mut output),
        Command::Hessian(wanted) => hessian(&wanted, &mut output),
        Command::Derive(wanted) => derivation(&wanted, &mut output),
        Command::Ops { name } => ops(name.as_deref(), &mut output),
    };
    output.finish(code)
}

/// Help, or what is wrong with the arguments, which are named as they are unless a terminal would obey them.
fn ended(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    let shown: Vec<Cow<'_, str>> = text.lines().map(visible).collect();
    if shown.iter().all(|line| matches!(line, Cow::Borrowed(_))) {
        // Where it cannot be written nobody can be told.
        let _ = error.print();
        return u8::try_from(error.exit_code()).unwrap_or(2);
    }
    let mut output = Output::new(Color::Never, false, false);
    output.error(&format!("{}\n", shown.join("\n")));
    // What clap ends with: the arguments are invalid input.
    2
}

fn check(files: &[String], data: Option<&str>, terms: &Terms, output: &mut Output) -> u8 {
    if let (Some(_), [first, _, ..]) = (data, files) {
        let problem = Problem::new("a dump belongs to one file, and several are given")
            .with_hint("check each file with its own `--data`");
        return reject(&Invalid::new(Document::new(first, ""), problem), output);
    }
    let mut progress = Progress::new();
    let mut report = |file: &String| -> Result<FileReport, Invalid> {
        let source = read(file)?;
        let dump = match data {
            Some(name) => match Dump::open(name) {
                Ok(dump) => Some((name, dump)),
                Err(error) => {
                    let problem =
                        Problem { hint: error.hint().map(str::to_string), ..Problem::new(error.message()) };
                    return Err(Invalid::new(Document::new(file, ""), problem));
                }
            },
            None => None,
        };
        let data = dump.as_ref().map(|(name, dump)| Data { name, dump });
        let Source { name, bytes, base_dir } = &source;
        Ok(check_as(name, bytes, base_dir, data.as_ref(), terms, &mut |claim| {
            progress.begins(format!("checking {claim} in {file}"));
        }))
    };
    let wanted = if output.quiet { Wanted::Failures } else { Wanted::Everything };
    let mut texts = CheckTexts::new(wanted, output.paint);
    let mut reports: Vec<FileReport> = Vec::with_capacity(files.len());
    for file in files {
        let report = report(file).unwrap_or_else(FileReport::from);
        // What is known of one file is shown at once: whoever interrupts the next keeps it.
        if !output.json {
            output.text(&texts.file(&report));
        }
        reports.push(report);
    }
    progress.ends();
    match output.json {
        true => output.line(&check_json(&reports)),
        false => output.text(&texts.end(&reports)),
    }
    reports.iter().map(FileReport::exit_code).max().unwrap_or(0)
}

fn run_file(file: &str, output: &mut Output) -> u8 {
    let mut progress = Progress::new();
    progress.begins(format!("running {file}"));
    let report = read(file).and_then(|source| run_source(&source.name, &source.bytes, &source.base_dir));
    progress.ends();
    match report {
        Ok(report) => {
            warn(&report.document, &report.warnings, output);
            if output.json {
                output.line(&run_json(&report))
            } else {
                output.text(&run_text(&report))
            }
            0
        }
        Err(invalid) => reject(&invalid, output),
    }
}

fn jacobian(wanted: &JacobianArguments, output: &mut Output) -> u8 {
    let asked = session::Wanted {
        of: &wanted.of,
        wrt: &wanted.wrt,
        dense: layout(wanted.vec, wanted.dense),
        again: None,
    };
    differentiated(&wanted.file, &asked, output)
}

fn hessian(wanted: &HessianArguments, output: &mut Output) -> u8 {
    let (first, again) = match wanted.wrt.as_slice() {
        [one] => (one, one),
        [first, again] => (first, again),
        several => {
            let problem =
                Problem::new(format!("a Hessian is by two values, and {} are named", several.len()))
                    .with_hint("name one with `--wrt`, or two with one `--wrt` each");
            return reject(&Invalid::new(Document::new(&wanted.file, ""), problem), output);
        }
    };
    let asked = session::Wanted {
        of: &wanted.of,
        wrt: first,
        dense: layout(wanted.vec, wanted.dense),
        again: Some(again),
    };
    differentiated(&wanted.file, &asked, output)
}

fn layout(vec: Option<VecOrder>, dense: bool) -> Option<Form> {
    match vec {
        Some(VecOrder::Row) => Some(Form::Row),
        Some(VecOrder::Col) => Some(Form::Column),
        None => dense.then_some(Form::Tensor),
    }
}

fn differentiated(file: &str, asked: &session::Wanted<'_>, output: &mut Output) -> u8 {
    let mut progress = Progress::new();
    progress.begins(format!("finding ∂{}/∂{} in {file}", asked.of, asked.wrt));
    let report =
        read(file).and_then(|source| jacobian_source(&source.name, &source.bytes, &source.base_dir, asked));
    progress.ends();
    match report {
        Ok(report) => {
            warn(&report.document, &report.warnings, output);
            if output.json {
                output.line(&jacobian_json(&report));
            } else {
                output.text(&jacobian_text(&report, output.paint));
            }
            0
        }
        Err(invalid) => reject(&invalid, output),
    }
}

fn derivation(wanted: &DeriveArguments, output: &mut Output) -> u8 {
    let python = |framework: Framework| {
        let autograd_function = wanted.autograd_function;
        Code::Other(derive::Wanted::Python { framework, autograd_function })
    };
    let code = wanted.code.map(|code| match code {
        Written::Grad => Code::Grad,
        Written::Numpy => python(Framework::Numpy),
        Written::Torch => python(Framework::Torch),
        Written::Jax => python(Framework::Jax),
        Written::Rust => Code::Other(derive::Wanted::Rust { candle: wanted.candle }),
    });
    let asked = Derived { of: wanted.of.as_deref(), wrt: wanted.wrt.as_deref(), values: wanted.values, code };
    let report = match (&wanted.expression, &wanted.file) {
        (Some(text), _) => derive_statements(text, &asked),
        (None, Some(file)) => {
            read(file).and_then(|source| derive_source(&source.name, &source.bytes, &source.base_dir, &asked))
        }
        // The parser of the arguments demands one of them.
        (None, None) => derive_statements("", &asked),
    };
    match report {
        Ok(report) => {
            warn(&report.document, &report.warnings, output);
            let text = derived(&report, wanted, output);
            match &wanted.output {
                None => output.text(&text),
                Some(file) => {
                    if let Err(error) = std::fs::write(file, &text) {
                        let problem = Problem::new(format!("{file} cannot be written: {error}"));
                        return reject(&Invalid::new(Document::new(file, ""), problem), output);
                    }
                }
            }
            0
        }
        Err(invalid) => reject(&invalid, output),
    }
}

/// A derivation in the notation that is wanted.
fn derived(report: &DeriveReport, wanted: &DeriveArguments, output: &Output) -> String {
    if output.json {
        return derive_json(report) + "\n";
    }
    if let Some(code) = &report.code {
        return code.clone();
    }
    let steps = match wanted.steps {
        HowMuch::Brief => Steps::Brief,
        HowMuch::Full => Steps::Full,
    };
    let page = |format: Format| derive_page(report, Page { format, steps, document: wanted.document });
    match wanted.format {
        Notation::Text => {
            // What goes to a file has no colours.
            let paint = if wanted.output.is_some() { Paint::Plain } else { output.paint };
            derive_text(report, Shown { steps, width: output.width(), paint })
        }
        Notation::Markdown => page(Format::Markdown),
        Notation::Latex => page(Format::Latex),
        Notation::Html => page(Format::Html),
    }
}

fn ops(name: Option<&str>, output: &mut Output) -> u8 {
    let called = |(signature, _): &(String, String)| signature.split('(').next().map(str::to_owned);
    let (operations, definitions): (Vec<&Operation>, Vec<(String, String)>) = match name {
        None => (table().iter().collect(), prelude()),
        Some(name) => match find(name) {
            Some(operation) => (vec![operation], Vec::new()),
            None => {
                // A function of this name, or all that have it in their names or are said to be about it.
                let is_called = |definition: &(String, String)| called(definition).as_deref() == Some(name);
                let exactly: Vec<(String, String)> = prelude().into_iter().filter(is_called).collect();
                if exactly.is_empty() { about(name) } else { (Vec::new(), exactly) }
            }
        },
    };
    if let (Some(name), true) = (name, operations.is_empty() && definitions.is_empty()) {
        let problem = Problem::new(format!("there is no operation `{name}`"));
        let names: Vec<String> = prelude().iter().filter_map(called).collect();
        let names = table().iter().map(|operation| operation.name).chain(names.iter().map(String::as_str));
        let problem = match nearest(name, names) {
            Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
            None => problem
                .with_hint("`pullback ops` lists them, and finds words in their pages: `pullback ops norm`"),
        };
        return reject(&Invalid::new(Document::new("the op table", ""), problem), output);
    }
    if output.json {
        output.line(&ops_json(&operations, &definitions));
    } else {
        let why = name.is_some() && operations.len() == 1;
        output.text(&ops_text(&operations, &definitions, why, output.paint));
    }
    0
}

/// The operations and the functions that have a word in their names, aliases or summaries.
fn about(word: &str) -> (Vec<&'static Operation>, Vec<(String, String)>) {
    let word = word.to_lowercase();
    let has = |operation: &&Operation| {
        let names = operation.entry.aliases.iter().chain([&operation.name]);
        names.into_iter().any(|name| name.contains(&word))
            || operation.page("").to_lowercase().contains(&word)
    };
    let functions = prelude().into_iter().filter(|(signature, _)| signature.contains(&word));
    (table().iter().filter(has).collect(), functions.collect())
}

fn read(file: &str) -> Result<Source, Invalid> {
    Source::read(file).map_err(|problem| Invalid::new(Document::new(file, ""), problem))
}

/// Says what makes the input invalid: as JSON in place of the results, or on standard error.
fn reject(invalid: &Invalid, output: &mut Output) -> u8 {
    warn(&invalid.document, &invalid.warnings, output);
    if output.json {
        output.line(&invalid_json(invalid));
    } else {
        output.error(&invalid_text(invalid, output.error_paint));
    }
    2
}

/// Warnings go to standard error: what a command prints may be read by another one. In JSON they have a key.
fn warn(document: &Document, warnings: &[Problem], output: &mut Output) {
    if !output.json && !output.quiet {
        for warning in warnings {
            output.error(&warning_text(document, warning, output.error_paint));
        }
    }
}
