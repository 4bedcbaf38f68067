//! Values: the nodes of a graph.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use pullback_array::{Array, DType, MOST_AXES, memory};
use pullback_network::{Coef, Dim, Label, Map, Name, Operator, Table, Value};

use crate::op::{Op, Site, Spec};
use crate::{Einsum, Error, Gather, Network, Reshape, Result, ScatterAdd};

/// A value of a program. Cloning shares it; it never changes.
///
/// A value knows its shape and dtype always, and its numbers when asked: [`Val::array`] evaluates what it depends on,
/// once. A value that depends on a symbol has no numbers.
#[derive(Clone)]
pub struct Val {
    node: Arc<Node>,
    output: usize,
}

thread_local! {
    static READINGS: Cell<u64> = const { Cell::new(0) };
}

/// How often numbers of values were asked for in this thread: what was made without any is made of structure alone.
pub fn readings() -> u64 {
    READINGS.get()
}

/// An operation that was applied, to be applied to other values of the same shapes and types.
#[derive(Clone, Debug)]
pub struct Application {
    op: Arc<dyn Op>,
    outputs: Arc<[Spec]>,
}

impl Application {
    /// Its first output, of these values. Their shapes and types are those of the values that it was applied to before, and their zeros are
    /// structural where those were.
    pub fn of(&self, inputs: Vec<Val>) -> Val {
        Val::from_node(Origin::Call(self.op.clone(), inputs), self.outputs.clone(), None)
    }

    /// Is it the same operation, with results of the same shapes, names and types?
    pub fn is_that_of(&self, value: &Val) -> bool {
        let Origin::Call(op, _) = &value.node.origin else { return false };
        let is_alike = |(own, other): (&Spec, &Spec)| own.is_called_as(other);
        self.outputs.len() == value.node.outputs.len()
            && self.outputs.iter().zip(value.node.outputs.iter()).all(is_alike)
            && self.op.is_same(op.as_ref())
    }
}

/// A value for as long as somebody else has it.
#[derive(Clone)]
pub struct WeakVal {
    node: Weak<Node>,
    output: usize,
}

impl WeakVal {
    /// The value, where somebody still has it.
    pub fn upgrade(&self) -> Option<Val> {
        self.node.upgrade().map(|node| Val { node, output: self.output })
    }
}

/// What evaluates several values in one go, in the place of their operations one after another.
pub trait Together: Send + Sync {
    /// Values that are the only outputs of their operations, and their numbers: those that these operations return. Nothing, where they
    /// are to be evaluated one by one.
    ///
    /// # Errors
    /// Those of the operations.
    fn evaluate(&self) -> Result<Vec<(Val, Array)>>;
}

struct Node {
    id: u64,
    origin: Origin,
    outputs: Arc<[Spec]>,
    arrays: OnceLock<Vec<Array>>,
    /// What evaluates it together with others, where anything does.
    together: OnceLock<Arc<dyn Together>>,
    /// Are its zeros structural?
    gated: bool,
    /// A name for each output; nothing as long as none has one.
    names: OnceLock<Box<[OnceLock<Name>]>>,
}

/// Where a value comes from.
#[derive(Debug)]
pub enum Origin {
    /// An input, with or without numbers.
    Leaf,
    /// A number written in the program, of the shape of a scalar.
    Number(f64),
    /// An operation applied to values.
    Call(Arc<dyn Op>, Vec<Val>),
}

impl Val {
    /// A leaf that holds an array.
    pub fn new(array: Array) -> Val {
        let dims = array.shape().iter().map(|&size| Dim::new(size)).collect();
        let spec = Spec::new(dims, array.dtype());
        Val::from_node(Origin::Leaf, [spec].into(), Some(vec![array]))
    }

    /// A leaf that holds an array whose axes have named sizes.
    ///
    /// # Errors
    /// Where the dims are not those of the array.
    pub fn with_dims(array: Array, dims: &[Dim]) -> Result<Val> {
        if array.shape().iter().ne(dims.iter().map(|dim| dim.size()).collect::<Vec<_>>().iter()) {
            return Err(Error::new(format!(
                "an array of shape {:?} cannot have the dims {dims:?}",
                array.shape()
            )));
        }
        let spec = Spec::new(dims.to_vec(), array.dtype());
        Ok(Val::from_node(Origin::Leaf, [spec].into(), Some(vec![array])))
    }

    /// A leaf without numbers.
    pub fn symbol(name: &str, dims: &[Dim], dtype: DType) -> Val {
        Val::from_node(Origin::Leaf, [Spec::new(dims.to_vec(), dtype)].into(), None).named(name)
    }

    /// A scalar whose value is part of the program.
    pub fn number(value: f64, dtype: DType) -> Val {
        Val::from_node(Origin::Number(value), [Spec::new(Vec::new(), dtype)].into(), None)
    }

    /// An operation applied to values; its only output.
    ///
    /// # Errors
    /// Where the shapes do not fit the operation.
    ///
    /// # Panics
    /// Where the operation has not exactly one output.
    pub fn apply(op: impl Op, inputs: &[&Val]) -> Result<Val> {
        let mut outputs = Val::apply_all(op, inputs)?;
        assert!(outputs.len() == 1, "an operation with several outputs is applied with `apply_all`");
        Ok(outputs.remove(0))
    }

    /// An operation applied to values; all its outputs.
    ///
    /// # Errors
    /// Where the shapes do not fit the operation, the result has too many axes, or memory does not suffice.
    pub fn apply_all(op: impl Op, inputs: &[&Val]) -> Result<Vec<Val>> {
        if inputs.is_empty() {
            return Err(Error::new(format!("{}: applied to nothing", op.name())));
        }
        let specs: Vec<&Spec> = inputs.iter().map(|value| value.spec()).collect();
        memory::check()?;
        let outputs = op.infer(&specs)?;
        if let Some(spec) = outputs.iter().find(|spec| spec.dims.len() > MOST_AXES) {
            let axes = spec.dims.len();
            let message = format!("{}: a result of {axes} axes; {MOST_AXES} are the most", op.name());
            return Err(Error::new(message).with_hint("join some of them with `reshape`"));
        }
        let count = outputs.len();
        let inputs = inputs.iter().map(|&value| value.clone()).collect();
        let first = Val::from_node(Origin::Call(Arc::new(op), inputs), outputs.into(), None);
        Ok((0..count).map(|output| first.sibling(output)).collect())
    }

    /// How the value comes from its inputs, whatever these are; `None` for a leaf, and for what is kept by nobody ([`crate::Same`]).
    pub fn application(&self) -> Option<Application> {
        match &self.node.origin {
            Origin::Call(op, _) if op.is_same(op.as_ref()) => {
                Some(Application { op: op.clone(), outputs: self.node.outputs.clone() })
            }
            _ => None,
        }
    }

    fn from_node(origin: Origin, outputs: Arc<[Spec]>, arrays: Option<Vec<Array>>) -> Val {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // An id for each output.
        let id = NEXT.fetch_add(outputs.len().max(1) as u64, Ordering::Relaxed);
        let arrays = arrays.map_or_else(OnceLock::new, OnceLock::from);
        let gated = match &origin {
            Origin::Call(op, inputs) => op.gates(&inputs.iter().map(Val::is_gated).collect::<Vec<_>>()),
            _ => false,
        };
        let (names, together) = (OnceLock::new(), OnceLock::new());
        Val { node: Arc::new(Node { id, origin, outputs, arrays, together, gated, names }), output: 0 }
    }

    /// The value, which `together` evaluates with others when its numbers are asked for. The first one that is told stays.
    pub fn evaluated_by(&self, together: Arc<dyn Together>) {
        self.node.together.get_or_init(|| together);
    }

    /// Was it evaluated, or given?
    pub fn is_evaluated(&self) -> bool {
        self.node.arrays.get().is_some()
    }

    /// The value under a name. A value keeps the first name it is given.
    pub fn named(self, name: &str) -> Val {
        let none = || self.node.outputs.iter().map(|_| OnceLock::new()).collect();
        self.node.names.get_or_init(none)[self.output].get_or_init(|| Name::new(name));
        self
    }

    /// The name the value was given.
    pub fn name(&self) -> Option<Name> {
        self.node.names.get()?[self.output].get().copied()
    }

    /// The shape and dtype.
    pub fn spec(&self) -> &Spec {
        &self.node.outputs[self.output]
    }

    /// The dims: sizes with names.
    pub fn dims(&self) -> &[Dim] {
        &self.spec().dims
    }

    /// The sizes.
    pub fn shape(&self) -> Vec<usize> {
        self.spec().shape()
    }

    /// The number of axes.
    pub fn ndim(&self) -> usize {
        self.dims().len()
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.spec().dtype
    }

    /// Where the value comes from.
    pub fn origin(&self) -> &Origin {
        &self.node.origin
    }

    /// How the value is computed, in terms of its inputs' symbols: `tanh(x)`, whatever its own name is. For a leaf, its
    /// symbol.
    pub fn expression(&self) -> String {
        match &self.node.origin {
            Origin::Call(op, inputs) => self.written_by(op.as_ref(), inputs, FORMULA_DEPTH),
            _ => self.symbol(),
        }
    }

    /// The same for a result of `op`, whose inputs are written to some depth.
    fn written_by(&self, op: &dyn Op, inputs: &[Val], depth: usize) -> String {
        let inputs: Vec<String> = inputs.iter().map(|input| written(input, depth)).collect();
        op.written_result(self, &inputs).unwrap_or_else(|| op.written(&inputs))
    }

    /// The values this one was computed from; none for a leaf.
    pub fn inputs(&self) -> &[Val] {
        match &self.node.origin {
            Origin::Call(_, inputs) => inputs,
            _ => &[],
        }
    }

    /// The number, where the value is one that is written in the program.
    pub fn as_number(&self) -> Option<f64> {
        match self.node.origin {
            Origin::Number(value) => Some(value),
            _ => None,
        }
    }

    /// A power of the number as a coefficient, where the value is one that is written in the program. One that is called as a
    /// size is counts as that size; one that is called otherwise, `(2 * N)`, is no coefficient, so that a formula shows it.
    pub fn as_coefficient(&self, power: i32) -> Option<Coef> {
        let number = self.as_number()?;
        match self.name() {
            None => Some(Coef::number(number.powi(power))),
            Some(name) if name.is_identifier() && number.fract() == 0.0 && (0.0..9e15).contains(&number) => {
                Some(Coef::size(Dim::named(name.as_str(), number as usize), power))
            }
            Some(_) => None,
        }
    }

    /// Which output of its operation the value is.
    pub fn output(&self) -> usize {
        self.output
    }

    /// All outputs of the operation the value comes from, itself among them.
    pub fn outputs(&self) -> Vec<Val> {
        (0..self.node.outputs.len()).map(|output| self.sibling(output)).collect()
    }

    /// Are its zeros structural, so that nothing comes through them? See [`Op::gates`].
    pub fn is_gated(&self) -> bool {
        self.node.gated
    }

    /// The value, without keeping it.
    pub fn downgrade(&self) -> WeakVal {
        WeakVal { node: Arc::downgrade(&self.node), output: self.output }
    }

    /// Another output of the operation the value comes from.
    pub fn sibling(&self, output: usize) -> Val {
        Val { node: self.node.clone(), output }
    }

    /// A number that identifies the application this value is an output of. It grows along the graph: a value's is larger
    /// than those of all it depends on.
    pub fn order(&self) -> u64 {
        self.node.id
    }

    /// The local Jacobian ∂self/∂input of the operation this value comes from, by its input number `input`.
    ///
    /// # Errors
    /// Where the value is a leaf, or the derivative does not exist.
    pub fn jacobian(&self, input: usize) -> Result<Network> {
        match &self.node.origin {
            Origin::Call(op, inputs) if input < inputs.len() => {
                op.jacobian(&Site { value: self, inputs, input })
            }
            _ => Err(Error::new(format!("{} has no input {input}", self.symbol()))),
        }
    }

    /// What its input number `input` gets of a cotangent, as it is written ([`crate::Op::adjoint`]).
    pub fn adjoint(&self, input: usize, cotangent: &str, inputs: &[String]) -> Option<String> {
        match &self.node.origin {
            Origin::Call(op, of) if input < of.len() => {
                op.adjoint(&Site { value: self, inputs: of, input }, cotangent, inputs)
            }
            _ => None,
        }
    }

    /// The numbers. What has not been evaluated before is, and is kept.
    ///
    /// # Errors
    /// Where the value depends on a symbol, and what the operations' forward passes return.
    pub fn array(&self) -> Result<&Array> {
        self.evaluated(&|_| true)
    }

    /// The numbers, where nothing else is likely to ask for those on the way: of these only small arrays are kept.
    ///
    /// # Errors
    /// Those of [`Val::array`].
    pub fn array_alone(&self) -> Result<&Array> {
        self.evaluated(&|arrays| arrays.iter().all(|array| array.len() <= KEPT))
    }

    fn evaluated(&self, is_kept: &dyn Fn(&[Array]) -> bool) -> Result<&Array> {
        READINGS.set(READINGS.get() + 1);
        if let Some(arrays) = self.node.arrays.get() {
            return Ok(&arrays[self.output]);
        }
        // What is not kept, by the number of its node.
        let mut made: HashMap<u64, Vec<Array>> = HashMap::new();
        // A stack of our own: a graph may be deeper than the thread's stack.
        let mut pending = vec![&self.node];
        while let Some(&node) = pending.last() {
            let is_missing = |node: &Node| node.arrays.get().is_none() && !made.contains_key(&node.id);
            if is_missing(node)
                && let Some(together) = node.together.get()
            {
                for (value, array) in together.evaluate()? {
                    value.node.arrays.get_or_init(|| vec![array]);
                }
            }
            if is_missing(node) {
                let before = pending.len();
                if let Origin::Call(_, inputs) = &node.origin {
                    pending.extend(inputs.iter().map(|x| &x.node).filter(|node| is_missing(node)));
                }
                if pending.len() > before {
                    continue;
                }
                let arrays = node.evaluate(&made)?;
                if node.id == self.node.id || is_kept(&arrays) {
                    node.arrays.get_or_init(|| arrays);
                } else {
                    made.insert(node.id, arrays);
                }
            }
            pending.pop();
        }
        Ok(&self.node.arrays.get().expect("just evaluated")[self.output])
    }

    /// Are its numbers, though integers, those of a computation that starts at floats or symbols, so that they are others where those are?
    pub(crate) fn is_computed_from_floats(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut pending = vec![self];
        while let Some(value) = pending.pop() {
            if seen.insert(value.order()) {
                match &value.node.origin {
                    Origin::Leaf if value.dtype().is_float() || value.node.arrays.get().is_none() => {
                        return true;
                    }
                    Origin::Leaf | Origin::Number(_) => {}
                    Origin::Call(_, inputs) => pending.extend(inputs),
                }
            }
        }
        false
    }

    /// Does the value have numbers: does it depend on no symbol?
    pub fn has_numbers(&self) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut pending = vec![self];
        while let Some(value) = pending.pop() {
            if value.node.arrays.get().is_none() && seen.insert(value.order()) {
                match &value.node.origin {
                    Origin::Leaf => return false,
                    Origin::Number(_) => {}
                    Origin::Call(_, inputs) => pending.extend(inputs),
                }
            }
        }
        true
    }
}

impl Node {
    /// Its results, where its inputs are evaluated: those that are not kept are among what was `made`.
    fn evaluate(&self, made: &HashMap<u64, Vec<Array>>) -> Result<Vec<Array>> {
        match &self.origin {
            Origin::Leaf => {
                let name = self.names.get().and_then(|names| names[0].get());
                let name = name.map_or("a value", |name| name.as_str());
                Err(Error::new(format!("{name} is a symbol: it has a shape and no numbers")))
            }
            Origin::Number(value) => Ok(vec![Array::scalar(*value, self.outputs[0].dtype)?]),
            Origin::Call(op, inputs) => {
                let known = inputs.iter().map(|x| {
                    let arrays = made.get(&x.node.id).or(x.node.arrays.get());
                    &arrays.expect("evaluated before")[x.output]
                });
                op.forward(&known.collect::<Vec<_>>())
            }
        }
    }
}

/// A long chain of values is freed in a loop: freeing it link by link would recurse as deep as it is long.
impl Drop for Node {
    fn drop(&mut self) {
        let take = |node: &mut Node| match std::mem::replace(&mut node.origin, Origin::Leaf) {
            Origin::Call(_, inputs) => inputs,
            _ => Vec::new(),
        };
        let mut pending = take(self);
        while let Some(value) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(value.node) {
                pending.extend(take(&mut node));
            }
        }
    }
}

/// An array of so many elements is kept wherever it is made.
const KEPT: usize = 1 << 16;

/// How deep a formula shows the operations of a payload before it writes `…`.
const FORMULA_DEPTH: usize = 4;

fn written(value: &Val, depth: usize) -> String {
    if let Some(name) = value.name() {
        return name.to_string();
    }
    match value.origin() {
        Origin::Leaf => match value.node.arrays.get() {
            Some(arrays) if value.ndim() == 0 => {
                arrays[0].item().map_or_else(|_| "·".into(), |x| format!("{x}"))
            }
            _ => "·".to_string(),
        },
        Origin::Number(number) => format!("{number}"),
        Origin::Call(..) if depth == 0 => "…".to_string(),
        Origin::Call(op, inputs) => value.written_by(op.as_ref(), inputs, depth - 1),
    }
}

impl fmt::Debug for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {:?}", written(self, FORMULA_DEPTH), self.dtype(), self.dims())
    }
}

/// The closure law: what a contraction does to payloads, as operations of the table.
impl Value for Val {
    type Error = Error;

    fn id(&self) -> u64 {
        self.node.id + self.output as u64
    }

    fn dims(&self) -> &[Dim] {
        self.dims()
    }

    fn symbol(&self) -> String {
        written(self, FORMULA_DEPTH)
    }

    fn one(&self) -> Val {
        Val::number(1.0, self.dtype())
    }

    fn contract(coef: &Coef, operands: &[(Val, Vec<Label>)], out: &[Label]) -> Result<Val> {
        let inputs: Vec<&Val> = operands.iter().map(|(value, _)| value).collect();
        let labels: Vec<Vec<Label>> = operands.iter().map(|(_, labels)| labels.clone()).collect();
        let gates = inputs.iter().map(|value| value.is_gated()).collect();
        Val::apply(Einsum::from_labels(coef.clone(), &labels, out).gated(gates), &inputs)
    }

    fn gather(&self, table: &Table, dims: &[Dim]) -> Result<Val> {
        Val::apply(Gather::rows(table.clone(), dims)?, &[self])
    }

    fn scatter_add(&self, table: &Table, size: usize) -> Result<Val> {
        Val::apply(ScatterAdd::new(table.clone(), Dim::new(size))?, &[self])
    }

    fn reshape(&self, dims: &[Dim]) -> Result<Val> {
        Val::apply(Reshape::new(dims.to_vec()), &[self])
    }

    fn solve(&self, right: &Val, transposed: bool) -> Result<Val> {
        self.solve(right, transposed)
    }

    fn inverse(&self) -> Result<Val> {
        self.inv()
    }

    fn pick(&self, index: &Val, batch: usize) -> Result<Val> {
        self.pick(index, batch)
    }

    fn put(&self, index: &Val, batch: usize, size: Dim) -> Result<Val> {
        self.put(index, batch, size)
    }

    fn running_sum(&self, axis: usize, reversed: bool) -> Result<Val> {
        self.running_sums(axis, reversed)
    }

    fn recur(&self, right: &Val, transposed: bool) -> Result<Val> {
        self.recur(right, transposed)
    }

    fn local(operator: &Operator<Val>, right: &Val, transposed: bool) -> Result<Val> {
        let Map::Local { of, input, .. } = &operator.map else {
            return Err(Error::new("a local Jacobian is applied by what states it"));
        };
        match &of.node.origin {
            Origin::Call(op, inputs) => {
                op.apply_jacobian(&Site { value: of, inputs, input: *input }, right, transposed)
            }
            _ => Err(Error::new(format!("{} has no input {input}", of.symbol()))),
        }
    }

    fn operand(&self, input: usize) -> String {
        self.inputs().get(input).map_or_else(|| "·".to_string(), |input| written(input, FORMULA_DEPTH))
    }

    fn add(&self, other: &Val) -> Result<Val> {
        self + other
    }
}
