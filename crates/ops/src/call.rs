//! Operations of the table by their names: one description of each serves the language, graphs and tensors.
//!
//! ```
//! use pullback_array::Array;
//! use pullback_ops::{Val, find};
//!
//! let x = Val::new(Array::from_slice(&[2, 2], &[1.0, 2.0, 3.0, 4.0])?);
//! let rows = Val::call("sum", &[&x], &[("axis", 1.into()), ("keepdims", true.into())])?.remove(0);
//! assert_eq!(rows.array()?.to_vec_f64(), [3.0, 7.0]);
//! assert!(Val::call("sum", &[&x], &[("over", 1.into())]).is_err());
//! assert_eq!(find("sum").map(|operation| operation.signature()).as_deref(), Some("sum(x, axis=none, keepdims=false)"));
//! # Ok::<(), pullback_ops::Error>(())
//! ```

use pullback_array::DType;

use crate::{Arg, Args, Error, Origin, Result, Val, find};

impl Val {
    /// Applies the operation of this name to values, in the order of its signature, with attributes by their names; all its results.
    ///
    /// # Errors
    /// Where there is no such operation or parameter, and what the operation returns.
    pub fn call(name: &str, values: &[&Val], attributes: &[(&str, Arg)]) -> Result<Vec<Val>> {
        let operation = find(name).ok_or_else(|| {
            Error::new(format!("there is no operation `{name}`")).with_hint("`table()` lists them")
        })?;
        let dtype =
            values.iter().map(|value| value.dtype()).find(|dtype| dtype.is_float()).unwrap_or(DType::F64);
        let positional = values.iter().map(|&value| Arg::Value(value.clone())).collect();
        let keywords = attributes.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())).collect();
        let args = Args::bind(operation.name, operation.entry, positional, keywords, dtype)?;
        let result = (operation.entry.call)(&args)?;
        let is_own = matches!(result.origin(), Origin::Call(op, _) if op.name() == operation.name);
        Ok(if is_own { result.outputs() } else { vec![result] })
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Arg {
        Arg::Number(number, None)
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Arg {
        Arg::Number(number.into(), None)
    }
}

impl From<bool> for Arg {
    fn from(flag: bool) -> Arg {
        Arg::Flag(flag)
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }
}

impl<T: Into<Arg> + Clone> From<&[T]> for Arg {
    fn from(items: &[T]) -> Arg {
        Arg::List(items.iter().cloned().map(Into::into).collect())
    }
}
