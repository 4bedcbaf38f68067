//! The bytes of a file, or of standard input.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::lang::MAX_SOURCE;
use crate::report::Problem;

/// What was read, and where paths in it start.
pub struct Source {
    /// As a person knows it.
    pub name: String,
    pub bytes: Vec<u8>,
    /// The directory that paths in the source are relative to.
    pub base_dir: PathBuf,
}

impl Source {
    /// Reads a file; `-` is standard input. No more is read than the language allows and one byte, which is enough to say
    /// that there is too much.
    pub fn read(file: &str) -> Result<Source, Problem> {
        let most = MAX_SOURCE as u64 + 1;
        let mut bytes = Vec::new();
        if file == "-" {
            std::io::stdin()
                .lock()
                .take(most)
                .read_to_end(&mut bytes)
                .map_err(|error| Problem::new(format!("cannot read standard input: {}", reason(&error))))?;
            return Ok(Source { name: "<stdin>".to_string(), bytes, base_dir: PathBuf::from(".") });
        }
        let path = Path::new(file);
        let read = std::fs::File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut bytes));
        match read {
            Ok(_) => {
                let base_dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
                Ok(Source { name: file.to_string(), bytes, base_dir })
            }
            Err(error) => {
                let problem = Problem::new(format!("cannot read `{file}`: {}", reason(&error)));
                Err(match hint(path, &error) {
                    Some(hint) => problem.with_hint(hint),
                    None => problem,
                })
            }
        }
    }
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_string(),
        ErrorKind::PermissionDenied => "it may not be read".to_string(),
        ErrorKind::IsADirectory => "it is a directory".to_string(),
        _ => error.to_string(),
    }
}

fn hint(path: &Path, error: &std::io::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::IsADirectory => Some(format!("write `{}/*.grad`", path.display())),
        ErrorKind::NotFound => {
            let with_extension = PathBuf::from(format!("{}.grad", path.display()));
            with_extension.exists().then(|| format!("did you mean `{}`?", with_extension.display()))
        }
        _ => None,
    }
}
