//! A correct program, ready to be made wrong: what its parts are worth, and what an expression in it would be.

use std::collections::HashMap;
use std::path::Path;

use pullback::lang::program::{Program, elaborate};
use pullback::lang::{Expr, ExprKind, Name, StatementKind, parse};

use crate::fresh::{self, Numbers, Variant, claimed, numbers};
use crate::source::{Edit, Source, binds};
use crate::tree::{made, name};

/// A correct program.
pub struct Scene {
    /// Its text.
    pub source: Source,
    /// On its own data, in double precision.
    pub program: Program,
    /// On other data.
    pub variants: Vec<Variant>,
    /// Names of dims, with their sizes.
    pub dims: Vec<(String, usize)>,
}

/// Where a slip is to be made: in the right side of a statement.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The program.
    pub scene: &'a Scene,
    /// The statement.
    pub statement: usize,
}

impl Scene {
    /// Evaluates a program, and finds other data for it. Returns what is wrong with it, where something is.
    pub fn new(source: Source) -> Result<Scene, String> {
        let exact = StatementKind::DType(pullback::lang::DType::F64);
        let mut file = source.file.clone();
        for statement in &mut file.statements {
            if matches!(statement.kind, StatementKind::DType(_)) {
                statement.kind = exact.clone();
            }
        }
        let invalid = |errors: Vec<pullback::lang::Error>| {
            let first = errors.first().map(|error| error.message().to_owned());
            format!("{}: {}", source.name, first.unwrap_or_default())
        };
        let (program, _) = elaborate(&file, Path::new(".")).map_err(invalid)?;
        let variants = fresh::variants(&source);
        let mut dims: Vec<(String, usize)> = Vec::new();
        for value in &program.values {
            for dim in value.val.dims() {
                if let Some(name) = dim.name() {
                    let found = (name.to_string(), dim.size());
                    if dim.size() > 1 && !dims.contains(&found) {
                        dims.push(found);
                    }
                }
            }
        }
        Ok(Scene { source, program, variants, dims })
    }

    /// What a claim says with these edits made, on the file's data and on other data.
    pub fn value(&self, claim: usize, edits: &[Edit]) -> Option<Vec<Numbers>> {
        let number = self.source.claim_number(claim);
        let other = self.variants.iter().find(|variant| variant.serves(claim));
        let found: Option<Vec<Numbers>> = match edits {
            [] => {
                let worlds = std::iter::once(&self.program).chain(other.map(|other| &other.program));
                worlds.map(|program| claimed(program, number)).collect()
            }
            [edit] if edit.statement == claim => {
                let worlds = std::iter::once(&self.program).chain(other.map(|other| &other.program));
                worlds.map(|program| reclaimed(program, number, &edit.expr)).collect()
            }
            _ => {
                let text = self.source.written(&self.source.all(), edits, &HashMap::new());
                let own = elaborate(&parse(&text).file, Path::new(".")).ok()?.0;
                let mut found = vec![claimed(&own, number)?];
                if let Some(other) = other {
                    found.push(claimed(&other.edited(&self.source, &self.source.all(), edits)?, number)?);
                }
                Some(found)
            }
        };
        found.filter(|worlds| worlds.iter().all(Numbers::finite))
    }
}

fn reclaimed(program: &Program, number: usize, expr: &Expr) -> Option<Numbers> {
    let val = program.reclaimed(number, expr, &HashMap::new()).ok()?;
    numbers(program.claims.get(number)?, &val)
}

impl Site<'_> {
    /// Is the right side the entry of an array, in index notation?
    pub fn by_entry(&self) -> bool {
        matches!(
            self.scene.source.file.statements[self.statement].kind,
            StatementKind::EntryClaim(_) | StatementKind::IndexDefinition(_)
        )
    }

    /// The indices that stand on the left side.
    pub fn free_indices(&self) -> Vec<String> {
        let names = |names: &[Name]| names.iter().map(|name| name.text.clone()).collect::<Vec<_>>();
        match &self.scene.source.file.statements[self.statement].kind {
            StatementKind::EntryClaim(claim) => {
                [names(&claim.of_indices), names(&claim.wrt_indices)].concat()
            }
            StatementKind::IndexDefinition(definition) => names(&definition.indices),
            _ => Vec::new(),
        }
    }

    /// The claim, where the statement is one: what it is of and by.
    pub fn claim(&self) -> Option<&pullback::lang::program::Claim> {
        let kind = &self.scene.source.file.statements[self.statement].kind;
        matches!(kind, StatementKind::Claim(_) | StatementKind::EntryClaim(_))
            .then(|| &self.scene.program.claims[self.scene.source.claim_number(self.statement)])
    }

    /// The shape of a part of the right side; none where it has none by itself, as in a function's body.
    pub fn shape(&self, part: &Expr) -> Option<Vec<usize>> {
        if let ExprKind::Name(name) = &part.kind {
            return self.scene.program.find(name).map(|value| value.val.shape());
        }
        if self.by_entry() && !matches!(part.kind, ExprKind::ClaimRef { .. }) {
            return None;
        }
        // Of a definition any claim will do: all names are seen from all claims' places, but not the claims' own values.
        let number = self.scene.source.claim_number(self.statement);
        let number = number.min(self.scene.program.claims.len().checked_sub(1)?);
        let val = self.scene.program.reclaimed(number, part, &HashMap::new()).ok()?;
        Some(val.shape())
    }

    /// Names and earlier claims of this shape.
    pub fn alike(&self, shape: &[usize]) -> Vec<Expr> {
        let (source, program) = (&self.scene.source, &self.scene.program);
        let mut all = Vec::new();
        for (at, statement) in source.file.statements[..self.statement].iter().enumerate() {
            let (value, expr) = match &statement.kind {
                StatementKind::Claim(claim) => {
                    let pullback::lang::program::Claimed::Value { val, .. } =
                        &program.claims[source.claim_number(at)].claimed
                    else {
                        continue;
                    };
                    let (of, wrt) = (claim.key.of.clone(), claim.key.wrt.clone());
                    (val.shape(), made(ExprKind::ClaimRef { of, wrt }))
                }
                StatementKind::Upstream(given) => {
                    let key = format!("d{}/d{}", given.of, given.wrt);
                    let Some(value) = program.find(&key) else { continue };
                    let (of, wrt) = (given.of.clone(), vec![given.wrt.clone()]);
                    (value.val.shape(), made(ExprKind::ClaimRef { of, wrt }))
                }
                kind => match binds(kind).and_then(|text| program.find(text)) {
                    Some(value) if value.val.dtype().is_float() => (value.val.shape(), name(&value.name)),
                    _ => continue,
                },
            };
            if value == shape && !all.contains(&expr) {
                all.push(expr);
            }
        }
        all
    }

    /// Is there more in an expression than numbers and sizes?
    pub fn has_values(&self, expr: &Expr) -> bool {
        let mut found = false;
        expr.walk(&mut |part| match &part.kind {
            ExprKind::Name(name) => found |= !self.scene.dims.iter().any(|(dim, _)| dim == name),
            ExprKind::ClaimRef { .. } => found = true,
            _ => {}
        });
        found
    }

    /// Is the claim about a value that the forward pass uses more than once?
    pub fn used_often(&self) -> bool {
        self.claim().is_some_and(|claim| claim.wrt_names.first().is_some_and(|name| self.uses(name) > 1))
    }

    /// The functions that definitions and functions of the file call.
    pub fn forward_functions(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (at, statement) in self.scene.source.file.statements.iter().enumerate() {
            let forward = matches!(
                statement.kind,
                StatementKind::Definition(_) | StatementKind::IndexDefinition(_) | StatementKind::Function(_)
            );
            if let Some(expr) = self.scene.source.right(at).filter(|_| forward) {
                expr.walk(&mut |part| {
                    if let ExprKind::Call { function, .. } = &part.kind {
                        all.push(function.text.clone());
                    }
                });
            }
        }
        all
    }

    /// How many statements of the forward pass use a name directly.
    pub fn uses(&self, text: &str) -> usize {
        let source = &self.scene.source;
        let statements = source.file.statements.iter().enumerate();
        let Some(bound) =
            source.all().into_iter().find(|&at| binds(&source.file.statements[at].kind) == Some(text))
        else {
            return 0;
        };
        let forward = statements.filter(|(_, s)| {
            matches!(s.kind, StatementKind::Definition(_) | StatementKind::IndexDefinition(_))
        });
        let counts = forward.filter_map(|(at, _)| {
            let expr = source.right(at).filter(|_| source.uses(at).contains(&bound))?;
            let mut count = 0;
            expr.walk(&mut |part| count += usize::from(part.kind == ExprKind::Name(text.to_owned())));
            Some(count)
        });
        counts.sum()
    }
}
