//! Functions that every file has: definitions in the language itself, in `prelude.grad`.
//!
//! Such a function *is* its definition: it has no rule of its own, and all that is said of it, its derivatives among that, follows from
//! what it is made of. A file may define another one of the same name. What goes wrong inside is told at the call.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::{Function, StatementKind};

const SOURCE: &str = include_str!("prelude.grad");

/// A function of the prelude.
pub(crate) fn find(name: &str) -> Option<&'static Arc<Function>> {
    all().get(name)
}

/// The names of all of them, in no order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().keys().copied()
}

/// Each function of the prelude: how it is called, and its definition; in alphabetical order.
pub fn definitions() -> Vec<(String, String)> {
    let of = |function: &Arc<Function>| {
        let from = &SOURCE[function.name.span.start..];
        let line = from.lines().next().unwrap_or_default();
        let body = line.split_once(") = ").or_else(|| line.split_once(") ")).map_or(line, |(_, body)| body);
        (function.signature(), body.to_owned())
    };
    let mut found: Vec<(String, String)> = all().values().map(of).collect();
    found.sort();
    found
}

fn all() -> &'static HashMap<&'static str, Arc<Function>> {
    static ALL: OnceLock<HashMap<&'static str, Arc<Function>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let function = |kind: StatementKind| match kind {
            StatementKind::Function(function) => Some((function.name.span.slice(SOURCE), Arc::new(function))),
            _ => None,
        };
        crate::parse(SOURCE)
            .file
            .statements
            .into_iter()
            .filter_map(|statement| function(statement.kind))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prelude_parses_and_hides_no_operation() {
        let parsed = crate::parse(SOURCE);
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        assert_eq!(parsed.file.statements.len(), all().len());
        for name in names() {
            assert!(pullback_ops::find(name).is_none(), "`{name}` is an operation");
            assert!(
                crate::program::OWN.iter().all(|(own, _)| *own != name),
                "`{name}` is the language's own"
            );
        }
    }
}
