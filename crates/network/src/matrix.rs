//! Recognising matrix notation: `Σ_j Ḡ_mj W_nj` over slots `m, n` is `Ḡ Wᵀ`.
//!
//! Factors with two labels are matrices, with one vectors, with none scalars. Summed labels are eliminated one by one:
//! one that two factors share is a product, one that a single factor has is a sum over an axis. What is left over the
//! slots must be one matrix, an outer product of two vectors, one vector or scalars. Anything else is no matrix
//! expression, and stays in index notation.

use crate::coef::Coef;
use crate::dim::Label;
use crate::factor::{Factor, Value};
use crate::network::Term;
use crate::operator::Map;

/// A product of atoms, each with its transposition.
type Chain = Vec<(String, bool)>;

/// What stands over one or two labels. A vector is a column: its chain ends in it.
enum Node {
    Matrix { chain: Chain, row: Label, column: Label },
    Vector { chain: Chain, at: Label },
    Scalar(String),
}

impl<V: Value> Term<V> {
    /// The term in matrix notation, where it is a matrix expression. `symbol` names the payloads.
    pub fn matrix_notation(&self, symbol: &impl Fn(&V) -> String) -> Option<String> {
        let mut nodes = Vec::new();
        for factor in &self.factors {
            let atom = |name: String| vec![(name, false)];
            nodes.push(match factor {
                Factor::Relation(_) => return None,
                Factor::Operator(operator) => match (&operator.map, operator.as_matrix()) {
                    (Map::Inverse(matrix), Some((row, column))) => {
                        Node::Matrix { chain: atom(format!("{}⁻¹", symbol(matrix))), row, column }
                    }
                    _ => return None,
                },
                Factor::Dense(value, labels) => match labels.as_slice() {
                    [] => Node::Scalar(symbol(value)),
                    &[at] => Node::Vector { chain: atom(symbol(value)), at },
                    &[row, column] if row != column => {
                        Node::Matrix { chain: atom(symbol(value)), row, column }
                    }
                    _ => return None,
                },
            });
        }
        for label in self.labels() {
            let having: Vec<&Node> = nodes.iter().filter(|node| node.has(label)).collect();
            // Vectors under one sum are a dot product of two.
            let dot = having.iter().all(|node| matches!(node, Node::Vector { .. })) && !self.is_free(label);
            merge_entrywise(&mut nodes, label, if dot { 2 } else { 1 });
            if !self.is_free(label) {
                eliminate(&mut nodes, label)?;
            }
        }
        let body = assemble(nodes, &self.slots)?;
        Some(with_coefficient(&self.coef, &body))
    }
}

impl Node {
    fn has(&self, label: Label) -> bool {
        match self {
            Node::Matrix { row, column, .. } => *row == label || *column == label,
            Node::Vector { at, .. } => *at == label,
            Node::Scalar(_) => false,
        }
    }

    /// A matrix with `label` as its rows.
    fn with_row(self, label: Label) -> Node {
        match self {
            Node::Matrix { chain, row, column } if row != label => {
                Node::Matrix { chain: transposed(chain), row: column, column: row }
            }
            node => node,
        }
    }
}

fn transposed(chain: Chain) -> Chain {
    chain.into_iter().rev().map(|(atom, turned)| (atom, !turned)).collect()
}

fn written(chain: &Chain) -> String {
    let turned = |atom: &str| atom.strip_suffix('ᵀ').map_or_else(|| format!("{atom}ᵀ"), str::to_owned);
    let atoms: Vec<String> =
        chain.iter().map(|(atom, is_turned)| if *is_turned { turned(atom) } else { atom.clone() }).collect();
    atoms.join(" ")
}

/// Several factors over the same labels are one, multiplied entry by entry, as long as more than `least` have the label.
fn merge_entrywise(nodes: &mut Vec<Node>, label: Label, least: usize) {
    let same = |a: &Node, b: &Node| match (a, b) {
        (Node::Vector { at: a, .. }, Node::Vector { at: b, .. }) => a == b,
        (Node::Matrix { row, column, .. }, b @ Node::Matrix { .. }) => b.has(*row) && b.has(*column),
        _ => false,
    };
    let product = |a: &Chain, b: &Chain| {
        let bracket = |chain: &Chain| match chain.len() {
            1 => written(chain),
            _ => format!("({})", written(chain)),
        };
        vec![(format!("({} ⊙ {})", bracket(a), bracket(b)), false)]
    };
    let pair = |nodes: &[Node]| {
        let pairs = (0..nodes.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let many = nodes.iter().filter(|node| node.has(label)).count() > least;
        pairs.filter(|_| many).find(|&(a, b)| nodes[a].has(label) && same(&nodes[a], &nodes[b]))
    };
    while let Some((a, b)) = pair(nodes) {
        let second = nodes.remove(b);
        let merged = match (&nodes[a], second) {
            (Node::Vector { chain, at }, Node::Vector { chain: other, .. }) => {
                Node::Vector { chain: product(chain, &other), at: *at }
            }
            (Node::Matrix { chain, row, column }, second) => {
                let Node::Matrix { chain: other, .. } = second.with_row(*row) else {
                    unreachable!("both are matrices")
                };
                Node::Matrix { chain: product(chain, &other), row: *row, column: *column }
            }
            _ => unreachable!("only alike nodes are merged"),
        };
        nodes[a] = merged;
    }
}

/// Sums over a label: a product of the two nodes that have it, or a sum over the axis of the only one.
fn eliminate(nodes: &mut Vec<Node>, label: Label) -> Option<()> {
    let mut having = Vec::new();
    let mut at = 0;
    while at < nodes.len() {
        if nodes[at].has(label) { having.push(nodes.remove(at)) } else { at += 1 }
    }
    let second = if having.len() == 2 { having.pop() } else { None };
    let first = if having.len() == 1 { having.pop()? } else { return None };
    nodes.push(match (first, second) {
        (Node::Vector { chain, .. }, None) => Node::Scalar(format!("1ᵀ {}", written(&chain))),
        (Node::Matrix { chain, row, column }, None) => {
            let (rest, chain) = if row == label { (column, transposed(chain)) } else { (row, chain) };
            Node::Vector { chain: chain.into_iter().chain([("1".into(), false)]).collect(), at: rest }
        }
        (Node::Vector { chain: a, .. }, Some(Node::Vector { chain: b, .. })) => {
            Node::Scalar(written(&transposed(a).into_iter().chain(b).collect()))
        }
        (Node::Vector { chain: vector, .. }, Some(matrix))
        | (matrix, Some(Node::Vector { chain: vector, .. })) => {
            let Node::Matrix { chain, column, .. } = matrix.with_row(label) else { return None };
            Node::Vector { chain: transposed(chain).into_iter().chain(vector).collect(), at: column }
        }
        (first, Some(second)) => {
            let (Node::Matrix { chain: left, column: row, .. }, Node::Matrix { chain: right, column, .. }) =
                (first.with_row(label), second.with_row(label))
            else {
                return None;
            };
            Node::Matrix { chain: transposed(left).into_iter().chain(right).collect(), row, column }
        }
        (Node::Scalar(_), None) => return None,
    });
    Some(())
}

/// What is left, over the slots.
fn assemble(nodes: Vec<Node>, slots: &[Label]) -> Option<String> {
    let mut scalars = Vec::new();
    let mut rest = Vec::new();
    for node in nodes {
        match node {
            Node::Scalar(text) => scalars.push(text),
            node => rest.push(node),
        }
    }
    let rest: Vec<Node> = match slots {
        &[row, _] => rest.into_iter().map(|node| node.with_row(row)).collect(),
        _ => rest,
    };
    let body = match (slots, rest.as_slice()) {
        ([], []) => None,
        (&[slot], [Node::Vector { chain, at }]) if slot == *at => Some(written(chain)),
        (&[first, second], [Node::Matrix { chain, row, column }]) if (first, second) == (*row, *column) => {
            Some(written(chain))
        }
        (&[first, second], [Node::Vector { chain: a, at: p }, Node::Vector { chain: b, at: q }])
            if first != second =>
        {
            let (left, right) = if (first, second) == (*p, *q) { (a, b) } else { (b, a) };
            if !((first, second) == (*p, *q) || (first, second) == (*q, *p)) {
                return None;
            }
            Some(written(&left.iter().cloned().chain(transposed(right.clone())).collect()))
        }
        _ => return None,
    };
    scalars.extend(body);
    Some(scalars.join(" "))
}

fn with_coefficient(coef: &Coef, body: &str) -> String {
    match body {
        "" => coef.to_string(),
        body if coef.is_one() => body.to_owned(),
        body => format!("{coef} {body}"),
    }
}
