//! The same file on other data: what fits by coincidence does not fit there.
//!
//! Numbers that are drawn are drawn from other seeds, numbers that are written down or loaded are moved, and sizes are
//! changed where the file allows it: a factor of 2 and a size of 2 part company, and so do a transpose and a square matrix
//! that happens to be symmetric.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::Path;

use pullback_array::random::Generator;
use pullback_array::{Array, DType};
use pullback_check::Truth;
use pullback_lang::program::{Claim, Claimed, Inputs, Program, Value, elaborate_at, elaborate_with};
use pullback_lang::{DimSpec, Expr, ExprKind, File, Input, Shape, Source, Span, Statement, StatementKind};
use pullback_network::Value as _;
use pullback_ops::Val;

use crate::claimed::subject;
use crate::degenerate::same;
use crate::tree::graph_of;

/// A derivative with more entries is not held against candidates.
const MOST_ENTRIES: usize = 1 << 16;

/// Inputs with more numbers than this are not drawn anew at their full sizes.
const MOST_DRAWN: usize = 1 << 20;

/// Inputs with more numbers than this are not drawn so often; what they count hardly ever agrees by chance.
const MOST_REDRAWN: usize = 1 << 14;

/// The sizes that take the place of the file's, for one dim after another; the next set of data begins with the next one, for a
/// quotient of sizes is like another one at one set of sizes.
const SIZES: [usize; 8] = [3, 5, 7, 4, 6, 8, 9, 10];

/// A program on some data.
pub(crate) struct Probe {
    pub program: Program,
    /// Are all named sizes, or all sizes, other than the file's?
    pub resized: bool,
    /// Are sizes others that have no name?
    pub literal: bool,
    truths: Vec<OnceCell<Option<Truth>>>,
}

impl Probe {
    pub(crate) fn new(program: Program, resized: bool) -> Probe {
        let truths = program.claims.iter().map(|_| OnceCell::new()).collect();
        Probe { program, resized, literal: false, truths }
    }

    /// Is its claim of this number the same one, an expression as that is, or numbers from elsewhere as that is?
    pub(crate) fn claims_as(&self, claim: &Claim, number: usize) -> bool {
        let here = self.program.claims.get(number);
        here.is_some_and(|here| here.key == claim.key && here.expr.is_some() == claim.expr.is_some())
    }

    /// The derivative that a claim is about, where it is finite and not too large.
    pub(crate) fn truth(&self, claim: usize) -> Option<&Truth> {
        let found = self.truths.get(claim)?.get_or_init(|| {
            let about = self.program.claims.get(claim)?;
            let truth = Truth::of(&subject(about), MOST_ENTRIES).ok()??;
            truth.tensor().all_finite().then_some(truth)
        });
        found.as_ref()
    }
}

/// What is changed about the sizes of a file.
#[derive(Clone, Debug, PartialEq)]
enum Sizes {
    Kept,
    /// Dims by name.
    Named(Vec<(String, usize)>),
    /// Every axis of a size gets the same other size, with and without a name.
    Equal(Vec<(usize, usize)>),
}

impl Sizes {
    fn of(&self, name: Option<&str>, size: usize) -> usize {
        match self {
            Sizes::Kept => size,
            Sizes::Named(dims) => {
                dims.iter().find(|(known, _)| name == Some(known)).map_or(size, |(_, other)| *other)
            }
            Sizes::Equal(sizes) => {
                sizes.iter().find(|(known, _)| *known == size).map_or(size, |(_, other)| *other)
            }
        }
    }
}

/// Which of the numbers that a file states are moved.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    All,
    /// All but whole numbers by themselves: those are sizes, axes or exponents more often than data.
    Arrays,
    /// The same, but that flags, labels and shares are others of their kind: code that is given a mask may count on one.
    OfKind,
    /// The same, and whole numbers by themselves too.
    AllOfKind,
    /// Nor whole numbers in arrays, which may be indices.
    Fractions,
    /// What may be any number: no whole number by itself, no flags or labels of ±1, and no shares that add up to 1.
    Data,
    /// The same, but for arrays whose entries are all alike, such as weights of ones: what these hide is told of them.
    Distinct,
    /// The same, to numbers of any sign.
    Signs,
    /// What may be any number, to near any of the array's numbers, not only to near the one at its place.
    Redrawn,
    /// Flags, labels and shares are others of their kind, and so are whole numbers in arrays; all else is moved.
    Relabelled,
}

/// The seeds of the data of other sizes.
const RESIZED: [u64; 3] = [1, 5, 6];

/// The seeds of data of other signs.
const SIGNED: [u64; 4] = [15, 16, 17, 18];

/// The seeds of the data on which a fix is tried before it is told: a count of three agrees by chance on a few.
const REDRAWN: [u64; 8] = [7, 8, 9, 10, 11, 12, 13, 14];

/// The seeds of other flags and labels.
const RELABELLED: [u64; 4] = [19, 20, 21, 22];

/// The file on other data, the strongest probe first: with other sizes, where that is possible, then with the same.
/// `elsewhere` adds the claims that are no expressions of the file.
pub(crate) fn fresh(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    elsewhere: &dyn Fn(&mut Program),
) -> Vec<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere };
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    // One set of data may be dead for a claim: what is switched off by a relu, say, has no gradient. And where signs and counts
    // are all that differs, one set tells little.
    let resized = RESIZED.iter().enumerate().filter_map(|(turn, &seed)| maker.resized(seed, turn));
    let mut probes: Vec<Probe> = resized.collect();
    if numbers <= MOST_DRAWN {
        let kept = |seed, moved| maker.program(&Sizes::Kept, seed, moved);
        let arrays = kept(2, maker.arrays()).or_else(|| kept(2, Moved::Fractions));
        // Only whole scalars tell the two apart, where there are any.
        let scalars = inputs.iter().any(|(_, array)| array.ndim() == 0);
        let all = if scalars {
            kept(3, if maker.has_code() { Moved::AllOfKind } else { Moved::All })
        } else {
            None
        };
        probes.extend([arrays, all].into_iter().flatten().map(|program| Probe::new(program, false)));
    }
    probes
}

/// The program of a file on other data: with other sizes of those that have names and are not 1, where the file allows that, and drawn
/// anew, each input from what it is said to be drawn from.
pub fn on_other_data(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Vec<Program> {
    // An axis of size 1 is one that broadcasts: what is written of it need not be true of a longer one.
    let keeps_ones = |probe: &Probe| {
        exact.values.iter().all(|value| {
            let other = probe.program.find(&value.name);
            other.is_none_or(|other| {
                let pairs = value.val.dims().iter().zip(other.val.dims());
                pairs.into_iter().all(|(is, other)| is.size() != 1 || other.size() == 1)
            })
        })
    };
    let probes = fresh(file, exact, inputs, base_dir, &|_| ()).into_iter();
    probes.filter(|probe| !probe.literal && keeps_ones(probe)).map(|probe| probe.program).collect()
}

/// The file on data whose signs, and what counts them, are other ones than the file's: what is to be told is tried there last.
pub(crate) fn redrawn(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Vec<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () };
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    if numbers > MOST_REDRAWN {
        return Vec::new();
    }
    let programs = REDRAWN.into_iter().filter_map(|seed| maker.program(&Sizes::Kept, seed, Moved::Redrawn));
    programs.map(|program| Probe::new(program, false)).collect()
}

/// The file with other masks and labels than those that it states, where it states any: what they count is another number there. Nobody
/// knows what else they must be, a permutation or sorted: who asks looks whether what is right stays right.
pub(crate) fn relabelled(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Vec<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () };
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    let is_stated = |key: &str, array: &Array| {
        // Flags are whole too.
        array.ndim() > 0 && !maker.is_drawn(key) && Kind::of(array).is_whole
    };
    if numbers > MOST_REDRAWN || !inputs.iter().any(|(key, array)| is_stated(key, array)) {
        return Vec::new();
    }
    let make = |seed| maker.program(&Sizes::Kept, seed, Moved::Relabelled);
    RELABELLED.into_iter().filter_map(make).map(|program| Probe::new(program, false)).collect()
}

/// The file with its numbers moved, where it states any that may be other ones too.
pub(crate) fn moved_data(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Option<Probe> {
    stated(file, exact, inputs, base_dir, Moved::Distinct, 2)
}

/// The file with numbers of other signs than those it states. What is NaN there says nothing.
pub(crate) fn other_signs(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Vec<Probe> {
    let made = SIGNED.into_iter().map(|seed| stated(file, exact, inputs, base_dir, Moved::Signs, seed));
    made.flatten().collect()
}

/// The file with its stated numbers moved in a way.
fn stated(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    how: Moved,
    seed: u64,
) -> Option<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () };
    let mut stated = inputs.iter().filter(|(key, _)| !maker.is_drawn(key));
    let any =
        stated.any(|(key, array)| array.dtype().is_float() && !maker.kind(key, array).is_kept(array, how));
    let program = any.then(|| maker.program(&Sizes::Kept, seed, how)).flatten()?;
    Some(Probe::new(program, false))
}

/// The file with the numbers of one value moved alone: of an input, or of a definition that is made of constants.
pub(crate) fn with_moved(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    name: &str,
) -> Option<Program> {
    let array = exact.find(name)?.val.array().ok()?;
    let kind = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () }.kind(name, array);
    // Of a mask others of its kind.
    let which = if kind.has_flags && kind.is_alike { Moved::OfKind } else { Moved::All };
    let other = moved(array, &kind, array.shape(), &mut Generator::new(2), which)?;
    let mut file = file.clone();
    for statement in &mut file.statements {
        if let StatementKind::Definition(definition) = &statement.kind
            && definition.name.text == name
        {
            let (name, source) = (definition.name.clone(), Source::Literal(definition.expr.clone()));
            statement.kind = StatementKind::Input(Input { name, shape: None, source });
        }
    }
    let mut given = Inputs::default();
    inputs.iter().for_each(|(key, array)| given.set(key, array.clone()));
    given.set(name, other);
    elaborate_at(&file, &given, DType::F64, base_dir).ok()
}

/// The file with those of its named sizes changed that `are_changed`; none where that cannot be, or makes another program of it:
/// an axis of one entry may be one that is stretched, or one that is written out somewhere, `reshape(u, [1])`. Sizes without
/// a name are what they are.
pub(crate) fn at_other_sizes(
    file: &File,
    exact: &Program,
    inputs: &Inputs,
    base_dir: &Path,
    are_changed: impl Fn(usize) -> bool,
) -> Vec<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () };
    let make = |(turn, &seed): (usize, &u64)| {
        let dims = maker.unlike_all(turn, &are_changed);
        let program = |dims: &[(String, usize)]| {
            let sizes = Sizes::Named(dims.to_vec());
            let made = maker.program(&sizes, seed, Moved::OfKind);
            made.or_else(|| maker.program(&sizes, seed, Moved::Fractions))
                .filter(|program| has_same_axes(exact, program) && fit_as(exact, program))
        };
        if let Some(all) = program(&dims) {
            return Some(Probe::new(all, true));
        }
        // Those that can be changed are.
        let mut some: Vec<(String, usize)> = Vec::new();
        let mut best = None;
        for dim in dims {
            some.push(dim);
            match program(&some) {
                Some(made) => best = Some(made),
                None => drop(some.pop()),
            }
        }
        best.map(|program| Probe::new(program, true))
    };
    RESIZED.iter().enumerate().filter_map(make).collect()
}

/// Have all values the same axes by name?
fn has_same_axes(one: &Program, other: &Program) -> bool {
    let axes = |program: &Program| -> Vec<Vec<Option<&'static str>>> {
        let names =
            |value: &Value| value.val.dims().iter().map(|dim| dim.name().map(|n| n.as_str())).collect();
        program.values.iter().map(names).collect()
    };
    axes(one) == axes(other)
}

/// Has every claim as many entries as its derivative, where it has in the file? One that has not says what sizes the file is about.
fn fit_as(one: &Program, other: &Program) -> bool {
    let entries = |val: &Val| val.shape().iter().product::<usize>();
    let fits = |claim: &Claim| match &claim.claimed {
        Claimed::Value { val, .. } => {
            entries(val) == entries(&claim.of) * claim.wrt.iter().map(entries).product::<usize>()
        }
        Claimed::Shape(_) => true,
    };
    one.claims.iter().zip(&other.claims).all(|(own, other)| !fits(own) || fits(other))
}

/// The file on other data in which flags, labels and shares stay what they are; none where it states no such.
pub(crate) fn flagged(file: &File, exact: &Program, inputs: &Inputs, base_dir: &Path) -> Vec<Probe> {
    let maker = Maker { file, exact, inputs, base_dir, elsewhere: &|_| () };
    let is_flag = |key: &str, array: &Array| {
        array.ndim() > 0 && array.dtype().is_float() && maker.kind(key, array).is_kept(array, Moved::Data)
    };
    let numbers: usize = inputs.iter().map(|(_, array)| array.len()).sum();
    if numbers > MOST_DRAWN || !inputs.iter().any(|(key, array)| !maker.is_drawn(key) && is_flag(key, array))
    {
        return Vec::new();
    }
    let programs = [2, 3].into_iter().filter_map(|seed| maker.program(&Sizes::Kept, seed, Moved::Data));
    programs.map(|program| Probe::new(program, false)).collect()
}

struct Maker<'a> {
    file: &'a File,
    exact: &'a Program,
    inputs: &'a Inputs,
    base_dir: &'a Path,
    elsewhere: &'a dyn Fn(&mut Program),
}

impl Maker<'_> {
    /// How arrays are moved.
    fn arrays(&self) -> Moved {
        if self.has_code() { Moved::OfKind } else { Moved::Arrays }
    }

    /// Are there claims that are no expressions of the file?
    fn has_code(&self) -> bool {
        self.exact.claims.iter().any(|claim| claim.expr.is_none())
    }

    /// The file at other sizes, the `turn`-th ones or, where it does not allow these, the first.
    fn resized(&self, seed: u64, turn: usize) -> Option<Probe> {
        let turns = BTreeSet::from([turn, 0]);
        let named = self.named_dims(0);
        let attempt = |sizes: &Sizes| {
            let program = self
                .program(sizes, seed, self.arrays())
                .or_else(|| self.program(sizes, seed, Moved::Fractions));
            let literal = matches!(sizes, Sizes::Equal(_));
            program.map(|program| Probe { literal, ..Probe::new(program, true) })
        };
        let by_name = turns.iter().rev().map(|&turn| Sizes::Named(self.named_dims(turn)));
        let alike = turns.iter().rev().map(|&turn| Sizes::Equal(self.equal_sizes(turn)));
        let mut all = by_name.filter(|_| !named.is_empty()).chain(alike);
        if let Some(probe) = all.find_map(|sizes| attempt(&sizes)) {
            return Some(probe);
        }
        // Some sizes are written out where others are meant: those that can be changed are.
        let mut some: Vec<(String, usize)> = Vec::new();
        let mut best = None;
        for (name, size) in named {
            // Rows that indices name are there in a longer table.
            let longer = self.size_of(&name).map(|own| own + size);
            for size in std::iter::once(size).chain(longer) {
                some.push((name.clone(), size));
                match self.program(&Sizes::Named(some.clone()), seed, Moved::Fractions) {
                    Some(program) => {
                        best = Some(program);
                        break;
                    }
                    None => drop(some.pop()),
                }
            }
        }
        best.map(|program| Probe::new(program, false))
    }

    /// The size that a name has in the file.
    fn size_of(&self, name: &str) -> Option<usize> {
        let mut dims = self.exact.values.iter().flat_map(|value| value.val.dims());
        dims.find(|dim| dim.name().is_some_and(|own| own.as_str() == name)).map(|dim| dim.size())
    }

    /// The named dims of inputs, each with another size.
    fn named_dims(&self, turn: usize) -> Vec<(String, usize)> {
        let mut dims: Vec<(String, usize)> = Vec::new();
        for dim in self.exact.values.iter().flat_map(|value| value.val.dims()) {
            if let Some(name) = dim.name().map(|name| name.as_str())
                && !dims.iter().any(|(known, _)| known == name)
            {
                let next = SIZES[(dims.len() + turn) % SIZES.len()];
                dims.push((name.to_owned(), if next == dim.size() { next + 8 } else { next }));
            }
        }
        dims
    }

    /// The named dims of these sizes, each with a size that no axis of the file has: what is stretched there fits nothing.
    fn unlike_all(&self, turn: usize, are_changed: impl Fn(usize) -> bool) -> Vec<(String, usize)> {
        let all = || self.exact.values.iter().flat_map(|value| value.val.dims());
        let mut free = (3..).filter(|size| all().all(|dim| dim.size() != *size)).skip(turn);
        let mut dims: Vec<(String, usize)> = Vec::new();
        for dim in all().filter(|dim| are_changed(dim.size())) {
            if let Some(name) = dim.name().map(|name| name.as_str())
                && !dims.iter().any(|(known, _)| known == name)
            {
                dims.push((name.to_owned(), free.next().expect("there is always a larger one")));
            }
        }
        dims
    }

    /// The sizes of inputs, each with another one.
    fn equal_sizes(&self, turn: usize) -> Vec<(usize, usize)> {
        let mut sizes: Vec<(usize, usize)> = Vec::new();
        for &size in self.inputs.iter().flat_map(|(_, array)| array.shape()) {
            // An axis of one entry is often one that must be.
            if size > 1 && !sizes.iter().any(|&(known, _)| known == size) {
                let next = SIZES[(sizes.len() + turn) % SIZES.len()];
                sizes.push((size, if next == size { next + 8 } else { next }));
            }
        }
        sizes
    }

    /// The file with these sizes, on other numbers, in double precision; the numbers are rounded to that of the file, which
    /// numbers from elsewhere may have been computed in.
    fn program(&self, sizes: &Sizes, seed: u64, which: Moved) -> Option<Program> {
        let file = self.changed(sizes, seed);
        let mut given = Inputs::default();
        let mut generator = Generator::new(seed);
        for (key, array) in self.inputs.iter() {
            if !self.is_drawn(key) {
                let (kind, shape) = (self.kind(key, array), self.shape_of(key, array, sizes));
                given.set(key, moved(array, &kind, &shape, &mut generator, which)?);
            }
        }
        let (mut program, inputs) = elaborate_with(&file, &given, self.base_dir).ok()?;
        if program.dtype != DType::F64 {
            program = elaborate_at(&file, &inputs, DType::F64, self.base_dir).ok()?;
        }
        (self.elsewhere)(&mut program);
        Some(program)
    }

    /// What an array may be beside numbers, as far as its numbers and the program tell: of flags that are all the same the numbers do not
    /// say what they are, and an operation that asks no more than whether they are 0 does.
    fn kind(&self, key: &str, array: &Array) -> Kind {
        let kind = Kind::of(array);
        if kind.has_flags || !array.to_vec_f64().iter().all(|x| *x == 0.0 || *x == 1.0) {
            return kind;
        }
        let Some(own) = self.exact.find(key) else { return kind };
        let asks = |value: &Val| {
            let mut inputs = value.inputs().iter().enumerate();
            inputs.any(|(k, input)| {
                let is_constant = || value.jacobian(k).is_ok_and(|network| network.terms().is_empty());
                input.id() == own.val.id() && value.dtype().is_float() && is_constant()
            })
        };
        let is_condition = self.exact.claims.iter().any(|claim| graph_of(&claim.of).values().any(asks));
        Kind { has_flags: is_condition, ..kind }
    }

    fn shape_of(&self, key: &str, array: &Array, sizes: &Sizes) -> Vec<usize> {
        match self.exact.find(key) {
            Some(value) => {
                let dims = value.val.dims().iter();
                dims.map(|dim| sizes.of(dim.name().map(|name| name.as_str()), dim.size())).collect()
            }
            None => array.shape().to_vec(),
        }
    }

    fn is_drawn(&self, key: &str) -> bool {
        self.file.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Input(input) => {
                input.name.text == key && matches!(input.source, Source::Distribution { .. })
            }
            StatementKind::Upstream(upstream) => {
                key == format!("d{}/d{}", upstream.of, upstream.wrt)
                    && matches!(upstream.source, Source::Distribution { .. })
            }
            _ => false,
        })
    }

    /// The file with other seeds and sizes.
    fn changed(&self, sizes: &Sizes, seed: u64) -> File {
        let mut file = self.file.clone();
        for statement in &mut file.statements {
            match &mut statement.kind {
                StatementKind::Seed(stated) => *stated = stated.wrapping_add(0x9e37_79b9 * seed),
                StatementKind::Input(input) => {
                    if let Some(shape) = &mut input.shape {
                        resize(shape, sizes);
                    }
                }
                StatementKind::Upstream(upstream) => resize(&mut upstream.shape, sizes),
                _ => {}
            }
        }
        let first = StatementKind::Seed(0x9e37_79b9 * seed);
        file.statements.insert(0, Statement { span: Span::default(), kind: first });
        file
    }
}

fn resize(shape: &mut Shape, sizes: &Sizes) {
    for spec in &mut shape.dims {
        let (name, size) = match spec {
            DimSpec::Bind { name, size } => (Some(name.text.clone()), size),
            DimSpec::Size(size) => (None, size),
            DimSpec::Dim(_) => continue,
        };
        if let ExprKind::Number { value, integer: true } = size.kind {
            let other = sizes.of(name.as_deref(), value as usize);
            *size = Expr::new(size.span, ExprKind::Number { value: other as f64, integer: true });
        }
    }
}

/// What an array may be beside numbers, as far as its numbers tell.
struct Kind {
    /// Whole numbers.
    is_whole: bool,
    /// 0, 1 and −1, and not all the same.
    has_flags: bool,
    /// Rows of several numbers that add up to 1.
    has_shares: bool,
    /// All the same.
    is_alike: bool,
}

impl Kind {
    fn of(array: &Array) -> Kind {
        /// Shares that add up to 1 do so but for rounding.
        const WHOLE: f64 = 1e-9;
        let numbers = array.to_vec_f64();
        let is_whole = numbers.iter().all(|x| x.fract() == 0.0);
        let is_alike = numbers.iter().all(|x| *x == numbers[0]);
        let row = array.shape().last().copied().unwrap_or(1).max(1);
        let is_share = |row: &[f64]| (row.iter().sum::<f64>() - 1.0).abs() <= WHOLE;
        Kind {
            is_whole,
            has_flags: is_whole && !is_alike && numbers.iter().all(|x| x.abs() <= 1.0),
            has_shares: row > 1 && numbers.chunks(row).all(is_share),
            is_alike,
        }
    }

    /// Is it what it must be?
    fn is_kept(&self, array: &Array, which: Moved) -> bool {
        match which {
            Moved::All | Moved::AllOfKind => false,
            Moved::Arrays | Moved::OfKind | Moved::Relabelled => self.is_whole && array.ndim() == 0,
            Moved::Fractions => self.is_whole,
            Moved::Data | Moved::Redrawn => {
                (self.is_whole && array.ndim() == 0) || self.has_flags || self.has_shares
            }
            Moved::Distinct => self.is_kept(array, Moved::Data) || same(array).is_some(),
            Moved::Signs => self.is_kept(array, Moved::Distinct) || array.ndim() == 0,
        }
    }
}

/// Others of the kind of an array, in another shape: flags such as it has, shares that add up to 1.
fn of_kind(array: &Array, kind: &Kind, shape: &[usize], generator: &mut Generator) -> Option<Array> {
    let mut old = array.to_vec_f64();
    if kind.has_flags && kind.is_alike {
        old = vec![0.0, 1.0];
    }
    let shares = generator.rand(shape, DType::F64).ok()?.to_vec_f64();
    let row = shape.last().copied().unwrap_or(1).max(1);
    let rows = shares.chunks(row);
    let new: Vec<f64> = match (kind.has_flags, kind.has_shares) {
        // Where flags add up to 1 there is one in each row.
        (true, true) => {
            rows.flat_map(|row| (0..row.len()).map(|at| f64::from(u8::from(at == largest(row))))).collect()
        }
        (false, true) => rows
            .flat_map(|row| row.iter().map(|share| share / row.iter().sum::<f64>()).collect::<Vec<_>>())
            .collect(),
        _ => {
            shares.iter().map(|share| old[((share * old.len() as f64) as usize).min(old.len() - 1)]).collect()
        }
    };
    Array::from_vec(shape, new).ok()
}

/// Whole numbers of an array at other places: each once where each stands once, and any of them elsewhere.
fn relabelled_as(array: &Array, generator: &mut Generator) -> Option<Array> {
    let old = array.to_vec_f64();
    let shares = generator.rand(&[old.len()], DType::F64).ok()?.to_vec_f64();
    let all: BTreeSet<u64> = old.iter().map(|x| x.to_bits()).collect();
    let new: Vec<f64> = match all.len() == old.len() {
        true => {
            let mut places: Vec<usize> = (0..old.len()).collect();
            places.sort_by(|&a, &b| shares[a].total_cmp(&shares[b]));
            places.into_iter().map(|place| old[place]).collect()
        }
        false => {
            shares.iter().map(|share| old[((share * old.len() as f64) as usize).min(old.len() - 1)]).collect()
        }
    };
    Array::from_vec(array.shape(), new).ok()?.cast(array.dtype()).ok()
}

/// The place of the largest number.
fn largest(row: &[f64]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

/// Other numbers like these, in another shape: each is one of these times a factor between 0.6 and 1.4, the one at its place
/// or any; a zero becomes positive, for a zero hides what it is multiplied by.
fn moved(
    array: &Array,
    kind: &Kind,
    shape: &[usize],
    generator: &mut Generator,
    which: Moved,
) -> Option<Array> {
    let is_label = kind.is_whole && !kind.has_flags && array.ndim() > 0 && !array.is_empty();
    if which == Moved::Relabelled && is_label {
        return relabelled_as(array, generator);
    }
    if array.dtype() == DType::I64 || array.is_empty() {
        return (array.shape() == shape).then(|| array.clone());
    }
    let old = array.to_vec_f64();
    if kind.is_kept(array, which) {
        return (array.shape() == shape).then(|| array.clone());
    }
    if matches!(which, Moved::OfKind | Moved::AllOfKind | Moved::Relabelled)
        && (kind.has_flags || kind.has_shares)
    {
        return of_kind(array, kind, shape, generator);
    }
    let factors = generator.rand(shape, DType::F64).ok()?.to_vec_f64();
    let largest = array.max_abs();
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let near: Vec<f64> = match which {
        Moved::Redrawn => {
            let picks = generator.rand(shape, DType::F64).ok()?.to_vec_f64();
            let pick = |share: f64| old[((share * old.len() as f64) as usize).min(old.len() - 1)];
            picks.into_iter().map(pick).collect()
        }
        _ => old.iter().copied().cycle().take(factors.len()).collect(),
    };
    let near: Vec<f64> = match which {
        Moved::Signs => {
            let signs = generator.rand(shape, DType::F64).ok()?.to_vec_f64();
            near.iter().zip(signs).map(|(x, share)| if share < 0.5 { -x } else { *x }).collect()
        }
        _ => near,
    };
    let new = factors
        .iter()
        .zip(near)
        .map(|(factor, x)| if x == 0.0 { scale * (0.2 + 0.6 * factor) } else { x * (0.6 + 0.8 * factor) });
    Array::from_vec(shape, new.collect()).ok()
}
