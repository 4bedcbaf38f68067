//! What `pullback ops` shows: the op table, or one page of it; its schema is `schemas/ops.json`.

use pullback_ops::{Operation, Parameter};
use serde::Serialize;

use crate::SCHEMA;
use crate::paint::Paint;
use crate::visible::visible_json;

/// Operations, each with its call, formula, rule, domain and conventions; with `why`, the derivation of the rule as well. Behind them
/// functions that are definitions: how each is called, and what it is.
pub fn ops_text(
    operations: &[&Operation],
    definitions: &[(String, String)],
    why: bool,
    paint: Paint,
) -> String {
    let mut pages: Vec<String> = operations.iter().map(|operation| page(operation, why, paint)).collect();
    if !definitions.is_empty() {
        let lines = definitions.iter().map(|(signature, definition)| {
            format!("{} {}\n", paint.heading(signature), paint.aside(&format!("= {definition}")))
        });
        pages.push(lines.collect());
    }
    pages.join("\n")
}

/// The headings of a page that are shown, by the words they are shown under.
const SHOWN: [(&str, &str); 5] = [
    ("formula", "Formula"),
    ("Jacobian", "Jacobian"),
    ("domain", "Domain"),
    ("at kinks and ties", "At kinks and ties"),
    ("why", "Why"),
];

/// Columns of a line.
const LINE: usize = 110;

fn page(operation: &Operation, why: bool, paint: Paint) -> String {
    let mut text = paint.heading(&operation.signature());
    let aliases = operation.entry.aliases.join(", ");
    if !aliases.is_empty() {
        text += &paint.aside(&format!("  also {aliases}"));
    }
    text += "\n";
    for line in wrapped(&operation.page(""), LINE - 2) {
        text += &format!("  {line}\n");
    }
    let width = SHOWN.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    for (word, heading) in SHOWN.iter().filter(|(word, _)| why || *word != "why") {
        let paragraph = operation.page(heading);
        for (number, line) in wrapped(&paragraph, LINE - width - 4).into_iter().enumerate() {
            let word = if number == 0 { word } else { "" };
            text += &format!("  {}  {line}\n", paint.aside(&format!("{word:width$}")));
        }
    }
    text
}

/// A paragraph in lines of at most `width` characters, where its words allow it.
fn wrapped(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// Operations with their pages, and functions with their definitions, as a JSON object.
pub fn ops_json(operations: &[&Operation], definitions: &[(String, String)]) -> String {
    let ops = operations
        .iter()
        .map(|operation| OperationJson {
            name: operation.name,
            aliases: operation.entry.aliases,
            signature: operation.signature(),
            parameters: operation.parameters().into_iter().map(ParameterJson::of).collect(),
            summary: operation.page(""),
            formula: operation.page("Formula"),
            jacobian: operation.page("Jacobian"),
            domain: operation.page("Domain"),
            conventions: operation.page("At kinks and ties"),
            why: operation.page("Why"),
        })
        .collect();
    visible_json(
        serde_json::to_string(&Ops {
            schema: SCHEMA,
            ops,
            functions: definitions
                .iter()
                .map(|(signature, definition)| FunctionJson { signature, definition })
                .collect(),
        })
        .expect("strings and lists have a notation"),
    )
}

#[derive(Serialize)]
struct Ops<'a> {
    schema: u32,
    ops: Vec<OperationJson>,
    functions: Vec<FunctionJson<'a>>,
}

/// A function that is a definition in the language.
#[derive(Serialize)]
struct FunctionJson<'a> {
    signature: &'a str,
    definition: &'a str,
}

#[derive(Serialize)]
struct OperationJson {
    name: &'static str,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    aliases: &'static [&'static str],
    signature: String,
    parameters: Vec<ParameterJson>,
    summary: String,
    formula: String,
    jacobian: String,
    domain: String,
    conventions: String,
    why: String,
}

/// What an operation is called with.
#[derive(Serialize)]
struct ParameterJson {
    name: &'static str,
    /// What it takes, in words.
    takes: String,
    /// The words of a choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    words: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static str>,
    /// All arguments that are left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rest: bool,
    /// Given by its keyword alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    keyword: bool,
}

impl ParameterJson {
    fn of(parameter: Parameter) -> ParameterJson {
        let Parameter { name, kind, default, takes_rest: rest, has_keyword: keyword } = parameter;
        ParameterJson { name, takes: kind.to_string(), words: kind.words().collect(), default, rest, keyword }
    }
}
