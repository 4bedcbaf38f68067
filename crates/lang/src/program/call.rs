//! Calls: functions of the file, the few functions that are the language's own, and the op table.
//!
//! The language's own are those whose arguments are no values (`eye`, `zeros`, `ones`, `arange`) and those that only
//! say something shorter (`square`, `dot`, `unvec`). Everything else is an operation of the table.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use pullback_array::{Array, DType};
use pullback_network::Dim;
use pullback_ops::{Arg, Args, Operation, Origin, Val, find, table};

use super::evaluate::{Evaluator, constant};
use super::failure::{Failure, Outcome, of_array, of_op};
use super::scope::listed;
use crate::foreign;
use crate::prelude;
use crate::syntax::hint;
use crate::syntax::source::is_distribution;
use crate::{BinaryOp, Error, Expr, ExprKind, Function, Name, Span};

/// The functions that are the language's own, as they are called.
pub(crate) const OWN: [(&str, &str); 8] = [
    ("arange", "arange(n)"),
    ("delta", "delta[i,j]"),
    ("dot", "dot(a, b)"),
    ("eye", "eye(n)"),
    ("ones", "ones(m, n)"),
    ("square", "square(x)"),
    ("unvec", "unvec(v, [m, n])"),
    ("zeros", "zeros(m, n)"),
];

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
            return self.own(span, function, args, kwargs).map(Arg::Value);
        }
        match find(&function.text) {
            Some(operation) => self.operation(span, operation, args, kwargs),
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
                text => Args::synonym(text).map(|text| Name::new(text, keyword.span)),
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
        let defaults: Vec<(String, &Expr)> = left_out
            .into_iter()
            .filter_map(|(param, default)| Some(((*param).to_owned(), default.as_ref()?)))
            .collect();
        let outer = self.locals.replace(locals);
        let within = self.within;
        if !is_of_file {
            self.within.get_or_insert(span);
        }
        let result = self.nested(span, |this| {
            for (param, default) in defaults {
                let default = this.arg(default)?;
                this.locals.get_or_insert_default().insert(param, default);
            }
            for inside in &function.inside {
                this.inner(inside)?;
            }
            this.arg(&function.body)
        });
        (self.locals, self.within) = (outer, within);
        result.map_err(|failure| match failure {
            // What stands in the prelude is nobody's place.
            Failure::Said(error) if !is_of_file => {
                let said = Error::new(span, format!("{name}: {}", error.message()));
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

    fn own(&mut self, span: Span, function: &Name, args: &[Expr], kwargs: &[(Name, Expr)]) -> Outcome<Val> {
        let usage = OWN.iter().find(|(name, _)| *name == function.text).map_or("", |(_, usage)| usage);
        let wrong =
            |message: String| Failure::Said(Error::new(span, message).with_hint(format!("write `{usage}`")));
        let by_column = function.text == "unvec" && matches!(kwargs, [(name, _)] if name.text == "layout");
        if !kwargs.is_empty() && !by_column {
            return Err(wrong(format!("`{function}` takes no keywords")));
        }
        let dtype = self.scope.dtype;
        match (function.text.as_str(), args) {
            ("eye", [n]) => {
                let dim = self.size(n)?;
                let array = Array::eye(dim.size(), dtype).map_err(of_array(span))?;
                Val::with_dims(array, &[dim, dim]).map_err(of_op(span))
            }
            ("ones" | "zeros", sizes) => {
                let dims = self.sizes(sizes)?;
                let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
                let fill = if function.text == "ones" { 1.0 } else { 0.0 };
                let array = Array::full(&shape, fill, dtype).map_err(of_array(span))?;
                Val::with_dims(array, &dims).map_err(of_op(span))
            }
            ("arange", [n]) => {
                let dim = self.size(n)?;
                let array =
                    Array::arange(dim.size()).and_then(|array| array.cast(dtype)).map_err(of_array(span))?;
                Val::with_dims(array, &[dim]).map_err(of_op(span))
            }
            ("square", [x]) => self.operand(x)?.powf(2.0).map_err(of_op(span)),
            ("dot", [a, b]) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                super::arithmetic::applied(BinaryOp::MatMul, &a, &b).map_err(of_op(span))
            }
            ("unvec", [v, sizes, layout @ ..]) if layout.len() + kwargs.len() <= 1 => {
                let v = self.operand(v)?;
                let dims = self.sizes(std::slice::from_ref(sizes))?;
                let layout = layout.first().or(kwargs.first().map(|(_, layout)| layout));
                match layout.map(|layout| self.word(layout)).transpose()?.as_deref() {
                    None | Some("row") => v.reshape(&dims).map_err(of_op(span)),
                    Some("col") => {
                        let reversed: Vec<Dim> = dims.iter().rev().copied().collect();
                        let axes: Vec<usize> = (0..dims.len()).rev().collect();
                        v.reshape(&reversed).and_then(|x| x.permute(&axes)).map_err(of_op(span))
                    }
                    Some(other) => Err(Error::new(span, format!("unvec: `{other}` is no layout"))
                        .with_hint("`row` or `col`")
                        .into()),
                }
            }
            ("delta", _) => Err(Error::new(span, "`delta` has indices, no arguments")
                .with_hint("write `delta[i,j]` in index notation, `eye(n)` elsewhere")
                .into()),
            (_, args) => Err(wrong(format!("`{function}` does not take {} arguments", args.len()))),
        }
    }

    /// Sizes given as several arguments or as one list.
    fn sizes(&mut self, args: &[Expr]) -> Outcome<Vec<Dim>> {
        match args {
            [Expr { kind: ExprKind::List(items), .. }] => items.iter().map(|item| self.size(item)).collect(),
            _ => args.iter().map(|arg| self.size(arg)).collect(),
        }
    }

    /// The size that an expression is.
    pub(super) fn size(&mut self, expr: &Expr) -> Outcome<Dim> {
        let wrong = |what: String| {
            let message = format!("a size is a whole number from 0 on, not {what}");
            Failure::Said(
                Error::new(expr.span, message).with_hint("write the number, or a dim bound with `[n=3]`"),
            )
        };
        let (number, dim) = match self.arg(expr)? {
            Arg::Number(number, dim) => (number, dim),
            Arg::Value(val) => match constant(&self.outside(&val)).or_else(|| of_constants(&val)) {
                Some(number) => (number, None),
                None => return Err(wrong(format!("a value of shape {:?}", val.dims()))),
            },
            _ => return Err(wrong("this".to_owned())),
        };
        // 2^53: every whole number below is one of f64's.
        if number.fract() != 0.0 || !(0.0..9_007_199_254_740_992.0).contains(&number) {
            return Err(wrong(format!("{number}")));
        }
        Ok(dim.unwrap_or(Dim::new(number as usize)))
    }

    /// A bare word such as `col`, or a string.
    fn word(&mut self, expr: &Expr) -> Outcome<String> {
        match &expr.kind {
            ExprKind::Name(name) if self.scope.get(name).is_none() => Ok(name.clone()),
            _ => match self.arg(expr)? {
                Arg::Text(text) => Ok(text),
                _ => Err(Error::new(expr.span, "a word is wanted here").with_hint("`row` or `col`").into()),
            },
        }
    }

    fn operation(
        &mut self,
        span: Span,
        operation: &'static Operation,
        args: &[Expr],
        kwargs: &[(Name, Expr)],
    ) -> Outcome<Arg> {
        let parameters = parameters(operation.entry.signature);
        let rest = parameters.last().copied().filter(|last| last.takes_rest);
        let mut positional = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            let parameter = parameters.get(at).copied().or(rest);
            positional.push(self.argument(parameter, arg)?);
        }
        let mut keywords = Vec::new();
        for (keyword, arg) in kwargs {
            let parameter = parameters.iter().copied().find(|parameter| parameter.name == keyword.text);
            keywords.push((keyword.text.clone(), self.argument(parameter, arg)?));
        }
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
        match parameter {
            Some(parameter) if matches!(parameter.name, "index" | "target") => {
                let arg = self.arg(expr)?;
                let val = self.operand_from(expr, arg)?;
                Ok(Arg::Value(whole_numbers(&val).unwrap_or(val)))
            }
            Some(parameter) if parameter.is_value => Ok(match (self.arg(expr)?, &expr.kind) {
                (number @ Arg::Number(_, None), _) => number,
                // Values, one behind the other: as a list too.
                (Arg::List(items), ExprKind::List(exprs))
                    if parameter.takes_rest && items.iter().any(|item| matches!(item, Arg::Value(_))) =>
                {
                    let of = |(item, expr): (Arg, &Expr)| self.operand_from(expr, item).map(Arg::Value);
                    Arg::List(items.into_iter().zip(exprs).map(of).collect::<Outcome<_>>()?)
                }
                (Arg::List(items), _)
                    if parameter.takes_rest && items.iter().all(|item| matches!(item, Arg::Value(_))) =>
                {
                    Arg::List(items)
                }
                (other, _) => Arg::Value(self.operand_from(expr, other)?),
            }),
            _ => {
                let bare = matches!(&expr.kind, ExprKind::Name(name)
                    if matches!(name.as_str(), "row" | "col") && self.scope.get(name).is_none());
                if bare {
                    self.word(expr).map(Arg::Text)
                } else {
                    self.arg(expr).map(|arg| self.attribute(arg))
                }
            }
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
    let parameters = parameters(signature);
    let needed = |parameter: &&Parameter| !parameter.has_default && !parameter.takes_rest;
    let most = match parameters.iter().any(|parameter| parameter.takes_rest) {
        true => usize::MAX,
        false => parameters.len(),
    };
    parameters.iter().filter(needed).count()..=most
}

/// A parameter of an operation.
#[derive(Clone, Copy)]
struct Parameter {
    name: &'static str,
    /// Is it a value of the graph, or an attribute: an axis, a shape, a word?
    is_value: bool,
    has_default: bool,
    takes_rest: bool,
}

/// The parameters of a signature such as `sum(x, axis=none, keepdims=false)`. What has a default is an attribute.
fn parameters(signature: &'static str) -> Vec<Parameter> {
    const ATTRIBUTES: [&str; 6] = ["at", "axes", "axis", "shape", "size", "spec"];
    let inside = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let parameter = |text: &'static str| {
        let (name, has_default) = text.split_once('=').map_or((text, false), |(name, _)| (name, true));
        let takes_rest = name.starts_with('*');
        let name = name.trim_start_matches('*');
        Parameter { name, is_value: !has_default && !ATTRIBUTES.contains(&name), has_default, takes_rest }
    };
    inside.split(", ").filter(|text| !text.is_empty()).map(parameter).collect()
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

/// The same value as integers, where it is an input or a list of nothing but whole numbers: `[0, 2, 1]` is an index
/// although literals are floats.
pub(super) fn whole_numbers(val: &Val) -> Option<Val> {
    if !matches!(val.original().origin(), Origin::Leaf | Origin::Number(_))
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
