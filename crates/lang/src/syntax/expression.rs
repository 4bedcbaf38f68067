//! Expressions, by precedence climbing.
//!
//! | level, loosest first | operators | |
//! |---|---|---|
//! | comparison | `< <= > >= == !=` | do not chain |
//! | logic | `|`, `&` | from the left, `&` more tightly; `!c` is a sign; as in Python they bind more tightly than comparisons |
//! | sum | `+ -` | from the left |
//! | product | `* / // % @ ⊗` | from the left, all alike, as in Python |
//! | sign | `-x` | `-x^2` is `-(x^2)` |
//! | power | `^`, `**` | from the right; `2^-1` may carry a sign |
//! | postfix | `.T ' ᵀ ² ³ x[i]` | from the left |

use super::ast::Name;
use super::expr::{BinaryOp, Expr, ExprKind, IndexItem, MAX_DEPTH, Operator};
use super::hint;
use super::lexer::{Token, TokenKind, name_text};
use super::parser::Parser;
use super::print::print;
use crate::error::{Error, Result};
use crate::foreign;
use crate::span::Span;

/// An expression and how deep its tree is.
pub(super) struct Tree {
    pub(super) expr: Expr,
    pub(super) depth: usize,
}

impl Tree {
    pub(super) fn leaf(span: Span, kind: ExprKind) -> Self {
        Self { expr: Expr::new(span, kind), depth: 1 }
    }
}

/// How an infix operator is read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Comparison,
    Or,
    And,
    Sum,
    Product,
    Sign,
}

impl Level {
    fn tighter(self) -> Self {
        match self {
            Self::Comparison => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product | Self::Sign => Self::Sign,
        }
    }
}

/// The operator that a token is between two operands; `None` in place of an operator is a call of a function.
fn infix(kind: TokenKind) -> Option<(Level, Option<BinaryOp>)> {
    Some(match kind {
        TokenKind::And => (Level::And, None),
        TokenKind::Or => (Level::Or, None),
        TokenKind::Plus => (Level::Sum, Some(BinaryOp::Add)),
        TokenKind::Minus => (Level::Sum, Some(BinaryOp::Sub)),
        TokenKind::Star => (Level::Product, Some(BinaryOp::Mul)),
        TokenKind::Slash => (Level::Product, Some(BinaryOp::Div)),
        TokenKind::At => (Level::Product, Some(BinaryOp::MatMul)),
        TokenKind::Kron | TokenKind::Percent | TokenKind::SlashSlash => (Level::Product, None),
        TokenKind::Less => (Level::Comparison, Some(BinaryOp::Less)),
        TokenKind::LessEqual => (Level::Comparison, Some(BinaryOp::LessEqual)),
        TokenKind::Greater => (Level::Comparison, Some(BinaryOp::Greater)),
        TokenKind::GreaterEqual => (Level::Comparison, Some(BinaryOp::GreaterEqual)),
        TokenKind::Equal => (Level::Comparison, Some(BinaryOp::Equal)),
        TokenKind::NotEqual => (Level::Comparison, Some(BinaryOp::NotEqual)),
        _ => return None,
    })
}

/// Is it a comparison, `(a > b)`?
fn is_comparison(expr: &Expr) -> bool {
    use BinaryOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let compares = |kind| matches!(kind, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual);
    matches!(&expr.kind, ExprKind::Binary { operator, .. } if compares(operator.kind))
}

/// The comparison that a function of PyTorch is.
fn comparison(function: &str) -> Option<BinaryOp> {
    Some(match function {
        "eq" => BinaryOp::Equal,
        "ne" => BinaryOp::NotEqual,
        "gt" | "greater" => BinaryOp::Greater,
        "ge" | "greater_equal" => BinaryOp::GreaterEqual,
        "lt" | "less" => BinaryOp::Less,
        "le" | "less_equal" => BinaryOp::LessEqual,
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expr> {
        Ok(self.tree()?.expr)
    }

    pub(super) fn tree(&mut self) -> Result<Tree> {
        self.infix(Level::Comparison)
    }

    fn infix(&mut self, loosest: Level) -> Result<Tree> {
        if loosest == Level::Sign {
            return self.nested(Self::signed);
        }
        let mut left = self.infix(loosest.tighter())?;
        while let Some((level, operator)) = infix(self.peek().kind).filter(|(level, _)| *level == loosest) {
            let token = self.advance();
            let right = self.infix(level.tighter())?;
            if operator == Some(BinaryOp::Div) {
                self.check_division(&left.expr, &right.expr)?;
            }
            left = match operator {
                Some(operator) => self.binary(operator, token, left, right)?,
                None => self.called(token, vec![left, right])?,
            };
            if level == Level::Comparison && infix(self.peek().kind).is_some_and(|(next, _)| next == level) {
                let error = Error::new(self.peek().span(), "comparisons do not chain");
                return Err(
                    error.with_hint("put each into brackets: `(a < b) & (b < c)`; `&` binds more tightly")
                );
            }
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Tree> {
        match self.peek().kind {
            TokenKind::Minus => {
                let minus = self.advance();
                let operand = self.nested(Self::signed)?;
                let span = minus.span().to(operand.expr.span);
                self.grow(span, operand.depth, ExprKind::Negate(Box::new(operand.expr)))
            }
            // `~` is Python's word for it.
            TokenKind::Not | TokenKind::Tilde => {
                let not = self.advance();
                let operand = self.nested(Self::signed)?;
                self.called(not, vec![operand])
            }
            TokenKind::Plus => {
                let plus = self.advance();
                let mut operand = self.nested(Self::signed)?;
                operand.expr.span = plus.span().to(operand.expr.span);
                Ok(operand)
            }
            _ => self.power(),
        }
    }

    fn power(&mut self) -> Result<Tree> {
        let base = self.postfix()?;
        if self.peek().kind != TokenKind::Power {
            return Ok(base);
        }
        let token = self.advance();
        let exponent = self.nested(Self::signed)?;
        self.warn_of_power(&base.expr, &exponent.expr);
        self.binary(BinaryOp::Pow, token, base, exponent)
    }

    /// `A^-1` and `A^T` are powers element by element, which is rarely what such letters mean.
    fn warn_of_power(&mut self, base: &Expr, exponent: &Expr) {
        let is_one = |expr: &Expr| matches!(expr.kind, ExprKind::Number { value: 1.0, .. });
        let inverts = matches!(&exponent.kind, ExprKind::Negate(operand) if is_one(operand));
        // A `T` that is bound may be meant as an exponent, but not that of a matrix.
        let may_transpose = |name: &str| name == "T" && (!self.is_value(name) || looks_like_matrix(base));
        let transposes = matches!(&exponent.kind, ExprKind::Name(name) if may_transpose(name));
        let span = base.span.to(exponent.span);
        let text = hint::shorten(base.span.slice(self.source));
        if inverts && looks_like_matrix(base) {
            let message = format!("`{text}^-1` is the power element by element, not the inverse");
            let inverse = format!("inv({})", hint::shorten(&print(base)));
            self.warn(
                Error::new(span, message)
                    .with_hint(format!("the inverse is `{inverse}`; write `1 / {text}` for the reciprocals")),
            );
        } else if is_comparison(base) && is_comparison(exponent) {
            let message = format!("`^` is a power here, of `{text}` too");
            self.warn(Error::new(span, message).with_hint(format!(
                "one of both is `logical_xor({}, {})`",
                hint::shorten(&print(base)),
                hint::shorten(&print(exponent))
            )));
        } else if transposes {
            let message = format!("`{text}^T` is a power with the exponent `T`, not the transpose");
            self.warn(Error::new(span, message).with_hint(format!("the transpose is `{text}.T`")));
        }
    }

    fn postfix(&mut self) -> Result<Tree> {
        let mut tree = self.atom()?;
        loop {
            let token = self.peek();
            let span = tree.expr.span.to(token.span());
            tree = match token.kind {
                TokenKind::Dot => self.attribute(tree)?,
                TokenKind::Prime if self.transposes(token) => {
                    self.advance();
                    self.grow(span, tree.depth, ExprKind::Transpose(Box::new(tree.expr)))?
                }
                TokenKind::SuperT => {
                    self.advance();
                    self.grow(span, tree.depth, ExprKind::Transpose(Box::new(tree.expr)))?
                }
                TokenKind::Squared | TokenKind::Cubed => {
                    self.advance();
                    let value = if token.kind == TokenKind::Squared { 2.0 } else { 3.0 };
                    let exponent = Tree::leaf(token.span(), ExprKind::Number { value, integer: true });
                    self.binary(BinaryOp::Pow, token, tree, exponent)?
                }
                TokenKind::OpenBracket if !self.begins_next_row(&tree) => self.index(tree)?,
                _ => return Ok(tree),
            };
        }
    }

    /// `'` is a transpose only directly after a name, `)` or `]`.
    fn transposes(&self, prime: Token) -> bool {
        self.previous().is_some_and(|previous| {
            previous.touches(prime)
                && matches!(previous.kind, TokenKind::Name | TokenKind::CloseParen | TokenKind::CloseBracket)
        })
    }

    /// `[[1, 2] [3, 4]]` is a list with a comma missing, as it comes from NumPy's output, and no indexing.
    fn begins_next_row(&self, tree: &Tree) -> bool {
        matches!(tree.expr.kind, ExprKind::List(_))
            && self.previous().is_some_and(|previous| previous.kind == TokenKind::CloseBracket)
            && self.open.last().is_some_and(|opener| opener.kind == TokenKind::OpenBracket)
    }

    /// `.T`; a call with its first argument before a dot, `x.sum(0)`, or with the name of a module there, `torch.exp(x)`; and an error
    /// that says what to write for anything else.
    fn attribute(&mut self, tree: Tree) -> Result<Tree> {
        let receiver = tree.expr.span.slice(self.source);
        self.advance();
        let name = self.expect(TokenKind::Name, "`T`")?;
        let span = tree.expr.span.to(name.span());
        let attribute = self.lexeme(name);
        let called = self.peek().kind == TokenKind::OpenParen;
        let function = Name::new(name_text(attribute), name.span());
        if self.is_module(&tree.expr) {
            return match called {
                true => self.call_of_module(&tree.expr, function),
                // `torch.nn.functional` is one too, and `np.pi` a name.
                false if self.peek().kind == TokenKind::Dot => {
                    Ok(Tree { depth: tree.depth, expr: Expr::new(span, tree.expr.kind) })
                }
                false if function.text == "e" => {
                    let value = std::f64::consts::E;
                    Ok(Tree::leaf(name.span(), ExprKind::Number { value, integer: false }))
                }
                false if function.text == "newaxis" => {
                    Ok(Tree::leaf(name.span(), ExprKind::Name("None".to_owned())))
                }
                false => Ok(Tree::leaf(name.span(), ExprKind::Name(function.text))),
            };
        }
        if called && self.names.function(&function.text).is_some() {
            return self.call(function, Some(tree));
        }
        if called && (foreign::exists(&function.text) || foreign::is_method(&function.text)) {
            let mut tree = self.call(function, Some(tree))?;
            if let ExprKind::Call { function, args, kwargs } = &mut tree.expr.kind {
                foreign::of_method(function, args, kwargs);
                // `x.max(dim=1)[0]`: the words are PyTorch's, whose result is a pair.
                let is_torch = kwargs.iter().any(|(name, _)| matches!(name.text.as_str(), "dim" | "keepdim"));
                if is_torch && self.takes_one_of_two() {
                    function.text = foreign::with_place(&function.text);
                }
            }
            return self.compared(tree);
        }
        if !called && let Some(tree) = self.told(&tree, attribute, span)? {
            return Ok(tree);
        }
        if !called && matches!(attribute, "dtype" | "device") {
            // What they are given to does not ask for them.
            return Ok(Tree::leaf(name.span(), ExprKind::Name(attribute.to_owned())));
        }
        let mut tree = tree;
        if !called
            && let ExprKind::Call { function, .. } = &mut tree.expr.kind
            && let Some(at) = foreign::result_named(function, attribute)
        {
            let number = ExprKind::Number { value: at as f64, integer: true };
            let items = vec![IndexItem::At(Expr::new(name.span(), number))];
            return self.grow(span, tree.depth, ExprKind::Index { base: Box::new(tree.expr), items });
        }
        if attribute != "T" || called {
            let arguments = called.then(|| self.text_in_parentheses());
            let what = if called { format!("`.{attribute}()`") } else { format!("`.{attribute}`") };
            return Err(Error::new(name.span(), format!("there is no {what}"))
                .with_hint(hint::for_attribute(&tree.expr, attribute, arguments)));
        }
        if matches!(tree.expr.kind, ExprKind::Number { .. }) && !receiver.ends_with(')') {
            return Err(Error::new(span, "a number has no transpose").with_hint(
                "postfix operators bind more tightly than `^`: write `(x^2).T`; the product is `2 * T`",
            ));
        }
        self.grow(span, tree.depth, ExprKind::Transpose(Box::new(tree.expr)))
    }

    /// Does `[0]` or `[1]` follow?
    fn takes_one_of_two(&mut self) -> bool {
        self.peek().kind == TokenKind::OpenBracket
            && self.kind(2) == TokenKind::CloseBracket
            && matches!(self.token(1).span().slice(self.source), "0" | "1")
    }

    /// `x.shape`, `x.ndim` and `x.mT`, which are calls.
    fn told(&self, tree: &Tree, attribute: &str, span: Span) -> Result<Option<Tree>> {
        let at = Span::new(span.end - attribute.len(), span.end);
        let number = |value| Expr::new(at, ExprKind::Number { value, integer: true });
        let axis = |value| Expr::new(at, ExprKind::Negate(Box::new(number(value))));
        let (function, others) = match attribute {
            "shape" | "ndim" | "size" => (attribute, Vec::new()),
            "mT" => ("transpose", vec![axis(2.0), axis(1.0)]),
            other => match foreign::of_attribute(other) {
                Some(function) => (function, Vec::new()),
                None => return Ok(None),
            },
        };
        let args = std::iter::once(tree.expr.clone()).chain(others).collect();
        let call = ExprKind::Call { function: Name::new(function, at), args, kwargs: Vec::new() };
        self.grow(span, tree.depth + 1, call).map(Some)
    }

    /// `torch.std(x)`: what divides by n − 1 there, and by n in NumPy and here, says so; and `np.linalg.svd(A)`, whose third result is vᵀ.
    fn call_of_module(&mut self, module: &Expr, function: Name) -> Result<Tree> {
        let mut tree = self.call(function, None)?;
        let mut module = module.span.slice(self.source);
        // `nn.Softmax(dim=1)(x)`: a layer without parameters, and what it is applied to.
        if self.peek().kind == TokenKind::OpenParen
            && let ExprKind::Call { function, args, kwargs } = &mut tree.expr.kind
            && let Some(name) = foreign::of_layer(&function.text)
        {
            let (options, keywords) = (std::mem::take(args), std::mem::take(kwargs));
            let depth = tree.depth;
            tree = self.call(Name::new(name, function.span), None)?;
            tree.depth = tree.depth.max(depth);
            if let ExprKind::Call { args, kwargs, .. } = &mut tree.expr.kind {
                args.extend(options);
                kwargs.extend(keywords);
            }
            module = "F";
        }
        if let ExprKind::Call { function, args, kwargs } = &mut tree.expr.kind {
            if foreign::is_array(&function.text) && !args.is_empty() {
                // `np.array([1, 2])` is the list.
                return Ok(Tree { expr: args.swap_remove(0), ..tree });
            }
            foreign::of_module(module, function, args, kwargs);
        }
        self.compared(tree)
    }

    /// `x.gt(y)` is `x > y`, and `m.bool()` is `m != 0`.
    fn compared(&self, tree: Tree) -> Result<Tree> {
        let ExprKind::Call { function, args, kwargs } = &tree.expr.kind else { return Ok(tree) };
        let zero = Expr::new(function.span, ExprKind::Number { value: 0.0, integer: true });
        let (kind, left, right) = match (comparison(&function.text), args.as_slice()) {
            (Some(kind), [left, right]) if kwargs.is_empty() => (kind, left, right),
            (None, [left]) if function.text == "bool" && kwargs.is_empty() => {
                (BinaryOp::NotEqual, left, &zero)
            }
            _ => return Ok(tree),
        };
        let operator = Operator { kind, span: function.span };
        let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
        Ok(Tree { expr: Expr::new(tree.expr.span, ExprKind::Binary { operator, left, right }), ..tree })
    }

    /// Is it what people import functions from, and nothing of the file?
    fn is_module(&self, expr: &Expr) -> bool {
        matches!(&expr.kind, ExprKind::Name(name) if foreign::MODULES.contains(&name.as_str()) && !self.is_value(name))
    }

    /// What stands between the parenthesis ahead and the one that closes it, for a hint.
    pub(super) fn text_in_parentheses(&self) -> &str {
        let start = self.token(0).span().end;
        let mut depth = 0usize;
        for token in &self.tokens[self.at..] {
            match token.kind {
                TokenKind::OpenParen => depth += 1,
                TokenKind::CloseParen if depth == 1 => {
                    return Span::new(start, token.span().start).slice(self.source).trim();
                }
                TokenKind::CloseParen => depth -= 1,
                _ => {}
            }
        }
        ""
    }

    fn binary(&self, operator: BinaryOp, token: Token, left: Tree, right: Tree) -> Result<Tree> {
        let operator = Operator { kind: operator, span: token.span() };
        let span = left.expr.span.to(right.expr.span);
        let depth = left.depth.max(right.depth);
        self.grow(
            span,
            depth,
            ExprKind::Binary { operator, left: Box::new(left.expr), right: Box::new(right.expr) },
        )
    }

    /// An operator that is another way to write a call.
    fn called(&self, token: Token, operands: Vec<Tree>) -> Result<Tree> {
        let function = match token.kind {
            TokenKind::And => "logical_and",
            TokenKind::Or => "logical_or",
            TokenKind::Not | TokenKind::Tilde => "logical_not",
            TokenKind::Percent => foreign::MODULO,
            TokenKind::SlashSlash => "floor_divide",
            _ => "kron",
        };
        let span = operands.iter().fold(token.span(), |span, operand| span.to(operand.expr.span));
        let depth = operands.iter().map(|operand| operand.depth).max().unwrap_or(0);
        let (function, args) =
            (Name::new(function, token.span()), operands.into_iter().map(|operand| operand.expr));
        self.grow(span, depth, ExprKind::Call { function, args: args.collect(), kwargs: Vec::new() })
    }

    /// A node above others, `depth` deep.
    pub(super) fn grow(&self, span: Span, depth: usize, kind: ExprKind) -> Result<Tree> {
        if depth == MAX_DEPTH {
            let message = format!("this expression is more than {MAX_DEPTH} operations deep");
            return Err(Error::new(span, message).with_hint("give a part of it a name of its own"));
        }
        Ok(Tree { expr: Expr::new(span, kind), depth: depth + 1 })
    }

    /// Whether the name is known here as a value, a dim, a parameter or an index.
    pub(super) fn is_value(&self, name: &str) -> bool {
        self.names.known(name) || self.locals.iter().any(|local| local == name)
    }
}

/// Whether an expression is likely to be a matrix: by the custom, on which `-e` relies too, that matrices have
/// names in upper case.
fn looks_like_matrix(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |part| {
        found |= matches!(&part.kind, ExprKind::Name(name) if name.starts_with(char::is_uppercase));
    });
    found
}
