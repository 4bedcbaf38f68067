//! A value on the way back from y to x, as a mistake sees it, and what a mistake would have made of its cotangent.

use std::rc::Rc;

use pullback_network::Dim;
use pullback_ops::{Network, Term, Val};

use crate::words::Words;

/// A value between x and y.
pub(crate) struct Node {
    pub value: Val,
    /// Is it x?
    pub is_end: bool,
    /// The sum of the shares of all uses, unless the value is y.
    pub cotangent: Val,
    /// The operations it goes into.
    pub uses: Vec<Use>,
    /// The gradients by the named values of the program, where they are those of a loss.
    pub gradients: Rc<Vec<(String, Val)>>,
}

/// An operation that a value goes into.
pub(crate) struct Use {
    /// What comes out.
    pub value: Val,
    /// Which operand it is.
    pub input: usize,
    /// ∂out/∂operand.
    pub network: Network,
    /// The cotangent of what comes out.
    pub cotangent: Val,
    /// The cotangent contracted with the network.
    pub share: Val,
}

impl Use {
    /// The value that goes in.
    pub(crate) fn operand(&self) -> &Val {
        &self.value.inputs()[self.input]
    }

    /// The operation as source: `softmax(z)`.
    pub(crate) fn written(&self) -> String {
        self.value.expression()
    }

    /// What another network would have made of the cotangent.
    pub(crate) fn share_by(&self, network: &Network) -> Option<Vec<f64>> {
        let share = network.vjp(&self.cotangent).ok()?;
        Some(match share {
            Some(share) => share.array().ok()?.to_vec_f64(),
            None => vec![0.0; size(self.operand().dims())],
        })
    }
}

/// What a mistake would have made of the cotangent of a value.
pub(crate) struct Slip {
    /// Which of the mistakes at this value it is, the same on all data.
    pub key: String,
    /// What is added to the cotangent.
    pub change: Change,
    /// How unlikely it is, in tenths of what an edit costs.
    pub cost: u32,
    pub words: Words,
}

/// What is added to the cotangent of a value.
pub(crate) enum Change {
    /// This.
    By(Vec<f64>),
    /// An unknown multiple of this part of it: the number is fitted, and has to have a name.
    Scaled(Vec<f64>),
    /// An unknown multiple of this, whatever it is: a term that does not belong there.
    Added(Vec<f64>),
    /// An unknown multiple of this in place of that part: of a derivative that is another function's, signs and numbers are
    /// not known.
    Replaced { part: Vec<f64>, by: Vec<f64> },
}

impl Slip {
    /// A share that is another one than it should be.
    pub(crate) fn instead(key: String, used: &Use, share: &[f64], cost: u32, words: Words) -> Option<Slip> {
        let right = used.share.array().ok()?.to_vec_f64();
        let change: Vec<f64> = share.iter().zip(&right).map(|(is, right)| is - right).collect();
        (share.len() == right.len()).then_some(Slip { key, change: Change::By(change), cost, words })
    }
}

/// A network with some of its terms, each perhaps changed. `None` where a changed term does not fit the axes.
pub(crate) fn with_terms(
    network: &Network,
    mut change: impl FnMut(usize, Term) -> Option<Term>,
) -> Option<Network> {
    let split = network.outputs().len();
    let dims: Vec<Dim> = network.outputs().iter().chain(network.inputs()).copied().collect();
    let mut sum = Network::zero(network.outputs(), network.inputs());
    for (at, term) in network.terms().iter().enumerate() {
        let Some(term) = change(at, term.clone()) else { continue };
        if term.slots.iter().zip(&dims).any(|(label, dim)| label.size() != dim.size()) {
            return None;
        }
        let (outputs, inputs) = term.slots.split_at(split);
        sum = sum.plus_term(term.coef, outputs, inputs, term.factors);
    }
    Some(sum)
}

/// A network with one of its terms changed.
pub(crate) fn with_term(network: &Network, at: usize, change: impl Fn(&mut Term)) -> Option<Network> {
    with_terms(network, |k, mut term| {
        if k == at {
            change(&mut term);
        }
        Some(term)
    })
}

/// The number of elements.
pub(crate) fn size(dims: &[Dim]) -> usize {
    dims.iter().map(|dim| dim.size()).product()
}

/// `∂a_i/∂z_m = δ_im a_i − a_i a_m`.
pub(crate) fn rule(used: &Use) -> String {
    use pullback_network::{Letters, Value as _, indexed};
    let letters = Letters::of_axes(used.network.outputs().len(), used.network.inputs().len());
    let (of, by) = letters.split_at(used.network.outputs().len());
    let side = |value: &Val, letters: &[String]| indexed(&value.symbol(), letters);
    format!("∂{}/∂{} = {}", side(&used.value, of), side(used.operand(), by), used.network.formula())
}
