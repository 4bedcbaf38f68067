//! Slips as people make them, each with the word of its cause.
//!
//! Written apart from the search that is measured, and on purpose not its mirror image: what stands here is what one does
//! wrong by hand. A kind of slip (one file each, below `mutate`) proposes changed right sides; here they are evaluated, on the
//! file's data and on other data. Dropped is what cannot be evaluated and what is right after all. Two slips that give the same
//! numbers are one mutant that bears both words: no tool can tell them apart.

mod chance;
mod derivative;
mod factors;
mod jacobians;
mod layouts;
mod outside;
mod overwritten;
mod products;
mod stale;
mod sums;
mod swapped;
mod terms;
mod transposed;

use chance::Chance;
use pullback::lang::{Expr, print};

use crate::fresh::Numbers;
use crate::scene::{Scene, Site};
use crate::source::Edit;

/// A changed right side.
#[derive(Clone)]
pub struct Slip {
    /// The words that are right for it.
    pub labels: Vec<&'static str>,
    /// The whole right side.
    pub expr: Expr,
}

impl Slip {
    /// A slip of one cause.
    pub fn new(label: &'static str, expr: Expr) -> Slip {
        Slip { labels: vec![label], expr }
    }

    /// A slip that may be called by several words.
    pub fn either(labels: &[&'static str], expr: Expr) -> Slip {
        Slip { labels: labels.to_vec(), expr }
    }
}

/// What is known of a mutant beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// One slip that has a word.
    Single,
    /// Two slips of different kinds.
    Pair,
    /// Whatever no word of the dictionary describes.
    Outside,
}

/// A program made wrong.
#[derive(Clone)]
pub struct Mutant {
    /// What it is.
    pub sort: Sort,
    /// The claim that is judged.
    pub claim: usize,
    /// What is written instead.
    pub edits: Vec<Edit>,
    /// The words that are right for it; the first one is that of its kind.
    pub labels: Vec<&'static str>,
    /// Whether it is wrong in what only claims use, and not in the claim itself.
    pub in_definition: bool,
    numbers: Vec<Numbers>,
}

impl Mutant {
    /// What is written, for people.
    pub fn text(&self, scene: &Scene) -> String {
        let one = |edit: &Edit| {
            let (own, right) = (scene.source.text(edit.statement), scene.source.right(edit.statement));
            let left = own.split(" = ").next().unwrap_or_default();
            let was = right.map(print).unwrap_or_default();
            format!("{left} = {}   (right: {was})", print(&edit.expr))
        };
        self.edits.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

type Kind = fn(&Site<'_>, &Expr) -> Vec<Slip>;

/// The kinds. Of two that give the same numbers the earlier one gives the mutant its first word.
const KINDS: [(&str, Kind); 11] = [
    ("transposed", transposed::slips),
    ("swapped", swapped::slips),
    ("overwritten", overwritten::slips),
    ("sums", sums::slips),
    ("products", products::slips),
    ("derivative", derivative::slips),
    ("stale", stale::slips),
    ("factors", factors::slips),
    ("terms", terms::slips),
    ("layouts", layouts::slips),
    ("jacobians", jacobians::slips),
];

/// Words that every claim can get. Of these a claim gets a mutant with a chance of one in two, so that they do not drown the
/// others; of every other word that is possible it gets one.
const COMMON_WORDS: [&str; 3] = ["extra-factor", "extra-term", "swapped-claims"];

/// Two expressions whose numbers differ by less are the same mistake, or none: a check in single precision could not tell.
const ALIKE: f64 = 1e-4;

/// The mutants of a program that take part: of each claim `often` of each word, `often` outside of the dictionary and `often`
/// pairs, where there are so many.
pub fn mutants(scene: &Scene, often: usize) -> Vec<Mutant> {
    let mut all = Vec::new();
    for claim in scene.source.claims() {
        let mut chance = Chance::new(&format!("{} {}", scene.source.name, scene.source.text(claim)));
        let Some(right) = scene.value(claim, &[]) else { continue };
        let mut found = in_statement(scene, claim, claim, &right, false);
        found.extend(swapped_claims(scene, claim, &right));
        let pairs = pairs(scene, claim, &right, &found, often, &mut chance);
        all.extend(sample(found, often, &mut chance));
        all.extend(pairs);
    }
    for definition in scene.source.only_claims_use() {
        let users = scene.source.needed_by(definition);
        let Some(claim) = scene.source.claims().into_iter().find(|claim| users.contains(claim)) else {
            continue;
        };
        let mut chance = Chance::new(&format!("{} {}", scene.source.name, scene.source.text(definition)));
        let Some(right) = scene.value(claim, &[]) else { continue };
        all.extend(sample(in_statement(scene, definition, claim, &right, true), often, &mut chance));
    }
    all
}

/// All that can be mistaken in one right side, judged by a claim.
fn in_statement(scene: &Scene, statement: usize, claim: usize, right: &[Numbers], def: bool) -> Vec<Mutant> {
    let site = Site { scene, statement };
    let Some(expr) = scene.source.right(statement) else { return Vec::new() };
    let mut found: Vec<Mutant> = Vec::new();
    for (_, kind) in KINDS {
        for slip in kind(&site, expr) {
            add(scene, &mut found, Sort::Single, claim, statement, slip, right, def);
        }
    }
    for slip in outside::slips(&site, expr) {
        add(scene, &mut found, Sort::Outside, claim, statement, slip, right, def);
    }
    found
}

#[allow(clippy::too_many_arguments, reason = "what a mutant consists of")]
fn add(
    scene: &Scene,
    found: &mut Vec<Mutant>,
    sort: Sort,
    claim: usize,
    statement: usize,
    slip: Slip,
    right: &[Numbers],
    in_definition: bool,
) {
    let edits = vec![Edit { statement, expr: slip.expr }];
    let mutant = Mutant { sort, claim, edits, labels: slip.labels, in_definition, numbers: Vec::new() };
    include(scene, found, mutant, right);
}

/// Takes a mutant in, unless it cannot be evaluated, is right, or is there already; then its words are noted.
fn include(scene: &Scene, found: &mut Vec<Mutant>, mut mutant: Mutant, right: &[Numbers]) {
    let Some(numbers) = scene.value(mutant.claim, &mutant.edits) else { return };
    // What agrees on the file's own data cannot be found out there; what agrees elsewhere may be right.
    if numbers.iter().zip(right).any(|(found, right)| same(found, right)) {
        return;
    }
    match found.iter_mut().find(|other| other.numbers.iter().zip(&numbers).all(|(a, b)| same(a, b))) {
        // What has a word keeps to it, whatever else gives the same numbers.
        Some(earlier) => {
            if mutant.sort == Sort::Single {
                let new: Vec<_> =
                    mutant.labels.iter().filter(|&l| !earlier.labels.contains(l)).copied().collect();
                earlier.labels.extend(new);
            }
        }
        None => {
            let swapped = mutant.labels.contains(&"swapped-claims");
            if mutant.sort == Sort::Single && !swapped && is_another_claims(scene, mutant.claim, &numbers) {
                mutant.labels.push("swapped-claims");
            }
            mutant.numbers = numbers;
            found.push(mutant);
        }
    }
}

/// Are these the numbers of another gradient?
fn is_another_claims(scene: &Scene, claim: usize, numbers: &[Numbers]) -> bool {
    let others = scene.source.claims().into_iter().filter(|&other| other != claim);
    let mut values = others.filter_map(|other| scene.value(other, &[]));
    values.any(|values| values.iter().zip(numbers).all(|(a, b)| same(a, b)))
}

fn same(a: &Numbers, b: &Numbers) -> bool {
    a.equal(b, ALIKE)
}

/// The right sides of two claims exchanged; the one that is judged is the earlier one.
fn swapped_claims(scene: &Scene, claim: usize, right: &[Numbers]) -> Vec<Mutant> {
    let source = &scene.source;
    let mut found = Vec::new();
    for other in source.claims().into_iter().filter(|&other| other > claim) {
        let (Some(mine), Some(others)) = (source.right(claim), source.right(other)) else { continue };
        // In index notation the indices would have to be renamed, which is more than a slip.
        let by_entry = [claim, other].iter().any(|&statement| Site { scene, statement }.by_entry());
        if by_entry
            || source.needs(other).contains(&claim)
            || source.uses(other).iter().any(|&used| used > claim)
        {
            continue;
        }
        let edits = vec![
            Edit { statement: claim, expr: others.clone() },
            Edit { statement: other, expr: mine.clone() },
        ];
        let (labels, numbers) = (vec!["swapped-claims"], Vec::new());
        // Both have to be wrong.
        let both = |at: usize| scene.value(at, &edits).zip(scene.value(at, &[]));
        let wrong = both(other).is_some_and(|(now, was)| !now.iter().zip(&was).any(|(a, b)| same(a, b)));
        if wrong {
            let sort = Sort::Single;
            let mutant = Mutant { sort, claim, edits, labels, in_definition: false, numbers };
            include(scene, &mut found, mutant, right);
        }
    }
    found
}

/// Two slips of different kinds in one right side.
fn pairs(
    scene: &Scene,
    claim: usize,
    right: &[Numbers],
    singles: &[Mutant],
    often: usize,
    chance: &mut Chance,
) -> Vec<Mutant> {
    let site = Site { scene, statement: claim };
    let one_edit = |mutant: &&Mutant| mutant.sort == Sort::Single && mutant.edits.len() == 1;
    let firsts: Vec<&Mutant> = singles.iter().filter(one_edit).collect();
    let mut found = Vec::new();
    // Some draws fail: the two undo one another, or cannot stand together.
    for _ in 0..8 * often {
        if firsts.is_empty() || found.len() == often {
            break;
        }
        let first = firsts[chance.below(firsts.len())];
        let (_, kind) = KINDS[chance.below(KINDS.len())];
        let seconds = kind(&site, &first.edits[0].expr);
        if seconds.is_empty() {
            continue;
        }
        let second = seconds[chance.below(seconds.len())].clone();
        if second.labels.iter().any(|label| first.labels.contains(label)) {
            continue;
        }
        let edits = vec![Edit { statement: claim, expr: second.expr }];
        let labels = [first.labels.clone(), second.labels].concat();
        let mutant =
            Mutant { sort: Sort::Pair, claim, edits, labels, in_definition: false, numbers: Vec::new() };
        let Some(numbers) = scene.value(claim, &mutant.edits) else { continue };
        // The same numbers by one slip are that one slip.
        if !singles.iter().any(|single| single.numbers.iter().zip(&numbers).all(|(a, b)| same(a, b))) {
            include(scene, &mut found, mutant, right);
        }
    }
    found
}

/// As many of each first word as take part.
fn sample(found: Vec<Mutant>, often: usize, chance: &mut Chance) -> Vec<Mutant> {
    let mut words: Vec<(Sort, &str)> = Vec::new();
    for mutant in &found {
        let word = (mutant.sort, mutant.labels[0]);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let mut taken = Vec::new();
    for (sort, word) in words {
        let mut of_word: Vec<&Mutant> =
            found.iter().filter(|mutant| mutant.sort == sort && mutant.labels[0] == word).collect();
        let common = sort == Sort::Single && COMMON_WORDS.contains(&word);
        let most = if common { (0..often).filter(|_| chance.below(2) == 0).count() } else { often };
        for _ in 0..most.min(of_word.len()) {
            taken.push(of_word.swap_remove(chance.below(of_word.len())).clone());
        }
    }
    taken
}
