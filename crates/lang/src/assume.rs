//! Inputs for names that nobody declared, as on the command line: `derive -e 'Z = X @ W + b'`.
//!
//! An upper-case name is taken for a matrix, a lower-case one for a vector, and one that only ever multiplies, divides or is added to
//! scalars for a scalar: `lam` in `lam * sum(w^2)`, `N` in `sum(r^2) / N`. Their sizes follow from the expression: axes
//! that must be equal get one dim, named `N`, `D`, `M`, … in order of appearance, and distinct dims get distinct primes, so
//! that nothing fits by accident. What is declared has the axes that it declares. The assumption is returned to be printed; what it
//! cannot infer stays a dim of its own.

use std::collections::{HashMap, HashSet};

use pullback_ops::{self as ops, Arg, find};

use crate::prelude;
use crate::program::of_language;
use crate::span::Span;
use crate::syntax::ast::{DimSpec, File, Input, Name, Shape, Source, Statement, StatementKind};
use crate::syntax::expr::{BinaryOp, Expr, ExprKind, IndexItem};
use crate::syntax::make;

/// A file with every name declared.
#[derive(Clone, Debug)]
pub struct Assumed {
    /// The file, with an input statement in front for each assumed name.
    pub file: File,
    /// What was assumed, as one would declare it: `X: [N=5, D=3]`.
    pub assumptions: Vec<String>,
}

/// Declares the names of a file that it uses and does not bind.
pub fn assume_inputs(file: &File) -> Assumed {
    let mut axes = Axes { scalars: scalars(file), ..Axes::default() };
    for statement in &file.statements {
        axes.statement(statement);
    }
    let dims = axes.dims();
    let place = Span { start: 0, end: 0 };
    let mut statements = Vec::new();
    let mut assumptions = Vec::new();
    let mut bound: Vec<&str> = Vec::new();
    for (name, own) in &axes.assumed {
        let own_dims: Vec<(&str, usize)> = own
            .iter()
            .map(|&axis| {
                let root = axes.root(axis);
                let declared = axes.declared.iter().find(|(known, ..)| axes.root(*known) == root);
                declared.map_or_else(|| dims[&root], |(_, dim, size)| (dim.as_str(), *size))
            })
            .collect();
        let specs = own_dims.iter().map(|&(dim, size)| {
            let dim_name = Name::new(dim, place);
            if dim.is_empty() {
                return DimSpec::Size(Expr {
                    span: place,
                    kind: ExprKind::Number { value: size as f64, integer: true },
                });
            }
            if bound.contains(&dim) || axes.declared.iter().any(|(_, declared, _)| declared == dim) {
                return DimSpec::Dim(dim_name);
            }
            bound.push(dim);
            let size = ExprKind::Number { value: size as f64, integer: true };
            DimSpec::Bind { name: dim_name, size: Expr { span: place, kind: size } }
        });
        let shape = Shape { span: place, dims: specs.collect() };
        let source = Source::Distribution { name: Name::new("randn", place), args: Vec::new() };
        let input = Input { name: Name::new(name.as_str(), place), shape: Some(shape), source };
        statements.push(Statement { span: place, kind: StatementKind::Input(input) });
        let sizes: Vec<String> = own_dims
            .iter()
            .map(|(dim, size)| if dim.is_empty() { size.to_string() } else { format!("{dim}={size}") })
            .collect();
        assumptions.push(format!("{name}: [{}]", sizes.join(", ")));
    }
    // What is assumed may have sizes that are declared, and stands behind these.
    let is_input = |statement: &&Statement| matches!(statement.kind, StatementKind::Input(_));
    let declared = file.statements.iter().take_while(is_input).count();
    let mut all = file.statements[..declared].to_vec();
    all.extend(statements);
    all.extend(file.statements[declared..].iter().cloned());
    Assumed { file: File { statements: all }, assumptions }
}

/// Axes, some of which are known to be equal.
#[derive(Default)]
struct Axes {
    /// For each axis another one that it equals, or itself.
    parent: Vec<usize>,
    /// The axes of the names assumed, in order of appearance.
    assumed: Vec<(String, Vec<usize>)>,
    /// The axes of the names that the file binds; `None` where they are not known.
    bound: HashMap<String, Option<Vec<usize>>>,
    /// Names that the file uses for anything.
    taken: Vec<String>,
    /// Names that are taken for scalars.
    scalars: HashSet<String>,
    /// Axes whose sizes are declared: by name, which is empty of one without.
    declared: Vec<(usize, String, usize)>,
    /// Inside how many functions of the prelude: their names are not the file's, and nothing is assumed of them.
    within: usize,
}

/// An axis of one entry, which is there to be stretched.
const ONE: usize = usize::MAX;

impl Axes {
    fn fresh(&mut self) -> usize {
        self.parent.push(self.parent.len());
        self.parent.len() - 1
    }

    fn root(&self, mut axis: usize) -> usize {
        while axis != ONE && self.parent[axis] != axis {
            axis = self.parent[axis];
        }
        axis
    }

    /// The earlier axis stands for both.
    fn unify(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a != ONE && b != ONE {
            self.parent[a.max(b)] = a.min(b);
        }
    }

    /// A name and a prime for each set of equal axes, in order of appearance.
    fn dims(&self) -> HashMap<usize, (&'static str, usize)> {
        const NAMES: [(&str, usize); 12] = [
            ("N", 5),
            ("D", 3),
            ("M", 2),
            ("K", 7),
            ("P", 11),
            ("Q", 13),
            ("R", 17),
            ("S", 19),
            ("T", 23),
            ("U", 29),
            ("V", 31),
            ("H", 37),
        ];
        let free = |(name, _): &&(&'static str, usize)| !self.taken.iter().any(|taken| taken == name);
        let mut names = NAMES.iter().filter(free).cycle();
        let mut dims = HashMap::new();
        for &axis in self.assumed.iter().flat_map(|(_, axes)| axes) {
            let root = self.root(axis);
            if !dims.contains_key(&root)
                && !self.declared.iter().any(|(known, ..)| self.root(*known) == root)
                && let Some(&dim) = names.next()
            {
                dims.insert(root, dim);
            }
        }
        dims
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Input(input) => {
                self.taken.push(input.name.text.clone());
                let own = input.shape.as_ref().and_then(|shape| self.shape_of(&shape.dims));
                self.bound.insert(input.name.text.clone(), own);
            }
            StatementKind::Definition(definition) => {
                let shape = self.shape(&definition.expr);
                self.taken.push(definition.name.text.clone());
                self.bound.insert(definition.name.text.clone(), shape);
            }
            StatementKind::Expression(expr) => {
                self.shape(expr);
            }
            StatementKind::Definitions(definitions) => {
                self.shape(&definitions.expr);
                for name in definitions.named() {
                    self.taken.push(name.text.clone());
                    self.bound.insert(name.text.clone(), None);
                }
            }
            StatementKind::IndexDefinition(definition) => {
                let mut letters = HashMap::new();
                self.indexed(&definition.expr, &mut letters);
                let own = definition.indices.iter().map(|index| letters.get(&index.text).copied()).collect();
                self.taken.push(definition.name.text.clone());
                self.bound.insert(definition.name.text.clone(), own);
            }
            _ => {}
        }
    }

    /// The axes of a declared shape, where its sizes are names and numbers.
    fn shape_of(&mut self, dims: &[DimSpec]) -> Option<Vec<usize>> {
        let number = |expr: &Expr| match expr.kind {
            ExprKind::Number { value, .. } => Some(value as usize),
            _ => None,
        };
        dims.iter()
            .map(|dim| {
                let (name, size) = match dim {
                    DimSpec::Bind { name, size } => (name.text.clone(), number(size)?),
                    DimSpec::Dim(name) => {
                        let (axis, ..) = self.declared.iter().find(|(_, known, _)| *known == name.text)?;
                        return Some(*axis);
                    }
                    DimSpec::Size(size) if number(size)? == 1 => return Some(ONE),
                    DimSpec::Size(size) => (String::new(), number(size)?),
                };
                let axis = self.fresh();
                self.taken.push(name.clone());
                self.declared.push((axis, name, size));
                Some(axis)
            })
            .collect()
    }

    /// The names of an expression in index notation: each has as many axes as indices, and axes with one index are equal.
    fn indexed(&mut self, expr: &Expr, letters: &mut HashMap<String, usize>) {
        let ExprKind::Index { base, items } = &expr.kind else {
            if let ExprKind::Name(name) = &expr.kind
                && !letters.contains_key(name)
            {
                self.ranked(name, 0);
            }
            expr.children().into_iter().for_each(|child| self.indexed(child, letters));
            return;
        };
        let ExprKind::Name(name) = &base.kind else { return };
        if name == "delta" {
            return;
        }
        let Some(axes) = self.ranked(name, items.len()) else { return };
        for (item, axis) in items.iter().zip(axes) {
            if let IndexItem::At(Expr { kind: ExprKind::Name(letter), .. }) = item {
                match letters.get(letter) {
                    Some(&known) => self.unify(known, axis),
                    None => {
                        letters.insert(letter.clone(), axis);
                    }
                }
            }
        }
    }

    /// The axes of a name: known, assumed, or assumed now.
    fn name(&mut self, name: &str) -> Option<Vec<usize>> {
        if !self.bound.contains_key(name) {
            match of_language(name) {
                Some(Arg::Number(..)) => return Some(Vec::new()),
                Some(_) => return None,
                None if self.within > 0 => return None,
                None => {}
            }
        }
        let rank = match name.chars().next() {
            _ if self.scalars.contains(name) => 0,
            Some(first) if first.is_uppercase() => 2,
            _ => 1,
        };
        self.ranked(name, rank)
    }

    fn ranked(&mut self, name: &str, rank: usize) -> Option<Vec<usize>> {
        if let Some(bound) = self.bound.get(name) {
            return bound.clone();
        }
        let axes: Vec<usize> = (0..rank).map(|_| self.fresh()).collect();
        self.taken.push(name.to_string());
        self.assumed.push((name.to_string(), axes.clone()));
        self.bound.insert(name.to_string(), Some(axes.clone()));
        Some(axes)
    }

    /// The axes of an expression, as far as they are known; axes that it makes equal are made so.
    fn shape(&mut self, expr: &Expr) -> Option<Vec<usize>> {
        match &expr.kind {
            ExprKind::Number { .. } => Some(Vec::new()),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Negate(inner) => self.shape(inner),
            ExprKind::Transpose(inner) => self.shape(inner).map(|axes| axes.into_iter().rev().collect()),
            ExprKind::Binary { operator, left, right } => {
                let (left, right) = (self.shape(left), self.shape(right));
                match operator.kind {
                    BinaryOp::MatMul => self.product(left?, right?),
                    _ => Some(self.aligned(left?, right?)),
                }
            }
            ExprKind::Call { function, args, kwargs } => {
                // `vec(A, col)`: a word, and no name.
                let is_word =
                    |arg: &&Expr| matches!(&arg.kind, ExprKind::Name(name) if name == "row" || name == "col");
                let layout = matches!(function.text.as_str(), "vec" | "unvec");
                let shapes: Vec<Option<Vec<usize>>> =
                    args.iter().filter(|arg| !(layout && is_word(arg))).map(|arg| self.shape(arg)).collect();
                let axis = kwargs.iter().find(|(name, _)| matches!(name.text.as_str(), "axis" | "dim"));
                let kept = kwargs.iter().any(|(name, value)| {
                    matches!(name.text.as_str(), "keepdims" | "keepdim") && value.kind == ExprKind::Bool(true)
                });
                let before = shapes.first().cloned().flatten();
                let result = self.call(&function.text, shapes, (args, kwargs), axis.map(|(_, expr)| expr));
                match (before, result) {
                    // The axes that are gone are kept with one entry.
                    (Some(before), Some(result)) if kept && result.len() <= before.len() => {
                        let mut left = result.into_iter().peekable();
                        Some(before.into_iter().map(|axis| left.next_if_eq(&axis).unwrap_or(ONE)).collect())
                    }
                    (_, result) => result,
                }
            }
            ExprKind::Index { base, .. } => {
                self.shape(base);
                None
            }
            ExprKind::List(items) => {
                items.iter().for_each(|item| {
                    self.shape(item);
                });
                None
            }
            _ => None,
        }
    }

    fn product(&mut self, left: Vec<usize>, right: Vec<usize>) -> Option<Vec<usize>> {
        let inner = match right.as_slice() {
            [.., k, _] => *k,
            [k] => *k,
            [] => return None,
        };
        self.unify(*left.last()?, inner);
        let columns = right.iter().skip(1).copied();
        Some(left[..left.len() - 1].iter().copied().chain(columns).collect())
    }

    fn aligned(&mut self, left: Vec<usize>, right: Vec<usize>) -> Vec<usize> {
        for (&a, &b) in left.iter().rev().zip(right.iter().rev()) {
            self.unify(a, b);
        }
        let (mut long, short) = if left.len() >= right.len() { (left, right) } else { (right, left) };
        let offset = long.len() - short.len();
        for (axis, other) in long[offset..].iter_mut().zip(short) {
            if *axis == ONE {
                *axis = other;
            }
        }
        long
    }

    fn call(
        &mut self,
        function: &str,
        shapes: Vec<Option<Vec<usize>>>,
        (args, kwargs): (&[Expr], &[(Name, Expr)]),
        axis: Option<&Expr>,
    ) -> Option<Vec<usize>> {
        let mut shapes = shapes.into_iter();
        let first = shapes.next()?;
        match function {
            "einsum" => self.einsum(args, shapes.collect()),
            "outer" => Some([first?, shapes.next()??].concat()),
            "matmul" | "dot" => self.product(first?, shapes.next()??),
            "solve" => {
                let (matrix, right) = (first?, shapes.next()??);
                if let ([rows, columns], Some(&n)) = (&matrix[..], right.first()) {
                    self.unify(*rows, *columns);
                    self.unify(*rows, n);
                }
                Some(right)
            }
            "diag" => match first?[..] {
                [a] => Some(vec![a, a]),
                [a, b] => {
                    self.unify(a, b);
                    Some(vec![a])
                }
                _ => None,
            },
            "transpose" => first.map(|axes| axes.into_iter().rev().collect()),
            "square" => first,
            _ => self.of_table(function, first, shapes, (args, kwargs), axis),
        }
    }

    /// By what the operation states of its axes; a function of the prelude is what it is made of.
    fn of_table(
        &mut self,
        function: &str,
        first: Option<Vec<usize>>,
        others: impl Iterator<Item = Option<Vec<usize>>>,
        (args, kwargs): (&[Expr], &[(Name, Expr)]),
        axis: Option<&Expr>,
    ) -> Option<Vec<usize>> {
        let Some(operation) = find(function) else {
            let function = prelude::find(function).filter(|function| function.inside.is_empty())?;
            let by_keyword = |param: &Name| kwargs.iter().find(|(name, _)| name == param).map(|(_, arg)| arg);
            let given = |(number, (param, default)): (usize, (&Name, &Option<Expr>))| {
                let arg = args.get(number).or_else(|| by_keyword(param)).or(default.as_ref())?;
                Some((param.text.clone(), arg.clone()))
            };
            let params = function.params.iter().zip(&function.defaults).enumerate();
            let body = make::substituted(&function.body, &params.filter_map(given).collect());
            self.within += 1;
            let shape = self.shape(&body);
            self.within -= 1;
            return shape;
        };
        match operation.entry.axes {
            ops::Axes::Own => None,
            ops::Axes::Kept => first,
            ops::Axes::Square | ops::Axes::OfSquare => {
                let axes = first?;
                let [batch @ .., a, b] = axes.as_slice() else { return None };
                self.unify(*a, *b);
                Some(if operation.entry.axes == ops::Axes::Square { axes } else { batch.to_vec() })
            }
            ops::Axes::Broadcast => {
                let mut axes = first?;
                for other in others {
                    axes = self.aligned(axes, other?);
                }
                Some(axes)
            }
            ops::Axes::Reduced => {
                let axes = first?;
                match axis.map(|expr| &expr.kind) {
                    None if args.len() == 1 => Some(Vec::new()),
                    Some(ExprKind::Negate(inner))
                        if matches!(inner.kind, ExprKind::Number { value: 1.0, .. }) =>
                    {
                        Some(axes[..axes.len().saturating_sub(1)].to_vec())
                    }
                    Some(ExprKind::Number { value, .. }) => {
                        let dropped = *value as usize;
                        Some(
                            axes.iter()
                                .enumerate()
                                .filter(|(k, _)| *k != dropped)
                                .map(|(_, &axis)| axis)
                                .collect(),
                        )
                    }
                    _ => None,
                }
            }
        }
    }

    fn einsum(&mut self, args: &[Expr], operands: Vec<Option<Vec<usize>>>) -> Option<Vec<usize>> {
        let ExprKind::Text(spec) = &args.first()?.kind else { return None };
        let (left, right) = spec.split_once("->").filter(|_| !spec.contains('.'))?;
        let mut letters: HashMap<char, usize> = HashMap::new();
        for (part, axes) in left.split(',').zip(operands) {
            for (letter, axis) in part.trim().chars().zip(axes?) {
                match letters.get(&letter) {
                    Some(&known) => self.unify(known, axis),
                    None => {
                        letters.insert(letter, axis);
                    }
                }
            }
        }
        right.trim().chars().map(|letter| letters.get(&letter).copied()).collect()
    }
}

/// What part of an expression is, as far as that tells scalars.
enum Kind {
    Scalar,
    Array,
    /// Made of names alone that nobody declares, and of numbers: whatever these are.
    Open(Vec<String>),
}

/// The names that a file does not bind and that only ever stand beside scalars.
fn scalars(file: &File) -> HashSet<String> {
    let mut votes = Votes::default();
    for statement in &file.statements {
        match &statement.kind {
            StatementKind::Input(input) => {
                votes.bound.insert(
                    input.name.text.clone(),
                    input.shape.as_ref().is_some_and(|shape| shape.dims.is_empty()),
                );
            }
            StatementKind::Definition(definition) => {
                let is_scalar = matches!(votes.kind(&definition.expr), Kind::Scalar);
                votes.bound.insert(definition.name.text.clone(), is_scalar);
            }
            StatementKind::Expression(expr) => {
                votes.kind(expr);
            }
            StatementKind::Definitions(definitions) => {
                votes.kind(&definitions.expr);
                votes.bound.extend(definitions.named().map(|name| (name.text.clone(), false)));
            }
            _ => {}
        }
    }
    votes.scalars.difference(&votes.arrays).cloned().collect()
}

#[derive(Default)]
struct Votes {
    scalars: HashSet<String>,
    arrays: HashSet<String>,
    /// Names that the file binds, each with whether it is a scalar.
    bound: HashMap<String, bool>,
}

impl Votes {
    fn kind(&mut self, expr: &Expr) -> Kind {
        match &expr.kind {
            ExprKind::Number { .. } => Kind::Open(Vec::new()),
            ExprKind::Name(name) => match self.bound.get(name) {
                Some(true) => Kind::Scalar,
                Some(false) => Kind::Array,
                None if of_language(name).is_some() => Kind::Open(Vec::new()),
                None => Kind::Open(vec![name.clone()]),
            },
            ExprKind::Negate(inner) => self.kind(inner),
            ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::MatMul => {
                let rank = |expr: &Expr| match &expr.kind {
                    ExprKind::Name(name) => {
                        Some(if name.chars().next().is_some_and(char::is_uppercase) { 2 } else { 1 })
                    }
                    _ => None,
                };
                let is_dot = rank(left) == Some(1) && rank(right) == Some(1);
                for side in [left, right] {
                    let kind = self.kind(side);
                    self.is_array(kind);
                }
                if is_dot { Kind::Scalar } else { Kind::Array }
            }
            ExprKind::Binary { left, right, .. } => {
                let (left, right) = (self.kind(left), self.kind(right));
                self.together(left, right)
            }
            ExprKind::Call { function, args, .. } => {
                let axes = find(&function.text).map(|operation| operation.entry.axes);
                let kinds: Vec<Kind> = args.iter().map(|arg| self.kind(arg)).collect();
                let whole = args.len() == 1
                    && matches!(&expr.kind, ExprKind::Call { kwargs, .. } if kwargs.is_empty());
                match axes {
                    Some(ops::Axes::Kept | ops::Axes::Broadcast) => {
                        kinds.into_iter().reduce(|a, b| self.together(a, b)).unwrap_or(Kind::Array)
                    }
                    Some(ops::Axes::Reduced) if whole => {
                        kinds.into_iter().for_each(|kind| self.is_array(kind));
                        Kind::Scalar
                    }
                    Some(ops::Axes::OfSquare) => {
                        kinds.into_iter().for_each(|kind| self.is_array(kind));
                        Kind::Scalar
                    }
                    _ => {
                        kinds.into_iter().for_each(|kind| self.is_array(kind));
                        Kind::Array
                    }
                }
            }
            _ => {
                for child in expr.children() {
                    let kind = self.kind(child);
                    self.is_array(kind);
                }
                Kind::Array
            }
        }
    }

    /// Two operands of what works element by element.
    fn together(&mut self, a: Kind, b: Kind) -> Kind {
        match (a, b) {
            (Kind::Open(a), Kind::Open(b)) => Kind::Open([a, b].concat()),
            (Kind::Scalar, Kind::Open(names)) | (Kind::Open(names), Kind::Scalar) => {
                self.scalars.extend(names);
                Kind::Scalar
            }
            (Kind::Scalar, Kind::Scalar) => Kind::Scalar,
            (a, b) => {
                self.is_array(a);
                self.is_array(b);
                Kind::Array
            }
        }
    }

    fn is_array(&mut self, kind: Kind) {
        if let Kind::Open(names) = kind {
            self.arrays.extend(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_expression() {
        let cases: [(&str, &[&str]); 15] = [
            (
                "sum((X @ w - y)^2) / N + lam * sum(w^2)",
                &["X: [D=3, M=2]", "w: [M=2]", "y: [D=3]", "N: []", "lam: []"],
            ),
            ("x * sum(x^2)", &["x: [N=5]"]),
            ("w: [D=4] ~ randn; X @ w", &["X: [N=5, D=4]"]),
            ("X - mean(X, axis=1, keepdims=true) * g", &["X: [N=5, D=3]", "g: [D=3]"]),
            ("Z = X @ W + b", &["X: [N=5, D=3]", "W: [D=3, M=2]", "b: [M=2]"]),
            ("a = W @ x; v = g * tanh(a)", &["W: [N=5, D=3]", "x: [D=3]", "g: [N=5]"]),
            ("sum((A - B)^2)", &["A: [N=5, D=3]", "B: [N=5, D=3]"]),
            ("trace(A @ B.T)", &["A: [N=5, D=3]", "B: [N=5, D=3]"]),
            ("N @ x", &["N: [D=3, M=2]", "x: [M=2]"]),
            ("Z[i,j] = X[i,k] * W[k,j] + b[j] * s", &["X: [N=5, D=3]", "W: [D=3, M=2]", "b: [M=2]", "s: []"]),
            ("vec(A, col) + solve(B, c)", &["A: [N=5, D=3]", "B: [M=2, M=2]", "c: [M=2]"]),
            ("sum(X, axis=-1) @ dot(W, v)", &["X: [N=5, D=3]", "W: [N=5, M=2]", "v: [M=2]"]),
            ("outer(x, y) @ softmax(z)", &["x: [N=5]", "y: [D=3]", "z: [D=3]"]),
            ("sum(sin(pi * x))", &["x: [N=5]"]),
            ("sum(clamp(x, 0, 1)) + sum(gelu_tanh(y))", &["x: [N=5]", "y: [D=3]"]),
        ];
        for (source, expected) in cases {
            let parsed = crate::parse_statements(source);
            assert!(parsed.errors.is_empty(), "{source}");
            assert_eq!(assume_inputs(&parsed.file).assumptions, expected, "{source}");
        }
    }
}
