//! How cotangents flow back, as networks: from the cotangent of a value to those of what it was computed from.

use std::collections::{HashMap, HashSet};

use pullback_autograd::between;
use pullback_lang::{Expr, Span, make, parse_expr};
use pullback_network::{Coef, Label, Map, Value};
use pullback_ops::{Factor, Network, Origin, Val};

use super::Source;
use super::algebra::{Algebra, Equation, Monomial};
use super::node::{Node, is_one_by_chance, zeros};
use super::payload::Writer;
use super::terms;

/// What takes more parts is not read.
const MOST_PARTS: usize = 200;

/// A graph with more values between its ends has no gradient that is read.
const MOST_VALUES: usize = 200;

/// Nor has a Jacobian of more terms a formula.
const MOST_TERMS: usize = 32;

/// What a value sends back to its input of a number, where that has a name: nothing, where another result of its operation sends it.
pub(crate) type Sent<'a> = &'a dyn Fn(&Val, usize) -> Option<Option<Expr>>;

/// The gradient, with what some values send back by its name.
pub(crate) fn gradient(of: &Val, wrt: &Val, source: &Source<'_>, sent: Sent<'_>) -> Option<Expr> {
    gradient_telling(of, wrt, source, sent, &mut |_, _| {})
}

/// The same, which tells what makes it short.
pub(crate) fn gradient_telling(
    of: &Val,
    wrt: &Val,
    source: &Source<'_>,
    sent: Sent<'_>,
    tell: &mut dyn FnMut(&Equation, &Writer<'_>),
) -> Option<Expr> {
    let writer = Writer::of_program(source, of);
    let path = between(&[of], &[wrt], &[]);
    if path.len() > MOST_VALUES {
        return None;
    }
    let algebra = Algebra::new(of, &writer);
    let mut cotangents: HashMap<u64, Network> = HashMap::new();
    let seed = match (source.cotangent)(of) {
        Some(called) => symbol(of, &whole_node(of, called), &writer)?,
        None => Network::identity(of.dims()),
    };
    cotangents.insert(of.id(), seed);
    let between = |value: &Val| value.id() != of.id() && value.id() != wrt.id();
    let called = |value: &Val| (source.cotangent)(value).filter(|_| between(value));
    // Behind a value whose cotangent has a name nothing is gone through.
    let mut needed: HashSet<u64> = HashSet::from([wrt.id()]);
    for value in &path {
        if value.inputs().iter().any(|input| needed.contains(&input.id()) && called(input).is_none()) {
            needed.insert(value.id());
        }
    }
    for value in path.iter().rev().filter(|value| needed.contains(&value.id())) {
        let before = cotangents.remove(&value.id());
        let mut cotangent = match called(value) {
            Some(called) => symbol(value, &whole_node(value, called), &writer)?,
            None if source.as_derived => before?,
            None => algebra.simplest(&before?),
        };
        for equation in algebra.equations() {
            tell(&equation, &writer);
        }
        if value.id() == wrt.id() {
            return written(&cotangent, of, wrt, &writer);
        }
        if called(value).is_some() {
            // It stands for all that comes from there.
        } else if cotangent.terms().len() > 1 && cotangent.inputs().is_empty() {
            // A sum is a thing of its own.
            let slots = Label::for_dims(value.dims());
            let (coef, node) = terms::apart(cotangent.terms(), &slots, &writer)?;
            let products = algebra.sum(cotangent.terms(), &slots, &coef.power(-1));
            cotangent = stand_in(value, &coef, &node, &slots, products, &writer)?;
        } else if cotangent.terms().len() > MOST_TERMS {
            return None;
        }
        for (k, input) in value.inputs().iter().enumerate() {
            if !needed.contains(&input.id()) || called(input).is_some() {
                continue;
            }
            let pulled = match sent(value, k) {
                Some(None) => continue,
                Some(Some(sent)) => symbol(input, &whole_node(input, sent), &writer)?,
                None => {
                    let pulled = value.jacobian(k).ok()?.transpose().compose(&cotangent);
                    match has_words(&pulled) && !is_one_by_chance(value) && !is_one_by_chance(input) {
                        true => pulled,
                        false => sent_back(value, k, &cotangent, &writer).unwrap_or(pulled),
                    }
                }
            };
            let sum = match cotangents.remove(&input.id()) {
                Some(before) => before.plus(&pulled),
                None => pulled,
            };
            cotangents.insert(input.id(), sum);
        }
    }
    None
}

/// The cotangent of the last value as an expression.
fn written(cotangent: &Network, of: &Val, wrt: &Val, writer: &Writer<'_>) -> Option<Expr> {
    let is_scalar = cotangent.inputs().is_empty();
    let network = if is_scalar { cotangent.clone() } else { cotangent.transpose() };
    let dims: Vec<_> = if is_scalar { wrt.dims().to_vec() } else { [of.dims(), wrt.dims()].concat() };
    // All of it cancels.
    if network.is_zero() {
        return Some(zeros(&dims));
    }
    let expr = terms::whole(network.terms(), &Label::for_dims(&dims), &dims, writer)?;
    (expr.parts() <= MOST_PARTS).then_some(expr)
}

/// Is there no relation between labels in a network, and no map that is applied and not written out?
fn has_words(network: &Network) -> bool {
    let has_none = |factor: &Factor| match factor {
        Factor::Relation(_) => true,
        Factor::Operator(operator) => {
            matches!(operator.map, Map::Local { .. } | Map::RunningSum | Map::Recurrence(_))
        }
        Factor::Dense(..) => false,
    };
    !network.terms().iter().any(|term| term.factors.iter().any(has_none))
}

/// What an operation sends back that has an adjoint of its own ([`pullback_ops::Op::adjoint`]): as a network it is a relation between
/// labels, or a map that only the operation knows, for which the language has no other words. A reshape that is no more than another place for axes of size 1 has them.
fn sent_back(value: &Val, k: usize, cotangent: &Network, writer: &Writer<'_>) -> Option<Network> {
    let (Origin::Call(_, inputs), true) = (value.origin(), cotangent.inputs().is_empty()) else {
        return None;
    };
    let input = &inputs[k];
    const COTANGENT: &str = "the_cotangent";
    let names: Vec<String> = (0..inputs.len()).map(|k| format!("operand_{k}")).collect();
    let adjoint = value.adjoint(k, COTANGENT, &names)?;
    let slots = Label::for_dims(value.dims());
    let whole = terms::whole(cotangent.terms(), &slots, value.dims(), writer)?;
    let mut given = HashMap::from([(COTANGENT.to_owned(), whole)]);
    for (name, input) in names.into_iter().zip(inputs) {
        if let Some(written) = writer.written(input) {
            given.insert(name, written);
        }
    }
    let back = make::substituted(&parse_expr(&adjoint).ok()?.expr, &given);
    symbol(input, &whole_node(input, back), writer)
}

/// An expression with the axes of a value.
fn whole_node(value: &Val, expr: Expr) -> Node {
    Node::new(Expr::new(Span::default(), expr.kind), Label::for_dims(value.dims()))
}

fn symbol(value: &Val, node: &Node, writer: &Writer<'_>) -> Option<Network> {
    stand_in(value, &Coef::one(), node, &node.axes, None, writer)
}

/// A cotangent that is a number times one symbol for an expression: `slots` are the labels of the axes of the value, of which the
/// expression has some. `None` where the expression is too long: what is built upon it may hold it twice, and so on at each step.
fn stand_in(
    value: &Val,
    coef: &Coef,
    node: &Node,
    slots: &[Label],
    products: Option<Vec<Monomial>>,
    writer: &Writer<'_>,
) -> Option<Network> {
    if node.expr.parts() > MOST_PARTS {
        return None;
    }
    let dims: Vec<_> = node.axes.iter().map(|label| label.dim()).collect();
    let symbol = Val::symbol("cotangent", &dims, value.dtype());
    writer.call(&symbol, node.expr.clone());
    if let Some(products) = products {
        writer.know(&symbol, node.axes.clone(), products, true);
    }
    let labels = Label::for_dims(value.dims());
    let called = |axis: &Label| {
        let place = slots.iter().position(|slot| slot == axis);
        place.map_or_else(|| Label::new(axis.dim()), |at| labels[at])
    };
    let factor = Factor::Dense(symbol, node.axes.iter().map(called).collect());
    Some(Network::zero(value.dims(), &[]).plus_term(coef.clone(), &labels, &[], [factor]))
}
