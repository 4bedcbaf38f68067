//! What `pullback jacobian` shows: structure, formula, cost, numbers; its schema is `schemas/jacobian.json`.

use pullback_array::memory::human;
use pullback_array::{Array, DType};
use pullback_network::{Cost, Dim};
use serde::Serialize;

use crate::SCHEMA;
use crate::number::{Number, Values};
use crate::paint::Paint;
use crate::problem::{Document, Problem, ProblemJson};
use crate::run::{Named, named_text};

/// How the numbers of a Jacobian are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the tensor `[y…, x…]`.
    Tensor,
    /// As the matrix `[|y|, |x|]`, with both in row-major vec.
    Row,
    /// As the matrix `[|y|, |x|]`, with both in column-major vec.
    Column,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Form::Tensor => "tensor",
            Form::Row => "row",
            Form::Column => "col",
        }
    }
}

/// An array that stands in the formula of a Jacobian.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// As the formula writes it.
    pub symbol: String,
    /// Its shape.
    pub dims: Vec<Dim>,
}

/// What was found of one Jacobian.
#[derive(Clone, Debug)]
pub struct JacobianReport {
    /// The file.
    pub document: Document,
    /// What is differentiated.
    pub of: (String, Vec<Dim>),
    /// With respect to what.
    pub wrt: (String, Vec<Dim>),
    /// The type of the numbers.
    pub dtype: DType,
    /// In index notation.
    pub formula: String,
    /// What stands in the formula.
    pub payloads: Vec<Payload>,
    /// What it costs.
    pub cost: Cost,
    /// The numbers, where they were asked for.
    pub dense: Option<(Form, Array)>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// Shapes, formula, cost and, where they were asked for, numbers. Warnings are not in it.
pub fn jacobian_text(report: &JacobianReport, paint: Paint) -> String {
    let name = name(report);
    let mut text = format!("{}  {:?} by {:?}\n\n", paint.heading(&name), report.of.1, report.wrt.1);
    text += &format!("  {} = {}\n", indexed(report), report.formula);
    if !report.payloads.is_empty() {
        text += "\n";
    }
    let symbols = report.payloads.iter().map(|payload| payload.symbol.chars().count()).max().unwrap_or(0);
    for payload in &report.payloads {
        text += &paint.aside(&format!("  {:symbols$}  {:?}", payload.symbol, payload.dims));
        text += "\n";
    }
    text += "\n";
    for (what, amount) in costs(report) {
        text += &format!("  {}  {amount}\n", paint.aside(&format!("{what:11}")));
    }
    if let Some((form, array)) = &report.dense {
        let (y, x) = (&report.of.0, &report.wrt.0);
        let convention = match form {
            Form::Tensor => format!("the axes of {y}, then those of {x}"),
            Form::Row => format!("a row an entry of {y}, a column an entry of {x}, both in row-major vec"),
            Form::Column => {
                format!("a row an entry of {y}, a column an entry of {x}, both in column-major vec")
            }
        };
        text += &format!("\n{}\n", paint.aside(&format!("# {convention}")));
        text += &named_text(&Named { name, array: array.clone() });
    }
    text
}

/// `∂v/∂W`.
fn name(report: &JacobianReport) -> String {
    format!("∂{}/∂{}", report.of.0, report.wrt.0)
}

/// `∂v_i/∂W_mn`, with the letters of the formula.
fn indexed(report: &JacobianReport) -> String {
    let (outputs, inputs) = (report.of.1.len(), report.wrt.1.len());
    let letters = pullback_network::Letters::of_axes(outputs, inputs);
    let (i, m) = letters.split_at(outputs);
    let with = |name: &str, letters: &[String]| match letters {
        [] => format!("∂{name}"),
        // The letters run together as in the formula, unless one of them is more than a letter.
        _ if letters.iter().all(|letter| letter.chars().count() == 1) => {
            format!("∂{name}_{}", letters.concat())
        }
        _ => format!("∂{name}_{}", letters.join(",")),
    };
    format!("{}/{}", with(&report.of.0, i), with(&report.wrt.0, m))
}

fn costs(report: &JacobianReport) -> Vec<(&'static str, String)> {
    let cost = &report.cost;
    if cost.terms == 0 {
        return vec![("zero", format!("{} does not depend on {}", report.of.0, report.wrt.0))];
    }
    let memory = |entries: f64| {
        format!("{} {}, {}", count(entries), plural("number", entries), human(bytes(entries, report.dtype)))
    };
    let terms = cost.terms as f64;
    vec![
        (
            "structured",
            format!(
                "{}, {}",
                format_args!("{} {}", count(terms), plural("term", terms)),
                memory(cost.stored_entries)
            ),
        ),
        ("written out", memory(cost.dense_entries)),
        ("vjp", format!("{} multiply–adds", count(cost.vjp_flops))),
        ("jvp", format!("{} multiply–adds", count(cost.jvp_flops))),
    ]
}

fn bytes(entries: f64, dtype: DType) -> usize {
    // A float that is too large becomes the largest integer.
    (entries * dtype.size_of() as f64) as usize
}

fn plural(noun: &str, count: f64) -> String {
    if count == 1.0 { noun.to_string() } else { format!("{noun}s") }
}

/// A whole number with its digits in threes: `68 719 476 736`.
fn count(number: f64) -> String {
    if !number.is_finite() || number >= 1e18 {
        return format!("{number:.3e}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// The report as a JSON object.
pub fn jacobian_json(report: &JacobianReport) -> String {
    let cost = &report.cost;
    let sizes = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).collect::<Vec<usize>>();
    let side = |(name, dims): &(String, Vec<Dim>)| Side { name: name.clone(), shape: sizes(dims) };
    let payload =
        |payload: &Payload| PayloadJson { symbol: payload.symbol.clone(), shape: sizes(&payload.dims) };
    let size = report.dtype.size_of() as f64;
    let jacobian = JacobianJson {
        schema: SCHEMA,
        file: &report.document.name,
        of: side(&report.of),
        wrt: side(&report.wrt),
        dtype: report.dtype.to_string(),
        formula: &report.formula,
        payloads: report.payloads.iter().map(payload).collect(),
        cost: CostJson {
            terms: cost.terms,
            stored_entries: Number(cost.stored_entries),
            stored_bytes: Number(cost.stored_entries * size),
            dense_entries: Number(cost.dense_entries),
            dense_bytes: Number(cost.dense_entries * size),
            vjp_flops: Number(cost.vjp_flops),
            jvp_flops: Number(cost.jvp_flops),
        },
        dense: report.dense.as_ref().map(|(form, array)| Dense {
            layout: form.word(),
            shape: array.shape(),
            values: Values(array),
        }),
        warnings: ProblemJson::all(&report.document, &report.warnings),
    };
    serde_json::to_string(&jacobian).expect("strings, numbers and lists have a notation")
}

#[derive(Serialize)]
struct JacobianJson<'a> {
    schema: u32,
    file: &'a str,
    of: Side,
    wrt: Side,
    dtype: String,
    formula: &'a str,
    payloads: Vec<PayloadJson>,
    cost: CostJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    dense: Option<Dense<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
}

/// A value by name, one of the two that a derivative is between.
#[derive(Serialize)]
pub(crate) struct Side {
    pub name: String,
    pub shape: Vec<usize>,
}

#[derive(Serialize)]
struct PayloadJson {
    symbol: String,
    shape: Vec<usize>,
}

#[derive(Serialize)]
struct CostJson {
    terms: usize,
    stored_entries: Number,
    stored_bytes: Number,
    dense_entries: Number,
    dense_bytes: Number,
    vjp_flops: Number,
    jvp_flops: Number,
}

#[derive(Serialize)]
struct Dense<'a> {
    layout: &'static str,
    shape: &'a [usize],
    values: Values<'a>,
}
