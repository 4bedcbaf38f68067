//! Cotangents of graphs that are built anew, step after step.
//!
//! A training step that builds its graph anew builds the same one each time, on other numbers. What reverse mode makes of it is a graph as
//! well, of which every rule says its part from the structure alone. So where a structure is met again that graph is remembered, and its
//! operations are applied to the new values, without asking any rule; and what is asked is evaluated by one plan ([`crate::prepared`]).
//!
//! Two graphs have one structure where their values, in the order in which they were made, are results of the same operations
//! ([`pullback_ops::Same`]) of the same ones of them, down to the leaves: of the same shapes, with the same names for sizes; numbers of
//! the program are the same to the last bit, and are called the same. What a rule may ask of a graph beside that are the numbers of its
//! leaves: where one did ([`readings`]) nothing is remembered. Nor is a graph that has operations which hold more than a few numbers, or
//! arrays of its own. So what is remembered has no arrays, is bounded by [`MOST`] and [`MOST_VALUES`], and belongs to one thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use pullback_array::{DType, memory};
use pullback_network::Name;
use pullback_ops::{Application, Origin, Result, Spec, Val, readings};

use crate::prepared::{Prepared, is_target};

/// So many structures are remembered, those that were met last.
const MOST: usize = 16;

/// And those of so many values at the most; as many may be made of one.
const MOST_VALUES: usize = 512;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

#[derive(Default)]
struct Memory {
    /// The one that was met last comes first.
    known: VecDeque<Known>,
    /// The marks of structures that were met once: most are never met again.
    met: VecDeque<u64>,
}

/// A value of a graph: which application it comes from, by its place among them all, and which output of that.
type Place = (u32, u32);

/// A question: cotangents of outputs, to be pulled back to values, where others are fixed; and all values that it depends on.
pub(crate) struct Question<'a> {
    /// One of each application, in the order in which they were made.
    values: Vec<&'a Val>,
    /// Of each, how many inputs it has, and these.
    links: Vec<Place>,
    /// How many outputs, values and fixed ones are asked of, and all of them.
    asked: Vec<Place>,
}

/// A structure, and what reverse mode makes of it.
struct Known {
    mark: u64,
    values: Vec<Is>,
    links: Vec<Place>,
    asked: Vec<Place>,
    made: Vec<Made>,
    /// Places behind those of the graph are among what is made.
    results: Vec<Option<Place>>,
    /// Its leaves, its outputs and results, and what evaluates these in one go.
    leaves: Vec<Place>,
    targets: Vec<Place>,
    prepared: Arc<Prepared>,
}

/// What a value of a structure is.
enum Is {
    /// With numbers, or a symbol.
    Leaf(Spec, bool),
    Number(u64, DType, Option<Name>),
    Result(Application),
}

/// What is made of a graph.
enum Made {
    Number(f64, DType),
    Result(Application, Vec<Place>),
}

/// The cotangents that `derived` derives.
///
/// # Errors
/// Those of `derived`.
pub(crate) fn cotangents(
    outputs: &[(&Val, &Val)],
    wrt: &[&Val],
    fixed: &[&Val],
    derived: impl FnOnce() -> Result<Vec<Option<Val>>>,
) -> Result<Vec<Option<Val>>> {
    let Some(question) = Question::new(outputs, wrt, fixed) else { return derived() };
    let mark = question.mark();
    memory::check()?;
    if let Some(found) = MEMORY.with_borrow_mut(|memory| memory.answer(mark, &question)) {
        return Ok(found);
    }
    let before = readings();
    let found = derived()?;
    if readings() == before {
        MEMORY.with_borrow_mut(|memory| memory.meet(mark, &question, &found));
    }
    Ok(found)
}

impl<'a> Question<'a> {
    /// `None`: it is too large.
    fn new(outputs: &[(&'a Val, &'a Val)], wrt: &[&'a Val], fixed: &[&'a Val]) -> Option<Question<'a>> {
        let (of, with): (Vec<&Val>, Vec<&Val>) = outputs.iter().copied().unzip();
        let roots = [of.as_slice(), &with, wrt, fixed].concat();
        let mut question =
            Question { values: gathered(&roots, |_| true)?, links: Vec::new(), asked: Vec::new() };
        for value in &question.values {
            question.links.push((value.inputs().len() as u32, 0));
            question.links.extend(value.inputs().iter().map(|input| place(&question.values, input)));
        }
        question.asked.push((outputs.len() as u32, wrt.len() as u32));
        question.asked.extend(roots.iter().map(|root| place(&question.values, root)));
        Some(question)
    }

    /// What questions of one structure share, and few others.
    fn mark(&self) -> u64 {
        let sizes = self.values.iter().flat_map(|value| value.dims()).map(|dim| (dim.size() as u32, 1));
        let all = self.links.iter().chain(&self.asked).copied().chain(sizes);
        all.fold(0, |mark: u64, (a, b)| {
            (mark.rotate_left(5) ^ (u64::from(a) << 8) ^ u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }

    /// The same structure, with what was made of it; `None` where that is not to be remembered.
    fn known(&self, mark: u64, found: &[Option<Val>]) -> Option<Known> {
        let is = |value: &&Val| {
            Some(match value.origin() {
                Origin::Leaf => Is::Leaf(value.spec().clone(), value.has_numbers()),
                Origin::Number(number) => Is::Number(number.to_bits(), value.dtype(), value.name()),
                Origin::Call(..) => Is::Result(value.application()?),
            })
        };
        let values = self.values.iter().map(is).collect::<Option<Vec<Is>>>()?;
        let results: Vec<&Val> = found.iter().flatten().collect();
        let own = |value: &Val| self.values.binary_search_by_key(&value.order(), |own| own.order()).is_ok();
        let made = gathered(&results, |value| !own(value))?;
        let at = |value: &Val| match own(value) {
            true => place(&self.values, value),
            false => {
                let (at, output) = place(&made, value);
                (self.values.len() as u32 + at, output)
            }
        };
        let make = |value: &&Val| {
            let is_named = value.outputs().iter().any(|output| output.name().is_some());
            Some(match value.origin() {
                _ if is_named => return None,
                Origin::Leaf => return None,
                Origin::Number(number) => Made::Number(*number, value.dtype()),
                Origin::Call(_, inputs) => {
                    Made::Result(value.application()?, inputs.iter().map(at).collect())
                }
            })
        };
        let results = found.iter().map(|found| found.as_ref().map(at)).collect();
        let made = made.iter().map(make).collect::<Option<Vec<Made>>>()?;
        let (links, asked) = (self.links.clone(), self.asked.clone());
        Some(Known::new(mark, (values, links), asked, (made, results)))
    }
}

/// The values that some depend on, themselves among them, and which `count`, one of each application, in the order in which they were
/// made; `None` where these are too many.
fn gathered<'a>(roots: &[&'a Val], count: impl Fn(&Val) -> bool) -> Option<Vec<&'a Val>> {
    let mut values: Vec<&Val> = Vec::with_capacity(32);
    let mut pending = roots.to_vec();
    while let Some(value) = pending.pop() {
        if let Err(at) = values.binary_search_by_key(&value.order(), |value| value.order())
            && count(value)
        {
            if values.len() == MOST_VALUES {
                return None;
            }
            values.insert(at, value);
            pending.extend(value.inputs());
        }
    }
    Some(values)
}

fn place(values: &[&Val], value: &Val) -> Place {
    let at = values.binary_search_by_key(&value.order(), |value| value.order());
    (at.expect("all that a value depends on was gathered") as u32, value.output() as u32)
}

impl Memory {
    /// What is known of a question.
    fn answer(&mut self, mark: u64, question: &Question<'_>) -> Option<Vec<Option<Val>>> {
        let at = self.known.iter().position(|known| known.mark == mark && known.is_of(question))?;
        // One that is met step after step is the first.
        if at > 0 {
            let known = self.known.remove(at)?;
            self.known.push_front(known);
        }
        Some(self.known[0].applied(question))
    }

    /// Remembers what was made, the second time that a structure is met.
    fn meet(&mut self, mark: u64, question: &Question<'_>, found: &[Option<Val>]) {
        if !self.met.contains(&mark) {
            self.met.truncate(4 * MOST - 1);
            return self.met.push_front(mark);
        }
        if let Some(known) = question.known(mark, found) {
            self.known.truncate(MOST - 1);
            self.known.push_front(known);
        }
    }
}

impl Known {
    fn new(
        mark: u64,
        (values, links): (Vec<Is>, Vec<Place>),
        asked: Vec<Place>,
        (made, results): (Vec<Made>, Vec<Option<Place>>),
    ) -> Known {
        // A graph of this structure, without arrays.
        let mut graph: Vec<Val> = Vec::new();
        let mut leaves = Vec::new();
        let mut rest = links.as_slice();
        for is in &values {
            let [(count, _), others @ ..] = rest else { unreachable!("each value has its inputs") };
            let (inputs, others) = others.split_at(*count as usize);
            rest = others;
            graph.push(match is {
                Is::Leaf(spec, _) => {
                    leaves.push((graph.len() as u32, 0));
                    Val::symbol("", &spec.dims, spec.dtype)
                }
                Is::Number(bits, dtype, _) => Val::number(f64::from_bits(*bits), *dtype),
                Is::Result(application) => {
                    application.of(inputs.iter().map(|&place| of(&graph, place)).collect())
                }
            });
        }
        for made in &made {
            graph.push(made.of(|place| of(&graph, place)));
        }
        let (outputs, _) = asked[0];
        let mut targets: Vec<Place> = asked[1..=outputs as usize].to_vec();
        targets.extend(results.iter().flatten());
        targets.sort_unstable();
        targets.dedup();
        targets.retain(|&place| is_target(&of(&graph, place)));
        let [of_leaves, of_targets] =
            [&leaves, &targets].map(|places| places.iter().map(|&place| of(&graph, place)).collect());
        let prepared = Prepared::new(of_leaves, of_targets);
        Known { mark, values, links, asked, made, results, leaves, targets, prepared }
    }

    fn is_of(&self, question: &Question<'_>) -> bool {
        self.links == question.links
            && self.asked == question.asked
            && self.values.iter().zip(&question.values).all(|(is, value)| is.is(value))
    }

    fn applied(&self, question: &Question<'_>) -> Vec<Option<Val>> {
        let own = question.values.len();
        let mut made: Vec<Val> = Vec::with_capacity(self.made.len());
        for each in &self.made {
            made.push(each.of(|place| at(place, own, question, &made)));
        }
        let all = |places: &[Place]| {
            places.iter().map(|&place| at(place, own, question, &made)).collect::<Vec<_>>()
        };
        self.prepared.tell(all(&self.leaves), &all(&self.targets));
        self.results.iter().map(|place| place.map(|place| at(place, own, question, &made))).collect()
    }
}

impl Made {
    /// The same, of the values at those places.
    fn of(&self, at: impl Fn(Place) -> Val) -> Val {
        match self {
            Made::Number(number, dtype) => Val::number(*number, *dtype),
            Made::Result(application, inputs) => {
                application.of(inputs.iter().map(|&place| at(place)).collect())
            }
        }
    }
}

fn of(graph: &[Val], (number, output): Place) -> Val {
    graph[number as usize].sibling(output as usize)
}

fn at((number, output): Place, own: usize, question: &Question<'_>, made: &[Val]) -> Val {
    let number = number as usize;
    let value = if number < own { question.values[number] } else { &made[number - own] };
    value.sibling(output as usize)
}

impl Is {
    fn is(&self, value: &Val) -> bool {
        match (self, value.origin()) {
            (Is::Leaf(spec, has_numbers), Origin::Leaf) => {
                spec.is_called_as(value.spec()) && *has_numbers == value.has_numbers()
            }
            (Is::Number(bits, dtype, name), Origin::Number(number)) => {
                *bits == number.to_bits() && *dtype == value.dtype() && *name == value.name()
            }
            (Is::Result(application), Origin::Call(..)) => application.is_that_of(value),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Function, pullback};
    use pullback_array::Array;

    fn known() -> usize {
        MEMORY.with_borrow(|memory| memory.known.len())
    }

    /// Σ (x · w)², built anew; pulled back to x and w.
    fn step(size: usize, number: f64) -> Result<Vec<f64>> {
        let x = Val::new(Array::full(&[size], number, DType::F64)?);
        let w = Val::new(Array::full(&[size], 3.0, DType::F64)?);
        let y = (&x * &w)?.powf(2.0)?.sum_all()?;
        let found = pullback(&[(&y, &Val::number(1.0, DType::F64))], &[&x, &w], &[])?;
        found.iter().flatten().map(|value| Ok(value.array()?.to_vec_f64()[0])).collect()
    }

    /// What is met twice is remembered, and is asked no rule the third time; so many and no more.
    #[test]
    fn a_structure_is_remembered() -> Result<()> {
        for (turn, number) in [2.0, 5.0, 7.0].into_iter().enumerate() {
            assert_eq!(step(4, number)?, [18.0 * number, 6.0 * number * number]);
            assert_eq!(known(), usize::from(turn > 0));
        }
        for size in 1..3 * MOST {
            for _ in 0..2 {
                step(size, 1.0)?;
            }
        }
        assert_eq!(known(), MOST);
        Ok(())
    }

    /// What is asked for is evaluated in one go, to the last bit as by its operations, and nothing else is; where an output has its
    /// numbers already, operation by operation.
    #[test]
    fn a_remembered_structure_is_run_by_its_plan() -> Result<()> {
        for turn in 0..6 {
            let x = Val::new(Array::from_slice(&[3], &[0.1, 0.7, f64::from(turn)])?);
            let h = x.tanh()?;
            let y = (&h * &x)?.sum_all()?;
            if turn == 5 {
                y.array()?;
            }
            let dx = pullback(&[(&y, &Val::number(1.0, DType::F64))], &[&x], &[])?.remove(0).expect("a path");
            let by_operations = Function::new(&[&x], &[&dx, &y], &[])?
                .call_by(&[x.array()?.clone()], &mut |op, _, inputs| op.forward(inputs))?;
            let found = [dx.array()?, y.array()?].map(Array::to_vec_f64);
            assert_eq!(found.to_vec(), by_operations.iter().map(Array::to_vec_f64).collect::<Vec<_>>());
            assert_eq!(h.is_evaluated(), !(2..5).contains(&turn), "{turn}");
        }
        Ok(())
    }

    /// Neither what is too large, nor what holds a table, nor what rules made of numbers.
    #[test]
    fn what_is_not_remembered() -> Result<()> {
        let x = || Val::new(Array::ones(&[3], DType::F64).expect("three"));
        let one = Val::number(1.0, DType::F64);
        let long = |x: &Val| (0..MOST_VALUES).try_fold(x.clone(), |x, _| x.tanh());
        let index = Val::new(Array::from_slice(&[2], &[2i64, 0])?);
        for _ in 0..3 {
            let x = x();
            pullback(&[(&long(&x)?.sum_all()?, &one)], &[&x], &[])?;
            pullback(&[(&x.gather(&index, 0)?.sum_all()?, &one)], &[&x], &[])?;
        }
        assert_eq!(known(), 0);
        let asked = |x: &Val| -> Result<Vec<Option<Val>>> {
            cotangents(&[(x, x)], &[x], &[], || {
                x.array()?;
                Ok(vec![Some(x.tanh()?)])
            })
        };
        for _ in 0..3 {
            asked(&x())?;
        }
        assert_eq!(known(), 0);
        Ok(())
    }
}
