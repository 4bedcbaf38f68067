//! The backward pass as code.

use std::path::Path;

use pullback_check::Verdict;
use pullback_derive::{Exporting, NotExported, export, statements};
use pullback_lang::program::{Value, ValueKind};
use pullback_lang::{Expr, File, StatementKind, print};
use pullback_ops::Val;
use pullback_report::{DeriveReport, Problem};

use super::{Code, Subject};

/// The backward pass as code.
pub(super) fn of(
    report: &DeriveReport,
    subject: &Subject<'_>,
    output: &Value,
    code: Code,
) -> Result<String, Problem> {
    let Subject { program, file, .. } = *subject;
    let refused = |error: &NotExported| Problem::new(error.to_string()).with_hint(error.hint());
    let written = report.stages.iter().map(|stage| {
        let code = print(stage.code.as_ref()?);
        Some(format!("{} = {code}\n", stage.name()))
    });
    let written: Option<String> = written.collect();
    if let (Code::Grad, Some(claims)) = (code, &written) {
        return Ok(report.as_file(claims));
    }
    let inputs: Vec<&Val> = program
        .values
        .iter()
        .filter(|value| value.kind == ValueKind::Input)
        .map(|value| &value.val)
        .collect();
    let is_stage = |name: &str| report.stages.iter().any(|stage| stage.of == name);
    let wrt: Vec<&Val> = report
        .derivations
        .iter()
        .filter(|(name, ..)| is_stage(name))
        .filter_map(|(name, ..)| Some(&program.find(name)?.val))
        .collect();
    let asked = Exporting {
        output: &output.val,
        inputs: &inputs,
        wrt: &wrt,
        stages: &report.stages,
        known: &super::known(program, output),
        scope: program.scope(),
        constant: &|name| definition(file, name),
    };
    // What goes through a loop is no line of the derivation, which is tried: here it is, as a program.
    let through_loops = || -> Result<String, Problem> {
        let text = report.as_file(&statements(&asked).map_err(|error| refused(&error))?);
        let fault = || Problem::new("what comes back through a loop is not true: a fault of Pullback");
        if super::tried::is_small(program) && !holds(&text, subject.base_dir) {
            Err(fault())
        } else {
            Ok(text)
        }
    };
    match code {
        Code::Grad => through_loops(),
        Code::Other(wanted) => {
            let text = export(&asked, wanted).map_err(|error| refused(&error))?;
            if written.is_none() {
                through_loops()?;
            }
            Ok(text)
        }
    }
}

/// Does a file hold what it claims, as far as can be said?
fn holds(text: &str, base_dir: &Path) -> bool {
    let checked = crate::session::check_source("<derived>", text.as_bytes(), base_dir);
    let is_wrong = |verdict: Verdict| matches!(verdict, Verdict::Wrong | Verdict::Inherited | Verdict::Shape);
    checked.errors.is_empty() && !checked.claims.iter().any(|claim| is_wrong(claim.judgement.verdict))
}

/// How a file defines a name.
fn definition(file: &File, name: &str) -> Option<Expr> {
    file.statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Definition(definition) if definition.name.text == name => {
            Some(definition.expr.clone())
        }
        _ => None,
    })
}
