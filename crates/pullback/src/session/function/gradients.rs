//! What a function returns: gradients by name.

use pullback_array::{Array, Element};

use super::Error;

/// The gradients that a function returns, by name: `X` for that of the loss by X, or `dL/dX`.
///
/// Every differentiable input of the forward pass has to be there, as numbers or as [`none`](Gradients::none).
///
/// ```
/// use pullback::function::Gradients;
///
/// let bias: Option<Vec<f64>> = None;
/// let gradients = Gradients::new()
///     .with("W", ([2, 3], vec![0.0; 6]))      // a shape and numbers, row by row; f32 or f64
///     .with("x", vec![0.0; 3])                // numbers alone: in the shape of x
///     .with("b", bias)                        // a gradient that is not computed
///     .none("targets");
/// # let _ = gradients;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    pub(super) all: Vec<(String, Gradient)>,
}

impl Gradients {
    /// No gradients yet.
    pub fn new() -> Gradients {
        Gradients::default()
    }

    /// With a gradient. What is wrong with its shape is said when the gradients are checked.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, gradient: impl Into<Gradient>) -> Gradients {
        self.all.push((name.into(), gradient.into()));
        self
    }

    /// With the statement that a gradient is not computed: nothing is claimed about it.
    #[must_use]
    pub fn none(self, name: impl Into<String>) -> Gradients {
        self.with(name, Gradient(Form::None))
    }
}

/// One gradient: an [`Array`], a shape and numbers, numbers alone, a number, or nothing.
#[derive(Clone, Debug)]
pub struct Gradient(Form);

#[derive(Clone, Debug)]
enum Form {
    None,
    Shaped(Array),
    /// Numbers in row-major order, in the shape of what the gradient belongs to.
    Flat(Array),
    Invalid(Error),
}

impl Gradient {
    /// The numbers; a flat one in this shape. Nothing where the gradient is not computed.
    pub(super) fn array(&self, shape: &[usize]) -> Result<Option<Array>, Error> {
        match &self.0 {
            Form::None => Ok(None),
            Form::Invalid(error) => Err(error.clone()),
            Form::Shaped(array) => Ok(Some(array.clone())),
            Form::Flat(array) if array.len() == shape.iter().product::<usize>() => {
                array.reshape(shape).map(Some)
            }
            Form::Flat(array) => {
                Err(Error::new(format!("{} numbers for the shape {shape:?}", array.len())).with_hint(
                    "as many as there are entries stand for the shape; of another shape say which: `(shape, numbers)`",
                ))
            }
        }
    }

    fn shaped(array: Result<Array, Error>) -> Gradient {
        Gradient(array.map_or_else(Form::Invalid, Form::Shaped))
    }
}

impl From<Array> for Gradient {
    fn from(array: Array) -> Gradient {
        Gradient(Form::Shaped(array))
    }
}

impl<S: AsRef<[usize]>, T: Element> From<(S, Vec<T>)> for Gradient {
    fn from((shape, numbers): (S, Vec<T>)) -> Gradient {
        Gradient::shaped(Array::from_vec(shape.as_ref(), numbers))
    }
}

impl<S: AsRef<[usize]>, T: Element> From<(S, &[T])> for Gradient {
    fn from((shape, numbers): (S, &[T])) -> Gradient {
        Gradient::shaped(Array::from_slice(shape.as_ref(), numbers))
    }
}

impl<T: Element> From<Vec<T>> for Gradient {
    fn from(numbers: Vec<T>) -> Gradient {
        Gradient::from(numbers.as_slice())
    }
}

impl<T: Element> From<&[T]> for Gradient {
    fn from(numbers: &[T]) -> Gradient {
        Gradient(Array::from_slice(&[numbers.len()], numbers).map_or_else(Form::Invalid, Form::Flat))
    }
}

impl From<f64> for Gradient {
    fn from(number: f64) -> Gradient {
        Gradient::shaped(Array::from_slice(&[], &[number]))
    }
}

impl From<f32> for Gradient {
    fn from(number: f32) -> Gradient {
        Gradient::shaped(Array::from_slice(&[], &[number]))
    }
}

/// A gradient that may not be computed.
impl<G: Into<Gradient>> From<Option<G>> for Gradient {
    fn from(gradient: Option<G>) -> Gradient {
        gradient.map_or(Gradient(Form::None), Into::into)
    }
}
