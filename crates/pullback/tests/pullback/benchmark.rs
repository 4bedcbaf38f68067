//! The labelled benchmark of diagnoses is what it says that it is: its programs are correct, and its bugs are bugs.
//! How well the bugs are explained is measured by the bench; here it is only held that the labels are sound.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::command::{pullback, root};

const PROGRAMS: &str = "crates/pullback/benches/diagnoses/programs";
const BUGS: &str = "crates/pullback/benches/diagnoses/bugs";

/// The `.grad` files of a folder, as paths from the root.
fn files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("UTF-8");
    let names = entries.map(|entry| name(entry.expect("the folder can be read")));
    let mut files: Vec<String> =
        names.filter(|name| name.ends_with(".grad")).map(|name| format!("{folder}/{name}")).collect();
    files.sort();
    files
}

fn source(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).expect("the file can be read")
}

/// The comment that a file begins with.
fn head(source: &str) -> Vec<&str> {
    source.lines().take_while(|line| line.starts_with('#')).collect()
}

/// The verdict of each claim of each file, in the order of the files.
fn verdicts(files: &[String]) -> Vec<Vec<(String, String)>> {
    let mut arguments = vec!["check", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let ran = pullback(&arguments, "");
    let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_string();
    let judged = json["files"].as_array().expect("a list of files").iter().map(|file| {
        assert!(file.get("errors").is_none(), "{file}");
        let claims = file["claims"].as_array().expect("a list of claims");
        claims.iter().map(|claim| (text(&claim["claim"]), text(&claim["verdict"]))).collect()
    });
    let judged: Vec<_> = judged.collect();
    assert_eq!(judged.len(), files.len(), "each file is judged");
    judged
}

#[test]
fn every_claim_of_every_program_holds_and_a_third_is_set_aside() {
    let files = files(PROGRAMS);
    let mut claims = 0;
    let mut set_aside = 0;
    for (file, judged) in files.iter().zip(verdicts(&files)) {
        for (claim, verdict) in judged {
            assert_eq!(verdict, "holds", "{claim} in {file}");
            claims += 1;
        }
        let source = source(file);
        let head = head(&source);
        assert!(
            head.iter().any(|line| line.starts_with("# Source: ")),
            "{file} does not say where its formulas are from"
        );
        set_aside += usize::from(head.contains(&"# held-out"));
    }
    assert!(files.len() >= 40, "{} programs", files.len());
    assert!(claims >= 150, "{claims} claims");
    let share = set_aside as f64 / files.len() as f64;
    assert!((0.30..0.37).contains(&share), "{share} of the programs is set aside");
}

#[test]
fn what_is_expected_of_a_bug_is_a_verdict_that_does_not_say_that_it_holds() {
    let files = files(BUGS);
    assert!(files.len() >= 9, "{} bugs", files.len());
    let causes = causes();
    for (file, judged) in files.iter().zip(verdicts(&files)) {
        let source = source(file);
        let mut expected = BTreeMap::new();
        for line in head(&source) {
            let Some(label) = line.strip_prefix("# expect: ") else { continue };
            let words: Vec<&str> = label.split(' ').collect();
            let (key, verdict) = (words[0], words[1]);
            assert!(["wrong", "inherited", "shape", "kink"].contains(&verdict), "{line} in {file}");
            let cause = words.get(2).map(|cause| causes.iter().any(|known| known == cause));
            assert_eq!(
                cause,
                (verdict == "wrong").then_some(true),
                "{line} in {file}: what is wrong has a cause"
            );
            assert_eq!(expected.insert(key, verdict), None, "{line} in {file} is the second of its claim");
        }
        assert!(!expected.is_empty(), "{file} expects nothing");
        for (claim, verdict) in &judged {
            match expected.remove(claim.as_str()) {
                None => assert_eq!(verdict, "holds", "{claim} in {file}"),
                // One cause or several, told or not: which it is to be is for the bench to measure.
                Some("wrong") => assert!(
                    ["wrong", "ambiguous"].contains(&verdict.as_str()),
                    "{claim} in {file}: {verdict}"
                ),
                Some(label) => assert_eq!(verdict, label, "{claim} in {file}"),
            }
        }
        assert!(expected.is_empty(), "{file} has no claim {expected:?}");
    }
}

/// The words for causes that the schema of `check` knows.
fn causes() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("schemas/check.json")).expect("the schema is there");
    let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    let mut found = Vec::new();
    words_under("cause", &schema, &mut found);
    assert!(found.iter().any(|word| word == "unknown"), "the schema lists the causes: {found:?}");
    found
}

fn words_under(key: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let listed = object.get(key).and_then(|of_key| of_key.get("enum")).and_then(Value::as_array);
            found.extend(listed.into_iter().flatten().filter_map(Value::as_str).map(String::from));
            object.values().for_each(|value| words_under(key, value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| words_under(key, value, found)),
        _ => {}
    }
}
