//! The backward pass as code.

use pullback_derive::{Stage, export};
use pullback_lang::program::{Program, Value, ValueKind};
use pullback_ops::Val;
use pullback_report::{DeriveReport, Problem};

use super::Code;

/// The backward pass as code.
pub(super) fn of(
    report: &DeriveReport,
    program: &Program,
    output: &Value,
    code: Code,
) -> Result<String, Problem> {
    let no_words = |what: &str| {
        Problem::new(format!("{what} has no expression that could be written as code"))
            .with_hint("`--steps full` shows its derivative index by index")
    };
    match code {
        Code::Grad => report.as_file().ok_or_else(|| {
            let without = report.stages.iter().find(|stage| stage.code.is_none());
            no_words(&without.map_or(String::new(), Stage::name))
        }),
        Code::Python(wanted) => {
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
            export(&output.val, &inputs, &wrt, &report.stages, wanted).map_err(|error| no_words(&error.what))
        }
    }
}
