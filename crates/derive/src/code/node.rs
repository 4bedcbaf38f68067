//! An expression whose axes carry labels, and how it is brought under others to be broadcast.

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Span, make};
use pullback_network::{Coef, Dim, Label};
use pullback_ops::Val;

/// An expression and the labels of its axes. An axis of size 1 that is stretched carries a label of its own.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub expr: Expr,
    pub axes: Vec<Label>,
    /// The same with the axes kept that were summed.
    pub kept: Option<Box<Node>>,
    /// Where it is a sum: that over what size, as a mean.
    pub mean: Option<Box<(Coef, Node)>>,
}

/// Is it the label of an axis that is there to be stretched? A size of one that has a name is one by chance.
pub(super) fn is_stretched(label: &Label) -> bool {
    label.dim().is_single()
}

/// Has a value an axis of size one that has a name, and so is one by chance? Which axis is which cannot be told from sizes then.
pub(super) fn is_one_by_chance(val: &Val) -> bool {
    val.dims().iter().any(|dim| dim.size() == 1 && dim.name().is_some())
}

impl Node {
    pub(super) fn new(expr: Expr, axes: Vec<Label>) -> Node {
        Node { expr, axes, kept: None, mean: None }
    }

    /// The number one.
    pub(super) fn one() -> Node {
        Node::new(make::integer(Span::default(), 1), Vec::new())
    }

    pub(super) fn has(&self, label: Label) -> bool {
        self.axes.contains(&label)
    }

    /// The axes that are not merely stretched.
    pub(super) fn real(&self, slots: &[Label]) -> Vec<Label> {
        self.axes.iter().copied().filter(|label| !is_stretched(label) || slots.contains(label)).collect()
    }

    /// The expression such that it broadcasts against an array whose axes carry the labels `order`. `None` where it has an axis
    /// that is not among them.
    pub(super) fn under(&self, order: &[Label]) -> Option<Expr> {
        if aligned(&self.axes, order) {
            return Some(self.expr.clone());
        }
        if let Some(kept) = self.kept.as_ref().filter(|kept| aligned(&kept.axes, order)) {
            return Some(kept.expr.clone());
        }
        let Node { expr, axes, .. } = self.squeezed(order);
        let mut places =
            axes.iter().map(|label| order.iter().position(|o| o == label)).collect::<Option<Vec<usize>>>()?;
        let expr = if places.is_sorted() {
            expr
        } else {
            let mut permutation: Vec<usize> = (0..places.len()).collect();
            permutation.sort_by_key(|&axis| places[axis]);
            places.sort_unstable();
            permuted(expr, &permutation)
        };
        let Some(&first) = places.first() else { return Some(expr) };
        if order.len() - first == places.len() {
            return Some(expr);
        }
        let items = (first..order.len()).map(|place| match places.contains(&place) {
            true => IndexItem::Slice { start: None, stop: None, step: None },
            false => IndexItem::NewAxis,
        });
        Some(indexed(expr, items.collect()))
    }

    /// Without the axes of size 1 that are not among the labels.
    fn squeezed(&self, order: &[Label]) -> Node {
        let goes = |label: &Label| is_stretched(label) && !order.contains(label);
        if !self.axes.iter().any(goes) {
            return self.clone();
        }
        let items = self.axes.iter().map(|label| match goes(label) {
            true => IndexItem::At(make::integer(self.expr.span, 0)),
            false => IndexItem::Slice { start: None, stop: None, step: None },
        });
        let axes = self.axes.iter().copied().filter(|label| !goes(label)).collect();
        Node::new(indexed(self.expr.clone(), items.collect()), axes)
    }

    /// The product with another node, entry by entry: over the axes of the larger one, or else of both in the order of `slots`.
    pub(super) fn times(&self, other: &Node, slots: &[Label]) -> Option<Node> {
        // An axis of size 1 stays where it is, and the other factor gets one.
        for one in [self, other] {
            if one.axes.len() > one.real(slots).len()
                && let (Some(a), Some(b)) = (self.under(&one.axes), other.under(&one.axes))
            {
                return Some(Node::new(times(a, b), one.axes.clone()));
            }
        }
        let order = joint(&[self, other], slots);
        let product = times(self.under(&order)?, other.under(&order)?);
        Some(Node::new(product, order))
    }
}

/// The labels of some nodes in the order in which a result of them has its axes: that of the largest node, where it has them
/// all.
pub(super) fn joint(nodes: &[&Node], slots: &[Label]) -> Vec<Label> {
    let mut all: Vec<Label> = Vec::new();
    for label in nodes.iter().flat_map(|node| node.real(slots)) {
        if !all.contains(&label) {
            all.push(label);
        }
    }
    let largest = nodes.iter().find(|node| node.real(slots).len() == all.len());
    match largest {
        Some(node) if !all.iter().all(|label| slots.contains(label)) => node.real(slots),
        _ => {
            all.sort_by_key(|label| slots.iter().position(|slot| slot == label).unwrap_or(usize::MAX));
            all
        }
    }
}

/// Do axes broadcast as they stand, aligned at the last one?
fn aligned(axes: &[Label], order: &[Label]) -> bool {
    let Some(offset) = order.len().checked_sub(axes.len()) else { return false };
    axes.iter().zip(&order[offset..]).all(|(axis, label)| axis == label || is_stretched(axis))
}

fn permuted(expr: Expr, permutation: &[usize]) -> Expr {
    let at = expr.span;
    match permutation {
        [1, 0] => make::untransposed(&expr),
        _ => {
            let axes = permutation.iter().map(|&axis| make::integer(at, axis)).collect();
            make::call(at, "permute", vec![expr, Expr::new(at, ExprKind::List(axes))], Vec::new())
        }
    }
}

fn indexed(base: Expr, items: Vec<IndexItem>) -> Expr {
    Expr::new(base.span, ExprKind::Index { base: Box::new(base), items })
}

pub(super) fn is_one(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Number { value: 1.0, .. })
}

/// The product of two expressions, what one is divided by at its end.
pub(super) fn times(a: Expr, b: Expr) -> Expr {
    let at = a.span;
    if is_one(&a) {
        return b;
    }
    if is_one(&b) {
        return a;
    }
    if let Some((left, right)) = of(BinaryOp::Mul, &b) {
        return times(times(a, left), right);
    }
    match (fraction(&a), fraction(&b)) {
        (None, None) => make::binary(at, BinaryOp::Mul, a, b),
        (Some((above, below)), None) => over(times(above, b), below),
        (None, Some((above, below))) => over(times(a, above), below),
        (Some((above, below)), Some((other, rest))) => over(over(times(above, other), below), rest),
    }
}

/// The quotient of two expressions.
pub(super) fn over(a: Expr, b: Expr) -> Expr {
    if is_one(&b) { a } else { make::binary(a.span, BinaryOp::Div, a, b) }
}

/// What stands above and below a fraction bar.
pub(super) fn fraction(expr: &Expr) -> Option<(Expr, Expr)> {
    of(BinaryOp::Div, expr)
}

/// The operands of an operator.
fn of(kind: BinaryOp, expr: &Expr) -> Option<(Expr, Expr)> {
    match &expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == kind => {
            Some(((**left).clone(), (**right).clone()))
        }
        _ => None,
    }
}

const ZEROS: &str = "zeros";

/// Zeros of a shape.
pub(crate) fn zeros(dims: &[Dim]) -> Expr {
    let at = Span::default();
    make::call(at, ZEROS, vec![make::shape(at, dims)], Vec::new())
}

pub(crate) fn is_zeros(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { function, .. } if function.text == ZEROS)
}
