//! The expressions in which the mistake may stand, and the parts of them: the claim's own, the right sides of definitions
//! that nothing but claims uses (`dz_dx = W.T`), and the bodies of such functions (`fn back(g, p) = …`).

use std::cell::OnceCell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use pullback_array::Array;
use pullback_lang::make::substituted;
use pullback_lang::program::{Claim, Claimed, Program};
use pullback_lang::{BinaryOp, Expr, ExprKind, File, Function, Name, Statement, StatementKind};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

use crate::case::{Case, Known, Trial, entries};
use crate::derivative::Derivative;
use crate::edit::{Path, part};
use crate::factor::Names;
use crate::sought::Sought;

/// Parts beyond so many are not gone through.
const MOST_PARTS: usize = 64;

/// A definition, or a function of the file, that claims use and the forward pass does not.
#[derive(Clone)]
pub(crate) struct Aside {
    pub name: String,
    pub expr: Expr,
    /// The parameters of a function.
    pub params: Option<Vec<String>>,
}

impl Aside {
    /// What stands left of its `=`.
    fn head(&self) -> String {
        match &self.params {
            None => self.name.clone(),
            Some(params) => format!("fn {}({})", self.name, params.join(", ")),
        }
    }
}

/// The definitions behind a claim that are no part of what it differentiates, nor of a claim that holds (`right`): what is
/// used rightly elsewhere is right.
pub(crate) fn asides(
    file: &File,
    program: &Program,
    claim: &Claim,
    expr: &Expr,
    right: &[&Claim],
) -> Vec<Aside> {
    let forward = used_rightly(claim, right);
    let statements = Statements::of(file);
    let reached = reached(&statements, claim, right);
    let used = functions_used_rightly(file, &statements, program, &forward, right);
    let mut asides: Vec<Aside> = Vec::new();
    let mut pending: Vec<&Expr> = vec![expr];
    let mut seen: HashSet<&str> = HashSet::new();
    let mut functions: HashSet<&str> = used;
    while let Some(next) = pending.pop() {
        for name in calls(next) {
            // One of several statements, or with defaults, is no expression that stands for its calls.
            let is_expression = |function: &&Function| {
                function.inside.is_empty() && function.defaults.iter().all(Option::is_none)
            };
            if let Some(function) =
                statements.function(name).filter(|_| functions.insert(name)).filter(is_expression)
            {
                let params = Some(function.params.iter().map(|param| param.text.clone()).collect());
                asides.push(Aside { name: name.to_owned(), expr: function.body.clone(), params });
                pending.push(&function.body);
            }
        }
        for name in names(next) {
            if !seen.insert(name) {
                continue;
            }
            let stated = statements.of_name(name).find_map(|(_, statement)| match statement {
                StatementKind::Definition(definition) => Some(definition),
                _ => None,
            });
            // `dz = dL/dh` is the same value as what the forward pass is given, and no part of it all the same.
            if let (Some(definition), Some(value)) = (stated, program.find(name))
                && !(forward.contains(&value.val.id()) && reached.contains(name))
            {
                asides.push(Aside { name: name.to_owned(), expr: definition.expr.clone(), params: None });
                pending.push(&definition.expr);
            }
        }
    }
    asides
}

/// The values in the forward pass behind a claim, and those that claims that hold use.
pub(crate) fn used_rightly(claim: &Claim, right: &[&Claim]) -> HashSet<u64> {
    let mut used: HashSet<u64> = graph_of(&claim.of).into_keys().collect();
    for claim in right {
        if let Claimed::Value { val, .. } = &claim.claimed {
            used.extend(graph_of(val).into_keys());
        }
    }
    used
}

/// The names that the forward pass behind a claim uses, and those that claims that hold use.
fn reached<'f>(statements: &Statements<'f>, claim: &'f Claim, right: &[&'f Claim]) -> HashSet<&'f str> {
    let mut reached: HashSet<&str> = HashSet::new();
    let mut pending: Vec<&str> = vec![&claim.of_name];
    pending.extend(right.iter().filter_map(|claim| claim.expr.as_ref()).flat_map(|expr| used(expr)));
    while let Some(next) = pending.pop() {
        if !reached.insert(next) {
            continue;
        }
        for (_, statement) in statements.of_name(next) {
            match statement {
                StatementKind::Definition(it) => pending.extend(used(&it.expr)),
                StatementKind::Definitions(it) => pending.extend(used(&it.expr)),
                StatementKind::Scan(it) => pending.extend(it.exprs().into_iter().flat_map(used)),
                StatementKind::IndexDefinition(it) => pending.extend(used(&it.expr)),
                StatementKind::Function(it) => pending.extend(it.exprs().flat_map(used)),
                // A loss that is not in the file depends on what its cotangents are given of.
                StatementKind::Upstream(it) => pending.push(&it.wrt.text),
                _ => {}
            }
        }
    }
    reached
}

/// The names of values and functions in an expression.
fn used(expr: &Expr) -> BTreeSet<&str> {
    names(expr).into_iter().chain(calls(expr)).collect()
}

/// The functions of the file that the forward pass or a right claim calls.
fn functions_used_rightly<'f>(
    file: &'f File,
    statements: &Statements<'f>,
    program: &Program,
    forward: &HashSet<u64>,
    right: &[&'f Claim],
) -> HashSet<&'f str> {
    let of_statement = |statement: &'f Statement| match &statement.kind {
        StatementKind::Definition(stated) => Some((&stated.name.text, &stated.expr)),
        StatementKind::IndexDefinition(stated) => Some((&stated.name.text, &stated.expr)),
        StatementKind::Definitions(stated) => Some((&stated.named().next()?.text, &stated.expr)),
        _ => None,
    };
    let defined = file
        .statements
        .iter()
        .filter_map(of_statement)
        .filter(|(name, _)| program.find(name).is_some_and(|value| forward.contains(&value.val.id())));
    let mut pending: Vec<&Expr> = defined.map(|(_, expr)| expr).collect();
    pending.extend(right.iter().filter_map(|claim| claim.expr.as_ref()));
    let mut used = HashSet::new();
    while let Some(next) = pending.pop() {
        for name in calls(next) {
            if used.insert(name) {
                pending.extend(statements.function(name).into_iter().flat_map(Function::exprs));
            }
        }
    }
    used
}

/// The functions that an expression calls.
fn calls(expr: &Expr) -> BTreeSet<&str> {
    let mut calls = BTreeSet::new();
    expr.walk(&mut |part| {
        if let ExprKind::Call { function, .. } = &part.kind {
            calls.insert(function.text.as_str());
        }
    });
    calls
}

/// The statements of a file by the names that they say something of, each with its place.
pub(crate) struct Statements<'f>(HashMap<&'f str, Vec<(usize, &'f StatementKind)>>);

impl<'f> Statements<'f> {
    pub(crate) fn of(file: &'f File) -> Statements<'f> {
        let mut all = Statements(HashMap::new());
        for (place, statement) in file.statements.iter().enumerate() {
            let kind = &statement.kind;
            let mut says = |name: &'f Name| all.0.entry(&name.text).or_default().push((place, kind));
            match kind {
                StatementKind::Definition(it) => says(&it.name),
                StatementKind::Definitions(it) => it.named().for_each(says),
                StatementKind::Scan(it) => it.named().for_each(says),
                StatementKind::IndexDefinition(it) => says(&it.name),
                StatementKind::Function(it) => says(&it.name),
                StatementKind::Upstream(it) => says(&it.of),
                _ => {}
            }
        }
        all
    }

    /// Those of a name, in file order.
    pub(crate) fn of_name(&self, name: &str) -> impl Iterator<Item = (usize, &'f StatementKind)> + '_ {
        self.0.get(name).into_iter().flatten().copied()
    }

    /// A function of the file.
    fn function(&self, name: &str) -> Option<&'f Function> {
        self.of_name(name).find_map(|(_, statement)| match statement {
            StatementKind::Function(function) => Some(function),
            _ => None,
        })
    }
}

/// The values that one is computed from, itself included, by their ids.
pub(crate) fn graph_of(val: &Val) -> HashMap<u64, Val> {
    let mut seen = HashMap::new();
    let mut pending = vec![val.clone()];
    while let Some(next) = pending.pop() {
        if let Entry::Vacant(entry) = seen.entry(next.id()) {
            pending.extend(next.inputs().iter().cloned());
            entry.insert(next);
        }
    }
    seen
}

/// The names that an expression uses.
pub(crate) fn names(expr: &Expr) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    expr.walk(&mut |part| {
        if let ExprKind::Name(name) = &part.kind {
            names.insert(name.as_str());
        }
    });
    names
}

/// An expression that may be changed.
pub(crate) struct Tree<'a> {
    pub case: &'a Case<'a>,
    /// What stands left of the `=` of the definition whose right side it is; none for the claim's own.
    pub definition: Option<String>,
    pub root: Expr,
    /// The number of the definition among those beside the claim.
    aside: Option<usize>,
    /// Where it stands in the file: what is bound behind it, it cannot use.
    before: usize,
    /// The claim's expression, and the definitions beside it.
    claim: &'a Expr,
    asides: &'a [Aside],
    /// The parameters of a function, with what the claim calls it with.
    arguments: HashMap<String, Expr>,
    sought: OnceCell<Option<(usize, Sought)>>,
    values: OnceCell<Vec<(Expr, Array)>>,
}

impl<'a> Tree<'a> {
    /// The trees of a claim, its own first.
    pub(crate) fn all(case: &'a Case<'a>, claim: &'a Expr, asides: &'a [Aside]) -> Vec<Tree<'a>> {
        let tree = |aside: Option<usize>| {
            let of = aside.map(|number| &asides[number]);
            let root = of.map_or(claim, |aside| &aside.expr);
            let arguments = match of {
                Some(Aside { name, params: Some(params), .. }) => {
                    let call = std::iter::once(claim).chain(asides.iter().map(|aside| &aside.expr));
                    let call = call.filter_map(|expr| first_call(expr, name)).next()?;
                    params.iter().cloned().zip(call.iter().cloned()).collect()
                }
                _ => HashMap::new(),
            };
            Some(Tree {
                case,
                definition: of.map(Aside::head),
                root: root.clone(),
                aside,
                before: root.span.start,
                claim,
                asides,
                arguments,
                sought: OnceCell::new(),
                values: OnceCell::new(),
            })
        };
        std::iter::once(None).chain((0..asides.len()).map(Some)).filter_map(tree).collect()
    }

    /// Where it stands: what is bound behind it, it cannot use.
    pub(crate) fn before(&self) -> usize {
        self.before
    }

    /// Is it the right side of this definition, or the body of this function?
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.aside.is_some_and(|number| self.asides[number].name == name)
    }

    /// The same tree once it is changed.
    pub(crate) fn changed(&self, root: Expr) -> Tree<'a> {
        Tree {
            definition: self.definition.clone(),
            root,
            arguments: self.arguments.clone(),
            sought: OnceCell::new(),
            values: OnceCell::new(),
            ..*self
        }
    }

    /// What the claim is where `root` stands in place of this tree's expression.
    pub(crate) fn claim_with(&self, root: &Expr) -> Expr {
        match self.aside {
            None => root.clone(),
            Some(number) => self.inlined(self.claim, number, root),
        }
    }

    /// An expression with `with` in place of a definition's name, or of the body of a function, and with the right sides of
    /// the definitions between.
    fn inlined(&self, expr: &Expr, number: usize, with: &Expr) -> Expr {
        match &expr.kind {
            ExprKind::Name(used) => {
                return match self
                    .asides
                    .iter()
                    .position(|aside| aside.params.is_none() && aside.name == *used)
                {
                    Some(found) if found == number => with.clone(),
                    // A definition uses none that stand after it, so that this ends.
                    Some(found) => self.inlined(&self.asides[found].expr, number, with),
                    None => expr.clone(),
                };
            }
            ExprKind::Call { function, args, kwargs } if kwargs.is_empty() => {
                let called = |aside: &Aside| aside.params.is_some() && aside.name == function.text;
                if let Some(found) = self.asides.iter().position(called) {
                    let args: Vec<Expr> = args.iter().map(|arg| self.inlined(arg, number, with)).collect();
                    let aside = &self.asides[found];
                    let body = match found == number {
                        true => with.clone(),
                        false => self.inlined(&aside.expr, number, with),
                    };
                    let params = aside.params.iter().flatten().cloned();
                    return substituted(&body, &params.zip(args).collect());
                }
            }
            _ => {}
        }
        let mut copy = expr.clone();
        for child in copy.children_mut() {
            *child = self.inlined(child, number, with);
        }
        copy
    }

    /// A part as it is evaluated: in the body of a function the parameters are what the claim calls it with.
    pub(crate) fn in_context(&self, expr: &Expr) -> Expr {
        if self.arguments.is_empty() { expr.clone() } else { substituted(expr, &self.arguments) }
    }

    /// Is an expression made of nothing but numbers and sizes?
    pub(crate) fn is_number(&self, expr: &Expr) -> bool {
        let mut is_number = true;
        expr.walk(&mut |part| {
            is_number &= match &part.kind {
                ExprKind::Name(name) => {
                    !self.arguments.contains_key(name) && !self.case.own().has_value(name)
                }
                ExprKind::Number { .. } | ExprKind::Negate(_) | ExprKind::Binary { .. } => true,
                _ => false,
            }
        });
        is_number
    }

    /// Is the part at a path the whole, or a term of a sum?
    pub(crate) fn is_term(&self, path: &[usize]) -> bool {
        let Some((_, above)) = path.split_last() else { return true };
        match part(&self.root, above).map(|parent| &parent.kind) {
            Some(ExprKind::Binary { operator, .. }) => {
                matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub)
            }
            _ => false,
        }
    }

    /// The shape of the whole.
    pub(crate) fn root_dims(&self) -> Option<Vec<Dim>> {
        self.case.own().part(&self.in_context(&self.root)).map(|val| val.dims().to_vec())
    }

    /// Is an expression the name of a definition beside the claim?
    pub(crate) fn is_aside(&self, expr: &Expr) -> bool {
        let ExprKind::Name(name) = &expr.kind else { return false };
        self.case.beside.contains(name) || self.asides.iter().any(|aside| aside.name == *name)
    }

    /// What is sought at its parts, on the strongest data on which the claim has the shape of the derivative.
    pub(crate) fn sought(&self) -> Option<&Sought> {
        self.sought_on().map(|(_, sought)| sought)
    }

    fn sought_on(&self) -> Option<&(usize, Sought)> {
        let mut trials = self.case.trials.iter().enumerate();
        let find = || trials.find_map(|(at, trial)| Some((at, Sought::of(self, trial)?)));
        self.sought.get_or_init(find).as_ref()
    }

    /// The data on which it is sought.
    pub(crate) fn trial(&self) -> Option<&Trial<'a>> {
        self.case.trials.get(self.sought_on().map_or(0, |(at, _)| *at))
    }

    /// The values that a term of it may be made of, with their numbers on the strongest data: those with a name, the parts
    /// of the expression itself, and parts of the forward pass.
    pub(crate) fn values(&self) -> &[(Expr, Array)] {
        self.values.get_or_init(|| {
            let Some(trial) = self.trial() else { return Vec::new() };
            let mut exprs: Vec<Expr> = match self.case.ranges() {
                Some(ranges) => entries(self.known(), &ranges, self.root.span),
                None => self.known().map(|known| known.source.clone()).collect(),
            };
            if self.case.indices.is_none() {
                let mut parts = Vec::new();
                self.root.walk(&mut |part| {
                    if matches!(part.kind, ExprKind::Binary { .. } | ExprKind::Call { .. }) {
                        parts.push(part.clone());
                    }
                });
                exprs.extend(parts.into_iter().filter(|part| !self.is_number(part)));
                if self.arguments.is_empty() {
                    exprs.extend(
                        self.case.derivatives.iter().map(|derivative| derivative.expr(self.root.span)),
                    );
                    exprs.extend(self.case.parts.iter().cloned());
                }
            }
            let mut values: Vec<(Expr, Array)> = Vec::new();
            for expr in exprs {
                if values.iter().all(|(known, _)| *known != expr)
                    && let Some(array) =
                        trial.root_value(&self.in_context(&expr)).and_then(|val| val.array().ok().cloned())
                    && array.ndim() > 0
                    && array.all_finite()
                    && values.iter().all(|(_, known)| !known.is_near(&array, 0.0))
                {
                    values.push((expr, array));
                }
            }
            values
        })
    }

    /// The derivatives of the functions that the forward pass applies; in the body of a function in the words of its
    /// parameters.
    pub(crate) fn derivatives(&self) -> Vec<Derivative> {
        let in_params = |expr: &Expr| {
            self.arguments.iter().fold(expr.clone(), |expr, (param, argument)| {
                substituted_parts(&expr, &[argument], &crate::edit::name(expr.span, param))
            })
        };
        self.case.derivatives.iter().map(|derivative| derivative.with(in_params)).collect()
    }

    /// The values that an expression at its place may use.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Known> {
        let is_own = |known: &Known| match (&known.source.kind, &self.definition) {
            (ExprKind::Name(name), Some(definition)) => name == definition,
            _ => false,
        };
        let known = self.case.known.iter();
        known.filter(move |known| self.arguments.is_empty() && known.bound < self.before && !is_own(known))
    }

    /// The parts that causes may change, the root first.
    pub(crate) fn places(&self) -> Vec<Place<'_>> {
        let mut places = Vec::new();
        self.collect(&mut Vec::new(), &mut 0, false, &mut places);
        places
    }

    fn collect<'t>(
        &'t self,
        path: &mut Path,
        visited: &mut usize,
        in_mask: bool,
        places: &mut Vec<Place<'t>>,
    ) {
        let Some(expr) = part(&self.root, path) else { return };
        *visited += 1;
        if *visited > MOST_PARTS {
            return;
        }
        // Inside index notation a part has no shape of its own.
        let val = match &self.case.indices {
            Some(_) => None,
            None => self.case.own().part(&self.in_context(expr)),
        };
        let dims = val.as_ref().map(|val| val.dims().to_vec());
        let parent = path.split_last().and_then(|(&child, above)| Some((part(&self.root, above)?, child)));
        if dims.is_some() || self.case.indices.is_some() || path.is_empty() {
            places.push(Place { tree: self, path: path.clone(), expr, parent, dims, in_mask });
        }
        let compares = matches!(&expr.kind, ExprKind::Binary { operator, .. } if operator.kind.compares())
            || val.is_some_and(|val| is_piecewise_constant(&val));
        for child in operands(expr) {
            path.push(child);
            self.collect(path, visited, in_mask || compares, places);
            path.pop();
        }
    }
}

/// Is it made by an operation without a slope, as `step(z)` is?
fn is_piecewise_constant(val: &Val) -> bool {
    let is_flat = |input| val.jacobian(input).is_ok_and(|jacobian| jacobian.terms().is_empty());
    !val.inputs().is_empty() && (0..val.inputs().len()).all(is_flat)
}

/// The arguments of the first call of a function, where it takes no keywords.
fn first_call<'e>(expr: &'e Expr, name: &str) -> Option<&'e [Expr]> {
    let mut found = None;
    expr.walk(&mut |part| {
        if let ExprKind::Call { function, args, kwargs } = &part.kind
            && function.text == name
            && kwargs.is_empty()
            && found.is_none()
        {
            found = Some(args.as_slice());
        }
    });
    found
}

/// An expression with another one in place of each of some parts.
pub(crate) fn substituted_parts(expr: &Expr, parts: &[&Expr], with: &Expr) -> Expr {
    if parts.contains(&expr) {
        return with.clone();
    }
    let mut copy = expr.clone();
    for child in copy.children_mut() {
        *child = substituted_parts(child, parts, with);
    }
    copy
}

/// The children that are values, and no axes, shapes, words or indices.
pub(crate) fn operands(expr: &Expr) -> Vec<usize> {
    match &expr.kind {
        ExprKind::Negate(_) | ExprKind::Transpose(_) | ExprKind::Index { .. } => vec![0],
        ExprKind::Binary { .. } => vec![0, 1],
        ExprKind::Call { function, args, .. } => {
            if matches!(function.text.as_str(), "eye" | "ones" | "zeros" | "arange") {
                return Vec::new();
            }
            let is_value = |arg: &Expr| {
                !matches!(
                    arg.kind,
                    ExprKind::Number { .. } | ExprKind::List(_) | ExprKind::Text(_) | ExprKind::Bool(_)
                )
            };
            args.iter().enumerate().filter(|(_, arg)| is_value(arg)).map(|(at, _)| at).collect()
        }
        _ => Vec::new(),
    }
}

/// A part of a tree, as a cause sees it.
pub(crate) struct Place<'t> {
    pub tree: &'t Tree<'t>,
    pub path: Path,
    pub expr: &'t Expr,
    /// What it is an operand of, and which.
    pub parent: Option<(&'t Expr, usize)>,
    /// Its shape; none inside index notation.
    pub dims: Option<Vec<Dim>>,
    /// Is it part of what a mask compares?
    pub in_mask: bool,
}

impl Place<'_> {
    pub(crate) fn case(&self) -> &Case<'_> {
        self.tree.case
    }

    pub(crate) fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// Is it a whole, or a term of a sum?
    pub(crate) fn is_term(&self) -> bool {
        self.tree.is_term(&self.path)
    }

    /// Is it what something is divided by?
    pub(crate) fn divides(&self) -> bool {
        match self.parent.map(|(parent, child)| (&parent.kind, child)) {
            Some((ExprKind::Binary { operator, .. }, 1)) => operator.kind == BinaryOp::Div,
            _ => false,
        }
    }

    /// Is it multiplied by something?
    pub(crate) fn is_factor(&self) -> bool {
        match self.parent.map(|(parent, _)| &parent.kind) {
            Some(ExprKind::Binary { operator, .. }) => operator.kind == BinaryOp::Mul,
            _ => false,
        }
    }

    /// The number of axes of an operand; 0 where it has no value of its own.
    pub(crate) fn axes_of(&self, operand: &Expr) -> usize {
        self.dims_of(operand).map_or(0, |dims| dims.len())
    }

    /// The values that an expression at this place may use.
    pub(crate) fn known(&self) -> impl Iterator<Item = &Known> {
        self.tree.known()
    }

    /// The numbers that have names there.
    pub(crate) fn names(&self) -> Rc<Names> {
        self.case().names(self.tree.before)
    }

    /// The number of axes; 0 where it is not known.
    pub(crate) fn ndim(&self) -> usize {
        self.dims.as_ref().map_or(0, Vec::len)
    }

    /// The shape of an operand.
    pub(crate) fn dims_of(&self, operand: &Expr) -> Option<Vec<Dim>> {
        self.case().own().part(&self.tree.in_context(operand)).map(|val| val.dims().to_vec())
    }
}
