//! Products of matrices and vectors as lists of factors.
//!
//! A vector is a column, so that `x @ B` is `Bᵀ x`; an outer product is a column before a row. A chain is a matrix, a column, or neither
//! where it has a column before a row.

use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make, print};

use super::known::{IDENTITY, INVERSE, Known, OUTER, SOLVE};

/// One factor of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Factor {
    /// A matrix or a vector that is not taken apart.
    pub expr: Expr,
    pub transposed: bool,
    pub inverted: bool,
    /// Is it a vector? As a column it stands at the end of a chain, and transposed, as a row, after one.
    pub vector: bool,
}

/// `number · scalars / divisors · factors`.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub number: f64,
    pub scalars: Vec<Expr>,
    pub divisors: Vec<Expr>,
    pub factors: Vec<Factor>,
}

impl Chain {
    fn one() -> Chain {
        Chain { number: 1.0, scalars: Vec::new(), divisors: Vec::new(), factors: Vec::new() }
    }

    pub(super) fn transposed(&self) -> Chain {
        let turned = |factor: &Factor| Factor { transposed: !factor.transposed, ..factor.clone() };
        Chain { factors: self.factors.iter().rev().map(turned).collect(), ..self.clone() }
    }

    fn times(&self, other: &Chain) -> Chain {
        Chain {
            number: self.number * other.number,
            scalars: [&self.scalars[..], &other.scalars[..]].concat(),
            divisors: [&self.divisors[..], &other.divisors[..]].concat(),
            factors: [&self.factors[..], &other.factors[..]].concat(),
        }
    }

    /// What is in front, but for the number.
    pub(super) fn front(&self) -> String {
        let mut all: Vec<String> = self.scalars.iter().map(print).collect();
        all.extend(self.divisors.iter().map(|divisor| format!("/{}", print(divisor))));
        all.sort();
        all.join(" ")
    }
}

/// An expression as a sum of chains of one kind: matrices, or columns. `None` where it is neither.
pub(super) fn as_chains(expr: &Expr, known: &Known) -> Option<Vec<Chain>> {
    let rank = known.rank(expr)?;
    if rank == 0 || rank > 2 {
        return None;
    }
    let chains = chains(expr, known)?;
    Some(chains.into_iter().map(|chain| normal(chain, known)).collect())
}

fn chains(expr: &Expr, known: &Known) -> Option<Vec<Chain>> {
    let rank = known.rank(expr)?;
    match &expr.kind {
        ExprKind::Negate(inner) => Some(scaled(chains(inner, known)?, -1.0)),
        ExprKind::Transpose(inner) if rank == 2 => {
            Some(chains(inner, known)?.iter().map(Chain::transposed).collect())
        }
        ExprKind::Binary { operator, left, right } => match operator.kind {
            BinaryOp::Add | BinaryOp::Sub => {
                // Broadcasts are no sums of matrices.
                if known.axes(left)? != known.axes(right)? {
                    return Some(vec![atom(expr, rank)]);
                }
                let sign = if operator.kind == BinaryOp::Sub { -1.0 } else { 1.0 };
                Some([chains(left, known)?, scaled(chains(right, known)?, sign)].concat())
            }
            BinaryOp::MatMul => {
                let (a, b) = (chains(left, known)?, chains(right, known)?);
                let (of_a, of_b) = (known.rank(left)?, known.rank(right)?);
                match (of_a, of_b) {
                    (2, 2) | (2, 1) => Some(products(&a, &b)),
                    // A row times a matrix is the transposed matrix times a column.
                    (1, 2) => {
                        let turned: Vec<Chain> = b.iter().map(Chain::transposed).collect();
                        Some(products(&turned, &a))
                    }
                    _ => None,
                }
            }
            BinaryOp::Mul => {
                let (of_left, of_right) = (known.rank(left)?, known.rank(right)?);
                match (of_left, of_right) {
                    (0, _) => scale(chains(right, known)?, left, false),
                    (_, 0) => scale(chains(left, known)?, right, false),
                    _ => Some(vec![atom(expr, rank)]),
                }
            }
            BinaryOp::Div if known.rank(right) == Some(0) => scale(chains(left, known)?, right, true),
            _ => Some(vec![atom(expr, rank)]),
        },
        ExprKind::Call { function, args, kwargs } if kwargs.is_empty() => {
            match (function.text.as_str(), args.as_slice()) {
                (OUTER, [a, b]) => {
                    let (a, b) = (chains(a, known)?, chains(b, known)?);
                    let rows: Vec<Chain> = b.iter().map(Chain::transposed).collect();
                    Some(products(&a, &rows))
                }
                (INVERSE, [inner]) => Some(vec![inverse(inner, known)]),
                (SOLVE, [matrix, right]) => Some(products(&[inverse(matrix, known)], &chains(right, known)?)),
                (IDENTITY, [_]) => Some(vec![atom(expr, rank)]),
                _ => Some(vec![atom(expr, rank)]),
            }
        }
        _ => Some(vec![atom(expr, rank)]),
    }
}

/// The inverse of a matrix; of a product of square ones that of each.
fn inverse(matrix: &Expr, known: &Known) -> Chain {
    let whole = || Chain {
        factors: vec![Factor { expr: matrix.clone(), transposed: false, inverted: true, vector: false }],
        ..Chain::one()
    };
    let Some(chains) = chains(matrix, known) else { return whole() };
    let [only] = chains.as_slice() else { return whole() };
    let is_square = |factor: &Factor| !factor.vector && known.is_square(&factor.expr);
    if only.number != 1.0
        || !only.scalars.is_empty()
        || !only.divisors.is_empty()
        || !only.factors.iter().all(is_square)
    {
        return whole();
    }
    let turned = |factor: &Factor| Factor { inverted: !factor.inverted, ..factor.clone() };
    Chain { factors: only.factors.iter().rev().map(turned).collect(), ..Chain::one() }
}

fn atom(expr: &Expr, rank: usize) -> Chain {
    let factor = Factor { expr: expr.clone(), transposed: false, inverted: false, vector: rank == 1 };
    Chain { factors: vec![factor], ..Chain::one() }
}

fn scaled(chains: Vec<Chain>, by: f64) -> Vec<Chain> {
    chains.into_iter().map(|chain| Chain { number: chain.number * by, ..chain }).collect()
}

fn products(a: &[Chain], b: &[Chain]) -> Vec<Chain> {
    a.iter().flat_map(|left| b.iter().map(|right| left.times(right))).collect()
}

/// Chains times a scalar, or divided by one.
fn scale(chains: Vec<Chain>, scalar: &Expr, below: bool) -> Option<Vec<Chain>> {
    let mut front = Chain::one();
    if below {
        front.divisors.push(scalar.clone())
    } else {
        gather(scalar, &mut front)
    }
    if below
        && let ExprKind::Number { value, .. } = scalar.kind
        && value != 0.0
    {
        front = Chain { number: 1.0 / value, ..Chain::one() };
    }
    Some(chains.iter().map(|chain| front.times(chain)).collect())
}

/// The factors of a scalar.
fn gather(scalar: &Expr, front: &mut Chain) {
    match &scalar.kind {
        ExprKind::Number { value, .. } => front.number *= value,
        ExprKind::Negate(inner) => {
            front.number = -front.number;
            gather(inner, front);
        }
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Mul => {
            gather(left, front);
            gather(right, front);
        }
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => {
            gather(left, front);
            match right.kind {
                ExprKind::Number { value, .. } if value != 0.0 => front.number /= value,
                _ => front.divisors.push((**right).clone()),
            }
        }
        _ => front.scalars.push(scalar.clone()),
    }
}

/// A chain without identities, without what cancels, and without transposes of what is symmetric.
fn normal(chain: Chain, known: &Known) -> Chain {
    let mut factors: Vec<Factor> = Vec::new();
    for mut factor in chain.factors {
        let is_identity =
            matches!(&factor.expr.kind, ExprKind::Call { function, .. } if function.text == IDENTITY);
        if is_identity && (!factors.is_empty() || factor.inverted) {
            continue;
        }
        if !factor.vector && known.is_symmetric(&factor.expr) {
            factor.transposed = false;
        }
        if let Some(last) = factors.last() {
            let was_identity =
                matches!(&last.expr.kind, ExprKind::Call { function, .. } if function.text == IDENTITY);
            if was_identity {
                factors.pop();
            } else if last.expr == factor.expr
                && last.transposed == factor.transposed
                && last.inverted != factor.inverted
            {
                factors.pop();
                continue;
            }
        }
        factors.push(factor);
    }
    Chain { factors, ..chain }
}

/// A factor as it is written: `X`, `X.T`, `inv(X).T`.
pub(super) fn factor_expr(factor: &Factor) -> Expr {
    let base = match factor.inverted {
        true => make::call(Span::default(), INVERSE, vec![factor.expr.clone()], Vec::new()),
        false => factor.expr.clone(),
    };
    if factor.transposed && !factor.vector { make::untransposed(&base) } else { base }
}
