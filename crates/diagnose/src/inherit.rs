//! Which wrong claims are wrong only because claims that they refer to are.
//!
//! A claim that is judged wrong and refers, directly or through others, to claims judged wrong is computed once more with
//! the true values in their place. If it then holds, the mistake is theirs. Likewise one whose numbers are within what few digits
//! leave open: that its formula is right is then told by more digits. Of several mistakes the first is the one that is nearest to
//! the output.

use std::collections::{BTreeSet, HashMap};

use pullback_array::DType;
use pullback_check::{Judgement, Says, Verdict, judge};
use pullback_lang::program::{Claim, Claimed, Program};
use pullback_network::Value as _;
use pullback_ops::Val;

use crate::claimed::{layout, subject};
use crate::redraw::is_wrong_by_itself;
use crate::stretch::is_wrong_as_map;
use crate::tree::graph_of;

/// Turns the verdict of every claim that merely inherits a mistake into [`Verdict::Inherited`], and returns for each claim
/// the keys of those whose mistakes it inherits, beside its own if it has one. A claim that could not be judged has no judgement.
pub fn inherited(exact: &Program, dtype: DType, judged: &mut [Option<Judgement>]) -> Vec<Vec<String>> {
    // What a claim follows is decided by what was found first, not by what it was turned into.
    let wrong: Vec<bool> = judged.iter().map(|found| found.as_ref().is_some_and(is_wrong)).collect();
    let mut inherits: Vec<Vec<String>> = vec![Vec::new(); judged.len()];
    let has_few_digits =
        |judgement: &Judgement| judgement.verdict == Verdict::Vacuous && !judgement.facts.digits;
    let open: Vec<bool> = judged.iter().map(|found| found.as_ref().is_some_and(has_few_digits)).collect();
    for claim in (0..judged.len()).filter(|&claim| wrong[claim] || open[claim]) {
        let causes: BTreeSet<usize> =
            referred(exact, claim).into_iter().filter(|&cause| cause < wrong.len() && wrong[cause]).collect();
        // What is wrong on other draws only holds here in any case.
        if causes.is_empty() || judged[claim].as_ref().is_some_and(is_wrong_by_itself) {
            continue;
        }
        let Some(verdict) = corrected(exact, dtype, judged, claim, &causes) else { continue };
        // Of a derivative that is zero, or so small that nothing else can be told, one cannot say more but that the mistake is not
        // its own.
        let is_undecided = || {
            wrong[claim]
                && verdict.verdict == Verdict::Vacuous
                && verdict.facts.worst <= Says::Conventional
                && !is_wrong_as_map(exact, claim)
        };
        if verdict.passes() || is_undecided() {
            let by_itself = |&&cause: &&usize| inherits[cause].is_empty();
            let keys =
                causes.iter().filter(by_itself).map(|&cause| exact.claims[cause].key.clone()).collect();
            inherits[claim] = keys;
            if let Some(judgement) = &mut judged[claim] {
                judgement.facts.inherits = true;
                judgement.conclude();
            }
        }
    }
    // What is wrong by itself may follow others too: its own mistake is corrected on their true values.
    let own: Vec<usize> =
        (0..judged.len()).filter(|&claim| wrong[claim] && inherits[claim].is_empty()).collect();
    for &claim in &own {
        let causes = referred(exact, claim).into_iter().filter(|cause| own.contains(cause));
        inherits[claim] = causes.map(|cause| exact.claims[cause].key.clone()).collect();
    }
    inherits
}

/// For each claim that holds, the wrong claims without whose mistakes it would not: two mistakes that cancel.
pub fn resting(exact: &Program, dtype: DType, judged: &[Option<Judgement>]) -> Vec<Vec<String>> {
    let wrong = |claim: usize| judged.get(claim).is_some_and(|found| found.as_ref().is_some_and(is_wrong));
    let resting = |claim: usize| {
        judged[claim].as_ref().filter(|judgement| judgement.verdict == Verdict::Holds)?;
        let causes: BTreeSet<usize> =
            referred(exact, claim).into_iter().filter(|&cause| wrong(cause)).collect();
        if causes.is_empty() {
            return None;
        }
        let verdict = corrected(exact, dtype, judged, claim, &causes)?.verdict;
        let keys = causes.iter().map(|&cause| exact.claims[cause].key.clone());
        matches!(verdict, Verdict::Wrong | Verdict::Shape).then(|| keys.collect())
    };
    (0..judged.len()).map(|claim| resting(claim).unwrap_or_default()).collect()
}

/// How many operations lie, at most, between what each claim differentiates by and the outputs of the program: backward, a
/// mistake at fewer comes first.
pub fn distances(program: &Program) -> Vec<usize> {
    let outputs = program.claims.iter().flat_map(|claim| graph_of(&claim.of));
    let mut graph: Vec<Val> = outputs.collect::<HashMap<u64, Val>>().into_values().collect();
    graph.sort_by_key(|val| std::cmp::Reverse(val.order()));
    let mut distances: HashMap<u64, usize> = HashMap::new();
    for val in &graph {
        let next = distances.get(&val.id()).copied().unwrap_or(0) + 1;
        for input in val.inputs() {
            let distance = distances.entry(input.id()).or_default();
            *distance = next.max(*distance);
        }
    }
    let of = |val: &Val| distances.get(&val.id()).copied().unwrap_or(0);
    let nearest = |claim: &Claim| claim.wrt.iter().map(of).min().unwrap_or(0);
    program.claims.iter().map(nearest).collect()
}

/// Is a claim wrong, by itself or by others?
pub(crate) fn is_wrong(judgement: &Judgement) -> bool {
    match judgement.verdict {
        Verdict::Wrong | Verdict::Shape | Verdict::NotFinite | Verdict::Inherited => true,
        // Numbers that are wrong may lie between the slopes of a kink.
        Verdict::Kink => !judgement.passes(),
        _ => false,
    }
}

/// All claims that a claim refers to, through others too.
pub(crate) fn referred(program: &Program, claim: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut pending: Vec<usize> = program.claims[claim].refers_to.clone();
    while let Some(next) = pending.pop() {
        if seen.insert(next)
            && let Some(claim) = program.claims.get(next)
        {
            pending.extend(&claim.refers_to);
        }
    }
    seen
}

/// What is said of a claim where `causes` have their true values. `None` where nothing can be said: where a true value is
/// not known, or the expression cannot be evaluated on them.
fn corrected(
    exact: &Program,
    dtype: DType,
    judged: &[Option<Judgement>],
    number: usize,
    causes: &BTreeSet<usize>,
) -> Option<Judgement> {
    let claim = exact.claims.get(number)?;
    let Claimed::Value { layout: stated, zeros, .. } = claim.claimed else { return None };
    let mut replaced: HashMap<usize, Val> = HashMap::new();
    for &cause in causes {
        let truth = judged[cause].as_ref()?.expected.clone()?;
        replaced.insert(cause, Val::new(truth));
    }
    let expression = exact.reclaimed(number, claim.expr.as_ref()?, &replaced).ok()?;
    let said = |claimed: pullback_check::Claim| {
        judge(&subject(claim), &claimed.in_layout(layout(stated)).written_as_zeros(zeros)).ok()
    };
    let exactly = said(pullback_check::Claim::of(&expression).ok()?)?;
    if exactly.passes() || dtype == DType::F64 {
        return Some(exactly);
    }
    // Numbers that are written in a file's precision have no more digits than that.
    let rounded = expression.array().ok()?.cast(dtype).ok()?;
    said(pullback_check::Claim::evaluated(&rounded, &expression).ok()?)
}
