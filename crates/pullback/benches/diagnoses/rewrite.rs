//! A program's text with other data in it: another seed, other sizes, drawn numbers for literal ones.

use std::collections::HashMap;

use pullback::lang::{DimSpec, Expr, ExprKind, Shape, Source as From, StatementKind, print};

use crate::source::Source;

/// The statements that have another text on other data. Double precision throughout: this is about formulas.
pub fn elsewhere(source: &Source, seed: u64, sizes: bool, drawn: bool) -> HashMap<usize, String> {
    // Small, all different, and not in order, so that no two axes can be taken for one another.
    const SIZES: [usize; 8] = [4, 3, 5, 2, 7, 6, 9, 8];
    let mut bound = 0;
    let mut size_of = |_: &str, own: &str| {
        if !sizes {
            return own.to_owned();
        }
        let mut other = SIZES[bound % SIZES.len()];
        if other.to_string() == own {
            other += 7;
        }
        bound += 1;
        other.to_string()
    };
    let mut instead = HashMap::new();
    let mut seeded = false;
    for (at, statement) in source.file.statements.iter().enumerate() {
        let text = match &statement.kind {
            StatementKind::Seed(own) => {
                seeded = true;
                Some(format!("seed {}", own + seed))
            }
            StatementKind::DType(_) => Some("dtype f64".to_owned()),
            StatementKind::Input(input) => match (&input.source, &input.shape) {
                (From::Literal(expr), shape) if drawn => {
                    let shape = match shape {
                        Some(shape) => shape_text(shape, &mut size_of),
                        None => literal_shape(expr),
                    };
                    let number = shape == "[]";
                    (!number).then(|| format!("{}: {shape} ~ {}", input.name, like(&print(expr))))
                }
                _ => at_sizes(source, at, &mut size_of),
            },
            _ => None,
        };
        instead.extend(text.map(|text| (at, text)));
    }
    if !seeded {
        let first = instead.get(&0).cloned().unwrap_or_else(|| source.text(0).to_owned());
        instead.insert(0, format!("seed {seed}\n{first}"));
    }
    instead
}

/// The statements that have another text where dims have other sizes, in double precision.
pub fn resized(source: &Source, size_of: &mut dyn FnMut(&str, &str) -> String) -> HashMap<usize, String> {
    let mut instead = HashMap::new();
    for at in source.all() {
        let text = match &source.file.statements[at].kind {
            StatementKind::DType(_) => Some("dtype f64".to_owned()),
            _ => at_sizes(source, at, size_of),
        };
        instead.extend(text.map(|text| (at, text)));
    }
    instead
}

/// An input's text with other sizes for the dims that it binds; none of anything else.
fn at_sizes(source: &Source, at: usize, size_of: &mut dyn FnMut(&str, &str) -> String) -> Option<String> {
    let statement = &source.file.statements[at];
    let StatementKind::Input(input) = &statement.kind else { return None };
    let (own, declared) = (source.text(at), input.shape.as_ref()?);
    let (from, to) = (declared.span.start - statement.span.start, declared.span.end - statement.span.start);
    Some(format!("{}{}{}", &own[..from], shape_text(declared, size_of), &own[to..]))
}

/// A declared shape, with the size that `size_of` gives for each dim that it binds, by its name and its own size.
fn shape_text(shape: &Shape, size_of: &mut dyn FnMut(&str, &str) -> String) -> String {
    let dims: Vec<String> = shape
        .dims
        .iter()
        .map(|dim| match dim {
            DimSpec::Bind { name, size } => format!("{name}={}", size_of(&name.text, &print(size))),
            DimSpec::Dim(name) => name.text.clone(),
            DimSpec::Size(size) => print(size),
        })
        .collect();
    format!("[{}]", dims.join(", "))
}

/// The shape that a literal has.
fn literal_shape(expr: &Expr) -> String {
    let mut sizes = Vec::new();
    let mut at = expr;
    while let ExprKind::List(items) = &at.kind {
        sizes.push(items.len().to_string());
        match items.first() {
            Some(first) => at = first,
            None => break,
        }
    }
    format!("[{}]", sizes.join(", "))
}

/// A distribution whose numbers are of the kind of these: probabilities, positive numbers, any.
fn like(literal: &str) -> &'static str {
    let numbers = literal.split(['[', ']', ',', ' ']).filter_map(|word| word.parse::<f64>().ok());
    let (mut negative, mut above) = (literal.contains('-'), false);
    for number in numbers {
        negative |= number < 0.0;
        above |= number > 1.0;
    }
    match (negative, above) {
        (true, _) => "randn",
        (false, true) => "positive",
        (false, false) => "uniform(0.1, 0.9)",
    }
}
