//! The sizes of a dump in place of the file's.
//!
//! Where the file gives an axis of an input a name, `X: [N=5, D=3]`, other code may well have run at other sizes, and what
//! it returned is judged at those. A size without a name is meant as it stands.

use std::collections::HashMap;

use pullback_array::DType;
use pullback_array::file::Entry;
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{DimSpec, Expr, ExprKind, File, Shape, Source, Span, StatementKind};
use pullback_report::Problem;

use super::stated;

/// What an axis of the dump says of a dim.
struct Size<'a> {
    size: usize,
    entry: &'a Entry,
    span: Span,
}

/// The file with the sizes of the dump's inputs.
pub(super) fn resized(file: &File, given: &[(&str, &Entry)], dump: &str) -> Result<File, Vec<Problem>> {
    let mut sizes: HashMap<String, Size<'_>> = HashMap::new();
    let mut problems = Vec::new();
    for (name, shape, source, span) in stated(file) {
        let Some((_, entry)) = given.iter().find(|(known, _)| *known == name) else { continue };
        let agreed = match shape {
            Some(shape) => declared(shape, entry, &mut sizes, dump),
            None => written(source, entry, span, dump),
        };
        problems.extend(agreed.err());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut file = file.clone();
    for statement in &mut file.statements {
        match &mut statement.kind {
            StatementKind::Input(input) => input.shape.iter_mut().for_each(|shape| resize(shape, &sizes)),
            StatementKind::Upstream(upstream) => resize(&mut upstream.shape, &sizes),
            _ => {}
        }
    }
    Ok(file)
}

/// Notes what the shape of an entry says of the dims of its declaration.
fn declared<'a>(
    shape: &Shape,
    entry: &'a Entry,
    sizes: &mut HashMap<String, Size<'a>>,
    dump: &str,
) -> Result<(), Problem> {
    let found = entry.array.shape();
    if shape.dims.len() != found.len() {
        let message = format!(
            "`{}` of {dump} has the shape {found:?}, and {} axes are declared",
            entry.name,
            shape.dims.len()
        );
        return Err(Problem { span: Some(shape.span), ..Problem::new(message) });
    }
    for (spec, &size) in shape.dims.iter().zip(found) {
        match spec {
            DimSpec::Bind { name, .. } | DimSpec::Dim(name) => {
                let here = Size { size, entry, span: name.span };
                match sizes.get(&name.text) {
                    Some(earlier) if earlier.size != size => {
                        return Err(contradiction(&name.text, earlier, &here, dump));
                    }
                    Some(_) => {}
                    None => drop(sizes.insert(name.text.clone(), here)),
                }
            }
            DimSpec::Size(expr) => {
                if let Some(stated) = number(expr)
                    && stated != size
                {
                    let message = format!(
                        "`{}` of {dump} has the shape {found:?}, and this axis has {stated}",
                        entry.name
                    );
                    return Err(Problem { span: Some(expr.span), ..Problem::new(message) }
                        .with_hint("an axis with a name, `[N=5]`, takes the size that is given"));
                }
            }
        }
    }
    Ok(())
}

fn contradiction(dim: &str, one: &Size<'_>, other: &Size<'_>, dump: &str) -> Problem {
    let (a, b) = (one.entry, other.entry);
    let (x, y) = (a.array.shape(), b.array.shape());
    let message = format!(
        "`{dim}` is {} in `{}` {x:?} and {} in `{}` {y:?} of {dump}",
        one.size, a.name, other.size, b.name
    );
    Problem {
        span: Some(other.span),
        labels: vec![(one.span, format!("`{dim}` is {} here", one.size))],
        ..Problem::new(message)
    }
}

/// An input that is written down has the shape of what is written.
fn written(source: &Source, entry: &Entry, span: Span, dump: &str) -> Result<(), Problem> {
    let Source::Literal(expr) = source else { return Ok(()) };
    // One that uses names is held against the program.
    let Ok(val) = evaluate(expr, &Scope::new(DType::F64)) else { return Ok(()) };
    if val.shape() == entry.array.shape() {
        return Ok(());
    }
    let message = format!(
        "`{}` of {dump} has the shape {:?}, and the file's {:?}",
        entry.name,
        entry.array.shape(),
        val.shape()
    );
    Err(Problem { span: Some(span), ..Problem::new(message) }.with_hint(
        "declare the shape with names, and the sizes that are given are taken: `x: [n] = [1, 2, 3]`",
    ))
}

fn resize(shape: &mut Shape, sizes: &HashMap<String, Size<'_>>) {
    for spec in &mut shape.dims {
        // A size that is computed from others follows them.
        if let DimSpec::Bind { name, size } = spec
            && number(size).is_some()
            && let Some(other) = sizes.get(&name.text)
        {
            *size = Expr::new(size.span, ExprKind::Number { value: other.size as f64, integer: true });
        }
    }
}

/// A size that is written as a number.
fn number(expr: &Expr) -> Option<usize> {
    match expr.kind {
        ExprKind::Number { value, integer: true } => Some(value as usize),
        _ => None,
    }
}
