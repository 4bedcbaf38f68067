//! Python as a witness: expressions that both languages share have the same tree in both.
//!
//! `precedence.py` wrote the trees that Python's own parser gives.

use crate::sexpr;
use pullback_lang::{parse_expr, print};

#[test]
fn expressions_are_read_as_python_reads_them() {
    let cases = include_str!("precedence.tsv");
    for case in cases.lines() {
        let (source, expected) = case.split_once('\t').expect("two columns");
        let parsed = parse_expr(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert_eq!(sexpr::expr(&parsed.expr), expected, "{source}");
        let printed = print(&parsed.expr);
        let again = parse_expr(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
        assert_eq!(sexpr::expr(&again.expr), expected, "{source} was printed as {printed}");
    }
    assert!(cases.lines().count() > 300);
}
