//! Slips in the body of a loop that only claims use: a pass back through time.
//!
//! A statement of the body has another value in each step, so that it cannot be written into the claim. The claim is computed with the
//! names that the changed loop binds instead, and the right side is searched as that of a claim; a part has the shape that it has
//! in the last step. What is told is told once, whatever the number of steps.

use std::rc::Rc;

use pullback_lang::{Definitions, Expr, ExprKind, Inner, Name, Scan, StatementKind};
use pullback_network::Value as _;

use crate::case::Redefined;
use crate::inquiry::Inquiry;
use crate::search::{Depth, search_costed};
use crate::tree::{names, used_rightly};
use crate::{Diagnosis, Fix};

/// What is wrong with the loops that a claim uses, and how unlikely that is.
pub(crate) fn in_loops(inquiry: &Inquiry<'_>, number: usize) -> Option<(u32, Vec<Diagnosis>)> {
    let expr = inquiry.exact.claims[number].expr.as_ref()?;
    let used = used_rightly(&inquiry.exact.claims[number], &inquiry.right());
    let mut all: Vec<(u32, Vec<Diagnosis>)> = Vec::new();
    for (scan, claim) in behind(inquiry, expr) {
        // What a claim that holds uses is right.
        let is_right =
            |name: &&Name| inquiry.exact.find(&name.text).is_some_and(|value| used.contains(&value.val.id()));
        let right: Vec<String> = scan.named().filter(is_right).map(|name| name.text.clone()).collect();
        if right.len() == scan.named().count() {
            continue;
        }
        let scan = Rc::new(scan.clone());
        for (statement, inner) in scan.body.iter().enumerate() {
            let Inner::Definitions(Definitions { names, expr }) = inner else { continue };
            let Some(case) = inquiry.case(number).filter(|case| case.indices.is_none()) else { continue };
            let (right, claim) = (right.clone(), claim.clone());
            let redefined = Redefined::Step { scan: scan.clone(), statement, right, claim };
            let case = case.of_definition(&redefined);
            let found = search_costed(inquiry, number, &case, expr, Depth::Singles);
            inquiry.spend(&case);
            let head: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            let named = |found: Diagnosis| {
                let fix = found.fix.map(|fix| Fix { definition: Some(head.join(", ")), ..fix });
                Diagnosis { fix, ..found }
            };
            all.extend(found.map(|(cost, found)| (cost, found.into_iter().map(named).collect())));
        }
    }
    all.into_iter().min_by_key(|(cost, _)| *cost)
}

/// The names of the loops that a claim uses and that are no part of what it differentiates, nor used rightly.
pub(crate) fn bound(inquiry: &Inquiry<'_>, number: usize) -> Vec<String> {
    let Some(expr) = &inquiry.exact.claims[number].expr else { return Vec::new() };
    let used = used_rightly(&inquiry.exact.claims[number], &inquiry.right());
    let loops = behind(inquiry, expr);
    let names = loops.iter().flat_map(|(scan, _)| scan.named());
    let wrong = names
        .filter(|name| inquiry.exact.find(&name.text).is_some_and(|value| !used.contains(&value.val.id())));
    wrong.map(|name| name.text.clone()).collect()
}

/// The loops whose names an expression uses, by itself or through definitions, each with the expression down to those names.
fn behind<'s>(inquiry: &'s Inquiry<'_>, expr: &Expr) -> Vec<(&'s Scan, Expr)> {
    let statements = &inquiry.file.statements;
    let loops = statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Scan(scan) => Some(scan),
        _ => None,
    });
    let binds = |scan: &Scan, expr: &Expr| {
        let names = names(expr);
        scan.named().any(|name| names.contains(name.text.as_str()))
    };
    let reached = |scan: &'s Scan| {
        let down = down_to(inquiry, scan, expr);
        binds(scan, &down).then_some((scan, down))
    };
    loops.filter_map(reached).collect()
}

/// An expression with the right sides of the definitions that use what a loop binds.
fn down_to(inquiry: &Inquiry<'_>, scan: &Scan, expr: &Expr) -> Expr {
    if let ExprKind::Name(used) = &expr.kind {
        // What stands before the loop cannot use it.
        let right = inquiry.file.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Definition(definition)
                if definition.name.text == *used && statement.span.start > scan.index.span.start =>
            {
                Some(&definition.expr)
            }
            _ => None,
        });
        return right.map_or_else(|| expr.clone(), |right| down_to(inquiry, scan, right));
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = down_to(inquiry, scan, child);
    }
    copy
}
