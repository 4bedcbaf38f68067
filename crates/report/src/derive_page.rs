//! A derivation where people read: Markdown as GitHub renders it, LaTeX, and HTML with MathML, which needs no script and no network.
//!
//! The three say the same: the forward pass, each step of the backward pass with its lines, shapes and reasons, the gradients in closed
//! form, and what the operations say of their domains and kinks. By itself each is a part of a page; as a document it stands alone.

use pullback_derive::Stage;
use pullback_derive::notation::{Math, of_expr};

use crate::derive::{DeriveReport, Steps};

/// A notation for pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With formulas in blocks of `math`.
    Markdown,
    /// For `amsmath`.
    Latex,
    /// With MathML.
    Html,
}

/// How a page is made.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// In which notation.
    pub format: Format,
    /// How much of the derivation.
    pub steps: Steps,
    /// Does it stand alone?
    pub document: bool,
}

/// A formula with more characters of LaTeX is broken where it adds terms.
const LONG: usize = 110;

/// The derivation as a page.
pub fn derive_page(report: &DeriveReport, page: Page) -> String {
    let mut sheet = Sheet { page, text: String::new() };
    let title = format!("The backward pass of {}", report.of.0);
    if page.document {
        sheet.opens(&title);
    }
    sheet.heading(1, &title);
    let said = report.assumptions.iter().map(|assumed| format!("Assumed: {assumed}"));
    for line in said.chain(report.chosen.iter().map(|chosen| format!("{chosen}."))) {
        sheet.sentence(&line);
    }
    let forward =
        if report.forward.is_empty() { vec![report.document.text.clone()] } else { report.forward.clone() };
    sheet.heading(2, "The forward pass");
    sheet.code(&forward.join("\n"));
    let numbers = |wanted: &str| report.values.iter().find(|(name, _)| name == wanted);
    for (name, array) in report.values.iter().filter(|(name, _)| !name.contains("/d")) {
        let prefix = format!("{name} = ");
        sheet.code(&format!("{prefix}{}", array.format(&prefix)));
    }
    sheet.heading(2, "The backward pass");
    if page.steps == Steps::Full {
        for line in report.legend() {
            sheet.sentence(&format!("{line}."));
        }
    }
    for stage in &report.stages {
        sheet.stage(stage, report);
        if let Some((name, array)) = numbers(&stage.name()) {
            let prefix = format!("{name} = ");
            sheet.code(&format!("{prefix}{}", array.format(&prefix)));
        }
    }
    if report.readable().next().is_some() {
        sheet.heading(2, "In closed form");
        for stage in report.readable() {
            sheet.stage(stage, report);
        }
    }
    let notes = report.notes();
    if !notes.is_empty() {
        sheet.heading(2, "Domains and kinks");
        for (name, says) in notes {
            sheet.sentence(&format!("{name}: {says}"));
        }
    }
    if page.document {
        sheet.closes();
    }
    sheet.text
}

struct Sheet {
    page: Page,
    text: String,
}

impl Sheet {
    fn add(&mut self, text: &str) {
        self.text += text;
        self.text.push('\n');
    }

    fn opens(&mut self, title: &str) {
        match self.page.format {
            Format::Markdown => {}
            Format::Latex => self.add(&format!(
                "\\documentclass{{article}}\n\\usepackage[utf8]{{inputenc}}\n\\usepackage[T1]{{fontenc}}\n\\usepackage{{amsmath,amssymb}}\n\
                 \\usepackage[margin=2cm]{{geometry}}\n\\allowdisplaybreaks\n\\setlength{{\\parindent}}{{0pt}}\n\\title{{{}}}\n\\date{{}}\n\\begin{{document}}",
                latex_text(title)
            )),
            Format::Html => self.add(&format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n<style>\n\
                 body {{ font-family: sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5 }}\n\
                 table {{ border-collapse: collapse }}\ntd {{ padding: 0.3rem 1rem 0.3rem 0; vertical-align: middle }}\n\
                 td.why {{ color: #666; font-size: 0.9rem }}\npre {{ background: #f5f5f5; padding: 0.6rem; overflow-x: auto }}\n</style>\n</head>\n<body>",
                html_text(title)
            )),
        }
    }

    fn closes(&mut self) {
        match self.page.format {
            Format::Markdown => {}
            Format::Latex => self.add("\\end{document}"),
            Format::Html => self.add("</body>\n</html>"),
        }
    }

    fn heading(&mut self, level: usize, text: &str) {
        match self.page.format {
            Format::Markdown => self.add(&format!("{} {}\n", "#".repeat(level), markdown_text(text))),
            Format::Latex => {
                let command = ["section", "subsection", "subsubsection"][level.clamp(1, 3) - 1];
                self.add(&format!("\\{command}*{{{}}}", latex_text(text)));
            }
            Format::Html => self.add(&format!("<h{level}>{}</h{level}>", html_text(text))),
        }
    }

    fn sentence(&mut self, text: &str) {
        match self.page.format {
            Format::Markdown => self.add(&format!("{}\n", markdown_text(text))),
            Format::Latex => self.add(&format!("{}\n", latex_text(text))),
            Format::Html => self.add(&format!("<p>{}</p>", html_text(text))),
        }
    }

    /// Lines as they are written.
    fn code(&mut self, text: &str) {
        let text: String = text.lines().map(|line| format!("{}\n", crate::visible(line))).collect();
        match self.page.format {
            Format::Markdown => {
                // A fence longer than any in the text.
                let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let fence = "`".repeat(longest.max(2) + 1);
                self.add(&format!("{fence}python\n{text}{fence}\n"));
            }
            Format::Latex => {
                let lines: Vec<String> =
                    text.lines().map(|line| format!("\\texttt{{{}}}", latex_code(line))).collect();
                self.add(&format!(
                    "\\begin{{flushleft}}\\small\n{}\n\\end{{flushleft}}",
                    lines.join(" \\\\\n")
                ));
            }
            Format::Html => self.add(&format!("<pre><code>{}</code></pre>", html_text(&text))),
        }
    }

    fn stage(&mut self, stage: &Stage, report: &DeriveReport) {
        let ranks = |name: &str| report.rank(name);
        let shape = format!("{:?}", stage.dims);
        self.heading(3, &format!("{}  {shape}", stage.name()));
        let rule = stage.rule();
        if !rule.is_empty() {
            self.sentence(&format!("{}.", capital(&rule)));
        }
        let mut lines: Vec<(Option<Math>, Math, String)> = Vec::new();
        if self.page.steps == Steps::Full {
            lines.extend(stage.lines.iter().map(|line| {
                let (left, right) = line.sides(&ranks);
                (left, right, line.why.clone())
            }));
        }
        if let (true, Some(code)) = (lines.is_empty(), &stage.code) {
            lines.push((Some(of_expr(&stage.left, &ranks)), of_expr(code, &ranks), String::new()));
        }
        self.formulas(&lines);
        if let Some(code) = &stage.code {
            self.code(&format!("{} = {}", stage.name(), pullback_lang::print(code)));
        }
    }

    fn formulas(&mut self, lines: &[(Option<Math>, Math, String)]) {
        if lines.is_empty() {
            return;
        }
        match self.page.format {
            Format::Markdown | Format::Latex => {
                let aligned = aligned(lines);
                match self.page.format {
                    Format::Markdown => {
                        self.add(&format!("```math\n\\begin{{aligned}}\n{aligned}\n\\end{{aligned}}\n```\n"))
                    }
                    _ => self.add(&format!("\\begin{{align*}}\n{aligned}\n\\end{{align*}}")),
                }
            }
            Format::Html => {
                let row = |(left, right, why): &(Option<Math>, Math, String)| {
                    let left = left.as_ref().map(|left| math(&left.mathml())).unwrap_or_default();
                    let right = math(&format!("<mo>=</mo>{}", right.mathml()));
                    format!(
                        "<tr><td>{left}</td><td>{right}</td><td class=\"why\">{}</td></tr>",
                        html_text(why)
                    )
                };
                let rows: Vec<String> = lines.iter().map(row).collect();
                self.add(&format!("<table>\n{}\n</table>", rows.join("\n")));
            }
        }
    }
}

/// A sentence begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn math(inner: &str) -> String {
    format!(
        "<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mrow>{}</mrow></math>",
        crate::visible(inner)
    )
}

/// Lines under one another at their equals signs.
fn aligned(lines: &[(Option<Math>, Math, String)]) -> String {
    let mut rows = Vec::new();
    for (left, right, why) in lines {
        let left = left.as_ref().map(Math::latex).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!(" && \\text{{{}}}", latex_text(why)) };
        let parts = terms(right);
        let count = parts.len();
        for (place, part) in parts.into_iter().enumerate() {
            let (left, sign) = if place == 0 { (left.as_str(), "= ") } else { ("", "\\quad ") };
            let why = if place + 1 == count { why.as_str() } else { "" };
            rows.push(format!("{left} &{sign}{part}{why}"));
        }
    }
    rows.join(" \\\\\n")
}

/// The terms of a long sum, a line each; a short formula is one line.
fn terms(math: &Math) -> Vec<String> {
    let whole = math.latex();
    let Math::Row(parts) = math else { return vec![whole] };
    if whole.chars().count() <= LONG {
        return vec![whole];
    }
    let mut lines: Vec<String> = vec![String::new()];
    for part in parts {
        if matches!(part, Math::Operator("+" | "−"))
            && lines.last().is_some_and(|line| line.chars().count() > LONG / 2)
        {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            *line += &part.latex();
        }
    }
    lines
}

fn html_text(text: &str) -> String {
    crate::visible(&text.replace('\n', "\u{0}"))
        .replace("\\u{0}", "\n")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Text whose characters Markdown would obey, with a stroke before each.
fn markdown_text(text: &str) -> String {
    let mut shown = String::new();
    for character in crate::visible(text).chars() {
        if matches!(character, '*' | '_' | '[' | ']' | '<' | '>' | '`' | '\\' | '#' | '|' | '$') {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

/// Text in words: letters that a plain font lacks go to mathematics.
fn latex_text(text: &str) -> String {
    let mut shown = String::new();
    for character in crate::visible(text).chars() {
        match symbol(character) {
            Some(command) => shown += &format!("${command}$"),
            None => shown += &latex_letter(character),
        }
    }
    shown
}

/// A line of code: spaces and signs stay what they are.
fn latex_code(text: &str) -> String {
    text.chars()
        .map(|character| if character == ' ' { "~".to_owned() } else { latex_text(&character.to_string()) })
        .collect()
}

fn symbol(character: char) -> Option<&'static str> {
    Some(match character {
        'δ' => "\\delta",
        'Σ' => "\\sum",
        '∂' => "\\partial",
        'ψ' => "\\psi",
        'σ' => "\\sigma",
        'μ' => "\\mu",
        'π' => "\\pi",
        'ε' => "\\varepsilon",
        'λ' => "\\lambda",
        '−' => "-",
        '≠' => "\\ne",
        '≤' => "\\le",
        '≥' => "\\ge",
        '∞' => "\\infty",
        '…' => "\\ldots",
        '√' => "\\surd",
        '·' => "\\cdot",
        '⊙' => "\\odot",
        '′' => "{}'",
        '½' => "\\tfrac12",
        'ᵀ' => "{}^\\top",
        '⁻' => "{}^{-}",
        '¹' => "{}^{1}",
        '²' => "{}^{2}",
        'Γ' => "\\Gamma",
        '→' => "\\to",
        '±' => "\\pm",
        _ => return None,
    })
}

fn latex_letter(character: char) -> String {
    match character {
        '_' | '%' | '&' | '#' | '$' | '{' | '}' => format!("\\{character}"),
        '\\' => "\\textbackslash{}".to_owned(),
        '^' => "\\textasciicircum{}".to_owned(),
        '~' => "\\textasciitilde{}".to_owned(),
        '<' => "\\textless{}".to_owned(),
        '>' => "\\textgreater{}".to_owned(),
        '|' => "\\textbar{}".to_owned(),
        '"' => "\\textquotedbl{}".to_owned(),
        character if character.is_ascii() => character.to_string(),
        character => format!("[U+{:04X}]", u32::from(character)),
    }
}
