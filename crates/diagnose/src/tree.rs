//! The expressions in which the mistake may stand, and the parts of them: the claim's own, and the right sides of
//! definitions that nothing but claims uses (`dz_dx = W.T`).

use std::collections::{BTreeSet, HashSet};

use pullback_lang::program::{Claim, Claimed, Program};
use pullback_lang::{BinaryOp, Expr, ExprKind, File, StatementKind};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

use crate::case::{Case, Known};
use crate::edit::{Path, part};
use crate::factor::Quantity;

/// Parts beyond so many are not gone through.
const MOST_PARTS: usize = 64;

/// A definition that claims use and the forward pass does not.
#[derive(Clone)]
pub(crate) struct Aside {
    pub name: String,
    pub expr: Expr,
}

/// The definitions behind a claim that are no part of what it differentiates, nor of a claim that holds (`right`): what is
/// used rightly elsewhere is right.
pub(crate) fn asides(
    file: &File,
    program: &Program,
    claim: &Claim,
    expr: &Expr,
    right: &[&Claim],
) -> Vec<Aside> {
    let mut forward = graph_of(&claim.of);
    for claim in right {
        if let Claimed::Value { val, .. } = &claim.claimed {
            forward.extend(graph_of(val));
        }
    }
    let mut asides: Vec<Aside> = Vec::new();
    let mut pending: Vec<&Expr> = vec![expr];
    let mut seen: HashSet<&str> = HashSet::new();
    while let Some(next) = pending.pop() {
        for name in names(next) {
            if !seen.insert(name) {
                continue;
            }
            let stated = file.statements.iter().find_map(|statement| match &statement.kind {
                StatementKind::Definition(definition) if definition.name.text == name => Some(definition),
                _ => None,
            });
            if let (Some(definition), Some(value)) = (stated, program.find(name))
                && !forward.contains(&value.val.id())
            {
                asides.push(Aside { name: name.to_owned(), expr: definition.expr.clone() });
                pending.push(&definition.expr);
            }
        }
    }
    asides
}

/// The values that one is computed from.
fn graph_of(val: &Val) -> HashSet<u64> {
    let mut seen = HashSet::new();
    let mut pending = vec![val];
    while let Some(next) = pending.pop() {
        if seen.insert(next.id()) {
            pending.extend(next.inputs());
        }
    }
    seen
}

/// The names that an expression uses.
fn names(expr: &Expr) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    expr.walk(&mut |part| {
        if let ExprKind::Name(name) = &part.kind {
            names.insert(name.as_str());
        }
    });
    names
}

/// An expression that may be changed.
pub(crate) struct Tree<'a> {
    pub case: &'a Case<'a>,
    /// The definition whose right side it is; none for the claim's own.
    pub definition: Option<&'a str>,
    pub root: Expr,
    /// Where it stands in the file: what is bound behind it, it cannot use.
    before: usize,
    /// The claim's expression, and the definitions beside it.
    claim: &'a Expr,
    asides: &'a [Aside],
}

impl<'a> Tree<'a> {
    /// The trees of a claim, its own first.
    pub(crate) fn all(case: &'a Case<'a>, claim: &'a Expr, asides: &'a [Aside]) -> Vec<Tree<'a>> {
        let tree = |definition, root: &Expr| {
            let (root, before) = (root.clone(), root.span.start);
            Tree { case, definition, root, before, claim, asides }
        };
        let mut trees = vec![tree(None, claim)];
        trees.extend(asides.iter().map(|aside| tree(Some(aside.name.as_str()), &aside.expr)));
        trees
    }

    /// The same tree once it is changed.
    pub(crate) fn changed(&self, root: Expr) -> Tree<'a> {
        Tree { root, ..*self }
    }

    /// What the claim is where `root` stands in place of this tree's expression.
    pub(crate) fn claim_with(&self, root: &Expr) -> Expr {
        match self.definition {
            None => root.clone(),
            Some(name) => self.inlined(self.claim, name, root),
        }
    }

    /// An expression with `with` in place of a definition's name, and with the right sides of the definitions between.
    fn inlined(&self, expr: &Expr, name: &str, with: &Expr) -> Expr {
        if let ExprKind::Name(used) = &expr.kind {
            if used == name {
                return with.clone();
            }
            return match self.asides.iter().find(|aside| aside.name == *used) {
                // A definition uses none that stand after it, so that this ends.
                Some(aside) => self.inlined(&aside.expr, name, with),
                None => expr.clone(),
            };
        }
        let mut copy = expr.clone();
        for child in copy.children_mut() {
            *child = self.inlined(child, name, with);
        }
        copy
    }

    /// The parts that causes may change, the root first.
    pub(crate) fn places(&self) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        self.collect(&mut Vec::new(), &mut 0, &mut places);
        places
    }

    fn collect<'t>(&'t self, path: &mut Path, visited: &mut usize, places: &mut Vec<Place<'t>>) {
        let Some(expr) = part(&self.root, path) else { return };
        *visited += 1;
        if *visited > MOST_PARTS {
            return;
        }
        // Inside index notation a part has no shape of its own.
        let dims = match &self.case.indices {
            Some(_) => None,
            None => self.case.own().value(expr).map(|val| val.dims().to_vec()),
        };
        let parent = path.split_last().and_then(|(&child, above)| Some((part(&self.root, above)?, child)));
        if dims.is_some() || self.case.indices.is_some() || path.is_empty() {
            places.push(Place { tree: self, path: path.clone(), expr, parent, dims });
        }
        for child in operands(expr) {
            path.push(child);
            self.collect(path, visited, places);
            path.pop();
        }
    }
}

/// The children that are values, and no axes, shapes, words or indices.
fn operands(expr: &Expr) -> Vec<usize> {
    match &expr.kind {
        ExprKind::Negate(_) | ExprKind::Transpose(_) | ExprKind::Index { .. } => vec![0],
        ExprKind::Binary { .. } => vec![0, 1],
        ExprKind::Call { function, args, .. } => {
            if matches!(function.text.as_str(), "eye" | "ones" | "zeros" | "arange") {
                return Vec::new();
            }
            let is_value = |arg: &Expr| {
                !matches!(
                    arg.kind,
                    ExprKind::Number { .. } | ExprKind::List(_) | ExprKind::Text(_) | ExprKind::Bool(_)
                )
            };
            args.iter().enumerate().filter(|(_, arg)| is_value(arg)).map(|(at, _)| at).collect()
        }
        _ => Vec::new(),
    }
}

/// A part of a tree, as a cause sees it.
pub(crate) struct Place<'t> {
    pub tree: &'t Tree<'t>,
    pub path: Path,
    pub expr: &'t Expr,
    /// What it is an operand of, and which.
    pub parent: Option<(&'t Expr, usize)>,
    /// Its shape; none inside index notation.
    pub dims: Option<Vec<Dim>>,
}

impl Place<'_> {
    pub(crate) fn case(&self) -> &Case<'_> {
        self.tree.case
    }

    pub(crate) fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// Is it a whole, or a term of a sum?
    pub(crate) fn is_term(&self) -> bool {
        match self.parent.map(|(parent, _)| &parent.kind) {
            None => true,
            Some(ExprKind::Binary { operator, .. }) => {
                matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub)
            }
            _ => false,
        }
    }

    /// The number of axes of an operand; 0 where it has no value of its own.
    pub(crate) fn axes_of(&self, operand: &Expr) -> usize {
        self.dims_of(operand).map_or(0, |dims| dims.len())
    }

    /// The values that an expression at this place may use.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Known> {
        let before = self.tree.before;
        self.case().known.iter().filter(move |known| known.bound < before)
    }

    /// The sizes and scalars that one may use.
    pub(crate) fn quantities(&self) -> Vec<Quantity> {
        self.case().quantities(self.tree.before)
    }

    /// The number of axes; 0 where it is not known.
    pub(crate) fn ndim(&self) -> usize {
        self.dims.as_ref().map_or(0, Vec::len)
    }

    /// The shape of an operand.
    pub(crate) fn dims_of(&self, operand: &Expr) -> Option<Vec<Dim>> {
        self.case().own().value(operand).map(|val| val.dims().to_vec())
    }
}
