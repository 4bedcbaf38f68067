//! What `pullback jacobian` shows: formula, structure, cost, numbers.

use pullback_array::memory::human;
use pullback_array::{Array, DType};
use pullback_check::Probed;
use pullback_network::{Cost, Dim, Kind, Letters, indexed as written_indexed};

use crate::paint::Paint;
use crate::problem::{Document, Problem};
use crate::run::{Named, named_text};

/// How the numbers of a Jacobian are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the tensor `[y…, x…]`.
    Tensor,
    /// As the matrix `[|y|, |x|]`, with both in row-major vec.
    Row,
    /// As the matrix `[|y|, |x|]`, with both in column-major vec.
    Column,
}

impl Form {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Form::Tensor => "tensor",
            Form::Row => "row",
            Form::Column => "col",
        }
    }
}

/// An array that stands in the formula of a Jacobian.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// As the formula writes it.
    pub symbol: String,
    /// Its shape.
    pub dims: Vec<Dim>,
}

/// What is said of the structure of a Jacobian, and what probing it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What is said.
    pub kind: Kind,
    /// What random probes of the program say to it.
    pub probed: Probed,
}

/// A Jacobian on the way from one value to the other: of one operation, or of several that were joined.
#[derive(Clone, Debug)]
pub struct JacobianStep {
    /// What is differentiated.
    pub of: (String, Vec<Dim>),
    /// By what.
    pub by: (String, Vec<Dim>),
    /// In index notation.
    pub formula: String,
    /// What it costs.
    pub cost: Cost,
}

/// What was found of one Jacobian.
#[derive(Clone, Debug)]
pub struct JacobianReport {
    /// The file.
    pub document: Document,
    /// What is differentiated.
    pub of: (String, Vec<Dim>),
    /// With respect to what.
    pub wrt: (String, Vec<Dim>),
    /// The type of the numbers.
    pub dtype: DType,
    /// In index notation: none where it is zero, one where one formula is short enough to be read, else several, whose
    /// products over all paths add up to it.
    pub stages: Vec<JacobianStep>,
    /// What stands in the formulas.
    pub payloads: Vec<Payload>,
    /// What kind of matrix it is.
    pub statements: Vec<Statement>,
    /// As a matrix with both sides in row-major vec, in matrix notation.
    pub matrix: Option<String>,
    /// The same with both sides in column-major vec.
    pub by_columns: Option<String>,
    /// What it costs in the form in which it is applied.
    pub cost: Cost,
    /// Multiply–adds of a vector–Jacobian product in reverse mode, operation by operation.
    pub reverse_mode_flops: f64,
    /// The Jacobians of the single operations, from the output down.
    pub operations: Vec<JacobianStep>,
    /// The numbers, where they were asked for.
    pub dense: Option<(Form, Array)>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// Of a long program no more stages, and no more operations, are shown; the JSON has all.
const MOST_SHOWN: usize = 24;

/// Shapes, formula, structure, cost and, where they were asked for, numbers. Warnings are not in it.
pub fn jacobian_text(report: &JacobianReport, paint: Paint) -> String {
    let name = name(report);
    let mut text = format!("{}  {:?} by {:?}\n\n", paint.heading(&name), report.of.1, report.wrt.1);
    match report.stages.as_slice() {
        [] => text += &format!("  {} = 0\n", indexed(&report.of, &report.wrt)),
        [only] => text += &format!("  {} = {}\n", indexed(&report.of, &report.wrt), only.formula),
        stages => {
            text += &format!(
                "  {name} is the sum, over all paths from {} to {}, of the products of\n\n",
                report.wrt.0, report.of.0
            );
            let lines =
                stages.iter().map(|stage| format!("{} = {}", indexed(&stage.of, &stage.by), stage.formula));
            text += &shown(lines.collect(), "  ");
        }
    }
    if !report.payloads.is_empty() {
        text += "\n";
    }
    let symbols = report.payloads.iter().map(|payload| payload.symbol.chars().count()).max().unwrap_or(0);
    let payloads = report
        .payloads
        .iter()
        .map(|payload| paint.aside(&format!("{:symbols$}  {:?}", payload.symbol, payload.dims)));
    text += &shown(payloads.collect(), "  ");
    text += "\n";
    for (what, amount) in structure(report).into_iter().chain(costs(report)) {
        text += &format!("  {}  {amount}\n", paint.aside(&format!("{what:11}")));
    }
    if report.operations.len() > 1 && report.cost.terms > 0 {
        text += "\n";
        text += &operations(report, paint);
    }
    if let Some((form, array)) = &report.dense {
        let (y, x) = (&report.of.0, &report.wrt.0);
        let convention = match form {
            Form::Tensor => format!("the axes of {y}, then those of {x}"),
            Form::Row => format!("a row an entry of {y}, a column an entry of {x}, both in row-major vec"),
            Form::Column => {
                format!("a row an entry of {y}, a column an entry of {x}, both in column-major vec")
            }
        };
        text += &format!("\n{}\n", paint.aside(&format!("# {convention}")));
        text += &named_text(&Named { name, array: array.clone() });
    }
    text
}

/// Lines, each after `indent`; of many the first ones, and how many there are more.
fn shown(lines: Vec<String>, indent: &str) -> String {
    let count = lines.len();
    let mut text: String =
        lines.into_iter().take(MOST_SHOWN).map(|line| format!("{indent}{line}\n")).collect();
    if count > MOST_SHOWN {
        text += &format!("{indent}… and {} more; --json lists all\n", count - MOST_SHOWN);
    }
    text
}

/// What is said of the structure, each with what it is called in front.
fn structure(report: &JacobianReport) -> Vec<(&'static str, String)> {
    let said = report.statements.iter().filter(|statement| statement.kind != Kind::Zero).enumerate();
    let mut lines: Vec<(&'static str, String)> = said
        .map(|(k, Statement { kind, probed })| {
            let probes = match probed {
                Probed::Confirmed(count) => format!("confirmed by {count} random probes"),
                Probed::Unprobed => "not probed".to_string(),
                Probed::Contradicted => "contradicted by a random probe: this is a defect".to_string(),
            };
            let what = if k == 0 { "structure" } else { "" };
            (what, format!("{}  ({probes})", kind_text(kind, &report.of.1, &report.wrt.1)))
        })
        .collect();
    if let (Some(matrix), true) = (&report.matrix, report.cost.terms > 0) {
        lines.push(("as a matrix", format!("{matrix}  (row-major vec)")));
        if let (Some((Form::Column, _)), Some(matrix)) = (&report.dense, &report.by_columns) {
            lines.push(("", format!("{matrix}  (column-major vec)")));
        }
        let notes = [
            ("commutation(", "commutation(m, n) takes vec(A) of A: [m, n] to vec(Aᵀ)"),
            ("⊕_i", "⊕_i has a block for each i along its diagonal; A_i is row i of A"),
        ];
        lines.extend(
            notes.iter().filter(|(word, _)| matrix.contains(word)).map(|(_, note)| ("", note.to_string())),
        );
    }
    lines
}

/// `block-diagonal, 5 blocks of 2 × 3`.
pub(crate) fn kind_text(kind: &Kind, y: &[Dim], x: &[Dim]) -> String {
    let entries = |dims: &[Dim]| dims.iter().map(|dim| dim.size() as f64).product::<f64>();
    match kind {
        Kind::Zero => "zero".to_string(),
        Kind::Identity => "the identity".to_string(),
        Kind::Permutation => "a permutation".to_string(),
        Kind::Selection => "a selection".to_string(),
        Kind::Diagonal => "diagonal".to_string(),
        Kind::DiagonalPlusLowRank(rank) => format!("diagonal plus rank {rank}"),
        Kind::BlockDiagonal(axes) => {
            let blocks: f64 = axes.iter().map(|&(axis, _)| y[axis].size() as f64).product();
            let (rows, columns) = (entries(y) / blocks, entries(x) / blocks);
            // In row-major order the entries of a block follow one another where its axes come first on both sides.
            let is_first = |dims: &[Dim], own: &mut dyn Iterator<Item = usize>| {
                own.eq((0..dims.len()).filter(|&axis| dims[axis].size() != 1).take(axes.len()))
            };
            let in_order = is_first(y, &mut axes.iter().map(|&(axis, _)| axis))
                && is_first(x, &mut axes.iter().map(|&(_, axis)| axis));
            let sorted = if in_order { "" } else { " once its rows and columns are sorted" };
            let (blocks, rows, columns) = (count(blocks), count(rows), count(columns));
            format!("block-diagonal{sorted}, {blocks} blocks of {rows} × {columns}")
        }
        Kind::Kronecker(groups) => {
            let side = |dims: &[Dim], axes: &[usize]| {
                entries(&axes.iter().map(|&axis| dims[axis]).collect::<Vec<_>>())
            };
            let sizes = groups.iter().map(|(o, i)| format!("{} × {}", count(side(y, o)), count(side(x, i))));
            // In row-major order it is that of these matrices where their axes follow one another on a side.
            let in_order = |dims: &[Dim], axes: &mut dyn Iterator<Item = usize>| {
                axes.filter(|&axis| dims[axis].size() != 1).is_sorted()
            };
            let rows = in_order(y, &mut groups.iter().flat_map(|(o, _)| o.iter().copied()));
            let columns = in_order(x, &mut groups.iter().flat_map(|(_, i)| i.iter().copied()));
            let sorted = match (rows, columns) {
                (true, true) => "",
                (true, false) => " once its columns are sorted",
                (false, true) => " once its rows are sorted",
                (false, false) => " once its rows and columns are sorted",
            };
            format!("a Kronecker product{sorted}, {}", sizes.collect::<Vec<_>>().join(" ⊗ "))
        }
        Kind::LowRank(rank) => format!("rank at most {rank}"),
    }
}

/// The memory that each operation's Jacobian would take, beside what it is made of and what a product with it costs.
fn operations(report: &JacobianReport, paint: Paint) -> String {
    let memory = |entries: f64| human(bytes(entries, report.dtype));
    let row = |step: &JacobianStep| {
        let short = |name: &str| match name.chars().count() > 32 {
            true => format!("{}…", name.chars().take(31).collect::<String>()),
            false => name.to_string(),
        };
        [
            format!("∂{}/∂{}", short(&step.of.0), short(&step.by.0)),
            memory(step.cost.dense_entries),
            memory(step.cost.stored_entries),
            count(step.cost.vjp_flops),
        ]
    };
    let head =
        ["operation by operation", "written out", "structured", "multiply–adds of a vjp"].map(String::from);
    let rows: Vec<[String; 4]> = report.operations.iter().map(row).collect();
    let width =
        |column: usize| rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 4]| {
        format!(
            "{:name$}  {:>dense$}  {:>stored$}  {:>vjp$}",
            row[0],
            row[1],
            row[2],
            row[3],
            name = widths[0],
            dense = widths[1],
            stored = widths[2],
            vjp = widths[3],
        )
    };
    format!("  {}\n", paint.aside(&line(&head))) + &shown(rows.iter().map(line).collect(), "  ")
}

/// `∂v/∂W`.
fn name(report: &JacobianReport) -> String {
    format!("∂{}/∂{}", report.of.0, report.wrt.0)
}

/// `∂v_i/∂W_mn`, with the letters of the formula.
fn indexed(of: &(String, Vec<Dim>), by: &(String, Vec<Dim>)) -> String {
    let letters = Letters::of_axes(of.1.len(), by.1.len());
    let (i, m) = letters.split_at(of.1.len());
    format!("∂{}/∂{}", written_indexed(&of.0, i), written_indexed(&by.0, m))
}

fn costs(report: &JacobianReport) -> Vec<(&'static str, String)> {
    let cost = &report.cost;
    if cost.terms == 0 {
        return vec![(
            "zero",
            format!("{} does not depend on {}, or only in steps", report.of.0, report.wrt.0),
        )];
    }
    let memory = |entries: f64| {
        format!("{} {}, {}", count(entries), plural("number", entries), human(bytes(entries, report.dtype)))
    };
    let terms = cost.terms as f64;
    let mut built = match cost.build_flops {
        0.0 => String::new(),
        flops => format!(", after {} once", count(flops)),
    };
    if cost.vjp_flops != report.reverse_mode_flops {
        built += &format!("; {} in reverse mode", count(report.reverse_mode_flops));
    }
    vec![
        (
            "structured",
            format!(
                "{}, {}",
                format_args!("{} {}", count(terms), plural("term", terms)),
                memory(cost.stored_entries)
            ),
        ),
        ("written out", memory(cost.dense_entries)),
        ("vjp", format!("{}{built}", products(cost.vjp_flops))),
        ("jvp", products(cost.jvp_flops)),
    ]
}

/// `1 multiply–add`, `30 multiply–adds`.
fn products(flops: f64) -> String {
    format!("{} {}", count(flops), plural("multiply–add", flops))
}

fn bytes(entries: f64, dtype: DType) -> usize {
    // A float that is too large becomes the largest integer.
    (entries * dtype.size_of() as f64) as usize
}

fn plural(noun: &str, count: f64) -> String {
    if count == 1.0 { noun.to_string() } else { format!("{noun}s") }
}

/// A whole number with its digits in threes: `68 719 476 736`.
fn count(number: f64) -> String {
    if !number.is_finite() || number >= 1e18 {
        return format!("{number:.3e}");
    }
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}
