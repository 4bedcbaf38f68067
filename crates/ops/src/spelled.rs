//! The specification of an `einsum` without its shorthands: `...`, which stands for the axes that have no letter, and axes of size 1 under
//! the letter of longer ones. What contracts knows neither.
//!
//! ```text
//! ...ij,...jk->...ik    of [2, 3, 4] and [4, 5]    is    Aij,jk->Aik
//! ```

use std::collections::HashMap;

use pullback_network::Dim;

use crate::{Error, Result};

/// The specification with a letter for each axis, and of each operand the axes of size 1 that are left out, the last one first.
///
/// # Errors
/// Where an operand has fewer axes than letters, or more than one `...`.
pub(crate) fn spelled_out(spec: &str, operands: &[&[Dim]]) -> Result<(String, Vec<Vec<usize>>)> {
    let text: String = spec.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = match text.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (text.as_str(), None),
    };
    let parts: Vec<&str> = left.split(',').collect();
    if parts.len() != operands.len() {
        // What reads the specification says so.
        return Ok((text, vec![Vec::new(); operands.len()]));
    }
    let rest = |part: &str, dims: &[Dim]| -> Result<usize> {
        let named = part.replacen("...", "", 1).chars().count();
        let has_rest = part.contains("...");
        if part.replacen("...", "", 1).contains('.') || (has_rest && named > dims.len()) {
            let message = format!("einsum \"{spec}\": `{part}` does not fit an operand of shape {dims:?}");
            return Err(Error::new(message)
                .with_hint("`...` stands once for all axes that have no letter: `...ij,...jk->...ik`"));
        }
        Ok(if has_rest { dims.len() - named } else { 0 })
    };
    let rests: Vec<usize> =
        parts.iter().zip(operands).map(|(part, dims)| rest(part, dims)).collect::<Result<_>>()?;
    let letters = ('A'..='Z').chain('a'..='z').chain('À'..='\u{10ffff}');
    let most = rests.iter().copied().max().unwrap_or(0);
    let fresh: Vec<char> = letters.filter(|c| c.is_alphabetic() && !text.contains(*c)).take(most).collect();
    let all: String = fresh.iter().collect();
    let mut named: Vec<Vec<char>> = Vec::new();
    for (part, count) in parts.iter().zip(&rests) {
        let own: String = fresh[most - count..].iter().collect();
        named.push(part.replacen("...", &own, 1).chars().collect());
    }
    let right = right.map(|right| right.replacen("...", &all, 1)).or_else(|| {
        let mut letters: Vec<char> = left.chars().filter(|c| !matches!(c, '.' | ',')).collect();
        letters.sort_unstable();
        let once = |c: &&char| letters.iter().filter(|other| other == c).count() == 1;
        left.contains("...").then(|| all.chars().chain(letters.iter().filter(once).copied()).collect())
    });
    let mut sizes: HashMap<char, usize> = HashMap::new();
    for (&letter, dim) in named.iter().zip(operands).flat_map(|(letters, dims)| letters.iter().zip(*dims)) {
        let size = sizes.entry(letter).or_insert(1);
        *size = if *size == 1 { dim.size() } else { *size };
    }
    let mut dropped = Vec::new();
    for (letters, dims) in named.iter_mut().zip(operands) {
        let twice = |letter: &char| letters.iter().filter(|other| *other == letter).count() > 1;
        let goes = |&axis: &usize| {
            dims.get(axis).is_some_and(|dim| dim.size() == 1)
                && sizes[&letters[axis]] != 1
                && !twice(&letters[axis])
        };
        let axes: Vec<usize> = (0..letters.len()).rev().filter(goes).collect();
        axes.iter().for_each(|&axis| {
            letters.remove(axis);
        });
        dropped.push(axes);
    }
    let left: Vec<String> = named.into_iter().map(|letters| letters.into_iter().collect()).collect();
    let left = left.join(",");
    Ok((right.map_or(left.clone(), |right| format!("{left}->{right}")), dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shorthands_are_written_out() {
        let cases: [(&str, &[&[usize]], &str); 7] = [
            ("...ij,...jk->...ik", &[&[2, 3, 4], &[2, 4, 5]], "Aij,Ajk->Aik"),
            ("...ij, ...jk -> ...ik", &[&[2, 3, 4], &[4, 5]], "Aij,jk->Aik"),
            ("...ij,...jk", &[&[3, 4], &[7, 2, 4, 5]], "ij,ABjk->ABik"),
            ("A...,A...->...", &[&[3, 4], &[3, 4]], "AB,AB->B"),
            ("...i,...i->...", &[&[1, 4], &[3, 4]], "i,Ai->A"),
            ("ij,ij->ij", &[&[1, 4], &[3, 4]], "j,ij->ij"),
            ("ij,jk", &[&[3, 4], &[4, 5]], "ij,jk"),
        ];
        for (spec, shapes, expected) in cases {
            let dims: Vec<Vec<Dim>> =
                shapes.iter().map(|shape| shape.iter().map(|&size| Dim::new(size)).collect()).collect();
            let dims: Vec<&[Dim]> = dims.iter().map(Vec::as_slice).collect();
            assert_eq!(spelled_out(spec, &dims).expect(spec).0, expected, "{spec}");
        }
        assert!(spelled_out("...ij->i", &[&[Dim::new(2)]]).is_err());
        assert!(spelled_out("i..j->i", &[&[Dim::new(2), Dim::new(2)]]).is_err());
    }
}
