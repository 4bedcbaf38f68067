//! What is known of the names of a program.

use std::collections::{HashMap, HashSet};

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Span, make, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Axes, Val, find};

use crate::code::{Source, Writer};

/// The names of a program: their axes, what is symmetric, and how they are defined.
#[derive(Clone, Debug, Default)]
pub struct Known {
    dims: HashMap<String, Vec<Dim>>,
    symmetric: HashSet<String>,
    /// Definitions by how they are written.
    definitions: HashMap<String, String>,
    /// What the loss is called that an output with axes belongs to.
    loss: Option<String>,
}

impl Known {
    /// What is known of the values that one is computed from; `symmetric` are names of matrices that are.
    pub fn new(output: &Val, symmetric: &[&str]) -> Known {
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let mut known = Known {
            symmetric: symmetric.iter().map(|name| (*name).to_owned()).collect(),
            ..Known::default()
        };
        let mut seen = HashSet::new();
        let (mut pending, mut all) = (vec![output.clone()], Vec::new());
        while let Some(value) = pending.pop() {
            if seen.insert(value.id()) {
                pending.extend(value.inputs().iter().cloned());
                all.push(value);
            }
        }
        all.sort_by_key(Val::order);
        for value in &all {
            for dim in value.dims() {
                if let Some(name) = dim.name() {
                    known.dims.insert(name.as_str().to_owned(), Vec::new());
                }
            }
            let Some(name) = value.name().filter(|name| name.is_identifier()) else { continue };
            known.dims.insert(name.as_str().to_owned(), value.dims().to_vec());
            if value.inputs().is_empty() {
                continue;
            }
            let Some(definition) = writer.definition(value) else { continue };
            let definition = super::shortened(&definition, &known.without_names());
            if known.is_symmetric(&definition) {
                known.symmetric.insert(name.as_str().to_owned());
            }
            if definition.parts() > 1 {
                known.definitions.entry(print(&definition)).or_insert_with(|| name.as_str().to_owned());
            }
        }
        known
    }

    /// The same where the loss of an output with axes has a name.
    pub fn with_loss(self, loss: &str) -> Known {
        Known { loss: Some(loss.to_owned()), ..self }
    }

    /// What the loss is called that an output belongs to: a scalar is it itself, and of an output with axes it is L, unless it was
    /// said otherwise.
    pub(crate) fn loss_of(&self, output: &Val) -> String {
        match &self.loss {
            _ if output.ndim() == 0 => output.symbol(),
            Some(loss) => loss.clone(),
            None => "L".to_owned(),
        }
    }

    /// The same without the definitions of names: a definition is not written by its own name.
    pub(crate) fn without_names(&self) -> Known {
        Known { definitions: HashMap::new(), ..self.clone() }
    }

    /// The name of what is written so.
    pub(super) fn name_of(&self, expr: &Expr) -> Option<Expr> {
        if expr.parts() < 2 {
            return None;
        }
        let turned = match &expr.kind {
            // A dot product has no order.
            ExprKind::Binary { operator, left, right }
                if operator.kind == BinaryOp::MatMul
                    && self.rank(left) == Some(1)
                    && self.rank(right) == Some(1) =>
            {
                Some(make::binary(expr.span, BinaryOp::MatMul, (**right).clone(), (**left).clone()))
            }
            _ => None,
        };
        let known = |expr: &Expr| self.definitions.get(&print(expr));
        let name = known(expr).or_else(|| known(&turned?))?;
        Some(make::name(Span::default(), name))
    }

    /// Is it a function whose calls are products of matrices, or their transposes and inverses?
    pub(super) fn is_product(&self, function: &str) -> bool {
        [OUTER, INVERSE, SOLVE].contains(&function)
    }

    /// Is a matrix equal to its transpose?
    pub(super) fn is_symmetric(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => self.symmetric.contains(name),
            ExprKind::Negate(inner) | ExprKind::Transpose(inner) => self.is_symmetric(inner),
            ExprKind::Call { function, args, .. } => match args.as_slice() {
                [inner] if function.text == INVERSE => self.is_symmetric(inner),
                [_] => function.text == IDENTITY,
                [a, b] => function.text == OUTER && a == b,
                _ => false,
            },
            ExprKind::Binary { operator, left, right } => match operator.kind {
                BinaryOp::Add | BinaryOp::Sub => {
                    (self.is_symmetric(left) && self.is_symmetric(right))
                        || make::untransposed(left) == **right
                }
                BinaryOp::Mul | BinaryOp::Div => {
                    let is_scalar = |expr: &Expr| self.rank(expr) == Some(0);
                    (is_scalar(left) && self.is_symmetric(right))
                        || (is_scalar(right) && self.is_symmetric(left))
                }
                BinaryOp::MatMul => self.is_congruence(expr),
                _ => false,
            },
            _ => false,
        }
    }

    /// Is it `X.T @ S @ X` with a symmetric S, or without one?
    fn is_congruence(&self, expr: &Expr) -> bool {
        let mut factors = Vec::new();
        flatten(expr, &mut factors);
        let mirrored = |a: &Expr, b: &Expr| make::untransposed(a) == *b || (a == b && self.is_symmetric(a));
        let count = factors.len();
        (0..count / 2).all(|at| mirrored(factors[at], factors[count - 1 - at]))
            && (count % 2 == 0 || self.is_symmetric(factors[count / 2]))
            && count > 1
    }

    /// How many axes an expression has, where that is known.
    pub(super) fn rank(&self, expr: &Expr) -> Option<usize> {
        self.axes(expr).map(|dims| dims.len())
    }

    /// Is an expression a square matrix, by the names of its sizes where it has any?
    pub(super) fn is_square(&self, expr: &Expr) -> bool {
        matches!(self.axes(expr).as_deref(), Some([a, b]) if a == b && a.name() == b.name())
    }

    /// The axes of an expression, where they are known.
    pub(super) fn axes(&self, expr: &Expr) -> Option<Vec<Dim>> {
        match &expr.kind {
            ExprKind::Number { .. } => Some(Vec::new()),
            ExprKind::Name(name) => self.dims.get(name).cloned(),
            ExprKind::ClaimRef { wrt, .. } => self.dims.get(&wrt.first()?.text).cloned(),
            ExprKind::Negate(inner) => self.axes(inner),
            ExprKind::Transpose(inner) => {
                let mut dims = self.axes(inner)?;
                dims.reverse();
                Some(dims)
            }
            ExprKind::Binary { operator, left, right } => {
                let (left, right) = (self.axes(left)?, self.axes(right)?);
                match operator.kind {
                    BinaryOp::MatMul => match (&left[..], &right[..]) {
                        ([_], [_]) => Some(Vec::new()),
                        ([_], [_, column]) => Some(vec![*column]),
                        ([row, _], [_]) => Some(vec![*row]),
                        ([row, _], [_, column]) => Some(vec![*row, *column]),
                        _ => None,
                    },
                    _ => broadcast(&left, &right),
                }
            }
            ExprKind::Call { function, args, kwargs } => {
                self.axes_of_call(&function.text, args, kwargs.is_empty())
            }
            ExprKind::Index { base, items } => {
                let mut own = self.axes(base)?.into_iter();
                let mut dims = Vec::new();
                for item in items {
                    match item {
                        IndexItem::NewAxis => dims.push(Dim::new(1)),
                        IndexItem::Slice { start: None, stop: None, step: None } => dims.push(own.next()?),
                        IndexItem::At(at) if self.rank(at) == Some(0) => {
                            own.next()?;
                        }
                        _ => return None,
                    }
                }
                Some(dims.into_iter().chain(own).collect())
            }
            _ => None,
        }
    }

    fn axes_of_call(&self, function: &str, args: &[Expr], plain: bool) -> Option<Vec<Dim>> {
        if let (OUTER, [a, b]) = (function, args) {
            let (a, b) = (self.axes(a)?, self.axes(b)?);
            return match (&a[..], &b[..]) {
                ([row], [column]) => Some(vec![*row, *column]),
                _ => None,
            };
        }
        if let (SOLVE, [_, right]) = (function, args) {
            return self.axes(right);
        }
        if let (IDENTITY, [size]) = (function, args) {
            let dim = match &size.kind {
                ExprKind::Name(name) => self.size(name)?,
                _ => return None,
            };
            return Some(vec![dim, dim]);
        }
        let operation = find(function)?;
        match operation.entry.axes {
            Axes::Kept | Axes::Square => self.axes(args.first()?),
            Axes::OfSquare => {
                let dims = self.axes(args.first()?)?;
                Some(dims[..dims.len().checked_sub(2)?].to_vec())
            }
            Axes::Broadcast => {
                let mut dims = Vec::new();
                for arg in args {
                    dims = broadcast(&dims, &self.axes(arg)?)?;
                }
                Some(dims)
            }
            Axes::Reduced if plain && args.len() == 1 => Some(Vec::new()),
            _ => None,
        }
    }

    /// A size by its name.
    pub(super) fn size(&self, name: &str) -> Option<Dim> {
        let all = self.dims.values().flatten();
        all.into_iter().find(|dim| dim.name().is_some_and(|own| own.as_str() == name)).copied()
    }
}

/// The axes of two operands that broadcast.
fn broadcast(a: &[Dim], b: &[Dim]) -> Option<Vec<Dim>> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let offset = long.len() - short.len();
    let mut dims = long.to_vec();
    for (at, dim) in short.iter().enumerate() {
        let own = &mut dims[offset + at];
        match (own.size(), dim.size()) {
            (x, y) if x == y => *own = own.or_name_of(*dim),
            (1, _) => *own = *dim,
            (_, 1) => {}
            _ => return None,
        }
    }
    Some(dims)
}

fn flatten<'a>(expr: &'a Expr, factors: &mut Vec<&'a Expr>) {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::MatMul => {
            flatten(left, factors);
            flatten(right, factors);
        }
        _ => factors.push(expr),
    }
}

/// The functions whose meaning the normal form has.
pub(crate) const OUTER: &str = "outer";
pub(crate) const INVERSE: &str = "inv";
pub(crate) const IDENTITY: &str = "eye";
pub(super) const SOLVE: &str = "solve";
pub(super) const RESHAPE: &str = "reshape";
