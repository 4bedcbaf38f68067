//! A choice between two values, element by element.
//!
//! # Formula
//! y_i = a_i where c_i ≠ 0, else b_i
//!
//! # Jacobian
//! ∂y_i/∂a_m = δ_im `[c_i ≠ 0]`, ∂y_i/∂b_m = δ_im `[c_i = 0]`, ∂y_i/∂c_m = 0. An axis that is stretched carries no delta.
//!
//! # Domain
//! All reals. The branch that is not taken contributes nothing: neither its value nor, in any derivative, what is infinite or NaN in it.
//!
//! # At kinks and ties
//! Where the condition turns, the result may jump: the condition itself has no derivative.
//!
//! # Why
//! Each branch is moved where it is taken. A product with 0 would do for finite numbers alone: `where(x > 0, log(x), 0)` has the slope 0
//! at 0, although that of the logarithm is infinite there; so the zeros are structural.

use pullback_array::{Array, DType, Pairs, pairs};
use pullback_network::{Coef, Label};

use super::add::ADD;
use crate::kernel::Recipe;
use crate::labels::{aligned, broadcast};
use crate::{Axes, Entry, Error, Factor, Network, Op, Result, Sample, Site, Spec, Val, promote};

/// What is taken where a number is not 0; it is 0 or it is not, so that nothing is ever multiplied by what is not taken.
static IF: Pairs = pairs!(|c, x| if c != 0.0 { x } else { 0.0 });

/// What is taken where it is 0.
static IF_NOT: Pairs = pairs!(|c, x| if c == 0.0 { x } else { 0.0 });

/// `where(c, a, b)`; see the page of this module.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Where;

impl Op for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let [c, a, b] = inputs else {
            return Err(Error::new(format!("where: {} operands in place of three", inputs.len())));
        };
        let branches = broadcast("where", &a.dims, &b.dims)?;
        Ok(vec![Spec::new(broadcast("where", &c.dims, &branches)?, promote(a.dtype, b.dtype))])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let [c, a, b] = inputs else { unreachable!("a choice has three inputs") };
        let dtype = a.dtype().promote(b.dtype());
        let (a, b) = (c.pairs(a, "where", &IF)?, c.pairs(b, "where", &IF_NOT)?);
        Ok(vec![a.pairs(&b, "where", &ADD.lines)?.cast(dtype)?])
    }

    fn recipe(&self, inputs: &[usize], recipe: &mut Recipe) -> Option<usize> {
        recipe.float(inputs)?;
        let (a, b) = (recipe.pairs(&IF, inputs[0], inputs[1]), recipe.pairs(&IF_NOT, inputs[0], inputs[2]));
        Some(recipe.pairs(&ADD.lines, a, b))
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let network = at.network();
        let c = &at.inputs()[0];
        let taken = match at.input() {
            0 => return Ok(network),
            1 => c.truth()?,
            _ => (1.0 - &c.truth()?)?.truth()?,
        };
        let out = Label::for_dims(at.y().dims());
        let labels = aligned(&out, taken.dims());
        Ok(network.plus_term(
            Coef::one(),
            &out,
            &aligned(&out, at.x().dims()),
            [Factor::Dense(taken, labels)],
        ))
    }
}

pub(crate) static ENTRY: Entry = Entry {
    signature: "where(condition, a, b)",
    aliases: &[],
    axes: Axes::Broadcast,
    call: |args| args.value("condition")?.choose(&args.value("a")?, &args.value("b")?),
    samples: || {
        vec![
            Sample::normal("where: by a value", [&[2, 3], &[2, 3], &[2, 3]], |x| {
                x[0].step()?.choose(&x[1], &x[2])
            }),
            Sample::normal("where: all stretched", [&[3, 1], &[2], &[]], |x| {
                x[0].step()?.choose(&x[1], &x[2])
            }),
            Sample::given("where: a branch that is not finite", [(&[3], &[-1.0, 0.0, 2.0])], |x| {
                x[0].step()?.choose(&x[0].log()?, &x[0].powf(2.0)?)
            })
            .at_kink(),
        ]
    },
};

impl Val {
    /// `a` where this is not 0, and `b` where it is, element by element, broadcast: `where` in NumPy.
    ///
    /// # Errors
    /// Where the shapes do not broadcast.
    pub fn choose(&self, a: &Val, b: &Val) -> Result<Val> {
        let dtype = promote(a.dtype(), b.dtype());
        if dtype == DType::I64 {
            return Err(Error::new("where: integers are indices here, not numbers to compute with")
                .with_hint("draw or load them as floats"));
        }
        // Integers are conditions too.
        let condition = match self.dtype() {
            DType::I64 => (self * &Val::number(1.0, dtype))?,
            _ => self.clone(),
        };
        Val::apply(Where, &[&condition, a, b])
    }
}
