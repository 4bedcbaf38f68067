//! Which convention a claim follows at kinks, which operation makes them, and what the derivative is where there is none.
//!
//! A rule is piecewise where a payload of it is: that of relu is `step(x)`, that of abs `sign(x)`, that of max
//! `tie_share(x)`; a mask in the program is one too. At a kink such a payload is at its jump, and each convention is a choice
//! of its value there: that of one side, or of a tie broken in favour of its first element. So a gradient, a graph in which
//! these payloads are nodes, is evaluated with other values in their places. No operation is known by name.
//!
//! With the values that they have at a point beside, the gradient is that of the pieces there. Where it is the same at all points
//! beside, the pieces fit together, and that is the derivative ([`Choices::fitted`]), which the conventions need not come to: those of
//! `relu(x) - relu(-x)` at 0 come to 0. Beside a kink some of the pieces may fit together; the others are found by leaving them out.

use std::collections::BTreeMap;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_autograd::Function;
use pullback_network::Value as _;
use pullback_ops::{Factor, Origin, Result, Val, find};

use crate::graph::ancestors;
use crate::jump::{ALIKE, Jump, NUDGE, jumps_of, keep_fitting, mixed, sided, unit};
use crate::kink::OneSided;
use crate::layout::unravel;
use crate::limits::SAFETY;
use crate::other_code::Pulled;
use crate::routes::Derivative;
use crate::verdict::KinkOrigin;

/// So many entries of a payload are tried one by one, to name the one that makes a kink.
const MOST_TRIED: usize = 64;

/// A tie can be broken in favour of one element.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Favoured {
    First,
    Last,
}

/// What payloads at their jumps decide about.
#[derive(Default)]
pub(crate) struct Undecided {
    /// Entries of x, and between what each of them lies where all payloads follow one convention.
    pub columns: BTreeMap<usize, (f64, f64)>,
    /// The operations whose conventions count there.
    pub ops: Vec<&'static str>,
}

/// So many directions lead to points beside the one that is asked about, each to one on either side.
const DIRECTIONS_BESIDE: usize = 3;

/// Elements that tie are put into so many orders, twice: of ten each is seen in each place, but for one time in a thousand.
const ORDERS: usize = 32;

/// Among so many payloads at their jumps those are sought that make kinks.
const MOST_PARTED: usize = 12;

/// Where the pieces of operations fit together, so that there is a derivative, and their conventions come to another value.
#[derive(Clone, Default)]
pub(crate) struct Fitted {
    /// The derivative, by the position in the tensor.
    pub entries: BTreeMap<usize, f64>,
    /// How much each entry of the tensor amplifies rounding, on the pieces beside; empty where no payload is at its jump.
    pub spread: Vec<f64>,
    /// Entries at a kink that other pieces fit together beside: what these come to with the conventions at the kink alone.
    pub beside_kinks: BTreeMap<usize, f64>,
    /// Entries about which orders of elements that tie decide, and between what these put them.
    pub ordered: BTreeMap<usize, (f64, f64)>,
    /// The operations whose conventions they are.
    pub ops: Vec<&'static str>,
    /// The derivative as a function of the cotangent on one of the pieces, and with some payloads as they are stated; of none where no
    /// payload is at its jump.
    pub pulled: Vec<Pulled>,
}

/// A row of the derivative on the pieces beside, some payloads taken from there and the others as they are stated.
struct Pieces<'a, 'b> {
    choices: &'a Choices<'b>,
    unit: &'a [f64],
    /// The payloads at each point beside.
    beside: &'a [Vec<Array>],
    spread: &'a [f64],
}

impl Pieces<'_, '_> {
    /// The row where those payloads that are `taken` have their values at a point beside.
    fn with(&self, taken: &[bool], point: usize) -> Result<Vec<f64>> {
        let payloads = self.choices.taken(taken, &self.beside[point]);
        Ok(self.choices.derivative.moved(self.choices.along(self.unit, &payloads)?))
    }

    fn same(&self, column: usize, slope: f64, other: f64) -> bool {
        let size = self.spread[column].max(slope.abs()).max(other.abs());
        (other - slope).abs() <= SAFETY * f64::EPSILON * size
    }

    /// The columns whose slopes are not the same at all points beside, and by how much they differ.
    fn apart(&self, taken: &[bool]) -> Result<BTreeMap<usize, f64>> {
        let first = self.with(taken, 0)?;
        let mut apart = BTreeMap::new();
        for point in 1..self.beside.len() {
            let other = self.with(taken, point)?;
            for column in (0..first.len()).filter(|&column| !self.same(column, first[column], other[column]))
            {
                *apart.entry(column).or_insert(0.0) += (first[column] - other[column]).abs();
            }
        }
        Ok(apart)
    }

    /// Those payloads whose pieces fit together everywhere, found by leaving out one after the other that by which slopes are most
    /// `apart`. `None`: all or none of them, or they are many.
    fn fitting(&self, mut apart: BTreeMap<usize, f64>) -> Result<Option<Vec<bool>>> {
        let mut taken = vec![true; self.choices.jumps.len()];
        if apart.is_empty() || taken.len() > MOST_PARTED {
            return Ok(None);
        }
        while !apart.is_empty() {
            let far = |apart: &BTreeMap<usize, f64>| apart.values().sum::<f64>();
            let mut best: Option<(usize, BTreeMap<usize, f64>)> = None;
            for number in (0..taken.len()).filter(|&number| taken[number]) {
                let mut fewer = taken.clone();
                fewer[number] = false;
                let left = self.apart(&fewer)?;
                if best.as_ref().is_none_or(|(_, least)| far(&left) < far(least)) {
                    best = Some((number, left));
                }
            }
            let Some((number, left)) = best else { break };
            taken[number] = false;
            apart = left;
        }
        Ok(taken.contains(&true).then_some(taken))
    }
}

/// The derivative as a function of its piecewise constant payloads.
pub(crate) struct Choices<'a> {
    derivative: &'a Derivative<'a>,
    pulled: Pulled,
    /// The gradient by the cotangent and the payloads.
    function: Function,
    jumps: Vec<Jump>,
}

impl<'a> Choices<'a> {
    /// `None`: no payload is at a jump.
    pub(crate) fn new(derivative: &'a Derivative<'a>) -> Result<Option<Choices<'a>>> {
        let Some(pulled) = Pulled::new(derivative)? else { return Ok(None) };
        let mut jumps = jumps_of(&[&pulled.gradient], std::iter::once(derivative.x))?;
        if jumps.is_empty() {
            return Ok(None);
        }
        // A gradient is built backwards; the order that counts is that of what the payloads are made of.
        jumps.sort_by_key(|jump: &Jump| jump.payload.inputs()[0].order());
        let inputs: Vec<&Val> =
            std::iter::once(&pulled.seed).chain(jumps.iter().map(|jump| &jump.payload)).collect();
        let function = Function::new(&inputs, &[&pulled.gradient], &[])?;
        Ok(Some(Choices { derivative, pulled, function, jumps }))
    }

    /// Some rows of the derivative with every tie broken in favour of one element. `None`: there are no ties.
    pub(crate) fn favouring(&self, which: Favoured, rows: &[usize]) -> Result<Option<Vec<Vec<f64>>>> {
        let chosen = |jump: &Jump| match which {
            Favoured::First => jump.broken[0].clone(),
            Favoured::Last => jump.broken[1].clone(),
        };
        if !self.jumps.iter().any(Jump::is_tie) {
            return Ok(None);
        }
        let payloads: Vec<Array> = self
            .jumps
            .iter()
            .map(|jump| if jump.is_tie() { chosen(jump) } else { jump.stated.clone() })
            .collect();
        rows.iter().map(|&row| self.row(row, &payloads)).collect::<Result<Vec<_>>>().map(Some)
    }

    fn row(&self, row: usize, payloads: &[Array]) -> Result<Vec<f64>> {
        self.along(&self.derivative.unit(row), payloads)
    }

    fn along(&self, cotangent: &[f64], payloads: &[Array]) -> Result<Vec<f64>> {
        let cotangent = Array::from_slice(&self.derivative.y.shape(), cotangent)?;
        let inputs: Vec<Array> = std::iter::once(cotangent).chain(payloads.iter().cloned()).collect();
        match self.function.call(&inputs) {
            Ok(mut found) => Ok(found.remove(0).to_vec_f64()),
            Err(error) if error.is_memory() => Err(error),
            // A piece that ends at the point has no value there.
            Err(_) => Ok(vec![f64::NAN; self.derivative.x.shape().iter().product()]),
        }
    }

    /// The entries of a row of the derivative, or of a sum of rows, about which payloads at their jumps decide; and the operations
    /// that these belong to, in forward order. Where the pieces fit together, as those of relu(x) − relu(−x) do, there is no kink,
    /// and what the conventions come to is no derivative.
    pub(crate) fn undecided(&self, cotangent: &[f64]) -> Result<Undecided> {
        let mut others: Vec<Vec<Array>> = vec![mixed(&self.jumps)?];
        others.extend(ALIKE[1..].iter().map(|of| self.alike(*of)));
        // A condition that is made of several is seen to turn beside alone.
        others.extend(self.beside()?);
        let stated = self.along(cotangent, &self.alike(ALIKE[0]))?;
        let of_others: Result<Vec<Vec<f64>>> =
            others.iter().map(|payloads| self.along(cotangent, payloads)).collect();
        let of_others = of_others?;
        let mut found = Undecided::default();
        for (number, jump) in self.jumps.iter().enumerate() {
            for (payloads, entries) in others.iter().zip(&of_others) {
                let mut payloads = payloads.clone();
                payloads[number] = jump.stated.clone();
                if differing(entries, &self.along(cotangent, &payloads)?).next().is_some() {
                    let op = self.owner(jump, Vec::new()).op;
                    found.ops.extend((!found.ops.contains(&op)).then_some(op));
                    break;
                }
            }
        }
        for entries in &of_others {
            for column in differing(entries, &stated) {
                // Somewhere between conventions is none.
                let of_conventions = of_others[1..].iter().chain([&stated]).map(|entries| entries[column]);
                found.columns.entry(column).or_insert_with(|| interval(of_conventions));
            }
        }
        Ok(found)
    }

    /// The derivative where the pieces fit together: on all points beside it has the same value, and that is not what the
    /// conventions come to. `relu(x) - relu(-x)` at 0 has the slope 1 on both sides.
    pub(crate) fn fitted(&self) -> Result<Fitted> {
        let mut fitted = Fitted::default();
        let mut generator = Generator::new(0x6669_7474_6564);
        let beside = self.beside()?;
        let payloads = self.jumps.iter().map(|jump| &jump.payload);
        let simulation = self.pulled.simulation(payloads)?;
        let (shape, rows) = (self.pulled.seed.shape(), self.pulled.rows);
        // Which payloads fit together: all of them, or some beside a kink.
        let mut seen: Vec<Vec<bool>> = Vec::new();
        for row in 0..rows {
            let unit = self.derivative.unit(row);
            let inputs = [&[Array::from_slice(&shape, &unit)?], &beside[0][..]].concat();
            let (slopes, spread) = match simulation.run(&inputs) {
                Err(error) if !error.is_memory() => {
                    let slopes = self.along(&unit, &beside[0])?;
                    (Array::from_slice(&[slopes.len()], &slopes)?, vec![f64::NAN; slopes.len()])
                }
                found => found?,
            };
            // A piece may end at the point, as that of sin(x) / x does at 0: there it tells nothing.
            let finite = |spread: f64| if spread.is_finite() { spread } else { 0.0 };
            let spread = self.derivative.moved(spread.into_iter().map(finite).collect());
            let of = Pieces { choices: self, unit: &unit, beside: &beside, spread: &spread };
            let conventions = of.with(&vec![false; self.jumps.len()], 0)?;
            let slopes = self.derivative.moved(slopes.to_vec_f64());
            let is_other = |column: usize, slope: f64| !of.same(column, slope, conventions[column]);
            let apart = of.apart(&vec![true; self.jumps.len()])?;
            let ordered = self.ordered(&unit, &beside)?;
            let at = |column: usize| row * slopes.len() + column;
            fitted.ordered.extend(ordered.iter().map(|(&column, &interval)| (at(column), interval)));
            let before = fitted.entries.len();
            let is_fitted = |&(column, &slope): &(usize, &f64)| {
                is_other(column, slope) && !apart.contains_key(&column) && !ordered.contains_key(&column)
            };
            let found: BTreeMap<usize, f64> =
                slopes.iter().enumerate().filter(is_fitted).map(|(column, &slope)| (column, slope)).collect();
            let mut found = [found];
            let rounding = |column: usize| SAFETY * f64::EPSILON * spread[column];
            keep_fitting(&mut found, &rounding, &mut |some| {
                let mut direction = self.derivative.nowhere();
                let random = generator.randn(&[some[0].len()], DType::F64)?.to_vec_f64();
                some[0].keys().zip(random).for_each(|(&column, by)| direction[column] = by);
                let sides = self.pieces_along(&unit, direction)?;
                sides.into_iter().map(|side| Ok(vec![Array::from_vec(&[side.len()], side)?])).collect()
            })?;
            let [found] = found;
            fitted.entries.extend(found.into_iter().map(|(column, slope)| (at(column), slope)));
            if let Some(fitting) = of.fitting(apart)? {
                let before = fitted.beside_kinks.len();
                for (column, slope) in of.with(&fitting, 0)?.into_iter().enumerate() {
                    if is_other(column, slope) {
                        fitted.beside_kinks.insert(at(column), slope);
                    }
                }
                if fitted.beside_kinks.len() > before && !seen.contains(&fitting) {
                    seen.push(fitting);
                }
            }
            if fitted.entries.len() > before {
                let ops = self.undecided(&unit)?.ops;
                fitted.ops.extend(ops.into_iter().filter(|op| !fitted.ops.contains(op)).collect::<Vec<_>>());
            }
            fitted.spread.extend(spread);
        }
        // Rounding that a kink hides is seen on the pieces beside it.
        seen.push(vec![true; self.jumps.len()]);
        for taken in seen {
            let payloads = self.jumps.iter().map(|jump| jump.payload.clone());
            let given = payloads.zip(self.taken(&taken, &beside[0])).collect();
            fitted.pulled.push(Pulled { given, ..self.pulled.clone() });
        }
        Ok(fitted)
    }

    /// The payloads that are `taken` as they are beside, the others as they are stated.
    fn taken(&self, taken: &[bool], beside: &[Array]) -> Vec<Array> {
        let jumps = self.jumps.iter().zip(beside).zip(taken);
        jumps
            .map(|((jump, beside), &taken)| if taken { beside.clone() } else { jump.stated.clone() })
            .collect()
    }

    /// The payloads at points beside, on both sides of each direction.
    ///
    /// Where the input of one stays at its jump beside, as that of relu(x − relu(x)) does for all x > 0, nothing comes through it from
    /// there, and any side will do; but pieces of one value are to be on the same side. So they are as at another point beside, the
    /// next one where that input moves.
    fn beside(&self) -> Result<Vec<Vec<Array>>> {
        let shape = self.derivative.x.shape();
        let mut generator = Generator::new(0x6265_7369_6465);
        let mut beside = Vec::new();
        for number in 0..DIRECTIONS_BESIDE {
            let mut direction = generator.randn(&shape, DType::F64)?.to_vec_f64();
            // The largest of many numbers falls along hardly any direction, unless all of them do.
            if number + 1 == DIRECTIONS_BESIDE {
                direction.iter_mut().for_each(|by| *by = by.abs());
            }
            beside.extend(self.on_both_sides(self.derivative.moved(direction))?);
        }
        sided(&self.jumps, &beside)
    }

    /// The payloads, and then what they are computed from, on the left and on the right of x along a direction.
    fn on_both_sides(&self, direction: Vec<f64>) -> Result<[Vec<Array>; 2]> {
        let payloads = self.jumps.iter().map(|jump| &jump.payload);
        let inputs = self.jumps.iter().map(|jump| &jump.payload.inputs()[0]);
        let x = self.derivative.x;
        let function =
            Function::new(&[x], &payloads.chain(inputs).collect::<Vec<_>>(), &self.derivative.fixed)?;
        let at = x.array()?.to_vec_f64();
        let scale = unit(&at);
        let side = |nudge: f64| {
            let moved = at.iter().zip(&direction).map(|(x, by)| x + nudge * scale * by).collect();
            function.call(&[Array::from_vec(&x.shape(), moved)?])
        };
        Ok([side(-NUDGE)?, side(NUDGE)?])
    }

    /// A row of the derivative by the pieces on the left and on the right of x along a direction.
    fn pieces_along(&self, unit: &[f64], direction: Vec<f64>) -> Result<[Vec<f64>; 2]> {
        let payloads = sided(&self.jumps, &self.on_both_sides(self.derivative.moved(direction))?)?;
        let of = |side: usize| self.along(unit, &payloads[side]).map(|row| self.derivative.moved(row));
        Ok([of(0)?, of(1)?])
    }

    /// The slopes of an entry of y on both sides of an entry of x, by the pieces there.
    pub(crate) fn slopes_at(&self, row: usize, column: usize) -> Result<OneSided> {
        let mut direction = self.derivative.nowhere();
        direction[column] = 1.0;
        let at = row * direction.len() + column;
        let [left, right] = self.pieces_along(&self.derivative.unit(row), direction)?;
        Ok(OneSided { at, left: left[column], right: right[column], error: 0.0 })
    }

    /// The columns about which orders decide, of elements that tie, and between what these put each. Moved alone, the middle one of three
    /// such moves no median, and all of them together do: that its slopes on both sides are the same does not make the pieces fit.
    fn ordered(&self, unit: &[f64], beside: &[Vec<Array>]) -> Result<BTreeMap<usize, (f64, f64)>> {
        let is_order: Vec<bool> = self.jumps.iter().map(Jump::is_order).collect();
        let mut ordered = BTreeMap::new();
        if !is_order.contains(&true) {
            return Ok(ordered);
        }
        let stated = self.along(unit, &self.alike(ALIKE[0]))?;
        let mut widen = |beside: &[Vec<Array>]| -> Result<()> {
            for payloads in beside {
                let row = self.along(unit, &self.taken(&is_order, payloads))?;
                for column in differing(&row, &stated) {
                    let (least, most) = ordered.entry(column).or_insert((stated[column], stated[column]));
                    (*least, *most) = (least.min(row[column]), most.max(row[column]));
                }
            }
            Ok(())
        };
        widen(beside)?;
        // Which of some that tie come where is seen by many orders.
        let mut generator = Generator::new(0x6f72_6465_7273);
        for _ in 0..ORDERS {
            let direction = generator.randn(&self.derivative.x.shape(), DType::F64)?.to_vec_f64();
            widen(&sided(&self.jumps, &self.on_both_sides(self.derivative.moved(direction))?)?)?;
        }
        Ok(ordered)
    }

    /// The entries of a row about which orders decide, and between what these put each.
    pub(crate) fn ordered_in(&self, row: usize) -> Result<BTreeMap<usize, (f64, f64)>> {
        self.ordered(&self.derivative.unit(row), &self.beside()?)
    }

    /// All payloads by one convention.
    fn alike(&self, of: fn(&Jump) -> &Array) -> Vec<Array> {
        self.jumps.iter().map(of).cloned().collect()
    }

    /// The first operation, in forward order, whose payload decides about an entry of the derivative: alone, or where all
    /// the others are on one side. Of relu(relu(x)) at 0 neither decides alone.
    pub(crate) fn origin(&self, position: usize, tolerance: f64) -> Result<Option<KinkOrigin>> {
        let columns: usize = self.derivative.x.shape().iter().product();
        let (row, column) = (position / columns, position % columns);
        for (number, jump) in self.jumps.iter().enumerate() {
            // As they are stated, and all of them on either side.
            for ground in ALIKE[..3].iter().map(|of| self.alike(*of)) {
                let with = |payload: Array| -> Result<f64> {
                    let mut payloads = ground.clone();
                    payloads[number] = payload;
                    Ok(self.row(row, &payloads)?[column])
                };
                let known = with(jump.stated.clone())?;
                for other in jump.others() {
                    let decides = |other: Array| Ok((with(other)? - known).abs() > tolerance);
                    if decides(other.clone())? {
                        let at = deciding(&jump.stated, other, decides)?;
                        return Ok(Some(self.owner(jump, unravel(at, jump.stated.shape()))));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The operation of the program that has a payload: itself, if the program computes it.
    fn owner(&self, jump: &Jump, at: Vec<usize>) -> KinkOrigin {
        let program = ancestors(self.derivative.y);
        let payload = &jump.payload;
        let is_payload = |value: &Val| {
            name_of(value) == name_of(payload)
                && value.inputs().first().map(Val::id) == payload.inputs().first().map(Val::id)
        };
        let has_it = |value: &Val| {
            (0..value.inputs().len()).filter_map(|k| value.jacobian(k).ok()).any(|network| {
                network.terms().iter().flat_map(|term| &term.factors).any(|factor| match factor {
                    Factor::Dense(dense, _) => {
                        dense.order() > value.order() && ancestors(dense).iter().any(is_payload)
                    }
                    _ => false,
                })
            })
        };
        let own = program.iter().find(|value| value.id() == payload.id());
        let value = own.or_else(|| program.iter().find(|value| has_it(value))).unwrap_or(payload);
        let op = name_of(value);
        // A mask of the program has the value that the program gives it.
        let page = if own.is_none() { find(op) } else { None };
        KinkOrigin {
            op,
            value: value.clone(),
            at,
            convention: page.map(|page| page.page("At kinks and ties")),
        }
    }
}

/// The first entry of a payload that decides where it alone has its other value; else the first that has another one.
fn deciding(stated: &Array, other: &Array, decides: impl Fn(Array) -> Result<bool>) -> Result<usize> {
    let (own, changed) = (stated.to_vec_f64(), other.to_vec_f64());
    let mut differing = (0..own.len()).filter(|&k| own[k] != changed[k]);
    let first = differing.clone().next().unwrap_or(0);
    for k in differing.by_ref().take(MOST_TRIED) {
        let mut one = own.clone();
        one[k] = changed[k];
        if decides(Array::from_vec(stated.shape(), one)?.cast(stated.dtype())?)? {
            return Ok(k);
        }
    }
    Ok(first)
}

/// Where two rows differ by more than rounding makes of the largest of their entries.
fn differing<'a>(a: &'a [f64], b: &'a [f64]) -> impl Iterator<Item = usize> + 'a {
    let largest = a.iter().chain(b).fold(0.0f64, |most, x| most.max(x.abs()));
    (0..a.len()).filter(move |&p| (a[p] - b[p]).abs() > SAFETY * f64::EPSILON * largest)
}

fn interval(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)))
}

fn name_of(value: &Val) -> &'static str {
    match value.origin() {
        Origin::Call(op, _) => op.name(),
        _ => "",
    }
}
