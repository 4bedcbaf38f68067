//! A part of an expression of Rust: its text, and what has to be known to put it into a larger one.
//!
//! Arrays of ndarray are computed with by reference where they have a name, and by value where they are a result that nothing else
//! reads. What is here knows how either is written; it knows no function.

/// How tightly the outermost operator of a text binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Sum,
    Product,
    Cast,
    Unary,
    Postfix,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A size or a whole number that is written down.
    Size,
    /// A whole number that the program is given.
    Whole,
    /// A number.
    Number,
    /// An array of so many axes, one at least, of numbers or of whole ones.
    Array { rank: usize, whole: bool },
}

/// To whom an array belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// It is a result without a name.
    Result,
    /// It is one with a name.
    Named,
    /// It is a reference with a name.
    Borrowed,
    /// It is a view of another one, with or without a name.
    View,
}

/// A part of an expression.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub text: String,
    pub level: Level,
    pub kind: Kind,
    pub held: Held,
    /// Is it a number that is written down?
    pub is_literal: bool,
}

impl Piece {
    pub(super) fn new(text: impl Into<String>, level: Level, kind: Kind, held: Held) -> Piece {
        Piece { text: text.into(), level, kind, held, is_literal: false }
    }

    /// What a call or a method returns.
    pub(super) fn result(text: impl Into<String>, kind: Kind) -> Piece {
        Piece::new(text, Level::Postfix, kind, Held::Result)
    }

    /// A view of an array.
    pub(super) fn view(text: impl Into<String>, kind: Kind) -> Piece {
        Piece::new(text, Level::Postfix, kind, Held::View)
    }

    /// A number that is written down.
    pub(super) fn literal(text: impl Into<String>, kind: Kind) -> Piece {
        Piece { is_literal: true, ..Piece::result(text, kind) }
    }

    pub(super) fn rank(&self) -> usize {
        match self.kind {
            Kind::Array { rank, .. } => rank,
            Kind::Size | Kind::Whole | Kind::Number => 0,
        }
    }

    pub(super) fn is_array(&self) -> bool {
        self.rank() > 0
    }

    /// With brackets where it binds less tightly.
    pub(super) fn at_least(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.text) } else { self.text.clone() }
    }

    /// The same as floating-point numbers.
    pub(super) fn float(self) -> Piece {
        match self.kind {
            Kind::Number | Kind::Array { whole: false, .. } => self,
            Kind::Size if self.is_literal => Piece::literal(format!("{}.0", self.text), Kind::Number),
            Kind::Size | Kind::Whole => {
                let text = format!("{} as f64", self.at_least(Level::Unary));
                Piece::new(text, Level::Cast, Kind::Number, Held::Result)
            }
            Kind::Array { rank, .. } => {
                let text = format!("{}.mapv(|x| x as f64)", self.receiver());
                Piece::result(text, Kind::Array { rank, whole: false })
            }
        }
    }

    /// As what a method is called of.
    pub(super) fn receiver(&self) -> String {
        match self.is_literal && self.kind == Kind::Number {
            true => format!("{}_f64", self.text),
            false => self.at_least(Level::Postfix),
        }
    }

    /// As an operand of an operator.
    pub(super) fn operand(&self) -> Piece {
        match self.held {
            Held::Named | Held::View if self.is_array() => {
                Piece { text: self.borrowed(), level: Level::Unary, ..self.clone() }
            }
            _ => self.clone(),
        }
    }

    /// As a reference to an array.
    pub(super) fn borrowed(&self) -> String {
        match (self.is_array(), self.held) {
            (false, _) => format!("&arr0({})", self.text),
            (true, Held::Borrowed) => self.text.clone(),
            (true, _) => format!("&{}", self.at_least(Level::Unary)),
        }
    }

    /// As a view of any number of axes.
    pub(super) fn dynamic(&self) -> String {
        match self.is_array() {
            true => format!("{}.view().into_dyn()", self.receiver()),
            false => format!("aview0(&{}).into_dyn()", self.at_least(Level::Unary)),
        }
    }

    /// As a value of its own.
    pub(super) fn owned(&self) -> String {
        match (self.is_array(), self.held) {
            (true, Held::Named) => format!("{}.clone()", self.receiver()),
            (true, Held::Borrowed | Held::View) => format!("{}.to_owned()", self.receiver()),
            _ => self.text.clone(),
        }
    }
}

/// The ndarray type of an array that owns its numbers: `Array2<f64>`.
pub(super) fn owned_type(kind: Kind) -> String {
    match kind {
        Kind::Size => "usize".to_owned(),
        Kind::Whole => "i64".to_owned(),
        Kind::Number => "f64".to_owned(),
        Kind::Array { rank, whole } => format!("Array{}<{}>", axes(rank), element(whole)),
    }
}

/// That of a view of one that belongs to somebody else: `ArrayView2<'a, f64>`.
pub(super) fn viewed_type(kind: Kind, lifetime: &str) -> String {
    match kind {
        Kind::Array { rank, whole } => format!("ArrayView{}<{lifetime}{}>", axes(rank), element(whole)),
        kind => owned_type(kind),
    }
}

/// That of a number of axes: `Ix2`.
pub(super) fn dimension(rank: usize) -> String {
    match rank {
        0..=6 => format!("Ix{rank}"),
        _ => "IxDyn".to_owned(),
    }
}

/// ndarray has types for up to six axes.
fn axes(rank: usize) -> String {
    if rank > 6 { "D".to_owned() } else { rank.to_string() }
}

fn element(whole: bool) -> &'static str {
    if whole { "i64" } else { "f64" }
}
