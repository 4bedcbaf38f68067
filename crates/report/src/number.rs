//! Numbers: for JSON, which has no notation for some, and for a line of text, which has no room for all digits.

use pullback_array::Array;
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// A number in JSON. NaN and the infinities are strings; whole numbers have no point.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// Above it not every whole number is one of the floats.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        let value = self.0;
        if value.is_nan() {
            serializer.serialize_str("NaN")
        } else if value.is_infinite() {
            serializer.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
        } else if value.fract() == 0.0 && value.abs() <= WHOLE && !(value == 0.0 && value.is_sign_negative())
        {
            serializer.serialize_i64(value as i64)
        } else {
            serializer.serialize_f64(value)
        }
    }
}

/// An array in JSON: lists in lists, a number for a scalar, `[]` for an array without elements, whatever its shape.
pub(crate) struct Nested<'a> {
    values: &'a [f64],
    shape: &'a [usize],
}

impl<'a> Nested<'a> {
    /// `values` are those of an array of this shape, in row-major order.
    pub(crate) fn new(values: &'a [f64], shape: &'a [usize]) -> Nested<'a> {
        Nested { values, shape }
    }
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((&size, rest)) = self.shape.split_first() else {
            return Number(self.values[0]).serialize(serializer);
        };
        if self.values.is_empty() {
            return serializer.collect_seq(std::iter::empty::<Number>());
        }
        let stride: usize = rest.iter().product();
        let mut list = serializer.serialize_seq(Some(size))?;
        for row in 0..size {
            list.serialize_element(&Nested {
                values: &self.values[row * stride..(row + 1) * stride],
                shape: rest,
            })?;
        }
        list.end()
    }
}

/// An array with its shape, in JSON.
pub(crate) struct Values<'a>(pub(crate) &'a Array);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Nested::new(&self.0.to_vec_f64(), self.0.shape()).serialize(serializer)
    }
}

/// Two digits: enough for the size of an error.
pub(crate) fn brief(value: f64) -> String {
    if value == 0.0 {
        return "0".to_string();
    }
    let size = value.abs();
    if !(1e-3..1e4).contains(&size) || !size.is_finite() {
        return plain_exponent(&format!("{value:.1e}"));
    }
    // Two digits, at most three places behind the point.
    let behind = (1 - size.log10().floor() as i32).clamp(0, 4) as usize;
    trimmed(format!("{value:.behind$}"))
}

/// Two numbers with as many digits as it takes to see that they differ, and no less than five.
pub(crate) fn apart(one: f64, other: f64) -> [String; 2] {
    let size = one.abs().max(other.abs());
    let ratio = size / (one - other).abs();
    let digits = if ratio.is_finite() && ratio >= 1.0 { ratio.log10().ceil() as usize + 2 } else { 5 };
    let digits = digits.clamp(5, 17);
    [one, other].map(|value| significant(value, size, digits))
}

/// `digits` digits of a number whose neighbours are as large as `size`.
fn significant(value: f64, size: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_string() } else { value.to_string() };
    }
    if !(1e-4..1e6).contains(&size) {
        return plain_exponent(&format!("{value:.*e}", digits - 1));
    }
    let behind = (digits as i32 - 1 - size.log10().floor() as i32).max(0) as usize;
    trimmed(format!("{value:.behind$}"))
}

/// `1.0e-5` as `1e-5`.
fn plain_exponent(text: &str) -> String {
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits.to_string())),
        None => text.to_string(),
    }
}

/// Without zeros at the end that say nothing.
fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits() {
        let cases = [
            (0.0, "0"),
            (2.2e-17, "2.2e-17"),
            (1e-9, "1e-9"),
            (0.0123, "0.012"),
            (0.5, "0.5"),
            (1.0, "1"),
            (1.2345, "1.2"),
            (12.3, "12"),
            (1234.5, "1234"),
            (5e6, "5e6"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(brief(value), text);
        }
    }

    #[test]
    fn a_difference_can_be_seen() {
        let cases = [
            ((2.0, -2.0), ["2", "-2"]),
            ((0.571_234_9, -0.571_234_9), ["0.57123", "-0.57123"]),
            ((1.0, 1.000_000_001), ["1", "1.000000001"]),
            ((0.0, 3.25), ["0", "3.25"]),
            ((1e-12, 2e-12), ["1e-12", "2e-12"]),
            ((f64::NAN, 1.5), ["NaN", "1.5"]),
        ];
        for ((one, other), texts) in cases {
            assert_eq!(apart(one, other), texts);
        }
    }

    #[test]
    fn json_has_no_notation_for_some() {
        let numbers = [0.0, -0.0, 0.1, 3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300];
        let json = serde_json::to_string(&numbers.map(Number)).expect("numbers and strings");
        assert_eq!(json, r#"[0,-0.0,0.1,3,"NaN","Infinity","-Infinity",1e+300]"#);
        let nested = serde_json::to_string(&Nested::new(&[1.0, 2.0, 3.0, 4.0], &[2, 1, 2]));
        assert_eq!(nested.expect("numbers"), "[[[1,2]],[[3,4]]]");
        assert_eq!(serde_json::to_string(&Nested::new(&[], &[2, 0])).expect("lists"), "[]");
    }
}
