//! What `pullback derive` shows: a backward pass step by step, and gradients; its schema is `schemas/derive.json`.

use std::collections::{HashMap, HashSet};

use pullback_array::Array;
use pullback_derive::{Derivation, Line, Stage};
use pullback_lang::print;
use pullback_network::Dim;
use serde::Serialize;

use crate::SCHEMA;
use crate::jacobian_json::Side;
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
    /// Why it is this value, where nobody asked for it and there are others.
    pub chosen: Option<String>,
    /// The statements that compute it, as the file has them.
    pub forward: Vec<String>,
    /// The backward pass, from the output to the values that it is differentiated by.
    pub stages: Vec<Stage>,
    /// With respect to what, and how.
    pub derivations: Vec<(String, Vec<Dim>, Derivation)>,
    /// The gradients with all steps inserted, of those that say more than their steps do.
    pub closed: Vec<Stage>,
    /// The axes of the values and the sizes of the program: of each, whether it has one entry and is there to be stretched.
    pub axes: HashMap<String, Vec<bool>>,
    /// The numbers of values and cotangents, where they are wanted.
    pub values: Vec<(String, Array)>,
    /// The backward pass as code of another language, where that is wanted.
    pub code: Option<String>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// A closed form with more characters is no help to a reader.
const LONGEST_CLOSED: usize = 160;

/// How much of a derivation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Steps {
    /// The backward pass as a program.
    Brief,
    /// Every line.
    #[default]
    Full,
}

impl DeriveReport {
    /// The axes of a name.
    pub(crate) fn rank(&self, name: &str) -> Option<Vec<bool>> {
        self.axes.get(name).cloned()
    }

    /// The steps that lead from the output to a value, in order.
    pub fn stages_to(&self, wrt: &str) -> Vec<&Stage> {
        let mut needed: HashSet<String> = HashSet::new();
        let mut found = Vec::new();
        for stage in self.stages.iter().rev() {
            let name = without_step(&stage.name());
            if stage.of == wrt || needed.contains(&name) {
                found.push(stage);
                stage.needs(&mut |reference| {
                    needed.insert(without_step(&reference));
                });
            }
        }
        found.reverse();
        found
    }

    /// The claim that a derivation ends in: `dL/dW = X.T @ dL/dZ`.
    pub fn claim(&self, wrt: &str, derivation: &Derivation) -> Option<String> {
        let of = derivation.loss();
        derivation.code.as_ref().map(|code| format!("d{of}/d{wrt} = {code}"))
    }

    /// The program and its backward pass in the language itself: a file whose claims can be checked.
    pub fn as_file(&self, backward: &str) -> String {
        let mut text = String::new();
        for statement in &self.forward {
            text += &format!("{statement}\n");
        }
        // What comes back from the loss is given where that is none of the file's values.
        let loss = self.derivations.first().map(|(_, _, derivation)| derivation.loss().to_owned());
        if let (Some(loss), false) = (loss, self.of.1.is_empty()) {
            let given = format!("d{loss}/d{}", self.of.0);
            if !self.forward.iter().any(|statement| statement.starts_with(&given)) {
                let dims: Vec<String> = self
                    .of
                    .1
                    .iter()
                    .map(|dim| {
                        dim.name().map_or_else(|| dim.size().to_string(), |name| name.as_str().to_owned())
                    })
                    .collect();
                text += &format!("{given}: [{}] ~ randn\n", dims.join(", "));
            }
        }
        text + "\n" + backward
    }

    /// The gradients in closed form that are short enough to be read.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &Stage> {
        let is_short = |stage: &&Stage| {
            stage.code.as_ref().is_some_and(|code| print(code).chars().count() <= LONGEST_CLOSED)
        };
        self.closed.iter().filter(is_short)
    }

    /// What the signs of the lines stand for, of those that are in them.
    pub(crate) fn legend(&self) -> Vec<&'static str> {
        let ranks = |name: &str| self.rank(name);
        let lines = || self.stages.iter().chain(self.readable()).flat_map(|stage| &stage.lines);
        let signs = [
            (lines().any(Line::has_delta), "δ_im is 1 where i and m are the same, and 0 elsewhere"),
            (
                lines().any(|line| line.is_entrywise(&ranks)),
                "⊙ multiplies entry by entry; an axis of size 1 is stretched",
            ),
        ];
        signs.into_iter().filter(|(is_there, _)| *is_there).map(|(_, says)| says).collect()
    }

    /// What the operations on the way say of kinks and of their domains.
    pub(crate) fn notes(&self) -> Vec<(&'static str, String)> {
        let mut seen = HashSet::new();
        let operations = self.stages.iter().flat_map(|stage| stage.operations.iter().copied());
        let mut notes = Vec::new();
        for name in operations.filter(|name| seen.insert(*name)) {
            let says = pullback_ops::find(name).map(note).unwrap_or_default();
            if !says.is_empty() {
                notes.push((name, says));
            }
        }
        notes
    }
}

/// What an operation says of its domain and of its kinks, where there is anything to say.
fn note(operation: &pullback_ops::Operation) -> String {
    let (domain, kinks) = (operation.page("Domain"), operation.page("At kinks and ties"));
    let is_anything =
        domain.is_empty() || domain.starts_with("All reals") || domain.starts_with("All shapes");
    let says = [(!is_anything).then_some(domain), (!kinks.starts_with("Smooth")).then_some(kinks)];
    says.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<String>>().join(" ")
}

/// A name without the number of the step of a loop that it has: `dL/dh` for `dL/dh[t-1]`.
fn without_step(name: &str) -> String {
    name.split('[').next().unwrap_or(name).to_owned()
}

/// The report as a JSON object.
pub fn derive_json(report: &DeriveReport) -> String {
    let sizes = |dims: &[Dim]| dims.iter().map(|dim| dim.size()).collect();
    let ranks = |name: &str| report.rank(name);
    let stage = |stage: &Stage| StageJson {
        name: stage.name(),
        value: stage.code.as_ref().map(print),
        rule: stage.rule(),
        shape: sizes(&stage.dims),
        steps: stage
            .lines
            .iter()
            .map(|line| StepJson { formula: line.text(&ranks), why: line.why.clone() })
            .collect(),
    };
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
        backward: report.stages_to(wrt).into_iter().map(stage).collect(),
        closed: report.closed.iter().find(|closed| closed.of == *wrt).map(stage),
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
    backward: Vec<StageJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<StageJson>,
}

#[derive(Serialize)]
struct StageJson {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    rule: String,
    shape: Vec<usize>,
    steps: Vec<StepJson>,
}

#[derive(Serialize)]
struct StepJson {
    formula: String,
    why: String,
}

#[cfg(test)]
mod tests {
    /// A note stands under formulas that have letters of their own: it has none but those of an operation's parameters.
    #[test]
    fn notes_are_in_words() {
        for operation in pullback_ops::table() {
            let note = super::note(operation);
            let is_article = |word: &str| ["a", "A", "I"].contains(&word);
            let is_parameter = |word: &str| operation.entry.signature.contains(&format!("{word}: "));
            let words = note.split(|c: char| !c.is_alphanumeric() && !"'’`".contains(c));
            for word in words.filter(|word| word.len() == 1 && word.chars().all(char::is_alphabetic)) {
                assert!(is_article(word) || is_parameter(word), "{}: {word} in {note}", operation.name);
            }
        }
    }
}
