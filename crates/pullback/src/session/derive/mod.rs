//! Gradients derived step by step, from a file or from an expression on the command line.
//!
//! | module | what it knows |
//! |---|---|
//! | `expression` | what is written on the command line |
//! | `code` | the backward pass as code |
//! | `tried` | whether what is written is true, on the file's data and on others |

mod code;
mod expression;
mod tried;

use std::collections::HashMap;
use std::path::Path;

use pullback_array::Array;
use pullback_autograd::pullback;
use pullback_derive::{
    Known, Stage, Untrue, backward, closed, derive_knowing, through_loops, untrue, with_pieces,
};
use pullback_diagnose::on_other_data;
use pullback_lang::program::{Program, Value, ValueKind};
use pullback_lang::{File, Names, StatementKind};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;
use pullback_report::{DeriveReport, Document, Invalid, Problem};

use super::Opened;

pub use expression::derive_statements;

/// What is to be derived, and how much of it is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Derived<'a> {
    /// The name of what is differentiated; the value whose cotangent is given, else the last definition, where there is none.
    pub of: Option<&'a str>,
    /// The name of what it is differentiated by; every input, where there is none.
    pub wrt: Option<&'a str>,
    /// Are the numbers of values and cotangents wanted?
    pub values: bool,
    /// As which code is the backward pass wanted?
    pub code: Option<Code>,
}

/// Code that a backward pass is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The language itself: the program, and its gradients as claims.
    Grad,
    /// A module of another language.
    Other(pullback_derive::Wanted),
}

/// Derives the gradient of a value of a file.
///
/// # Errors
/// Where the file is invalid or defines nothing, a name is none of its values, or a rule has no Jacobian to give.
pub fn derive_source(
    name: &str,
    bytes: &[u8],
    base_dir: &Path,
    wanted: &Derived<'_>,
) -> Result<DeriveReport, Invalid> {
    let opened = Opened::new(name, bytes, base_dir)?;
    let Ok(exact) = opened.exact(base_dir) else {
        return report(
            opened.document,
            &Subject::new(&opened.program, &opened.program, Vec::new(), &opened.file, base_dir),
            Vec::new(),
            opened.warnings,
            wanted,
        );
    };
    let others = on_other_data(&opened.file, &exact, &opened.inputs, base_dir);
    let subject = Subject::new(&opened.program, &exact, others, &opened.file, base_dir);
    report(opened.document.clone(), &subject, Vec::new(), opened.warnings.clone(), wanted)
}

/// A program, and what its lines are tried on.
struct Subject<'a> {
    program: &'a Program,
    /// The same in double precision.
    exact: &'a Program,
    /// The same on other data.
    others: Vec<Program>,
    file: &'a File,
    /// Where the arrays lie that it reads.
    base_dir: &'a Path,
}

impl<'a> Subject<'a> {
    fn new(
        program: &'a Program,
        exact: &'a Program,
        others: Vec<Program>,
        file: &'a File,
        base_dir: &'a Path,
    ) -> Subject<'a> {
        Subject { program, exact, others, file, base_dir }
    }
}

fn last(program: &Program) -> Option<&Value> {
    program.values.iter().rev().find(|value| value.kind == ValueKind::Definition)
}

/// What a program computes, and why that is meant.
fn output<'a>(
    program: &'a Program,
    of: Option<&str>,
    document: &Document,
) -> Result<(&'a Value, Option<String>), Problem> {
    let nothing = || {
        Problem::new(format!("{} defines nothing to differentiate", document.name)).with_hint("write `Z = …`")
    };
    if let Some(name) = of {
        let value = super::jacobian::value(program, name, &document.name)?;
        if !value.val.dtype().is_float() {
            return Err(Problem::new(format!("`{name}` holds integers, which are not differentiable")));
        }
        return Ok((value, None));
    }
    let upstream = program.values.iter().rev().find(|value| value.kind == ValueKind::Upstream);
    // `dL/dZ` is the cotangent of Z.
    if let Some(given) = upstream.and_then(|value| program.find(value.name.split_once("/d")?.1)) {
        return Ok((given, Some(format!("{} is differentiated: its cotangent is given", given.name))));
    }
    let is_one = |value: &&Value| value.kind == ValueKind::Definition && value.val.dtype().is_float();
    let last = program.values.iter().rev().find(is_one).ok_or_else(nothing)?;
    // Behind a loss there may be definitions that claims about it are made of, as those of a loop that goes back.
    let is_claimed = |value: &&Value| {
        is_one(value)
            && value.val.ndim() == 0
            && program.claims.iter().any(|claim| claim.of_name == value.name)
    };
    if last.val.ndim() > 0
        && let Some(loss) = program.values.iter().rev().find(is_claimed)
    {
        let chosen = format!(
            "{} is differentiated, of which the file claims gradients; --of names another",
            loss.name
        );
        return Ok((loss, Some(chosen)));
    }
    let several = program.values.iter().filter(is_one).count() > 1;
    let chosen =
        several.then(|| format!("{} is differentiated, the last definition; --of names another", last.name));
    Ok((last, chosen))
}

fn report(
    document: Document,
    subject: &Subject<'_>,
    assumptions: Vec<String>,
    mut warnings: Vec<Problem>,
    wanted: &Derived<'_>,
) -> Result<DeriveReport, Invalid> {
    let program = subject.program;
    let found = output(program, wanted.of, &document)
        .and_then(|(output, chosen)| Ok((output, chosen, derivations(program, output, &document, wanted)?)));
    let (output, chosen, derivations) = match found {
        Ok(found) => found,
        Err(problem) => return Err(Invalid { document, errors: vec![problem], warnings }),
    };
    let wrt: Vec<&Val> = derivations.iter().filter_map(|(name, ..)| Some(&program.find(name)?.val)).collect();
    let stages = match backward(&output.val, &wrt, &known(program, output)) {
        Ok(stages) => with_pieces(stages, program.scope(), &Names::of(subject.file)),
        Err(error) => {
            let problem = Problem::of_operation(&error, output.span);
            return Err(Invalid { document, errors: vec![problem], warnings });
        }
    };
    let mut stages = stages;
    // What a table of indices without a name makes of it is no expression of the file.
    let tried = if tried::is_small(subject.exact) {
        untrue(&stages, subject.exact, &output.name)
    } else {
        Vec::new()
    };
    for Untrue { stage, line, untried } in tried {
        if line.is_none() && untried {
            stages[stage].code = None;
        }
    }
    let closed = in_closed_form(&stages, subject.exact, &output.name, &derivations);
    let all: Vec<Stage> = stages.iter().chain(&closed).cloned().collect();
    warnings.extend(tried::untrue_lines(&all, subject, &output.name));
    let (stages, of_steps) = with_loops(stages, subject.exact, &output.name, &derivations);
    let stretched = |dims: &[Dim]| -> Vec<bool> {
        dims.iter().map(|dim| dim.size() == 1 && dim.name().is_none()).collect()
    };
    let mut axes: HashMap<String, Vec<bool>> = HashMap::new();
    for value in &program.values {
        axes.insert(value.name.clone(), stretched(value.val.dims()));
        axes.extend(
            value.val.dims().iter().filter_map(|dim| Some((dim.name()?.as_str().to_owned(), Vec::new()))),
        );
    }
    axes.extend(stages.iter().map(|stage| (stage.of.clone(), stretched(&stage.dims))));
    axes.extend(of_steps.iter().map(|(name, dims)| (name.clone(), stretched(dims))));
    let values = if wanted.values { numbers(program, output, &stages) } else { Vec::new() };
    let mut report = DeriveReport {
        of: (output.name.clone(), output.val.dims().to_vec()),
        chosen,
        forward: forward(&document, subject.file),
        document,
        assumptions,
        stages,
        derivations,
        closed,
        axes,
        values,
        code: None,
        warnings,
    };
    match wanted.code.map(|code| code::of(&report, subject, output, code)).transpose() {
        Ok(code) => {
            report.code = code;
            Ok(report)
        }
        Err(problem) => {
            Err(Invalid { document: report.document, errors: vec![problem], warnings: report.warnings })
        }
    }
}

/// The gradients with all steps inserted, of those that are written as code.
fn in_closed_form(
    stages: &[Stage],
    program: &Program,
    output: &str,
    derivations: &Derivations,
) -> Vec<Stage> {
    let Some(output) = program.find(output) else { return Vec::new() };
    let known = known(program, output);
    let is_written =
        |(_, _, derivation): &&(String, Vec<Dim>, pullback_derive::Derivation)| derivation.code.is_some();
    let values =
        derivations.iter().filter(is_written).filter_map(|(name, ..)| Some(&program.find(name)?.val));
    values.filter_map(|value| closed(&output.val, value, stages, &known)).collect()
}

/// The stages with the steps of the loops of a program.
fn with_loops(
    stages: Vec<Stage>,
    program: &Program,
    output: &str,
    derivations: &Derivations,
) -> (Vec<Stage>, HashMap<String, Vec<Dim>>) {
    let Some(output) = program.find(output) else { return (stages, HashMap::new()) };
    let wrt: Vec<&Val> = derivations.iter().filter_map(|(name, ..)| Some(&program.find(name)?.val)).collect();
    through_loops(stages, &output.val, &wrt, &known(program, output), program.scope())
}

/// What a program says of its names, and what it calls the loss: as its given cotangent does, else by a letter that is free.
fn known(program: &Program, output: &Value) -> Known {
    let symmetric = program.values.iter().filter(|value| value.symmetric).map(|value| value.name.as_str());
    let ends = format!("/d{}", output.name);
    let given = program.values.iter().filter(|value| value.kind == ValueKind::Upstream);
    let given = given.filter_map(|value| value.name.strip_suffix(&ends)?.strip_prefix('d')).next();
    let free = ["L", "J", "E", "C"].into_iter().find(|name| program.find(name).is_none());
    let loss = given.or(free).unwrap_or("the_loss");
    Known::new(&output.val, &symmetric.collect::<Vec<_>>()).with_loss(loss)
}

/// The statements of a file that are no claims, as they are written there.
fn forward(document: &Document, file: &File) -> Vec<String> {
    let is_forward = |kind: &StatementKind| {
        !matches!(
            kind,
            StatementKind::Claim(_)
                | StatementKind::EntryClaim(_)
                | StatementKind::ShapeClaim(_)
                | StatementKind::Expression(_)
        )
    };
    let statements = file
        .statements
        .iter()
        .filter(|statement| is_forward(&statement.kind) && statement.span.end > statement.span.start);
    statements
        .filter_map(|statement| document.text.get(statement.span.start..statement.span.end))
        .map(str::to_owned)
        .collect()
}

/// The numbers of definitions, and of the cotangents that the backward pass states.
fn numbers(program: &Program, output: &Value, stages: &[Stage]) -> Vec<(String, Array)> {
    let seed =
        if output.val.ndim() == 0 { Some(output.val.one()) } else { given_cotangent(program, &output.name) };
    let mut all: Vec<(String, Array)> = Vec::new();
    for value in program.values.iter().filter(|value| value.kind == ValueKind::Definition) {
        if let Ok(array) = value.val.array() {
            all.push((value.name.clone(), array.clone()));
        }
    }
    let Some(seed) = seed else { return all };
    let of: Vec<(&Stage, &Val)> =
        stages.iter().filter_map(|stage| Some((stage, &program.find(&stage.of)?.val))).collect();
    let wrt: Vec<&Val> = of.iter().map(|(_, val)| *val).collect();
    let gradients = pullback(&[(&output.val, &seed)], &wrt, &[]).unwrap_or_default();
    for ((stage, _), gradient) in of.iter().zip(gradients) {
        if let Some(array) = gradient.as_ref().and_then(|gradient| gradient.array().ok()) {
            all.push((stage.name(), array.clone()));
        }
    }
    all
}

fn given_cotangent(program: &Program, output: &str) -> Option<Val> {
    let ends = format!("/d{output}");
    let given =
        program.values.iter().find(|value| value.kind == ValueKind::Upstream && value.name.ends_with(&ends));
    given.map(|value| value.val.clone())
}

type Derivations = Vec<(String, Vec<Dim>, pullback_derive::Derivation)>;

fn derivations(
    program: &Program,
    output: &Value,
    document: &Document,
    wanted: &Derived<'_>,
) -> Result<Derivations, Problem> {
    let by: Vec<&Value> = match wanted.wrt {
        Some(name) => vec![super::jacobian::value(program, name, &document.name)?],
        None => {
            let is_input = |value: &&Value| value.kind == ValueKind::Input && value.val.dtype().is_float();
            program.values.iter().filter(is_input).collect()
        }
    };
    let known = known(program, output);
    let derived = by.into_iter().map(|value| {
        let mut derivation = derive_knowing(&output.val, &value.val, &known)
            .map_err(|error| Problem::of_operation(&error, output.span))?;
        let loss = derivation.loss().to_owned();
        derivation
            .code
            .take_if(|code| !tried::is_the_gradient(code, &loss, program, &output.val, &value.val));
        Ok((value.name.clone(), value.val.dims().to_vec(), derivation))
    });
    derived.collect()
}
