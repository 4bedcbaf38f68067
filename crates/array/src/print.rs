//! Printing as PyTorch prints a tensor.
use crate::Array;
use std::fmt;
impl Array {
    /// x
    pub fn format(&self, prefix: &str) -> String {
        format!("{prefix}{:?}", self.to_vec_f64())
    }
}
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("tensor("))
    }
}
