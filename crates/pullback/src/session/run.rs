//! Every definition of a file with its numbers, and the gradient of its loss by every input.

use std::path::Path;

use pullback_autograd::{pullback, zeros};
use pullback_lang::program::{Program, Value, ValueKind};
use pullback_network::Value as _;
use pullback_ops::Val;
use pullback_report::{Invalid, Named, Problem, RunReport};

use super::Opened;

/// Runs a file in its own precision. The loss is its last definition that is a scalar; where cotangents are given instead,
/// it is the loss that they are of.
///
/// # Errors
/// Where the file is invalid, or something in it cannot be evaluated.
pub fn run_source(name: &str, bytes: &[u8], base_dir: &Path) -> Result<RunReport, Invalid> {
    let opened = Opened::new(name, bytes, base_dir)?;
    match opened.evaluate().and_then(|()| results(&opened.program)) {
        Ok((definitions, gradients)) => Ok(RunReport {
            dtype: opened.program.dtype,
            document: opened.document,
            definitions,
            gradients,
            warnings: opened.warnings,
        }),
        Err(problem) => Err(opened.invalid(vec![problem])),
    }
}

fn results(program: &Program) -> Result<(Vec<Named>, Vec<Named>), Problem> {
    let of_kind = |kind| program.values.iter().filter(move |value| value.kind == kind);
    let definitions = of_kind(ValueKind::Definition)
        .map(|value| named(value.name.clone(), value, &value.val))
        .collect::<Result<_, _>>()?;
    let Some(loss) = Loss::of(program) else { return Ok((definitions, Vec::new())) };
    let inputs: Vec<&Value> =
        of_kind(ValueKind::Input).filter(|value| value.val.dtype().is_float()).collect();
    let wrt: Vec<&Val> = inputs.iter().map(|value| &value.val).collect();
    let outputs: Vec<(&Val, &Val)> =
        loss.cotangents.iter().map(|(output, cotangent)| (output, cotangent)).collect();
    let pulled =
        pullback(&outputs, &wrt, &[]).map_err(|error| Problem::of_operation(&error, loss.stated.span))?;
    let gradients = inputs.iter().zip(pulled).map(|(&input, gradient)| {
        let gradient = match gradient {
            Some(gradient) => gradient,
            None => zeros(&input.val).map_err(|error| Problem::of_operation(&error, input.span))?,
        };
        named(format!("d{}/d{}", loss.name, input.name), loss.stated, &gradient)
    });
    Ok((definitions, gradients.collect::<Result<_, _>>()?))
}

/// The numbers of a value under a name; what is wrong with them is said at the place of `stated`.
fn named(name: String, stated: &Value, value: &Val) -> Result<Named, Problem> {
    let array = value.array().map_err(|error| Problem::of_operation(&error, stated.span))?;
    Ok(Named { name, array: array.clone() })
}

/// What is differentiated: outputs with their cotangents.
pub(super) struct Loss<'a> {
    pub(super) name: &'a str,
    /// Each output with its cotangent.
    pub(super) cotangents: Vec<(Val, Val)>,
    stated: &'a Value,
}

impl<'a> Loss<'a> {
    pub(super) fn of(program: &'a Program) -> Option<Loss<'a>> {
        // `dL/dZ` is the cotangent of Z in L: the names meet at the slash.
        let upstream = |value: &'a Value| {
            let (loss, output) = value.name.strip_prefix('d')?.split_once("/d")?;
            Some((loss, program.find(output)?.val.clone(), value))
        };
        let given: Vec<(&str, Val, &Value)> = program
            .values
            .iter()
            .filter(|value| value.kind == ValueKind::Upstream)
            .filter_map(upstream)
            .collect();
        if let Some(&(name, _, stated)) = given.last() {
            let of_it = given.iter().filter(|(loss, ..)| *loss == name);
            let cotangents = of_it.map(|(_, output, value)| (output.clone(), value.val.clone())).collect();
            return Some(Loss { name, cotangents, stated });
        }
        let stated = program.last_scalar().filter(|value| value.val.dtype().is_float())?;
        Some(Loss { name: &stated.name, cotangents: vec![(stated.val.clone(), stated.val.one())], stated })
    }
}
