//! Networks in index notation: `∂Z_ij/∂X_mn = δ_im W_nj`.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::coef::Coef;
use crate::dim::{Label, distinct};
use crate::factor::{Factor, Value};
use crate::network::{Network, Term};
use crate::operator::{Map, Operator};
use crate::relation::Relation;

/// Index letters for labels. A label keeps its letter for as long as the same `Letters` is used, so that the steps of
/// a derivation speak of the same indices.
#[derive(Clone, Debug, Default)]
pub struct Letters {
    of: HashMap<Label, String>,
    /// The words of the formulas: a value may be called `k`, and no summed index is then.
    words: HashSet<String>,
}

impl Letters {
    /// No letters assigned.
    pub fn new() -> Letters {
        Letters::default()
    }

    /// The letters of a Jacobian's axes: the first from `i` for outputs, from `m` for inputs.
    pub fn of_axes(outputs: usize, inputs: usize) -> Vec<String> {
        let letters = |alphabet: &str, count: usize| -> Vec<String> {
            let alphabet: Vec<char> = alphabet.chars().collect();
            (0..count)
                .map(|k| alphabet.get(k).map_or_else(|| format!("{}{k}", alphabet[0]), char::to_string))
                .collect()
        };
        letters("ijkl", outputs).into_iter().chain(letters("mnpq", inputs)).collect()
    }

    /// Fixes the letter of a label.
    pub fn assign(&mut self, label: Label, letter: &str) {
        self.of.insert(label, letter.to_string());
    }

    fn avoid(&mut self, text: &str) {
        self.words.extend(text.split(|c: char| !c.is_alphanumeric()).map(String::from));
    }

    /// The letter of a summed label: the one it has, unless a slot of this term uses it, else the next one free.
    fn summed(&mut self, label: Label, taken: &[String]) -> String {
        if let Some(letter) = self.of.get(&label)
            && !taken.contains(letter)
            && !self.words.contains(letter)
        {
            return letter.clone();
        }
        let free = |letter: &String| {
            !taken.contains(letter)
                && !self.words.contains(letter)
                && !self.of.values().any(|used| used == letter)
        };
        let single = "klpqrstuvwabcdefgh".chars().map(String::from);
        let letter = single.chain((1..).map(|k| format!("k{k}"))).find(free).expect("the letters do not end");
        self.of.insert(label, letter.clone());
        letter
    }
}

/// A term in index notation, in parts: what is summed, the coefficient, and the factors with deltas first.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The letters summed over.
    pub sums: Vec<String>,
    /// The coefficient.
    pub coef: Coef,
    /// Deltas, then factors, each with its subscripts.
    pub factors: Vec<String>,
}

impl<V: Value> Term<V> {
    /// The term in index notation; `slots` are the letters of its slots.
    pub fn written(&self, slots: &[String], letters: &mut Letters) -> Written {
        for factor in &self.factors {
            match factor {
                Factor::Dense(value, _) => letters.avoid(&value.symbol()),
                Factor::Operator(operator) => letters.avoid(&operator.symbol()),
                Factor::Relation(relation) => {
                    let name = relation.table.as_ref().and_then(|(table, _)| table.name());
                    name.iter().for_each(|name| letters.avoid(name.as_str()));
                }
            }
        }
        let mut own: HashMap<Label, String> = HashMap::new();
        let mut factors = Vec::new();
        for (&label, letter) in self.slots.iter().zip(slots) {
            match own.get(&label) {
                Some(first) if !label.dim().is_single() => {
                    factors.push(format!("δ_{}", subscript(&[first, letter])))
                }
                Some(_) => {}
                None => {
                    own.insert(label, letter.clone());
                }
            }
        }
        let summed =
            distinct(self.factors.iter().flat_map(Factor::labels)).into_iter().filter(|l| !self.is_free(*l));
        let mut sums = Vec::new();
        for label in summed.filter(|label| !label.dim().is_single()) {
            let letter = letters.summed(label, slots);
            own.insert(label, letter.clone());
            sums.push(letter);
        }
        let letter = |label: &Label| own.get(label).cloned().unwrap_or_else(|| "0".to_string());
        factors.extend(self.factors.iter().map(|factor| match factor {
            Factor::Dense(value, labels) => {
                let letters: Vec<String> = labels.iter().map(letter).collect();
                indexed(&value.symbol(), &letters)
            }
            Factor::Relation(relation) => equation(relation, &letter),
            Factor::Operator(operator) => written_operator(operator, &letter),
        }));
        Written { sums, coef: self.coef.clone(), factors }
    }
}

impl<V: Value> Network<V> {
    /// The network in index notation, terms joined by their signs. `0` for no term.
    ///
    /// Outputs are lettered from `i`, inputs from `m`; what else stands in a product is summed, and a `Σ` says so.
    pub fn formula(&self) -> String {
        let slots = Letters::of_axes(self.outputs().len(), self.inputs().len());
        let mut letters = Letters::new();
        sum(self.terms().iter().map(|term| term.written(&slots, &mut letters)))
    }
}

/// Terms joined by `+` and `−`.
pub fn sum(terms: impl IntoIterator<Item = Written>) -> String {
    let written =
        |term: Written| (term.coef.is_negative(), Written { coef: term.coef.abs(), ..term }.to_string());
    signed(terms.into_iter().map(written))
}

/// Texts joined by `+` and `−`, each with whether it is subtracted; `0` for none.
pub(crate) fn signed(terms: impl IntoIterator<Item = (bool, String)>) -> String {
    let mut text = String::new();
    for (negative, term) in terms {
        text += match (text.is_empty(), negative) {
            (true, false) => "",
            (true, true) => "−",
            (false, false) => " + ",
            (false, true) => " − ",
        };
        text += &term;
    }
    if text.is_empty() { "0".to_string() } else { text }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = !self.coef.is_one() || (self.factors.is_empty() && self.sums.is_empty());
        let sums = format!("Σ_{}", subscript(&self.sums.iter().collect::<Vec<_>>()));
        let number = number.then(|| self.coef.to_string());
        let sums = (!self.sums.is_empty()).then_some(sums);
        let parts: Vec<String> = number.into_iter().chain(sums).chain(self.factors.iter().cloned()).collect();
        f.write_str(&parts.join(" "))
    }
}

/// Index letters as one subscript: `ij`, or `{i,k10}` where one has several characters.
pub fn subscript(letters: &[&String]) -> String {
    let texts: Vec<&str> = letters.iter().map(|letter| letter.as_str()).collect();
    if texts.iter().all(|text| text.chars().count() == 1) {
        texts.concat()
    } else {
        format!("{{{}}}", texts.join(","))
    }
}

/// A payload with subscripts; a symbol that is itself an expression is bracketed.
pub fn indexed(symbol: &str, letters: &[String]) -> String {
    if letters.is_empty() {
        return symbol.to_string();
    }
    // A name, a call or a bracket takes a subscript as it is; `a^2` or `a b` does not.
    let mut depth = 0;
    let plain = symbol.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth > 0 || c == ')' || !matches!(c, ' ' | '^')
    });
    let subscript = subscript(&letters.iter().collect::<Vec<_>>());
    if plain { format!("{symbol}_{subscript}") } else { format!("({symbol})_{subscript}") }
}

/// `(A⁻¹)_im`, `[m = order[i]]`, `[i ≥ m]`.
fn written_operator<V: Value>(operator: &Operator<V>, letter: &impl Fn(&Label) -> String) -> String {
    let of = |labels: &[Label]| -> Vec<String> { labels.iter().map(letter).collect() };
    let (rows, columns) = (of(&operator.rows), of(&operator.columns));
    match operator.map {
        Map::Selection(_) => {
            let at = [of(&operator.batch), rows].concat().join(",");
            format!("[{} = {}[{at}]]", columns.concat(), operator.symbol())
        }
        Map::RunningSum => format!("[{} ≥ {}]", rows.concat(), columns.concat()),
        Map::Inverse(_) | Map::Recurrence(_) | Map::Local { .. } => {
            indexed(&operator.symbol(), &of(&operator.labels()))
        }
    }
}

/// `[6k + l = 4i + j]`, `[m = index[i]]`.
fn equation(relation: &Relation, letter: &impl Fn(&Label) -> String) -> String {
    let side = |sign: i64, constant: i64| {
        let mut parts: Vec<String> = relation
            .linear
            .iter()
            .filter(|(c, _)| c.signum() == sign)
            .map(
                |(c, label)| {
                    if c.abs() == 1 { letter(label) } else { format!("{}{}", c.abs(), letter(label)) }
                },
            )
            .collect();
        if constant > 0 || parts.is_empty() {
            parts.push(constant.max(0).to_string());
        }
        parts.join(" + ")
    };
    let Some((table, labels)) = &relation.table else {
        return format!("[{} = {}]", side(1, relation.constant), side(-1, -relation.constant));
    };
    let name = table.symbol();
    let at: Vec<String> = labels.iter().map(letter).collect();
    let right = format!("{name}[{}]", at.join(","));
    match side(-1, -relation.constant).as_str() {
        "0" => format!("[{} = {right}]", side(1, relation.constant)),
        rest => format!("[{} = {right} + {rest}]", side(1, relation.constant)),
    }
}
