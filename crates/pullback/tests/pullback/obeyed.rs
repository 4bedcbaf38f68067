//! Nothing from outside is obeyed by a terminal: control characters of both ranges, marks and overrides of direction, separators
//! of lines, in comments, strings, names of files and of a dump's arrays. In JSON they are written by their numbers.

use std::path::PathBuf;

use serde_json::Value;

use crate::command::{Ran, pullback};

/// One of each kind, which all come through a comment, a string and a file's name.
const HOSTILE: [char; 12] = [
    '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{61c}', '\u{200f}', '\u{202e}', '\u{2028}', '\u{2029}',
    '\u{2066}', '\u{2069}', '\u{90}',
];

/// What a terminal obeys; a renderer's own line ends, tabs and colours aside.
fn obeyed(text: &str) -> Vec<char> {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|&c| (c.is_control() && c != '\n') || turns(c)).collect()
}

/// Nothing that was printed is obeyed.
fn is_harmless(ran: &Ran, what: &str) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(obeyed(&said), [], "{what}: {said:?}");
}

/// And something of it shows the character by its number, or by the picture of one.
fn is_shown(ran: &Ran, hostile: char, what: &str) {
    is_harmless(ran, what);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    let picture = if hostile == '\u{1b}' { '␛' } else { '␡' };
    let shown = said.contains(&format!("\\u{{{:x}}}", u32::from(hostile)));
    assert!(shown || said.contains(picture), "{what} {:x}: {said:?}", u32::from(hostile));
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("pullback-obeyed-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable folder");
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a writable folder");
        path.to_str().expect("UTF-8").to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind where it cannot be removed: no failure of the test.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A dump of x and of an entry of this name, as safetensors, whose header is JSON.
fn dump(name: &str) -> Vec<u8> {
    let name = serde_json::to_string(name).expect("a string has a notation");
    let header = format!(
        r#"{{"x":{{"dtype":"F64","shape":[1],"data_offsets":[0,8]}},{name}:{{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}}}"#
    );
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &1f64.to_le_bytes(), &3f64.to_le_bytes()]
        .concat()
}

#[test]
fn what_a_source_holds_is_not_obeyed() {
    for hostile in HOSTILE {
        // A comment on the line of an error, one behind a wrong claim, and a string.
        for source in [
            format!("x: [2] ~ randn; y = z + x # {hostile}[31m a\n"),
            format!("x: [2] ~ randn; L = sum(x^2)\ndL/dx = x # {hostile}[31m a\n"),
            format!("x: [2] = load(\"{hostile}[31m.npy\"); L = sum(x)\ndL/dx = x\n"),
        ] {
            let ran = pullback(&["check", "-"], &source);
            assert!(ran.code >= 1, "{source:?}: {}", ran.stdout);
            is_shown(&ran, hostile, &source);
        }
        // Where a specification has spaces, none of them matters.
        let source = format!("x: [2, 2] ~ randn; L = sum(einsum(\"i{hostile}j->ij\", x))\ndL/dx = x\n");
        is_harmless(&pullback(&["check", "-"], &source), &source);
    }
}

#[test]
fn names_of_files_and_of_entries_are_not_obeyed() {
    let folder = Folder::new();
    for hostile in HOSTILE {
        let name = format!("a{hostile}[31m.grad");
        let wrong = folder.write(&name, b"x: [n=2] ~ randn; L = sum(x^2)\ndL/dx = x\n");
        is_shown(&pullback(&["check", &wrong], ""), hostile, "a file");
        is_shown(&pullback(&["check", &format!("{wrong}2")], ""), hostile, "no file");
        let json = pullback(&["check", &wrong, "--json"], "");
        assert_eq!(obeyed(&json.stdout), [], "{:?}", json.stdout);
        let said: Value = serde_json::from_str(&json.stdout).expect("JSON");
        assert_eq!(said["files"][0]["file"], wrong.as_str());

        let right = folder.write("right.grad", b"x: [n=2] ~ randn; L = sum(x^2)");
        let entry = folder.write("entry.safetensors", &dump(&format!("d{hostile}[31m")));
        is_shown(&pullback(&["check", &right, "--data", &entry], ""), hostile, "an entry");
        let named = folder.write(&format!("b{hostile}[31m.safetensors"), &dump("dL/dx"));
        is_shown(&pullback(&["check", &right, "--data", &named], ""), hostile, "a dump");
        is_harmless(&pullback(&["check", &right, &format!("--no{hostile}[31m")], ""), "an argument");
        is_shown(&pullback(&["ops", &format!("no{hostile}[31m")], ""), hostile, "an operation");
    }
    // Carets stand below what they point at, although what stands before them has become longer.
    let source = "x: [2] = load(\"\u{202e}.npy\") + w; L = sum(x)\n";
    let ran = pullback(&["check", "-"], source);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("1 |")).expect("the line is shown");
    let below = lines[at + 1].find('^').expect("there is a caret");
    assert!(lines[at][below..].starts_with("+") || lines[at][below..].starts_with("load"), "{}", ran.stdout);
}

/// A colour in a file's name is no colour of the report.
#[test]
fn colours_are_the_renderers_own() {
    let folder = Folder::new();
    let name = folder.write("\u{1b}[8m.grad", b"x: [n=2] ~ randn; L = sum(x^2)\ndL/dx = 2 * x # \x1b[8m\n");
    let ran = pullback(&["check", &name, "--color", "always"], "");
    assert!(ran.code == 0 && ran.stdout.contains("\u{1b}["), "{:?}", ran.stdout);
    assert!(!ran.stdout.contains("\u{1b}[8m") && ran.stdout.contains("\\u{1b}[8m"), "{:?}", ran.stdout);
}

/// The letters of an einsum with very many labels.
#[test]
fn labels_of_an_einsum_are_letters() {
    let letters: String = ('a'..='z').chain('A'..='Z').collect();
    let ones = vec!["1"; letters.len()].join(", ");
    let backwards: String = letters.chars().rev().collect();
    let source =
        format!("x: [{ones}] ~ randn; L = sum(exp(einsum(\"{letters}->{backwards}\", x) ^ 2) / 0 * x)\n");
    for arguments in [&["check", "-"][..], &["derive", "-"], &["check", "-", "--json"]] {
        let ran = pullback(arguments, &format!("{source}dL/dx = x\n"));
        assert_eq!(obeyed(&ran.stdout), [], "{arguments:?}: {:?}", ran.stdout);
        assert_eq!(obeyed(&ran.stderr), [], "{arguments:?}: {:?}", ran.stderr);
    }
}
