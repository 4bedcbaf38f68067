//! Printing as PyTorch prints a tensor.
//!
//! The rules are those of PyTorch's `torch/_tensor_str.py` with its default options: four digits, all elements of
//! one width; scientific where the largest is over 1000 times the smallest, over 10⁸ or the smallest under 10⁻⁴;
//! `1.` where all are whole; lines of 80 columns; and past 1000 elements only the first and last three of each
//! axis. Unlike PyTorch, nothing is said of the dtype of an array that is not empty.

use crate::dtype::with_type;
use crate::{Array, DType};
use std::fmt;

/// Digits behind the point.
const PRECISION: usize = 4;
/// Above this many elements only the edges are shown.
const THRESHOLD: usize = 1000;
/// How many elements an edge has.
const EDGE: usize = 3;
/// Columns of a line.
const LINE: usize = 80;
/// What PyTorch writes before the elements.
const PREFIX: &str = "tensor(";

impl fmt::Display for Array {
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2, 2], &[1.0, -0.5, 1e-3, 2.0])?;
    /// assert_eq!(a.to_string(), "tensor([[ 1.0000e+00, -5.0000e-01],\n        [ 1.0000e-03,  2.0000e+00]])");
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{})", self.format(PREFIX))
    }
}

impl Array {
    /// The elements in brackets, to be written behind `prefix`, which is not repeated: its width is where
    /// continuation lines begin. Lines are broken where PyTorch breaks them behind its own `tensor(`, so that what
    /// is printed under a name can be laid beside what PyTorch prints.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::arange(4)?.reshape(&[2, 2])?;
    /// assert_eq!(a.format("W = "), "[[0, 1],\n     [2, 3]]");
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn format(&self, prefix: &str) -> String {
        let indent = prefix.chars().count();
        if self.is_empty() {
            return self.format_empty(indent);
        }
        self.page(&|cell| cell, indent)
    }

    /// The elements, each as `shown` says.
    fn page(&self, shown: &dyn Fn(Cell) -> Cell, indent: usize) -> String {
        let summarize = self.len() > THRESHOLD;
        let mut cells = Vec::new();
        self.visit(0, 0, summarize, &mut |cell| cells.push(shown(cell)));
        let page = Page { array: self, shown, summarize, style: Style::of(&cells) };
        page.block(0, 0, indent)
    }

    /// The array as PyTorch prints a tensor, with what it says behind the elements, `grad_fn=<MulBackward0>`: each on a line of its own
    /// where the one before has no room for it.
    ///
    /// ```
    /// use pullback_array::Array;
    /// let a = Array::from_slice(&[2], &[1.0, 2.0])?;
    /// assert_eq!(a.print(&["requires_grad=True"]), "tensor([1., 2.], requires_grad=True)");
    /// # Ok::<(), pullback_array::Error>(())
    /// ```
    pub fn print(&self, suffixes: &[&str]) -> String {
        behind(format!("{PREFIX}{}", self.format(PREFIX)), suffixes)
    }

    /// [`Array::print`] of integers that are truths: `tensor([ True, False])`.
    pub fn print_truths(&self, suffixes: &[&str]) -> String {
        if self.is_empty() {
            let text = self.print(suffixes);
            return text.replace("dtype=torch.int64", "dtype=torch.bool");
        }
        let truth = |cell| match cell {
            Cell::Integer(value) => Cell::Truth(value != 0),
            Cell::Float(value) => Cell::Truth(value != 0.0),
            Cell::Truth(value) => Cell::Truth(value),
        };
        behind(format!("{PREFIX}{}", self.page(&truth, PREFIX.len())), suffixes)
    }

    fn format_empty(&self, indent: usize) -> String {
        let mut suffixes = Vec::new();
        if self.ndim() != 1 {
            let sizes: Vec<String> = self.shape().iter().map(usize::to_string).collect();
            suffixes.push(format!("size=({})", sizes.join(", ")));
        }
        if self.dtype() == DType::I64 {
            // Nothing else would tell that these are integers.
            suffixes.push("dtype=torch.int64".to_string());
        }
        let mut text = "[]".to_string();
        // PyTorch counts two columns more than the first line has.
        let mut width = PREFIX.len() + text.len() + 2;
        for suffix in suffixes {
            if width + suffix.len() + 2 > LINE {
                text += &format!(",\n{}{suffix}", " ".repeat(indent));
                width = PREFIX.len() + suffix.len();
            } else {
                text += &format!(", {suffix}");
                width += suffix.len() + 2;
            }
        }
        text
    }

    /// Calls `visit` with each element shown of the part of the array that starts at `offset` and has the axes
    /// from `axis` on.
    fn visit(&self, axis: usize, offset: isize, summarize: bool, visit: &mut impl FnMut(Cell)) {
        if axis == self.ndim() {
            return visit(self.cell(offset));
        }
        for index in shown(self.shape()[axis], summarize) {
            self.visit(axis + 1, offset + index as isize * self.strides()[axis], summarize, visit);
        }
    }

    fn cell(&self, offset: isize) -> Cell {
        with_type!(self.dtype(), T => {
            let start = self.start::<T>().expect("the dtype was matched");
            // SAFETY: the offset is that of an index inside of the shape.
            Cell::from(unsafe { *start.offset(offset) })
        })
    }
}

/// What stands behind the elements: each on a line of its own where the one before has no room for it.
fn behind(mut text: String, suffixes: &[&str]) -> String {
    // PyTorch counts two columns more than the last line has.
    let mut width = text.rsplit('\n').next().unwrap_or_default().chars().count() + 2;
    for suffix in suffixes {
        if width + suffix.len() + 2 > LINE {
            text += &format!(",\n{}{suffix}", " ".repeat(PREFIX.len()));
            width = PREFIX.len() + suffix.len();
        } else {
            text += &format!(", {suffix}");
            width += suffix.len() + 2;
        }
    }
    text + ")"
}

/// The indices shown of an axis.
fn shown(size: usize, summarize: bool) -> impl Iterator<Item = usize> {
    let cut = summarize && size > 2 * EDGE;
    let (head, tail) = if cut { (EDGE, size - EDGE) } else { (size, size) };
    (0..head).chain(tail..size)
}

#[derive(Clone, Copy)]
enum Cell {
    Float(f64),
    Integer(i64),
    Truth(bool),
}

impl From<f32> for Cell {
    fn from(value: f32) -> Cell {
        Cell::Float(value.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Cell {
        Cell::Float(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Integer(value)
    }
}

/// How the elements of one array are written.
struct Style {
    notation: Notation,
    width: usize,
}

#[derive(Clone, Copy)]
enum Notation {
    /// `-1.5000`
    Fixed,
    /// `-1.5000e+00`
    Scientific,
    /// `-1.`
    Whole,
}

impl Style {
    fn of(cells: &[Cell]) -> Style {
        // Zeros, infinities and NaN have no say: they fill what width the others need.
        let counts = |cell: &Cell| !matches!(cell, Cell::Float(v) if !v.is_finite() || *v == 0.0);
        let voices: Vec<Cell> = cells.iter().copied().filter(counts).collect();
        let sizes =
            voices.iter().filter_map(|cell| if let Cell::Float(v) = cell { Some(v.abs()) } else { None });
        let largest = sizes.clone().fold(f64::NEG_INFINITY, f64::max);
        let smallest = sizes.clone().fold(f64::INFINITY, f64::min);
        let notation = if largest / smallest > 1000.0 || largest > 1e8 || smallest < 1e-4 {
            Notation::Scientific
        } else if sizes.clone().all(|v| v == v.ceil()) {
            Notation::Whole
        } else {
            Notation::Fixed
        };
        let width = voices.iter().map(|&cell| text(cell, notation).len()).max();
        Style { notation, width: width.unwrap_or(1) }
    }

    fn write(&self, cell: Cell) -> String {
        format!("{:>width$}", text(cell, self.notation), width = self.width)
    }
}

fn text(cell: Cell, notation: Notation) -> String {
    match (cell, notation) {
        (Cell::Integer(value), _) => value.to_string(),
        (Cell::Truth(value), _) => if value { "True" } else { "False" }.to_string(),
        (Cell::Float(value), _) if value.is_nan() => "nan".to_string(),
        (Cell::Float(value), _) if value.is_infinite() => {
            if value > 0.0 { "inf" } else { "-inf" }.to_string()
        }
        (Cell::Float(value), Notation::Whole) => format!("{value:.0}."),
        (Cell::Float(value), Notation::Fixed) => format!("{value:.PRECISION$}"),
        (Cell::Float(value), Notation::Scientific) => {
            let text = format!("{value:.PRECISION$e}");
            let (digits, exponent) = text.split_once('e').expect("`e` formats with an exponent");
            let (sign, exponent) =
                exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

/// One array being written.
struct Page<'a> {
    array: &'a Array,
    /// How an element is taken.
    shown: &'a dyn Fn(Cell) -> Cell,
    summarize: bool,
    style: Style,
}

impl Page<'_> {
    /// The part that starts at `offset` and has the axes from `axis` on, from column `indent` on.
    fn block(&self, axis: usize, offset: isize, indent: usize) -> String {
        let below = self.array.ndim() - axis;
        if below == 0 {
            return self.style.write((self.shown)(self.array.cell(offset)));
        }
        if below == 1 {
            return self.line(axis, offset, indent);
        }
        let separator = format!(",{}{}", "\n".repeat(below - 1), " ".repeat(indent + 1));
        let parts = self.parts(axis, offset, "...", |offset| self.block(axis + 1, offset, indent + 1));
        format!("[{}]", parts.join(&separator))
    }

    /// The last axis: as many elements to a line as fit.
    fn line(&self, axis: usize, offset: isize, indent: usize) -> String {
        // A bracket is open for each axis before.
        let columns = LINE.saturating_sub(PREFIX.len() + axis);
        let per_line = (columns / (self.style.width + 2)).max(1);
        let cells = self
            .parts(axis, offset, " ...", |offset| self.style.write((self.shown)(self.array.cell(offset))));
        let lines: Vec<String> = cells.chunks(per_line).map(|line| line.join(", ")).collect();
        format!("[{}]", lines.join(&format!(",\n{}", " ".repeat(indent + 1))))
    }

    /// The parts shown of an axis, with `ellipsis` for those that are left out.
    fn parts(
        &self,
        axis: usize,
        offset: isize,
        ellipsis: &str,
        part: impl Fn(isize) -> String,
    ) -> Vec<String> {
        let (size, stride) = (self.array.shape()[axis], self.array.strides()[axis]);
        let at = |index: usize| part(offset + index as isize * stride);
        let mut parts: Vec<String> = shown(size, self.summarize).map(at).collect();
        if parts.len() < size {
            parts.insert(EDGE, ellipsis.to_string());
        }
        parts
    }
}
