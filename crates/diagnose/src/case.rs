//! A wrong claim, the data on which candidates for what is right are tried, and the names they may use.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use pullback_array::{Array, DType};
use pullback_check::{ClaimLayout, Truth};
use pullback_lang::program::{Claim, Claimed, Program, ValueKind};
use pullback_lang::{Definitions, Expr, ExprKind, File, IndexItem, Inner, Name, Scan, Span, StatementKind};
use pullback_network::Dim;
use pullback_ops::{Origin, Val};

use crate::derivative::{Derivative, derivatives};
use crate::divisors::divisors;
use crate::edit;
use crate::factor::{Kind, LARGEST, Names, Quantity, is_usual};
use crate::stated::{Stated, stated};

/// How far a candidate may be from the derivative on data that is drawn anew, relatively: rounding stays far below it, and
/// a coincidence far above. What passes is judged like any claim, with a measured tolerance.
pub(crate) const CLOSE: f64 = 1e-7;

/// A candidate that takes so many times more than what was claimed is not computed, unless it takes little anyway.
const DEARER: f64 = 64.0;
const LEAST_WORK: f64 = 65_536.0;

/// Multiplications that are spent on looking up which terms may be missing from one claim: some tens of milliseconds.
const MOST_LOOKED_UP: usize = 30_000_000;
const MOST_LOOKED_UP_BACKWARDS: usize = 6_000_000;

/// What a claim uses, where its right side is sought in the place of the claim's.
#[derive(Clone)]
pub(crate) enum Redefined {
    /// A definition in index notation.
    Entries {
        name: String,
        indices: Vec<Name>,
        /// How far they run in the file.
        sizes: Vec<usize>,
        /// The claim's expression, in which the name stands.
        claim: Expr,
    },
    /// A statement of a loop's body.
    Step {
        scan: Rc<Scan>,
        statement: usize,
        /// What the loop binds that is used rightly elsewhere: it has to stay what it is.
        right: Vec<String>,
        /// The claim's expression, in which names of the loop stand.
        claim: Expr,
    },
}

/// One wrong claim on one set of data.
pub(crate) struct Trial<'a> {
    pub program: &'a Program,
    number: usize,
    layout: ClaimLayout,
    /// The true values of the wrong claims it refers to.
    replaced: HashMap<usize, Val>,
    pub truth: &'a Truth,
    /// How far the claimed numbers may be from what they are meant to be, relatively.
    close: f64,
    /// How many multiplications the claim takes.
    work: f64,
    /// Where what is tried is the right side of a definition.
    redefined: Option<Redefined>,
    /// The names of a loop's body, where what is tried stands there.
    in_step: OnceCell<Option<HashMap<String, Val>>>,
    /// What may be called by a name beside the values of the file: cotangents, as `dL/dv`.
    names: Rc<HashMap<String, Val>>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(
        program: &'a Program,
        number: usize,
        layout: ClaimLayout,
        replaced: HashMap<usize, Val>,
        truth: &'a Truth,
        close: f64,
    ) -> Trial<'a> {
        let work = match &program.claims[number].claimed {
            Claimed::Value { val, .. } => work(val),
            Claimed::Shape(_) => 1.0,
        };
        let (redefined, in_step, names) = (None, OnceCell::new(), Rc::default());
        Trial { program, number, layout, replaced, truth, close, work, redefined, in_step, names }
    }

    pub(crate) fn work(&self) -> f64 {
        self.work
    }

    /// The same where the right side of the same definition is tried as in another one.
    pub(crate) fn like(self, other: &Trial<'_>) -> Trial<'a> {
        Trial { redefined: other.redefined.clone(), ..self }
    }

    /// The same with other numbers sought, by expressions that may use more names.
    pub(crate) fn seeking<'b>(&self, truth: &'b Truth, names: &Rc<HashMap<String, Val>>) -> Trial<'b>
    where
        'a: 'b,
    {
        Trial {
            program: self.program,
            number: self.number,
            layout: self.layout,
            replaced: self.replaced.clone(),
            truth,
            close: self.close,
            work: self.work,
            redefined: self.redefined.clone(),
            in_step: OnceCell::new(),
            names: names.clone(),
        }
    }

    /// The same with more names.
    pub(crate) fn among(&self, names: &Rc<HashMap<String, Val>>) -> Trial<'a> {
        self.seeking(self.truth, names)
    }

    /// The claim, on this data.
    pub(crate) fn claim(&self) -> &'a Claim {
        &self.program.claims[self.number]
    }

    /// The claimed numbers: those of its expression, where the claims that it refers to are right, or those from elsewhere.
    pub(crate) fn claimed(&self) -> Option<Array> {
        let claim = self.claim();
        match (&claim.expr, &claim.claimed) {
            (Some(expr), _) => self.numbers(expr),
            (None, Claimed::Value { val, .. }) => val.array().ok()?.cast(DType::F64).ok(),
            (None, Claimed::Shape(_)) => None,
        }
    }

    /// Does a name mean a value, and no size?
    pub(crate) fn has_value(&self, name: &str) -> bool {
        self.program.find(name).is_some() || self.names.contains_key(name)
    }

    pub(crate) fn program(&self) -> &'a Program {
        self.program
    }

    pub(crate) fn layout(&self) -> ClaimLayout {
        self.layout
    }

    pub(crate) fn close(&self) -> f64 {
        self.close
    }

    /// An expression in the claim's place, where it can be evaluated; or the claim with that expression in the place of a
    /// definition's.
    pub(crate) fn value(&self, expr: &Expr) -> Option<Val> {
        match &self.redefined {
            Some(Redefined::Entries { .. }) => self.value_of_root(&self.root_value(expr)?),
            Some(Redefined::Step { scan, statement, right, claim }) => {
                let scan = scan.with(*statement, expr);
                let names = self.program.rescanned(self.number, &scan, &self.replaced).ok()?;
                let stays = |name: &String| {
                    let is = self.program.find(name)?.val.array().ok()?;
                    names.get(name)?.array().ok()?.is_near(is, self.close).then_some(())
                };
                right.iter().try_for_each(stays)?;
                self.value_among(claim, &names)
            }
            None => self.value_among(expr, &HashMap::new()),
        }
    }

    /// The value of what is tried by itself: that of the definition whose right side it is, else the claim's.
    pub(crate) fn root_value(&self, expr: &Expr) -> Option<Val> {
        match &self.redefined {
            Some(Redefined::Step { .. }) => self.part(expr),
            Some(Redefined::Entries { name, indices, .. }) => {
                self.program.redefined(self.number, name, indices, expr, &self.replaced).ok()
            }
            None => self.value(expr),
        }
    }

    /// A part of what is tried, by itself: in the body of a loop, as it is in the last step.
    pub(crate) fn part(&self, expr: &Expr) -> Option<Val> {
        if self.is_in_loop() { self.value_among(expr, self.in_step()?) } else { self.value(expr) }
    }

    /// Does what is tried stand in the body of a loop?
    pub(crate) fn is_in_loop(&self) -> bool {
        matches!(self.redefined, Some(Redefined::Step { .. }))
    }

    /// The rows that the body of the loop reads in which what is tried stands: `t`, `T - 1 - t`.
    pub(crate) fn steps_read(&self) -> Vec<Expr> {
        let Some(Redefined::Step { scan, .. }) = &self.redefined else { return Vec::new() };
        let mut read = vec![edit::name(scan.index.span, &scan.index.text)];
        for expr in scan.exprs() {
            expr.walk(&mut |part| {
                let ExprKind::Index { items, .. } = &part.kind else { return };
                for item in items {
                    if let IndexItem::At(at) = item
                        && crate::tree::names(at).contains(scan.index.text.as_str())
                        && !read.contains(at)
                    {
                        read.push(at.clone());
                    }
                }
            });
        }
        read
    }

    /// The carry that what is tried is the next value of, where it does not use it.
    pub(crate) fn carry(&self) -> Option<&str> {
        let Some(Redefined::Step { scan, statement, .. }) = &self.redefined else { return None };
        let Some(Inner::Definitions(Definitions { names, expr })) = scan.body.get(*statement) else {
            return None;
        };
        let [name] = names.as_slice() else { return None };
        let is_carried = scan.carries.iter().any(|(carry, _)| carry == name);
        (is_carried && !crate::tree::names(expr).contains(name.text.as_str())).then_some(&name.text)
    }

    /// The names of the loop's body in which what is tried stands.
    pub(crate) fn in_step(&self) -> Option<&HashMap<String, Val>> {
        let Some(Redefined::Step { scan, statement, .. }) = &self.redefined else { return None };
        let find = || self.program.in_last_step(self.number, scan, *statement, &self.replaced).ok();
        self.in_step.get_or_init(find).as_ref()
    }

    /// The claim, where that is the value of what is tried.
    pub(crate) fn value_of_root(&self, root: &Val) -> Option<Val> {
        match &self.redefined {
            // What one step yields says nothing of the others.
            Some(Redefined::Step { .. }) => None,
            Some(Redefined::Entries { name, claim, .. }) => {
                self.value_among(claim, &HashMap::from([(name.clone(), root.clone())]))
            }
            None => Some(root.clone()),
        }
    }

    /// The same where some names mean other values.
    pub(crate) fn value_among(&self, expr: &Expr, names: &HashMap<String, Val>) -> Option<Val> {
        let all = self.names.iter().chain(names).map(|(name, val)| (name.clone(), val.clone()));
        self.program.reclaimed_among(self.number, expr, &self.replaced, all.collect()).ok()
    }

    /// Its numbers.
    pub(crate) fn numbers(&self, expr: &Expr) -> Option<Array> {
        self.value(expr)?.array().ok().cloned()
    }

    /// The derivative in a shape of the claim's layout.
    pub(crate) fn expected(&self, shape: &[usize]) -> Option<Array> {
        self.truth.in_shape(shape, self.layout)
    }

    /// Is the expression the derivative here? `false` too where it takes far more than what was claimed, and where few of the numbers are
    /// large enough to tell: beside one of 10¹¹ any expression has the others.
    pub(crate) fn fits(&self, expr: &Expr) -> bool {
        self.fit(expr, DEARER * self.work.max(LEAST_WORK)).unwrap_or(false) && self.is_told()
    }

    /// Could most numbers of the derivative, but for zeros, be told from zero?
    pub(crate) fn is_told(&self) -> bool {
        let tensor = self.truth.tensor();
        let least = self.close * tensor.max_abs();
        let tensor = tensor.as_f64();
        let [told, all] = [least, 0.0].map(|least| tensor.iter().filter(|x| x.abs() > least).count());
        2 * told >= all
    }

    /// The same, whatever it takes.
    pub(crate) fn is_derivative(&self, expr: &Expr) -> bool {
        self.fit(expr, f64::INFINITY).unwrap_or(false)
    }

    fn fit(&self, expr: &Expr, most: f64) -> Option<bool> {
        let value = self.value(expr)?;
        // The shape is known without numbers.
        let expected = self.expected(&value.shape())?;
        if work(&value) > most {
            return None;
        }
        Some(value.array().ok()?.is_near(&expected, self.close))
    }
}

/// How many multiplications an expression takes, roughly. What has a name is computed once for all candidates.
pub(crate) fn work(val: &Val) -> f64 {
    let elements = |val: &Val| val.shape().iter().map(|&size| size as f64).product::<f64>();
    let mut seen = HashSet::new();
    let mut pending = vec![val];
    let mut total = 1.0;
    while let Some(next) = pending.pop() {
        if !seen.insert(next.order()) || (next.name().is_some() && next.order() != val.order()) {
            continue;
        }
        let inputs: f64 = next.inputs().iter().map(elements).product();
        // Of matrices m×k and k×n to m×n the root of the sizes' product is m·k·n.
        let contracts = matches!(next.inputs(), [_, _]);
        if let Origin::Call(op, _) = next.origin() {
            total += op.inner_work();
        }
        total += if contracts { (inputs * elements(next)).sqrt() } else { elements(next) };
        pending.extend(next.inputs());
    }
    total
}

/// A value that a corrected claim may use.
pub(crate) struct Known {
    /// The source that stands for it: a name, or a reference to a given cotangent or an earlier claim.
    pub source: Expr,
    pub dims: Vec<Dim>,
    /// Where it is bound: what stands before cannot use it.
    pub bound: usize,
}

/// What a corrected claim may be made of.
pub(crate) struct Usable {
    known: Vec<Known>,
    parts: Vec<Expr>,
    literals: Vec<Expr>,
    stated: Vec<Stated>,
    derivatives: Vec<Derivative>,
    divisors: Vec<Expr>,
}

impl Usable {
    /// The same beside names for cotangents, which stand for what references to claims do.
    pub(crate) fn with_names(mut self, names: &HashMap<String, Val>) -> Usable {
        self.known.retain(|known| !matches!(known.source.kind, ExprKind::ClaimRef { .. }));
        let mut named: Vec<(&String, &Val)> = names.iter().collect();
        named.sort_by_key(|(name, _)| *name);
        self.known.extend(named.into_iter().map(|(name, val)| Known {
            source: edit::name(Span::default(), name),
            dims: val.dims().to_vec(),
            bound: 0,
        }));
        self
    }

    /// What an expression in the place of a claim may be made of.
    /// `is_usable` says upon which claims it may be built.
    pub(crate) fn before(
        file: &File,
        program: &Program,
        number: usize,
        is_usable: &dyn Fn(usize) -> bool,
    ) -> Usable {
        let claim = &program.claims[number];
        // Numbers from elsewhere stand nowhere: all of the file is before them.
        let end = if claim.expr.is_some() { claim.span.start } else { usize::MAX };
        Usable {
            known: known(program, number, is_usable),
            parts: nameless(file, program, number),
            literals: literals(file, program.claims[number].span.start),
            stated: stated(file, end),
            derivatives: derivatives(file, program, number),
            divisors: divisors(file, program, number),
        }
    }
}

/// A wrong claim.
pub(crate) struct Case<'a> {
    pub claim: &'a Claim,
    /// The strongest first, the file's own data last.
    pub trials: Vec<Trial<'a>>,
    /// Is there a trial at other sizes?
    pub resized: bool,
    /// The index names, of a claim entry by entry.
    pub indices: Option<Vec<Name>>,
    pub known: Vec<Known>,
    /// Parts of the forward pass that have no name.
    pub parts: Vec<Expr>,
    /// The fractions that are written in the forward pass as numbers: `0.044715`.
    pub literals: Vec<Expr>,
    /// The numbers by which the forward pass multiplies or divides.
    pub stated: Vec<Stated>,
    /// The derivatives of the functions that the forward pass applies.
    pub derivatives: Vec<Derivative>,
    /// What the claim or the forward pass divides by: such values are never zero. By another one, `y / x` may be 0/0.
    pub divisors: Vec<Expr>,
    /// The definitions in index notation that it uses and that may be wrong.
    pub beside: Vec<String>,
    /// Has the claim the right shape?
    pub shaped: bool,
    /// Does the claim hold on the data of the file?
    pub holds: bool,
    /// Are the numbers of a wrong claim sought, and no derivative?
    pub backwards: bool,
    /// Are edits proposed that need not fit by themselves, since something else is wrong beside?
    pub open: bool,
    /// Candidates that may be evaluated, and that may still be.
    most: usize,
    left: Cell<usize>,
    /// Multiplications that may still be spent on looking terms up.
    lookups: Cell<usize>,
    names: RefCell<HashMap<usize, Rc<Names>>>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        claim: &'a Claim,
        trials: Vec<Trial<'a>>,
        resized: bool,
        indices: Option<Vec<Name>>,
        usable: Usable,
        shaped: bool,
        most: usize,
    ) -> Case<'a> {
        let (left, lookups, names) = (Cell::new(most), Cell::new(MOST_LOOKED_UP), RefCell::default());
        let Usable { known, parts, literals, stated, derivatives, divisors } = usable;
        Case {
            claim,
            trials,
            resized,
            indices,
            known,
            parts,
            literals,
            stated,
            derivatives,
            divisors,
            shaped,
            holds: false,
            backwards: false,
            open: false,
            beside: Vec::new(),
            most,
            left,
            lookups,
            names,
        }
    }

    /// The same where the numbers of a wrong claim are sought by changing a right formula, one of several: less is looked up in each.
    pub(crate) fn backwards(self) -> Case<'a> {
        self.lookups.set(MOST_LOOKED_UP_BACKWARDS);
        Case { backwards: true, ..self }
    }

    /// The same claim where the right side of a definition, in index notation or in the body of a loop, is tried.
    pub(crate) fn of_definition(self, redefined: &Redefined) -> Case<'a> {
        let trials = self.trials.into_iter();
        let trials: Vec<Trial<'a>> =
            trials.map(|trial| Trial { redefined: Some(redefined.clone()), ..trial }).collect();
        match redefined {
            Redefined::Entries { name, indices, .. } => {
                let is_own =
                    |known: &Known| matches!(&known.source.kind, ExprKind::Name(other) if other == name);
                let known = self.known.into_iter().filter(|known| !is_own(known)).collect();
                Case { trials, known, indices: Some(indices.clone()), ..self }
            }
            Redefined::Step { scan, .. } => {
                let mut known = self.known;
                // Names of the body hide others, and what the loop binds is not there yet.
                let span = scan.index.span;
                let names = trials.last().and_then(Trial::in_step);
                let bound = |name: &str| {
                    scan.named().any(|bound| bound.text == name)
                        || names.is_some_and(|names| names.contains_key(name))
                };
                known.retain(|known| !matches!(&known.source.kind, ExprKind::Name(name) if bound(name)));
                let mut named: Vec<(&String, &Val)> =
                    names.into_iter().flatten().filter(|(_, val)| val.dtype().is_float()).collect();
                named.sort_by_key(|(name, _)| *name);
                known.extend(named.into_iter().map(|(name, val)| Known {
                    source: edit::name(span, name),
                    dims: val.dims().to_vec(),
                    bound: 0,
                }));
                Case { trials, known, ..self }
            }
        }
    }

    /// The file's own data.
    pub(crate) fn own(&self) -> &Trial<'a> {
        self.trials.last().expect("a case has the data of its file")
    }

    /// Is an expression the derivative on all data? `false` too where no more candidates are to be evaluated.
    pub(crate) fn fits(&self, expr: &Expr) -> bool {
        self.spend() && self.trials.iter().all(|trial| trial.fits(expr))
    }

    /// Is an expression the derivative on all data, even if nothing is left for candidates?
    pub(crate) fn is_derivative(&self, expr: &Expr) -> bool {
        self.trials.iter().all(|trial| trial.is_derivative(expr))
    }

    /// Takes one evaluation off what is left.
    pub(crate) fn spend(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    /// How many candidates were evaluated.
    pub(crate) fn spent(&self) -> usize {
        self.most - self.left.get()
    }

    pub(crate) fn exhausted(&self) -> bool {
        self.left.get() == 0
    }

    /// The numbers that have names before a place.
    pub(crate) fn names(&self, before: usize) -> Rc<Names> {
        let make = || Rc::new(Names::new(self.quantities(before), self.trials.len()));
        self.names.borrow_mut().entry(before).or_insert_with(make).clone()
    }

    /// Takes multiplications off those that may be spent on looking terms up; `false` where none are left.
    pub(crate) fn look_up(&self, multiplications: usize) -> bool {
        let left = self.lookups.get();
        self.lookups.set(left.saturating_sub(multiplications));
        left > multiplications
    }

    /// The named sizes and the scalars of the program that are bound before a place, with their values in each trial.
    pub(crate) fn quantities(&self, before: usize) -> Vec<Quantity> {
        let at = self.claim.expr_span;
        let mut quantities: Vec<Quantity> = Vec::new();
        let sizes = |program: &Program| -> Vec<(String, usize)> {
            let bound = program.values.iter().filter(|value| value.span.start < before);
            let all = bound.flat_map(|value| value.val.dims().to_vec());
            all.filter_map(|dim| Some((dim.name()?.as_str().to_owned(), dim.size()))).collect()
        };
        let by_trial: Vec<Vec<(String, usize)>> =
            self.trials.iter().map(|trial| sizes(trial.program)).collect();
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in by_trial.last().into_iter().flatten() {
            let is_index = self.indices.iter().flatten().any(|index| index.text == *name);
            if is_index || seen.contains(&name.as_str()) {
                continue;
            }
            seen.push(name);
            let in_trial = |sizes: &Vec<(String, usize)>| {
                sizes.iter().find(|(known, _)| known == name).map(|(_, size)| *size as f64)
            };
            let values: Option<Vec<f64>> = by_trial.iter().map(in_trial).collect();
            quantities.extend(values.map(|values| Quantity {
                source: edit::name(at, name),
                kind: Kind::Size,
                values,
            }));
        }
        if !self.resized {
            // A size without a name is a number. (Small ones are tried as numbers anyway.)
            let all = self.own().program.values.iter().flat_map(|value| value.val.dims());
            let nameless: BTreeSet<usize> =
                all.filter(|dim| dim.name().is_none()).map(|dim| dim.size()).collect();
            quantities.extend(nameless.into_iter().filter(|&size| size > LARGEST).map(|size| Quantity {
                source: edit::integer(at, size),
                kind: Kind::Size,
                values: vec![size as f64; self.trials.len()],
            }));
        }
        for scalar in self.known.iter().filter(|known| known.dims.is_empty() && known.bound < before) {
            let value = |trial: &Trial<'_>| trial.numbers(&scalar.source)?.item().ok();
            let values: Option<Vec<f64>> = self.trials.iter().map(value).collect();
            quantities.extend(values.map(|values| Quantity {
                source: scalar.source.clone(),
                kind: Kind::Scalar,
                values,
            }));
        }
        for Stated { expr, divides } in self.stated.iter().filter(|stated| stated.expr.span.start < before) {
            let value = self.own().numbers(expr).and_then(|number| number.item().ok());
            // Small numbers are tried anyway, and so is a size that is written as a number.
            let is_new = |value: &f64| {
                let is_known = |known: &Quantity| known.kind == Kind::Size && known.source.kind == expr.kind;
                !is_usual(*value) && !is_usual(1.0 / value) && !quantities.iter().any(is_known)
            };
            quantities.extend(value.filter(is_new).map(|value| Quantity {
                source: expr.clone(),
                kind: Kind::Stated { divides: *divides },
                values: vec![value; self.trials.len()],
            }));
        }
        quantities
    }

    /// The indices of a claim or a definition entry by entry, and how far they run.
    pub(crate) fn ranges(&self) -> Option<Vec<(String, usize)>> {
        let indices = self.indices.as_ref()?;
        if let Some(Redefined::Entries { indices, sizes, .. }) = &self.own().redefined {
            return Some(indices.iter().map(|index| index.text.clone()).zip(sizes.iter().copied()).collect());
        }
        let dims = self.claim.of.dims().iter().chain(self.claim.wrt.iter().flat_map(|x| x.dims()));
        Some(indices.iter().zip(dims).map(|(index, dim)| (index.text.clone(), dim.size())).collect())
    }

    /// The number by which a part would have to be multiplied for the claim to be right, in each trial: `doubled` is the
    /// claim with the part taken twice. `None` where no number does.
    ///
    /// Where the claim is linear in the part, twice the part adds what the part contributes; the contribution, times a
    /// number, has to make up what is missing.
    pub(crate) fn ratios(&self, claimed: &Expr, doubled: &Expr) -> Option<Vec<f64>> {
        self.trials.iter().map(|trial| self.ratio(trial, claimed, doubled)).collect()
    }

    fn ratio(&self, trial: &Trial<'_>, claimed: &Expr, doubled: &Expr) -> Option<f64> {
        if !self.spend() {
            return None;
        }
        let (once, twice) = (trial.numbers(claimed)?, trial.numbers(doubled)?);
        let expected = trial.expected(once.shape())?;
        if twice.shape() != once.shape() {
            return None;
        }
        let (once, twice, expected) = (once.to_vec_f64(), twice.to_vec_f64(), expected.to_vec_f64());
        let part: Vec<f64> = twice.iter().zip(&once).map(|(twice, once)| twice - once).collect();
        let missing: Vec<f64> = expected.iter().zip(&once).map(|(expected, once)| expected - once).collect();
        let square: f64 = part.iter().map(|p| p * p).sum();
        let more = part.iter().zip(&missing).map(|(p, m)| p * m).sum::<f64>() / square;
        let largest = part.iter().fold(0.0f64, |largest, p| largest.max(p.abs()));
        let fits = part.iter().zip(&missing).all(|(p, m)| (more * p - m).abs() <= CLOSE * largest);
        (more.is_finite() && fits).then_some(1.0 + more)
    }
}

/// The values that an expression in a claim's place may use: those of the file, given cotangents, and the claims before it.
fn known(program: &Program, number: usize, is_usable: &dyn Fn(usize) -> bool) -> Vec<Known> {
    /// A file with more values is one of whose values the first do not tell much.
    const MOST: usize = 32;
    let at = program.claims[number].expr_span;
    let is_expression = program.claims[number].expr.is_some();
    let mut known: Vec<Known> = Vec::new();
    for value in &program.values {
        if !value.val.dtype().is_float()
            || known.len() == MOST
            || (is_expression && value.span.start > at.start)
        {
            continue;
        }
        let source = match value.kind {
            // `dL/dZ` is the cotangent of Z.
            ValueKind::Upstream => {
                match value.name.strip_prefix('d').and_then(|name| name.split_once("/d")) {
                    Some((of, wrt)) => edit::reference(at, of, wrt),
                    None => continue,
                }
            }
            ValueKind::Input | ValueKind::Definition => edit::name(at, &value.name),
        };
        known.push(Known { source, dims: value.val.dims().to_vec(), bound: value.span.start });
    }
    for (other, claim) in program.claims.iter().enumerate().take(number) {
        if !is_usable(other) {
            continue;
        }
        let [wrt] = claim.wrt_names.as_slice() else { continue };
        if claim.of.ndim() > 0 || known.len() == MOST || !claim.fixed.is_empty() {
            continue;
        }
        let source = edit::reference(at, &claim.of_name, wrt);
        known.push(Known { source, dims: claim.wrt[0].dims().to_vec(), bound: claim.span.start });
    }
    known
}

/// The parts of the definitions before a claim that are computed and have no name of their own.
fn nameless(file: &File, program: &Program, number: usize) -> Vec<Expr> {
    /// The first parts of a long file tell less than they cost.
    const MOST: usize = 12;
    /// A part with more parts of its own is one that would have been given a name.
    const LONGEST: usize = 7;
    let before = program.claims[number].span.start;
    let mut parts: Vec<Expr> = constants(file, before);
    // Flags and labels, which have no gradient and are factors all the same.
    let flags = program
        .values
        .iter()
        .filter(|value| !value.val.dtype().is_float() && value.val.ndim() > 0 && value.span.start < before);
    parts.extend(flags.map(|value| edit::name(program.claims[number].expr_span, &value.name)));
    for statement in file.statements.iter().filter(|statement| statement.span.start < before) {
        let StatementKind::Definition(definition) = &statement.kind else { continue };
        definition.expr.walk(&mut |part| {
            let computed = matches!(part.kind, ExprKind::Binary { .. } | ExprKind::Call { .. });
            let is_whole = std::ptr::eq(part, &definition.expr);
            if computed
                && !is_whole
                && edit::size(part) <= LONGEST
                && parts.len() < MOST
                && !parts.contains(part)
            {
                parts.push(part.clone());
            }
        });
    }
    parts
}

/// Is an expression made of numbers alone?
pub(crate) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } => true,
        ExprKind::Binary { .. } | ExprKind::Negate(_) => expr.children().into_iter().all(is_constant),
        ExprKind::Call { function, .. } => {
            matches!(function.text.as_str(), "sqrt" | "exp" | "log")
                && expr.children().into_iter().all(is_constant)
        }
        _ => false,
    }
}

/// The fractions that are written as numbers in the definitions before a place.
fn literals(file: &File, before: usize) -> Vec<Expr> {
    /// A file with more of them is one of data.
    const MOST: usize = 16;
    let mut literals: Vec<Expr> = Vec::new();
    for statement in file.statements.iter().filter(|statement| statement.span.start < before) {
        let StatementKind::Definition(definition) = &statement.kind else { continue };
        definition.expr.walk(&mut |part| {
            let is_fraction = matches!(part.kind, ExprKind::Number { value, .. } if value.fract() != 0.0);
            if is_fraction && literals.len() < MOST && !literals.contains(part) {
                literals.push(part.clone());
            }
        });
    }
    literals
}

/// The numbers that are written as more than one: `sqrt(2 / 3.141592653589793)`.
fn constants(file: &File, before: usize) -> Vec<Expr> {
    let mut constants: Vec<Expr> = Vec::new();
    for statement in file.statements.iter().filter(|statement| statement.span.start < before) {
        let StatementKind::Definition(definition) = &statement.kind else { continue };
        definition.expr.walk(&mut |part| {
            let is_call = matches!(part.kind, ExprKind::Call { .. });
            if is_call && is_constant(part) && !constants.contains(part) {
                constants.push(part.clone());
            }
        });
    }
    constants
}

/// The values of a claim entry by entry: `x[q]`, `W[n,j]`, `delta[i,p]`.
pub(crate) fn entries<'k>(
    known: impl Iterator<Item = &'k Known>,
    ranges: &[(String, usize)],
    at: Span,
) -> Vec<Expr> {
    let index = |base: &Expr, indices: &[&str]| {
        let items = indices.iter().map(|index| IndexItem::At(edit::name(at, index))).collect();
        Expr::new(at, ExprKind::Index { base: Box::new(base.clone()), items })
    };
    let mut entries = Vec::new();
    for (number, (first, rows)) in ranges.iter().enumerate() {
        let second = ranges[number + 1..].iter().filter(|(_, size)| size == rows);
        entries.extend(second.map(|(second, _)| index(&edit::name(at, "delta"), &[first, second])));
    }
    for known in known {
        for (first, rows) in ranges {
            match known.dims.as_slice() {
                [dim] if dim.size() == *rows => entries.push(index(&known.source, &[first])),
                [dim, other] if dim.size() == *rows => {
                    let second =
                        ranges.iter().filter(|(second, size)| second != first && *size == other.size());
                    entries.extend(second.map(|(second, _)| index(&known.source, &[first, second])));
                }
                _ => {}
            }
        }
    }
    entries
}
