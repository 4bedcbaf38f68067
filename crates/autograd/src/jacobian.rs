//! Jacobians of whole programs.
//!
//! The Jacobian of a program is the DAG of the local Jacobians of its operations ([`Dag`]). Nothing is expanded to build
//! it, and nothing is copied: payloads are the values of the program. What it is wanted for decides how far it is joined:
//!
//! - to be applied ([`Jacobian::vjp`], [`Jacobian::jvp`]), as far as neither work nor memory nor terms grow, so that it
//!   never takes more work than reverse mode;
//! - to be read ([`Jacobian::stages`], [`Jacobian::formula`]), to one formula, if it has at most [`MOST_TERMS`] terms of at
//!   most [`MOST_FACTORS`] factors; else to several shorter ones, from one value with a name to the next;
//! - to be written out ([`Jacobian::to_dense`]), to the end; a network on the way that passes these bounds is written out.

use std::collections::HashMap;
use std::sync::OnceLock;

use pullback_network::{Coef, Cost, Dag, Descended, Dim, Label, Structure, Value};
use pullback_ops::{Error, Factor, Network, Result, Term, Val};

use crate::walk::between;

/// How many terms a formula may have.
const MOST_TERMS: usize = 16;

/// How many factors a term of it may have.
const MOST_FACTORS: usize = 10;

/// How many relations between indices a term of it may have: beyond, neither a reader sees nor a contraction finds cheaply
/// which index they lead to.
const MOST_RELATIONS: usize = 4;

/// How a Jacobian is laid out as a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Outputs and inputs as vectors with the last index varying fastest: C, NumPy, PyTorch.
    Row,
    /// With the first index varying fastest: Fortran, MATLAB, and vec(·) in the literature.
    Column,
}

/// ∂y/∂x: a linear map from tangents of x to tangents of y, not an array until asked.
///
/// ```
/// use pullback_array::{Array, DType};
/// use pullback_autograd::jacobian;
/// use pullback_network::Dim;
/// use pullback_ops::Val;
///
/// // N = 64 records, 4096 features, 4096 outputs: symbols have shapes and no numbers.
/// let (n, d, m) = (Dim::named("N", 64), Dim::named("D", 4096), Dim::named("M", 4096));
/// let x = Val::symbol("X", &[n, d], DType::F32);
/// let z = x.matmul(&Val::symbol("W", &[d, m], DType::F32))?;
/// let jacobian = jacobian(&z, &x, &[])?;
/// assert_eq!(jacobian.formula(), "δ_im W_nj");
/// assert_eq!(jacobian.structure().matrix.as_deref(), Some("I_N ⊗ Wᵀ"));
/// assert_eq!(jacobian.cost()?.dense_entries, 2f64.powi(36));
/// assert_eq!(jacobian.cost()?.stored_entries, 2f64.powi(24));
/// # Ok::<(), pullback_ops::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Jacobian {
    /// The local Jacobians.
    dag: Dag<Val>,
    /// The value that each vertex of the DAG is: x first, y last.
    values: Vec<Val>,
    /// 1, in the dtype of y.
    one: Val,
    /// Joined to be read.
    short: OnceLock<Dag<Val>>,
    /// Joined to be applied.
    descended: OnceLock<Descended<Val>>,
    /// Joined to the end.
    network: OnceLock<Network>,
}

/// A factor of a Jacobian that is too long for one formula: the Jacobian of one value on the way by another.
#[derive(Clone, Copy, Debug)]
pub struct Stage<'a> {
    /// What is differentiated.
    pub of: &'a Val,
    /// By what.
    pub by: &'a Val,
    /// Its Jacobian.
    pub network: &'a Network,
}

/// The Jacobian ∂y/∂x over all paths from x to y that do not pass a `fixed` value.
///
/// # Errors
/// What the rules on the way return.
pub fn jacobian(y: &Val, x: &Val, fixed: &[&Val]) -> Result<Jacobian> {
    if y.id() == x.id() {
        let mut dag = Dag::new(vec![x.dims().to_vec(); 2]);
        dag.add(1, 0, Network::identity(x.dims()));
        return Ok(Jacobian::new(dag, vec![x.clone(); 2]));
    }
    let path = between(&[y], &[x], fixed);
    if !path.iter().any(|value| value.id() == y.id()) {
        // No path: y does not depend on x, or is held itself, or x are integers.
        let dag = Dag::new(vec![x.dims().to_vec(), y.dims().to_vec()]);
        return Ok(Jacobian::new(dag, vec![x.clone(), y.clone()]));
    }
    let vertices: HashMap<u64, usize> = path.iter().enumerate().map(|(k, value)| (value.id(), k)).collect();
    let mut dag = Dag::new(path.iter().map(|value| value.dims().to_vec()).collect());
    for (to, value) in path.iter().enumerate().skip(1) {
        for (k, input) in value.inputs().iter().enumerate() {
            if let Some(&from) = vertices.get(&input.id()) {
                dag.add(to, from, value.jacobian(k)?);
            }
        }
    }
    Ok(Jacobian::new(dag, path))
}

/// The Hessian of a scalar, ∂²L/∂x∂y: the Jacobian by `y` of the gradient by `x`.
///
/// # Errors
/// Where `scalar` has axes, or a rule does.
pub fn hessian(scalar: &Val, x: &Val, y: &Val) -> Result<Jacobian> {
    jacobian(&crate::grad(scalar, &[x])?.remove(0), y, &[])
}

impl Jacobian {
    fn new(dag: Dag<Val>, values: Vec<Val>) -> Jacobian {
        let one = values[values.len() - 1].one();
        Jacobian {
            dag,
            values,
            one,
            short: OnceLock::new(),
            descended: OnceLock::new(),
            network: OnceLock::new(),
        }
    }

    /// The shape of y.
    pub fn outputs(&self) -> &[Dim] {
        self.dag.outputs()
    }

    /// The shape of x.
    pub fn inputs(&self) -> &[Dim] {
        self.dag.inputs()
    }

    /// The local Jacobians of the program, operation by operation, from y down.
    pub fn operations(&self) -> Vec<Stage<'_>> {
        self.stages_of(&self.dag)
    }

    /// The Jacobian in as few formulas as are short enough to be read: usually one, ∂y/∂x itself; none where it is zero.
    /// Where there are several, ∂y/∂x is the sum over all paths from x to y of their products.
    pub fn stages(&self) -> Vec<Stage<'_>> {
        self.stages_of(self.short())
    }

    fn stages_of<'a>(&'a self, dag: &'a Dag<Val>) -> Vec<Stage<'a>> {
        let stage = |(to, from, network)| Stage { of: &self.values[to], by: &self.values[from], network };
        dag.edges().map(stage).collect()
    }

    fn short(&self) -> &Dag<Val> {
        let within = |terms: usize, factors: usize| {
            move |network: &Network| {
                let short = |term: &Term| term.factors.len() <= factors;
                network.terms().len() <= terms
                    && network.terms().iter().all(short)
                    && has_few_relations(network)
            }
        };
        self.short.get_or_init(|| {
            let whole = self.dag.joined(|_| true, within(MOST_TERMS, MOST_FACTORS));
            if whole.as_network().is_some() {
                return whole;
            }
            // From one value with a name to the next, and on only where the formula stays very short.
            let unnamed = |vertex: usize| self.values[vertex].name().is_none();
            let named = self.dag.joined(unnamed, within(MOST_TERMS / 4, MOST_FACTORS / 2));
            named.joined(|_| true, within(2, 2))
        })
    }

    /// The DAG in the form in which it is applied: joined as far as neither work, nor memory, nor the number of terms grow.
    ///
    /// # Errors
    /// What the operations that make its payloads return.
    pub fn descended(&self) -> Result<&Descended<Val>> {
        if let Some(descended) = self.descended.get() {
            return Ok(descended);
        }
        let descended = self.dag.descended()?;
        Ok(self.descended.get_or_init(|| descended))
    }

    /// The whole Jacobian as one network, which a long program makes a dense one.
    ///
    /// # Errors
    /// Where an index table is too large.
    pub fn network(&self) -> Result<&Network> {
        if let Some(network) = self.network.get() {
            return Ok(network);
        }
        let network = match self.short().as_network() {
            Some(network) => network,
            None => self.dag.collapsed(&|network| bounded(network, &self.one))?,
        };
        Ok(self.network.get_or_init(|| network))
    }

    /// Is it zero by construction: does y not depend on x, or only through what is piecewise constant?
    pub fn is_zero(&self) -> bool {
        self.short().as_network().is_some_and(|network| network.is_zero())
    }

    /// The cotangent of x, of x's shape, for a cotangent of y. `None`: zero.
    ///
    /// # Errors
    /// Where the cotangent has not y's shape.
    pub fn vjp(&self, cotangent: &Val) -> Result<Option<Val>> {
        self.descended()?.dag.vjp(cotangent)
    }

    /// The tangent of y, of y's shape, for a tangent of x. `None`: zero.
    ///
    /// # Errors
    /// Where the tangent has not x's shape.
    pub fn jvp(&self, tangent: &Val) -> Result<Option<Val>> {
        self.descended()?.dag.jvp(tangent)
    }

    /// The Jacobian of a composition: `self` after `inner`.
    ///
    /// # Errors
    /// Where `self` does not start at the shape at which `inner` ends.
    pub fn compose(&self, inner: &Jacobian) -> Result<Jacobian> {
        if self.inputs() != inner.outputs() {
            let (given, wanted) = (inner.outputs(), self.inputs());
            return Err(Error::new(format!(
                "compose: a Jacobian by {wanted:?} cannot follow one of {given:?}"
            ))
            .with_hint("∂z/∂x = ∂z/∂y · ∂y/∂x is `dz_dy.compose(&dy_dx)`"));
        }
        let values = inner.values.iter().chain(&self.values[1..]).cloned().collect();
        Ok(Jacobian::new(self.dag.compose(&inner.dag), values))
    }

    /// The transposed map, from cotangents of y to cotangents of x.
    pub fn transpose(&self) -> Jacobian {
        Jacobian::new(self.dag.transpose(), self.values.iter().rev().cloned().collect())
    }

    /// All entries, as a tensor of shape `[y…, x…]`.
    ///
    /// # Errors
    /// Where the number of entries, or that of an index table, is too large. Memory is asked for on evaluation.
    pub fn to_dense(&self) -> Result<Val> {
        match self.network()?.to_dense(&self.one)? {
            Some(dense) => Ok(dense),
            None => self.zeros(&self.outputs().iter().chain(self.inputs()).copied().collect::<Vec<_>>()),
        }
    }

    fn zeros(&self, dims: &[Dim]) -> Result<Val> {
        Val::contract(&Coef::number(0.0), &[(self.one.clone(), Vec::new())], &Label::for_dims(dims))
    }

    /// All entries, as a matrix of shape `[|y|, |x|]`.
    ///
    /// # Errors
    /// Where the number of entries, or that of an index table, is too large. Memory is asked for on evaluation.
    pub fn to_matrix(&self, layout: Layout) -> Result<Val> {
        as_matrix(&self.to_dense()?, self.outputs().len(), layout)
    }

    /// The entries ∂y_i/∂x_i, in the shape of x and y, without the others.
    ///
    /// # Errors
    /// Where x and y are of different shapes.
    pub fn diagonal(&self) -> Result<Val> {
        if self.outputs() != self.inputs() {
            let (y, x) = (self.outputs(), self.inputs());
            return Err(Error::new(format!("diagonal: a Jacobian of {y:?} by {x:?} has none"))
                .with_hint("the shapes of y and x must be equal"));
        }
        match self.network()?.diagonal(&self.one)? {
            Some(diagonal) => Ok(diagonal),
            None => self.zeros(self.outputs()),
        }
    }

    /// What it costs, told without evaluating anything.
    ///
    /// # Errors
    /// What the operations that make its payloads return.
    pub fn cost(&self) -> Result<Cost> {
        let descended = self.descended()?;
        Ok(Cost { build_flops: descended.build_flops, ..descended.dag.cost() })
    }

    /// What one vector–Jacobian product costs in reverse mode, operation by operation: multiply–adds.
    pub fn reverse_mode_flops(&self) -> f64 {
        self.dag.cost().vjp_flops
    }

    /// What kind of matrix it is, as far as its formula tells; nothing is said of one that is too long for a formula.
    pub fn structure(&self) -> Structure {
        self.short().as_network().map_or_else(Structure::default, |network| network.structure())
    }

    /// The Jacobian in index notation; one that is too long for a formula as its [`stages`](Self::stages).
    pub fn formula(&self) -> String {
        match self.short().as_network() {
            Some(network) => network.formula(),
            None => {
                let formula = |stage: Stage<'_>| {
                    format!("∂{}/∂{} = {}", stage.of.symbol(), stage.by.symbol(), stage.network.formula())
                };
                self.stages().into_iter().map(formula).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

fn has_few_relations(network: &Network) -> bool {
    let is_relation = |factor: &&Factor| matches!(factor, Factor::Relation(_));
    network.terms().iter().all(|term| term.factors.iter().filter(is_relation).count() <= MOST_RELATIONS)
}

/// A network that is not longer than a formula may be: long terms are condensed, many terms or relations written out.
fn bounded(network: Network, one: &Val) -> Result<Network> {
    let network = network.condensed(MOST_FACTORS)?;
    if network.terms().len() <= MOST_TERMS && has_few_relations(&network) {
        return Ok(network);
    }
    Ok(match network.to_dense(one)? {
        None => network,
        Some(dense) => {
            let (outputs, inputs) = (Label::for_dims(network.outputs()), Label::for_dims(network.inputs()));
            let labels = outputs.iter().chain(&inputs).copied().collect();
            let zero = Network::zero(network.outputs(), network.inputs());
            zero.plus_term(Coef::one(), &outputs, &inputs, [Factor::Dense(dense, labels)])
        }
    })
}

/// A tensor whose first `split` axes are outputs and whose others are inputs, as a matrix.
fn as_matrix(tensor: &Val, split: usize, layout: Layout) -> Result<Val> {
    let count =
        |dims: &[Dim]| Dim::new(dims.iter().map(|dim| dim.size()).fold(1usize, usize::saturating_mul));
    let (outputs, inputs) = tensor.dims().split_at(split);
    let dims = [count(outputs), count(inputs)];
    match layout {
        Layout::Row => tensor.reshape(&dims),
        Layout::Column => {
            let axes: Vec<usize> = (0..split).rev().chain((split..tensor.ndim()).rev()).collect();
            tensor.permute(&axes)?.reshape(&dims)
        }
    }
}
