//! The states of a recurrence a step too early or too late, all of them: `outer(r0, h0) + outer(r1, h1)` for
//! `outer(r0, hprev) + outer(r1, h0)`. One slip changes several names, so that no other value for one of them is right.

use std::collections::{BTreeMap, HashMap, HashSet};

use pullback_lang::make::substituted;
use pullback_lang::{Expr, ExprKind};
use pullback_network::Value as _;
use pullback_ops::{Origin, Val};

use crate::case::Known;
use crate::edit::{self, Edit};
use crate::tree::{Place, names};
use crate::words::Words;

pub(super) fn edits(place: &Place<'_>) -> Vec<Edit> {
    let Some(trial) = place.tree.trial() else { return Vec::new() };
    let used = names(place.expr);
    let recurrences = recurrences(states_before(place));
    let turned =
        |recurrence: &Steps| recurrence.iter().map(|(is, meant)| (meant.clone(), is.clone())).collect();
    let late = recurrences.iter().map(|recurrence| (recurrence.clone(), "late"));
    let early = recurrences.iter().map(|recurrence| (turned(recurrence), "early"));
    let mut edits = Vec::new();
    for (steps, how) in late.chain(early) {
        let steps: Vec<(&String, &String)> =
            steps.iter().filter(|(state, _)| used.contains(state.as_str())).collect();
        if steps.len() < 2 {
            continue;
        }
        let at = place.expr.span;
        let meant = steps.iter().map(|(state, meant)| ((*state).clone(), edit::name(at, meant)));
        let with = substituted(place.expr, &meant.collect::<HashMap<String, Expr>>());
        if !place.case().spend() || !trial.fits(&place.tree.claim_with(&with)) {
            continue;
        }
        let list = |names: Vec<&str>| names.join("`, `");
        let words = Words::new()
            .source(list(steps.iter().map(|(state, _)| state.as_str()).collect()))
            .say(" stand where ")
            .source(list(steps.iter().map(|(_, meant)| meant.as_str()).collect()))
            .say(format!(" belong: each is one step too {how}."));
        edits.push(Edit::new(with, 3, words));
    }
    edits
}

/// States, and what is meant for each.
type Steps = BTreeMap<String, String>;

/// The states of each recurrence by itself: those that follow from one another.
fn recurrences(mut before: Steps) -> Vec<Steps> {
    let mut found = Vec::new();
    while let Some((state, earlier)) = before.pop_first() {
        let mut own = Steps::from([(state, earlier)]);
        loop {
            let follows = |state: &String, earlier: &String| {
                own.contains_key(earlier) || own.values().any(|known| known == state)
            };
            let next = before.iter().find(|(state, earlier)| follows(state, earlier));
            let Some(next) = next.map(|(state, _)| state.clone()) else { break };
            own.extend(before.remove_entry(&next));
        }
        found.push(own);
    }
    found
}

/// The states of recurrences, and the one before each: what it is computed from, of the same shape, by the same operation, or given
/// at the beginning. What several states are computed from, as a bias, is none.
fn states_before(place: &Place<'_>) -> Steps {
    let value = |known: &Known| {
        let ExprKind::Name(name) = &known.source.kind else { return None };
        Some((name.clone(), place.case().own().part(&known.source)?))
    };
    let values: Vec<(String, Val)> = place.known().filter_map(value).collect();
    let by_id: HashMap<u64, &str> = values.iter().map(|(name, val)| (val.id(), name.as_str())).collect();
    let mut before: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, state) in &values {
        let Some(operation) = operation(state) else { continue };
        let is_state = |val: &&Val| {
            val.dims() == state.dims() && self::operation(val).is_none_or(|other| other == operation)
        };
        let sources = named_sources(state, &by_id);
        before.insert(
            name.clone(),
            sources.iter().filter(is_state).map(|val| by_id[&val.id()].to_owned()).collect(),
        );
    }
    let mut times: HashMap<String, usize> = HashMap::new();
    for source in before.values().flatten() {
        *times.entry(source.clone()).or_default() += 1;
    }
    let one = |(state, mut sources): (String, Vec<String>)| {
        sources.retain(|source| times[source] == 1);
        match <[String; 1]>::try_from(sources) {
            Ok([before]) => Some((state, before)),
            Err(_) => None,
        }
    };
    before.into_iter().filter_map(one).collect()
}

/// The operation that a value is the result of.
fn operation(val: &Val) -> Option<&'static str> {
    match val.origin() {
        Origin::Call(op, _) => Some(op.name()),
        _ => None,
    }
}

/// The values with names from which one is computed without another one with a name between.
fn named_sources(of: &Val, by_id: &HashMap<u64, &str>) -> Vec<Val> {
    let mut sources = Vec::new();
    let mut seen = HashSet::new();
    let mut pending: Vec<Val> = of.inputs().to_vec();
    while let Some(next) = pending.pop() {
        if !seen.insert(next.id()) {
            continue;
        }
        match by_id.contains_key(&next.id()) {
            true => sources.push(next),
            false => pending.extend(next.inputs().iter().cloned()),
        }
    }
    sources
}
