//! Chains of functions of elements as one pass over memory.
//!
//! Operation by operation each result is written to memory and read again, and that takes longer than to compute it. [`Tiles`] are a
//! program over a table of rows and columns that is run on a few rows after another, or on a part of a row where a row is long: what
//! the steps hand to each other stays in the cache, and memory is read and written for inputs and outputs alone.
//!
//! A value has an element for each place, one for each row, one for each column, or one for all ([`Form`]). A step applies a function
//! to the elements of one value or of two, which broadcast; or it takes the sum or the largest element of each row, or the sum of each
//! column. Sums of columns are outputs and are not read by other steps: they are known when the pass ends.
//!
//! What comes out equals, to the last bit, what [`Array::each`], [`Array::pairs`], [`Array::sum`] and [`Array::max`] return for the same
//! arrays: functions are the same loops, and sums take elements in in the order that the shape says.
//!
//! ```
//! use pullback_array::tiles::{Form, Step, Tiles};
//! use pullback_array::{Array, DType, Pairs, pairs};
//!
//! // Each row of a table divided by its sum.
//! static DIV: Pairs = pairs!(|a, b| a / b);
//! let steps = vec![Step::SumRow(0), Step::Pairs(&DIV, 0, 1)];
//! let tiles = Tiles::new(DType::F64, [2, 2], vec![Form::Place], steps, vec![(2, vec![2, 2])])?;
//! let table = Array::from_slice(&[2, 2], &[1.0, 3.0, 2.0, 2.0])?;
//! assert_eq!(tiles.run(&[&table])?[0].to_vec_f64(), [0.25, 0.75, 0.5, 0.5]);
//! # Ok::<(), pullback_array::Error>(())
//! ```

use crate::buffer::Buffer;
use crate::dtype::sealed::Arithmetic;
use crate::lines::{Each, Line, Lines, Pairs};
use crate::reduce::{add_lane, max_line, sum_line};
use crate::{Array, DType, Element, Error, Result, shape};
use std::fmt;
use std::mem::MaybeUninit;

/// So many elements are computed in one go, where no row has more: few enough for some lines of them to stay in the first cache, and
/// enough for what a step takes beside its elements not to count.
const TILE: usize = 2048;

/// What of a table a value has an element for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each place.
    Place,
    /// Each row.
    Row,
    /// Each column.
    Column,
    /// The whole.
    One,
}

/// A step; values are inputs and then results of steps, by their numbers.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A function of each element.
    Each(&'static Each, usize),
    /// A function of pairs of elements.
    Pairs(&'static Pairs, usize, usize),
    /// The sum of each row.
    SumRow(usize),
    /// The largest element of each row.
    MaxRow(usize),
    /// The sum of each column.
    SumColumn(usize),
}

/// A program over a table; see the page of this module.
#[derive(Debug)]
pub struct Tiles {
    dtype: DType,
    rows: usize,
    columns: usize,
    steps: Vec<Step>,
    /// The form of each value, and where it is.
    forms: Vec<Form>,
    places: Vec<Place>,
    outputs: Vec<(Form, Vec<usize>)>,
    inputs: usize,
    /// How many places of a tile, and of rows of one, there is scratch memory for.
    slots: usize,
    row_slots: usize,
    /// The rows and columns of a tile.
    tile: [usize; 2],
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Input(usize),
    Output(usize),
    /// In scratch memory, of a whole tile.
    Slot(usize),
    /// And of its rows.
    RowSlot(usize),
}

impl Step {
    fn reads(&self) -> impl Iterator<Item = usize> {
        let (a, b) = match *self {
            Step::Pairs(_, a, b) => (a, Some(b)),
            Step::Each(_, a) | Step::SumRow(a) | Step::MaxRow(a) | Step::SumColumn(a) => (a, None),
        };
        [a].into_iter().chain(b)
    }
}

impl Tiles {
    /// A program over tables of so many rows and columns, neither of them 0: the forms of its inputs, its steps, and the values that
    /// are its outputs, with the shapes of their arrays.
    ///
    /// # Errors
    /// Where a step reads what is not there or has another form, an output is no step's result or is told twice, or a shape has not as
    /// many elements as the form; on integers.
    pub fn new(
        dtype: DType,
        [rows, columns]: [usize; 2],
        inputs: Vec<Form>,
        steps: Vec<Step>,
        outputs: Vec<(usize, Vec<usize>)>,
    ) -> Result<Tiles> {
        let wrong = |what: &str| Error::new(format!("tiles: {what}"));
        if !dtype.is_float() || rows == 0 || columns == 0 {
            return Err(wrong("a table of floats that is not empty is asked for"));
        }
        let given = inputs.len();
        let mut forms = inputs;
        for step in &steps {
            // The form of what can be read: sums of columns are known at the end only.
            let of = |value: usize| match value.checked_sub(given).map(|number| steps.get(number)) {
                Some(Some(Step::SumColumn(_))) => None,
                _ => forms.get(value).copied(),
            };
            let form = match *step {
                Step::Each(_, x) => of(x).filter(|form| matches!(form, Form::Place | Form::Row)),
                Step::Pairs(_, a, b) => of(a).zip(of(b)).and_then(|(a, b)| match (a, b) {
                    (Form::Place, _) | (_, Form::Place) => Some(Form::Place),
                    (Form::Row, Form::Column) | (Form::Column, Form::Row) => Some(Form::Place),
                    (Form::Row, _) | (_, Form::Row) => Some(Form::Row),
                    _ => None,
                }),
                Step::SumRow(x) | Step::MaxRow(x) => {
                    of(x).filter(|form| *form == Form::Place).map(|_| Form::Row)
                }
                Step::SumColumn(x) => of(x).filter(|form| *form == Form::Place).map(|_| Form::Column),
            };
            forms.push(form.ok_or_else(|| wrong("a step reads what it cannot"))?);
        }
        let count = |form: Form| match form {
            Form::Place => rows.saturating_mul(columns),
            Form::Row => rows,
            Form::Column => columns,
            Form::One => 1,
        };
        let mut places: Vec<Option<Place>> =
            (0..forms.len()).map(|k| (k < given).then_some(Place::Input(k))).collect();
        let mut shaped = Vec::new();
        for (at, (value, shape)) in outputs.into_iter().enumerate() {
            let place = places.get_mut(value).filter(|place| place.is_none());
            let place = place.ok_or_else(|| wrong("an output is no result of a step, or is told twice"))?;
            if shape::len("tiles", &shape)? != count(forms[value]) {
                return Err(wrong("an output has not as many elements as its shape"));
            }
            *place = Some(Place::Output(at));
            shaped.push((forms[value], shape));
        }
        // Scratch memory is free again once the last step that reads it is done.
        let mut last = vec![0; forms.len()];
        for (at, step) in steps.iter().enumerate() {
            step.reads().for_each(|value| last[value] = at);
        }
        let (mut free, mut slots, mut row_slots) = (Vec::new(), 0, 0);
        for (at, step) in steps.iter().enumerate() {
            let value = given + at;
            let form = forms[value];
            let next = |count: &mut usize| {
                *count += 1;
                *count - 1
            };
            if places[value].is_none() {
                places[value] = Some(match form {
                    Form::Place => Place::Slot(free.pop().unwrap_or_else(|| next(&mut slots))),
                    _ => Place::RowSlot(next(&mut row_slots)),
                });
            }
            let mut seen = None;
            for read in step.reads().filter(|&read| last[read] == at) {
                if let Some(Place::Slot(slot)) = places[read]
                    && seen != Some(read)
                {
                    free.push(slot);
                }
                seen = Some(read);
            }
        }
        let by_rows = steps.iter().any(|step| matches!(step, Step::SumRow(_) | Step::MaxRow(_)));
        let tile = match by_rows || columns <= TILE {
            true => [(TILE / columns).clamp(1, rows), columns],
            false => [1, TILE],
        };
        let places = places.into_iter().map(|place| place.expect("all have one")).collect();
        Ok(Tiles {
            dtype,
            rows,
            columns,
            steps,
            forms,
            places,
            outputs: shaped,
            inputs: given,
            slots,
            row_slots,
            tile,
        })
    }

    /// The outputs where the inputs are these arrays, whose elements in row-major order are those of rows and columns.
    ///
    /// # Errors
    /// Where the inputs are not as many, or one has another type or not as many elements as its form; where memory is refused.
    pub fn run(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        if inputs.len() != self.inputs {
            return Err(Error::new(format!("tiles: {} inputs in place of {}", inputs.len(), self.inputs)));
        }
        match self.dtype {
            DType::F32 => self.run_as::<f32>(inputs),
            _ => self.run_as::<f64>(inputs),
        }
    }

    fn count(&self, form: Form, [rows, columns]: [usize; 2]) -> usize {
        match form {
            Form::Place => rows * columns,
            Form::Row => rows,
            Form::Column => columns,
            Form::One => 1,
        }
    }

    fn run_as<T: Lines>(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        // What does not lie in row-major order is copied.
        let mut copies: Vec<Array> = Vec::new();
        let mut starts = Vec::with_capacity(inputs.len());
        for (&input, &form) in inputs.iter().zip(&self.forms) {
            let start =
                input.start::<T>().filter(|_| input.len() == self.count(form, [self.rows, self.columns]));
            let Some(start) = start else {
                return Err(Error::new(format!(
                    "tiles: {} {:?} in place of {form:?} of {} by {}",
                    input.dtype(),
                    input.shape(),
                    self.rows,
                    self.columns
                )));
            };
            starts.push(start);
            if !input.is_contiguous() {
                copies.push(input.contiguous()?);
                starts.pop();
                starts.extend(copies.last().and_then(Array::start::<T>));
            }
        }
        let mut buffers = Vec::with_capacity(self.outputs.len());
        for (form, _) in &self.outputs {
            // SAFETY: the steps write every element below, before anybody reads it.
            buffers.push(unsafe { Buffer::<T>::unwritten(self.count(*form, [self.rows, self.columns]))? });
        }
        let [most_rows, most_columns] = self.tile;
        let room = self.slots * most_rows * most_columns + self.row_slots * most_rows;
        let mut scratch: Vec<MaybeUninit<T>> = Vec::with_capacity(room);
        let sums = self.steps.iter().filter(|step| matches!(step, Step::SumColumn(_))).count();
        let mut sums = vec![<T::Sum as Arithmetic>::ZERO; sums * self.columns];
        let pass = Pass {
            tiles: self,
            inputs: starts,
            outputs: buffers.iter_mut().map(Buffer::as_mut_ptr).collect(),
            scratch: scratch.as_mut_ptr().cast(),
        };
        for row in (0..self.rows).step_by(most_rows) {
            for column in (0..self.columns).step_by(most_columns) {
                let size = [most_rows.min(self.rows - row), most_columns.min(self.columns - column)];
                // SAFETY: the pointers are those of arrays as large as the forms say, and of scratch memory for a tile; the tile
                // lies inside of the table.
                unsafe { pass.tile([row, column], size, &mut sums) };
            }
        }
        for (sums, step) in sums.chunks_exact(self.columns).zip(pass.sums()) {
            let Place::Output(output) = self.places[step] else { continue };
            for (at, sum) in sums.iter().enumerate() {
                // SAFETY: the output has an element for each column.
                unsafe { pass.outputs[output].add(at).write(T::from_f64(sum.to_f64())) };
            }
        }
        let arrays = buffers.into_iter().zip(&self.outputs);
        Ok(arrays.map(|(buffer, (_, shape))| Array::from_buffer(shape, buffer)).collect())
    }
}

impl fmt::Display for Tiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tiles { rows, columns, .. } = self;
        let (steps, inputs, outputs) = (self.steps.len(), self.inputs, self.outputs.len());
        write!(f, "{steps} steps over {rows} by {columns}, {inputs} inputs, {outputs} outputs")
    }
}

/// A program on its way over a table.
struct Pass<'a, T> {
    tiles: &'a Tiles,
    inputs: Vec<*const T>,
    outputs: Vec<*mut T>,
    scratch: *mut T,
}

impl<T: Lines> Pass<'_, T> {
    /// The values that are sums of columns.
    fn sums(&self) -> impl Iterator<Item = usize> {
        let steps = self.tiles.steps.iter().enumerate();
        steps.filter(|(_, step)| matches!(step, Step::SumColumn(_))).map(|(at, _)| self.tiles.inputs + at)
    }

    /// Where the elements of a value begin that belong to a tile.
    ///
    /// # Safety
    /// The tile lies inside of the table.
    unsafe fn start(&self, value: usize, [row, column]: [usize; 2]) -> *mut T {
        let tiles = self.tiles;
        let [most_rows, most_columns] = tiles.tile;
        let of_whole = match tiles.forms[value] {
            Form::Place => row * tiles.columns + column,
            Form::Row => row,
            Form::Column => column,
            Form::One => 0,
        };
        // SAFETY: the caller's promise, and there is scratch memory for every slot.
        unsafe {
            match tiles.places[value] {
                Place::Input(at) => self.inputs[at].add(of_whole).cast_mut(),
                Place::Output(at) => self.outputs[at].add(of_whole),
                Place::Slot(slot) => self.scratch.add(slot * most_rows * most_columns),
                Place::RowSlot(slot) => {
                    self.scratch.add(tiles.slots * most_rows * most_columns + slot * most_rows)
                }
            }
        }
    }

    /// Runs all steps on a tile.
    ///
    /// # Safety
    /// Inputs and outputs are as large as their forms say, scratch memory is there for all slots, and the tile lies inside of the table.
    unsafe fn tile(&self, at: [usize; 2], size: [usize; 2], sums: &mut [T::Sum]) {
        let tiles = self.tiles;
        let [rows, columns] = size;
        // SAFETY (all): the caller's promise. What a step reads was given or written by a step before it, and what it writes is read
        // by no step at that time: a slot is given away once nobody reads it any more.
        let read = |value: usize| unsafe {
            let count = tiles.count(tiles.forms[value], size);
            std::slice::from_raw_parts(self.start(value, at).cast_const(), count)
        };
        let mut sums = sums.chunks_exact_mut(tiles.columns);
        for (number, step) in tiles.steps.iter().enumerate() {
            let value = tiles.inputs + number;
            let form = tiles.forms[value];
            if let Step::SumColumn(x) = *step {
                let sums = sums.next().expect("one for each such step");
                let sums = &mut sums[at[1]..][..columns];
                read(x).chunks_exact(columns).for_each(|row| add_lane(sums, row));
                continue;
            }
            let out = unsafe {
                let start = self.start(value, at).cast::<MaybeUninit<T>>();
                std::slice::from_raw_parts_mut(start, tiles.count(form, size))
            };
            let rows_of = |x: usize| read(x).chunks_exact(columns);
            match *step {
                Step::Each(f, x) => T::each(f)(read(x), out),
                Step::Pairs(f, a, b) => {
                    let sides = [a, b].map(|x| (tiles.forms[x], read(x)));
                    pairs(T::pairs(f), form, sides, [rows, columns], out);
                }
                Step::SumRow(x) => out.iter_mut().zip(rows_of(x)).for_each(|(out, row)| {
                    out.write(sum_line(row));
                }),
                Step::MaxRow(x) => out.iter_mut().zip(rows_of(x)).for_each(|(out, row)| {
                    out.write(max_line(row));
                }),
                Step::SumColumn(_) => {}
            }
        }
    }
}

/// A function of pairs, of what two values have for a tile.
fn pairs<T: Element>(
    f: fn(Line<'_, T>, Line<'_, T>, &mut [MaybeUninit<T>]),
    form: Form,
    sides: [(Form, &[T]); 2],
    [rows, columns]: [usize; 2],
    out: &mut [MaybeUninit<T>],
) {
    // All rows at once, where each side has as many elements as there are results, or one.
    let whole = sides.map(|(of, values)| match of {
        _ if of == form => Some(Line::Many(values)),
        Form::One => Some(Line::One(values[0])),
        Form::Row if rows == 1 => Some(Line::One(values[0])),
        Form::Column if rows == 1 => Some(Line::Many(values)),
        _ => None,
    });
    if let [Some(a), Some(b)] = whole {
        return f(a, b, out);
    }
    for (row, out) in out.chunks_exact_mut(columns).enumerate() {
        let [a, b] = sides.map(|(of, values)| match of {
            Form::Place => Line::Many(&values[row * columns..][..columns]),
            Form::Row => Line::One(values[row]),
            Form::Column => Line::Many(values),
            Form::One => Line::One(values[0]),
        });
        f(a, b, out);
    }
}
