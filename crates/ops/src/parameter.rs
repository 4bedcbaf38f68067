//! The parameters of an operation, as its signature states them.
//!
//! A signature is one line, from which follows how a call is read, what a hint shows, and what the documentation lists:
//!
//! ```text
//! gather(x, index: indices, axis: axis = 0)
//! ```
//!
//! A parameter without a kind is a value of the graph. `*xs` takes all that is left; behind a `*` alone parameters have keywords. What stands behind `=` is taken where a call says
//! nothing; `none` there says that the parameter may be left out.

use std::fmt;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of the graph, by which one may differentiate.
    Value,
    /// Whole numbers, which are not differentiated by: an index, classes.
    Indices,
    /// One axis; a negative one counts from the end.
    Axis,
    /// One axis or several.
    Axes,
    /// A list of sizes.
    Shape,
    /// A whole number from 0 on.
    Count,
    /// A whole number from 0 on for each of several axes, or one for all.
    Counts,
    /// Pairs of whole numbers, one for each axis; see [`Args::widths`](crate::Args::widths).
    Widths,
    /// A whole number.
    Integer,
    /// A whole number or a list of them.
    Integers,
    /// A number.
    Number,
    /// The order of a norm: a number, `"fro"` or `"nuc"`.
    Order,
    /// `true` or `false`.
    Flag,
    /// A string.
    Text,
    /// One of these words.
    Word(&'static str),
}

impl Kind {
    /// Every kind that is a word in a signature.
    const NAMED: [(&'static str, Kind); 13] = [
        ("indices", Kind::Indices),
        ("axis", Kind::Axis),
        ("axes", Kind::Axes),
        ("shape", Kind::Shape),
        ("count", Kind::Count),
        ("counts", Kind::Counts),
        ("widths", Kind::Widths),
        ("integer", Kind::Integer),
        ("integers", Kind::Integers),
        ("number", Kind::Number),
        ("order", Kind::Order),
        ("flag", Kind::Flag),
        ("text", Kind::Text),
    ];

    /// Is it a value of the graph, and no attribute of the operation?
    pub fn is_value(self) -> bool {
        matches!(self, Kind::Value | Kind::Indices)
    }

    /// Is it a list of numbers, which may be written as several arguments where nothing follows them?
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Kind::Shape | Kind::Axes)
    }

    /// The words of which it is one; none of another kind.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = match self {
            Kind::Word(words) => words,
            _ => "",
        };
        words.split('|').filter(|word| !word.is_empty())
    }
}

/// The kind in a sentence: `x` is …
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Value => "a value",
            Kind::Indices => "an array of whole numbers",
            Kind::Axis => "an axis",
            Kind::Axes => "an axis or a list of them",
            Kind::Shape => "a list of sizes",
            Kind::Count => "a whole number from 0 on",
            Kind::Counts => "a whole number from 0 on, or a list of them",
            Kind::Widths => "widths before and behind axes",
            Kind::Integer => "a whole number",
            Kind::Integers => "a whole number or a list of them",
            Kind::Number => "a number",
            Kind::Order => "a number, \"fro\" or \"nuc\"",
            Kind::Flag => "true or false",
            Kind::Text => "a string",
            Kind::Word(words) => return write!(f, "one of {}", words.replace('|', ", ")),
        })
    }
}

/// A parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, by which a keyword calls it.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is where a call says nothing, as it is written; without one it has to be given.
    pub default: Option<&'static str>,
    /// Does it take all arguments that are left?
    pub takes_rest: bool,
    /// Is it given by its keyword alone?
    pub has_keyword: bool,
}

impl Parameter {
    /// The parameters of a signature, in their order.
    pub fn all(signature: &'static str) -> Vec<Parameter> {
        let inside = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let mut has_keyword = false;
        let mut found = Vec::new();
        for text in inside.split(", ").filter(|text| !text.is_empty()) {
            match text {
                "*" => has_keyword = true,
                text => found.push(Parameter { has_keyword, ..parameter(text) }),
            }
        }
        found
    }
}

fn parameter(text: &'static str) -> Parameter {
    let (declared, default) = match text.split_once('=') {
        Some((declared, default)) => (declared.trim(), Some(default.trim())),
        None => (text, None),
    };
    let (name, kind) = match declared.split_once(':') {
        Some((name, kind)) => {
            let kind = kind.trim();
            let named = Kind::NAMED.iter().find(|(word, _)| *word == kind);
            (name, named.map_or(Kind::Word(kind), |(_, kind)| *kind))
        }
        None => (declared, Kind::Value),
    };
    let takes_rest = name.starts_with('*');
    Parameter { name: name.trim_start_matches('*'), kind, default, takes_rest, has_keyword: false }
}

/// A signature as a call is written: without the kinds.
pub(crate) fn written(signature: &'static str) -> String {
    let name = signature.split('(').next().unwrap_or_default();
    let mut written: Vec<String> = Vec::new();
    let mut has_keyword = false;
    for parameter in Parameter::all(signature) {
        if parameter.has_keyword && !std::mem::replace(&mut has_keyword, true) {
            written.push("*".to_string());
        }
        let Parameter { name, default, takes_rest, .. } = parameter;
        let star = if takes_rest { "*" } else { "" };
        written.push(default.map_or(format!("{star}{name}"), |default| format!("{name}={default}")));
    }
    format!("{name}({})", written.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_read_and_written() {
        let signature = "pool(x, index: indices, size: counts = 2, how: max|mean = max, *xs)";
        let found: Vec<(&str, Kind, Option<&str>)> =
            Parameter::all(signature).iter().map(|it| (it.name, it.kind, it.default)).collect();
        let expected = [
            ("x", Kind::Value, None),
            ("index", Kind::Indices, None),
            ("size", Kind::Counts, Some("2")),
            ("how", Kind::Word("max|mean"), Some("max")),
            ("xs", Kind::Value, None),
        ];
        assert_eq!(found, expected);
        assert_eq!(written(signature), "pool(x, index, size=2, how=max, *xs)");
        assert_eq!(written("f(x, *, n: count = 1)"), "f(x, *, n=1)");
        assert_eq!(Kind::Word("max|mean").words().collect::<Vec<_>>(), ["max", "mean"]);
    }

    /// A word in a signature that is no kind would be taken for the only word of a choice.
    #[test]
    fn every_kind_of_the_table_is_one() {
        for operation in crate::table() {
            for parameter in operation.parameters() {
                let alone = matches!(parameter.kind, Kind::Word(words) if !words.contains('|'));
                assert!(!alone, "{}: `{}` has no kind", operation.name, parameter.name);
                let fits = parameter.default.is_none_or(|default| match parameter.kind {
                    Kind::Word(words) => words.split('|').any(|word| word == default),
                    Kind::Flag => matches!(default, "true" | "false"),
                    _ => true,
                });
                assert!(fits, "{}: `{}` has a default of another kind", operation.name, parameter.name);
            }
        }
    }
}
