//! Gradients derived step by step, from a file or from an expression on the command line.

use std::path::Path;

use pullback_array::DType;
use pullback_array::random::Generator;
use pullback_autograd::pullback;
use pullback_derive::derive;
use pullback_lang::program::{Program, Value, ValueKind, elaborate, evaluate};
use pullback_lang::{
    Definition, Error, File, Name, Names, StatementKind, assume_inputs, parse_expr, parse_statements,
};
use pullback_network::Value as _;
use pullback_ops::Val;
use pullback_report::{DeriveReport, Document, Invalid, Problem};

use super::{Opened, problems};

/// Derives the gradient of what a file computes by `wrt`, or by each of its inputs. What it computes is the output whose
/// cotangent is given, else the last scalar, else the last definition.
///
/// # Errors
/// Where the file is invalid or defines nothing, `wrt` is none of its values, or a rule has no Jacobian to give.
pub fn derive_source(
    name: &str,
    bytes: &[u8],
    base_dir: &Path,
    wrt: Option<&str>,
) -> Result<DeriveReport, Invalid> {
    let Opened { document, program, warnings, .. } = Opened::new(name, bytes, base_dir)?;
    report(document, &program, Vec::new(), warnings, wrt)
}

/// The same for statements, or for one expression, as they are written on the command line. Names that are not declared
/// are inputs: upper case a matrix, lower case a vector.
///
/// # Errors
/// As [`derive_source`].
pub fn derive_statements(text: &str, wrt: Option<&str>) -> Result<DeriveReport, Invalid> {
    let document = Document::new("<expression>", text);
    let parsed = parse_statements(text);
    let warnings = problems(&parsed.warnings);
    if !parsed.errors.is_empty() {
        return Err(Invalid { document, errors: problems(&parsed.errors), warnings });
    }
    let assumed = assume_inputs(&parsed.file);
    let names = Names::of(&assumed.file);
    let mut program = Err(Vec::new());
    // An expression without a name gets one: that of a loss if it is a scalar, else that of an output.
    for result in [free(&names, "L"), free(&names, "Z")] {
        program = elaborate(&with_names(&assumed.file, &result), Path::new("."));
        if program.as_ref().is_ok_and(|(program, _)| last(program).is_some_and(|value| value.val.ndim() == 0))
        {
            break;
        }
    }
    match program {
        Ok((program, _)) => report(document, &program, assumed.assumptions, warnings, wrt),
        Err(errors) => {
            Err(Invalid { document, errors: assumed_errors(&errors, &assumed.assumptions), warnings })
        }
    }
}

/// The file with its last expression as the definition of `result`.
fn with_names(file: &File, result: &str) -> File {
    let mut file = file.clone();
    if let Some(statement) = file.statements.last_mut()
        && let StatementKind::Expression(expr) = &statement.kind
    {
        let name = Name::new(result, statement.span);
        statement.kind = StatementKind::Definition(Definition { name, expr: expr.clone() });
    }
    file
}

/// A name that nothing has yet: `stem`, or `stem` with lines behind it.
fn free(names: &Names, stem: &str) -> String {
    let mut name = stem.to_string();
    while names.get(&name).is_some() {
        name.push('_');
    }
    name
}

/// Errors about sizes that nobody wrote say which were assumed.
fn assumed_errors(errors: &[Error], assumptions: &[String]) -> Vec<Problem> {
    let mut problems = problems(errors);
    if let (Some(first), false) = (problems.first_mut(), assumptions.is_empty())
        && first.hint.is_none()
    {
        first.hint = Some(format!("assumed were {}; declare what is meant", assumptions.join(", ")));
    }
    problems
}

fn last(program: &Program) -> Option<&Value> {
    program.values.iter().rev().find(|value| value.kind == ValueKind::Definition)
}

/// What a program computes.
fn output(program: &Program) -> Option<&Value> {
    let upstream = program.values.iter().rev().find(|value| value.kind == ValueKind::Upstream);
    // `dL/dZ` is the cotangent of Z.
    let given = upstream.and_then(|value| program.find(value.name.split_once("/d")?.1));
    given.or_else(|| program.last_scalar()).or_else(|| last(program))
}

fn report(
    document: Document,
    program: &Program,
    assumptions: Vec<String>,
    warnings: Vec<Problem>,
    wrt: Option<&str>,
) -> Result<DeriveReport, Invalid> {
    match derivations(program, &document, wrt) {
        Ok((output, derivations)) => Ok(DeriveReport {
            of: (output.name.clone(), output.val.dims().to_vec()),
            document,
            assumptions,
            derivations,
            warnings,
        }),
        Err(problem) => Err(Invalid { document, errors: vec![problem], warnings }),
    }
}

/// Is what a derivation writes as a claim an expression of the language, with the gradient as its value? Not each product of
/// matrices is one: a payload may have no name.
fn is_the_gradient(code: &str, program: &Program, output: &Val, wrt: &Val) -> bool {
    const COTANGENT: &str = "cotangent_of_the_output";
    let symbol = output.name().map_or("", |name| name.as_str());
    let code = code.replace(&format!("dL/d{symbol}"), COTANGENT);
    let value = || -> Option<(Val, Val)> {
        let cotangent = Val::new(Generator::new(1).randn(&output.shape(), output.dtype()).ok()?);
        let mut scope = program.scope().clone();
        scope.define(COTANGENT, cotangent.clone());
        let claimed = evaluate(&parse_expr(&code).ok()?.expr, &scope).ok()?;
        let seed = if output.ndim() == 0 { output.one() } else { cotangent };
        let gradient = pullback(&[(output, &seed)], &[wrt], &[]).ok()?.remove(0)?;
        Some((claimed, gradient))
    };
    let Some((claimed, gradient)) = value() else { return false };
    let (Ok(claimed), Ok(gradient)) = (claimed.array(), gradient.array()) else { return false };
    // Loose, since it asks for the right formula and not for the last digits.
    claimed.is_near(gradient, 1e-3)
}

type Derivations = Vec<(String, Vec<pullback_network::Dim>, pullback_derive::Derivation)>;

fn derivations<'a>(
    program: &'a Program,
    document: &Document,
    wrt: Option<&str>,
) -> Result<(&'a Value, Derivations), Problem> {
    let output = output(program).filter(|value| value.val.dtype() != DType::I64).ok_or_else(|| {
        Problem::new(format!("{} defines nothing to differentiate", document.name)).with_hint("write `Z = …`")
    })?;
    let by: Vec<&Value> = match wrt {
        Some(name) => vec![super::jacobian::value(program, name, &document.name)?],
        None => {
            let is_input = |value: &&Value| value.kind == ValueKind::Input && value.val.dtype().is_float();
            program.values.iter().filter(is_input).collect()
        }
    };
    let derived = by.into_iter().map(|value| {
        let mut derivation =
            derive(&output.val, &value.val).map_err(|error| Problem::of_operation(&error, output.span))?;
        derivation.code.take_if(|code| !is_the_gradient(code, program, &output.val, &value.val));
        Ok((value.name.clone(), value.val.dims().to_vec(), derivation))
    });
    Ok((output, derived.collect::<Result<_, Problem>>()?))
}
