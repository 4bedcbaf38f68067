//! The backward pass as code.

use pullback_derive::{Exporting, NotExported, Stage, export};
use pullback_lang::program::{Program, Value, ValueKind};
use pullback_lang::{Expr, File, StatementKind};
use pullback_ops::Val;
use pullback_report::{DeriveReport, Problem};

use super::Code;

/// The backward pass as code.
pub(super) fn of(
    report: &DeriveReport,
    program: &Program,
    file: &File,
    output: &Value,
    code: Code,
) -> Result<String, Problem> {
    let refused = |error: &NotExported| Problem::new(error.to_string()).with_hint(error.hint());
    match code {
        Code::Grad => report.as_file().ok_or_else(|| {
            let without = report.stages.iter().find(|stage| stage.code.is_none());
            refused(&NotExported::Inexpressible(without.map_or(String::new(), Stage::name)))
        }),
        Code::Other(wanted) => {
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
                scope: program.scope(),
                constant: &|name| definition(file, name),
            };
            export(&asked, wanted).map_err(|error| refused(&error))
        }
    }
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
