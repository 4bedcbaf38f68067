//! The search: single edits first, then pairs, the likeliest first, each tried on all data.
//!
//! Bounds: an expression is gone through up to its 64th part; at most 6,000 candidates are evaluated for one claim, and
//! fewer where the claim is large, so that all of them together compute some 2²⁶ numbers (60 candidates at the least); pairs
//! are made of the 120 likeliest first edits. Where the file allows other sizes a candidate is tried on a small copy of the
//! program first, and only what fits there is tried at full size.

use std::collections::{BTreeSet, HashSet};

use pullback_lang::{Expr, ExprKind, Span, print};

use crate::case::Case;
use crate::causes::CAUSES;
use crate::edit::{Edit, replaced, size};
use crate::inquiry::Inquiry;
use crate::tree::{Tree, asides};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// So many first edits are combined with second ones.
const MOST_FIRST: usize = 120;

/// Pairs dearer than this are not slips any more.
const DEAREST: u32 = 8;

/// What may be meant, and what was changed to get there.
#[derive(Clone)]
struct Candidate<'a> {
    changes: Vec<Change>,
    definition: Option<&'a str>,
    /// The changed right side, and the claim with it.
    root: Expr,
    claim: Expr,
}

#[derive(Clone)]
struct Change {
    cause: &'static str,
    cost: u32,
    sized: bool,
    span: Span,
    label: Words,
    explanation: Words,
}

impl Candidate<'_> {
    fn cost(&self) -> u32 {
        self.changes.iter().map(|change| change.cost).sum()
    }

    fn sized(&self) -> bool {
        self.changes.iter().any(|change| change.sized)
    }

    /// A factor put in and another taken out is one thing in the place of another, whatever both are: no slip of these.
    fn replaces(&self) -> bool {
        let has = |cause: &str| self.changes.iter().any(|change| change.cause == cause);
        has("missing-factor") && has("extra-factor")
    }

    fn causes(&self) -> Vec<&'static str> {
        self.changes.iter().map(|change| change.cause).collect()
    }
}

/// What is wrong with a claim: one diagnosis, or several that the data cannot tell apart.
pub(crate) fn search(inquiry: &Inquiry<'_>, number: usize, case: &Case<'_>, expr: &Expr) -> Vec<Diagnosis> {
    let asides = match case.indices {
        // Index names shadow others: a definition is not put in their place.
        Some(_) => Vec::new(),
        None => asides(inquiry.file, inquiry.exact, case.claim, expr, &inquiry.right()),
    };
    let trees = Tree::all(case, expr, &asides);
    let mut tried: HashSet<String> = HashSet::from([print(expr)]);
    let mut singles: Vec<Candidate<'_>> =
        trees.iter().flat_map(|tree| candidates(tree, tree.definition, &[])).collect();
    rank(&mut singles, &trees);
    let mut fitting: Vec<&Candidate<'_>> = Vec::new();
    for single in &singles {
        if tried.insert(print(&single.claim)) && case.fits(&single.claim) {
            fitting.push(single);
        }
    }
    let found = concluded(inquiry, number, case, &fitting);
    if !found.is_empty() {
        return found;
    }
    let mut pairs: Vec<Candidate<'_>> = Vec::new();
    for first in singles.iter().take(MOST_FIRST) {
        let Some(tree) = trees.iter().find(|tree| tree.definition == first.definition) else { continue };
        if case.exhausted() {
            break;
        }
        pairs.extend(candidates(&tree.changed(first.root.clone()), first.definition, &first.changes));
    }
    pairs.retain(|pair| pair.cost() <= DEAREST && !pair.replaces());
    rank(&mut pairs, &trees);
    let mut fitting: Vec<&Candidate<'_>> = Vec::new();
    for pair in &pairs {
        if fitting.first().is_some_and(|best| best.cost() < pair.cost()) || case.exhausted() {
            break;
        }
        if tried.insert(print(&pair.claim)) && case.fits(&pair.claim) {
            fitting.push(pair);
        }
    }
    concluded(inquiry, number, case, &fitting)
}

/// What all causes propose at all places of a tree, behind what was changed before.
fn candidates<'a>(tree: &Tree<'_>, definition: Option<&'a str>, before: &[Change]) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for place in tree.places() {
        for cause in CAUSES {
            for edit in (cause.edits)(&place) {
                let Edit { with, cost, span, sized, label, explanation } = edit;
                let label = label.unwrap_or_else(|| Words::new().expr(&with).say(" belongs here"));
                let span = span.unwrap_or(place.expr.span);
                let change = Change { cause: cause.word, cost, sized, span, label, explanation };
                let root = replaced(&tree.root, &place.path, with);
                let claim = tree.claim_with(&root);
                let changes = before.iter().cloned().chain([change]).collect();
                candidates.push(Candidate { changes, definition, root, claim });
            }
        }
    }
    candidates
}

/// The likeliest first; of those the ones that change least, and of those the shortest.
fn rank(candidates: &mut [Candidate<'_>], trees: &[Tree<'_>]) {
    candidates.sort_by_cached_key(|candidate| {
        let tree = trees.iter().find(|tree| tree.definition == candidate.definition);
        let (before, after) = (tree.map_or(0, |tree| size(&tree.root)), size(&candidate.root));
        (candidate.cost(), before.abs_diff(after), after)
    });
}

/// The first of what fits that holds as a claim does; with it, where no data of other sizes was there, what differs in a
/// number or a size and has another cause.
fn concluded(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    fitting: &[&Candidate<'_>],
) -> Vec<Diagnosis> {
    let mut holding = fitting.iter().filter_map(|candidate| {
        let residual = inquiry.accepted(number, &candidate.claim)?;
        Some((*candidate, residual))
    });
    let Some(best) = holding.next() else { return Vec::new() };
    let mut told = vec![best];
    if !case.resized && best.0.sized() {
        let sizes = sizes(case);
        let used = |candidate: &Candidate<'_>| used(&candidate.root, &sizes);
        for other in holding.filter(|(other, _)| other.sized()) {
            let is_other = |known: &(&Candidate<'_>, f64)| {
                known.0.causes() != other.0.causes() && used(known.0) != used(other.0)
            };
            if told.iter().all(is_other) {
                told.push(other);
            }
        }
    }
    told.into_iter().map(|(candidate, residual)| diagnosis(candidate, residual)).collect()
}

/// The names of the sizes of the program.
fn sizes(case: &Case<'_>) -> BTreeSet<String> {
    let dims = case.own().program.values.iter().flat_map(|value| value.val.dims());
    dims.filter_map(|dim| Some(dim.name()?.as_str().to_owned())).collect()
}

/// Those that an expression uses: two candidates that use others differ at other sizes.
fn used<'s>(expr: &Expr, sizes: &'s BTreeSet<String>) -> BTreeSet<&'s str> {
    let mut used = BTreeSet::new();
    expr.walk(&mut |part| {
        if let ExprKind::Name(name) = &part.kind
            && let Some(size) = sizes.get(name)
        {
            used.insert(size.as_str());
        }
    });
    used
}

fn diagnosis(candidate: &Candidate<'_>, residual: f64) -> Diagnosis {
    let mut changes = candidate.changes.iter();
    let first = changes.next().expect("a candidate changes something");
    let explanation = changes.fold(first.explanation.clone(), |words, change| {
        words.say(" Besides: ").then(change.explanation.clone())
    });
    let fix = Fix {
        definition: candidate.definition.map(str::to_owned),
        expr: candidate.root.clone(),
        residual: Some(residual),
    };
    Diagnosis {
        cause: first.cause,
        explanation,
        span: first.span,
        label: first.label.clone(),
        partner: None,
        fix: Some(fix),
    }
}
