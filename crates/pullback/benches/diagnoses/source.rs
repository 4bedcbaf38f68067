//! A `.grad` file as a row of statements, of which one can write some, change some, and say which need which.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use pullback::lang::{Expr, ExprKind, File, Name, StatementKind, parse, print};

/// A right side to be written in place of a statement's own.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Which statement, in file order.
    pub statement: usize,
    /// Its new right side.
    pub expr: Expr,
}

/// A file.
pub struct Source {
    /// What it is called: the file's name without its ending.
    pub name: String,
    /// Whether it was set aside while the search was tuned.
    pub held_out: bool,
    /// The tree.
    pub file: File,
    texts: Vec<String>,
    /// Where in its text a statement's right side stands.
    rights: Vec<Option<Range<usize>>>,
    /// Which statements each uses, directly.
    uses: Vec<BTreeSet<usize>>,
}

impl Source {
    /// Reads a file's text. Returns what is wrong with it, where it does not parse.
    pub fn new(name: &str, text: &str) -> Result<Source, String> {
        let parsed = parse(text);
        if let Some(error) = parsed.errors.first() {
            return Err(format!("{name}: {}", error.message()));
        }
        let comments = text.lines().take_while(|line| line.starts_with('#'));
        let held_out = comments.into_iter().any(|line| line.trim() == "# held-out");
        let file = parsed.file;
        let texts = file.statements.iter().map(|s| s.span.slice(text).to_owned()).collect();
        let right = |at: usize| {
            let (start, span) = (file.statements[at].span.start, right_side(&file.statements[at].kind)?.span);
            Some(span.start - start..span.end - start)
        };
        let rights = (0..file.statements.len()).map(right).collect();
        let uses = uses(&file);
        Ok(Source { name: name.to_owned(), held_out, file, texts, rights, uses })
    }

    /// The statement's right side.
    pub fn right(&self, statement: usize) -> Option<&Expr> {
        right_side(&self.file.statements[statement].kind)
    }

    /// The text of a statement.
    pub fn text(&self, statement: usize) -> &str {
        &self.texts[statement]
    }

    /// All statements, in file order.
    pub fn all(&self) -> Vec<usize> {
        (0..self.texts.len()).collect()
    }

    /// These statements in this order, with the edits made, and other texts for those in `instead`.
    pub fn written(&self, order: &[usize], edits: &[Edit], instead: &HashMap<usize, String>) -> String {
        let mut text = String::new();
        for &at in order {
            let own = instead.get(&at).unwrap_or(&self.texts[at]);
            // The last edit of a statement is the one that counts: a correction comes after a slip.
            match (edits.iter().rev().find(|edit| edit.statement == at), &self.rights[at]) {
                (Some(edit), Some(right)) => {
                    text.push_str(&own[..right.start]);
                    text.push_str(&print(&edit.expr));
                    text.push_str(&own[right.end..]);
                }
                _ => text.push_str(own),
            }
            text.push('\n');
        }
        text
    }

    /// Statements that are claims about values, in file order.
    pub fn claims(&self) -> Vec<usize> {
        let is_one = |at: &usize| {
            matches!(self.file.statements[*at].kind, StatementKind::Claim(_) | StatementKind::EntryClaim(_))
        };
        self.all().into_iter().filter(is_one).collect()
    }

    /// The number of a claim among all claims, those about shapes too.
    pub fn claim_number(&self, statement: usize) -> usize {
        self.file.statements[..statement].iter().filter(|s| is_claim(&s.kind)).count()
    }

    /// Would a claim with this right side say the same at the end of the file? Not if it refers to a derivative that is
    /// claimed once more below it, in another layout.
    pub fn may_stand_last(&self, edit: &Edit) -> bool {
        let below: Vec<String> = self
            .claims()
            .into_iter()
            .filter(|&at| at > edit.statement)
            .filter_map(|at| key(&self.file.statements[at].kind))
            .collect();
        let mut same = true;
        edit.expr.walk(&mut |part| {
            if let ExprKind::ClaimRef { of, wrt } = &part.kind {
                same &= !below.contains(&derivative(&of.text, wrt));
            }
        });
        same
    }

    /// What a statement uses directly.
    pub fn uses(&self, statement: usize) -> &BTreeSet<usize> {
        &self.uses[statement]
    }

    /// The statements that a statement needs, itself among them.
    pub fn needs(&self, statement: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut open = vec![statement];
        while let Some(at) = open.pop() {
            if all.insert(at) {
                open.extend(&self.uses[at]);
            }
        }
        all
    }

    /// The statements that need a statement, itself not among them.
    pub fn needed_by(&self, statement: usize) -> BTreeSet<usize> {
        self.all().into_iter().filter(|&at| at != statement && self.needs(at).contains(&statement)).collect()
    }

    /// The definitions and functions that claims use and that no derivative is taken through.
    pub fn only_claims_use(&self) -> Vec<usize> {
        let mut forward = BTreeSet::new();
        let given = |at: &usize| matches!(self.file.statements[*at].kind, StatementKind::Upstream(_));
        for at in self.claims().into_iter().chain(self.all().into_iter().filter(given)) {
            let keyed = names_of_key(&self.file.statements[at].kind);
            for name in keyed {
                if let Some(&value) = bound(&self.file, self.texts.len()).get(name.as_str()) {
                    forward.extend(self.needs(value));
                }
            }
        }
        let used: BTreeSet<usize> = self.claims().iter().flat_map(|&at| self.needs(at)).collect();
        let is_one = |at: &usize| {
            let kind = &self.file.statements[*at].kind;
            matches!(
                kind,
                StatementKind::Definition(_) | StatementKind::IndexDefinition(_) | StatementKind::Function(_)
            ) && !forward.contains(at)
        };
        used.into_iter().filter(is_one).collect()
    }
}

/// Is it a claim of any kind?
pub fn is_claim(kind: &StatementKind) -> bool {
    matches!(kind, StatementKind::Claim(_) | StatementKind::EntryClaim(_) | StatementKind::ShapeClaim(_))
}

/// The name that a statement binds.
pub fn binds(kind: &StatementKind) -> Option<&str> {
    match kind {
        StatementKind::Input(input) => Some(&input.name.text),
        StatementKind::Definition(definition) => Some(&definition.name.text),
        StatementKind::IndexDefinition(definition) => Some(&definition.name.text),
        StatementKind::Function(function) => Some(&function.name.text),
        _ => None,
    }
}

fn right_side(kind: &StatementKind) -> Option<&Expr> {
    match kind {
        StatementKind::Definition(definition) => Some(&definition.expr),
        StatementKind::IndexDefinition(definition) => Some(&definition.expr),
        StatementKind::Function(function) => Some(&function.body),
        StatementKind::Claim(claim) => Some(&claim.expr),
        StatementKind::EntryClaim(claim) => Some(&claim.expr),
        _ => None,
    }
}

/// What stands in a claim's key.
fn names_of_key(kind: &StatementKind) -> Vec<String> {
    match kind {
        StatementKind::Claim(claim) => {
            let key = &claim.key;
            let all = std::iter::once(&key.of).chain(&key.wrt).chain(&key.fixed);
            all.map(|name| name.text.clone()).collect()
        }
        StatementKind::EntryClaim(claim) => vec![claim.of.text.clone(), claim.wrt.text.clone()],
        StatementKind::ShapeClaim(claim) => {
            std::iter::once(&claim.of).chain(&claim.wrt).map(|name| name.text.clone()).collect()
        }
        StatementKind::Upstream(given) => vec![given.wrt.text.clone()],
        _ => Vec::new(),
    }
}

/// Which statement before `end` binds a name.
fn bound(file: &File, end: usize) -> HashMap<&str, usize> {
    let statements = file.statements[..end].iter().enumerate();
    statements.filter_map(|(at, statement)| Some((binds(&statement.kind)?, at))).collect()
}

/// The derivative that a claim or a given cotangent is about, whatever its layout.
fn key(kind: &StatementKind) -> Option<String> {
    match kind {
        StatementKind::Claim(claim) => Some(derivative(&claim.key.of.text, &claim.key.wrt)),
        StatementKind::EntryClaim(claim) => {
            Some(derivative(&claim.of.text, std::slice::from_ref(&claim.wrt)))
        }
        StatementKind::Upstream(given) => Some(derivative(&given.of.text, std::slice::from_ref(&given.wrt))),
        _ => None,
    }
}

fn derivative(of: &str, wrt: &[Name]) -> String {
    let below: Vec<&str> = wrt.iter().map(|name| name.text.as_str()).collect();
    format!("d{of}/d{}", below.join(" d"))
}

fn uses(file: &File) -> Vec<BTreeSet<usize>> {
    // A derivative may be claimed in several layouts; whichever of them a reference means, all count as used.
    let mut claimed: HashMap<String, Vec<usize>> = HashMap::new();
    let mut all = Vec::new();
    for (at, statement) in file.statements.iter().enumerate() {
        let bound = bound(file, at);
        let mut used = BTreeSet::new();
        let texts = names_of_key(&statement.kind);
        used.extend(texts.iter().filter_map(|name| bound.get(name.as_str())));
        if let Some(expr) = right_side(&statement.kind) {
            expr.walk(&mut |part| match &part.kind {
                ExprKind::Name(name) => used.extend(bound.get(name.as_str())),
                ExprKind::Call { function, .. } => used.extend(bound.get(function.text.as_str())),
                ExprKind::ClaimRef { of, wrt } => {
                    used.extend(claimed.get(&derivative(&of.text, wrt)).into_iter().flatten());
                }
                _ => {}
            });
        }
        if let Some(key) = key(&statement.kind) {
            claimed.entry(key).or_default().push(at);
        }
        all.push(used);
    }
    all
}
