//! What an entry of a dump is in a file, by its name.
//!
//! A name is read as the file would read it: `x`, `Z`, `dL/dx`, `∂L/∂x`. Where such a name is awkward to write (a keyword
//! of `np.savez`, a field), `dL_dx` is one of a derivative too, unless the file has a value of that name; and `x.grad` is
//! the gradient of the loss by x, as PyTorch calls it.

use pullback_array::file::{Dump, Entry};
use pullback_lang::{Binding, File, Names, StatementKind, nearest};
use pullback_report::Problem;

use super::stated;

/// What an entry is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An input, or a given cotangent, `dL/dZ`.
    Input(String),
    /// What the file computes too.
    Definition(String),
    /// A derivative: of the file's loss, where nothing else is said.
    Claim { of: Option<String>, wrt: String },
}

/// What each entry of a dump is in a file.
pub(super) fn roles<'a>(
    file: &File,
    dump: &'a Dump,
    called: &str,
) -> Result<Vec<(Role, &'a Entry)>, Problem> {
    let reader = Reader::new(file);
    let mut found: Vec<(Role, &Entry)> = Vec::new();
    for entry in dump.entries() {
        let role = reader.role(&entry.name).ok_or_else(|| reader.unknown(&entry.name, called))?;
        if let Some((_, earlier)) = found.iter().find(|(known, _)| *known == role) {
            let message = format!("`{}` and `{}` of {called} are the same", earlier.name, entry.name);
            return Err(Problem::new(message).with_hint("each value and each derivative is given once"));
        }
        found.push((role, entry));
    }
    Ok(found)
}

struct Reader {
    names: Names,
    /// Inputs and given cotangents.
    stated: Vec<String>,
    /// The loss of given cotangents.
    loss: Option<String>,
    /// All names of values, for hints.
    values: Vec<String>,
}

impl Reader {
    fn new(file: &File) -> Reader {
        let mut loss = None;
        let mut values = Vec::new();
        for statement in &file.statements {
            match &statement.kind {
                StatementKind::Input(input) => values.push(input.name.text.clone()),
                StatementKind::Definition(definition) => values.push(definition.name.text.clone()),
                StatementKind::Definitions(several) => {
                    values.extend(several.named().map(|name| name.text.clone()))
                }
                StatementKind::Scan(scan) => values.extend(scan.named().map(|name| name.text.clone())),
                StatementKind::IndexDefinition(definition) => values.push(definition.name.text.clone()),
                StatementKind::Upstream(upstream) => loss = Some(upstream.of.text.clone()),
                _ => {}
            }
        }
        let stated = stated(file).map(|(name, ..)| name).collect();
        Reader { names: Names::of(file), stated, loss, values }
    }

    fn role(&self, name: &str) -> Option<Role> {
        // As the language reads it.
        let name = name.trim().replace('∂', "d");
        if self.stated.contains(&name) {
            return Some(Role::Input(name));
        }
        if let Some((Binding::Definition, _)) = self.names.get(&name) {
            return Some(Role::Definition(name));
        }
        let (of, wrt) = self.derivative(&name)?;
        // The loss of given cotangents has no other gradient by what they are given for.
        let key = of.as_ref().map(|of| format!("d{of}/d{wrt}"));
        match key.filter(|key| self.stated.contains(key)) {
            Some(key) => Some(Role::Input(key)),
            None => Some(Role::Claim { of, wrt }),
        }
    }

    /// What is differentiated, and by what.
    fn derivative(&self, name: &str) -> Option<(Option<String>, String)> {
        if let Some(wrt) = name.strip_suffix(".grad") {
            return self.is_value(wrt).then(|| (self.loss.clone(), wrt.to_string()));
        }
        let name = name.strip_prefix('d')?;
        let pair = |(of, wrt): (&str, &str)| {
            (self.is_value(of) || self.loss.as_deref() == Some(of)).then_some(())?;
            self.is_value(wrt).then(|| (Some(of.to_string()), wrt.to_string()))
        };
        if let Some(found) = name.split_once("/d").and_then(pair) {
            return Some(found);
        }
        // A name may hold `_d` itself: one reading must be left.
        let mut readings =
            name.match_indices("_d").filter_map(|(at, _)| pair((&name[..at], &name[at + 2..])));
        readings.next().filter(|_| readings.next().is_none())
    }

    fn is_value(&self, name: &str) -> bool {
        matches!(self.names.get(name), Some((Binding::Input | Binding::Definition, _)))
    }

    fn unknown(&self, name: &str, called: &str) -> Problem {
        let problem = Problem::new(format!("the file has nothing for `{name}` of {called}"));
        if let Some((of, wrt)) =
            name.replace('∂', "d").strip_prefix('d').and_then(|name| name.split_once("/d"))
            && self.is_value(wrt)
            && !self.is_value(of)
            && self.loss.is_none()
        {
            return problem.with_hint(format!(
                "to give a cotangent of an output Z, declare `d{of}/dZ: [N, M] ~ randn` in the file"
            ));
        }
        let derivatives = self.values.iter().flat_map(|wrt| {
            let losses = self.values.iter().chain(&self.loss);
            losses.filter(move |of| *of != wrt).map(move |of| format!("d{of}/d{wrt}"))
        });
        // Pairs of very many names are no help.
        let derivatives: Vec<String> = derivatives.take(1000).collect();
        let known: Vec<&str> = self.values.iter().chain(&derivatives).map(String::as_str).collect();
        match nearest(name, known) {
            Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
            None => problem.with_hint(format!(
                "an entry is named like an input or a definition ({}), or like a derivative, `dL/dx`",
                listed(&self.values)
            )),
        }
    }
}

/// The first of many names.
fn listed(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
