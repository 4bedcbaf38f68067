//! The tree of an expression.
//!
//! Parentheses leave no node: the span of `(a + b)` holds them, and [`print`](super::print::print) puts back those
//! that are needed. A tree that the parser made is at most [`MAX_DEPTH`] deep, so that plain recursion over it is
//! safe; whoever builds trees by other means keeps to the same bound.

use super::ast::Name;
use crate::span::Span;

/// The deepest tree that the parser makes. Brackets, signs and powers may be nested [`MAX_NESTING`] deep; a row of
/// operators, each of which makes the tree one level deeper without anything being nested, may be longer.
pub const MAX_DEPTH: usize = 1000;

/// How deep brackets, signs and powers may be nested.
pub const MAX_NESTING: usize = 200;

/// An expression and where it stands.
///
/// Two expressions are equal when they are written alike; their places do not count.
#[derive(Clone, Debug)]
pub struct Expr {
    /// All of it, with the parentheses around it.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `2`, `0.5`, `1e-3`: finite, not negative.
    Number {
        /// Its value.
        value: f64,
        /// Whether it was written without a point and an exponent: what an axis or an index must be.
        integer: bool,
    },
    /// `W`.
    Name(String),
    /// `"ij,jk->ik"`.
    Text(String),
    /// `true`, `True`, `false`, `False`.
    Bool(bool),
    /// `-a`.
    Negate(Box<Expr>),
    /// `a + b`. `⊗` is no operator of the tree but a call of `kron`.
    Binary {
        /// Which, and where it stands.
        operator: Operator,
        /// On its left.
        left: Box<Expr>,
        /// On its right.
        right: Box<Expr>,
    },
    /// `A.T`, `A'`, `Aᵀ`.
    Transpose(Box<Expr>),
    /// `A[1, :, ::-1]`; no items in index notation's `L[]`.
    Index {
        /// What is indexed.
        base: Box<Expr>,
        /// What stands in the brackets.
        items: Vec<IndexItem>,
    },
    /// `sum(x, axis=0)`.
    Call {
        /// The name of the function, which has this meaning only here.
        function: Name,
        /// Positional arguments.
        args: Vec<Expr>,
        /// Keyword arguments, each keyword once, as spelt.
        kwargs: Vec<(Name, Expr)>,
    },
    /// `[1, 2, 3]`, nested for more axes; `(0, 1)` is the same as `[0, 1]`.
    List(Vec<Expr>),
    /// `dL/dv`, `d2L/dx dy`: the value of an earlier claim, in the layout in which that was written.
    ClaimRef {
        /// What is differentiated.
        of: Name,
        /// With respect to what: one name, or two for a Hessian.
        wrt: Vec<Name>,
    },
}

/// One item between the brackets of an index.
#[derive(Clone, PartialEq, Debug)]
pub enum IndexItem {
    /// `i`, `-1`, or an array of integers.
    At(Expr),
    /// `start:stop:step`, each of which may be missing; `:` is the whole axis.
    Slice {
        /// The first index.
        start: Option<Box<Expr>>,
        /// The index after the last one.
        stop: Option<Box<Expr>>,
        /// From one to the next.
        step: Option<Box<Expr>>,
    },
    /// `...`: as many whole axes as are needed.
    Ellipsis,
    /// `None`: a new axis of size 1.
    NewAxis,
}

/// A binary operator where it stands. Two are equal when they are the same operator; the place does not count.
#[derive(Clone, Copy, Eq, Debug)]
pub struct Operator {
    /// Which.
    pub kind: BinaryOp,
    /// Where.
    pub span: Span,
}

impl PartialEq for Operator {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`, `⊙`: element by element.
    Mul,
    /// `/`: element by element.
    Div,
    /// `@`: NumPy's matmul.
    MatMul,
    /// `^`, `**`: element by element.
    Pow,
    /// `<`
    Less,
    /// `<=`, `≤`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`, `≥`
    GreaterEqual,
    /// `==`
    Equal,
    /// `!=`, `≠`
    NotEqual,
}

impl BinaryOp {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::MatMul,
        Self::Pow,
        Self::Less,
        Self::LessEqual,
        Self::Greater,
        Self::GreaterEqual,
        Self::Equal,
        Self::NotEqual,
    ];

    /// The comparisons of two numbers by their order.
    pub const ORDERS: [Self; 4] = [Self::Less, Self::LessEqual, Self::Greater, Self::GreaterEqual];

    /// Does it compare?
    pub fn compares(self) -> bool {
        Self::ORDERS.contains(&self) || matches!(self, Self::Equal | Self::NotEqual)
    }

    /// As it is printed.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::MatMul => "@",
            Self::Pow => "^",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl Expr {
    /// An expression at a place.
    pub fn new(span: Span, kind: ExprKind) -> Self {
        Self { span, kind }
    }

    /// The sub-expressions directly below, in the order in which they are written.
    pub fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number { .. }
            | ExprKind::Name(_)
            | ExprKind::Text(_)
            | ExprKind::Bool(_)
            | ExprKind::ClaimRef { .. } => Vec::new(),
            ExprKind::Negate(operand) | ExprKind::Transpose(operand) => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Index { base, items } => {
                std::iter::once(&**base).chain(items.iter().flat_map(IndexItem::children)).collect()
            }
            ExprKind::Call { args, kwargs, .. } => {
                args.iter().chain(kwargs.iter().map(|(_, value)| value)).collect()
            }
            ExprKind::List(items) => items.iter().collect(),
        }
    }

    /// The same, to be rewritten in place.
    ///
    /// ```
    /// use pullback_lang::{ExprKind, parse_expr, print};
    /// let mut expr = parse_expr("a @ b.T").expect("it parses").expr;
    /// let right = expr.children_mut().pop().expect("a product has two factors");
    /// if let ExprKind::Transpose(operand) = &right.kind {
    ///     *right = (**operand).clone();
    /// }
    /// assert_eq!(print(&expr), "a @ b");
    /// ```
    pub fn children_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Number { .. }
            | ExprKind::Name(_)
            | ExprKind::Text(_)
            | ExprKind::Bool(_)
            | ExprKind::ClaimRef { .. } => Vec::new(),
            ExprKind::Negate(operand) | ExprKind::Transpose(operand) => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::Index { base, items } => std::iter::once(&mut **base)
                .chain(items.iter_mut().flat_map(IndexItem::children_mut))
                .collect(),
            ExprKind::Call { args, kwargs, .. } => {
                args.iter_mut().chain(kwargs.iter_mut().map(|(_, value)| value)).collect()
            }
            ExprKind::List(items) => items.iter_mut().collect(),
        }
    }

    /// Calls `visit` with the expression and everything below it, parents first, in the order of the text.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// The number of its parts, itself included.
    pub fn parts(&self) -> usize {
        let mut parts = 0;
        self.walk(&mut |_| parts += 1);
        parts
    }

    /// Whether this is a literal, so that `x = …` makes `x` an input: a number with or without a sign, or a list
    /// whose entries are numbers, arithmetic on numbers, or lists of the same kind.
    ///
    /// `s = 1/2` is a definition, since it is a computation; `p = [1/2, 1/2]` is an input, since a list is nothing
    /// but a way to write numbers down.
    pub fn is_literal(&self) -> bool {
        match &self.kind {
            ExprKind::Number { .. } | ExprKind::List(_) => self.is_constant(),
            ExprKind::Negate(operand) => matches!(operand.kind, ExprKind::Number { .. }),
            _ => false,
        }
    }

    fn is_constant(&self) -> bool {
        match &self.kind {
            ExprKind::Number { .. } => true,
            ExprKind::List(items) => items.iter().all(Self::is_constant),
            ExprKind::Negate(operand) => operand.is_constant(),
            ExprKind::Binary { left, right, .. } => left.is_constant() && right.is_constant(),
            _ => false,
        }
    }
}

impl IndexItem {
    fn children(&self) -> Vec<&Expr> {
        match self {
            Self::At(at) => vec![at],
            Self::Slice { start, stop, step } => {
                [start, stop, step].into_iter().filter_map(Option::as_deref).collect()
            }
            Self::Ellipsis | Self::NewAxis => Vec::new(),
        }
    }

    fn children_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::At(at) => vec![at],
            Self::Slice { start, stop, step } => {
                [start, stop, step].into_iter().filter_map(Option::as_deref_mut).collect()
            }
            Self::Ellipsis | Self::NewAxis => Vec::new(),
        }
    }
}
