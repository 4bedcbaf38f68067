//! The way back through a loop, as one writes it: a recurrence from the last step to the first.
//!
//! A loop is one operation of the graph, whose Jacobian only the loop knows. On paper its body is unrolled: with the number of a step, t,
//! as an index, what the carries become is a line, `h[t] = tanh(X[t] @ U + h[t-1] @ W)`, and so is each adjoint, `dL/dh[t-1]`, by those of
//! the step after it. Where the pass begins, at the last step, and where it ends, in the first, are lines of their own; what all steps
//! read, W, is called `W(t)` where a step reads it, and its gradient is the sum over steps.
//!
//! Nothing here states a derivative. One step, and two that follow one another, are programs of their own, over the numbers that the loop
//! has there; their backward passes are those of any program ([`backward`]), and are held against the derivative as all are. Then the
//! recurrence is run, from the last step to the first, by the very expressions that are shown, and has to come to the gradient that
//! reverse mode computes of the loop as a whole. A loop for which one of these fails is left as the operation that it is.
//!
//! What is not here: loops in loops, which have code (`--code`), and no lines.

use std::collections::{HashMap, HashSet};

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::{Body, ancestors, between, loop_of, pullback};
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{Expr, ExprKind, Span, make, print};
use pullback_network::{Dim, Value as _};
use pullback_ops::{AxisIndex, Origin, Val};

use super::line::{Entry, Left, Line, Mapped, Right, Slope};
use super::truth::{is_same, untrue_among};
use super::{Stage, backward, backward_through, by_names, called};
use crate::code::{Known, Source, Writer, zeros};

const AT: Span = Span { start: 0, end: 0 };

/// Larger loops are shown, and not run.
const MOST_STEPS: usize = 64;

/// The stages of a backward pass with the steps of its loops, and the axes of the names that these bring.
pub fn through_loops(
    stages: Vec<Stage>,
    output: &Val,
    wrt: &[&Val],
    known: &Known,
    scope: &Scope,
) -> (Vec<Stage>, HashMap<String, Vec<Dim>>) {
    let path = between(&[output], wrt, &[]);
    let mut results: Vec<Vec<Val>> = Vec::new();
    for value in path.iter().filter(|value| loop_of(value).is_some()) {
        match results.iter_mut().find(|found| found[0].order() == value.order()) {
            Some(found) => found.push(value.clone()),
            None => results.push(vec![value.clone()]),
        }
    }
    let on_path: HashSet<u64> = path.iter().map(|value| value.id()).collect();
    let loss = known.loss_of(output);
    let mut loops: Vec<Steps> = Vec::new();
    for results in &results {
        let unrolled = Unrolled { results, loss: &loss, output, scope, on_path: &on_path };
        if let Some(steps) = unrolled.steps() {
            loops.push(steps);
        }
    }
    if loops.is_empty() {
        return (stages, HashMap::new());
    }
    let sent = |value: &Val, input: usize| -> Option<Option<Expr>> {
        let found = loops.iter().find(|found| found.order == value.order())?;
        Some(if found.first == value.id() {
            found.sent[input].as_ref().map(|sent| sent.expr.clone())
        } else {
            None
        })
    };
    let through = backward_through(output, wrt, known, &sent).unwrap_or_default();
    let mut all: Vec<Stage> = Vec::new();
    for mut stage in stages {
        let code = through.iter().find(|other| other.of == stage.of).and_then(|other| other.code.clone());
        let Some(code) = code.filter(|_| stage.code.is_none()) else {
            all.push(stage);
            continue;
        };
        for found in &mut loops {
            if found.sent.iter().flatten().any(|sent| is_in(&code, &sent.expr)) {
                all.append(&mut found.stages);
            }
        }
        // What its loops send is said by their steps, and all else by the lines that are there.
        if stage.lines.iter().all(|line| matches!(line.left, Left::Entry(..)) && has_slope(line)) {
            stage.lines.clear();
        }
        let why = match stage.lines.is_empty() {
            true => reason(&code, &loops),
            false => format!("as a whole: {}", reason(&code, &loops)),
        };
        stage.says = "what comes back out of the steps of the loop".to_owned();
        stage.operations.clear();
        let left = Left::Whole(stage.left.clone());
        stage.lines.push(Line { left, right: Right::Whole(code), why });
        all.push(stage);
    }
    (all, loops.into_iter().flat_map(|found| found.dims).collect())
}

/// What is said of a gradient that comes out of loops.
fn reason(code: &Expr, loops: &[Steps]) -> String {
    let sent: Vec<&Sent> = loops.iter().flat_map(|found| found.sent.iter().flatten()).collect();
    let is_there = |role: Role| sent.iter().any(|sent| sent.role == role && is_in(code, &sent.expr));
    let said = [
        (Role::Start, "the loop starts from it"),
        (Role::Shared, "each step reads it, and their shares add up"),
        (Role::Row, "each step reads a row, whose gradient comes back in its place"),
    ];
    let said: Vec<&str> =
        said.into_iter().filter(|(role, _)| is_there(*role)).map(|(_, text)| text).collect();
    said.join("; ")
}

/// What an input of a loop is to its steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// What the first step starts from.
    Start,
    /// What a step reads a row of.
    Row,
    /// What all steps read.
    Shared,
}

/// What an input of a loop gets of its steps.
struct Sent {
    expr: Expr,
    role: Role,
}

fn is_in(expr: &Expr, part: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |other| found |= other == part);
    found
}

fn has_slope(line: &Line) -> bool {
    let Right::Products(products) = &line.right else { return false };
    products.iter().flat_map(|product| &product.factors).any(|factor| matches!(factor, Entry::Slope(_)))
}

/// A loop, unrolled.
struct Steps {
    order: u64,
    /// The result that what is sent back is told of.
    first: u64,
    /// What each input gets, by name.
    sent: Vec<Option<Sent>>,
    stages: Vec<Stage>,
    dims: Vec<(String, Vec<Dim>)>,
}

/// What a loop is unrolled from.
struct Unrolled<'a> {
    /// Its results that the output is computed from.
    results: &'a [Val],
    loss: &'a str,
    output: &'a Val,
    scope: &'a Scope,
    on_path: &'a HashSet<u64>,
}

/// Values that a step, or two of them, are made of.
#[derive(Clone, Default)]
struct Made {
    /// By the names that they have here, in the order in which they are made.
    values: Vec<(String, Val)>,
    /// What these names are shown as.
    shown: HashMap<String, Shown>,
    /// How those that are computed are.
    defined: Vec<(String, Expr)>,
    /// Those whose cotangents are given.
    given: Vec<String>,
    /// What carries start from.
    starts: Vec<String>,
    /// Copies that stand for results of the loop, each with that result.
    results: Vec<(String, Val)>,
}

/// What a value is shown as.
#[derive(Clone)]
enum Shown {
    /// By its name: `h`.
    Plain(String),
    /// What it is in a step: `h[t]`.
    InStep(String, When),
    /// By its name, and its cotangent as that of what one step reads: `W`, and `W(t)`.
    Read(String, When),
    /// The number of a step.
    Number(When),
}

/// Which step is meant, of those that are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    Before,
    Earlier,
}

impl When {
    /// What a name ends with here, so that values of two steps have two names.
    fn suffix(self) -> &'static str {
        match self {
            When::Now => "_in_this_step",
            When::Before => "_in_the_step_before",
            When::Earlier => "_earlier",
        }
    }

    /// The step before it.
    fn before(self) -> When {
        match self {
            When::Now => When::Before,
            _ => When::Earlier,
        }
    }
}

impl Made {
    fn add(&mut self, name: &str, value: Val, shown: Shown, scope: &mut Scope) -> Val {
        let value = value.named(name);
        scope.define(name, value.clone());
        self.values.push((name.to_owned(), value.clone()));
        self.shown.insert(name.to_owned(), shown);
        value
    }

    fn find(&self, name: &str) -> Option<&Val> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

/// The number of a step and of those before it, as they are shown.
struct Numbers {
    now: String,
    before: String,
    earlier: String,
}

impl Numbers {
    fn of(&self, when: When) -> &str {
        match when {
            When::Now => &self.now,
            When::Before => &self.before,
            When::Earlier => &self.earlier,
        }
    }
}

impl Unrolled<'_> {
    fn steps(&self) -> Option<Steps> {
        let graph = loop_of(&self.results[0])?;
        let (body, count) = (graph.body, graph.steps.size());
        let is_named = |value: &Val| value.name().is_some_and(|name| name.is_identifier());
        let has_integers = body.next.iter().any(|next| !next.dtype().is_float());
        if graph.reversed || count == 0 || has_integers || !self.results.iter().all(is_named) {
            return None;
        }
        let less = |number: usize| match graph.steps.name() {
            Some(name) => format!("{}-{number}", name.as_str()),
            None => format!("{}", count as i64 - number as i64),
        };
        let index = body.step.symbol();
        let generic =
            Numbers { now: index.clone(), before: format!("{index}-1"), earlier: format!("{index}-2") };
        let ends = Numbers { now: less(1), before: less(2), earlier: less(3) };
        let first = Numbers { now: "0".to_owned(), before: "-1".to_owned(), earlier: "-2".to_owned() };
        let last = &ends.now;

        // The numbers that each step starts from.
        let mut starts: Vec<Vec<Array>> = Vec::new();
        let inputs = self.results[0].inputs();
        let mut carries: Vec<Array> = inputs[..body.carries.len()]
            .iter()
            .map(|input| input.array().ok().cloned())
            .collect::<Option<_>>()?;
        for number in 0..count.min(MOST_STEPS) {
            starts.push(carries.clone());
            let (mut scope, mut made) = (self.scope.clone(), Made::default());
            let leaves = self.leaves(body, number, &carries, When::Now, &mut made, &mut scope)?;
            let next = self.step(body, &leaves, When::Now, &mut made, &mut scope)?;
            carries =
                next.iter().map(|name| made.find(name)?.array().ok().cloned()).collect::<Option<_>>()?;
        }

        let one = self.one(body, 0, &starts[0])?;
        let two = self.two(body, 0, &starts[0])?;
        let end = self.end(body, 0, &starts[0])?;
        let is_next = |stage: &&Stage| one.next.contains(&stage.of);
        let is_start = |stage: &&Stage| one.made.starts.contains(&stage.of);
        let begins: Vec<&Stage> = end.stages.iter().filter(|stage| end.next.contains(&stage.of)).collect();
        let goes_on: Vec<&Stage> = two.stages.iter().filter(|stage| two.next.contains(&stage.of)).collect();
        let within: Vec<&Stage> =
            one.stages.iter().filter(|stage| !is_next(stage) && !is_start(stage)).collect();
        let ends_in: Vec<&Stage> = one.stages.iter().filter(is_start).collect();

        // All of it, run, is the gradient.
        if count <= MOST_STEPS && !self.is_the_gradient(body, &starts, &[&end, &two, &one])? {
            return None;
        }

        let mut all = Vec::new();
        let mut dims: Vec<(String, Vec<Dim>)> = Vec::new();
        let mut rule = format!("step {index} of the loop computes this, from {index} = 0 to {last}");
        for (name, expr) in &one.made.defined {
            let value = one.made.find(name)?;
            let left = renamed(&make::name(AT, name), &one.made, &generic);
            all.push(Stage {
                of: of_reference(&left),
                left,
                dims: value.dims().to_vec(),
                code: Some(renamed(expr, &one.made, &generic)),
                says: std::mem::replace(&mut rule, format!("step {index} of the loop")),
                operations: Vec::new(),
                lines: Vec::new(),
            });
        }
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let symbols = body.carries.iter().chain(&body.stacked).enumerate();
        let starts_from: Vec<String> = symbols
            .filter_map(|(k, symbol)| {
                let written = print(&writer.written(&inputs[k])?);
                match k < body.carries.len() {
                    true => Some(format!("{}[-1] is {written}", symbol.symbol())),
                    false if is_named(&inputs[k]) => None,
                    false => Some(format!("{}[{index}] is row {index} of {written}", symbol.symbol())),
                }
            })
            .collect();
        if let Some(stage) = all.last_mut().filter(|_| !starts_from.is_empty()) {
            stage.says += &format!("; {}", starts_from.join(", "));
        }
        let mut push = |stages: &[&Stage], of: &Part, numbers: &Numbers, says: &str, all: &mut Vec<Stage>| {
            for stage in stages {
                let mut stage = renamed_stage(stage, &of.made, numbers);
                stage.says = says.to_owned();
                // A result may have the name of what it is.
                stage.lines.retain(|line| !is_the_same(line));
                all.push(stage);
            }
            for (name, value) in &of.made.values {
                let shown = renamed(&make::name(AT, name), &of.made, numbers);
                dims.push((of_reference(&shown), value.dims().to_vec()));
                if let Some(Shown::Read(..)) = of.made.shown.get(name) {
                    let own = renamed(&make::reference(AT, self.loss, name), &of.made, numbers);
                    dims.push((of_reference(&own), value.dims().to_vec()));
                }
            }
        };
        push(&begins, &end, &ends, "the last step, where the pass begins", &mut all);
        // What only the step after it reads gets nothing from the last one.
        for name in end.next.iter().filter(|name| begins.iter().all(|stage| stage.of != **name)) {
            let left = renamed(&make::reference(AT, self.loss, name), &end.made, &ends);
            let zero = zeros(end.made.find(name)?.dims());
            all.push(Stage {
                of: of_reference(&left),
                lines: vec![Line {
                    left: Left::Whole(left.clone()),
                    right: Right::Whole(zero.clone()),
                    why: "nothing comes after it".to_owned(),
                }],
                left,
                dims: end.made.find(name)?.dims().to_vec(),
                code: Some(zero),
                says: "the last step, where the pass begins".to_owned(),
                operations: Vec::new(),
            });
        }
        let is_inner = |stage: &Stage| one.made.defined.iter().any(|(name, _)| *name == stage.of);
        let (inner, read): (Vec<&Stage>, Vec<&Stage>) = within.iter().partition(|stage| is_inner(stage));
        push(&inner, &one, &generic, &format!("in each step {index}"), &mut all);
        if count > 1 {
            let says = format!("back from step {index} to the one before, for {index} = {last}, …, 1");
            push(&goes_on, &two, &generic, &says, &mut all);
        }
        for stage in read {
            let says = match one.made.shown.get(&stage.of) {
                Some(Shown::Read(name, _)) => {
                    format!("in each step {index}, of {name} as that step reads it")
                }
                _ => format!("in each step {index}"),
            };
            push(&[stage], &one, &generic, &says, &mut all);
        }
        push(&ends_in, &one, &first, "the first step, where the pass ends", &mut all);

        let sent = self.sent(body);
        Some(Steps { order: self.results[0].order(), first: self.results[0].id(), sent, stages: all, dims })
    }

    /// Says what the results of the loop are that a stage speaks of: rows, and what is left after the last step.
    fn with_results(&self, stage: &mut Stage, body: &Body, made: &Made) {
        let mut said = Vec::new();
        for line in &stage.lines {
            let Left::Slope(slope) = &line.left else { continue };
            let Some((name, result)) = made.results.iter().find(|(name, _)| *name == slope.of.0) else {
                continue;
            };
            said.push(Line {
                left: Left::Whole(make::name(AT, name)),
                right: Right::Whole(make::name(AT, &slope.by.0)),
                why: match result.output() >= body.carries.len() {
                    true => format!("a row of {}", result.symbol()),
                    false => "what is left after the last step".to_owned(),
                },
            });
        }
        stage.lines.splice(0..0, said);
    }

    /// Is an input of the loop differentiated by, or computed from what is?
    fn is_needed(&self, input: usize) -> bool {
        self.on_path.contains(&self.results[0].inputs()[input].id())
    }

    /// What an input of a number is to the steps.
    fn role(body: &Body, input: usize) -> Role {
        let carries = body.carries.len();
        match input {
            _ if input < carries => Role::Start,
            _ if input < carries + body.stacked.len() => Role::Row,
            _ => Role::Shared,
        }
    }

    /// What each input gets, by name.
    fn sent(&self, body: &Body) -> Vec<Option<Sent>> {
        let index = body.step.symbol();
        let symbols = body.carries.iter().chain(&body.stacked).chain(&body.shared);
        let sent = symbols.enumerate().map(|(k, symbol)| {
            if !self.is_needed(k) {
                return None;
            }
            let shown = self.shown_of(body, k, symbol);
            let role = Unrolled::role(body, k);
            let expr = match role {
                Role::Start => make::reference(AT, self.loss, &format!("{}[-1]", symbol.symbol())),
                Role::Row => {
                    let rows = format!("stack_{index} d{}/d{shown}[{index}]", self.loss);
                    let is_named = self.results[0].inputs()[k].name().is_some();
                    make::name(AT, &if is_named { rows } else { format!("({rows})") })
                }
                Role::Shared => make::name(AT, &format!("Σ_{index} d{}/d{shown}({index})", self.loss)),
            };
            Some(Sent { expr, role })
        });
        sent.collect()
    }

    /// How an input is shown: rows by the value that they are of.
    fn shown_of(&self, body: &Body, input: usize, symbol: &Val) -> String {
        let is_row = Unrolled::role(body, input) == Role::Row;
        let outside = &self.results[0].inputs()[input];
        let of =
            if is_row && outside.name().is_some_and(|name| name.is_identifier()) { outside } else { symbol };
        of.symbol()
    }

    /// What a step reads, with numbers.
    fn leaves(
        &self,
        body: &Body,
        number: usize,
        carries: &[Array],
        when: When,
        made: &mut Made,
        scope: &mut Scope,
    ) -> Option<HashMap<String, Expr>> {
        let suffix = when.suffix();
        let mut leaves = HashMap::new();
        let inputs = self.results[0].inputs();
        for (k, symbol) in body.carries.iter().chain(&body.stacked).chain(&body.shared).enumerate() {
            let (array, shown) = match Unrolled::role(body, k) {
                Role::Start => (carries[k].clone(), Shown::InStep(symbol.symbol(), when.before())),
                Role::Row => (row(&inputs[k], number)?, Shown::InStep(self.shown_of(body, k, symbol), when)),
                Role::Shared => (inputs[k].array().ok()?.clone(), Shown::Read(symbol.symbol(), when)),
            };
            let is_start = Unrolled::role(body, k) == Role::Start;
            let name = match is_start {
                true => format!("{}_at_the_start{suffix}", symbol.symbol()),
                false => format!("{}{suffix}", symbol.symbol()),
            };
            let value = Val::with_dims(array, symbol.dims()).ok()?;
            made.add(&name, value, shown, scope);
            if is_start && when == When::Now {
                made.starts.push(name.clone());
            }
            leaves.insert(symbol.symbol(), make::name(AT, &name));
        }
        let name = format!("{}{suffix}", body.step.symbol());
        let number = Val::new(Array::scalar(number as f64, DType::I64).ok()?);
        made.add(&name, number, Shown::Number(when), scope);
        leaves.insert(body.step.symbol(), make::name(AT, &name));
        Some(leaves)
    }

    /// What a step computes; the names of what its carries become.
    fn step(
        &self,
        body: &Body,
        leaves: &HashMap<String, Expr>,
        when: When,
        made: &mut Made,
        scope: &mut Scope,
    ) -> Option<Vec<String>> {
        let suffix = when.suffix();
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let mut known = leaves.clone();
        let symbols: HashSet<u64> =
            body.carries.iter().chain(&body.stacked).chain(&body.shared).map(|symbol| symbol.id()).collect();
        let becomes = |value: &Val| {
            let place = body.next.iter().position(|next| next.id() == value.id())?;
            Some(body.carries[place].symbol())
        };
        let own =
            |value: &Val, scope: &Scope, known: &HashMap<String, Expr>, tree: &Expr| -> Option<(Val, Expr)> {
                let expr = make::substituted(tree, known);
                let made = evaluate(&expr, scope).ok()?;
                let made =
                    if made.name().is_some() || made.inputs().is_empty() { made.copy().ok()? } else { made };
                (made.shape() == value.shape()).then_some((made, expr))
            };
        for value in ancestors(&body.next.iter().collect::<Vec<_>>()) {
            if loop_of(&value).is_some() {
                return None;
            }
            let is_named = value.name().is_some_and(|name| name.is_identifier());
            if !is_named || symbols.contains(&value.id()) || !matches!(value.origin(), Origin::Call(..)) {
                continue;
            }
            let (result, expr) = own(&value, scope, &known, &writer.definition(&value)?)?;
            let name = format!("{}{suffix}", value.symbol());
            let shown = Shown::InStep(becomes(&value).unwrap_or_else(|| value.symbol()), when);
            made.add(&name, result, shown, scope);
            made.defined.push((name.clone(), expr));
            known.insert(value.symbol(), make::name(AT, &name));
        }
        let mut next: Vec<String> = Vec::new();
        for (carry, value) in body.carries.iter().zip(&body.next) {
            let is_own = value.name().is_some() && !symbols.contains(&value.id());
            let name = format!("{}{suffix}", value.symbol());
            if is_own && made.find(&name).is_some() && !next.contains(&name) {
                next.push(name);
                continue;
            }
            let (result, expr) = own(value, scope, &known, &writer.written(value)?)?;
            let name = format!("{}_next{suffix}", carry.symbol());
            made.add(&name, result, Shown::InStep(carry.symbol(), when), scope);
            made.defined.push((name.clone(), expr));
            next.push(name);
        }
        Some(next)
    }

    /// The shares of the results of the loop in which values that carries become stand: rows, and last values.
    fn shares(
        &self,
        body: &Body,
        next: &[String],
        is_last: bool,
        when: When,
        made: &mut Made,
        scope: &mut Scope,
    ) -> Option<Vec<Val>> {
        let mut shares = Vec::new();
        let mut draws = Generator::new(2);
        for result in self.results {
            let is_row = result.output() >= body.carries.len();
            let carry = match is_row {
                true => {
                    let row = &body.yields[result.output() - body.carries.len()];
                    body.next.iter().position(|next| next.id() == row.id())?
                }
                false => result.output(),
            };
            if !is_row && !is_last {
                continue;
            }
            let symbol = result.symbol();
            let name = format!("{symbol}_of_the_loop{}", when.suffix());
            let shown = if is_row { Shown::InStep(symbol, when) } else { Shown::Plain(symbol) };
            let copy = made.find(&next[carry])?.copy().ok()?;
            let copy = made.add(&name, copy, shown, scope);
            let given = Val::new(draws.randn(&copy.shape(), DType::F64).ok()?);
            shares.push((&given * &copy).ok()?.sum_all().ok()?);
            made.given.push(name.clone());
            made.results.push((name, result.clone()));
        }
        Some(shares)
    }

    /// One step: its backward pass by all that it reads.
    fn one(&self, body: &Body, number: usize, carries: &[Array]) -> Option<Part> {
        let (mut scope, mut made) = (self.scope.clone(), Made::default());
        let leaves = self.leaves(body, number, carries, When::Now, &mut made, &mut scope)?;
        let next = self.step(body, &leaves, When::Now, &mut made, &mut scope)?;
        let shares = given(&next, &mut made)?;
        let symbols = body.carries.iter().chain(&body.stacked).chain(&body.shared).enumerate();
        let wrt: Vec<String> = symbols
            .filter(|(k, symbol)| symbol.dtype().is_float() && self.is_needed(*k))
            .map(|(_, symbol)| print(&leaves[&symbol.symbol()]))
            .collect();
        self.part(body, shares, made, scope, &wrt, next)
    }

    /// The last step: what comes of the results of the loop to what its carries become there.
    fn end(&self, body: &Body, number: usize, carries: &[Array]) -> Option<Part> {
        let (mut scope, mut made) = (self.scope.clone(), Made::default());
        let leaves = self.leaves(body, number, carries, When::Now, &mut made, &mut scope)?;
        let next = self.step(body, &leaves, When::Now, &mut made, &mut scope)?;
        let shares = self.shares(body, &next, true, When::Now, &mut made, &mut scope)?;
        self.part(body, shares, made, scope, &next.clone(), next)
    }

    /// Two steps, and what comes back to the carries between them.
    fn two(&self, body: &Body, number: usize, carries: &[Array]) -> Option<Part> {
        let (mut scope, mut made) = (self.scope.clone(), Made::default());
        let leaves = self.leaves(body, number, carries, When::Before, &mut made, &mut scope)?;
        let between = self.step(body, &leaves, When::Before, &mut made, &mut scope)?;
        let arrays: Vec<Array> =
            between.iter().map(|name| made.find(name)?.array().ok().cloned()).collect::<Option<_>>()?;
        let steps = loop_of(&self.results[0])?.steps.size();
        let after = (number + 1).min(steps - 1);
        let mut later = self.leaves(body, after, &arrays, When::Now, &mut made, &mut scope)?;
        for (carry, name) in body.carries.iter().zip(&between) {
            later.insert(carry.symbol(), make::name(AT, name));
        }
        let next = self.step(body, &later, When::Now, &mut made, &mut scope)?;
        let mut shares = self.shares(body, &between, false, When::Before, &mut made, &mut scope)?;
        shares.extend(given(&next, &mut made)?);
        self.part(body, shares, made, scope, &between.clone(), between)
    }

    /// The backward pass of a sum of shares, of which every line is true.
    fn part(
        &self,
        body: &Body,
        shares: Vec<Val>,
        made: Made,
        scope: Scope,
        wrt: &[String],
        next: Vec<String>,
    ) -> Option<Part> {
        let mut shares = shares.into_iter();
        let first = shares.next()?;
        let total = shares.try_fold(first, |total, share| total.add(&share)).ok()?.named(self.loss);
        let values: Vec<&Val> = wrt.iter().map(|name| made.find(name)).collect::<Option<_>>()?;
        let mut stages = backward(&total, &values, &Known::new(&total, &[])).ok()?;
        stages.iter_mut().for_each(|stage| self.with_results(stage, body, &made));
        let mut named = made.values.clone();
        named.push((self.loss.to_owned(), total));
        let is_true = untrue_among(&stages, &named, &scope, self.loss).is_empty();
        // What is given is stated by no stage.
        let is_stated = |stage: &Stage| !made.given.contains(&stage.of);
        let stages: Vec<Stage> = stages.into_iter().filter(is_stated).collect();
        (is_true && stages.iter().all(|stage| stage.code.is_some())).then_some(Part { stages, made, next })
    }

    /// Does the recurrence, run from the last step to the first, come to what reverse mode sends back through the loop?
    fn is_the_gradient(&self, body: &Body, starts: &[Vec<Array>], parts: &[&Part; 3]) -> Option<bool> {
        let [end, two, one] = parts;
        let seed = match self.output.ndim() {
            0 => self.output.one(),
            _ => Val::new(Generator::new(1).randn(&self.output.shape(), DType::F64).ok()?),
        };
        let results: Vec<&Val> = self.results.iter().collect();
        let given = pullback(&[(self.output, &seed)], &results, &[]).ok()?;
        let given: Vec<Val> = given.into_iter().collect::<Option<_>>()?;
        let called = |name: &str| called(&make::reference(AT, self.loss, name));
        // What results get of the output: of rows that of one.
        let results_given = |number: usize, part: &Part, scope: &mut Scope| -> Option<()> {
            for (name, result) in &part.made.results {
                let given = &given[self.results.iter().position(|own| own.id() == result.id())?];
                let own = match result.output() < body.carries.len() {
                    true => given.clone(),
                    false => Val::new(row(given, number)?),
                };
                scope.define(&called(name), own);
            }
            Some(())
        };
        // The cotangents of what carries become, in the step after.
        let mut after: Vec<Val> = Vec::new();
        let count = body.carries.len() + body.stacked.len() + body.shared.len();
        let mut sums: Vec<Option<Val>> = vec![None; count];
        let mut rows: Vec<Vec<Val>> = vec![Vec::new(); count];
        for number in (0..starts.len()).rev() {
            let (mut scope, mut made) = (self.scope.clone(), Made::default());
            let part = if number + 1 == starts.len() {
                let leaves = self.leaves(body, number, &starts[number], When::Now, &mut made, &mut scope)?;
                self.step(body, &leaves, When::Now, &mut made, &mut scope)?;
                results_given(number, end, &mut scope)?;
                end
            } else {
                let leaves =
                    self.leaves(body, number, &starts[number], When::Before, &mut made, &mut scope)?;
                let between = self.step(body, &leaves, When::Before, &mut made, &mut scope)?;
                let mut later =
                    self.leaves(body, number + 1, &starts[number + 1], When::Now, &mut made, &mut scope)?;
                for (carry, name) in body.carries.iter().zip(&between) {
                    later.insert(carry.symbol(), make::name(AT, name));
                }
                let next = self.step(body, &later, When::Now, &mut made, &mut scope)?;
                results_given(number, two, &mut scope)?;
                next.iter().zip(&after).for_each(|(name, given)| scope.define(&called(name), given.clone()));
                two
            };
            run(part, &mut scope)?;
            after = part
                .next
                .iter()
                .map(|name| match scope_value(&called(name), &scope) {
                    Some(value) => Some(value),
                    None => zero_of(made.find(name)?),
                })
                .collect::<Option<_>>()?;
            let (mut scope, mut made) = (self.scope.clone(), Made::default());
            let leaves = self.leaves(body, number, &starts[number], When::Now, &mut made, &mut scope)?;
            let next = self.step(body, &leaves, When::Now, &mut made, &mut scope)?;
            next.iter().zip(&after).for_each(|(name, given)| scope.define(&called(name), given.clone()));
            run(one, &mut scope)?;
            let symbols = body.carries.iter().chain(&body.stacked).chain(&body.shared);
            for (k, symbol) in symbols.enumerate() {
                let Some(share) = scope_value(&called(&print(&leaves[&symbol.symbol()])), &scope) else {
                    continue;
                };
                if k < body.carries.len() {
                    sums[k] = Some(share);
                } else if k < body.carries.len() + body.stacked.len() {
                    rows[k].insert(0, share);
                } else {
                    sums[k] = Some(match sums[k].take() {
                        Some(sum) => sum.add(&share).ok()?,
                        None => share,
                    });
                }
            }
        }
        for (k, rows) in rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
            let one = Dim::new(1);
            let rows: Vec<Val> = rows
                .iter()
                .map(|row| row.reshape(&[&[one], row.dims()].concat()).ok())
                .collect::<Option<_>>()?;
            sums[k] = Some(Val::concat(&rows.iter().collect::<Vec<_>>(), 0).ok()?);
        }
        // Each input with all others held; one that comes in at several places gets what they get together.
        let inputs = self.results[0].inputs();
        let pairs: Vec<(&Val, &Val)> = self.results.iter().zip(&given).collect();
        for (k, input) in inputs.iter().enumerate().filter(|(k, _)| self.is_needed(*k)) {
            let held: Vec<&Val> = inputs.iter().filter(|other| other.id() != input.id()).collect();
            let expected = pullback(&pairs, &[input], &held).ok()?.remove(0);
            let places = (0..inputs.len()).filter(|at| inputs[*at].id() == input.id());
            let mut total: Option<Val> = None;
            for share in places.filter_map(|at| sums[at].clone()) {
                total = Some(match total {
                    Some(total) => total.add(&share).ok()?,
                    None => share,
                });
            }
            let Some(expected) = expected else { continue };
            let total = total.map_or_else(|| zero_of(&inputs[k]), Some)?;
            if !is_same(total.array().ok()?, expected.array().ok()?) {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// The backward pass of a step, or of two.
struct Part {
    stages: Vec<Stage>,
    made: Made,
    /// What carries become, of which it tells the cotangents.
    next: Vec<String>,
}

/// Values with cotangents that are given.
fn given(names: &[String], made: &mut Made) -> Option<Vec<Val>> {
    let mut draws = Generator::new(3);
    made.given.extend(names.iter().cloned());
    names
        .iter()
        .map(|name| {
            let value = made.find(name)?;
            let given = Val::new(draws.randn(&value.shape(), DType::F64).ok()?);
            (&given * value).ok()?.sum_all().ok()
        })
        .collect()
}

/// Runs the stages of a part, but for those whose cotangents are there.
fn run(part: &Part, scope: &mut Scope) -> Option<()> {
    for stage in &part.stages {
        let name = called(&stage.left);
        if scope_value(&name, scope).is_none() {
            let value = evaluate(&by_names(stage.code.as_ref()?), scope).ok()?;
            scope.define(&name, value);
        }
    }
    Some(())
}

/// Does a line say that something is what it is?
fn is_the_same(line: &Line) -> bool {
    matches!((&line.left, &line.right), (Left::Whole(left), Right::Whole(right)) if left == right)
}

fn scope_value(name: &str, scope: &Scope) -> Option<Val> {
    evaluate(&make::name(AT, name), scope).ok()
}

fn zero_of(value: &Val) -> Option<Val> {
    Some(Val::new(Array::zeros(&value.shape(), DType::F64).ok()?))
}

/// A row of a value.
fn row(of: &Val, number: usize) -> Option<Array> {
    let rows = Val::new(of.array().ok()?.clone());
    let at = std::iter::once(AxisIndex::At(number));
    let rest = rows.dims()[1..].iter().map(|&dim| AxisIndex::whole(dim));
    rows.index(&at.chain(rest).collect::<Vec<_>>()).ok()?.array().ok().cloned()
}

fn of_reference(reference: &Expr) -> String {
    match &reference.kind {
        ExprKind::ClaimRef { wrt, .. } => wrt.first().map_or_else(String::new, |name| name.text.clone()),
        ExprKind::Name(name) => name.clone(),
        _ => String::new(),
    }
}

/// How a value is shown, and its cotangent.
fn shown(name: &str, made: &Made, numbers: &Numbers, is_cotangent: bool) -> String {
    match made.shown.get(name) {
        None => name.to_owned(),
        Some(Shown::Plain(name)) => name.clone(),
        Some(Shown::InStep(name, when)) => format!("{name}[{}]", numbers.of(*when)),
        Some(Shown::Read(name, when)) if is_cotangent => format!("{name}({})", numbers.of(*when)),
        Some(Shown::Read(name, _)) => name.clone(),
        // By itself it needs no brackets where it is a name.
        Some(Shown::Number(when)) => match numbers.of(*when) {
            bare if bare.chars().all(char::is_alphanumeric) => bare.to_owned(),
            number => format!("({number})"),
        },
    }
}

/// An expression by the names that are shown.
fn renamed(expr: &Expr, made: &Made, numbers: &Numbers) -> Expr {
    match &expr.kind {
        ExprKind::Name(name) => make::name(expr.span, &shown(name, made, numbers, false)),
        ExprKind::ClaimRef { of, wrt } => {
            make::reference(expr.span, &of.text, &shown(&wrt[0].text, made, numbers, true))
        }
        _ => {
            let mut copy = expr.clone();
            for child in copy.children_mut() {
                *child = renamed(child, made, numbers);
            }
            copy
        }
    }
}

fn renamed_stage(stage: &Stage, made: &Made, numbers: &Numbers) -> Stage {
    let expr = |expr: &Expr| renamed(expr, made, numbers);
    let slope = |slope: &Slope| Slope {
        of: (shown(&slope.of.0, made, numbers, false), slope.of.1.clone()),
        by: (shown(&slope.by.0, made, numbers, true), slope.by.1.clone()),
    };
    let mapped = Mapped { expr: &expr, slope: &slope };
    let mut names: Vec<&String> = made.shown.keys().collect();
    names.sort_by_key(|name| usize::MAX - name.len());
    let said = |why: &str| {
        names.iter().fold(why.to_owned(), |why, name| why.replace(*name, &shown(name, made, numbers, false)))
    };
    let lines = stage.lines.iter().map(|line| Line { why: said(&line.why), ..mapped.line(line) });
    let left = expr(&stage.left);
    Stage {
        of: of_reference(&left),
        code: stage.code.as_ref().map(expr),
        lines: lines.collect(),
        left,
        ..stage.clone()
    }
}
