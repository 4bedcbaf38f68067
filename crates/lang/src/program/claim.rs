//! Claims: what they are about, and what they claim.

use std::collections::HashMap;

use pullback_array::Array;
use pullback_network::Dim;
use pullback_ops::{Arg, Val};

use super::Program;
use super::evaluate::Evaluator;
use super::failure::{Failure, Outcome};
use super::notation;
use super::scope::{Meaning, Scope};
use crate::{Error, Expr, ExprKind, Layout, Name, Result, Scan, Span};

/// A claim about a derivative.
#[derive(Clone, Debug)]
pub struct Claim {
    /// As it is shown: `dL/dW`, `da/dW [col]`, `dv/da [u fixed]`, `shape(dZ/db)`, `d2L/dx2`, `dZ[i,j]/dX[m,n]`.
    pub key: String,
    /// Where the whole statement stands.
    pub span: Span,
    /// What is differentiated. For the loss of given cotangents: the sum over them of ⟨cotangent, output⟩, whose
    /// gradient is what they propagate.
    pub of: Val,
    /// Its name in the file.
    pub of_name: String,
    /// With respect to what: one value, or two for a Hessian.
    pub wrt: Vec<Val>,
    /// Their names in the file.
    pub wrt_names: Vec<String>,
    /// Is what it is taken by last an input that is declared symmetric, as `symmetric` or `spd`?
    pub symmetric: bool,
    /// What is held fixed.
    pub fixed: Vec<Val>,
    /// What the derivative is claimed to be.
    pub claimed: Claimed,
    /// The claims whose values this one was computed from, by index, in file order: those it names, and those that the
    /// definitions it uses name.
    pub refers_to: Vec<usize>,
    /// Where the right side stands.
    pub expr_span: Span,
    /// The right side of a claim about a value; none of a claim of numbers from elsewhere.
    pub expr: Option<Expr>,
    /// The indices and their ranges, of a claim entry by entry.
    pub(super) entry: Option<Vec<(Name, Dim)>>,
}

/// What a derivative is claimed to be.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// A value. An entry claim's is the whole tensor `[y…, x…]`.
    Value {
        /// The value, of whatever shape was written.
        val: Val,
        /// How a Jacobian is laid out.
        layout: Layout,
        /// Is it written as zeros: `zeros(…)`, or `0` for a scalar?
        zeros: bool,
    },
    /// A shape.
    Shape(Vec<usize>),
}

/// Numbers from elsewhere as a claim of a program: see [`Program::claim_numbers`].
pub(super) fn numbers(program: &mut Program, of: &str, wrt: &str, array: &Array) -> Result<usize> {
    let nowhere = Span::default();
    let differentiable = |name: &str| {
        let name = Name::new(name, nowhere);
        differentiable(&program.scope, &name).map_err(|failure| failure.into_error(nowhere))
    };
    let loss = program.losses.get(of).cloned();
    let of_val = loss.map_or_else(|| differentiable(of), Ok)?;
    let wrt_val = differentiable(wrt)?;
    let key = format!("d{of}/d{wrt}");
    let stated = program.claims.iter().position(|claim| claim.key == key);
    let span = match stated {
        Some(stated) => program.claims[stated].span,
        None => program.find(wrt).map_or(nowhere, |value| value.span),
    };
    let claim = Claim {
        key,
        span,
        of: of_val,
        of_name: of.to_owned(),
        wrt: vec![wrt_val],
        wrt_names: vec![wrt.to_owned()],
        symmetric: program.find(wrt).is_some_and(|value| value.symmetric),
        fixed: Vec::new(),
        claimed: Claimed::Value { val: Val::new(array.clone()), layout: Layout::Default, zeros: false },
        refers_to: Vec::new(),
        expr_span: span,
        expr: None,
        entry: None,
    };
    match stated {
        Some(stated) => {
            program.claims[stated] = claim;
            Ok(stated)
        }
        None => {
            program.claims.push(claim);
            Ok(program.claims.len() - 1)
        }
    }
}

/// What is differentiated. For the loss of given cotangents, which is known only once all of them are, a symbol stands
/// in.
pub(super) fn numerator(scope: &Scope, name: &Name) -> Outcome<Val> {
    match scope.get(&name.text).map(|bound| &bound.meaning) {
        Some(Meaning::Loss) => Ok(Val::symbol(&name.text, &[], scope.dtype)),
        _ => differentiable(scope, name),
    }
}

/// A value that derivatives may be taken of and by.
pub(super) fn differentiable(scope: &Scope, name: &Name) -> Outcome<Val> {
    let Some(bound) = scope.get(&name.text) else {
        return Err(scope.unknown(name));
    };
    match &bound.meaning {
        Meaning::Value(val) if val.dtype().is_float() => Ok(val.clone()),
        Meaning::Value(_) => {
            Err(Error::new(name.span, format!("`{name}` holds integers, which are not differentiable"))
                .with_label(bound.span, "bound here")
                .into())
        }
        Meaning::Dim(dim) => {
            Err(Error::new(name.span, format!("`{name}` is a dim of size {}, not a value", dim.size()))
                .with_label(bound.span, "bound here")
                .into())
        }
        Meaning::Loss => {
            Err(Error::new(name.span, format!("nothing is differentiated by `{name}`, which has no value"))
                .with_label(bound.span, "its cotangent is given here")
                .into())
        }
        Meaning::Failed => Err(Failure::Silent),
    }
}

/// The ranges of the indices of an entry claim: the axes of what they index.
pub(super) fn ranges(name: &Name, indices: &[Name], dims: &[Dim]) -> Outcome<Vec<(Name, Dim)>> {
    if indices.len() == dims.len() {
        return Ok(indices.iter().cloned().zip(dims.iter().copied()).collect());
    }
    let span = indices.iter().fold(name.span, |span, index| span.to(index.span));
    let message = format!("`{name}` has the shape {dims:?} and is given {} indices", indices.len());
    Err(Error::new(span, message).with_hint("write one index for each axis").into())
}

/// Is a claim written as zeros?
pub(super) fn is_zeros(scope: &Scope, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { function, .. } => function.text == "zeros" && scope.function("zeros").is_none(),
        ExprKind::Number { value, .. } => *value == 0.0,
        _ => false,
    }
}

/// What `claim` claims where its right side is `expr`, and `names` mean these values.
pub(super) fn value_of(
    claim: &Claim,
    expr: &Expr,
    scope: &Scope,
    before: usize,
    replaced: &HashMap<usize, Val>,
    names: HashMap<String, Val>,
) -> Result<Val> {
    let mut evaluator = Evaluator::new(scope);
    evaluator.before = before;
    evaluator.replaced = Some(replaced);
    if !names.is_empty() {
        evaluator.locals = Some(names.into_iter().map(|(name, val)| (name, Arg::Value(val))).collect());
    }
    let value = match &claim.entry {
        Some(ranges) => notation::entries(&mut evaluator, ranges, expr),
        None => evaluator.value(expr),
    };
    value.map_err(|failure| failure.into_error(expr.span))
}

/// What the names of a loop are that claim number `before` uses, or, given a statement of its body, what the names of the body are
/// before that in the last step.
pub(super) fn names_of_loop(
    scan: &Scan,
    statement: Option<usize>,
    scope: &Scope,
    before: usize,
    replaced: &HashMap<usize, Val>,
) -> Result<HashMap<String, Val>> {
    let mut evaluator = Evaluator::new(scope);
    evaluator.before = before;
    evaluator.replaced = Some(replaced);
    let names = match statement {
        Some(statement) => evaluator.last_step(scan, statement),
        None => evaluator
            .scan(scan)
            .map(|bound| bound.into_iter().map(|(name, val)| (name.text.clone(), val)).collect()),
    };
    names.map_err(|failure| failure.into_error(scan.index.span))
}

/// What a definition in index notation that claim number `before` uses is where its right side is `expr`.
pub(super) fn definition_of(
    ranges: &[(Name, Dim)],
    expr: &Expr,
    scope: &Scope,
    before: usize,
    replaced: &HashMap<usize, Val>,
) -> Result<Val> {
    let mut evaluator = Evaluator::new(scope);
    evaluator.before = before;
    evaluator.replaced = Some(replaced);
    notation::entries(&mut evaluator, ranges, expr).map_err(|failure| failure.into_error(expr.span))
}
