//! Which values a backward pass computes, saves and returns.

use std::collections::{HashMap, HashSet};
use std::fmt;

use pullback_array::DType;
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{Expr, ExprKind, make, parse_expr, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Origin, Val};

use crate::code::{Source, Writer};
use crate::pass::{Stage, by_names, called};

/// Why something is not written as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotExported {
    /// A value or a cotangent that has no expression.
    Inexpressible(String),
    /// A function, or a way to write one, that the language does not have.
    Missing(String),
    /// More inputs than an operation of the framework may have.
    TooManyInputs(usize),
}

impl NotExported {
    /// What may be done about it.
    pub fn hint(&self) -> &'static str {
        match self {
            NotExported::TooManyInputs(_) => {
                "without `--candle` there are the two functions, which take as many inputs as there are"
            }
            _ => "`--steps full` shows its derivative index by index",
        }
    }
}

impl fmt::Display for NotExported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotExported::Inexpressible(what) => {
                write!(f, "{what} has no expression that could be written as code")
            }
            NotExported::Missing(what) => write!(f, "{what} cannot be written in this language"),
            NotExported::TooManyInputs(count) => {
                write!(f, "an operation of candle has up to three inputs, and this program has {count}")
            }
        }
    }
}

/// What is asked of a program that is written as code.
#[derive(Clone, Copy)]
pub struct Exporting<'a> {
    /// What is computed.
    pub output: &'a Val,
    /// What the program is given, in order.
    pub inputs: &'a [&'a Val],
    /// Those whose gradients are returned.
    pub wrt: &'a [&'a Val],
    /// The backward pass.
    pub stages: &'a [Stage],
    /// What the names of the program are.
    pub scope: &'a Scope,
    /// How the program defines what it computes of no value: `eye(3)`.
    pub constant: &'a dyn Fn(&str) -> Option<Expr>,
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
    /// Those of the backward pass, without any whose result nothing needs.
    pub backward: Vec<(Expr, Expr)>,
    /// Sizes that the backward pass needs.
    pub sizes: Vec<Size>,
    /// The same for the forward pass.
    pub forward_sizes: Vec<Size>,
    /// Values that the backward pass needs.
    pub saved: Vec<String>,
    /// How many bytes these are.
    pub bytes: usize,
    /// The type of numbers that the program computes with.
    pub dtype: DType,
    /// What names, and cotangents by names, are.
    scope: Scope,
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
    pub(super) fn new(asked: &Exporting<'_>) -> Result<Exported, NotExported> {
        let Exporting { output, wrt, stages, .. } = *asked;
        let values = computed(output);
        let forward = forward(asked, &values)?;
        let wanted = wrt.iter().map(|value| value.symbol()).collect();
        let backward = without_dead(stages, wanted, asked.scope)?;
        let mut named: HashMap<String, &Val> =
            values.iter().filter(|value| is_named(value)).map(|value| (value.symbol(), value)).collect();
        named.extend(asked.inputs.iter().map(|input| (input.symbol(), *input)));
        let in_backward = used(&mut backward.iter().map(|(_, code)| code));
        let in_forward = used(&mut forward.iter().map(|(_, expr)| expr));
        // An input that is neither computed with nor differentiated by is none of the two functions'.
        let is_wrt = |input: &Val| wrt.iter().any(|value| value.id() == input.id());
        let is_read = |input: &&&Val| {
            let name = input.symbol();
            is_wrt(input) || in_forward.contains(&name) || in_backward.contains(&name)
        };
        let inputs: Vec<&Val> = asked.inputs.iter().filter(is_read).copied().collect();
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
            scope: with_cotangents(asked.scope, &backward),
            forward,
            backward,
            bytes,
            dtype: output.dtype(),
        })
    }

    /// The value of a part of a statement, of which language it is told: its axes and its dtype are that of the code.
    pub(super) fn value(&self, expr: &Expr) -> Result<Val, NotExported> {
        evaluate(&by_names(expr), &self.scope).map_err(|_| NotExported::Inexpressible(print(expr)))
    }
}

fn is_named(value: &Val) -> bool {
    value.name().is_some_and(|name| name.is_identifier())
}

/// The statements of the forward pass.
fn forward(asked: &Exporting<'_>, values: &[Val]) -> Result<Vec<(Vec<String>, Expr)>, NotExported> {
    let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
    let writer = Writer::new(&source);
    let mut forward = Vec::new();
    let mut seen: HashSet<u64> = HashSet::new();
    for value in values.iter().filter(|value| is_named(value) || value.id() == asked.output.id()) {
        let is_input = asked.inputs.iter().any(|input| input.id() == value.id());
        if is_input || value.as_number().is_some() || !seen.insert(value.order()) {
            continue;
        }
        let siblings = value.outputs();
        let expr = match value.origin() {
            Origin::Call(..) if siblings.len() > 1 => together(value, &writer),
            Origin::Call(..) => writer.definition(value),
            Origin::Leaf | Origin::Number(_) => (asked.constant)(&value.symbol()),
        };
        let expr = expr.ok_or_else(|| NotExported::Inexpressible(value.symbol()))?;
        let expr = with_numbers(&expr, asked.scope);
        let name = |value: &Val| value.name().map_or("_".to_owned(), |name| name.as_str().to_owned());
        forward.push((siblings.iter().map(name).collect(), expr));
    }
    Ok(forward)
}

/// The statements of the backward pass that the gradients by some names need.
fn without_dead(
    stages: &[Stage],
    wrt: HashSet<String>,
    scope: &Scope,
) -> Result<Vec<(Expr, Expr)>, NotExported> {
    let mut needed: HashSet<String> = HashSet::new();
    let mut backward = Vec::new();
    for stage in stages.iter().rev() {
        let is_gradient = matches!(stage.left.kind, ExprKind::ClaimRef { .. }) && wrt.contains(&stage.of);
        if !is_gradient && !needed.contains(&called(&stage.left)) {
            continue;
        }
        let code = stage.code.as_ref().ok_or_else(|| NotExported::Inexpressible(stage.name()))?;
        let code = with_numbers(code, scope);
        code.walk(&mut |part| {
            needed.insert(called(part));
        });
        backward.push((stage.left.clone(), code));
    }
    backward.reverse();
    Ok(backward)
}

/// An expression with numbers for the names of numbers that are the language's own: `inf`, `pi`.
fn with_numbers(expr: &Expr, scope: &Scope) -> Expr {
    if matches!(expr.kind, ExprKind::Name(_))
        && let Ok(value) = evaluate(expr, scope)
        && value.name().is_none()
        && let Some(number) = value.as_number()
    {
        return make::number(expr.span, number);
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = with_numbers(child, scope);
    }
    copy
}

/// The names in some expressions, in the order in which they come.
fn used(exprs: &mut dyn Iterator<Item = &Expr>) -> Vec<String> {
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
}

/// The names of a program, with a value for each cotangent and each piece.
fn with_cotangents(scope: &Scope, backward: &[(Expr, Expr)]) -> Scope {
    let mut scope = scope.clone();
    let define = |part: &Expr, scope: &mut Scope| {
        if let ExprKind::ClaimRef { wrt, .. } = &part.kind
            && let [of] = wrt.as_slice()
            && let Ok(value) = evaluate(&make::name(part.span, &of.text), scope)
        {
            let name = called(part);
            let symbol = Val::symbol(&name, value.dims(), value.dtype());
            scope.define(&name, symbol);
        }
    };
    for (left, code) in backward {
        code.walk(&mut |part| define(part, &mut scope));
        define(left, &mut scope);
        if let ExprKind::Name(piece) = &left.kind
            && let Ok(value) = evaluate(&by_names(code), &scope)
        {
            scope.define(piece, value);
        }
    }
    scope
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
