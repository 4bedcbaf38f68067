//! The search: single edits first, then pairs, the likeliest first, each tried on all data.
//!
//! Bounds, for one claim: an expression of more than 400 parts is not searched, and of one that is, the first 64 parts are
//! changed; at most 4,000 candidates are evaluated (100,000 for all claims of a file together), and fewer where one costs
//! much, so that all of them take some 2³¹ multiplications; pairs are made of the 60 likeliest first edits. Where the file
//! allows other sizes a candidate is tried on a small copy of the program first, and only what fits there is tried at full
//! size.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use pullback_array::DType;
use pullback_lang::{BinaryOp, Expr, ExprKind, print};
use pullback_ops::Val;

use crate::case::{CLOSE, Case, Trial};
use crate::causes::CAUSES;
use crate::edit::{Edit, Path, binary, number, part, replaced, size};
use crate::factor::USUAL;
use crate::inquiry::{Inquiry, MOST_CANDIDATES};
use crate::tree::{Aside, Tree, asides};
use crate::words::Words;
use crate::{Diagnosis, Fix};

/// Larger expressions are data more often than formulas.
const MOST_PARTS: usize = 400;

/// So many first edits are combined with second ones; fewer where it is a derived formula that is changed.
const MOST_FIRST: usize = 60;
const MOST_FIRST_BACKWARDS: usize = 24;

/// How many parts an expression may be longer for being a likelier slip.
const PARTS_FOR_COST: usize = 2;

/// Of as many candidates as are tried at most one gives fewer bits by chance.
pub(crate) const BITS_OF_A_MASK: usize = MOST_CANDIDATES.ilog2() as usize + 1;

/// Pairs dearer than this are not slips any more.
pub(crate) const DEAREST: u32 = 7;

/// An edit that a cause proposes at a place of a tree.
#[derive(Clone)]
struct Proposal {
    cause: &'static str,
    path: Path,
    edit: Edit,
    /// Is it about what a mask compares?
    in_mask: bool,
}

/// One edit or two, by number: in which tree, which first, which second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    cost: u32,
    /// How much longer or shorter the expression becomes, and how long.
    change: usize,
    length: usize,
    tree: usize,
    first: usize,
    second: Option<usize>,
}

/// A candidate that fits.
struct Fit {
    changes: Vec<Proposal>,
    definition: Option<String>,
    root: Expr,
    claim: Expr,
}

/// How far the search goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Singles,
    Pairs,
    /// Pairs alone, where it is known that no single edit fits.
    PairsAlone,
}

/// What is wrong with a claim: one diagnosis, or several that the data cannot tell apart.
pub(crate) fn search(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    expr: &Expr,
    depth: Depth,
) -> Vec<Diagnosis> {
    search_costed(inquiry, number, case, expr, depth).map_or_else(Vec::new, |(_, found)| found)
}

/// The same with how unlikely the first is; `None` where nothing is found.
pub(crate) fn search_costed(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    expr: &Expr,
    depth: Depth,
) -> Option<(u32, Vec<Diagnosis>)> {
    let asides = match case.indices {
        // Index names shadow others: a definition is not put in their place.
        Some(_) => Vec::new(),
        None => asides(inquiry.file, inquiry.exact, case.claim, expr, &inquiry.right()),
    };
    if case.exhausted() {
        return None;
    }
    if is_data(expr, &asides) {
        return None;
    }
    let trees = Tree::all(case, expr, &asides);
    let mut search = Search { case, tried: HashSet::from([hashed(expr)]) };
    let firsts: Vec<Vec<Proposal>> = trees.iter().map(proposals).collect();
    let singles = ordered(&trees, &firsts);
    let mut fitting: Vec<Candidate> = Vec::new();
    for &single in singles.iter().filter(|_| depth != Depth::PairsAlone) {
        let (tree, proposal) = (&trees[single.tree], &firsts[single.tree][single.first]);
        if search.fits(tree, &proposal.root(&tree.root)) {
            fitting.push(single);
        }
    }
    if case.backwards && fitting.iter().any(|single| firsts[single.tree][single.first].in_mask) {
        // Each entry that is wrong is a bit of a mask.
        let is_told = wrong_entries(case, expr) >= BITS_OF_A_MASK;
        fitting.retain(|single| is_told || !firsts[single.tree][single.first].in_mask);
    }
    // All of them give the same numbers: backwards the shortest expression says best what was computed.
    fitting.sort_by_key(|single| {
        let cost = firsts[single.tree][single.first].cost(case);
        if case.backwards { single.length + PARTS_FOR_COST * cost as usize } else { cost as usize }
    });
    let fit = |candidate: &Candidate| {
        let tree = &trees[candidate.tree];
        let first = firsts[candidate.tree][candidate.first].clone();
        let (root, changes) = (first.root(&tree.root), vec![first]);
        Fit { changes, definition: tree.definition.clone(), claim: tree.claim_with(&root), root }
    };
    let found = concluded(inquiry, number, case, fitting.iter().map(fit));
    if found.is_some() || depth == Depth::Singles {
        return found;
    }
    let mut pairs: Vec<Candidate> = Vec::new();
    let mut seconds: Vec<(Tree<'_>, Vec<Proposal>)> = Vec::new();
    let most = if case.backwards { MOST_FIRST_BACKWARDS } else { MOST_FIRST };
    for &first in singles.iter().take(most) {
        let (tree, proposal) = (&trees[first.tree], &firsts[first.tree][first.first]);
        let changed = tree.changed(proposal.root(&tree.root));
        let of_changed = proposals(&changed);
        for (second, other) in of_changed.iter().enumerate() {
            let cost = first.cost + other.edit.cost;
            if cost <= DEAREST && !replaces(proposal.cause, other.cause) {
                let (change, length) = other.lengths(&changed.root);
                let (change, second) = (first.change + change, Some(second));
                pairs.push(Candidate { cost, change, length, tree: seconds.len(), second, ..first });
            }
        }
        seconds.push((changed, of_changed));
    }
    pairs.sort();
    let mut fitting: Vec<Fit> = Vec::new();
    let mut best: Option<u32> = None;
    for &pair in &pairs {
        if best.is_some_and(|best| best < pair.cost) || case.exhausted() {
            break;
        }
        let (tree, of_tree) = &seconds[pair.tree];
        let Some(proposal) = pair.second.and_then(|second| of_tree.get(second)) else { continue };
        let root = proposal.root(&tree.root);
        if search.fits(tree, &root) {
            best.get_or_insert(pair.cost);
            let first = firsts[singles[pair.tree].tree][pair.first].clone();
            let changes = vec![first, proposal.clone()];
            fitting.push(Fit {
                changes,
                definition: tree.definition.clone(),
                claim: tree.claim_with(&root),
                root,
            });
        }
    }
    concluded(inquiry, number, case, fitting.into_iter())
}

/// How many entries of an expression are not the numbers that are sought, on all data.
fn wrong_entries(case: &Case<'_>, expr: &Expr) -> usize {
    let on = |trial: &Trial<'_>| {
        let is = trial.numbers(expr)?;
        let sought = trial.expected(is.shape())?;
        let least = trial.close() * sought.max_abs();
        Some(
            is.as_f64()
                .iter()
                .zip(&*sought.as_f64())
                .filter(|(is, sought)| (*is - *sought).abs() > least)
                .count(),
        )
    };
    case.trials.iter().filter_map(on).sum()
}

/// One edit of a definition beside several wrong claims that makes the first of them right, and others (`others`) too. One
/// slip that explains several claims is told before several that explain one each.
pub(crate) fn search_definition(
    inquiry: &Inquiry<'_>,
    number: usize,
    tree: Tree<'_>,
    others: &dyn Fn(&Expr) -> bool,
) -> Option<Diagnosis> {
    let (case, trees) = (tree.case, [tree]);
    let [tree] = &trees;
    let firsts = [proposals(tree)];
    let singles = ordered(&trees, &firsts);
    let mut search = Search { case, tried: HashSet::from([hashed(&tree.claim_with(&tree.root))]) };
    let mut fitting: Vec<Fit> = Vec::new();
    for single in singles {
        let change = firsts[0][single.first].clone();
        let root = change.root(&tree.root);
        if search.fits(tree, &root) && others(&root) {
            let claim = tree.claim_with(&root);
            fitting.push(Fit { changes: vec![change], definition: tree.definition.clone(), claim, root });
        }
    }
    let (_, mut found) = concluded(inquiry, number, case, fitting.into_iter())?;
    // What no data tells apart is told of each claim.
    if found.len() == 1 { found.pop() } else { None }
}

/// Is an expression, with the definitions beside it, too large for a formula?
pub(crate) fn is_data(expr: &Expr, asides: &[Aside]) -> bool {
    size(expr) + asides.iter().map(|aside| size(&aside.expr)).sum::<usize>() > MOST_PARTS
}

/// What one edit makes of an expression.
pub(crate) struct Single {
    pub cause: &'static str,
    pub cost: u32,
    pub root: Expr,
}

/// What single edits make of an expression, the likeliest first, each once.
pub(crate) fn singles(case: &Case<'_>, expr: &Expr) -> Vec<Single> {
    if is_data(expr, &[]) {
        return Vec::new();
    }
    let trees = Tree::all(case, expr, &[]);
    let firsts: Vec<Vec<Proposal>> = trees.iter().map(proposals).collect();
    let mut tried = HashSet::from([hashed(expr)]);
    let single = |single: Candidate| {
        let proposal = &firsts[single.tree][single.first];
        let root = proposal.root(&trees[single.tree].root);
        let is_new = tried.insert(hashed(&root));
        is_new.then(|| Single { cause: proposal.cause, cost: proposal.cost(case), root })
    };
    ordered(&trees, &firsts).into_iter().filter_map(single).collect()
}

/// The single edits of some trees, the likeliest first.
fn ordered(trees: &[Tree<'_>], firsts: &[Vec<Proposal>]) -> Vec<Candidate> {
    let mut singles: Vec<Candidate> = Vec::new();
    for (tree, of_tree) in firsts.iter().enumerate() {
        singles.extend(of_tree.iter().enumerate().map(|(first, proposal)| {
            let (change, length) = proposal.lengths(&trees[tree].root);
            Candidate { cost: proposal.edit.cost, change, length, tree, first, second: None }
        }));
    }
    singles.sort();
    singles
}

/// What has been tried.
struct Search<'a> {
    case: &'a Case<'a>,
    /// The hashes of the sources of the claims that were.
    tried: HashSet<u64>,
}

impl Search<'_> {
    /// Does a claim that has not been tried fit, with this right side in a tree's place?
    fn fits(&mut self, tree: &Tree<'_>, root: &Expr) -> bool {
        let claim = tree.claim_with(root);
        self.tried.insert(hashed(&claim)) && self.case.fits(&claim)
    }
}

fn hashed(expr: &Expr) -> u64 {
    let mut hasher = DefaultHasher::new();
    print(expr).hash(&mut hasher);
    hasher.finish()
}

/// What an expression is the negative of, where a minus stands in front of it.
fn positive(expr: &Expr) -> Option<Expr> {
    match &expr.kind {
        ExprKind::Negate(operand) => Some((**operand).clone()),
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul) =>
        {
            Some(binary(expr.span, operator.kind, positive(left)?, (**right).clone()))
        }
        _ => None,
    }
}

/// A factor put in and another taken out is one thing in the place of another, whatever both are: no slip of these.
fn replaces(one: &str, other: &str) -> bool {
    let both = [one, other];
    both.contains(&"missing-factor") && both.contains(&"extra-factor")
}

impl Proposal {
    /// The whole with the part changed. What becomes negative behind a plus or a minus is subtracted or added.
    fn root(&self, root: &Expr) -> Expr {
        let with = &self.edit.with;
        if let Some((1, above)) = self.path.split_last()
            && let Some(Expr { span, kind: ExprKind::Binary { operator, left, .. } }) = part(root, above)
            && let Some(positive) = positive(with)
            && let Some(other) = match operator.kind {
                BinaryOp::Add => Some(BinaryOp::Sub),
                BinaryOp::Sub => Some(BinaryOp::Add),
                _ => None,
            }
        {
            return replaced(root, above, binary(*span, other, (**left).clone(), positive));
        }
        replaced(root, &self.path, with.clone())
    }

    /// How unlikely it is. Backwards, what was left out explains more simply than what was made to vanish.
    fn cost(&self, case: &Case<'_>) -> u32 {
        let leaves_out = matches!(self.cause, "extra-term" | "extra-factor");
        self.edit.cost - u32::from(case.backwards && leaves_out)
    }

    /// By how much it changes the length of a right side, and what that becomes.
    fn lengths(&self, root: &Expr) -> (usize, usize) {
        let (before, after) = (part(root, &self.path).map_or(0, size), size(&self.edit.with));
        (before.abs_diff(after), size(root) + after - before)
    }

    fn sized(&self) -> bool {
        self.edit.sized
    }
}

/// What all causes propose at all places of a tree; the same again for the same tree.
fn proposals(tree: &Tree<'_>) -> Vec<Proposal> {
    let mut proposals = Vec::new();
    for place in tree.places() {
        for cause in CAUSES.iter().filter(|cause| cause.in_masks || !place.in_mask) {
            let edits = (cause.edits)(&place).into_iter();
            proposals.extend(edits.map(|mut edit| {
                edit.span.get_or_insert(place.expr.span);
                Proposal { cause: cause.word, path: place.path.clone(), edit, in_mask: place.in_mask }
            }));
        }
    }
    proposals
}

/// The first of what fits that holds as a claim does, and on more data too; with it, where no data of other sizes was there, what differs in a
/// size and has another cause.
fn concluded(
    inquiry: &Inquiry<'_>,
    number: usize,
    case: &Case<'_>,
    fitting: impl Iterator<Item = Fit>,
) -> Option<(u32, Vec<Diagnosis>)> {
    let mut holding = fitting.filter_map(|fit| {
        let residual = match case.backwards {
            true => 0.0,
            false => {
                let residual = inquiry.holds(number, &case.own().value(&fit.claim)?)?;
                inquiry.is_confirmed(number, case, &fit.claim).then_some(residual)?
            }
        };
        Some((fit, residual))
    });
    let best = holding.next()?;
    let cost = best.0.changes.iter().map(|change| change.cost(case)).sum();
    let mut told = vec![best];
    if !case.resized && told[0].0.sized() {
        let sizes = sizes(case);
        // Other code has a 2 too many, or a size too few; where the two are equal, a large one is the size.
        let is_likely = |other: &Fit| other.sized() && !(case.backwards && other.has_large_number());
        for other in holding.filter(|(other, _)| is_likely(other)) {
            let is_other = |known: &(Fit, f64)| {
                known.0.causes() != other.0.causes()
                    && used(&known.0.root, &sizes) != used(&other.0.root, &sizes)
                    && !same_at_any_size(case, &sizes, &known.0.claim, &other.0.claim)
            };
            if told.iter().all(is_other) {
                told.push(other);
            }
        }
    }
    Some((cost, told.into_iter().map(|(fit, residual)| fit.diagnosis(residual)).collect()))
}

/// The names of the sizes of the program.
fn sizes(case: &Case<'_>) -> BTreeSet<String> {
    let dims = case.own().program.values.iter().flat_map(|value| value.val.dims());
    dims.filter_map(|dim| Some(dim.name()?.as_str().to_owned())).collect()
}

/// Are two claims the same whatever the sizes in them are, as `2 * N * x / N` and `2 * x` are? The names of the sizes mean
/// other numbers, which have nothing to do with the data; where a size is more than a number, that cannot be asked.
fn same_at_any_size(case: &Case<'_>, sizes: &BTreeSet<String>, one: &Expr, other: &Expr) -> bool {
    let others = sizes
        .iter()
        .enumerate()
        .map(|(at, size)| (size.clone(), Val::number(1.5 + at as f64 / 7.0, DType::F64)));
    let others: HashMap<String, Val> = others.collect();
    let numbers = |claim: &Expr| case.own().value_among(claim, &others)?.array().ok().cloned();
    match (numbers(one), numbers(other)) {
        (Some(one), Some(other)) => one.is_near(&other, CLOSE),
        _ => false,
    }
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

impl Fit {
    fn sized(&self) -> bool {
        self.changes.iter().any(Proposal::sized)
    }

    /// Is a whole number put in that is larger than one that comes from powers and products?
    fn has_large_number(&self) -> bool {
        let mut has = false;
        for change in &self.changes {
            change
                .edit
                .with
                .walk(&mut |part| has |= number(part).is_some_and(|number| number > USUAL as f64));
        }
        has
    }

    fn causes(&self) -> Vec<&'static str> {
        self.changes.iter().map(|change| change.cause).collect()
    }

    fn diagnosis(self, residual: f64) -> Diagnosis {
        let mut changes = self.changes;
        // Of numbers that are wrong besides one cannot say that they are right in another layout.
        changes.sort_by_key(|change| change.cause == "vec-layout");
        let mut changes = changes.into_iter();
        let Proposal { cause, edit, .. } = changes.next().expect("a candidate changes something");
        let explanation = changes.fold(edit.explanation, |first, second| {
            let words = Words::new().say("Two slips: first, ").then(first.clause());
            words.say("; second, ").then(second.edit.explanation.clause()).say(".")
        });
        let label = edit.label.unwrap_or_else(|| Words::new().expr(&edit.with).say(" belongs here"));
        let span = edit.span.unwrap_or(edit.with.span);
        let fix = Fix { definition: self.definition, expr: self.root, residual: Some(residual) };
        Diagnosis { cause, explanation, span, label, partner: None, fix: Some(fix) }
    }
}
