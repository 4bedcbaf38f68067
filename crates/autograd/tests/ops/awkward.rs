//! Operations that nobody planned for, to prove that [`Op`] carries them: two outputs, a triangle of ones, a product of
//! prefixes that is right at zeros, an order of elements.

use pullback_array::{Array, DType};
use pullback_network::{Coef, Dim, Label, Operator, Relation, Table};
use pullback_ops::{Factor, Network, Op, Result, Sample, Site, Spec, Val};

/// Their names.
pub const NAMES: [&str; 4] = ["extremes", "cumsum", "cumprod", "sort"];

/// The samples, each to be tried like those of the table.
pub fn samples() -> Vec<Sample> {
    vec![
        Sample::normal("two outputs, both used", [&[5]], |x| {
            let [largest, least] = &Val::apply_all(Extremes, &[&x[0]])?[..] else {
                unreachable!("two outputs")
            };
            &(largest * least)? + &least.exp()?
        }),
        Sample::normal("two outputs, the second used", [&[5]], |x| {
            Val::apply_all(Extremes, &[&x[0]])?[1].powf(2.0)
        }),
        Sample::normal("cumsum: with a batch", [&[2, 5]], |x| Val::apply(CumSum, &[&x[0].powf(2.0)?])),
        Sample::normal("cumsum: of itself", [&[3]], |x| {
            Val::apply(CumSum, &[&Val::apply(CumSum, &[&x[0]])?])
        }),
        Sample::given(
            "cumprod: zeros",
            [(&[2, 5], &[1.5, 0.0, 2.0, -1.0, 0.5, 0.0, 3.0, 0.0, 2.0, 1.0])],
            |x| Val::apply(CumProd, &[&x[0]]),
        ),
        Sample::normal("cumprod: after something", [&[4]], |x| Val::apply(CumProd, &[&x[0].exp()?])),
        Sample::normal("sort: with a batch", [&[3, 4]], |x| Val::apply(Sort, &[&x[0]])?.powf(3.0)),
    ]
}

fn last(dims: &[Dim]) -> usize {
    dims.len() - 1
}

/// The rows along the last axis, each replaced by `f` of it.
fn by_rows(x: &Array, f: impl Fn(&mut [f64])) -> Result<Array> {
    let mut data = x.to_vec_f64();
    data.chunks_exact_mut(x.shape()[x.ndim() - 1]).for_each(f);
    Ok(Array::from_vec(x.shape(), data)?.cast(x.dtype())?)
}

/// The largest and the least element: two outputs.
#[derive(Debug, PartialEq)]
struct Extremes;

impl Op for Extremes {
    fn name(&self) -> &'static str {
        "extremes"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![Spec::new(Vec::new(), inputs[0].dtype); 2])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let least = inputs[0].map(|x| -x, |x| -x)?.max(&[0], false)?.map(|x| -x, |x| -x)?;
        Ok(vec![inputs[0].max(&[0], false)?, least])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let signed = if at.output() == 0 { at.x().clone() } else { at.x().negated()? };
        let i = Label::for_dims(at.x().dims());
        Ok(at.network().plus_term(Coef::one(), &[], &i, [Factor::Dense(signed.tie_share(&[0])?, i.clone())]))
    }
}

/// y_i = Σ_{k ≤ i} x_k: `i ≥ k` is the relation `i = k + s` with a slack label s that is summed.
#[derive(Debug, PartialEq)]
struct CumSum;

impl Op for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let sums = |row: &mut [f64]| (1..row.len()).for_each(|k| row[k] += row[k - 1]);
        Ok(vec![by_rows(inputs[0], sums)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let out = Label::for_dims(at.x().dims());
        let mut x = out.clone();
        let n = last(at.x().dims());
        x[n] = Label::new(out[n].dim());
        let slack = Label::new(out[n].dim());
        let below = Relation::affine([(1, out[n]), (-1, x[n]), (-1, slack)], 0);
        Ok(at.network().plus_term(Coef::one(), &out, &x, [Factor::Relation(below)]))
    }
}

/// y_i = Π_{k ≤ i} x_k. From y_i = x_i y_{i−1}: (I − diag(x) S) dy = diag(y₋₁) dx, with S the shift; no division, and so
/// right at zeros.
#[derive(Debug, PartialEq)]
struct CumProd;

impl Op for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let products = |row: &mut [f64]| (1..row.len()).for_each(|k| row[k] *= row[k - 1]);
        Ok(vec![by_rows(inputs[0], products)?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = at.x();
        let n = last(x.dims());
        let size = x.dims()[n].size();
        let constant = |shape: &[usize], entry: &dyn Fn(usize) -> f64| -> Result<Val> {
            let data = (0..shape.iter().product()).map(entry).collect();
            Ok(Val::new(Array::from_vec::<f64>(shape, data)?.cast(x.dtype())?))
        };
        let shift = constant(&[size, size], &|k| f64::from(u8::from(k / size == k % size + 1)))?;
        let eye = constant(&[size, size], &|k| f64::from(u8::from(k / size == k % size)))?;
        let first = constant(&[size], &|k| f64::from(u8::from(k == 0)))?;
        let column: Vec<Dim> = x.dims().iter().copied().chain([Dim::new(1)]).collect();
        let matrix = (&eye - &(&x.reshape(&column)? * &shift)?)?;
        let before = (&at.y().matmul(&shift.transpose()?)? + &first)?;

        let out = Label::for_dims(x.dims());
        let mut slots = out.clone();
        slots[n] = Label::new(x.dims()[n]);
        let inverse = Operator::inverse(matrix, &out[..n], out[n], slots[n]);
        let factors = [Factor::Operator(inverse), Factor::Dense(before, slots.clone())];
        Ok(at.network().plus_term(Coef::one(), &out, &slots, factors))
    }
}

/// The elements of each row in ascending order: a relation with an index table, and batch axes.
#[derive(Debug, PartialEq)]
struct Sort;

impl Op for Sort {
    fn name(&self) -> &'static str {
        "sort"
    }

    fn infer(&self, inputs: &[&Spec]) -> Result<Vec<Spec>> {
        Ok(vec![inputs[0].clone()])
    }

    fn forward(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        Ok(vec![by_rows(inputs[0], |row| row.sort_by(f64::total_cmp))?])
    }

    fn jacobian(&self, at: &Site<'_>) -> Result<Network> {
        let x = at.x();
        let n = last(x.dims());
        let values = x.array()?.cast(DType::F64)?.to_vec_f64();
        let order = values.chunks_exact(x.shape()[n]).flat_map(|row| {
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|&a, &b| row[a].total_cmp(&row[b]));
            order.into_iter().map(|k| k as i64).collect::<Vec<_>>()
        });
        let table = Table::new(x.shape(), order.collect())?;
        let out = Label::for_dims(x.dims());
        let mut slots = out.clone();
        slots[n] = Label::new(x.dims()[n]);
        let relation = Relation::indexed(slots[n], table, out.clone());
        Ok(at.network().plus_term(Coef::one(), &out, &slots, [Factor::Relation(relation)]))
    }
}
