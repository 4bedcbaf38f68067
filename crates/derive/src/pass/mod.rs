//! The backward pass as one writes it: from the loss back, one named value after another, each with its cotangent and where that comes
//! from.
//!
//! A value with a name ends a step. Its cotangent is the sum of what the values send back that are computed from it; each of these
//! shares is one Jacobian, of one named value by another, that is contracted with a cotangent written before. Nothing here states a
//! derivative: the lines are networks of the rules, printed before and after each act on them, and the last one is
//! [`gradient_code`](crate::gradient_code).
//!
//! | module | what it knows |
//! |---|---|
//! | `line` | lines as trees, and index letters |
//! | `entries` | functions of sums by their entries, and operations by their definitions |
//! | `closed` | the gradient with all of the steps inserted |
//! | `pieces` | names for what a line would say twice |
//! | `through` | the recurrence that goes back through a loop |
//! | `truth` | whether a line is true of a program |
//!
//! What is not here: the contraction from the output to a value in one, which is [`derive`](crate::derive).
//!
//! ```
//! use pullback_array::DType;
//! use pullback_derive::{Known, backward};
//! use pullback_lang::print;
//! use pullback_network::Dim;
//! use pullback_ops::Val;
//!
//! let (n, d, m) = (Dim::named("N", 5), Dim::named("D", 3), Dim::named("M", 2));
//! let x = Val::symbol("X", &[n, d], DType::F64);
//! let w = Val::symbol("W", &[d, m], DType::F64);
//! let z = x.matmul(&w)?.named("Z");
//! let t = z.tanh()?.named("T");
//! let stages = backward(&t, &[&x], &Known::new(&t, &[]))?;
//! let written: Vec<String> = stages
//!     .iter()
//!     .filter_map(|stage| Some(format!("{} = {}", stage.name(), print(stage.code.as_ref()?))))
//!     .collect();
//! assert_eq!(written, ["dL/dZ = dL/dT * (1 - T^2)", "dL/dX = dL/dZ @ W.T"]);
//! # Ok::<(), pullback_ops::Error>(())
//! ```

mod closed;
mod entries;
pub(crate) mod line;
mod pieces;
mod through;
mod truth;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pullback_autograd::{ancestors, between, jacobian};
use pullback_lang::{Expr, ExprKind, Span, make, parse_expr};
use pullback_network::{Dim, Value as _};
use pullback_ops::{Network, Origin, Result, Val, find};

pub use closed::closed;
pub use line::{Entry, Inner, Left, Line, Product, Right, Slope, Within};
pub use pieces::with_pieces;
pub(crate) use pieces::{by_names, called};
pub use through::through_loops;
pub use truth::{Untrue, untrue};

use crate::code::{Known, Sent, Source, Writer, gradient, is_zeros, shortened, slope, vanish, zeros};
use crate::forward::Expansion;
use crate::notation::{has_notation, is_entrywise};
use entries::{Derived, Entries};
use line::{Alphabet, Lettering, is_name, names_of, product};

/// A Jacobian between two values with names is written out up to so many terms.
const MOST_TERMS: usize = 12;

/// One step of a backward pass.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What is stated: a cotangent `dL/dZ`, or the name of a piece.
    pub left: Expr,
    /// The value whose cotangent it is; of a piece its name.
    pub of: String,
    /// Its shape.
    pub dims: Vec<Dim>,
    /// What it is, by cotangents of later values and names of the program; none where the language has no words for it.
    pub code: Option<Expr>,
    /// What the step is, where it is none by rules alone.
    pub says: String,
    /// The operations whose rules give it.
    pub operations: Vec<&'static str>,
    /// How it follows.
    pub lines: Vec<Line>,
}

impl Stage {
    /// As it is called: `dL/dZ`.
    pub fn name(&self) -> String {
        pullback_lang::print(&self.left)
    }

    /// What the step is, and the rules that give it, by name.
    pub fn rule(&self) -> String {
        let rules = match &self.operations[..] {
            [] => String::new(),
            [only] => format!("by the rule of: {}", titles(&[only])),
            several => format!("by the rules of: {}", titles(several)),
        };
        let parts = [&self.says, &rules].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// What it is said to be: its code, or what stands in its last line, of steps of a loop.
    pub fn said(&self) -> Option<&Expr> {
        let last = || match self.lines.last() {
            Some(Line { left: Left::Whole(_), right: Right::Whole(expr), .. }) => Some(expr),
            _ => None,
        };
        self.code.as_ref().or_else(last)
    }

    /// Tells the names of all that the step refers to: cotangents, and pieces.
    pub fn needs(&self, tell: &mut dyn FnMut(String)) {
        let mut of = |expr: &Expr| {
            expr.walk(&mut |part| {
                if matches!(part.kind, ExprKind::ClaimRef { .. } | ExprKind::Name(_)) {
                    // Of a sum over steps, what is summed.
                    let name = pullback_lang::print(part);
                    tell(name.split_once(' ').map(|(_, of)| of.to_owned()).unwrap_or(name));
                }
            });
        };
        self.code.iter().for_each(&mut of);
        for line in &self.lines {
            line.right.expressions(&mut of);
        }
    }
}

/// The steps from `output` back to each of `wrt`, those of later values first. The loss of an output with axes is any scalar L that
/// depends on it, whose cotangent `dL/dZ` is given.
///
/// # Errors
/// What the rules return.
pub fn backward(output: &Val, wrt: &[&Val], known: &Known) -> Result<Vec<Stage>> {
    backward_through(output, wrt, known, &|_, _| None)
}

/// The same, with what some values send back by its name.
pub(crate) fn backward_through(
    output: &Val,
    wrt: &[&Val],
    known: &Known,
    sent: Sent<'_>,
) -> Result<Vec<Stage>> {
    let path = between(&[output], wrt, &[]);
    let wanted: HashSet<u64> = wrt.iter().map(|value| value.id()).collect();
    let is_named = |value: &Val| value.name().is_some_and(|name| name.is_identifier());
    let ends = |value: &Val| value.id() != output.id() && (is_named(value) || wanted.contains(&value.id()));
    // Inputs that no derivative is wanted of are held, as all values with names are but the two ends of a step.
    let named: Vec<Val> =
        path.iter().filter(|value| ends(value) || value.id() == output.id()).cloned().collect();
    let names = all_names(output);
    let loss = known.loss_of(output);
    let mut uses: HashMap<u64, Vec<&Val>> = HashMap::new();
    for value in &path {
        for input in value.inputs() {
            let users = uses.entry(input.id()).or_default();
            if users.last().is_none_or(|last| last.id() != value.id()) {
                users.push(value);
            }
        }
    }
    let alphabet = Alphabet::without(names);
    let expansion = RefCell::default();
    let pass = Pass { output, known, loss, named: &named, uses: &uses, alphabet, expansion, sent };
    let stages = path.iter().rev().filter(|value| ends(value)).map(|value| pass.stage(value));
    stages.collect()
}

/// The names of a program: of all values that one is computed from, and of their sizes.
pub(crate) fn all_names(output: &Val) -> HashSet<String> {
    names_of(&ancestors(&[output]))
}

struct Pass<'a> {
    output: &'a Val,
    known: &'a Known,
    loss: String,
    /// All values at which a step begins or ends.
    named: &'a [Val],
    uses: &'a HashMap<u64, Vec<&'a Val>>,
    alphabet: Alphabet,
    /// The values that were written as sums of products before.
    expansion: RefCell<Expansion>,
    sent: Sent<'a>,
}

/// What one value sends back to another.
struct Share<'a> {
    of: &'a Val,
    letters: Vec<String>,
    network: Network,
}

impl Pass<'_> {
    /// How a value is written that stands in a Jacobian.
    fn payload(&self, value: &Val, writer: &Writer<'_>) -> Option<Expr> {
        Some(shortened(&writer.written(value)?, self.known))
    }

    fn reference(&self, value: &Val) -> Expr {
        make::reference(Span::default(), &self.loss, &value.symbol())
    }

    fn stage(&self, value: &Val) -> Result<Stage> {
        let called = |other: &Val| {
            let is_end = self.named.iter().any(|named| named.id() == other.id()) && other.id() != value.id();
            let is_loss = other.id() == self.output.id() && other.ndim() == 0;
            (is_end && !is_loss).then(|| self.reference(other))
        };
        let source = Source { cotangent: &called, written: &|_| None, as_derived: false };
        let writer = Writer::of_program(&source, self.output);
        let (consumers, ops, reasons) = self.consumers(value);
        let letters = self.alphabet.of_axes("mnpq", value.dims(), &[]);
        let mut shares = Vec::new();
        for of in consumers {
            let held: Vec<&Val> =
                self.named.iter().filter(|other| other.id() != of.id() && other.id() != value.id()).collect();
            let network = jacobian(of, value, &held)?.network()?.clone();
            let letters = self.alphabet.of_axes("ijkl", of.dims(), &letters);
            shares.push(Share { of, letters, network });
        }
        let is_zero = shares.iter().all(|share| share.network.is_zero());
        let code = match gradient(self.output, value, &source, self.sent) {
            None if is_zero => Some(zeros(value.dims())),
            code => code.map(|code| shortened(&code, self.known)),
        };
        let lines = self.lines(value, &letters, &shares, (code.as_ref(), &reasons), &writer);
        Ok(Stage {
            left: self.reference(value),
            of: value.symbol(),
            dims: value.dims().to_vec(),
            code,
            says: String::new(),
            operations: ops,
            lines,
        })
    }

    /// The values with names that are computed from one, with none between, the operations on the way, and why their adjoints are what
    /// they are, where no line shows it.
    fn consumers(&self, value: &Val) -> (Vec<&Val>, Vec<&'static str>, Vec<&'static str>) {
        let mut pending: Vec<&Val> = self.uses.get(&value.id()).cloned().unwrap_or_default();
        let (mut found, mut ops, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        while let Some(next) = pending.pop() {
            if !seen.insert(next.id()) {
                continue;
            }
            if let Origin::Call(op, _) = next.origin()
                && !ops.contains(&op.name())
                && !op.is_copy()
            {
                ops.push(op.name());
                reasons.extend(op.adjoint_reason());
            }
            match self.named.iter().find(|named| named.id() == next.id()) {
                Some(named) => found.push(named),
                None => pending.extend(self.uses.get(&next.id()).into_iter().flatten()),
            }
        }
        found.sort_by_key(|value: &&Val| value.order());
        (found, ops, reasons)
    }

    fn lines(
        &self,
        value: &Val,
        letters: &[String],
        shares: &[Share<'_>],
        (code, reasons): (Option<&Expr>, &[&str]),
        writer: &Writer<'_>,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut push = |left: Left, right: Right, why: String| lines.push(Line { left, right, why });
        let x = value.symbol();
        let slope_of = |share: &Share<'_>| Slope {
            of: (share.of.symbol(), share.letters.clone()),
            by: (x.clone(), letters.to_vec()),
        };
        let own = Left::Entry(self.reference(value), letters.to_vec());
        let is_loss = |share: &Share<'_>| share.of.id() == self.output.id() && share.of.ndim() == 0;
        // Of each value that is computed from this one: what it is, and its derivative by one entry.
        let mut derivatives = Vec::new();
        let mut told: Vec<Right> = Vec::new();
        for share in shares {
            let payload = |value: &Val| self.payload(value, writer);
            let entries = self.entries(&payload);
            let derived = entries.derived(share.of, value, (&share.letters, letters));
            if let Some((left, right)) = self.definition(share, writer) {
                let formula = formula_of(&right).filter(|_| derived.is_none()).unwrap_or_default();
                push(left, right, format!("how {} is computed{formula}", share.of.symbol()));
            }
            for (left, right, why) in self.rules(share.of, value, letters, writer) {
                if !told.contains(&right) {
                    told.push(right.clone());
                    push(left, right, why);
                }
            }
            let mut lettering =
                Lettering { alphabet: &self.alphabet, known: HashMap::new(), taken: Vec::new() };
            let slots: Vec<String> = share.letters.iter().chain(letters).cloned().collect();
            let terms = share.network.terms();
            let written: Option<Vec<Product>> = terms
                .iter()
                .map(|term| product(term, &slots, &mut lettering, &|value| self.payload(value, writer)))
                .collect::<Option<_>>()
                .filter(|_| terms.len() <= MOST_TERMS);
            if let Some(products) = &written {
                // Of `y = tanh(x)` the slope is `1 − y²`: what the value itself stands for has to be seen.
                let by_itself = match is_by(products, &share.of.symbol()) {
                    true => format!(", written with {} itself", share.of.symbol()),
                    false => String::new(),
                };
                let why = match share.network.is_zero() {
                    true => "its derivative by one entry: nothing changes".to_owned(),
                    false if shares.len() > 1 => {
                        "its derivative by one entry, other named values held".to_owned()
                    }
                    false => "its derivative by one entry".to_owned(),
                } + &by_itself;
                let left = match is_loss(share) && shares.len() == 1 {
                    true => own.clone(),
                    false => Left::Slope(slope_of(share)),
                };
                match derived {
                    Some(Derived { name, definition, slope, rules }) => {
                        let of = Left::Entry(
                            make::name(Span::default(), &share.of.symbol()),
                            share.letters.clone(),
                        );
                        push(of, Right::Products(definition), format!("what {name} is"));
                        let by = format!(
                            "the derivative of that by one entry, by the rules of: {}",
                            titles(&rules)
                        );
                        push(left, Right::Products(slope), by);
                        push(Left::Same, Right::Products(products.clone()), why);
                    }
                    None => push(left, Right::Products(products.clone()), why),
                }
            }
            derivatives.push(written);
        }
        let is_last = matches!(shares, [only] if is_loss(only));
        if !is_last {
            self.chain_rule(value, shares, &derivatives, (own, letters), &slope_of, writer, &mut push);
        }
        if let Some(code) = code {
            let before = lines.last().map(|line| line.right.clone());
            // A scalar has been said as a whole already.
            let is_scalar = value.ndim() == 0 && lines.last().is_some_and(|line| line.is_single());
            let is_new = before != Some(Right::Whole(code.clone())) && !is_scalar;
            if is_new {
                let is_computed = |name: &str| {
                    let is_it = |value: &Val| value.symbol() == name && !value.inputs().is_empty();
                    self.named.iter().any(is_it)
                };
                let with = with_names(code, before.as_ref(), &is_computed);
                let why = match reasons {
                    _ if is_zeros(code) => "it is zero".to_owned(),
                    [] => format!("as a whole{with}"),
                    reasons => format!("as a whole{with}: {}", reasons.join("; ")),
                };
                let left = Left::Whole(self.reference(value));
                lines.push(Line { left, right: Right::Whole(code.clone()), why });
            }
        }
        lines
    }

    /// The slopes of the functions of one number on the way from a value to another.
    fn rules(
        &self,
        of: &Val,
        value: &Val,
        letters: &[String],
        writer: &Writer<'_>,
    ) -> Vec<(Left, Right, String)> {
        let held: Vec<&Val> =
            self.named.iter().filter(|other| other.id() != of.id() && other.id() != value.id()).collect();
        let letter = self.alphabet.take("z", 1, letters).remove(0);
        let path = between(&[of], &[value], &held);
        let path = path.iter().filter(|on_path| on_path.id() != value.id());
        path.filter_map(|on_path| self.rule(on_path, &letter, writer)).collect()
    }

    /// The slope of a function of one number, where it is none.
    fn rule(&self, of: &Val, letter: &str, writer: &Writer<'_>) -> Option<(Left, Right, String)> {
        let Origin::Call(op, inputs) = of.origin() else { return None };
        let [input] = &inputs[..] else { return None };
        let operation = find(op.name())?;
        let name = make::name(Span::default(), letter);
        let call = make::call(Span::default(), op.name(), vec![name.clone()], Vec::new());
        // One that has a parameter of its own is another function.
        let is_this = op.is_elementwise() && parse_expr(&op.written(&[letter.to_owned()])).ok()?.expr == call;
        let slope = slope(operation).filter(|_| is_this)?;
        let of_both = HashMap::from([("x".to_owned(), name), ("y".to_owned(), call.clone())]);
        let written = make::substituted(&slope, &of_both);
        let at = self.payload(input, writer)?;
        let why = format!("the rule of {}", op.name());
        let left = Left::Rule { call, letter: letter.to_owned(), at };
        (written != slope).then_some((left, Right::Whole(written), why))
    }

    fn entries<'e>(&'e self, payload: &'e dyn Fn(&Val) -> Option<Expr>) -> Entries<'e> {
        Entries { alphabet: &self.alphabet, payload, expansion: &self.expansion }
    }

    /// How a value is computed from values that have names: entry by entry, where it is a sum of products or works element by element.
    fn definition(&self, share: &Share<'_>, writer: &Writer<'_>) -> Option<(Left, Right)> {
        let name = make::name(Span::default(), &share.of.symbol());
        let entry = Left::Entry(name.clone(), share.letters.clone());
        let payload = |value: &Val| self.payload(value, writer);
        let entries = self.entries(&payload);
        if let Some(products) = entries.of(share.of, &share.letters) {
            return Some((entry, Right::Products(products)));
        }
        let whole = writer.definition(share.of).filter(|expr| !is_name(expr))?;
        let whole = shortened(&whole, &self.known.without_names());
        if !is_entrywise(&whole) {
            return Some((Left::Whole(name), Right::Whole(whole)));
        }
        let at = share.letters.iter().cloned().map(Some).collect();
        let own = Product {
            coef: pullback_network::Coef::one(),
            over: Vec::new(),
            factors: vec![Entry::Of(whole, at)],
        };
        Some((entry, Right::Products(vec![own])))
    }

    /// The sum over what each value sends back: with the Jacobians as such, with these written out, and with each δ eliminated.
    #[expect(clippy::too_many_arguments, reason = "what one step has at hand")]
    fn chain_rule(
        &self,
        value: &Val,
        shares: &[Share<'_>],
        derivatives: &[Option<Vec<Product>>],
        (own, letters): (Left, &[String]),
        slope: &dyn Fn(&Share<'_>) -> Slope,
        writer: &Writer<'_>,
        push: &mut dyn FnMut(Left, Right, String),
    ) {
        let is_loss = |share: &Share<'_>| share.of.id() == self.output.id() && share.of.ndim() == 0;
        let over = |share: &Share<'_>| -> Vec<(String, Dim)> {
            let all = share.letters.iter().cloned().zip(share.of.dims().iter().copied());
            all.filter(|(_, dim)| !dim.is_single()).collect()
        };
        let cotangent = |share: &Share<'_>| {
            let at = share.letters.iter().cloned().map(Some).collect();
            (!is_loss(share)).then(|| Entry::Of(self.reference(share.of), at))
        };
        let one = pullback_network::Coef::one;
        let chain = shares.iter().map(|share| Product {
            coef: one(),
            over: over(share),
            factors: cotangent(share).into_iter().chain([Entry::Slope(slope(share))]).collect(),
        });
        let names: Vec<String> = shares.iter().map(|share| share.of.symbol()).collect();
        let why = match names.as_slice() {
            [] => return,
            [only] => format!("the chain rule: every entry of {only} passes its share"),
            [first @ .., last] => {
                format!("it goes into {} and {last}, and their shares add up", first.join(", "))
            }
        };
        push(own.clone(), Right::Products(chain.collect()), why);
        let Some(derivatives) = derivatives.iter().cloned().collect::<Option<Vec<Vec<Product>>>>() else {
            return;
        };
        let inserted: Vec<Product> = shares
            .iter()
            .zip(derivatives)
            .flat_map(|(share, products)| {
                products.into_iter().map(|product| Product {
                    coef: product.coef,
                    over: over(share).into_iter().chain(product.over).collect(),
                    factors: cotangent(share).into_iter().chain(product.factors).collect(),
                })
            })
            .collect();
        let has_delta = inserted
            .iter()
            .flat_map(|product| &product.factors)
            .any(|factor| matches!(factor, Entry::Delta(..)));
        push(Left::Same, Right::Products(inserted.clone()), "the derivatives inserted".to_owned());
        let (mut after, mut vanishing) = (Vec::new(), Vec::new());
        for share in shares {
            let mut known = HashMap::new();
            for term in share.network.terms() {
                for (&label, letter) in term.slots.iter().zip(&share.letters) {
                    known.entry(label).or_insert_with(|| letter.clone());
                }
            }
            let mut lettering = Lettering { alphabet: &self.alphabet, known, taken: Vec::new() };
            let terms = match is_loss(share) {
                true => share.network.terms().to_vec(),
                false => {
                    let name = format!("d{}/d{}", self.loss, share.of.symbol());
                    share.network.cotangent_terms(&Val::symbol(&name, share.of.dims(), share.of.dtype()))
                }
            };
            for (at, zero) in vanish(self.output, value, &terms, writer).into_iter().enumerate() {
                vanishing.extend(zero.map(|by| (after.len() + at, by)));
            }
            for term in &terms {
                let Some(product) =
                    product(term, letters, &mut lettering, &|value| self.payload(value, writer))
                else {
                    return;
                };
                after.push(product);
            }
        }
        if after.len() > MOST_TERMS {
            return;
        }
        if after != inserted {
            let why = if has_delta {
                "each δ picks one value of an index and ends its sum"
            } else {
                "what an index is determined by takes its place"
            };
            push(Left::Same, Right::Products(after.clone()), why.to_owned());
        }
        let is_left = |place: &usize| vanishing.iter().all(|(zero, _)| zero != place);
        if !vanishing.is_empty() && vanishing.iter().all(|(place, _)| *place < after.len()) {
            let left = (0..after.len()).filter(is_left).map(|place| after[place].clone()).collect();
            let free: Vec<(String, Dim)> =
                letters.iter().cloned().zip(value.dims().iter().copied()).collect();
            let mut zeros: Vec<Left> = Vec::new();
            for (place, by) in &vanishing {
                let sum = Left::Sum { of: vec![after[*place].summed()], free: free.clone() };
                if !zeros.contains(&sum) {
                    zeros.push(sum.clone());
                    push(sum, Right::Products(Vec::new()), by_definitions(by));
                }
            }
            push(own, Right::Products(left), "what is zero is left out".to_owned());
        }
    }
}

/// What says which values an expression is written with that are not in what stands before it: what they stand for has to be seen there.
fn with_names(code: &Expr, before: Option<&Right>, is_one: &dyn Fn(&str) -> bool) -> String {
    let mut known = HashSet::new();
    let Some(before) = before else { return String::new() };
    before.expressions(&mut |expr| expr.walk(&mut |part| known.extend(named(part))));
    let mut new: Vec<String> = Vec::new();
    code.walk(&mut |part| {
        let found = named(part).filter(|name| !known.contains(name) && !new.contains(name) && is_one(name));
        new.extend(found);
    });
    if new.is_empty() { String::new() } else { format!(", written with {}", new.join(" and ")) }
}

/// What is said of an equation that follows from how some values are computed.
fn by_definitions(of: &[Val]) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in of.iter().map(|value| value.symbol()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match &names[..] {
        [] => "by what its names stand for".to_owned(),
        [only] => format!("by how {only} is computed"),
        [first @ .., last] => format!("by how {} and {last} are computed", first.join(", ")),
    }
}

/// Does a factor of some products speak of a value by its name?
fn is_by(products: &[Product], name: &str) -> bool {
    let mut found = false;
    for product in products {
        product.expressions(&mut |expr| {
            expr.walk(&mut |part| found |= matches!(&part.kind, ExprKind::Name(own) if own == name));
        });
    }
    found
}

/// The longest formula of an operation that is told in a line.
const LONGEST_FORMULA: usize = 40;

/// What the page of an operation says that it computes, where a line has no more than its name.
fn formula_of(right: &Right) -> Option<String> {
    let expr = match right {
        Right::Whole(expr) => expr,
        Right::Products(products) => match &products[..] {
            [Product { factors, .. }] => match &factors[..] {
                [Entry::Of(expr, _)] => expr,
                [Entry::Within(within)] => &within.of,
                _ => return None,
            },
            _ => return None,
        },
    };
    let ExprKind::Call { function, .. } = &expr.kind else { return None };
    let formula = find(&function.text)?.page("Formula");
    let says_more = formula.contains('_') && !formula.contains(&format!("{function}("));
    let is_told = says_more && formula.chars().count() <= LONGEST_FORMULA && !has_notation(&function.text);
    is_told.then(|| format!("; {function}: {formula}"))
}

/// The name that an expression is.
fn named(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        _ => None,
    }
}

/// The operations on the way from a value to another, with some held.
fn rules_between(of: &Val, value: &Val, held: &[&Val]) -> Vec<&'static str> {
    let mut ops = Vec::new();
    for on_path in between(&[of], &[value], held) {
        if let Origin::Call(op, _) = on_path.origin()
            && on_path.id() != value.id()
            && !op.is_copy()
            && !ops.contains(&op.name())
        {
            ops.push(op.name());
        }
    }
    ops
}

/// Some operations, by what their pages call them.
fn titles(ops: &[&'static str]) -> String {
    let title = |name: &&str| match find(name) {
        Some(operation) => {
            let page = operation.page("");
            let end = page.find([',', ':', '.', ';']).unwrap_or(page.len());
            let title = page[..end].trim();
            let title =
                ["The ", "A ", "An "].iter().find_map(|article| title.strip_prefix(article)).unwrap_or(title);
            let mut letters = title.chars();
            let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
            first + letters.as_str()
        }
        None => (*name).to_owned(),
    };
    let titles: Vec<String> = ops.iter().map(title).collect();
    titles.join(", ")
}
