//! The gradients of several uses of a value add up, and only one of them is there: the second `dW = …` has overwritten the
//! first, where `dW += …` belongs.
//!
//! That is decided by the program and not by the expression: the value is used at several places, and the claim is exactly
//! what comes back through some of them, which are added to the others in the forward pass, or lead to other values with a name.
//! Factors of a product are terms of its one derivative (`A + A.T` of a quadratic form): that is `missing-term`. Where what was forgotten is the path through a statistic (the mean or the root mean
//! square of the value, which comes back to it by broadcasting), it is a term of one Jacobian and no use of its own: that is
//! `missing-term`.

use std::collections::{BTreeSet, HashSet};

use pullback_array::Array;
use pullback_autograd::pullback;
use pullback_lang::program::Claim;
use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem};
use pullback_network::Value as _;
use pullback_ops::{Origin, Val};

use super::Cause;
use crate::Diagnosis;
use crate::case::{CLOSE, Case, Trial};
use crate::edit::{Edit, binary, call, integer, name, number, untransposed};
use crate::tree::{Place, graph_of};
use crate::words::Words;

pub(super) static CAUSE: Cause = Cause { edits, refine, ..Cause::named("overwritten") };

/// More uses are not told apart: their subsets would be too many.
const MOST_USES: usize = 6;

/// All records of a batch for one of them: `X.T @ G` for `outer(X[-1], G[-1])`, `sum(G, axis=0)` for `G[-1]`.
fn edits(place: &Place<'_>) -> Vec<Edit> {
    if place.case().indices.is_some() {
        return summed_index(place).into_iter().collect();
    }
    let at = place.expr.span;
    if let Some(carry) = place.case().own().carry().filter(|_| place.is_root()) {
        // `gW = outer(x, dz)` for `gW = gW + outer(x, dz)`.
        let words = Words::new()
            .say("Each step overwrites ")
            .source(carry)
            .say(": what the steps contribute adds up.");
        return vec![Edit::new(binary(at, BinaryOp::Add, name(at, carry), place.expr.clone()), 2, words)];
    }
    let of_record = |expr: &Expr| match &expr.kind {
        ExprKind::Index { base, items } => match items.as_slice() {
            [IndexItem::At(record)] if number(record).is_some() => Some((**base).clone()),
            _ => None,
        },
        _ => None,
    };
    let explained = |with: Expr| {
        let words =
            Words::new().say("Only one record of the batch is there: what the others contribute adds up.");
        Edit::new(with, 2, words)
    };
    match &place.expr.kind {
        ExprKind::Call { function, args, .. } if function.text == "outer" => match args.as_slice() {
            [a, b] => of_record(a)
                .zip(of_record(b))
                .map(|(a, b)| explained(binary(at, BinaryOp::MatMul, untransposed(&a), b)))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        },
        ExprKind::Call { function, args, .. } if function.text == "scatter_add" => all_reads(place, args),
        _ => of_record(place.expr)
            .map(|all| explained(call(at, "sum", vec![all], vec![("axis", integer(at, 0))])))
            .into_iter()
            .collect(),
    }
}

/// `scatter_add(G, k, V)` for `scatter_add(G[last], rows, V)`: what the reads by other indices than the last bring back.
fn all_reads(place: &Place<'_>, args: &[Expr]) -> Vec<Edit> {
    let [Expr { kind: ExprKind::Index { base, .. }, .. }, _, rows] = args else { return Vec::new() };
    let at = place.expr.span;
    // Whole numbers that are written down may be an index too.
    let is_whole =
        |array: &Array| array.ndim() > 0 && array.to_vec_f64().iter().all(|entry| entry.fract() == 0.0);
    let values = place.case().own().program.values.iter();
    let indices =
        values.filter(|value| value.val.inputs().is_empty() && value.val.array().is_ok_and(is_whole));
    let edits = indices.map(|index| {
        let with = vec![(**base).clone(), name(at, &index.name), rows.clone()];
        let with = call(at, "scatter_add", with, Vec::new());
        let words = Words::new().say("Only some of the reads by ").source(index.name.clone());
        let words = words.say(
            " are there: what comes back from all of them adds up, where a place is read several times too.",
        );
        Edit::new(with, 2, words)
    });
    edits.collect()
}

/// `X[k,m] * G[k,n]` for `X[-1,m] * G[-1,n]`: what is not on the left is summed.
fn summed_index(place: &Place<'_>) -> Option<Edit> {
    let mut records: Vec<f64> = Vec::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    place.expr.walk(&mut |part| match &part.kind {
        ExprKind::Index { items, .. } => records.extend(items.iter().filter_map(|item| match item {
            IndexItem::At(at) => number(at),
            _ => None,
        })),
        ExprKind::Name(name) => drop(used.insert(name.clone())),
        _ => {}
    });
    let &record = records.first().filter(|_| place.is_root())?;
    let program = &place.case().own().program;
    let is_free = |letter: &String| {
        !used.contains(letter)
            && program.find(letter).is_none()
            && place.case().indices.iter().flatten().all(|index| index.text != *letter)
    };
    let letter = ["k", "r", "s", "t", "b", "c"].map(str::to_owned).into_iter().find(is_free)?;
    let with = summed(place.expr, record, &letter);
    let words =
        Words::new().say("Only one record of the batch is there: what the others contribute adds up.");
    Some(Edit::new(with, 2, words))
}

/// An expression with an index in place of a number in its brackets.
fn summed(expr: &Expr, record: f64, letter: &str) -> Expr {
    let mut copy = expr.clone();
    if let ExprKind::Index { items, .. } = &mut copy.kind {
        for item in items.iter_mut() {
            if let IndexItem::At(at) = item
                && number(at) == Some(record)
            {
                *at = name(at.span, letter);
            }
        }
    }
    for child in copy.children_mut() {
        *child = summed(child, record, letter);
    }
    copy
}

/// Says of what a search found, or did not find, that it is a use that was forgotten.
fn refine(case: &Case<'_>, expr: &Expr, found: &mut Vec<Diagnosis>) {
    // Another cause with a fix of its own says more.
    if found.len() > 1 || found.first().is_some_and(|found| found.cause != "missing-term") {
        return;
    }
    let Some(partial) = Partial::of(case, expr) else { return };
    let uses = |names: &[String]| {
        names.iter().enumerate().fold(Words::new(), |words, (at, name)| {
            let words = if at == 0 { words } else { words.say(" and ") };
            words.source(name.clone())
        })
    };
    let wrt = case.claim.wrt_names.first().cloned().unwrap_or_default();
    let (kept, forgotten) = (uses(&partial.kept), uses(&partial.forgotten));
    let (cause, words) = if partial.statistic {
        let words = Words::new().say("The path through ").then(forgotten).say(" is forgotten: ").source(wrt);
        let words =
            words.say(" is in it too, and what comes back that way adds up with what comes back through ");
        ("missing-term", words.then(kept).say("."))
    } else {
        let words =
            Words::new().source(wrt).say(" is used several times, by ").then(kept.clone()).say(" and by ");
        let words = words.then(forgotten).say(": their gradients add up, and this is the one through ");
        (CAUSE.word, words.then(kept).say(" alone."))
    };
    match found.first_mut() {
        Some(found) => {
            found.cause = cause;
            found.explanation = words;
        }
        None => {
            let label = Words::new().say("what comes back another way is missing");
            found.push(Diagnosis {
                cause,
                explanation: words,
                span: expr.span,
                label,
                partner: None,
                fix: None,
            });
        }
    }
}

/// A claim that is what comes back through some of the uses of a value.
struct Partial {
    kept: Vec<String>,
    forgotten: Vec<String>,
    /// Does what was forgotten pass a statistic?
    statistic: bool,
}

impl Partial {
    fn of(case: &Case<'_>, expr: &Expr) -> Option<Partial> {
        let claim = case.claim;
        let [x] = claim.wrt.as_slice() else { return None };
        if claim.of.ndim() > 0 || !claim.fixed.is_empty() || !case.shaped {
            return None;
        }
        let uses = uses(claim);
        if !(2..=MOST_USES).contains(&uses.len()) {
            return None;
        }
        let own = case.own();
        // One use alone, or all but one.
        let all: BTreeSet<usize> = (0..uses.len()).collect();
        let one = all.iter().map(|&kept| BTreeSet::from([kept]));
        let others = all.iter().map(|&left| all.iter().copied().filter(|&use_| use_ != left).collect());
        let mut subsets = one.chain(others.filter(|subset: &BTreeSet<usize>| subset.len() > 1));
        let kept = subsets.find(|subset| {
            comes_through(own, expr, subset)
                && case.trials.iter().all(|trial| comes_through(trial, expr, subset))
        })?;
        let leads = |uses_: &BTreeSet<usize>| -> Vec<Lead> {
            uses_.iter().map(|&use_| Lead::of(&uses[use_], claim)).collect()
        };
        let forgotten: BTreeSet<usize> = all.difference(&kept).copied().collect();
        let meeting = Meeting::of(claim, &uses, &kept, &forgotten);
        let chosen = (kept, forgotten);
        let (kept, forgotten) = (leads(&chosen.0), leads(&chosen.1));
        let names = |leads: &[Lead]| -> Vec<String> {
            let names: BTreeSet<&String> = leads.iter().map(|lead| &lead.name).collect();
            names.into_iter().cloned().collect()
        };
        let is_statistic = |lead: &Lead| lead.reduces && lead.entries < entries(x) && broadcasts(claim, lead);
        let statistic =
            forgotten.iter().all(is_statistic) || meeting.as_ref().is_some_and(|meeting| meeting.broadcasts);
        let lead_to = (names(&kept), names(&forgotten));
        let apart = lead_to.0.iter().all(|name| !lead_to.1.contains(name));
        // Where both lead to the same value, what is done on the way tells them apart.
        let of_uses = |chosen: &BTreeSet<usize>| -> Vec<String> {
            chosen.iter().map(|&use_| uses[use_].expression()).collect()
        };
        let (kept, forgotten) = if apart { lead_to } else { (of_uses(&chosen.0), of_uses(&chosen.1)) };
        // Factors of a product are terms of its one derivative.
        let multiplied = meeting.as_ref().is_some_and(|meeting| matches!(meeting.op, "mul" | "div" | "pow"));
        let added = meeting.as_ref().is_some_and(|meeting| matches!(meeting.op, "add" | "sub"));
        ((added || apart) && !multiplied || statistic).then_some(Partial { kept, forgotten, statistic })
    }
}

/// The operations on the way to what a claim differentiates that use what it differentiates by, in the order of the program.
fn uses(claim: &Claim) -> Vec<Val> {
    let Some(x) = claim.wrt.first() else { return Vec::new() };
    let uses_x = |val: &&Val| val.inputs().iter().any(|input| input.id() == x.id());
    let mut uses: Vec<Val> = graph_of(&claim.of).into_values().filter(|val| uses_x(&val)).collect();
    uses.sort_by_key(Val::order);
    uses
}

/// Is the claim what comes back through these uses, on this data?
fn comes_through(trial: &Trial<'_>, expr: &Expr, subset: &BTreeSet<usize>) -> bool {
    let through = || {
        let uses = uses(trial.claim());
        let mut sum: Option<Array> = None;
        for &use_ in subset {
            let back = contribution(trial.claim(), uses.get(use_)?)?;
            sum = Some(match sum {
                Some(sum) => sum.zip(&back, "add", |a, b| a + b, |a, b| a + b).ok()?,
                None => back,
            });
        }
        Some(trial.numbers(expr)?.is_near(&sum?, CLOSE))
    };
    through().unwrap_or(false)
}

/// What comes back through one use.
fn contribution(claim: &Claim, through: &Val) -> Option<Array> {
    let x = claim.wrt.first()?;
    let gradient = match through.id() == claim.of.id() {
        true => through.one(),
        false => pullback(&[(&claim.of, &claim.of.one())], &[through], &[]).ok()?.remove(0)?,
    };
    let others: Vec<&Val> = through.inputs().iter().filter(|input| input.id() != x.id()).collect();
    let back = pullback(&[(through, &gradient)], &[x], &others).ok()?.remove(0)?;
    back.array().ok().cloned()
}

/// Where what the kept and what the forgotten uses lead to meets.
struct Meeting {
    op: &'static str,
    /// Has one of the two sides fewer entries there than what comes of both?
    broadcasts: bool,
}

impl Meeting {
    fn of(
        claim: &Claim,
        uses: &[Val],
        kept: &BTreeSet<usize>,
        forgotten: &BTreeSet<usize>,
    ) -> Option<Meeting> {
        let mut later: Vec<Val> = graph_of(&claim.of).into_values().collect();
        later.sort_by_key(Val::order);
        let reached = |from: &BTreeSet<usize>| {
            let mut reached: HashSet<u64> = from.iter().map(|&use_| uses[use_].id()).collect();
            for val in &later {
                if val.inputs().iter().any(|input| reached.contains(&input.id())) {
                    reached.insert(val.id());
                }
            }
            reached
        };
        let (kept, forgotten) = (reached(kept), reached(forgotten));
        let both = |val: &&Val| kept.contains(&val.id()) && forgotten.contains(&val.id());
        let meeting = later.iter().find(both)?;
        let Origin::Call(op, inputs) = meeting.origin() else { return None };
        let leads = |input: &&Val| kept.contains(&input.id()) || forgotten.contains(&input.id());
        let broadcasts = inputs.iter().filter(leads).any(|input| entries(input) < entries(meeting));
        Some(Meeting { op: op.name(), broadcasts: broadcasts && op.name() != "matmul" })
    }
}

/// Where a use leads: the first value with a name, and whether entries are added up on the way there.
struct Lead {
    name: String,
    entries: usize,
    reduces: bool,
}

impl Lead {
    fn of(used: &Val, claim: &Claim) -> Lead {
        let graph = graph_of(&claim.of);
        let mut later: Vec<&Val> = graph.values().filter(|val| val.order() >= used.order()).collect();
        later.sort_by_key(|val| val.order());
        let mut reached: HashSet<u64> = HashSet::from([used.id()]);
        let mut reduces = false;
        for val in later {
            if reached.contains(&val.id()) || val.inputs().iter().any(|input| reached.contains(&input.id())) {
                reduces |= is_reduction(val);
                if let Some(name) = val.name() {
                    return Lead { name: name.as_str().to_owned(), entries: entries(val), reduces };
                }
                reached.insert(val.id());
            }
        }
        Lead { name: used.expression(), entries: entries(&claim.of), reduces }
    }
}

fn entries(val: &Val) -> usize {
    val.shape().iter().product()
}

fn is_reduction(val: &Val) -> bool {
    match val.origin() {
        Origin::Call(op, _) => matches!(op.name(), "sum" | "mean" | "max" | "logsumexp"),
        _ => false,
    }
}

/// Does a value in the graph of a claim join what has fewer entries than itself with other things: does it broadcast what
/// a forgotten use leads to?
fn broadcasts(claim: &Claim, lead: &Lead) -> bool {
    graph_of(&claim.of).values().any(|val| {
        let is_lead = |input: &Val| input.name().is_some_and(|name| name.as_str() == lead.name);
        val.inputs().len() > 1 && val.inputs().iter().any(is_lead) && entries(val) > lead.entries
    })
}
