//! Values by their entries: what is no sum of products is a function of such sums, `tanh(Σ_k X_ik W_kj)`.

use std::cell::RefCell;
use std::collections::HashMap;

use pullback_autograd::jacobian;
use pullback_lang::program::{Scope, evaluate};
use pullback_lang::{Expr, ExprKind, Span, make, parse_expr};
use pullback_network::{Coef, Dim, Value as _};
use pullback_ops::{Factor, Origin, Term, Val};

use super::line::{Alphabet, Entry, Inner, Lettering, ONLY, Product, Within, product};
use super::{MOST_TERMS, rules_between};
use crate::code::{Source, Writer, as_powers};
use crate::forward::Expansion;
use crate::notation::is_entrywise;

/// Writes entries.
pub(super) struct Entries<'a> {
    pub alphabet: &'a Alphabet,
    /// How a value is written that stands in a sum.
    pub payload: &'a dyn Fn(&Val) -> Option<Expr>,
    /// The values that were written as sums of products before.
    pub expansion: &'a RefCell<Expansion>,
}

/// Sums in an expression, by the names that they have there.
struct Sums<'a> {
    known: RefCell<Vec<(String, Val)>>,
    expansion: &'a RefCell<Expansion>,
}

/// An operation by its definition, and the derivative of that.
pub(super) struct Derived {
    /// What the operation is called.
    pub name: &'static str,
    /// What it is.
    pub definition: Vec<Product>,
    /// Its derivative by one entry.
    pub slope: Vec<Product>,
    /// The rules that give it.
    pub rules: Vec<&'static str>,
}

impl<'a> Entries<'a> {
    fn products(&self, value: &Val) -> Option<Vec<Term>> {
        self.expansion.borrow_mut().products(value).ok()?
    }

    /// None that are known yet.
    fn no_sums(&self) -> Sums<'a> {
        Sums { known: RefCell::default(), expansion: self.expansion }
    }

    /// A value as a sum of products of functions of sums, as far as it is one.
    pub(super) fn of(&self, value: &Val, letters: &[String]) -> Option<Vec<Product>> {
        if let Some(terms) = self.products(value)
            && terms.len() <= MOST_TERMS
        {
            return self.sum(&terms, letters, &[]);
        }
        let sums = self.no_sums();
        let called = |value: &Val| sums.called(value);
        let source = Source { cotangent: &|_| None, written: &called, as_derived: false };
        let writer = Writer::new(&source);
        let whole = writer.definition(value).filter(|expr| sums.make_up(expr))?;
        let at = letters.iter().cloned().map(Some).collect();
        let entry = self.with_sums(whole, at, &sums, letters)?;
        Some(vec![Product { coef: Coef::one(), over: Vec::new(), factors: vec![entry] }])
    }

    /// Terms as products of functions of sums, where other letters stand around them.
    fn sum(&self, terms: &[Term], slots: &[String], around: &[String]) -> Option<Vec<Product>> {
        let sums = self.no_sums();
        let called = |value: &Val| sums.called(value);
        let source = Source { cotangent: &|_| None, written: &called, as_derived: false };
        let writer = Writer::new(&source);
        let factor = |value: &Val| {
            writer.written(value).filter(|expr| sums.make_up(expr)).or_else(|| (self.payload)(value))
        };
        self.with_factors(terms, (slots, around), &sums, &factor)
    }

    /// Terms as products whose factors have their sums written out.
    fn with_factors(
        &self,
        terms: &[Term],
        (slots, around): (&[String], &[String]),
        sums: &Sums<'_>,
        written: &dyn Fn(&Val) -> Option<Expr>,
    ) -> Option<Vec<Product>> {
        let mut lettering =
            Lettering { alphabet: self.alphabet, known: HashMap::new(), taken: around.to_vec() };
        let mut all = Vec::new();
        for term in terms {
            let mut product = product(term, slots, &mut lettering, written)?;
            let taken: Vec<String> = slots.iter().chain(around).cloned().chain(product.letters()).collect();
            for factor in &mut product.factors {
                if let Entry::Of(of, at) = factor {
                    *factor = self.with_sums(of.clone(), at.clone(), sums, &taken)?;
                }
            }
            all.push(product);
        }
        Some(all)
    }

    /// The entry of an expression, with its sums written out.
    fn with_sums(
        &self,
        of: Expr,
        at: Vec<Option<String>>,
        sums: &Sums<'_>,
        taken: &[String],
    ) -> Option<Entry> {
        let mut inner = Vec::new();
        for (name, value) in &*sums.known.borrow() {
            let mut is_there = false;
            of.walk(&mut |part| is_there |= matches!(&part.kind, ExprKind::Name(own) if own == name));
            if !is_there {
                continue;
            }
            let own = &at[at.len().checked_sub(value.ndim())?..];
            let letter = |(letter, dim): (&Option<String>, &Dim)| {
                if dim.is_single() { Some(ONLY.to_owned()) } else { letter.clone() }
            };
            let own: Vec<String> = own.iter().zip(value.dims()).map(letter).collect::<Option<_>>()?;
            let around: Vec<String> = taken.iter().chain(at.iter().flatten()).cloned().collect();
            let products = self.sum(&self.products(value)?, &own, &around)?;
            inner.push(Inner { name: name.clone(), at: own, products });
        }
        Some(if inner.is_empty() { Entry::Of(of, at) } else { Entry::Within(Within { of, at, sums: inner }) })
    }

    /// How the Jacobian of an operation by what it is applied to comes of its definition, where it has one.
    pub(super) fn derived(&self, of: &Val, value: &Val, letters: (&[String], &[String])) -> Option<Derived> {
        let Origin::Call(op, inputs) = of.origin() else { return None };
        let [input] = &inputs[..] else { return None };
        let definition = parse_expr(&op.definition(X)?).ok()?.expr;
        if input.id() != value.id() {
            return None;
        }
        let mut scope = Scope::new(value.dtype());
        scope.define(X, value.clone());
        let made = evaluate(&definition, &scope).ok()?;
        let definition = self.of(&made, letters.0)?;
        let sums = self.no_sums();
        let called = |value: &Val| sums.called(value);
        let source = Source { cotangent: &|_| None, written: &called, as_derived: false };
        let writer = Writer::of_program(&source, &made);
        let jacobian = jacobian(&made, value, &[]).ok()?;
        let slots: Vec<String> = letters.0.iter().chain(letters.1).cloned().collect();
        let terms = as_powers(&made, jacobian.network().ok()?.terms(), &writer)?;
        let mut slope = self.with_factors(&terms, (&slots, &[]), &sums, &|value| writer.written(value))?;
        // A sum begins with what has no sign.
        slope.sort_by_key(|product| product.coef.is_negative());
        Some(Derived { name: op.name(), definition, slope, rules: rules_between(&made, value, &[]) })
    }
}

/// What an operation is applied to, in its definition.
const X: &str = "x";

impl Sums<'_> {
    /// Is an expression an element-wise function of some of them?
    fn make_up(&self, expr: &Expr) -> bool {
        let known = self.known.borrow();
        let (mut has_any, mut is_indexed) = (false, false);
        expr.walk(&mut |part| match &part.kind {
            ExprKind::Name(name) => has_any |= known.iter().any(|(own, _)| own == name),
            // A new axis would put the others in other places.
            ExprKind::Index { .. } => is_indexed = true,
            _ => {}
        });
        has_any && !is_indexed && is_entrywise(expr)
    }

    /// What a value is called, where it is a sum.
    fn called(&self, value: &Val) -> Option<Expr> {
        let mut known = self.known.borrow_mut();
        if let Some((name, _)) = known.iter().find(|(_, other)| other.id() == value.id()) {
            return Some(make::name(Span::default(), name));
        }
        let terms = self.expansion.borrow_mut().products(value).ok()??;
        let is_summed = |term: &Term| {
            let labels = term.factors.iter().flat_map(Factor::labels);
            labels.into_iter().any(|label| !label.dim().is_single() && !term.slots.contains(&label))
        };
        // A sum that picks one element is that element.
        let is_plain = |term: &Term| term.factors.iter().all(|factor| matches!(factor, Factor::Dense(..)));
        if terms.len() > MOST_TERMS || !terms.iter().any(is_summed) || !terms.iter().all(is_plain) {
            return None;
        }
        // No name of a program begins like this.
        let name = format!("Σ{}", known.len());
        known.push((name.clone(), value.clone()));
        Some(make::name(Span::default(), &name))
    }
}
