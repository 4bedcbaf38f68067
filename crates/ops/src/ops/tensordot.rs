//! A product of two values, summed over some axes of each.
//!
//! # Formula
//! y_(i…, j…) = Σ_(k…) a_(i…, k…) b_(k…, j…), where k… are the axes that are named
//!
//! # Jacobian
//! By each operand: the other one, with a delta on every axis that is left of it.
//!
//! # Domain
//! All reals. A number k stands for the last k axes of a and the first k of b; two lists name them.
//!
//! # At kinks and ties
//! Smooth.
//!
//! # Why
//! A definition: the named axes are moved together, and two matrices are multiplied.

use pullback_network::Dim;

use crate::{Axes, Entry, Error, Result, Sample, Val};

pub(crate) static ENTRY: Entry = Entry {
    signature: "tensordot(a, b, axes: axes = 2)",
    aliases: &[],
    axes: Axes::Own,
    call: |args| {
        let (a, b) = (args.value("a")?, args.value("b")?);
        let (of_a, of_b) = args.joined("axes", (a.ndim(), b.ndim()))?;
        a.tensordot(&b, &of_a, &of_b)
    },
    samples: || {
        vec![
            Sample::normal("tensordot: two axes", [&[2, 3, 5], &[3, 5, 2]], |x| {
                x[0].tensordot(&x[1], &[1, 2], &[0, 1])
            }),
            Sample::normal("tensordot: axes by name", [&[2, 3], &[4, 2]], |x| {
                x[0].tensordot(&x[1], &[0], &[1])
            }),
            Sample::normal("tensordot: over nothing", [&[2], &[3]], |x| x[0].tensordot(&x[1], &[], &[])),
        ]
    },
};

impl Val {
    /// The product, summed over the axes `of_a` of this value and `of_b` of the other, in this order.
    ///
    /// # Errors
    /// Where an axis does not exist or is named twice, or two of them have different sizes.
    pub fn tensordot(&self, other: &Val, of_a: &[usize], of_b: &[usize]) -> Result<Val> {
        let sizes = |x: &Val, axes: &[usize]| -> Vec<Option<usize>> {
            axes.iter().map(|&axis| x.dims().get(axis).map(|dim| dim.size())).collect()
        };
        let (in_a, in_b) = (sizes(self, of_a), sizes(other, of_b));
        if in_a != in_b || in_a.contains(&None) {
            return Err(Error::new(format!(
                "tensordot: axes {of_a:?} of {:?} and {of_b:?} of {:?}",
                self.dims(),
                other.dims()
            )));
        }
        let left = |x: &Val, named: &[usize]| -> Vec<usize> {
            (0..x.ndim()).filter(|axis| !named.contains(axis)).collect()
        };
        let (a_left, b_left) = (left(self, of_a), left(other, of_b));
        let dims_of =
            |x: &Val, axes: &[usize]| -> Vec<Dim> { axes.iter().map(|&axis| x.dims()[axis]).collect() };
        let product = |dims: &[Dim]| Dim::new(dims.iter().map(|dim| dim.size()).product());
        let (i, k, j) = (dims_of(self, &a_left), dims_of(self, of_a), dims_of(other, &b_left));
        let rows = self.permute(&[a_left, of_a.to_vec()].concat())?.reshape(&[product(&i), product(&k)])?;
        let columns =
            other.permute(&[of_b.to_vec(), b_left].concat())?.reshape(&[product(&k), product(&j)])?;
        rows.matmul(&columns)?.reshape(&[i, j].concat())
    }
}
