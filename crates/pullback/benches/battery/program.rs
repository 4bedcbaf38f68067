//! A program of the battery, as the generator writes it, and the files and dumps that it stands for.
//!
//! `generate/battery.py` says what stands in the two files of a program.

use std::path::Path;

use super::tensors::{self, Tensor};

/// One file to be judged, perhaps with a dump.
pub struct Trial {
    /// The number of the program.
    pub program: String,
    /// The text of the file.
    pub source: String,
    /// What stands beside it, as the bytes of a `.safetensors` file.
    pub dump: Option<Vec<u8>>,
    /// `file`, or the precision of the dump.
    pub asked: String,
    /// The claim that is wrong, and by what; none where all are right.
    pub wrong: Option<(String, String)>,
    /// Claims whose derivative is zero, or not told from it by what rounding leaves.
    pub zero: Vec<String>,
}

impl Trial {
    /// `right`, or by what it is wrong.
    pub fn kind(&self) -> &str {
        self.wrong.as_ref().map_or("right", |(kind, _)| kind)
    }

    /// Of one program in ten the causes are asked for too: they take most of the time, and no claim passes or fails by them.
    pub fn asks_for_causes(&self) -> bool {
        self.program.ends_with('0')
    }
}

/// The precisions of dumps.
const PRECISIONS: [&str; 4] = ["f64", "f32", "f16", "bf16"];

/// All that a program stands for: `path` is that of its `.grad` file.
pub fn trials(path: &Path) -> Result<Vec<Trial>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(told)?;
    let bytes = std::fs::read(path.with_extension("safetensors")).map_err(told)?;
    let arrays = tensors::read(&bytes).ok_or_else(|| format!("{}: no safetensors", path.display()))?;
    let program = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut trials = files(&program, &text);
    for precision in PRECISIONS {
        trials.extend(dumps(&program, &text, precision, &arrays));
    }
    Ok(trials)
}

/// The file as it is, and with each wrong claim in the place of the right one.
fn files(program: &str, text: &str) -> Vec<Trial> {
    let trial = |source: String, wrong| Trial {
        program: program.to_string(),
        source,
        dump: None,
        asked: "file".to_string(),
        wrong,
        zero: zero(text, "file"),
    };
    let right: Vec<&str> = text.lines().filter(|line| !line.starts_with("#wrong")).collect();
    let mut trials = vec![trial(right.join("\n"), None)];
    for line in text.lines() {
        let Some((kind, claim)) = line.strip_prefix("#wrong ").and_then(|rest| rest.split_once(": ")) else {
            continue;
        };
        let key = claim.split_once(" = ").map_or(claim, |(key, _)| key);
        let states = |line: &&str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
        // What differentiation by conventions gives may be wrong where no right formula is short.
        let source = match right.iter().position(states) {
            Some(at) => [&right[..at], &[claim], &right[at + 1..]].concat().join("\n"),
            None => [&right[..], &[claim]].concat().join("\n"),
        };
        trials.push(trial(source, Some((kind.to_string(), key.to_string()))));
    }
    trials
}

/// The dump of one precision as it is, and with each wrong gradient in the place of the right one.
fn dumps(program: &str, text: &str, precision: &str, arrays: &[Tensor]) -> Vec<Trial> {
    let prefix = format!("{precision}|");
    let named = arrays.iter().filter_map(|array| {
        let name = array.name.strip_prefix(&prefix)?;
        Some(array.named(name))
    });
    let (wrong, right): (Vec<Tensor>, Vec<Tensor>) = named.partition(|array| array.name.contains(':'));
    if right.is_empty() {
        return Vec::new();
    }
    let forward = text.split("\n# claims\n").next().unwrap_or(text);
    let trial = |arrays: &[Tensor], wrong| Trial {
        program: program.to_string(),
        source: forward.to_string(),
        dump: Some(tensors::written(arrays)),
        asked: precision.to_string(),
        wrong,
        zero: zero(text, precision),
    };
    let mut trials = vec![trial(&right, None)];
    for slip in wrong {
        let (key, kind) = slip.name.split_once(':').unwrap_or((&slip.name, ""));
        let (key, kind) = (key.to_string(), kind.to_string());
        let mut arrays: Vec<Tensor> = right.iter().filter(|array| array.name != key).cloned().collect();
        arrays.push(slip.named(&key));
        trials.push(trial(&arrays, Some((kind, key))));
    }
    trials
}

/// What `#zero PRECISION:` lists.
fn zero(text: &str, precision: &str) -> Vec<String> {
    let listed = text.lines().filter_map(|line| line.strip_prefix("#zero ")?.split_once(": "));
    let here = listed.filter(|(of, _)| *of == precision);
    here.flat_map(|(_, keys)| keys.split_whitespace().map(str::to_string)).collect()
}
