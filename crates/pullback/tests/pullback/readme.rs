//! What the README shows is what happens, and so is what the page of the language shows.

use std::path::Path;

use pullback::session::check_source;

use crate::command::{pullback, root, without_noise};

/// The fenced blocks of a Markdown text: their language, and what is in them.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push((language.trim().to_string(), String::new()));
            }
            None if open => {
                let (_, block) = blocks.last_mut().expect("a block is open");
                *block += line;
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("the page is there")
}

#[test]
fn every_file_in_it_is_checked() {
    for path in ["README.md", "docs/language.md"] {
        let mut files = blocks(&page(path)).into_iter().filter(|(language, _)| language == "grad").peekable();
        assert!(files.peek().is_some(), "{path} shows no file");
        let mut judged = 0;
        for (_, source) in files {
            let report = check_source(path, source.as_bytes(), Path::new("."));
            // What is judged by a dump claims nothing.
            if report.errors.iter().any(|error| error.message.starts_with("the file claims nothing")) {
                continue;
            }
            judged += 1;
            assert!(report.errors.is_empty(), "{source}\n{:?}", report.errors);
            assert_eq!(report.exit_code(), 0, "{source}");
        }
        assert!(judged > 0, "no file of {path} claims anything");
    }
}

/// A line `$ pullback …` is run at the root of the repository, and what stands below it is what it prints.
#[test]
fn every_command_in_it_prints_what_it_shows() {
    for path in ["README.md", "docs/derivations.md"] {
        prints_what_it_shows(path);
    }
}

fn prints_what_it_shows(path: &str) {
    let blocks = blocks(&page(path));
    let mut sessions = blocks.iter().filter(|(_, block)| block.starts_with("$ pullback ")).peekable();
    assert!(sessions.peek().is_some(), "{path} shows no command");
    for (_, block) in sessions {
        for shown in block.split("$ pullback ").skip(1) {
            let (command, expected) = shown.split_once('\n').unwrap_or((shown, ""));
            let arguments: Vec<String> = words(command);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ran = pullback(&arguments, "");
            assert_eq!(
                without_noise(format!("{}{}", ran.stdout, ran.stderr).trim_end()),
                without_noise(expected.trim_end()),
                "$ pullback {command}"
            );
        }
    }
}

/// The words of a command, of which one in single quotes may hold spaces; a comment is none of them.
fn words(command: &str) -> Vec<String> {
    let command = command.split(" # ").next().unwrap_or(command);
    let mut words = Vec::new();
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_string());
        } else {
            words.extend(part.split_whitespace().map(str::to_string));
        }
    }
    words
}

#[test]
fn commands_are_cut_into_words() {
    assert_eq!(words("derive -e 'X @ W' --wrt W  # why"), ["derive", "-e", "X @ W", "--wrt", "W"]);
    assert_eq!(blocks("a\n```grad\nx = 1\n```\nb"), [("grad".to_string(), "x = 1\n".to_string())]);
}
