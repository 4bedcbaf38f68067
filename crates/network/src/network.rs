//! Terms and networks: how a rule states its Jacobian, and what one may ask of it.

use crate::coef::Coef;
use crate::dim::{Dim, Label};
use crate::factor::{Factor, Value};
use crate::relation::Relation;
use crate::table::Error;

/// One product of a network: `coef · Π factors`, summed over every label that stands in no slot.
#[derive(Clone, Debug)]
pub struct Term<V> {
    /// The number in front.
    pub coef: Coef,
    /// A label for each axis of the output, then one for each axis of the input. A delta is a label that stands here
    /// twice.
    pub slots: Vec<Label>,
    /// What is multiplied.
    pub factors: Vec<Factor<V>>,
}

impl<V> Term<V> {
    /// Is the label one of the slots?
    pub(crate) fn is_free(&self, label: Label) -> bool {
        self.slots.contains(&label)
    }

    pub(crate) fn rename(&mut self, rename: &impl Fn(Label) -> Label) {
        self.slots.iter_mut().for_each(|label| *label = rename(*label));
        self.factors.iter_mut().for_each(|factor| factor.rename(rename));
    }

    /// All labels of the term, each once, slots first.
    pub(crate) fn labels(&self) -> Vec<Label> {
        let in_factors = self.factors.iter().flat_map(Factor::labels);
        crate::dim::distinct(self.slots.iter().copied().chain(in_factors))
    }
}

/// A Jacobian in index notation: a linear map from arrays of shape `inputs` to arrays of shape `outputs`, as a sum of
/// terms. No terms: it is zero.
#[derive(Clone, Debug)]
pub struct Network<V> {
    outputs: Vec<Dim>,
    inputs: Vec<Dim>,
    terms: Vec<Term<V>>,
}

impl<V> Network<V> {
    /// The zero map between two shapes.
    pub fn zero(outputs: &[Dim], inputs: &[Dim]) -> Network<V> {
        Network { outputs: outputs.to_vec(), inputs: inputs.to_vec(), terms: Vec::new() }
    }

    /// The identity: a delta for each axis.
    pub fn identity(dims: &[Dim]) -> Network<V> {
        let labels = Label::for_dims(dims);
        Network::zero(dims, dims).plus_term(Coef::one(), &labels, &labels, [])
    }

    /// Adds a term. `outputs` and `inputs` are the labels of its slots; each must have the size of its axis.
    ///
    /// # Panics
    /// Where there are not as many labels as axes, or one has not the size of its axis: the rule is then wrong, whatever
    /// the data.
    #[track_caller]
    pub fn plus_term(
        mut self,
        coef: Coef,
        outputs: &[Label],
        inputs: &[Label],
        factors: impl IntoIterator<Item = Factor<V>>,
    ) -> Network<V> {
        let slots: Vec<Label> = outputs.iter().chain(inputs).copied().collect();
        let axes = self.outputs.iter().chain(&self.inputs);
        assert!(
            outputs.len() == self.outputs.len() && inputs.len() == self.inputs.len(),
            "a term has a label for each axis: {} and {} labels for {:?} by {:?}",
            outputs.len(),
            inputs.len(),
            self.outputs,
            self.inputs,
        );
        assert!(
            slots.iter().zip(axes).all(|(label, dim)| label.size() == dim.size()),
            "the labels {slots:?} have not the sizes of {:?} by {:?}",
            self.outputs,
            self.inputs,
        );
        self.terms.push(Term { coef, slots, factors: factors.into_iter().collect() });
        self
    }

    /// The shape of the output.
    pub fn outputs(&self) -> &[Dim] {
        &self.outputs
    }

    /// The shape of the input.
    pub fn inputs(&self) -> &[Dim] {
        &self.inputs
    }

    /// The terms. None: the map is zero.
    pub fn terms(&self) -> &[Term<V>] {
        &self.terms
    }

    /// Is the map zero by construction?
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    pub(crate) fn with_terms(&self, terms: Vec<Term<V>>) -> Network<V> {
        Network { outputs: self.outputs.clone(), inputs: self.inputs.clone(), terms }
    }
}

impl<V: Value> Network<V> {
    /// The transposed map: outputs and inputs change places.
    pub fn transpose(&self) -> Network<V> {
        let split = self.outputs.len();
        let terms = self.terms.iter().cloned().map(|mut term| {
            term.slots.rotate_left(split);
            term
        });
        Network { outputs: self.inputs.clone(), inputs: self.outputs.clone(), terms: terms.collect() }
    }

    /// The map with its deltas eliminated, its relations reduced and its like terms merged.
    pub fn simplified(&self) -> Network<V> {
        let terms = self.terms.iter().cloned().filter_map(|term| term.simplified(&[]));
        self.with_terms(crate::join::merged(terms.collect()))
    }

    /// The sum of two maps between the same shapes.
    ///
    /// # Panics
    /// Where the shapes differ.
    #[track_caller]
    pub fn plus(&self, other: &Network<V>) -> Network<V> {
        assert!(
            self.outputs == other.outputs && self.inputs == other.inputs,
            "only maps of equal shapes add"
        );
        let terms = self.terms.iter().chain(&other.terms).cloned().collect();
        self.with_terms(crate::join::merged(terms))
    }

    /// The vector–Jacobian product: the output's cotangent, contracted with the outputs. `None`: zero.
    ///
    /// # Errors
    /// Where the cotangent has not the output's shape; what the payload's operations return.
    pub fn vjp(&self, cotangent: &V) -> Result<Option<V>, V::Error> {
        if cotangent.dims() != self.outputs {
            let shapes = (cotangent.dims(), &self.outputs);
            return Err(Error::new(format!(
                "a vector of shape {:?} for a side of shape {:?}",
                shapes.0, shapes.1
            ))
            .into());
        }
        crate::contract::sum_of_terms(self.cotangent_terms(cotangent))
    }

    /// The terms that [`Network::vjp`] sums: those of the map times the cotangent, before any contraction but with
    /// deltas eliminated. The steps of a derivation are read off them.
    pub fn cotangent_terms(&self, cotangent: &V) -> Vec<Term<V>> {
        let split = self.outputs.len();
        let joined = self.terms.iter().cloned().filter_map(|mut term| {
            let inputs = term.slots.split_off(split);
            let outputs = std::mem::replace(&mut term.slots, inputs);
            term.factors.insert(0, Factor::Dense(cotangent.clone(), outputs));
            term.simplified(&[])
        });
        joined.collect()
    }

    /// The Jacobian–vector product: the input's tangent, contracted with the inputs. `None`: zero.
    ///
    /// # Errors
    /// What the payload's operations return.
    pub fn jvp(&self, tangent: &V) -> Result<Option<V>, V::Error> {
        self.transpose().vjp(tangent)
    }

    /// The entries at which the indices of the output are those of the input, as a payload of the shape of both. `one` is the
    /// scalar 1 of the dtype wanted. `None`: zero.
    ///
    /// # Errors
    /// Where output and input are of different shapes; what the payload's operations return.
    pub fn diagonal(&self, one: &V) -> Result<Option<V>, V::Error> {
        if self.outputs != self.inputs {
            let (outputs, inputs) = (&self.outputs, &self.inputs);
            return Err(Error::new(format!("a map from {inputs:?} to {outputs:?} has no diagonal")).into());
        }
        let split = self.outputs.len();
        let read = self.terms.iter().cloned().filter_map(|mut term| {
            let inputs = term.slots.split_off(split);
            let equal = inputs.iter().zip(&term.slots).map(|(&m, &i)| Relation::affine([(1, m), (-1, i)], 0));
            term.factors.extend(equal.map(Factor::Relation).collect::<Vec<_>>());
            with_payload(term, one).simplified(&inputs)
        });
        crate::contract::sum_of_terms(read.collect())
    }

    /// The whole Jacobian as a payload with axes `[outputs…, inputs…]`, written once from its non-zeros. `one` is the
    /// scalar 1 of the dtype wanted. `None`: zero.
    ///
    /// # Errors
    /// What the payload's operations return.
    pub fn to_dense(&self, one: &V) -> Result<Option<V>, V::Error> {
        let terms = self.terms.iter().cloned().filter_map(|term| with_payload(term, one).simplified(&[]));
        crate::contract::sum_of_terms(terms.collect())
    }
}

/// The term with at least one payload, which a contraction needs.
fn with_payload<V: Value>(mut term: Term<V>, one: &V) -> Term<V> {
    if !term.factors.iter().any(|factor| matches!(factor, Factor::Dense(..))) {
        term.factors.push(Factor::Dense(one.clone(), Vec::new()));
    }
    term
}
