//! What is allowed but probably not meant, seen from the whole file.

use super::ast::{File, Name, Source, StatementKind};
use super::expr::{Expr, ExprKind};
use super::lexer::is_name;
use super::names::Names;
use crate::error::Error;
use std::collections::{HashMap, HashSet};

/// Warnings about a file that has no errors.
///
/// A definition `dL_dW` beside names `L` and `W` is an ordinary variable, and is checked by nobody. Where no claim
/// uses it, directly or through other definitions, `dL/dW` was meant.
///
/// ```
/// let parsed = pullback_lang::parse("W: [n=3] ~ randn\nL = sum(W^2)\ndL_dW = 2 * W");
/// assert_eq!(parsed.warnings[0].hint(), Some("write `dL/dW = …` to have it checked"));
/// ```
pub fn lint(file: &File) -> Vec<Error> {
    let names = Names::of(file);
    let mut definitions: HashMap<&str, &Expr> = HashMap::new();
    let mut unvisited: Vec<&Expr> = Vec::new();
    let mut suspects: Vec<(&Name, String)> = Vec::new();
    for statement in &file.statements {
        let (name, expr) = match &statement.kind {
            StatementKind::Definition(definition) => (&definition.name, &definition.expr),
            StatementKind::IndexDefinition(definition) => (&definition.name, &definition.expr),
            StatementKind::Input(input) => match &input.source {
                Source::Literal(expr) => (&input.name, expr),
                Source::Distribution { .. } | Source::Load { .. } => continue,
            },
            StatementKind::Claim(claim) => {
                unvisited.push(&claim.expr);
                continue;
            }
            StatementKind::EntryClaim(claim) => {
                unvisited.push(&claim.expr);
                continue;
            }
            // A function may be called from a claim; that it is not is no reason for a warning.
            StatementKind::Function(function) => {
                unvisited.extend(function.exprs());
                continue;
            }
            _ => continue,
        };
        definitions.insert(&name.text, expr);
        if let Some(derivative) = underscored_derivative(&name.text, &names) {
            suspects.push((name, derivative));
        }
    }

    let mut used: HashSet<&str> = HashSet::new();
    while let Some(expr) = unvisited.pop() {
        expr.walk(&mut |part| {
            if let ExprKind::Name(name) = &part.kind
                && used.insert(name)
            {
                unvisited.extend(definitions.get(name.as_str()));
            }
        });
    }
    suspects
        .into_iter()
        .filter(|(name, _)| !used.contains(name.text.as_str()))
        .map(|(name, derivative)| {
            Error::new(name.span, format!("`{name}` is an ordinary variable, and no claim uses it"))
                .with_hint(format!("write `{derivative} = …` to have it checked"))
        })
        .collect()
}

/// `dL/dW` for `dL_dW`, if `L` and `W` are names.
fn underscored_derivative(text: &str, names: &Names) -> Option<String> {
    let parts = text.strip_prefix('d')?;
    // `dL_d_dx` may be cut in more than one place; any cut into known names will do.
    parts.match_indices("_d").find_map(|(at, bar)| {
        let (of, wrt) = (&parts[..at], &parts[at + bar.len()..]);
        let known = is_name(of) && is_name(wrt) && names.known(of) && names.known(wrt);
        known.then(|| format!("d{of}/d{wrt}"))
    })
}
