//! Which kernels become one pass over a table of rows and columns.
//!
//! Kernels are taken one after another. One joins the table of one of its operands, or the newest of its own shape, where all that it
//! reads is at hand there: computed in the same pass, or before it. Whatever comes before a pass has a lower *stage*: inputs have 0,
//! an operation comes one stage after what it reads, and a kernel that joins a table takes on its stage. So units never wait for each other
//! in a circle.
//!
//! The axes of a table are those of its values that are not of size 1. Where the rows end is told by the first kernel that needs to know:
//! a reduction of the last axes, or of the first ones; an operand that has only one or the other. A value of a table has all axes, or those of
//! the rows; an operand from outside may have those of the columns, or none. Views that permute, add or drop axes are read through. What
//! fits nowhere (a middle axis alone) is run by arrays.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pullback_array::DType;
use pullback_array::tiles::{Form, Step, Tiles};
use pullback_ops::Result;
use pullback_ops::kernel::{Kernel, Node};

/// The longest row that is summed in a pass: a table holds whole rows of all that lives at a time, and they are to stay in the cache.
const MOST_COLUMNS: usize = 1 << 14;

/// What is run in one go.
pub(super) struct Piece {
    pub run: Run,
    pub reads: Vec<usize>,
    pub writes: Vec<usize>,
}

pub(super) enum Run {
    /// By its number.
    Operation(usize),
    /// Of this value.
    Kernel(usize),
    /// With the axes of each input, in the order of the table, and their sizes, where they are in another.
    Tiles(Tiles, Vec<Option<Order>>),
}

/// Axes in another order, and their sizes: [`Array::rearranged`](pullback_array::Array::rearranged).
pub(super) type Order = (Vec<Option<usize>>, Vec<usize>);

/// Kernels on their way to pieces.
pub(super) struct Tables<'a> {
    nodes: &'a [Node],
    tables: Vec<Table>,
    /// The newest of each shape.
    newest: HashMap<(DType, Vec<usize>), usize>,
    pieces: Vec<Piece>,
    /// The table in which a value is computed.
    table_of: HashMap<usize, usize>,
    stages: Vec<usize>,
    /// What has to be there as an array.
    written: BTreeSet<usize>,
    /// Views that somebody needs as arrays.
    needed: &'a [bool],
}

/// A pass that is being put together.
struct Table {
    dtype: DType,
    /// The axes: none is of size 1.
    sizes: Vec<usize>,
    /// How many of them are those of rows, once somebody knows.
    rows: Option<usize>,
    stage: usize,
    members: Vec<usize>,
    /// Of each member, the table's axis of each of its axes.
    axes: BTreeMap<usize, Vec<Option<usize>>>,
}

/// What a kernel that can join says about the table.
struct Joined {
    rows: Option<usize>,
    axes: Vec<Option<usize>>,
}

/// An operand through all views: what is read, and of each axis the one there that it is.
struct Seen<'a> {
    value: usize,
    axes: Vec<Option<usize>>,
    shape: &'a [usize],
}

impl<'a> Tables<'a> {
    pub fn new(nodes: &'a [Node], needed: &'a [bool], outputs: &[usize]) -> Tables<'a> {
        Tables {
            nodes,
            tables: Vec::new(),
            newest: HashMap::new(),
            pieces: Vec::new(),
            table_of: HashMap::new(),
            stages: vec![0; nodes.len()],
            written: outputs.iter().copied().collect(),
            needed,
        }
    }

    /// An operation comes next, which is none of kernels.
    pub fn operation(&mut self, number: usize, reads: &[usize], writes: &[usize]) {
        let stage = self.stage_after(reads);
        writes.iter().for_each(|&value| self.stages[value] = stage);
        self.written.extend(reads);
        self.pieces.push(Piece {
            run: Run::Operation(number),
            reads: reads.to_vec(),
            writes: writes.to_vec(),
        });
    }

    /// A kernel comes next.
    pub fn kernel(&mut self, value: usize) {
        let node = &self.nodes[value];
        if let Kernel::View(_) = node.kernel {
            // Whoever reads it reads through it.
            self.stages[value] = self.stages[node.operands[0]];
            return;
        }
        let operands =
            node.operands.iter().filter_map(|&operand| self.table_of.get(&self.seen(operand).value));
        let mut candidates: Vec<usize> = operands.copied().collect();
        candidates.sort_unstable_by_key(|&at| std::cmp::Reverse(at));
        let sizes = self.table_sizes(value);
        candidates.extend(sizes.as_ref().and_then(|sizes| self.newest.get(&(node.dtype, sizes.clone()))));
        for at in candidates {
            if let Some(joined) = self.joins(&self.tables[at], value) {
                return self.join(at, value, joined);
            }
        }
        let stage = self.stage_after(&node.operands);
        let fresh = sizes.map(|sizes| Table {
            dtype: node.dtype,
            sizes,
            rows: None,
            stage,
            members: Vec::new(),
            axes: BTreeMap::new(),
        });
        if let Some((table, joined)) = fresh.and_then(|table| {
            let joined = self.joins(&table, value)?;
            Some((table, joined))
        }) {
            let at = self.tables.len();
            self.newest.insert((table.dtype, table.sizes.clone()), at);
            self.tables.push(table);
            return self.join(at, value, joined);
        }
        self.by_arrays(value);
    }

    fn by_arrays(&mut self, value: usize) {
        let reads = self.nodes[value].operands.clone();
        self.stages[value] = self.stage_after(&reads);
        self.written.extend(&reads);
        self.pieces.push(Piece { run: Run::Kernel(value), reads, writes: vec![value] });
    }

    fn stage_after(&self, reads: &[usize]) -> usize {
        reads.iter().map(|&value| self.stages[value]).max().map_or(1, |stage| stage + 1)
    }

    /// The axes of a table that a kernel could begin.
    fn table_sizes(&self, value: usize) -> Option<Vec<usize>> {
        let node = &self.nodes[value];
        let shape = match node.kernel {
            Kernel::Each(_) | Kernel::Pairs(_) => &node.shape,
            Kernel::Sum(_) | Kernel::Max(_) => &self.nodes[node.operands[0]].shape,
            _ => return None,
        };
        (node.dtype.is_float() && !shape.contains(&0)).then(|| not_one(shape))
    }

    fn seen(&self, operand: usize) -> Seen<'a> {
        let node = &self.nodes[operand];
        match &node.kernel {
            // A view of a view is one view.
            Kernel::View(axes) => Seen { value: node.operands[0], axes: axes.clone(), shape: &node.shape },
            _ => Seen { value: operand, axes: (0..node.shape.len()).map(Some).collect(), shape: &node.shape },
        }
    }

    fn join(&mut self, at: usize, value: usize, joined: Joined) {
        let table = &mut self.tables[at];
        table.rows = table.rows.or(joined.rows);
        table.members.push(value);
        table.axes.insert(value, joined.axes);
        self.stages[value] = table.stage;
        self.table_of.insert(value, at);
        for &operand in &self.nodes[value].operands {
            let read = self.seen(operand).value;
            if self.table_of.get(&read) != Some(&at) {
                self.written.insert(read);
            }
        }
    }

    /// Whether a kernel can be one of a table.
    fn joins(&self, table: &Table, value: usize) -> Option<Joined> {
        let node = &self.nodes[value];
        if node.dtype != table.dtype || node.shape.contains(&0) {
            return None;
        }
        match &node.kernel {
            Kernel::Each(_) | Kernel::Pairs(_) => self.joins_by_elements(table, node),
            Kernel::Sum(axes) => self.joins_by_rows(table, node, axes, true),
            Kernel::Max(axes) => self.joins_by_rows(table, node, axes, false),
            _ => None,
        }
    }

    /// The form in which a table reads an operand at these axes of its own, and where its rows end then.
    fn form(
        &self,
        table: &Table,
        seen: &Seen<'_>,
        axes: &[Option<usize>],
        rows: Option<usize>,
    ) -> Option<(Form, Option<usize>)> {
        let of = &self.nodes[seen.value].shape;
        // The table's axis of each axis of what is read.
        let mut places: Vec<Option<usize>> = vec![None; of.len()];
        for (own, place) in seen.axes.iter().zip(axes) {
            if let Some(own) = own.filter(|&own| of[own] != 1) {
                places[own] = Some((*place)?);
            }
        }
        if let Some(member) = table.axes.get(&seen.value) {
            if *member != places || is_of_columns(member) {
                return None;
            }
        } else if self.stages[seen.value] >= table.stage {
            return None;
        }
        let mut present: Vec<usize> = places.iter().flatten().copied().collect();
        present.sort_unstable();
        let (first, count, all) = (present.first().copied(), present.len(), table.sizes.len());
        match first {
            _ if count == all => Some((Form::Place, rows)),
            None if rows == Some(0) => Some((Form::Row, rows)),
            None => Some((Form::One, rows)),
            Some(first) => {
                let is_run = present.iter().enumerate().all(|(k, &axis)| axis == first + k);
                match (first == 0, first + count == all) {
                    (true, false) if is_run && rows.is_none_or(|rows| rows == count) => {
                        Some((Form::Row, Some(count)))
                    }
                    (false, true) if is_run && rows.is_none_or(|rows| rows == first) => {
                        Some((Form::Column, Some(first)))
                    }
                    _ => None,
                }
            }
        }
    }

    fn joins_by_elements(&self, table: &Table, node: &Node) -> Option<Joined> {
        let sizes = not_one(&node.shape);
        let mut form = Form::Place;
        if sizes != table.sizes {
            // An element for each row: where rows end is known, and one of the operands is such a value.
            let rows = table.rows.filter(|&rows| sizes == table.sizes[..rows])?;
            let of_rows = |&operand: &usize| {
                let axes = table.axes.get(&self.seen(operand).value);
                axes.is_some_and(|axes| axes.iter().flatten().count() == rows)
            };
            node.operands.iter().find(|operand| of_rows(operand))?;
            form = Form::Row;
        }
        let axes = numbered(&node.shape);
        let mut rows = table.rows;
        let mut forms = Vec::new();
        for &operand in &node.operands {
            let seen = self.seen(operand);
            let own = &axes[axes.len() - seen.shape.len()..];
            // Along an axis of size 1 it is repeated.
            let own: Vec<Option<usize>> =
                own.iter().zip(seen.shape).map(|(axis, &size)| axis.filter(|_| size != 1)).collect();
            let (of, known) = self.form(table, &seen, &own, rows)?;
            rows = known;
            forms.push(of);
        }
        let has = |form: Form| forms.contains(&form);
        let made = if has(Form::Place) || has(Form::Row) && has(Form::Column) {
            Form::Place
        } else {
            *forms.iter().find(|form| **form == Form::Row)?
        };
        // A row of a table without any is the whole.
        (made == form).then_some(Joined { rows, axes })
    }

    fn joins_by_rows(&self, table: &Table, node: &Node, over: &[usize], is_sum: bool) -> Option<Joined> {
        let seen = self.seen(node.operands[0]);
        if not_one(seen.shape) != table.sizes {
            return None;
        }
        let axes = numbered(seen.shape);
        let mut goes: Vec<usize> = over.iter().filter_map(|&axis| axes[axis]).collect();
        goes.sort_unstable();
        let (all, first) = (table.sizes.len(), *goes.first()?);
        let is_run = goes.iter().enumerate().all(|(k, &axis)| axis == first + k);
        let rows = match (first + goes.len() == all, first == 0) {
            (true, _) => first,
            (false, true) if is_sum => goes.len(),
            _ => return None,
        };
        let columns: usize = table.sizes[rows..].iter().product();
        let is_long = first + goes.len() == all && columns > MOST_COLUMNS;
        if !is_run || is_long || table.rows.is_some_and(|known| known != rows) {
            return None;
        }
        let (form, rows) = self.form(table, &seen, &axes, Some(rows))?;
        let axes = axes.into_iter().map(|axis| axis.filter(|axis| !goes.contains(axis))).collect();
        (form == Form::Place).then_some(Joined { rows, axes })
    }

    /// All pieces; values that are written and read again are told.
    ///
    /// # Errors
    /// Where a table is none that can be run.
    pub fn finish(mut self) -> Result<Vec<Piece>> {
        for (value, node) in self.nodes.iter().enumerate() {
            if matches!(node.kernel, Kernel::View(_)) && self.needed[value] && self.written.contains(&value) {
                let reads = node.operands.clone();
                self.written.insert(reads[0]);
                self.pieces.push(Piece { run: Run::Kernel(value), reads, writes: vec![value] });
            }
        }
        for table in &self.tables {
            let piece = self.piece(table)?;
            self.pieces.push(piece);
        }
        Ok(self.pieces)
    }

    fn piece(&self, table: &Table) -> Result<Piece> {
        let number_of: HashMap<usize, usize> =
            table.members.iter().enumerate().map(|(at, &member)| (member, at)).collect();
        let mut inputs =
            Inputs { rows: table.rows.unwrap_or(0), axes: table.sizes.len(), ..Inputs::default() };
        let mut operands: Vec<Vec<Operand>> = Vec::new();
        for &member in &table.members {
            let node = &self.nodes[member];
            let whole = match node.kernel {
                Kernel::Each(_) | Kernel::Pairs(_) => &node.shape,
                _ => &self.nodes[node.operands[0]].shape,
            };
            let axes = numbered(whole);
            let operand = |&operand: &usize| {
                let seen = self.seen(operand);
                match number_of.get(&seen.value) {
                    Some(&number) => Operand::Member(number),
                    None => {
                        let at = &axes[axes.len() - seen.shape.len()..];
                        Operand::Input(inputs.number(&seen, at, &self.nodes[seen.value].shape))
                    }
                }
            };
            operands.push(node.operands.iter().map(operand).collect());
        }
        let Inputs { reads, forms, orders, rows, .. } = inputs;
        let steps = table.members.iter().zip(&operands).map(|(member, operands)| {
            let of = |k: usize| match operands[k] {
                Operand::Input(number) => number,
                Operand::Member(number) => reads.len() + number,
            };
            match &self.nodes[*member].kernel {
                Kernel::Each(f) => Step::Each(f.0, of(0)),
                Kernel::Pairs(f) => Step::Pairs(f.0, of(0), of(1)),
                Kernel::Max(_) => Step::MaxRow(of(0)),
                _ if is_of_columns(&table.axes[member]) => Step::SumColumn(of(0)),
                _ => Step::SumRow(of(0)),
            }
        });
        let written = table.members.iter().enumerate().filter(|(_, member)| self.written.contains(member));
        let (outputs, writes) = written
            .map(|(at, &member)| ((reads.len() + at, self.nodes[member].shape.clone()), member))
            .unzip();
        let size = [&table.sizes[..rows], &table.sizes[rows..]].map(|sizes| sizes.iter().product());
        let tiles = Tiles::new(table.dtype, size, forms, steps.collect(), outputs)?;
        Ok(Piece { run: Run::Tiles(tiles, orders), reads, writes })
    }
}

/// Where a step of a pass reads.
enum Operand {
    Member(usize),
    Input(usize),
}

/// What a pass reads from outside: a value that is read at other axes of the table is another input.
#[derive(Default)]
struct Inputs {
    rows: usize,
    /// Of the table.
    axes: usize,
    known: HashMap<(usize, Vec<(usize, usize)>), usize>,
    reads: Vec<usize>,
    forms: Vec<Form>,
    orders: Vec<Option<Order>>,
}

impl Inputs {
    /// The number of the input that is a value of this shape, seen at these axes of the table.
    fn number(&mut self, seen: &Seen<'_>, at: &[Option<usize>], shape: &[usize]) -> usize {
        // The table's axes that it has, and which of its own they are.
        let axes = at.iter().zip(&seen.axes).zip(seen.shape).filter(|(_, size)| **size != 1);
        let mut present: Vec<(usize, usize)> = axes.filter_map(|((at, own), _)| at.zip(*own)).collect();
        present.sort_unstable();
        let next = self.reads.len();
        let number = *self.known.entry((seen.value, present.clone())).or_insert(next);
        if number == next {
            self.reads.push(seen.value);
            self.forms.push(match present.first() {
                _ if present.len() == self.axes => Form::Place,
                None if self.rows == 0 => Form::Row,
                None => Form::One,
                Some((0, _)) => Form::Row,
                Some(_) => Form::Column,
            });
            let is_in_order = present.is_sorted_by_key(|(_, own)| *own);
            let order = present.iter().map(|&(_, own)| (Some(own), shape[own]));
            self.orders.push((!is_in_order).then(|| order.unzip()));
        }
        number
    }
}

/// Is a value of a table with these axes a sum of columns? All others have the first of its axes, or none.
fn is_of_columns(axes: &[Option<usize>]) -> bool {
    axes.iter().flatten().next().is_some_and(|&first| first != 0)
}

/// For each axis that is not of size 1 its number among them.
fn numbered(shape: &[usize]) -> Vec<Option<usize>> {
    let mut next = 0..;
    shape.iter().map(|&size| if size == 1 { None } else { next.next() }).collect()
}

/// The sizes that are not 1.
fn not_one(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&size| size != 1).collect()
}
