//! What a function is given: the numbers of a forward pass, by name.

use pullback_array::{Array, DType};
use pullback_lang::program::Program;

use super::Error;

/// The numbers of a forward pass, by name: inputs (`X`), values on the way (`Z`, what a backward pass has saved) and given
/// cotangents (`dL/dZ`).
///
/// In a file with `dtype f32` all of them are exactly representable in f32.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    program: &'a Program,
}

impl<'a> Given<'a> {
    pub(super) fn new(program: &'a Program) -> Given<'a> {
        Given { program }
    }

    /// The array under a name.
    ///
    /// # Errors
    /// Where the forward pass has no such value, or it cannot be evaluated.
    pub fn array(&self, name: &str) -> Result<&'a Array, Error> {
        let Some(value) = self.program.find(name) else {
            let known: Vec<&str> = self.names().collect();
            return Err(Error::new(format!("the forward pass has no `{name}`"))
                .with_hint(format!("it has {}", listed(&known))));
        };
        value.val.array().map_err(|error| Error::new(error.to_string()))
    }

    /// The numbers under a name in double precision, row by row.
    ///
    /// # Errors
    /// As [`array`](Given::array).
    pub fn f64(&self, name: &str) -> Result<Vec<f64>, Error> {
        self.array(name).map(Array::to_vec_f64)
    }

    /// The numbers under a name in single precision, row by row.
    ///
    /// # Errors
    /// As [`array`](Given::array).
    pub fn f32(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.array(name)?.cast(DType::F32)?.view::<f32>()?.iter().copied().collect())
    }

    /// The integers under a name: indices, labels.
    ///
    /// # Errors
    /// As [`array`](Given::array); and where the numbers are no integers.
    pub fn i64(&self, name: &str) -> Result<Vec<i64>, Error> {
        self.array(name)?.to_vec_i64()
    }

    /// The shape of what is under a name.
    ///
    /// # Errors
    /// As [`array`](Given::array).
    pub fn shape(&self, name: &str) -> Result<&'a [usize], Error> {
        self.array(name).map(Array::shape)
    }

    /// The size of a dim: `N`, of `X: [N=5, D=3]`.
    ///
    /// # Errors
    /// Where no value has a dim of this name.
    pub fn size(&self, dim: &str) -> Result<usize, Error> {
        let dims = || self.program.values.iter().flat_map(|value| value.val.dims());
        let found = dims().find(|known| known.name().is_some_and(|name| name.as_str() == dim));
        found.map(|dim| dim.size()).ok_or_else(|| {
            let mut known: Vec<&str> =
                dims().filter_map(|dim| dim.name()).map(|name| name.as_str()).collect();
            known.sort_unstable();
            known.dedup();
            let error = Error::new(format!("no dim of the forward pass is called `{dim}`"));
            if known.is_empty() { error } else { error.with_hint(format!("it has {}", listed(&known))) }
        })
    }

    /// The names of all values, in the order of the forward pass.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.program.values.iter().map(|value| value.name.as_str())
    }
}

/// `X`, `W` and `b`, in backticks.
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_string(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
