//! The gradient with all of the steps inserted, and what makes it short: where something cancels or has a name, a line says so.

use std::collections::HashMap;

use pullback_lang::{Expr, Span, make};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

use super::line::{Alphabet, Left, Lettering, Line, Right, product};
use super::{Stage, all_names, by_definitions, with_names};
use crate::code::{Equation, Known, Source, Writer, gradient_telling, shortened};

/// What takes more parts is not read.
const MOST_PARTS: usize = 200;

/// The gradient by a value, by nothing but the cotangent of the output and what the program has names for, as it follows from steps of
/// the backward pass. None where the language has no words for it, and where it is the step itself.
pub fn closed(output: &Val, wrt: &Val, stages: &[Stage], known: &Known) -> Option<Stage> {
    let loss = known.loss_of(output);
    let alphabet = Alphabet::without(all_names(output));
    let reference = |value: &Val| make::reference(Span::default(), &loss, &value.symbol());
    let cotangent = |value: &Val| (value.id() == output.id() && output.ndim() > 0).then(|| reference(output));
    let source = Source { cotangent: &cotangent, written: &|_| None, as_derived: false };
    let mut facts: Vec<Line> = Vec::new();
    let mut tell = |equation: &Equation, writer: &Writer<'_>| {
        let fact = fact(equation, writer, &alphabet);
        facts.extend(fact.filter(|fact| facts.iter().all(|known| known.left != fact.left)));
    };
    let code = gradient_telling(output, wrt, &source, &|_, _| None, &mut tell)?;
    let code = shortened(&code, known);
    let step = stages.iter().find(|stage| stage.of == wrt.symbol())?.code.as_ref()?;
    let pieces: Vec<&Stage> = stages.iter().filter(|stage| stage.lines.is_empty()).collect();
    if inserted(step, &pieces).as_ref() == Some(&code) {
        return None;
    }
    let stages: Vec<&Stage> = stages.iter().collect();
    let left = reference(wrt);
    let mut lines = Vec::new();
    let inserted = inserted(step, &stages);
    if let Some(inserted) = &inserted {
        let why = match *inserted == code {
            true => "the cotangents above in their places",
            false => "the cotangents above in their places, before anything is simplified",
        };
        let right = Right::Whole(inserted.clone());
        lines.push(Line { left: Left::Whole(left.clone()), right, why: why.to_owned() });
    }
    if inserted.as_ref() != Some(&code) {
        lines.append(&mut facts);
        let new = with_names(&code, inserted.map(Right::Whole).as_ref(), &|_| true);
        let why = format!("simplified{new}");
        lines.push(Line { left: Left::Whole(left.clone()), right: Right::Whole(code.clone()), why });
    }
    Some(Stage {
        left,
        of: wrt.symbol(),
        dims: wrt.dims().to_vec(),
        code: Some(code),
        says: String::new(),
        operations: Vec::new(),
        lines,
    })
}

/// An expression with what the steps state in the place of the cotangents, and pieces, that they state it of.
fn inserted(expr: &Expr, stages: &[&Stage]) -> Option<Expr> {
    let stated = stages.iter().find(|stage| stage.left == *expr && stage.code.as_ref() != Some(expr));
    let mut copy = match stated.and_then(|stage| stage.code.as_ref()) {
        Some(code) => return inserted(code, stages),
        None => expr.clone(),
    };
    for child in copy.children_mut() {
        *child = inserted(child, stages)?;
        if child.parts() > MOST_PARTS {
            return None;
        }
    }
    Some(copy)
}

/// An equation as a line.
fn fact(equation: &Equation, writer: &Writer<'_>, alphabet: &Alphabet) -> Option<Line> {
    let dims: Vec<Dim> = equation.before.slots.iter().map(|label| label.dim()).collect();
    let letters = alphabet.of_axes("ijmn", &dims, &[]);
    let mut lettering = Lettering { alphabet, known: HashMap::new(), taken: Vec::new() };
    let mut written = |term| product(term, &letters, &mut lettering, &|value| writer.written(value));
    let before = written(&equation.before)?;
    let after = equation.after.iter().map(written).collect::<Option<_>>()?;
    Some(Line {
        left: Left::Sum { of: vec![before], free: letters.into_iter().zip(dims).collect() },
        right: Right::Products(after),
        why: by_definitions(&equation.by),
    })
}
