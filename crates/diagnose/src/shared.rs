//! A mistake in a definition that several wrong claims use is one mistake: the definition is corrected, and all of them are
//! right.

use std::collections::HashMap;

use pullback_lang::Expr;
use pullback_ops::Val;

use crate::case::Case;
use crate::indexed::{Indexed, indexed};
use crate::inquiry::Inquiry;
use crate::search::{is_data, search_definition};
use crate::tree::{Aside, Tree, asides};
use crate::{Diagnosis, Fix};

/// Of a file with more wrong claims the first tell what is wrong with their definitions.
const MOST_CLAIMS: usize = 16;

/// The claims of the same mistake, by number and in order, for each claim: those whose fix corrects the same definition to
/// the same. Empty for a claim whose mistake is its own.
pub fn sharing(found: &[Vec<Diagnosis>]) -> Vec<Vec<usize>> {
    let corrected = |found: &Vec<Diagnosis>| match found.as_slice() {
        [Diagnosis { fix: Some(Fix { definition: Some(name), expr, .. }), .. }] => {
            Some((name.clone(), expr.clone()))
        }
        _ => None,
    };
    let all: Vec<Option<(String, Expr)>> = found.iter().map(corrected).collect();
    let same = |one: &Option<(String, Expr)>| -> Vec<usize> {
        if one.is_none() {
            return Vec::new();
        }
        (0..all.len()).filter(|&other| all[other] == *one).collect()
    };
    all.iter().map(|one| Some(same(one)).filter(|same| same.len() > 1).unwrap_or_default()).collect()
}

/// A wrong claim with the definitions beside it.
struct User<'a> {
    number: usize,
    case: Case<'a>,
    expr: &'a Expr,
    asides: Vec<Aside>,
    indexed: Vec<Indexed<'a>>,
}

impl User<'_> {
    fn definitions(&self) -> impl Iterator<Item = &str> {
        let indexed = self.indexed.iter().map(|definition| definition.name);
        self.asides.iter().map(|aside| aside.name.as_str()).chain(indexed)
    }

    fn indexed(&self, name: &str) -> Option<&Indexed<'_>> {
        self.indexed.iter().find(|definition| definition.name == name)
    }

    /// The tree of a definition that it uses.
    fn tree(&self, name: &str) -> Option<Tree<'_>> {
        if let Some(definition) = self.indexed(name) {
            return definition.tree();
        }
        let mut trees = Tree::all(&self.case, self.expr, &self.asides).into_iter();
        trees.find(|tree| tree.is_of(name))
    }

    /// The claim once the definition has another right side, where that makes it right.
    fn corrected(&self, name: &str, root: &Expr) -> Option<Val> {
        let tree = self.tree(name)?;
        let claim = tree.claim_with(root);
        if tree.case.fits(&claim) { tree.case.own().value(&claim) } else { None }
    }

    fn named(&self, name: &str, found: Diagnosis) -> Diagnosis {
        match self.indexed(name) {
            Some(definition) => definition.named(found),
            None => found,
        }
    }
}

/// What is wrong with the claims that become right together where one definition is changed in one place.
pub(crate) fn in_definitions(inquiry: &Inquiry<'_>) -> HashMap<usize, Diagnosis> {
    let mut found = HashMap::new();
    let users = users(inquiry);
    let mut tried: Vec<&str> = Vec::new();
    for first in &users {
        for name in first.definitions() {
            if found.contains_key(&first.number) || tried.contains(&name) {
                continue;
            }
            tried.push(name);
            let using: Vec<&User<'_>> = users
                .iter()
                .filter(|user| !found.contains_key(&user.number))
                .filter(|user| user.definitions().any(|used| used == name))
                .collect();
            found.extend(of_definition(inquiry, &using, name));
        }
    }
    found
}

fn of_definition(inquiry: &Inquiry<'_>, using: &[&User<'_>], name: &str) -> Vec<(usize, Diagnosis)> {
    // A claim with another mistake beside this one is right by no correction of the definition alone.
    for (at, first) in using.iter().enumerate() {
        let others = &using[at + 1..];
        let some = |root: &Expr| others.iter().any(|user| user.corrected(name, root).is_some());
        let Some(tree) = first.tree(name).filter(|_| !others.is_empty()) else { continue };
        let Some(diagnosis) = search_definition(inquiry, first.number, tree, &some) else { continue };
        let diagnosis = first.named(name, diagnosis);
        let Some(fix) = &diagnosis.fix else { continue };
        let of_other = |user: &&User<'_>| {
            let residual = inquiry.holds(user.number, &user.corrected(name, &fix.expr)?)?;
            let fix = Fix { residual: Some(residual), ..fix.clone() };
            Some((user.number, Diagnosis { fix: Some(fix), ..diagnosis.clone() }))
        };
        let told: Vec<(usize, Diagnosis)> = others.iter().filter_map(of_other).collect();
        if !told.is_empty() {
            return [vec![(first.number, diagnosis)], told].concat();
        }
    }
    Vec::new()
}

fn users<'a>(inquiry: &'a Inquiry<'_>) -> Vec<User<'a>> {
    let right = inquiry.right();
    let user = |number: usize| {
        let claim = &inquiry.exact.claims[number];
        let expr = claim.expr.as_ref()?;
        let indexed = indexed(inquiry, number);
        let mut asides = asides(inquiry.file, inquiry.exact, claim, expr, &right);
        if is_data(expr, &asides) {
            asides.clear();
        }
        if asides.is_empty() && indexed.is_empty() {
            return None;
        }
        let case = inquiry.case(number)?;
        if case.indices.is_some() {
            asides.clear();
        }
        Some(User { number, case, expr, asides, indexed })
    };
    if inquiry.suspects().count() < 2 {
        return Vec::new();
    }
    inquiry.suspects().filter_map(user).take(MOST_CLAIMS).collect()
}
