//! What `pullback run` shows: values by name, and gradients; its schema is `schemas/run.json`.

use pullback_array::{Array, DType};
use serde::Serialize;

use crate::SCHEMA;
use crate::number::Values;
use crate::problem::{Document, Problem, ProblemJson};
use crate::visible::visible_json;

/// An array under a name.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The numbers.
    pub array: Array,
}

/// What running a file gave.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The file.
    pub document: Document,
    /// The number format of the file.
    pub dtype: DType,
    /// Its definitions, in the order of the file.
    pub definitions: Vec<Named>,
    /// The derivatives `dL/dx` of the loss by every input, in the order of the file, by that name.
    pub gradients: Vec<Named>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// Every definition and every gradient by name, as PyTorch prints a tensor. Warnings are not in it.
pub fn run_text(report: &RunReport) -> String {
    let mut text: String = report.definitions.iter().map(named_text).collect();
    if !report.definitions.is_empty() && !report.gradients.is_empty() {
        text += "\n";
    }
    text.extend(report.gradients.iter().map(named_text));
    text
}

/// `a = tensor([…])`, with continuation lines below the first bracket.
pub(crate) fn named_text(named: &Named) -> String {
    let prefix = format!("{} = tensor(", named.name);
    format!("{prefix}{})\n", named.array.format(&prefix))
}

/// The report as a JSON object.
pub fn run_json(report: &RunReport) -> String {
    let run = Run {
        schema: SCHEMA,
        file: &report.document.name,
        dtype: report.dtype.to_string(),
        definitions: report.definitions.iter().map(NamedJson::new).collect(),
        gradients: report.gradients.iter().map(NamedJson::new).collect(),
        warnings: ProblemJson::all(&report.document, &report.warnings),
    };
    visible_json(serde_json::to_string(&run).expect("strings, numbers and lists have a notation"))
}

#[derive(Serialize)]
struct Run<'a> {
    schema: u32,
    file: &'a str,
    dtype: String,
    definitions: Vec<NamedJson<'a>>,
    gradients: Vec<NamedJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct NamedJson<'a> {
    name: &'a str,
    shape: &'a [usize],
    values: Values<'a>,
}

impl<'a> NamedJson<'a> {
    fn new(named: &'a Named) -> NamedJson<'a> {
        NamedJson { name: &named.name, shape: named.array.shape(), values: Values(&named.array) }
    }
}
