//! Notation as LaTeX, of which every formula compiles with `amsmath` alone.

use super::Math;

impl Math {
    /// As LaTeX for math mode.
    pub fn latex(&self) -> String {
        match self {
            Math::Word(text) => word(text),
            Math::Number(text) => number(text),
            Math::Code(text) => format!("\\texttt{{{}}}", escaped(text)),
            Math::Operator(sign) => format!(" {} ", sign_of(sign)),
            Math::Sign(sign) => format!("{} ", sign_of(sign)),
            Math::Product(factors) => {
                let texts: Vec<String> = factors.iter().map(Math::latex).collect();
                texts.join(" ").replace("  ", " ")
            }
            Math::Row(parts) => parts.iter().map(Math::latex).collect::<String>().trim().to_owned(),
            Math::Fraction(above, below) => format!("\\frac{{{}}}{{{}}}", above.latex(), below.latex()),
            Math::Super(base, exponent) => format!("{}^{{{}}}", nested(base), exponent.latex()),
            Math::Step(name, step) => format!("{}_{{{}}}", word(name), step.latex()),
            Math::Sub(base, at) if matches!(&**base, Math::Step(..)) => {
                let letters: Vec<String> = at.iter().map(Math::latex).collect();
                let Math::Step(name, step) = &**base else { return String::new() };
                format!("{}_{{{},\\,{}}}", word(name), step.latex(), letters.join(" "))
            }
            Math::Sub(base, at) => {
                let letters: Vec<String> = at.iter().map(Math::latex).collect();
                match &**base {
                    // Below the bar of `∂L/∂Z` the indices are those of Z.
                    Math::Fraction(above, below) if base.is_slope() => {
                        format!("\\frac{{{}}}{{{}_{{{}}}}}", above.latex(), below.latex(), letters.join(" "))
                    }
                    base => format!("{}_{{{}}}", nested(&base.clone().grouped()), letters.join(" ")),
                }
            }
            Math::Root(inner) => format!("\\sqrt{{{}}}", inner.latex()),
            Math::Bracketed(inner) => {
                let inner_text = inner.latex();
                if inner_text.contains("\\frac") || inner_text.contains("\\sum") {
                    format!("\\left({inner_text}\\right)")
                } else {
                    format!("({inner_text})")
                }
            }
            Math::Fenced(open, inner, close) => {
                format!("\\left{} {} \\right{}", fence(open), inner.latex(), fence(close))
            }
            Math::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Math::latex).collect();
                let function = match &**function {
                    Math::Word(name) if name.chars().count() > 1 => operator(name),
                    Math::Row(parts) => match parts.as_slice() {
                        [Math::Word(name), Math::Sign("′")] if name.chars().count() > 1 => {
                            operator(name) + "'"
                        }
                        _ => function.latex(),
                    },
                    other => other.latex(),
                };
                format!("{function}\\left({}\\right)", arguments.join(", "))
            }
            Math::Sum(index, to) => format!("\\sum_{{{}=1}}^{{{}}}", word(index), to.latex()),
        }
    }
}

fn operator(name: &str) -> String {
    format!("\\operatorname{{{}}}", escaped(name))
}

/// A base that already has an index or an exponent is a group of its own.
fn nested(base: &Math) -> String {
    match base {
        Math::Sub(..) | Math::Super(..) => format!("{{{}}}", base.latex()),
        _ => base.latex(),
    }
}

fn sign_of(sign: &str) -> &str {
    match sign {
        "−" => "-",
        "⊙" => "\\odot",
        "⊗" => "\\otimes",
        "∂" => "\\partial",
        "·" => "\\cdot",
        "′" => "'",
        "⊤" => "\\top",
        "or" => "\\text{ or }",
        "≤" => "\\le",
        "≥" => "\\ge",
        "≠" => "\\ne",
        other => other,
    }
}

fn fence(fence: &str) -> &str {
    match fence {
        "‖" => "\\|",
        "⌊" => "\\lfloor",
        "⌋" => "\\rfloor",
        other => other,
    }
}

/// A letter is a variable; a longer name is one word. Greek letters, δ and Σ have commands.
fn word(text: &str) -> String {
    const GREEK: [(&str, &str); 28] = [
        ("α", "alpha"),
        ("β", "beta"),
        ("γ", "gamma"),
        ("δ", "delta"),
        ("ε", "varepsilon"),
        ("ζ", "zeta"),
        ("η", "eta"),
        ("θ", "theta"),
        ("κ", "kappa"),
        ("λ", "lambda"),
        ("μ", "mu"),
        ("ν", "nu"),
        ("ξ", "xi"),
        ("π", "pi"),
        ("ρ", "rho"),
        ("σ", "sigma"),
        ("τ", "tau"),
        ("φ", "varphi"),
        ("χ", "chi"),
        ("ψ", "psi"),
        ("ω", "omega"),
        ("Γ", "Gamma"),
        ("Δ", "Delta"),
        ("Θ", "Theta"),
        ("Λ", "Lambda"),
        ("Σ", "Sigma"),
        ("Φ", "Phi"),
        ("Ω", "Omega"),
    ];
    if let Some((_, name)) = GREEK.iter().find(|(letter, name)| *letter == text || *name == text) {
        return format!("\\{name}");
    }
    if text == super::SUM {
        return "\\sum".to_owned();
    }
    if text == "⊤" {
        return "\\top".to_owned();
    }
    // `Z1` is Z with an index, `dh` one word.
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &text[letters.len()..];
    let base = match letters.chars().count() {
        0 => return escaped(text),
        1 if letters.is_ascii() => letters.to_owned(),
        _ => match GREEK.iter().find(|(letter, name)| *letter == letters || *name == letters) {
            Some((_, name)) => format!("\\{name}"),
            None => format!("\\mathit{{{}}}", escaped(letters)),
        },
    };
    if digits.is_empty() { base } else { format!("{{{base}_{{{digits}}}}}") }
}

fn number(text: &str) -> String {
    match text.split_once('e') {
        Some(("1", power)) => format!("10^{{{power}}}"),
        Some((digits, power)) => format!("{digits} \\cdot 10^{{{power}}}"),
        None => text.to_owned(),
    }
}

/// Text whose characters LaTeX would obey, by commands that show them. A letter that a plain font may lack is told by its number.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => {
                shown.push('\\');
                shown.push(character);
            }
            '\\' => shown.push_str("\\textbackslash{}"),
            '^' => shown.push_str("\\textasciicircum{}"),
            '~' => shown.push_str("\\textasciitilde{}"),
            character if character.is_ascii() && !character.is_ascii_control() => shown.push(character),
            character => shown.push_str(&format!("[U+{:04X}]", u32::from(character))),
        }
    }
    shown
}
