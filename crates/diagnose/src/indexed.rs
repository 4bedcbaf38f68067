//! Slips in a definition in index notation that only claims use: `G[i,j] = …`.
//!
//! A part of one has no value of its own, so that it cannot be written into the claim as those of other definitions are. The
//! claim is computed with the value of the changed definition instead, and the right side is searched as that of a claim entry
//! by entry.

use std::collections::{BTreeMap, HashSet};

use pullback_lang::{Expr, ExprKind, File, IndexDefinition, StatementKind};
use pullback_network::Value as _;

use crate::case::{Case, Redefined};
use crate::inquiry::Inquiry;
use crate::search::{Depth, search_costed};
use crate::tree::{Statements, Tree, names, used_rightly};
use crate::{Diagnosis, Fix};

/// A definition in index notation beside a wrong claim.
pub(crate) struct Indexed<'a> {
    pub name: &'a str,
    pub expr: &'a Expr,
    /// What stands left of its `=`.
    head: String,
    /// The claim, in which right sides of the definition are tried.
    pub case: Case<'a>,
}

impl Indexed<'_> {
    /// Its right side.
    pub(crate) fn tree(&self) -> Option<Tree<'_>> {
        Tree::all(&self.case, self.expr, &[]).pop()
    }

    /// What was found of its right side, as what was found of the definition.
    pub(crate) fn named(&self, found: Diagnosis) -> Diagnosis {
        let fix = found.fix.map(|fix| Fix { definition: Some(self.head.clone()), ..fix });
        Diagnosis { fix, ..found }
    }
}

/// What is wrong with the definitions in index notation that a claim uses, and how unlikely that is.
pub(crate) fn in_index_notation(
    inquiry: &Inquiry<'_>,
    number: usize,
    depth: Depth,
) -> Option<(u32, Vec<Diagnosis>)> {
    let mut all: Vec<(u32, Vec<Diagnosis>)> = Vec::new();
    for definition in indexed(inquiry, number) {
        let found = search_costed(inquiry, number, &definition.case, definition.expr, depth);
        inquiry.spend(&definition.case);
        all.extend(
            found.map(|(cost, found)| {
                (cost, found.into_iter().map(|found| definition.named(found)).collect())
            }),
        );
    }
    all.into_iter().min_by_key(|(cost, _)| *cost)
}

/// The definitions in index notation beside a claim, each with the claim in which its right side is tried.
pub(crate) fn indexed<'s>(inquiry: &'s Inquiry<'_>, number: usize) -> Vec<Indexed<'s>> {
    let Some(expr) = &inquiry.exact.claims[number].expr else { return Vec::new() };
    let of = |definition: &'s IndexDefinition| {
        let name = definition.name.text.as_str();
        let (value, case) = (inquiry.exact.find(name)?, inquiry.case(number)?);
        let claim = if case.indices.is_some() { expr.clone() } else { down_to(inquiry.file, name, expr) };
        if !names(&claim).contains(name) {
            return None;
        }
        let redefined = Redefined::Entries {
            name: name.to_owned(),
            indices: definition.indices.clone(),
            sizes: value.val.shape(),
            // Where indices stand behind a name no expression can take its place.
            claim,
        };
        let indices: Vec<&str> = definition.indices.iter().map(|index| index.text.as_str()).collect();
        let head = format!("{name}[{}]", indices.join(", "));
        Some(Indexed { name, expr: &definition.expr, head, case: case.of_definition(&redefined) })
    };
    beside(inquiry, number).into_iter().filter_map(of).collect()
}

/// The definitions in index notation that a claim uses, by itself or through other definitions, and that are no part of what it
/// differentiates nor used rightly.
pub(crate) fn beside<'s>(inquiry: &'s Inquiry<'_>, number: usize) -> Vec<&'s IndexDefinition> {
    let claim = &inquiry.exact.claims[number];
    let mut reached = claim.expr.as_ref().map_or_else(Vec::new, |expr| definitions(inquiry.file, expr));
    if !reached.is_empty() {
        let used = used_rightly(claim, &inquiry.right());
        reached.retain(|definition| {
            let value = inquiry.exact.find(&definition.name.text);
            value.is_some_and(|value| !used.contains(&value.val.id()))
        });
    }
    reached
}

/// The definitions in index notation that an expression uses, through others too.
fn definitions<'f>(file: &'f File, expr: &Expr) -> Vec<&'f IndexDefinition> {
    let statements = Statements::of(file);
    let mut found = Vec::new();
    let mut seen: HashSet<usize> = HashSet::new();
    // In file order, whatever the order of the names in an expression.
    let stated = |expr: &Expr| -> BTreeMap<usize, &'f StatementKind> {
        names(expr).into_iter().flat_map(|name| statements.of_name(name)).collect()
    };
    let mut pending: Vec<(usize, &StatementKind)> = stated(expr).into_iter().collect();
    while let Some((place, statement)) = pending.pop() {
        match statement {
            _ if !seen.insert(place) => {}
            StatementKind::Definition(definition) => pending.extend(stated(&definition.expr)),
            StatementKind::IndexDefinition(definition) => found.push(definition),
            _ => {}
        }
    }
    found
}

/// An expression with the right sides of the definitions between it and a name.
fn down_to(file: &File, name: &str, expr: &Expr) -> Expr {
    if let ExprKind::Name(used) = &expr.kind {
        let right = file.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Definition(definition) if definition.name.text == *used => Some(&definition.expr),
            _ => None,
        });
        return match right {
            Some(right) if definitions(file, right).iter().any(|found| found.name.text == name) => {
                down_to(file, name, right)
            }
            _ => expr.clone(),
        };
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = down_to(file, name, child);
    }
    copy
}
