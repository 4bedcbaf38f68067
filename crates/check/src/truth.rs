//! The derivative itself, for whoever looks for an expression of it.

use pullback_array::Array;
use pullback_ops::Result;

use crate::claim::Subject;
use crate::evidence::Reduced;
use crate::layout::{ClaimLayout, from_tensor, shapes, to_tensor};

/// The derivative by autograd, as the tensor `[y…, x…]`; where the conventions of operations at kinks do not compose to it, the
/// slope that their pieces have in common.
#[derive(Clone, Debug)]
pub struct Truth {
    tensor: Array,
    y: Vec<usize>,
    x: Vec<usize>,
}

impl Truth {
    /// The derivative that a subject is about; `None` where it has more entries than `most`.
    ///
    /// # Errors
    /// Where the program is not in double precision, or cannot be evaluated or differentiated.
    ///
    /// ```
    /// # use pullback_array::Array;
    /// # use pullback_check::{ClaimLayout, Subject, Truth};
    /// # use pullback_ops::Val;
    /// let x = Val::new(Array::from_slice(&[2], &[1.0, 2.0])?);
    /// let truth = Truth::of(&Subject::new(&x.powf(2.0)?, &x), 100)?.expect("four entries");
    /// let matrix = truth.in_shape(&[2, 2], ClaimLayout::Either).expect("a shape of a claim about it");
    /// assert_eq!(matrix.to_vec_f64(), [2.0, 0.0, 0.0, 4.0]);
    /// # Ok::<(), pullback_ops::Error>(())
    /// ```
    pub fn of(subject: &Subject, most: usize) -> Result<Option<Truth>> {
        let reduced = Reduced::new(subject)?;
        let derivative = reduced.derivative();
        if derivative.entries() > most {
            return Ok(None);
        }
        let mut tensor = derivative.tensor()?;
        let fitted = derivative.fitted()?.entries;
        if !fitted.is_empty() {
            let mut entries = tensor.to_vec_f64();
            fitted.into_iter().for_each(|(position, slope)| entries[position] = slope);
            tensor = Array::from_vec(tensor.shape(), entries)?;
        }
        Ok(Some(Truth { tensor, y: reduced.y.shape(), x: subject.last().shape() }))
    }

    /// Numbers of any shape in a derivative's place, where what gives them is sought.
    pub fn of_numbers(tensor: Array) -> Truth {
        let x = tensor.shape().to_vec();
        Truth { tensor, y: Vec::new(), x }
    }

    /// Claimed numbers in the derivative's place, about the same; `None` where no claim of the layout has their shape.
    pub fn stated(&self, claim: &Array, layout: ClaimLayout) -> Option<Truth> {
        Some(Truth { tensor: self.tensor_of(claim, layout)?, y: self.y.clone(), x: self.x.clone() })
    }

    /// The tensor `[y…, x…]`.
    pub fn tensor(&self) -> &Array {
        &self.tensor
    }

    /// The shape of what is differentiated, and of what it is differentiated by.
    pub fn sides(&self) -> (&[usize], &[usize]) {
        (&self.y, &self.x)
    }

    /// The derivative as a claim of this shape and layout states it; `None` where no claim of the layout has the shape.
    pub fn in_shape(&self, shape: &[usize], layout: ClaimLayout) -> Option<Array> {
        let allowed = shapes(&self.y, &self.x, layout);
        if !allowed.iter().any(|known| known == shape) {
            return None;
        }
        from_tensor(&self.tensor, self.y.len(), shape, layout).ok()
    }

    /// A claim about this derivative as the tensor `[y…, x…]`; `None` where no claim of the layout has its shape.
    pub fn tensor_of(&self, claim: &Array, layout: ClaimLayout) -> Option<Array> {
        let allowed = shapes(&self.y, &self.x, layout);
        if !allowed.iter().any(|known| known == claim.shape()) {
            return None;
        }
        to_tensor(claim, &self.y, &self.x, layout).ok()
    }
}
