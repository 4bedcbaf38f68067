//! One gradient, step by step.

use pullback_autograd::jacobian;
use pullback_lang::{Span, make, print};
use pullback_network::{Letters, Value, subscript, written_sum};
use pullback_ops::{Result, Term, Val};

use crate::code::{Source, gradient_code};

use crate::forward::index_notation;

/// A derivation of one gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// What is derived: `∂L/∂X`.
    pub title: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The gradient in index notation, without what it is equal to.
    pub index: String,
    /// The gradient in matrix notation, where it is a matrix expression: `Ḡ Wᵀ`.
    pub matrix: Option<String>,
    /// The gradient as the right side of a claim in a `.grad` file, where there is one: `dL/dZ @ W.T`.
    pub code: Option<String>,
}

/// One line of a derivation.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub why: String,
    /// What it gives. A line that starts with `=` goes on from the one before.
    pub formula: String,
}

/// Derives the gradient of a loss by `wrt`, through `output`. For an output with axes the loss is any scalar L that depends
/// on it, and its cotangent Ḡ = ∂L/∂output is given; a scalar output is the loss itself.
///
/// # Errors
/// What the rules return.
pub fn derive(output: &Val, wrt: &Val) -> Result<Derivation> {
    let (y, x) = (output.symbol(), wrt.symbol());
    let jacobian = jacobian(output, wrt, &[])?;
    let network = jacobian.network()?;
    let letters = Letters::of_axes(output.ndim(), wrt.ndim());
    let (of, by) = letters.split_at(output.ndim());
    let (y_i, x_m) = (at(&y, of), at(&x, by));

    let mut steps = Vec::new();
    let mut push = |why: &str, formula: String| steps.push(Step { why: why.to_string(), formula });
    push("the forward pass, entry by entry", format!("{y_i} = {}", index_notation(output)?));
    push("its derivative by one entry", format!("∂{y_i}/∂{x_m} = {}", network.formula()));
    if output.ndim() == 0 {
        let terms: Vec<Term> = network.terms().to_vec();
        let matrix = matrix_form(&terms);
        if let Some(form) = &matrix {
            push("in matrix notation", format!("∂{y}/∂{x} = {form}"));
        }
        let code = code(output, wrt);
        return Ok(Derivation {
            title: format!("∂{y}/∂{x}"), steps, index: network.formula(), matrix, code
        });
    }

    let cotangent = Val::symbol("Ḡ", output.dims(), output.dtype());
    let g_i = at("Ḡ", of);
    let sum = format!("Σ_{}", subscript(&of.iter().collect::<Vec<_>>()));
    push(
        "the chain rule: every entry of the output passes its share",
        format!("∂L/∂{x_m} = {sum} {g_i} ∂{y_i}/∂{x_m}"),
    );

    // The same sum with the Jacobian in its place, before any delta is eliminated.
    let mut inserted = Letters::new();
    let before = network.terms().iter().map(|term| {
        let mut written = term.written(&letters, &mut inserted);
        written.sums.splice(0..0, of.iter().cloned());
        written.factors.insert(0, g_i.clone());
        written
    });
    let before = written_sum(before.collect::<Vec<_>>());
    push("the derivative inserted", format!("= {before}"));

    // After: a label that was an output's keeps its letter where it is still summed.
    let terms = network.cotangent_terms(&cotangent);
    let mut kept = Letters::new();
    for term in network.terms() {
        term.slots.iter().zip(of).for_each(|(&label, letter)| kept.assign(label, letter));
    }
    let after = written_sum(terms.iter().map(|term| term.written(by, &mut kept)).collect::<Vec<_>>());
    if after != before {
        let why = match before.contains('δ') {
            true => "δ picks one value of an index and ends its sum",
            false => "what an index is determined by takes its place",
        };
        push(why, format!("= {after}"));
    }
    let matrix = matrix_form(&terms);
    if let Some(form) = &matrix {
        let why = match terms.as_slice() {
            [term] if summed_axis(term) == Some(0) => "in matrix notation: the sum down each column of Ḡ",
            [term] if summed_axis(term) == Some(1) => "in matrix notation: the sum along each row of Ḡ",
            _ => "in matrix notation",
        };
        push(why, format!("∂L/∂{x} = {form}"));
    }
    let code = code(output, wrt);
    Ok(Derivation { title: format!("∂L/∂{x}"), steps, index: after, matrix, code })
}

fn at(symbol: &str, letters: &[String]) -> String {
    pullback_network::indexed(symbol, letters)
}

/// The gradient as code. An output with axes has a cotangent, which has a name.
fn code(output: &Val, wrt: &Val) -> Option<String> {
    let cotangent = |value: &Val| {
        let is_given = value.id() == output.id() && output.ndim() > 0;
        is_given.then(|| make::reference(Span::default(), "L", &output.symbol()))
    };
    let code =
        gradient_code(output, wrt, &Source { cotangent: &cotangent, written: &|_| None, as_derived: false })?;
    Some(print(&code))
}

/// The sum of the terms in matrix notation, where each is a matrix expression.
fn matrix_form(terms: &[Term]) -> Option<String> {
    let forms: Option<Vec<(bool, String)>> = terms
        .iter()
        .map(|term| {
            let negative = term.coef.is_negative();
            let positive = Term { coef: term.coef.abs(), ..term.clone() };
            Some((negative, positive.matrix_notation(&|value| value.symbol())?))
        })
        .collect();
    let mut text = String::new();
    for (negative, form) in forms? {
        text += match (text.is_empty(), negative) {
            (true, false) => "",
            (true, true) => "−",
            (false, true) => " − ",
            (false, false) => " + ",
        };
        text += &form;
    }
    (!text.is_empty()).then_some(text)
}

/// Where a term is one matrix summed over one of its axes: that axis.
fn summed_axis(term: &Term) -> Option<usize> {
    match (term.slots.as_slice(), term.factors.as_slice()) {
        (&[slot], [pullback_ops::Factor::Dense(_, labels)]) if labels.len() == 2 => {
            labels.iter().position(|&label| label != slot).filter(|_| labels.contains(&slot))
        }
        _ => None,
    }
}
