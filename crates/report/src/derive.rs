//! What `pullback derive` shows: gradients step by step; its schema is `schemas/derive.json`.

use pullback_derive::Derivation;
use pullback_network::Dim;
use serde::Serialize;

use crate::SCHEMA;
use crate::jacobian_json::Side;
use crate::paint::Paint;
use crate::problem::{Document, Problem, ProblemJson};
use crate::visible::visible_json;

/// The derivations of one output's gradient by several values.
#[derive(Clone, Debug)]
pub struct DeriveReport {
    /// The file, or what was written on the command line.
    pub document: Document,
    /// What was assumed of names that nobody declared, as one would declare it.
    pub assumptions: Vec<String>,
    /// What is differentiated.
    pub of: (String, Vec<Dim>),
    /// With respect to what, and how.
    pub derivations: Vec<(String, Vec<Dim>, Derivation)>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// A formula up to this wide has its reason beside it, in a column with the others.
const COLUMN: usize = 56;

/// The assumptions, then each derivation: formulas on the left, reasons on the right. Warnings are not in it.
pub fn derive_text(report: &DeriveReport, paint: Paint) -> String {
    let mut text = String::new();
    if !report.assumptions.is_empty() {
        text += &paint.aside(&format!("# assumed: {}\n\n", report.assumptions.join(", ")));
    }
    let derivations: Vec<String> = report
        .derivations
        .iter()
        .map(|(wrt, dims, derivation)| derivation_text(&report.of.0, wrt, dims, derivation, paint))
        .collect();
    text + &derivations.join("\n")
}

fn derivation_text(of: &str, wrt: &str, dims: &[Dim], derivation: &Derivation, paint: Paint) -> String {
    let mut text = format!("{}  {dims:?}\n", paint.heading(&derivation.title));
    let widths = derivation.steps.iter().map(|step| step.formula.chars().count());
    let width = widths.filter(|&width| width <= COLUMN).max().unwrap_or(0);
    for step in &derivation.steps {
        text += &format!("  {:width$}  {}\n", step.formula, paint.aside(&step.why));
    }
    if let Some(code) = &derivation.code {
        // A scalar output is the loss itself.
        let claim = if derivation.title.starts_with("∂L/") { "L" } else { of };
        text += &format!("  {}\n", paint.good(&format!("d{claim}/d{wrt} = {code}")));
    }
    text
}

/// The report as a JSON object.
pub fn derive_json(report: &DeriveReport) -> String {
    let sizes = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).collect();
    let derivation = |(wrt, dims, derivation): &(String, Vec<Dim>, Derivation)| DerivationJson {
        wrt: Side { name: wrt.clone(), shape: sizes(dims) },
        title: derivation.title.clone(),
        steps: derivation
            .steps
            .iter()
            .map(|step| StepJson { formula: step.formula.clone(), why: step.why.clone() })
            .collect(),
        index: derivation.index.clone(),
        matrix: derivation.matrix.clone(),
        code: derivation.code.clone(),
    };
    let json = DeriveJson {
        schema: SCHEMA,
        file: &report.document.name,
        assumptions: &report.assumptions,
        of: Side { name: report.of.0.clone(), shape: sizes(&report.of.1) },
        derivations: report.derivations.iter().map(derivation).collect(),
        warnings: ProblemJson::all(&report.document, &report.warnings),
    };
    visible_json(serde_json::to_string(&json).expect("strings, numbers and lists have a notation"))
}

#[derive(Serialize)]
struct DeriveJson<'a> {
    schema: u32,
    file: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    assumptions: &'a [String],
    of: Side,
    derivations: Vec<DerivationJson>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct DerivationJson {
    wrt: Side,
    title: String,
    steps: Vec<StepJson>,
    index: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    matrix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

#[derive(Serialize)]
struct StepJson {
    formula: String,
    why: String,
}
