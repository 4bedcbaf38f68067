//! Standard output and standard error, with colours where they are wanted.

use std::io::{ErrorKind, Write};

use crate::report::Paint;
use anstream::{AutoStream, ColorChoice};

use super::arguments::Color;

/// How wide a line is where nobody says.
const WIDTH: usize = 120;

/// Where results and errors go, and in which form.
pub struct Output {
    stdout: AutoStream<std::io::Stdout>,
    stderr: AutoStream<std::io::Stderr>,
    /// How standard output is coloured.
    pub paint: Paint,
    /// How standard error is.
    pub error_paint: Paint,
    /// One JSON object, not text.
    pub json: bool,
    /// Failures only.
    pub quiet: bool,
    /// Nobody reads on, or nothing can be written any more.
    closed: Option<std::io::Error>,
}

impl Output {
    pub fn new(color: Color, json: bool, quiet: bool) -> Output {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let stdout = AutoStream::new(std::io::stdout(), choice);
        let stderr = AutoStream::new(std::io::stderr(), choice);
        let (paint, error_paint) = (paint(stdout.current_choice()), paint(stderr.current_choice()));
        Output { stdout, stderr, paint, error_paint, json, quiet, closed: None }
    }

    /// How many characters fit on a line: as many as `COLUMNS` says, where that is set.
    pub fn width(&self) -> usize {
        let columns = std::env::var("COLUMNS").ok().and_then(|text| text.trim().parse().ok());
        columns.filter(|columns| *columns >= 20).unwrap_or(WIDTH)
    }

    /// Writes results.
    pub fn text(&mut self, text: &str) {
        if self.closed.is_none() {
            self.closed = self.stdout.write_all(text.as_bytes()).and_then(|()| self.stdout.flush()).err();
        }
    }

    /// Writes one line of results.
    pub fn line(&mut self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Writes what is wrong. Where even that cannot be written, nobody can be told.
    pub fn error(&mut self, text: &str) {
        let _ = self.stderr.write_all(text.as_bytes());
    }

    /// The exit code: `code`, unless results could not be written. A reader who has seen enough (`| head`) is no error.
    pub fn finish(mut self, code: u8) -> u8 {
        match self.closed.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.error(&format!("error: cannot write to standard output: {error}\n"));
                2
            }
            _ => code,
        }
    }
}

fn paint(choice: ColorChoice) -> Paint {
    if choice == ColorChoice::Never { Paint::Plain } else { Paint::Ansi }
}
