//! Which names are known so far.
//!
//! Whether `dL/dv` refers to a claim or divides two variables depends on what is known at that point, so the
//! parser keeps this list as it goes down the file. Dims and values share one namespace; functions have one of
//! their own, since they mean something in call position only. Whether a name is *used* without being known is
//! not decided here: in `-e` that is an input.

use super::ast::{ClaimKey, DimSpec, File, Layout, Name, StatementKind};
use crate::span::Span;
use std::collections::HashMap;

/// What a name was bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// A dim, in a declared shape.
    Dim,
    /// An input.
    Input,
    /// A definition.
    Definition,
    /// The loss of a given cotangent, `L` in `dL/dZ: [N, M] ~ randn`, which has no value.
    Loss,
}

impl Binding {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Dim => "a dim",
            Self::Input => "an input",
            Self::Definition => "a definition",
            Self::Loss => "the loss of a given cotangent",
        }
    }
}

/// A claim that a text makes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// Which derivative, in which layout.
    pub key: ClaimKey,
    /// Where it stands.
    pub place: Span,
    /// Whether it is stated entry by entry, which is one more way to claim the same derivative.
    pub entrywise: bool,
}

/// The names, functions and claims that a text has introduced so far.
#[derive(Clone, Debug, Default)]
pub struct Names {
    values: HashMap<String, (Binding, Span)>,
    functions: HashMap<String, Span>,
    claims: HashMap<(String, Vec<String>), Vec<Claimed>>,
    /// Where each key was claimed first, so that a file of a million claims is read in linear time.
    keys: HashMap<String, Span>,
}

impl Names {
    /// All names of a file: those an expression at its end could use.
    pub fn of(file: &File) -> Self {
        let mut names = Self::default();
        for statement in &file.statements {
            match &statement.kind {
                StatementKind::Input(input) => {
                    for dim in input.shape.iter().flat_map(|shape| &shape.dims) {
                        names.bind_dim(dim);
                    }
                    names.bind(&input.name, Binding::Input);
                }
                StatementKind::Definition(definition) => names.bind(&definition.name, Binding::Definition),
                StatementKind::Definitions(definitions) => {
                    definitions.named().for_each(|name| names.bind(name, Binding::Definition));
                }
                StatementKind::IndexDefinition(definition) => {
                    names.bind(&definition.name, Binding::Definition)
                }
                StatementKind::Function(function) => names.bind_function(&function.name),
                StatementKind::Scan(scan) => {
                    scan.named().for_each(|name| names.bind(name, Binding::Definition));
                }
                StatementKind::Upstream(upstream) => {
                    for dim in &upstream.shape.dims {
                        names.bind_dim(dim);
                    }
                    names.bind(&upstream.of, Binding::Loss);
                    names.claim(&total(&upstream.of, &upstream.wrt), statement.span, false);
                }
                StatementKind::Claim(claim) => names.claim(&claim.key, statement.span, false),
                StatementKind::EntryClaim(claim) => {
                    names.claim(&total(&claim.of, &claim.wrt), statement.span, true);
                }
                StatementKind::Seed(_)
                | StatementKind::DType(_)
                | StatementKind::ShapeClaim(_)
                | StatementKind::Expression(_) => {}
            }
        }
        names
    }

    /// What the name is bound to and where, if it is known.
    pub fn get(&self, name: &str) -> Option<(Binding, Span)> {
        self.values.get(name).copied()
    }

    /// Where the file defines a function of that name.
    pub fn function(&self, name: &str) -> Option<Span> {
        self.functions.get(name).copied()
    }

    /// The claims about a derivative, in every layout, each with its place.
    pub fn claims(&self, of: &Name, wrt: &[Name]) -> &[Claimed] {
        self.claims.get(&derivative_key(of, wrt)).map_or(&[], Vec::as_slice)
    }

    /// Where this very key was claimed before, in this very way.
    pub(crate) fn claimed(&self, key: &ClaimKey, entrywise: bool) -> Option<Span> {
        self.keys.get(&identity(key, entrywise)).copied()
    }

    pub(crate) fn known(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// All names with a value or a size, in no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Binds a name; the first binding stays.
    pub(crate) fn bind(&mut self, name: &Name, binding: Binding) {
        self.values.entry(name.text.clone()).or_insert((binding, name.span));
    }

    pub(crate) fn bind_dim(&mut self, dim: &DimSpec) {
        match dim {
            DimSpec::Bind { name, .. } | DimSpec::Dim(name) => self.bind(name, Binding::Dim),
            DimSpec::Size(_) => {}
        }
    }

    pub(crate) fn bind_function(&mut self, name: &Name) {
        self.functions.entry(name.text.clone()).or_insert(name.span);
    }

    pub(crate) fn claim(&mut self, key: &ClaimKey, place: Span, entrywise: bool) {
        self.keys.entry(identity(key, entrywise)).or_insert(place);
        let claimed = Claimed { key: key.clone(), place, entrywise };
        self.claims.entry(derivative_key(&key.of, &key.wrt)).or_default().push(claimed);
    }
}

/// The key of the total derivative in no layout in particular.
pub(crate) fn total(of: &Name, wrt: &Name) -> ClaimKey {
    ClaimKey { of: of.clone(), wrt: vec![wrt.clone()], layout: Layout::Default, fixed: Vec::new() }
}

/// The same text for the same claim: in what order the fixed names are listed does not matter.
fn identity(key: &ClaimKey, entrywise: bool) -> String {
    let mut key = key.clone();
    key.fixed.sort_by(|a, b| a.text.cmp(&b.text));
    if entrywise { format!("{key} by entries") } else { key.to_string() }
}

fn derivative_key(of: &Name, wrt: &[Name]) -> (String, Vec<String>) {
    (of.text.clone(), wrt.iter().map(|name| name.text.clone()).collect())
}
