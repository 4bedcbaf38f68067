//! A derivative that is zero: beside what that is judged, and where on the way from x to y changes end.

use std::collections::{HashMap, HashSet};

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::Function;
use pullback_network::Value as _;
use pullback_ops::{Result, Val};

use crate::graph::ancestors;
use crate::routes::{Derivative, sizes};
use crate::verdict::Note;

/// A value whose largest entry is less than this share of the largest that it is computed from has been left by terms that
/// cancel: it has no size of its own.
const CANCELLED: f64 = 1e-10;

/// How far x is moved to see what changes with it, beside its largest entry; and by which share of what it is computed from a
/// value changes at least. Changes of second order are as small as the step.
const STEP: f64 = 1e-6;
const UNCHANGED: f64 = 1e-5;

/// How far x is moved where neither it nor any value has a size.
const FAR: f64 = 0.1;

/// The slope that y might have had: a derivative that is zero has no size of its own to hold errors against. That of y over
/// x; where the terms of y cancel, of the smallest value on the way that is of a size; else what a large step shows.
pub(crate) fn typical_slope(derivative: &Derivative<'_>) -> Result<f64> {
    let size = |value: &Val| Ok::<f64, pullback_ops::Error>(value.array()?.max_abs());
    // What rounding left of terms that cancel is no size to move x by.
    let length = match size_if_cancelled(derivative.x)?.map_or_else(|| size(derivative.x), Ok)? {
        0.0 => 1.0,
        length => length,
    };
    let mut smallest: Option<f64> = None;
    let mut sizes = Sizes::default();
    for value in on_the_way(derivative) {
        let own = size(&value)?;
        if own > 0.0 && sizes.of(&value)? == own {
            if value.id() == derivative.y.id() {
                return Ok(own / length);
            }
            smallest = Some(smallest.map_or(own, |smallest| smallest.min(own)));
        }
    }
    match smallest {
        Some(own) => Ok(own / length),
        None => {
            let function = Function::new(&[derivative.x], &[derivative.y], &derivative.fixed)?;
            let [right, left] = moved(derivative, &function, FAR * length)?;
            let change = right[0].zip(&left[0], "compare", |a, b| a - b, |a, b| a - b)?.max_abs();
            Ok(change.max(right[0].max_abs()) / (FAR * length))
        }
    }
}

/// The size of what a value is computed from, where its terms cancel and leave it none of its own.
pub(crate) fn size_if_cancelled(value: &Val) -> Result<Option<f64>> {
    let mut sizes = Sizes::default();
    for value in ancestors(value).iter().filter(|value| value.dtype().is_float()) {
        sizes.of(value)?;
    }
    let (own, size) = (value.array()?.max_abs(), sizes.of(value)?);
    Ok((own < size && size.is_finite()).then_some(size))
}

/// The sizes of values, asked in forward order: the largest entry of each, and of what terms that cancel have left, and of what is
/// computed from that alone, the size of those terms.
#[derive(Default)]
pub(crate) struct Sizes {
    known: HashMap<u64, f64>,
}

impl Sizes {
    pub(crate) fn of(&mut self, value: &Val) -> Result<f64> {
        if let Some(&size) = self.known.get(&value.id()) {
            return Ok(size);
        }
        let inputs: Vec<&Array> = value.inputs().iter().map(Val::array).collect::<Result<_>>()?;
        Ok(self.note(value, value.array()?, &inputs))
    }

    /// That of a value which is this array here, and is computed from these.
    pub(crate) fn note(&mut self, value: &Val, array: &Array, inputs: &[&Array]) -> f64 {
        let own = array.max_abs();
        let (mut largest, mut left) = (0.0f64, Some(0.0f64));
        let inputs = value.inputs().iter().zip(inputs);
        for (input, array) in inputs.filter(|(input, _)| input.dtype().is_float()) {
            // What masks by −10³⁰ leaves nothing of itself, and cancels nothing.
            let (most, small) = sizes(&array.as_f64());
            let size = self.known.get(&input.id()).copied().unwrap_or(most);
            largest = largest.max(small);
            // Zeros add nothing to what terms have left.
            left = left.filter(|_| size > most || most == 0.0).map(|left| left.max(size));
        }
        let largest = largest.max(left.unwrap_or(0.0));
        let size = if own < CANCELLED * largest { largest } else { own };
        self.known.insert(value.id(), size);
        size
    }

    /// What has been noted of a value.
    pub(crate) fn noted(&self, value: &Val) -> f64 {
        self.known.get(&value.id()).copied().unwrap_or(0.0)
    }
}

/// The value that does not change with x although what it is computed from does: the first of those at which the ways from x
/// to y end. `None`: there is no way.
pub(crate) fn unchanged(derivative: &Derivative<'_>) -> Result<Option<Val>> {
    let values = on_the_way(derivative);
    if values.is_empty() {
        return Ok(None);
    }
    let length = match derivative.x.array()?.max_abs() {
        0.0 => 1.0,
        length => length,
    };
    let function = Function::new(&[derivative.x], &values.iter().collect::<Vec<&Val>>(), &derivative.fixed)?;
    let sides = moved(derivative, &function, STEP * length)?;
    let mut changes: HashMap<u64, f64> = HashMap::from([(derivative.x.id(), STEP * length)]);
    // Of those that change; what is computed from others alone does not.
    let mut ends: HashSet<u64> = HashSet::new();
    for (number, value) in values.iter().enumerate() {
        let inputs = value.inputs().iter().filter_map(|input| changes.get(&input.id()));
        let Some(before) = inputs.copied().reduce(f64::max) else { continue };
        let mut own = 0.0f64;
        for side in &sides {
            let change = side[number].zip(value.array()?, "compare", |a, b| a - b, |a, b| a - b)?;
            own = own.max(change.max_abs());
        }
        if own > UNCHANGED * before {
            changes.insert(value.id(), own);
        } else {
            ends.insert(value.id());
        }
    }
    // From y back along what does not change.
    let mut still: HashSet<u64> = HashSet::from([derivative.y.id()]);
    let mut first: Option<&Val> = None;
    for value in values.iter().rev() {
        if !still.contains(&value.id()) || changes.contains_key(&value.id()) {
            continue;
        }
        match ends.contains(&value.id()) {
            true => first = Some(value),
            false => still.extend(value.inputs().iter().map(|input| input.id())),
        }
    }
    Ok(first.cloned())
}

/// Are both named, and does y not depend on x at all?
pub(crate) fn independent(derivative: &Derivative<'_>) -> Option<Note> {
    let (of, wrt) = (derivative.y.name()?, derivative.x.name()?);
    // With values held, and of a gradient, it is not the named value that does not depend on x.
    if !derivative.fixed.is_empty()
        || derivative.y.id() == derivative.x.id()
        || !on_the_way(derivative).is_empty()
    {
        return None;
    }
    Some(Note::Independent { of: of.as_str().to_owned(), wrt: wrt.as_str().to_owned() })
}

/// What changes with x, y included, in forward order.
fn on_the_way(derivative: &Derivative<'_>) -> Vec<Val> {
    let held: HashSet<u64> = derivative.fixed.iter().map(|value| value.id()).collect();
    let mut changing: HashSet<u64> = HashSet::from([derivative.x.id()]);
    let depends = |value: &Val| {
        let changes = value.dtype().is_float()
            && !held.contains(&value.id())
            && value.inputs().iter().any(|input| changing.contains(&input.id()));
        if changes {
            changing.insert(value.id());
        }
        changes
    };
    ancestors(derivative.y).into_iter().filter(depends).collect()
}

/// The results where x is moved along a random direction, forwards and backwards.
fn moved(derivative: &Derivative<'_>, function: &Function, by: f64) -> Result<[Vec<Array>; 2]> {
    let direction = Generator::new(0x7a_65726f).randn(&derivative.x.shape(), DType::F64)?;
    let at = |by: f64| {
        let x = derivative.x.array()?.zip(&direction, "move", |x, d| x + by as f32 * d, |x, d| x + by * d)?;
        function.call(&[x])
    };
    Ok([at(by)?, at(-by)?])
}
