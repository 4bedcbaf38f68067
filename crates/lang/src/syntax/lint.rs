//! What is allowed but probably not meant, seen from the whole file.

use super::ast::{File, Name, Source, StatementKind};
use super::expr::{Expr, ExprKind};
use super::lexer::is_name;
use super::names::Names;
use super::print::print;
use crate::IndexItem;
use crate::error::Error;
use crate::foreign::TAKEN_FOR;
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
///
/// `max(x, 0)` is along axis 0, where `maximum(x, 0)` may have been meant.
///
/// ```
/// let parsed = pullback_lang::parse("x: [n=3] ~ randn\ny = max(x, 0)");
/// assert_eq!(parsed.warnings[0].message(), "`max(x, 0)` is taken along axis 0 here");
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
    let mut warnings = Vec::new();
    for statement in &file.statements {
        for expr in exprs(&statement.kind) {
            expr.walk(&mut |part| {
                warnings.extend(axis_for_operand(part).into_iter().chain(half_of_a_pair(part)))
            });
        }
    }
    suspects
        .into_iter()
        .filter(|(name, _)| !used.contains(name.text.as_str()))
        .map(|(name, derivative)| {
            Error::new(name.span, format!("`{name}` is an ordinary variable, and no claim uses it"))
                .with_hint(format!("write `{derivative} = …` to have it checked"))
        })
        .chain(warnings)
        .collect()
}

/// The expressions of a statement.
fn exprs(kind: &StatementKind) -> Vec<&Expr> {
    match kind {
        StatementKind::Definition(definition) => vec![&definition.expr],
        StatementKind::Definitions(definitions) => vec![&definitions.expr],
        StatementKind::IndexDefinition(definition) => vec![&definition.expr],
        StatementKind::Function(function) => function.exprs().collect(),
        StatementKind::Scan(scan) => scan.exprs(),
        StatementKind::Claim(claim) => vec![&claim.expr],
        _ => Vec::new(),
    }
}

/// `max(x, 0)` is along axis 0.
fn axis_for_operand(expr: &Expr) -> Option<Error> {
    let ExprKind::Call { function, args, kwargs } = &expr.kind else { return None };
    let (_, meant) = TAKEN_FOR.iter().find(|(name, _)| *name == function.text)?;
    let [x, Expr { kind: ExprKind::Number { value, .. }, .. }] = args.as_slice() else { return None };
    let axes = format!("`{}` is taken along axis {value} here", print(expr));
    kwargs.is_empty().then(|| {
        Error::new(expr.span, axes).with_hint(format!(
            "of two values it is `{meant}({}, {value})`; `axis={value}` says what is meant",
            print(x)
        ))
    })
}

/// `x.max(1)[0]` is the first of the maxima, which in PyTorch are the first of a pair.
fn half_of_a_pair(expr: &Expr) -> Option<Error> {
    let ExprKind::Index { base, items } = &expr.kind else { return None };
    let ExprKind::Call { function, args, .. } = &base.kind else { return None };
    let [IndexItem::At(at)] = items.as_slice() else { return None };
    let which = [0.0, 1.0]
        .iter()
        .position(|which| matches!(at.kind, ExprKind::Number { value, .. } if value == *which))?;
    let [x, axis] = args.as_slice() else { return None };
    TAKEN_FOR.iter().find(|(name, _)| *name == function.text)?;
    let prefix = if which == 0 { "" } else { "arg" };
    let message = format!("`{}` is one entry of what is taken along the axis", print(expr));
    let hint = format!(
        "what PyTorch returns as a pair is here `{function}({x}, axis={axis})` and `arg{function}({x}, axis={axis})`: \
         `{prefix}{function}({x}, axis={axis})` is meant?",
        function = function.text,
        x = print(x),
        axis = print(axis)
    );
    Some(Error::new(expr.span, message).with_hint(hint))
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
