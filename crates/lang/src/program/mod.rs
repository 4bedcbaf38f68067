//! From a tree to a program: values of a graph, and what is claimed about them.
//!
//! [`elaborate`] goes down a file once. It draws or reads the inputs, builds each definition as a value of the graph
//! ([`pullback_ops::Val`]), and each claim as another one. Nothing is judged here, and nothing is computed that need
//! not be: a value computes its numbers when asked. [`elaborate_at`] builds the same program in another precision on
//! the same numbers, so that an f32 program can be checked in f64.
//!
//! ```
//! use std::path::Path;
//! use pullback_lang::program::{Claimed, elaborate};
//!
//! let file = pullback_lang::parse("\
//! W: [m=2, n=3] ~ randn
//! x: [n] = [1, 2, 3]
//! a = W @ x
//! L = sum(a^2)
//! dL/da = 2 * a
//! dL/dW = outer(dL/da, x)
//! ").file;
//! let (program, inputs) = elaborate(&file, Path::new(".")).expect("the file is right");
//! assert_eq!(inputs.names().collect::<Vec<_>>(), ["W", "x"]);
//! assert_eq!(program.claims[1].key, "dL/dW");
//! assert_eq!(program.claims[1].refers_to, [0]);
//! let Claimed::Value { val, .. } = &program.claims[1].claimed else { panic!("a value is claimed") };
//! assert_eq!(format!("{:?}", val.dims()), "[m=2, n=3]");
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | `elaborate` | statements, in file order |
//! | `input`, `upstream` | drawn, written and loaded numbers; sizes of dims; given cotangents |
//! | `claim`, `claiming` | what a claim is about and what it claims |
//! | `scope`, `lookup` | what a name means, and which claim a reference |
//! | `evaluate`, `arithmetic`, `call`, `own`, `differentiated`, `subscript` | expressions |
//! | `ranges`, `notation`, `contraction`, `entrywise` | index notation: how far an index runs; sums; products; functions of entries |
//!
//! An error carries the span of the smallest expression that failed. A statement that uses a name whose own statement
//! failed is passed over in silence: one mistake gives one error.

mod arithmetic;
mod call;
mod claim;
mod claiming;
mod contraction;
mod differentiated;
mod elaborate;
mod entrywise;
mod evaluate;
mod failure;
mod input;
mod lookup;
mod notation;
mod own;
mod ranges;
mod scalar;
mod scan;
mod scope;
mod subscript;
mod upstream;

use std::collections::HashMap;

use pullback_array::{Array, DType};
use pullback_network::{Dim, Value as _};
use pullback_ops::Val;

pub use claim::{Claim, Claimed};
pub use elaborate::{elaborate, elaborate_at, elaborate_with};
pub use evaluate::{evaluate, evaluate_all};
pub use input::Inputs;
pub(crate) use lookup::of_language;
pub(crate) use own::OWN;
pub use scope::Scope;

use evaluate::Place;

use crate::{Error, Expr, Name, Result, Scan, Span};

/// A file as values of a graph, in one precision.
#[derive(Clone, Debug)]
pub struct Program {
    /// The precision of all values that are not integers.
    pub dtype: DType,
    /// Inputs, definitions and given cotangents, in file order.
    pub values: Vec<Value>,
    /// In file order.
    pub claims: Vec<Claim>,
    scope: Scope,
    /// What the losses of given cotangents are.
    losses: HashMap<String, Val>,
    /// Where the expression of a value of the graph stands, by the value's id.
    places: HashMap<u64, Place>,
}

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub struct Value {
    /// As it is written: `W`; `dL/dZ` for a given cotangent.
    pub name: String,
    /// Where it is bound.
    pub span: Span,
    /// How it came about.
    pub kind: ValueKind,
    /// Is it declared to be symmetric, as `symmetric` and `spd` are?
    pub symmetric: bool,
    /// The value. That of a definition is its own: of `b = a` a copy of `a`, so that a derivative by `b` goes through `b`.
    pub val: Val,
}

/// How a value came about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValueKind {
    /// Drawn, written down or loaded.
    Input,
    /// Computed.
    Definition,
    /// A given cotangent.
    Upstream,
}

impl Program {
    /// The value that a name stands for: `W`, `dL/dZ`.
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.name == name)
    }

    /// The last definition that is a scalar.
    pub fn last_scalar(&self) -> Option<&Value> {
        let is_scalar = |value: &&Value| value.kind == ValueKind::Definition && value.val.ndim() == 0;
        self.values.iter().rev().find(is_scalar)
    }

    /// The names of the file as an expression at its end sees them.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Where the expression stands that a value of the graph was built from, where one was.
    pub fn place(&self, val: &Val) -> Option<Span> {
        self.places.get(&val.id()).map(|place| place.span)
    }

    /// Where the expression stands whose value this is. What a function of the prelude computes on the way to its result has none.
    pub fn expression(&self, val: &Val) -> Option<Span> {
        self.places.get(&val.id()).filter(|place| place.whole).map(|place| place.span)
    }

    /// The numbers of a value of this program.
    ///
    /// # Errors
    /// Where a forward pass fails (a singular matrix to invert, memory): the error points at the expression whose
    /// own operation failed, or at `otherwise` where that is none of the file's.
    pub fn array<'a>(&self, val: &'a Val, otherwise: Span) -> Result<&'a Array> {
        val.array().map_err(|error| {
            let culprit = first_failing(val);
            failure::at(self.place(&culprit).unwrap_or(otherwise), &error)
        })
    }

    /// Claims that the derivative of one value by another is `array`: numbers from elsewhere, which no expression gives. They
    /// take the place of what the file claims about it in the usual layout, or else stand behind its claims; references
    /// in the file go on meaning what the file claims. Returns the number of the claim.
    ///
    /// # Errors
    /// Where the file has no such values, or they are not differentiable.
    ///
    /// ```
    /// # use pullback_array::Array;
    /// # use pullback_lang::program::elaborate;
    /// let file = pullback_lang::parse("x = [1, 2]; L = sum(x^2)").file;
    /// let (mut program, _) = elaborate(&file, ".".as_ref()).expect("the file is right");
    /// let claim = program.claim_numbers("L", "x", &Array::from_slice(&[2], &[2.0, 4.0]).expect("two numbers"))?;
    /// assert_eq!(program.claims[claim].key, "dL/dx");
    /// assert!(program.claim_numbers("L", "y", &Array::from_slice(&[1], &[1.0]).expect("one number")).is_err());
    /// # Ok::<(), pullback_lang::Error>(())
    /// ```
    pub fn claim_numbers(&mut self, of: &str, wrt: &str, array: &Array) -> Result<usize> {
        claim::numbers(self, of, wrt, array)
    }

    /// What claim number `claim` would claim were `expr` written in place of its own expression, and were the claims in
    /// `replaced` to have these values. Indices mean what they mean in the claim.
    ///
    /// This is how a corrected expression is tried, and how it is asked whether a claim holds once those that it refers
    /// to are put right. A replaced value has the layout of the claim whose it is.
    ///
    /// # Errors
    /// Where the expression cannot be evaluated, or there is no such claim.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use pullback_lang::program::elaborate;
    /// let file = pullback_lang::parse("x = [1, 2]; L = sum(x^2); dL/dx = x").file;
    /// let (program, _) = elaborate(&file, ".".as_ref()).expect("the file is right");
    /// let fix = pullback_lang::parse_expr("2 * x").expect("it parses").expr;
    /// let value = program.reclaimed(0, &fix, &HashMap::new())?;
    /// assert_eq!(value.array().expect("it has numbers").to_vec_f64(), [2.0, 4.0]);
    /// # Ok::<(), pullback_lang::Error>(())
    /// ```
    pub fn reclaimed(&self, claim: usize, expr: &Expr, replaced: &HashMap<usize, Val>) -> Result<Val> {
        self.reclaimed_among(claim, expr, replaced, HashMap::new())
    }

    /// The same where the expression may use other names too: each shadows what the file calls so. In index notation an
    /// index shadows them in its turn.
    ///
    /// # Errors
    /// Where the expression cannot be evaluated, or there is no such claim.
    pub fn reclaimed_among(
        &self,
        claim: usize,
        expr: &Expr,
        replaced: &HashMap<usize, Val>,
        names: HashMap<String, Val>,
    ) -> Result<Val> {
        let Some(about) = self.claims.get(claim) else {
            return Err(Error::new(expr.span, format!("there is no claim number {claim}")));
        };
        claim::value_of(about, expr, &self.scope, claim, replaced, names)
    }

    /// What a loop binds, which claim number `claim` uses: a changed loop of the file is tried like this. Claims in `replaced` have
    /// these values.
    ///
    /// # Errors
    /// Where the loop cannot be run.
    pub fn rescanned(
        &self,
        claim: usize,
        scan: &Scan,
        replaced: &HashMap<usize, Val>,
    ) -> Result<HashMap<String, Val>> {
        claim::names_of_loop(scan, None, &self.scope, claim, replaced)
    }

    /// What the names of a loop's body are in its last step, before statement number `statement` of the body: an expression of the
    /// body has there the shape that it has in each step.
    ///
    /// # Errors
    /// Where the loop cannot be run, or has no steps.
    pub fn in_last_step(
        &self,
        claim: usize,
        scan: &Scan,
        statement: usize,
        replaced: &HashMap<usize, Val>,
    ) -> Result<HashMap<String, Val>> {
        claim::names_of_loop(scan, Some(statement), &self.scope, claim, replaced)
    }

    /// What the definition `name` in index notation, which claim number `claim` uses, would be with another right side. Each
    /// index runs as far as it does in the file, whether it stands on the right or not.
    ///
    /// # Errors
    /// Where the expression cannot be evaluated, or there is no such definition.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use pullback_lang::{Name, Span, program::elaborate};
    /// let file = pullback_lang::parse("x = [1, 2]; L = sum(x^2); G[i] = x[i]; dL/dx = G").file;
    /// let (program, _) = elaborate(&file, ".".as_ref()).expect("the file is right");
    /// let fix = pullback_lang::parse_expr("2 * x[i]").expect("it parses").expr;
    /// let value = program.redefined(0, "G", &[Name::new("i", Span::default())], &fix, &HashMap::new())?;
    /// assert_eq!(value.array().expect("it has numbers").to_vec_f64(), [2.0, 4.0]);
    /// # Ok::<(), pullback_lang::Error>(())
    /// ```
    pub fn redefined(
        &self,
        claim: usize,
        name: &str,
        indices: &[Name],
        expr: &Expr,
        replaced: &HashMap<usize, Val>,
    ) -> Result<Val> {
        let Some(value) = self.find(name) else {
            return Err(Error::new(expr.span, format!("there is no definition `{name}`")));
        };
        let ranges: Vec<(Name, Dim)> =
            indices.iter().cloned().zip(value.val.dims().iter().copied()).collect();
        claim::definition_of(&ranges, expr, &self.scope, claim, replaced)
    }
}

/// The value whose own operation fails although its inputs are there.
fn first_failing(val: &Val) -> Val {
    let mut at = val.clone();
    while let Some(input) = at.inputs().iter().find(|input| input.array().is_err()).cloned() {
        at = input;
    }
    at
}
