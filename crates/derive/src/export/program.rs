//! Which values a backward pass computes, saves and returns.

use std::collections::{HashMap, HashSet};
use std::fmt;

use pullback_array::DType;
use pullback_autograd::{ancestors, loop_of};
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{Expr, ExprKind, Span, make, parse_expr, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Origin, Val};

use super::loops::Loops;
use super::statement::{Loop, Statement};
use crate::code::{Known, Source, Writer};
use crate::pass::{Stage, backward_through, by_names, called};

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
    /// What is known of the program's names.
    pub known: &'a Known,
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
    /// The statements of the forward pass.
    pub forward: Vec<Statement>,
    /// Those of the backward pass, without any whose result nothing needs.
    pub backward: Vec<Statement>,
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
        let mut loops = Loops::new(asked);
        loops.find(output, &asked.known.loss_of(output), wrt);
        let through = match loops.is_empty() {
            true => None,
            false => backward_through(output, wrt, asked.known, &|value, k| loops.sent(value, k)).ok(),
        };
        let wanted = wrt.iter().map(|value| value.symbol()).collect();
        let backward = without_dead(output, through.as_deref().unwrap_or(stages), &wanted, &mut loops)?;
        let given = asked.inputs.iter().map(|input| input.id()).collect();
        let (forward, _) = definitions(&[output], &given, &mut loops)?;
        // Of the steps of a loop is kept what somebody reads.
        let mut read: HashSet<String> = used(&forward).into_iter().chain(used(&backward)).collect();
        read.insert(output.symbol());
        let keeping = |statement| match statement {
            Statement::Repeat(of) => Statement::Repeat(of.keeping(&read)),
            other => other,
        };
        let forward: Vec<Statement> = forward.into_iter().map(keeping).collect();
        let values = ancestors(&[output]);
        let mut named: HashMap<String, &Val> =
            values.iter().filter(|value| is_named(value)).map(|value| (value.symbol(), value)).collect();
        named.extend(asked.inputs.iter().map(|input| (input.symbol(), *input)));
        let types = std::mem::take(&mut loops.types);
        for statement in &forward {
            if let Statement::Repeat(of) = statement {
                let kept = of.starts.iter().filter_map(|(_, all)| Some((all.clone(), types.get(all)?)));
                named.extend(kept);
            }
        }
        let in_backward = used(&backward);
        let in_forward = used(&forward);
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
            scope: with_cotangents(asked.scope, &backward, types.clone()),
            forward,
            backward,
            bytes,
            dtype: output.dtype(),
        })
    }

    /// The backward pass in the language. What a loop of the program keeps of its steps, another one keeps.
    pub(super) fn as_statements(&self) -> String {
        let again = |of: &Loop| {
            let mut others = HashMap::new();
            for (name, _) in &of.carries {
                let mut other = name.clone();
                while evaluate(&make::name(Span::default(), &other), &self.scope).is_ok() {
                    other.push('_');
                }
                others.insert(name.clone(), make::name(Span::default(), &other));
            }
            let starts: Vec<Expr> = of.carries.iter().map(|(_, start)| start.clone()).collect();
            let of = Loop { rows: Vec::new(), ..of.clone() };
            let mut of = of.changed(&mut |expr| make::substituted(expr, &others));
            of.carries.iter_mut().zip(starts).for_each(|((_, own), start)| *own = start);
            of
        };
        let mut text = String::new();
        for statement in &self.forward {
            if let Statement::Repeat(of) = statement
                && !of.starts.is_empty()
            {
                text += &format!("{}\n", again(of).as_scan(""));
            }
        }
        for statement in &self.backward {
            text += &match statement {
                Statement::Define(left, right) => format!("{} = {}\n", print(&left[0]), print(right)),
                Statement::Repeat(of) => format!("{}\n", of.as_scan("")),
            };
        }
        text
    }

    /// The names that the forward pass binds.
    pub(super) fn computed(&self) -> impl Iterator<Item = &str> {
        fn bound<'a>(statement: &'a Statement, names: &mut Vec<&'a str>) {
            match statement {
                Statement::Define(left, _) => names.extend(left.iter().filter_map(|left| match &left.kind {
                    ExprKind::Name(name) => Some(name.as_str()),
                    _ => None,
                })),
                Statement::Repeat(of) => {
                    names.extend(of.carries.iter().map(|(name, _)| name.as_str()));
                    names.extend(of.starts.iter().map(|(_, all)| all.as_str()));
                    names.extend(of.rows.iter().map(|row| row.all.as_str()));
                    of.body.iter().for_each(|statement| bound(statement, names));
                }
            }
        }
        let mut names = Vec::new();
        self.forward.iter().for_each(|statement| bound(statement, &mut names));
        names.into_iter()
    }

    /// The value of a part of a statement, of which language it is told: its axes and its dtype are that of the code.
    pub(super) fn value(&self, expr: &Expr) -> Result<Val, NotExported> {
        evaluate(&by_names(expr), &self.scope).map_err(|_| NotExported::Inexpressible(print(expr)))
    }
}

pub(super) fn is_named(value: &Val) -> bool {
    value.name().is_some_and(|name| name.is_identifier())
}

/// What the values are that have names, up to some ends and from what is given; and these values.
pub(super) fn definitions(
    ends: &[&Val],
    given: &HashSet<u64>,
    loops: &mut Loops<'_>,
) -> Result<(Vec<Statement>, Vec<Val>), NotExported> {
    let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
    let writer = Writer::new(&source);
    let (mut statements, mut defined) = (Vec::new(), Vec::new());
    let mut seen: HashSet<u64> = HashSet::new();
    for value in ancestors(ends).iter().filter(|value| is_named(value)) {
        if given.contains(&value.id()) || value.as_number().is_some() || !seen.insert(value.order()) {
            continue;
        }
        let siblings = value.outputs();
        defined.extend(siblings.iter().filter(|value| is_named(value)).cloned());
        if loop_of(value).is_some() {
            statements.push(Statement::Repeat(loops.forward(value)?));
            continue;
        }
        let expr = match value.origin() {
            Origin::Call(..) if siblings.len() > 1 => together(value, &writer),
            Origin::Call(..) => writer.definition(value),
            Origin::Leaf | Origin::Number(_) => loops.constant(&value.symbol()),
        };
        let expr = expr.ok_or_else(|| NotExported::Inexpressible(value.symbol()))?;
        let expr = with_numbers(&expr, loops.scope());
        let name = |value: &Val| value.name().map_or("_".to_owned(), |name| name.as_str().to_owned());
        let left = siblings.iter().map(|value| make::name(Span::default(), &name(value)));
        statements.push(Statement::Define(left.collect(), expr));
    }
    Ok((statements, defined))
}

/// The statements of a backward pass that the gradients by some names need, with a loop before the first that reads what it gives.
pub(super) fn without_dead(
    output: &Val,
    stages: &[Stage],
    wrt: &HashSet<String>,
    loops: &mut Loops<'_>,
) -> Result<Vec<Statement>, NotExported> {
    let mut needed: HashSet<String> = HashSet::new();
    let mut backward = Vec::new();
    let mut behind: Vec<u64> = Vec::new();
    for stage in stages.iter().rev() {
        let is_gradient = matches!(stage.left.kind, ExprKind::ClaimRef { .. }) && wrt.contains(&stage.of);
        if !is_gradient && !needed.contains(&called(&stage.left)) {
            continue;
        }
        let code = stage.code.as_ref().ok_or_else(|| NotExported::Inexpressible(stage.name()))?;
        let statement = Statement::Define(vec![stage.left.clone()], with_numbers(code, loops.scope()));
        statement.needs(&mut needed);
        let found: Vec<_> = needed.iter().filter_map(|name| loops.behind(output, name)).collect();
        for (order, cotangents) in found {
            if !behind.contains(&order) {
                behind.push(order);
                cotangents.iter().for_each(|cotangent| {
                    needed.insert(called(cotangent));
                });
            }
        }
        backward.push(statement);
    }
    backward.reverse();
    behind.sort_unstable();
    for order in behind.into_iter().rev() {
        let repeated = loops.backward(order, &needed)?;
        let made = Statement::Repeat(repeated);
        let reads = |statement: &Statement| {
            let mut read = HashSet::new();
            statement.needs(&mut read);
            made.binds().iter().any(|name| read.contains(name))
        };
        let place = backward.iter().position(reads).unwrap_or(backward.len());
        backward.insert(place, made);
    }
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

/// The names in some statements, in the order in which they come.
fn used(statements: &[Statement]) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    for expr in statements.iter().flat_map(Statement::exprs) {
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
fn with_cotangents(scope: &Scope, backward: &[Statement], types: HashMap<String, Val>) -> Scope {
    let mut scope = scope.clone();
    for (name, value) in types {
        scope.define(&name, value);
    }
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
    for statement in backward {
        for expr in statement.exprs() {
            expr.walk(&mut |part| define(part, &mut scope));
        }
        let Statement::Define(left, code) = statement else { continue };
        for left in left {
            define(left, &mut scope);
            if let ExprKind::Name(piece) = &left.kind
                && let Ok(value) = evaluate(&by_names(code), &scope)
            {
                scope.define(piece, value);
            }
        }
    }
    scope
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
