//! What a name means.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pullback_array::DType;
use pullback_network::Dim;
use pullback_ops::Val;

use super::failure::{Failure, Outcome};
use crate::prelude;
use crate::syntax::hint;
use crate::{Error, Expr, Function, Layout, Name, Names, Scan, Span};

/// The names that an expression may use: dims, values, functions, and claims to refer to.
///
/// ```
/// use pullback_array::{Array, DType};
/// use pullback_lang::program::{Scope, evaluate};
/// use pullback_ops::Val;
///
/// let mut scope = Scope::new(DType::F64);
/// scope.define("x", Val::new(Array::from_slice(&[3], &[1.0, 2.0, 3.0])?).named("x"));
/// let expr = pullback_lang::parse_expr("sum(x^2) / 2")?.expr;
/// assert_eq!(evaluate(&expr, &scope)?.array()?.item()?, 7.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scope {
    pub(super) dtype: DType,
    bindings: HashMap<String, Bound>,
    functions: HashMap<String, Arc<Function>>,
    /// In file order; one for each claim that has been gone through, so that an index here is one of the program's.
    pub(super) stated: Vec<Stated>,
    upstreams: HashMap<(String, String), Option<Val>>,
    /// All names of the file, for the hint that one is defined further down.
    all: Arc<Names>,
}

/// A name and what it is bound to.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) meaning: Meaning,
    pub(super) span: Span,
    /// The claims whose value it was computed from.
    pub(super) refers_to: BTreeSet<usize>,
    /// How to compute it anew where one of those is replaced.
    pub(super) recipe: Option<Arc<Recipe>>,
    /// Is it true or not by its definition, and no index?
    pub(super) condition: bool,
}

/// What a name is bound to.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Dim(Dim),
    Value(Val),
    /// The loss of given cotangents.
    Loss,
    /// A value whose statement failed.
    Failed,
}

/// The right side of a definition that uses claims.
#[derive(Debug)]
pub(super) enum Recipe {
    /// What an expression is.
    Value(Expr),
    /// One of several results.
    Result {
        /// Which.
        number: usize,
        /// Of how many.
        count: usize,
        /// Of what.
        expr: Expr,
    },
    /// Entry by entry.
    Entries(Vec<Name>, Expr),
    /// A name of a loop.
    Loop {
        /// Which of those that it binds.
        number: usize,
        /// The loop.
        scan: Arc<Scan>,
    },
}

/// A claim as a reference sees it.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub(super) of: String,
    pub(super) wrt: Vec<String>,
    pub(super) layout: Layout,
    pub(super) partial: bool,
    pub(super) value: StatedValue,
}

/// What a claim claims, as a reference sees it.
#[derive(Clone, Debug)]
pub(super) enum StatedValue {
    Value(Val),
    /// A shape, to which nothing can refer.
    Shape,
    Failed,
}

impl Scope {
    /// A scope without names, in which numbers become values of `dtype`.
    pub fn new(dtype: DType) -> Scope {
        Scope::within(dtype, Names::default())
    }

    pub(super) fn within(dtype: DType, all: Names) -> Scope {
        Scope {
            dtype,
            bindings: HashMap::new(),
            functions: HashMap::new(),
            stated: Vec::new(),
            upstreams: HashMap::new(),
            all: Arc::new(all),
        }
    }

    /// Binds a name to a value; a later binding takes the place of an earlier one.
    pub fn define(&mut self, name: &str, val: Val) {
        self.set(name, Span::default(), Meaning::Value(val));
    }

    /// Binds a dim's name to its size; a dim without a name binds nothing.
    pub fn define_dim(&mut self, dim: Dim) {
        if let Some(name) = dim.name() {
            self.set(name.as_str(), Span::default(), Meaning::Dim(dim));
        }
    }

    /// Gives a function a meaning in call position.
    pub fn define_function(&mut self, function: &Function) {
        self.functions.insert(function.name.text.clone(), Arc::new(function.clone()));
    }

    fn set(&mut self, name: &str, span: Span, meaning: Meaning) {
        let bound = Bound { meaning, span, refers_to: BTreeSet::new(), recipe: None, condition: false };
        self.bindings.insert(name.to_owned(), bound);
    }

    /// Binds a name that nothing has yet.
    pub(super) fn bind(&mut self, name: &Name, meaning: Meaning) -> Outcome<()> {
        if let Some(earlier) = self.bindings.get(&name.text) {
            let what = match earlier.meaning {
                Meaning::Dim(_) => "a dim",
                Meaning::Loss => "the loss of a given cotangent",
                Meaning::Value(_) | Meaning::Failed => "a value",
            };
            return Err(Error::new(name.span, format!("`{name}` is already {what}"))
                .with_label(earlier.span, "bound here")
                .with_hint("each name is bound once, and dims and values share their names; choose another")
                .into());
        }
        self.set(&name.text, name.span, meaning);
        Ok(())
    }

    /// Remembers the claims that a definition was computed from.
    pub(super) fn trace(&mut self, name: &str, refers_to: BTreeSet<usize>, recipe: Recipe) {
        if let Some(bound) = self.bindings.get_mut(name)
            && !refers_to.is_empty()
        {
            bound.refers_to = refers_to;
            bound.recipe = Some(Arc::new(recipe));
        }
    }

    /// Remembers that a definition is a condition.
    pub(super) fn define_condition(&mut self, name: &str) {
        if let Some(bound) = self.bindings.get_mut(name) {
            bound.condition = true;
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Bound> {
        self.bindings.get(name)
    }

    /// A function of the file, else one of the prelude.
    pub(super) fn function(&self, name: &str) -> Option<Arc<Function>> {
        self.functions.get(name).or_else(|| prelude::find(name)).cloned()
    }

    /// Does the file define a function of this name?
    pub(super) fn defines(&self, function: &str) -> bool {
        self.functions.contains_key(function)
    }

    pub(super) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// A given cotangent: `None` for one that nobody gave, `Some(None)` for one whose statement failed.
    pub(super) fn upstream(&self, of: &str, wrt: &str) -> Option<&Option<Val>> {
        self.upstreams.get(&(of.to_owned(), wrt.to_owned()))
    }

    pub(super) fn add_upstream(&mut self, of: &str, wrt: &str, val: Option<Val>) {
        self.upstreams.insert((of.to_owned(), wrt.to_owned()), val);
    }

    /// The error about a name that means nothing here.
    pub(super) fn unknown(&self, name: &Name) -> Failure {
        let error = Error::new(name.span, format!("`{name}` is not defined"));
        if let Some((_, place)) = self.all.get(&name.text) {
            return Error::new(name.span, format!("`{name}` is not defined yet"))
                .with_label(place, "it is defined here")
                .with_hint("statements are read from top to bottom: move the definition up")
                .into();
        }
        if name.text == "delta" {
            return error
                .with_hint("`delta[i,j]` stands in index notation only; elsewhere write `eye(n)`")
                .into();
        }
        if self.functions.contains_key(&name.text) || crate::foreign::exists(&name.text) {
            let hint = format!("`{name}` is a function: write `{name}(…)`");
            return error.with_hint(hint).into();
        }
        let mut known: Vec<&str> = self.bindings.keys().map(String::as_str).collect();
        known.sort_unstable();
        match hint::nearest(&name.text, known.iter().copied()) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")).into(),
            None if known.is_empty() => error.with_hint("nothing is defined here").into(),
            None => error.with_hint(format!("defined here are {}", listed(&known))).into(),
        }
    }
}

/// Names in a sentence; the first dozen of many.
pub(super) fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
