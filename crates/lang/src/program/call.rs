//! Calls: functions of the file and of the prelude, the few functions that are the language's own, and the op table.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use pullback_array::DType;
use pullback_ops::{Arg, Args, Kind, Operation, Origin, Parameter, Val, find, table};

use super::evaluate::{Evaluator, constant};
use super::failure::{Failure, Outcome, of_op};
use super::own::OWN;
use super::scalar::{as_row, of_row, row};
use super::scope::listed;
use crate::foreign;
use crate::prelude;
use crate::syntax::hint;
use crate::syntax::source::is_distribution;
use crate::{Error, Expr, ExprKind, Function, Name, Span};

impl Evaluator<'_> {
    pub(super) fn call(
        &mut self,
        span: Span,
        function: &Name,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Arg> {
        if self.scope.function(&function.text).is_some() {
            let mut given = Vec::new();
            for arg in args {
                given.push(self.arg(arg)?);
            }
            let mut named = Vec::new();
            for (keyword, arg) in kwargs {
                named.push((keyword, self.arg(arg)?));
            }
            return self.call_of_file(span, function, given, named);
        }
        if OWN.iter().any(|(name, _)| *name == function.text) {
            return self.own(span, function, args, kwargs);
        }
        match find(&function.text) {
            Some(operation) if operation.name == "where" && args.len() == 3 && kwargs.is_empty() => {
                // What is known before there are numbers decides at once, and the other branch is not looked at: it need not fit.
                let condition = self.arg(&args[0])?;
                match condition {
                    Arg::Flag(holds) => self.arg(&args[if holds { 1 } else { 2 }]),
                    Arg::Number(number, _) => self.arg(&args[if number == 0.0 { 2 } else { 1 }]),
                    other => self.operation(span, operation, Some(other), args, kwargs),
                }
            }
            Some(operation) => self.operation(span, operation, None, args, kwargs),
            None => Err(self.unknown_function(function, args.len())),
        }
    }

    /// A function of the file or of the prelude: its body, with the arguments for its parameters.
    fn call_of_file(
        &mut self,
        span: Span,
        name: &Name,
        given: Vec<Arg>,
        named: Vec<(&Name, Arg)>,
    ) -> Outcome<Arg> {
        let function = self.scope.function(&name.text).expect("the caller found it");
        let is_of_file = self.scope.defines(&name.text);
        let params: Vec<&str> = function.params.iter().map(|param| param.text.as_str()).collect();
        let call = format!("`{}`", function.signature());
        let wrong =
            |span: Span, message: String| Failure::Said(Error::new(span, message).with_hint(call.clone()));
        if given.len() > params.len() {
            let message = format!("`{name}` takes {} arguments and is given {}", params.len(), given.len());
            return Err(wrong(span, message));
        }
        let mut locals: HashMap<String, Arg> =
            params.iter().map(|param| (*param).to_owned()).zip(given).collect();
        for (keyword, arg) in named {
            let synonym = match keyword.text.as_str() {
                text if params.contains(&text) => None,
                text => Args::synonym(text, |name| params.contains(&name))
                    .map(|text| Name::new(text, keyword.span)),
            };
            let keyword = synonym.as_ref().unwrap_or(keyword);
            if !params.contains(&keyword.text.as_str()) {
                return Err(wrong(keyword.span, format!("`{name}` has no parameter `{keyword}`")));
            }
            if locals.insert(keyword.text.clone(), arg).is_some() {
                return Err(wrong(keyword.span, format!("`{keyword}` is given twice")));
            }
        }
        let left_out = |(param, _): &(&&str, &Option<Expr>)| !locals.contains_key(**param);
        let left_out: Vec<(&&str, &Option<Expr>)> =
            params.iter().zip(&function.defaults).filter(left_out).collect();
        if let Some((missing, _)) = left_out.iter().find(|(_, default)| default.is_none()) {
            return Err(wrong(span, format!("`{name}` needs `{missing}`")));
        }
        self.count_call(span)?;
        let defaults: Vec<(&str, &Expr)> =
            left_out.into_iter().filter_map(|(param, default)| Some((*param, default.as_ref()?))).collect();
        // An axis of a scalar is one of a row of one element, as PyTorch has it.
        let is_along = !is_of_file && params.contains(&"axis");
        let row = is_along.then(|| row(&locals, params[0])).flatten();
        let mut result = self.body_of(span, &function, locals, &defaults);
        if let (Err(_), Some(row)) = (&result, row) {
            result =
                self.body_of(span, &function, row, &defaults).and_then(|made| of_row(span, made)).or(result);
        }
        result.map_err(|failure| match failure {
            // What stands in the prelude is nobody's place.
            Failure::Said(error) if !is_of_file => {
                // A function that calls itself is named once.
                let prefix = format!("{name}: ");
                let is_named = error.message().starts_with(&prefix);
                let prefix = if is_named { "" } else { prefix.as_str() };
                let said = Error::new(span, format!("{prefix}{}", error.message()));
                match error.hint() {
                    Some(hint) => said.with_hint(hint.to_owned()).into(),
                    None => said.into(),
                }
            }
            // The body is where it went wrong, the call is why; the innermost call is the one to name.
            Failure::Said(error) if error.labels().len() == 0 => error.with_label(span, "called here").into(),
            other => other,
        })
    }

    /// What the body of a function comes to; the defaults are those of parameters that no argument is there for.
    fn body_of(
        &mut self,
        span: Span,
        function: &Function,
        locals: HashMap<String, Arg>,
        defaults: &[(&str, &Expr)],
    ) -> Outcome<Arg> {
        let outer = self.locals.replace(locals);
        let within = self.within;
        if !self.scope.defines(&function.name.text) {
            self.within.get_or_insert(span);
        }
        let result = self.nested(span, |this| {
            for (param, default) in defaults {
                let default = this.arg(default)?;
                this.locals.get_or_insert_default().insert((*param).to_owned(), default);
            }
            for inside in &function.inside {
                this.inner(inside)?;
            }
            this.arg(&function.body)
        });
        (self.locals, self.within) = (outer, within);
        result
    }

    /// One of a few words, bare, `col`, or as a string.
    pub(super) fn word(&mut self, expr: &Expr, kind: Kind) -> Outcome<String> {
        match &expr.kind {
            ExprKind::Name(name) if !self.means_something(name) => Ok(name.clone()),
            _ => match self.arg(expr)? {
                Arg::Text(text) => Ok(text),
                _ => Err(Error::new(expr.span, "a word is wanted here").with_hint(kind.to_string()).into()),
            },
        }
    }

    /// Is a name bound here, or a constant?
    fn means_something(&self, name: &str) -> bool {
        let is_local = self.locals.as_ref().is_some_and(|locals| locals.contains_key(name));
        is_local || self.scope.get(name).is_some() || matches!(name, "none" | "None")
    }

    /// A call of an operation, whose first argument may be known already.
    fn operation(
        &mut self,
        span: Span,
        operation: &'static Operation,
        mut first: Option<Arg>,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Arg> {
        let parameters = operation.parameters();
        let rest = parameters.last().copied().filter(|last| last.takes_rest);
        let mut positional = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            let parameter = parameters.get(at).copied().or(rest);
            positional.push(match first.take() {
                Some(known) => Arg::Value(self.operand_from(arg, known)?),
                None => self.argument(parameter, arg)?,
            });
        }
        let mut keywords = Vec::new();
        for (keyword, arg) in kwargs {
            let parameter = parameters.iter().copied().find(|parameter| parameter.name == keyword.text);
            keywords.push((keyword.text.clone(), self.argument(parameter, arg)?));
        }
        let is_along = parameters.iter().any(|it| matches!(it.kind, Kind::Axis | Kind::Axes));
        let is_scalar = matches!(positional.first(), Some(Arg::Value(x)) if x.ndim() == 0);
        if !(is_along && is_scalar) {
            return self.operation_of(span, operation, positional, keywords);
        }
        // An axis of a scalar is one of a row of one element, as PyTorch has it.
        let row: Option<Vec<Arg>> = positional.iter().map(as_row).collect();
        let result = self.operation_of(span, operation, positional, keywords.clone());
        match (result, row) {
            (Err(failure), Some(row)) => {
                let made = self.operation_of(span, operation, row, keywords);
                made.and_then(|made| of_row(span, made)).or(Err(failure))
            }
            (result, _) => result,
        }
    }

    /// The result of an operation, or a list of them.
    fn operation_of(
        &mut self,
        span: Span,
        operation: &'static Operation,
        positional: Vec<Arg>,
        keywords: Vec<(String, Arg)>,
    ) -> Outcome<Arg> {
        let bound = Args::bind(operation.name, operation.entry, positional, keywords, self.scope.dtype);
        let result = bound.and_then(|args| (operation.entry.call)(&args)).map_err(of_op(span))?;
        // Of an operation with several results they are a list.
        let is_own = matches!(result.origin(), Origin::Call(op, _) if op.name() == operation.name);
        let results = if is_own { result.outputs() } else { Vec::new() };
        Ok(match results.len() {
            0 | 1 => Arg::Value(result),
            _ => {
                results.iter().for_each(|result| self.remember_place(result, span));
                Arg::List(results.into_iter().map(Arg::Value).collect())
            }
        })
    }

    /// An argument in the form that its parameter wants; one for an unknown parameter as it is.
    fn argument(&mut self, parameter: Option<Parameter>, expr: &Expr) -> Outcome<Arg> {
        let Some(Parameter { kind, takes_rest, .. }) = parameter else {
            return self.arg(expr).map(|arg| self.attribute(arg));
        };
        match kind {
            Kind::Word(_) => match &expr.kind {
                ExprKind::Name(name) if !self.means_something(name) => Ok(Arg::Text(name.clone())),
                _ => self.arg(expr),
            },
            _ if !kind.is_value() => self.arg(expr).map(|arg| self.attribute(arg)),
            _ => Ok(match (self.arg(expr)?, &expr.kind) {
                (Arg::Nothing, _) => Arg::Nothing,
                (arg, _) if kind == Kind::Indices => {
                    let val = self.operand_from(expr, arg)?;
                    Arg::Value(whole_numbers(&val).unwrap_or(val))
                }
                (number @ Arg::Number(_, None), _) => number,
                // Values, one behind the other: as a list too.
                (Arg::List(items), ExprKind::List(exprs))
                    if takes_rest && items.iter().any(|item| matches!(item, Arg::Value(_))) =>
                {
                    let of = |(item, expr): (Arg, &Expr)| self.operand_from(expr, item).map(Arg::Value);
                    Arg::List(items.into_iter().zip(exprs).map(of).collect::<Outcome<_>>()?)
                }
                (Arg::List(items), _)
                    if takes_rest && items.iter().all(|item| matches!(item, Arg::Value(_))) =>
                {
                    Arg::List(items)
                }
                (other, _) => Arg::Value(self.operand_from(expr, other)?),
            }),
        }
    }

    /// An attribute: a scalar input such as `k = 3` is the number it was given.
    fn attribute(&self, arg: Arg) -> Arg {
        match arg {
            Arg::Value(val) => match constant(&self.outside(&val)).or_else(|| of_constants(&val)) {
                Some(number) => Arg::Number(number, None),
                None => Arg::Value(val),
            },
            Arg::List(items) => Arg::List(items.into_iter().map(|item| self.attribute(item)).collect()),
            other => other,
        }
    }

    /// The error about a function that is not there, called with so many arguments that have no keyword.
    pub(super) fn unknown_function(&self, function: &Name, given: usize) -> Failure {
        let name = function.text.as_str();
        let error = Error::new(function.span, format!("there is no function `{name}`"));
        let hint = if name == "load" {
            "an input is loaded: `X: [N, D] = load(\"x.npy\")`".to_owned()
        } else if is_distribution(name) {
            format!("an input is drawn: `x: [n=3] ~ {name}`")
        } else if self.scope.get(name).is_some() {
            format!("`{name}` is a value: write `{name} * (…)` for a product")
        } else if let Some(instead) = foreign::instead_of(name) {
            instead
        } else {
            let mut known = self.known_functions();
            known.sort_unstable_by_key(|(name, _)| *name);
            // What is spelt alike and takes another number of arguments was not meant.
            let fitting = known.iter().filter(|(_, takes)| takes.contains(&given)).map(|(name, _)| *name);
            match hint::nearest(name, fitting) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                    format!("`pullback ops` lists them: {}", listed(&known))
                }
            }
        };
        error.with_hint(hint).into()
    }

    /// The names of all functions, with the numbers of arguments that they take.
    fn known_functions(&self) -> Vec<(&str, RangeInclusive<usize>)> {
        let of_file =
            self.scope.function_names().chain(prelude::names().map(|name| name as &str)).map(|name: &str| {
                let function = self.scope.function(name);
                let count = |of: fn(&Function) -> usize| function.as_deref().map_or(0, of);
                let needed =
                    count(|function| function.defaults.iter().filter(|default| default.is_none()).count());
                (name, needed..=count(|function| function.params.len()))
            });
        let own = OWN.iter().map(|&(name, usage)| (name, arguments(usage)));
        let operations = table().iter().flat_map(|op| {
            let names = std::iter::once(op.name).chain(op.entry.aliases.iter().copied());
            names.map(move |name| (name, arguments(op.entry.signature)))
        });
        of_file.chain(own).chain(operations).collect()
    }
}

/// How many arguments a call of this signature takes; as many as one likes where a shape is written out.
fn arguments(signature: &'static str) -> RangeInclusive<usize> {
    if matches!(signature, "ones(m, n)" | "zeros(m, n)") {
        return 1..=usize::MAX;
    }
    let parameters = Parameter::all(signature);
    let needed = |parameter: &&Parameter| parameter.default.is_none() && !parameter.takes_rest;
    let most = match parameters.iter().any(|parameter| parameter.takes_rest) {
        true => usize::MAX,
        false => parameters.len(),
    };
    parameters.iter().filter(needed).count()..=most
}

/// The number that scalars which are written down or given come to, `hd / 2`.
pub(super) fn of_constants(val: &Val) -> Option<f64> {
    let (mut pending, mut seen) = (vec![val], HashSet::new());
    while let Some(next) = pending.pop() {
        if next.ndim() != 0 || !next.has_numbers() {
            return None;
        }
        if seen.insert(next.order()) {
            pending.extend(next.inputs());
        }
    }
    val.array().ok()?.item().ok()
}

/// The same value as integers, where it is an input or a list of nothing but whole numbers, or one of these in another shape: `[0, 2, 1]` is an
/// index although literals are floats.
pub(super) fn whole_numbers(val: &Val) -> Option<Val> {
    let mut given = val.original();
    while let Some(of) = given.viewed() {
        given = of.original();
    }
    if !matches!(given.origin(), Origin::Leaf | Origin::Number(_))
        || !val.dtype().is_float()
        || !val.has_numbers()
    {
        return None;
    }
    let array = val.array().ok()?;
    // 2^53, as for sizes.
    let is_whole = |x: &f64| x.fract() == 0.0 && x.abs() < 9_007_199_254_740_992.0;
    if !array.to_vec_f64().iter().all(is_whole) {
        return None;
    }
    let whole = Val::with_dims(array.cast(DType::I64).ok()?, val.dims()).ok()?;
    Some(match val.name() {
        Some(name) => whole.named(name.as_str()),
        None => whole,
    })
}
