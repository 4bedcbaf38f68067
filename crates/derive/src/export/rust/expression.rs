//! An expression of the language as one of Rust.

use std::collections::{BTreeSet, HashMap};

use pullback_lang::{BinaryOp, Expr, ExprKind, IndexItem, make, print};
use pullback_ops::Val;

use super::super::program::{Exported, NotExported};
use super::piece::{Held, Kind, Level, Piece, dimension};
use super::{IMPORTED, SUPPORT};

/// Words that are no names in a module of Rust.
const RESERVED: &str = "abstract as async await become box break const continue crate do dyn else enum extern f32 \
    f64 false final fn for gen if impl in let loop macro match mod move mut override priv pub \
    ref return self Self static struct super trait true try type typeof unsafe unsized use \
    virtual where while yield None Some Ok Err Saved Gradients forward backward saved grads \
    gradients output libm ndarray storage_1 storage_2 storage_3 layout_1 layout_2 layout_3 \
    tensor_1 tensor_2 tensor_3";

pub(super) struct Writer<'a> {
    pub(super) program: &'a Exported,
    /// How each function of the language is written.
    pub(super) functions: HashMap<&'static str, &'static str>,
    /// The names of the program.
    taken: Vec<&'a str>,
    names: HashMap<String, (Kind, Held)>,
    cotangents: HashMap<String, (Kind, Held)>,
    /// The functions that are defined beside the code.
    pub(super) used: BTreeSet<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(program: &'a Exported) -> Writer<'a> {
        const COLUMN: usize = 2;
        let names = program.computed().chain(program.inputs.iter().map(String::as_str));
        let sizes = program.forward_sizes.iter().chain(&program.sizes).map(|size| size.name.as_str());
        Writer {
            program,
            functions: super::super::functions(COLUMN).collect(),
            taken: names.chain(sizes).collect(),
            names: HashMap::new(),
            cotangents: HashMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// A name of the program. The compiler warns of Greek letters that look like Latin ones: they are spelt.
    pub(super) fn name(&self, name: &str) -> String {
        let mut spelt: String = name.chars().map(spelt).collect();
        let is_function = |name: &str| blocks().any(|block| defined(block) == Some(name));
        while RESERVED.split(' ').any(|word| word == spelt)
            || IMPORTED.split(' ').any(|word| word == spelt)
            || is_function(&spelt)
            || (spelt != name && self.taken.contains(&spelt.as_str()))
        {
            spelt.push('_');
        }
        spelt
    }

    /// The name of the cotangent of a value: `dZ`.
    pub(super) fn cotangent(&self, of: &str) -> String {
        let mut name = format!("d{of}");
        while self.taken.contains(&name.as_str()) {
            name.push('_');
        }
        self.name(&name)
    }

    /// Says what a name is from here on.
    pub(super) fn bind(&mut self, name: &str, kind: Kind, held: Held) {
        self.names.insert(name.to_owned(), (kind, held));
    }

    pub(super) fn bind_cotangent(&mut self, of: &str, kind: Kind, held: Held) {
        self.cotangents.insert(of.to_owned(), (kind, held));
    }

    /// What stands on the left of a statement of the backward pass.
    pub(super) fn left(&self, left: &Expr) -> String {
        match &left.kind {
            ExprKind::ClaimRef { wrt, .. } => self.cotangent(wrt.first().map_or("", |of| of.text.as_str())),
            _ => self.name(&print(left)),
        }
    }

    /// Says that it is known from here on.
    pub(super) fn bind_left(&mut self, left: &Expr) -> Result<(), NotExported> {
        let kind = float(self.kind(left)?);
        match &left.kind {
            ExprKind::ClaimRef { wrt, .. } => {
                self.bind_cotangent(wrt.first().map_or("", |of| of.text.as_str()), kind, Held::Named);
            }
            _ => self.bind(&print(left), kind, Held::Named),
        }
        Ok(())
    }

    /// The gradient by a name, once it is known.
    pub(super) fn cotangent_piece(&self, of: &str) -> Result<Piece, NotExported> {
        let found = self.cotangents.get(of).copied();
        let (kind, held) =
            found.ok_or_else(|| NotExported::Inexpressible(format!("the gradient by {of}")))?;
        Ok(Piece::new(self.cotangent(of), Level::Postfix, kind, held))
    }

    /// What an expression is, as the language says.
    pub(super) fn kind(&self, expr: &Expr) -> Result<Kind, NotExported> {
        Ok(kind(&self.program.value(expr)?))
    }

    pub(super) fn kind_of_name(&self, name: &str) -> Result<Kind, NotExported> {
        self.kind(&make::name(pullback_lang::Span::default(), name))
    }

    /// The functions that stand beside some code.
    pub(super) fn support(&self) -> String {
        let mut wanted: BTreeSet<&str> =
            blocks().filter_map(defined).filter(|name| self.used.contains(*name)).collect();
        // One of them may use another.
        loop {
            let before = wanted.len();
            let used: Vec<&str> =
                blocks().filter(|block| defined(block).is_some_and(|name| wanted.contains(name))).collect();
            let is_used = |name: &&str| used.iter().any(|block| calls(block, name));
            wanted.extend(blocks().filter_map(defined).filter(is_used));
            if wanted.len() == before {
                break;
            }
        }
        let used = blocks().filter(|block| defined(block).is_some_and(|name| wanted.contains(name)));
        used.map(|block| format!("\n{}\n", block.trim_end())).collect()
    }

    pub(super) fn piece(&mut self, expr: &Expr) -> Result<Piece, NotExported> {
        match &expr.kind {
            ExprKind::Number { value, integer } => Ok(number(*value, *integer)),
            ExprKind::Name(name) => match self.names.get(name) {
                Some(&(kind, held)) => Ok(Piece::new(self.name(name), Level::Postfix, kind, held)),
                None => Err(NotExported::Inexpressible(name.clone())),
            },
            ExprKind::ClaimRef { wrt, .. } => {
                self.cotangent_piece(wrt.first().map_or("", |of| of.text.as_str()))
            }
            ExprKind::Negate(of) => {
                let of = self.piece(of)?.float().operand();
                Ok(Piece::new(format!("-{}", of.at_least(Level::Unary)), Level::Unary, of.kind, Held::Result))
            }
            ExprKind::Transpose(of) => {
                let of = self.piece(of)?;
                Ok(if of.rank() < 2 { of } else { Piece::view(format!("{}.t()", of.receiver()), of.kind) })
            }
            ExprKind::Binary { operator, left, right } => self.binary(expr, operator.kind, left, right),
            ExprKind::Index { base, items } => self.index(expr, base, items),
            ExprKind::Call { function, args, kwargs } => self.call(expr, &function.text, args, kwargs),
            ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::List(_) => {
                Err(NotExported::Missing(format!("`{}`", print(expr))))
            }
        }
    }

    fn binary(
        &mut self,
        expr: &Expr,
        operator: BinaryOp,
        left: &Expr,
        right: &Expr,
    ) -> Result<Piece, NotExported> {
        if operator == BinaryOp::MatMul {
            return self.product(expr, left, right);
        }
        let (a, b) = (self.piece(left)?, self.piece(right)?);
        if operator == BinaryOp::Pow {
            return self.power(expr, a, b);
        }
        let level = match operator {
            BinaryOp::Add | BinaryOp::Sub => Level::Sum,
            BinaryOp::Mul | BinaryOp::Div => Level::Product,
            _ => return self.comparison(expr, operator, a, b),
        };
        let above = if level == Level::Sum { Level::Product } else { Level::Cast };
        let is_whole = matches!(operator, BinaryOp::Add | BinaryOp::Mul)
            && [&a, &b].iter().all(|piece| piece.kind == Kind::Size);
        let (a, b) = if is_whole { (a, b) } else { (a.float().operand(), b.float().operand()) };
        let text = format!("{} {} {}", a.at_least(level), operator.symbol(), b.at_least(above));
        let kind = if is_whole { Kind::Size } else { float(self.kind(expr)?) };
        Ok(Piece::new(text, level, kind, Held::Result))
    }

    /// `a @ b`: ndarray has it of matrices and vectors.
    fn product(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Result<Piece, NotExported> {
        let (a, b) = (self.piece(left)?.float(), self.piece(right)?.float());
        let kind = float(self.kind(expr)?);
        if a.rank() > 2 || b.rank() > 2 {
            let name = self
                .functions
                .get("@")
                .and_then(|written| written.split(' ').next_back())
                .unwrap_or_default();
            self.used.insert(name.to_owned());
            let call = format!("{name}::<{}>({}, {})", dimension(rank(kind)), a.borrowed(), b.borrowed());
            return Ok(Piece::result(call, kind));
        }
        Ok(Piece::result(format!("{}.dot({})", a.receiver(), b.borrowed()), kind))
    }

    fn power(&mut self, expr: &Expr, base: Piece, exponent: Piece) -> Result<Piece, NotExported> {
        let base = base.float();
        if exponent.is_array() {
            return self.of_two(expr, "f64::powf", &base, &exponent.float());
        }
        let whole = exponent.text.trim_start_matches('-');
        let is_whole = whole.strip_suffix(".0").unwrap_or(whole).parse::<u16>().is_ok();
        let (method, exponent) = match is_whole {
            true => ("powi", exponent.text.trim_end_matches(".0").to_owned()),
            false => ("powf", exponent.float().text),
        };
        Ok(Piece::result(format!("{}.{method}({exponent})", base.receiver()), base.kind))
    }

    /// Ones where it holds, and zeros elsewhere.
    fn comparison(
        &mut self,
        expr: &Expr,
        operator: BinaryOp,
        a: Piece,
        b: Piece,
    ) -> Result<Piece, NotExported> {
        let (a, b) = (a.float(), b.float());
        let symbol = operator.symbol();
        match (a.is_array(), b.is_array()) {
            (false, false) => {
                let text =
                    format!("f64::from({} {symbol} {})", a.at_least(Level::Unary), b.at_least(Level::Unary));
                Ok(Piece::result(text, Kind::Number))
            }
            (true, false) if b.is_literal => {
                let text = format!("{}.mapv(|x| f64::from(x {symbol} {}))", a.receiver(), b.text);
                Ok(Piece::result(text, a.kind))
            }
            _ => self.of_two(expr, &format!("|a, b| f64::from(a {symbol} b)"), &a, &b),
        }
    }

    /// A function of two numbers, entry by entry.
    pub(super) fn of_two(
        &mut self,
        expr: &Expr,
        function: &str,
        a: &Piece,
        b: &Piece,
    ) -> Result<Piece, NotExported> {
        if !a.is_array() && !b.is_array() {
            return Ok(Piece::result(format!("{function}({}, {})", a.text, b.text), Kind::Number));
        }
        self.used.insert("entrywise".to_owned());
        let text = format!("entrywise({}, {}, {function})", a.borrowed(), b.borrowed());
        Ok(Piece::result(text, float(self.kind(expr)?)))
    }

    fn index(&mut self, expr: &Expr, base: &Expr, items: &[IndexItem]) -> Result<Piece, NotExported> {
        let missing = || NotExported::Missing(format!("`{}`", print(expr)));
        let array = self.piece(base)?;
        let kind = self.kind(expr)?;
        let Kind::Array { whole, .. } = array.kind else { return Err(missing()) };
        let places: Option<Vec<usize>> = items.iter().map(place).collect();
        if let Some(places) = places
            && places.len() == array.rank()
        {
            let text = match places.as_slice() {
                [place] => format!("{}[{place}]", array.receiver()),
                places => format!("{}[{places:?}]", array.receiver()),
            };
            return Ok(Piece::result(text, if whole { Kind::Whole } else { Kind::Number }));
        }
        let taken =
            items.iter().filter(|item| matches!(item, IndexItem::At(_) | IndexItem::Slice { .. })).count();
        let all = || "..".to_owned();
        let mut parts: Vec<String> = Vec::new();
        for item in items {
            match item {
                IndexItem::Ellipsis => parts.extend((taken..array.rank()).map(|_| all())),
                IndexItem::NewAxis => parts.push("NewAxis".to_owned()),
                IndexItem::At(at) => parts.push(self.bound(at).map_err(|_| missing())?),
                IndexItem::Slice { start, stop, step } => {
                    let mut bound = |bound: &Option<Box<Expr>>| match bound {
                        Some(bound) => self.bound(bound).map_err(|_| missing()),
                        None => Ok(String::new()),
                    };
                    let known = [start, stop, step].map(|bound| bound.as_deref().map(whole_number));
                    let text = match known {
                        [start, stop, step] if [start, stop, step].iter().all(|it| *it != Some(None)) => {
                            slice(start.flatten(), stop.flatten(), step.flatten()).ok_or_else(missing)?
                        }
                        [.., None] => format!("{}..{}", bound(start)?, bound(stop)?),
                        _ => return Err(missing()),
                    };
                    parts.push(text);
                }
            }
        }
        if !items.contains(&IndexItem::Ellipsis) {
            parts.extend((taken..array.rank()).map(|_| all()));
        }
        let view = format!("{}.slice(s![{}])", array.receiver(), parts.join(", "));
        Ok(match kind {
            Kind::Array { .. } => Piece::view(view, kind),
            kind => Piece::new(format!("*{view}.into_scalar()"), Level::Unary, kind, Held::Result),
        })
    }

    /// A place along an axis: a number below zero counts from the end.
    fn bound(&mut self, expr: &Expr) -> Result<String, NotExported> {
        match (&expr.kind, whole_number(expr)) {
            (_, Some(number)) => Ok(number.to_string()),
            (ExprKind::Negate(size), None) => Ok(format!("-({} as isize)", self.size(size)?)),
            _ => self.size(expr),
        }
    }

    /// A size.
    pub(super) fn size(&mut self, expr: &Expr) -> Result<String, NotExported> {
        if let ExprKind::Binary { operator, left, right } = &expr.kind
            && matches!(operator.kind, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div)
        {
            let (left, right) = (self.size(left)?, self.size(right)?);
            return Ok(format!("({left} {} {right})", operator.kind.symbol()));
        }
        let missing = || NotExported::Missing(format!("the size `{}`", print(expr)));
        if matches!(expr.kind, ExprKind::Negate(_)) {
            return Err(missing());
        }
        let piece = self.piece(expr)?;
        match piece.kind {
            Kind::Size => Ok(piece.text),
            Kind::Whole | Kind::Number => Ok(format!("({} as usize)", piece.at_least(Level::Unary))),
            Kind::Array { .. } => Err(missing()),
        }
    }
}

/// A letter of a name, the Greek ones by what they are called.
fn spelt(letter: char) -> String {
    const GREEK: [&str; 25] = [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
        "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi", "chi", "psi",
        "omega",
    ];
    let of = |first: char| GREEK.get((letter as usize).checked_sub(first as usize)?);
    if let Some(name) = of('α') {
        return (*name).to_owned();
    }
    match of('Α') {
        Some(name) => name[..1].to_uppercase() + &name[1..],
        None => letter.to_string(),
    }
}

/// The functions that may stand beside the code, each with what is said of it.
fn blocks() -> impl Iterator<Item = &'static str> {
    SUPPORT.split("\n\n").filter(|block| defined(block).is_some())
}

/// The name of the function that a block defines.
fn defined(block: &str) -> Option<&str> {
    let line = block.lines().find(|line| !line.starts_with("///"))?;
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Does a block use a function? A method of its name is another one.
fn calls(block: &str, name: &str) -> bool {
    let code = || block.lines().filter(|line| !line.starts_with("///"));
    code().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + name.len()..].chars().next();
            let is_word = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !is_word(before) && before != Some('.') && !is_word(after)
        })
    })
}

/// What a value is.
fn kind(value: &Val) -> Kind {
    match (value.ndim(), value.dtype().is_float()) {
        (0, true) => Kind::Number,
        (0, false) => Kind::Whole,
        (rank, is_float) => Kind::Array { rank, whole: !is_float },
    }
}

/// The kind of what is computed of it.
pub(super) fn float(kind: Kind) -> Kind {
    match kind {
        Kind::Array { rank, .. } => Kind::Array { rank, whole: false },
        _ => Kind::Number,
    }
}

pub(super) fn rank(kind: Kind) -> usize {
    Piece::result("", kind).rank()
}

fn number(value: f64, integer: bool) -> Piece {
    if value.is_nan() {
        return Piece::result("f64::NAN", Kind::Number);
    }
    if value.is_infinite() {
        return Piece::result("f64::INFINITY", Kind::Number);
    }
    match integer && value.fract() == 0.0 && value <= f64::from(u32::MAX) {
        true => Piece::literal(format!("{value}"), Kind::Size),
        false => Piece::literal(format!("{value:?}"), Kind::Number),
    }
}

/// The index that an item is, where it is a number from 0 on.
fn place(item: &IndexItem) -> Option<usize> {
    match item {
        IndexItem::At(Expr { kind: ExprKind::Number { value, integer: true }, .. }) => Some(*value as usize),
        _ => None,
    }
}

/// A whole number that is written down; none, where it is something else.
pub(super) fn whole_number(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Number { value, integer: true } => Some(*value as i64),
        ExprKind::Negate(of) => Some(-whole_number(of)?),
        _ => None,
    }
}

/// A slice. With a step below zero ndarray takes the slice first and then goes through it from its end.
fn slice(start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> Option<String> {
    let step = step.unwrap_or(1);
    // The number after the last one; of the last entry itself there is none.
    let behind = |number: Option<i64>| number.filter(|&number| number != -1).map(|number| number + 1);
    let (first, end) = if step < 0 { (behind(stop), behind(start)) } else { (start, stop) };
    if step < 0 && stop == Some(-1) {
        return None;
    }
    let shown = |number: Option<i64>| number.map_or(String::new(), |number| number.to_string());
    let step = if step == 1 { String::new() } else { format!(";{step}") };
    Some(format!("{}..{}{step}", shown(first), shown(end)))
}
