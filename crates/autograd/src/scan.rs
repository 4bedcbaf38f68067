//! Loops: a program that is run once for each step, on what the step before left.
//!
//! `h_(t+1) = f(h_t, x_t, w)` for t = 0 … T − 1: the *carries* h go from step to step, of *stacked* values x each step reads the row of its
//! own, *shared* values w are the same for all, and of what a step yields the rows are put together along a first axis. The body f is a
//! program of its own, over symbols ([`Body`]); a graph holds the loop as one application of one operation, whatever T is.
//!
//! Its derivative is a loop again. The adjoint runs from the last step to the first: it carries the cotangents of the carries, reads
//! the carries that the steps started from (which a second pass forward puts together), adds up the cotangents of what is shared, and yields
//! those of the rows; its body is [`pullback`] of the body. So a derivative of any order is a few loops, no longer to
//! write down for many steps than for one, and takes time linear in them. The Jacobian is an operator
//! ([`Map::Local`]): applied, priced, and written out only where somebody asks for its entries.
//!
//! ```
//! use pullback_array::{Array, DType};
//! use pullback_autograd::{Body, grad, scan};
//! use pullback_network::Dim;
//! use pullback_ops::Val;
//!
//! // h ← a · h, five times.
//! let (h, a) = (Val::symbol("h", &[], DType::F64), Val::symbol("a", &[], DType::F64));
//! let body = Body {
//!     step: Val::symbol("t", &[], DType::I64),
//!     next: vec![(&a * &h)?],
//!     yields: vec![],
//!     carries: vec![h],
//!     stacked: vec![],
//!     shared: vec![a],
//! };
//! let number = |x: f64| Array::scalar(x, DType::F64).map(Val::new);
//! let (start, factor) = (number(2.0)?, number(3.0)?);
//! let last = scan(body, Dim::new(5), &[&start], &[], &[&factor])?.last.remove(0);
//! assert_eq!(last.array()?.item()?, 2.0 * 3f64.powi(5));
//! assert_eq!(grad(&last, &[&factor])?[0].array()?.item()?, 2.0 * 5.0 * 3f64.powi(4));
//! # Ok::<(), pullback_ops::Error>(())
//! ```

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pullback_array::{Array, DType, SliceAxis, memory};
use pullback_network::{Coef, Dim, Label, Map, Operator, Value};
use pullback_ops::{
    AxisIndex, Error, Factor, Forward, Network, Op, Origin, Result, Site, Spec, Val, WeakVal,
};

use crate::{Function, between, pullback, pushforward, zeros};

/// What a loop does in each step: values computed from symbols.
#[derive(Clone, Debug)]
pub struct Body {
    /// The number of the step, an integer.
    pub step: Val,
    /// What goes from step to step.
    pub carries: Vec<Val>,
    /// Rows of what has one for each step.
    pub stacked: Vec<Val>,
    /// What is the same in all steps.
    pub shared: Vec<Val>,
    /// What each carry becomes.
    pub next: Vec<Val>,
    /// What is put together along a first axis.
    pub yields: Vec<Val>,
}

/// What a loop comes to.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The carries after the last step.
    pub last: Vec<Val>,
    /// What its steps yielded, with the steps along the first axis.
    pub all: Vec<Val>,
}

/// A loop, as one who writes it down sees it.
#[derive(Clone, Copy, Debug)]
pub struct Loop<'a> {
    /// What is done in each step.
    pub body: &'a Body,
    /// How many steps there are.
    pub steps: Dim,
    /// Does it run from the last step to the first?
    pub reversed: bool,
}

/// The loop that a value is a result of. Its inputs are the starts of the carries, stacked values, and shared ones; its results what the
/// carries are at the end, and what was yielded.
pub fn loop_of(value: &Val) -> Option<Loop<'_>> {
    let Origin::Call(op, _) = value.origin() else { return None };
    let op: &dyn Any = &**op;
    let Scan { body, steps, reversed, .. } = op.downcast_ref::<Scan>()?;
    Some(Loop { body, steps: *steps, reversed: *reversed })
}

/// Runs `body` for each step from carries `init`; `stacked` values have `steps` rows. What is shared and not read is left out.
///
/// # Errors
/// Where there are not as many values as symbols, or one has not its symbol's shape and dtype.
pub fn scan(body: Body, steps: Dim, init: &[&Val], stacked: &[&Val], shared: &[&Val]) -> Result<Scanned> {
    if body.shared.len() != shared.len() {
        return Err(Error::new(format!("scan: {} values for {} symbols", shared.len(), body.shared.len())));
    }
    let read = body.read();
    let of_body = body.shared.iter().cloned().zip(shared.iter().copied());
    let (symbols, shared): (Vec<Val>, Vec<&Val>) =
        of_body.filter(|(symbol, _)| read.contains(&symbol.id())).unzip();
    let body = Body { shared: symbols, ..body };
    run(Arc::new(body), steps, false, &[init, stacked, &shared].concat())
}

fn run(body: Arc<Body>, steps: Dim, reversed: bool, inputs: &[&Val]) -> Result<Scanned> {
    let function = body.function()?;
    let carries = body.carries.len();
    let op = Scan { body, function, steps, reversed, flops: OnceLock::new(), derived: Mutex::default() };
    let mut last = Val::apply_all(op, inputs)?;
    let all = last.split_off(carries);
    Ok(Scanned { last, all })
}

impl Body {
    fn symbols(&self) -> impl Iterator<Item = &Val> {
        self.carries.iter().chain(&self.stacked).chain(&self.shared)
    }

    fn results(&self) -> impl Iterator<Item = &Val> {
        self.next.iter().chain(&self.yields)
    }

    fn function(&self) -> Result<Function> {
        let inputs: Vec<&Val> = [&self.step].into_iter().chain(self.symbols()).collect();
        Function::new(&inputs, &self.results().collect::<Vec<_>>(), &[])
    }

    /// What is read by what is computed.
    fn read(&self) -> HashSet<u64> {
        let (mut seen, mut pending) = (HashSet::new(), self.results().collect::<Vec<_>>());
        while let Some(value) = pending.pop() {
            if seen.insert(value.id()) {
                pending.extend(value.inputs());
            }
        }
        seen
    }

    /// Which carries are read by what is computed.
    fn read_carries(&self) -> Vec<usize> {
        let read = self.read();
        (0..self.carries.len()).filter(|&at| read.contains(&self.carries[at].id())).collect()
    }
}

/// The loop as an operation. Inputs: first values of the carries, stacked values, shared values. Outputs: last values of the carries,
/// what was yielded.
struct Scan {
    body: Arc<Body>,
    function: Function,
    steps: Dim,
    /// Does it run from the last step to the first?
    reversed: bool,
    flops: OnceLock<f64>,
    derived: Mutex<Derived>,
}

/// Programs derived from a loop, and what they were last applied to: the shares of one cotangent for all inputs are one loop.
#[derive(Default)]
struct Derived {
    /// The carries that the steps started from, put together.
    starts: HashMap<Vec<usize>, Vec<Val>>,
    /// The body of the adjoint, for each output.
    adjoints: HashMap<usize, (Arc<Body>, Vec<usize>)>,
    /// The body that pushes tangents forward, for each input.
    tangents: HashMap<usize, Arc<Body>>,
    /// By output or input and what was applied to.
    applied: HashMap<(bool, usize, u64), Vec<WeakVal>>,
}

/// Its body is a program, and is not compared.
impl PartialEq for Scan {
    fn eq(&self, _: &Scan) -> bool {
        false
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scan of {} steps", self.steps.size())
    }
}

impl Op for Scan {
    fn name(&self) -> &'static str {
        "scan"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        let body = &self.body;
        let with_steps = |spec: &Spec| {
            Spec::new([self.steps].into_iter().chain(spec.dims.iter().copied()).collect(), spec.dtype)
        };
        let stacked = body.carries.len()..body.carries.len() + body.stacked.len();
        let symbols: Vec<&Val> = body.symbols().collect();
        if symbols.len() != inputs.len() {
            return Err(Error::new(format!("scan: {} values for {} symbols", inputs.len(), symbols.len())));
        }
        for (at, (symbol, given)) in symbols.iter().zip(inputs).enumerate() {
            let wanted =
                if stacked.contains(&at) { with_steps(symbol.spec()) } else { symbol.spec().clone() };
            if wanted.shape() != given.shape() || wanted.dtype != given.dtype {
                let (symbol, dims, dtype) = (symbol.symbol(), &wanted.dims, wanted.dtype);
                return Err(Error::new(format!(
                    "scan: `{symbol}` is {dtype} {dims:?} and is given {} {:?}",
                    given.dtype, given.dims
                )));
            }
        }
        for (carry, next) in body.carries.iter().zip(&body.next) {
            if carry.shape() != next.shape() || carry.dtype() != next.dtype() {
                return Err(Error::new(format!(
                    "scan: `{}` is {} {:?} and becomes {} {:?}",
                    carry.symbol(),
                    carry.dtype(),
                    carry.dims(),
                    next.dtype(),
                    next.dims()
                ))
                .with_hint("what a loop carries keeps its shape and its dtype"));
            }
        }
        // What is yielded is held row by row until it is put together.
        for value in &body.yields {
            let row = value.shape().iter().fold(size_of::<f64>(), |bytes, &size| bytes.saturating_mul(size));
            memory::room(row.saturating_add(size_of::<Array>()).saturating_mul(self.steps.size()))?;
        }
        let last = body.carries.iter().map(|carry| carry.spec().clone());
        let all = body.yields.iter().map(|value| with_steps(value.spec()));
        Ok(last.chain(all).collect())
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        self.steps_by(inputs, &mut |given| self.function.call(given))
    }

    fn forward_by(&self, inputs: &[&Array], inner: &mut Forward<'_>) -> Result<Vec<Array>> {
        self.steps_by(inputs, &mut |given| self.function.call_by(given, inner))
    }

    fn inner_work(&self) -> f64 {
        /// What running one operation takes beside its elements, in multiplications: about a microsecond.
        const PER_OPERATION: f64 = 1000.0;
        let operations = self.function.operations() as f64;
        self.steps.size() as f64 * (self.function.work() as f64 + PER_OPERATION * operations)
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        // A value that comes in at several places, as a start and shared, by rows and whole, has one Jacobian: at the first of them.
        if at.places().next() != Some(at.input()) {
            return Ok(at.network());
        }
        let (rows, columns) = (Label::for_dims(at.y().dims()), Label::for_dims(at.x().dims()));
        let map = Map::Local { of: at.y().clone(), input: at.input(), flops: self.flops()? };
        let operator = Operator { map, batch: Vec::new(), rows: rows.clone(), columns: columns.clone() };
        Ok(at.network().plus_term(Coef::one(), &rows, &columns, [Factor::Operator(operator)]))
    }

    fn apply_jacobian(&self, at: &Site<'_>, right: &Val, transposed: bool) -> Result<Val> {
        let rank = right.ndim() - 1;
        let (dims, count) = (&right.dims()[..rank], right.dims()[rank].size());
        let made = if transposed { at.x() } else { at.y() };
        let bytes = made.shape().iter().fold(size_of::<f64>(), |bytes, &size| bytes.saturating_mul(size));
        memory::room(bytes.saturating_mul(count))?;
        let with_column: Vec<Dim> = made.dims().iter().copied().chain([Dim::new(1)]).collect();
        let column = |column: usize| -> Result<Val> {
            let mut taken: Vec<AxisIndex> = dims.iter().map(|&dim| AxisIndex::whole(dim)).collect();
            taken.push(AxisIndex::At(column));
            let vector = if count == 1 { right.reshape(dims)? } else { right.index(&taken)? };
            let share = |input: usize| match transposed {
                true => self.pulled(at, input, &vector),
                false => self.pushed(at, input, &vector),
            };
            let first = share(at.input())?;
            let sum = at.places().skip(1).try_fold(first, |sum, input| sum.add(&share(input)?))?;
            sum.reshape(&with_column)
        };
        match count {
            0 => {
                let dims: Vec<Dim> = made.dims().iter().copied().chain([Dim::new(0)]).collect();
                let shape: Vec<usize> = dims.iter().map(|dim| dim.size()).collect();
                Val::with_dims(Array::zeros(&shape, made.dtype())?, &dims)
            }
            1 => column(0),
            _ => {
                let columns = (0..count).map(column).collect::<Result<Vec<Val>>>()?;
                Val::concat(&columns.iter().collect::<Vec<_>>(), made.ndim())
            }
        }
    }

    fn written(&self, inputs: &[String]) -> String {
        format!("scan({})", inputs.join(", "))
    }
}

impl Scan {
    fn steps_by(
        &self,
        inputs: &[&Array],
        step: &mut dyn FnMut(&[Array]) -> Result<Vec<Array>>,
    ) -> Result<Vec<Array>> {
        let body = &self.body;
        let (first, rest) = inputs.split_at(body.carries.len());
        let (stacked, shared) = rest.split_at(body.stacked.len());
        let mut carries: Vec<Array> = first.iter().map(|&array| array.clone()).collect();
        let steps = self.steps.size();
        let mut rows: Vec<Vec<Array>> = vec![Vec::new(); body.yields.len()];
        for number in 0..steps {
            let at = if self.reversed { steps - 1 - number } else { number };
            let mut given = vec![Array::scalar(at as f64, DType::I64)?];
            given.append(&mut carries);
            for array in stacked {
                given.push(row(array, at)?);
            }
            given.extend(shared.iter().map(|&array| array.clone()));
            let mut results = step(&given)?;
            let yielded = results.split_off(body.carries.len());
            carries = results;
            rows.iter_mut().zip(yielded).for_each(|(rows, row)| rows.push(row));
        }
        for (mut rows, symbol) in rows.into_iter().zip(&body.yields) {
            if self.reversed {
                rows.reverse();
            }
            carries.push(put_together(&rows, symbol)?);
        }
        Ok(carries)
    }

    fn derived(&self) -> MutexGuard<'_, Derived> {
        self.derived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Multiply–adds of one pass back: those of a step, for each step.
    fn flops(&self) -> Result<f64> {
        if let Some(&flops) = self.flops.get() {
            return Ok(flops);
        }
        let (from, to) = (self.body.symbols().collect::<Vec<_>>(), self.body.results().collect::<Vec<_>>());
        let path = between(&to, &from, &[]);
        let on_path: HashSet<u64> = path.iter().map(Value::id).collect();
        let mut flops = 0.0;
        for value in &path {
            for (k, input) in value.inputs().iter().enumerate() {
                if on_path.contains(&input.id()) {
                    flops += value.jacobian(k)?.vjp_flops();
                }
            }
        }
        Ok(*self.flops.get_or_init(|| flops * self.steps.size() as f64))
    }

    /// The cotangent of an input, for one of an output.
    fn pulled(&self, at: &Site<'_>, input: usize, cotangent: &Val) -> Result<Val> {
        let floats = |values: &[Val]| -> Vec<usize> {
            (0..values.len()).filter(|&at| values[at].dtype().is_float()).collect()
        };
        let body = &self.body;
        let [carries, stacked, shared] =
            [&body.carries, &body.stacked, &body.shared].map(|part| floats(part));
        let outputs = self.applied((true, at.output(), cotangent.id()), || {
            let (adjoint, read) = self.adjoint(at.output())?;
            let starts = self.starts(at, &read)?;
            let (first_stacked, first_shared) = (body.carries.len(), body.carries.len() + body.stacked.len());
            let of_last = at.output() < body.carries.len();
            let mut owned: Vec<Val> = Vec::new();
            for &carry in &carries {
                let is_output = of_last && at.output() == carry;
                owned.push(if is_output { cotangent.clone() } else { zeros(&body.carries[carry])? });
            }
            for &value in &shared {
                owned.push(zeros(&body.shared[value])?);
            }
            owned.extend(starts);
            owned.extend(at.inputs()[first_stacked..first_shared].iter().cloned());
            owned.extend((!of_last).then(|| cotangent.clone()));
            owned.extend(at.inputs()[first_shared..].iter().cloned());
            let scanned = run(adjoint, self.steps, !self.reversed, &owned.iter().collect::<Vec<_>>())?;
            Ok([scanned.last, scanned.all].concat())
        })?;
        let place = |among: &[usize], number: usize| among.iter().position(|&at| at == number);
        let found = if input < body.carries.len() {
            place(&carries, input)
        } else if input < body.carries.len() + body.stacked.len() {
            let number = place(&stacked, input - body.carries.len());
            number.map(|number| carries.len() + shared.len() + number)
        } else {
            let number = place(&shared, input - body.carries.len() - body.stacked.len());
            number.map(|number| carries.len() + number)
        };
        found.map_or_else(|| zeros(at.x()), |found| Ok(outputs[found].clone()))
    }

    /// The tangent of an output, for one of an input.
    fn pushed(&self, at: &Site<'_>, input: usize, tangent: &Val) -> Result<Val> {
        let body = &self.body;
        let outputs = self.applied((false, input, tangent.id()), || {
            let pushing = self.tangent_body(input)?;
            let (first_stacked, first_shared) = (body.carries.len(), body.carries.len() + body.stacked.len());
            let [first, stacked, shared] = [
                &at.inputs()[..first_stacked],
                &at.inputs()[first_stacked..first_shared],
                &at.inputs()[first_shared..],
            ];
            let mut owned = first.to_vec();
            for (number, carry) in
                body.carries.iter().enumerate().filter(|(_, carry)| carry.dtype().is_float())
            {
                owned.push(if number == input { tangent.clone() } else { zeros(carry)? });
            }
            owned.extend(stacked.iter().cloned());
            owned.extend((first_stacked..first_shared).contains(&input).then(|| tangent.clone()));
            owned.extend(shared.iter().cloned());
            owned.extend((input >= first_shared).then(|| tangent.clone()));
            let scanned = run(pushing, self.steps, self.reversed, &owned.iter().collect::<Vec<_>>())?;
            // The carries themselves come first.
            Ok([&scanned.last[body.carries.len()..], &scanned.all].concat())
        })?;
        let all = body.carries.iter().chain(&body.yields);
        let floats = all
            .take(at.output())
            .enumerate()
            .filter(|(number, value)| *number >= body.carries.len() || value.dtype().is_float());
        Ok(outputs[floats.count()].clone())
    }

    /// What a derived loop yields; the same one for as long as somebody has it.
    fn applied(&self, key: (bool, usize, u64), make: impl FnOnce() -> Result<Vec<Val>>) -> Result<Vec<Val>> {
        let known = {
            let mut derived = self.derived();
            derived.applied.retain(|_, values| values.iter().all(|value| value.upgrade().is_some()));
            derived.applied.get(&key).cloned()
        };
        let alive: Option<Vec<Val>> = known.and_then(|values| values.iter().map(WeakVal::upgrade).collect());
        if let Some(values) = alive {
            return Ok(values);
        }
        let values = make()?;
        let weak = values.iter().map(Val::downgrade).collect();
        self.derived().applied.insert(key, weak);
        Ok(values)
    }

    /// The values of these carries before each step.
    fn starts(&self, at: &Site<'_>, carries: &[usize]) -> Result<Vec<Val>> {
        if carries.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.derived().starts.get(carries).cloned();
        if let Some(starts) = known {
            return Ok(starts);
        }
        let yields = carries.iter().map(|&carry| self.body.carries[carry].clone()).collect();
        let body = Body { yields, ..(*self.body).clone() };
        let inputs: Vec<&Val> = at.inputs().iter().collect();
        let starts = run(Arc::new(body), self.steps, self.reversed, &inputs)?.all;
        self.derived
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .starts
            .insert(carries.to_vec(), starts.clone());
        Ok(starts)
    }

    /// The body of the adjoint of one output, and the carries that it reads.
    fn adjoint(&self, output: usize) -> Result<(Arc<Body>, Vec<usize>)> {
        let known = self.derived().adjoints.get(&output).cloned();
        if let Some(adjoint) = known {
            return Ok(adjoint);
        }
        let body = &self.body;
        let floats = |values: &[Val]| -> Vec<Val> {
            values.iter().filter(|value| value.dtype().is_float()).cloned().collect()
        };
        let cotangent = |value: &Val| {
            let name = format!("{}̄", value.symbol());
            Val::symbol(&name, value.dims(), value.dtype())
        };
        let [carries, stacked, shared] =
            [&body.carries, &body.stacked, &body.shared].map(|part| floats(part));
        let cotangents: Vec<Val> = carries.iter().map(cotangent).collect();
        let sums: Vec<Val> = shared.iter().map(cotangent).collect();
        let yielded = output.checked_sub(body.carries.len()).map(|number| &body.yields[number]);
        let of_yield = yielded.map(cotangent);
        let next = body.next.iter().filter(|value| value.dtype().is_float());
        let outputs: Vec<(&Val, &Val)> =
            next.zip(&cotangents).chain(yielded.into_iter().zip(&of_yield)).collect();
        let wrt: Vec<&Val> = carries.iter().chain(&stacked).chain(&shared).collect();
        let shares = pullback(&outputs, &wrt, &[])?;
        let shares: Result<Vec<Val>> = shares
            .into_iter()
            .zip(&wrt)
            .map(|(share, value)| share.map_or_else(|| zeros(value), Ok))
            .collect();
        let mut next = shares?;
        let mut yields = next.split_off(carries.len());
        let of_shared = yields.split_off(stacked.len());
        for (sum, share) in sums.iter().zip(&of_shared) {
            next.push(sum.add(share)?);
        }
        let reading = Body {
            step: body.step.clone(),
            carries: body.carries.clone(),
            stacked: Vec::new(),
            shared: Vec::new(),
            next: next.clone(),
            yields: yields.clone(),
        };
        let read = reading.read_carries();
        let starts = read.iter().map(|&carry| body.carries[carry].clone());
        let adjoint = Body {
            step: body.step.clone(),
            carries: cotangents.into_iter().chain(sums).collect(),
            stacked: starts.chain(body.stacked.iter().cloned()).chain(of_yield).collect(),
            shared: body.shared.clone(),
            next,
            yields,
        };
        let made = (Arc::new(adjoint), read);
        self.derived().adjoints.insert(output, made.clone());
        Ok(made)
    }

    /// The body that pushes a tangent of one input forward.
    fn tangent_body(&self, input: usize) -> Result<Arc<Body>> {
        let known = self.derived().tangents.get(&input).cloned();
        if let Some(pushing) = known {
            return Ok(pushing);
        }
        let body = &self.body;
        let tangent = |value: &Val| Val::symbol(&format!("{}̇", value.symbol()), value.dims(), value.dtype());
        let carries: Vec<&Val> = body.carries.iter().filter(|value| value.dtype().is_float()).collect();
        let tangents: Vec<Val> = carries.iter().map(|value| tangent(value)).collect();
        let mut pairs: Vec<(&Val, &Val)> = carries.iter().copied().zip(&tangents).collect();
        let own = body.symbols().nth(input).filter(|_| input >= body.carries.len());
        let of_own = own.map(tangent);
        pairs.extend(own.zip(of_own.as_ref()));
        let float_next = body.next.iter().filter(|value| value.dtype().is_float());
        let outputs: Vec<&Val> = float_next.chain(&body.yields).collect();
        let pushed = pushforward(&pairs, &outputs, &[])?;
        let pushed: Result<Vec<Val>> = pushed
            .into_iter()
            .zip(&outputs)
            .map(|(tangent, value)| tangent.map_or_else(|| zeros(value), Ok))
            .collect();
        let mut pushed = pushed?;
        let yields = pushed.split_off(tangents.len());
        let is_stacked = input < body.carries.len() + body.stacked.len();
        let (stacked, shared) = if is_stacked { (of_own, None) } else { (None, of_own) };
        let pushing = Body {
            step: body.step.clone(),
            carries: body.carries.iter().cloned().chain(tangents).collect(),
            stacked: body.stacked.iter().cloned().chain(stacked).collect(),
            shared: body.shared.iter().cloned().chain(shared).collect(),
            next: body.next.iter().cloned().chain(pushed).collect(),
            yields,
        };
        let pushing = Arc::new(pushing);
        self.derived().tangents.insert(input, pushing.clone());
        Ok(pushing)
    }
}

/// Row `at` of an array; a view.
fn row(array: &Array, at: usize) -> Result<Array> {
    let mut taken = vec![SliceAxis { start: at, step: 1, len: 1 }];
    taken.extend(array.shape()[1..].iter().map(|&len| SliceAxis { start: 0, step: 1, len }));
    Ok(array.slice(&taken)?.reshape(&array.shape()[1..])?)
}

/// The rows of one array, along a first axis; `symbol` says what a row is.
fn put_together(rows: &[Array], symbol: &Val) -> Result<Array> {
    let shape = [&[1], symbol.shape().as_slice()].concat();
    if rows.is_empty() {
        return Ok(Array::zeros(&[&[0], &shape[1..]].concat(), symbol.dtype())?);
    }
    let rows: Result<Vec<Array>> = rows.iter().map(|row| Ok(row.reshape(&shape)?)).collect();
    Ok(Array::concat(&rows?, 0)?)
}
