//! Sizes with names, and the labels that stand on axes.
//!
//! Every size is a number, always: shape rules stay plain integer arithmetic. A size may also carry the name it
//! was bound to (`m` in `W: [m=2, n=3]`), which costs nothing and lets a coefficient print as `1/(N·M)`.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

/// An interned name: copying it copies a pointer. Equal texts give equal names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(&'static str);

impl Name {
    /// The name with this text. Each distinct text is kept for the life of the process.
    pub fn new(text: &str) -> Name {
        static TEXTS: OnceLock<Mutex<HashSet<&'static str>>> = OnceLock::new();
        let mut texts = TEXTS.get_or_init(Default::default).lock().unwrap_or_else(|e| e.into_inner());
        let interned = texts.get(text).copied().unwrap_or_else(|| {
            let leaked: &'static str = Box::leak(text.into());
            texts.insert(leaked);
            leaked
        });
        Name(interned)
    }

    /// The text of the name.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Is it a word, and no expression that something is called by, as `(2 * N)`?
    pub fn is_identifier(self) -> bool {
        self.0.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The size of an axis, with the name it was bound to, if any. Two dims are equal when their sizes are.
#[derive(Clone, Copy)]
pub struct Dim {
    size: usize,
    name: Option<Name>,
}

impl Dim {
    /// A size without a name.
    pub const fn new(size: usize) -> Dim {
        Dim { size, name: None }
    }

    /// A size bound to a name.
    pub fn named(name: &str, size: usize) -> Dim {
        Dim { size, name: Some(Name::new(name)) }
    }

    /// The number of elements along the axis.
    pub fn size(self) -> usize {
        self.size
    }

    /// The name the size was bound to.
    pub fn name(self) -> Option<Name> {
        self.name
    }

    /// Is it 1 whatever the sizes of a program are? A size that has a name is 1 by chance.
    pub fn is_single(self) -> bool {
        self.size == 1 && self.name.is_none()
    }

    /// This dim, or `other` where they are equal and only `other` has a name: what an operation does whose
    /// output axis is both of two input axes.
    pub fn or_name_of(self, other: Dim) -> Dim {
        if self.name.is_none() && self.size == other.size { other } else { self }
    }
}

impl PartialEq for Dim {
    fn eq(&self, other: &Dim) -> bool {
        self.size == other.size
    }
}

impl Eq for Dim {}

impl From<usize> for Dim {
    fn from(size: usize) -> Dim {
        Dim::new(size)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "{name}={}", self.size),
            None => write!(f, "{}", self.size),
        }
    }
}

impl fmt::Debug for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A label: what an index letter is on paper. Labels are equal when they are the same label, whatever their size.
#[derive(Clone, Copy)]
pub struct Label {
    id: u64,
    dim: Dim,
}

impl Label {
    /// A label that no other is equal to, ranging over `0..dim.size()`.
    pub fn new(dim: impl Into<Dim>) -> Label {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Label { id: NEXT.fetch_add(1, Ordering::Relaxed), dim: dim.into() }
    }

    /// Fresh labels for the axes of a shape.
    pub fn for_dims(dims: &[Dim]) -> Vec<Label> {
        dims.iter().map(|&dim| Label::new(dim)).collect()
    }

    /// The range of the label.
    pub fn dim(self) -> Dim {
        self.dim
    }

    /// The number of values that the label takes.
    pub fn size(self) -> usize {
        self.dim.size()
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Label) -> bool {
        self.id == other.id
    }
}

impl Eq for Label {}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Label) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Label) -> std::cmp::Ordering {
        self.id.cmp(&other.id)
    }
}

impl std::hash::Hash for Label {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}:{}", self.id, self.dim)
    }
}

/// The number of elements under a set of labels, in floating point since it is only ever compared.
pub(crate) fn extent<'a>(labels: impl IntoIterator<Item = &'a Label>) -> f64 {
    labels.into_iter().map(|label| label.size() as f64).product()
}

/// The number of elements under a shape, in floating point since it is only ever compared.
pub(crate) fn extent_of(dims: &[Dim]) -> f64 {
    dims.iter().map(|dim| dim.size() as f64).product()
}

/// The labels in order of first occurrence, each once.
pub(crate) fn distinct(labels: impl IntoIterator<Item = Label>) -> Vec<Label> {
    let mut seen = Vec::new();
    for label in labels {
        if !seen.contains(&label) {
            seen.push(label);
        }
    }
    seen
}
