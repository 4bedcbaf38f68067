//! Does the other code compute what the file does? Gradients of another function cannot be judged.

use pullback_check::deviation;
use pullback_lang::program::Program;
use pullback_report::{Problem, deviation_problem};

use super::names::Role;
use super::{Sorted, as_scalar};

/// What the dump says of definitions and the file computes otherwise: the first in the order of the file, since others follow
/// from it.
pub(crate) fn deviations(sorted: &Sorted<'_>, exact: &Program) -> Result<(), Problem> {
    for value in &exact.values {
        let is_it = |role: &Role| matches!(role, Role::Definition(name) if *name == value.name);
        let found = sorted.entries.iter().zip(&sorted.assumed).find(|((role, _), _)| is_it(role));
        let Some(((_, entry), assumed)) = found else { continue };
        let entry = &if value.val.ndim() == 0 { as_scalar(entry) } else { entry.clone() };
        let problem = |message: String| Problem { span: Some(value.span), ..Problem::new(message) };
        let name = &entry.name;
        if entry.array.shape() != value.val.shape() {
            return Err(problem(format!(
                "`{name}` of {} has the shape {:?}, and the file computes {:?}",
                sorted.shown(),
                entry.array.shape(),
                value.val.dims()
            )));
        }
        let found = deviation(&value.val, &entry.array, assumed.precision)
            .map_err(|error| Problem::of_operation(&error, value.span))?;
        if let Some(off) = found {
            return Err(deviation_problem(name, &sorted.shown(), &off, value.span, &sorted.lacks()));
        }
    }
    Ok(())
}
