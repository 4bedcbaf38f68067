//! How a sum of products is written: what all products have in common once, before the rest of them in brackets.

use pullback_lang::{BinaryOp, Expr, ExprKind, Span, make, parse_expr, print};
use pullback_network::{Coef, Dim, Label, Map, Operator};
use pullback_ops::{Factor, ScatterAdd, Term, Val, find};

use super::condition::choice;
use super::contraction::contracted;
use super::matrix::{INVERSE, OUTER};
use super::node::{Node, fraction, is_one, is_stretched, joint, over, times};
use super::payload::Writer;
use super::selection::{OPERAND, applied, matrix, placed, read, rows_of_identity};

/// The function of diagonals.
const DIAGONAL: &str = "diag";

/// One product.
struct Product {
    coef: Coef,
    nodes: Vec<Node>,
}

impl Product {
    /// The same with its sign taken into a factor: `b - a` for the negative of `a - b`.
    fn with_sign_taken_in(&self) -> Option<Product> {
        let (at, expr) =
            self.nodes.iter().enumerate().find_map(|(at, node)| Some((at, turned(&node.expr)?)))?;
        let mut nodes = self.nodes.clone();
        nodes[at] = Node::new(expr, nodes[at].axes.clone());
        Some(Product { coef: self.coef.abs(), nodes })
    }
}

/// The negative of an expression, where that is one without a minus in front: of a difference, or of a product with one.
fn turned(expr: &Expr) -> Option<Expr> {
    let ExprKind::Binary { operator, left, right } = &expr.kind else { return None };
    let with = |left: Expr, right: Expr| make::binary(expr.span, operator.kind, left, right);
    let is_sum = |expr: &Expr| {
        matches!(&expr.kind, ExprKind::Binary { operator, .. }
            if matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub))
    };
    match operator.kind {
        BinaryOp::Sub if !is_sum(left) => Some(with((**right).clone(), (**left).clone())),
        BinaryOp::Mul | BinaryOp::MatMul => match turned(right) {
            Some(right) => Some(with((**left).clone(), right)),
            None => Some(with(turned(left)?, (**right).clone())),
        },
        BinaryOp::Div => Some(with(turned(left)?, (**right).clone())),
        _ => None,
    }
}

/// The sum of some terms, with axes labelled by their slots. Axes along which it does not change may be missing.
pub(super) fn sum(terms: &[Term], slots: &[Label], writer: &Writer<'_>) -> Option<Node> {
    let (coef, body) = apart(terms, slots, writer)?;
    if coef.is_one() { Some(body) } else { multiplied(&coef, vec![body], slots) }
}

/// The sum of some terms apart from a number that is in front of all.
pub(super) fn apart(terms: &[Term], slots: &[Label], writer: &Writer<'_>) -> Option<(Coef, Node)> {
    let written = |term: &Term| {
        let Product { coef, nodes } = product(term, slots, writer)?;
        Some(Product { coef, nodes: contracted(nodes, slots)? })
    };
    let mut products: Vec<Product> = terms.iter().map(written).collect::<Option<_>>()?;
    let (mut coef, mut common) = (Coef::one(), Vec::new());
    if products.len() > 1 {
        (coef, common) = in_common(&mut products, slots);
    }
    if products.iter().all(|product| product.coef.is_negative())
        && let Some((at, product)) =
            products.iter().enumerate().find_map(|(at, product)| Some((at, product.with_sign_taken_in()?)))
    {
        products[at] = product;
    }
    // A sum begins with what has no sign.
    products.sort_by_key(|product| product.coef.is_negative());
    let parts: Vec<(bool, Node)> = products
        .into_iter()
        .map(|Product { coef, nodes }| Some((coef.is_negative(), multiplied(&coef.abs(), nodes, slots)?)))
        .collect::<Option<_>>()?;
    let total = match parts.as_slice() {
        [(false, only)] => only.clone(),
        [(true, only)] => {
            let kept =
                only.kept.as_ref().map(|kept| Box::new(Node::new(minus(&kept.expr), kept.axes.clone())));
            Node { kept, ..Node::new(minus(&only.expr), only.axes.clone()) }
        }
        _ => {
            let nodes: Vec<&Node> = parts.iter().map(|(_, node)| node).collect();
            let order = joint(&nodes, slots);
            let mut total: Option<Expr> = None;
            for (negative, node) in &parts {
                let expr = node.under(&order)?;
                total = Some(match (total, negative) {
                    (None, false) => expr,
                    (None, true) => minus(&expr),
                    (Some(before), negative) => {
                        let kind = if *negative { BinaryOp::Sub } else { BinaryOp::Add };
                        make::binary(before.span, kind, before, expr)
                    }
                });
            }
            Node::new(total?, order)
        }
    };
    if common.is_empty() {
        return Some((coef, total));
    }
    common.push(total);
    Some((coef, multiplied(&Coef::one(), common, slots)?))
}

/// How long the sum is as it is written: the number of its parts, or of those of its factors where there are no words for it.
pub(super) fn length(terms: &[Term], slots: &[Label], writer: &Writer<'_>) -> usize {
    if let Some(node) = sum(terms, slots, writer) {
        return node.expr.parts();
    }
    let payloads = terms.iter().flat_map(|term| &term.factors).filter_map(|factor| factor.payload());
    terms.len()
        + payloads.map(|value| 1 + writer.written(value).map_or(0, |expr| expr.parts())).sum::<usize>()
}

/// The same as an expression of the very shape of the slots.
pub(super) fn whole(terms: &[Term], slots: &[Label], dims: &[Dim], writer: &Writer<'_>) -> Option<Expr> {
    let at = Span::default();
    if let Some(special) = diagonal(terms, dims, writer).or_else(|| scattered(terms, dims, writer)) {
        return Some(special);
    }
    let node = sum(terms, slots, writer)?;
    if node.axes == slots {
        return Some(node.expr);
    }
    let expr = node.under(slots)?;
    let is_there = |slot: &Label| is_stretched(slot) || node.has(*slot);
    // What `under` gives may lack axes in front.
    if slots.iter().all(is_there)
        && (slots.first().is_none_or(|first| !is_stretched(first) || node.has(*first)))
    {
        return Some(expr);
    }
    let ones = make::call(at, "ones", vec![make::shape(at, dims)], Vec::new());
    Some(times(expr, ones))
}

/// `diag(v)`, where every term is a diagonal matrix.
fn diagonal(terms: &[Term], dims: &[Dim], writer: &Writer<'_>) -> Option<Expr> {
    let is_diagonal = |term: &Term| matches!(term.slots[..], [row, column] if row == column);
    if terms.is_empty() || !terms.iter().all(is_diagonal) {
        return None;
    }
    let vectors: Vec<Term> =
        terms.iter().map(|term| Term { slots: vec![term.slots[0]], ..term.clone() }).collect();
    let slot = vectors[0].slots[0];
    let node = sum(&vectors, &[slot], writer)?;
    let at = Span::default();
    Some(match node.axes.as_slice() {
        [_] => make::call(at, DIAGONAL, vec![node.expr], Vec::new()),
        _ => times(node.expr, make::call(at, "eye", vec![make::dim(at, &dims[0])], Vec::new())),
    })
}

/// A term with its slots called as those of all terms.
fn product(term: &Term, slots: &[Label], writer: &Writer<'_>) -> Option<Product> {
    if let Some(node) = placed(term, slots, writer) {
        return Some(Product { coef: term.coef.clone(), nodes: vec![node] });
    }
    let mut deltas = Vec::new();
    for (at, slot) in term.slots.iter().enumerate() {
        if let Some(before) = term.slots[..at].iter().position(|other| other == slot && !is_stretched(slot)) {
            deltas.push((slots[before], slots[at]));
        }
    }
    let called =
        |label: Label| term.slots.iter().position(|&slot| slot == label).map_or(label, |at| slots[at]);
    let mut nodes = Vec::new();
    let mut relations = Vec::new();
    // What says where something is taken at all.
    let mut gates = Vec::new();
    // The cotangent is the last factor that was multiplied in, and stands first.
    for factor in term.factors.iter().rev() {
        if factor.payload().is_some_and(Val::is_gated) {
            gates.push(nodes.len());
        }
        let (expr, labels) = match factor {
            Factor::Operator(operator) if adds_up_to_one(operator, term) => continue,
            Factor::Dense(value, labels) => (writer.written(value)?, labels.clone()),
            Factor::Operator(operator) => of_operator(operator, &|value| writer.written(value))?,
            Factor::Relation(relation) => {
                relations.push(relation.renamed(&called));
                continue;
            }
        };
        let axes: Vec<Label> = labels.into_iter().map(called).collect();
        let is_repeated = |(at, label): (usize, &Label)| !is_stretched(label) && axes[..at].contains(label);
        if axes.iter().enumerate().any(is_repeated) {
            let [row, column] = axes[..] else { return None };
            debug_assert!(row == column);
            let is_alone = term.factors.iter().filter(|other| other.labels().contains(&row)).count() == 1;
            nodes.push(diagonal_of(expr, row, is_alone && !slots.contains(&row)));
            continue;
        }
        nodes.push(Node::new(expr, axes));
    }
    for relation in &relations {
        let mut tried = nodes.clone();
        match read(&mut tried, relation, slots) {
            Some(()) => nodes = tried,
            None => nodes.push(matrix(relation)?),
        }
    }
    gated(&mut nodes, &gates);
    match deltas[..] {
        [] => {}
        [(row, column)] => nodes = with_diagonal(nodes, row, column)?,
        _ => return None,
    }
    Some(Product { coef: term.coef.clone(), nodes })
}

/// What may be infinite or NaN stands behind the condition that says where it is taken: `where(x > 0, 1 / sqrt(x), 0)`, for zero times it
/// would not be zero.
fn gated(nodes: &mut Vec<Node>, gates: &[usize]) {
    let mut gates: Vec<usize> = gates.iter().copied().filter(|gate| *gate < nodes.len()).collect();
    while let Some(gate) = gates.pop() {
        // One number for many entries is finite, or all of the program is not.
        let is_along = |node: &Node| node.axes == nodes[gate].axes && !node.axes.is_empty();
        let others = (0..nodes.len()).filter(|at| *at != gate && !gates.contains(at));
        let unsafe_ones: Vec<usize> =
            others.filter(|at| may_be_infinite(&nodes[*at].expr) && is_along(&nodes[*at])).collect();
        let order = nodes[gate].axes.clone();
        let parts: Option<Vec<Expr>> = unsafe_ones.iter().map(|at| nodes[*at].under(&order)).collect();
        let Some(taken) = parts.and_then(|parts| parts.into_iter().reduce(times)) else { continue };
        let Some(choice) = choice(nodes[gate].expr.clone(), taken, make::integer(Span::default(), 0)) else {
            continue;
        };
        nodes[gate] = Node::new(choice, order);
        let mut at = 0;
        nodes.retain(|_| {
            at += 1;
            !unsafe_ones.contains(&(at - 1))
        });
        for gate in &mut gates {
            *gate -= unsafe_ones.iter().filter(|at| *at < gate).count();
        }
    }
}

/// Is there a division in an expression, or a function that is not finite everywhere?
fn may_be_infinite(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |part| {
        found |= match &part.kind {
            ExprKind::Binary { operator, right, .. } => {
                let is_number = matches!(right.kind, ExprKind::Number { value, .. } if value != 0.0);
                matches!(operator.kind, BinaryOp::Div | BinaryOp::Pow) && !is_number
            }
            ExprKind::Call { function, .. } => find(&function.text).is_some_and(|operation| {
                let domain = operation.page("Domain");
                !domain.starts_with("All ") && !domain.is_empty()
            }),
            _ => false,
        };
    });
    found
}

/// Is it a selection of one in each row, summed over what it selects from: one for each row, which stands elsewhere too?
fn adds_up_to_one(operator: &Operator<Val>, term: &Term) -> bool {
    let is_itself =
        |factor: &Factor| matches!(factor, Factor::Operator(other) if std::ptr::eq(other, operator));
    let elsewhere = |label: &Label| {
        let others = term.factors.iter().filter(|factor| !is_itself(factor));
        term.slots.contains(label) || others.flat_map(Factor::labels).any(|other| other == *label)
    };
    matches!(operator.map, Map::Selection(_))
        && !operator.columns.iter().any(elsewhere)
        && operator.batch.iter().chain(&operator.rows).all(elsewhere)
}

/// A matrix that is known by what it does, as the one that it is: `inv(A)`, `tril(ones(n, n))`, `gather(eye(n), k, axis=0)`.
pub(crate) fn of_operator(
    operator: &Operator<Val>,
    written: &dyn Fn(&Val) -> Option<Expr>,
) -> Option<(Expr, Vec<Label>)> {
    let at = Span::default();
    let called = |function: &str, args: Vec<Expr>| make::call(at, function, args, Vec::new());
    if let (Map::Selection(index), [column]) = (&operator.map, &operator.columns[..]) {
        let size = make::dim(at, &column.dim());
        let labels = [&operator.batch[..], &operator.rows, &[*column]].concat();
        return Some((rows_of_identity(size, &written(index)?)?, labels));
    }
    match &operator.map {
        Map::Inverse(matrix) => Some((called(INVERSE, vec![written(matrix)?]), operator.labels())),
        Map::RunningSum => {
            let (row, column) = operator.as_matrix()?;
            let size = make::dim(at, &row.dim());
            Some((called("tril", vec![called("ones", vec![size.clone(), size])]), vec![row, column]))
        }
        _ => None,
    }
}

/// The diagonal of a matrix; its trace, where nothing else runs along it.
fn diagonal_of(matrix: Expr, label: Label, is_alone: bool) -> Node {
    let (function, axes) = if is_alone { ("trace", Vec::new()) } else { (DIAGONAL, vec![label]) };
    Node::new(make::call(Span::default(), function, vec![matrix], Vec::new()), axes)
}

/// Rows added up where a table of the program says, `scatter_add(x, k, N)`: of a term with one such relation, to its first slot.
fn scattered(terms: &[Term], dims: &[Dim], writer: &Writer<'_>) -> Option<Expr> {
    let [term] = terms else { return None };
    let is_selection = |factor: &&Factor| matches!(factor, Factor::Operator(_) | Factor::Relation(_));
    let (selections, factors): (Vec<&Factor>, Vec<&Factor>) = term.factors.iter().partition(is_selection);
    let [Factor::Operator(operator)] = selections[..] else { return None };
    let (Map::Selection(index), [], [to]) = (&operator.map, &operator.batch[..], &operator.columns[..])
    else {
        return None;
    };
    let (to, from, index) = (*to, &operator.rows, writer.written(index)?);
    let is_free = |label: &Label| term.slots.contains(label);
    if term.slots.first() != Some(&to)
        || term.slots[1..].contains(&to)
        || from.iter().any(is_free)
        || factors.iter().any(|factor| factor.labels().contains(&to))
    {
        return None;
    }
    let slots: Vec<Label> = from.iter().chain(&term.slots[1..]).copied().collect();
    let own: Vec<Dim> = slots.iter().map(|label| label.dim()).collect();
    let rest = Term {
        coef: term.coef.clone(),
        slots: slots.clone(),
        factors: factors.into_iter().cloned().collect(),
    };
    let rows = whole(&[rest], &slots, &own, writer)?;
    applied(&ScatterAdd::call(OPERAND, &print(&index), &print(&make::dim(Span::default(), &dims[0]))), rows)
}

/// The factors of a term with a delta between two axes of the result: what stands along the diagonal is a factor `diag(v)`.
fn with_diagonal(nodes: Vec<Node>, row: Label, column: Label) -> Option<Vec<Node>> {
    // What shares a summed label with the diagonal belongs to it.
    let mut on_it: Vec<Label> = vec![row];
    let (mut along, mut rest) = (Vec::new(), nodes);
    loop {
        let (more, others): (Vec<Node>, Vec<Node>) =
            rest.into_iter().partition(|node| on_it.iter().any(|label| node.has(*label)));
        rest = others;
        if more.is_empty() {
            break;
        }
        on_it.extend(
            more.iter().flat_map(|node| node.axes.iter().copied()).filter(|label| !is_stretched(label)),
        );
        along.extend(more);
    }
    let at = Span::default();
    let diagonal = if along.is_empty() {
        make::call(at, "eye", vec![make::dim(at, &row.dim())], Vec::new())
    } else {
        let slots = [row];
        let vector = multiplied(&Coef::one(), contracted(along, &slots)?, &slots)?;
        make::call(at, DIAGONAL, vec![vector.under(&slots)?], Vec::new())
    };
    rest.insert(0, Node::new(diagonal, vec![row, column]));
    Some(rest)
}

/// Takes out what all products are multiplied by: factors over axes of the result, and the number in front.
fn in_common(products: &mut [Product], slots: &[Label]) -> (Coef, Vec<Node>) {
    let mut common = Vec::new();
    let is_free = |node: &Node| node.axes.iter().all(|label| is_stretched(label) || slots.contains(label));
    let mut at = 0;
    while at < products[0].nodes.len() {
        let node = products[0].nodes[at].clone();
        let places: Option<Vec<usize>> = products
            .iter()
            .map(|product| {
                let is_same = |other: &Node| other.real(slots) == node.real(slots) && other.expr == node.expr;
                product.nodes.iter().position(is_same)
            })
            .collect();
        match places {
            Some(places) if is_free(&node) => {
                for (product, place) in products.iter_mut().zip(places) {
                    product.nodes.remove(place);
                }
                common.push(node);
            }
            _ => at += 1,
        }
    }
    let size = products[0].coef.abs();
    if products.iter().all(|product| product.coef.abs() == size) {
        for product in products.iter_mut() {
            product.coef = if product.coef.is_negative() { Coef::minus_one() } else { Coef::one() };
        }
        return (size, common);
    }
    (Coef::one(), common)
}

/// The product of factors over axes of the result, with a positive number in front.
fn multiplied(coef: &Coef, mut nodes: Vec<Node>, slots: &[Label]) -> Option<Node> {
    let mut coef = coef.clone();
    for node in &mut nodes {
        // A sum over what it is divided by is a mean.
        if let Some((size, mean)) = node.mean.as_deref()
            && coef.is_over(size)
        {
            (coef, *node) = (coef.times(size), mean.clone());
        }
    }
    let (mut above, mut below) = number(&coef)?;
    let (scalars, arrays): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(|node| node.axes.is_empty());
    let arrays = entrywise(arrays, slots)?;
    let body = match arrays.as_slice() {
        [a, b] if is_outer(a, b, slots) => {
            let place = |node: &Node| slots.iter().position(|&slot| slot == node.axes[0]);
            let (first, second) = if place(a) < place(b) { (a, b) } else { (b, a) };
            let operands = vec![first.expr.clone(), second.expr.clone()];
            let outer = make::call(Span::default(), OUTER, operands, Vec::new());
            Node::new(outer, slots.to_vec())
        }
        [] => Node::one(),
        [only] => only.clone(),
        [first, rest @ ..] => {
            rest.iter().try_fold(first.clone(), |product, node| product.times(node, slots))?
        }
    };
    for scalar in &scalars {
        let (over, under) = fraction(&scalar.expr).unwrap_or_else(|| (scalar.expr.clone(), Node::one().expr));
        above = times(above, over);
        below = times(below, under);
    }
    if is_one(&above) && is_one(&below) {
        return Some(body);
    }
    // A matrix is turned before it is scaled: `2 * X.T`, and not `(2 * X).T`.
    let order = joint(&[&body], slots);
    let body = match order.len() == body.axes.len() && order != body.axes {
        true => Node::new(body.under(&order)?, order),
        false => body,
    };
    let scaled = |body: &Expr| over(in_front(above.clone(), body), below.clone());
    let kept = body.kept.as_ref().map(|kept| Box::new(Node::new(scaled(&kept.expr), kept.axes.clone())));
    Some(Node { kept, ..Node::new(scaled(&body.expr), body.axes) })
}

/// Factors over the same axes as one, so that what is left of an outer product is its two vectors.
fn entrywise(nodes: Vec<Node>, slots: &[Label]) -> Option<Vec<Node>> {
    let mut merged: Vec<Node> = Vec::new();
    for node in nodes {
        match merged.iter_mut().find(|other| other.axes == node.axes) {
            Some(other) => *other = other.times(&node, slots)?,
            None => merged.push(node),
        }
    }
    Some(merged)
}

/// A scalar times a body: before the first factor of a product of matrices, as one writes it.
fn in_front(scalar: Expr, body: &Expr) -> Expr {
    match &body.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::MatMul => {
            make::binary(body.span, operator.kind, in_front(scalar, left), (**right).clone())
        }
        _ => times(scalar, body.clone()),
    }
}

/// Are two vectors the rows and the columns of the result?
fn is_outer(a: &Node, b: &Node, slots: &[Label]) -> bool {
    matches!((&a.axes[..], &b.axes[..], slots), ([p], [q], [first, second])
        if (p == first && q == second) || (p == second && q == first))
}

/// A coefficient as what stands above and below its fraction bar.
fn number(coef: &Coef) -> Option<(Expr, Expr)> {
    let written = coef.collected().to_string().replace('·', " * ");
    let expr = parse_expr(&written).ok()?.expr;
    let one = make::integer(Span::default(), 1);
    Some(match expr.kind {
        ExprKind::Binary { operator, left, right } if operator.kind == BinaryOp::Div => (*left, *right),
        _ => (expr, one),
    })
}

/// An expression with the sign turned, which is put before the first of its factors.
fn minus(expr: &Expr) -> Expr {
    match &expr.kind {
        ExprKind::Binary { operator, left, right }
            if matches!(operator.kind, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul) =>
        {
            make::binary(expr.span, operator.kind, minus(left), (**right).clone())
        }
        _ => make::negated(expr),
    }
}
