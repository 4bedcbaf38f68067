//! Notation as one line of text: `Σ_{k=1}^D X_ik W_kj`.

use super::Math;

impl Math {
    /// As a line of text, in characters of Unicode.
    pub fn text(&self) -> String {
        match self {
            Math::Word(text) if text == super::SUM => "Σ".to_owned(),
            Math::Word(text) | Math::Number(text) | Math::Code(text) => text.clone(),
            Math::Operator(sign) => format!(" {sign} "),
            Math::Sign(sign) => (*sign).to_owned(),
            Math::Product(factors) => {
                let factor = |part: &Math| match part {
                    // What follows a bar would seem to stand below it.
                    Math::Fraction(..) if factors.len() > 1 && !part.is_simple() => {
                        format!("({})", part.text())
                    }
                    _ => part.text(),
                };
                let texts: Vec<String> = factors.iter().map(factor).collect();
                texts.join(" ").replace("  ", " ")
            }
            Math::Row(parts) => parts.iter().map(Math::text).collect(),
            Math::Fraction(above, below) => {
                let tight = self.is_simple();
                let (above, below) = (side(above, true), side(below, false));
                if tight { format!("{above}/{below}") } else { format!("{above} / {below}") }
            }
            Math::Super(base, exponent) => {
                let base = base.text();
                let exponent = match exponent.text() {
                    text if text == "(t)" => return format!("{base}⁽ᵗ⁾"),
                    text if text == "⊤" => return format!("{base}ᵀ"),
                    text if text == "−1" => return format!("{base}⁻¹"),
                    text if text == "2" => return format!("{base}²"),
                    text if text == "3" => return format!("{base}³"),
                    text => text,
                };
                if exponent.chars().all(char::is_alphanumeric) {
                    format!("{base}^{exponent}")
                } else {
                    format!("{base}^({exponent})")
                }
            }
            Math::Step(name, step) => match step.text().replace(' ', "") {
                step if step.chars().count() == 1 => format!("{name}_{step}"),
                step => format!("{name}_{{{step}}}"),
            },
            Math::Sub(base, at) => {
                let letters: Vec<String> = at.iter().map(Math::text).collect();
                if let Math::Step(name, step) = &**base {
                    return format!("{name}_{{{},{}}}", step.text().replace(' ', ""), letters.join(","));
                }
                let indices = if letters.iter().all(|letter| letter.chars().count() == 1) {
                    letters.concat()
                } else {
                    format!("{{{}}}", letters.join(","))
                };
                // `∂L/∂Z_ij` has its indices where Z has them.
                let base = if base.is_slope() { base.text() } else { base.as_ref().clone().grouped().text() };
                format!("{base}_{indices}")
            }
            Math::Root(inner) => format!("√{}", inner.as_ref().clone().grouped().text()),
            Math::Bracketed(inner) => format!("({})", inner.text()),
            Math::Fenced(open, inner, close) => format!("{open}{}{close}", inner.text()),
            Math::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Math::text).collect();
                format!("{}({})", function.text(), arguments.join(", "))
            }
            Math::Sum(index, to) => format!("Σ_{{{index}=1}}^{}", to.as_ref().clone().grouped().text()),
        }
    }

    /// Is it a fraction of numbers and sizes, or a `∂a/∂b`, which is written without spaces?
    fn is_simple(&self) -> bool {
        let short = |part: &Math| match part {
            Math::Number(_) | Math::Word(_) => true,
            Math::Row(parts) => {
                let is_short = |part: &Math| {
                    matches!(part, Math::Number(_) | Math::Word(_) | Math::Sign("·") | Math::Operator(_))
                };
                parts.iter().all(is_short)
            }
            _ => false,
        };
        match self {
            Math::Fraction(above, below) => {
                self.is_slope() || (matches!(**above, Math::Number(_)) && short(above) && short(below))
            }
            _ => false,
        }
    }
}

/// What stands above or below a bar, in the brackets that a line of text needs.
fn side(part: &Math, above: bool) -> String {
    match part {
        Math::Row(parts) if parts.first() == Some(&Math::Sign("∂")) => part.text(),
        Math::Product(_) | Math::Fraction(..) if above => part.text(),
        // What only multiplies is read from left to right.
        Math::Row(parts) if above && parts.iter().all(multiplies) => part.text(),
        Math::Sub(..) | Math::Super(..) => part.text(),
        _ => part.clone().grouped().text(),
    }
}

fn multiplies(part: &Math) -> bool {
    match part {
        Math::Operator(sign) => *sign == super::ENTRYWISE,
        Math::Sign(sign) => *sign == "·",
        _ => true,
    }
}
