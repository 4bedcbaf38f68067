//! Statements of the code, before they are written in some language.

use std::collections::HashSet;
use std::fmt::Write;

use pullback_lang::{Expr, ExprKind, Span, make, print};

use crate::pass::called;

/// One statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Names or cotangents, and what they are.
    Define(Vec<Expr>, Expr),
    /// A loop.
    Repeat(Loop),
}

/// A loop: of each step first what it starts from is kept, then its body is computed, then all carries become what they are next, and
/// then its rows are.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The number of the step.
    pub index: String,
    /// How many steps there are.
    pub steps: Expr,
    /// Does it run from the last step to the first?
    pub backwards: bool,
    /// What goes from step to step, and what it is before the first.
    pub carries: Vec<(String, Expr)>,
    /// Carries whose values before each step are kept, and how all of these are called together.
    pub starts: Vec<(String, String)>,
    /// What each step computes.
    pub body: Vec<Statement>,
    /// What each step leaves.
    pub rows: Vec<Row>,
    /// What the carries become, all at once.
    pub next: Vec<(String, Expr)>,
}

/// What each step of a loop leaves.
#[derive(Clone, Debug)]
pub struct Row {
    /// How it is called in the step.
    pub name: String,
    /// How all are called together, in the order of the numbers of the steps.
    pub all: String,
    /// Zeros of its shape, where it is no carry.
    pub start: Option<Expr>,
}

impl Statement {
    /// All that it computes.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Statement::Define(_, right) => vec![right],
            Statement::Repeat(of) => of.exprs(),
        }
    }

    /// What it binds, that what comes after it may read.
    pub fn binds(&self) -> Vec<String> {
        match self {
            Statement::Define(left, _) => left.iter().map(called).collect(),
            Statement::Repeat(of) => {
                let carries = of.carries.iter().map(|(name, _)| name);
                let starts = of.starts.iter().map(|(_, all)| all);
                carries.chain(starts).chain(of.rows.iter().map(|row| &row.all)).cloned().collect()
            }
        }
    }

    /// Adds the names and cotangents that it reads.
    pub fn needs(&self, needed: &mut HashSet<String>) {
        for expr in self.exprs() {
            expr.walk(&mut |part| {
                needed.insert(called(part));
            });
        }
    }

    /// The same with other expressions, and other names where these are such.
    pub(super) fn changed(&self, change: &mut dyn FnMut(&Expr) -> Expr) -> Statement {
        match self {
            Statement::Define(left, right) => {
                Statement::Define(left.iter().map(&mut *change).collect(), change(right))
            }
            Statement::Repeat(of) => Statement::Repeat(of.changed(change)),
        }
    }
}

impl Loop {
    fn exprs(&self) -> Vec<&Expr> {
        let carries = self.carries.iter().map(|(_, start)| start);
        let body = self.body.iter().flat_map(Statement::exprs);
        let rows = self.rows.iter().filter_map(|row| row.start.as_ref());
        carries
            .chain([&self.steps])
            .chain(body)
            .chain(rows)
            .chain(self.next.iter().map(|(_, next)| next))
            .collect()
    }

    pub(super) fn changed(&self, change: &mut dyn FnMut(&Expr) -> Expr) -> Loop {
        let named = |name: &String, change: &mut dyn FnMut(&Expr) -> Expr| match change(&make::name(
            Span::default(),
            name,
        ))
        .kind
        {
            ExprKind::Name(name) => name,
            _ => name.clone(),
        };
        Loop {
            index: self.index.clone(),
            steps: change(&self.steps),
            backwards: self.backwards,
            carries: self.carries.iter().map(|(name, start)| (named(name, change), change(start))).collect(),
            starts: self.starts.iter().map(|(name, all)| (named(name, change), named(all, change))).collect(),
            body: self.body.iter().map(|statement| statement.changed(change)).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| Row {
                    name: named(&row.name, change),
                    all: named(&row.all, change),
                    start: row.start.as_ref().map(&mut *change),
                })
                .collect(),
            next: self.next.iter().map(|(name, next)| (named(name, change), change(next))).collect(),
        }
    }

    /// How often a name is read in a step.
    fn reads(&self, name: &str) -> usize {
        let mut reads = 0;
        for expr in self.exprs() {
            expr.walk(&mut |part| {
                reads += usize::from(matches!(&part.kind, ExprKind::Name(own) if own == name))
            });
        }
        reads
    }

    /// With what a carry becomes where it becomes it, as long as nothing else reads it.
    pub(super) fn inlined(mut self) -> Loop {
        for at in 0..self.next.len() {
            let ExprKind::Name(name) = self.next[at].1.kind.clone() else { continue };
            let is_it = |statement: &Statement| {
                matches!(statement, Statement::Define(left, _)
                    if matches!(left.as_slice(), [Expr { kind: ExprKind::Name(own), .. }] if *own == name))
            };
            if self.reads(&name) == 1
                && let Some(place) = self.body.iter().position(is_it)
                && let Statement::Define(_, right) = self.body.remove(place)
            {
                self.next[at].1 = right;
            }
        }
        self
    }

    /// Without statements of the body that nothing reads.
    pub(super) fn without_dead(mut self) -> Loop {
        let mut needed: HashSet<String> = self.rows.iter().map(|row| row.name.clone()).collect();
        for (_, next) in &self.next {
            Statement::Define(Vec::new(), next.clone()).needs(&mut needed);
        }
        self.body = live(std::mem::take(&mut self.body), needed);
        self
    }

    /// Without what it keeps of its steps that nobody reads.
    pub(super) fn keeping(mut self, needed: &HashSet<String>) -> Loop {
        self.starts.retain(|(_, all)| needed.contains(all));
        self.rows.retain(|row| needed.contains(&row.all));
        self
    }

    /// As a statement of the language, in which what is computed in a step is bound one after another.
    pub(super) fn as_scan(&self, indent: &str) -> String {
        let given = |name: &str, start: &Expr| format!("{name} = {}", print(start));
        let mut carries: Vec<String> = self.carries.iter().map(|(name, start)| given(name, start)).collect();
        let mut all: Vec<String> = self
            .carries
            .iter()
            .map(|(name, _)| {
                self.rows.iter().find(|row| row.name == *name).map_or("_".to_owned(), |row| row.all.clone())
            })
            .collect();
        let mut lines = Vec::new();
        let mut after = String::new();
        let steps = print(&self.steps);
        let number = if self.backwards { format!("{}_from_end", self.index) } else { self.index.clone() };
        if self.backwards {
            lines.push(format!("{} = {steps} - 1 - {number}", self.index));
        }
        for (name, kept) in &self.starts {
            let start = self.carries.iter().find(|(carry, _)| carry == name).map(|(_, start)| start);
            let own = format!("{name}_kept");
            carries.extend(start.map(|start| given(&own, start)));
            all.push(kept.clone());
            lines.push(format!("{own} = {name}"));
        }
        for row in self.rows.iter() {
            let Some(start) = &row.start else { continue };
            carries.push(given(&row.name, start));
            let kept = if self.backwards { format!("{}_from_end", row.all) } else { row.all.clone() };
            if self.backwards {
                let _ = write!(after, "\n{indent}{} = flip({kept}, axis=0)", row.all);
            }
            all.push(kept);
        }
        while all.last().is_some_and(|name| name == "_") {
            all.pop();
        }
        let inner = format!("{indent}  ");
        for statement in &self.body {
            lines.push(match statement {
                Statement::Define(left, right) => {
                    let left: Vec<String> = left.iter().map(print).collect();
                    format!("{} = {}", left.join(", "), print(right))
                }
                Statement::Repeat(of) => of.as_scan(&inner),
            });
        }
        // What a later one of them reads is kept before an earlier one changes it.
        let reads = |expr: &Expr, name: &str| {
            let mut found = false;
            expr.walk(&mut |part| found |= matches!(&part.kind, ExprKind::Name(own) if own == name));
            found
        };
        let mut last = Vec::new();
        for (at, (name, next)) in self.next.iter().enumerate() {
            if matches!(&next.kind, ExprKind::Name(own) if own == name) {
                continue;
            }
            if self.next[at + 1..].iter().any(|(_, later)| reads(later, name)) {
                lines.push(format!("{name}_next = {}", print(next)));
                last.push(format!("{name} = {name}_next"));
            } else {
                lines.push(format!("{name} = {}", print(next)));
            }
        }
        lines.extend(last);
        let all = if all.is_empty() { String::new() } else { format!(" -> {}", all.join(", ")) };
        let body: String = lines.iter().map(|line| format!("{inner}{line}\n")).collect();
        format!("scan {number} < {steps}, {}{all} {{\n{body}{indent}}}{after}", carries.join(", "))
    }
}

/// The statements that what is needed after them takes.
pub(super) fn live(statements: Vec<Statement>, mut needed: HashSet<String>) -> Vec<Statement> {
    let mut kept = Vec::new();
    for statement in statements.into_iter().rev() {
        if statement.binds().iter().any(|name| needed.contains(name)) {
            let statement = match statement {
                Statement::Repeat(of) => Statement::Repeat(of.keeping(&needed)),
                other => other,
            };
            statement.needs(&mut needed);
            kept.push(statement);
        }
    }
    kept.reverse();
    kept
}
