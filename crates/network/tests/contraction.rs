//! Contraction against the definition: a term is a sum over all values of all its labels, and no cleverness may change it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use pullback_network::{Coef, Dim, Error, Factor, Label, Map, Network, Operator, Relation, Table, Value};

/// An array of numbers, the plainest payload.
#[derive(Clone, Debug)]
struct Numbers {
    id: u64,
    dims: Vec<Dim>,
    data: Vec<f64>,
}

impl Numbers {
    fn new(dims: Vec<Dim>, data: Vec<f64>) -> Numbers {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        assert_eq!(dims.iter().map(|d| d.size()).product::<usize>(), data.len());
        Numbers { id: NEXT.fetch_add(1, Ordering::Relaxed), dims, data }
    }

    /// Small integers, so that sums are exact and tests need no tolerance.
    fn arbitrary(labels: &[Label], seed: usize) -> Numbers {
        let dims: Vec<Dim> = labels.iter().map(|label| label.dim()).collect();
        let count: usize = dims.iter().map(|d| d.size()).product();
        Numbers::new(dims, (0..count).map(|k| ((k * 7 + seed * 5) % 11) as f64 - 4.0).collect())
    }

    fn at(&self, index: &[usize]) -> f64 {
        let flat = index.iter().zip(&self.dims).fold(0, |flat, (&i, dim)| flat * dim.size() + i);
        self.data[flat]
    }
}

/// A batch of matrices that permute n elements in a cycle, with signs.
fn signed_permutations(batch: &[Label], n: usize) -> Numbers {
    let dims: Vec<Dim> = batch.iter().map(|label| label.dim()).chain([Dim::new(n), Dim::new(n)]).collect();
    let count: usize = dims.iter().map(|d| d.size()).product();
    let entry = |k: usize| {
        let (row, column) = (k / n % n, k % n);
        if (row + 1) % n == column { if row % 2 == 0 { 1.0 } else { -1.0 } } else { 0.0 }
    };
    Numbers::new(dims, (0..count).map(entry).collect())
}

fn each_index(sizes: &[usize], mut visit: impl FnMut(&[usize])) {
    let count: usize = sizes.iter().product();
    for mut flat in 0..count {
        let mut index = vec![0; sizes.len()];
        for axis in (0..sizes.len()).rev() {
            index[axis] = flat % sizes[axis];
            flat /= sizes[axis];
        }
        visit(&index);
    }
}

impl Value for Numbers {
    type Error = Error;

    fn id(&self) -> u64 {
        self.id
    }

    fn dims(&self) -> &[Dim] {
        &self.dims
    }

    fn symbol(&self) -> String {
        format!("v{}", self.id)
    }

    fn one(&self) -> Numbers {
        Numbers::new(vec![], vec![1.0])
    }

    fn contract(coef: &Coef, operands: &[(Numbers, Vec<Label>)], out: &[Label]) -> Result<Numbers, Error> {
        let factors = operands.iter().map(|(v, l)| Factor::Dense(v.clone(), l.clone())).collect::<Vec<_>>();
        Ok(by_definition(coef, &factors, out))
    }

    fn gather(&self, table: &Table, dims: &[Dim]) -> Result<Numbers, Error> {
        let rest: usize = self.dims[1..].iter().map(|d| d.size()).product();
        let rows = table.entries().iter().flat_map(|&e| {
            (0..rest).map(move |r| if e < 0 { 0.0 } else { self.data[e as usize * rest + r] })
        });
        Ok(Numbers::new(dims.iter().chain(&self.dims[1..]).copied().collect(), rows.collect()))
    }

    fn scatter_add(&self, table: &Table, size: usize) -> Result<Numbers, Error> {
        let kept = &self.dims[table.shape().len()..];
        let rest: usize = kept.iter().map(|d| d.size()).product();
        let mut data = vec![0.0; size * rest];
        for (row, &entry) in table.entries().iter().enumerate().filter(|(_, e)| **e >= 0) {
            (0..rest).for_each(|r| data[entry as usize * rest + r] += self.data[row * rest + r]);
        }
        Ok(Numbers::new([Dim::new(size)].into_iter().chain(kept.iter().copied()).collect(), data))
    }

    fn reshape(&self, dims: &[Dim]) -> Result<Numbers, Error> {
        Ok(Numbers::new(dims.to_vec(), self.data.clone()))
    }

    /// The matrices of these tests are permutations times ±1, whose inverse is the transpose: sums stay exact.
    fn solve(&self, right: &Numbers, transposed: bool) -> Result<Numbers, Error> {
        let rank = self.dims.len();
        let labels = Label::for_dims(&self.dims);
        let (n, k) = (labels[rank - 1], Label::new(right.dims[rank - 1]));
        let m = labels[rank - 2];
        let (from, to) = if transposed { (n, m) } else { (m, n) };
        let lead = |label: Label| labels[..rank - 2].iter().copied().chain([label, k]).collect::<Vec<_>>();
        let factors = [(self.clone(), labels.clone()), (right.clone(), lead(from))];
        Numbers::contract(&Coef::one(), &factors, &lead(to))
    }

    fn inverse(&self) -> Result<Numbers, Error> {
        let labels = Label::for_dims(&self.dims);
        let mut turned = labels.clone();
        turned.swap(self.dims.len() - 2, self.dims.len() - 1);
        Numbers::contract(&Coef::one(), &[(self.clone(), labels)], &turned)
    }

    fn pick(&self, index: &Numbers, batch: usize) -> Result<Numbers, Error> {
        let (x, rows) = (Label::for_dims(&self.dims), Label::for_dims(&index.dims[batch..]));
        let out = [&x[..batch], &rows, &x[batch + 1..]].concat();
        let operator = Operator {
            map: Map::Selection(index.clone()),
            batch: x[..batch].to_vec(),
            rows,
            columns: vec![x[batch]],
        };
        Ok(by_definition(&Coef::one(), &[Factor::Operator(operator), Factor::Dense(self.clone(), x)], &out))
    }

    fn put(&self, index: &Numbers, batch: usize, size: Dim) -> Result<Numbers, Error> {
        let (x, place) = (Label::for_dims(&self.dims), Label::new(size));
        let lead = index.dims.len();
        let out = [&x[..batch], &[place], &x[lead..]].concat();
        let operator = Operator {
            map: Map::Selection(index.clone()),
            batch: x[..batch].to_vec(),
            rows: x[batch..lead].to_vec(),
            columns: vec![place],
        };
        Ok(by_definition(&Coef::one(), &[Factor::Operator(operator), Factor::Dense(self.clone(), x)], &out))
    }

    fn running_sum(&self, axis: usize, reversed: bool) -> Result<Numbers, Error> {
        let x = Label::for_dims(&self.dims);
        let mut out = x.clone();
        out[axis] = Label::new(self.dims[axis]);
        let (row, column) = if reversed { (x[axis], out[axis]) } else { (out[axis], x[axis]) };
        let operator =
            Operator { map: Map::RunningSum, batch: Vec::new(), rows: vec![row], columns: vec![column] };
        Ok(by_definition(&Coef::one(), &[Factor::Operator(operator), Factor::Dense(self.clone(), x)], &out))
    }

    fn recur(&self, right: &Numbers, transposed: bool) -> Result<Numbers, Error> {
        let x = Label::for_dims(&right.dims);
        let last = x.len() - 2;
        let mut out = x.clone();
        out[last] = Label::new(right.dims[last]);
        let (row, column) = if transposed { (x[last], out[last]) } else { (out[last], x[last]) };
        let operator = Operator {
            map: Map::Recurrence(self.clone()),
            batch: x[..last].to_vec(),
            rows: vec![row],
            columns: vec![column],
        };
        Ok(by_definition(&Coef::one(), &[Factor::Operator(operator), Factor::Dense(right.clone(), x)], &out))
    }

    fn local(_: &Operator<Numbers>, _: &Numbers, _: bool) -> Result<Numbers, Error> {
        unreachable!("no application is at hand")
    }

    fn operand(&self, input: usize) -> String {
        format!("{input}")
    }

    fn add(&self, other: &Numbers) -> Result<Numbers, Error> {
        assert_eq!(self.dims, other.dims);
        Ok(Numbers::new(self.dims.clone(), self.data.iter().zip(&other.data).map(|(a, b)| a + b).collect()))
    }
}

/// What a relation says, as this test states it.
#[derive(Clone, Debug)]
struct Equation {
    linear: Vec<(i64, Label)>,
    constant: i64,
    table: Option<(Table, Vec<Label>)>,
}

impl Equation {
    fn relation(&self) -> Relation {
        match &self.table {
            None => Relation::affine(self.linear.clone(), self.constant),
            Some((table, labels)) => Relation::indexed(self.linear[0].1, table.clone(), labels.clone()),
        }
    }

    fn holds(&self, value: &impl Fn(Label) -> usize) -> bool {
        let left: i64 = self.constant + self.linear.iter().map(|&(c, l)| c * value(l) as i64).sum::<i64>();
        let right = self.table.as_ref().map_or(0, |(table, labels)| {
            let flat = labels.iter().zip(table.shape()).fold(0, |flat, (&l, &n)| flat * n + value(l));
            table.entries()[flat]
        });
        left == right
    }
}

/// One entry of an operator.
fn entry(operator: &Operator<Numbers>, value: &impl Fn(Label) -> usize) -> f64 {
    let at = |labels: &[Label]| labels.iter().map(|&label| value(label)).collect::<Vec<usize>>();
    let (batch, rows, columns) = (at(&operator.batch), at(&operator.rows), at(&operator.columns));
    match &operator.map {
        Map::Inverse(matrix) => matrix.at(&[batch, columns, rows].concat()),
        Map::Selection(index) => f64::from(u8::from(index.at(&[batch, rows].concat()) == columns[0] as f64)),
        Map::RunningSum => f64::from(u8::from(columns <= rows)),
        Map::Recurrence(coefficients) => {
            (columns[0] + 1..=rows[0])
                .map(|step| coefficients.at(&[batch.as_slice(), &[step]].concat()))
                .product::<f64>()
                * f64::from(u8::from(columns <= rows))
        }
        Map::Local { .. } => unreachable!("no application is at hand"),
    }
}

fn by_definition(coef: &Coef, factors: &[Factor<Numbers>], out: &[Label]) -> Numbers {
    summed(coef, factors, &[], out)
}

fn summed(coef: &Coef, factors: &[Factor<Numbers>], equations: &[Equation], out: &[Label]) -> Numbers {
    let mut labels: Vec<Label> = out.to_vec();
    labels.extend(factors.iter().flat_map(Factor::labels));
    for equation in equations {
        labels.extend(equation.linear.iter().map(|&(_, l)| l));
        labels.extend(equation.table.iter().flat_map(|(_, l)| l.clone()));
    }
    labels.sort();
    labels.dedup();
    let sizes: Vec<usize> = labels.iter().map(|l| l.size()).collect();
    let dims: Vec<Dim> = out.iter().map(|l| l.dim()).collect();
    let mut data = vec![0.0; dims.iter().map(|d| d.size()).product()];
    let place: HashMap<Label, usize> = labels.iter().enumerate().map(|(k, &l)| (l, k)).collect();
    each_index(&sizes, |index| {
        let value = |label: Label| index[place[&label]];
        if !equations.iter().all(|equation| equation.holds(&value)) {
            return;
        }
        let product: f64 = factors
            .iter()
            .map(|factor| match factor {
                Factor::Dense(v, labels) => v.at(&labels.iter().map(|&l| value(l)).collect::<Vec<_>>()),
                Factor::Relation(_) => 1.0,
                Factor::Operator(operator) => entry(operator, &value),
            })
            .product();
        let flat = out.iter().fold(0, |flat, &l| flat * l.size() + value(l));
        data[flat] += coef.value() * product;
    });
    Numbers::new(dims, data)
}

/// A random term: labels of small sizes, dense factors, relations, outputs and inputs chosen among the labels.
#[derive(Debug)]
struct Case {
    outputs: Vec<Label>,
    inputs: Vec<Label>,
    dense: Vec<Factor<Numbers>>,
    equations: Vec<Equation>,
}

fn case() -> impl Strategy<Value = Case> {
    let picks = |most| proptest::collection::vec(0usize..6, 0..=most);
    let equation = (
        proptest::collection::vec(
            (0usize..6, prop_oneof![Just(1i64), Just(-1), Just(2), Just(-2), Just(3), Just(-3), Just(6)]),
            1..=4,
        ),
        -3i64..=3,
        proptest::option::of((picks(2), 0usize..50)),
    );
    (
        proptest::collection::vec(
            prop_oneof![1 => Just(0usize), 2 => Just(1), 6 => 2usize..=4, 2 => Just(6)],
            6,
        ),
        picks(2),
        picks(2),
        proptest::collection::vec(picks(3), 1..=3),
        proptest::collection::vec(equation, 0..=3),
        proptest::collection::vec((picks(1), 0usize..6, 0usize..6, 0usize..4), 0..=2),
    )
        .prop_map(|(sizes, outputs, inputs, dense, equations, operators)| {
            let labels: Vec<Label> = sizes.iter().map(|&size| Label::new(size)).collect();
            let pick = |at: &[usize]| -> Vec<Label> { at.iter().map(|&k| labels[k]).collect() };
            let dense = dense
                .iter()
                .enumerate()
                .map(|(seed, at)| Factor::Dense(Numbers::arbitrary(&pick(at), seed), pick(at)));
            let equations = equations.into_iter().map(|(linear, constant, table)| {
                // A label stands once: one that cancels would not stand in the relation at all.
                let mut linear: Vec<(i64, Label)> = linear.into_iter().map(|(k, c)| (c, labels[k])).collect();
                linear.sort_by_key(|&(_, label)| label);
                linear.dedup_by_key(|&mut (_, label)| label);
                match table {
                    None => Equation { linear, constant, table: None },
                    Some((at, seed)) => {
                        let at = pick(&at);
                        let shape: Vec<usize> = at.iter().map(|l| l.size()).collect();
                        let count = shape.iter().product();
                        let entries = (0..count).map(|k: usize| ((k * 3 + seed) % 8) as i64 - 1).collect();
                        let table = Table::new(shape, entries).expect("a small table");
                        Equation { linear: vec![(1, linear[0].1)], constant: 0, table: Some((table, at)) }
                    }
                }
            });
            // Rows and columns of one size, but for a selection, whose numbers lie inside its column.
            let stands = |&&(_, row, column, kind): &&(Vec<usize>, usize, usize, usize)| match kind {
                1 => sizes[column] > 0,
                _ => sizes[row] == sizes[column],
            };
            let operators = operators.iter().filter(stands).map(|(batch, row, column, kind)| {
                let (batch, row, column) = (pick(batch), labels[*row], labels[*column]);
                let along: Vec<Label> = batch.iter().copied().chain([row]).collect();
                let numbers = Numbers::arbitrary(&along, *kind);
                let map = match kind {
                    0 => Map::Inverse(signed_permutations(&batch, row.size())),
                    1 => {
                        let inside = |number: &f64| (number + 4.0) % column.size() as f64;
                        Map::Selection(Numbers::new(numbers.dims, numbers.data.iter().map(inside).collect()))
                    }
                    2 => Map::RunningSum,
                    _ => Map::Recurrence(numbers),
                };
                let batch = if *kind == 2 { Vec::new() } else { batch };
                Factor::Operator(Operator { map, batch, rows: vec![row], columns: vec![column] })
            });
            Case {
                outputs: pick(&outputs),
                inputs: pick(&inputs),
                dense: dense.chain(operators).collect(),
                equations: equations.collect(),
            }
        })
}

fn dims(labels: &[Label]) -> Vec<Dim> {
    labels.iter().map(|l| l.dim()).collect()
}

fn network(case: &Case, coef: Coef) -> Network<Numbers> {
    let relations = case.equations.iter().map(|e| Factor::Relation(e.relation()));
    let factors: Vec<_> = case.dense.iter().cloned().chain(relations).collect();
    Network::zero(&dims(&case.outputs), &dims(&case.inputs)).plus_term(
        coef,
        &case.outputs,
        &case.inputs,
        factors,
    )
}

fn check(got: Option<Numbers>, expected: &Numbers) {
    let zeros = vec![0.0; expected.data.len()];
    let got = got.map_or(zeros, |got| {
        assert_eq!(got.dims, expected.dims);
        got.data
    });
    assert!(got.iter().zip(&expected.data).all(|(a, b)| a == b), "{got:?} instead of {:?}", expected.data);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn contraction_is_the_sum_over_all_labels(case in case()) {
        let coef = Coef::ratio(-3, 1);
        let network = network(&case, coef.clone());
        let slots: Vec<Label> = case.outputs.iter().chain(&case.inputs).copied().collect();

        // The whole Jacobian.
        let one = Numbers::new(vec![], vec![1.0]);
        check(network.to_dense(&one).expect("small tables"), &summed(&coef, &case.dense, &case.equations, &slots));

        // Both products with a vector.
        let cotangent = Numbers::arbitrary(&case.outputs, 3);
        let mut factors = case.dense.clone();
        factors.push(Factor::Dense(cotangent.clone(), case.outputs.clone()));
        check(network.vjp(&cotangent).expect("small tables"), &summed(&coef, &factors, &case.equations, &case.inputs));

        let tangent = Numbers::arbitrary(&case.inputs, 4);
        let mut factors = case.dense.clone();
        factors.push(Factor::Dense(tangent.clone(), case.inputs.clone()));
        check(network.jvp(&tangent).expect("small tables"), &summed(&coef, &factors, &case.equations, &case.outputs));

        // A simplified network is the same map, and a price can be told.
        let simple = network.simplified().condensed(1).expect("small tables");
        check(simple.vjp(&cotangent).expect("small tables"), &network.vjp(&cotangent).expect("small tables")
            .unwrap_or_else(|| Numbers::new(dims(&case.inputs), vec![0.0; dims(&case.inputs).iter().map(|d| d.size()).product()])));
        prop_assert!(simple.cost().vjp_flops >= 0.0 && !simple.formula().is_empty());
    }

    #[test]
    fn composition_is_applying_one_after_the_other(first in case(), second in case()) {
        // The second map's outputs are made to fit the first one's inputs.
        let inner = network(&second, Coef::one());
        let middle: Vec<Label> = second.outputs.iter().map(|l| Label::new(l.dim())).collect();
        let mixing = Numbers::arbitrary(&first.outputs.iter().chain(&middle).copied().collect::<Vec<_>>(), 9);
        let labels: Vec<Label> = first.outputs.iter().chain(&middle).copied().collect();
        let outer = Network::zero(&dims(&first.outputs), &dims(&middle))
            .plus_term(Coef::ratio(2, 1), &first.outputs, &middle, [Factor::Dense(mixing, labels)]);
        let joined = outer.compose(&inner);
        let cotangent = Numbers::arbitrary(&first.outputs, 3);
        let zeros = |labels: &[Label]| Numbers::arbitrary(labels, 0).data.iter().map(|_| 0.0).collect::<Vec<_>>();
        let by_steps = match outer.vjp(&cotangent).expect("small") {
            Some(mid) => inner.vjp(&mid).expect("small"),
            None => None,
        };
        let by_steps = by_steps.unwrap_or_else(|| Numbers::new(dims(&second.inputs), zeros(&second.inputs)));
        check(joined.vjp(&cotangent).expect("small"), &by_steps);

        // The inner map joined with itself, transposed: labels of one network must not meet those of its copy.
        let gram = inner.transpose().compose(&inner);
        let tangent = Numbers::arbitrary(&second.inputs, 5);
        let by_steps = match inner.jvp(&tangent).expect("small") {
            Some(mid) => inner.vjp(&mid).expect("small"),
            None => None,
        };
        let by_steps = by_steps.unwrap_or_else(|| Numbers::new(dims(&second.inputs), zeros(&second.inputs)));
        check(gram.jvp(&tangent).expect("small"), &by_steps);
    }

    /// Adding merges like terms, and nothing else: the same payloads under other ranges are not alike.
    #[test]
    fn a_sum_is_the_sum_of_its_parts(case in case(), sizes in proptest::collection::vec(1usize..=4, 6)) {
        let first = network(&case, Coef::ratio(2, 1));
        // The same term with the labels that only relations have ranging over other sizes.
        let mut other = Case {
            outputs: case.outputs.clone(),
            inputs: case.inputs.clone(),
            dense: case.dense.clone(),
            equations: case.equations.clone(),
        };
        let fixed: Vec<Label> = case.outputs.iter().chain(&case.inputs).copied()
            .chain(case.dense.iter().flat_map(Factor::labels))
            .chain(case.equations.iter().flat_map(|e| e.table.iter().flat_map(|(_, labels)| labels.clone())))
            .collect();
        let mut renamed: HashMap<Label, Label> = HashMap::new();
        for equation in &mut other.equations {
            for (k, (_, label)) in equation.linear.iter_mut().enumerate() {
                if !fixed.contains(label) {
                    *label = *renamed.entry(*label).or_insert_with(|| Label::new(sizes[k]));
                }
            }
        }
        let second = network(&other, Coef::ratio(-1, 1));
        let one = Numbers::new(vec![], vec![1.0]);
        let slots: Vec<Label> = case.outputs.iter().chain(&case.inputs).copied().collect();
        let parts = summed(&Coef::ratio(2, 1), &case.dense, &case.equations, &slots)
            .add(&summed(&Coef::ratio(-1, 1), &other.dense, &other.equations, &slots)).expect("equal shapes");
        check(first.plus(&second).to_dense(&one).expect("small tables"), &parts);
        check(first.simplified().plus(&second.simplified()).to_dense(&one).expect("small tables"), &parts);
    }
}
