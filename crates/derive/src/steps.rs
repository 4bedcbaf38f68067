//! One gradient, step by step.

use std::collections::HashMap;

use pullback_autograd::jacobian;
use pullback_lang::{Expr, ExprKind, Span, make, print};
use pullback_network::{Coef, Dim, Label, Letters, Value, subscript};
use pullback_ops::{Result, Term, Val};

use crate::code::{Known, Source, Writer, gradient_code, shortened};
use crate::forward::{index_notation, products};
use crate::pass::all_names;
use crate::pass::line::{Alphabet, Entry, Lettering, Product, plain, product};

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

impl Derivation {
    /// What the loss is called: `L` in `∂L/∂X`.
    pub fn loss(&self) -> &str {
        self.title.trim_start_matches('∂').split('/').next().unwrap_or("")
    }
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
    derive_knowing(output, wrt, &Known::new(output, &[]))
}

/// The same where more is known of the program's names.
///
/// # Errors
/// What the rules return.
pub fn derive_knowing(output: &Val, wrt: &Val, known: &Known) -> Result<Derivation> {
    let (y, x) = (output.symbol(), wrt.symbol());
    let jacobian = jacobian(output, wrt, &[])?;
    let network = jacobian.network()?;
    let names = all_names(output);
    let loss = known.loss_of(output);
    let text = Text { alphabet: Alphabet::without(names), known, output };
    let letters = Letters::of_axes(output.ndim(), wrt.ndim());
    let (of, by) = letters.split_at(output.ndim());
    let (y_i, x_m) = (at(&y, of), at(&x, by));

    let mut steps = Vec::new();
    let mut push = |why: &str, formula: String| steps.push(Step { why: why.to_string(), formula });
    push("the forward pass, entry by entry", format!("{y_i} = {}", text.definition(output, of)?));
    let formula =
        text.sum(network.terms(), &letters, HashMap::new(), &[]).unwrap_or_else(|| network.formula());
    push("its derivative by one entry", format!("∂{y_i}/∂{x_m} = {formula}"));
    if output.ndim() == 0 {
        let terms: Vec<Term> = network.terms().to_vec();
        let matrix = matrix_form(&terms, &text);
        if let Some(form) = &matrix {
            push("in matrix notation", format!("∂{y}/∂{x} = {form}"));
        }
        let code = code(output, wrt, &loss, known);
        return Ok(Derivation { title: format!("∂{y}/∂{x}"), steps, index: formula, matrix, code });
    }

    let cotangent = Val::symbol("Ḡ", output.dims(), output.dtype());
    let g_i = at("Ḡ", of);
    let sum = format!("Σ_{}", subscript(&of.iter().collect::<Vec<_>>()));
    push(
        "the chain rule: every entry of the output passes its share",
        format!("∂{loss}/∂{x_m} = {sum} {g_i} ∂{y_i}/∂{x_m}"),
    );

    // The same sum with the Jacobian in its place, before any delta is eliminated.
    let front = (of, g_i.as_str());
    let before = text.sum(network.terms(), &letters, HashMap::new(), &[front]);
    let before = before.unwrap_or_else(|| format!("{sum} {g_i} ({})", network.formula()));
    push("the derivative inserted", format!("= {before}"));

    // After: a label that was an output's keeps its letter where it is still summed.
    let terms = network.cotangent_terms(&cotangent);
    let mut kept: HashMap<Label, String> = HashMap::new();
    for term in network.terms() {
        for (&label, letter) in term.slots.iter().zip(of) {
            kept.entry(label).or_insert_with(|| letter.clone());
        }
    }
    let after = text.sum(&terms, by, kept, &[]).unwrap_or_else(|| before.clone());
    if after != before {
        let why = match before.contains('δ') {
            true => "δ picks one value of an index and ends its sum",
            false => "what an index is determined by takes its place",
        };
        push(why, format!("= {after}"));
    }
    let matrix = matrix_form(&terms, &text);
    if let Some(form) = &matrix {
        let why = match terms.as_slice() {
            [term] if summed_axis(term) == Some(0) => "in matrix notation: the sum down each column of Ḡ",
            [term] if summed_axis(term) == Some(1) => "in matrix notation: the sum along each row of Ḡ",
            _ => "in matrix notation",
        };
        push(why, format!("∂{loss}/∂{x} = {form}"));
    }
    let code = code(output, wrt, &loss, known);
    Ok(Derivation { title: format!("∂{loss}/∂{x}"), steps, index: after, matrix, code })
}

fn at(symbol: &str, letters: &[String]) -> String {
    pullback_network::indexed(symbol, letters)
}

/// Writes networks as text: payloads as the language writes them, letters that are no names.
struct Text<'a> {
    alphabet: Alphabet,
    known: &'a Known,
    output: &'a Val,
}

impl Text<'_> {
    fn payload(&self, value: &Val) -> Option<Expr> {
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        Some(shortened(&Writer::of_program(&source, self.output).written(value)?, self.known))
    }

    fn symbol(&self, value: &Val) -> String {
        let Some(expr) = self.payload(value) else { return value.symbol() };
        let text = print(&expr).replace(" - ", " − ").replace(" * ", " ⊙ ");
        let is_atom =
            matches!(expr.kind, ExprKind::Name(_) | ExprKind::Call { .. } | ExprKind::Number { .. });
        if is_atom { text } else { format!("({text})") }
    }

    /// A sum of terms. With `front`, each is summed over its letters too, and multiplied by what it has.
    fn sum(
        &self,
        terms: &[Term],
        slots: &[String],
        known: HashMap<Label, String>,
        front: &[(&[String], &str)],
    ) -> Option<String> {
        let mut lettering = Lettering { alphabet: &self.alphabet, known, taken: Vec::new() };
        let products: Option<Vec<Product>> = terms
            .iter()
            .map(|term| product(term, slots, &mut lettering, &|value| self.payload(value)))
            .collect();
        let mut products = products?;
        for (letters, factor) in front {
            let name = factor.split('_').next().unwrap_or(factor);
            for product in &mut products {
                let over = letters.iter().map(|letter| (letter.clone(), Dim::new(0)));
                product.over.splice(0..0, over);
                let at = letters.iter().cloned().map(Some).collect();
                product.factors.insert(0, Entry::Of(make::name(Span::default(), name), at));
            }
        }
        Some(plain(&products))
    }

    /// How a value is computed: as a sum of products, or as the function that it is.
    fn definition(&self, value: &Val, slots: &[String]) -> Result<String> {
        if let Some(terms) = products(value)?
            && let Some(text) = self.sum(&terms, slots, HashMap::new(), &[])
        {
            return Ok(text);
        }
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let Some(definition) = Writer::new(&source).definition(value.original()) else {
            return index_notation(value);
        };
        let definition = shortened(&definition, &self.known.without_names());
        let at = slots.iter().cloned().map(Some).collect();
        let own = Product { coef: Coef::one(), over: Vec::new(), factors: vec![Entry::Of(definition, at)] };
        Ok(plain(&[own]))
    }
}

/// The gradient as code. An output with axes has a cotangent, which has a name.
fn code(output: &Val, wrt: &Val, loss: &str, known: &Known) -> Option<String> {
    let cotangent = |value: &Val| {
        let is_given = value.id() == output.id() && output.ndim() > 0;
        is_given.then(|| make::reference(Span::default(), loss, &output.symbol()))
    };
    let code =
        gradient_code(output, wrt, &Source { cotangent: &cotangent, written: &|_| None, as_derived: false })?;
    Some(print(&shortened(&code, known)))
}

/// The sum of the terms in matrix notation, where each is a matrix expression.
fn matrix_form(terms: &[Term], text: &Text<'_>) -> Option<String> {
    let forms: Option<Vec<(bool, String)>> = terms
        .iter()
        .map(|term| {
            let negative = term.coef.is_negative();
            let positive = Term { coef: term.coef.abs(), ..term.clone() };
            Some((negative, positive.matrix_notation(&|value| text.symbol(value))?))
        })
        .collect();
    let mut sum = String::new();
    for (negative, form) in forms? {
        sum += match (sum.is_empty(), negative) {
            (true, false) => "",
            (true, true) => "−",
            (false, true) => " − ",
            (false, false) => " + ",
        };
        sum += &form;
    }
    (!sum.is_empty()).then_some(sum)
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
