//! Loops as statements: the one of the program, and the one back through it.
//!
//! What a loop sends back is a loop: it runs from the last step to the first, carries the cotangents of the carries and the sums of those
//! of what all steps share, and collects those of the rows. Its body is the backward pass of the body, by the same steps as that of a
//! program: that of the scalar Σ ⟨h̄, h'⟩ over all that a step hands on. Each step starts from what the forward pass kept of it, and
//! computes anew what it needs of the rest.

use std::collections::{HashMap, HashSet};

use pullback_autograd::{Body, Loop as Graph, between, loop_of};
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, Span, make};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

use super::program::{Exporting, NotExported, definitions, is_named, without_dead};
use super::statement::{Loop, Row, Statement};
use crate::code::{Known, Source, Writer, zeros};
use crate::pass::{all_names, backward_through, by_names, called};

const AT: Span = Span { start: 0, end: 0 };

/// Names for what loops make, and the loops of a backward pass.
pub(super) struct Loops<'a> {
    asked: &'a Exporting<'a>,
    /// Names that are somebody's.
    taken: HashSet<String>,
    /// Names of the values of bodies, which are their own.
    within: HashSet<String>,
    /// What the names are that loops bring with them.
    pub types: HashMap<String, Val>,
    found: Vec<Found>,
}

/// A loop that cotangents come back to.
struct Found {
    /// Its results that the output is computed from.
    results: Vec<Val>,
    /// What is differentiated, and how its loss is called.
    of: (Val, String),
    /// How the gradient by each of its inputs is called.
    gradients: Vec<String>,
    /// How that is called which each carry was before each step.
    starts: Vec<String>,
}

impl Found {
    fn order(&self) -> u64 {
        self.results[0].order()
    }

    fn graph(&self) -> Graph<'_> {
        loop_of(&self.results[0]).expect("it was found as one")
    }

    /// The cotangent of a result: that of the output, where it is a loss, is one.
    fn cotangent(&self, result: &Val) -> Expr {
        let (output, loss) = &self.of;
        match result.id() == output.id() && output.ndim() == 0 {
            true => make::integer(AT, 1),
            false => make::reference(AT, loss, &result.symbol()),
        }
    }
}

impl<'a> Loops<'a> {
    pub(super) fn new(asked: &'a Exporting<'a>) -> Loops<'a> {
        let taken = all_names(asked.output);
        Loops { asked, taken, within: HashSet::new(), types: HashMap::new(), found: Vec::new() }
    }

    /// A name that nothing has, and now this.
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        while self.within.contains(&free) || self.is_outside(&free) {
            free.push('_');
        }
        self.taken.insert(free.clone());
        free
    }

    fn is_outside(&self, name: &str) -> bool {
        self.taken.contains(name) || evaluate(&make::name(AT, name), self.asked.scope).is_ok()
    }

    /// The same for a value.
    fn free_for(&mut self, name: &str, value: &Val) -> String {
        let name = self.free(name);
        self.types.insert(name.clone(), value.clone());
        name
    }

    /// Looks for the loops between an output and what it is differentiated by. One with a result that has no name sends nothing back that
    /// could be written.
    pub(super) fn find(&mut self, output: &Val, loss: &str, wrt: &[&Val]) {
        for value in between(&[output], wrt, &[]) {
            if loop_of(&value).is_none() {
                continue;
            }
            if let Some(found) = self.found.iter_mut().find(|found| found.order() == value.order()) {
                found.results.push(value);
                continue;
            }
            let of = (output.clone(), loss.to_owned());
            let results = vec![value];
            self.found.push(Found { results, of, gradients: Vec::new(), starts: Vec::new() });
        }
        self.found.retain(|found| found.results.iter().all(is_named));
        for at in 0..self.found.len() {
            let found = &self.found[at];
            if !found.gradients.is_empty() {
                continue;
            }
            let (body, inputs) = (found.graph().body.clone(), found.results[0].inputs().to_vec());
            let steps = found.graph().steps;
            for end in &body.next {
                self.within.extend(all_names(end));
            }
            let symbols = body.carries.iter().chain(&body.stacked).chain(&body.shared);
            // By rows that are those of a value with a name, the gradient is that of the value.
            let name = |(symbol, input): (&Val, &Val)| {
                let is_row = body.stacked.iter().any(|row| row.id() == symbol.id());
                format!("g{}", if is_row && is_named(input) { input.symbol() } else { symbol.symbol() })
            };
            let named: Vec<(String, Val)> =
                symbols.zip(&inputs).map(|pair| (name(pair), pair.1.clone())).collect();
            let gradients = named.iter().map(|(name, input)| self.free_for(name, input)).collect();
            let mut starts = Vec::new();
            for carry in &body.carries {
                let dims: Vec<Dim> = [steps].into_iter().chain(carry.dims().iter().copied()).collect();
                let name = self.free(&format!("{}_before", carry.symbol()));
                self.types.insert(name.clone(), Val::symbol(&name, &dims, carry.dtype()));
                starts.push(name);
            }
            (self.found[at].gradients, self.found[at].starts) = (gradients, starts);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// What a result of a loop sends back to an input: a name, and nothing beside the first result.
    pub(super) fn sent(&self, value: &Val, input: usize) -> Option<Option<Expr>> {
        let found = self.found.iter().find(|found| found.order() == value.order())?;
        let is_first = found.results[0].id() == value.id();
        Some(is_first.then(|| make::name(AT, &found.gradients[input])))
    }

    /// The loop between an output and its inputs among whose gradients one has this name, and which cotangents it needs.
    pub(super) fn behind(&self, output: &Val, name: &str) -> Option<(u64, Vec<Expr>)> {
        let is_it =
            |found: &&Found| found.of.0.id() == output.id() && found.gradients.iter().any(|own| own == name);
        let found = self.found.iter().find(is_it)?;
        Some((found.order(), found.results.iter().map(|result| found.cotangent(result)).collect()))
    }

    /// A loop of the program.
    pub(super) fn forward(&mut self, value: &Val) -> Result<Loop, NotExported> {
        let graph = loop_of(value).ok_or_else(|| NotExported::Inexpressible(value.symbol()))?;
        let (body, results, inputs) = (graph.body, value.outputs(), value.inputs());
        let mut names = Vec::new();
        for (result, carry) in results.iter().zip(&body.carries) {
            names.push(match is_named(result) {
                true => result.symbol(),
                false => self.free_for(&carry.symbol(), result),
            });
        }
        let index = self.index(body);
        let mut known = self.of_body(body, inputs, &index)?;
        known.extend(
            body.carries.iter().zip(&names).map(|(carry, name)| (carry.symbol(), make::name(AT, name))),
        );
        let ends: Vec<&Val> = body.next.iter().collect();
        let statements = self.definitions(&ends, body, &mut known)?;
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let mut next = Vec::new();
        for (name, value) in names.iter().zip(&body.next) {
            next.push((name.clone(), make::substituted(&written(&writer, value)?, &known)));
        }
        let mut rows = Vec::new();
        for (all, value) in results[names.len()..].iter().zip(&body.yields) {
            let carry = body.next.iter().position(|next| next.id() == value.id());
            let carry = carry.ok_or_else(|| NotExported::Inexpressible(all.symbol()))?;
            rows.push(Row { name: names[carry].clone(), all: all.symbol(), start: None });
        }
        let found = self.found.iter().find(|found| found.order() == value.order());
        let starts = match found {
            Some(found) => names.iter().cloned().zip(found.starts.iter().cloned()).collect(),
            None => Vec::new(),
        };
        let mut carries = Vec::new();
        for (name, start) in names.iter().zip(inputs) {
            carries.push((name.clone(), written(&writer, start)?));
        }
        self.taken.remove(&index);
        let made = Loop {
            index,
            steps: make::dim(AT, &graph.steps),
            backwards: graph.reversed,
            carries,
            starts,
            body: statements,
            rows,
            next,
        };
        Ok(made.inlined())
    }

    /// The loop back through one, as far as its gradients are needed.
    pub(super) fn backward(&mut self, order: u64, needed: &HashSet<String>) -> Result<Loop, NotExported> {
        let at = self.found.iter().position(|found| found.order() == order).expect("it was found");
        let found = &self.found[at];
        let (results, gradients) = (found.results.clone(), found.gradients.clone());
        let graph = loop_of(&results[0]).expect("it was found as one");
        let (body, inputs) = (graph.body, results[0].inputs());
        let cotangents: HashMap<usize, Expr> =
            results.iter().map(|result| (result.output(), found.cotangent(result))).collect();
        let index = self.index(body);
        let mut known = self.of_body(body, inputs, &index)?;
        for (carry, all) in body.carries.iter().zip(&self.found[at].starts) {
            known.insert(carry.symbol(), row(make::name(AT, all), &index));
        }

        // All that a step hands on, each with its cotangent.
        let mut parts: Vec<(Val, &Val)> = Vec::new();
        for (name, next) in gradients.iter().zip(&body.next).filter(|(_, next)| next.dtype().is_float()) {
            parts.push((Val::symbol(name, next.dims(), next.dtype()), next));
        }
        for (number, value) in body.yields.iter().enumerate() {
            if let Some(all) = cotangents.get(&(body.carries.len() + number)) {
                let name =
                    self.free(&format!("g{}", results[0].outputs()[body.carries.len() + number].symbol()));
                known.insert(name.clone(), row(all.clone(), &index));
                parts.push((Val::symbol(&name, value.dims(), value.dtype()), value));
            }
        }
        let failed = |_| NotExported::Inexpressible(format!("a step of {}", results[0].symbol()));
        let mut total: Option<Val> = None;
        for (cotangent, value) in &parts {
            let share = (cotangent * *value).and_then(|product| product.sum_all()).map_err(failed)?;
            total = Some(match total {
                Some(total) => total.add(&share).map_err(failed)?,
                None => share,
            });
        }
        let loss = self.free("L");
        let total = total.ok_or_else(|| NotExported::Inexpressible(results[0].symbol()))?.named(&loss);

        // By the carries always, by the rest where that is needed.
        let symbols: Vec<&Val> = body.carries.iter().chain(&body.stacked).chain(&body.shared).collect();
        let first_rest = body.carries.len();
        let wrt: Vec<(usize, &Val)> = symbols
            .iter()
            .enumerate()
            .filter(|(k, symbol)| {
                symbol.dtype().is_float() && (*k < first_rest || needed.contains(&gradients[*k]))
            })
            .map(|(k, symbol)| (k, *symbol))
            .collect();
        let values: Vec<&Val> = wrt.iter().map(|(_, symbol)| *symbol).collect();
        self.find(&total, &loss, &values);
        let stages =
            backward_through(&total, &values, &Known::new(&total, &[]), &|value, k| self.sent(value, k))
                .map_err(failed)?;
        let wanted: HashSet<String> = values.iter().map(|value| value.symbol()).collect();
        let mut statements = without_dead(&total, &stages, &wanted, self)?;
        // The cotangents within the body have names of their own.
        let mut inner: HashMap<String, Expr> = HashMap::new();
        let mut of_symbols: HashMap<String, Expr> = HashMap::new();
        let mut kept = Vec::new();
        for statement in statements.drain(..) {
            if let Statement::Define(left, right) = &statement
                && let [Expr { kind: ExprKind::ClaimRef { wrt, .. }, .. }] = left.as_slice()
            {
                let of = &wrt[0].text;
                if wanted.contains(of) {
                    of_symbols.insert(of.clone(), right.clone());
                    continue;
                }
                let name = self.free(&format!("g{of}"));
                inner.insert(called(&left[0]), make::name(AT, &name));
            }
            kept.push(statement);
        }
        let ends: Vec<&Val> = body.next.iter().collect();
        let mut statements = self.definitions(&ends, body, &mut known)?;
        known.extend(inner);
        let mut change = |expr: &Expr| make::substituted(&by_names(expr), &known);
        let change: &mut dyn FnMut(&Expr) -> Expr = &mut change;
        statements.extend(kept.iter().map(|statement| statement.changed(change)));

        let (mut carries, mut next, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (k, symbol) in wrt {
            let name = gradients[k].clone();
            let code = of_symbols.get(&symbol.symbol()).map(&mut *change);
            if k < first_rest {
                let start = cotangents.get(&k).cloned().unwrap_or_else(|| zeros(symbol.dims()));
                carries.push((name.clone(), start));
                next.push((name, code.unwrap_or_else(|| zeros(symbol.dims()))));
            } else if k < first_rest + body.stacked.len() {
                let own = self.free_for(&format!("g{}", symbol.symbol()), symbol);
                let left = vec![make::name(AT, &own)];
                statements.push(Statement::Define(left, code.unwrap_or_else(|| zeros(symbol.dims()))));
                rows.push(Row { name: own, all: name, start: Some(zeros(symbol.dims())) });
            } else if let Some(code) = code {
                carries.push((name.clone(), zeros(symbol.dims())));
                let sum = make::binary(AT, BinaryOp::Add, make::name(AT, &name), code);
                next.push((name, sum));
            } else {
                carries.push((name.clone(), zeros(symbol.dims())));
                next.push((name.clone(), make::name(AT, &name)));
            }
        }
        self.taken.remove(&index);
        let made = Loop {
            index,
            steps: make::dim(AT, &graph.steps),
            backwards: !graph.reversed,
            carries,
            starts: Vec::new(),
            body: statements,
            rows,
            next,
        };
        Ok(made.without_dead())
    }

    /// A name for the number of a step, which is taken while its loop is written.
    fn index(&mut self, body: &Body) -> String {
        let mut index = body.step.symbol();
        while self.is_outside(&index) {
            index.push('_');
        }
        // In the code it is a number, of which each step has another.
        self.types.insert(index.clone(), Val::number(0.0, body.step.dtype()));
        self.taken.insert(index.clone());
        index
    }

    /// What the symbols of a body stand for, but for its carries.
    fn of_body(
        &mut self,
        body: &Body,
        inputs: &[Val],
        index: &str,
    ) -> Result<HashMap<String, Expr>, NotExported> {
        let source = Source { cotangent: &|_| None, written: &|_| None, as_derived: false };
        let writer = Writer::new(&source);
        let (stacked, shared) = inputs[body.carries.len()..].split_at(body.stacked.len());
        let mut known = HashMap::from([(body.step.symbol(), make::name(AT, index))]);
        for (symbol, outside) in body.stacked.iter().zip(stacked) {
            known.insert(symbol.symbol(), row(written(&writer, outside)?, index));
        }
        for (symbol, outside) in body.shared.iter().zip(shared) {
            known.insert(symbol.symbol(), written(&writer, outside)?);
        }
        Ok(known)
    }

    /// What the values of a body are that have names, which get names that are free outside.
    fn definitions(
        &mut self,
        ends: &[&Val],
        body: &Body,
        known: &mut HashMap<String, Expr>,
    ) -> Result<Vec<Statement>, NotExported> {
        let symbols = body.carries.iter().chain(&body.stacked).chain(&body.shared).chain([&body.step]);
        let given: HashSet<u64> = symbols.map(|symbol| symbol.id()).collect();
        let (statements, values) = definitions(ends, &given, self)?;
        for value in values {
            let mut name = value.symbol();
            while self.is_outside(&name) {
                name.push('_');
            }
            known.insert(value.symbol(), make::name(AT, &name));
            self.types.insert(name, value);
        }
        let mut change = |expr: &Expr| make::substituted(expr, known);
        Ok(statements.iter().map(|statement| statement.changed(&mut change)).collect())
    }

    pub(super) fn scope(&self) -> &'a Scope {
        self.asked.scope
    }

    pub(super) fn constant(&self, name: &str) -> Option<Expr> {
        (self.asked.constant)(name)
    }
}

fn written(writer: &Writer<'_>, value: &Val) -> Result<Expr, NotExported> {
    writer.written(value).ok_or_else(|| NotExported::Inexpressible(value.symbol()))
}

/// `X[t]`.
fn row(of: Expr, index: &str) -> Expr {
    let items = vec![IndexItem::At(make::name(AT, index))];
    Expr::new(AT, ExprKind::Index { base: Box::new(of), items })
}
