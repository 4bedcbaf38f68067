//! The tree of a `.grad` file: statements.
//!
//! Every statement, name and sub-expression carries its [`Span`], so that whoever judges it later can point at
//! it. The tree says what is written and nothing more: whether a name is bound, a size fits or a function exists
//! is decided by the floor that evaluates it. Expressions are in [`expr`](super::expr).

use super::expr::Expr;
use super::print::print;
use crate::span::Span;

/// A name where it is written.
///
/// Two names are equal when their text is; the place does not count.
#[derive(Clone, Eq, Debug)]
pub struct Name {
    /// As it is looked up: `∂L` is `dL`. See the span for what was written.
    pub text: String,
    /// Where it stands. In `dL/dW` the name `W` stands at the last byte.
    pub span: Span,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Name {
    /// Does it name anything? `_` stands for a result that is not used.
    pub fn binds(&self) -> bool {
        self.text != "_"
    }

    /// A name at a place.
    pub fn new(text: impl Into<String>, span: Span) -> Self {
        Self { text: text.into(), span }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A whole file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct File {
    /// In the order in which they are written. A statement with an error is left out.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// From its first token to its last: no comment, no line end.
    pub span: Span,
    /// What it states.
    pub kind: StatementKind,
}

/// What a statement states.
#[derive(Clone, PartialEq, Debug)]
pub enum StatementKind {
    /// `seed 0`: reseeds at its place.
    Seed(u64),
    /// `dtype f32`.
    DType(DType),
    /// `W: [m=2, n=3] ~ randn`, `x: [3] = [1, 2, 3]`, `s = 2.0`, `X: [N, D] = load("x.npy")`.
    Input(Input),
    /// `a = W @ x`.
    Definition(Definition),
    /// `h, c = lstm(x, h0, c0)`.
    Definitions(Definitions),
    /// `Z[i,j] = X[i,k] * W[k,j] + b[j]`.
    IndexDefinition(IndexDefinition),
    /// `fn rms(a) = sqrt(mean(a^2))`.
    Function(Function),
    /// `scan t < T, h = h0 -> hs { h = tanh(X[t] @ U + h @ W) }`.
    Scan(Scan),
    /// `dL/dZ: [N, M] ~ randn`.
    Upstream(Upstream),
    /// `dL/dW = expr`, `dv/dW [col] = expr`, `dv/da [u fixed] = expr`, `d2L/dx dy = expr`.
    Claim(Claim),
    /// `dZ[i,j]/dX[m,n] = delta[i,m] * W[n,j]`.
    EntryClaim(EntryClaim),
    /// `shape(dZ/db) = [N, M, M]`.
    ShapeClaim(ShapeClaim),
    /// An expression by itself; only [`parse_statements`](crate::parse_statements) lets it stand.
    Expression(Expr),
}

/// The number format of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DType {
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point: the default.
    #[default]
    F64,
}

/// A name with values that come from outside: the leaves of the graph.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// The name it binds.
    pub name: Name,
    /// The declared shape; `None` in `x = [1, 2, 3]`, where the literal has one.
    pub shape: Option<Shape>,
    /// Where the values come from.
    pub source: Source,
}

/// A declared shape, `[m=2, n]`. `[]` is a scalar's.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// The brackets and all between.
    pub span: Span,
    /// One for each axis.
    pub dims: Vec<DimSpec>,
}

/// One axis of a declared shape.
#[derive(Clone, PartialEq, Debug)]
pub enum DimSpec {
    /// `m=2`: binds `m`.
    Bind {
        /// The dim.
        name: Name,
        /// Its size.
        size: Expr,
    },
    /// `n`: the size of the dim `n`, or, where no such dim is bound yet, the size that the literal or the loaded
    /// array turns out to have, which then binds `n`.
    Dim(Name),
    /// `3`, `2*n`.
    Size(Expr),
}

impl DimSpec {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Bind { name, size } => name.span.to(size.span),
            Self::Dim(name) => name.span,
            Self::Size(size) => size.span,
        }
    }
}

/// Where the values of an input come from.
#[derive(Clone, PartialEq, Debug)]
pub enum Source {
    /// `~ normal(0, 2)`.
    Distribution {
        /// `randn`, `rand`, `normal`, `uniform`, `randint`, `positive`, `spd` or `symmetric`: the parser checks it,
        /// and the number of arguments.
        name: Name,
        /// What stands in parentheses.
        args: Vec<Expr>,
    },
    /// `= [1, 2, 3]`. Without a declared shape this is a literal; with one, whatever was written.
    Literal(Expr),
    /// `= load("d.npz", "x")`.
    Load {
        /// The file, as written.
        path: String,
        /// Which of the arrays in it.
        entry: Option<String>,
        /// The whole call.
        span: Span,
    },
}

/// `name = expr`.
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// The name it binds.
    pub name: Name,
    /// Its value.
    pub expr: Expr,
}

/// `a, b = expr`: the results of a function that has several.
#[derive(Clone, PartialEq, Debug)]
pub struct Definitions {
    /// The names it binds, in the order of the results; `_` binds none.
    pub names: Vec<Name>,
    /// What has so many results.
    pub expr: Expr,
}

impl Definitions {
    /// The names, without those that bind nothing.
    pub fn named(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(|name| name.binds())
    }
}

/// `name[indices] = expr`: an index that is not on the left is summed.
#[derive(Clone, PartialEq, Debug)]
pub struct IndexDefinition {
    /// The name it binds.
    pub name: Name,
    /// The free indices, all different.
    pub indices: Vec<Name>,
    /// The value of one entry.
    pub expr: Expr,
}

/// `fn name(params) = body`, `fn name(params) { a = …; body }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// The name it binds, for call position only.
    pub name: Name,
    /// All different.
    pub params: Vec<Name>,
    /// What each is where a call says nothing of it; `None` where it has to.
    pub defaults: Vec<Option<Expr>>,
    /// What is defined inside, in order; each is known to those behind it.
    pub inside: Vec<Inner>,
    /// Its value; a list is several.
    pub body: Expr,
}

/// A statement between braces.
#[derive(Clone, PartialEq, Debug)]
pub enum Inner {
    /// `a = …`, `a, b = …`.
    Definitions(Definitions),
    /// A loop inside.
    Scan(Scan),
}

impl Inner {
    /// All its expressions, in order.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Inner::Definitions(definitions) => vec![&definitions.expr],
            Inner::Scan(scan) => scan.exprs(),
        }
    }
}

/// `scan index < length, carry = start, … -> all, … { … }`: the statements between the braces once for each index from 0 on. A carry is known to
/// them as what the step before left.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// The number of the step.
    pub index: Name,
    /// How many steps there are.
    pub length: Expr,
    /// What goes from step to step, and what each starts as. After the loop they are what the last step left.
    pub carries: Vec<(Name, Expr)>,
    /// Names for what each carry was after each step, in the order of the carries; `_` binds none, and fewer may be given.
    pub all: Vec<Name>,
    /// What is done in a step.
    pub body: Vec<Inner>,
}

impl Scan {
    /// The names that it binds: the carries, and those behind the arrow.
    pub fn named(&self) -> impl Iterator<Item = &Name> {
        self.carries.iter().map(|(name, _)| name).chain(self.all.iter().filter(|name| name.binds()))
    }

    /// The same loop with another expression in the place of the right side of statement number `statement` of its body, which defines
    /// something.
    pub fn with(&self, statement: usize, expr: &Expr) -> Scan {
        let mut scan = self.clone();
        if let Some(Inner::Definitions(definitions)) = scan.body.get_mut(statement) {
            definitions.expr = expr.clone();
        }
        scan
    }

    /// All its expressions, in order.
    pub fn exprs(&self) -> Vec<&Expr> {
        let starts = self.carries.iter().map(|(_, start)| start);
        [&self.length].into_iter().chain(starts).chain(self.body.iter().flat_map(Inner::exprs)).collect()
    }
}

impl Function {
    /// All expressions of it: what is defined inside, in order, and its value.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.inside.iter().flat_map(Inner::exprs).chain(std::iter::once(&self.body))
    }

    /// How a call is written: `layer(x, g, eps=1e-5)`.
    pub fn signature(&self) -> String {
        let param = |(name, default): (&Name, &Option<Expr>)| match default {
            Some(default) => format!("{name}={}", print(default)),
            None => name.to_string(),
        };
        let params: Vec<String> = self.params.iter().zip(&self.defaults).map(param).collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

/// A given cotangent: `wrt` is then the output whose gradient is propagated, and `of` need not be defined.
#[derive(Clone, PartialEq, Debug)]
pub struct Upstream {
    /// The loss, `L` in `dL/dZ`.
    pub of: Name,
    /// The output, `Z` in `dL/dZ`.
    pub wrt: Name,
    /// The shape of the cotangent, which is the output's.
    pub shape: Shape,
    /// Where its values come from.
    pub source: Source,
}

/// A claim about a whole derivative.
#[derive(Clone, PartialEq, Debug)]
pub struct Claim {
    /// Which derivative, in which layout.
    pub key: ClaimKey,
    /// What it is claimed to be.
    pub expr: Expr,
}

/// Which derivative a claim is about, and in which layout: a file claims each key once.
///
/// Shown as it is written: `da/dW [col]`, `d2L/dx dy`, `dv/da [u fixed]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimKey {
    /// What is differentiated.
    pub of: Name,
    /// With respect to what: one name, or as many as the order says, in the order of the tensor's axes.
    pub wrt: Vec<Name>,
    /// How a tensor derivative is laid out.
    pub layout: Layout,
    /// What is held fixed; empty for the total derivative.
    pub fixed: Vec<Name>,
}

impl std::fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&derivative(&self.of, &self.wrt))?;
        match self.layout {
            Layout::Default => {}
            Layout::Row => f.write_str(" [row]")?,
            Layout::Col => f.write_str(" [col]")?,
        }
        if !self.fixed.is_empty() {
            let names: Vec<&str> = self.fixed.iter().map(|name| name.text.as_str()).collect();
            write!(f, " [{} fixed]", names.join(", "))?;
        }
        Ok(())
    }
}

/// `dL/dx`, `d2L/dx2`, `d2L/dx dy` or `d3L/dx2 dy`.
pub(crate) fn derivative(of: &Name, wrt: &[Name]) -> String {
    if let [x] = wrt {
        return format!("d{of}/d{x}");
    }
    let below: Vec<String> = wrt
        .chunk_by(|one, next| one == next)
        .map(|alike| match alike.len() {
            1 => format!("d{}", alike[0]),
            power => format!("d{}{power}", alike[0]),
        })
        .collect();
    format!("d{}{of}/{}", wrt.len(), below.join(" "))
}

/// How a claimed Jacobian is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Layout {
    /// Nothing is said: the tensor `[y…, x…]`, or the matrix `[|y|, |x|]` with both in row-major vec. The shape of
    /// the claim tells which.
    #[default]
    Default,
    /// `[row]`: the matrix with both in row-major vec.
    Row,
    /// `[col]`: the matrix with both in column-major vec.
    Col,
}

/// A claim about a Jacobian, entry by entry.
#[derive(Clone, PartialEq, Debug)]
pub struct EntryClaim {
    /// What is differentiated.
    pub of: Name,
    /// The indices of its entry; empty for a scalar.
    pub of_indices: Vec<Name>,
    /// With respect to what.
    pub wrt: Name,
    /// The indices of its entry.
    pub wrt_indices: Vec<Name>,
    /// The claimed entry.
    pub expr: Expr,
}

/// A claim about the shape of a derivative.
#[derive(Clone, PartialEq, Debug)]
pub struct ShapeClaim {
    /// What is differentiated.
    pub of: Name,
    /// With respect to what: one name, or two for a Hessian.
    pub wrt: Vec<Name>,
    /// The claimed sizes.
    pub sizes: Vec<Expr>,
    /// Where the sizes stand, brackets included.
    pub sizes_span: Span,
}
