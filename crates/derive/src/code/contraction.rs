//! How the sums of one product are written: a label that two matrices share is `@`, one that a single factor has is a `sum`,
//! and what is neither an `einsum`.

use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make};
use pullback_network::{Coef, Label};

use super::node::{Node, is_stretched};

/// The factors of a product, with every label that is not among the slots summed.
pub(super) fn contracted(mut nodes: Vec<Node>, slots: &[Label]) -> Option<Vec<Node>> {
    let is_summed = |label: &Label| !is_stretched(label) && !slots.contains(label);
    loop {
        let mut summed: Vec<Label> = Vec::new();
        for label in nodes.iter().flat_map(|node| node.axes.iter().copied()).filter(is_summed) {
            if !summed.contains(&label) {
                summed.push(label);
            }
        }
        if summed.is_empty() {
            return Some(nodes);
        }
        let having = |nodes: &[Node], label: Label| -> Vec<usize> {
            (0..nodes.len()).filter(|&at| nodes[at].has(label)).collect()
        };
        // What stands in one factor alone is summed there.
        if let Some(at) = summed.iter().find_map(|&label| match having(&nodes, label)[..] {
            [only] => Some(only),
            _ => None,
        }) {
            let alone: Vec<Label> =
                summed.iter().copied().filter(|&label| having(&nodes, label) == [at]).collect();
            nodes[at] = summed_over(&nodes[at], &alone)?;
            continue;
        }
        let product = summed.iter().find_map(|&label| match having(&nodes, label)[..] {
            [a, b] => Some((a, b, matrix_product(&nodes[a], &nodes[b], label, slots)?)),
            _ => None,
        });
        let merged = product.or_else(|| {
            let label = *summed.iter().min_by_key(|&&label| having(&nodes, label).len())?;
            entrywise(&nodes, &having(&nodes, label), slots)
        });
        match merged {
            Some((a, b, node)) => {
                nodes.remove(b);
                nodes[a] = node;
            }
            None => {
                let which = having(&nodes, summed[0]);
                let label_stays = |label: &Label| {
                    slots.contains(label)
                        || (0..nodes.len()).any(|at| !which.contains(&at) && nodes[at].has(*label))
                };
                let factors: Vec<Node> = which.iter().map(|&at| nodes[at].clone()).collect();
                let node = einsum(&factors, label_stays, slots)?;
                for &at in which.iter().rev() {
                    nodes.remove(at);
                }
                nodes.push(node);
            }
        }
    }
}

/// A factor summed over some of its axes.
fn summed_over(node: &Node, labels: &[Label]) -> Option<Node> {
    let at = Span::default();
    let axes: Vec<usize> = (0..node.axes.len()).filter(|&axis| labels.contains(&node.axes[axis])).collect();
    let axis = match axes.as_slice() {
        all if all.len() == node.axes.len() => None,
        [one] => Some(make::integer(at, *one)),
        several => {
            Some(Expr::new(at, ExprKind::List(several.iter().map(|&k| make::integer(at, k)).collect())))
        }
    };
    let reduced = |function: &str, keep: bool| {
        let mut arguments: Vec<(&str, Expr)> = axis.iter().map(|axis| ("axis", axis.clone())).collect();
        if keep {
            arguments.push(("keepdims", Expr::new(at, ExprKind::Bool(true))));
        }
        make::call(at, function, vec![node.expr.clone()], arguments)
    };
    let rest = |label: &Label| !labels.contains(label);
    let stretched = |label: &Label| if rest(label) { *label } else { Label::new(1) };
    let axes: Vec<Label> = node.axes.iter().copied().filter(rest).collect();
    let whole = |function: &str| {
        let kept = Node::new(reduced(function, true), node.axes.iter().map(stretched).collect());
        // A full sum is a scalar, which needs no axes.
        let kept = axis.is_some().then(|| Box::new(kept));
        Node { kept, ..Node::new(reduced(function, false), axes.clone()) }
    };
    let size = labels.iter().fold(Coef::one(), |size, label| size.times(&Coef::size(label.dim(), 1)));
    Some(Node { mean: Some(Box::new((size, whole("mean")))), ..whole("sum") })
}

/// `A @ B`, `A @ v`: of two factors that share one label and nothing else.
fn matrix_product(a: &Node, b: &Node, over: Label, slots: &[Label]) -> Option<Node> {
    let other = |node: &Node| match node.axes[..] {
        [_] => Some(None),
        [row, column] if row != column => Some(Some(if row == over { column } else { row })),
        _ => None,
    };
    let (first, second) = (other(a)?, other(b)?);
    let is_real =
        |label: Option<Label>| label.is_none_or(|label| !is_stretched(&label) || slots.contains(&label));
    if first == second || !is_real(first) || !is_real(second) {
        return None;
    }
    // What becomes the rows of the result stands on the left, what becomes its columns on the right.
    let is_rows = |label: Option<Label>| label.is_some() && label == slots.first().copied();
    let is_columns =
        |label: Option<Label>| label.is_some() && slots.len() > 1 && label == slots.last().copied();
    let turned = first.is_none() || (second.is_some() && (is_rows(second) || is_columns(first)));
    let (left, right) = if turned { (b, a) } else { (a, b) };
    let (row, column) = if turned { (second, first) } else { (first, second) };
    let left = match row == Some(left.axes[0]) {
        true => left.expr.clone(),
        false => make::untransposed(&left.expr),
    };
    let right = match right.axes[0] == over {
        true => right.expr.clone(),
        false => make::untransposed(&right.expr),
    };
    let axes = row.into_iter().chain(column).collect();
    Some(Node::new(make::binary(Span::default(), BinaryOp::MatMul, left, right), axes))
}

/// Two factors of which one has all labels of the other, multiplied entry by entry: first such as have the same.
fn entrywise(nodes: &[Node], among: &[usize], slots: &[Label]) -> Option<(usize, usize, Node)> {
    let pairs =
        || among.iter().flat_map(|&b| among.iter().take_while(move |&&a| a < b).map(move |&a| (a, b)));
    let within = |a: usize, b: usize| nodes[a].real(slots).iter().all(|&label| nodes[b].has(label));
    let (a, b) = pairs()
        .find(|&(a, b)| within(a, b) && within(b, a))
        .or_else(|| pairs().find(|&(a, b)| within(a, b) || within(b, a)))?;
    Some((a, b, nodes[a].times(&nodes[b], slots)?))
}

fn einsum(nodes: &[Node], stays: impl Fn(&Label) -> bool, slots: &[Label]) -> Option<Node> {
    const LETTERS: &[u8] = b"ijklmnpqrsuv";
    let at = Span::default();
    let mut labels: Vec<Label> = Vec::new();
    for label in nodes.iter().flat_map(|node| node.axes.iter().copied()) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    if labels.len() > LETTERS.len() {
        return None;
    }
    let letters = |axes: &[Label]| -> String {
        let place = |label: &Label| labels.iter().position(|known| known == label);
        axes.iter().filter_map(place).map(|at| LETTERS[at] as char).collect()
    };
    let mut out: Vec<Label> = labels.iter().copied().filter(stays).collect();
    out.sort_by_key(|label| slots.iter().position(|slot| slot == label).unwrap_or(usize::MAX));
    let operands: Vec<String> = nodes.iter().map(|node| letters(&node.axes)).collect();
    let formula = format!("{}->{}", operands.join(","), letters(&out));
    let mut arguments = vec![Expr::new(at, ExprKind::Text(formula))];
    arguments.extend(nodes.iter().map(|node| node.expr.clone()));
    Some(Node::new(make::call(at, "einsum", arguments, Vec::new()), out))
}
