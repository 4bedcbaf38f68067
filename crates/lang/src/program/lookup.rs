//! What names and references to claims stand for.
//!
//! Some claims may have other values than those they state: then the definitions that use them are computed anew.

use pullback_ops::{Arg, Val};

use super::evaluate::Evaluator;
use super::failure::{Failure, Outcome};
use super::notation;
use super::scope::{Meaning, Recipe, Stated, StatedValue};
use crate::{Error, Expr, Layout, Name, Span};

/// What a name is that the language gives, where a file does not.
pub(crate) fn of_language(name: &str) -> Option<Arg> {
    Some(match name {
        "pi" | "π" => Arg::Number(std::f64::consts::PI, None),
        "inf" => Arg::Number(f64::INFINITY, None),
        "nan" => Arg::Number(f64::NAN, None),
        "none" | "None" => Arg::Nothing,
        _ => return None,
    })
}

impl Evaluator<'_> {
    /// What a name is.
    pub(super) fn name(&mut self, name: &Name) -> Outcome<Arg> {
        if let Some(arg) = self.locals.as_ref().and_then(|locals| locals.get(&name.text)) {
            return Ok(arg.clone());
        }
        let Some(bound) = self.scope.get(&name.text) else {
            return of_language(&name.text).ok_or_else(|| self.scope.unknown(name));
        };
        self.referred.extend(bound.refers_to.iter().copied().filter(|&claim| claim < self.before));
        match &bound.meaning {
            Meaning::Dim(dim) => Ok(Arg::Number(dim.size() as f64, Some(*dim))),
            Meaning::Value(val) => match (&bound.recipe, self.replaced) {
                (Some(recipe), Some(replaced))
                    if bound.refers_to.iter().any(|claim| replaced.contains_key(claim)) =>
                {
                    self.computed_anew(name.span, recipe).map(Arg::Value)
                }
                _ => Ok(Arg::Value(val.clone())),
            },
            Meaning::Loss => {
                Err(Error::new(name.span, format!("`{name}` has no value: only its cotangents are given"))
                    .with_label(bound.span, "given here")
                    .with_hint(format!("a claim about it, such as `d{name}/dx`, may be used"))
                    .into())
            }
            Meaning::Failed => Err(Failure::Silent),
        }
    }

    /// A definition that uses claims, where those have other values than they state.
    fn computed_anew(&mut self, span: Span, recipe: &Recipe) -> Outcome<Val> {
        // The definition stands outside of the function whose body may be evaluated just now.
        let (locals, within) = (self.locals.take(), self.within.take());
        let loops = std::mem::take(&mut self.loops);
        let result = self.nested(span, |this| match recipe {
            Recipe::Entries(indices, expr) => notation::definition(this, indices, expr),
            Recipe::Result { number, count, expr } => Ok(this.results(expr, *count)?.remove(*number)),
            Recipe::Value(expr) => this.value(expr),
            Recipe::Loop { number, scan } => Ok(this.scan(scan)?.remove(*number).1),
        });
        (self.locals, self.within, self.loops) = (locals, within, loops);
        // It is from outside of the loops, though made just now.
        let older = |this: &mut Self, val: Val| match this.loops.is_empty() {
            true => val,
            false => this.captured_as_outside(val),
        };
        result.map(|val| older(self, val))
    }

    /// The results of an expression that has several.
    pub(super) fn results(&mut self, expr: &Expr, count: usize) -> Outcome<Vec<Val>> {
        let items = match self.arg(expr)? {
            Arg::List(items) => items,
            one => vec![one],
        };
        if items.len() != count {
            let results =
                if items.len() == 1 { "1 result".to_owned() } else { format!("{} results", items.len()) };
            let message = format!("this has {results}, and {count} names stand before it");
            return Err(Error::new(expr.span, message)
                .with_hint("`_` stands for one that is not used")
                .into());
        }
        items.into_iter().map(|item| self.value_from(expr, item)).collect()
    }

    /// The value of an earlier claim. Of several claims about one derivative the one that says nothing of a layout is
    /// meant, or else the first.
    pub(super) fn reference(&mut self, span: Span, of: &Name, wrt: &[Name]) -> Outcome<Val> {
        if let [x] = wrt
            && let Some(upstream) = self.scope.upstream(&of.text, &x.text)
        {
            return upstream.clone().ok_or(Failure::Silent);
        }
        let about = |stated: &Stated| {
            stated.of == of.text
                && stated.wrt.iter().eq(wrt.iter().map(|x| &x.text))
                && !matches!(stated.value, StatedValue::Shape)
        };
        let before = self.before.min(self.scope.stated.len());
        let candidates = self.scope.stated[..before].iter().enumerate().filter(|(_, stated)| about(stated));
        let chosen =
            candidates.min_by_key(|(at, stated)| (stated.partial, stated.layout != Layout::Default, *at));
        let Some((at, stated)) = chosen else {
            let shown = crate::syntax::ast::derivative(of, wrt);
            return Err(Error::new(span, format!("`{shown}` is not claimed above"))
                .with_hint(format!("state it first, `{shown} = …`, or write out its value here"))
                .into());
        };
        self.referred.insert(at);
        if let Some(other) = self.replaced.and_then(|replaced| replaced.get(&at)) {
            return Ok(other.clone());
        }
        match &stated.value {
            StatedValue::Value(val) => Ok(val.clone()),
            StatedValue::Shape | StatedValue::Failed => Err(Failure::Silent),
        }
    }
}
