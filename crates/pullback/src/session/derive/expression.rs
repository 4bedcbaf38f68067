//! What is written on the command line: statements, or one expression, whose names are inputs where nobody declares them.

use std::path::Path;

use pullback_diagnose::on_other_data;
use pullback_lang::program::elaborate;
use pullback_lang::{
    BinaryOp, Definition, Error, Expr, ExprKind, File, Name, Names, StatementKind, assume_inputs, lint,
    parse_statements, print,
};
use pullback_report::{DeriveReport, Document, Invalid, Problem};

use super::{Derived, Subject, last, report};
use crate::session::problems;

/// Derives the gradient of what statements, or one expression, compute, as they are written on the command line. Names that are not declared
/// are inputs: upper case a matrix, lower case a vector.
///
/// # Errors
/// As [`derive_source`](super::derive_source).
pub fn derive_statements(text: &str, wanted: &Derived<'_>) -> Result<DeriveReport, Invalid> {
    let document = Document::new("<expression>", text);
    let parsed = parse_statements(text);
    let mut warnings = problems(&parsed.warnings);
    if !parsed.errors.is_empty() {
        return Err(Invalid { document, errors: problems(&parsed.errors), warnings });
    }
    warnings.extend(entrywise_products(&parsed.file));
    // An expression without a name is looked at as the definition that it is taken for.
    let seen: Vec<String> = warnings.iter().map(|warning| warning.message.clone()).collect();
    let suspects = problems(&lint(&with_names(&parsed.file, "L")));
    warnings.extend(suspects.into_iter().filter(|warning| !seen.contains(&warning.message)));
    let assumed = assume_inputs(&parsed.file);
    let names = Names::of(&assumed.file);
    let mut program = Err(Vec::new());
    // An expression without a name gets one: that of a loss if it is a scalar, else that of an output.
    let mut file = assumed.file.clone();
    for result in [free(&names, "L"), free(&names, "Z")] {
        file = with_names(&assumed.file, &result);
        program = elaborate(&file, Path::new("."));
        if program.as_ref().is_ok_and(|(program, _)| last(program).is_some_and(|value| value.val.ndim() == 0))
        {
            break;
        }
    }
    match program {
        Ok((program, inputs)) => {
            let others = on_other_data(&file, &program, &inputs, Path::new("."));
            let subject = Subject::new(&program, &program, others, &file, Path::new("."));
            report(document, &subject, assumed.assumptions, warnings, wanted)
        }
        Err(errors) => {
            Err(Invalid { document, errors: assumed_errors(&errors, &assumed.assumptions), warnings })
        }
    }
}

/// Products with a transpose that are taken entry by entry, as `x' * A * x` is: on paper that is a product of matrices.
fn entrywise_products(file: &File) -> Vec<Problem> {
    let mut told = Vec::new();
    for statement in &file.statements {
        let (StatementKind::Expression(expr) | StatementKind::Definition(Definition { expr, .. })) =
            &statement.kind
        else {
            continue;
        };
        expr.walk(&mut |part| {
            let ExprKind::Binary { operator, left, right } = &part.kind else { return };
            let is_transpose = |expr: &Expr| matches!(expr.kind, ExprKind::Transpose(_));
            if operator.kind == BinaryOp::Mul && (is_transpose(left) || is_transpose(right)) {
                let problem = Problem::new(format!("`{}` is a product entry by entry", print(part)));
                let hint = format!("the product of matrices is `{} @ {}`", print(left), print(right));
                told.push(problem.at(part.span.start, part.span.end).with_hint(hint));
            }
        });
    }
    told
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
