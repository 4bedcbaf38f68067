//! Colours, or none.

/// How emphasis is written: with ANSI escape codes, or not at all.
///
/// ```
/// use pullback_report::Paint;
/// assert_eq!(Paint::Plain.good("holds"), "holds");
/// assert_eq!(Paint::Ansi.good("holds"), "\u{1b}[32mholds\u{1b}[0m");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Paint {
    /// Text alone.
    #[default]
    Plain,
    /// Escape codes of ANSI terminals.
    Ansi,
}

impl Paint {
    /// What is right: green.
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// What is wrong: bold red.
    pub fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What is neither: yellow.
    pub fn doubtful(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What may be skipped: dim.
    pub fn aside(self, text: &str) -> String {
        self.with("2", text)
    }

    /// A heading: bold.
    pub fn heading(self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Paint::Plain => text.to_string(),
            Paint::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}
