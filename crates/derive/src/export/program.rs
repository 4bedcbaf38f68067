//! Which values a backward pass computes, saves and returns.

use std::collections::{HashMap, HashSet};

use pullback_lang::{Expr, ExprKind, parse_expr, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Origin, Val};

use crate::code::{Source, Writer};
use crate::pass::Stage;

/// Why something is not written as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotExported {
    /// What has no expression.
    pub what: String,
}

/// A program and its backward pass, statement by statement.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The name of the output, and whether it is a scalar.
    pub output: (String, bool),
    /// The names of what the program is given.
    pub inputs: Vec<String>,
    /// The names of what gradients are returned of.
    pub wrt: Vec<String>,
    /// The statements of the forward pass: names, and what they are.
    pub forward: Vec<(Vec<String>, Expr)>,
    /// Those of the backward pass.
    pub backward: Vec<(Expr, Expr)>,
    /// Sizes that the backward pass needs.
    pub sizes: Vec<Size>,
    /// The same for the forward pass.
    pub forward_sizes: Vec<Size>,
    /// Values that the backward pass needs.
    pub saved: Vec<String>,
    /// How many bytes these are.
    pub bytes: usize,
}

/// A size that has a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// The name.
    pub name: String,
    /// An input that has an axis of this size, and which, where there is one.
    pub of_input: Option<(String, usize)>,
    /// What it is in this program.
    pub size: usize,
}

impl Exported {
    pub(super) fn new(
        output: &Val,
        inputs: &[&Val],
        wrt: &[&Val],
        stages: &[Stage],
    ) -> Result<Exported, NotExported> {
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let values = computed(output);
        let mut forward: Vec<(Vec<String>, Expr)> = Vec::new();
        let mut seen: HashSet<u64> = HashSet::new();
        let is_named = |value: &Val| value.name().is_some_and(|name| name.is_identifier());
        for value in values.iter().filter(|value| is_named(value) || value.id() == output.id()) {
            if value.inputs().is_empty() || !seen.insert(value.order()) {
                continue;
            }
            let siblings = value.outputs();
            let expr = if siblings.len() > 1 { together(value, &writer) } else { writer.definition(value) };
            let expr = expr.ok_or_else(|| NotExported { what: value.symbol() })?;
            let name = |value: &Val| value.name().map_or("_".to_owned(), |name| name.as_str().to_owned());
            forward.push((siblings.iter().map(name).collect(), expr));
        }
        let mut backward = Vec::new();
        for stage in stages {
            let code = stage.code.clone().ok_or_else(|| NotExported { what: stage.name() })?;
            backward.push((stage.left.clone(), code));
        }
        let named: HashMap<String, &Val> =
            values.iter().filter(|value| is_named(value)).map(|value| (value.symbol(), value)).collect();
        let used = |exprs: &mut dyn Iterator<Item = &Expr>| {
            let mut used: Vec<String> = Vec::new();
            for expr in exprs {
                expr.walk(&mut |part| {
                    if let ExprKind::Name(name) = &part.kind
                        && !used.contains(name)
                    {
                        used.push(name.clone());
                    }
                });
            }
            used
        };
        let mut named = named;
        named.extend(inputs.iter().map(|input| (input.symbol(), *input)));
        let in_backward = used(&mut backward.iter().map(|(_, code)| code));
        let in_forward = used(&mut forward.iter().map(|(_, expr)| expr));
        // An input that is neither computed with nor differentiated by is none of the two functions'.
        let is_wrt = |input: &Val| wrt.iter().any(|value| value.id() == input.id());
        let is_read = |input: &&&Val| {
            let name = input.symbol();
            is_wrt(input) || in_forward.contains(&name) || in_backward.contains(&name)
        };
        let inputs: Vec<&Val> = inputs.iter().filter(is_read).copied().collect();
        let size = |name: &String| -> Option<Size> {
            if named.get(name).is_some_and(|value| value.as_number().is_none()) {
                return None;
            }
            let has = |dim: &Dim| dim.name().is_some_and(|own| own.as_str() == name);
            let of_input =
                inputs.iter().find_map(|input| Some((input.symbol(), input.dims().iter().position(has)?)));
            let dim = values.iter().flat_map(|value| value.dims()).find(|dim| has(dim))?;
            Some(Size { name: name.clone(), of_input, size: dim.size() })
        };
        let saved: Vec<&Val> = in_backward
            .iter()
            .filter_map(|name| named.get(name).copied())
            .filter(|value| value.as_number().is_none())
            .collect();
        let bytes =
            saved.iter().map(|value| value.shape().iter().product::<usize>() * value.dtype().size_of()).sum();
        Ok(Exported {
            output: (output.symbol(), output.ndim() == 0),
            inputs: inputs.iter().map(|input| input.symbol()).collect(),
            wrt: wrt.iter().map(|value| value.symbol()).collect(),
            sizes: in_backward.iter().filter_map(size).collect(),
            forward_sizes: in_forward.iter().filter_map(size).collect(),
            saved: saved.iter().map(|value| value.symbol()).collect(),
            forward,
            backward,
            bytes,
        })
    }
}

/// The values that one is computed from, itself too, first those that come first.
fn computed(output: &Val) -> Vec<Val> {
    let mut seen = HashSet::new();
    let (mut pending, mut all) = (vec![output.clone()], Vec::new());
    while let Some(value) = pending.pop() {
        if seen.insert(value.id()) {
            pending.extend(value.inputs().iter().cloned());
            all.push(value);
        }
    }
    all.sort_by_key(Val::order);
    all
}

/// The call that gives several results.
fn together(value: &Val, writer: &Writer<'_>) -> Option<Expr> {
    let Origin::Call(op, inputs) = value.origin() else { return None };
    let operands: Vec<String> = inputs
        .iter()
        .map(|input| Some(format!("({})", print(&writer.written(input)?))))
        .collect::<Option<_>>()?;
    Some(parse_expr(&op.written(&operands)).ok()?.expr)
}
